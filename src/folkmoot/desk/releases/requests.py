"""Writes of a request: receiving it, asking back, searching, choosing, and how it ends."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, cast

from django.db import transaction

from folkmoot.desk.people.queries import Member, Role, list_members
from folkmoot.desk.records import taking
from folkmoot.desk.retention import actions as retention

from . import queries
from .lifecycle import RequestFacts, RequestState
from .models import Chosen, Decision, Request, Waiting
from .regimes import LAWS, PauseKind, Regime
from .scope import Scope, find_ids
from .steps import NOT_READ, ReleaseRefused, hold_request, note, take_step
from .suggesting import suggest
from .workdays import Nation

CHANNELS = {
    "email": "E-mail",
    "post": "Letter",
    "web": "A form on our site",
    "social": "Social media",
    "phone": "Telephone",
    "person": "In person",
}
LONGEST_WORDS = 20_000
MOST_CHOSEN = 50_000
_BATCH = 1_000
_OPEN = frozenset(RequestState) - {
    RequestState.RELEASED,
    RequestState.REFUSED,
    RequestState.WITHDRAWN,
}


def must_be_officer(member: Member) -> None:
    """Raises :class:`ReleaseRefused` for a member who is no records officer."""
    if Role.RECORDS not in member.held:
        raise ReleaseRefused("Only somebody with the role records can do this.")


@transaction.atomic
def receive(
    member: Member,
    *,
    regime: Regime,
    nation: Nation,
    channel: str,
    received_on: date,
    requester: str,
    words: str,
    scope: Scope,
    now: datetime,
    asked_for_on: date | None = None,
) -> Request:
    """Register a request, and hold what it asks for, as far as that is known yet.

    ``asked_for_on`` is by when it is to be answered, where no law says so. The hold is another
    room's and leaves an entry of its own. Raises :class:`ReleaseRefused`.
    """
    must_be_officer(member)
    today = queries.today_of(member.organisation, now)
    if not words.strip():
        raise ReleaseRefused("Enter what was asked for, in their own words.", field="words")
    if len(words) > LONGEST_WORDS or len(requester) > LONGEST_WORDS:
        raise ReleaseRefused(f"The most is {LONGEST_WORDS:,} characters.", field="words")
    if channel not in CHANNELS:
        raise ReleaseRefused("Choose how it reached us.", field="channel")
    if received_on > today:
        raise ReleaseRefused("A request cannot be received in the future.", field="received_on")
    if regime is Regime.OTHER and (asked_for_on is None or asked_for_on < received_on):
        raise ReleaseRefused("Say by which day it is to be answered.", field="asked_for_on")
    request = Request.objects.create(
        organisation=member.organisation,
        regime=regime,
        nation=nation,
        channel=channel,
        received_on=received_on,
        asked_for_on=asked_for_on if regime is Regime.OTHER else None,
        requester=requester.strip(),
        words=words.strip(),
        scope=cast("Any", scope.to_json()),
        made_by=member.ref,
        made_at=now,
        changed_at=now,
    )
    note(
        request,
        "request.received",
        member,
        now,
        {"under": LAWS[regime].short, "channel": channel, "received_on": received_on.isoformat()},
    )
    _hold(member, request, [] if scope.is_everything else _find(request, scope), now)
    return request


@transaction.atomic
def ask(member: Member, ref: str, kind: PauseKind, on: date, *, now: datetime) -> Request:
    """Say that we asked whoever asked for something, on this day. Raises :class:`ReleaseRefused`
    and :class:`~.queries.NoSuchRequest`.
    """
    request = get_for_officer(member, ref)
    if kind not in LAWS[Regime(request.regime)].pauses:
        raise ReleaseRefused("This law knows no such pause.", field="kind")
    last = request.waits.order_by("-pk").first()
    earliest = last.until_on if last is not None and last.until_on else request.received_on
    if not earliest <= on <= queries.today_of(request.organisation, now):
        raise ReleaseRefused(
            f"The day on which we asked is from {_day(earliest)} to today.", field="on"
        )
    request = take_step(
        request,
        "ask",
        member=member,
        facts=RequestFacts(member.ref),
        now=now,
        fields={"for": kind, "on": on.isoformat()},
    )
    Waiting.objects.create(request=request, kind=kind, from_on=on)
    return request


@transaction.atomic
def hear(member: Member, ref: str, on: date, *, now: datetime) -> Request:
    """Say that what we asked for came, on this day. Raises as :func:`ask` does."""
    request = get_for_officer(member, ref)
    waiting = request.waits.filter(until_on=None).first()
    if waiting is not None and not waiting.from_on <= on <= queries.today_of(
        request.organisation, now
    ):
        raise ReleaseRefused(
            f"The day on which it came is from {_day(waiting.from_on)} to today.", field="on"
        )
    request = take_step(
        request,
        "hear",
        member=member,
        facts=RequestFacts(member.ref),
        now=now,
        fields={"on": on.isoformat()},
    )
    request.waits.filter(until_on=None).update(until_on=on)
    return request


@transaction.atomic
def extend(member: Member, ref: str, *, reason: str, now: datetime) -> Request:
    """Take the longer period that the law allows, and say why. Raises as :func:`ask` does."""
    request = get_for_officer(member, ref)
    law = LAWS[Regime(request.regime)]
    if law.extended is None:
        raise ReleaseRefused(f"{law.short} knows no longer period.")
    if request.extended_at is not None:
        raise ReleaseRefused("The period has been extended already.")
    if not reason.strip():
        raise ReleaseRefused("Say why more time is needed.", field="reason")
    return _change(
        request,
        "request.extended",
        member,
        now,
        {"reason": reason.strip()},
        extended_at=now,
        extended_reason=reason.strip(),
    )


@transaction.atomic
def look_for(member: Member, ref: str, scope: Scope, *, now: datetime) -> Request:
    """Change what is looked for, and hold that too. What is chosen already stays. Raises as
    :func:`ask` does.
    """
    request = get_for_officer(member, ref)
    said = ", ".join(f"{name}: {value}" for name, value in scope.to_json().items())
    changed = _change(
        request,
        "request.scoped",
        member,
        now,
        {"scope": said or "everything"},
        scope=scope.to_json(),
    )
    _hold(member, changed, [] if scope.is_everything else _find(changed, scope), now)
    return changed


@transaction.atomic
def begin_search(member: Member, ref: str, *, now: datetime) -> Request:
    """Begin to search. Raises as :func:`ask` does."""
    return _step(member, ref, "search", now)


@transaction.atomic
def choose(
    member: Member, ref: str, *, entry_ids: Collection[str] | None = None, now: datetime
) -> int:
    """Choose entries as what was asked for: these, or all that the scope comes to; how many came
    to it. Each of their fields awaits a decision from then on. A release that a second reader has
    or had goes back to be decided. Raises as :func:`ask` does.
    """
    request = get_for_officer(member, ref)
    scope = Scope.from_json(request.scope)
    wanted = list(entry_ids) if entry_ids is not None else _find(request, scope)
    there = set(request.chosen.values_list("entry_id", flat=True))
    fresh = [one for one in dict.fromkeys(wanted) if one not in there]
    if not fresh:
        raise ReleaseRefused("Nothing was found that is not chosen already.")
    if len(there) + len(fresh) > MOST_CHOSEN:
        raise ReleaseRefused(
            f"That is {len(there) + len(fresh):,} entries, and {MOST_CHOSEN:,} is the most. Narrow "
            "what is looked for, or ask whoever asked which part they mean."
        )
    added = _add(request, fresh, scope, member)
    if added != len(fresh):
        raise ReleaseRefused("An entry that was chosen is not in our record.")
    _hold(member, request, fresh, now)
    take_step(
        request,
        "choose",
        member=member,
        facts=RequestFacts(member.ref),
        now=now,
        fields={"entries": str(added)},
        changes=NOT_READ,
    )
    return added


def _add(request: Request, entry_ids: list[str], scope: Scope, member: Member) -> int:
    staff = [one.name for one in list_members(request.organisation)]
    added = 0
    for start in range(0, len(entry_ids), _BATCH):
        batch = entry_ids[start : start + _BATCH]
        shown = taking.public_labels(batch)
        found = list(taking.read(request.organisation.ref, batch))
        Chosen.objects.bulk_create(
            Chosen(request=request, entry_id=one.entry.entry_id, by=member.ref) for one in found
        )
        Decision.objects.bulk_create(
            Decision(
                request=request,
                entry_id=one.entry.entry_id,
                kind=one.entry.kind,
                label=label,
                suggested=suggest(
                    value,
                    retention=one.retention,
                    public=label in shown.get(one.entry.entry_id, ()),
                    phrases=scope.phrases,
                    staff=staff,
                ),
            )
            for one in found
            for label, value in one.entry.fields.items()
        )
        added += len(found)
    return added


@transaction.atomic
def drop(member: Member, ref: str, entry_ids: Collection[str], *, now: datetime) -> int:
    """Take entries out that are not what was asked for after all; how many. Raises as
    :func:`choose` does.
    """
    request = get_for_officer(member, ref)
    there = request.chosen.filter(entry_id__in=list(entry_ids))
    dropped = sorted(there.values_list("entry_id", flat=True))
    if not dropped:
        raise ReleaseRefused("Choose the entries that are to be taken out.")
    there.delete()
    request.decisions.filter(entry_id__in=dropped).delete()
    take_step(
        request,
        "choose",
        member=member,
        facts=RequestFacts(member.ref),
        now=now,
        fields={"entries": str(len(dropped))},
        changes=NOT_READ,
        kind="request.dropped",
    )
    return len(dropped)


@transaction.atomic
def begin_redaction(member: Member, ref: str, *, now: datetime) -> Request:
    """End the search and go on to decide field by field. Raises as :func:`ask` does."""
    request = get_for_officer(member, ref)
    facts = RequestFacts(member.ref, chosen=request.chosen.count())
    return take_step(request, "redact", member=member, facts=facts, now=now)


def _find(request: Request, scope: Scope) -> list[str]:
    return find_ids(request.organisation, scope)[0]


def _hold(member: Member, request: Request, entry_ids: Collection[str], now: datetime) -> None:
    """Keep these entries from being destroyed, where they are not kept for this request already.
    Part of the caller's transaction.
    """
    if request.hold and not entry_ids:
        return
    if request.hold:
        try:
            retention.hold_more(member, int(request.hold), entries=entry_ids, now=now)
        except retention.RetentionRefused as refused:
            raise ReleaseRefused(str(refused)) from refused
        return
    hold = retention.place_hold(
        member,
        retention.Scope(
            retention.HoldScope.REQUEST, request=request.subject, entries=tuple(entry_ids)
        ),
        reason=LAWS[Regime(request.regime)].holds,
        reference=f"request {request.pk}",
        now=now,
    )
    request.hold = str(hold.pk)
    Request.objects.filter(pk=request.pk).update(hold=request.hold)


def _step(member: Member, ref: str, verb: str, now: datetime) -> Request:
    request = get_for_officer(member, ref)
    return take_step(request, verb, member=member, facts=RequestFacts(member.ref), now=now)


def _change(
    request: Request,
    kind: str,
    member: Member,
    now: datetime,
    fields: dict[str, str],
    **columns: object,
) -> Request:
    """Change columns of an open request that are no step of its life, with their entry."""
    if request.state not in _OPEN:
        raise ReleaseRefused("This request is closed; nothing in it changes any more.")
    hold_request(request)  # the save below must not undo what somebody did meanwhile
    for name, value in columns.items():
        setattr(request, name, value)
    request.changed_at = now
    request.save(update_fields=[*columns, "changed_at"])
    note(request, kind, member, now, fields)
    return request


def get_for_officer(member: Member, ref: str) -> Request:
    """A request of the member's organisation, for whoever may change it. Raises
    :class:`ReleaseRefused` and :class:`~.queries.NoSuchRequest`.
    """
    must_be_officer(member)
    return queries.get_request(member, ref)


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
