"""A log in one SQLite file keeps what it was given, in order, and says so when somebody meddles."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.ledger import (
    EMPTY_ROOT,
    EntryError,
    ForkRefused,
    MemoryStore,
    Notary,
    Signer,
    SqliteLog,
    StoreError,
    Tree,
    leaf_hash,
    leaf_hashes,
    verify_consistency,
    verify_inclusion,
)

ENTRIES = [f"entry {number}".encode() * (number % 7) for number in range(1_000)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.sqlite3"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of a thousand entries, to be copied rather than changed."""
    path = tmp_path_factory.mktemp("kept") / "log.sqlite3"
    with SqliteLog(path) as log:
        log.append(ENTRIES)
    return path


@pytest.fixture
def thousand(kept: Path, path: Path) -> Path:
    path.write_bytes(kept.read_bytes())
    return path


def meddle(path: Path, *statements: str, freely: bool = True) -> None:
    """What somebody does who has the file and any SQLite program; ``freely`` takes rules out."""
    db = sqlite3.connect(path, isolation_level=None)
    if freely:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        db.execute(statement)
    db.close()


def put_rules_back(path: Path, like: Path) -> None:
    source = sqlite3.connect(like)
    rules = source.execute("SELECT sql FROM sqlite_master WHERE type='trigger'").fetchall()
    source.close()
    db = sqlite3.connect(path, isolation_level=None)
    for (rule,) in rules:
        db.execute(rule)
    db.close()


def test_a_fresh_log_is_empty_and_whole(path: Path) -> None:
    with SqliteLog(path) as log:
        assert log.size == 0
        assert log.root() == EMPTY_ROOT
        assert log.audit()
        assert [file.name for file in path.parent.iterdir() if "wal" not in file.name] == [
            "log.sqlite3",
            "log.sqlite3-shm",
        ]


def test_what_was_appended_is_there_in_order_after_opening_again(path: Path) -> None:
    with SqliteLog(path) as log:
        assert log.append(ENTRIES[:3]) == 0
        assert log.append([]) == 3
        assert log.append(ENTRIES[3:300]) == 3
        assert log.append(ENTRIES[300:]) == 300
    with SqliteLog(path) as log:
        assert log.size == 1_000
        assert [log.get_entry(number) for number in range(1_000)] == ENTRIES
        assert log.audit()


def test_roots_and_proofs_are_those_of_the_tree_in_memory(thousand: Path) -> None:
    tree = Tree(MemoryStore())
    tree.append(leaf_hashes(ENTRIES))
    with SqliteLog(thousand) as log:
        for size in (0, 1, 255, 256, 257, 999, 1_000, None):
            assert log.root(size) == tree.root(size)
        root = log.root()
        for index in (0, 255, 256, 998, 999):
            proof = log.inclusion_proof(index)
            assert verify_inclusion(leaf_hash(ENTRIES[index]), index, 1_000, proof, root)
        for old in (1, 256, 999):
            proof = log.consistency_proof(old)
            assert verify_consistency(old, 1_000, log.root(old), root, proof)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 300), max_size=6))
def test_it_does_not_matter_how_the_entries_were_split_up(
    tmp_path_factory: pytest.TempPathFactory, parts: list[int]
) -> None:
    path = tmp_path_factory.mktemp("split") / "log"
    at = 0
    with SqliteLog(path) as log:
        for part in parts:
            some = [number.to_bytes(4, "big") for number in range(at, at + part)]
            assert log.append(some) == at
            at += part
        tree = Tree(MemoryStore())
        tree.append(leaf_hashes(number.to_bytes(4, "big") for number in range(at)))
        assert log.root() == tree.root()
        assert log.audit()


@pytest.mark.parametrize("index", [-1, 1_000, 2**70])
def test_an_entry_that_is_not_there_is_said_not_to_be(thousand: Path, index: int) -> None:
    with SqliteLog(thousand) as log:
        with pytest.raises(ValueError, match="A log of 1000 entries has no entry number"):
            log.get_entry(index)
        with pytest.raises(ValueError, match="no entry number"):
            log.inclusion_proof(index)
        with pytest.raises(ValueError, match="has no head at 1001"):
            log.root(1_001)


@pytest.mark.parametrize("bad", ["text", None, 7, bytearray(b"x"), memoryview(b"x")])
def test_what_is_not_bytes_is_refused_before_anything_is_written(path: Path, bad: object) -> None:
    with SqliteLog(path) as log:
        with pytest.raises(EntryError, match="Every entry must be bytes"):
            log.append([b"good", bad])  # type: ignore[list-item]
        assert log.size == 0


