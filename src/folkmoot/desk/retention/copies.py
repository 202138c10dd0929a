"""Bags that left this desk, as far as disposal and erasure must know of them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Count

from folkmoot.desk.people.queries import Organisation

from .models import Copy, CopyEntry

MANY = 5_000
DestroyHere = Callable[[Organisation, Collection[str], datetime], int]
_HERE: list[DestroyHere] = []


@dataclass(frozen=True, slots=True)
class Outside:
    """A bag that left: its name as the record has it (``bag/…``), the SHA-256 of its manifest, when
    it left, and how many of the entries asked about are in it.
    """

    bag: str
    manifest: str
    released_at: datetime
    entries: int


def destroys_copies_here(act: DestroyHere) -> None:
    """Have ``act`` called, in the same transaction, with the entries of which something is erased:
    it destroys the copies of them that lie on this desk's own disk, such as bags.
    """
    if act not in _HERE:
        _HERE.append(act)


def destroy_copies_here(organisation: Organisation, entries: Collection[str], now: datetime) -> int:
    """Destroy the copies of these entries that lie here; how many. Part of the caller's
    transaction, which erases something of the entries.
    """
    return sum(act(organisation, entries, now) for act in _HERE) if entries else 0


def note_copy(
    organisation: Organisation,
    *,
    bag: str,
    manifest: str,
    entries: Collection[str],
    released_at: datetime,
) -> None:
    """Note that a bag with these entries left this desk. Part of the transaction that releases it,
    which leaves the entry.
    """
    assert connection.in_atomic_block
    copy = Copy.objects.create(
        organisation=organisation, bag=bag, manifest=manifest.lower(), released_at=released_at
    )
    rows = [CopyEntry(copy=copy, entry=entry) for entry in sorted(set(entries))]
    CopyEntry.objects.bulk_create(rows, batch_size=1_000)


def list_copies_outside(organisation: Organisation, entries: Collection[str]) -> list[Outside]:
    """The bags that left with any of these entries, the oldest first. What is in them cannot be
    erased from here: whoever has them must be told.
    """
    counted: dict[int, int] = {}
    wanted = sorted(set(entries))
    for start in range(0, len(wanted), MANY):
        batch = wanted[start : start + MANY]
        found = CopyEntry.objects.filter(copy__organisation=organisation, entry__in=batch)
        for number, count in found.values_list("copy").annotate(count=Count("pk")):
            counted[number] = counted.get(number, 0) + count
    return [
        Outside(copy.bag, copy.manifest, copy.released_at, counted[copy.pk])
        for copy in Copy.objects.filter(pk__in=counted).order_by("released_at", "pk")
    ]


def find_copy(organisation: Organisation, manifest: str) -> Copy | None:
    """The bag with this manifest that left this desk, or ``None``."""
    return Copy.objects.filter(organisation=organisation, manifest=manifest.lower()).first()
