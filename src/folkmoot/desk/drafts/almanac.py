"""The days of a calendar, with what stands on each: posts, free slots, periods, changed clocks."""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from textwrap import shorten

from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.guidance import queries as guidance
from folkmoot.desk.people.queries import Organisation

from . import walltime
from .lifecycle import DraftState
from .nearby import NEAR, Near, find_all_near
from .planned import COMING, STANDING, Planned, list_planned, list_untimed
from .slots import Opening, list_openings, list_slots

LIST_DAYS = 28
# How long a post without a time, which nobody has touched, is still worth showing.
REMEMBERED = timedelta(days=60)


class View(StrEnum):
    """The forms of the calendar."""

    WEEK = "week"
    MONTH = "month"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Entry:
    """A post on its day. ``clock`` is its time in the organisation's zone; ``told`` all that is to
    be said of its time where it was chosen by another clock, or has to be asked about.
    """

    post: Planned
    clock: str
    words: str
    accounts: tuple[str, ...]
    told: str
    near: tuple[Near, ...]


@dataclass(frozen=True, slots=True)
class Free:
    """A slot that nobody has: its clock time, and the account it is free for; ``None`` is all."""

    clock: str
    account: int | None


@dataclass(frozen=True, slots=True)
class Day:
    """One day in the organisation's zone."""

    on: date
    today: bool
    past: bool
    change: str
    periods: tuple[str, ...]
    entries: tuple[Entry, ...]
    free: tuple[Free, ...]

    def of(self, account: int) -> tuple[Entry, ...]:
        """The posts to one account."""
        return tuple(entry for entry in self.entries if account in entry.post.accounts)


def days_of(view: View, on: date) -> tuple[date, int]:
    """The first day that the view around ``on`` shows, and how many."""
    if view is View.LIST:
        return on, LIST_DAYS
    if view is View.WEEK:
        return on - timedelta(days=on.weekday()), 7
    first = on.replace(day=1)
    last = on.replace(day=calendar.monthrange(on.year, on.month)[1])
    start = first - timedelta(days=first.weekday())
    return start, (last - start).days + 7 - last.weekday()


def beside(view: View, on: date) -> tuple[date, date]:
    """Days that the views before and after the one around ``on`` are around."""
    if view is View.MONTH:
        first = on.replace(day=1)
        return (first - timedelta(days=1)).replace(day=1), (first + timedelta(days=31)).replace(
            day=1
        )
    step = timedelta(days=7 if view is View.WEEK else LIST_DAYS)
    return on - step, on + step


def list_days(
    organisation: Organisation,
    first: date,
    count: int,
    *,
    account: int | None,
    state: DraftState | None,
    now: datetime,
) -> list[Day]:
    """``count`` days from ``first``; with ``account``, its posts and slots alone; with ``state``,
    the posts in it.
    """
    starts = [_midnight(first + timedelta(days=n), organisation) for n in range(count + 1)]
    states = (*STANDING, DraftState.UNSENT)
    around = list_planned(organisation, starts[0] - NEAR, starts[-1] + NEAR, states=states)
    near = find_all_near(organisation, [one for one in around if one.state in STANDING])
    names = {one.pk: one.name for one in accounts.list_accounts(organisation)}
    shown = [
        one
        for one in around
        if (account is None or account in one.accounts) and (state is None or one.state is state)
    ]
    openings = [
        opening
        for opening in list_openings(organisation, list_slots(organisation), first, count)
        if opening.at > now
    ]
    free = _free(openings, around, names)
    periods = guidance.list_periods(organisation)
    today = now.astimezone(organisation.timezone).date()
    days = []
    for number, (start, end) in enumerate(pairwise(starts)):
        on = first + timedelta(days=number)
        days.append(
            Day(
                on,
                on == today,
                on < today,
                walltime.describe_change(on, organisation.zone),
                tuple(
                    period.name or period.kind.replace("_", " ")
                    for period in reversed(periods)
                    if period.starts_at < end and period.ends_at >= start
                ),
                tuple(
                    _entry(one, names, near, organisation)
                    for one in shown
                    if one.at and start <= one.at < end
                ),
                tuple(
                    each for each in free[on] if account is None or each.account in {None, account}
                ),
            )
        )
    return days


def list_timeless(
    organisation: Organisation, *, account: int | None, state: DraftState | None, now: datetime
) -> list[Entry]:
    """Posts that are being written or wait for sign-off and have no time yet."""
    names = {one.pk: one.name for one in accounts.list_accounts(organisation)}
    return [
        _entry(one, names, {}, organisation)
        for one in list_untimed(organisation, now - REMEMBERED)
        if (account is None or account in one.accounts) and (state is None or one.state is state)
    ]


def _entry(
    one: Planned,
    names: Mapping[int, str],
    near: Mapping[int, Sequence[Near]],
    organisation: Organisation,
) -> Entry:
    told = clock = ""
    if one.at is not None:
        clock = f"{one.at.astimezone(organisation.timezone):%H:%M}"
        if one.wall and one.zone != organisation.zone:
            told = walltime.tell(one.wall, one.zone, one.at, organisation.zone)
    elif one.wall:
        told = walltime.find_problem(one.wall, one.zone, None)
    return Entry(
        one,
        clock,
        shorten(" ".join(one.text.split()), 60, placeholder="…") or "(nothing written yet)",
        tuple(name for pk, name in names.items() if pk in one.accounts),
        told,
        tuple(near.get(one.draft_id, ())),
    )


def _free(
    openings: Sequence[Opening], planned: Sequence[Planned], names: Mapping[int, str]
) -> Mapping[date, list[Free]]:
    """The slots nobody has, by day: once for all accounts where all are free, else for each."""
    taken = {
        (account, one.at) for one in planned if one.state in COMING for account in one.accounts
    }
    found: dict[date, list[Free]] = defaultdict(list)
    for opening in openings:
        day, _, clock = opening.wall.partition("T")
        found[date.fromisoformat(day)] += [
            Free(clock, account) for account in _free_for(opening, taken, names)
        ]
    return found


def _free_for(
    opening: Opening, taken: set[tuple[int, datetime | None]], names: Mapping[int, str]
) -> list[int | None]:
    free = [pk for pk in names if opening.suits([pk]) and (pk, opening.at) not in taken]
    if opening.accounts is None and len(free) == len(names):
        return [None]
    return list(free)


def _midnight(day: date, organisation: Organisation) -> datetime:
    return datetime.combine(day, time(0), walltime.get_rules(organisation.zone)).astimezone(UTC)
