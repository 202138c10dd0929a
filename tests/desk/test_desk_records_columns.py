"""Sealed columns: read like any other, in the database for nobody to read, and erasable."""

from __future__ import annotations

import desk_moves as moves
import pytest
from django.core.exceptions import FieldError
from django.db import connection, transaction

from folkmoot.desk.accounts.models import Account, ShelfItem, Trouble
from folkmoot.desk.drafts.models import Signoff, Version
from folkmoot.desk.drafts.queries import get_version
from folkmoot.desk.publishing.models import Delivery
from folkmoot.desk.records import columns, erasing, keys
from folkmoot.desk.records.columns import (
    ERASED,
    TOMBSTONE,
    NotSealed,
    is_erased,
    list_openable,
    sealed_values,
    update_sealed,
)
from folkmoot.desk.records.erasing import COLUMN, NotHere, Place
from folkmoot.desk.records.models import SubjectKey
from folkmoot.desk.stops.models import Stop
from folkmoot.ledger import KeyLost

WORDS = "Mr Ŵyn Tarleton of 7 Mill Road has asked."


@pytest.fixture
def version(cast):
    return get_version(moves.drafts.start(cast.alice, cast.content(WORDS), now=cast.clock()))


def raw(row, column):
    """What the database holds."""
    table = row._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT "{column}" FROM {table} WHERE id = %s', [row.pk])
        return cursor.fetchone()[0]


def write_raw(row, column, text):
    with connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE {row._meta.db_table} SET "{column}" = %s WHERE id = %s', [text, row.pk]
        )


def again(row):
    return type(row).objects.get(pk=row.pk)


def place_of(row, column):
    return Place(COLUMN, f"{row._meta.label_lower}/{row.pk}", column)


def test_a_sealed_column_is_read_as_it_was_written_and_stands_sealed(version):
    kept = again(version)
    assert (kept.text, kept.report, kept.facts) == (WORDS, version.report, {})
    held = raw(version, "text")
    number = SubjectKey.objects.get(subject=f"post/{version.draft_id}").pk
    assert held.startswith(f"f1.{number}.")
    assert "Tarleton" not in held
    assert raw(version, "facts") == "{}"
    assert raw(version, "topic") == ""
    assert list(Version.objects.values_list("text", flat=True)) == [WORDS]


def test_the_same_words_look_different_each_time(version):
    before = raw(version, "text")
    update_sealed(version, {"text": WORDS})
    assert raw(version, "text") != before
    assert again(version).text == WORDS


@pytest.mark.parametrize("value", [WORDS, "x", "f1.1.AAAA", 7])
def test_an_update_with_plain_text_is_refused_and_writes_nothing(version, value):
    before = raw(version, "text")
    with pytest.raises(NotSealed), transaction.atomic():
        Version.objects.update(text=value)
    with pytest.raises(NotSealed), transaction.atomic():
        Version.objects.filter(pk=version.pk).update(report={"verdict": "go"})
    version.text = WORDS
    with pytest.raises(NotSealed), transaction.atomic():
        Version.objects.bulk_update([version], ["text"])
    assert raw(version, "text") == before


@pytest.mark.parametrize(
    "lookup",
    [
        "text__contains",
        "text__icontains",
        "text__iexact",
        "text__startswith",
        "text__regex",
        "text__gt",
        "text__length",
        "report__verdict",
    ],
)
def test_a_lookup_in_what_is_sealed_is_refused_and_answers_nothing(version, lookup):
    with pytest.raises(FieldError):
        list(Version.objects.filter(**{lookup: "x"}))


@pytest.mark.parametrize("lookup", ["text", "text__in", "draft__versions__text"])
def test_a_value_cannot_be_looked_up_even_if_it_is_the_right_one(version, lookup):
    value = [WORDS] if lookup.endswith("__in") else WORDS
    with pytest.raises(NotSealed):
        list(Version.objects.filter(**{lookup: value}))
    with pytest.raises(NotSealed):
        list(Version.objects.exclude(**{lookup: value}))


def test_whether_it_is_empty_can_be_looked_up(version):
    assert Version.objects.filter(topic="").count() == 1
    assert Version.objects.exclude(topic="").count() == 0
    assert Version.objects.filter(pictures=[]).count() == 1
    assert Version.objects.exclude(text="").count() == 1
    assert Delivery.objects.filter(request__isnull=True).count() == 0


