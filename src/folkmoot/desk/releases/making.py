"""Making bags, and letting go of them: what the worker owes."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from folkmoot.desk.drafts.queries import PictureRefused
from folkmoot.desk.people.queries import Member, Organisation
from folkmoot.desk.records import keys, taking
from folkmoot.ledger import LedgerError
from folkmoot.ledger.bags import BagError, BagWritten, Item, check_bag, write_bag, zip_bag

from . import queries
from .filling import Filling, NotDecided, fill, keep_list, take_captures, take_items, take_media
from .lifecycle import BagState
from .models import Bag
from .sealedfiles import read_sealed, write_sealed
from .steps import ReleaseRefused, claim_bag, take_back_bag, take_bag_step

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
KEPT = timedelta(days=30)
"""How long a bag can be fetched. After that it is made again, or not needed."""
LEASE = timedelta(minutes=10)
LOOK_AGAIN = timedelta(seconds=30)
RENEW_EVERY = 500
EXPIRED = "Its time was over."
STALE = "What it holds is no longer what was agreed."
ERASED = "Something that it holds was erased."


class _Wait(Exception):
    """It cannot be made yet: the record has not been signed over all of it."""


def work(clock: Clock) -> int:
    """Make one bag that is owed, and let go of those whose time is over; how much was done. For
    the worker, over and over.
    """
    now = clock()
    done = _let_go(now)
    bag = (
        Bag.objects.filter(state=BagState.WANTED, next_try_at__lte=now)
        .filter(Q(lease_until=None) | Q(lease_until__lt=now))
        .select_related("organisation", "request")
        .order_by("next_try_at", "pk")
        .first()
    )
    if bag is None or not claim_bag(bag, now + LEASE):
        return done
    try:
        _make(bag, clock)
    except _Wait:
        _put_off(bag, clock() + LOOK_AGAIN)
    except ReleaseRefused:
        log.warning("Bag %s was changed while it was made", bag.pk)
    except (BagError, LedgerError, NotDecided, PictureRefused, OSError, ValueError) as wrong:
        log.exception("Bag %s could not be made", bag.pk)
        _fail(bag, str(wrong), clock())
    return done + 1


def open_file(bag: Bag) -> Iterator[bytes]:
    """The zip file of a bag that is ready, piece by piece. Raises ``folkmoot.ledger.KeyLost``."""
    assert bag.key_number is not None
    return read_sealed(path_of(bag), bag.key_number, _file_subject(bag))


def destroy_holding(organisation: Organisation, entry_ids: Collection[str], now: datetime) -> int:
    """Destroy the bags that hold any of these entries, and have those made anew that are being
    made; how many. Part of the caller's transaction, which erases something of those entries.
    """
    ids = [bag.pk for bag in queries.list_holding(organisation, entry_ids)]
    # Held first: a worker that is finishing one of them now must be seen to be through.
    bags = list(Bag.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    for bag in bags:
        if bag.state in {BagState.READY, BagState.FAILED}:
            remove_bag(bag, None, ERASED, now)
        elif bag.state == BagState.WANTED:
            take_back_bag(bag, now)
    return len(bags)


def remove_bag(bag: Bag, member: Member | None, reason: str, now: datetime) -> Bag:
    """Destroy a bag: its key first, so that no copy of its file opens. Part of the caller's
    transaction. Raises :class:`~.steps.ReleaseRefused`.
    """
    bag = take_bag_step(
        bag,
        "remove",
        member=member,
        reason=reason,
        now=now,
        fields={"reason": reason.strip(), "manifest_sha256": bag.manifest_sha256},
        changes={"removed_at": now, "next_try_at": None},
    )
    if bag.key_number is not None:
        keys.destroy([bag.key_number], now)
    file = path_of(bag)
    transaction.on_commit(lambda: file.unlink(missing_ok=True))
    return bag


def path_of(bag: Bag) -> Path:
    """The sealed file of a bag."""
    return _folder() / f"{bag.ref}.zip"


def _make(bag: Bag, clock: Clock) -> None:
    """Write a claimed bag, check it as a stranger would, seal it, and say that it is ready."""
    if queries.is_stale(bag):
        raise _Wait  # let go of in the next round
    if bag.request is not None and not bag.held.exists():
        ids = list(bag.request.chosen.order_by("pk").values_list("entry_id", flat=True))
        keep_list(bag, ids)
    bag.taken_at = clock()
    filling = fill(bag)
    last = taking.find_last_index(bag.organisation.ref, filling.entry_ids)
    head = None if last is None else taking.find_head(last)
    if head is None:
        raise _Wait
    scratch = _folder() / f"making-{bag.ref}"
    shutil.rmtree(scratch, ignore_errors=True)  # of a worker that died over it
    scratch.mkdir(parents=True, mode=0o700)
    try:
        folder, packed = scratch / f"bag-{bag.ref}", scratch / "bag.zip"
        written = write_bag(
            folder,
            title=bag.title,
            about=_tell(bag, filling),
            made_at=clock(),
            checkpoint=head.note,
            policy=head.keys,
            items=_renewing(bag, take_items(bag.organisation, bag, filling, head.size), clock),
            redactions=filling.redactions,
            media=take_media(bag.organisation, filling),
            captures=take_captures(bag.organisation, filling),
            info={"Source-Organization": bag.organisation.name, "External-Identifier": bag.ref},
        )
        checked = check_bag(folder, keys=taking.log_keys())
        if not checked.ok:
            raise BagError(f"The bag did not hold when it was checked. {checked.reason}")
        zip_bag(folder, packed)
        _finish(bag, written, packed, clock())
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _finish(bag: Bag, written: BagWritten, packed: Path, now: datetime) -> None:
    subject, target = _file_subject(bag), path_of(bag)
    target.unlink(missing_ok=True)  # of a worker that died after it
    with transaction.atomic():
        number, key = keys.live_key(subject, now)
    size = write_sealed(packed, target, key, subject)
    try:
        _say_ready(bag, written, size, number, now)
    except ReleaseRefused:
        # Something of it was erased meanwhile, or it was let go of: the file goes with its key.
        with transaction.atomic():
            keys.destroy([number], now)
        target.unlink(missing_ok=True)
        raise


def _say_ready(bag: Bag, written: BagWritten, size: int, number: int, now: datetime) -> None:
    with transaction.atomic():
        take_bag_step(
            bag,
            "finish",
            member=None,
            now=now,
            fields={
                "manifest_sha256": written.manifest_sha256,
                "entries": str(written.entries),
                "withheld": str(written.withheld),
                "purpose": bag.purpose,
                "proposed_by": bag.proposed_by,
                "agreed_by": bag.agreed_by,
            },
            changes={
                "entries": written.entries,
                "withheld": written.withheld,
                "media": written.media,
                "captures": written.captures,
                "size_bytes": size,
                "manifest_sha256": written.manifest_sha256,
                "key_number": number,
                "taken_at": bag.taken_at,
                "ready_at": now,
                "expires_at": now + KEPT,
                "trouble": "",
            },
        )


def _tell(bag: Bag, filling: Filling) -> str:
    """What the bag says of itself: what was asked for, how it was chosen, what is left out."""
    request = bag.request
    if request is not None:
        parts = [
            f"This answers request {request.pk}, received on {request.received_on:%-d %B %Y}.",
            (
                "It holds the entries of the record that were found to belong to the request. Each "
                "field is either shown, or withheld under the exemption that is named beside it."
            ),
        ]
    else:
        parts = [bag.about] if bag.about else []
        parts.append(
            "It holds every field of the entries that it lists."
            if bag.purpose == "transfer"
            else "It holds what is on the public register; all else is withheld."
        )
    if filling.lost:
        parts.append(f"{filling.lost} pictures that were posted are kept no more.")
    return "\n\n".join(parts)


def _renewing(bag: Bag, items: Iterator[Item], clock: Clock) -> Iterator[Item]:
    """The items, the worker's lease made longer as they are taken."""
    for count, item in enumerate(items, 1):
        yield item
        if count % RENEW_EVERY == 0:
            _hold_on(bag, clock() + LEASE)


