"""Writes of the accounts room."""

from __future__ import annotations

import re
from datetime import datetime

from django.db import IntegrityError, transaction

from folkmoot.desk.people.queries import Member, Organisation, Role
from folkmoot.desk.records import actions as records

from .adapters import CHANNELS, build_adapter, secret_place
from .models import Account
from .vault import VaultError, seal

__all__ = ["AccountRefused", "connect", "diagnose", "disconnect", "note_health", "open_own_channel"]


# A domain name. An e-mail address would do to sign in, and would then stand on the register.
HANDLE = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
SERVER = re.compile(r"https?://[A-Za-z0-9.-]{1,180}(:[0-9]{1,5})?")
LONGEST_NAME = 100


class AccountRefused(Exception):
    """The account was not connected or changed; the message is a sentence that says why."""


@transaction.atomic
def open_own_channel(
    organisation: Organisation,
    *,
    channel: str,
    name: str,
    handle: str,
    now: datetime,
    actor: Member | None = None,
) -> Account:
    """Open a channel that the desk serves itself: the feed, or the practice channel."""
    if channel not in {"atom", "practice"}:
        raise AccountRefused(f"The desk does not serve {CHANNELS.get(channel, channel)} itself.")
    account = Account.objects.create(
        organisation=organisation,
        channel=channel,
        name=name,
        handle=handle,
        connected_at=now,
        connected_by=actor.ref if actor else "",
    )
    _record("account.connected", account, actor, now)
    return account


def connect(
    admin: Member, *, channel: str, name: str, handle: str, server: str, secret: str, now: datetime
) -> Account:
    """Connect an account after asking its channel whether it may post.

    Nothing is kept unless the channel says yes. Raises :class:`AccountRefused` with what the
    channel, or the network, had against it.
    """
    _must_be_admin(admin)
    handle, server = handle.strip().lstrip("@").lower(), server.strip().rstrip("/")
    if channel != "bluesky":
        raise AccountRefused("Choose the channel to connect.")
    if not HANDLE.fullmatch(handle) or not secret:
        raise AccountRefused(
            "Enter the account's handle, such as council.example.uk, and its app password."
        )
    if not SERVER.fullmatch(server):
        raise AccountRefused("Enter the server's address, such as https://bsky.social.")
    if len(name.strip()) > LONGEST_NAME:
        raise AccountRefused(f"Give the account a name of at most {LONGEST_NAME} characters.")
    account = Account(
        organisation=admin.organisation,
        channel=channel,
        name=name.strip() or f"@{handle}"[:LONGEST_NAME],
        handle=handle,
        server=server,
        connected_at=now,
        connected_by=admin.ref,
    )
    trouble = build_adapter(account, secret=secret).diagnose()
    if trouble:
        raise AccountRefused(trouble)
    try:
        with transaction.atomic():
            account.session = ""  # sealed for a row that did not exist yet
            account.save()
            account.secret = seal(secret_place(account.pk), secret)
            account.save(update_fields=["secret"])
            _record("account.connected", account, admin, now)
    except IntegrityError as taken:
        raise AccountRefused(f"@{handle} is connected already.") from taken
    return account


@transaction.atomic
def disconnect(admin: Member, account_id: int, *, now: datetime) -> None:
    """Disconnect an account and forget its tokens. Raises :class:`AccountRefused`."""
    _must_be_admin(admin)
    account = Account.objects.filter(
        pk=account_id, organisation=admin.organisation, disconnected_at=None
    ).first()
    if account is None:
        raise AccountRefused("There is no such account.")
    account.disconnected_at, account.secret, account.session = now, "", ""
    account.save(update_fields=["disconnected_at", "secret", "session"])
    _record("account.disconnected", account, admin, now)


def diagnose(admin: Member, account_id: int) -> str:
    """Ask the channel whether the account can post; a sentence. Raises :class:`AccountRefused`."""
    _must_be_admin(admin)
    account = Account.objects.filter(
        pk=account_id, organisation=admin.organisation, disconnected_at=None
    ).first()
    if account is None:
        raise AccountRefused("There is no such account.")
    try:
        trouble = build_adapter(account).diagnose() or ""
    except VaultError as sealed:
        trouble = str(sealed)
    note_health(account, trouble)
    return trouble or f"{account.name} can post."


def note_health(account: Account, trouble: str) -> None:
    """Keep what is known to be wrong with an account; an empty sentence when nothing is."""
    if account.trouble != trouble:
        account.trouble = trouble
        Account.objects.filter(pk=account.pk).update(trouble=trouble)


def _record(kind: str, account: Account, actor: Member | None, now: datetime) -> None:
    records.record(
        kind,
        at=now,
        organisation=account.organisation.ref,
        actor=actor.ref if actor else "",
        role="admin" if actor else "system",
        subject=f"account/{account.pk}",
        fields={
            "channel": account.channel,
            "name": account.name,
            "handle": account.handle,
            "server": account.server,
        },
    )


def _must_be_admin(member: Member) -> None:
    if Role.ADMIN not in member.held:
        raise AccountRefused("Only an admin can connect and disconnect accounts.")
