"""Reads of the room releases. Everything of another organisation looks as if it were not there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import ahocorasick_rs
from django.db.models import Count, Q

from folkmoot.desk.people.queries import Member, Organisation
from folkmoot.desk.records import taking
from folkmoot.desk.records.erasing import fold

from .clock import Clock, Pause, read_clock
from .digest import release_digest
from .lifecycle import BAG, REQUEST, BagState, RequestState
from .models import Bag, BagEntry, Decision, Ground, Reading, Request, Waiting
from .regimes import PauseKind, Regime
from .suggesting import PERSONAL, WORDS, Suggestion
from .workdays import Nation

__all__ = [
    "BAG",
    "REQUEST",
    "Asks",
    "Bag",
    "BagState",
    "Field",
    "Group",
    "NoSuchBag",
    "NoSuchRequest",
    "Reading",
    "Request",
    "RequestState",
    "Shown",
    "What",
    "clock_of",
    "count_open",
    "count_suggestions",
    "count_verdicts",
    "find_leaks",
    "find_releasable",
    "get_bag",
    "get_request",
    "is_stale",
    "list_asking",
    "list_bags",
    "list_chosen",
    "list_deciders",
    "list_groups",
    "list_holding",
    "list_readings",
    "list_requests",
    "list_waits",
    "today_of",
]

PAGE = 20
SOON = 3
"""Days, as the law counts them, from which on a request is told of."""
# Shorter words than this stand in every text.
_LEAST_LEAK = 4
_MOST_LEAK = 2_000
_OPEN = [
    RequestState.RECEIVED,
    RequestState.CLARIFYING,
    RequestState.SEARCHING,
    RequestState.REDACTING,
    RequestState.SECOND_READING,
    RequestState.AGREED,
]


class What(StrEnum):
    """What needs a person."""

    LATE = "late"
    DUE = "due"
    NOT_KNOWN = "not_known"
    READING = "reading"
    BAG_PROPOSED = "bag_proposed"
    BAG_FAILED = "bag_failed"


@dataclass(frozen=True, slots=True)
class Asks:
    """A request or a bag that needs a person: its number and name in addresses, and since when, as
    far as that is known.
    """

    what: What
    number: int
    ref: str
    since_at: datetime | None = None


class NoSuchRequest(Exception):
    """There is no such request, or it is another organisation's: the two look alike."""


class NoSuchBag(Exception):
    """There is no such bag, or it is another organisation's: the two look alike."""


@dataclass(frozen=True, slots=True)
class Group:
    """The fields of one label in entries of one kind, as a release has them."""

    kind: str
    label: str
    fields: int
    undecided: int
    released: int
    withheld: int
    personal: int
    """How many of them seem personal."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a chosen entry, and what is decided about it."""

    label: str
    value: str
    verdict: str
    exemption: str
    reason: str
    suggested: Suggestion
    why: str
    """What the suggestion rests on, in words."""
    personal: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A chosen entry as a page shows it."""

    found: taking.Found
    fields: tuple[Field, ...]
    erased: tuple[str, ...]


def today_of(organisation: Organisation, now: datetime) -> date:
    """The day it is for the organisation."""
    return now.astimezone(organisation.timezone).date()


def get_request(member: Member, ref: str) -> Request:
    """A request to the member's organisation. Raises :class:`NoSuchRequest`."""
    found = (
        Request.objects.select_related("organisation")
        .filter(organisation=member.organisation, ref=ref)
        .first()
    )
    if found is None:
        raise NoSuchRequest("There is no such request.")
    return found


def list_requests(organisation: Organisation, *, still_open: bool) -> list[Request]:
    """The requests that are open, the oldest first; or the last hundred that are closed, newest
    first.
    """
    rows = Request.objects.filter(organisation=organisation).select_related("organisation")
    if still_open:
        return list(rows.filter(state__in=_OPEN).order_by("received_on", "pk"))
    return list(rows.exclude(state__in=_OPEN).order_by("-closed_on", "-pk")[:100])


