"""Reads of the retention room."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Count, Q
from django.db.models.functions import ExtractYear

from folkmoot.desk.people.queries import Member, Organisation
from folkmoot.desk.records import erasing
from folkmoot.desk.records.erasing import FIELD, NotHere, Place

from .copies import Outside, list_copies_outside
from .disposing import (
    Counts,
    Thing,
    count_items,
    digest_of,
    find_batch,
    list_batches,
    list_things,
)
from .due import MOST, Due, count_due, list_due
from .erasures import filter_matches, find_held, list_alarm_places
from .grounds import EXEMPTION_WORDS, GROUND_WORDS, Exemption, Ground
from .holding import Held, HoldScope, check_values, list_standing, read_held, tell_scope
from .lifecycle import HOLDERS, OFFICER, BatchState, ErasureState, HoldState, RuleState
from .models import Batch, Erasure, Hold, Match, Rule
from .scheduling import Row, list_schedule, list_versions, tell_rule
from .steps import RetentionRefused
from .triggers import tell_kind

__all__ = [
    "EXEMPTION_WORDS",
    "GROUND_WORDS",
    "MOST",
    "Batch",
    "BatchState",
    "Counts",
    "Due",
    "Erasure",
    "ErasureState",
    "Exemption",
    "Found",
    "Ground",
    "Group",
    "Held",
    "Hold",
    "HoldScope",
    "HoldState",
    "Outside",
    "RetentionRefused",
    "Row",
    "Rule",
    "Thing",
    "Waiting",
    "What",
    "check_values",
    "count_due",
    "count_holds",
    "count_items",
    "count_waiting",
    "digest_of",
    "find_batch",
    "find_erasure",
    "find_hold",
    "find_rule_by_id",
    "group_matches",
    "is_kept_of_alarm",
    "list_batches",
    "list_copies_outside",
    "list_due",
    "list_erasures",
    "list_holds",
    "list_matches",
    "list_schedule",
    "list_standing",
    "list_things",
    "list_versions",
    "list_waiting",
    "may_hold",
    "may_see",
    "read_held",
    "tell_kind",
    "tell_rule",
    "tell_scope",
]

PAGE = 25
STUCK_AFTER = timedelta(minutes=10)
ENDED_BATCHES = [BatchState.DONE, BatchState.KEPT, BatchState.DROPPED]
ENDED_ERASURES = [ErasureState.DONE, ErasureState.REFUSED, ErasureState.DROPPED]


class What(StrEnum):
    """What waits for a person."""

    RULES = "rules"
    RELEASE = "release"
    DISPOSAL = "disposal"
    ERASURE = "erasure"
    HELD_DISPOSAL = "held_disposal"
    HELD_ERASURE = "held_erasure"
    TROUBLE = "trouble"
    STUCK_DISPOSAL = "stuck_disposal"
    STUCK_ERASURE = "stuck_erasure"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits for a second person, or that a hold or a fault is in the way of.

    ``number`` is that of the hold, disposal or erasure; ``proposed_by`` who may not confirm it.
    """

    what: What
    number: int
    proposed_by: str
    since_at: datetime | None


@dataclass(frozen=True, slots=True)
class Group:
    """What an erasure found of one kind in one year, public or not. The year is 0 for what has no
    date of its own.
    """

    kind: str
    year: int
    public: bool
    found: int
    chosen: int
    gone: int


@dataclass(frozen=True, slots=True)
class Found:
    """A match as the page shows it. ``text`` is what is kept there now, empty where it is gone."""

    number: int
    place: Place
    kind: str
    at: datetime | None
    public: bool
    chosen: bool
    text: str
    held: tuple[int, ...]


def may_see(member: Member) -> bool:
    """Whether a member may see what is held, due and to be erased."""
    return bool({str(role) for role in member.held} & OFFICER)


def may_hold(member: Member) -> bool:
    """Whether a member may see, place and release holds."""
    return bool({str(role) for role in member.held} & HOLDERS)


def count_holds(organisation: Organisation) -> int:
    """How many holds stand."""
    return Hold.objects.filter(organisation=organisation).exclude(state=HoldState.RELEASED).count()


def count_waiting(organisation: Organisation, now: datetime) -> int:
    """How many things wait for a second person, or for a decision since a hold is in the way."""
    return len(list_waiting(organisation, now))


def list_waiting(organisation: Organisation, now: datetime) -> list[Waiting]:
    """What waits for a second person, or for a decision, the oldest first."""
    found = []
    rules = Rule.objects.filter(organisation=organisation, state=RuleState.PROPOSED).order_by("pk")
    for proposer in dict.fromkeys(rule.proposed_by for rule in rules):
        mine = [rule for rule in rules if rule.proposed_by == proposer]
        found.append(Waiting(What.RULES, mine[0].pk, proposer, mine[0].proposed_at))
    holds = Hold.objects.filter(organisation=organisation, state=HoldState.RELEASE_PROPOSED)
    found += [
        Waiting(What.RELEASE, one.pk, one.release_proposed_by, one.release_proposed_at)
        for one in holds
    ]
    batches = Batch.objects.filter(organisation=organisation)
    for batch in batches.exclude(state__in=ENDED_BATCHES):
        match batch.state:
            case BatchState.DRAWN_UP | BatchState.PROPOSED if batch.held_at:
                found.append(Waiting(What.HELD_DISPOSAL, batch.pk, "", batch.held_at))
            case BatchState.PROPOSED:
                at = batch.proposed_at
                found.append(Waiting(What.DISPOSAL, batch.pk, batch.proposed_by, at))
            case BatchState.DESTROYING | BatchState.ROLLING if _is_stuck(batch.confirmed_at, now):
                found.append(Waiting(What.STUCK_DISPOSAL, batch.pk, "", batch.confirmed_at))
    erasures = Erasure.objects.filter(organisation=organisation)
    for erasure in erasures.exclude(state__in=ENDED_ERASURES):
        found += _waiting_of(erasure, now)
    return sorted(found, key=lambda one: (one.since_at or now, one.what, one.number))


