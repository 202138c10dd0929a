"""A shelf keeps what it was given, once, through crashes and between processes."""

import multiprocessing
import os
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from folkmoot.channels import entries
from folkmoot.channels.contract import post
from folkmoot.channels.entries import EntryError, read_entry
from folkmoot.channels.port import Unconfirmed, Unreadable
from folkmoot.channels.practice import Practice
from folkmoot.channels.shelf import FolderShelf, ShelfError, Shelved

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def shelf(tmp_path):
    return FolderShelf(tmp_path / "shelf")


def test_the_first_record_stays_and_a_second_is_turned_away(shelf):
    assert shelf.find("key") is None
    assert shelf.put_if_absent("key", b"first", published_at=AT) is True
    assert shelf.put_if_absent("key", b"second", published_at=AT) is False
    assert shelf.find("key") == Shelved("key", b"first", AT)


@given(st.binary())
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_come_back_as_they_were(shelf, record):
    key = f"k{abs(hash(record))}"
    shelf.put_if_absent(key, record, published_at=AT)
    assert shelf.find(key).record == record


def test_records_are_listed_newest_first_whatever_their_zone(shelf):
    assert shelf.list_newest(5) == ()
    summer = timezone(timedelta(hours=1))
    shelf.put_if_absent("old", b"1", published_at=AT - timedelta(days=1))
    shelf.put_if_absent("new", b"2", published_at=AT)
    shelf.put_if_absent("between", b"3", published_at=AT.astimezone(summer) - timedelta(minutes=1))
    shelf.put_if_absent("also-new", b"4", published_at=AT)
    assert [one.key for one in shelf.list_newest(9)] == ["also-new", "new", "between", "old"]
    assert [one.key for one in shelf.list_newest(2)] == ["also-new", "new"]


@pytest.mark.parametrize("key", ["", "../up", "a/b", ".hidden", "a.b", "-a", "é", "a" * 129, "a\n"])
def test_a_key_that_could_leave_the_folder_is_an_error(shelf, key):
    with pytest.raises(ValueError, match="not a key"):
        shelf.put_if_absent(key, b"x", published_at=AT)
    with pytest.raises(ValueError, match="not a key"):
        shelf.find(key)


def test_a_time_without_a_zone_is_an_error(shelf):
    with pytest.raises(ValueError, match="no time zone"):
        shelf.put_if_absent("key", b"x", published_at=datetime(2026, 1, 1))  # noqa: DTZ001


def put(folder, number, barrier, results):
    shelf = FolderShelf(folder)
    barrier.wait()
    won = [
        key
        for key in (f"key-{n}" for n in range(20))
        if shelf.put_if_absent(key, str(number).encode(), published_at=AT)
    ]
    results.put((number, won))


def test_of_several_processes_that_put_at_once_one_wins_each_key(tmp_path):
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(4), context.Queue()
    workers = [
        context.Process(target=put, args=(tmp_path, number, barrier, results))
        for number in range(4)
    ]
    for worker in workers:
        worker.start()
    won = dict(results.get(timeout=20) for _ in workers)
    for worker in workers:
        worker.join()
    assert sorted(key for keys in won.values() for key in keys) == sorted(
        f"key-{n}" for n in range(20)
    )
    shelf = FolderShelf(tmp_path)
    for number, keys in won.items():
        for key in keys:
            assert shelf.find(key).record == str(number).encode()


@pytest.mark.parametrize("step", ["fsync", "link"])
def test_a_write_that_is_cut_off_leaves_nothing_to_be_read(shelf, tmp_path, monkeypatch, step):
    def cut(*args):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, step, cut)
        with pytest.raises(ShelfError, match="could not be written"):
            shelf.put_if_absent("key", b"x", published_at=AT)
    assert shelf.find("key") is None
    assert shelf.list_newest(5) == ()
    assert list((tmp_path / "shelf").iterdir()) == []
    assert shelf.put_if_absent("key", b"x", published_at=AT) is True


def test_a_damaged_file_is_an_error_and_not_an_empty_feed(shelf, tmp_path):
    shelf.put_if_absent("key", b"x", published_at=AT)
    for damage in (b"", b"not a time\nx", b"2026-11-20T09:00:00\nx", b"\xff\nx"):
        (tmp_path / "shelf" / "key.record").write_bytes(damage)
        with pytest.raises(ShelfError, match="damaged"):
            shelf.find("key")
        with pytest.raises(ShelfError, match="damaged"):
            shelf.list_newest(5)


@pytest.mark.parametrize(
    "record", [b"", b"[]", b"{}", b'{"at":"2026-11-20T09:00:00","parts":[]}', b"\xff", b"null"]
)
def test_a_record_that_is_no_entry_is_an_error(record):
    with pytest.raises(EntryError):
        read_entry(record)


class TestAShelfThatFails:
    class Broken:
        """A shelf whose disk has gone; ``fails`` says from which call on."""

        def put_if_absent(self, key, record, *, published_at):
            raise ShelfError("The disk is gone.")

        def find(self, key):
            raise ShelfError("The disk is gone.")

        def list_newest(self, limit):
            raise ShelfError("The disk is gone.")

    def test_nothing_is_said_to_be_sent_or_absent(self, shelf):
        def adapter(over):
            return Practice(
                over,
                post_url=lambda key: f"https://x.test/{key}",
                picture_url=lambda sha256, media_type: f"https://x.test/{sha256}/{media_type}",
            )

        good, broken = adapter(shelf), adapter(self.Broken())
        key = broken.make_key("d", AT)
        prepared = broken.prepare(post("x"), key=key, at=AT)
        assert broken.send(prepared) == Unconfirmed("The disk is gone.")
        assert broken.look_up(prepared) == Unconfirmed("The disk is gone.")
        assert broken.read_back(good.send(prepared)) == Unreadable("The disk is gone.")
        assert "The disk is gone." in broken.diagnose()


def test_a_key_does_not_change_from_release_to_release():
    """A change here would let a delivery in flight be published twice. It must never change."""
    assert entries.make_key("delivery-1", AT) == "20261120T090000Z-0b220df1969115139ffebb33"
