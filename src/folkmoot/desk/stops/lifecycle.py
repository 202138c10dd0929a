"""The life of one stop. From ``pressed`` on nothing new leaves; ``in_force`` says that what was on
its way when it was pressed has arrived or ended too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from folkmoot.lifecycle import Lifecycle, Step


class StopState(StrEnum):
    """Where a stop stands."""

    PRESSED = "pressed"
    IN_FORCE = "in_force"
    LIFTED = "lifted"


class StopKind(StrEnum):
    """Why publishing is stopped, which says what may go out all the same."""

    STOP = "stop"
    MOURNING = "mourning"
    PRE_ELECTION = "pre_election"
    INCIDENT = "incident"


class StopScope(StrEnum):
    """What is stopped."""

    EVERYTHING = "everything"
    ACCOUNT = "account"
    CHANNEL = "channel"
    TOPIC = "topic"


@dataclass(frozen=True, slots=True)
class StopFacts:
    """What the guards read. ``on_their_way`` counts what has left its last look and not ended."""

    reason: str = ""
    on_their_way: int = 0


def _has_reason(facts: StopFacts) -> tuple[str, ...]:
    return () if facts.reason.strip() else ("Say why publishing may go on.",)


def _is_quiet(facts: StopFacts) -> tuple[str, ...]:
    return ("Posts are still on their way.",) if facts.on_their_way else ()


S = StopState
STOP = Lifecycle(
    "stop",
    states=StopState,
    initial=S.PRESSED,
    final={S.LIFTED},
    steps=(
        Step(
            "acknowledge",
            "in_force",
            frozenset({S.PRESSED}),
            S.IN_FORCE,
            frozenset({"worker"}),
            (_is_quiet,),
        ),
        Step(
            "lift",
            "lifted",
            frozenset({S.PRESSED, S.IN_FORCE}),
            S.LIFTED,
            frozenset({"approver", "admin"}),
            (_has_reason,),
        ),
    ),
)
