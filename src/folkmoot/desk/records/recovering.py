"""Bringing entries that a database lost back from a mirror, so that the record can go on.

A database that was restored from a backup lacks the newest entries, and the signer refuses it. A
mirror has every entry's header and the tree; it has no values, for nobody outside may have them. So
the entries come back, and what they were about stays lost, and is shown as such.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from folkmoot.ledger import (
    TILE_WIDTH,
    Checkpoint,
    LedgerError,
    MemoryStore,
    NoteError,
    Tree,
    leaf_hashes,
    open_note,
)
from folkmoot.ledger import Entry as Leaf
from folkmoot.ledger.auditing import audit_mirror
from folkmoot.ledger.mirror import Mirror
from folkmoot.ledger.tilepaths import names_of

from . import models, seatbelt
from .actions import record
from .log import log_size, log_verifiers, memory
from .signing import be_the_only_sequencer

BATCH = 1_000


class CannotRecover(Exception):
    """The mirror cannot bring anything back. A sentence; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was done."""

    size: int
    """Entries of the record now: those of the mirror's head."""
    brought_back: int
    """Entries that the database did not have at all: their values are lost."""
    kept: int
    """Entries that the database still held in its outbox, and whose values are there."""
    waiting: int
    """Entries that were left here since the restore, which go behind the others again."""
    short_of_memory: int
    """Entries that the signer remembers and the mirror lacks; with any it goes on refusing."""


def recover(folder: Path, now: datetime) -> Recovered:
    """Bring back what this database lacks of the log in the mirror at ``folder``.

    The mirror is checked whole first. All happens in one transaction; stop the worker before, so
    that it does not wait for it. Needs the rights of the tables' owner.

    Raises :class:`CannotRecover`, with nothing changed, and OSError where it cannot be read.
    """
    try:
        return _recover(folder, now)
    except LedgerError as wrong:
        raise CannotRecover(f"{wrong} Nothing was changed.") from wrong


def _recover(folder: Path, now: datetime) -> Recovered:
    keys = log_verifiers()
    mirror, audit = Mirror(folder), audit_mirror(folder, keys)
    if not audit:
        raise CannotRecover(f"The mirror is damaged: {audit.findings[0]} Nothing was changed.")
    head, tree = audit.head, mirror.tree(audit.head.size)
    note = open_note(mirror.find_checkpoint() or "", keys).to_text()
    with seatbelt.lifted():
        be_the_only_sequencer()
        same = _find_common(mirror, head.size)
        _refuse_second_history(head, tree, same)
        if same == head.size:
            raise CannotRecover(
                f"This database has all {head.size} entries of the mirror. Nothing was changed. "
                "Take a newer mirror, if there is one."
            )
        waiting = _put_back_into_outbox(same)
        kept = _take_in(mirror, same, head.size, now)
        _write_tiles(head)
        models.Checkpoint.objects.update_or_create(
            size=head.size, defaults={"note": note, "made_at": now}
        )
        brought_back = head.size - same - kept
        record(
            "entry.recovered",
            at=now,
            organisation="",
            actor="",
            role="",
            subject="ledger",
            fields={
                "entries": str(brought_back),
                "from": str(same),
                "head": str(head.size),
            },
            public=("entries", "from", "head"),
        )
    short = max(0, _remembered() - head.size)
    return Recovered(head.size, brought_back, kept, waiting - kept, short)


def _find_common(mirror: Mirror, size: int) -> int:
    """How many entries the database and the mirror have in common, from the first one on."""
    mine = log_size()
    for begin in range(0, min(size, mine), TILE_WIDTH):
        theirs = mirror.read_bundle(begin, min(begin + TILE_WIDTH, size))
        rows = models.Entry.objects.filter(index__gte=begin, index__lt=begin + len(theirs))
        held = dict(rows.values_list("index", "leaf"))
        for index, leaf in enumerate(theirs, start=begin):
            if held.get(index, "").encode() != leaf:
                return index
    return min(size, mine)