def list_asking(organisation: Organisation, now: datetime) -> list[Asks]:
    """What of requests and bags needs a person, the oldest first."""
    today, found = today_of(organisation, now), list[Asks]()
    for row in list_requests(organisation, still_open=True):
        clock = clock_of(row, today)
        if clock.not_known:
            found.append(Asks(What.NOT_KNOWN, row.pk, row.ref, row.made_at))
        elif clock.left is not None and clock.left <= SOON:
            found.append(Asks(What.LATE if clock.is_late else What.DUE, row.pk, row.ref))
        if row.state == RequestState.SECOND_READING:
            found.append(Asks(What.READING, row.pk, row.ref, row.changed_at))
    bags = Bag.objects.filter(
        organisation=organisation, state__in=[BagState.PROPOSED, BagState.FAILED]
    )
    for bag in bags.order_by("pk"):
        proposed = bag.state == BagState.PROPOSED
        what = What.BAG_PROPOSED if proposed else What.BAG_FAILED
        found.append(Asks(what, bag.pk, bag.ref, bag.proposed_at if proposed else bag.agreed_at))
    return found


def count_open(organisation: Organisation) -> int:
    """How many requests are open."""
    return Request.objects.filter(organisation=organisation, state__in=_OPEN).count()


def list_waits(request: Request) -> list[Waiting]:
    """What whoever asked was asked for, the oldest first."""
    return list(request.waits.order_by("pk"))


def clock_of(request: Request, today: date) -> Clock:
    """The clock of a request: as it is today, or was on the day it was closed."""
    return read_clock(
        Regime(request.regime),
        received_on=request.received_on,
        today=request.closed_on or today,
        nation=Nation(request.nation),
        pauses=[
            Pause(PauseKind(one.kind), one.from_on, one.until_on) for one in list_waits(request)
        ],
        extended=request.extended_at is not None,
        asked_for_on=request.asked_for_on,
    )


def list_deciders(request: Request) -> frozenset[str]:
    """Whoever chose an entry of a release or decided a field of it."""
    chose = request.chosen.order_by().values_list("by", flat=True).distinct()
    decided = request.decisions.exclude(by="").order_by().values_list("by", flat=True).distinct()
    return frozenset(chose) | frozenset(decided)


def list_readings(request: Request) -> list[Reading]:
    """What second readers made of a release, the oldest first."""
    return list(request.readings.order_by("pk"))


def list_groups(request: Request) -> list[Group]:
    """The fields of a release by kind of entry and label, those with something undecided first."""
    personal = Q(suggested__in=[str(one) for one in PERSONAL])
    rows = (
        request.decisions.order_by()
        .values("kind", "label")
        .annotate(
            fields=Count("pk"),
            undecided=Count("pk", filter=Q(verdict=Decision.UNDECIDED)),
            released=Count("pk", filter=Q(verdict=Decision.RELEASED)),
            withheld=Count("pk", filter=Q(verdict=Decision.WITHHELD)),
            personal=Count("pk", filter=personal),
        )
    )
    groups = [Group(**row) for row in rows]
    return sorted(groups, key=lambda one: (not one.undecided, one.kind, one.label))


def count_verdicts(request: Request) -> dict[str, int]:
    """How many fields of a release are undecided, released and withheld."""
    rows = request.decisions.order_by().values_list("verdict").annotate(Count("pk"))
    return {"undecided": 0, "released": 0, "withheld": 0, **dict(rows)}


def count_suggestions(request: Request) -> dict[Suggestion, int]:
    """How many undecided fields of a release there are by what is suggested of them."""
    rows = (
        request.decisions.filter(verdict=Decision.UNDECIDED)
        .order_by()
        .values_list("suggested")
        .annotate(Count("pk"))
    )
    return {Suggestion(word): count for word, count in rows if word}


def list_chosen(
    request: Request, *, page: int = 1, size: int = PAGE, only: Collection[str] = ()
) -> tuple[list[Shown], bool]:
    """The chosen entries with their fields, oldest first, ``size`` at a time, and whether there are
    more. ``only`` keeps these ids.
    """
    ids = list(request.chosen.order_by("pk").values_list("entry_id", flat=True))
    if only:
        ids = [one for one in ids if one in set(only)]
    start = (max(page, 1) - 1) * size
    mine = ids[start : start + size]
    decided = _decisions(request, mine)
    grounds = {ground.pk: ground for ground in request.grounds.all()}
    shown = [
        _show(one, decided.get(one.entry.entry_id, {}), grounds)
        for one in taking.read(request.organisation.ref, mine)
    ]
    return shown, len(ids) > start + size


