"""Reads of the drafts room. A member sees the drafts of their own organisation and no others."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from textwrap import shorten
from typing import Any

from django.db import models

from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.people.queries import Member, Organisation
from folkmoot.desk.records import columns
from folkmoot.desk.stops import queries as stops

from . import walltime
from .assess import Card, assess
from .content import (
    check_content,
    chosen_accounts,
    content_digest,
    content_of,
    list_holds,
    list_stops,
)
from .lifecycle import DRAFT, DraftKind, DraftState
from .models import Draft, Picture, Signoff, Version, picture_subject
from .pictures import PictureErased, PictureRefused, read_picture
from .renditions import describe_problems, make_rendition, split_thread
from .steps import DraftRefused

__all__ = [
    "DRAFT",
    "Draft",
    "DraftKind",
    "DraftRefused",
    "DraftState",
    "NoSuchDraft",
    "PictureErased",
    "PictureRefused",
    "Signoff",
    "Version",
    "describe_problems",
    "find_kept_picture",
    "find_picture",
    "find_public_picture",
    "find_sent_back",
    "find_signoff",
    "first_words",
    "get_again",
    "get_draft",
    "get_version",
    "list_accounts",
    "list_against_signoff",
    "list_drafts",
    "list_due",
    "list_followed",
    "list_on_topic",
    "list_pictures_only_of",
    "list_publishing",
    "list_signed",
    "list_signoffs",
    "list_subjects_for",
    "list_topics",
    "list_versions",
    "make_rendition",
    "open_picture",
    "read_picture",
    "show_cards",
    "signed_time",
    "split_thread",
    "tell_time",
    "window_of",
]

log = logging.getLogger(__name__)


PAGE = 50
TOPICS_OF = 500


class NoSuchDraft(Exception):
    """There is no such draft, or it is another organisation's: the two look alike."""


def get_draft(member: Member, draft_id: int) -> Draft:
    """A draft of the member's organisation. Raises :class:`NoSuchDraft`."""
    draft = (
        Draft.objects.select_related("organisation")
        .filter(pk=draft_id, organisation=member.organisation)
        .first()
    )
    if draft is None:
        raise NoSuchDraft("There is no such post.")
    return draft


def get_version(draft: Draft, number: int | None = None) -> Version:
    """The draft's newest version, or the one of this number.

    A version is never changed, so it is read once for as long as ``draft`` is held. Whoever must
    see what the database holds now takes the draft anew (:func:`get_again`).
    """
    number = number or draft.version_number
    read: dict[int, Version] = draft.__dict__.setdefault("_versions_read", {})
    if number not in read:
        read[number] = draft.versions.get(number=number)
        read[number].draft = draft
    return read[number]


def list_versions(draft: Draft) -> list[Version]:
    """Every version, oldest first."""
    return list(draft.versions.order_by("number"))


def list_signoffs(draft: Draft) -> list[Signoff]:
    """Every decision, oldest first."""
    return list(draft.signoffs.order_by("pk"))


def find_signoff(draft: Draft) -> Signoff | None:
    """The signature on the draft's newest version, if it has one. Read once, as versions are."""
    read: dict[int, Signoff] = draft.__dict__.setdefault("_signoffs_read", {})
    number = draft.version_number
    if number not in read:
        found = draft.signoffs.filter(decision="signed", version_number=number).first()
        if found is None:
            return None
        read[number] = found
    return read[number]


def list_drafts(
    member: Member,
    *states: DraftState,
    author: str = "",
    order: str = "-changed_at",
    page: int = 1,
) -> tuple[list[Draft], bool]:
    """The organisation's drafts in these states, ``PAGE`` at a time, and whether there are more.

    By default the last changed come first; ``order`` is ``changed_at`` for those that have waited
    longest, or ``due_at`` for those that go out next. ``author`` keeps one author's.
    """
    rows = Draft.objects.filter(organisation=member.organisation, state__in=states)
    if author:
        rows = rows.filter(author=author)
    start = (max(page, 1) - 1) * PAGE
    found = list(
        rows.select_related("organisation").order_by(order, "pk")[start : start + PAGE + 1]
    )
    _read_versions(found[:PAGE])
    return found[:PAGE], len(found) > PAGE


