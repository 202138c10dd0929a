"""On which days a series repeats. Pure: days of a calendar and times on a wall, no instants.

Rules are those that RFC 5545 (iCalendar, section 3.3.10) calls DAILY, WEEKLY and MONTHLY, with the
parts that an office uses. As there, a month without the day asked for is left out.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import islice

LAST = -1
FURTHEST = timedelta(days=366 * 50)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", LAST: "last"}


class Every(StrEnum):
    """How a series repeats."""

    DAY = "day"
    WEEK = "week"
    MONTH_DAY = "month_day"
    MONTH_WEEKDAY = "month_weekday"


@dataclass(frozen=True, slots=True)
class Rule:
    """When a series repeats, by the calendar and clock of its zone.

    ``weekdays`` count from Monday, 0; of :attr:`Every.WEEK` they are the days of every ``weeks``-th
    week, counted from the week of ``from_on``; of :attr:`Every.MONTH_WEEKDAY` the one weekday whose
    ``nth`` in the month is meant. ``nth`` is the day of the month for :attr:`Every.MONTH_DAY`;
    ``LAST`` is the last in both. ``clock`` is ``17:55``. It ends after ``until_on`` or after
    ``count`` days, whichever is set.
    """

    every: Every
    from_on: date
    clock: str
    weeks: int = 1
    weekdays: tuple[int, ...] = ()
    nth: int = 1
    until_on: date | None = None
    count: int | None = None


def list_problems(rule: Rule) -> list[str]:
    """What is wrong with a rule, as sentences; empty where it names at least one day."""
    problems = []
    if rule.every in {Every.WEEK, Every.MONTH_WEEKDAY} and not rule.weekdays:
        problems.append("Choose a day of the week.")
    if rule.every is Every.WEEK and not 1 <= rule.weeks <= 52:  # noqa: PLR2004  # weeks of a year
        problems.append("Enter every how many weeks it repeats, from 1 to 52.")
    if rule.every is Every.MONTH_DAY and rule.nth != LAST and not 1 <= rule.nth <= 31:  # noqa: PLR2004
        problems.append("Enter a day of the month from 1 to 31.")
    if rule.count is not None and rule.count < 1:
        problems.append("Enter how many times it repeats, 1 or more.")
    if rule.until_on is not None and rule.until_on < rule.from_on:
        problems.append("The last day is before the first.")
    if rule.nth not in ORDINALS and rule.every is Every.MONTH_WEEKDAY:
        problems.append("Choose which of the month's weekdays it is.")
    if not problems and next(list_days(rule), None) is None:
        problems.append("There is no such day between the first and the last.")
    return problems


def list_days(rule: Rule) -> Iterator[date]:
    """The days of the rule in order, lazily; it ends where the rule does, and after fifty years."""
    return islice(_days(rule), rule.count)


def next_day(rule: Rule, after: date | None) -> date | None:
    """The first day of the rule later than ``after``; its first of all for ``None``."""
    return next((day for day in list_days(rule) if after is None or day > after), None)


def describe(rule: Rule) -> str:
    """The rule in words: ``every 2 weeks on Monday and Friday at 09:00``."""
    days = _joined([DAYS[day] for day in rule.weekdays])
    when = {
        Every.DAY: "every day",
        Every.WEEK: f"every {'week' if rule.weeks == 1 else f'{rule.weeks} weeks'} on {days}",
        Every.MONTH_DAY: "every month on "
        + ("its last day" if rule.nth == LAST else f"day {rule.nth}"),
        Every.MONTH_WEEKDAY: f"every month on the {ORDINALS.get(rule.nth, '')} {days}",
    }[rule.every]
    end = ""
    if rule.until_on is not None:
        end = f", until {rule.until_on:%A} {rule.until_on.day} {rule.until_on:%B %Y}"
    elif rule.count is not None:
        end = f", {rule.count} times" if rule.count > 1 else ", once"
    return f"{when} at {rule.clock}{end}"


def _days(rule: Rule) -> Iterator[date]:
    end = min(rule.until_on or date.max, rule.from_on + FURTHEST)
    monday = rule.from_on - timedelta(days=rule.from_on.weekday())
    day = rule.from_on
    while day <= end:
        if _is_one(rule, day, monday):
            yield day
        day += timedelta(days=1)


def _is_one(rule: Rule, day: date, monday: date) -> bool:
    length = calendar.monthrange(day.year, day.month)[1]
    match rule.every:
        case Every.DAY:
            return True
        case Every.WEEK:
            whole = (day - monday).days // 7
            return day.weekday() in rule.weekdays and whole % rule.weeks == 0
        case Every.MONTH_DAY:
            return day.day == (length if rule.nth == LAST else rule.nth)
        case Every.MONTH_WEEKDAY:
            nth = LAST if rule.nth == LAST and day.day + 7 > length else (day.day - 1) // 7 + 1
            return day.weekday() in rule.weekdays and nth == rule.nth


def _joined(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), *words[-1:]] if len(words) > 1 else words)