def _decisions(request: Request, entry_ids: Sequence[str]) -> dict[str, dict[str, Decision]]:
    decided: dict[str, dict[str, Decision]] = defaultdict(dict)
    for row in request.decisions.filter(entry_id__in=entry_ids).order_by("pk"):
        decided[row.entry_id][row.label] = row
    return decided


def _show(found: taking.Found, decided: dict[str, Decision], grounds: dict[int, Ground]) -> Shown:
    fields = []
    for label, value in found.entry.fields.items():
        row = decided.get(label)
        ground = grounds.get(row.ground_id) if row is not None and row.ground_id else None
        suggested = Suggestion(row.suggested) if row is not None else Suggestion.PLAIN
        fields.append(
            Field(
                label,
                value,
                row.verdict if row is not None else Decision.UNDECIDED,
                ground.exemption if ground else "",
                ground.reason if ground else "",
                suggested,
                WORDS[suggested],
                suggested in PERSONAL,
            )
        )
    return Shown(found, tuple(fields), found.entry.erased)


def find_leaks(request: Request, most: int = 20) -> list[tuple[str, str]]:
    """Released fields that hold the whole text of a withheld one, at most ``most``: entry and
    label. What is withheld in one place and shown in another is not withheld.
    """
    ids = list(request.chosen.order_by("pk").values_list("entry_id", flat=True))
    withheld, released = set[str](), list[tuple[str, str, str]]()
    for start in range(0, len(ids), 500):
        batch = ids[start : start + 500]
        decided = _decisions(request, batch)
        for one in taking.read(request.organisation.ref, batch):
            entry_id = one.entry.entry_id
            for label, value in one.entry.fields.items():
                row = decided.get(entry_id, {}).get(label)
                text = fold(value)
                if row is None:
                    continue
                if row.verdict == Decision.RELEASED:
                    released.append((entry_id, label, text))
                elif row.verdict == Decision.WITHHELD and _LEAST_LEAK <= len(text) <= _MOST_LEAK:
                    withheld.add(text)
    if not withheld:
        return []
    finder = ahocorasick_rs.AhoCorasick(sorted(withheld))
    found = [
        (entry_id, label)
        for entry_id, label, text in released
        if finder.find_matches_as_indexes(text)
    ]
    return found[:most]


def find_releasable(request: Request) -> tuple[Bag | None, str]:
    """The bag that answers a request, and why none can be handed out; empty where one can."""
    bag = request.bags.order_by("-pk").first()
    if bag is None or bag.state == BagState.REMOVED:
        return None, "There is no bag of it. Send it back, and have it read again."
    if bag.digest != request.digest or request.digest != release_digest(request):
        return None, "What the bag holds is not what was agreed. Have it read again."
    if bag.state == BagState.FAILED:
        return None, f"The bag could not be made. {bag.trouble}"
    if bag.state != BagState.READY:
        return None, "The bag is still being made. Try again in a moment."
    return bag, ""


def list_bags(organisation: Organisation, most: int = 100) -> list[Bag]:
    """The bags of an organisation, newest first."""
    rows = Bag.objects.filter(organisation=organisation)
    return list(rows.select_related("organisation", "request").order_by("-pk")[:most])


def get_bag(member: Member, ref: str) -> Bag:
    """A bag of the member's organisation. Raises :class:`NoSuchBag`."""
    found = (
        Bag.objects.select_related("organisation", "request")
        .filter(organisation=member.organisation, ref=ref)
        .first()
    )
    if found is None:
        raise NoSuchBag("There is no such bag.")
    return found


def is_stale(bag: Bag) -> bool:
    """Whether a request's bag is of a release that was changed since, or is not agreed to."""
    request = bag.request
    return request is not None and (
        request.state not in {RequestState.AGREED, RequestState.RELEASED}
        or request.digest != bag.digest
    )


def list_holding(organisation: Organisation, entry_ids: Iterable[str]) -> list[Bag]:
    """The bags that still hold one of these entries, the oldest first: copies that an erasure must
    reach.
    """
    ids, found = list(entry_ids), set[int]()
    for start in range(0, len(ids), 500):
        rows = BagEntry.objects.filter(
            bag__organisation=organisation, entry_id__in=ids[start : start + 500]
        ).exclude(bag__state=BagState.REMOVED)
        found |= set(rows.values_list("bag_id", flat=True))
    return list(Bag.objects.filter(pk__in=found).order_by("pk"))
