"""The life of one delivery: one rendition, to one account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from folkmoot.lifecycle import Guard, Lifecycle, Step

WORKER = frozenset({"worker"})


class DeliveryState(StrEnum):
    """Where a delivery stands. ``unconfirmed`` and ``missed`` never look like success."""

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


def _is_in_time(facts: DeliveryFacts) -> tuple[str, ...]:
    if facts.now > facts.not_after:
        return ("Its time has passed. Nothing is sent late.",)
    return ()


def _is_too_late(facts: DeliveryFacts) -> tuple[str, ...]:
    return () if facts.now > facts.not_after else ("It can still be sent in time.",)


def _passed_last_look(facts: DeliveryFacts) -> tuple[str, ...]:
    return facts.against


def _row(
    verb: str, done: str, sources: set[DeliveryState], target: DeliveryState, *guards: Guard
) -> Step:
    return Step(verb, done, frozenset(sources), target, WORKER, guards)


S = DeliveryState
DELIVERY = Lifecycle(
    "delivery",
    states=DeliveryState,
    initial=S.WAITING,
    final={S.SENT, S.REFUSED, S.MISSED},
    steps=(
        _row("freeze", "sending", {S.WAITING}, S.SENDING, _is_in_time, _passed_last_look),
        _row("confirm", "sent", {S.SENDING, S.UNCONFIRMED}, S.SENT),
        _row("refuse", "refused", {S.WAITING, S.SENDING}, S.REFUSED),
        _row("doubt", "unconfirmed", {S.SENDING}, S.UNCONFIRMED),
        _row("clear", "cleared", {S.UNCONFIRMED}, S.WAITING),
        _row("halt", "halted", {S.WAITING, S.SENDING, S.UNCONFIRMED}, S.INCOMPLETE),
        _row("go_on", "resumed", {S.INCOMPLETE}, S.WAITING, _is_in_time),
        _row("leave", "left", {S.INCOMPLETE}, S.REFUSED),
        _row("miss", "missed", {S.WAITING}, S.MISSED, _is_too_late),
    ),
)
