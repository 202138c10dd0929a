"""Erasing a person: found everywhere, chosen, agreed to by two, gone; proofs hold."""

from __future__ import annotations

import base64
import json
import time

import desk_moves as moves
import pytest
import retention_moves as keeping
from django.db import IntegrityError, transaction

from folkmoot.desk.publishing.models import Alarm
from folkmoot.desk.records import actions as records
from folkmoot.desk.records import keys
from folkmoot.desk.records.models import Entry, Epoch, FieldValue
from folkmoot.desk.records.queries import DamagedEntry, get_proof
from folkmoot.desk.retention import actions, queries
from folkmoot.desk.retention.actions import HeldBack, RetentionRefused
from folkmoot.desk.retention.grounds import Exemption, Ground
from folkmoot.desk.retention.models import Erasure, Match
from folkmoot.desk.retention.queries import ErasureState
from folkmoot.ledger import verify_proof

NAME = "Zuzana Quillfeather"


def leave(cast, text, **more):
    with transaction.atomic():
        return moves.leave(cast, fields={"text": text}, **more)


def texts(cast):
    return set(keeping.open_texts(cast).values())


# Searching


@pytest.mark.parametrize(
    ("kept", "asked"),
    [
        ("Zuzana Quillfeather wrote", "zuzana quillfeather"),
        ("ZUZANA  QUILLFEATHER", "Zuzana Quillfeather"),
        ("Ｚｕｚａｎａ Quillfeather", "zuzana"),
        ("José rang", "josé"),
        ("написала Мария Иванова", "МАРИЯ ИВАНОВА"),
        ("王芳 said", "王芳"),
        ("كتبت فاطمة", "فاطمة"),
        ("Ring 07700 900123", "07700 900123"),
        ("@zuq@example.social", "@ZUQ"),
        ("STRASSE", "strasse"),
        ("Straße", "STRASSE"),
    ],
)
def test_a_name_is_found_in_any_script_case_and_width(cast, kept, asked):
    leave(cast, kept)
    erasure = keeping.ask(cast, asked)
    (match,) = [one for one in erasure.matches.all() if one.kind == "draft.tried"]
    assert match.chosen


def test_several_phrases_are_searched_at_once(cast):
    for text in ("by Ann", "by anne@a.example", "by nobody"):
        leave(cast, text)
    erasure = keeping.ask(cast, "by ann", "anne@a.example")
    assert erasure.matches.filter(kind="draft.tried").count() == 2


@pytest.mark.parametrize(
    ("phrases", "words"),
    [
        ([], "Enter the names"),
        (["  ", ""], "Enter the names"),
        (["a"], "nearly everything"),
        (["e "], "nearly everything"),
        (["x" * 201], "too long"),
        ([f"name {n}" for n in range(51)], "up to 50"),
    ],
)
def test_a_search_that_could_only_mislead_is_refused(cast, phrases, words):
    with pytest.raises(RetentionRefused, match=words):
        actions.ask_erasure(
            cast.fay,
            phrases=phrases,
            ground=Ground.OBJECTED,
            reference="",
            now=cast.clock(),
        )


def test_a_search_that_meets_what_it_cannot_read_says_so_and_finds_nothing(cast):
    entry = leave(cast, NAME)
    FieldValue.objects.filter(entry_id=entry).update(sealed=b"x" * 80)
    erasure = actions.ask_erasure(
        cast.fay, phrases=[NAME], ground=Ground.OBJECTED, reference="", now=cast.clock()
    )
    assert not actions.search(erasure, cast.clock)
    erasure.refresh_from_db()
    assert erasure.state == ErasureState.SEARCHING
    assert "bring back" in erasure.trouble
    (waiting,) = queries.list_waiting(cast.body, cast.clock())
    assert waiting.what == "trouble"


def test_a_search_that_takes_too_long_for_a_page_is_left_to_the_worker(cast):
    leave(cast, NAME)
    erasure = actions.ask_erasure(
        cast.fay, phrases=[NAME], ground=Ground.OBJECTED, reference="", now=cast.clock()
    )
    assert not actions.search(erasure, cast.clock, seconds=-1)
    erasure.refresh_from_db()
    assert erasure.state == ErasureState.SEARCHING
    assert not erasure.matches.exists()
    actions.work(cast.clock)
    erasure.refresh_from_db()
    assert erasure.state == ErasureState.CHOOSING


