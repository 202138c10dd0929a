"""The database lets the record only grow, until somebody who owns it takes that off."""

from __future__ import annotations

import desk_moves as moves
import pytest
from django.db import DatabaseError, connection, transaction

from folkmoot.desk.records import actions as records
from folkmoot.desk.records import seatbelt
from folkmoot.desk.records.models import Checkpoint, Entry, FieldValue, Tile, Withdrawal


@pytest.fixture
def log(cast):
    for _ in range(3):
        moves.leave(cast)
        records.sequence(cast.clock())
    return list(Entry.objects.order_by("index"))


def refused(statement, *values):
    def act():
        with connection.cursor() as cursor:
            cursor.execute(statement, values)

    with pytest.raises(DatabaseError, match="record"), transaction.atomic():
        (statement if callable(statement) else act)()


def test_all_of_it_is_on(db):
    assert seatbelt.find_missing() == ()


def row(one, **more):
    kept = {f.attname: getattr(one, f.attname) for f in Entry._meta.concrete_fields}
    return Entry(**{**kept, "entry_id": "f" * 32, "once": None, **more})


@pytest.mark.parametrize("away", [-1, 1, 5])
def test_an_entry_goes_to_the_end_and_nowhere_else(log, away):
    refused(lambda: row(log[-1], index=log[-1].index + 1 + away).save(force_insert=True))
    row(log[-1], index=log[-1].index + 1).save(force_insert=True)


def test_a_batch_in_order_goes_in_and_one_with_a_gap_does_not(log):
    end = log[-1].index + 1
    rows = [row(log[-1], index=end + n, entry_id=f"{n:032x}") for n in range(3)]
    refused(lambda: Entry.objects.bulk_create([rows[0], rows[2]]))
    Entry.objects.bulk_create(rows)
    assert Entry.objects.latest("index").index == end + 2


@pytest.mark.parametrize("column", ["index", "entry_id", "leaf", "kind", "subject", "at"])
def test_nothing_that_an_entry_says_can_be_changed(log, column):
    refused(f'UPDATE records_entry SET "{column}" = "{column}" WHERE "index" = %s', log[0].index)


def test_what_is_shown_of_an_entry_can(log):
    assert Entry.objects.filter(pk=log[0].pk).update(public=True) == 1


def test_nothing_can_be_removed(log):
    refused(lambda: Entry.objects.filter(pk=log[-1].pk).delete())
    refused(lambda: Tile.objects.all().delete())
    refused(lambda: Checkpoint.objects.all().delete())
    refused("UPDATE records_checkpoint SET size = size + 100")
    if connection.vendor == "postgresql":
        for table in seatbelt.TABLES:
            refused(f"TRUNCATE {table}")


def test_replacing_an_entry_is_refused_as_well(log):
    if connection.vendor != "sqlite":
        pytest.skip("Only SQLite has INSERT OR REPLACE.")
    refused(
        'INSERT OR REPLACE INTO records_entry SELECT * FROM records_entry WHERE "index" = %s',
        log[0].index,
    )


def test_a_tile_only_grows(log):
    tile = Tile.objects.get(level=0)
    refused(lambda: Tile.objects.update(hashes=bytes(len(tile.hashes))))
    refused(lambda: Tile.objects.update(hashes=bytes(tile.hashes)[:32]))
    assert Tile.objects.update(hashes=bytes(tile.hashes) + bytes(32)) == 1


def test_the_owner_of_the_tables_can_take_it_off_and_it_is_on_again_afterwards(log):
    with seatbelt.lifted():
        Entry.objects.filter(pk=log[-1].pk).delete()
        assert seatbelt.find_missing()
    assert seatbelt.find_missing() == ()
    with pytest.raises(KeyError), seatbelt.lifted():
        raise KeyError
    assert seatbelt.find_missing() == ()


def test_withholding_and_erasing_are_counted(log):
    def counted():
        return sum(Withdrawal.objects.values_list("number", flat=True))

    before = counted()
    FieldValue.objects.update(public=False)
    after = counted()
    assert after > before
    FieldValue.objects.filter(entry_id=log[-1].entry_id).delete()
    assert counted() > after
