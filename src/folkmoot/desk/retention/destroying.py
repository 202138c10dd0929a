"""Destroying what two people agreed to: a little in each transaction, then the epoch is rolled.

Killed anywhere it goes on where it was: each entry or value is whole or gone, what is gone is
noted in the same transaction, and the epoch is rolled before anything is called done.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import Model, QuerySet

from folkmoot.desk.drafts.queries import list_pictures_only_of
from folkmoot.desk.people.queries import Organisation
from folkmoot.desk.records import erasing, keys
from folkmoot.desk.records.classes import RecordClass
from folkmoot.desk.records.columns import sealed_columns
from folkmoot.desk.records.erasing import NotHere, Place
from folkmoot.ledger import KeyLost, LedgerError

from .copies import destroy_copies_here
from .disposing import digest_ids, find_held_items, note_refused
from .erasures import erase_case, find_held, search
from .holding import read_held, wait_for_holds
from .lifecycle import BATCH, ERASURE, BatchState, ErasureState, TwoFacts
from .models import Batch, Erasure, Match
from .steps import record, take_step
from .triggers import TABLES

log = logging.getLogger(__name__)

ENTRIES = 1_000
"""Entries of a disposal that go in one transaction."""
VALUES = 2_000
"""Values of an erasure that go in one transaction."""
WHOLE = 10_000
"""So many more where they are about the same: what shares a key and stays for now is sealed again
each time, so that one key is dealt with in one go where that can be.
"""
Clock = Callable[[], datetime]
M = TypeVar("M", bound=Model)


def work(clock: Clock) -> int:
    """Do what is owed: search, destroy, and roll the epoch; how many things were done.

    Call it outside a transaction. What cannot be done is logged, and left as it is for the next
    round: nothing is called done that is not.
    """
    done = 0
    for erasure in _list_erasures(ErasureState.SEARCHING):
        if not erasure.trouble:
            done += search(erasure, clock)
    for batch in Batch.objects.filter(state=BatchState.DESTROYING).order_by("pk"):
        done += _destroy(batch, clock)
    for erasure in _list_erasures(ErasureState.ERASING):
        done += _erase(erasure, clock)
    return done + finish(clock)


def finish(clock: Clock) -> int:
    """Roll the epoch where something was destroyed since, or a roll was begun; how many disposals
    and erasures are done by it.
    """
    batches = list(Batch.objects.filter(state=BatchState.ROLLING).order_by("pk"))
    erasures = _list_erasures(ErasureState.ROLLING)
    if not (batches or erasures or keys.is_rolling()):
        return 0
    if connection.in_atomic_block:
        log.error("The epoch cannot be rolled in a transaction; it is left to the next round")
        return 0
    try:
        roll_epoch(clock())
    except (LedgerError, keys.NoEpochKey, OSError):
        # Nothing is done until it is rolled. A person sees that it does not come to an end.
        log.exception("The epoch of keys could not be rolled; it is tried again")
        return 0
    for batch in batches:
        _finish_batch(batch, clock())
    for erasure in erasures:
        _finish_erasure(erasure, clock())
    return len(batches) + len(erasures)


def roll_epoch(now: datetime) -> int:
    """Roll the epoch of keys, and empty SQLite's write-ahead log; how many keys were wrapped anew.

    Raises what :func:`folkmoot.desk.records.keys.roll` does.
    """
    with overwriting():
        wrapped = keys.roll(now)
    if connection.vendor == "sqlite":
        # The keys do the work: this only tidies, and a reader may be in the way of it.
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            if cursor.fetchone()[0]:
                log.warning("SQLite's write-ahead log could not be emptied: somebody is reading")
    return wrapped


class overwriting:  # noqa: N801 - used as a block
    """Has SQLite write zeros over what is deleted, as a seat belt beside the keys."""

    def __enter__(self) -> None:
        self._set("ON")

    def __exit__(self, *_: object) -> None:
        self._set("OFF")

    @staticmethod
    def _set(mode: str) -> None:
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute(f"PRAGMA secure_delete={mode}")


def _destroy(batch: Batch, clock: Clock) -> int:
    tables = _tables_of(RecordClass(batch.rule.record_class))
    went = 0
    try:
        with overwriting():
            while _destroy_some(batch.pk, tables, clock()):
                went += 1
    except KeyLost:
        log.exception("Disposal %s cannot go on", batch.pk)
    return went


def _take(rows: QuerySet[M], most: int) -> list[M]:
    """The first rows by subject, and up to :data:`WHOLE` more that are about the last one's."""
    found = list(rows.order_by("subject", "pk")[:most])
    if len(found) == most:
        last: Any = found[-1]
        same = rows.filter(subject=last.subject, pk__gt=last.pk)
        found += same.order_by("pk")[:WHOLE]
    return found


