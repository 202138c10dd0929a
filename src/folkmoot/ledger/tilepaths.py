"""Where the tiles and entries of a log are served, and in what form: C2SP tlog-tiles.

The same paths are addresses below the log's own and files in a folder: ``checkpoint``,
``tile/0/x001/x234/067`` for a row of 256 hashes, ``tile/0/x001/x234/068.p/17`` for the first 17 of
a row that is not full yet, and ``tile/entries/...`` for the entries that a row of level 0 hashes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .entries import MAX_ENTRY_BYTES
from .errors import MirrorError
from .tiles import TILE_WIDTH
from .tree import MAX_SIZE

CHECKPOINT_PATH = "checkpoint"
MAX_LEVEL = 63
MAX_BUNDLE_BYTES = TILE_WIDTH * (2 + MAX_ENTRY_BYTES)

_PATH = re.compile(
    r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?",
    re.ASCII,
)
_BITS = 8
_LENGTH_BYTES = 2


@dataclass(frozen=True, slots=True)
class TileName:
    """A row of hashes: number ``index`` of ``level``, the first ``width`` of its 256."""

    level: int
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """The path below the log's address."""
        return f"tile/{self.level}/{_encode(self.index, self.width)}"

    def is_within(self, size: int) -> bool:
        """Whether a log of ``size`` entries has all these hashes."""
        return self.index * TILE_WIDTH + self.width <= size >> (_BITS * self.level)


@dataclass(frozen=True, slots=True)
class BundleName:
    """The entries number ``index * 256`` and on, ``width`` of them."""

    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """The path below the log's address."""
        return f"tile/entries/{_encode(self.index, self.width)}"

    @property
    def begin(self) -> int:
        """The number of its first entry."""
        return self.index * TILE_WIDTH

    @property
    def end(self) -> int:
        """The number after its last entry."""
        return self.begin + self.width

    def is_within(self, size: int) -> bool:
        """Whether a log of ``size`` entries has all these entries."""
        return self.end <= size


def _encode(index: int, width: int) -> str:
    parts = [f"{index % 1000:03}"]
    while index := index // 1000:
        parts.append(f"x{index % 1000:03}")
    parts.reverse()
    return "/".join(parts) + ("" if width == TILE_WIDTH else f".p/{width}")


def parse_tile_path(path: str) -> TileName | BundleName:
    """What is served at ``path``, which begins with ``tile/``.

    Each tile and bundle has one path only. Raises :class:`MirrorError` for anything else.
    """
    found = _PATH.fullmatch(path)
    if found is None:
        raise MirrorError("This is not the path of a tile or of a bundle of entries.")
    kind, number, partial = found.groups()
    index = int(number.replace("x", "").replace("/", ""))
    width = int(partial) if partial else TILE_WIDTH
    name = BundleName(index, width) if kind == "entries" else TileName(int(kind), index, width)
    level = 0 if isinstance(name, BundleName) else name.level
    possible = level <= MAX_LEVEL and index * TILE_WIDTH + width <= MAX_SIZE >> (_BITS * level)
    if name.path != path or not possible:
        raise MirrorError("This is not the path of a tile or of a bundle of entries.")
    return name


def names_of(size: int, since: int = 0) -> Iterator[TileName]:
    """Every tile of a log of ``size`` entries, level by level from the leaves.

    With ``since``, without those that were full already in a log of so many.
    """
    level, span = 0, size
    while span:
        for index in range((since >> (_BITS * level)) // TILE_WIDTH, -(-span // TILE_WIDTH)):
            yield TileName(level, index, min(TILE_WIDTH, span - index * TILE_WIDTH))
        level += 1
        span >>= _BITS


def render_bundle(entries: Iterable[bytes]) -> bytes:
    """The bytes of a bundle: each entry behind its length, 2 bytes big-endian.

    Raises :class:`MirrorError` for none or more than 256 entries, or one above 65,535 bytes.
    """
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise MirrorError(f"An entry may be {MAX_ENTRY_BYTES} bytes; this is {len(entry)}.")
        parts += (len(entry).to_bytes(_LENGTH_BYTES, "big"), entry)
    if not 0 < len(parts) <= 2 * TILE_WIDTH:
        raise MirrorError(f"A bundle holds 1 to {TILE_WIDTH} entries; this is {len(parts) // 2}.")
    return b"".join(parts)


def parse_bundle(data: bytes) -> list[bytes]:
    """The entries of a bundle, in their order.

    Raises :class:`MirrorError` where it ends within an entry, or holds none or more than 256.
    """
    entries: list[bytes] = []
    at, end = 0, len(data)
    while at < end:
        begin = at + _LENGTH_BYTES
        at = begin + int.from_bytes(data[at:begin], "big")
        entries.append(data[begin:at])
    if at != end:
        raise MirrorError("The bundle ends in the middle of an entry: it was cut short or changed.")
    if not 0 < len(entries) <= TILE_WIDTH:
        raise MirrorError(f"A bundle holds 1 to {TILE_WIDTH} entries; this has {len(entries)}.")
    return entries
