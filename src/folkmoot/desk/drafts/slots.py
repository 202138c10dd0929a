"""Slots: the times of the week at which an organisation likes to post."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import IntegrityError, transaction

from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.people.queries import Member, Organisation, Role
from folkmoot.desk.records import actions as records

from . import walltime
from .keeping import must_hold
from .models import Slot
from .planned import COMING, list_planned
from .recurring import DAYS
from .steps import DraftRefused

FURTHEST_DAYS = 8 * 7


@dataclass(frozen=True, slots=True)
class Opening:
    """A slot on one day. ``accounts`` are those it is for; ``None`` means all."""

    at: datetime
    wall: str
    zone: str
    accounts: frozenset[int] | None

    def suits(self, chosen: Collection[int]) -> bool:
        """Whether a post to all of these accounts may take it."""
        return self.accounts is None or self.accounts.issuperset(chosen)


def list_slots(organisation: Organisation) -> list[Slot]:
    """The organisation's slots in the order of the week."""
    return list(
        Slot.objects.filter(organisation=organisation)
        .select_related("account")
        .order_by("weekday", "clock", "pk")
    )


def list_openings(
    organisation: Organisation, slots: Iterable[Slot], first: date, days: int
) -> Iterator[Opening]:
    """What the slots come to on each day from ``first`` on, in order.

    On a night when the clocks change, a slot in the missing or the doubled hour comes to nothing:
    which minute is meant then is for a person to say.
    """
    zone = organisation.zone
    slots = list(slots)
    for day in (first + timedelta(days=n) for n in range(days)):
        times: dict[str, set[int | None]] = {}
        for slot in slots:
            if slot.weekday == day.weekday():
                times.setdefault(slot.clock, set()).add(slot.account_id)
        for clock, whose in sorted(times.items()):
            found = walltime.resolve(f"{day}T{clock}", zone)
            if isinstance(found, walltime.Resolved):
                named = frozenset(account for account in whose if account is not None)
                yield Opening(found.at, found.wall, zone, None if None in whose else named)


def find_free(
    organisation: Organisation,
    chosen: Collection[int],
    *,
    now: datetime,
    but: int | None = None,
) -> Opening | None:
    """The next opening for a post to these accounts that no other post to one of them has; ``but``
    is the post that looks for one. ``None`` where there is none in the next eight weeks.
    """
    slots = list_slots(organisation)
    end = now + timedelta(days=FURTHEST_DAYS)
    taken = {
        one.at
        for one in list_planned(organisation, now, end, states=COMING)
        if one.draft_id != but and not one.accounts.isdisjoint(chosen)
    }
    today = now.astimezone(organisation.timezone).date()
    for opening in list_openings(organisation, slots, today, FURTHEST_DAYS):
        if opening.at > now and opening.suits(chosen) and opening.at not in taken:
            return opening
    return None


def take_free(
    organisation: Organisation, chosen: Collection[int], *, now: datetime, but: int | None
) -> Opening:
    """:func:`find_free`, holding back whoever else looks for one until the caller's transaction
    has ended, so that two posts never take the same. Raises :class:`DraftRefused`.
    """
    list(Slot.objects.select_for_update().filter(organisation=organisation).order_by("pk"))
    if not chosen:
        raise DraftRefused("Choose at least one channel first: a slot is free or taken on each.")
    opening = find_free(organisation, chosen, now=now, but=but)
    if opening is None:
        raise DraftRefused(
            "There is no free slot for these channels in the next eight weeks. Choose a time, or "
            "add slots to the calendar."
        )
    return opening


@transaction.atomic
def add_slot(
    member: Member, *, weekday: int, clock: str, account_id: int | None, now: datetime
) -> Slot:
    """Add a slot to the organisation's week. Raises :class:`DraftRefused`."""
    must_hold(member, Role.AUTHOR)
    if weekday not in range(len(DAYS)):
        raise DraftRefused("Choose a day of the week.")
    try:
        clock = f"{datetime.strptime(clock.strip(), '%H:%M').replace(tzinfo=UTC):%H:%M}"
    except ValueError as wrong:
        raise DraftRefused("Enter the time on the 24-hour clock, such as 09:00.") from wrong
    account = None
    if account_id is not None:
        account = accounts.find_account(member.organisation, account_id)
        if account is None:
            raise DraftRefused("Choose an account that is connected, or all of them.")
    try:
        with transaction.atomic():
            slot = Slot.objects.create(
                organisation=member.organisation, weekday=weekday, clock=clock, account=account
            )
    except IntegrityError as twice:
        raise DraftRefused("There is such a slot already.") from twice
    _record("slot.added", slot, member, now)
    return slot


@transaction.atomic
def remove_slot(member: Member, slot_id: int, *, now: datetime) -> None:
    """Take a slot out of the week. Posts that have its time keep it. Raises
    :class:`DraftRefused`.
    """
    must_hold(member, Role.AUTHOR)
    slot = Slot.objects.filter(organisation=member.organisation, pk=slot_id).first()
    if slot is None:
        raise DraftRefused("There is no such slot; somebody may have removed it before you.")
    _record("slot.removed", slot, member, now)
    slot.delete()


def _record(kind: str, slot: Slot, member: Member, now: datetime) -> None:
    records.record(
        kind,
        at=now,
        organisation=member.organisation.ref,
        actor=member.ref,
        role=Role.AUTHOR,
        subject=f"slot/{slot.pk}",
        fields={
            "weekday": DAYS[slot.weekday],
            "clock": slot.clock,
            "account": str(slot.account or "all"),
        },
    )