def _tables_of(record_class: RecordClass) -> list[str]:
    """The tables whose sealed columns belong to a class of records."""
    labels = {column.model._meta.label_lower for column in sealed_columns()}  # noqa: SLF001 - Django's documented way
    return [label for label in labels if label.startswith(TABLES[record_class])]


@transaction.atomic
def _destroy_some(batch_id: int, tables: Sequence[str], now: datetime) -> bool:
    """Destroy some of a disposal; whether there was any left."""
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    if batch.state != BatchState.DESTROYING:
        return False  # another worker was quicker
    left = batch.items.filter(left_out=False, held_back=False, gone_at=None)
    items = _take(left, ENTRIES)
    if not items:
        facts = TwoFacts(left=left.count())
        take_step(batch, BATCH, BatchState, "roll", member=None, facts=facts)
        return False
    wait_for_holds()
    held = read_held(batch.organisation)
    kept = {item.pk for item in find_held_items(batch, held, items)}
    going = [item for item in items if item.pk not in kept]
    going_ids = [item.entry for item in going]
    _erase_pictures(batch.organisation, {item.subject for item in going}, now)
    values, gone = erasing.dispose(batch.organisation.ref, going_ids, tables, now)
    destroy_copies_here(batch.organisation, going_ids, now)
    batch.items.filter(pk__in=[item.pk for item in going]).update(gone_at=now)
    if kept:
        batch.items.filter(pk__in=kept).update(held_back=True)
        note_refused(
            batch.organisation,
            None,
            now,
            subject=f"disposal/{batch.ref}",
            what="disposal",
            holds=[],
            count=len(kept),
        )
    Batch.objects.filter(pk=batch.pk).update(
        values_gone=batch.values_gone + values,
        keys_gone=batch.keys_gone + gone,
        **({"held_at": now} if kept else {}),
    )
    return True


def _erase_pictures(organisation: Organisation, subjects: Collection[str], now: datetime) -> None:
    """Erase the pictures that no other posts than these have."""
    pictures = list_pictures_only_of(organisation, subjects)
    places = [one.place for one in erasing.list_about(organisation.ref, pictures)]
    if places:
        erasing.erase(organisation.ref, places, now)


@transaction.atomic
def _finish_batch(batch: Batch, now: datetime) -> None:
    batch = Batch.objects.select_for_update().get(pk=batch.pk)
    if batch.state != BatchState.ROLLING:
        return
    take_step(
        batch, BATCH, BatchState, "finish", member=None, facts=TwoFacts(), changes={"done_at": now}
    )
    gone = list(batch.items.exclude(gone_at=None).values_list("entry", flat=True))
    held_back = batch.items.filter(held_back=True).count()
    record(
        "disposal.done",
        batch.organisation,
        None,
        now,
        subject=f"disposal/{batch.ref}",
        fields={
            "class": batch.rule.record_class,
            "rule": str(batch.rule),
            "mandate": batch.rule.mandate,
            "entries": str(len(gone)),
            "digest": digest_ids(gone),
            "values": str(batch.values_gone),
            "keys": str(batch.keys_gone),
            "held_back": str(held_back) if held_back else "",
            "manifest": batch.manifest,
            "proposed_by": batch.proposed_by,
            "confirmed_by": batch.confirmed_by,
        },
    )


def _list_erasures(state: ErasureState) -> list[Erasure]:
    found = Erasure.objects.filter(state=state).select_related("organisation")
    return list(found.order_by("pk"))


def _erase(erasure: Erasure, clock: Clock) -> int:
    went = 0
    try:
        with overwriting():
            while _erase_some(erasure.pk, clock()):
                went += 1
            if went or not erasure.matches.filter(chosen=True, gone_at=None).exists():
                found_since = _count_found_since(erasure)
                went += _empty(erasure.pk, found_since, clock())
    except KeyLost:
        log.exception("Erasure %s cannot go on", erasure.pk)
    return went


