"""Writes of the drafts room. Each action is one transaction and leaves one entry in the record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import IO, Any

from django.db import IntegrityError, transaction

from folkmoot.desk.people.queries import Member, Organisation, Role, names_by_ref
from folkmoot.desk.records import actions as records
from folkmoot.desk.records import columns

from . import walltime
from .content import (
    Content,
    check_content,
    content_digest,
    content_of,
    facts_for,
    list_holds,
)
from .keeping import ask_for_signoff, content_fields, keep_version, must_hold
from .lifecycle import DraftFacts, DraftState
from .models import Draft, Picture, Signoff, Version
from .pictures import PictureRefused, keep_picture, make_picture
from .queries import (
    find_signoff,
    get_again,
    get_draft,
    get_version,
    picture_row,
    signed_time,
)
from .repeating import make_occurrences
from .slots import take_free
from .steps import DraftRefused, StaleDraft, take_step

__all__ = [
    "Content",
    "DraftRefused",
    "PictureRefused",
    "StaleDraft",
    "add_picture",
    "begin",
    "copy",
    "finish",
    "lapse",
    "make_occurrences",
    "make_pictures_private",
    "make_pictures_public",
    "move",
    "recall",
    "save",
    "send_back",
    "send_for_signoff",
    "sign",
    "start",
    "take_back",
    "withdraw",
]

LATE = {
    DraftState.AWAITING_SIGNOFF: "This post is waiting for sign-off, so it was not changed. "
    "Take it back first; then you can change it.",
    DraftState.SIGNED: "This post has been signed, so it was not changed. Take it back first: "
    "the sign-off then no longer counts, and it must be signed again.",
}


@transaction.atomic
def start(author: Member, content: Content, *, now: datetime, in_slot: bool = False) -> Draft:
    """Begin a post. Anything may be kept, finished or not. ``in_slot`` gives it the time of the
    next free slot. Raises :class:`DraftRefused` for a member who is not an author, and where no
    slot is free.
    """
    must_hold(author, Role.AUTHOR)
    if in_slot:
        content = _place_in_slot(content, author.organisation, now=now)
    draft = Draft.objects.create(
        organisation=author.organisation, author=author.ref, made_at=now, changed_at=now
    )
    keep_version(draft, content, author.ref, now=now)
    records.record(
        "draft.started",
        at=now,
        organisation=author.organisation.ref,
        actor=author.ref,
        role=Role.AUTHOR,
        subject=draft.subject,
        fields=content_fields(content),
    )
    return draft


@transaction.atomic
def save(
    author: Member,
    draft_id: int,
    content: Content,
    *,
    revision: int,
    now: datetime,
    in_slot: bool = False,
) -> Draft:
    """Keep a new version. ``revision`` is the one the author's page showed; ``in_slot`` gives it
    the time of the next free slot.

    Raises ``NoSuchDraft``, :class:`StaleDraft` where somebody else saved since, and
    :class:`DraftRefused` where the post is no longer being drafted or no slot is free.
    """
    draft = get_draft(author, draft_id)
    if DraftState(draft.state) in LATE:
        raise DraftRefused(LATE[DraftState(draft.state)])
    if draft.revision != revision:
        raise StaleDraft(
            "Somebody else saved this post while you were writing. Your words are "
            "still below and have not been saved: compare them with the saved post, "
            "then save again."
        )
    if in_slot:
        content = _place_in_slot(content, draft.organisation, now=now, but=draft.pk)
    take_step(
        draft,
        "save",
        facts=DraftFacts(now, actor=author.ref),
        roles=author.held,
        role=Role.AUTHOR,
        now=now,
        fields=content_fields(content),
    )
    keep_version(draft, content, author.ref, now=now)
    return draft


@transaction.atomic
def move(
    author: Member, draft_id: int, time: walltime.Resolved, *, revision: int, now: datetime
) -> Draft:
    """Give a post that is not signed another time and leave all else as it is. One that waits for
    sign-off is sent for it anew. Raises as :func:`save` and :func:`send_for_signoff` do; then
    nothing is changed.
    """
    draft = get_draft(author, draft_id)
    waiting = draft.state == DraftState.AWAITING_SIGNOFF
    if waiting and draft.revision == revision:
        draft = take_back(author, draft_id, now=now)
        revision = draft.revision
    content = content_of(get_version(draft))
    content = replace(content, due_at=time.at, wall=time.wall, zone=time.zone)
    draft = save(author, draft_id, content, revision=revision, now=now)
    return send_for_signoff(author, draft_id, now=now) if waiting else draft


@transaction.atomic
def send_for_signoff(author: Member, draft_id: int, *, now: datetime) -> Draft:
    """Ask for a sign-off of the post as it stands. Raises ``NoSuchDraft`` and
    :class:`DraftRefused` with every reason against it.
    """
    return ask_for_signoff(get_draft(author, draft_id), author.ref, roles=author.held, now=now)


@transaction.atomic
def sign(
    approver: Member, draft_id: int, *, digest_seen: str, accepted: Mapping[str, str], now: datetime
) -> Draft:
    """Sign exactly what the approver's page showed, named by its digest.

    ``accepted`` maps the fingerprint of each finding the approver accepts to why it may go out all
    the same and who agreed. An acceptance holds for this sign-off and no other. Raises
    ``NoSuchDraft`` and :class:`DraftRefused`, which says who was first where somebody was.
    """
    draft = get_draft(approver, draft_id)
    version = get_version(draft)
    _somebody_was_first(draft)
    fresh = check_content(content_of(version), draft.organisation, role=Role.AUTHOR, now=now)
    facts = facts_for(
        draft,
        version,
        now=now,
        actor=approver.ref,
        held_roles=frozenset(approver.held),
        digest_seen=digest_seen,
        accepted=accepted,
        report=fresh,
    )
    held = [
        {"fingerprint": h.fingerprint, "rule": h.rule, "title": h.title, "reason": reason}
        for h in list_holds(fresh, draft.organisation)
        if (reason := accepted.get(h.fingerprint, "").strip())
    ]
    draft = _decide(
        draft,
        "sign",
        facts=facts,
        roles=approver.held,
        now=now,
        fields={
            "digest": version.digest,
            "guidance": version.pack,
            "accepted": "; ".join(f"{h['title']}: {h['reason']}" for h in held),
        },
        changes={"due_at": version.due_at or now},
        once=f"draft.signed/{draft.pk}/{version.number}",
    )
    try:
        _keep_decision(draft, version, approver, "signed", now=now, accepted=held)
    except IntegrityError as refused:
        raise DraftRefused(
            "This post cannot be signed by the person who wrote it, nor signed "
            "twice. Look at it as it now stands."
        ) from refused
    return draft


@transaction.atomic
def send_back(
    approver: Member, draft_id: int, *, digest_seen: str, reason: str, now: datetime
) -> Draft:
    """Send a post back to its author with a reason.

    Raises ``NoSuchDraft`` and :class:`DraftRefused`.
    """
    draft = get_draft(approver, draft_id)
    version = get_version(draft)
    _somebody_was_first(draft)
    facts = facts_for(
        draft,
        version,
        now=now,
        actor=approver.ref,
        held_roles=frozenset(approver.held),
        digest_seen=digest_seen,
        reason=reason,
    )
    draft = _decide(
        draft,
        "send_back",
        facts=facts,
        roles=approver.held,
        now=now,
        fields={"digest": version.digest, "reason": reason.strip()},
    )
    _keep_decision(draft, version, approver, "sent_back", now=now, reason=reason.strip())
    return draft


@transaction.atomic
def take_back(member: Member, draft_id: int, *, now: datetime) -> Draft:
    """Take a post back into drafting, before its time. Raises ``NoSuchDraft``,
    :class:`DraftRefused`.

    Makes a new version even where nothing changes, so that an earlier sign-off fits no longer.
    """
    draft = _plain_step(member, draft_id, "take_back", now=now)
    version = get_version(draft)
    keep_version(draft, content_of(version), version.by, now=now)
    return draft


@transaction.atomic
def withdraw(member: Member, draft_id: int, *, now: datetime) -> Draft:
    """Give a post up for good. Raises ``NoSuchDraft``, :class:`DraftRefused`."""
    return _plain_step(member, draft_id, "withdraw", now=now)


@transaction.atomic
def copy(author: Member, draft_id: int, *, now: datetime) -> Draft:
    """Begin a new post from an old one, without its time and its answers. Raises
    ``NoSuchDraft``, :class:`DraftRefused`.
    """
    old = content_of(get_version(get_draft(author, draft_id)))
    return start(
        author,
        Content(
            old.text,
            old.accounts,
            old.pictures,
            old.language,
            old.capacity,
            None,
            old.window_minutes,
            topic=old.topic,
        ),
        now=now,
    )


@transaction.atomic
def begin(draft: Draft, *, now: datetime) -> Draft:
    """The worker takes a signed post whose time has come. Raises :class:`DraftRefused` where what
    would go out is not what was signed, or the clocks of its zone changed so that its time is now
    another, and :class:`StaleDraft` where somebody took it back.
    """
    version = get_version(draft)
    if moved := walltime.find_problem(version.wall, version.zone, version.due_at):
        raise DraftRefused(moved)
    signoff = find_signoff(draft)
    # The row's own time says when it leaves, and must be the one that was signed.
    fits = signoff is not None and draft.due_at == signed_time(version, signoff)
    facts = DraftFacts(
        now,
        digest_seen=signoff.digest if signoff and fits else "",
        digest_now=content_digest(content_of(version), version.report, draft, version.number),
    )
    return take_step(draft, "begin", facts=facts, roles={"worker"}, role="worker", now=now)


@transaction.atomic
def recall(draft: Draft, reason: str, *, now: datetime) -> Draft:
    """Ask for a new sign-off of a signed post: what its sign-off rested on no longer holds."""
    draft = take_step(
        draft,
        "recall",
        facts=DraftFacts(now),
        roles={"worker"},
        role="worker",
        now=now,
        fields={"reason": reason},
        changes={"due_at": None},
    )
    version = get_version(draft)
    keep_version(draft, content_of(version), version.by, now=now)
    return draft


@transaction.atomic
def lapse(draft: Draft, reason: str, *, now: datetime) -> Draft:
    """The worker gives up a signed post that does not fit its sign-off."""
    return take_step(
        draft,
        "lapse",
        facts=DraftFacts(now),
        roles={"worker"},
        role="worker",
        now=now,
        fields={"reason": reason},
    )


@transaction.atomic
def finish(draft: Draft, *, any_sent: bool, now: datetime) -> Draft:
    """The worker closes a post all of whose deliveries have ended."""
    return take_step(
        draft,
        "finish" if any_sent else "fail",
        facts=DraftFacts(now),
        roles={"worker"},
        role="worker",
        now=now,
    )


def add_picture(
    member: Member, file: IO[bytes], *, size_bytes: int, name: str, alt: str, now: datetime
) -> dict[str, Any]:
    """Keep a picture for use in a post; answers its row for :attr:`Content.pictures`. Raises
    :class:`PictureRefused` for a file that is not a usable picture.
    """
    must_hold(member, Role.AUTHOR)
    kept = make_picture(file, size_bytes=size_bytes, name=name)
    shown_name = name[:200] or "picture"
    with transaction.atomic():
        picture, _ = Picture.objects.get_or_create(
            organisation=member.organisation,
            sha256=kept.sha256,
            defaults={
                "media_type": kept.media_type,
                "size_bytes": kept.size_bytes,
                "width": kept.width,
                "height": kept.height,
                "name": shown_name,
                "added_by": member.ref,
                "added_at": now,
            },
        )
        if columns.is_erased(picture.name):  # erased since, and added again
            columns.update_sealed(picture, {"name": shown_name, "public": False})
            picture.name = shown_name
        keep_picture(kept, member.organisation_id)
    return picture_row(picture, alt=alt.strip())


def make_pictures_public(draft: Draft, version_number: int) -> None:
    """Let anyone see the pictures of a post that is about to leave. Part of the step that freezes
    its delivery, in that step's transaction.
    """
    digests = [row["sha256"] for row in get_version(draft, version_number).pictures]
    Picture.objects.filter(organisation=draft.organisation, sha256__in=digests).update(public=True)


def make_pictures_private(draft: Draft, version_number: int) -> None:
    """Let the pictures of a post that was taken down be seen no more by anyone outside, but those
    that another of the organisation's posts shows. Part of the caller's transaction.
    """
    digests = {row["sha256"] for row in get_version(draft, version_number).pictures}
    others = Version.objects.filter(
        draft__organisation=draft.organisation,
        draft__state__in=[DraftState.PUBLISHED, DraftState.PUBLISHING],
    ).exclude(draft=draft)
    if digests:
        digests -= {
            row["sha256"]
            for pictures in others.values_list("pictures", flat=True)
            for row in pictures
        }
    Picture.objects.filter(organisation=draft.organisation, sha256__in=digests).update(public=False)


def _place_in_slot(
    content: Content, organisation: Organisation, *, now: datetime, but: int | None = None
) -> Content:
    opening = take_free(organisation, content.accounts, now=now, but=but)
    return replace(content, due_at=opening.at, wall=opening.wall, zone=opening.zone)


def _plain_step(member: Member, draft_id: int, verb: str, *, now: datetime) -> Draft:
    draft = get_draft(member, draft_id)
    role = next((r for r in (Role.AUTHOR, Role.APPROVER, *Role) if r in member.held), Role.AUTHOR)
    return take_step(
        draft,
        verb,
        facts=DraftFacts(now, actor=member.ref),
        roles=member.held,
        role=role,
        now=now,
        changes={"due_at": None},
    )


def _keep_decision(
    draft: Draft,
    version: Version,
    by: Member,
    decision: str,
    *,
    now: datetime,
    reason: str = "",
    accepted: list[dict[str, str]] | None = None,
) -> None:
    Signoff.objects.create(
        draft=draft,
        version_number=version.number,
        digest=version.digest,
        decision=decision,
        reason=reason,
        accepted=accepted or [],
        author=version.by,
        by=by.ref,
        at=now,
    )


def _decide(
    draft: Draft,
    verb: str,
    *,
    facts: DraftFacts,
    roles: Iterable[str],
    now: datetime,
    fields: dict[str, str],
    changes: dict[str, object] | None = None,
    once: str | None = None,
) -> Draft:
    """Take an approver's step; who was beaten to it by a moment is told by whom."""
    try:
        return take_step(
            draft,
            verb,
            facts=facts,
            roles=roles,
            role=Role.APPROVER if Role.APPROVER in roles else Role.DUTY,
            now=now,
            fields=fields,
            changes=changes,
            once=once,
        )
    except StaleDraft:
        _somebody_was_first(get_again(draft))
        raise


def _somebody_was_first(draft: Draft) -> None:
    """Raise :class:`DraftRefused`, naming who decided, where the post no longer waits."""
    if draft.state == DraftState.AWAITING_SIGNOFF:
        return
    last = draft.signoffs.order_by("-pk").first()
    if last is not None and last.version_number == draft.version_number:
        name = names_by_ref([last.by]).get(last.by, "Somebody else")
        done = "signed this post" if last.decision == "signed" else "sent this post back"
        local = last.at.astimezone(draft.organisation.timezone)
        raise DraftRefused(
            f"{name} {done} on {local:%A %d %B at %H:%M}, so your decision was not "
            "needed and was not kept."
        )
