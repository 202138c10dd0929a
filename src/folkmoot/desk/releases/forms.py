"""What the pages of the room releases hand in, validated for shape alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from folkmoot.desk.records.classes import RecordClass

from .regimes import LAWS, PauseKind, Regime
from .requests import CHANNELS
from .scope import Scope
from .workdays import Nation

_DAY = "Enter a day as year, month and day, such as 2026-11-20."
_NUMBER = "Enter the number alone, such as 12."
MOST_PHRASES = 50


class ScopeForm(forms.Form):
    """What is looked for."""

    kind = forms.CharField(required=False, max_length=60)
    record_class = forms.ChoiceField(
        required=False, choices=[("", "")] + [(str(one), str(one)) for one in RecordClass]
    )
    account = forms.IntegerField(
        required=False, min_value=1, max_value=2**62, error_messages={"invalid": _NUMBER}
    )
    post = forms.IntegerField(
        required=False, min_value=1, max_value=2**62, error_messages={"invalid": _NUMBER}
    )
    topic = forms.CharField(required=False, max_length=60)
    actor = forms.RegexField("^[0-9a-f]{1,16}$", required=False)
    phrases = forms.CharField(required=False, max_length=5_000)
    from_on = forms.DateField(required=False, error_messages={"invalid": _DAY})
    until_on = forms.DateField(required=False, error_messages={"invalid": _DAY})

    def clean_phrases(self) -> tuple[str, ...]:
        """Names or numbers, one a line."""
        lines = [line.strip() for line in self.cleaned_data["phrases"].splitlines()]
        kept = tuple(dict.fromkeys(line for line in lines if line))
        if len(kept) > MOST_PHRASES:
            raise forms.ValidationError(f"The most is {MOST_PHRASES} lines.")
        if any(len(line) < 3 for line in kept):  # noqa: PLR2004 - two letters stand in every text
            raise forms.ValidationError("Each line must have three characters or more.")
        return kept

    def clean(self) -> dict[str, Any]:
        """Refuse days in the wrong order."""
        data = super().clean() or {}
        first, last = data.get("from_on"), data.get("until_on")
        if first and last and last < first:
            self.add_error("until_on", "The last day is before the first.")
        return data

    @property
    def scope(self) -> Scope:
        """What is looked for, once the form is known to be valid."""
        data = self.cleaned_data
        return Scope(
            kinds=(data["kind"],) if data["kind"] else (),
            classes=(data["record_class"],) if data["record_class"] else (),
            account=data["account"],
            post=data["post"],
            topic=data["topic"].strip(),
            actor=data["actor"],
            phrases=data["phrases"],
            from_on=data["from_on"],
            until_on=data["until_on"],
        )


class RequestForm(ScopeForm):
    """A request that reached the body."""

    regime = forms.ChoiceField(
        choices=[(str(one), LAWS[one].title) for one in Regime],
        error_messages={"required": "Choose the law it is answered under."},
    )
    nation = forms.ChoiceField(choices=[(str(one), str(one)) for one in Nation])
    channel = forms.ChoiceField(
        choices=list(CHANNELS.items()), error_messages={"required": "Choose how it reached us."}
    )
    received_on = forms.DateField(
        error_messages={"required": "Enter the day on which it was received.", "invalid": _DAY}
    )
    asked_for_on = forms.DateField(required=False, error_messages={"invalid": _DAY})
    requester = forms.CharField(required=False)
    words = forms.CharField(
        error_messages={"required": "Enter what was asked for, in their own words."}
    )


class BagForm(ScopeForm):
    """A bag to be made without a request."""

    purpose = forms.ChoiceField(
        choices=[("transfer", ""), ("public", "")],
        error_messages={"required": "Choose what is to go into it."},
    )
    title = forms.CharField(required=False)
    about = forms.CharField(required=False)


class AskForm(forms.Form):
    """That we asked whoever asked for something."""

    kind = forms.ChoiceField(
        choices=[(str(one), str(one)) for one in PauseKind],
        error_messages={"required": "Choose what we asked for."},
    )
    on = forms.DateField(
        error_messages={"required": "Enter the day on which we asked.", "invalid": _DAY}
    )


class HearForm(forms.Form):
    """That what we asked for came."""

    on = forms.DateField(
        error_messages={"required": "Enter the day on which it came.", "invalid": _DAY}
    )


def errors_of(form: forms.Form, first: str = "") -> list[dict[str, str]]:
    """What is wrong, for the list at the head of a page; each links to its field. ``first`` is
    where the browser goes for what is about no field.
    """
    return [
        {"text": str(text), "href": f"#{name if name != '__all__' else first}"}
        for name, texts in form.errors.items()
        for text in texts
    ]


def given_scope(scope: Scope) -> dict[str, str]:
    """A scope as its form shows it."""
    return {
        "kind": scope.kinds[0] if scope.kinds else "",
        "record_class": scope.classes[0] if scope.classes else "",
        "account": str(scope.account or ""),
        "post": str(scope.post or ""),
        "topic": scope.topic,
        "actor": scope.actor,
        "phrases": "\n".join(scope.phrases),
        "from_on": scope.from_on.isoformat() if scope.from_on else "",
        "until_on": scope.until_on.isoformat() if scope.until_on else "",
    }


def without_person(data: QueryDict | Mapping[str, str]) -> dict[str, str]:
    """The filters of a form that may stand in an address: none with words or names in it."""
    names = ("kind", "record_class", "account", "post", "topic", "actor", "from_on", "until_on")
    given = {name: str(data.get(name) or "") for name in names}
    return {name: value for name, value in given.items() if value}
