"""Headers of entries by class, kind, date and thing, for the rooms that decide what is kept.

Nothing here opens a value: what an entry is about is told by its opaque subject alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, Max, OuterRef, Q

from . import models

MANY = 5_000  # names in one statement; SQLite takes 32,766


@dataclass(frozen=True, slots=True)
class Header:
    """What an entry says without being opened."""

    entry_id: str
    index: int
    kind: str
    subject: str
    retention: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Over:
    """Which entries of a class are over, and since when they must be.

    ``ends`` are the kinds of entry after which the thing they are about is over, and ``begins``
    those after which it is not over any more. Without ``ends`` each entry is over on its own day,
    or, if ``still``, once nothing more was recorded about the same thing.
    """

    retention: str
    before: datetime
    ends: frozenset[str] = frozenset()
    begins: frozenset[str] = frozenset()
    still: bool = False


def count_over(organisation: str, over: Over, *, most: int) -> int:
    """How many entries are over and still hold something; ``most`` where there are more."""
    return int(_over(organisation, over)[:most].count())


def each_over(organisation: str, over: Over) -> Iterator[Header]:
    """The entries that are over and still hold something, thing by thing, the oldest first."""
    for row in _over(organisation, over).order_by("subject", "index").iterator(MANY):
        yield _header(row)


def list_headers(
    organisation: str,
    *,
    subjects: Collection[str] = (),
    retention: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    entry_ids: Collection[str] | None = None,
) -> Iterator[Header]:
    """Headers of entries in the log by any of: whom they are about, their class and days (both
    included), their ids. In the order of the log, but for batches of ids.
    """
    rows = models.Entry.objects.filter(organisation=organisation)
    if subjects:
        rows = rows.filter(subject__in=list(subjects))
    if retention:
        rows = rows.filter(retention=retention)
    if since is not None:
        rows = rows.filter(at__gte=since)
    if until is not None:
        rows = rows.filter(at__lte=until)
    for batch in _batches(entry_ids):
        mine = rows if batch is None else rows.filter(entry_id__in=batch)
        for row in mine.order_by("index").iterator(MANY):
            yield _header(row)


def has_entry(organisation: str, subject: str) -> bool:
    """Whether this organisation recorded anything about this subject, in order yet or not."""
    if models.Entry.objects.filter(organisation=organisation, subject=subject).exists():
        return True
    return models.Intent.objects.filter(
        subject=subject, leaf__contains=f'"{organisation}"'
    ).exists()


def count_live(entry_ids: Collection[str]) -> int:
    """How many of these entries still hold a value that can be read."""
    return sum(
        models.FieldValue.objects.filter(entry_id__in=batch, erased_at=None)
        .values("entry_id")
        .distinct()
        .count()
        for batch in _batches(entry_ids)
        if batch is not None
    )


def _over(organisation: str, over: Over) -> Any:
    live = models.FieldValue.objects.filter(entry_id=OuterRef("entry_id"), erased_at=None)
    mine = models.Entry.objects.filter(organisation=organisation, retention=over.retention)
    rows = mine.filter(Exists(live))
    if not over.ends and not over.still:
        return rows.filter(at__lte=over.before)
    kinds = Q(kind__in=over.ends) if over.ends else Q()
    ended: Any = mine.values("subject").annotate(over_at=Max("at", filter=kinds))
    if over.begins:
        begun_at = Max("at", filter=Q(kind__in=over.begins))
        ended = ended.annotate(begun_at=begun_at).filter(
            Q(begun_at=None) | Q(begun_at__lte=F("over_at"))
        )
    ended = ended.filter(over_at__lte=over.before)
    return rows.filter(subject__in=ended.values("subject"))


def _batches(entry_ids: Collection[str] | None) -> Iterator[list[str] | None]:
    if entry_ids is None:
        yield None
        return
    wanted = list(entry_ids)
    for start in range(0, len(wanted), MANY):
        yield wanted[start : start + MANY]


def _header(row: models.Entry) -> Header:
    return Header(row.entry_id, row.index, row.kind, row.subject, row.retention, row.at)
