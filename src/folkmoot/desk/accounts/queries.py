"""Reads of the accounts room."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from folkmoot.channels import Adapter, Shelf
from folkmoot.channels.entries import (
    Entry,
    Removal,
    find_entry,
    find_removal,
    list_entries,
)
from folkmoot.desk.people.queries import Organisation

from .adapters import (
    CHANNELS,
    build_adapter,
    capabilities_of,
    list_kinds,
    make_key,
    open_transport,
    read_early_name,
)
from .lifecycle import ACCOUNT, OWN_CHANNELS, AccountState
from .models import Account, ShelfItem, Trouble
from .shelf import TableShelf
from .vault import VaultError

__all__ = [
    "ACCOUNT",
    "CHANNELS",
    "OWN_CHANNELS",
    "Account",
    "AccountState",
    "Trouble",
    "Unwell",
    "VaultError",
    "capabilities_of",
    "find_account",
    "find_feed",
    "find_feed_entry",
    "find_feed_removal",
    "find_shelf_mark",
    "find_trouble_at",
    "get_accounts",
    "hold_account",
    "is_public",
    "key_for",
    "list_accounts",
    "list_connected",
    "list_kinds",
    "list_known",
    "list_practice",
    "list_proposed",
    "list_troubles",
    "list_unwell",
    "open_adapter",
    "open_transport",
    "read_early_name",
    "search_accounts",
    "shelf_of",
]

TOLD_AHEAD = timedelta(days=14)
TOLD_STRONGLY = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Unwell:
    """An account that needs a person. ``urgent`` where it cannot post now, or soon cannot."""

    account: Account
    sentence: str
    urgent: bool


def list_accounts(organisation: Organisation) -> list[Account]:
    """The connected accounts of an organisation, in the order in which they were connected. No
    other is offered to anybody for posting.
    """
    return list(
        Account.objects.filter(organisation=organisation, state=AccountState.CONNECTED).order_by(
            "pk"
        )
    )


def list_known(organisation: Organisation) -> list[Account]:
    """The accounts that an organisation has or had, in the order in which they were connected: for
    whoever looks back.
    """
    kept = [AccountState.CONNECTED, AccountState.DISCONNECTED]
    found = Account.objects.filter(organisation=organisation, state__in=kept, replaces=None)
    return list(found.order_by("pk"))


def list_connected() -> list[Account]:
    """The connected accounts of every organisation, in the order in which they were connected."""
    return list(
        Account.objects.filter(state=AccountState.CONNECTED)
        .select_related("organisation")
        .order_by("pk")
    )


def list_proposed(organisation: Organisation) -> list[Account]:
    """What waits for a second person, the oldest first."""
    return list(
        Account.objects.filter(organisation=organisation, state=AccountState.PROPOSED)
        .select_related("replaces")
        .order_by("pk")
    )


def find_account(organisation: Organisation, account_id: int) -> Account | None:
    """A connected account of the organisation, or ``None``."""
    return Account.objects.filter(
        organisation=organisation, pk=account_id, state=AccountState.CONNECTED
    ).first()


def search_accounts(words: str) -> list[Account]:
    """The connected accounts, of every organisation, whose id, handle or name this is; all of them
    for an empty text. For whoever sits at the machine.
    """
    found = (
        Account.objects.filter(state=AccountState.CONNECTED)
        .select_related("organisation")
        .order_by("pk")
    )
    bare = words.strip().lstrip("@").casefold()
    return [
        account
        for account in found
        if not bare
        or bare in {str(account.pk), account.handle.casefold(), account.name.lstrip("@").casefold()}
    ]


def get_accounts(organisation: Organisation, ids: Iterable[int]) -> list[Account]:
    """These accounts of the organisation, connected or not, in a fixed order."""
    return list(Account.objects.filter(organisation=organisation, pk__in=list(ids)).order_by("pk"))


def list_unwell(organisation: Organisation, now: datetime) -> list[Unwell]:
    """The connected accounts that need a person, and why; in the order of :func:`list_accounts`.

    The end of a sign-in is told from fourteen days before, and more strongly from three.
    """
    found = []
    for account in list_accounts(organisation):
        if account.trouble:
            found.append(Unwell(account, account.trouble, urgent=True))
            continue
        ends_at = account.sign_in_ends_at
        if ends_at is None or ends_at - now > TOLD_AHEAD:
            continue
        day = _day(ends_at, organisation)
        if ends_at <= now:
            said = f"The sign-in ended on {day}. Nothing goes out until it is connected again."
        elif ends_at - now <= TOLD_STRONGLY:
            said = f"The sign-in ends on {day}. Connect it again now: nothing goes out after that."
        else:
            said = f"The sign-in ends on {day}; connect it again before then."
        found.append(Unwell(account, said, urgent=ends_at - now <= TOLD_STRONGLY))
    return found


def find_trouble_at(account: Account, moment: datetime) -> str:
    """Why the account will not be able to post at ``moment`` by what is known now: its tokens were
    forgotten, or its sign-in will have ended. Empty where nothing is known against it.
    """
    if account.channel in OWN_CHANNELS:
        return ""
    if not account.secret:
        return f"{account.name} holds no sign-in any more. Have it connected again first."
    ends_at = account.sign_in_ends_at
    if ends_at is None or ends_at > moment:
        return ""
    return (
        f"The sign-in of {account.name} ends on {_day(ends_at, account.organisation)}, before this"
        " post is due. Have it connected again before then."
    )


def list_troubles(account: Account, most: int = 5) -> list[Trouble]:
    """The last troubles with an account, newest first."""
    return list(account.troubles.order_by("-pk")[:most])


def hold_account(account_id: int) -> None:
    """Let nobody else pass this line for the account until the caller's transaction has ended."""
    Account.objects.select_for_update().filter(pk=account_id).values_list("pk", flat=True).first()


