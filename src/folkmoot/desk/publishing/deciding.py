"""What only a person can decide: an unknown that stays one, half a thread, an alarm, a fence."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from folkmoot.channels import Sent
from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.drafts import actions as draft_actions
from folkmoot.desk.drafts import queries as drafts
from folkmoot.desk.people.queries import Member, Organisation, Role, list_organisations
from folkmoot.desk.records import actions as records
from folkmoot.desk.records import columns

from . import fence
from .lastlook import is_taken_down
from .lifecycle import DeliveryFacts, DeliveryState
from .models import Alarm, Delivery, Installation, Watch
from .settling import confirm, end_unsent, quiet_until
from .steps import DeliveryRefused, LostClaim, take_step

_WEB = re.compile(r"https?://[!-~]+")
LONGEST_ADDRESS = 600


class DecisionRefused(Exception):
    """Nothing was done; the message is a sentence that says why."""


@transaction.atomic
def say_live(member: Member, delivery_id: int, *, url: str, reason: str, now: datetime) -> Delivery:
    """A person has seen an unconfirmed post live at ``url``. Raises :class:`DecisionRefused`."""
    delivery = _get(member, delivery_id)
    if delivery.removes_id is None and not _WEB.fullmatch(url.strip()[:LONGEST_ADDRESS]):
        raise DecisionRefused("Enter the address at which you saw it, beginning with https://.")
    found = Sent(delivery.remote_id, url.strip()[:LONGEST_ADDRESS], tuple(delivery.remote_ids))
    facts = DeliveryFacts(now, delivery.not_after, reason=reason)
    with _explained():
        confirm(delivery, found, facts, now, member=member)
    if not delivery.remote_id:
        # Without the channel's own name for it, it cannot be read back.
        note = f"Seen live by a person: {reason.strip()}"
        columns.update_sealed(delivery, {"read_back": "by_person", "read_back_note": note})
    return delivery


@transaction.atomic
def say_absent(member: Member, delivery_id: int, *, reason: str, now: datetime) -> Delivery:
    """A person has looked, and an unconfirmed post is not there. It is sent again with the same key
    if its time has not passed, and else it is missed. Raises :class:`DecisionRefused`.
    """
    delivery = _get(member, delivery_id)
    # Its request may still be on its way, whatever anybody saw.
    again_at = max(now, quiet_until(delivery)) if delivery.request is not None else now
    _step(
        member,
        delivery,
        "say_absent",
        {"trouble": "", "next_try_at": again_at},
        reason=reason,
        now=now,
    )
    if now > delivery.not_after:
        late = "Not sent in time. It was sent, but the channel does not have it."
        end_unsent(delivery, "miss", late, now)
    return delivery


@transaction.atomic
def go_on(member: Member, delivery_id: int, *, now: datetime) -> Delivery:
    """Send the rest of a thread, from the first part that is missing. Raises
    :class:`DecisionRefused`.
    """
    delivery = _get(member, delivery_id)
    if is_taken_down(delivery):
        raise DecisionRefused("What is live of it is being taken down, so the rest is not sent.")
    return _step(member, delivery, "go_on", {"trouble": "", "next_try_at": now}, now=now)


@transaction.atomic
def leave(member: Member, delivery_id: int, *, reason: str, now: datetime) -> Delivery:
    """Leave half a thread as it is. Raises :class:`DecisionRefused`."""
    delivery = _get(member, delivery_id)
    live = len(delivery.remote_ids)
    trouble = f"{live} parts are live, and it was left so: {reason.strip()}"
    return _step(member, delivery, "leave", {"trouble": trouble}, reason=reason, now=now)


@transaction.atomic
def close_alarm(member: Member, alarm_id: int, *, note: str, now: datetime) -> Alarm:
    """Say what was found out about an alarm. Raises :class:`DecisionRefused`."""
    _must_decide(member)
    if not note.strip():
        raise DecisionRefused("Say what you found out and what was done, so that others know.")
    alarm = Alarm.objects.filter(
        pk=alarm_id, account__organisation=member.organisation, closed_at=None
    ).first()
    if alarm is None:
        raise DecisionRefused("There is no such alarm, or somebody has dealt with it.")
    closed = {"closed_at": now, "closed_by": member.ref, "note": note.strip()}
    columns.update_sealed(alarm, closed, Q(closed_at=None))
    fields = {"note": note.strip()}
    subject = f"account/{alarm.account_id}"
    _record("alarm.closed", member, subject, now, fields, about={"note": alarm.sealed_for})
    alarm.refresh_from_db()
    return alarm


@transaction.atomic
def lift_fence(
    member: Member, *, reason: str, now: datetime, by_hand: Collection[int] = ()
) -> None:
    """Say that the channels have been compared with this database, so that it may publish again.

    What had been signed must be signed again, and what was waiting is not sent: either may have
    been done, changed or withdrawn in the time that is lost. Raises :class:`DecisionRefused` until
    every account's timeline has been looked at since the fence went up (``by_hand`` names accounts
    whose timeline the program cannot read and a person has compared), every post on it that this
    database does not know has been dealt with, and nothing is still unconfirmed.
    """
    if Role.ADMIN not in member.held:
        raise DecisionRefused("Only an admin can let a restored database publish again.")
    keeper = list_organisations()[0]
    if member.organisation_id != keeper.pk:
        raise DecisionRefused(
            "This installation is kept by another organisation, whose admin lifts this."
        )
    installation = fence.find_fence(now)
    if installation is None:
        raise DecisionRefused("There is no fence up.")
    if not reason.strip():
        raise DecisionRefused("Say what you compared and what you found.")
    if open_points := list_open_points(installation, member.organisation, by_hand):
        raise DecisionRefused(" ".join(open_points))
    lost = "This database was brought back from a backup, so nobody knows whether it still holds."
    for delivery in Delivery.objects.filter(state=DeliveryState.WAITING).select_related(
        "draft__organisation", "account"
    ):
        end_unsent(delivery, "lapse", f"{lost} Look at the channel, then at the post.", now)
    for draft in drafts.list_signed():
        draft_actions.recall(draft, lost, now=now)
    fence.take_down(installation)
    _record("installation.reconciled", member, "installation", now, {"reason": reason.strip()})


def list_open_points(
    installation: Installation, organisation: Organisation, by_hand: Collection[int] = ()
) -> list[str]:
    """What must still be done before the fence may be lifted, as sentences. Of other organisations
    on the installation no more is told than that something is left to them.
    """
    fenced_at = installation.fenced_at
    assert fenced_at is not None
    watches = {watch.account_id: watch for watch in Watch.objects.all()}
    points, others = [], 0
    for account in accounts.list_connected():
        watch = watches.get(account.pk)
        if watch is not None and watch.last_look_at is not None and watch.last_look_at >= fenced_at:
            continue
        if account.organisation_id != organisation.pk:
            others += 1
        elif account.pk not in by_hand or watch is None or not watch.trouble:
            points.append(f"The timeline of {account.name} has not been looked at yet.")
    alarms = Alarm.objects.filter(closed_at=None)
    if count := alarms.filter(account__organisation=organisation).count():
        points.append(
            f"Posts stand on the channels that this database does not know: {count}. Deal with"
            " each of them first."
        )
    doubtful = Delivery.objects.filter(state__in=[DeliveryState.SENDING, DeliveryState.UNCONFIRMED])
    if count := doubtful.filter(draft__organisation=organisation).count():
        points.append(f"Of {count} posts nobody knows yet whether they are live.")
    others += alarms.exclude(account__organisation=organisation).count()
    others += doubtful.exclude(draft__organisation=organisation).count()
    if others:
        points.append("Other organisations on this installation have yet to compare theirs.")
    return points


def _step(
    member: Member,
    delivery: Delivery,
    verb: str,
    changes: dict[str, object],
    *,
    reason: str = "",
    now: datetime,
) -> Delivery:
    facts = DeliveryFacts(now, delivery.not_after, reason=reason)
    with _explained():
        return take_step(
            delivery,
            verb,
            facts=facts,
            now=now,
            fields={"reason": reason.strip()},
            changes={**changes, "settled_by": member.ref, "lease_until": None},
            member=member,
        )


class _explained:  # noqa: N801 - used as a block
    """Turns the table's refusals into this room's own."""

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, fault: BaseException | None, _: object) -> None:
        if isinstance(fault, DeliveryRefused):
            raise DecisionRefused(str(fault)) from fault
        if isinstance(fault, LostClaim):
            raise DecisionRefused(
                "The program found something out about this post at the same moment, so nothing"
                " was done. Look at it as it now stands."
            ) from fault


def _get(member: Member, delivery_id: int) -> Delivery:
    _must_decide(member)
    delivery = (
        Delivery.objects.select_related("draft__organisation", "account", "removes")
        .filter(pk=delivery_id, draft__organisation=member.organisation)
        .first()
    )
    if delivery is None:
        raise DecisionRefused("There is no such delivery.")
    return delivery


def _must_decide(member: Member) -> None:
    if not member.held & {Role.APPROVER, Role.ADMIN, Role.DUTY}:
        raise DecisionRefused("Only an approver, a duty officer or an admin can decide this.")


def _record(
    kind: str,
    member: Member,
    subject: str,
    now: datetime,
    fields: dict[str, str],
    *,
    about: dict[str, str] | None = None,
) -> None:
    records.record(
        kind,
        at=now,
        organisation=member.organisation.ref,
        actor=member.ref,
        role=next(iter(sorted(member.held))),
        subject=subject,
        fields=fields,
        about=about,
    )
