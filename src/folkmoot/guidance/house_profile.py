"""What an organisation says of itself for its house rules, and reading it from a TOML file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import time
from enum import StrEnum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .folder import read_file
from .model import GuidanceError
from .table import Table, decode, parse

_HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")
_OWN_WORDS = ("organisation", "response_promise", "appeal_route", "emergency_route")


class ProfileError(GuidanceError):
    """An organisation's profile lacks something, or says something that cannot be."""


class Day(StrEnum):
    """A day of the week, Monday first."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


OwnWords = str | Mapping[str, str]
"""One text for every language, or one for each by language tag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What one organisation says of itself.

    ``hours`` is ``09:00-17:00`` in the time zone ``zone`` (an IANA name) on each of ``days``.
    ``response_promise`` continues “we answer ...”; ``appeal_route`` and ``emergency_route`` say
    where to turn. ``block_review_months`` is how often a block is looked at again. ``language`` is
    the one wanted. ``rules_address`` is the page's address, empty while it has none.
    """

    organisation: OwnWords
    days: tuple[Day, ...]
    hours: str
    response_promise: OwnWords
    channels: tuple[str, ...]
    appeal_route: OwnWords
    emergency_route: OwnWords
    block_review_months: int
    zone: str = "Europe/London"
    language: str = "en"
    rules_address: str = ""

    def opening_times(self) -> tuple[time, time]:
        """When the working day begins and ends.

        Raises:
            ProfileError: ``hours`` is not two times of day, the later one second.
        """
        match = _HOURS.fullmatch(self.hours)
        if match is None:
            raise ProfileError(
                f"The profile’s hours are {self.hours!r}. Write them as 09:00-17:00."
            )
        opens = time(int(match[1]), int(match[2]))
        closes = time(int(match[3]), int(match[4]))
        if closes <= opens:
            raise ProfileError(f"The profile’s hours end before they begin: {self.hours}.")
        return opens, closes


def read_profile(file: Path) -> Profile:
    """The profile in a TOML file, as ``docs/packs.md`` describes it.

    Raises:
        ProfileError: Required keys are missing; all of them are named.
        PackError: The file cannot be read, is not TOML, has a key that does not exist, or a value
            of the wrong kind.
    """
    table = Table(parse(decode(read_file(file), file), file), file)
    known = [each.name for each in fields(Profile)]
    table.allow_only(known)
    optional = ("zone", "language", "rules_address")
    missing = [key for key in known if key not in optional and not table.has(key)]
    if missing:
        raise ProfileError(f"{file}: The profile lacks {_listed(missing)}.")
    given: dict[str, Any] = {key: table.get_text(key) for key in optional if table.has(key)}
    given |= {key: _own_words(table, key) for key in _OWN_WORDS}
    days = tuple(
        Table({"days": day}, file).get_word("days", Day) for day in table.get_texts("days")
    )
    return Profile(
        days=days,
        hours=table.get_text("hours"),
        channels=table.get_texts("channels"),
        block_review_months=table.get_number("block_review_months"),
        **given,
    )


def refuse_incomplete(profile: Profile) -> None:
    """Refuse a profile that lacks something or says something that cannot be.

    Raises:
        ProfileError: Names everything that is missing at once, or the first thing that is wrong.
    """
    missing = [
        each.name
        for each in fields(Profile)
        if each.name != "rules_address" and _is_blank(getattr(profile, each.name))
    ]
    if missing:
        raise ProfileError(f"The profile lacks {_listed(missing)}.")
    profile.opening_times()
    if profile.block_review_months < 1:
        raise ProfileError(
            "A block must be looked at again: block_review_months is "
            f"{profile.block_review_months}, and must be 1 or more."
        )
    try:
        ZoneInfo(profile.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise ProfileError(
            f"There is no time zone {profile.zone!r}. Name one as Europe/London."
        ) from unknown


def _own_words(table: Table, key: str) -> OwnWords:
    by_language = table.find_table(key) if table.holds_table(key) else None
    if by_language is None:
        return table.get_text(key)
    return {language: by_language.get_text(language) for language in sorted(by_language.keys())}


def _is_blank(value: object) -> bool:
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, Mapping):
        return not value or any(not str(text).strip() for text in value.values())
    return value in ((), None)


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
