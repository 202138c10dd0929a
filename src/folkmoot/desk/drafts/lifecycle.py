"""The life of a post up to and after its sign-off, as a table.

``publishing`` is entered by the worker at the post's time; from there nobody can take it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from folkmoot.lifecycle import Guard, Lifecycle, Step

AUTHOR, APPROVER, DUTY, WORKER = "author", "approver", "duty", "worker"


class DraftState(StrEnum):
    """Where a post stands."""

    DRAFTING = "drafting"
    AWAITING_SIGNOFF = "awaiting_signoff"
    SIGNED = "signed"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    UNSENT = "unsent"
    WITHDRAWN = "withdrawn"


class DraftKind(StrEnum):
    """What a post is for."""

    POST = "post"
    CORRECTION = "correction"
    REMOVAL = "removal"


@dataclass(frozen=True, slots=True)
class DraftFacts:
    """What the guards read. Tuples of sentences are empty where there is nothing against."""

    now: datetime
    actor: str = ""
    held: frozenset[str] = frozenset()
    """The roles of whoever acts."""
    signers: frozenset[str] = frozenset({APPROVER})
    """The roles that may sign this post: the less harm in signing than in waiting, the more."""
    authors: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()
    """Why it could not go out on a chosen channel as it stands."""
    stops: tuple[str, ...] = ()
    """What the checker stops, and whether it could look at all."""
    unanswered: tuple[str, ...] = ()
    due_at: datetime | None = None
    window: timedelta = timedelta()
    digest_seen: str = ""
    digest_now: str = ""
    unaccepted: tuple[str, ...] = ()
    """Findings that hold the post and that the approver has not accepted."""
    reason: str = ""


def _has_no_problems(facts: DraftFacts) -> tuple[str, ...]:
    return facts.problems


def _is_not_stopped(facts: DraftFacts) -> tuple[str, ...]:
    return facts.stops


def _is_answered(facts: DraftFacts) -> tuple[str, ...]:
    return facts.unanswered


def _is_in_time(facts: DraftFacts) -> tuple[str, ...]:
    if facts.due_at is not None and facts.now > facts.due_at + facts.window:
        return (
            (
                "The time for this post has passed. Nothing is sent late: take it back, choose a "
                "new time and send it for sign-off again."
            ),
        )
    return ()


def _is_not_past(facts: DraftFacts) -> tuple[str, ...]:
    if facts.due_at is not None and facts.due_at <= facts.now:
        return ("The time you chose is in the past. Choose a later one, or “as soon as signed”.",)
    return ()


def _is_second_person(facts: DraftFacts) -> tuple[str, ...]:
    if facts.actor in facts.authors:
        return (
            (
                "You wrote some of this post, so somebody else must sign it. "
                "Ask another approver to look at it."
            ),
        )
    return ()


def _may_sign(facts: DraftFacts) -> tuple[str, ...]:
    if facts.held & facts.signers:
        return ()
    return (f"Only somebody with the role {' or '.join(sorted(facts.signers))} can sign this.",)


def _is_what_was_seen(facts: DraftFacts) -> tuple[str, ...]:
    if facts.digest_seen != facts.digest_now:
        return (
            (
                "The post has changed since you opened this page, so your decision was not kept. "
                "Read it again as it now stands."
            ),
        )
    return ()


def _is_accepted(facts: DraftFacts) -> tuple[str, ...]:
    if facts.unaccepted:
        return (
            (
                "Tick each finding that holds this post, and say why it may go out and who agreed: "
                f"{'; '.join(facts.unaccepted)}."
            ),
        )
    return ()


def _has_reason(facts: DraftFacts) -> tuple[str, ...]:
    return () if facts.reason.strip() else ("Say what should be changed, so that the author can.",)


def _fits_signoff(facts: DraftFacts) -> tuple[str, ...]:
    if facts.digest_seen != facts.digest_now:
        return ("What would go out is not what was signed. It was not sent.",)
    return ()


def step(
    verb: str,
    done: str,
    sources: set[DraftState],
    target: DraftState,
    roles: set[str],
    *guards: Guard,
) -> Step:
    """One row, with plain sets."""
    return Step(verb, done, frozenset(sources), target, frozenset(roles), guards)


S = DraftState
DRAFT = Lifecycle(
    "draft",
    states=DraftState,
    initial=S.DRAFTING,
    final={S.PUBLISHED, S.UNSENT, S.WITHDRAWN},
    steps=(
        step("save", "saved", {S.DRAFTING}, S.DRAFTING, {AUTHOR, DUTY}),
        step(
            "send_for_signoff",
            "sent_for_signoff",
            {S.DRAFTING},
            S.AWAITING_SIGNOFF,
            {AUTHOR, DUTY},
            _has_no_problems,
            _is_not_stopped,
            _is_answered,
            _is_not_past,
        ),
        step(
            "sign",
            "signed",
            {S.AWAITING_SIGNOFF},
            S.SIGNED,
            {APPROVER, DUTY},
            _may_sign,
            _is_second_person,
            _is_what_was_seen,
            _has_no_problems,
            _is_not_stopped,
            _is_answered,
            _is_accepted,
            _is_in_time,
        ),
        step(
            "send_back",
            "sent_back",
            {S.AWAITING_SIGNOFF},
            S.DRAFTING,
            {APPROVER, DUTY},
            _may_sign,
            _is_what_was_seen,
            _has_reason,
        ),
        step(
            "take_back",
            "taken_back",
            {S.AWAITING_SIGNOFF, S.SIGNED},
            S.DRAFTING,
            {AUTHOR, APPROVER, DUTY},
        ),
        step(
            "withdraw",
            "withdrawn",
            {S.DRAFTING, S.AWAITING_SIGNOFF, S.SIGNED},
            S.WITHDRAWN,
            {AUTHOR, APPROVER, DUTY},
        ),
        step("begin", "begun", {S.SIGNED}, S.PUBLISHING, {WORKER}, _fits_signoff),
        step("recall", "recalled", {S.SIGNED}, S.AWAITING_SIGNOFF, {WORKER}),
        step("lapse", "lapsed", {S.SIGNED}, S.UNSENT, {WORKER}),
        step("finish", "published", {S.PUBLISHING}, S.PUBLISHED, {WORKER}),
        step("fail", "unsent", {S.PUBLISHING}, S.UNSENT, {WORKER}),
    ),
)