def test_bytes_are_read_as_they_were_written(cast):
    moves.signed(cast)
    moves.work(cast)
    item = ShelfItem.objects.get()
    assert b"Mill Road" in item.record
    assert "Mill" not in raw(item, "record")
    assert item.subject == f"post/{Delivery.objects.get().draft_id}"
    assert bytes(Delivery.objects.get().request) == bytes(item.record)


@pytest.mark.parametrize("text", ["Plain words.", "f1.", "f1.1", "f1.x.AAAA", "f1.1.!", "f2.1.AA"])
def test_what_somebody_wrote_by_other_ways_does_not_open(version, text):
    write_raw(version, "text", text)
    with pytest.raises(KeyLost):
        again(version)


def test_what_was_moved_from_another_column_does_not_open(version):
    update_sealed(version, {"topic": "Roads"})
    write_raw(version, "text", raw(version, "topic"))
    with pytest.raises(KeyLost):
        again(version)


def test_what_was_moved_from_another_table_does_not_open(cast, version):
    post = moves.awaiting(cast)
    moves.drafts.send_back(
        cast.bob, post.pk, digest_seen=moves.digest_of(post), reason="No.", now=cast.clock()
    )
    write_raw(version, "text", raw(Signoff.objects.get(), "reason"))
    with pytest.raises(KeyLost):
        again(version)


def test_once_the_key_is_destroyed_each_kind_reads_as_erased(cast):
    draft = moves.signed(cast, cast.content(WORDS, topic="Roads"))
    moves.work(cast)
    with transaction.atomic():
        keys.destroy_subject(draft.subject, cast.clock())
    version, delivery = Version.objects.get(), Delivery.objects.get()
    assert (version.text, version.pictures, version.topic) == (ERASED, [], "")
    assert "erased" in version.report["failed"]
    assert is_erased(version.text)
    assert not is_erased("[erased]")
    assert delivery.request is None
    assert ShelfItem.objects.get().record == b""


def test_what_was_erased_is_not_written_anew_as_if_somebody_had_said_it(version):
    with transaction.atomic():
        keys.destroy_subject(f"post/{version.draft_id}", version.at)
    kept = again(version)
    kept.save()
    assert raw(version, "text") == TOMBSTONE
    assert is_erased(again(version).text)
    update_sealed(version, {"text": kept.text})
    assert raw(version, "text") == TOMBSTONE


def test_an_update_seals_what_is_sealed_and_leaves_the_rest(cast, version):
    ready = sealed_values(version, {"text": "New.", "language": "cy", "topic": ""})
    assert (ready["language"], ready["topic"]) == ("cy", "")
    assert ready["text"].startswith("f1.")
    other = sealed_values(Version(), {"text": "New."}, subject="post/99")
    number = SubjectKey.objects.get(subject="post/99").pk
    assert other["text"].startswith(f"f1.{number}.")
    assert not update_sealed(version, {"text": "New."}, columns.models.Q(language="cy"))
    assert again(version).text == WORDS


@pytest.mark.django_db(transaction=True)
def test_a_row_is_not_written_outside_a_transaction_but_by_what_begins_one(cast):
    account = Account.objects.get(pk=cast.feed.pk)
    account.trouble = "It said no."
    with pytest.raises(keys.NotInTransaction):
        account.save()
    assert Account.objects.get(pk=account.pk).trouble == ""
    assert update_sealed(account, {"trouble": "It said no."})
    assert Account.objects.get(pk=account.pk).trouble == "It said no."


def test_a_row_that_was_changed_keeps_no_other_back_and_is_told_of(cast, caplog):
    troubles = [
        Trouble.objects.create(account=cast.feed, at=cast.clock(), sentence=f"No {number}.")
        for number in range(4)
    ]
    write_raw(troubles[1], "sentence", "Nothing is wrong.")
    rows = Trouble.objects.select_related("account").order_by("-pk")
    assert [one.sentence for one in list_openable(rows[:3])] == ["No 3.", "No 2."]
    assert f"Trouble {troubles[1].pk} does not open" in caplog.text
    assert [one.pk for one in list_openable(rows[3:])] == [troubles[0].pk]


