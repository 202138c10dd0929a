"""The record: one entry for every action, in order, signed, and found out when it is touched."""

from __future__ import annotations

from datetime import UTC, datetime

import desk_moves as moves
import pytest
from django.db import transaction

from folkmoot.desk.records import actions as records
from folkmoot.desk.records.models import Checkpoint, Entry, FieldValue, Intent, Refusal
from folkmoot.ledger import Entry as Leaf

MEMORY = "ledger.checkpoint"


# Leaving an entry


@pytest.mark.django_db(transaction=True)
def test_an_entry_outside_a_transaction_is_refused(cast):
    before = kept()
    with pytest.raises(records.NotInTransaction):
        moves.leave(cast)
    assert kept() == before


def test_a_change_that_is_rolled_back_leaves_no_entry(cast):
    before = (kept(), FieldValue.objects.count())
    with transaction.atomic():
        moves.leave(cast)
        transaction.set_rollback(True)
    assert (kept(), FieldValue.objects.count()) == before


def test_what_is_to_be_left_once_is_left_once_before_and_after_it_is_in_order(cast):
    first = moves.leave(cast, once="test/1")
    assert moves.leave(cast, once="test/1") == first
    records.sequence(cast.clock())
    assert moves.leave(cast, once="test/1") == first
    assert moves.leave(cast, once="test/2") != first


def test_entries_stand_in_the_order_in_which_they_were_left(cast):
    ids = [moves.leave(cast) for _ in range(5)]
    records.sequence(cast.clock())
    rows = list(Entry.objects.filter(kind="draft.tried").order_by("index"))
    assert [one.entry_id for one in rows] == ids
    assert [one.index for one in rows] == list(range(rows[0].index, rows[0].index + 5))
    assert not Intent.objects.exists()


def test_a_crash_between_keeping_and_signing_is_made_good_the_next_time(cast, monkeypatch):
    moves.leave(cast)

    def crash(now):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(records, "sign", crash)
        with pytest.raises(KeyboardInterrupt):
            records.sequence(cast.clock())
    assert Entry.objects.exists()
    assert not Checkpoint.objects.exists()
    records.sequence(cast.clock())
    assert Checkpoint.objects.get().size == Entry.objects.count()


def kept():
    return Intent.objects.count() + Entry.objects.count()


def test_no_name_and_no_address_stands_in_an_entry_s_header(cast):
    moves.publish(cast)
    for one in [*Entry.objects.all(), *Intent.objects.all()]:
        leaf = one.leaf.casefold()
        for word in ("alice", "bob", "carol", "mootshire", "@", "moot.example", "library"):
            assert word not in leaf, leaf


@pytest.mark.parametrize(
    "changed",
    [
        {"subject": "post/another"},
        {"entry_id": "0" * 32},
        {"made_at": datetime(2020, 1, 1, tzinfo=UTC)},
        {"leaf": "{}"},
    ],
)
def test_an_entry_that_was_changed_while_it_waited_is_not_put_into_the_record(cast, changed):
    """What the log holds can never be put right again."""
    records.sequence(cast.clock())
    moves.leave(cast)
    before = Entry.objects.count()
    Intent.objects.update(**changed)
    assert records.sequence(cast.clock()) == 0
    assert (Entry.objects.count(), Intent.objects.count()) == (before, 1)
    assert Refusal.objects.count() == 1


def test_the_columns_of_an_entry_repeat_what_its_text_says(cast):
    moves.leave(cast, once="test/1")
    records.sequence(cast.clock())
    row = Entry.objects.order_by("-index").first()
    leaf = Leaf.from_bytes(row.leaf.encode())
    assert (row.entry_id, row.kind, row.organisation) == (leaf.id, leaf.kind, leaf.organisation)
    assert (row.subject, row.retention, row.at) == (leaf.subject, leaf.retention, leaf.at)
    assert row.once == "test/1"
