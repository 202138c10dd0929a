"""Reading the record."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from folkmoot.ledger import Entry as Leaf
from folkmoot.ledger import (
    EntryError,
    Field,
    KeyLost,
    LedgerError,
    Verifier,
    make_proof,
    open_note,
)

from . import models, values
from .log import log_keys, log_tree, log_verifiers

log = logging.getLogger(__name__)

PAGE = 25
SCAN = 500
DAMAGED = (
    "What this site now holds of the entry does not fit what was signed: it was changed since, or "
    "part of the record is lost. No proof of it can be given. Tell the body that keeps the record."
)


class NoSuchEntry(Exception):
    """No entry has this id, or it has nothing that anyone may see."""


class DamagedEntry(Exception):
    """What is kept of an entry no longer fits what was signed."""


class NotYetSigned(Exception):
    """The entry is in the outbox or the head above it has not been signed yet."""


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
    damaged: bool = False
    """Its header or a value was changed since it was left; then no value of it is shown."""


def list_public(
    organisation: str, kind: str, *, page: int = 1, words: str = ""
) -> tuple[list[Recorded], bool]:
    """Public entries of this kind, newest first, ``PAGE`` at a time; and whether there are more.
    ``words`` keeps those whose public fields contain it.
    """
    rows = models.Entry.objects.filter(organisation=organisation, kind=kind, public=True)
    start = (max(page, 1) - 1) * PAGE
    if not words:
        found = list(rows.order_by("-index")[start : start + PAGE + 1])
        return _with_fields(found[:PAGE], public_only=True), len(found) > PAGE
    # Values are sealed: an index of their words would be a second copy of what may have to be
    # erased. So they are opened and read, newest first, until the page is full.
    said: list[Recorded] = []
    for batch in _batches(rows.order_by("-index")):
        said += [one for one in _with_fields(batch, public_only=True) if _has_words(one, words)]
        if len(said) > start + PAGE:
            break
    return said[start : start + PAGE], len(said) > start + PAGE


def _has_words(entry: Recorded, words: str) -> bool:
    folded = words.casefold()
    return any(folded in value.casefold() for value in entry.fields.values())


def _batches(rows: QuerySet[models.Entry]) -> Iterator[list[models.Entry]]:
    for start in itertools.count(0, SCAN):
        batch = list(rows[start : start + SCAN])
        if not batch:
            return
        yield batch


def get_public(organisation: str, entry_id: str) -> Recorded:
    """A public entry. Raises :class:`NoSuchEntry` if this organisation has none of this id."""
    row = models.Entry.objects.filter(
        organisation=organisation, entry_id=entry_id, public=True
    ).first()
    if row is None:
        raise NoSuchEntry("There is no such entry on the register.")
    return _with_fields([row], public_only=True)[0]


def list_related(entry: Recorded) -> list[Recorded]:
    """The other public entries about the same subject, oldest first."""
    rows = (
        models.Entry.objects.filter(subject=entry.subject, public=True)
        .exclude(entry_id=entry.entry_id)
        .order_by("index")
    )
    return _with_fields(list(rows), public_only=True)


def list_followed(entries: Iterable[Recorded]) -> dict[str, Recorded]:
    """By entry, the newest public entry that says it was corrected or taken down since."""
    shown = list(entries)
    rows = models.Entry.objects.filter(
        subject__in={entry.subject for entry in shown},
        kind__in=["post.corrected", "post.removed"],
        public=True,
    ).order_by("index")
    notes = _with_fields(list(rows), public_only=True)
    return {
        entry.entry_id: note
        for entry in shown
        for note in notes
        if (note.subject, note.fields.get("account"))
        == (entry.subject, entry.fields.get("account"))
    }


def list_history(subject: str) -> list[Recorded]:
    """Everything recorded of one subject, oldest first, with all fields: for staff who may see
    the subject. Entries the sequencer has not taken yet come last, without an index.
    """
    rows: list[models.Entry | models.Intent] = list(
        models.Entry.objects.filter(subject=subject).order_by("index")
    )
    rows += list(models.Intent.objects.filter(subject=subject).order_by("pk"))
    return _with_fields(rows, public_only=False)


def get_proof(entry_id: str, *, public_only: bool = True) -> str:
    """The proof of an entry as a ``.tlog-proof`` text, disclosing its public fields (or all).

    Raises :class:`NoSuchEntry`, :class:`NotYetSigned` in the moment before it is in a signed head,
    and :class:`DamagedEntry` where what is kept makes no proof that holds.
    """
    row = models.Entry.objects.filter(entry_id=entry_id).first()
    if row is None:
        if models.Intent.objects.filter(entry_id=entry_id, public=True).exists():
            raise NotYetSigned("The entry waits for its place in the log. Try again in a moment.")
        raise NoSuchEntry("There is no such entry.")
    head = models.Checkpoint.objects.filter(size__gt=row.index).order_by("-size").first()
    if head is None:
        raise NotYetSigned(
            "The log's head has not been signed since this entry was made. "
            "Try again in a moment; if it stays so, tell the body that keeps it."
        )
    kept = models.FieldValue.objects.filter(entry_id=entry_id)
    if public_only:
        kept = kept.filter(public=True)
    try:
        return _make_proof(row, kept, head)
    except (LedgerError, ValueError) as wrong:
        log.critical("Entry %s cannot be proved: %s", entry_id, wrong)
        raise DamagedEntry(DAMAGED) from wrong


def _make_proof(
    row: models.Entry, kept: Iterable[models.FieldValue], head: models.Checkpoint
) -> str:
    return make_proof(
        Leaf.from_bytes(row.leaf.encode()),
        [one for one in values.open_values(kept) if one is not None],
        index=row.index,
        path=log_tree().inclusion_proof(row.index, head.size),
        checkpoint=head.note,
        vkey=_who_signed(head.note),
    )


def _who_signed(note: str) -> str:
    """Which of the log's keys signed a head: one before a change of key by the key of that time."""
    signed_by = open_note(note, log_verifiers()).signed_by
    return next(key for key in log_keys() if Verifier.from_text(key) in signed_by)


