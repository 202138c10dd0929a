"""Keeping versions, and asking for their sign-off: what every writer of posts does alike.

Each function is part of its caller's transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from folkmoot.desk.people.queries import Member, Role

from .content import Content, check_content, content_digest, content_of, facts_for
from .models import Draft, Version
from .queries import get_version
from .steps import DraftRefused, take_step


def keep_version(
    draft: Draft, content: Content, by: str, *, now: datetime, report: dict[str, Any] | None = None
) -> Version:
    """Keep the next version of a draft, checked anew unless ``report`` is a fresh report of it."""
    if report is None:
        report = check_content(content, draft.organisation, role=Role.AUTHOR, now=now)
    number = draft.version_number + 1
    version = Version.objects.create(
        draft=draft,
        number=number,
        by=by,
        at=now,
        text=content.text,
        language=content.language,
        capacity=content.capacity,
        accounts=list(content.accounts),
        pictures=[dict(picture) for picture in content.pictures],
        due_at=content.due_at,
        wall=content.wall,
        zone=content.zone,
        window_minutes=content.window_minutes,
        urgent=content.urgent,
        topic=content.topic,
        through_stop=content.through_stop,
        ground=content.ground,
        pack=str(report.get("pack", "")),
        report=report,
        answers=dict(content.answers),
        facts=dict(content.facts),
        digest=content_digest(content, report, draft, number),
    )
    draft.version_number = number
    Draft.objects.filter(pk=draft.pk).update(version_number=number)
    return version


def ask_for_signoff(
    draft: Draft, actor: str, *, roles: Iterable[str], now: datetime, note: str = ""
) -> Draft:
    """Send a draft for sign-off as it stands, in the name of ``actor``; ``note`` goes with the
    entry in the record. Raises :class:`DraftRefused` with every reason against it.

    The check is made anew: a post saved last week may run into a period that has since begun.
    """
    version = get_version(draft)
    content = content_of(version)
    fresh = check_content(content, draft.organisation, role=Role.AUTHOR, now=now)
    if fresh != version.report:
        version = keep_version(draft, content, actor, now=now, report=fresh)
    fields = {"digest": version.digest, "guidance": version.pack}
    if note:
        fields["note"] = note
    return take_step(
        draft,
        "send_for_signoff",
        facts=facts_for(draft, version, now=now, actor=actor),
        roles=roles,
        role=Role.AUTHOR,
        now=now,
        fields=fields,
    )


def must_hold(member: Member, role: Role) -> None:
    """Raise :class:`DraftRefused` unless the member has the role."""
    if role not in member.held:
        raise DraftRefused(f"Only somebody with the role {role} can do this.")


def content_fields(content: Content) -> dict[str, str]:
    """What the record keeps of a post that was begun or saved."""
    return {
        "text": content.text,
        "pictures": json.dumps(
            [[p["sha256"], p["alt"]] for p in content.pictures], ensure_ascii=False
        ),
    }
