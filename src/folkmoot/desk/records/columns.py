"""Columns that are kept sealed under the key of whom, or what, their row is about.

The model says which by a property ``sealed_for``: a subject as the record names it, such as
``post/12`` or ``member/0a1b…``; and by ``sealed_organisation``, the way from a row to the ref of
the organisation that it is of, such as ``draft__organisation__ref``. Such a column is read like any
other, and is written by ``save`` and ``bulk_create``; ``QuerySet.update`` takes what
:func:`sealed_values` gives. It cannot be looked up, but for being empty, which is kept as it is.
Once the key is destroyed, reading gives :data:`ERASED` (text) or the column's empty value (JSON,
bytes).

This is the third module of this room, beside actions and queries, that other rooms may import:
their ``models.py`` does.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from django.apps import apps
from django.db import models, transaction

from folkmoot.ledger import KeyLost, SubjectKey

from . import keys
from .keys import warm

__all__ = [
    "ERASED",
    "FORM",
    "TOMBSTONE",
    "ErasedText",
    "NotSealed",
    "SealedBytesField",
    "SealedJSONField",
    "SealedTextField",
    "forget",
    "is_erased",
    "list_openable",
    "open_file",
    "seal_file",
    "seal_rows",
    "sealed_columns",
    "sealed_values",
    "update_sealed",
    "warm",
]

log = logging.getLogger(__name__)

Row = TypeVar("Row", bound=models.Model)

FORM = "f1"
BATCH = 500


class ErasedText(str):
    """What reading a text gives once its key is destroyed."""

    __slots__ = ()


ERASED = ErasedText("[erased]")


class NotSealed(Exception):
    """A sealed column was written or looked up in a way that would leave it in plain text."""


class _Sealed(str):
    """A value that is ready to be written."""

    __slots__ = ()


TOMBSTONE = _Sealed(f"{FORM}.erased")
"""What a column holds whose value was erased."""


if TYPE_CHECKING:
    _TextField = models.TextField[Any, Any]
else:
    _TextField = models.TextField  # generic for the type checker alone


class SealedTextField(_TextField):
    """Text, sealed. ``erased`` makes what reading gives once the key is destroyed, where that is
    not :data:`ERASED`, or the empty value of the other fields.
    """

    def __init__(self, *args: Any, erased: Callable[[], Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._erased_value = erased

    def get_lookup(self, lookup_name: str) -> Any:
        """Only whether it is empty can be looked up: what is sealed can be compared with nothing,
        and a lookup that finds nothing would pass for an answer.
        """
        return super().get_lookup(lookup_name) if lookup_name in {"exact", "in", "isnull"} else None

    def get_transform(self, lookup_name: str) -> Any:  # noqa: ARG002 - none can be had
        return None

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: ARG002, FBT001
        value = getattr(model_instance, self.attname)
        if self._is_ready(value):
            return self.seal("", value)
        return self.seal(model_instance.sealed_for, value)  # type: ignore[attr-defined]

    def seal(self, subject: str, value: Any) -> Any:
        """``value`` as the column holds it. Raises what :func:`.keys.live_key` does: it is part of
        the transaction that writes the value.
        """
        if isinstance(value, ErasedText):
            return TOMBSTONE  # what was erased is not written anew as if somebody had said it
        if self._is_ready(value):
            return value
        return self.seal_under(*keys.live_key(subject, datetime.now(UTC)), value)

    def _is_ready(self, value: Any) -> bool:
        """Whether ``value`` needs no key."""
        return self._is_empty(value) or isinstance(value, _Sealed | ErasedText)

    def seal_under(self, number: int, key: SubjectKey, value: Any) -> Any:
        """``value`` as the column holds it, under the key of this number."""
        blob = keys.seal(key, self.place, self._to_bytes(value))
        return _Sealed(f"{FORM}.{number}.{base64.urlsafe_b64encode(blob).decode()}")

    @property
    def place(self) -> str:
        """The column as what is sealed in it knows it."""
        return f"{self.model._meta.label_lower}.{self.name}"  # noqa: SLF001 - Django's own name for it

    def get_prep_value(self, value: Any) -> Any:
        if value is None or isinstance(value, _Sealed):
            return value if value is None else str(value)
        if self._is_empty(value):
            return super().get_prep_value("" if isinstance(value, str) else self._plain(value))
        raise NotSealed(
            f"{self.model.__name__}.{self.name} is kept sealed: it is written by save, and cannot "
            "be looked up by its value."
        )

    def from_db_value(self, value: Any, _expression: Any, _connection: Any) -> Any:
        if value == TOMBSTONE:
            return self._erased()
        if isinstance(value, memoryview | bytes):
            raise KeyLost(keys.CHANGED)
        if value is None or not value.startswith(f"{FORM}."):
            return self._from_plain(value)
        number, blob = _split(value)
        (opened,) = keys.unseal([(number, self.place, blob)])
        return self._erased() if opened is None else self._from_bytes(opened)

    def open_many(self, held: Sequence[str]) -> list[tuple[int, Any] | None]:
        """The number of its key and the value of each of what rows hold sealed, in their order;
        ``None`` where it was erased. Raises ``folkmoot.ledger.KeyLost``.
        """
        split = [_split(value) for value in held]
        blobs = keys.unseal([(number, self.place, blob) for number, blob in split])
        return [
            None if blob is None else (number, self._from_bytes(blob))
            for (number, _), blob in zip(split, blobs, strict=True)
        ]

    def _erased(self) -> Any:
        return self._empty() if self._erased_value is None else self._erased_value()

    def to_words(self, value: Any) -> str:
        """A value as somebody searches it and is shown it."""
        return str(value)

    def _is_empty(self, value: Any) -> bool:
        return value in (None, "")

    def _plain(self, value: Any) -> Any:
        return value

    def _to_bytes(self, value: Any) -> bytes:
        return str(value).encode()

    def _from_bytes(self, data: bytes) -> Any:
        return data.decode()

    def _from_plain(self, value: Any) -> Any:
        if value in (None, ""):
            return value
        raise KeyLost(keys.CHANGED)  # only empty values stand unsealed

    def _empty(self) -> Any:
        return ERASED


class SealedJSONField(SealedTextField):
    """A value that JSON can hold, sealed. Empty lists and objects stand as they are."""

    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def to_words(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    def _is_empty(self, value: Any) -> bool:
        return value is None or (isinstance(value, list | dict) and not value)

    def _plain(self, value: Any) -> Any:
        return json.dumps(value)

    def _to_bytes(self, value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False).encode()

    def _from_bytes(self, data: bytes) -> Any:
        return json.loads(data)

    def _from_plain(self, value: Any) -> Any:
        if value is None:
            return None
        if value in ("[]", "{}"):
            return json.loads(value)
        raise KeyLost(keys.CHANGED)

    def _empty(self) -> Any:
        return self.get_default()


class SealedBytesField(SealedTextField):
    """Bytes, sealed, kept as text. ``None`` and no bytes stand as they are."""

    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def to_words(self, value: Any) -> str:
        return bytes(value).decode(errors="replace")

    def _is_empty(self, value: Any) -> bool:
        return value is None or value == b""

    def _plain(self, value: Any) -> Any:
        return "" if value == b"" else value

    def get_prep_value(self, value: Any) -> Any:
        return "" if value == b"" else super().get_prep_value(value)

    def _to_bytes(self, value: Any) -> bytes:
        return bytes(value)

    def _from_bytes(self, data: bytes) -> Any:
        return data

    def _from_plain(self, value: Any) -> Any:
        if value is None:
            return None
        if value == "":
            return b""
        raise KeyLost(keys.CHANGED)

    def _empty(self) -> Any:
        return None if self.null else b""


def sealed_values(
    row: models.Model, values: Mapping[str, Any], *, subject: str = ""
) -> dict[str, Any]:
    """``values`` of a row's columns for ``QuerySet.update``: those of sealed columns sealed, the
    others as they are. Part of the caller's transaction.

    ``subject`` is whom or what they are kept under where it is not the row's own, as where one
    update writes many rows; ``row`` may then be an empty one.
    """
    ready = {}
    for name, value in values.items():
        column = row._meta.get_field(name)  # noqa: SLF001 - Django's documented way
        if isinstance(column, SealedTextField):
            needs_none = column._is_ready(value)  # noqa: SLF001 - of this module
            mine = "" if needs_none else subject or row.sealed_for  # type: ignore[attr-defined]
            value = column.seal(mine, value)  # noqa: PLW2901 - the same value, sealed
        ready[name] = value
    return ready


def update_sealed(row: models.Model, values: Mapping[str, Any], *more: models.Q) -> bool:
    """Write ``values`` to a row in the database, if it still fulfils each of ``more``, in a
    transaction of its own or the caller's; whether it did. ``row`` itself is left as it is.
    """
    mine = type(row)._default_manager.filter(*more, pk=row.pk)  # noqa: SLF001 - any model
    if not _needs_key(row, values):
        return mine.update(**sealed_values(row, values)) == 1
    with transaction.atomic(savepoint=False):
        return mine.update(**sealed_values(row, values)) == 1


def _needs_key(row: models.Model, values: Mapping[str, Any]) -> bool:
    return any(
        isinstance(column := row._meta.get_field(name), SealedTextField)  # noqa: SLF001
        and not column._is_ready(value)  # noqa: SLF001 - of this module
        for name, value in values.items()
    )


def list_openable(rows: models.QuerySet[Row]) -> list[Row]:
    """The rows of a query, but for those of which something sealed does not open: somebody changed
    them, and they must not keep the others back. They are told of in the log.
    """
    try:
        return list(rows)
    except KeyLost:
        found: list[Row] = []
        whole = rows.all()
        whole.query.clear_limits()
        for pk in list(rows.values_list("pk", flat=True)):
            try:
                found += whole.filter(pk=pk)
            except KeyLost as wrong:
                log.critical("%s %s does not open: %s", rows.model.__name__, pk, wrong)
        return found


def forget(subject: str, now: datetime) -> None:
    """Destroy the key of somebody about whom nothing is kept any more. Part of the transaction that
    blanks what was.
    """
    keys.destroy_subject(subject, now)


def is_erased(value: object) -> bool:
    """Whether a text that was read is what reading gives once its key is destroyed."""
    return isinstance(value, ErasedText)


def seal_file(subject: str, place: str, data: bytes) -> bytes:
    """What to keep of ``data`` in a file: sealed for ``place`` under the key of ``subject``. Part
    of the transaction that keeps the row which the file belongs to.
    """
    number, key = keys.live_key(subject, datetime.now(UTC))
    return f"{FORM}.{number}.".encode() + keys.seal(key, place, data)


def open_file(place: str, sealed: bytes) -> bytes | None:
    """What :func:`seal_file` sealed for ``place``; ``None`` once its key is destroyed. Raises
    ``folkmoot.ledger.KeyLost`` for anything else.
    """
    form, _, rest = sealed.partition(b".")
    number, _, blob = rest.partition(b".")
    if form != FORM.encode() or not number.isdigit():
        raise KeyLost(keys.CHANGED)
    return keys.unseal([(int(number), place, blob)])[0]


def seal_rows(
    model: Any, columns: Mapping[str, str], subject_of: Callable[[Any], str], *needed: str
) -> None:
    """Seal what the plain columns of a table hold: for migrations, in whose state ``model`` is.

    ``columns`` maps each sealed column to the plain one it takes over from; ``needed`` are the
    further columns, or ways over foreign keys, that ``subject_of`` looks at in a row (a dict).
    """
    now = datetime.now(UTC)
    sealed = {name: model._meta.get_field(name) for name in columns}  # noqa: SLF001
    start = 0
    while batch := list(
        model.objects.filter(pk__gt=start)
        .order_by("pk")
        .values("pk", *columns.values(), *needed)[:BATCH]
    ):
        start = batch[-1]["pk"]
        held = keys.live_keys({subject_of(row) for row in batch}, now)
        for row in batch:
            ready = {
                name: row[plain]
                if sealed[name]._is_ready(row[plain])  # noqa: SLF001 - of this module
                else sealed[name].seal_under(*held[subject_of(row)], row[plain])
                for name, plain in columns.items()
            }
            model.objects.filter(pk=row["pk"]).update(**ready)


def sealed_columns() -> Iterator[SealedTextField]:
    """Every sealed column of the desk, in the order of its tables."""
    for model in apps.get_models():
        for column in model._meta.concrete_fields:  # noqa: SLF001 - Django's documented way
            if isinstance(column, SealedTextField):
                yield column


def _split(value: str) -> tuple[int, bytes]:
    try:
        _form, number, body = value.split(".", 2)
        return int(number), base64.urlsafe_b64decode(body)
    except ValueError as wrong:
        raise KeyLost(keys.CHANGED) from wrong