# Erasing


def test_one_value_of_a_key_that_several_share_is_erased_and_the_others_stay(cast, version):
    update_sealed(version, {"topic": "Roads", "facts": {"consent": "Mr Tarleton said yes"}})
    before = SubjectKey.objects.get(subject=f"post/{version.draft_id}").pk
    with transaction.atomic():
        gone = erasing.erase(cast.body.ref, [place_of(version, "text")], cast.clock())
    assert gone == 1
    kept = again(version)
    assert is_erased(kept.text)
    assert (kept.topic, kept.facts) == ("Roads", {"consent": "Mr Tarleton said yes"})
    assert kept.report == version.report
    assert bytes(SubjectKey.objects.get(pk=before).wrapped) == b""
    assert raw(version, "text") == TOMBSTONE
    assert f".{before}." not in raw(version, "topic")
    # What the record said of the post is kept under the same key, and stays too.
    assert moves.entries(version.draft, "draft.started")[0].fields["text"] == WORDS


def test_a_search_finds_columns_and_fields_in_every_case_and_width(cast, version):
    found = {str(one.place): one for one in erasing.find(cast.body.ref, ["ＴＡＲＬＥＴＯＮ  OF"])}
    column = found[str(place_of(version, "text"))]
    assert column.subject == f"post/{version.draft_id}"
    assert (column.kind, column.at, column.public) == ("drafts.version", version.at, False)
    assert {one.place.name for one in found.values()} == {"text"}
    assert len(found) == 2
    assert [str(Place.from_text(text)) for text in found] == list(found)


def test_another_body_s_value_is_neither_found_nor_erased(cast, version):
    assert not list(erasing.find(cast.other.ref, ["Tarleton"]))
    assert not erasing.list_about(cast.other.ref, [f"post/{version.draft_id}"])
    with transaction.atomic(), pytest.raises(NotHere):
        erasing.erase(cast.other.ref, [place_of(version, "text")], cast.clock())
    assert again(version).text == WORDS


def test_what_is_gone_already_or_never_was_cannot_be_erased(cast, version):
    place = place_of(version, "text")
    with transaction.atomic():
        erasing.erase(cast.body.ref, [place], cast.clock())
        for none in (
            place,
            place_of(version, "wall"),
            Place(COLUMN, "drafts.version/9999", "text"),
        ):
            with pytest.raises(NotHere):
                erasing.erase(cast.body.ref, [none], cast.clock())


def test_all_that_is_kept_about_a_post_is_listed_whatever_room_it_is_in(cast):
    draft = moves.signed(cast, cast.content(WORDS))
    moves.work(cast)
    held = erasing.list_about(cast.body.ref, [draft.subject])
    tables = {one.place.row.partition("/")[0] for one in held if one.place.kind == COLUMN}
    assert tables >= {"drafts.version", "publishing.delivery", "accounts.shelfitem"}
    assert {one.place.name for one in held if one.place.kind == "field"} >= {"text", "account"}


def test_a_key_shared_with_another_body_s_rows_erases_only_the_one_that_was_chosen(cast):
    """Subjects are opaque, and nothing forbids two bodies one; then each keeps its own."""
    for body in (cast.body, cast.other):
        Stop.objects.create(organisation=body, reason=f"{body.name} says.", pressed_at=cast.clock())
    mine, other = Stop.objects.order_by("pk")
    number, key = keys.live_key(mine.sealed_for, cast.clock())
    held = Stop._meta.get_field("reason").seal_under(number, key, "Elsewhere says.")
    Stop.objects.filter(pk=other.pk).update(reason=held)
    erasing.erase(cast.body.ref, [place_of(mine, "reason")], cast.clock())
    assert is_erased(again(mine).reason)
    assert again(other).reason == "Elsewhere says."


def test_every_sealed_column_says_whose_it_is_and_what_it_is_kept_under(cast):
    """A column that cannot say so would be passed over by a search in silence."""
    found = list(columns.sealed_columns())
    assert len(found) > 30
    for column in found:
        model = column.model
        assert isinstance(model.sealed_for, property), model
        path = model.sealed_organisation
        list(model._base_manager.filter(**{path: cast.body.ref}))
        assert path.endswith("ref")