def test_a_search_that_another_has_ended_meanwhile_changes_nothing(cast):
    leave(cast, NAME)
    erasure = actions.ask_erasure(
        cast.fay, phrases=[NAME], ground=Ground.OBJECTED, reference="", now=cast.clock()
    )
    slow = Erasure.objects.get(pk=erasure.pk)
    assert actions.search(erasure, cast.clock)
    keeping.propose(cast, erasure)
    assert actions.search(slow, cast.clock)
    assert Erasure.objects.get(pk=erasure.pk).state == ErasureState.PROPOSED
    assert len(keeping.entries(cast, "erasure.searched")) == 1


def test_what_another_body_keeps_is_never_found(cast):
    stranger = keeping.officer_of_other(cast)
    leave(cast, NAME)
    erasure = actions.ask_erasure(
        stranger, phrases=[NAME, "Alice"], ground=Ground.OBJECTED, reference="", now=cast.clock()
    )
    assert actions.search(erasure, cast.clock)
    assert not erasure.matches.exists()
    mine = keeping.ask(cast, NAME)
    for act in (
        lambda: actions.choose(stranger, mine.pk, chosen=True),
        lambda: actions.propose_erasure(stranger, mine.pk, now=cast.clock()),
        lambda: actions.drop_erasure(stranger, mine.pk, now=cast.clock()),
        lambda: actions.search_again(stranger, mine.pk, now=cast.clock()),
        lambda: actions.leave_held(stranger, mine.pk),
        lambda: actions.refuse_erasure(
            stranger, mine.pk, exemption=Exemption.ARCHIVING, reason="R", now=cast.clock()
        ),
    ):
        with pytest.raises(RetentionRefused, match="no such erasure"):
            act()
    assert queries.find_erasure(cast.other, mine.pk) is None


# Choosing


def test_what_was_published_stays_unless_somebody_says_so(cast):
    leave(cast, NAME, public=("text",))
    leave(cast, NAME)
    erasure = keeping.ask(cast, NAME)
    assert [(one.public, one.chosen) for one in erasure.matches.order_by("pk")] == [
        (True, False),
        (False, True),
    ]
    groups = queries.group_matches(erasure)
    assert {(one.public, one.found, one.chosen) for one in groups} == {(True, 1, 0), (False, 1, 1)}


def test_all_but_some_are_chosen_by_kind_year_and_one_by_one(cast):
    leave(cast, NAME)
    cast.clock.pass_(days=400)
    leave(cast, NAME)
    leave(cast, NAME, kind="alarm.raised")
    erasure = keeping.ask(cast, NAME)
    actions.choose(cast.fay, erasure.pk, chosen=False, kind="draft.tried")
    assert erasure.matches.filter(chosen=True).count() == 1
    actions.choose(cast.fay, erasure.pk, chosen=True, kind="draft.tried", year=2027)
    assert erasure.matches.filter(chosen=True).count() == 2
    one = erasure.matches.get(kind="alarm.raised")
    actions.choose(cast.fay, erasure.pk, chosen=False, numbers=[one.pk])
    assert {m.at.year for m in erasure.matches.filter(chosen=True)} == {2027}
    keeping.propose(cast, erasure)
    with pytest.raises(RetentionRefused, match="only until"):
        actions.choose(cast.fay, erasure.pk, chosen=True)


def test_numbers_of_another_erasure_choose_nothing_here(cast):
    leave(cast, NAME)
    first, second = keeping.ask(cast, NAME), keeping.ask(cast, NAME)
    theirs = list(second.matches.values_list("pk", flat=True))
    assert actions.choose(cast.fay, first.pk, chosen=False, numbers=theirs) == 0
    assert second.matches.filter(chosen=True).exists()


# Two people


def test_whoever_proposed_an_erasure_cannot_confirm_it(cast):
    leave(cast, NAME)
    erasure = keeping.propose(cast, keeping.ask(cast, NAME))
    with pytest.raises(RetentionRefused, match="second person"):
        actions.confirm_erasure(cast.fay, erasure.pk, seen=erasure.digest, now=cast.clock())
    with pytest.raises(RetentionRefused, match="has changed"):
        actions.confirm_erasure(cast.gus, erasure.pk, seen="", now=cast.clock())
    with pytest.raises(RetentionRefused, match="records"):
        actions.confirm_erasure(cast.dan, erasure.pk, seen=erasure.digest, now=cast.clock())


