"""The clock of a request, each day worked out by hand from the list of bank holidays on GOV.UK."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.desk.releases.clock import Pause, add_months, read_clock
from folkmoot.desk.releases.regimes import LAWS, Effect, PauseKind, Regime
from folkmoot.desk.releases.workdays import (
    EVERYWHERE,
    KNOWN_YEARS,
    Nation,
    YearNotKnown,
    add_working_days,
    count_working_days,
    is_working_day,
)

# Bank holidays that fall on a weekday, typed from https://www.gov.uk/bank-holidays (England and
# Wales, Scotland, Northern Ireland); 15 June 2026 in Scotland is by the proclamation of 4 February
# 2026. A day at a weekend makes no difference to any clock.
ENGLAND_AND_WALES = {
    2024: "01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26",
    2025: "01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26",
    2026: "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28",
    2027: "01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28",
}
SCOTLAND = {
    2024: "01-01 01-02 03-29 05-06 05-27 08-05 12-02 12-25 12-26",
    2025: "01-01 01-02 04-18 05-05 05-26 08-04 12-01 12-25 12-26",
    2026: "01-01 01-02 04-03 05-04 05-25 06-15 08-03 11-30 12-25 12-28",
    2027: "01-01 01-04 03-26 05-03 05-31 08-02 11-30 12-27 12-28",
}
NORTHERN_IRELAND = {
    2024: "01-01 03-18 03-29 04-01 05-06 05-27 07-12 08-26 12-25 12-26",
    2025: "01-01 03-17 04-18 04-21 05-05 05-26 07-14 08-25 12-25 12-26",
    2026: "01-01 03-17 04-03 04-06 05-04 05-25 07-13 08-31 12-25 12-28",
    2027: "01-01 03-17 03-26 03-29 05-03 05-31 07-12 08-30 12-27 12-28",
}
LISTS = {
    Nation.ENGLAND: ENGLAND_AND_WALES,
    Nation.WALES: ENGLAND_AND_WALES,
    Nation.SCOTLAND: SCOTLAND,
    Nation.NORTHERN_IRELAND: NORTHERN_IRELAND,
}


@pytest.mark.parametrize("nation", list(Nation))
@pytest.mark.parametrize("year", KNOWN_YEARS)
def test_the_bank_holidays_are_those_of_the_published_list(nation, year):
    days = [date(year, 1, 1).fromordinal(date(year, 1, 1).toordinal() + n) for n in range(366)]
    off = [
        f"{day:%m-%d}"
        for day in days
        if day.year == year and day.weekday() < 5 and not is_working_day(day, frozenset({nation}))
    ]
    assert off == LISTS[nation][year].split()


def due(regime, received_on, **more):
    more.setdefault("today", received_on)
    return read_clock(regime, received_on=received_on, **more).due_on


D = date
FOI, EIR, FOISA, EISR, SAR = (
    Regime.FOI,
    Regime.EIR,
    Regime.FOISA,
    Regime.EISR,
    Regime.SUBJECT_ACCESS,
)

# Twenty working days after the day of receipt. Each was counted on a wall calendar; what is left
# out on the way is named.
COUNTED = [
    # No holiday on the way: Monday 2 February 2026 and four weeks.
    (FOI, D(2026, 2, 2), D(2026, 3, 2)),
    # Received on a Saturday: the count begins on the Monday all the same.
    (FOI, D(2026, 1, 31), D(2026, 2, 27)),
    # Christmas, 28 December, New Year, and 2 January, which is a holiday in Scotland alone.
    (FOI, D(2026, 12, 10), D(2027, 1, 13)),
    # The same for Scotland: the same days are left out there.
    (FOISA, D(2026, 12, 10), D(2027, 1, 13)),
    # Christmas 2025: 25 and 26 December, 1 January, and 2 January.
    (FOI, D(2025, 12, 8), D(2026, 1, 9)),
    # St Andrew's Day, Monday 1 December 2025, does not count in England either.
    (FOI, D(2025, 11, 24), D(2025, 12, 23)),
    (EIR, D(2025, 11, 24), D(2025, 12, 23)),
    # 12 July 2026 is a Sunday: Northern Ireland has Monday 13 July instead, and Scotland 3 August;
    # in Scotland the former counts.
    (FOI, D(2026, 7, 6), D(2026, 8, 5)),
    (FOISA, D(2026, 7, 6), D(2026, 8, 4)),
    # St Patrick's Day, Tuesday 17 March 2026, Good Friday and Easter Monday on the way.
    (FOI, D(2026, 3, 9), D(2026, 4, 9)),
    # In Scotland neither St Patrick's Day nor Easter Monday is a bank holiday; Good Friday is.
    (FOISA, D(2026, 3, 9), D(2026, 4, 7)),
    (EISR, D(2026, 3, 9), D(2026, 4, 7)),
    # 15 June 2026, by proclamation, in Scotland alone: it counts nowhere under FOIA.
    (FOI, D(2026, 6, 1), D(2026, 6, 30)),
    (FOISA, D(2026, 6, 1), D(2026, 6, 30)),
    # Early August 2026: 3 August in Scotland, 31 August everywhere else.
    (FOI, D(2026, 8, 4), D(2026, 9, 2)),
    (FOISA, D(2026, 8, 4), D(2026, 9, 1)),
    # A leap day is a Thursday like any other: 29 February 2024.
    (FOI, D(2024, 2, 1), D(2024, 2, 29)),
]


@pytest.mark.parametrize(("regime", "received_on", "last_day"), COUNTED)
def test_the_twentieth_working_day_is_the_one_counted_by_hand(regime, received_on, last_day):
    assert due(regime, received_on) == last_day


# One month: the corresponding date, or the last day of the month; moved on from days off.
MONTHS = [
    (D(2026, 9, 3), Nation.ENGLAND, D(2026, 10, 5)),  # 3 October is a Saturday
    (D(2026, 3, 3), Nation.ENGLAND, D(2026, 4, 7)),  # Good Friday, the weekend, Easter Monday
    (D(2026, 3, 3), Nation.SCOTLAND, D(2026, 4, 6)),  # where Easter Monday is a working day
    (D(2024, 1, 31), Nation.ENGLAND, D(2024, 2, 29)),  # a leap year
    (D(2025, 1, 31), Nation.ENGLAND, D(2025, 2, 28)),
    (D(2026, 11, 25), Nation.ENGLAND, D(2026, 12, 29)),  # Christmas, weekend, 28 December
    (D(2025, 12, 2), Nation.ENGLAND, D(2026, 1, 2)),
    (D(2025, 12, 2), Nation.SCOTLAND, D(2026, 1, 5)),  # 2 January
    (D(2027, 6, 12), Nation.NORTHERN_IRELAND, D(2027, 7, 13)),
    (D(2027, 6, 12), Nation.ENGLAND, D(2027, 7, 12)),
]


@pytest.mark.parametrize(("received_on", "nation", "last_day"), MONTHS)
def test_one_month_ends_on_the_corresponding_day_or_the_next_working_day(
    received_on, nation, last_day
):
    assert due(SAR, received_on, nation=nation) == last_day


def clarified(from_on, until_on=None):
    return [Pause(PauseKind.CLARIFICATION, from_on, until_on)]


@pytest.mark.parametrize("regime", [FOI, EIR, FOISA, EISR])
def test_the_period_begins_anew_when_it_was_said_more_exactly_what_is_meant(regime):
    asked = clarified(D(2026, 2, 6), D(2026, 2, 13))
    clock = read_clock(regime, received_on=D(2026, 2, 2), today=D(2026, 2, 16), pauses=asked)
    assert clock.runs_from == D(2026, 2, 13)
    assert clock.due_on == D(2026, 3, 13)
    assert clock.said


def test_the_days_from_a_fees_notice_to_the_payment_are_not_counted():
    # Four working days, Tuesday to Friday, both included.
    paid = [Pause(PauseKind.FEE, D(2026, 2, 10), D(2026, 2, 13))]
    assert due(FOI, D(2026, 2, 2), pauses=paid) == D(2026, 3, 6)
    # A fee that was asked for and paid on a Sunday takes no working day away.
    paid = [Pause(PauseKind.FEE, D(2026, 2, 8), D(2026, 2, 8))]
    assert due(FOI, D(2026, 2, 2), pauses=paid) == D(2026, 3, 2)


def test_in_subject_access_the_clock_stops_for_clarification_and_begins_anew_for_identity():
    asked = clarified(D(2026, 9, 7), D(2026, 9, 9))  # three days, both included
    assert due(SAR, D(2026, 9, 3), pauses=asked) == D(2026, 10, 6)
    known = [Pause(PauseKind.IDENTITY, D(2026, 9, 4), D(2026, 9, 14))]
    assert due(SAR, D(2026, 9, 3), pauses=known) == D(2026, 10, 14)
    # What was not counted before the period began anew is not left out of it as well.
    both = [*clarified(D(2026, 9, 4), D(2026, 9, 5)), *known]
    both = [both[0], Pause(PauseKind.IDENTITY, D(2026, 9, 6), D(2026, 9, 14))]
    assert due(SAR, D(2026, 9, 3), pauses=both) == D(2026, 10, 14)


@pytest.mark.parametrize("regime", [one for one in Regime if one is not Regime.OTHER])
def test_nothing_is_due_while_we_wait_for_them(regime):
    waiting = clarified(D(2026, 2, 6))
    clock = read_clock(regime, received_on=D(2026, 2, 2), today=D(2026, 6, 1), pauses=waiting)
    assert clock.due_on is None
    assert clock.stands == waiting[0]
    assert clock.left is None
    assert not clock.is_late


def test_a_longer_period_is_counted_from_the_same_day():
    assert due(EIR, D(2026, 2, 2), extended=True) == D(2026, 3, 31)  # 40, less 17 March
    assert due(EISR, D(2026, 2, 2), extended=True) == D(2026, 3, 30)
    assert due(FOI, D(2026, 2, 2), extended=True) == D(2026, 3, 31)
    assert due(SAR, D(2026, 9, 3), extended=True) == D(2026, 12, 3)  # three months in all
    assert LAWS[FOISA].extended is None


def test_a_year_whose_holidays_are_not_known_is_said_and_never_guessed():
    clock = read_clock(FOI, received_on=D(2027, 12, 10), today=D(2027, 12, 10))
    assert clock.due_on is None
    assert clock.left is None
    assert "2028" in clock.not_known
    assert "not known" in clock.not_known
    with pytest.raises(YearNotKnown):
        add_working_days(D(2023, 1, 1), 1, EVERYWHERE)


def test_days_left_are_counted_in_the_unit_of_the_law():
    clock = read_clock(FOI, received_on=D(2026, 2, 2), today=D(2026, 2, 27))
    assert (clock.left, clock.unit) == (1, "working day")  # a Friday; due on the Monday
    clock = read_clock(FOI, received_on=D(2026, 2, 2), today=D(2026, 3, 2))
    assert clock.left == 0
    assert not clock.is_late
    clock = read_clock(FOI, received_on=D(2026, 1, 30), today=D(2026, 2, 28))
    assert (clock.due_on, clock.left) == (D(2026, 2, 27), -1)  # late on a Saturday is late
    assert clock.is_late
    clock = read_clock(SAR, received_on=D(2026, 9, 3), today=D(2026, 9, 30))
    assert (clock.left, clock.unit) == (5, "day")


def test_another_kind_of_request_is_due_when_it_was_agreed():
    clock = read_clock(
        Regime.OTHER, received_on=D(2026, 2, 2), today=D(2026, 2, 3), asked_for_on=D(2026, 2, 9)
    )
    assert (clock.due_on, clock.left) == (D(2026, 2, 9), 6)


@given(
    st.dates(date(2024, 1, 1), date(2027, 6, 1)),
    st.sampled_from([FOI, EIR, FOISA, EISR]),
    st.integers(0, 30),
    st.integers(0, 30),
)
def test_the_period_holds_exactly_its_working_days_whatever_was_not_counted(
    received_on, regime, after, length
):
    begin = date.fromordinal(received_on.toordinal() + after)
    end = date.fromordinal(begin.toordinal() + length)
    pause = Pause(PauseKind.FEE, begin, end)
    nations = LAWS[regime].nations
    plain, paused = due(regime, received_on), due(regime, received_on, pauses=[pause])
    assert count_working_days(received_on, plain, nations) == 20
    assert is_working_day(paused, nations)
    inside = [
        day
        for day in range(received_on.toordinal() + 1, paused.toordinal() + 1)
        if is_working_day(date.fromordinal(day), nations)
        and not begin <= date.fromordinal(day) <= end
    ]
    assert len(inside) == 20
    assert paused >= plain


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(1, 24))
def test_a_corresponding_date_is_in_its_month_and_never_after_its_own_day(day, months):
    found = add_months(day, months)
    assert (found.year * 12 + found.month) - (day.year * 12 + day.month) == months
    assert found.day <= day.day


def test_every_law_says_what_each_pause_does_and_by_which_section():
    for regime, law in LAWS.items():
        assert law.source
        assert law.holds
        for effect, source in law.pauses.values():
            assert effect in set(Effect)
            assert any(digit in source for digit in "0123456789"), regime