def _hold_on(bag: Bag, until: datetime) -> None:
    mine = Bag.objects.filter(pk=bag.pk, revision=bag.revision, state=BagState.WANTED)
    if mine.update(lease_until=until) != 1:
        raise ReleaseRefused("The bag was taken from this worker.")


def _put_off(bag: Bag, until: datetime) -> None:
    Bag.objects.filter(pk=bag.pk, revision=bag.revision).update(lease_until=None, next_try_at=until)


def _fail(bag: Bag, why: str, now: datetime) -> None:
    try:
        with transaction.atomic():
            take_bag_step(
                bag,
                "fail",
                member=None,
                now=now,
                fields={"reason": why},
                changes={"trouble": why, "next_try_at": None},
            )
    except ReleaseRefused:
        log.warning("Bag %s was changed while it was made", bag.pk)


def _let_go(now: datetime) -> int:
    """Destroy the bags whose time is over, and those that are no longer what was agreed to."""
    over = Bag.objects.filter(state=BagState.READY, expires_at__lte=now)
    stale = Bag.objects.exclude(request=None).exclude(state=BagState.REMOVED)
    found = [(bag, EXPIRED) for bag in over.select_related("organisation")]
    found += [
        (bag, STALE)
        for bag in stale.select_related("organisation", "request")
        if queries.is_stale(bag)
    ]
    for bag, why in found:
        try:
            with transaction.atomic():
                remove_bag(bag, None, why, now)
        except ReleaseRefused:
            log.warning("Bag %s was changed while it was let go of", bag.pk)
    return len(found)


def _file_subject(bag: Bag) -> str:
    """Under whose key the file is kept: not the bag's own, whose entries outlive the file."""
    return f"{bag.subject}/file"


def _folder() -> Path:
    folder: Path = settings.CONFIG.home / "bags"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