def _read_versions(found: list[Draft]) -> None:
    """Read the newest version of each of these posts, and their keys, all at once."""
    columns.warm(draft.subject for draft in found)
    drafts = {draft.pk: draft for draft in found}
    newest = models.F("draft__version_number")
    for version in Version.objects.filter(draft__in=list(drafts), number=newest):
        version.draft = drafts[version.draft_id]
        version.draft.__dict__.setdefault("_versions_read", {})[version.number] = version


def find_sent_back(draft: Draft) -> Signoff | None:
    """The decision that sent the post back, while it is being written again."""
    last = draft.signoffs.order_by("-pk").first()
    sent_back = last is not None and last.decision == "sent_back"
    return last if sent_back and draft.state == DraftState.DRAFTING else None


def get_again(draft: Draft) -> Draft:
    """The draft as the database has it now."""
    return Draft.objects.select_related("organisation").get(pk=draft.pk)


def list_publishing(*where: models.expressions.Combinable | models.Q, most: int) -> list[Draft]:
    """Posts of every organisation that are going out, the oldest first, at most ``most``; kept to
    those for which each condition of ``where`` holds.
    """
    return list(
        Draft.objects.filter(*where, state=DraftState.PUBLISHING)
        .select_related("organisation")
        .order_by("pk")[:most]
    )


def list_signed() -> list[Draft]:
    """Signed posts of every organisation that have not been begun."""
    return list(
        Draft.objects.filter(state=DraftState.SIGNED).select_related("organisation").order_by("pk")
    )


def list_followed(draft: Draft) -> list[Draft]:
    """The corrections and removals of a post, oldest first."""
    return list(draft.followed.select_related("organisation").order_by("pk"))


def list_accounts(draft: Draft) -> list[accounts.Account]:
    """The accounts a post's newest version is for."""
    return chosen_accounts(content_of(get_version(draft)), draft.organisation)


def window_of(version: Version) -> timedelta:
    """How long after its time the post may still leave."""
    return timedelta(minutes=version.window_minutes)


def tell_time(version: Version) -> str:
    """When the post leaves, in words: the wall time and its zone, the instant in UTC, and the time
    in the organisation's own zone where that is another.
    """
    if version.due_at is None:
        return walltime.find_problem(version.wall, version.zone, None) or "as soon as it is signed"
    own = version.draft.organisation.zone
    zone = version.zone or own
    return walltime.tell(version.wall, zone, version.due_at, own)


def list_topics(organisation: Organisation, most: int = 50) -> list[str]:
    """The topics that the organisation's last posts have had, in the order of the alphabet."""
    named = Version.objects.filter(draft__organisation=organisation).exclude(topic="")
    last = list(named.order_by("-pk").values_list("pk", "draft_id")[:TOPICS_OF])
    columns.warm(f"post/{draft_id}" for _, draft_id in last)
    mine = Version.objects.filter(pk__in=[pk for pk, _ in last])
    return sorted(set(mine.values_list("topic", flat=True)) - {""})[:most]


def list_on_topic(organisation: Organisation, topic: str) -> list[int]:
    """The ids of the posts any version of which is on this topic, compared as topics are."""
    folded = stops.fold_topic(topic)
    versions = Version.objects.filter(draft__organisation=organisation).exclude(topic="")
    return sorted(
        {
            version.draft_id
            for version in versions.only("draft_id", "topic").iterator()
            if stops.fold_topic(version.topic) == folded
        }
    )


def signed_time(version: Version, signoff: Signoff) -> datetime:
    """When the post leaves by its sign-off: at the time it names, or as soon as it was signed."""
    return version.due_at or signoff.at


