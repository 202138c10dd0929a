"""House rules: what is removed and why, how to appeal. Printed from the organisation's pack, so
that the page and what moderators do cannot disagree.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from folkmoot.desk.people.queries import find_public_organisation, signed_in
from folkmoot.guidance import Day, GuidanceError

from . import actions, queries

DAYS = {day: day.capitalize() for day in Day}


class ProfileForm(forms.Form):
    """What an admin says of the organisation. Fitness is the engine's to judge."""

    days = forms.MultipleChoiceField(
        choices=list(DAYS.items()),
        error_messages={"required": "Choose the days on which somebody reads what people write."},
    )
    hours = forms.RegexField(
        regex=r"^\d{2}:\d{2}-\d{2}:\d{2}$",
        error_messages={
            "required": "Enter the hours, such as 09:00-17:00.",
            "invalid": "Enter the hours as 09:00-17:00.",
        },
    )
    response_promise = forms.CharField(
        max_length=100,
        error_messages={"required": "Say how soon you answer, such as “within two working days”."},
    )
    appeal_route = forms.CharField(
        max_length=200,
        error_messages={"required": "Say where somebody can appeal, such as an e-mail address."},
    )
    emergency_route = forms.CharField(
        max_length=200, error_messages={"required": "Say where to turn in an emergency."}
    )
    block_review_months = forms.IntegerField(
        min_value=1,
        max_value=60,
        error_messages={"required": "Say after how many months a block is looked at again."},
    )


@login_not_required
def house_rules(request: HttpRequest) -> HttpResponse:
    """The page for everyone."""
    organisation = find_public_organisation(request.get_host())
    rules = queries.find_house_rules(organisation) if organisation else None
    return render(request, "guidance/house_rules.html", {"rules": rules})


def edit_house_rules(request: HttpRequest) -> HttpResponse:
    """The profile, and the three lengths it makes with the pack."""
    member = signed_in(request)
    organisation = member.organisation
    errors: list[dict[str, str]] = []
    form = ProfileForm(request.POST or None)
    if request.method == "POST":
        if form.is_valid():
            try:
                actions.state_house_profile(
                    organisation, actor=member, now=datetime.now(UTC), **form.cleaned_data
                )
                messages.success(request, "Your house rules are on their page.")
                return redirect("edit_house_rules")
            except actions.GuidanceRefused as refused:
                errors = [{"text": str(refused), "href": "#main-content"}]
        else:
            errors = [
                {"text": str(sentence), "href": f"#{name}"}
                for name, found in form.errors.items()
                for sentence in found
            ]
    rules, against = None, ""
    try:
        rules = queries.find_house_rules(organisation)
    except GuidanceError as incomplete:
        against = str(incomplete)
    kept = queries.find_house_profile(organisation)
    return render(
        request,
        "guidance/edit_house_rules.html",
        {
            "errors": errors,
            "rules": rules,
            "against": against,
            "days": DAYS,
            "chosen": request.POST.getlist("days")
            or (kept.days if kept else ["monday", "tuesday", "wednesday", "thursday", "friday"]),
            "given": request.POST.dict()
            or ({name: getattr(kept, name) for name in ProfileForm.base_fields} if kept else {}),
            "may_change": "admin" in member.roles,
        },
        status=422 if errors else 200,
    )
