"""Times as a clock on a wall shows them, the zone whose wall it is, and the instant that comes to.

Pure. A wall time is kept as it was written, ``2026-11-20T17:55``, and nothing more. Where a clock
shows it twice, *which* of the two was meant is not written into it: the instant that was resolved
is kept beside it and says so without a second notation that could contradict the first.

The rules of zones are those of the IANA Time Zone Database as this machine has it; the two times of
a doubled hour are told apart as Python's PEP 495 does.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

FORM = "%Y-%m-%dT%H:%M"
YEARS = range(2000, 2200)
"""Outside, arithmetic on times ends in errors."""
FIRST, SECOND, BEFORE, AFTER = "first", "second", "before", "after"
# What a public body of these islands is likeliest to want; any other IANA name can be typed.
COMMON_ZONES = (
    "Europe/London",
    "Europe/Dublin",
    "Europe/Paris",
    "Europe/Berlin",
    "America/New_York",
    "America/Los_Angeles",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Australia/Sydney",
    "UTC",
)


@dataclass(frozen=True, slots=True)
class Resolved:
    """The instant a wall time comes to. ``wall`` and ``zone`` are in their proper form."""

    at: datetime
    wall: str
    zone: str


@dataclass(frozen=True, slots=True)
class NotATime:
    """What was written is no day and time, or no zone; ``place`` says which: ``wall``, ``zone``."""

    sentence: str
    place: str = "wall"


@dataclass(frozen=True, slots=True)
class Asked:
    """A time only a person can decide: it does not exist, or happens twice, where clocks change.

    ``choices`` maps what ``which`` may then be to the words for it.
    """

    sentence: str
    choices: dict[str, str]


def resolve(wall: str, zone: str, which: str = "") -> Resolved | NotATime | Asked:
    """The instant of a wall time in a zone.

    ``which`` answers the question of an :class:`Asked`, and is not looked at where there is none:
    ``first`` or ``second`` for a time that happens twice, ``before`` or ``after`` for one that the
    clocks leap over, which then stands for the last minute before the gap or the first after it.
    """
    name = find_zone(zone)
    if name is None:
        return NotATime(_no_zone(zone), "zone")
    naive = read_wall(wall)
    if naive is None:
        return NotATime(
            "Enter the day as year, month, day (2026-11-20) and the time on the 24-hour clock "
            "(17:55)."
        )
    if naive.year not in YEARS:
        return NotATime(f"Enter the day with a year near our own: {wall[:10]} is not.")
    rules = get_rules(name)
    early, late = naive.replace(tzinfo=rules, fold=0), naive.replace(tzinfo=rules, fold=1)
    if early.utcoffset() == late.utcoffset():
        return Resolved(early.astimezone(UTC), f"{naive:{FORM}}", name)
    if early.astimezone(UTC) < late.astimezone(UTC):
        return _one_of_two(early, late, name, which)
    return _beside_the_gap(naive, late.astimezone(UTC), early.astimezone(UTC), rules, which)


def _one_of_two(early: datetime, late: datetime, zone: str, which: str) -> Resolved | Asked:
    chosen = {FIRST: early, SECOND: late}.get(which)
    if chosen is not None:
        return Resolved(chosen.astimezone(UTC), f"{early:{FORM}}", zone)
    return Asked(
        f"{_said(early)} happens twice in {zone}, because the clocks go back. "
        "Choose which of the two you mean.",
        {FIRST: f"The first, in {_clock(early)}", SECOND: f"The second, in {_clock(late)}"},
    )


def _beside_the_gap(
    naive: datetime, low: datetime, high: datetime, rules: ZoneInfo, which: str
) -> Resolved | Asked:
    """``low`` and ``high`` are instants on either side of the change."""
    start = _change_between(low, high, rules)
    beside = {BEFORE: start - timedelta(minutes=1), AFTER: start}
    if which in beside:
        local = beside[which].astimezone(rules)
        return Resolved(beside[which], f"{local:{FORM}}", rules.key)
    before, after = (_beside(naive, at.astimezone(rules)) for at in beside.values())
    return Asked(
        f"{_said(naive)} does not exist in {rules.key}, because the clocks go forward. "
        "Choose the last minute before or the first after, or another time.",
        {BEFORE: f"The last minute before, {before}", AFTER: f"The first minute after, {after}"},
    )


def still_names(wall: str, zone: str, at: datetime) -> bool:
    """Whether a wall time, resolved anew by the rules this machine has now, can still be ``at``.

    ``False`` after a government changed its clocks since the time was chosen.
    """
    naive, name = read_wall(wall), find_zone(zone)
    if naive is None or name is None:
        return False
    rules = get_rules(name)
    return at.astimezone(rules).replace(tzinfo=None) == naive


def find_problem(wall: str, zone: str, at: datetime | None) -> str:
    """What keeps a post with this time from going out, as a sentence: its time was never resolved,
    or is now another moment. Empty where nothing does, or no time was chosen.
    """
    if not wall:
        return ""
    if at is not None:
        return "" if still_names(wall, zone, at) else tell_moved(wall, zone)
    found = resolve(wall, zone)
    return "Choose the time again." if isinstance(found, Resolved) else found.sentence


def tell_moved(wall: str, zone: str) -> str:
    """Why a post does not go out where :func:`still_names` no longer holds."""
    naive = read_wall(wall)
    when = _said(naive) if naive else wall
    return (
        f"The clocks of {zone} have been changed since the time of this post was chosen: {when} "
        "there is now another moment. It was not sent. Copy it into a new post and choose its "
        "time again."
    )


def which_of(wall: str, zone: str, at: datetime | None) -> str:
    """``first`` or ``second`` where ``wall`` happens twice and ``at`` is one of the two; else
    nothing.
    """
    for which in (FIRST, SECOND) if at is not None else ():
        asked = resolve(wall, zone)
        found = resolve(wall, zone, which)
        if isinstance(asked, Asked) and isinstance(found, Resolved) and found.at == at:
            return which
    return ""


def wall_of(at: datetime, zone: str) -> str:
    """What a clock in the zone shows at an instant. The zone must exist."""
    return f"{at.astimezone(get_rules(zone)):{FORM}}"


def read_wall(wall: str) -> datetime | None:
    """The naive time that ``wall`` writes, or ``None`` where it is none."""
    try:
        return datetime.strptime(wall.strip(), FORM)  # noqa: DTZ007  # its zone is named apart
    except ValueError:
        return None


def find_zone(typed: str) -> str | None:
    """The IANA name of a zone as somebody typed it: case and spaces do not matter."""
    return _zones().get("_".join(typed.split()).casefold())


def tell(wall: str, zone: str, at: datetime, own_zone: str) -> str:
    """All three in words: the wall time with its day and zone, the instant in UTC, and, where
    ``own_zone`` is another, what the clocks there show.
    """
    rules = get_rules(zone)
    local = at.astimezone(rules)
    told = [f"{_day(local)} at {local:%H:%M} in {zone}"]
    if which := which_of(wall, zone, at):
        told[0] += f", the {which} of the two, in {_clock(local)}"
    if own_zone != zone:
        own = at.astimezone(get_rules(own_zone))
        told.append(f"{_day(own)} at {own:%H:%M} in {own_zone}")
    world = at.astimezone(UTC)
    there = "" if world.date() == local.date() else f"{_day(world)} at "
    told.append(f"{there}{world:%H:%M} UTC")
    return f"{told[0]} ({'; '.join(told[1:])})"


def describe_change(day: date, zone: str) -> str:
    """A sentence about a change of the clocks on that day in the zone, or an empty one."""
    rules = get_rules(zone)
    # From just before midnight to just before midnight: a change may be at midnight itself.
    start, end = (
        datetime.combine(each, time(0), rules).astimezone(UTC) - timedelta(minutes=1)
        for each in (day, day + timedelta(days=1))
    )
    before, after = (_offset(moment, rules) for moment in (start, end))
    if before == after:
        return ""
    change = _change_between(start, end, rules)
    was = (change + before).replace(tzinfo=None)
    becomes = (change + after).replace(tzinfo=None)
    if after > before:
        last = becomes - timedelta(minutes=1)
        return (
            f"The clocks go forward at {was:%H:%M}: {was:%H:%M} to {last:%H:%M} does not exist "
            "on this day."
        )
    last = was - timedelta(minutes=1)
    return (
        f"The clocks go back at {was:%H:%M}: {becomes:%H:%M} to {last:%H:%M} happens twice "
        "on this day."
    )


def _change_between(low: datetime, high: datetime, rules: tzinfo) -> datetime:
    """The first minute, in UTC, at which the offset is that of ``high`` and not that of ``low``."""
    old = _offset(low, rules)
    left, right = 0, int((high - low).total_seconds()) // 60
    while right - left > 1:
        middle = (left + right) // 2
        if _offset(low + timedelta(minutes=middle), rules) == old:
            left = middle
        else:
            right = middle
    return low + timedelta(minutes=right)


def _offset(at: datetime, rules: tzinfo) -> timedelta:
    offset = at.astimezone(rules).utcoffset()
    assert offset is not None
    return offset


def get_rules(name: str) -> ZoneInfo:
    """The rules of a zone that exists."""
    # Read anew: a process that runs for months must not go by the rules of the day it started.
    return ZoneInfo.no_cache(name)


@lru_cache(maxsize=1)
def _zones() -> dict[str, str]:
    return {name.casefold(): name for name in available_timezones()}


def _no_zone(typed: str) -> str:
    name = "_".join(typed.split())
    near = difflib.get_close_matches(name.casefold(), _zones(), 1, 0.75) if "/" in name else []
    hint = (
        f"Did you mean {_zones()[near[0]]}?"
        if near
        else "Zones are named by a place, such as Europe/London or America/New_York."
    )
    return f"There is no time zone “{typed.strip()[:60]}”. {hint}"


def _said(naive: datetime) -> str:
    return f"{naive:%H:%M} on {naive.day} {naive:%B %Y}"


def _beside(naive: datetime, local: datetime) -> str:
    """A time as it is told beside another: with its day only where that is another."""
    return f"{local:%H:%M}" if local.date() == naive.date() else _said(local)


def _day(local: datetime) -> str:
    return f"{local:%A} {local.day} {local:%B %Y}"


def _clock(local: datetime) -> str:
    """The abbreviation that people know a clock by, BST; zones without one have only an offset."""
    name = local.tzname() or ""
    return name if name.isalpha() else f"UTC{local:%z}"
