"""The organisation's calendar of special periods: the form and the page, for admins."""

from __future__ import annotations

from datetime import UTC, datetime, time

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from folkmoot.desk.people.queries import signed_in

from . import actions, queries


class PeriodForm(forms.Form):
    """A period as its notice sets it. Days are whole days in the organisation's zone."""

    kind = forms.ChoiceField(
        choices=list(actions.KINDS.items()),
        error_messages={"required": "Choose what kind of period this is."},
    )
    name = forms.CharField(required=False, max_length=120)
    starts_on = forms.DateField(
        error_messages={
            "required": "Enter the first day, such as 2027-03-25.",
            "invalid": "Enter the first day as year, month, day: 2027-03-25.",
        }
    )
    ends_on = forms.DateField(
        error_messages={
            "required": "Enter the last day, such as 2027-05-06.",
            "invalid": "Enter the last day as year, month, day: 2027-05-06.",
        }
    )
    stops = forms.BooleanField(required=False)
    source = forms.CharField(
        max_length=300,
        error_messages={"required": "Say which notice or guidance sets this period."},
    )


class KnownForm(forms.Form):
    """How far ahead the calendar is complete."""

    known_until = forms.DateField(
        error_messages={
            "required": "Enter the day up to which the calendar is complete, such as 2027-03-31.",
            "invalid": "Enter the day as year, month, day: 2027-03-31.",
        }
    )


def calendar(request: HttpRequest) -> HttpResponse:
    """The organisation's calendar of special periods."""
    member = signed_in(request)
    organisation = member.organisation
    now = datetime.now(UTC)
    errors: list[dict[str, str]] = []
    if request.method == "POST":
        form: forms.Form = (
            KnownForm(request.POST) if "known_until" in request.POST else PeriodForm(request.POST)
        )
        try:
            if not form.is_valid():
                errors = [
                    {"text": str(sentence), "href": f"#{name}"}
                    for name, found in form.errors.items()
                    for sentence in found
                ]
            elif isinstance(form, KnownForm):
                end = datetime.combine(
                    form.cleaned_data["known_until"], time.max, organisation.timezone
                )
                actions.state_calendar(organisation, known_until=end, actor=member, now=now)
                messages.success(request, "The calendar is now stated to be complete until then.")
                return redirect("calendar")
            else:
                data = form.cleaned_data
                zone = organisation.timezone
                actions.add_period(
                    organisation,
                    kind=data["kind"],
                    name=data["name"],
                    source=data["source"],
                    stops=data["stops"],
                    starts_at=datetime.combine(data["starts_on"], time(0), zone),
                    ends_at=datetime.combine(data["ends_on"], time.max, zone),
                    actor=member,
                    now=now,
                )
                messages.success(
                    request,
                    "The period is in the calendar. The check will hold posts that are due in it"
                    + (
                        ", and publishing will be stopped when it begins." if data["stops"] else "."
                    ),
                )
                return redirect("calendar")
        except actions.GuidanceRefused as refused:
            errors = [{"text": str(refused), "href": "#main-content"}]
    return render(
        request,
        "guidance/calendar.html",
        {
            "errors": errors,
            "given": request.POST,
            "kinds": actions.KINDS,
            "periods": queries.list_periods(organisation),
            "known_until": queries.find_known_until(organisation),
            "may_change": "admin" in member.roles,
        },
        status=422 if errors else 200,
    )
