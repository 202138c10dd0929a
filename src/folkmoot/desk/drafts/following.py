"""Corrections and removals: posts about a post that is live."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from folkmoot.desk.people.queries import Member, Role
from folkmoot.desk.records import actions as records

from .content import Content, content_of
from .keeping import ask_for_signoff, content_fields, keep_version, must_hold
from .lifecycle import DraftKind
from .models import Draft
from .queries import get_draft, get_version

__all__ = ["remove", "start_correction"]


@transaction.atomic
def start_correction(
    author: Member, draft_id: int, *, accounts: Iterable[int], ground: str, now: datetime
) -> Draft:
    """Begin a post that puts another right, for the accounts where that one is live. Where the
    channel has answers it goes out as an answer to it.

    Raises ``NoSuchDraft`` and :class:`~.steps.DraftRefused`.
    """
    must_hold(author, Role.AUTHOR)
    about = get_draft(author, draft_id)
    old = content_of(get_version(about))
    content = Content(
        "Correction: ",
        tuple(accounts),
        language=old.language,
        capacity=old.capacity,
        window_minutes=old.window_minutes,
        topic=old.topic,
        ground=ground,
        urgent=True,
        kind=DraftKind.CORRECTION,
    )
    return _start(author, about, content, now)


@transaction.atomic
def remove(
    member: Member,
    draft_id: int,
    *,
    accounts: Iterable[int],
    ground: str,
    words: str,
    now: datetime,
) -> Draft:
    """Ask for the taking down of a post, and for its sign-off at once. ``words`` say to the public
    why; they stand in the feed and on the register in its place. Authors and duty officers may.

    Raises ``NoSuchDraft`` and :class:`~.steps.DraftRefused`.
    """
    if Role.DUTY not in member.held:
        must_hold(member, Role.AUTHOR)
    about = get_draft(member, draft_id)
    old = content_of(get_version(about))
    content = Content(
        words.strip(),
        tuple(accounts),
        language=old.language,
        capacity=old.capacity,
        window_minutes=60,
        topic=old.topic,
        ground=ground,
        urgent=True,
        kind=DraftKind.REMOVAL,
    )
    draft = _start(member, about, content, now)
    return ask_for_signoff(draft, member.ref, roles=member.held, now=now)


def _start(author: Member, about: Draft, content: Content, now: datetime) -> Draft:
    draft = Draft.objects.create(
        organisation=author.organisation,
        author=author.ref,
        kind=content.kind,
        about=about,
        made_at=now,
        changed_at=now,
    )
    keep_version(draft, content, author.ref, now=now)
    records.record(
        f"draft.{content.kind}_started",
        at=now,
        organisation=author.organisation.ref,
        actor=author.ref,
        role=Role.AUTHOR if Role.AUTHOR in author.held else Role.DUTY,
        subject=draft.subject,
        fields={
            **content_fields(content),
            "about": about.subject,
            "ground": content.ground,
        },
    )
    return draft
