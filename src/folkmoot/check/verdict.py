"""What findings come to: one verdict, and its reasons in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .model import Effect, Finding, NotEvaluated, Verdict
from .rules import TAKE_IT_OFFLINE


def verdict_on(findings: Sequence[Finding], not_evaluated: Sequence[NotEvaluated]) -> Verdict:
    """The verdict on a post. A stop forbids; a hold, or what might have held, needs sign-off.

    A finding whose rule says so moves the conversation out of public, unless another stops the
    post altogether. What is ``not_evaluated`` counts where its ``counts`` says so; those that
    count must stand first.
    """
    if not findings and not not_evaluated:
        return Verdict.POST
    strongest = max((finding.effect for finding in findings), default=0)
    offline = any(finding.outcome for finding in findings)
    if offline and all(each.outcome for each in findings if each.effect >= Effect.STOP):
        return Verdict.TAKE_IT_OFFLINE
    if strongest >= Effect.STOP:
        return Verdict.DO_NOT_POST
    # Those that count stand first, so that a long list of others costs nothing.
    waiting = (
        not_evaluated
        and not_evaluated[0].counts
        and any(each.counts and each.effect >= Effect.HOLD for each in not_evaluated)
    )
    if waiting or strongest >= Effect.HOLD:
        return Verdict.GET_SIGNOFF
    return Verdict.POST_WITH_CARE if strongest >= Effect.ADVISE else Verdict.POST


_NOTHING = ("Nothing was found that stands in the way.",)


def reasons_for(
    verdict: Verdict,
    findings: Sequence[Finding],
    not_evaluated: Sequence[NotEvaluated],
    roles: Mapping[str, str],
) -> tuple[str, ...]:
    """Why the verdict is what it is, one sentence each, the weightiest first, without repeats.

    ``roles`` are the words for who may clear a finding. A role that is not among them is named as
    it stands.
    """
    if verdict is Verdict.POST:
        return _NOTHING
    told: list[str] = [_reason(finding, roles) for finding in findings]
    told[_holds(findings) : _holds(findings)] = [
        f"It could not be settled whether this applies: {each.title}. {each.message}"
        for each in not_evaluated
        if each.counts and each.effect >= Effect.HOLD
    ]
    return tuple(dict.fromkeys(sentence for sentence in told if sentence))


def _holds(findings: Sequence[Finding]) -> int:
    return sum(finding.effect >= Effect.HOLD for finding in findings)


def _reason(finding: Finding, roles: Mapping[str, str]) -> str:
    what = finding.title
    if finding.effect is Effect.NOTE:
        return ""
    if finding.outcome == TAKE_IT_OFFLINE:
        return f"Carry on in private, not here: {what}."
    who = roles.get(finding.clear_by, finding.clear_by)
    if finding.effect is Effect.STOP:
        if finding.clear_by == "nobody":
            return f"This must be put right first: {what}."
        return f"This must be put right first, and only {who} can say otherwise: {what}."
    if finding.effect is Effect.HOLD:
        return f"This needs sign-off from {who}: {what}."
    return f"Look at this again before you post: {what}."
