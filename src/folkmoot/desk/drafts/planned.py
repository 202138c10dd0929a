"""Posts by their time: what the calendar shows, what takes a slot, and what a new post is near."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q

from folkmoot.desk.people.queries import Organisation

from .lifecycle import DraftKind, DraftState
from .models import Version

WRITING = (DraftState.DRAFTING, DraftState.AWAITING_SIGNOFF)
COMING = (*WRITING, DraftState.SIGNED, DraftState.PUBLISHING)
STANDING = (*COMING, DraftState.PUBLISHED)
"""Those that have gone out or still may."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A post as it stands in a calendar. ``at`` is ``None`` while it is to go out as soon as it is
    signed and nobody has signed it, or while its ``wall`` time is one that has to be asked about.
    """

    draft_id: int
    revision: int
    state: DraftState
    kind: DraftKind
    about: int | None
    series: int | None
    text: str
    accounts: frozenset[int]
    at: datetime | None
    wall: str
    zone: str


def list_planned(
    organisation: Organisation,
    start: datetime,
    end: datetime,
    *,
    states: Collection[DraftState] = STANDING,
) -> list[Planned]:
    """The organisation's posts in these states whose time is from ``start`` up to ``end``, the
    earliest first.
    """
    within = Q(due_at__gte=start, due_at__lt=end) | Q(
        due_at=None, draft__due_at__gte=start, draft__due_at__lt=end
    )
    found = _read(organisation, within, states)
    return sorted(found, key=lambda one: (one.at or start, one.draft_id))


def list_untimed(organisation: Organisation, since: datetime) -> list[Planned]:
    """The organisation's posts, changed since then, that are being written or wait for sign-off
    and have no time.
    """
    without = Q(due_at=None, draft__due_at=None, draft__changed_at__gte=since)
    return sorted(_read(organisation, without, WRITING), key=lambda one: one.draft_id)


def _read(organisation: Organisation, where: Q, states: Collection[DraftState]) -> list[Planned]:
    rows = Version.objects.filter(
        where,
        draft__organisation=organisation,
        draft__state__in=list(states),
        number=F("draft__version_number"),
    ).values_list(
        "draft_id",
        "draft__revision",
        "draft__state",
        "draft__kind",
        "draft__about_id",
        "draft__occurrence__series_id",
        "text",
        "accounts",
        "due_at",
        "draft__due_at",
        "wall",
        "zone",
    )
    return [
        Planned(
            draft_id,
            revision,
            DraftState(state),
            DraftKind(kind),
            about,
            series,
            text,
            frozenset(accounts),
            chosen_at or signed_at,
            wall,
            zone,
        )
        for (
            draft_id,
            revision,
            state,
            kind,
            about,
            series,
            text,
            accounts,
            chosen_at,
            signed_at,
            wall,
            zone,
        ) in rows
    ]
