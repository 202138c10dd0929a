"""The lives of a line of the schedule, a hold, a disposal and an erasure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from folkmoot.lifecycle import Lifecycle, Step

OFFICER = frozenset({"records"})
HOLDERS = frozenset({"records", "admin"})
WORKER = frozenset({"worker"})
DECIDERS = frozenset({"approver", "duty", "admin", "records"})


class RuleState(StrEnum):
    """Where a version of a line of the schedule stands."""

    PROPOSED = "proposed"
    IN_FORCE = "in_force"
    SUPERSEDED = "superseded"
    TURNED_DOWN = "turned_down"


class HoldState(StrEnum):
    """Where a hold stands. It holds until it is released."""

    PLACED = "placed"
    RELEASE_PROPOSED = "release_proposed"
    RELEASED = "released"


class BatchState(StrEnum):
    """Where a disposal stands."""

    DRAWN_UP = "drawn_up"
    PROPOSED = "proposed"
    DESTROYING = "destroying"
    ROLLING = "rolling"
    DONE = "done"
    KEPT = "kept"
    DROPPED = "dropped"


class ErasureState(StrEnum):
    """Where an erasure stands."""

    SEARCHING = "searching"
    CHOOSING = "choosing"
    PROPOSED = "proposed"
    ERASING = "erasing"
    ROLLING = "rolling"
    DONE = "done"
    REFUSED = "refused"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class TwoFacts:
    """What the guards read: who acts, who proposed, and what was said and chosen.

    ``seen`` and ``digest`` are the digest of what is to go as the page showed it and as it is.
    """

    actor: str = ""
    proposed_by: str = ""
    reason: str = ""
    chosen: int = 0
    seen: str = ""
    digest: str = ""
    left: int = 0
    shortens: bool = False


def _is_another(facts: TwoFacts) -> tuple[str, ...]:
    if facts.actor != facts.proposed_by:
        return ()
    return ("You proposed this yourself. A second person must confirm it.",)


def _has_reason(facts: TwoFacts) -> tuple[str, ...]:
    return () if facts.reason.strip() else ("Say why, in a sentence that somebody else can judge.",)


def _has_chosen(facts: TwoFacts) -> tuple[str, ...]:
    return () if facts.chosen else ("Nothing is chosen, so there is nothing to do.",)


def _is_what_was_seen(facts: TwoFacts) -> tuple[str, ...]:
    if facts.seen == facts.digest:
        return ()
    return ("What is to go has changed since you opened the page. Look at it again.",)


def _is_no_shorter(facts: TwoFacts) -> tuple[str, ...]:
    if not facts.shortens:
        return ()
    return ("Something may go sooner by this, so a second person must confirm it.",)


def _is_through(facts: TwoFacts) -> tuple[str, ...]:
    return ("Something is left to be done.",) if facts.left else ()


R = RuleState
RULE = Lifecycle(
    "rule",
    states=RuleState,
    initial=R.PROPOSED,
    final={R.SUPERSEDED, R.TURNED_DOWN},
    steps=(
        Step("confirm", "confirmed", frozenset({R.PROPOSED}), R.IN_FORCE, OFFICER, (_is_another,)),
        Step(
            "take_effect",
            "in_force",
            frozenset({R.PROPOSED}),
            R.IN_FORCE,
            OFFICER,
            (_is_no_shorter,),
        ),
        Step("turn_down", "turned_down", frozenset({R.PROPOSED}), R.TURNED_DOWN, OFFICER),
        Step("supersede", "superseded", frozenset({R.IN_FORCE}), R.SUPERSEDED, OFFICER),
    ),
)

H = HoldState
HOLD = Lifecycle(
    "hold",
    states=HoldState,
    initial=H.PLACED,
    final={H.RELEASED},
    steps=(
        Step(
            "propose_release",
            "release_proposed",
            frozenset({H.PLACED}),
            H.RELEASE_PROPOSED,
            HOLDERS,
            (_has_reason,),
        ),
        Step("keep", "kept", frozenset({H.RELEASE_PROPOSED}), H.PLACED, HOLDERS),
        Step(
            "release",
            "released",
            frozenset({H.RELEASE_PROPOSED}),
            H.RELEASED,
            HOLDERS,
            (_is_another,),
        ),
    ),
)

B = BatchState
BATCH = Lifecycle(
    "disposal",
    states=BatchState,
    initial=B.DRAWN_UP,
    final={B.DONE, B.KEPT, B.DROPPED},
    steps=(
        Step(
            "propose",
            "proposed",
            frozenset({B.DRAWN_UP}),
            B.PROPOSED,
            OFFICER,
            (_has_reason, _has_chosen),
        ),
        Step(
            "keep_longer",
            "kept",
            frozenset({B.DRAWN_UP}),
            B.KEPT,
            OFFICER,
            (_has_reason, _has_chosen),
        ),
        Step(
            "confirm",
            "confirmed",
            frozenset({B.PROPOSED}),
            B.DESTROYING,
            OFFICER,
            (_is_another, _is_what_was_seen, _has_chosen),
        ),
        Step("drop", "dropped", frozenset({B.DRAWN_UP, B.PROPOSED}), B.DROPPED, OFFICER),
        Step("roll", "emptied", frozenset({B.DESTROYING}), B.ROLLING, WORKER, (_is_through,)),
        Step("finish", "done", frozenset({B.ROLLING}), B.DONE, WORKER),
    ),
)

E = ErasureState
ERASURE = Lifecycle(
    "erasure",
    states=ErasureState,
    initial=E.SEARCHING,
    final={E.DONE, E.REFUSED, E.DROPPED},
    steps=(
        Step("found", "searched", frozenset({E.SEARCHING}), E.CHOOSING, WORKER),
        Step("drop_held", "dropped", frozenset({E.SEARCHING}), E.DROPPED, DECIDERS),
        Step("honour", "honoured", frozenset({E.SEARCHING}), E.ERASING, DECIDERS),
        Step("search_again", "searched_again", frozenset({E.CHOOSING}), E.SEARCHING, OFFICER),
        Step(
            "propose",
            "proposed",
            frozenset({E.CHOOSING}),
            E.PROPOSED,
            OFFICER,
            (_has_chosen,),
        ),
        Step("take_back", "taken_back", frozenset({E.PROPOSED}), E.CHOOSING, OFFICER),
        Step(
            "confirm",
            "confirmed",
            frozenset({E.PROPOSED}),
            E.ERASING,
            OFFICER,
            (_is_another, _is_what_was_seen),
        ),
        Step(
            "refuse",
            "refused",
            frozenset({E.SEARCHING, E.CHOOSING, E.PROPOSED}),
            E.REFUSED,
            OFFICER,
            (_has_reason,),
        ),
        Step(
            "drop",
            "dropped",
            frozenset({E.SEARCHING, E.CHOOSING, E.PROPOSED}),
            E.DROPPED,
            OFFICER,
        ),
        Step("roll", "emptied", frozenset({E.ERASING}), E.ROLLING, WORKER, (_is_through,)),
        Step("finish", "done", frozenset({E.ROLLING}), E.DONE, WORKER),
    ),
)
