"""A log's tree kept as tiles of 256 hashes, in the form of C2SP tlog-tiles.

Tile ``(level, index)`` is the row of hashes of the subtrees of ``256**level`` entries from number
``index * 256`` on. A full tile never changes again; only the last tile of each level is partial.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Protocol

from .errors import TileError
from .tree import EMPTY_ROOT, HASH_BYTES, MAX_SIZE, Answer, node_hash, parent_layer

TILE_WIDTH = 256
_BITS = 8
_TILE_BYTES = TILE_WIDTH * HASH_BYTES
_FOLDED_KEPT = 64


class TileStore(Protocol):
    """Where tiles are kept: a table with one row per tile, a folder of files, or memory."""

    def read_tile(self, level: int, index: int) -> bytes:
        """The tile's hashes, 32 bytes each, one after the other; ``b""`` where there is none.

        It may hold more hashes than asked for (an append that was never completed); those past
        the size of the tree are ignored.
        """

    def write_tile(self, level: int, index: int, hashes: bytes) -> None:
        """Keep ``hashes`` (1 to 256 of them) as this tile, in place of what was there."""


class MemoryStore:
    """Tiles in memory: 32 bytes an entry and little more."""

    def __init__(self) -> None:
        self.tiles: dict[tuple[int, int], bytes] = {}

    def read_tile(self, level: int, index: int) -> bytes:
        return self.tiles.get((level, index), b"")

    def write_tile(self, level: int, index: int, hashes: bytes) -> None:
        self.tiles[level, index] = hashes


class Tree:
    """A Merkle tree over ``size`` entries whose tiles are in ``store``.

    The tree keeps no hashes of its own beyond a few folded tiles (at most 1 MiB), so making one is
    free: the application makes it inside the transaction that reads or writes the log. Keep it no
    longer than that; it does not see what others append. Not for use by two threads at once.

    Raises ValueError for a size below 0 or above 2**63 - 1. Every method that reads raises
    :class:`TileError` where the store lacks hashes that a tree of this size must have.
    """

    def __init__(self, store: TileStore, size: int = 0) -> None:
        if not 0 <= size <= MAX_SIZE:
            raise ValueError(f"A log cannot have {size} entries.")
        self.store = store
        self.size = size
        self._folded: OrderedDict[tuple[int, int, int], list[bytes]] = OrderedDict()

    def append(self, leaf_hashes: Sequence[bytes]) -> None:
        """Add entries by their leaf hashes, in order; ``size`` grows by as many.

        Only tiles at the right edge are read (one a level) and written. If the store fails, its
        exception passes through, ``size`` stays, and what was written is ignored from then on.

        Raises ValueError for a hash that is not 32 bytes, before anything is written.
        """
        fresh = b"".join(leaf_hashes)
        # Both: a buffer of wider items has fewer of them than bytes.
        if not set(map(len, leaf_hashes)) <= {HASH_BYTES} or len(fresh) != HASH_BYTES * len(
            leaf_hashes
        ):
            raise ValueError("Every leaf hash must be 32 bytes.")
        grown = self.size + len(leaf_hashes)
        if grown > MAX_SIZE:
            raise ValueError(f"A log cannot have {grown} entries.")
        level, position = 0, self.size
        while fresh:
            index, width = divmod(position, TILE_WIDTH)
            if width:
                fresh = self._read(level, index, width) + fresh
            full: list[bytes] = []
            for at in range(0, len(fresh), _TILE_BYTES):
                tile = fresh[at : at + _TILE_BYTES]
                self.store.write_tile(level, index, tile)
                index += 1
                if len(tile) == _TILE_BYTES:
                    full.append(tile_root(tile))
            fresh = b"".join(full)
            level += 1
            position >>= _BITS
        self.size = grown

    def root(self, size: int | None = None) -> bytes:
        """The 32-byte root hash of the first ``size`` entries (of all by default).

        Raises ValueError where the tree has fewer entries than ``size``.
        """
        size = self._size(size)
        return self._range(0, size) if size else EMPTY_ROOT

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """The hashes that lead from entry ``index`` to the root over ``size`` entries, leaf first.

        At most 63 hashes. Raises ValueError where there is no such entry among the first ``size``.
        """
        size = self._size(size)
        if not 0 <= index < size:
            raise ValueError(f"A log of {size} entries has no entry number {index}.")
        path: list[bytes] = []
        begin, end = 0, size
        while end - begin > 1:
            middle = begin + _split(end - begin)
            if index < middle:
                path.append(self._range(middle, end))
                end = middle
            else:
                path.append(self._range(begin, middle))
                begin = middle
        path.reverse()
        return path

    def consistency_proof(self, old: int, new: int | None = None) -> list[bytes]:
        """The hashes that show the first ``new`` entries to begin with the first ``old`` unchanged.

        In the order of RFC 6962 section 2.1.2; empty where ``old`` is 0 or equals ``new``. Raises
        ValueError where ``old`` is below 0 or above ``new``, or the tree has fewer than ``new``.
        """
        new = self._size(new)
        if not 0 <= old <= new:
            raise ValueError(f"There is no growth from {old} entries to {new}.")
        if old in (0, new):
            return []
        path: list[bytes] = []
        begin, end = 0, new
        while end != old:
            middle = begin + _split(end - begin)
            if old <= middle:
                path.append(self._range(middle, end))
                end = middle
            else:
                path.append(self._range(begin, middle))
                begin = middle
        if begin:
            path.append(self._range(begin, end))
        path.reverse()
        return path

    def audit(self) -> Answer:
        """Whether each tile above the lowest level holds the hashes of the full tiles below it.

        Reads every tile, those above the lowest level twice. Proofs take hashes from the upper
        levels, so a leaf hash changed in the store would show neither in the root nor in most
        proofs; it shows here. What the leaf hashes stand for is the caller's to compare with
        :func:`~folkmoot.ledger.leaf_hash`. Raises only what the store raises.
        """
        try:
            level = 0
            while self.size >> (_BITS * level):
                wrong = self._find_unlike(level)
                if wrong is not None:
                    return Answer(
                        ok=False,
                        reason=f"Tile {wrong} of level {level} does not hash to what level "
                        f"{level + 1} holds for it: one of the two was changed in the store.",
                    )
                level += 1
        except TileError as missing:
            return Answer(ok=False, reason=str(missing))
        return Answer(ok=True, reason=f"The tiles of {self.size} entries agree with each other.")

    def _find_unlike(self, level: int) -> int | None:
        """The first tile of ``level`` whose root is not what the level above holds."""
        span, above = self.size >> (_BITS * level), self.size >> (_BITS * (level + 1))
        parent = b""
        for index in range(-(-span // TILE_WIDTH)):
            tile = self._read(level, index, min(TILE_WIDTH, span - index * TILE_WIDTH))
            if index == above:
                break  # the partial tile at the right edge, which nothing stands above
            offset = index % TILE_WIDTH
            if offset == 0:
                parent = self._read(level + 1, index // TILE_WIDTH, min(TILE_WIDTH, above - index))
            if tile_root(tile) != parent[offset * HASH_BYTES : (offset + 1) * HASH_BYTES]:
                return index
        return None

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        """The first ``width`` hashes of a tile: what is published of it (C2SP tlog-tiles).

        Raises ValueError where a log of this size has no such hashes.
        """
        if level < 0 or index < 0 or not 0 < width <= TILE_WIDTH:
            raise ValueError(f"There is no tile {index} of level {level} with {width} hashes.")
        if index * TILE_WIDTH + width > self.size >> (_BITS * level):
            raise ValueError(
                f"A log of {self.size} entries has no {width} hashes in tile {index} of level "
                f"{level}."
            )
        return self._read(level, index, width)

    def _size(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise ValueError(f"The log has {self.size} entries; it has no head at {size}.")
        return size

    def _read(self, level: int, index: int, width: int) -> bytes:
        held = self.store.read_tile(level, index)
        if len(held) < width * HASH_BYTES:
            raise TileError(
                f"Tile {index} of level {level} should hold {width} hashes and holds "
                f"{len(held) // HASH_BYTES}. The store has lost part of the log, or the log's size "
                f"is recorded wrongly; restore the tiles before going on."
            )
        return held[: width * HASH_BYTES]

    def _range(self, begin: int, end: int) -> bytes:
        """The hash of entries ``begin`` to ``end``, which hang below one node of the tree."""
        node = b""
        for height, position in _subtrees(begin, end):
            left = self._subtree(height, position)
            node = node_hash(left, node) if node else left
        return node

    def _subtree(self, height: int, position: int) -> bytes:
        """The hash of the perfect subtree number ``position`` of ``2**height`` entries."""
        level, up = divmod(height, _BITS)
        index, offset = divmod(position << up, TILE_WIDTH)
        layer = self._layers(level, index)[up]
        at = (offset >> up) * HASH_BYTES
        return layer[at : at + HASH_BYTES]

    def _layers(self, level: int, index: int) -> list[bytes]:
        """The tile's hashes and the seven layers of nodes above them, as far as pairs go.

        A proof needs nearly every node of a tile, and proofs of neighbours need the same ones; so
        a tile is folded whole, once. The width is in the key because a partial tile grows.
        """
        width = min(TILE_WIDTH, (self.size >> (_BITS * level)) - index * TILE_WIDTH)
        key = (level, index, width)
        layers = self._folded.get(key)
        if layers is None:
            layers = [self._read(level, index, width)]
            for _ in range(_BITS - 1):
                layers.append(parent_layer(layers[-1]))
            self._folded[key] = layers
            if len(self._folded) > _FOLDED_KEPT:
                self._folded.popitem(last=False)
        else:
            self._folded.move_to_end(key)
        return layers


def _split(length: int) -> int:
    """The largest power of two below ``length``, where RFC 6962 divides a range."""
    return 1 << ((length - 1).bit_length() - 1)


def _subtrees(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The perfect subtrees, as (height, position), of ``begin`` to ``end``; the last one first."""
    while end > begin:
        # The lowest set bit of the length is the last, smallest subtree.
        height = ((end - begin) & -(end - begin)).bit_length() - 1
        end -= 1 << height
        yield height, end >> height


def tile_root(tile: bytes) -> bytes:
    """The hash of all that a full tile stands for: what the level above holds for it."""
    layer = tile
    while len(layer) > HASH_BYTES:
        layer = parent_layer(layer)
    return layer
