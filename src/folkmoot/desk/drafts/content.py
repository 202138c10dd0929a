"""What an author hands in, what it comes to, and the facts a step is judged by."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from folkmoot.check import (
    Attachment,
    Capacity,
    CheckError,
    Context,
    Effect,
    Post,
    report_from_dict,
    report_to_dict,
)
from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.guidance import queries as guidance
from folkmoot.desk.people.queries import Organisation
from folkmoot.desk.records import columns
from folkmoot.desk.stops import queries as stops
from folkmoot.guidance import GuidanceError

from . import walltime
from .digest import Addressed, Signable, digest, report_parts
from .grounds import find_ground_problems, list_signers
from .lifecycle import DraftFacts, DraftKind
from .lookalikes import find_lookalikes
from .models import Draft, Version
from .renditions import describe_problems, make_rendition, picture_facts

log = logging.getLogger(__name__)

# What the desk itself sees to: nobody signs their own post, and no sign-off outlives an edit.
CERTAIN = {"approver_is_author": False, "approval_is_stale": False}
PICTURE_FACTS = ("consent", "has_faces", "has_children", "text_only", "ai_made")


@dataclass(frozen=True, slots=True)
class Content:
    """A post as its author wrote it, by the names of :class:`~.models.Version`. ``due_at`` is
    ``None`` for *as soon as it is signed*.
    """

    text: str
    accounts: tuple[int, ...]
    pictures: tuple[Mapping[str, Any], ...] = ()
    language: str = "en"
    capacity: str = Capacity.OFFICIAL
    due_at: datetime | None = None
    window_minutes: int = 15
    answers: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str | bool] = field(default_factory=dict)
    """What the author said of the circumstances, by the name the checker has for it."""
    wall: str = ""
    zone: str = ""
    urgent: bool = False
    topic: str = ""
    through_stop: bool = False
    ground: str = ""
    kind: str = DraftKind.POST


def content_of(version: Version) -> Content:
    """What a kept version holds."""
    return Content(
        version.text,
        tuple(version.accounts),
        tuple(version.pictures),
        version.language,
        version.capacity,
        version.due_at,
        version.window_minutes,
        version.answers,
        version.facts,
        version.wall,
        version.zone,
        version.urgent,
        version.topic,
        version.through_stop,
        version.ground,
        version.draft.kind,
    )


def check_content(
    content: Content, organisation: Organisation, *, role: str, now: datetime
) -> dict[str, Any]:
    """The checker's report on a post as JSON; ``{"failed": sentence}`` where it could not look.

    A check that failed is never a pass: a post whose report failed cannot be sent for sign-off.
    """
    moment = max(content.due_at or now, now)  # a late post is judged by when it leaves
    channels = {account.channel for account in chosen_accounts(content, organisation)}
    context = Context(
        capacity=Capacity(content.capacity),
        role=role,
        channel=channels.pop() if len(channels) == 1 else None,
        nation=organisation.nation,
        language=content.language,
        publish_at=moment,
        periods=guidance.find_periods(organisation, moment),
        facts={**CERTAIN, **content.facts},
    )
    post = Post(
        content.text,
        tuple(
            Attachment(
                id=str(p["sha256"]),
                media_type=str(p["media_type"]),
                alt=str(p["alt"]),
                filename=str(p.get("name", "")),
                has_location=False,  # every picture is written anew without it
                licence=p.get("licence"),
                **{name: p.get(name) for name in PICTURE_FACTS},
            )
            for p in content.pictures
        ),
    )
    try:
        report = guidance.get_checker(organisation.pack).check(post, context)
    except (CheckError, GuidanceError) as failed:
        return _failed(str(failed))
    except Exception:
        # A fault of ours must neither pass for an answer nor cost the author their words.
        log.exception("The check of a post failed")
        return _failed("a fault in this program, which is in its log.")
    return report_to_dict(report)


def _failed(why: str) -> dict[str, Any]:
    return {
        "failed": f"The check could not be carried out: {why} Until it can, the post "
        "cannot be sent for sign-off. Tell whoever looks after this system."
    }


def chosen_accounts(content: Content, organisation: Organisation) -> list[accounts.Account]:
    """The accounts a post is for, those of the organisation alone, in their usual order."""
    return [
        account
        for account in accounts.list_accounts(organisation)
        if account.pk in content.accounts
    ]


def content_digest(content: Content, report: Mapping[str, Any], draft: Draft, number: int) -> str:
    """The digest a sign-off of this post signs, worked out anew from what is there now."""
    verdict, findings, not_evaluated = report_parts(report)
    addressed = []
    for account in chosen_accounts(content, draft.organisation):
        rendition = make_rendition(
            content.text,
            content.pictures,
            content.language,
            accounts.capabilities_of(account),
            organisation_id=draft.organisation_id,
        )
        addressed.append(
            Addressed(
                account.pk,
                account.channel,
                account.server,
                account.handle,
                tuple(part.text for part in rendition.parts),
            )
        )
    return digest(
        Signable(
            post=draft.pk,
            version=number,
            kind=draft.kind,
            about=draft.about_id,
            ground=content.ground,
            text=content.text,
            language=content.language,
            capacity=content.capacity,
            pictures=picture_facts(content.pictures),
            addressed=tuple(addressed),
            due_at=content.due_at,
            wall=content.wall,
            zone=content.zone,
            window_minutes=content.window_minutes,
            urgent=content.urgent,
            topic=content.topic,
            through_stop=content.through_stop,
            pack=str(report.get("pack", "")),
            verdict=verdict,
            findings=findings,
            not_evaluated=not_evaluated,
            answers=dict(content.answers),
            facts=_told_facts(content),
        )
    )


def _told_facts(content: Content) -> dict[str, str | bool]:
    """All that the author said of the circumstances and of each picture, by one name each."""
    told = dict(content.facts)
    for picture in content.pictures:
        for name in (*PICTURE_FACTS, "licence"):
            if picture.get(name) is not None:
                told[f"{picture['sha256']}/{name}"] = picture[name]
    return told


def list_problems(content: Content, organisation: Organisation) -> list[str]:
    """Why the post cannot go out as it stands, as sentences; empty where it can."""
    chosen = chosen_accounts(content, organisation)
    removal = content.kind == DraftKind.REMOVAL
    problems = []
    if columns.is_erased(content.text):
        problems.append("What this post said was erased. Write its text anew.")
    elif not content.text.strip():
        problems.append(
            "Say in a sentence, for the public, why it was taken down."
            if removal
            else "Write the text of the post."
        )
    if not chosen:
        problems.append(
            "Choose where it is to be taken down."
            if removal
            else "Choose at least one channel to post to."
        )
    problems += find_ground_problems(content.kind, content.ground)
    if chosen and {account.pk for account in chosen} != set(content.accounts):
        problems.append(
            "A channel that was chosen for this post is no longer connected. Choose the channels "
            "again and save."
        )
    if unclear := walltime.find_problem(content.wall, content.zone, content.due_at):
        problems.append(unclear)
    if any(
        "\ufffd" in words for words in (content.text, *(str(p["alt"]) for p in content.pictures))
    ):
        problems.append(
            "There is a character in it that could not be read when it was typed or pasted. It is "
            "shown as “\ufffd”: put the right one in its place."
        )
    problems += find_lookalikes(content.text)
    for account in chosen:
        capabilities = accounts.capabilities_of(account)
        if removal:
            if not capabilities.removes:
                problems.append(
                    f"{capabilities.title} lets nothing be taken down by us. Leave {account.name}"
                    " out, and see to it there by hand, or post a correction."
                )
            continue
        rendition = make_rendition(
            content.text,
            content.pictures,
            content.language,
            capabilities,
            organisation_id=organisation.pk,
        )
        problems += [problem.message for problem in describe_problems(capabilities, rendition)]
    return list(dict.fromkeys(problems))


def list_stops(report: Mapping[str, Any]) -> list[str]:
    """What the checker stops, as sentences."""
    if "failed" in report:
        return [str(report["failed"])]
    return [
        f"{finding.message} {finding.advice}"
        for finding in report_from_dict(report).at_least(Effect.STOP)
    ]


def list_unanswered(content: Content, report: Mapping[str, Any]) -> list[str]:
    """The questions that still want an answer, or whose answer means *do not post*."""
    if "failed" in report or content.kind == DraftKind.REMOVAL:
        return []  # the questions are about saying something, not about taking it down
    wanting = []
    for question in report_from_dict(report).questions:
        answer = content.answers.get(question.id)
        if answer is None:
            wanting.append(f"Answer the question “{question.text}”.")
        elif answer != question.proceed:
            wanting.append(
                f"You answered “{answer}” to “{question.text}”. "
                "Change the post until the answer is different, or do not post it."
            )
    return wanting


@dataclass(frozen=True, slots=True)
class Hold:
    """What an approver must accept by name before the post may be signed. ``cleared_by`` says in
    words who has to agree to it.
    """

    fingerprint: str
    rule: str
    title: str
    cleared_by: str


def list_holds(report: Mapping[str, Any], organisation: Organisation) -> list[Hold]:
    """The findings that hold the post, and the rules that could not be evaluated and might have."""
    if "failed" in report:
        return []
    read = report_from_dict(report)
    roles = guidance.find_roles(organisation)
    held = [
        Hold(f.fingerprint, f.rule, f.title, roles.get(f.clear_by, f.clear_by))
        for f in read.findings
        if f.effect is Effect.HOLD
    ]
    held += [
        Hold(f"not-evaluated:{n.rule}", n.rule, f"Not evaluated: {n.title}", "the approver")
        for n in read.not_evaluated
        if n.counts and n.effect >= Effect.HOLD
    ]
    return held


def find_signers(content: Content, organisation: Organisation) -> frozenset[str]:
    """The roles that may sign a post just now: one that is to go through a stop, by a duty officer
    too, but only while something stands stopped.
    """
    through_stop = content.through_stop and bool(stops.list_standing(organisation))
    return list_signers(content.kind, content.ground, through_stop=through_stop)


def facts_for(
    draft: Draft,
    version: Version,
    *,
    now: datetime,
    actor: str = "",
    held_roles: frozenset[str] = frozenset(),
    digest_seen: str = "",
    accepted: Mapping[str, str] | None = None,
    reason: str = "",
    report: Mapping[str, Any] | None = None,
) -> DraftFacts:
    """The facts a step on this draft is judged by. ``report`` is a fresh report where one was made
    for the step; the digest is worked out anew from what the database holds now.
    """
    organisation = draft.organisation
    content = content_of(version)
    held = list_holds(version.report if report is None else report, organisation)
    accepted = accepted or {}
    stops: Sequence[str] = list_stops(version.report if report is None else report)
    return DraftFacts(
        now=now,
        actor=actor,
        held=held_roles,
        signers=find_signers(content, organisation),
        authors=frozenset(draft.versions.values_list("by", flat=True)),
        problems=tuple(list_problems(content, organisation)),
        stops=tuple(stops),
        unanswered=tuple(list_unanswered(content, version.report if report is None else report)),
        due_at=version.due_at,
        window=timedelta(minutes=version.window_minutes),
        digest_seen=digest_seen,
        digest_now=content_digest(content, version.report, draft, version.number),
        unaccepted=tuple(
            hold.title for hold in held if not accepted.get(hold.fingerprint, "").strip()
        ),
        reason=reason,
    )
