"""The life of one delivery: one rendition, to one account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from folkmoot.lifecycle import Guard, Lifecycle, Step

WORKER = frozenset({"worker"})
# Who decides about what no machine can.
PERSON = frozenset({"approver", "admin", "duty"})


class DeliveryState(StrEnum):
    """Where a delivery stands. ``unconfirmed``, ``incomplete`` and ``missed`` never look like
    success. ``incomplete``: some parts of a thread are live, the rest is not going out by itself.
    """

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    UNCONFIRMED = "unconfirmed"
    INCOMPLETE = "incomplete"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class DeliveryFacts:
    """What the guards read."""

    now: datetime
    not_after: datetime
    against: tuple[str, ...] = ()
    """What the last look found against sending."""
    reason: str = ""
    """Why a person decides as they do."""


def _is_in_time(facts: DeliveryFacts) -> tuple[str, ...]:
    if facts.now > facts.not_after:
        return ("Its time has passed. Nothing is sent late.",)
    return ()


def _is_too_late(facts: DeliveryFacts) -> tuple[str, ...]:
    return () if facts.now > facts.not_after else ("It can still be sent in time.",)


def _passed_last_look(facts: DeliveryFacts) -> tuple[str, ...]:
    return facts.against


def _has_reason(facts: DeliveryFacts) -> tuple[str, ...]:
    return () if facts.reason.strip() else ("Say how you know, so that others can follow it.",)


def _row(
    verb: str,
    done: str,
    sources: set[DeliveryState],
    target: DeliveryState,
    *guards: Guard,
    roles: frozenset[str] = WORKER,
) -> Step:
    return Step(verb, done, frozenset(sources), target, roles, guards)


S = DeliveryState
DELIVERY = Lifecycle(
    "delivery",
    states=DeliveryState,
    initial=S.WAITING,
    final={S.SENT, S.REFUSED, S.MISSED},
    steps=(
        _row("freeze", "sending", {S.WAITING}, S.SENDING, _is_in_time, _passed_last_look),
        _row("advance", "advanced", {S.SENDING, S.UNCONFIRMED}, S.WAITING),
        _row("confirm", "sent", {S.SENDING, S.UNCONFIRMED}, S.SENT),
        _row("refuse", "refused", {S.WAITING, S.SENDING}, S.REFUSED),
        _row("doubt", "unconfirmed", {S.SENDING}, S.UNCONFIRMED),
        _row("clear", "cleared", {S.UNCONFIRMED}, S.WAITING),
        _row("miss", "missed", {S.WAITING}, S.MISSED, _is_too_late),
        _row("halt", "halted", {S.WAITING, S.SENDING}, S.INCOMPLETE),
        _row("lapse", "lapsed", {S.WAITING}, S.MISSED),
        _row("go_on", "resumed", {S.INCOMPLETE}, S.WAITING, _is_in_time, roles=PERSON),
        _row("leave", "left", {S.INCOMPLETE}, S.REFUSED, _has_reason, roles=PERSON),
        _row("say_live", "said_live", {S.UNCONFIRMED}, S.SENT, _has_reason, roles=PERSON),
        _row("say_absent", "said_absent", {S.UNCONFIRMED}, S.WAITING, _has_reason, roles=PERSON),
    ),
)