def _refuse_second_history(head: Checkpoint, tree: Tree, same: int) -> None:
    """Raise where a head was signed here for other entries than the mirror's."""
    for row in models.Checkpoint.objects.filter(size__gt=same).order_by("size"):
        try:
            signed = Checkpoint.from_text(open_note(row.note, log_verifiers()).text)
        except NoteError:
            continue  # nobody signed it; fsck tells of it
        if signed.size > head.size or tree.root(signed.size) != signed.root:
            raise CannotRecover(
                f"A head of {signed.size} entries was signed here for others than those in the "
                "mirror. Two histories have been signed, or the mirror is older than this "
                "database; neither can be taken back. Nothing was changed."
            )


def _put_back_into_outbox(same: int) -> int:
    """Entries from number ``same`` on, which were put in since the restore and never signed for, go
    back to wait; how many wait now.
    """
    names = ("entry_id", "once", "leaf", "subject", "public")
    rows: list[tuple[Any, ...]] = [
        *models.Entry.objects.filter(index__gte=same).order_by("index").values_list(*names, "at"),
        *models.Intent.objects.order_by("pk").values_list(*names, "made_at"),
    ]
    models.Intent.objects.all().delete()
    models.Entry.objects.filter(index__gte=same).delete()
    fresh = [models.Intent(**dict(zip((*names, "made_at"), row, strict=True))) for row in rows]
    models.Intent.objects.bulk_create(fresh, BATCH)
    return len(fresh)


def _take_in(mirror: Mirror, begin: int, end: int, now: datetime) -> int:
    """Put the mirror's entries in their places; how many of them waited here, with their values."""
    kept = 0
    for first in range(begin - begin % TILE_WIDTH, end, TILE_WIDTH):
        leaves = mirror.read_bundle(first, min(first + TILE_WIDTH, end))
        rows = [
            _row(index, data, now)
            for index, data in enumerate(leaves, start=first)
            if index >= begin
        ]
        ids = [row.entry_id for row in rows]
        here = {one.entry_id: one for one in models.Intent.objects.filter(entry_id__in=ids)}
        for row in rows:
            one = here.get(row.entry_id)
            if one is not None and one.leaf == row.leaf:
                row.once, row.public, row.recovered_at = one.once, one.public, None
                kept += 1
        models.Intent.objects.filter(entry_id__in=ids).delete()
        models.Entry.objects.bulk_create(rows)
    return kept


def _row(index: int, data: bytes, now: datetime) -> models.Entry:
    leaf = Leaf.from_bytes(data)
    return models.Entry(
        index=index,
        entry_id=leaf.id,
        leaf=data.decode(),
        kind=leaf.kind,
        organisation=leaf.organisation,
        subject=leaf.subject,
        retention=leaf.retention,
        at=leaf.at,
        recovered_at=now,
    )


def _write_tiles(head: Checkpoint) -> None:
    """Write every tile anew from the entries, and hold the root against the signed one: the mirror
    may have been changed since it was checked.
    """
    tree = Tree(MemoryStore())
    last = -1
    rows = models.Entry.objects.order_by("index").values_list("index", "leaf")
    while batch := list(rows.filter(index__gt=last)[:BATCH]):
        last = batch[-1][0]
        tree.append(leaf_hashes(leaf.encode() for _index, leaf in batch))
    if (tree.size, tree.root()) != (head.size, head.root):
        raise CannotRecover("What was brought back does not lead to the signed root.")
    models.Tile.objects.all().delete()
    models.Tile.objects.bulk_create(
        [
            models.Tile(
                level=name.level,
                index=name.index,
                hashes=tree.read_tile(name.level, name.index, name.width),
            )
            for name in names_of(tree.size)
        ],
        BATCH,
    )


def _remembered() -> int:
    """Entries of the head that the signer remembers, where its memory is here; else 0."""
    try:
        text = memory().read_text(encoding="utf-8")
        return Checkpoint.from_text(open_note(text, log_verifiers()).text).size
    except (OSError, UnicodeDecodeError, LedgerError):
        return 0  # with the signer, or for the signer to speak of
