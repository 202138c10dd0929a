"""Writes of the notices room."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, time

from django.db import transaction

from folkmoot.channels.email import NotAnAddress, read_address
from folkmoot.desk.accounts.vault import VaultError, seal
from folkmoot.desk.people.queries import Member, Role
from folkmoot.desk.records import actions as records

from . import chats
from .models import Heartbeat, Target, TargetKind, Telling, TellingState
from .needs import Urgency
from .queries import WORKER, find_beat, find_target, find_test, list_targets
from .telling import BEAT_EVERY, place_of, work

__all__ = [
    "NoticeRefused",
    "add_target",
    "ask_test",
    "beat",
    "change_target",
    "remove_target",
    "work",
]

MOST_TARGETS = 30
LONGEST_NAME = 60


class NoticeRefused(Exception):
    """Nothing was done; the message is a sentence that says why. ``field`` names the field of the
    form that it is about, where it is about one.
    """

    def __init__(self, reason: str, field: str = "") -> None:
        super().__init__(reason)
        self.field = field


def beat(now: datetime) -> None:
    """Say that a worker goes. For every round of its loop: it writes once in five seconds."""
    kept = find_beat()
    if kept is None or abs(now - kept) >= BEAT_EVERY:
        Heartbeat.objects.update_or_create(name=WORKER, defaults={"at": now})


@transaction.atomic
def add_target(
    member: Member,
    *,
    kind: TargetKind,
    name: str,
    address: str,
    urgencies: Iterable[Urgency],
    quiet: tuple[time, time] | None,
    now: datetime,
) -> Target:
    """Add somebody who is told of what needs a person. ``quiet`` is from and until when, in the
    organisation's zone, only what is needed now is told. ``name`` is what pages call a chat; an
    e-mail address is its own name. Raises :class:`NoticeRefused`.
    """
    _must_be_admin(member)
    others = list_targets(member.organisation)
    if len(others) >= MOST_TARGETS:
        raise NoticeRefused(
            f"There are {MOST_TARGETS} already, which is the most. Remove one first."
        )
    wanted = _read_wishes(urgencies, quiet)
    target = Target(
        organisation=member.organisation,
        ref=secrets.token_hex(16),
        kind=kind,
        made_by=member.ref,
        made_at=now,
        **wanted,
    )
    try:
        if kind is TargetKind.EMAIL:
            target.name = target.address = read_address(address)
        else:
            target.name = _read_name(name)
            target.address = seal(place_of(target), chats.read_chat(address).url)
    except (NotAnAddress, chats.ChatRefused, VaultError) as wrong:
        raise NoticeRefused(str(wrong), "address") from wrong
    if any(one.name.casefold() == target.name.casefold() for one in others):
        raise NoticeRefused(
            f"{target.name} is in the list already.",
            "address" if kind is TargetKind.EMAIL else "name",
        )
    target.save()
    _record("notice_target.added", target, member, now)
    return target


@transaction.atomic
def change_target(
    member: Member,
    target_id: int,
    *,
    urgencies: Iterable[Urgency],
    quiet: tuple[time, time] | None,
    now: datetime,
) -> Target:
    """Change what a target is told and when; for another address, add another. Raises
    :class:`NoticeRefused`.
    """
    target = _get(member, target_id)
    for name, value in _read_wishes(urgencies, quiet).items():
        setattr(target, name, value)
    target.save(update_fields=["urgencies", "quiet_from", "quiet_until"])
    # What it no longer wants, or wants at another time, is worked out anew at the next look.
    target.tellings.filter(state=TellingState.WAITING, lease_until=None).exclude(
        kind="test"
    ).delete()
    _record("notice_target.changed", target, member, now)
    return target


@transaction.atomic
def remove_target(member: Member, target_id: int, *, now: datetime) -> Target:
    """Tell it nothing more, and forget its address. Raises :class:`NoticeRefused`."""
    target = _get(member, target_id)
    target.tellings.filter(state=TellingState.WAITING).delete()
    target.removed_at, target.address, target.trouble = now, "", ""
    target.save(update_fields=["removed_at", "address", "trouble"])
    _record("notice_target.removed", target, member, now)
    return target


@transaction.atomic
def ask_test(member: Member, target_id: int, *, now: datetime) -> Telling:
    """Have the worker send a test; :func:`~.queries.find_test` tells what came of it. While one
    waits there is no second. Raises :class:`NoticeRefused`.
    """
    target = _get(member, target_id)
    waiting = find_test(target)
    if waiting is not None and waiting.state == TellingState.WAITING:
        return waiting
    return Telling.objects.create(
        target=target,
        kind="test",
        urgency=Urgency.SOON,
        what="This is a test. If you can read it, notices of what needs a person reach you here.",
        do="You need not do anything.",
        address="",
        next_try_at=now,
        made_at=now,
    )


def _must_be_admin(member: Member) -> None:
    if Role.ADMIN not in member.held:
        raise NoticeRefused("Only an admin can change who is told.")


def _get(member: Member, target_id: int) -> Target:
    _must_be_admin(member)
    target = find_target(member.organisation, target_id)
    if target is None:
        raise NoticeRefused("It is not in the list any more.")
    return target


def _read_wishes(
    urgencies: Iterable[Urgency], quiet: tuple[time, time] | None
) -> dict[str, object]:
    wanted = [str(one) for one in Urgency if one in set(urgencies)]
    if not wanted:
        raise NoticeRefused("Choose at least one urgency.", "urgencies")
    if quiet is not None and quiet[0] == quiet[1]:
        raise NoticeRefused(
            "The quiet hours begin and end at the same time. Leave both empty for none.",
            "quiet_from",
        )
    begin, end = quiet or (None, None)
    return {"urgencies": wanted, "quiet_from": begin, "quiet_until": end}


def _read_name(name: str) -> str:
    bare = " ".join(name.split())
    if not bare or len(bare) > LONGEST_NAME:
        raise NoticeRefused(
            f"Enter a name for the chat, of at most {LONGEST_NAME} characters.", "name"
        )
    return bare


def _record(kind: str, target: Target, member: Member, now: datetime) -> None:
    hours = (
        f"{target.quiet_from:%H:%M} to {target.quiet_until:%H:%M}"
        if target.quiet_from is not None and target.quiet_until is not None
        else ""
    )
    records.record(
        kind,
        at=now,
        organisation=target.organisation.ref,
        actor=member.ref,
        role="admin",
        subject=f"notice_target/{target.pk}",
        fields={
            "kind": target.kind,
            "name": target.name,
            "urgencies": ", ".join(target.urgencies),
            "quiet_hours": hours,
        },
        about={"name": target.sealed_for},
    )
