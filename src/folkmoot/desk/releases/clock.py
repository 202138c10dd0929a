"""The clock of a request: by which day it must be answered, and what was not counted.

Pure: the day it is, and all that happened, are passed in.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from .regimes import LAWS, Effect, Law, PauseKind, Regime
from .workdays import (
    Nation,
    YearNotKnown,
    add_working_days,
    count_working_days,
    next_working_day,
)

_DAY = timedelta(days=1)
_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Pause:
    """We asked whoever asked for something: from the day it was asked to the day it came."""

    kind: PauseKind
    from_on: date
    until_on: date | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """Where the clock of a request stands on one day."""

    runs_from: date
    """The day of receipt, as the law has it: later than the first where the period began anew."""
    due_on: date | None
    """The last day for the answer; ``None`` while it stands, or where it cannot be worked out."""
    left: int | None
    """Days left after today, in :attr:`unit`; below 0 where it is late."""
    unit: str
    """``working day`` or ``day``."""
    stands: Pause | None
    """What is being waited for, while the clock does not run."""
    not_known: str
    """Why the day cannot be worked out; a sentence, or empty."""
    said: tuple[str, ...]
    """What was not counted, and by which law: a sentence each."""

    @property
    def is_late(self) -> bool:
        """Whether the day has passed."""
        return self.left is not None and self.left < 0


def read_clock(
    regime: Regime,
    *,
    received_on: date,
    today: date,
    nation: Nation = Nation.ENGLAND,
    pauses: Sequence[Pause] = (),
    extended: bool = False,
    asked_for_on: date | None = None,
) -> Clock:
    """Where the clock stands on the day ``today``.

    ``nation`` is the body's own, for laws that go by that. ``pauses`` are in the order in which
    they began. ``asked_for_on`` is the day that was agreed on where the regime is
    :attr:`~.regimes.Regime.OTHER`.
    """
    law = LAWS[regime]
    runs_from, stopped, said = _read_pauses(law, received_on, pauses)
    stands = next((pause for pause in pauses if pause.until_on is None), None)
    nations = law.nations or frozenset({nation})
    unit = "day" if law.working_days is None else "working day"
    due_on, left, not_known = None, None, ""
    try:
        if regime is Regime.OTHER:
            due_on = asked_for_on
        elif stands is None:
            due_on = _find_due(law, runs_from, stopped, nations, extended=extended)
        if due_on is not None:
            left = _count_left(law, today, due_on, nations)
    except YearNotKnown as missing:
        not_known = str(missing)
    return Clock(runs_from, due_on, left, unit, stands, not_known, tuple(said))


def _read_pauses(
    law: Law, received_on: date, pauses: Sequence[Pause]
) -> tuple[date, set[date], list[str]]:
    """From which day the period runs, the days not counted, and what that is by."""
    runs_from, stopped, said = received_on, set[date](), []
    for pause in pauses:
        effect, source = law.pauses[pause.kind]
        said.append(source)
        if pause.until_on is None:
            continue
        if effect is Effect.RESTARTS:
            runs_from = max(runs_from, pause.until_on)
        else:
            span = (pause.until_on - pause.from_on).days
            stopped |= {pause.from_on + _DAY * number for number in range(span + 1)}
    return runs_from, stopped, list(dict.fromkeys(said))


def _find_due(
    law: Law, runs_from: date, stopped: set[date], nations: frozenset[Nation], *, extended: bool
) -> date:
    period = law.extended if extended else law.working_days or law.months
    assert period is not None
    if law.working_days is not None:
        return add_working_days(runs_from, period, nations, stopped)
    # Only days within the period can be left out of it.
    lost = sum(day >= runs_from for day in stopped)
    return next_working_day(add_months(runs_from, period) + _DAY * lost, nations)


def _count_left(law: Law, today: date, due_on: date, nations: frozenset[Nation]) -> int:
    if law.working_days is None:
        return (due_on - today).days
    if today <= due_on:
        return count_working_days(today, due_on, nations)
    # Late is late, though what passed since may hold no working day yet.
    return -max(1, count_working_days(due_on, today, nations))


def add_months(day: date, months: int) -> date:
    """The corresponding date some months later, or the last day of a month that has none."""
    years, month = divmod(day.month - 1 + months, _MONTHS)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
