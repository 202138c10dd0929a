"""Signing the log's head: in the worker on one box, or in a process of its own."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import connection, transaction

from folkmoot.ledger import LedgerError

from . import models
from .heads import find_refusal
from .log import is_remembered, log_size, log_tree, memory, notary, signs_here

log = logging.getLogger(__name__)

# One sequencer at a time: PostgreSQL's advisory locks are numbers; this one spells "moot".
SEQUENCER_LOCK = 0x6D6F6F74
LONGEST_SILENCE = timedelta(minutes=5)
"""Entries that wait longer for a signed head are something that a person must see to."""


def sign(now: datetime) -> bool:
    """Sign the log's head, if it is owed; whether it was signed.

    For whoever may read the log's key. A head the signer refuses is kept as a refusal for staff to
    see, and not published. Where nothing is new, the head is still held against the signer's
    memory: a database brought back from a backup is found out before it goes on.
    """
    if is_signed():
        return False
    with transaction.atomic():
        be_the_only_sequencer()
        tree = log_tree()
        try:
            notary().sign(tree)
            # As it is remembered, so that a head keeps the signature it was published with.
            note = memory().read_text(encoding="utf-8")
        except (LedgerError, OSError) as refused:
            keep_refusal(str(refused), now)
            return False
        # Signed again after a refusal, its time is that of this signing: it ends the refusal.
        models.Checkpoint.objects.update_or_create(
            size=tree.size, defaults={"note": note, "made_at": now}
        )
    return True


def is_signed() -> bool:
    """Whether the log's head is signed and is the one the signer remembers."""
    size = log_size()
    kept = models.Checkpoint.objects.filter(size=size).values_list("note", flat=True).first()
    return size == 0 or (kept is not None and is_remembered(kept) and find_refusal() is None)


def find_silence(now: datetime) -> str | None:
    """Why entries wait for a signed head, where they have for long and no signer says why."""
    size = log_size()
    head = models.Checkpoint.objects.order_by("-size").values_list("size", flat=True).first() or 0
    if size <= head or find_refusal() is not None:
        return None
    oldest = models.Entry.objects.filter(index=head).values_list("at", flat=True).first()
    if oldest is None or now - oldest < LONGEST_SILENCE:
        return None
    where = "The worker" if signs_here() else "The signer, which runs apart from the worker,"
    return (
        f"{size - head} entries of the record wait for a signed head, the oldest of {oldest:%H:%M} "
        f"UTC on {oldest:%Y-%m-%d}. {where} does not sign, and has not said why."
    )


def keep_refusal(reason: str, now: datetime) -> None:
    """Keep why nothing was signed, for staff to see."""
    if find_refusal() != reason:
        models.Refusal.objects.create(reason=reason, made_at=now)
        log.critical("The head of the record was not signed: %s", reason)


def be_the_only_sequencer() -> None:
    """Hold the sequencer's lock until the transaction ends. SQLite's IMMEDIATE already does."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEQUENCER_LOCK])
