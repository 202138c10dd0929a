"""What the composer hands in, validated for shape alone; fitness is for the actions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms

from folkmoot.desk.people.queries import Organisation

from . import walltime
from .recurring import DAYS, LAST, ORDINALS, Every, Rule

WINDOWS = (5, 15, 60)
WHENS = ("signed", "at", "slot")
LANGUAGES = {"en": "English", "cy": "Welsh"}


class ComposerForm(forms.Form):
    """One page's worth of a post."""

    text = forms.CharField(required=False, strip=False, widget=forms.Textarea)
    language = forms.ChoiceField(choices=list(LANGUAGES.items()), required=False)
    when = forms.ChoiceField(choices=[(when, when) for when in WHENS], required=False)
    day = forms.CharField(required=False)
    clock = forms.CharField(required=False)
    zone = forms.CharField(required=False)
    which = forms.CharField(required=False)
    # The time that the question about ``which`` was asked of: an answer holds for that one alone.
    asked = forms.CharField(required=False)
    window = forms.TypedChoiceField(
        choices=[(str(n), str(n)) for n in WINDOWS], coerce=int, required=False, empty_value=None
    )
    urgent = forms.BooleanField(required=False)
    topic = forms.CharField(
        required=False,
        max_length=60,
        error_messages={"max_length": "Make the topic shorter: 60 characters at most."},
    )
    through_stop = forms.BooleanField(required=False)
    revision = forms.IntegerField(required=False, min_value=0)
    picture = forms.FileField(required=False, allow_empty_file=True)
    picture_alt = forms.CharField(required=False)

    def __init__(
        self, *args: Any, organisation: Organisation, account_ids: list[int], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.organisation = organisation
        self.fields["accounts"] = forms.TypedMultipleChoiceField(
            choices=[(pk, str(pk)) for pk in account_ids], coerce=int, required=False
        )

    def clean(self) -> dict[str, Any]:
        """Resolve the time into ``due_at``, ``wall`` and ``zone``: ``None`` and empty for *as soon
        as it is signed* and for a slot, which is found when the post is kept.
        """
        data = super().clean() or {}
        data["text"] = (data.get("text") or "").replace("\r\n", "\n")
        data["topic"] = " ".join((data.get("topic") or "").split())
        data |= {"due_at": None, "wall": ""}
        if data.get("when") != "at":
            return data | {"zone": ""}
        wall, zone = time_of(data, self.organisation)
        which = data.get("which", "") if data.get("asked") == f"{wall} {zone}" else ""
        match walltime.resolve(wall, zone, which):
            case walltime.Resolved(at, proper, name):
                data |= {"due_at": at, "wall": proper, "zone": name}
            case walltime.NotATime(sentence, place):
                self.add_error("zone" if place == "zone" else "day", sentence)
            case walltime.Asked(sentence, _):
                self.add_error("which", sentence)
        return data


class SeriesForm(forms.Form):
    """How a post is to repeat."""

    every = forms.ChoiceField(
        choices=[(every, every) for every in Every],
        error_messages={"required": "Choose how it repeats."},
    )
    weeks = forms.IntegerField(
        required=False, error_messages={"invalid": "Enter the number of weeks in digits."}
    )
    weekdays = forms.TypedMultipleChoiceField(
        choices=list(enumerate(DAYS)), coerce=int, required=False
    )
    month_day = forms.CharField(required=False)
    nth = forms.ChoiceField(choices=list(ORDINALS.items()), required=False)
    weekday = forms.ChoiceField(choices=list(enumerate(DAYS)), required=False)
    clock = forms.RegexField(
        r"^([01]?[0-9]|2[0-3]):[0-5][0-9]$",
        error_messages={
            "required": "Enter the time on the 24-hour clock, such as 09:00.",
            "invalid": "Enter the time on the 24-hour clock, such as 09:00.",
        },
    )
    zone = forms.CharField(required=False)
    from_on = forms.DateField(
        error_messages={
            "required": "Enter the first day, such as 2026-12-01.",
            "invalid": "Enter the first day as year, month, day: 2026-12-01.",
        }
    )
    until_on = forms.DateField(
        required=False,
        error_messages={"invalid": "Enter the last day as year, month, day: 2027-03-31."},
    )
    count = forms.IntegerField(
        required=False, error_messages={"invalid": "Enter how many times in digits."}
    )
    lead_days = forms.IntegerField(
        error_messages={
            "required": "Enter how many days ahead each post is made, such as 3.",
            "invalid": "Enter how many days ahead each post is made in digits, such as 3.",
        }
    )

    def clean(self) -> dict[str, Any]:
        """Refuse years far from our own, on which arithmetic ends in errors."""
        data = super().clean() or {}
        for name in ("from_on", "until_on"):
            if data.get(name) and data[name].year not in walltime.YEARS:
                self.add_error(name, "Enter a day with a year near our own.")
        return data

    def rule(self) -> Rule:
        """The rule of a valid form. What is wrong with it the action says."""
        data = self.cleaned_data
        every = Every(data["every"])
        day = str(data["month_day"]).strip().lower()
        nth = int(data["nth"] or 1)
        if every is Every.MONTH_DAY:
            nth = LAST if day == "last" else int(day) if day.isdecimal() and len(day) < 3 else 0  # noqa: PLR2004
        chosen = data["weekdays"] if every is Every.WEEK else []
        return Rule(
            every,
            data["from_on"],
            f"{data['clock']:0>5}",
            data["weeks"] if data["weeks"] is not None else 1,
            (int(data["weekday"] or 0),) if every is Every.MONTH_WEEKDAY else tuple(sorted(chosen)),
            nth,
            data["until_on"],
            data["count"],
        )


def time_of(data: Mapping[str, Any], organisation: Organisation) -> tuple[str, str]:
    """The wall time and the zone that a form's ``day``, ``clock`` and ``zone`` name."""
    day, clock, zone = (str(data.get(name) or "").strip() for name in ("day", "clock", "zone"))
    return f"{day}T{clock}", zone or organisation.zone


def shown_time(
    at: datetime | None, wall: str, zone: str, organisation: Organisation
) -> tuple[str, str, str]:
    """Day, clock and zone of a post's time as the form shows them: as they were chosen, or, of an
    instant that was set without, in the organisation's zone. Day and clock are empty for no time.
    """
    if not wall and at is not None:
        wall = walltime.wall_of(at, organisation.zone)
    day, _, clock = wall.partition("T")
    return day, clock, zone or organisation.zone


def next_half_hour(now: datetime) -> datetime:
    """The next full or half hour at least ten minutes from ``now``."""
    at = (now + timedelta(minutes=10)).replace(second=0, microsecond=0)
    return at + timedelta(minutes=-at.minute % 30)
