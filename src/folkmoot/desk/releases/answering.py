"""Writes that end a request: the second reading, the release, a refusal, a withdrawal."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from folkmoot.desk.people.queries import Member

from . import queries
from .digest import release_digest
from .lifecycle import BagState, RequestFacts
from .models import Bag, Decision, Reading, Request
from .requests import get_for_officer
from .steps import NOT_READ, begin_bag, take_step


@transaction.atomic
def prepare(member: Member, ref: str, *, now: datetime) -> Request:
    """Hand a decided release to a second reader. Raises as
    :func:`~.requests.ask` does.
    """
    request = get_for_officer(member, ref)
    digest = release_digest(request)
    facts = RequestFacts(
        member.ref,
        chosen=request.chosen.count(),
        undecided=request.decisions.filter(verdict=Decision.UNDECIDED).count(),
    )
    return take_step(
        request,
        "prepare",
        member=member,
        facts=facts,
        now=now,
        fields={"digest": digest},
        changes={"prepared_by": member.ref, "read_by": "", "digest": digest},
    )


@transaction.atomic
def agree(member: Member, ref: str, *, seen: str, now: datetime) -> Bag:
    """Agree, as a second reader, to the release whose digest the page showed; the bag that is made
    of it. Raises as :func:`~.requests.ask` does.
    """
    request = get_for_officer(member, ref)
    digest = release_digest(request)
    facts = RequestFacts(
        member.ref,
        prepared_by=request.prepared_by,
        decided_by=queries.list_deciders(request),
        seen=seen,
        digest=digest,
    )
    prepared_by = request.prepared_by
    request = take_step(
        request,
        "agree",
        member=member,
        facts=facts,
        now=now,
        fields={"digest": digest},
        changes={"read_by": member.ref, "digest": digest},
    )
    Reading.objects.create(
        request=request,
        digest=digest,
        decision="agreed",
        prepared_by=prepared_by,
        by=member.ref,
        at=now,
    )
    return begin_bag(
        organisation=request.organisation,
        request=request,
        purpose="release",
        title=f"{request.organisation.name}: request {request.pk}",
        digest=digest,
        state=BagState.WANTED,
        proposed_by=prepared_by,
        proposed_at=now,
        agreed_by=member.ref,
        agreed_at=now,
        next_try_at=now,
    )


@transaction.atomic
def send_back(member: Member, ref: str, *, reason: str, now: datetime) -> Request:
    """Send a release back to be decided again, and say why. Raises as
    :func:`~.requests.ask` does.
    """
    request = get_for_officer(member, ref)
    prepared_by, digest = request.prepared_by, request.digest
    request = take_step(
        request,
        "send_back",
        member=member,
        facts=RequestFacts(member.ref, reason=reason),
        now=now,
        fields={"reason": reason.strip()},
        changes=NOT_READ,
    )
    Reading.objects.create(
        request=request,
        digest=digest,
        decision="sent_back",
        reason=reason.strip(),
        prepared_by=prepared_by,
        by=member.ref,
        at=now,
    )
    return request


@transaction.atomic
def release(member: Member, ref: str, *, now: datetime) -> Request:
    """Say that the bag was handed out, which answers the request. Raises as
    :func:`~.requests.ask` does.
    """
    request = get_for_officer(member, ref)
    bag, against = queries.find_releasable(request)
    return take_step(
        request,
        "release",
        member=member,
        facts=RequestFacts(member.ref, bag=against),
        now=now,
        fields={
            "bag": bag.ref if bag else "",
            "manifest_sha256": bag.manifest_sha256 if bag else "",
            "released": str(request.decisions.filter(verdict=Decision.RELEASED).count()),
            "withheld": str(request.decisions.filter(verdict=Decision.WITHHELD).count()),
        },
        changes={"closed_on": queries.today_of(request.organisation, now)},
    )


@transaction.atomic
def refuse(member: Member, ref: str, *, reason: str, now: datetime) -> Request:
    """Refuse a request as a whole, or say that nothing is held. Raises as
    :func:`~.requests.ask` does.
    """
    return _end(member, ref, "refuse", reason, now)


@transaction.atomic
def withdraw(member: Member, ref: str, *, reason: str, now: datetime) -> Request:
    """Say that whoever asked does so no more. Raises as
    :func:`~.requests.ask` does.
    """
    return _end(member, ref, "withdraw", reason, now)


def _end(member: Member, ref: str, verb: str, reason: str, now: datetime) -> Request:
    request = get_for_officer(member, ref)
    request.waits.filter(until_on=None).update(until_on=queries.today_of(request.organisation, now))
    return take_step(
        request,
        verb,
        member=member,
        facts=RequestFacts(member.ref, reason=reason),
        now=now,
        fields={"reason": reason.strip()},
        changes={
            "outcome": reason.strip(),
            "closed_on": queries.today_of(request.organisation, now),
        },
    )