def is_public(account: Account) -> bool:
    """Whether what goes out there can be seen by anyone. A rehearsal is on nobody's register."""
    return account.channel != "practice"


def open_adapter(account: Account, *, subject: str = "") -> Adapter:
    """The adapter for an account, its token unsealed: for the worker. ``subject`` is the post that
    is sent with it, as the record names it. Raises ``VaultError``.
    """
    return build_adapter(Account.objects.get(pk=account.pk), subject)


def key_for(account: Account, delivery_id: int, due_at: datetime) -> str:
    """The idempotency key of a delivery, in the form of the account's channel."""
    return make_key(account, f"{settings.CONFIG.origin}/delivery/{delivery_id}", due_at)


def find_feed(organisation: Organisation) -> Account | None:
    """The organisation's Atom feed."""
    return _find_own(organisation, "atom")


def shelf_of(account: Account) -> Shelf:
    """What a channel served by the desk has published."""
    return TableShelf(account.pk)


def find_shelf_mark(account: Account) -> str | None:
    """What changes whenever something is put on the account's shelf, as an entity tag."""
    newest = ShelfItem.objects.filter(account=account).order_by("-pk").values_list("pk", flat=True)
    number = newest.first()
    return f'"{number}"' if number is not None else None


def find_feed_entry(organisation: Organisation, key: str) -> Entry | None:
    """The feed's entry under this key."""
    feed = find_feed(organisation)
    return find_entry(TableShelf(feed.pk), key) if feed else None


def find_feed_removal(organisation: Organisation, key: str) -> Removal | None:
    """What took down the feed's entry that was under this key."""
    feed = find_feed(organisation)
    return find_removal(TableShelf(feed.pk), key) if feed else None


def list_practice(organisation: Organisation, most: int = 50) -> list[Entry]:
    """What stands on the organisation's practice channel, newest first."""
    account = _find_own(organisation, "practice")
    if account is None:
        return []
    return list(list_entries(TableShelf(account.pk), most))


def _find_own(organisation: Organisation, channel: str) -> Account | None:
    return (
        Account.objects.filter(
            organisation=organisation, channel=channel, state=AccountState.CONNECTED
        )
        .order_by("pk")
        .first()
    )


def _day(at: datetime, organisation: Organisation) -> str:
    local = at.astimezone(organisation.timezone)
    return f"{local:%A} {local.day} {local:%B}"
