"""What of the record goes into a bag: finding entries, and taking them with their proofs.

For rooms above that hand the record out. They say what is wanted by opaque ids and times; whether
whoever asks may see it is for them to decide.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from folkmoot.ledger import Entry as Leaf
from folkmoot.ledger import Field, NoteError, Tree, open_note

from . import erasing, heads, models, values
from .log import TableTiles, log_verifiers
from .log import log_keys as all_log_keys
from .queries import NoSuchEntry, get_proof
from .reading import Recorded, read_rows

BATCH = 500
_TILES_KEPT = 1_024  # at most 8 MiB


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries of an organisation are meant: those that fit everything that is given.

    ``subjects`` are as entries name them (``post/12``); ``None`` is for all, and an empty
    collection for none at all. ``until_at`` is not included.
    """

    kinds: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    subjects: Collection[str] | None = None
    actor: str = ""
    entry_ids: Collection[str] | None = None
    from_at: datetime | None = None
    until_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """An entry as it is found, with its class of records."""

    entry: Recorded
    retention: str


@dataclass(frozen=True, slots=True)
class Taken:
    """An entry with the openings of all its fields that can still be read, and its proof."""

    entry: Leaf
    index: int
    path: tuple[bytes, ...]
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """A signed head as it is published, over ``size`` entries, with the public keys of all that
    signed it: the log's first, then the witnesses'.
    """

    note: str
    size: int
    keys: tuple[str, ...]


def search(
    organisation: str, wanted: Wanted, *, words: str = "", page: int = 1, size: int = 25
) -> tuple[list[Found], bool]:
    """The entries of a body that are wanted, newest first, ``size`` at a time, with every field;
    and whether there are more. ``words`` keeps those with a field that holds it, without regard to
    case, width and spacing. Entries that the sequencer has not taken yet are left out.
    """
    rows = _rows(organisation, wanted).order_by("-index")
    start = (max(page, 1) - 1) * size
    if not words.strip():
        found = _found(list(rows[start : start + size + 1]))
        return found[:size], len(found) > size
    # Nothing is indexed: an index of words would be one more copy of what may have to be erased.
    folded, kept = erasing.fold(words), list[Found]()
    for batch in _newest_first(rows):
        kept += [
            one
            for one in _found(batch)
            if any(folded in erasing.fold(value) for value in one.entry.fields.values())
        ]
        if len(kept) > start + size:
            break
    return kept[start : start + size], len(kept) > start + size


def list_ids(organisation: str, wanted: Wanted) -> list[str]:
    """The ids of all the entries of a body that are wanted, oldest first."""
    rows = _rows(organisation, wanted).order_by("index")
    return list(rows.values_list("entry_id", flat=True))


def list_kinds(organisation: str) -> list[str]:
    """The kinds of entries that a body has, in the order of the alphabet."""
    rows = models.Entry.objects.filter(organisation=organisation)
    return list(rows.order_by("kind").values_list("kind", flat=True).distinct())


def read(organisation: str, entry_ids: Collection[str]) -> Iterator[Found]:
    """These entries of a body with every field, oldest first. Ids of no entry are left out."""
    for batch in _oldest_first(organisation, entry_ids):
        yield from _found(batch)


def get(organisation: str, entry_id: str) -> Found:
    """An entry of a body with every field. Raises :class:`~.queries.NoSuchEntry`."""
    for one in read(organisation, [entry_id]):
        return one
    raise NoSuchEntry("There is no such entry.")


def get_whole_proof(organisation: str, entry_id: str) -> str:
    """The proof of an entry of a body as a ``.tlog-proof`` text that discloses every field.

    Raises what :func:`~.queries.get_proof` does.
    """
    get(organisation, entry_id)
    return get_proof(entry_id, public_only=False)


def find_head(over: int) -> Head | None:
    """The head to prove the entry of this number by, and all before it: the newest that a witness
    cosigned, else the newest; ``None`` while none covers it.

    Raises ``folkmoot.ledger.NoteError`` where none of the log's own keys signed it.
    """
    head = heads.best_over(over)
    if head is None:
        return None
    keys = (_signing_key(head.note), *heads.witnesses_of(head))
    return Head(heads.published(head), head.size, keys)


def _signing_key(note: str) -> str:
    for verifier in log_verifiers():
        try:
            open_note(note, [verifier])
        except NoteError:
            continue
        return verifier.vkey
    raise NoteError("A head of the record is signed by none of its own keys.")


def find_last_index(organisation: str, entry_ids: Collection[str]) -> int | None:
    """The highest number in the log of these entries."""
    numbers = [row.index for batch in _oldest_first(organisation, entry_ids) for row in batch]
    return max(numbers, default=None)


