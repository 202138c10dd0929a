"""Reading the record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from folkmoot.ledger import Entry as Leaf
from folkmoot.ledger import Field, make_proof

from . import models
from .log import log_tree, signer

PAGE = 25


class NoSuchEntry(Exception):
    """No entry has this id, or it has nothing that anyone may see."""


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


def list_public(
    organisation: str, kind: str, *, page: int = 1, words: str = ""
) -> tuple[list[Recorded], bool]:
    """Public entries of this kind, newest first, ``PAGE`` at a time; and whether there are more.
    ``words`` keeps those whose public fields contain it.
    """
    rows = models.Entry.objects.filter(organisation=organisation, kind=kind, public=True)
    if words:
        rows = rows.filter(
            entry_id__in=models.FieldValue.objects.filter(
                public=True, value__icontains=words
            ).values("entry_id")
        )
    start = (max(page, 1) - 1) * PAGE
    found = list(rows.order_by("-index")[start : start + PAGE + 1])
    return _with_fields(found[:PAGE], public_only=True), len(found) > PAGE


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


def list_history(subject: str) -> list[Recorded]:
    """Everything recorded of one subject, oldest first, with all fields: for staff who may see
    the subject. Entries the sequencer has not taken yet come last, without an index.
    """
    rows: list[models.Entry | models.Intent] = list(
        models.Entry.objects.filter(subject=subject).order_by("index")
    )
    rows += [
        intent
        for intent in models.Intent.objects.order_by("pk")
        if Leaf.from_bytes(intent.leaf.encode()).subject == subject
    ]
    return _with_fields(rows, public_only=False)


def get_proof(entry_id: str, *, public_only: bool = True) -> str:
    """The proof of an entry as a ``.tlog-proof`` text, disclosing its public fields (or all).

    Raises :class:`NoSuchEntry`, and :class:`NotYetSigned` in the moment before it is in a signed
    head.
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
    values = models.FieldValue.objects.filter(entry_id=entry_id)
    if public_only:
        values = values.filter(public=True)
    return make_proof(
        Leaf.from_bytes(row.leaf.encode()),
        [Field(v.label, v.value, bytes.fromhex(v.salt)) for v in values],
        index=row.index,
        path=log_tree().inclusion_proof(row.index, head.size),
        checkpoint=head.note,
        vkey=signer().vkey,
    )


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
    return signer().vkey


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
    values: dict[str, list[models.FieldValue]] = {}
    for value in models.FieldValue.objects.filter(
        entry_id__in=[row.entry_id for row in rows]
    ).order_by("pk"):
        values.setdefault(value.entry_id, []).append(value)
    recorded = []
    for row in rows:
        leaf = Leaf.from_bytes(row.leaf.encode())
        mine = values.get(row.entry_id, [])
        shown = {v.label: v.value for v in mine if v.public or not public_only}
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
                tuple(sorted(set(leaf.commitments) - set(shown))),
            )
        )
    return recorded
