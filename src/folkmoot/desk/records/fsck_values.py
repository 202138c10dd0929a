"""Checking every value that is kept against what its entry was sealed with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from folkmoot.ledger import Entry as Leaf
from folkmoot.ledger import Field, KeyLost, LedgerError

from . import models, values
from .fsck_report import SHOWN, Report
from .log import log_size

VALUES = 500
RECOVERED = "entry.recovered"


def check_values(report: Report) -> None:
    """Open every value, and hold it against its commitment."""
    before = report.count()
    counts = {"opened": 0, "erased": 0, "lost": 0}
    ranges = _brought_back()
    for table in (models.Entry, models.Intent):
        for rows in _leaves(table):
            for number, entry_id, _leaf, recovered_at in rows:
                if recovered_at is not None and not any(number in one for one in ranges):
                    report.wrong(
                        f"Entry number {number} ({entry_id}) is marked as brought back from a "
                        "mirror, and no entry of the record says that it was: it was marked since."
                    )
            _check_values_of(report, rows, counts)
    strange = models.FieldValue.objects.exclude(
        entry_id__in=models.Entry.objects.values("entry_id")
    ).exclude(entry_id__in=models.Intent.objects.values("entry_id"))
    for entry_id, label in strange.values_list("entry_id", "label")[:SHOWN]:
        report.wrong(f"The value {label!r} is kept for an entry that is not here: {entry_id}.")
    if before == report.count():
        report.checked.append(
            f"{counts['opened']} values open and are what their entries were sealed with; "
            f"{counts['erased']} are erased, {counts['lost']} were lost before their entries were "
            "brought back."
        )


def _brought_back() -> list[range]:
    """The entries that were brought back from a mirror, as the record itself says; one that says so
    may wait for its place still, and may be lost or erased in part itself.
    """
    ranges = []
    for table in (models.Entry, models.Intent):
        for number, entry_id, text in table.objects.filter(subject="ledger").values_list(
            "pk", "entry_id", "leaf"
        ):
            try:
                if values.read_leaf(text).kind != RECOVERED:
                    continue
                rows = models.FieldValue.objects.filter(entry_id=entry_id)
                said = {one.label: one.value for one in values.open_values(rows) if one is not None}
                ranges.append(range(int(said["from"]), int(said["head"])))
            except KeyError:
                ranges.append(range(number if table is models.Entry else log_size()))
            except LedgerError:
                continue  # it is told of where the entries are looked at
    return ranges


def _leaves(table: Any) -> Iterator[list[tuple[int, str, str, datetime | None]]]:
    """Rows of entries, or of those that wait: number, id, leaf, and when they were brought back."""
    last = -1
    names = ["pk", "entry_id", "leaf"] + (["recovered_at"] if table is models.Entry else [])
    rows = table.objects.order_by("pk").values_list(*names)
    while batch := list(rows.filter(pk__gt=last)[:VALUES]):
        last = batch[-1][0]
        yield [(*row, None)[:4] for row in batch]


def _check_values_of(
    report: Report, rows: list[tuple[int, str, str, datetime | None]], counts: dict[str, int]
) -> None:
    kept: dict[str, dict[str, models.FieldValue]] = {}
    for value in models.FieldValue.objects.filter(entry_id__in=[row[1] for row in rows]):
        kept.setdefault(value.entry_id, {})[value.label] = value
    opened = _open([value for mine in kept.values() for value in mine.values()])
    for number, entry_id, text, recovered_at in rows:
        try:
            leaf = values.read_leaf(text)
        except LedgerError as wrong:
            report.wrong(f"Entry number {number} ({entry_id}) is no entry: {wrong}")
            continue
        mine = kept.get(entry_id, {})
        for label in sorted(leaf.commitments.keys() | mine.keys()):
            wrong_with = _find_wrong(leaf, label, mine.get(label), opened, recovered_at, counts)
            if wrong_with:
                report.wrong(f"Entry number {number} ({entry_id}), value {label!r}: {wrong_with}")


def _find_wrong(  # noqa: PLR0911, PLR0917 - each way in which a value can be wrong
    leaf: Leaf,
    label: str,
    value: models.FieldValue | None,
    opened: dict[int, Field | KeyLost | None],
    recovered_at: datetime | None,
    counts: dict[str, int],
) -> str:
    if value is None:
        if recovered_at is None:
            return "it is missing; its row was removed."
        counts["lost"] += 1
        return ""
    if label not in leaf.commitments:
        return "the entry has no such field; it was put in."
    found = opened[value.pk]
    if isinstance(found, KeyLost):
        return str(found)
    if found is None:
        if value.erased_at is not None and bytes(value.sealed):
            return "it is marked as erased, and is still here: it was marked since."
        counts["erased"] += 1
        return ""
    if not leaf.opens(found):
        return "it is not what the entry was sealed with; it was changed."
    counts["opened"] += 1
    return ""


def _open(kept: list[models.FieldValue]) -> dict[int, Field | KeyLost | None]:
    try:
        return dict(zip((row.pk for row in kept), values.open_values(kept), strict=True))
    except KeyLost:
        return {row.pk: _open_one(row) for row in kept}


def _open_one(row: models.FieldValue) -> Field | KeyLost | None:
    try:
        return values.open_values([row])[0]
    except KeyLost as lost:
        return lost
