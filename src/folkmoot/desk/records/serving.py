"""The log as anyone can fetch it: tiles, entries and heads in the form of C2SP tlog-tiles.

What is served is what a published head covers, and no more. An entry here is its header, which
holds opaque ids and commitments; what the commitments stand for is served by none of this.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from folkmoot.ledger import TILE_WIDTH, LedgerError, TileError, Tree
from folkmoot.ledger.keytexts import encode_base64
from folkmoot.ledger.tilepaths import BundleName, parse_tile_path, render_bundle

from . import heads, models
from .log import TableTiles


class NotServed(Exception):
    """There is nothing at this place, or no published head covers it yet. A sentence."""


def read_tile(path: str) -> tuple[bytes, bool]:
    """What stands at ``path``, which begins with ``tile/``; and whether it is full, so that it will
    be the same for ever.

    Raises :class:`NotServed`, and ``folkmoot.ledger.LedgerError`` where the log is damaged.
    """
    try:
        name = parse_tile_path(path)
    except LedgerError as unreadable:
        raise NotServed(str(unreadable)) from unreadable
    size = _published_size()
    if not name.is_within(size):
        raise NotServed(f"The published head is of {size} entries; this is beyond them.")
    full = name.width == TILE_WIDTH
    if isinstance(name, BundleName):
        return render_bundle(read_entries(name.begin, name.end)), full
    return Tree(TableTiles(), size).read_tile(name.level, name.index, name.width), full


def _published_size() -> int:
    head = heads.newest()
    return head.size if head is not None else 0


def read_entries(begin: int, end: int) -> list[bytes]:
    """The entries from number ``begin`` up to, not with, ``end``, in their order. Raises
    ``folkmoot.ledger.TileError`` where some are missing.
    """
    rows = models.Entry.objects.filter(index__gte=begin, index__lt=end).order_by("index")
    found = [leaf.encode() for leaf in rows.values_list("leaf", flat=True)]
    if len(found) != end - begin:
        raise TileError(
            f"Of the entries {begin} to {end - 1} the record has {len(found)}: some are gone."
        )
    return found


def read_consistency(old: int, new: int) -> str:
    """The proof that the first ``new`` entries begin with the first ``old``: a line of base64 for
    each hash, in the order of RFC 6962 section 2.1.2.

    Raises :class:`NotServed` where no published head covers ``new``, and
    ``folkmoot.ledger.LedgerError`` where the log is damaged.
    """
    size = _published_size()
    if not 0 < old <= new:
        raise NotServed(f"There is no growth from {old} entries to {new}.")
    if new > size:
        raise NotServed(f"The published head is of {size} entries, and not of {new}.")
    hashes = Tree(TableTiles(), size).consistency_proof(old, new)
    return "".join(f"{encode_base64(one)}\n" for one in hashes)


def find_old_head(size: int) -> str | None:
    """The head of this size, with the log's own signature alone; ``None`` where there was none."""
    return models.Checkpoint.objects.filter(size=size).values_list("note", flat=True).first()


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time stamp that is kept: of which head, which of several, by whom, and when."""

    size: int
    number: int
    authority: str
    at: datetime


def list_stamps(*, most: int) -> list[Stamp]:
    """The newest time stamps, newest first."""
    rows = models.Stamp.objects.order_by("-at")[:most]
    return [Stamp(row.size, row.pk, row.authority, row.at) for row in rows]


def find_stamp(size: int, number: int) -> bytes | None:
    """A time stamp as the service gave it."""
    rows = models.Stamp.objects.filter(size=size, pk=number)
    token = rows.values_list("token", flat=True).first()
    return None if token is None else bytes(token)
