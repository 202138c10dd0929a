"""A clock on a wall, its zone and the instant it comes to; and the nights when clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from folkmoot.desk.drafts import walltime
from folkmoot.desk.drafts.walltime import Asked, NotATime, Resolved, resolve

LONDON, NEW_YORK = "Europe/London", "America/New_York"
MISSING, DOUBLED = "2027-03-28T01:30", "2026-10-25T01:30"


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wall", "zone", "instant"),
    [
        ("2026-11-20T17:55", LONDON, utc(2026, 11, 20, 17, 55)),
        ("2027-07-01T10:00", LONDON, utc(2027, 7, 1, 9, 0)),
        ("2026-11-20T17:55", NEW_YORK, utc(2026, 11, 20, 22, 55)),
        ("2026-11-20T17:55", "Asia/Kathmandu", utc(2026, 11, 20, 12, 10)),
        ("2026-11-20T17:55", "UTC", utc(2026, 11, 20, 17, 55)),
        ("2027-03-28T00:59", LONDON, utc(2027, 3, 28, 0, 59)),
        ("2027-03-28T02:00", LONDON, utc(2027, 3, 28, 1, 0)),
        ("2026-10-25T00:59", LONDON, utc(2026, 10, 24, 23, 59)),
        ("2026-10-25T02:00", LONDON, utc(2026, 10, 25, 2, 0)),
    ],
)
def test_a_wall_time_comes_to_the_instant_its_zone_says(wall, zone, instant):
    assert resolve(wall, zone) == Resolved(instant, wall, zone)
    assert walltime.still_names(wall, zone, instant)


def test_a_time_that_does_not_exist_offers_the_minute_before_and_the_minute_after():
    asked = resolve(MISSING, LONDON)
    assert isinstance(asked, Asked)
    assert "01:30 on 28 March 2027 does not exist in Europe/London" in asked.sentence
    assert list(asked.choices) == ["before", "after"]
    assert "00:59" in asked.choices["before"]
    assert "02:00" in asked.choices["after"]
    before, after = (resolve(MISSING, LONDON, which) for which in asked.choices)
    assert before == Resolved(utc(2027, 3, 28, 0, 59), "2027-03-28T00:59", LONDON)
    assert after == Resolved(utc(2027, 3, 28, 1, 0), "2027-03-28T02:00", LONDON)


def test_a_time_that_happens_twice_asks_which_and_keeps_the_answer_in_the_instant():
    asked = resolve(DOUBLED, LONDON)
    assert isinstance(asked, Asked)
    assert "happens twice" in asked.sentence
    assert asked.choices == {"first": "The first, in BST", "second": "The second, in GMT"}
    first, second = (resolve(DOUBLED, LONDON, which) for which in asked.choices)
    assert (first.at, second.at) == (utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 1, 30))
    assert first.wall == second.wall == DOUBLED
    assert walltime.which_of(DOUBLED, LONDON, first.at) == "first"
    assert walltime.which_of(DOUBLED, LONDON, second.at) == "second"
    assert walltime.which_of("2026-10-26T01:30", LONDON, utc(2026, 10, 26, 1, 30)) == ""
    for found in (first, second):
        assert walltime.still_names(DOUBLED, LONDON, found.at)
    assert "the second of the two, in GMT" in walltime.tell(DOUBLED, LONDON, second.at, LONDON)


def test_zones_without_a_name_for_their_clock_are_told_apart_by_their_offset():
    asked = resolve("2027-04-04T01:45", "Australia/Lord_Howe")  # goes back by half an hour
    assert asked.choices == {
        "first": "The first, in UTC+1100",
        "second": "The second, in UTC+1030",
    }


def test_a_choice_is_not_looked_at_where_nothing_is_asked():
    for which in ("first", "second", "before", "after", "nonsense"):
        assert resolve("2026-11-20T17:55", LONDON, which) == resolve("2026-11-20T17:55", LONDON)
    assert isinstance(resolve(DOUBLED, LONDON, "before"), Asked)
    assert isinstance(resolve(MISSING, LONDON, "nonsense"), Asked)


@pytest.mark.parametrize("typed", ["europe/london", " Europe/London ", "EUROPE/LONDON"])
def test_a_zone_is_found_as_people_type_it(typed):
    assert resolve("2026-11-20T17:55", typed).zone == LONDON
    assert walltime.find_zone("america/new york") == NEW_YORK


@pytest.mark.parametrize(
    ("zone", "hint"),
    [
        ("Europe/Lundon", "Did you mean Europe/London?"),
        ("BST", "Zones are named by a place"),
        ("", "Zones are named by a place"),
        ("../../etc/passwd", "There is no time zone"),
        ("posix/Europe/London\0", "There is no time zone"),
    ],
)
def test_a_zone_that_does_not_exist_gets_a_sentence(zone, hint):
    found = resolve("2026-11-20T17:55", zone)
    assert isinstance(found, NotATime)
    assert found.place == "zone"
    assert hint in found.sentence


@pytest.mark.parametrize(
    "wall",
    ["", "T", "2027-02-30T10:00", "2026-11-20T24:00", "0001-01-01T00:00", "9999-12-31T23:59", "x"],
)
def test_what_is_no_time_gets_a_sentence(wall):
    found = resolve(wall, LONDON)
    assert isinstance(found, NotATime)
    assert found.place == "wall"
    assert found.sentence.startswith("Enter the day")


def test_all_three_are_told():
    told = walltime.tell("2026-11-20T22:55", NEW_YORK, utc(2026, 11, 21, 3, 55), LONDON)
    assert told == (
        "Friday 20 November 2026 at 22:55 in America/New_York (Saturday 21 November 2026 at 03:55 "
        "in Europe/London; Saturday 21 November 2026 at 03:55 UTC)"
    )
    assert walltime.tell("2026-11-20T17:55", LONDON, utc(2026, 11, 20, 17, 55), LONDON) == (
        "Friday 20 November 2026 at 17:55 in Europe/London (17:55 UTC)"
    )


@pytest.mark.parametrize(
    ("day", "zone", "says"),
    [
        (date(2027, 3, 28), LONDON, "go forward at 01:00: 01:00 to 01:59 does not exist"),
        (date(2026, 10, 25), LONDON, "go back at 02:00: 01:00 to 01:59 happens twice"),
        (date(2018, 11, 4), "America/Sao_Paulo", "00:00 to 00:59 does not exist"),
        (date(2018, 2, 17), "America/Sao_Paulo", "23:00 to 23:59 happens twice"),
        (date(2027, 4, 4), "Australia/Lord_Howe", "01:30 to 01:59 happens twice"),
    ],
)
def test_a_day_on_which_the_clocks_change_says_so_and_its_neighbours_do_not(day, zone, says):
    assert says in walltime.describe_change(day, zone)
    for other in (day.replace(day=day.day - 1), day.replace(day=day.day + 1)):
        assert walltime.describe_change(other, zone) == ""


def test_a_time_of_rules_that_have_changed_is_a_problem(monkeypatch):
    at = resolve("2027-07-01T10:00", LONDON).at
    assert walltime.find_problem("2027-07-01T10:00", LONDON, at) == ""
    real = walltime.get_rules
    monkeypatch.setattr(walltime, "get_rules", lambda _: real("Europe/Paris"))
    assert "now another moment" in walltime.find_problem("2027-07-01T10:00", LONDON, at)
