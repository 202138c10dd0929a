"""Checking the desk's own record whole: entries, tiles, heads, values, and what anchors hold.

What it can tell is whether the database is what was signed. Whoever holds the signing key and the
signer's memory too can write another history that is whole in itself; that shows only against what
witnesses, time stamps, mirrors and readers' browsers hold.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from folkmoot.ledger import (
    EMPTY_ROOT,
    HASH_BYTES,
    TILE_WIDTH,
    Checkpoint,
    LedgerError,
    MemoryStore,
    Tree,
    leaf_hashes,
    node_hash,
    open_note,
)
from folkmoot.ledger.auditing import audit_log
from folkmoot.ledger.entries import render_time
from folkmoot.ledger.heads import check_older
from folkmoot.ledger.tilepaths import TileName, names_of

from . import models
from .fsck_anchors import (
    check_cosignatures,
    check_guards,
    check_keys,
    check_memory,
    check_stamps,
)
from .fsck_report import SHOWN, Report
from .fsck_values import check_values
from .log import TableTiles, log_verifiers
from .sequencing import check_waiting
from .serving import read_entries

BATCH = 5_120  # twenty tiles


def check(*, with_values: bool = True) -> Report:
    """Check everything; ``with_values`` opens every value, which takes most of the time.

    Raises ``folkmoot.ledger.LedgerError`` where the log's public key is not here: nothing could be
    checked without it.
    """
    report = Report()
    signed = _check_heads(report)
    walk = _walk(report, {head.size for head in signed})
    _compare_heads(report, signed, walk)
    _check_tiles(report, signed, walk)
    if with_values:
        check_values(report)
    else:
        report.unchecked.append("Values were not opened, as was asked.")
    _check_waiting(report)
    check_keys(report)
    check_cosignatures(report)
    check_stamps(report)
    check_memory(report, walk.tree)
    check_guards(report)
    return report


# Heads


def _check_heads(report: Report) -> list[Checkpoint]:
    """Every head that is kept and was signed by the log, the shortest first."""
    keys = log_verifiers()
    signed = []
    before = report.count()
    for row in models.Checkpoint.objects.order_by("size").iterator(BATCH):
        try:
            head = Checkpoint.from_text(open_note(row.note, keys).text)
        except LedgerError as wrong:
            report.wrong(f"The head that is kept for {row.size} entries is none: {wrong}")
            continue
        if head.size != row.size or head.origin not in {key.name for key in keys}:
            report.wrong(
                f"The head that is kept for {row.size} entries is one of {head.size} entries of "
                f"the log {head.origin!r}."
            )
            continue
        signed.append(head)
    if before == report.count():
        report.checked.append(f"Each of the {len(signed)} heads was signed by the log.")
    return signed


def _compare_heads(report: Report, signed: list[Checkpoint], walk: _Walk) -> None:
    before = report.count()
    for head in signed:
        if head.size > walk.size:
            now = Checkpoint(head.origin, walk.size, walk.root())
            report.wrong(check_older(head, now, walk.roots.__getitem__).reason)
        elif walk.roots.get(head.size, EMPTY_ROOT) != head.root:
            report.wrong(
                f"The head of {head.size} entries was signed for others than those that are here: "
                "an entry was changed, left out, put in or moved since."
            )
    if signed and before == report.count():
        report.checked.append(
            f"The entries lead to the root of each head, the newest of {signed[-1].size} entries."
        )


# Entries


@dataclass(slots=True)
class _Walk:
    """One walk over the entries: their tree, and the roots at the sizes that were asked for."""

    wanted: set[int]
    size: int = 0
    tree: Tree = field(default_factory=lambda: Tree(MemoryStore()))
    roots: dict[int, bytes] = field(default_factory=dict)
    _stack: list[tuple[int, bytes]] = field(default_factory=list)

    def add(self, hashes: list[bytes]) -> None:
        self.tree.append(hashes)
        for one in hashes:
            height, node = 0, one
            while self._stack and self._stack[-1][0] == height:
                node = node_hash(self._stack.pop()[1], node)
                height += 1
            self._stack.append((height, node))
            self.size += 1
            if self.size in self.wanted:
                self.roots[self.size] = self.root()

    def root(self) -> bytes:
        """The root of all so far: the perfect subtrees on the stack, joined from the right."""
        if not self._stack:
            return EMPTY_ROOT
        node = self._stack[-1][1]
        for _height, left in reversed(self._stack[:-1]):
            node = node_hash(left, node)
        return node


def _walk(report: Report, wanted: set[int]) -> _Walk:
    """Read every entry in its order, and hold its columns against what was hashed."""
    walk = _Walk(wanted)
    before = report.count()
    expected = 0
    for rows in _rows():
        for index, entry_id, leaf, *columns in rows:
            if index != expected:
                report.wrong(
                    f"Entry number {expected} is missing: the next that is here is {index}."
                )
            expected = index + 1
            wrong = _find_unlike(entry_id, leaf, columns)
            if wrong:
                report.wrong(f"Entry number {index} ({entry_id}): {wrong}")
        walk.add(leaf_hashes(leaf.encode() for _index, _entry_id, leaf, *_columns in rows))
    report.entries = walk.size
    if before == report.count():
        report.checked.append(
            f"{walk.size} entries are numbered without a gap; their columns say what was hashed."
        )
    return walk


def _rows() -> Iterator[list[Any]]:
    rows = models.Entry.objects.order_by("index").values_list(
        "index", "entry_id", "leaf", "kind", "organisation", "subject", "retention", "at"
    )
    last = -1
    while batch := list(rows.filter(index__gt=last)[:BATCH]):
        last = batch[-1][0]
        yield batch


def _find_unlike(entry_id: str, leaf: str, columns: list[Any]) -> str:
    """Where a row's columns do not say what its leaf says; empty where they do."""
    try:
        held = json.loads(leaf)
        said = [held[name] for name in ("kind", "organisation", "subject", "retention", "at")]
        if held["id"] != entry_id:
            return "what was hashed is another entry."
    except (ValueError, KeyError, TypeError, RecursionError):
        return "what is kept as its text is no entry."
    *texts, at = columns
    if [*texts, render_time(at)] != said:
        return "its columns say otherwise than what was hashed; they were changed."
    return ""