def find_entry_id(once: str) -> str | None:
    """The entry recorded under this key, whether or not the sequencer has taken it."""
    for table in (models.Intent, models.Entry):
        found = table.objects.filter(once=once).values_list("entry_id", flat=True).first()
        if found:
            return found
    return None


def find_checkpoint() -> str | None:
    """The newest signed head of the log."""
    return models.Checkpoint.objects.order_by("-size").values_list("note", flat=True).first()


def find_refusal() -> str | None:
    """Why the signer will not sign, where it has refused since it last signed."""
    refusal = models.Refusal.objects.order_by("-pk").first()
    if refusal is None or models.Checkpoint.objects.filter(made_at__gt=refusal.made_at).exists():
        return None
    return refusal.reason


def log_key() -> str:
    """The log's public key, as anyone needs it to verify."""
    return log_keys()[0]


def count_waiting() -> int:
    """Entries in the outbox."""
    return models.Intent.objects.count()


def head_size() -> int:
    """Entries under the newest signed head."""
    size = models.Checkpoint.objects.order_by("-size").values_list("size", flat=True).first()
    return size or 0


def _with_fields(
    rows: Sequence[models.Entry | models.Intent], *, public_only: bool
) -> list[Recorded]:
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
        if leaf is None or not _fit(leaf, mine, opened):
            recorded.append(_damaged(row))
            continue
        shown = {
            field.label: field.value
            for value, field in zip(mine, fields, strict=True)
            if field is not None and (value.public or not public_only)
        }
        erased = {value.label for value, field in zip(mine, fields, strict=True) if field is None}
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
                tuple(sorted(set(leaf.commitments) - set(shown) - erased)),
                tuple(sorted(erased)),
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


def _fit(leaf: Leaf, kept: list[models.FieldValue], opened: dict[int, Field | None]) -> bool:
    """Whether all that is kept of an entry is what it was sealed with, or erased."""
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