@transaction.atomic
def _erase_some(erasure_id: int, now: datetime) -> bool:
    """Erase some of what was chosen; whether there was any left."""
    erasure = Erasure.objects.select_for_update().get(pk=erasure_id)
    left = erasure.matches.filter(chosen=True, gone_at=None)
    if erasure.state != ErasureState.ERASING:
        return False  # another worker was quicker
    matches = _take(left, VALUES)
    if not matches:
        return False
    wait_for_holds()
    held = find_held(erasure)
    kept = [one.pk for one in matches if Place.from_text(one.place) in held]
    going = [one for one in matches if one.pk not in set(kept)]
    keys_gone = _erase_places(
        erasure.organisation, [Place.from_text(one.place) for one in going], now
    )
    fields = {Place.from_text(one.place).row for one in going if _is_field(one)}
    destroy_copies_here(erasure.organisation, fields, now)
    erasure.matches.filter(pk__in=[one.pk for one in going]).update(gone_at=now)
    if kept:
        # A hold was placed since the second person agreed: it goes before what was agreed.
        erasure.matches.filter(pk__in=kept).update(chosen=False)
        holds = {number for numbers in held.values() for number in numbers}
        note_refused(
            erasure.organisation,
            None,
            now,
            subject=f"erasure/{erasure.ref}",
            what="erasure",
            holds=holds,
            count=len(kept),
        )
    Erasure.objects.filter(pk=erasure.pk).update(
        values_gone=erasure.values_gone + len(going),
        keys_gone=erasure.keys_gone + keys_gone,
        **({"held_at": now} if kept else {}),
    )
    return True


def _is_field(match: Match) -> bool:
    return match.place.startswith(f"{erasing.FIELD}:")


def _erase_places(organisation: Organisation, places: list[Place], now: datetime) -> int:
    if not places:
        return 0
    try:
        return erasing.erase(organisation.ref, places, now)
    except NotHere:
        # Some went by another way since: by a disposal, or with its room. The others go now.
        still = [place for place in places if _is_here(organisation, place)]
        return erasing.erase(organisation.ref, still, now) if still else 0


def _is_here(organisation: Organisation, place: Place) -> bool:
    try:
        return bool(erasing.get(organisation.ref, [place]))
    except NotHere:
        return False


def _count_found_since(erasure: Erasure) -> int:
    """How many places hold a phrase that this erasure did not know of when it was agreed to."""
    known = set(erasure.matches.values_list("place", flat=True))
    return sum(
        1
        for one in erasing.find(erasure.organisation.ref, erasure.phrases)
        if str(one.place) not in known and one.subject != erasure.sealed_for
    )


@transaction.atomic
def _empty(erasure_id: int, found_since: int, now: datetime) -> int:
    """Erase the case itself, once all else is gone; 1 if that was done here."""
    erasure = Erasure.objects.select_for_update().get(pk=erasure_id)
    left = erasure.matches.filter(chosen=True, gone_at=None).count()
    if erasure.state != ErasureState.ERASING or left:
        return 0
    erase_case(erasure, now)
    take_step(
        erasure,
        ERASURE,
        ErasureState,
        "roll",
        member=None,
        facts=TwoFacts(left=left),
        changes={"found_since": found_since},
    )
    return 1


@transaction.atomic
def _finish_erasure(erasure: Erasure, now: datetime) -> None:
    erasure = Erasure.objects.select_for_update().get(pk=erasure.pk)
    if erasure.state != ErasureState.ROLLING:
        return
    left = erasure.matches.filter(gone_at=None).count()
    take_step(
        erasure,
        ERASURE,
        ErasureState,
        "finish",
        member=None,
        facts=TwoFacts(),
        changes={"done_at": now, "values_left": left},
    )
    gone = list(erasure.matches.exclude(gone_at=None).values_list("place", flat=True))
    # Where the name still stands is nobody's business any more.
    erasure.matches.filter(chosen=False).delete()
    entries = {place.split(":")[1] for place in gone if place.startswith(f"{erasing.FIELD}:")}
    record(
        "erasure.done",
        erasure.organisation,
        None,
        now,
        subject=f"erasure/{erasure.ref}",
        fields={
            "ground": erasure.ground,
            "values": str(len(gone)),
            "left": str(left),
            "entries": str(len(entries)),
            "digest": digest_ids(gone),
            "keys": str(erasure.keys_gone),
            "proposed_by": erasure.proposed_by or erasure.asked_by,
            "confirmed_by": erasure.confirmed_by,
        },
    )
