"""Reading the record."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.db.models import Q

from folkmoot.ledger import Entry as Leaf
from folkmoot.ledger import LedgerError, Verifier, make_proof, open_note

from . import heads, models, values
from .anchoring import Anchor, list_anchors, list_troubled
from .heads import find_refusal
from .keys import NoEpochKey
from .log import NoLogKey, log_keys, log_tree, log_verifiers
from .reading import Recorded, read_rows
from .signing import find_silence

__all__ = [
    "Anchor",
    "DamagedEntry",
    "NoEpochKey",
    "NoSuchEntry",
    "NotYetSigned",
    "Recorded",
    "count_waiting",
    "find_checkpoint",
    "find_entry_id",
    "find_refusal",
    "find_silence",
    "get_proof",
    "get_public",
    "head_size",
    "list_anchors",
    "list_followed",
    "list_history",
    "list_public",
    "list_related",
    "list_troubled",
    "log_key",
]

log = logging.getLogger(__name__)

CORRECTED, REMOVED = "post.corrected", "post.removed"
FOLLOWING = (CORRECTED, REMOVED)
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


def list_public(organisation: str, kind: str, *, most: int) -> list[Recorded]:
    """Up to ``most`` public entries of this kind, newest first."""
    rows = models.Entry.objects.filter(organisation=organisation, kind=kind, public=True)
    return read_rows(list(rows.order_by("-index")[:most]), public_only=True)


def get_public(organisation: str, entry_id: str) -> Recorded:
    """A public entry, of this organisation or of the record itself. Raises :class:`NoSuchEntry` if
    there is none of this id.

    One that was lost and brought back counts as public: nobody knows any more whether it was, and
    there is nothing left in it to show.
    """
    row = models.Entry.objects.filter(
        Q(public=True) | Q(recovered_at__isnull=False),
        organisation__in=[organisation, ""],
        entry_id=entry_id,
    ).first()
    if row is None:
        raise NoSuchEntry("There is no such entry on the register.")
    return read_rows([row], public_only=True)[0]


def list_related(entry: Recorded) -> list[Recorded]:
    """The other public entries about the same subject, oldest first; none for what is about the
    record itself.
    """
    if entry.subject == "ledger":
        return []
    rows = (
        models.Entry.objects.filter(subject=entry.subject, public=True)
        .exclude(entry_id=entry.entry_id)
        .order_by("index")
    )
    return read_rows(list(rows), public_only=True)


def list_followed(entries: Iterable[Recorded]) -> dict[str, Recorded]:
    """By entry, the newest public entry that says it was corrected or taken down since."""
    shown = list(entries)
    rows = models.Entry.objects.filter(
        subject__in={entry.subject for entry in shown},
        kind__in=FOLLOWING,
        public=True,
    ).order_by("index")
    notes = read_rows(list(rows), public_only=True)
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
    return read_rows(rows, public_only=False)


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
    head = heads.best_over(row.index)
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
    except NoLogKey as away:
        raise NotYetSigned(str(away)) from away
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
        checkpoint=heads.published(head),
        vkey=_who_signed(head.note),
        witnesses=heads.witnesses_of(head),
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
    """The newest signed head of the log, as it is published."""
    head = heads.newest()
    return None if head is None else heads.published(head)


def log_key() -> str:
    """The log's public key, as anyone needs it to verify; empty while it is not here, where a
    signer of its own has it.
    """
    try:
        return log_keys()[0]
    except NoLogKey as away:
        log.warning("%s", away)
        return ""


def count_waiting() -> int:
    """Entries in the outbox."""
    return models.Intent.objects.count()


def head_size() -> int:
    """Entries under the newest signed head."""
    size = models.Checkpoint.objects.order_by("-size").values_list("size", flat=True).first()
    return size or 0
