"""Writes of the guidance room: the organisation's calendar of periods."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from folkmoot.desk.people.queries import Member, Organisation, Role
from folkmoot.desk.records import actions as records
from folkmoot.guidance import Day, GuidanceError

from .models import Calendar, HouseProfile, Period
from .queries import find_house_rules

KINDS = {
    "pre_election": "Pre-election period",
    "mourning": "National mourning",
}
YEARS = range(2000, 2200)


FARTHEST = timedelta(days=731)


class GuidanceRefused(Exception):
    """The calendar was not changed; the message is a sentence that says why."""


@transaction.atomic
def state_calendar(
    organisation: Organisation, *, known_until: datetime, actor: Member | None, now: datetime
) -> None:
    """Say that up to ``known_until`` the calendar holds every period there is. Raises
    :class:`GuidanceRefused`.
    """
    _must_be_admin(actor)
    if not now <= known_until <= now + FARTHEST:
        raise GuidanceRefused(
            "Choose a day from today on and within two years: nobody can vouch for longer."
        )
    _must_be_near(known_until)
    Calendar.objects.update_or_create(
        organisation=organisation, defaults={"known_until": known_until}
    )
    records.record(
        "calendar.stated",
        at=now,
        organisation=organisation.ref,
        actor=actor.ref if actor else "",
        role="admin" if actor else "system",
        subject=f"organisation/{organisation.ref}",
        fields={"known_until": known_until.isoformat()},
    )


@transaction.atomic
def add_period(
    organisation: Organisation,
    *,
    kind: str,
    name: str,
    starts_at: datetime,
    ends_at: datetime,
    source: str,
    actor: Member,
    now: datetime,
    stops: bool = False,
) -> None:
    """Add a period to the calendar; ``stops`` says that publishing is stopped when it begins.

    Raises :class:`GuidanceRefused`.
    """
    _must_be_admin(actor)
    if kind not in KINDS:
        raise GuidanceRefused(f"Choose what kind of period this is: {', '.join(KINDS.values())}.")
    _must_be_near(starts_at)
    _must_be_near(ends_at)
    if ends_at <= starts_at:
        raise GuidanceRefused("The period must end after it starts.")
    if not source.strip():
        raise GuidanceRefused("Say which notice or guidance sets this period.")
    Period.objects.create(
        organisation=organisation,
        kind=kind,
        name=name or KINDS[kind],
        starts_at=starts_at,
        ends_at=ends_at,
        source=source.strip(),
        stops=stops,
    )
    records.record(
        "period.added",
        at=now,
        organisation=organisation.ref,
        actor=actor.ref,
        role="admin",
        subject=f"organisation/{organisation.ref}",
        fields={
            "kind": kind,
            "name": name,
            "starts_at": starts_at.isoformat(),
            "ends_at": ends_at.isoformat(),
            "source": source,
            "stops": "yes" if stops else "no",
        },
    )


def _must_be_near(moment: datetime) -> None:
    if moment.year not in YEARS:  # outside, arithmetic on times ends in errors
        raise GuidanceRefused(
            f"Choose days from the year {YEARS.start} on and before the year {YEARS.stop}."
        )


@transaction.atomic
def state_house_profile(
    organisation: Organisation,
    *,
    days: Sequence[str],
    hours: str,
    response_promise: str,
    appeal_route: str,
    emergency_route: str,
    block_review_months: int,
    actor: Member | None,
    now: datetime,
) -> None:
    """Say what the organisation's house rules say of it. Raises :class:`GuidanceRefused`."""
    _must_be_admin(actor)
    if not set(days) <= set(Day):
        raise GuidanceRefused(f"Name days as {', '.join(Day)}.")
    said = {
        "days": list(days),
        "hours": hours,
        "response_promise": response_promise.strip(),
        "appeal_route": appeal_route.strip(),
        "emergency_route": emergency_route.strip(),
        "block_review_months": block_review_months,
    }
    try:
        find_house_rules(organisation, HouseProfile(organisation=organisation, **said))
    except GuidanceError as unfit:
        raise GuidanceRefused(str(unfit)) from unfit
    HouseProfile.objects.update_or_create(organisation=organisation, defaults=said)
    records.record(
        "house_rules.stated",
        at=now,
        organisation=organisation.ref,
        actor=actor.ref if actor else "",
        role="admin" if actor else "system",
        subject=f"organisation/{organisation.ref}",
        fields={**{name: str(value) for name, value in said.items()}, "days": ", ".join(days)},
    )


def _must_be_admin(actor: Member | None) -> None:
    if actor is not None and Role.ADMIN not in actor.held:
        raise GuidanceRefused("Only an admin can change the calendar of periods.")
