"""What the rows of the record say, opened and held against what was sealed."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from folkmoot.ledger import Entry as Leaf
from folkmoot.ledger import EntryError, Field, KeyLost

from . import models, values

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry as a page shows it. ``index`` is ``None`` while it waits for the sequencer;
    ``fields`` holds the values the reader may see; ``withheld`` the labels of the others.
    """

    entry_id: str
    index: int | None
    kind: str
    at: datetime
    actor: str
    role: str
    subject: str
    links: tuple[str, ...]
    public: bool
    fields: dict[str, str]
    withheld: tuple[str, ...]
    erased: tuple[str, ...] = ()
    """Labels of the fields that nobody can read any more."""
    erased_at: datetime | None = None
    """When the last of them was erased."""
    lost: tuple[str, ...] = ()
    """Labels of the fields whose values were lost with the database, before the entry was brought
    back from a mirror."""
    damaged: bool = False
    """Its header or a value was changed since it was left; then no value of it is shown."""


def read_rows(rows: Sequence[models.Entry | models.Intent], *, public_only: bool) -> list[Recorded]:
    """What these rows say, in their order, with the fields that the reader may see."""
    kept: dict[str, list[models.FieldValue]] = {}
    for value in models.FieldValue.objects.filter(
        entry_id__in=[row.entry_id for row in rows]
    ).order_by("pk"):
        kept.setdefault(value.entry_id, []).append(value)
    opened = _open_all([value for mine in kept.values() for value in mine])
    recorded = []
    for row in rows:
        mine = kept.get(row.entry_id, [])
        leaf = _find_leaf(row)
        fields = [opened.get(value.pk) for value in mine]
        if leaf is None or not _fit(row, leaf, mine, opened):
            recorded.append(_damaged(row))
            continue
        erased_at = [value.erased_at for value in mine if value.erased_at is not None]
        shown = {
            field.label: field.value
            for value, field in zip(mine, fields, strict=True)
            if field is not None and (value.public or not public_only)
        }
        erased = {value.label for value, field in zip(mine, fields, strict=True) if field is None}
        lost = set(leaf.commitments) - {value.label for value in mine}
        recorded.append(
            Recorded(
                row.entry_id,
                row.index if isinstance(row, models.Entry) else None,
                leaf.kind,
                leaf.at,
                leaf.actor,
                leaf.role,
                leaf.subject,
                leaf.links,
                row.public,
                shown,
                tuple(sorted(set(leaf.commitments) - set(shown) - erased - lost)),
                tuple(sorted(erased)),
                max(erased_at, default=None),
                tuple(sorted(lost)),
            )
        )
    return recorded


def _open_all(kept: list[models.FieldValue]) -> dict[int, Field | None]:
    """What each value holds, by its row; one that does not open is left out."""
    try:
        return dict(zip((v.pk for v in kept), values.open_values(kept), strict=True))
    except KeyLost:
        return {pk: field for one in kept for pk, field in _open_one(one)}


def _open_one(value: models.FieldValue) -> Iterator[tuple[int, Field | None]]:
    try:
        yield value.pk, values.open_values([value])[0]
    except KeyLost as wrong:
        log.critical("Field %s of entry %s: %s", value.label, value.entry_id, wrong)


def _fit(
    row: models.Entry | models.Intent,
    leaf: Leaf,
    kept: list[models.FieldValue],
    opened: dict[int, Field | None],
) -> bool:
    """Whether all that is kept of an entry is what it was sealed with, or erased, and nothing is
    missing that was not lost with a whole database.
    """
    recovered = isinstance(row, models.Entry) and row.recovered_at is not None
    if not recovered and len(kept) != len(leaf.commitments):
        return False
    return all(
        value.pk in opened
        and value.label in leaf.commitments
        and ((field := opened[value.pk]) is None or leaf.opens(field))
        for value in kept
    )


def _find_leaf(row: models.Entry | models.Intent) -> Leaf | None:
    """The entry a row holds; ``None`` where it is none, because somebody changed it."""
    try:
        return Leaf.from_bytes(row.leaf.encode())
    except EntryError:
        log.critical("Entry %s is not in the form in which it was left", row.entry_id)
        return None


def _damaged(row: models.Entry | models.Intent) -> Recorded:
    if isinstance(row, models.Intent):
        return Recorded(
            row.entry_id, None, "", row.made_at, "", "", "", (), row.public, {}, (), damaged=True
        )
    return Recorded(
        row.entry_id,
        row.index,
        row.kind,
        row.at,
        "",
        "",
        row.subject,
        (),
        row.public,
        {},
        (),
        damaged=True,
    )
