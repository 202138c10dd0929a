"""Tiles: their shape is that of the format, however the entries arrived."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.ledger import MemoryStore, TileError, Tree, leaf_hash, leaf_hashes, node_hash


class CountingStore(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.reads: list[tuple[int, int]] = []
        self.writes: list[tuple[int, int]] = []

    def read_tile(self, level: int, index: int) -> bytes:
        self.reads.append((level, index))
        return super().read_tile(level, index)

    def write_tile(self, level: int, index: int, hashes: bytes) -> None:
        self.writes.append((level, index))
        super().write_tile(level, index, hashes)


LEAVES = leaf_hashes(number.to_bytes(4, "big") for number in range(70_000))


@pytest.fixture(scope="module")
def large() -> Tree:
    tree = Tree(CountingStore())
    tree.append(LEAVES)
    return tree


def test_a_log_of_70_000_has_the_tiles_the_format_gives_as_its_example(large: Tree) -> None:
    widths: dict[int, list[int]] = {}
    for (level, _), tile in sorted(large.store.tiles.items()):
        widths.setdefault(level, []).append(len(tile) // 32)
    assert widths == {0: [256] * 273 + [112], 1: [256, 17], 2: [1]}


def test_a_log_of_256_has_one_full_tile_and_one_hash_above_it() -> None:
    tree = Tree(MemoryStore())
    tree.append(LEAVES[:256])
    assert {key: len(tile) // 32 for key, tile in tree.store.tiles.items()} == {
        (0, 0): 256,
        (1, 0): 1,
    }
    assert tree.store.tiles[1, 0] == tree.root()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 700), max_size=6))
def test_the_tiles_do_not_depend_on_how_the_entries_were_split_up(parts: list[int]) -> None:
    piecewise, at_once = Tree(MemoryStore()), Tree(MemoryStore())
    at = 0
    for part in parts:
        piecewise.append(LEAVES[at : at + part])
        at += part
    at_once.append(LEAVES[:at])
    assert piecewise.size == at_once.size == at
    assert piecewise.store.tiles == at_once.store.tiles


def test_appending_one_by_one_past_two_levels_gives_the_same_tiles() -> None:
    singly, at_once = Tree(MemoryStore()), Tree(MemoryStore())
    for leaf in LEAVES[:1000]:
        singly.append([leaf])
    at_once.append(LEAVES[:1000])
    assert singly.store.tiles == at_once.store.tiles


def test_appending_touches_the_right_edge_only() -> None:
    store = CountingStore()
    Tree(store).append(LEAVES[:65_535])
    store.reads.clear()
    store.writes.clear()
    Tree(store, 65_535).append(LEAVES[65_535:65_537])
    assert sorted(store.reads) == [(0, 255), (1, 0)]
    assert sorted(store.writes) == [(0, 255), (0, 256), (1, 0), (2, 0)]


def test_a_root_and_a_proof_read_few_tiles(large: Tree) -> None:
    store = large.store
    store.reads.clear()
    fresh = Tree(store, large.size)
    fresh.root()
    assert len(store.reads) == 3
    store.reads.clear()
    Tree(store, large.size).inclusion_proof(12_345)
    assert len(store.reads) == len(set(store.reads)) <= 6
    store.reads.clear()
    fresh.inclusion_proof(12_345)
    store.reads.clear()
    fresh.inclusion_proof(12_346)
    assert store.reads == []


def test_older_heads_stay_available_as_the_log_grows() -> None:
    tree = Tree(MemoryStore())
    roots = []
    for leaf in LEAVES[:600]:
        tree.append([leaf])
        roots.append(tree.root())
    assert [tree.root(size) for size in range(1, 601)] == roots


def test_what_an_append_that_was_never_completed_left_behind_is_ignored() -> None:
    store = MemoryStore()
    Tree(store).append(LEAVES[:300])
    root = Tree(store, 300).root()
    Tree(store, 300).append(LEAVES[300:900])  # its size was never recorded
    assert Tree(store, 300).root() == root
    assert Tree(store, 300).audit()
    again = Tree(store, 300)
    again.append([leaf_hash(b"other")])
    clean = Tree(MemoryStore())
    clean.append([*LEAVES[:300], leaf_hash(b"other")])
    assert again.root() == clean.root()
    assert again.inclusion_proof(300) == clean.inclusion_proof(300)


def test_a_store_that_fails_leaves_the_size_as_it_was() -> None:
    class Failing(MemoryStore):
        def write_tile(self, level: int, index: int, hashes: bytes) -> None:
            if level == 1:
                raise OSError("disk full")
            super().write_tile(level, index, hashes)

    tree = Tree(Failing())
    tree.append(LEAVES[:255])
    root = tree.root()
    with pytest.raises(OSError, match="disk full"):
        tree.append(LEAVES[255:300])
    assert (tree.size, tree.root()) == (255, root)


def test_a_missing_or_short_tile_is_an_error_and_never_a_wrong_hash() -> None:
    tree = Tree(MemoryStore())
    tree.append(LEAVES[:300])
    tree.store.tiles[0, 1] = tree.store.tiles[0, 1][:-1]
    with pytest.raises(TileError, match="should hold 44 hashes"):
        tree.root()
    with pytest.raises(TileError):
        Tree(MemoryStore(), 5).append([LEAVES[0]])
    assert not Tree(MemoryStore(), 5).audit()


@pytest.mark.parametrize("bad", [b"", b"\0" * 31, b"\0" * 64])
def test_a_hash_of_another_length_is_refused_before_anything_is_written(bad: bytes) -> None:
    tree = Tree(MemoryStore())
    with pytest.raises(ValueError, match="32 bytes"):
        tree.append([LEAVES[0], bad])
    assert (tree.size, tree.store.tiles) == (0, {})


def test_lengths_that_only_add_up_are_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Tree(MemoryStore()).append([b"\0" * 31, b"\0" * 33])


@pytest.mark.parametrize(
    "ask",
    [
        lambda t: t.root(4),
        lambda t: t.root(-1),
        lambda t: t.inclusion_proof(3),
        lambda t: t.inclusion_proof(-1),
        lambda t: t.inclusion_proof(2, 2),
        lambda t: t.consistency_proof(4),
        lambda t: t.consistency_proof(-1),
        lambda t: t.consistency_proof(3, 2),
        lambda t: t.consistency_proof(1, 4),
    ],
)
def test_asking_for_what_the_log_does_not_have_is_refused(ask) -> None:
    tree = Tree(MemoryStore())
    tree.append(LEAVES[:3])
    with pytest.raises(ValueError):
        ask(tree)


def test_a_log_cannot_have_a_negative_size() -> None:
    with pytest.raises(ValueError):
        Tree(MemoryStore(), -1)


@pytest.mark.parametrize(("level", "index"), [(0, 0), (0, 100), (0, 272), (1, 0), (1, 1), (2, 0)])
def test_an_audit_finds_a_hash_changed_in_the_store(large: Tree, level: int, index: int) -> None:
    store = MemoryStore()
    store.tiles = dict(large.store.tiles)
    assert Tree(store, large.size).audit()
    tile = bytearray(store.tiles[level, index])
    tile[5] ^= 1
    store.tiles[level, index] = bytes(tile)
    answer = Tree(store, large.size).audit()
    assert not answer
    assert "changed in the store" in answer.reason


def test_the_root_of_two_entries_is_the_hash_of_their_node() -> None:
    tree = Tree(MemoryStore())
    tree.append(LEAVES[:2])
    assert tree.root() == node_hash(*LEAVES[:2])
