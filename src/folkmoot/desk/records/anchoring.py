"""Anchors: what others, whom we cannot rewrite, keep of the record's heads.

Witnesses cosign a head after seeing that it begins with the last one they cosigned (C2SP
tlog-witness); a time stamp service signs that it saw a head at a time (RFC 3161). Only heads leave:
a size, a hash and a signature. Nothing waits for an anchor; one that cannot be had for a day, or
that contradicts us, is for a person to see.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction

from folkmoot.ledger import (
    LedgerError,
    Tree,
    Witness,
    WitnessRefused,
    ask_witness,
)
from folkmoot.ledger.stamping import QUERY_TYPE, fetch_stamp

from . import heads, models
from .log import TableTiles

log = logging.getLogger(__name__)

DAY = timedelta(days=1)
STAMP_AGAIN = timedelta(hours=1)
"""After a time stamp could not be had, it is asked for again so much later."""
NOTE_TYPE = "text/plain; charset=utf-8"

Post = Callable[[str, bytes, str], tuple[int, str, bytes]]
"""Posts a body to an address, under a content type; gives back the answer's status, content type
and body. Raises :class:`CannotAsk`."""
Tell = Callable[[str, str, datetime], object]
"""Leaves the entry that a witness, by its public key, holds another history, and what it said."""


class CannotAsk(Exception):
    """There was no answer. A sentence."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """How it goes with one witness or time stamp service."""

    name: str
    """What people call it: a witness's name, or the service's address."""
    url: str
    is_witness: bool
    vkey: str
    """A witness's public key; empty for a time stamp service."""
    size: int
    """Entries of the last head that it answered for; 0 for none."""
    done_at: datetime | None
    trouble: str
    troubled_at: datetime | None
    disputed: bool


def ask_all(clock: Callable[[], datetime], post: Post, tell: Tell) -> int:
    """Ask those witnesses and the time stamp service that are owed a head; how many answered.

    Each witness at most so often a day as is set, the service once a day. Safe to call from
    several workers: one of them asks. ``tell`` leaves the entry of a witness that holds another
    history.
    """
    if not settings.CONFIG.witnesses and not settings.CONFIG.timestamps:
        return 0
    head = heads.newest()
    if head is None or head.size == 0:
        return 0
    done = 0
    pause = DAY / settings.CONFIG.witness_asks
    for vkey, url in settings.CONFIG.witnesses:
        held = _hold(vkey, head, clock(), pause=pause, after_done=pause)
        if held is not None:
            done += _ask(held, partial(_cosign, held, vkey, url, head, post), clock(), tell)
    if url := settings.CONFIG.timestamps:
        held = _hold(url, head, clock(), pause=STAMP_AGAIN, after_done=DAY)
        if held is not None:
            done += _ask(held, partial(_stamp, url, head, post), clock(), tell)
    return done


def list_anchors() -> list[Anchor]:
    """The witnesses and the time stamp service that are set, and how each of them does."""
    held = {row.name: row for row in models.Anchor.objects.all()}
    found = []
    for vkey, url in settings.CONFIG.witnesses:
        found.append(_tell(held.get(vkey), vkey.partition("+")[0], url, vkey))
    if url := settings.CONFIG.timestamps:
        found.append(_tell(held.get(url), url, url, ""))
    return found


def list_troubled(now: datetime) -> list[Anchor]:
    """Those that a person must see to: in trouble for a day, or holding another history than we."""
    return [
        one
        for one in list_anchors()
        if one.trouble
        and (one.disputed or (one.troubled_at is not None and now - one.troubled_at >= DAY))
    ]


def _tell(row: models.Anchor | None, name: str, url: str, vkey: str) -> Anchor:
    row = row or models.Anchor(name=vkey or url)
    return Anchor(
        name=name,
        url=url,
        is_witness=bool(vkey),
        vkey=vkey,
        size=row.size,
        done_at=row.done_at,
        trouble=row.trouble,
        troubled_at=row.troubled_at,
        disputed=row.disputed,
    )


def _hold(
    name: str, head: models.Checkpoint, now: datetime, *, pause: timedelta, after_done: timedelta
) -> models.Anchor | None:
    """The anchor, for whoever may ask it now; ``None`` where nothing is owed or another asks."""
    row, _ = models.Anchor.objects.get_or_create(name=name)
    if row.size >= head.size:
        return None
    if row.asked_at is not None and now - row.asked_at < pause:
        return None
    if row.done_at is not None and now - row.done_at < after_done:
        return None
    mine = models.Anchor.objects.filter(pk=name, asked_at=row.asked_at).update(asked_at=now)
    return row if mine else None


def _ask(row: models.Anchor, act: Callable[[], int], now: datetime, tell: Tell) -> int:
    """Ask, and keep how it went; 1 where it answered."""
    disputed = False
    try:
        size = act()
    except WitnessRefused as refused:
        trouble, disputed = str(refused), refused.disputed
    except (CannotAsk, LedgerError, OSError) as wrong:
        trouble = str(wrong)
    else:
        models.Anchor.objects.filter(pk=row.pk).update(
            size=size, done_at=now, trouble="", troubled_at=None, disputed=False
        )
        return 1
    log.warning("The record's head is not anchored with %s: %s", row.name, trouble)
    with transaction.atomic():
        models.Anchor.objects.filter(pk=row.pk).update(
            trouble=trouble, troubled_at=row.troubled_at or now, disputed=disputed
        )
        if disputed and not row.disputed:
            tell(row.name, trouble, now)
    return 0


def _cosign(row: models.Anchor, vkey: str, url: str, head: models.Checkpoint, post: Post) -> int:
    cosignature = ask_witness(
        lambda where, body: post(where, body, NOTE_TYPE),
        url,
        Witness.from_text(vkey),
        tree=Tree(TableTiles(), head.size),
        checkpoint=head.note,
        old_size=row.size,
    )
    models.Cosignature.objects.update_or_create(
        size=head.size, witness=vkey, defaults={"line": cosignature.line, "at": cosignature.at}
    )
    return head.size


def _stamp(url: str, head: models.Checkpoint, post: Post) -> int:
    file = settings.CONFIG.timestamps_root
    if file is None:
        raise CannotAsk("No root certificate is set for the time stamp service.")
    roots = file.read_bytes()
    token, stamp = fetch_stamp(
        lambda where, body: post(where, body, QUERY_TYPE), url, head.note.encode(), roots
    )
    models.Stamp.objects.get_or_create(
        size=head.size, authority=url, defaults={"token": token, "at": stamp.at}
    )
    return head.size
