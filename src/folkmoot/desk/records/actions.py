"""Writing the record: leave an entry, put entries in order, sign the head."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from django.db import connection, transaction

from folkmoot.ledger import (
    HASH_BYTES,
    TILE_WIDTH,
    LedgerError,
    TileError,
    Tree,
    leaf_hashes,
    seal,
)

from . import anchoring, models, values
from .classes import class_of
from .log import log_tree, signs_here
from .queries import find_entry_id
from .sequencing import check_waiting, move_into_log
from .signing import be_the_only_sequencer, keep_refusal, sign

BATCH = 1_000


class NotInTransaction(Exception):
    """An entry must be left in the transaction of the change it tells of."""


def record(  # the header's fields, each named
    kind: str,
    *,
    at: datetime,
    organisation: str,
    actor: str,
    role: str,
    subject: str,
    fields: Mapping[str, str] | None = None,
    about: Mapping[str, str] | None = None,
    public: Iterable[str] = (),
    links: tuple[str, ...] = (),
    once: str | None = None,
) -> str:
    """Leave an entry in the caller's transaction; answers its id.

    ``kind`` is past tense (``draft.sent_back``). ``organisation``, ``actor`` and ``subject`` are
    opaque ids. ``fields`` maps a label to text, which may be personal: the entry holds only a
    salted commitment to it, and the text is sealed under the key of ``subject``, so that it can be
    erased; ``about`` names another subject for the labels that are about somebody else. ``public``
    names the fields anyone may see on the register. ``once`` makes a repeated call with the same
    key answer the first entry's id and leave nothing.

    Raises :class:`NotInTransaction` outside a transaction: a change could then be kept and its
    entry lost.
    """
    if not connection.in_atomic_block:
        raise NotInTransaction(f"{kind} was to be recorded outside a transaction.")
    if once is not None and (found := find_entry_id(once)) is not None:
        return found
    entry, sealed = seal(
        id=secrets.token_hex(16),
        kind=kind,
        at=at,
        organisation=organisation,
        actor=actor,
        role=role,
        subject=subject,
        links=links,
        retention=class_of(kind),
        fields=dict(fields or {}),
        salts=lambda: secrets.token_bytes(32),
    )
    shown = frozenset(public)
    models.Intent.objects.create(
        entry_id=entry.id,
        once=once,
        leaf=entry.to_bytes().decode(),
        subject=subject,
        public=bool(shown),
        made_at=at,
    )
    values.keep(entry.id, sealed, subject=subject, about=about or {}, public=shown, now=at)
    return entry.id


def withhold(entry_id: str, labels: Iterable[str]) -> tuple[str, ...]:
    """Show these fields of an entry to the public no more; which of them were shown until now.

    The entry and its commitments stay, so nothing else about it can be changed by this. Part of
    the caller's transaction, which leaves the entry that says so.
    """
    shown = models.FieldValue.objects.filter(entry_id=entry_id, label__in=list(labels), public=True)
    found = tuple(sorted(shown.values_list("label", flat=True)))
    shown.update(public=False)
    return found


def sequence(now: datetime) -> int:
    """Put every waiting entry into the log and sign its head; how many entries were taken.

    Index, leaf and tiles are written in one durable transaction; the head is signed after it, where
    the worker signs (:func:`.signing.sign`). Damage to the log itself is kept as a refusal. Safe to
    call from several workers: one at a time gets the lock, the others find nothing left.
    """
    taken = 0
    try:
        # Asked outside a transaction: on SQLite each transaction takes the write lock.
        while models.Intent.objects.exists():
            taken += _sequence_batch()
    except LedgerError as damaged:
        keep_refusal(str(damaged), now)
        return taken
    if signs_here():
        sign(now)
    return taken


def anchor(clock: Callable[[], datetime], post: anchoring.Post) -> int:
    """Have the newest head kept by those outside who are owed it; how many of them took it."""
    return anchoring.ask_all(clock, post, _tell_dispute)


def _tell_dispute(witness: str, said: str, now: datetime) -> None:
    record(
        "witness.disputed",
        at=now,
        organisation="",
        actor="",
        role="worker",
        subject="ledger",
        fields={"witness": witness, "said": said},
    )


@transaction.atomic
def _sequence_batch() -> int:
    be_the_only_sequencer()
    waiting = list(
        models.Intent.objects.order_by("pk").values_list(
            "pk", "leaf", "entry_id", "subject", "made_at"
        )[:BATCH]
    )
    entries = check_waiting(waiting)
    tree = log_tree()
    _refuse_lost_entries(tree)
    first = tree.size
    tree.append(leaf_hashes(entries))
    move_into_log([number for number, *_ in waiting], first)
    return len(waiting)


def _refuse_lost_entries(tree: Tree) -> None:
    """Raise TileError where the tiles are of more entries than there are. They are written in one
    transaction, so that only loss explains it; new entries must not take the places of old ones.
    """
    index, width = divmod(tree.size, TILE_WIDTH)
    held = len(tree.store.read_tile(0, index)) // HASH_BYTES
    if held > width:
        raise TileError(
            f"The record has {tree.size} entries, but its tiles are of at least "
            f"{index * TILE_WIDTH + held}: entries are gone. Nothing was put into the record. "
            "Bring back the newer database, or what is missing from a mirror."
        )
