"""Finding what is kept sealed, and erasing it: the fields of entries and the columns of every room.

Erasing a value destroys the key it was sealed under. Whatever else was sealed under that key and
is to stay is sealed again under a fresh key of the same subject, in the same transaction. The
sealed bytes go too; the commitment in the log stays, and says nothing once its salt is gone.
Copies in write-ahead logs and backups end with the epoch: see :func:`.keys.roll`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models as django
from django.db.models.functions import Cast

from . import columns, keys, models, values

BATCH = 500
FIELD, COLUMN = "field", "column"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where one value is kept: a field of an entry, or a column of a row."""

    kind: str
    """:data:`FIELD` or :data:`COLUMN`."""
    row: str
    """An entry's id; or a table and a row's number, ``drafts.version/12``."""
    name: str
    """The field's label, or the column."""

    def __str__(self) -> str:
        return f"{self.kind}:{self.row}:{self.name}"

    @classmethod
    def from_text(cls, text: str) -> Place:
        """The place that ``str`` wrote. Raises ValueError for anything else."""
        kind, row, name = text.split(":")
        if kind not in {FIELD, COLUMN} or not row or not name:
            raise ValueError("This names no place where something is kept.")
        return cls(kind, row, name)


@dataclass(frozen=True, slots=True)
class Holding:
    """A value that was found: where it is, whom or what it is kept under, and its text."""

    place: Place
    subject: str
    kind: str
    """The entry's kind, or the table."""
    at: datetime | None
    public: bool
    text: str
    retention: str = ""
    """The entry's class of records; empty for a column."""


class NotHere(Exception):
    """A place that holds nothing that can be erased: it is gone, erased, or another body's."""


def find(organisation: str, phrases: Collection[str]) -> Iterator[Holding]:
    """Every value of this organisation that holds one of ``phrases``, without regard to case,
    width and spacing: the fields of entries, oldest first, then the columns of each room.

    Nothing is indexed, since an index of names would be one more copy of them: all is opened and
    read. Raises ``folkmoot.ledger.KeyLost`` where a value does not open: a search that passes over
    what it cannot read would not be one.
    """
    folded = [text for text in map(fold, phrases) if text]
    if not folded:
        return
    for one in _all(organisation):
        text = fold(one.text)
        if any(phrase in text for phrase in folded):
            yield one


def list_about(organisation: str, subjects: Collection[str]) -> list[Holding]:
    """Every value of this organisation that is kept under one of ``subjects``."""
    numbers = set(
        models.SubjectKey.objects.filter(subject__in=list(subjects), destroyed_at=None).values_list(
            "pk", flat=True
        )
    )
    found = list(_fields(organisation, numbers))
    for column in columns.sealed_columns():
        found += _column(column, organisation, numbers)
    return found


def get(organisation: str, places: Collection[Place]) -> list[Holding]:
    """What these places hold. Raises :class:`NotHere` where one holds nothing of this body's."""
    found = {}
    wanted = set(places)
    entry_ids = {place.row for place in wanted if place.kind == FIELD}
    for one in _fields(organisation, None, entry_ids):
        if one.place in wanted:
            found[one.place] = one
    for column in columns.sealed_columns():
        table = column.model._meta.label_lower  # noqa: SLF001 - Django's documented way
        rows = {
            place.row.partition("/")[2]
            for place in wanted
            if place.kind == COLUMN
            and place.name == column.name
            and place.row.partition("/")[0] == table
        }
        if rows:
            for one in _column(column, organisation, None, rows):
                found[one.place] = one
    if found.keys() != wanted:
        raise NotHere("Something that was chosen is no longer kept here. Search again.")
    return [found[place] for place in sorted(wanted)]


def erase(organisation: str, places: Collection[Place], now: datetime) -> int:
    """Erase what these places hold, and seal again whatever shared a key with it; how many keys
    were destroyed. Part of the caller's transaction, which leaves the entry that says so.

    Raises :class:`NotHere`, then nothing was erased, and ``folkmoot.ledger.KeyLost``.
    """
    wanted = {one.place for one in get(organisation, places)}
    numbers = _numbers_of(wanted)
    for number in sorted(numbers):
        _erase_under(number, wanted, now)
    return len(numbers)


def _numbers_of(places: Iterable[Place]) -> set[int]:
    numbers: set[int] = set()
    for place in places:
        if place.kind == FIELD:
            row = models.FieldValue.objects.get(entry_id=place.row, label=place.name)
            numbers.add(row.key_id)
        else:
            column, pk = _find_column(place)
            numbers.add(_number(_raw(column).get(pk=pk).raw))
    return numbers


