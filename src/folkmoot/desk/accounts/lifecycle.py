"""The life of one account. Nobody posts to it before a second person has confirmed it.

Connecting it again is a proposal of its own, a row that names the account it is for: until that is
confirmed, the account goes on with what it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from folkmoot.lifecycle import Lifecycle, Step

OWN_CHANNELS = ("atom", "practice")
"""Channels that the desk serves itself; they hold no token, and nobody has to confirm them."""


class AccountState(StrEnum):
    """Where an account stands."""

    PROPOSED = "proposed"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What the guards read."""

    actor: str = ""
    proposed_by: str = ""
    checked: bool = True
    """Whether the channel has been asked with what was proposed."""
    trouble: str = ""
    """What the channel had against it."""
    reason: str = ""


def _is_second_person(facts: AccountFacts) -> tuple[str, ...]:
    if facts.actor == facts.proposed_by:
        return (
            (
                "You proposed this account, so somebody else must confirm it: another admin, an "
                "approver or a duty officer."
            ),
        )
    return ()


def _is_let_in(facts: AccountFacts) -> tuple[str, ...]:
    if facts.trouble:
        return (f"The channel does not let it in: {facts.trouble}",)
    if not facts.checked:
        return ("The channel has not been asked yet. Wait a moment, and look again.",)
    return ()


def _has_reason(facts: AccountFacts) -> tuple[str, ...]:
    if facts.reason.strip():
        return ()
    return ("Say in a few words why: whoever connects the accounts again will read it.",)


S = AccountState
CONFIRMERS = frozenset({"admin", "approver", "duty"})
ADMIN = frozenset({"admin"})
ACCOUNT = Lifecycle(
    "account",
    states=AccountState,
    initial=S.PROPOSED,
    final={S.DISCONNECTED},
    steps=(
        Step(
            "confirm",
            "confirmed",
            frozenset({S.PROPOSED}),
            S.CONNECTED,
            CONFIRMERS,
            (_is_second_person, _is_let_in),
        ),
        Step(
            "renew",
            "renewed",
            frozenset({S.CONNECTED}),
            S.CONNECTED,
            CONFIRMERS,
            (_is_second_person, _is_let_in),
        ),
        Step("turn_down", "turned_down", frozenset({S.PROPOSED}), S.DISCONNECTED, CONFIRMERS),
        Step("hand_over", "handed_over", frozenset({S.PROPOSED}), S.DISCONNECTED, CONFIRMERS),
        Step(
            "forget",
            "forgotten",
            frozenset({S.CONNECTED}),
            S.CONNECTED,
            ADMIN,
            (_has_reason,),
        ),
        Step("disconnect", "disconnected", frozenset({S.CONNECTED}), S.DISCONNECTED, ADMIN),
    ),
)