@pytest.mark.parametrize("state", ["erasing", "rolling", "done"])
def test_the_database_erases_nothing_by_one(cast, state):
    leave(cast, NAME)
    erasure = keeping.propose(cast, keeping.ask(cast, NAME))
    for values in ({}, {"confirmed_by": erasure.proposed_by}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Erasure.objects.filter(pk=erasure.pk).update(state=state, **values)


def test_a_proposal_can_be_taken_back_and_chosen_anew(cast):
    leave(cast, NAME)
    erasure = keeping.propose(cast, keeping.ask(cast, NAME))
    actions.take_back_erasure(cast.fay, erasure.pk, now=cast.clock())
    actions.choose(cast.fay, erasure.pk, chosen=False)
    with pytest.raises(RetentionRefused, match="Nothing is chosen"):
        keeping.propose(cast, erasure)


# Erased


@pytest.mark.django_db(transaction=True)
def test_what_was_agreed_is_gone_and_everything_else_is_as_it_was(cast):
    gone = leave(cast, f"About {NAME}.")
    same = leave(cast, "About nobody.")
    with transaction.atomic():
        both = moves.leave(cast, fields={"text": f"For {NAME}", "reason": "A reason that stays."})
    records.sequence(cast.clock())
    proofs = {
        one.entry_id: get_proof(one.entry_id, public_only=False) for one in Entry.objects.all()
    }
    epoch = Epoch.objects.get(destroyed_at=None).number
    erasure = keeping.erase(cast, NAME, reference="Case 7 of Z. Quillfeather")
    assert erasure.state == ErasureState.DONE
    assert erasure.phrases == []
    assert erasure.reference == "[erased]"
    assert not any("Quillfeather" in text for text in texts(cast))
    assert {"About nobody.", "A reason that stays."} <= texts(cast)
    assert Epoch.objects.get(destroyed_at=None).number == epoch + 1
    (done,) = keeping.entries(cast, "erasure.done")
    assert (done.fields["values"], done.fields["entries"]) == ("2", "2")
    assert done.fields["ground"] == "no_longer_needed"
    assert (done.fields["proposed_by"], done.fields["confirmed_by"]) == (
        cast.fay.ref,
        cast.gus.ref,
    )
    assert "Quillfeather" not in str(done)
    (asked,) = keeping.entries(cast, "erasure.asked")
    assert asked.erased == ("reference",)
    for entry_id, text in proofs.items():
        now = get_proof(entry_id, public_only=False)
        assert verify_proof(now.encode()).ok
        assert verify_proof(text.encode()).ok, "a proof given before holds too"
        if entry_id not in {gone, both}:
            assert disclosures(now) == disclosures(text)
    assert disclosures(get_proof(same, public_only=False)) == disclosures(proofs[same])
    assert len(disclosures(get_proof(both, public_only=False))) == 1
    FieldValue.objects.filter(entry_id=same).update(sealed=b"x" * 90)
    with pytest.raises(DamagedEntry):
        get_proof(same, public_only=False)


def disclosures(proof):
    """What a proof discloses: text and salt by field."""
    (extra,) = [line for line in proof.splitlines() if line.startswith("extra ")]
    return json.loads(base64.b64decode(extra.removeprefix("extra ")))["disclosed"]


@pytest.mark.django_db(transaction=True)
def test_erasing_twice_what_went_by_another_way_ends_well(cast):
    leave(cast, NAME)
    first, second = keeping.ask(cast, NAME), keeping.ask(cast, NAME)
    for one in (first, second):
        keeping.propose(cast, one)
        keeping.confirm(cast, one)
    keeping.work(cast)
    assert {one.state for one in Erasure.objects.all()} == {ErasureState.DONE}


@pytest.mark.django_db(transaction=True)
def test_what_came_after_the_search_is_counted_and_not_erased_unseen(cast):
    leave(cast, NAME)
    erasure = keeping.ask(cast, NAME)
    leave(cast, f"Later: {NAME}")
    keeping.propose(cast, erasure)
    keeping.confirm(cast, erasure)
    keeping.work(cast)
    erasure.refresh_from_db()
    assert erasure.found_since == 1
    assert f"Later: {NAME}" in texts(cast)


@pytest.mark.django_db(transaction=True)
def test_an_epoch_that_cannot_be_rolled_leaves_nothing_called_done(cast, monkeypatch):
    leave(cast, NAME)
    erasure = keeping.ask(cast, NAME)
    keeping.propose(cast, erasure)
    keeping.confirm(cast, erasure)

    def full(*_args):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(keys.EpochFile, "write", full)
        keeping.work(cast)
        erasure.refresh_from_db()
        assert erasure.state == ErasureState.ROLLING
        assert not keeping.entries(cast, "erasure.done")
        (waiting,) = queries.list_waiting(cast.body, cast.clock.pass_(minutes=11))
        assert waiting.what == "stuck_erasure"
    keeping.work(cast)
    erasure.refresh_from_db()
    assert erasure.state == ErasureState.DONE


def test_a_dropped_erasure_forgets_what_was_searched_for(cast):
    leave(cast, "Nothing.")
    erasure = keeping.ask(cast, NAME, reference="By mistake")
    actions.drop_erasure(cast.fay, erasure.pk, now=cast.clock())
    erasure.refresh_from_db()
    assert (erasure.phrases, erasure.reference) == ([], "[erased]")
    assert not Match.objects.exists()


# Refused


def test_a_refusal_says_by_which_exemption_and_why(cast):
    leave(cast, NAME)
    erasure = keeping.ask(cast, NAME)
    with pytest.raises(RetentionRefused, match="Say why"):
        actions.refuse_erasure(
            cast.fay, erasure.pk, exemption=Exemption.ARCHIVING, reason=" ", now=cast.clock()
        )
    actions.refuse_erasure(
        cast.fay,
        erasure.pk,
        exemption=Exemption.LEGAL_CLAIMS,
        reason="The claim is before the court.",
        now=cast.clock(),
    )
    (entry,) = keeping.entries(cast, "erasure.refused")
    assert entry.fields == {
        "exemption": "legal_claims",
        "reason": "The claim is before the court.",
    }
    assert NAME in texts(cast)


def test_a_hold_refuses_the_erasure_and_puts_it_before_a_person(cast):
    leave(cast, NAME)
    other = leave(cast, NAME, kind="alarm.raised")
    records.sequence(cast.clock())
    hold = keeping.hold(cast, kind=actions.HoldScope.CHOSEN, entries=(other,))
    erasure = keeping.ask(cast, NAME)
    with pytest.raises(HeldBack) as held:
        keeping.propose(cast, erasure)
    assert (held.value.holds, held.value.count) == ((hold.pk,), 1)
    (refused,) = keeping.entries(cast, "erasure.refused_because_held")
    assert refused.fields == {"what": "erasure", "holds": str(hold.pk), "held": "1"}
    (waiting,) = queries.list_waiting(cast.body, cast.clock())
    assert (waiting.what, waiting.number) == ("held_erasure", erasure.pk)
    assert actions.leave_held(cast.fay, erasure.pk) == 1
    erasure = keeping.propose(cast, erasure)
    assert erasure.matches.filter(chosen=True).count() == 1


def test_a_hold_placed_after_the_proposal_refuses_the_confirmation(cast):
    entry = leave(cast, NAME)
    records.sequence(cast.clock())
    erasure = keeping.propose(cast, keeping.ask(cast, NAME))
    keeping.hold(cast, kind=actions.HoldScope.CHOSEN, entries=(entry,))
    with pytest.raises(HeldBack):
        keeping.confirm(cast, erasure)
    assert NAME in texts(cast)


@pytest.mark.django_db(transaction=True)
def test_a_hold_placed_after_the_confirmation_keeps_what_is_left(cast):
    entry = leave(cast, NAME)
    leave(cast, f"Also {NAME}")
    records.sequence(cast.clock())
    erasure = keeping.propose(cast, keeping.ask(cast, NAME))
    keeping.confirm(cast, erasure)
    keeping.hold(cast, kind=actions.HoldScope.CHOSEN, entries=(entry,))
    keeping.work(cast)
    erasure.refresh_from_db()
    assert erasure.state == ErasureState.DONE
    assert NAME in texts(cast)
    assert f"Also {NAME}" not in texts(cast)
    assert "erasure.refused_because_held" in keeping.kinds(cast)


# Copies outside


def test_bags_that_left_with_what_is_to_go_are_named(cast):
    entry = leave(cast, NAME)
    erasure = keeping.ask(cast, NAME)
    actions.note_copy(
        cast.body, bag="bag/9", manifest="c" * 64, entries=[entry], released_at=cast.clock()
    )
    (outside,) = queries.list_copies_outside(cast.body, queries.list_entries_of(erasure))
    assert (outside.bag, outside.entries) == ("bag/9", 1)


# What a platform deleted


def alarm(cast, text="A stranger wrote this.", url="https://posts.example/1"):
    with transaction.atomic():
        row = Alarm.objects.create(
            account=cast.feed,
            kind="unsigned",
            remote_id="stranger/1",
            url=url,
            text=text,
            seen_at=cast.clock(),
        )
        records.record(
            "alarm.raised",
            at=cast.clock(),
            organisation=cast.body.ref,
            actor="",
            role="worker",
            subject=f"account/{cast.feed.pk}",
            fields={"account": "Our feed", "alarm": "unsigned", "url": url, "text": text},
            about=dict.fromkeys(("url", "text"), row.sealed_for),
        )
    records.sequence(cast.clock())
    return row


@pytest.mark.django_db(transaction=True)
def test_a_stranger_s_post_that_was_deleted_is_erased_by_one_person(cast):
    row = alarm(cast)
    assert queries.is_kept_of_alarm(cast.body, row.pk)
    erasure = actions.honour_platform_deletion(cast.bob, row.pk, now=cast.clock())
    keeping.work(cast)
    erasure.refresh_from_db()
    assert erasure.state == ErasureState.DONE
    assert not {"A stranger wrote this.", "https://posts.example/1"} & texts(cast)
    assert "Our feed" in texts(cast)
    row.refresh_from_db()
    assert (row.text, row.url) == ("[erased]", "")
    (done,) = keeping.entries(cast, "erasure.done")
    assert done.fields["ground"] == "platform"
    assert not queries.is_kept_of_alarm(cast.body, row.pk)
    with pytest.raises(RetentionRefused, match="Nothing is kept"):
        actions.honour_platform_deletion(cast.bob, row.pk, now=cast.clock())


def test_a_hold_is_in_the_way_of_a_platform_s_deletion_too(cast):
    row = alarm(cast)
    keeping.hold(cast, kind=actions.HoldScope.ACCOUNT, account=cast.feed.pk)
    with pytest.raises(HeldBack):
        actions.honour_platform_deletion(cast.bob, row.pk, now=cast.clock())
    assert "A stranger wrote this." in texts(cast)
    assert "erasure.refused_because_held" in keeping.kinds(cast)


def test_only_who_may_close_alarms_honours_a_deletion_and_only_of_their_own_body(cast):
    row = alarm(cast)
    with pytest.raises(RetentionRefused, match="Only an approver"):
        actions.honour_platform_deletion(cast.alice, row.pk, now=cast.clock())
    with pytest.raises(RetentionRefused, match="no alarm"):
        actions.honour_platform_deletion(cast.mallory, row.pk, now=cast.clock())


# Many


@pytest.mark.django_db(transaction=True)
def test_a_name_in_ten_thousand_entries_is_counted_paged_and_erased(cast):
    many = 10_000
    for start in range(0, many, 1_000):
        with transaction.atomic():
            for number in range(start, start + 1_000):
                records.record(
                    "alarm.raised",
                    at=cast.clock(),
                    organisation=cast.body.ref,
                    actor="",
                    role="worker",
                    subject=f"account/{number % 7}",
                    fields={"text": f"{NAME} wrote {number}", "account": "Our feed"},
                )
        records.sequence(cast.clock())
    begun = time.monotonic()
    erasure = keeping.ask(cast, NAME)
    searched = time.monotonic() - begun
    (group,) = [one for one in queries.group_matches(erasure) if one.kind == "alarm.raised"]
    assert (group.found, group.year) == (many, 2026)
    page, more = queries.list_matches(erasure, page=3)
    assert (len(page), more) == (25, True)
    left = page[0].number
    actions.choose(cast.fay, erasure.pk, chosen=False, numbers=[left])
    keeping.propose(cast, erasure)
    keeping.confirm(cast, erasure)
    begun = time.monotonic()
    keeping.work(cast)
    erased = time.monotonic() - begun
    erasure.refresh_from_db()
    assert erasure.state == ErasureState.DONE
    assert sum(NAME in text for text in texts(cast)) == 1
    print(f"searched in {searched:.1f} s, erased in {erased:.1f} s")
    assert searched < 60
    assert erased < 120


@pytest.mark.django_db(transaction=True)
def test_what_was_found_and_left_is_counted_when_it_is_done(cast):
    moves.publish(cast, text="Thanks to Zeno Quillfeather for the photograph.")
    erasure = keeping.erase(cast, "Zeno Quillfeather")
    assert erasure.values_left > 0
    (done,) = keeping.entries(cast, "erasure.done")
    assert done.fields["left"] == str(erasure.values_left)
    page = cast.client(cast.fay).get(f"/desk/records/erasure/{erasure.pk}").content.decode()
    assert "not chosen, and stand" in page
    assert "Quillfeather" not in page
