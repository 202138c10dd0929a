"""The notary signs what grew from what it signed before, and nothing else."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from folkmoot.ledger import (
    Checkpoint,
    Cosigner,
    ForkRefused,
    MemoryDamaged,
    MemoryStore,
    Notary,
    NoteError,
    Signer,
    TileError,
    Tree,
    add_cosignatures,
    leaf_hash,
    open_note,
)

SIGNER = Signer("record.borsetshire.example/log", b"\1" * 32)


def tree_of(*entries: str) -> Tree:
    tree = Tree(MemoryStore())
    tree.append([leaf_hash(entry.encode()) for entry in entries])
    return tree


def numbered(count: int) -> list[str]:
    return [str(number) for number in range(count)]


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "head"


def head_of(note: str) -> Checkpoint:
    return Checkpoint.from_text(open_note(note, [SIGNER.verifier]).text)


def test_a_head_is_signed_and_remembered(memory: Path) -> None:
    tree = tree_of("a", "b", "c")
    note = Notary(SIGNER, memory).sign(tree)
    assert head_of(note) == Checkpoint(SIGNER.name, 3, tree.root())
    assert memory.read_text() == note
    assert Notary(SIGNER, memory).find_last() == head_of(note)


def test_a_log_that_grew_is_signed_also_after_a_restart(memory: Path) -> None:
    tree = tree_of()
    for size in (0, 1, 2, 300, 301, 700):
        tree.append([leaf_hash(one.encode()) for one in numbered(size)[tree.size :]])
        assert head_of(Notary(SIGNER, memory).sign(tree)).size == size


def test_the_same_head_again_gives_the_same_note_and_no_new_memory(memory: Path) -> None:
    tree = tree_of("a", "b")
    notary = Notary(SIGNER, memory)
    note = notary.sign(tree)
    before = memory.stat()
    assert notary.sign(tree) == note
    after = memory.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_database_restored_from_a_backup_is_refused_and_told_what_to_do(memory: Path) -> None:
    notary = Notary(SIGNER, memory)
    notary.sign(tree_of(*numbered(10)))
    with pytest.raises(ForkRefused) as refused:
        notary.sign(tree_of(*numbered(8)))
    sentence = str(refused.value)
    assert "8 entries, but a head of 10 was signed before: 2 entries are gone" in sentence
    assert "restored from a backup" in sentence
    assert "Do not delete the notary's memory" in sentence
    assert notary.find_last().size == 10


@pytest.mark.parametrize("size", [10, 11, 500])
@pytest.mark.parametrize("changed", [0, 5, 9])
def test_a_log_with_another_past_is_refused(memory: Path, size: int, changed: int) -> None:
    notary = Notary(SIGNER, memory)
    notary.sign(tree_of(*numbered(10)))
    before = memory.read_bytes()
    entries = numbered(size)
    entries[changed] = "rewritten"
    with pytest.raises(ForkRefused, match="does not begin with"):
        notary.sign(tree_of(*entries))
    assert memory.read_bytes() == before
    notary.sign(tree_of(*numbered(size)))


def test_an_empty_log_can_be_signed_first_but_not_after(memory: Path) -> None:
    notary = Notary(SIGNER, memory)
    notary.sign(tree_of())
    notary.sign(tree_of("a"))
    with pytest.raises(ForkRefused):
        notary.sign(tree_of())


def test_a_torn_memory_is_never_taken_for_a_first_time(memory: Path) -> None:
    notary = Notary(SIGNER, memory)
    whole = notary.sign(tree_of("a", "b")).encode()
    for length in range(len(whole)):
        memory.write_bytes(whole[:length])
        with pytest.raises(MemoryDamaged, match="cannot be believed"):
            notary.sign(tree_of("a", "b", "c"))
    memory.write_bytes(whole.replace(b"\n2\n", b"\n1\n"))
    with pytest.raises(MemoryDamaged):
        notary.sign(tree_of("a", "b", "c"))
    memory.write_bytes(whole)
    notary.sign(tree_of("a", "b", "c"))


def test_a_crash_while_writing_leaves_the_old_memory_and_does_no_harm(memory: Path) -> None:
    notary = Notary(SIGNER, memory)
    notary.sign(tree_of("a"))
    memory.with_name("head.new").write_bytes(b"half a che")
    assert notary.find_last().size == 1
    notary.sign(tree_of("a", "b"))
    assert notary.find_last().size == 2
    assert not memory.with_name("head.new").exists()


def test_the_memory_is_on_disk_before_the_head_is_given_out(memory: Path, monkeypatch) -> None:
    done: list[str] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        real_fsync(descriptor)

    def replace(self: Path, target: Path) -> Path:
        done.append("rename")
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    Notary(SIGNER, memory).sign(tree_of("a"))
    assert done == ["file", "rename", "folder"]


def test_where_the_memory_cannot_be_written_nothing_is_signed(memory: Path, monkeypatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    notary = Notary(SIGNER, memory)
    notary.sign(tree_of("a"))
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        notary.sign(tree_of("a", "b"))
    monkeypatch.undo()
    assert notary.find_last().size == 1
    with pytest.raises(OSError):
        Notary(SIGNER, memory / "absent" / "head").sign(tree_of("a"))


def test_a_required_memory_that_is_missing_is_refused(memory: Path) -> None:
    with pytest.raises(MemoryDamaged, match="is missing"):
        Notary(SIGNER, memory, required=True).sign(tree_of("a"))
    Notary(SIGNER, memory).sign(tree_of("a"))
    Notary(SIGNER, memory, required=True).sign(tree_of("a", "b"))


def test_the_memory_of_another_log_or_key_is_refused(memory: Path) -> None:
    stranger = Signer("other.example/log", b"\2" * 32)
    Notary(stranger, memory).sign(tree_of("a"))
    with pytest.raises(MemoryDamaged, match="None of the keys"):
        Notary(SIGNER, memory).sign(tree_of("a", "b"))
    with pytest.raises(MemoryDamaged, match="not of 'record"):
        Notary(SIGNER, memory, former_keys=[stranger.verifier]).sign(tree_of("a", "b"))


def test_a_log_keeps_its_memory_through_a_change_of_key(memory: Path) -> None:
    old = Signer(SIGNER.name, b"\2" * 32)
    Notary(old, memory).sign(tree_of("a", "b"))
    renewed = Notary(SIGNER, memory, former_keys=[old.verifier])
    with pytest.raises(ForkRefused):
        renewed.sign(tree_of("a"))
    assert head_of(renewed.sign(tree_of("a", "b", "c"))).size == 3
    with pytest.raises(NoteError):
        open_note(memory.read_text(), [old.verifier])


def test_a_published_head_with_cosignatures_serves_as_the_memory(memory: Path) -> None:
    note = Notary(SIGNER, memory).sign(tree_of("a", "b"))
    text = open_note(note, [SIGNER.verifier]).text
    seen = Cosigner("w.example", b"\3" * 32).cosign(text, datetime(2026, 11, 26, tzinfo=UTC))
    memory.write_text(add_cosignatures(note, [SIGNER.verifier], [seen]))
    notary = Notary(SIGNER, memory, required=True)
    assert notary.sign(tree_of("a", "b")) == note
    with pytest.raises(ForkRefused):
        notary.sign(tree_of("a", "x", "c"))
    assert head_of(notary.sign(tree_of("a", "b", "c"))).size == 3


def test_tiles_that_are_lost_are_an_error_and_nothing_is_signed(memory: Path) -> None:
    notary = Notary(SIGNER, memory)
    tree = tree_of(*numbered(300))
    notary.sign(tree)
    before = memory.read_bytes()
    with pytest.raises(TileError):
        notary.sign(Tree(MemoryStore(), 301))
    assert memory.read_bytes() == before


RACER = """
import sys
from pathlib import Path
from folkmoot.ledger import ForkRefused, MemoryStore, Notary, Signer, Tree, leaf_hash

who, memory = sys.argv[1], Path(sys.argv[2])
notary = Notary(Signer("record.borsetshire.example/log", bytes([1]) * 32), memory)
tree = Tree(MemoryStore())
tree.append([leaf_hash(b"shared")])
for number in range(40):
    tree.append([leaf_hash(f"{who} {number}".encode())])
    try:
        notary.sign(tree)
    except ForkRefused:
        continue
    print(tree.size, tree.root().hex())
"""


def test_two_processes_that_disagree_never_both_get_a_signature(memory: Path) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, who, str(memory)], stdout=subprocess.PIPE, text=True
        )
        for who in ("one", "two")
    ]
    signed = [racer.communicate(timeout=60)[0].splitlines() for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0]
    # Whoever signed first was the only one to get any signature at all.
    assert sorted(map(len, signed)) == [0, 40]
