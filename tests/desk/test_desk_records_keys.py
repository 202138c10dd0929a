"""Keys of subjects: what is sealed opens until its key is destroyed, and then nowhere."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from django.db import connection, connections, transaction

from folkmoot.desk.records import keys
from folkmoot.desk.records.models import Epoch, SubjectKey
from folkmoot.ledger import EpochFile, EpochKeys, KeyLost, LedgerError

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
PLACE = "a.place"
two_at_once = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="SQLite takes one writer at a time"
)


class Killed(BaseException):
    """The process ended here."""


@pytest.fixture(autouse=True)
def fresh_keys(db):
    """As a process that has just begun, on an installation that has just begun."""
    keys.epoch_file().path.unlink(missing_ok=True)
    keys.forget_cached()
    yield
    keys.epoch_file().path.unlink(missing_ok=True)
    keys.forget_cached()


def put(subject, text="A name."):
    """What a row would hold of ``text``: the number of the key, and what is sealed."""
    with transaction.atomic():
        number, key = keys.live_key(subject, NOW)
        return number, PLACE, keys.seal(key, PLACE, text.encode())


def read(*kept):
    return [None if one is None else one.decode() for one in keys.unseal(kept)]


def file_keys():
    return EpochKeys.from_text(keys.epoch_file().path.read_text())


def test_what_is_sealed_opens_in_a_process_that_begins_later():
    kept = [put("post/1", "One."), put("post/2", "Two."), put("post/1", "Three.")]
    assert kept[0][0] == kept[2][0] != kept[1][0]
    keys.forget_cached()
    assert read(*kept) == ["One.", "Two.", "Three."]
    assert SubjectKey.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sealed_outside_a_transaction():
    with pytest.raises(keys.NotInTransaction):
        keys.live_key("post/1", NOW)
    assert not SubjectKey.objects.exists()


def test_a_second_asking_in_a_transaction_costs_no_query(django_assert_num_queries):
    with transaction.atomic():
        held = keys.live_key("post/1", NOW)
        with django_assert_num_queries(0):
            assert keys.live_key("post/1", NOW) is held or keys.live_key("post/1", NOW) == held


def test_a_key_made_in_what_was_rolled_back_is_not_used_after_it():
    with transaction.atomic():
        keys.live_key("post/0", NOW)
        with suppress(ValueError), transaction.atomic():
            keys.live_key("post/1", NOW)
            raise ValueError
        number, key = keys.live_key("post/1", NOW)
    assert SubjectKey.objects.get(subject="post/1").pk == number
    keys.forget_cached()
    assert read((number, PLACE, keys.seal(key, PLACE, b"Kept."))) == ["Kept."]


def test_a_number_that_came_back_as_another_key_opens_nothing_of_the_first():
    with suppress(ValueError), transaction.atomic():
        number, key = keys.live_key("post/1", NOW)
        lost = (number, PLACE, keys.seal(key, PLACE, b"Rolled back."))
        raise ValueError
    with transaction.atomic():
        again, other = keys.live_key("post/1", NOW)
        SubjectKey.objects.filter(pk=again).delete()
        epoch, wrapped = keys.epoch_keys().wrap(other, "post/1")
        SubjectKey.objects.create(
            pk=number, subject="post/1", epoch=epoch, wrapped=wrapped, made_at=NOW
        )
    keys.forget_cached()
    with pytest.raises(KeyLost):
        read(lost)


def test_of_a_destroyed_key_nothing_opens_and_the_next_is_another():
    gone, stays = put("post/1"), put("post/2")
    with transaction.atomic():
        assert keys.live_key("post/1", NOW)[0] == gone[0]
        assert keys.destroy([gone[0]], NOW) == 1
        fresh = put("post/1", "Said later.")
    assert read(gone, stays, fresh) == [None, "A name.", "Said later."]
    assert fresh[0] != gone[0]
    assert bytes(SubjectKey.objects.get(pk=gone[0]).wrapped) == b""
    assert keys.destroy([gone[0]], NOW) == 0
    assert keys.destroy_subject("post/1", NOW) == 1
    assert read(fresh) == [None]


def test_bytes_moved_to_another_place_do_not_open():
    number, _, sealed = put("post/1")
    with pytest.raises(KeyLost):
        read((number, "another.place", sealed))


def test_bytes_that_say_they_are_under_another_key_do_not_open():
    one, other = put("post/1"), put("post/2")
    with pytest.raises(KeyLost, match="by other ways than this program"):
        read((other[0], PLACE, one[2]))


def test_a_key_that_was_changed_or_put_in_another_s_place_opens_nothing():
    one, other = put("post/1"), put("post/2")
    row = SubjectKey.objects.get(pk=one[0])
    for wrapped in (
        bytes(SubjectKey.objects.get(pk=other[0]).wrapped),
        bytes(row.wrapped)[:-1] + bytes([bytes(row.wrapped)[-1] ^ 1]),
        b"",
    ):
        SubjectKey.objects.filter(pk=one[0]).update(wrapped=wrapped)
        keys.forget_cached()
        connection.run_on_commit.clear()  # what this transaction held
        with pytest.raises(KeyLost):
            read(one)
        with pytest.raises(KeyLost):
            put("post/1")
    SubjectKey.objects.filter(pk=one[0]).update(wrapped=bytes(row.wrapped), subject="post/3")
    keys.forget_cached()
    with pytest.raises(KeyLost):
        read(one)


def test_a_key_that_is_not_in_the_database_is_lost_and_not_erased():
    kept = put("post/1")
    SubjectKey.objects.all().delete()
    keys.forget_cached()
    with pytest.raises(KeyLost, match="Part of the database is lost"):
        read(kept)


def test_without_the_file_of_epoch_keys_nothing_is_sealed_or_opened_and_no_new_file_is_made():
    kept = put("post/1")
    aside = keys.epoch_file().path.with_suffix(".aside")
    keys.epoch_file().path.rename(aside)
    keys.forget_cached()
    with pytest.raises(keys.NoEpochKey, match="Put it back"):
        put("post/2")
    with pytest.raises(keys.NoEpochKey):
        read(kept)
    assert not keys.epoch_file().path.exists()
    assert SubjectKey.objects.count() == 1
    aside.rename(keys.epoch_file().path)
    assert read(kept) == ["A name."]


def test_an_older_file_of_epoch_keys_makes_no_keys():
    put("post/1")
    older = keys.epoch_file().path.read_text()
    keys.roll(NOW)
    keys.epoch_file().path.write_text(older)
    keys.forget_cached()
    with pytest.raises(keys.NoEpochKey, match="lacks the key of epoch 2"):
        put("post/2")


def test_a_damaged_file_of_epoch_keys_is_told_of_without_a_key():
    put("post/1")
    line = keys.epoch_file().path.read_text().split()[1]
    keys.epoch_file().path.write_text(f"1 {line}x\n")
    keys.forget_cached()
    with pytest.raises(LedgerError) as told:
        put("post/2")
    assert line not in str(told.value)


# The cache


def test_values_shown_together_cost_few_queries_and_read_ahead_none(django_assert_max_num_queries):
    kept = [put(f"post/{number}", str(number)) for number in range(200)]
    keys.forget_cached()
    with django_assert_max_num_queries(6):
        assert [read(one)[0] for one in kept] == [str(number) for number in range(200)]
    keys.forget_cached()
    with django_assert_max_num_queries(1):
        keys.warm(f"post/{number}" for number in range(200))
        assert [read(one)[0] for one in kept[::-1]][-1] == "0"


def test_a_key_read_ahead_before_another_process_rolled_is_read_anew():
    kept = put("post/1")
    row = SubjectKey.objects.get(pk=kept[0])
    stale = (row.epoch, bytes(row.wrapped), row.subject)
    keys.roll(NOW)
    keys._CACHE.keep(row.pk, stale)
    assert read(kept) == ["A name."]


def test_the_cache_keeps_the_keys_that_were_used_last(monkeypatch):
    monkeypatch.setattr(keys, "CACHED", 3)
    kept = [put(f"post/{number}") for number in range(3)]
    read(kept[0])
    put("post/3")
    assert keys._CACHE.has(kept[0][0])
    assert not keys._CACHE.has(kept[1][0])


# The roll


def test_after_a_roll_copies_of_a_destroyed_key_open_nothing_and_all_else_does():
    gone, stays = put("post/1"), put("post/2")
    copy = SubjectKey.objects.filter(pk=gone[0]).values("epoch", "wrapped", "subject").get()
    other = SubjectKey.objects.filter(pk=stays[0]).values("epoch", "wrapped").get()
    with transaction.atomic():
        keys.destroy([gone[0]], NOW)
    assert keys.roll(NOW) == 1
    assert read(gone, stays) == [None, "A name."]
    # A backup brings the row back; the file of epoch keys is not in it.
    SubjectKey.objects.filter(pk=gone[0]).update(destroyed_at=None, **copy)
    SubjectKey.objects.filter(pk=stays[0]).update(**other)
    keys.forget_cached()
    for kept in (gone, stays):
        with pytest.raises(KeyLost, match="key of epoch 1 is destroyed"):
            read(kept)
    assert list(file_keys().keys) == [2]
    assert not list(keys.epoch_file().path.parent.glob(".epochs.key.*"))
    assert Epoch.objects.get(number=1).destroyed_at is not None


def kill_at(monkeypatch, where):
    """End the process at this point of a roll; in what it does next it is another one."""
    real_write, real_wrap = EpochFile.write, keys._wrap_batch
    done = {"write": 0, "wrap": 0}

    def write(self, fresh):
        done["write"] += 1
        if where == f"before write {done['write']}":
            raise Killed
        real_write(self, fresh)
        if where == f"after write {done['write']}":
            raise Killed

    def wrap():
        done["wrap"] += 1
        if where == f"before batch {done['wrap']}":
            raise Killed
        return real_wrap()

    monkeypatch.setattr(keys, "BATCH", 2)
    monkeypatch.setattr(EpochFile, "write", write)
    monkeypatch.setattr(keys, "_wrap_batch", wrap)


POINTS = [
    "before write 1",
    "after write 1",
    "before batch 1",
    "before batch 2",
    "before batch 3",
    "before batch 4",
    "before write 2",
    "after write 2",
]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("twice", [False, True])
def test_a_roll_killed_anywhere_loses_nothing_and_is_taken_up(monkeypatch, point, twice):
    kept = [put(f"post/{number}", str(number)) for number in range(6)]
    gone = put("member/1", "Somebody.")
    copy = SubjectKey.objects.filter(pk=gone[0]).values("epoch", "wrapped").get()
    with transaction.atomic():
        keys.destroy([gone[0]], NOW)
    for _ in range(2 if twice else 1):
        with monkeypatch.context() as during:
            kill_at(during, point)
            with suppress(Killed):
                keys.roll(NOW)
        keys.forget_cached()
        assert read(*kept) == [str(number) for number in range(len(kept))]
        kept.append(put(f"post/{len(kept)}", str(len(kept))))
        keys.forget_cached()
        assert read(*kept, gone)[-2:] == [str(len(kept) - 1), None]
    if keys.is_rolling() or Epoch.objects.count() == 1:
        keys.roll(NOW)
    assert not keys.is_rolling()
    assert read(*kept) == [str(number) for number in range(len(kept))]
    assert len(file_keys().keys) == 1
    newest = file_keys().newest
    assert set(SubjectKey.objects.filter(destroyed_at=None).values_list("epoch", flat=True)) == {
        newest
    }
    assert copy["epoch"] < newest
    assert not Epoch.objects.filter(number__lt=newest, destroyed_at=None).exists()


def test_a_roll_on_an_empty_installation_begins_its_second_epoch():
    assert keys.roll(NOW) == 0
    kept = put("post/1")
    assert SubjectKey.objects.get().epoch == 2
    assert read(kept) == ["A name."]


# Two at once


def beside(*acts):
    """Do these at once, each on a connection of its own; what they raised."""
    begin, raised = threading.Barrier(len(acts)), []

    def run(act):
        begin.wait()
        try:
            act()
        except Exception as wrong:  # noqa: BLE001 - told to the test
            raised.append(wrong)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return raised


@pytest.mark.django_db(transaction=True)
@two_at_once
@pytest.mark.parametrize("seed", range(3))
def test_two_that_make_keys_while_a_third_rolls_agree_on_each_and_lose_none(monkeypatch, seed):
    monkeypatch.setattr(keys, "BATCH", 5)
    kept = [put(f"post/{number}", "Before.") for number in range(40)]

    def make():
        for number in range(seed * 7, 100):
            with transaction.atomic():
                kept.append(put(f"post/{number}", "During."))
                kept.append(put(f"post/{(number * 13) % 50}", "During."))

    def roll():
        for _ in range(3):
            keys.roll(NOW)

    # Two new subjects in one transaction, in either order: the database makes one begin again.
    raised = [wrong for wrong in beside(make, make, roll) if "deadlock" not in str(wrong)]
    assert not raised
    keys.forget_cached()
    assert set(read(*kept)) == {"Before.", "During."}
    assert len(file_keys().keys) == 1
    subjects = list(SubjectKey.objects.values_list("subject", flat=True))
    assert len(subjects) == len(set(subjects))


@pytest.mark.django_db(transaction=True)
@two_at_once
def test_who_destroys_a_key_waits_for_whoever_is_sealing_under_it():
    put("post/1")
    order = []
    sealing = threading.Event()

    def seal():
        with transaction.atomic():
            keys.live_key("post/1", NOW)
            sealing.set()
            threading.Event().wait(0.5)
            order.append("sealed")

    def destroy():
        sealing.wait(10)
        with transaction.atomic():
            keys.destroy_subject("post/1", NOW)
            order.append("destroyed")

    assert not beside(seal, destroy)
    assert order == ["sealed", "destroyed"]
    assert connection.vendor == "postgresql"