def take(organisation: str, entry_ids: Collection[str], size: int) -> Iterator[Taken]:
    """These entries of a body, oldest first, with proofs under the head of ``size`` entries.

    Raises ValueError where one is not under that head, ``folkmoot.ledger.LedgerError`` where what
    is kept of one was changed or cannot be read, and ``folkmoot.ledger.KeyLost`` of it where a key
    is missing. A bag is not written from a record that does not hold.
    """
    tree = Tree(_KeptTiles(), size)
    for batch in _oldest_first(organisation, entry_ids):
        fields: dict[str, list[Field]] = {}
        kept = list(
            models.FieldValue.objects.filter(entry_id__in=[row.entry_id for row in batch]).order_by(
                "pk"
            )
        )
        for value, field in zip(kept, values.open_values(kept), strict=True):
            if field is not None:
                fields.setdefault(value.entry_id, []).append(field)
        for row in batch:
            yield Taken(
                values.read_leaf(row.leaf),
                row.index,
                tuple(tree.inclusion_proof(row.index, size)),
                tuple(fields.get(row.entry_id, ())),
            )


def log_keys() -> tuple[str, ...]:
    """The public keys that a stranger needs to check a head: the log's, the current one first."""
    return all_log_keys()


def was_erased_since(entry_ids: Collection[str], since: datetime) -> bool:
    """Whether a field of any of these entries was erased after ``since``."""
    ids = list(entry_ids)
    return any(
        models.FieldValue.objects.filter(
            entry_id__in=ids[start : start + BATCH], erased_at__gt=since
        ).exists()
        for start in range(0, len(ids), BATCH)
    )


def public_labels(entry_ids: Collection[str]) -> dict[str, frozenset[str]]:
    """The labels that anyone may see on the register, by entry."""
    shown: dict[str, set[str]] = {}
    ids = list(entry_ids)
    for start in range(0, len(ids), BATCH):
        rows = models.FieldValue.objects.filter(
            entry_id__in=ids[start : start + BATCH], public=True
        ).values_list("entry_id", "label")
        for entry_id, label in rows:
            shown.setdefault(entry_id, set()).add(label)
    return {entry_id: frozenset(labels) for entry_id, labels in shown.items()}


class _KeptTiles(TableTiles):
    """The log's tiles, those read last kept: proofs of entries beside each other share most."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, int], bytes] = OrderedDict()

    def read_tile(self, level: int, index: int) -> bytes:
        place = level, index
        if place not in self._kept:
            self._kept[place] = super().read_tile(level, index)
            if len(self._kept) > _TILES_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(place)
        return self._kept[place]


def _rows(organisation: str, wanted: Wanted) -> QuerySet[models.Entry]:
    rows = models.Entry.objects.filter(organisation=organisation)
    if wanted.kinds:
        rows = rows.filter(kind__in=wanted.kinds)
    if wanted.classes:
        rows = rows.filter(retention__in=wanted.classes)
    if wanted.subjects is not None:
        rows = rows.filter(_among("subject", wanted.subjects))
    if wanted.entry_ids is not None:
        rows = rows.filter(_among("entry_id", wanted.entry_ids))
    if wanted.actor:
        # The leaf is canonical JSON, so that an actor stands in it in exactly one way.
        rows = rows.filter(leaf__contains=f'"actor":"{wanted.actor}"')
    if wanted.from_at is not None:
        rows = rows.filter(at__gte=wanted.from_at)
    if wanted.until_at is not None:
        rows = rows.filter(at__lt=wanted.until_at)
    return rows


def _among(column: str, wanted: Collection[str]) -> Q:
    """That a column is one of many: in pieces, as databases take only so many at a time."""
    ids = sorted(wanted)
    among = Q(pk__in=[])
    for start in range(0, len(ids), BATCH):
        among |= Q(**{f"{column}__in": ids[start : start + BATCH]})
    return among


def _newest_first(rows: QuerySet[models.Entry]) -> Iterator[list[models.Entry]]:
    last: int | None = None
    while batch := list((rows if last is None else rows.filter(index__lt=last))[:BATCH]):
        last = batch[-1].index
        yield batch


def _oldest_first(organisation: str, entry_ids: Collection[str]) -> Iterator[list[models.Entry]]:
    """Rows of these entries in batches, in the order of the log."""
    numbers: list[int] = []
    ids = list(dict.fromkeys(entry_ids))
    for start in range(0, len(ids), BATCH):
        mine = models.Entry.objects.filter(
            organisation=organisation, entry_id__in=ids[start : start + BATCH]
        )
        numbers += mine.values_list("index", flat=True)
    numbers.sort()
    for start in range(0, len(numbers), BATCH):
        wanted = numbers[start : start + BATCH]
        yield list(models.Entry.objects.filter(index__in=wanted).order_by("index"))


def _found(rows: Sequence[models.Entry]) -> list[Found]:
    return [
        Found(entry, row.retention)
        for row, entry in zip(rows, read_rows(list(rows), public_only=False), strict=True)
    ]
