"""The audit of a log and its mirror: each thing that can be wrong is found, and named exactly."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from folkmoot.ledger import (
    Checkpoint,
    MemoryStore,
    NoteError,
    Signer,
    TileError,
    Tree,
    leaf_hash,
    leaf_hashes,
)
from folkmoot.ledger.auditing import Audit, audit_log, audit_mirror
from folkmoot.ledger.errors import MirrorError
from folkmoot.ledger.heads import check_older, compare_heads
from folkmoot.ledger.mirror import Mirror
from folkmoot.ledger.tilepaths import parse_bundle, render_bundle

LOG = Signer("log.example", b"\1" * 32)
KEYS = [LOG.verifier]
SIZE = 700


def entry(number: int) -> bytes:
    return f"entry {number}".encode()


def entries(begin: int, end: int) -> list[bytes]:
    return [entry(number) for number in range(begin, end)]


@pytest.fixture(scope="module")
def tree() -> Tree:
    grown = Tree(MemoryStore())
    grown.append(leaf_hashes(entries(0, 2000)))
    return grown


def head_at(tree: Tree, size: int) -> Checkpoint:
    return Checkpoint(LOG.name, size, tree.root(size))


@pytest.fixture
def folder(tree: Tree, tmp_path: Path) -> Path:
    folder = tmp_path / "log"
    Mirror(folder).update(tree, entries, LOG.sign(head_at(tree, SIZE).to_text()), KEYS)
    return folder


def audit(folder: Path, *older: Checkpoint) -> Audit:
    return audit_mirror(folder, KEYS, older=older)


def the_one_finding(found: Audit) -> str:
    (said,) = found.findings
    return said


def change_entry(folder: Path, bundle: str, at: int, to: bytes) -> None:
    file = folder / "tile/entries" / bundle
    held = parse_bundle(file.read_bytes())
    held[at] = to
    file.write_bytes(render_bundle(held))


def change_hash(folder: Path, tile: str, at: int) -> None:
    file = folder / "tile" / tile
    data = bytearray(file.read_bytes())
    data[32 * at] ^= 1
    file.write_bytes(data)


def test_a_mirror_as_it_was_written_has_nothing_wrong(folder: Path) -> None:
    found = audit(folder)
    assert found
    assert found.findings == ()
    assert found.checked == ("The 700 entries and their tiles lead to the signed root.",)
    assert found.head.size == SIZE


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 512, 2000])
def test_logs_of_every_shape_are_audited(tree: Tree, tmp_path: Path, size: int) -> None:
    Mirror(tmp_path).update(tree, entries, LOG.sign(head_at(tree, size).to_text()), KEYS)
    assert audit(tmp_path, *(head_at(tree, older) for older in range(0, size + 1, 50)))


@pytest.mark.parametrize(
    ("bundle", "at", "number"), [("000", 17, 17), ("001", 0, 256), ("002.p/188", 187, 699)]
)
def test_an_entry_that_was_changed_is_named(folder: Path, bundle, at, number) -> None:
    change_entry(folder, bundle, at, b"forged")
    assert the_one_finding(audit(folder)) == (
        f"Entry {number} does not hash to what tile {number // 256} of level 0 holds: the entry "
        f"was changed, for the tile leads to the signed root."
    )


@pytest.mark.parametrize(
    ("tile", "at", "number"), [("0/000", 17, 17), ("0/001", 255, 511), ("0/002.p/188", 3, 515)]
)
def test_a_leaf_hash_that_was_changed_is_told_from_its_entry(folder: Path, tile, at, number):
    change_hash(folder, tile, at)
    assert the_one_finding(audit(folder)) == (
        f"Entry {number} does not hash to what tile {number // 256} of level 0 holds: the tile "
        f"was changed, for the entries lead to the signed root."
    )


def test_a_hash_above_the_leaves_that_was_changed_is_named(folder: Path) -> None:
    change_hash(folder, "1/000.p/2", 1)
    assert the_one_finding(audit(folder)) == (
        "Tile 0 of level 1 does not hold what tile 1 of level 0 hashes to: it was changed."
    )


def test_entries_and_tiles_changed_in_several_places_are_each_judged(folder: Path) -> None:
    change_entry(folder, "000", 5, b"forged")
    change_hash(folder, "0/001", 9)
    change_entry(folder, "002.p/188", 0, b"forged")
    said = audit(folder).findings
    assert [one.split(" does")[0] for one in said] == ["Entry 5", "Entry 265", "Entry 512"]
    assert [("entry was" in one, "tile was" in one) for one in said] == [
        (True, False),
        (False, True),
        (True, False),
    ]


def test_two_entries_that_changed_places_are_both_named(folder: Path) -> None:
    change_entry(folder, "000", 5, entry(6))
    change_entry(folder, "000", 6, entry(5))
    said = audit(folder).findings
    assert [one.split(" does")[0] for one in said] == ["Entry 5", "Entry 6"]


def test_many_changed_entries_of_a_tile_are_told_together(folder: Path) -> None:
    file = folder / "tile/entries/001"
    file.write_bytes(render_bundle(entries(255, 511)))
    assert the_one_finding(audit(folder)) == (
        "256 entries, 256 the first and 511 the last, do not hash to what tile 1 of level 0 holds: "
        "the entry was changed, for the tile leads to the signed root."
    )


def test_entry_and_tile_changed_together_lead_to_another_root(folder: Path) -> None:
    """What a forger does who rewrites one entry and all above it, and cannot sign."""
    forged = Tree(MemoryStore())
    held = entries(0, SIZE)
    held[17] = b"forged"
    forged.append(leaf_hashes(held))
    (folder / "checkpoint").rename(folder / "kept")
    mirror = Mirror(folder)
    made_up = LOG.sign(Checkpoint(LOG.name, SIZE, forged.root()).to_text())
    mirror.update(forged, lambda begin, end: held[begin:end], made_up, KEYS)
    assert audit(folder)
    (folder / "kept").replace(folder / "checkpoint")
    assert the_one_finding(audit(folder)) == (
        "The 700 entries lead to another root than the one that was signed: they are not the log "
        "whose head this is."
    )


def test_entry_and_its_leaf_changed_show_above(folder: Path) -> None:
    change_entry(folder, "000", 17, b"forged")
    file = folder / "tile/0/000"
    data = bytearray(file.read_bytes())
    data[32 * 17 : 32 * 18] = leaf_hash(b"forged")
    file.write_bytes(data)
    said = audit(folder).findings
    assert "Tile 0 of level 1 does not hold what tile 0 of level 0 hashes to" in said[0]
    assert "another root than the one that was signed" in said[1]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("tile/entries/001", "tile/entries/001 is missing: entries 256 to 511 are in it."),
        ("tile/entries/002.p/188", "tile/entries/002.p/188 is missing: entries 512 to 699"),
        ("tile/0/001", "Tile 1 of level 0 (tile/0/001) should hold 256 hashes and holds 0."),
        ("tile/0/002.p/188", "Tile 2 of level 0 (tile/0/002.p/188) should hold 188 hashes"),
        ("tile/1/000.p/2", "Tile 0 of level 1 (tile/1/000.p/2) should hold 2 hashes and holds 0."),
    ],
)
def test_a_file_that_is_missing_is_the_one_finding(folder: Path, path: str, says: str) -> None:
    (folder / path).unlink()
    (said,) = audit(folder).findings
    assert says in said


@pytest.mark.parametrize(
    ("path", "data", "says"),
    [
        ("tile/entries/001", b"\0\3ab", "cut short or changed"),
        ("tile/entries/001", render_bundle(entries(256, 300)), "holds 44 entries; it must hold"),
        ("tile/entries/001", b"x" * (256 * 65_537 + 1), "is longer than"),
        ("tile/0/001", b"x" * 100, "holds 100 bytes; it must hold 256 hashes"),
        ("tile/0/001", b"x" * 9000, "is longer than 8192 bytes"),
        ("tile/1/000.p/2", b"", "holds 0 bytes; it must hold 2 hashes"),
    ],
)
def test_a_file_that_is_damaged_is_the_one_finding(folder: Path, path, data, says) -> None:
    (folder / path).write_bytes(data)
    (said,) = audit(folder).findings
    assert says in said


def test_where_entries_and_their_tile_are_both_gone_nothing_more_is_claimed(folder: Path) -> None:
    (folder / "tile/entries/001").unlink()
    (folder / "tile/0/001").unlink()
    found = audit(folder, Checkpoint(LOG.name, 10, b"\0" * 32))
    assert len(found.findings) == 3
    assert "Without them the root cannot be worked out" in found.findings[-1]
    assert found.checked == ()


def test_other_entries_are_still_named_where_some_are_lost(folder: Path) -> None:
    (folder / "tile/entries/001").unlink()
    (folder / "tile/0/001").unlink()
    change_entry(folder, "000", 17, b"forged")
    assert audit(folder).findings[0] == ("Entry 17 does not hash to what tile 0 of level 0 holds.")


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32))
def test_no_change_of_a_byte_in_any_file_goes_unfound(folder: Path, seed: int) -> None:
    choose = random.Random(seed)
    files = sorted(one for one in folder.rglob("*") if one.is_file() and one.suffix != ".lock")
    file = choose.choice(files)
    whole = file.read_bytes()
    data = bytearray(whole)
    at = choose.randrange(len(data))
    kind = choose.choice(("flip", "cut", "add"))
    if kind == "flip":
        data[at] ^= 1 << choose.randrange(8)
    elif kind == "cut":
        del data[at:]
    else:
        data.insert(at, data[at])
    file.write_bytes(data)
    try:
        assert not audit(folder), (file, at, kind)
    except (NoteError, MirrorError):
        assert file.name == "checkpoint"
    finally:
        file.write_bytes(whole)
    assert audit(folder)


def test_at_most_a_hundred_findings_are_kept_and_the_others_counted(tmp_path: Path, tree) -> None:
    class Gone:
        def read_tile(self, level: int, index: int) -> bytes:
            return b""

        def write_tile(self, level: int, index: int, hashes: bytes) -> None:
            raise AssertionError("an audit writes nothing")

    def gone(begin: int, end: int) -> list[bytes]:
        raise MirrorError(f"no entries {begin}")

    found = audit_log(Checkpoint(LOG.name, 256 * 200, b"\0" * 32), Gone(), gone)
    assert len(found.findings) == 100
    assert found.more == 301
    # A head can promise more than anybody has.
    found = audit_log(Checkpoint(LOG.name, 2**62, b"\0" * 32), Gone(), gone)
    assert 10_000 < found.more < 100_000


def test_a_reader_that_gives_too_few_entries_is_found(tree: Tree) -> None:
    found = audit_log(
        head_at(tree, 300), tree.store, lambda begin, end: entries(begin, end - (begin > 0))
    )
    assert found.findings == ("Of the entries 256 to 299 43 are there.",)


def test_a_tree_may_have_grown_past_the_head_that_is_audited(tree: Tree) -> None:
    assert audit_log(head_at(tree, 300), tree.store, entries)


# Heads


def test_older_heads_must_be_beginnings_of_the_log(folder: Path, tree: Tree) -> None:
    found = audit(folder, *(head_at(tree, size) for size in (0, 1, 300, SIZE)))
    assert found
    assert found.checked[1:3] == (
        "The log begins with the 0 entries that were signed before, unchanged.",
        "The log begins with the 1 entries that were signed before, unchanged.",
    )


@pytest.mark.parametrize(
    ("older", "says"),
    [
        (
            Checkpoint(LOG.name, SIZE, b"\0" * 32),
            "Two heads of the same size, 700, with different roots: the log told two histories",
        ),
        (
            Checkpoint(LOG.name, SIZE + 5, b"\0" * 32),
            "A head of 705 entries was signed, and the log has 700: 5 entries are gone.",
        ),
        (
            Checkpoint(LOG.name, 300, b"\0" * 32),
            "The log does not begin with the 300 entries that were signed before",
        ),
        (Checkpoint(LOG.name, 0, b"\0" * 32), "does not begin with the 0 entries"),
        (Checkpoint("other.example", 300, b"\0" * 32), "heads of two logs, 'other.example' and"),
    ],
)
def test_a_fork_and_a_rollback_are_told_in_words(folder: Path, tree, older, says: str) -> None:
    (said,) = audit(folder, older, head_at(tree, 300)).findings
    assert says in said


def test_two_heads_are_held_against_each_other_without_a_tree(tree: Tree) -> None:
    head = head_at(tree, 300)
    assert compare_heads(head, head).reason == "Both are the same head, of 300 entries."
    apart = compare_heads(head, head_at(tree, 400))
    assert apart.ok
    assert "of 300 and of 400 entries: they do not gainsay each other" in apart.reason
    forked = compare_heads(head, Checkpoint(LOG.name, 300, b"\0" * 32))
    assert not forked.ok
    assert "keep both files, they are the proof" in forked.reason


def test_tiles_that_are_lost_leave_an_older_head_unproved(tree: Tree) -> None:
    def lost(size: int) -> bytes:
        raise TileError("Tile 0 of level 0 is lost.")

    answer = check_older(head_at(tree, 300), head_at(tree, 400), lost)
    assert (answer.ok, answer.reason) == (False, "Tile 0 of level 0 is lost.")


def test_a_head_of_a_stranger_or_none_at_all_is_not_audited(folder: Path, tmp_path: Path) -> None:
    stranger = Signer("stranger.example", b"\7" * 32)
    with pytest.raises(NoteError, match=r"None of the keys given signed this note\. It bears the"):
        audit_mirror(folder, [stranger.verifier])
    with pytest.raises(MirrorError, match="has no file named checkpoint"):
        audit_mirror(tmp_path / "absent", KEYS)


def test_a_hundred_thousand_entries_are_audited_in_no_time() -> None:
    """Roughly: the bench gives the figure. This finds only what is out of all proportion."""
    held = [render_bundle([bytes([n]) * 100] * 256) for n in range(4)]
    size = 256 * 400
    grown = Tree(MemoryStore())
    for index in range(400):
        grown.append(leaf_hashes(parse_bundle(held[index % 4])))
    start = time.process_time()
    found = audit_log(
        Checkpoint(LOG.name, size, grown.root()),
        grown.store,
        lambda begin, end: parse_bundle(held[begin // 256 % 4]),
    )
    assert found
    assert time.process_time() - start < 2
