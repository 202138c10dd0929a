"""Finding what is kept sealed, and erasing it: the fields of entries and the columns of every room.

Erasing a value destroys the key it was sealed under. Whatever else was sealed under that key and
is to stay is sealed again under a fresh key of the same subject, in the same transaction. The
sealed bytes go too; the commitment in the log stays, and says nothing once its salt is gone.
Copies in write-ahead logs and backups end with the epoch: see :func:`.keys.roll`.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models as django
from django.db.models.functions import Cast, Greatest, StrIndex, Substr

from . import columns, keys, models, values

BATCH = 500
MANY = 5_000  # numbers in one statement; SQLite takes 32,766
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
        table = _table(column)
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
    _erase_under(numbers, wanted, now)
    return len(numbers)


def dispose(
    organisation: str, entry_ids: Collection[str], tables: Collection[str], now: datetime
) -> tuple[int, int]:
    """Erase every field of these entries; how many values went, and how many keys were destroyed.

    ``tables`` are those whose rows belong to the entries' class of records, by their label: what
    their columns hold under a key goes with the last field of that class that is kept under it.
    What is kept under the same keys otherwise is sealed again. Part of the caller's transaction;
    entries of another organisation, and fields erased already, are passed over.
    """
    theirs = models.Entry.objects.filter(organisation=organisation, entry_id__in=list(entry_ids))
    known = dict(theirs.values_list("entry_id", "retention"))
    gone = list(models.FieldValue.objects.filter(entry_id__in=list(known), erased_at=None))
    numbers = {row.key_id for row in gone}
    staying = _classes_left(numbers, known)
    wanted = {Place(FIELD, row.entry_id, row.label) for row in gone}
    classes = set(known.values())
    for column in columns.sealed_columns():
        if _table(column) in tables:
            for pk, number in _sealed_under(column, numbers):
                if not classes & staying.get(number, set()):
                    wanted.add(_place_of(column, pk))
    _erase_under(numbers, wanted, now)
    return len(wanted), len(numbers)


def _classes_left(numbers: Collection[int], leaving: Collection[str]) -> dict[int, set[str]]:
    """By key, the classes of the entries that keep a field under it, but for those ``leaving``."""
    others: dict[str, set[int]] = {}
    rows = models.FieldValue.objects.filter(key_id__in=list(numbers), erased_at=None)
    for entry_id, number in rows.values_list("entry_id", "key_id"):
        if entry_id not in leaving:
            others.setdefault(entry_id, set()).add(number)
    left: dict[int, set[str]] = {}
    for entry_id, retention in _classes_of(list(others)):
        for number in others[entry_id]:
            left.setdefault(number, set()).add(retention)
    return left


def _classes_of(entry_ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    for start in range(0, len(entry_ids), MANY):
        batch = entry_ids[start : start + MANY]
        yield from models.Entry.objects.filter(entry_id__in=batch).values_list(
            "entry_id", "retention"
        )
        for entry_id, leaf in models.Intent.objects.filter(entry_id__in=batch).values_list(
            "entry_id", "leaf"
        ):
            yield entry_id, values.read_leaf(leaf).retention


def _numbers_of(places: Collection[Place]) -> set[int]:
    fields = {(place.row, place.name) for place in places if place.kind == FIELD}
    rows = models.FieldValue.objects.filter(entry_id__in={entry_id for entry_id, _ in fields})
    numbers = {
        number
        for entry_id, label, number in rows.values_list("entry_id", "label", "key_id")
        if (entry_id, label) in fields
    }
    for column in columns.sealed_columns():
        pks = [
            place.row.partition("/")[2]
            for place in places
            if (place.kind, place.name) == (COLUMN, column.name)
            and place.row.partition("/")[0] == _table(column)
        ]
        if pks:
            numbers |= {_number(row.raw) for row in _raw(column).filter(pk__in=pks)}
    return numbers


def _erase_under(numbers: Collection[int], wanted: Collection[Place], now: datetime) -> None:
    """Destroy these keys; what is not ``wanted`` gone is sealed under fresh ones."""
    # Held first: whoever is sealing under them now must be seen to be through.
    list(models.SubjectKey.objects.select_for_update().filter(pk__in=numbers).order_by("pk"))
    gone: list[models.FieldValue] = []
    kept: list[models.FieldValue] = []
    for field in models.FieldValue.objects.filter(key_id__in=list(numbers), erased_at=None):
        mine = Place(FIELD, field.entry_id, field.label) in wanted
        (gone if mine else kept).append(field)
    opened = values.open_values(kept)
    left = {field.key_id for field in kept}
    rows = []
    for column in columns.sealed_columns():
        found = _sealed_under(column, numbers)
        staying = [pk for pk, _number in found if _place_of(column, pk) not in wanted]
        whole = column.model._base_manager.in_bulk(staying)  # noqa: SLF001 - whichever table
        for pk, number in found:
            value = getattr(whole[pk], column.attname) if pk in whole else None
            if value is not None:
                left.add(number)
            rows.append((column, pk, number, value))
    fresh = {number: keys.replace(number, now) for number in sorted(left)}
    keys.destroy([number for number in numbers if number not in left], now)
    for start in range(0, len(gone), MANY):
        batch = [field.pk for field in gone[start : start + MANY]]
        models.FieldValue.objects.filter(pk__in=batch).update(sealed=b"", erased_at=now)
    for field, what in zip(kept, opened, strict=True):
        assert what is not None
        number, key = fresh[field.key_id]
        field.key_id, field.sealed = number, values.seal_field(key, field.entry_id, what)
    models.FieldValue.objects.bulk_update(kept, ["key", "sealed"], BATCH)
    for column, pk, number, value in rows:
        sealed = columns.TOMBSTONE
        if value is not None:
            sealed = column.seal_under(*fresh[number], value)
        column.model._base_manager.filter(pk=pk).update(**{column.attname: sealed})  # noqa: SLF001


def _sealed_under(
    column: columns.SealedTextField, numbers: Collection[int]
) -> list[tuple[Any, int]]:
    """The rows whose column is sealed under one of these keys, and under which."""
    found = _under(_raw(column), numbers).order_by("pk")
    return [(pk, _number(raw)) for pk, raw in found.values_list("pk", "raw")]


def _under(rows: Any, numbers: Collection[int]) -> Any:
    """Of rows with ``raw``, those sealed under one of these keys; the database takes the number out
    of what the column holds.
    """
    after = Substr("raw", len(columns.FORM) + 2)
    # Nothing stands before a dot that is not there, as in what was erased.
    ends = Greatest(StrIndex(after, django.Value(".")) - 1, django.Value(0))
    number = Substr(after, 1, ends)
    return (
        rows.filter(raw__startswith=f"{columns.FORM}.")
        .alias(under=number)
        .filter(under__in=[str(one) for one in numbers])
    )


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
        found = _under(found, numbers)
    found = found.exclude(raw=columns.TOMBSTONE)
    moment = next((name for name in ("at", "made_at") if name in _names_of(model)), None)
    rows_held = found.order_by("pk").values_list("pk", "raw", moment or "pk").iterator(BATCH)
    while batch := list(itertools.islice(rows_held, BATCH)):
        opened = column.open_many([raw for _, raw, _ in batch])
        numbers_held = {one[0] for one in opened if one is not None}
        rows_of = models.SubjectKey.objects.filter(pk__in=numbers_held)
        subjects = dict(rows_of.values_list("pk", "subject"))
        for (pk, _, at), one in zip(batch, opened, strict=True):
            if one is not None:
                yield Holding(
                    _place_of(column, pk),
                    subjects[one[0]],
                    _table(column),
                    at if moment else None,
                    public=False,
                    text=column.to_words(one[1]),
                )


def _names_of(model: Any) -> set[str]:
    return {column.name for column in model._meta.concrete_fields}  # noqa: SLF001


def _raw(column: columns.SealedTextField) -> Any:
    """Rows of a column's table with what the column holds, unopened, as ``raw``."""
    return column.model._base_manager.annotate(  # noqa: SLF001 - Django's documented way
        raw=Cast(django.F(column.attname), django.TextField())
    )


def _table(column: columns.SealedTextField) -> str:
    return str(column.model._meta.label_lower)  # noqa: SLF001 - Django's documented way


def _place_of(column: columns.SealedTextField, pk: object) -> Place:
    return Place(COLUMN, f"{_table(column)}/{pk}", column.name)


def _number(raw: str) -> int:
    return int(raw.split(".", 2)[1])