def test_an_entry_of_65_535_bytes_is_taken_and_a_longer_one_is_not(path: Path) -> None:
    with SqliteLog(path) as log:
        log.append([b"x" * 65_535])
        with pytest.raises(EntryError, match="may be 65535 bytes; one is 65536"):
            log.append([b"good", b"x" * 65_536])
        assert log.size == 1


def test_the_same_key_appends_once_and_gives_the_first_answer_again(path: Path) -> None:
    with SqliteLog(path) as log:
        log.append([b"before"])
        assert log.append([b"a", b"b"], once="job 7") == 1
        assert log.append([b"after"]) == 3
    with SqliteLog(path) as log:
        assert log.append([b"a", b"b"], once="job 7") == 1
        assert log.append([b"a", b"b"], once="job 8") == 4
        assert log.size == 6
        assert log.audit()


@pytest.mark.parametrize("others", [[b"a"], [b"a", b"c"], [b"a", b"b", b"c"], [b"b", b"a"], []])
def test_a_key_does_not_serve_for_other_entries(path: Path, others: list[bytes]) -> None:
    with SqliteLog(path) as log:
        log.append([b"a", b"b"], once="job 7")
        with pytest.raises(EntryError, match=r"'job 7' stands for other entries.*number 0 on"):
            log.append(others, once="job 7")
        assert log.size == 2


def test_several_writers_at_once_lose_nothing_and_leave_no_gap(path: Path) -> None:
    answers: dict[tuple[int, int], int] = {}

    def write(writer: int) -> None:
        with SqliteLog(path) as log:
            for number in range(25):
                answers[writer, number] = log.append([f"{writer}/{number}".encode()])

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with SqliteLog(path) as log:
        assert sorted(answers.values()) == list(range(100)) == list(range(log.size))
        for (writer, number), index in answers.items():
            assert log.get_entry(index) == f"{writer}/{number}".encode()
        assert log.audit()


def test_a_writer_who_waits_in_vain_is_told_so_and_nothing_is_appended(path: Path) -> None:
    with SqliteLog(path) as log, SqliteLog(path, wait_seconds=0.05) as other:
        log.append([b"a"])
        log._db.execute("BEGIN IMMEDIATE")
        with pytest.raises(
            StoreError, match=r"more than 0.05 seconds.*Nothing was appended"
        ) as told:
            other.append([b"b"])
        assert isinstance(told.value.__cause__, sqlite3.OperationalError)
        assert other.size == 1  # reading goes on
        log._db.execute("ROLLBACK")
        assert other.append([b"b"]) == 1


def test_a_full_disk_is_named_and_keeps_its_own_error_as_the_cause(path: Path) -> None:
    with SqliteLog(path) as log:
        log.append(ENTRIES)
        root = log.root()
        (pages,) = log._db.execute("PRAGMA page_count").fetchone()
        log._db.execute(f"PRAGMA max_page_count={pages}")  # SQLite's own way to be full
        with pytest.raises(StoreError, match=r"no room left.*Nothing was appended\.$") as told:
            log.append([bytes(60_000)] * 20)
        cause = told.value.__cause__
        assert isinstance(cause, sqlite3.OperationalError)
        assert cause.sqlite_errorcode == sqlite3.SQLITE_FULL
        assert not isinstance(cause.__context__, sqlite3.Error)
        assert (log.size, log.root()) == (1_000, root)
        log._db.execute("PRAGMA max_page_count=1000000")
        assert log.append([b"again"]) == 1_000
        assert log.audit()


def test_an_error_in_the_middle_of_an_append_leaves_nothing_of_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SqliteLog(path) as log:
        log.append([b"a"])
        whole = log._tiles.write_tile

        def breaks(level: int, index: int, hashes: bytes) -> None:
            whole(level, index, hashes)
            raise RuntimeError("the machine's own fault")

        with monkeypatch.context() as patch:
            patch.setattr(log._tiles, "write_tile", breaks)
            with pytest.raises(RuntimeError, match="own fault"):
                log.append([b"b", b"c"])
        assert log.size == 1
        assert log.append([b"b", b"c"]) == 1
        assert log.audit()


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_a_file_that_is_no_log_is_refused_and_left_as_it_is(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"not a log|is no log"):
        SqliteLog(path)
    assert path.read_bytes() == content


