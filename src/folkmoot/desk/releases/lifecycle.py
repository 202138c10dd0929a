"""The lives of a request for information and of a bag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from folkmoot.lifecycle import Guard, Lifecycle, Step

RECORDS = frozenset({"records"})
WORKER = frozenset({"worker"})


class RequestState(StrEnum):
    """Where a request stands."""

    RECEIVED = "received"
    CLARIFYING = "clarifying"
    SEARCHING = "searching"
    REDACTING = "redacting"
    SECOND_READING = "second_reading"
    AGREED = "agreed"
    RELEASED = "released"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What the guards read. ``actor`` takes the step; ``prepared_by`` sent it to a second reader,
    and ``decided_by`` chose or decided anything in it.
    """

    actor: str = ""
    reason: str = ""
    chosen: int = 0
    undecided: int = 0
    prepared_by: str = ""
    decided_by: frozenset[str] = frozenset()
    seen: str = ""
    """The digest of the decisions that the actor's page showed."""
    digest: str = ""
    """The digest of the decisions as they stand."""
    bag: str = ""
    """Why no bag can be handed out; empty where one can."""


def _has_reason(facts: RequestFacts) -> tuple[str, ...]:
    return () if facts.reason.strip() else ("Say why, in a sentence.",)


def _has_chosen(facts: RequestFacts) -> tuple[str, ...]:
    if facts.chosen:
        return ()
    return ("No entry is chosen yet. Where nothing is held, refuse the request and say so.",)


def _is_decided(facts: RequestFacts) -> tuple[str, ...]:
    if not facts.undecided:
        return ()
    fields = "1 field is" if facts.undecided == 1 else f"{facts.undecided} fields are"
    return (f"{fields} not decided yet. Each must be released or withheld.",)


def _is_second(facts: RequestFacts) -> tuple[str, ...]:
    if facts.actor == facts.prepared_by or facts.actor in facts.decided_by:
        return ("Whoever chose or decided anything in a release cannot be its second reader.",)
    return ()


def _saw_this(facts: RequestFacts) -> tuple[str, ...]:
    if facts.seen == facts.digest:
        return ()
    return ("What is to be released was changed since you read it. Read it as it now stands.",)


def _has_bag(facts: RequestFacts) -> tuple[str, ...]:
    return (facts.bag,) if facts.bag else ()


R = RequestState
_OPEN = (R.RECEIVED, R.CLARIFYING, R.SEARCHING, R.REDACTING, R.SECOND_READING, R.AGREED)


def _step(
    verb: str, done: str, sources: Sequence[RequestState], target: RequestState, *guards: Guard
) -> Step:
    return Step(verb, done, frozenset(sources), target, RECORDS, guards)


REQUEST = Lifecycle(
    "request",
    states=RequestState,
    initial=R.RECEIVED,
    final={R.RELEASED, R.REFUSED, R.WITHDRAWN},
    steps=(
        _step("ask", "asked", [R.RECEIVED, R.SEARCHING, R.REDACTING], R.CLARIFYING),
        _step("hear", "answered", [R.CLARIFYING], R.SEARCHING),
        _step("search", "searched", [R.RECEIVED], R.SEARCHING),
        _step("choose", "chosen", [R.RECEIVED, R.SEARCHING], R.SEARCHING),
        _step("choose", "chosen", [R.REDACTING, R.SECOND_READING, R.AGREED], R.REDACTING),
        _step("redact", "redacted", [R.SEARCHING], R.REDACTING, _has_chosen),
        _step("decide", "decided", [R.REDACTING, R.SECOND_READING, R.AGREED], R.REDACTING),
        _step("prepare", "prepared", [R.REDACTING], R.SECOND_READING, _has_chosen, _is_decided),
        _step("agree", "agreed", [R.SECOND_READING], R.AGREED, _is_second, _saw_this),
        _step("send_back", "sent_back", [R.SECOND_READING, R.AGREED], R.REDACTING, _has_reason),
        _step("release", "released", [R.AGREED], R.RELEASED, _has_bag),
        _step("refuse", "refused", _OPEN, R.REFUSED, _has_reason),
        _step("withdraw", "withdrawn", _OPEN, R.WITHDRAWN, _has_reason),
    ),
)


class BagState(StrEnum):
    """Where a bag stands. Nothing of it is written before two people agreed to it."""

    PROPOSED = "proposed"
    WANTED = "wanted"
    FAILED = "failed"
    READY = "ready"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class BagFacts:
    """What the guards read."""

    actor: str = ""
    proposed_by: str = ""
    reason: str = ""


def _is_another(facts: BagFacts) -> tuple[str, ...]:
    if facts.actor == facts.proposed_by:
        return ("Another records officer than the one who proposed it must agree.",)
    return ()


def _says_why(facts: BagFacts) -> tuple[str, ...]:
    return () if facts.reason.strip() else ("Say why, in a sentence.",)


B = BagState
BAG = Lifecycle(
    "bag",
    states=BagState,
    initial=B.PROPOSED,
    final={B.REMOVED},
    steps=(
        Step("agree", "agreed", frozenset({B.PROPOSED}), B.WANTED, RECORDS, (_is_another,)),
        Step("finish", "released", frozenset({B.WANTED}), B.READY, WORKER),
        Step("fail", "failed", frozenset({B.WANTED}), B.FAILED, WORKER),
        Step("retry", "retried", frozenset({B.FAILED}), B.WANTED, RECORDS),
        Step(
            "remove",
            "removed",
            frozenset({B.PROPOSED, B.WANTED, B.FAILED, B.READY}),
            B.REMOVED,
            RECORDS | WORKER,
            (_says_why,),
        ),
    ),
)
