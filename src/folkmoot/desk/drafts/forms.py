"""What the composer hands in, validated for shape alone; fitness is for the actions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms

from folkmoot.desk.people.queries import Organisation

WINDOWS = (5, 15, 60)
YEARS = range(2000, 2200)
LANGUAGES = {"en": "English", "cy": "Welsh"}


class TimeRefused(Exception):
    """A wall-clock time that cannot be used; the message says why and what to do."""


def resolve_time(day: str, clock: str, organisation: Organisation) -> datetime:
    """The UTC instant of a day (``2026-11-20``) and time (``17:55``) in the organisation's zone.

    Raises :class:`TimeRefused` for what is not a time, and for an hour that a clock change leaves
    out or repeats: a machine must not choose which one was meant.
    """
    try:
        naive = datetime.strptime(f"{day.strip()} {clock.strip()}", "%Y-%m-%d %H:%M")  # noqa: DTZ007
    except ValueError as wrong:
        raise TimeRefused(
            "Enter the day as year, month, day (2026-11-20) and the time on the "
            "24-hour clock (17:55)."
        ) from wrong
    if naive.year not in YEARS:  # outside, arithmetic on times ends in errors
        raise TimeRefused(f"Enter the day with a year near our own: {day.strip()} is not.")
    zone = organisation.timezone
    early, late = naive.replace(tzinfo=zone, fold=0), naive.replace(tzinfo=zone, fold=1)
    if early.utcoffset() != late.utcoffset():
        there = early.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == naive
        what = "happens twice" if there else "does not exist"
        raise TimeRefused(
            f"{clock} on {naive.day} {naive:%B %Y} {what} in {organisation.zone}, "
            "because the clocks change. Choose a time outside that hour."
        )
    return early.astimezone(UTC)


class ComposerForm(forms.Form):
    """One page's worth of a post."""

    text = forms.CharField(required=False, strip=False, widget=forms.Textarea)
    language = forms.ChoiceField(choices=list(LANGUAGES.items()), required=False)
    when = forms.ChoiceField(choices=[("signed", "signed"), ("at", "at")], required=False)
    day = forms.CharField(required=False, max_length=10)
    clock = forms.CharField(required=False, max_length=5)
    window = forms.TypedChoiceField(
        choices=[(str(n), str(n)) for n in WINDOWS], coerce=int, required=False, empty_value=None
    )
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
        """Resolve the time into ``due_at``: ``None`` for *as soon as it is signed*."""
        data = super().clean() or {}
        data["text"] = (data.get("text") or "").replace("\r\n", "\n")
        data["due_at"] = None
        if data.get("when") == "at":
            try:
                data["due_at"] = resolve_time(
                    data.get("day", ""), data.get("clock", ""), self.organisation
                )
            except TimeRefused as refused:
                self.add_error("day", str(refused))
        return data


def local_parts(at: datetime | None, organisation: Organisation) -> tuple[str, str]:
    """Day and time of an instant in the organisation's zone, as the form shows them."""
    if at is None:
        return "", ""
    local = at.astimezone(organisation.timezone)
    return f"{local:%Y-%m-%d}", f"{local:%H:%M}"


def next_half_hour(now: datetime) -> datetime:
    """The next full or half hour at least ten minutes from ``now``."""
    at = (now + timedelta(minutes=10)).replace(second=0, microsecond=0)
    return at + timedelta(minutes=-at.minute % 30)