def test_the_database_of_another_program_is_refused(path: Path) -> None:
    meddle(path, "CREATE TABLE theirs (x)", freely=False)
    with pytest.raises(StoreError, match="not a log that this version"):
        SqliteLog(path)


def test_a_log_of_a_later_version_is_refused(thousand: Path) -> None:
    meddle(thousand, "PRAGMA user_version=2", freely=False)
    with pytest.raises(StoreError, match="not a log that this version"):
        SqliteLog(thousand)


def test_a_folder_that_is_not_there_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot be made: No such file or directory"):
        SqliteLog(tmp_path / "missing" / "log")


def test_two_that_begin_at_once_end_up_with_one_log(path: Path) -> None:
    started, logs = threading.Barrier(8), []

    def begin() -> None:
        started.wait()
        with SqliteLog(path) as log:
            logs.append(log.append([b"x"]))

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(logs) == list(range(8))
    assert [file for file in path.parent.iterdir() if file.name.startswith(".")] == []


def test_a_log_in_another_journal_mode_is_brought_back_to_wal(thousand: Path) -> None:
    meddle(thousand, "PRAGMA journal_mode=DELETE", freely=False)
    with SqliteLog(thousand) as log:
        log.append([b"more"])
        assert log._db.execute("PRAGMA journal_mode").fetchone() == (b"wal",)
        assert log._db.execute("PRAGMA synchronous").fetchone() == (2,)


def test_the_tree_that_is_given_out_signs_but_does_not_write(tmp_path: Path, path: Path) -> None:
    signer = Signer.generate("log.example", random_bytes=lambda size: bytes(size))
    notary = Notary(signer, tmp_path / "memory")
    with SqliteLog(path) as log:
        log.append([b"a", b"b"])
        assert notary.sign(log.tree()).startswith("log.example\n2\n")
        with pytest.raises(StoreError, match="This tree is for reading"):
            log.tree().append([bytes(32)])
        assert log.audit()


def test_a_log_brought_back_from_a_backup_is_not_signed(tmp_path: Path, path: Path) -> None:
    signer = Signer.generate("log.example", random_bytes=lambda size: bytes(size))
    notary = Notary(signer, tmp_path / "memory")
    with SqliteLog(path) as log:
        log.append([b"a", b"b"])
    backup = path.read_bytes()
    with SqliteLog(path) as log:
        log.append([b"c"])
        notary.sign(log.tree())
    path.write_bytes(backup)
    with SqliteLog(path) as log:
        assert log.audit()  # it holds together; only the memory knows better
        log.append([b"other"])
        with pytest.raises(ForkRefused):
            notary.sign(log.tree())


# What the rules refuse to any program, whether it knows of recursive triggers or not.


@pytest.mark.parametrize("recursive", ["ON", "OFF"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET data = x'00' WHERE \"index\" = 5",
        'UPDATE entry SET "index" = 5000 WHERE "index" = 5',
        'DELETE FROM entry WHERE "index" = 999',
        "DELETE FROM entry",
        "INSERT OR REPLACE INTO entry VALUES (5, x'00')",
        "REPLACE INTO entry VALUES (999, x'00')",
        "INSERT OR IGNORE INTO entry VALUES (5, x'00') ON CONFLICT DO UPDATE SET data = x'00'",
        "INSERT INTO entry VALUES (1001, x'00')",
        "INSERT INTO entry VALUES (-1, x'00')",
        "INSERT INTO entry VALUES (NULL, x'00')",
        "INSERT INTO entry (data) VALUES (x'00')",
        "UPDATE tile SET hashes = zeroblob(length(hashes)) WHERE place = 0",
        "UPDATE tile SET hashes = substr(hashes, 1, 32) WHERE place = 0",
        "UPDATE tile SET place = 77 WHERE place = 0",
        "DELETE FROM tile",
        "INSERT OR REPLACE INTO tile VALUES (0, x'00')",
        "UPDATE once SET first = 1",
        "DELETE FROM once",
        "INSERT OR REPLACE INTO once VALUES ('job', 3, 1)",
    ],
)
def test_no_row_can_be_changed_taken_out_or_put_in_between(
    path: Path, statement: str, recursive: str
) -> None:
    with SqliteLog(path) as log:
        log.append(ENTRIES[:999])
        log.append(ENTRIES[999:], once="job")
        before = log.root()
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"PRAGMA recursive_triggers={recursive}")
    with pytest.raises(sqlite3.Error, match=r"in order|stays as it is"):
        db.execute(statement)
    db.close()
    with SqliteLog(path) as log:
        assert log.audit()
        assert (log.size, log.root()) == (1_000, before)


