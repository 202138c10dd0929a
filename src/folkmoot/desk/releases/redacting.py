"""Deciding what of a release is shown: field by field, or many at a time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from folkmoot.desk.people.queries import Member

from .exemptions import find_exemption
from .lifecycle import RequestFacts
from .models import Decision, Ground, Request
from .regimes import Regime
from .requests import get_for_officer
from .steps import NOT_READ, ReleaseRefused, take_step
from .suggesting import PERSONAL, Suggestion

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Which:
    """Which fields are meant: those that fit everything that is given.

    ``fields`` are pairs of an entry's id and a label; ``labels`` pairs of an entry's kind and a
    label; ``suggested`` what the program makes of them. Nothing given is none.
    """

    fields: Collection[tuple[str, str]] = ()
    labels: Collection[tuple[str, str]] = ()
    suggested: Collection[Suggestion] = ()
    undecided: bool = False
    """Only those that nobody has decided yet."""


@transaction.atomic
def show(member: Member, ref: str, which: Which, *, now: datetime) -> int:
    """Release fields; how many.

    Where many are meant at once, those that seem personal are left as they are: each is released
    by name, or not at all. Raises :class:`~.steps.ReleaseRefused` and
    :class:`~.queries.NoSuchRequest`.
    """
    request = get_for_officer(member, ref)
    rows = _rows(request, which)
    if not which.fields and not which.suggested:
        rows = rows.exclude(suggested__in=[str(one) for one in PERSONAL])
    return _decide(request, member, rows, None, now)


@transaction.atomic
def withhold(
    member: Member, ref: str, which: Which, *, exemption: str, reason: str = "", now: datetime
) -> int:
    """Withhold fields under an exemption; how many. Raises as :func:`show` does, and where the
    exemption needs a reason that was not given.
    """
    request = get_for_officer(member, ref)
    found = find_exemption(Regime(request.regime), exemption)
    if found is None:
        raise ReleaseRefused("Choose under which exemption it is withheld.", field="exemption")
    if found.asks and not reason.strip():
        raise ReleaseRefused(found.asks, field="reason")
    return _decide(
        request, member, _rows(request, which), _ground(request, found.code, reason.strip()), now
    )


def _decide(
    request: Request,
    member: Member,
    rows: QuerySet[Decision],
    ground: Ground | None,
    now: datetime,
) -> int:
    verdict = Decision.RELEASED if ground is None else Decision.WITHHELD
    ids = list(rows.values_list("pk", flat=True))
    if not ids:
        raise ReleaseRefused("Choose the fields that this is about.", field="fields")
    take_step(
        request,
        "decide",
        member=member,
        facts=RequestFacts(member.ref),
        now=now,
        fields={
            "fields": str(len(ids)),
            "verdict": verdict,
            "exemption": ground.exemption if ground else "",
            "reason": ground.reason if ground else "",
        },
        changes=NOT_READ,
        kind="redaction.decided",
    )
    for start in range(0, len(ids), _BATCH):
        Decision.objects.filter(pk__in=ids[start : start + _BATCH]).update(
            verdict=verdict, ground=ground, by=member.ref
        )
    return len(ids)


def _ground(request: Request, exemption: str, reason: str) -> Ground:
    """The ground of this wording, which many fields share."""
    for one in request.grounds.filter(exemption=exemption):
        if one.reason == reason:
            return one
    return Ground.objects.create(request=request, exemption=exemption, reason=reason)


def _rows(request: Request, which: Which) -> QuerySet[Decision]:
    rows = Decision.objects.filter(request=request)
    if which.undecided:
        rows = rows.filter(verdict=Decision.UNDECIDED)
    if not which.fields and not which.labels and not which.suggested:
        return rows.none()
    if which.fields:
        rows = rows.filter(_pairs("entry_id", which.fields))
    if which.labels:
        rows = rows.filter(_pairs("kind", which.labels))
    if which.suggested:
        rows = rows.filter(suggested__in=[str(one) for one in which.suggested])
    return rows


def _pairs(column: str, pairs: Collection[tuple[str, str]]) -> Q:
    labels: dict[str, list[str]] = {}
    for first, label in pairs:
        labels.setdefault(first, []).append(label)
    among = Q(pk__in=[])
    for first, mine in labels.items():
        among |= Q(**{column: first}, label__in=mine)
    return among
