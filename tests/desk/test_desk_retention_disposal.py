"""What a disposal takes with it, what shares a key and stays, ten thousand of them, and crashes."""

from __future__ import annotations

import time

import desk_moves as moves
import pytest
import retention_moves as keeping
from django.db import transaction
from test_desk_retention_erasure import NAME, alarm

from folkmoot.desk.drafts.models import Picture, Version
from folkmoot.desk.drafts.queries import PictureRefused, read_picture
from folkmoot.desk.records import actions as records
from folkmoot.desk.records import erasing
from folkmoot.desk.records.classes import RecordClass
from folkmoot.desk.records.columns import is_erased
from folkmoot.desk.records.models import FieldValue, SubjectKey
from folkmoot.desk.retention import actions, destroying, queries
from folkmoot.desk.retention.models import Batch

MANY = 10_000


def dispose_of(cast, record_class=RecordClass.POSTS):
    keeping.adopt(cast)
    batch = actions.draw_up(cast.fay, record_class, now=cast.clock())
    actions.propose_disposal(cast.fay, batch.pk, reason="Over.", now=cast.clock())
    return actions.confirm_disposal(
        cast.gus, batch.pk, seen=queries.digest_of(batch), now=cast.clock()
    )


def picture(cast, colour):
    from folkmoot.desk.drafts import actions as drafts

    return drafts.add_picture(
        cast.alice,
        moves.picture_file(colour=colour),
        size_bytes=1,
        name=f"{colour}.png",
        alt=f"All {colour}.",
        now=cast.clock(),
    )


def record_many(cast, many, kind, fields, subject_of):
    for start in range(0, many, 1_000):
        with transaction.atomic():
            for number in range(start, min(start + 1_000, many)):
                records.record(
                    kind,
                    at=cast.clock(),
                    organisation=cast.body.ref,
                    actor="",
                    role="worker",
                    subject=subject_of(number),
                    fields={label: f"{text} {number}" for label, text in fields.items()},
                )
        records.sequence(cast.clock())


@pytest.mark.django_db(transaction=True)
def test_a_post_s_words_and_pictures_go_with_its_entries_and_a_shared_picture_stays(cast):
    own, shared = picture(cast, "teal"), picture(cast, "navy")
    (old,) = keeping.old_posts(cast, cast.content(pictures=(own, shared)))
    with transaction.atomic():
        version = Version.objects.get(draft=old)
        again = Version.objects.get(pk=version.pk)
        again.pk, again.number = None, 2
        other = type(old).objects.create(
            organisation=cast.body,
            author=cast.alice.ref,
            made_at=cast.clock(),
            changed_at=cast.clock(),
        )
        again.draft, again.pictures = other, [shared]
        again.save()
    batch = dispose_of(cast)
    keeping.work(cast)
    batch.refresh_from_db()
    assert batch.state == "done"
    version.refresh_from_db()
    assert is_erased(version.text)
    names = {one.sha256: one.name for one in Picture.objects.all()}
    assert is_erased(names[own["sha256"]])
    assert names[shared["sha256"]] == "navy.png"
    with pytest.raises(PictureRefused, match="erased"):
        read_picture(cast.body.pk, own["sha256"], own["media_type"])
    assert read_picture(cast.body.pk, shared["sha256"], shared["media_type"])


@pytest.mark.django_db(transaction=True)
def test_what_shares_a_key_with_another_class_stays_and_reads(cast):
    """Alarms about an account go; what is recorded of the account itself is sealed again."""
    row = alarm(cast)
    before = keeping.open_texts(cast)
    subject = f"account/{cast.feed.pk}"
    key = SubjectKey.objects.get(subject=subject, destroyed_at=None).pk
    cast.clock.pass_(days=3 * 366)
    batch = dispose_of(cast, RecordClass.ALARMS)
    keeping.work(cast)
    gone = set(batch.items.values_list("entry", flat=True))
    after = keeping.open_texts(cast)
    for place, text in before.items():
        assert (place[0] in gone) == (place not in after), place
        assert place[0] in gone or after[place] == text
    assert any("Our feed" in text for text in after.values())
    assert SubjectKey.objects.get(subject=subject, destroyed_at=None).pk != key
    assert SubjectKey.objects.get(pk=key).wrapped == b""
    row.refresh_from_db()
    assert is_erased(row.text)


def test_another_body_s_entries_are_never_disposed_of(cast):
    draft = keeping.old_post(cast)
    entries = [one.entry_id for one in keeping.entries(cast, "draft.signed")]
    assert entries
    with transaction.atomic():
        assert erasing.dispose(cast.other.ref, entries, [], cast.clock()) == (0, 0)
    assert draft.subject
    assert FieldValue.objects.filter(entry_id__in=entries, erased_at=None).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("keys", [1, MANY])
def test_ten_thousand_entries_go_in_reasonable_time_whether_they_share_a_key_or_not(cast, keys):
    fields = {"text": NAME, "url": "https://p.example/", "account": "Our feed"}
    record_many(cast, MANY, "alarm.raised", fields, lambda number: f"alarm/{number % keys}")
    record_many(cast, 100, "account.connected", {"name": "Stays"}, lambda _: "alarm/0")
    cast.clock.pass_(days=3 * 366)
    begun = time.monotonic()
    batch = dispose_of(cast, RecordClass.ALARMS)
    decided = time.monotonic() - begun
    assert batch.items.count() == MANY
    begun = time.monotonic()
    keeping.work(cast)
    went = time.monotonic() - begun
    batch.refresh_from_db()
    assert batch.state == "done"
    assert batch.values_gone == MANY * 3
    texts = keeping.open_texts(cast).values()
    assert not any(NAME in text for text in texts)
    assert sum(text.startswith("Stays") for text in texts) == 100
    print(f"{keys} keys: decided in {decided:.1f} s, destroyed in {went:.1f} s")
    assert decided < 60
    assert went < 240


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_worker_that_dies_leaves_each_entry_whole_or_gone_and_another_goes_on(
    cast, monkeypatch, after
):
    record_many(cast, 35, "alarm.raised", {"text": NAME, "url": "u"}, lambda n: f"account/{n % 3}")
    cast.clock.pass_(days=3 * 366)
    batch = dispose_of(cast, RecordClass.ALARMS)
    monkeypatch.setattr(destroying, "ENTRIES", 10)
    monkeypatch.setattr(destroying, "WHOLE", 0)
    real, calls = destroying._destroy_some, []

    class Killed(BaseException):
        """The process is gone."""

    def dying(*args):
        calls.append(1)
        if len(calls) > after:
            raise Killed
        return real(*args)

    with monkeypatch.context() as patched:
        patched.setattr(destroying, "_destroy_some", dying)
        with pytest.raises(Killed):
            actions.work(cast.clock)
    counts = queries.count_items(batch)
    assert counts.gone == min(after * 10, 35)
    gone = set(batch.items.exclude(gone_at=None).values_list("entry", flat=True))
    whole = keeping.open_texts(cast)
    for entry in batch.items.values_list("entry", flat=True):
        labels = {label for entry_id, label in whole if entry_id == entry}
        assert labels == (set() if entry in gone else {"text", "url"})
    assert not keeping.entries(cast, "disposal.done")
    keeping.work(cast)
    assert Batch.objects.get(pk=batch.pk).state == "done"
    (done,) = keeping.entries(cast, "disposal.done")
    assert done.fields["entries"] == "35"