# What audit finds once somebody took the rules out, and put them back to hide it.


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE entry SET data = x'00' WHERE \"index\" = 700", "Entry 700 is not what was"),
        ("UPDATE entry SET data = CAST(data AS TEXT) || '!' WHERE \"index\" = 3", "Entry 3 is not"),
        ('DELETE FROM entry WHERE "index" = 300', "Entries from number 0 on are missing"),
        ('DELETE FROM entry WHERE "index" = 999', "more tiles, or longer ones"),
        ("INSERT INTO entry VALUES (1000, x'00')", "Entry 1000 is not what was appended"),
        ("INSERT INTO entry VALUES (1001, x'00')", "Entries from number 0 on are missing"),
        ("INSERT INTO entry VALUES (-1, x'00')", "rows that no append left"),
        ("INSERT INTO once VALUES ('job', 999, 2)", "rows that no append left"),
        ("UPDATE tile SET hashes = zeroblob(8192) WHERE place = 1", "Entry 256 is not what"),
        ("UPDATE tile SET hashes = hashes || zeroblob(32) WHERE place = 3", "more tiles, or"),
        ("UPDATE tile SET hashes = substr(hashes, 33) WHERE place = 1 << 56", "Tile 0 of level 1"),
        ("UPDATE tile SET hashes = zeroblob(96) WHERE place = 1 << 56", "level 1"),
        ("UPDATE tile SET hashes = 'text' WHERE place = 0", "Entry 0 is not"),
        ("DELETE FROM tile WHERE place = 2", "Entry 512 is not"),
        ("INSERT INTO tile VALUES (7, zeroblob(32))", "more tiles, or longer ones"),
    ],
)
def test_audit_finds_and_names_what_was_changed(
    kept: Path, thousand: Path, statement: str, told: str
) -> None:
    meddle(thousand, statement)
    put_rules_back(thousand, kept)
    with SqliteLog(thousand) as log:
        answer = log.audit()
    assert not answer
    assert told in answer.reason


def test_audit_finds_rules_that_were_taken_out(thousand: Path) -> None:
    meddle(thousand)
    with SqliteLog(thousand) as log:
        answer = log.audit()
    assert not answer
    assert "rules that let the log only grow were taken out" in answer.reason


def test_audit_finds_bytes_changed_on_the_disk(thousand: Path) -> None:
    data = bytearray(thousand.read_bytes())
    at = data.index(ENTRIES[500])
    data[at] ^= 1
    thousand.write_bytes(data)
    with SqliteLog(thousand) as log:
        answer = log.audit()
        assert not answer
        assert "Entry 500 is not what was appended" in answer.reason
        with pytest.raises(StoreError, match="Entry 500 of the log"):
            log.get_entry(500)


def test_audit_answers_for_a_file_cut_short(thousand: Path) -> None:
    data = thousand.read_bytes()
    thousand.write_bytes(data[: len(data) // 2 // 4096 * 4096])
    said = []
    try:
        with SqliteLog(thousand) as log:
            answer = log.audit()
            said.append(answer.reason)
            assert not answer
    except StoreError as refused:  # where SQLite will not even open it
        said.append(str(refused))
    assert "damaged" in said[0] or "missing" in said[0]


def test_an_entry_that_was_swapped_is_not_served(thousand: Path) -> None:
    meddle(thousand, "UPDATE entry SET data = x'00' WHERE \"index\" = 5")
    with SqliteLog(thousand) as log:
        with pytest.raises(StoreError, match="is not what was appended"):
            log.get_entry(5)
        assert log.get_entry(6) == ENTRIES[6]


def test_a_log_that_was_rewritten_whole_holds_together_and_has_another_root(tmp_path: Path) -> None:
    """What audit cannot find, and says so: only a head kept elsewhere can."""
    with SqliteLog(tmp_path / "true") as true, SqliteLog(tmp_path / "forged") as forged:
        true.append(ENTRIES)
        forged.append([*ENTRIES[:500], b"another", *ENTRIES[501:]])
        assert forged.audit()
        assert true.root() != forged.root()


def test_a_file_that_is_read_only_is_refused_in_words(thousand: Path) -> None:
    with SqliteLog(thousand) as log:
        log._db.execute("PRAGMA query_only=ON")
        with pytest.raises(StoreError, match=r"cannot be opened for reading and writing.*Nothing"):
            log.append([b"a"])