def _check_waiting(report: Report) -> None:
    """Hold what waits for its place against what was left there, as the sequencer will."""
    rows = models.Intent.objects.order_by("pk")
    for row in rows.values_list("pk", "leaf", "entry_id", "subject", "made_at").iterator(BATCH):
        try:
            check_waiting([row])
        except LedgerError as wrong:
            report.wrong(f"Waiting for its place: {wrong}")


# Tiles


def _check_tiles(report: Report, signed: list[Checkpoint], walk: _Walk) -> None:
    """Hold every tile against the entries; where they differ, say exactly which of the two is not
    what was signed.
    """
    stored = TableTiles()
    good = all(
        stored.read_tile(name.level, name.index)[: name.width * HASH_BYTES]
        == walk.tree.read_tile(name.level, name.index, name.width)
        for name in names_of(walk.size)
    )
    newest = next((head for head in reversed(signed) if head.size <= walk.size), None)
    as_signed = newest is None or walk.roots.get(newest.size, EMPTY_ROOT) == newest.root
    index, width = divmod(walk.size, TILE_WIDTH)
    beyond = len(stored.read_tile(0, index)) // HASH_BYTES - width
    if beyond > 0:
        report.wrong(
            f"The tiles hold {beyond} more entries than there are: entries at the end are gone."
        )
    strange = [
        (level, index)
        for level, index in models.Tile.objects.values_list("level", "index").iterator(BATCH)
        if not TileName(level, index, 1).is_within(walk.size)
    ]
    for level, index in strange[:SHOWN]:
        report.wrong(
            f"Tile {index} of level {level} is beyond the {walk.size} entries that are here: it "
            "was put in, or entries at the end are gone."
        )
    if good and as_signed and not strange:
        report.checked.append("Every tile holds what the entries hash to.")
        return
    if newest is None or as_signed:
        newest = Checkpoint("", walk.size, walk.root())
    for sentence in audit_log(newest, stored, read_entries).findings:
        report.wrong(sentence)