def _erase_under(number: int, wanted: Collection[Place], now: datetime) -> None:
    """Destroy key ``number``; what is not ``wanted`` gone is sealed under a fresh one."""
    # Held first: whoever is sealing under it now must be seen to be through.
    models.SubjectKey.objects.select_for_update().get(pk=number)
    fields = list(models.FieldValue.objects.filter(key_id=number, erased_at=None))
    kept_fields = [row for row in fields if Place(FIELD, row.entry_id, row.label) not in wanted]
    opened = values.open_values(kept_fields)
    kept_columns = []
    for column in columns.sealed_columns():
        for row in _raw(column).filter(raw__startswith=f"{columns.FORM}.{number}."):
            place = _place_of(column, row.pk)
            value = None if place in wanted else getattr(row, column.attname)
            kept_columns.append((column, row, value))
    fresh = keys.replace(number, now) if _any_left(kept_fields, kept_columns) else None
    if fresh is None:
        keys.destroy([number], now)
    for row in fields:
        row.sealed, row.erased_at = b"", now
    if fresh is not None:
        for row, field in zip(kept_fields, opened, strict=True):
            assert field is not None
            row.key_id, row.erased_at = fresh[0], None
            row.sealed = values.seal_field(fresh[1], row.entry_id, field)
    models.FieldValue.objects.bulk_update(fields, ["key", "sealed", "erased_at"], BATCH)
    for column, row, value in kept_columns:
        sealed = columns.TOMBSTONE
        if value is not None:
            assert fresh is not None
            sealed = column.seal_under(fresh[0], fresh[1], value)
        column.model._base_manager.filter(pk=row.pk).update(**{column.attname: sealed})  # noqa: SLF001


def _any_left(fields: Sequence[Any], rows: Sequence[tuple[Any, Any, Any]]) -> bool:
    return bool(fields) or any(value is not None for _column, _row, value in rows)


def fold(text: str) -> str:
    """``text`` as it is compared: without case, width, marks of composition and spacing."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _all(organisation: str) -> Iterator[Holding]:
    yield from _fields(organisation, None)
    for column in columns.sealed_columns():
        yield from _column(column, organisation, None)


def _fields(
    organisation: str, numbers: Collection[int] | None, entry_ids: Collection[str] | None = None
) -> Iterator[Holding]:
    for table in (models.Entry, models.Intent):
        rows: Any = table._default_manager.order_by("pk")  # noqa: SLF001 - either table
        if entry_ids is not None:
            rows = rows.filter(entry_id__in=list(entry_ids))
        elif numbers is not None:
            mine = models.FieldValue.objects.filter(key_id__in=list(numbers), erased_at=None)
            rows = rows.filter(entry_id__in=mine.values("entry_id"))
        start: int = -1
        while batch := list(rows.filter(pk__gt=start)[:BATCH]):
            start = batch[-1].pk
            yield from _fields_of(batch, organisation, numbers)


def _fields_of(
    batch: Sequence[Any], organisation: str, numbers: Collection[int] | None
) -> Iterator[Holding]:
    leaves = {}
    for row in batch:
        leaf = values.read_leaf(row.leaf)
        if leaf.organisation == organisation:
            leaves[row.entry_id] = leaf
    kept = models.FieldValue.objects.filter(entry_id__in=list(leaves), erased_at=None)
    if numbers is not None:
        kept = kept.filter(key_id__in=list(numbers))
    mine = list(kept.select_related("key").order_by("pk"))
    for value, field in zip(mine, values.open_values(mine), strict=True):
        if field is not None:
            leaf = leaves[value.entry_id]
            yield Holding(
                Place(FIELD, value.entry_id, value.label),
                value.key.subject,
                leaf.kind,
                leaf.at,
                value.public,
                field.value,
                leaf.retention,
            )


def _column(
    column: columns.SealedTextField,
    organisation: str,
    numbers: Collection[int] | None,
    rows: Collection[str] | None = None,
) -> Iterator[Holding]:
    model: Any = column.model  # any that has sealed columns
    found = _raw(column).filter(
        **{model.sealed_organisation: organisation}, raw__startswith=f"{columns.FORM}."
    )
    if rows is not None:
        found = found.filter(pk__in=list(rows))
    if numbers is not None:
        chosen = django.Q(pk__in=[])
        for number in numbers:
            chosen |= django.Q(raw__startswith=f"{columns.FORM}.{number}.")
        found = found.filter(chosen)
    for row in found.order_by("pk").iterator(BATCH):
        if row.raw == columns.TOMBSTONE:
            continue
        value = getattr(row, column.attname)
        yield Holding(
            _place_of(column, row.pk),
            row.sealed_for,
            model._meta.label_lower,  # noqa: SLF001 - Django's documented way
            getattr(row, "at", None) or getattr(row, "made_at", None),
            public=False,
            text=column.to_words(value),
        )


def _raw(column: columns.SealedTextField) -> Any:
    """Rows of a column's table with what the column holds, unopened, as ``raw``."""
    return column.model._base_manager.annotate(  # noqa: SLF001 - Django's documented way
        raw=Cast(django.F(column.attname), django.TextField())
    )


def _place_of(column: columns.SealedTextField, pk: object) -> Place:
    return Place(COLUMN, f"{column.model._meta.label_lower}/{pk}", column.name)  # noqa: SLF001


def _find_column(place: Place) -> tuple[columns.SealedTextField, str]:
    table, _, pk = place.row.partition("/")
    for column in columns.sealed_columns():
        if column.model._meta.label_lower == table and column.name == place.name:  # noqa: SLF001
            return column, pk
    raise NotHere("This names no place where something is kept.")


def _number(raw: str) -> int:
    return int(raw.split(".", 2)[1])
