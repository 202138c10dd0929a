"""What the pages of the notices room hand in, validated for shape alone."""

from __future__ import annotations

from datetime import time
from typing import Any

from django import forms

from .needs import Urgency

_TIME = "Enter a time such as 22:00, or leave both empty."


class WishesForm(forms.Form):
    """What somebody is told, and when."""

    urgencies = forms.MultipleChoiceField(
        choices=[(str(one), str(one)) for one in Urgency],
        error_messages={"required": "Choose at least one urgency."},
    )
    quiet_from = forms.TimeField(required=False, error_messages={"invalid": _TIME})
    quiet_until = forms.TimeField(required=False, error_messages={"invalid": _TIME})

    def clean(self) -> dict[str, Any]:
        """Refuse quiet hours that only begin, or only end."""
        data = super().clean() or {}
        if not self.errors and (data["quiet_from"] is None) != (data["quiet_until"] is None):
            missing = "quiet_from" if data["quiet_from"] is None else "quiet_until"
            self.add_error(missing, "Say when the quiet hours begin and when they end.")
        return data

    @property
    def quiet(self) -> tuple[time, time] | None:
        """The quiet hours, once the form is known to be valid."""
        begin, end = self.cleaned_data["quiet_from"], self.cleaned_data["quiet_until"]
        return None if begin is None or end is None else (begin, end)


class TargetForm(WishesForm):
    """Somebody new who is to be told. Names and addresses are for the action to judge."""

    name = forms.CharField(required=False)
    address = forms.CharField(required=False)
