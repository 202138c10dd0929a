"""Reads of the accounts room."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from folkmoot.channels import Adapter, Shelf
from folkmoot.channels.entries import Entry, find_entry, list_entries
from folkmoot.desk.people.queries import Organisation

from .adapters import CHANNELS, CONNECTABLE, build_adapter, capabilities_of
from .models import Account
from .shelf import TableShelf
from .vault import VaultError

__all__ = [
    "CHANNELS",
    "CONNECTABLE",
    "Account",
    "VaultError",
    "capabilities_of",
    "find_account",
    "find_feed",
    "find_feed_entry",
    "get_accounts",
    "is_public",
    "key_for",
    "list_accounts",
    "list_practice",
    "open_adapter",
    "shelf_of",
]


def list_accounts(organisation: Organisation) -> list[Account]:
    """The connected accounts of an organisation, in the order in which they were connected."""
    return list(
        Account.objects.filter(organisation=organisation, disconnected_at=None).order_by("pk")
    )


def find_account(organisation: Organisation, account_id: int) -> Account | None:
    """A connected account of the organisation, or ``None``."""
    return Account.objects.filter(
        organisation=organisation, pk=account_id, disconnected_at=None
    ).first()


def get_accounts(organisation: Organisation, ids: Iterable[int]) -> list[Account]:
    """These accounts of the organisation, connected or not, in a fixed order."""
    return list(Account.objects.filter(organisation=organisation, pk__in=list(ids)).order_by("pk"))


def is_public(account: Account) -> bool:
    """Whether what goes out there can be seen by anyone. A rehearsal is on nobody's register."""
    return account.channel != "practice"


def open_adapter(account: Account) -> Adapter:
    """The adapter for an account, its token unsealed: for the worker. Raises ``VaultError``."""
    return build_adapter(Account.objects.get(pk=account.pk))


def key_for(account: Account, delivery_id: int, due_at: datetime) -> str:
    """The idempotency key of a delivery, in the form of the account's channel."""
    name = f"{settings.CONFIG.origin}/delivery/{delivery_id}"
    return build_adapter(account, secret="").make_key(name, due_at)


def find_feed(organisation: Organisation) -> Account | None:
    """The organisation's Atom feed."""
    return (
        Account.objects.filter(organisation=organisation, channel="atom", disconnected_at=None)
        .order_by("pk")
        .first()
    )


def shelf_of(account: Account) -> Shelf:
    """What a channel served by the desk has published."""
    return TableShelf(account.pk)


def find_feed_entry(organisation: Organisation, key: str) -> Entry | None:
    """The feed's entry under this key."""
    feed = find_feed(organisation)
    return find_entry(TableShelf(feed.pk), key) if feed else None


def list_practice(organisation: Organisation, most: int = 50) -> list[Entry]:
    """What stands on the organisation's practice channel, newest first."""
    account = Account.objects.filter(
        organisation=organisation, channel="practice", disconnected_at=None
    ).first()
    if account is None:
        return []
    return list(list_entries(TableShelf(account.pk), most))
