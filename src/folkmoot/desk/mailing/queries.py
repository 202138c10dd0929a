"""Reads of the mailing room."""

from __future__ import annotations

from datetime import datetime

from folkmoot.desk.people.queries import Organisation

__all__ = ["count_on_their_way"]


def count_on_their_way(organisation: Organisation, now: datetime) -> dict[int, int]:  # noqa: ARG001
    """By account: e-mails that are being handed over and whose lease has not run out at ``now``."""
    return {}
