"""What the commitments of an entry stand for: sealed when it is left, opened to be shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from folkmoot.ledger import SALT_BYTES, Field, KeyLost, SubjectKey
from folkmoot.ledger import Entry as Leaf

from . import keys, models


def keep(
    entry_id: str,
    fields: Sequence[Field],
    *,
    subject: str,
    about: Mapping[str, str],
    public: Collection[str],
    now: datetime,
) -> None:
    """Keep the openings of an entry's fields, each sealed under the key of whom ``about`` names for
    its label, else of ``subject``. Part of the caller's transaction.
    """
    if not fields:
        return
    held = keys.live_keys([about.get(one.label, subject) for one in fields], now)
    rows = []
    for one in fields:
        number, key = held[about.get(one.label, subject)]
        rows.append(
            models.FieldValue(
                entry_id=entry_id,
                label=one.label,
                key_id=number,
                sealed=seal_field(key, entry_id, one),
                public=one.label in public,
            )
        )
    models.FieldValue.objects.bulk_create(rows)


def seal_field(key: SubjectKey, entry_id: str, one: Field) -> bytes:
    """A field's salt and text, sealed for its place. The salt is nowhere else."""
    return keys.seal(key, place_of(entry_id, one.label), one.salt + one.value.encode())


def open_values(rows: Iterable[models.FieldValue]) -> list[Field | None]:
    """What each row holds, in their order; ``None`` where it was erased.

    Raises :class:`KeyLost` where one was changed, or its key is not here.
    """
    mine = list(rows)
    live = [row for row in mine if row.erased_at is None]
    blobs = keys.unseal(
        [(row.key_id, place_of(row.entry_id, row.label), bytes(row.sealed)) for row in live]
    )
    opened = {row.pk: _to_field(row.label, blob) for row, blob in zip(live, blobs, strict=True)}
    return [opened.get(row.pk) for row in mine]


def read_leaf(leaf: str) -> Leaf:
    """The entry that a row holds. Raises ``folkmoot.ledger.EntryError`` where it was changed."""
    return Leaf.from_bytes(leaf.encode())


def text_of(blob: bytes | None) -> str | None:
    """A field's text alone, from what was sealed; ``None`` where it was erased."""
    field = _to_field("", blob)
    return None if field is None else field.value


def place_of(entry_id: str, label: str) -> str:
    """Where a field's opening is kept, as what is sealed there knows it."""
    return f"{entry_id}/{label}"


def _to_field(label: str, blob: bytes | None) -> Field | None:
    if blob is None:
        return None
    try:
        return Field(label, blob[SALT_BYTES:].decode(), blob[:SALT_BYTES])
    except UnicodeDecodeError as wrong:
        raise KeyLost(keys.CHANGED) from wrong
