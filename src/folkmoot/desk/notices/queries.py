"""Reads of the notices room."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse

from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.drafts.planned import Planned, list_planned
from folkmoot.desk.drafts.queries import DraftState
from folkmoot.desk.mailing import queries as mailing
from folkmoot.desk.people.queries import Member, Organisation, Role
from folkmoot.desk.publishing import queries as publishing
from folkmoot.desk.records import queries as records
from folkmoot.desk.releases import queries as releases
from folkmoot.desk.retention import queries as retention
from folkmoot.desk.stops import queries as stops

from .deliveries import LOOKED_BACK
from .gathering import SIGN_WITHIN, tell_needs
from .models import Heartbeat, Target, TargetKind, Telling, TellingState
from .needs import RANK, Need, Page, Seen, Urgency, is_still

__all__ = [
    "RANK",
    "Going",
    "Need",
    "Page",
    "Target",
    "TargetKind",
    "Telling",
    "TellingState",
    "Urgency",
    "address_of",
    "find_beat",
    "find_target",
    "find_test",
    "is_worker_still",
    "list_going",
    "list_needs",
    "list_targets",
    "list_told",
    "path_of",
]

WORKER = "worker"
LOOKED_AHEAD = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Going:
    """What goes out in the next hour: how many posts, and the first of them."""

    count: int
    first: tuple[Planned, ...]


def list_needs(
    organisation: Organisation, now: datetime, member: Member | None = None
) -> list[Need]:
    """Everything that needs a person now, the most urgent first, and of these the oldest.

    ``member`` is who asks, where somebody does: the pages are those where they can do it. What was
    missed, refused or given up more than a week ago is left to its post's page.
    """
    standing = stops.list_standing(organisation)
    return tell_needs(
        Seen(
            beat_at=find_beat(),
            oldest_due=publishing.find_oldest_due(now),
            refusal=records.find_refusal(),
            silence=records.find_silence(now),
            unanchored=records.list_troubled(now),
            fence=publishing.find_fence(now),
            stops=standing,
            on_their_way={
                one.pk: publishing.count_on_their_way(one, now)
                for one in standing
                if one.state == stops.StopState.PRESSED
            },
            unwell=accounts.list_unwell(organisation, now),
            proposed=accounts.list_proposed(organisation),
            troubled=publishing.list_troubled(organisation, most=200),
            alarms=publishing.list_alarms(organisation),
            ahead=publishing.list_ahead(organisation),
            watches=publishing.list_watches(organisation),
            awaiting=list_planned(
                organisation,
                now - LOOKED_BACK,
                now + SIGN_WITHIN,
                states=(DraftState.AWAITING_SIGNOFF,),
            ),
            unsent=list_planned(organisation, now - LOOKED_BACK, now, states=(DraftState.UNSENT,)),
            issues=mailing.list_troubled(organisation),
            untold=[
                (one.pk, one.name, one.troubled_at, one.trouble)
                for one in list_targets(organisation)
                if one.trouble
            ],
            kept=retention.list_waiting(organisation, now),
            asked=releases.list_asking(organisation, now),
            may_sign=member is None or Role.APPROVER in member.held,
        ),
        now,
    )


def address_of(page: Page | None) -> str:
    """The address of a need's page, with the desk's own before it; empty where there is none."""
    return str(settings.CONFIG.address) + path_of(page) if page is not None else ""


def path_of(page: Page) -> str:
    """The address of a need's page on the desk."""
    return reverse(page.name, kwargs=dict(page.given) or None)


def list_going(organisation: Organisation, now: datetime, most: int = 5) -> Going:
    """What goes out from ``now`` on within an hour, if nothing keeps it."""
    found = list_planned(
        organisation,
        now,
        now + LOOKED_AHEAD,
        states=(DraftState.SIGNED, DraftState.PUBLISHING),
    )
    return Going(len(found), tuple(found[:most]))


def find_beat() -> datetime | None:
    """When a worker was last known to go."""
    return Heartbeat.objects.filter(name=WORKER).values_list("at", flat=True).first()


def is_worker_still(now: datetime) -> bool:
    """Whether no worker goes, as far as anybody knows: none has been heard of for 30 seconds."""
    return is_still(find_beat(), now)


def list_targets(organisation: Organisation) -> list[Target]:
    """Whom the organisation tells, in the order in which they were added."""
    return list(Target.objects.filter(organisation=organisation, removed_at=None).order_by("pk"))


def find_target(organisation: Organisation, target_id: int) -> Target | None:
    """A target of this organisation that has not been removed."""
    return Target.objects.filter(organisation=organisation, pk=target_id, removed_at=None).first()


def find_test(target: Target) -> Telling | None:
    """The last test sent to a target, and what came of it."""
    return target.tellings.filter(kind="test").order_by("-pk").first()


def list_told(organisation: Organisation, most: int = 20) -> list[Telling]:
    """The newest tellings, whatever came of them, newest first; tests left out."""
    return list(
        Telling.objects.filter(target__organisation=organisation)
        .exclude(kind="test")
        .select_related("target")
        .order_by("-pk")[:most]
    )
