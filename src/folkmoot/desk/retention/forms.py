"""What the pages of the retention room hand in, validated for shape alone."""

from __future__ import annotations

from typing import Any

from django import forms

from folkmoot.desk.records.classes import RecordClass
from folkmoot.guidance import Evidence

from .actions import HoldScope, Line, Scope
from .grounds import Exemption, Ground
from .triggers import Action, Trigger

_DAY = "Enter a day such as 2026-11-25."
_MONTHS = "Enter a number of months, such as 72."


class RuleForm(forms.Form):
    """A line of the schedule."""

    trigger = forms.ChoiceField(
        choices=[(str(one), str(one)) for one in Trigger],
        error_messages={"required": "Choose what the period runs from."},
    )
    months = forms.IntegerField(error_messages={"required": _MONTHS, "invalid": _MONTHS})
    action = forms.ChoiceField(
        choices=[(str(one), str(one)) for one in Action],
        error_messages={"required": "Choose what is done then."},
    )
    mandate = forms.CharField(required=False, max_length=2_000)
    address = forms.CharField(required=False, max_length=500)
    evidence = forms.ChoiceField(
        choices=[(str(one), str(one)) for one in Evidence],
        error_messages={"required": "Choose how well it is known."},
    )
    law = forms.BooleanField(required=False)
    why = forms.CharField(required=False, max_length=2_000)

    @property
    def line(self) -> Line:
        """The line, once the form is known to be valid."""
        data = self.cleaned_data
        return Line(
            Trigger(data["trigger"]),
            data["months"],
            Action(data["action"]),
            data["mandate"],
            data["address"].strip(),
            Evidence(data["evidence"]),
            not data["law"],
            data["why"],
        )


class HoldForm(forms.Form):
    """What is to be held. What it names is for the action to judge."""

    scope = forms.ChoiceField(
        choices=[
            (str(one), str(one)) for one in (HoldScope.SUBJECTS, HoldScope.ACCOUNT, HoldScope.CLASS)
        ],
        error_messages={"required": "Choose what is to be held."},
    )
    subjects = forms.CharField(required=False, max_length=20_000)
    account = forms.IntegerField(required=False)
    record_class = forms.ChoiceField(
        required=False, choices=[(str(one), str(one)) for one in RecordClass]
    )
    since_on = forms.DateField(required=False, error_messages={"invalid": _DAY})
    until_on = forms.DateField(required=False, error_messages={"invalid": _DAY})
    reason = forms.CharField(required=False, max_length=4_000)
    reference = forms.CharField(required=False, max_length=200)

    @property
    def chosen(self) -> Scope:
        """The scope, once the form is known to be valid."""
        data: dict[str, Any] = self.cleaned_data
        kind = HoldScope(data["scope"])
        named = tuple(data["subjects"].replace(",", " ").split())
        return Scope(
            kind,
            subjects=named if kind is HoldScope.SUBJECTS else (),
            account=data["account"] if kind is HoldScope.ACCOUNT else None,
            record_class=RecordClass(data["record_class"])
            if kind is HoldScope.CLASS and data["record_class"]
            else None,
            since_on=data["since_on"] if kind is HoldScope.CLASS else None,
            until_on=data["until_on"] if kind is HoldScope.CLASS else None,
        )


class AskForm(forms.Form):
    """Whom an erasure is about: a phrase a line."""

    phrases = forms.CharField(required=False, max_length=20_000)
    ground = forms.ChoiceField(
        choices=[(str(one), str(one)) for one in Ground if one is not Ground.PLATFORM],
        error_messages={"required": "Choose why it is to be erased."},
    )
    reference = forms.CharField(required=False, max_length=200)


class RefuseForm(forms.Form):
    """Why an erasure is refused."""

    exemption = forms.ChoiceField(
        choices=[(str(one), str(one)) for one in Exemption],
        error_messages={"required": "Choose why it is not erased."},
    )
    reason = forms.CharField(required=False, max_length=4_000)


def errors_of(form: forms.Form) -> list[dict[str, str]]:
    """What is wrong with a form, as the error summary shows it."""
    return [
        {"text": str(sentence), "href": f"#{name}"}
        for name, found in form.errors.items()
        for sentence in found
    ]