def list_against_signoff(
    draft: Draft, version_number: int, digest: str, *, now: datetime
) -> list[str]:
    """What speaks against sending this version under this digest, as sentences.

    The digest is worked out anew from what is stored, the pictures' bytes are hashed anew, and the
    check is run anew: a period that began, or a rule that changed, after the sign-off counts.
    """
    version = get_version(draft, version_number)
    signoff = find_signoff(draft)
    against = []
    if columns.is_erased(version.text):
        against.append("What it says was erased, so there is nothing that could be sent.")
    if draft.state != DraftState.PUBLISHING or draft.version_number != version_number:
        against.append("The post was taken back or changed after it was signed.")
    worked_out = content_digest(content_of(version), version.report, draft, version_number)
    if signoff is None or not signoff.digest == digest == worked_out:
        against.append("What would go out is not what was signed.")
    elif draft.due_at != signed_time(version, signoff):
        against.append("The time at which it would go out is not the time that was signed.")
    for picture in version.pictures:
        try:
            read_picture(draft.organisation_id, picture["sha256"], picture["media_type"])
        except PictureRefused as refused:
            against.append(str(refused))
    fresh = check_content(content_of(version), draft.organisation, role="author", now=now)
    accepted = {one["fingerprint"] for one in (signoff.accepted if signoff else ())}
    against += list_stops(fresh)
    against += [
        f"The check now holds this post: {hold.title}. The approver did not accept that."
        for hold in list_holds(fresh, draft.organisation)
        if hold.fingerprint not in accepted
    ]
    return against


def list_due(now: datetime, *, most: int | None = None, with_pictures: bool = False) -> list[Draft]:
    """Signed posts of every organisation whose time has come by ``now``, the earliest first, at
    most ``most``; ``with_pictures`` leaves out those that have none.
    """
    rows = Draft.objects.filter(state=DraftState.SIGNED, due_at__lte=now)
    if with_pictures:
        pictured = Version.objects.filter(
            draft=models.OuterRef("pk"), number=models.OuterRef("version_number")
        ).exclude(pictures=[])
        rows = rows.filter(models.Exists(pictured))
    return list(rows.select_related("organisation").order_by("due_at", "pk")[:most])


def first_words(draft: Draft) -> str:
    """The beginning of the post, for lists."""
    text = " ".join(get_version(draft).text.split())
    return shorten(text, 80, placeholder="…") or "(nothing written yet)"


def show_cards(draft: Draft) -> tuple[Card, ...]:
    """What each channel shows, or will show, of the draft's newest version."""
    version = get_version(draft)
    return assess(content_of(version), version.report, draft.organisation).cards


def open_picture(picture: Picture) -> bytes | None:
    """What the picture's file holds; ``None`` where the store has lost it, or it was changed there.
    Raises :class:`PictureErased`.
    """
    try:
        return read_picture(picture.organisation_id, picture.sha256, picture.media_type)
    except PictureErased:
        raise
    except PictureRefused:
        log.exception("Picture %s cannot be read from the store", picture.sha256)
        return None


def find_picture(member: Member, sha256: str) -> Picture | None:
    """A picture somebody of the member's organisation added."""
    return Picture.objects.filter(organisation=member.organisation, sha256=sha256).first()


def find_kept_picture(organisation: Organisation, sha256: str) -> Picture | None:
    """A picture that somebody of the organisation added, published or not."""
    return Picture.objects.filter(organisation=organisation, sha256=sha256).first()


def find_public_picture(organisation: Organisation, sha256: str) -> Picture | None:
    """A picture of one of the organisation's published posts."""
    return Picture.objects.filter(organisation=organisation, sha256=sha256, public=True).first()


def picture_row(picture: Picture, *, alt: str) -> dict[str, Any]:
    """A picture as a version keeps it, with its description there."""
    return {
        "sha256": picture.sha256,
        "media_type": picture.media_type,
        "size_bytes": picture.size_bytes,
        "width": picture.width,
        "height": picture.height,
        "alt": alt,
        "name": picture.name,
    }


def list_subjects_for(organisation: Organisation, account_id: int) -> set[str]:
    """The posts that were ever meant for an account, sent or not, as the record names them."""
    versions = Version.objects.filter(draft__organisation=organisation)
    return {
        f"post/{draft_id}"
        for draft_id, chosen in versions.values_list("draft_id", "accounts")
        if account_id in chosen
    }


def list_pictures_only_of(organisation: Organisation, subjects: Collection[str]) -> set[str]:
    """The pictures that these posts have and no other post of the organisation, as the record names
    them.
    """
    if not any(one.startswith("post/") for one in subjects):
        return set()
    theirs: set[str] = set()
    others: set[str] = set()
    versions = Version.objects.filter(draft__organisation=organisation).only("draft_id", "pictures")
    for version in versions.iterator(500):
        had = {picture["sha256"] for picture in version.pictures}
        (theirs if version.sealed_for in subjects else others).update(had)
    return {picture_subject(organisation.pk, sha256) for sha256 in theirs - others}
