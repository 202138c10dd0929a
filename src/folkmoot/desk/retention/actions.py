"""Writes of the retention room."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from folkmoot.desk.people.queries import Member

from .copies import note_copy
from .destroying import roll_epoch, work
from .disposing import (
    confirm_disposal,
    draw_up,
    drop_disposal,
    keep_longer,
    leave_out,
    leave_out_held,
    propose_disposal,
)
from .erasures import (
    ask_erasure,
    choose,
    confirm_erasure,
    drop_erasure,
    hold_found,
    honour_platform_deletion,
    leave_held,
    propose_erasure,
    refuse_erasure,
    search,
    search_again,
    take_back_erasure,
)
from .holding import (
    HoldScope,
    Scope,
    hold_more,
    keep_hold,
    place_hold,
    propose_release,
    release_hold,
)
from .lifecycle import OFFICER
from .scheduling import (
    Line,
    adopt_schedule,
    change_schedule,
    confirm_schedule,
    turn_down_schedule,
)
from .steps import HeldBack, RetentionRefused, must_hold, record

__all__ = [
    "HeldBack",
    "HoldScope",
    "Line",
    "RetentionRefused",
    "Scope",
    "adopt_schedule",
    "ask_erasure",
    "change_schedule",
    "choose",
    "confirm_disposal",
    "confirm_erasure",
    "confirm_schedule",
    "draw_up",
    "drop_disposal",
    "drop_erasure",
    "hold_found",
    "hold_more",
    "honour_platform_deletion",
    "keep_hold",
    "keep_longer",
    "leave_held",
    "leave_out",
    "leave_out_held",
    "note_copy",
    "place_hold",
    "propose_disposal",
    "propose_erasure",
    "propose_release",
    "refuse_erasure",
    "release_hold",
    "roll_by_hand",
    "search",
    "search_again",
    "take_back_erasure",
    "turn_down_schedule",
    "work",
]


def roll_by_hand(member: Member, *, now: datetime) -> int:
    """Roll the epoch of keys although nothing waits for it, as after a copy of the keys' file may
    have got into wrong hands; how many keys were wrapped anew. Call it outside a transaction.

    Raises :class:`RetentionRefused`, and what ``folkmoot.desk.records.keys.roll`` raises.
    """
    must_hold(member, OFFICER)
    wrapped = roll_epoch(now)
    with transaction.atomic():
        record(
            "epoch.rolled",
            member.organisation,
            member,
            now,
            subject=f"organisation/{member.organisation.ref}",
            fields={"keys": str(wrapped)},
        )
    return wrapped
