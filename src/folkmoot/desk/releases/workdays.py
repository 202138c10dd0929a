"""Which days count as working days, by the law that asks.

Two definitions are in use. The Freedom of Information Act 2000, section 10(6), leaves out
Saturdays, Sundays, Christmas Day, Good Friday and every bank holiday *in any part of the United
Kingdom*, so that 2 January and 12 July do not count in England either; the Environmental
Information Regulations 2004, regulation 2(1), take that over. The Freedom of Information (Scotland)
Act 2002, section 73, leaves out bank holidays in Scotland alone. A local holiday, a privilege day
and a day on which the office is closed all count.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

import holidays

KNOWN_YEARS = range(2024, 2028)
"""The years whose bank holidays are held against the list on GOV.UK by this program's own tests.

Later ones can be worked out by rule, but a proclamation moves or adds some of them, so that they
are not known until they are published: a date there is answered with "not known", never with a
guess.
"""

_SATURDAY = 5
_DAY = timedelta(days=1)


class Nation(StrEnum):
    """A part of the United Kingdom, by its own bank holidays."""

    ENGLAND = "England"
    WALES = "Wales"
    SCOTLAND = "Scotland"
    NORTHERN_IRELAND = "NI"


_CODES = {
    Nation.ENGLAND: "ENG",
    Nation.WALES: "WLS",
    Nation.SCOTLAND: "SCT",
    Nation.NORTHERN_IRELAND: "NIR",
}
EVERYWHERE = frozenset(Nation)


class YearNotKnown(Exception):
    """The bank holidays of a year that the answer hangs on are not known here yet."""

    def __init__(self, year: int) -> None:
        super().__init__(
            f"The bank holidays of {year} are not known to this version, so the day cannot be "
            "worked out. Count it by hand from the list on GOV.UK, or bring the program up to date."
        )
        self.year = year


def is_working_day(day: date, nations: frozenset[Nation]) -> bool:
    """Whether ``day`` counts where bank holidays in any of ``nations`` do not.

    Raises :class:`YearNotKnown`.
    """
    return day.weekday() < _SATURDAY and day not in _bank_holidays(day.year, nations)


def add_working_days(
    after: date, count: int, nations: frozenset[Nation], disregarded: Iterable[date] = ()
) -> date:
    """The ``count``-th working day following ``after``, which is itself not counted, and neither
    are the days ``disregarded``. Raises :class:`YearNotKnown`.
    """
    left_out = frozenset(disregarded)
    day = after
    while count > 0:
        day += _DAY
        if day not in left_out and is_working_day(day, nations):
            count -= 1
    return day


def count_working_days(after: date, until: date, nations: frozenset[Nation]) -> int:
    """How many working days there are after ``after``, up to and including ``until``; none where
    that is earlier. Raises :class:`YearNotKnown`.
    """
    days = (after + _DAY * number for number in range(1, (until - after).days + 1))
    return sum(is_working_day(day, nations) for day in days)


def next_working_day(day: date, nations: frozenset[Nation]) -> date:
    """``day`` itself where it is a working day, else the first one after it. Raises
    :class:`YearNotKnown`.
    """
    while not is_working_day(day, nations):
        day += _DAY
    return day


@lru_cache(maxsize=256)
def _bank_holidays(year: int, nations: frozenset[Nation]) -> frozenset[date]:
    if year not in KNOWN_YEARS:
        raise YearNotKnown(year)
    return frozenset(
        day
        for nation in nations
        for day in holidays.country_holidays("GB", subdiv=_CODES[nation], years=year)
    )