def _waiting_of(erasure: Erasure, now: datetime) -> list[Waiting]:
    number = erasure.pk
    match erasure.state:
        case ErasureState.SEARCHING if erasure.trouble:
            return [Waiting(What.TROUBLE, number, "", erasure.asked_at)]
        case ErasureState.CHOOSING | ErasureState.PROPOSED if erasure.held_at:
            return [Waiting(What.HELD_ERASURE, number, "", erasure.held_at)]
        case ErasureState.PROPOSED:
            return [Waiting(What.ERASURE, number, erasure.proposed_by, erasure.proposed_at)]
        case ErasureState.ERASING | ErasureState.ROLLING if _is_stuck(erasure.confirmed_at, now):
            return [Waiting(What.STUCK_ERASURE, number, "", erasure.confirmed_at)]
    return []


def _is_stuck(since_at: datetime | None, now: datetime) -> bool:
    return since_at is not None and now - since_at > STUCK_AFTER


def find_hold(organisation: Organisation, hold_id: int) -> Hold | None:
    """A hold of this organisation."""
    return Hold.objects.filter(organisation=organisation, pk=hold_id).first()


def find_rule_by_id(organisation: Organisation, rule_id: int) -> Rule | None:
    """A version of a line of this organisation's schedule."""
    return Rule.objects.filter(organisation=organisation, pk=rule_id).first()


def find_erasure(organisation: Organisation, erasure_id: int) -> Erasure | None:
    """An erasure of this organisation."""
    rows = Erasure.objects.filter(organisation=organisation, pk=erasure_id)
    return rows.select_related("organisation").first()


def list_holds(
    organisation: Organisation, *, standing: bool | None = None, scope: str = "", page: int = 1
) -> tuple[list[Hold], bool]:
    """Holds, the newest first, a page at a time; and whether there are more."""
    rows = Hold.objects.filter(organisation=organisation).select_related("organisation")
    if standing is not None:
        released = Q(state=HoldState.RELEASED)
        rows = rows.exclude(released) if standing else rows.filter(released)
    if scope:
        rows = rows.filter(scope=scope)
    start = (max(page, 1) - 1) * PAGE
    found = list(rows.order_by("-pk")[start : start + PAGE + 1])
    return found[:PAGE], len(found) > PAGE


def list_erasures(
    organisation: Organisation, *, open_only: bool = False, page: int = 1
) -> tuple[list[Erasure], bool]:
    """Erasures, the newest first, a page at a time; and whether there are more."""
    rows = Erasure.objects.filter(organisation=organisation)
    if open_only:
        rows = rows.exclude(state__in=ENDED_ERASURES)
    start = (max(page, 1) - 1) * PAGE
    found = list(rows.order_by("-pk")[start : start + PAGE + 1])
    return found[:PAGE], len(found) > PAGE


def group_matches(erasure: Erasure) -> list[Group]:
    """What an erasure found, counted by kind and year, public apart; the newest year first."""
    rows = (
        erasure.matches.annotate(year=ExtractYear("at"))
        .values("kind", "year", "public")
        .annotate(
            found=Count("pk"),
            chosen_count=Count("pk", filter=Q(chosen=True)),
            gone_count=Count("pk", filter=Q(gone_at__isnull=False)),
        )
    )
    groups = [
        Group(
            row["kind"],
            row["year"] or 0,
            row["public"],
            row["found"],
            row["chosen_count"],
            row["gone_count"],
        )
        for row in rows
    ]
    return sorted(groups, key=lambda one: (one.kind, one.public, -one.year))


def list_matches(
    erasure: Erasure,
    *,
    kind: str = "",
    year: int | None = None,
    public: bool | None = None,
    page: int = 1,
) -> tuple[list[Found], bool]:
    """What an erasure found, with what is kept there now, the newest first, a page at a time; and
    whether there is more. Raises ``folkmoot.ledger.KeyLost`` where something does not open.
    """
    start = (max(page, 1) - 1) * PAGE
    rows = filter_matches(erasure, kind=kind, year=year, public=public)
    matches = list(rows.order_by("-at", "pk")[start : start + PAGE + 1])
    held = find_held(erasure) if erasure.held_at else {}
    return [_found(erasure, one, held) for one in matches[:PAGE]], len(matches) > PAGE


def _found(erasure: Erasure, one: Match, held: dict[Place, list[int]]) -> Found:
    place = Place.from_text(one.place)
    text = ""
    if one.gone_at is None:
        try:
            text = erasing.get(erasure.organisation.ref, [place])[0].text
        except NotHere:
            text = ""
    return Found(
        one.pk,
        place,
        one.kind,
        one.at,
        one.public,
        one.chosen,
        text,
        tuple(sorted(set(held.get(place, ())))),
    )


def list_entries_of(erasure: Erasure) -> Collection[str]:
    """The entries in which an erasure found something that was chosen."""
    places = erasure.matches.filter(chosen=True).values_list("place", flat=True)
    return {place.split(":")[1] for place in places if place.startswith(f"{FIELD}:")}


def is_kept_of_alarm(organisation: Organisation, alarm_id: int) -> bool:
    """Whether anything is still kept of the stranger's post that an alarm showed."""
    try:
        return bool(list_alarm_places(organisation, alarm_id))
    except RetentionRefused:
        return False
