"""From an account's row to the adapter that reaches it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import cast

from django.conf import settings
from django.core import signing
from django.urls import reverse

from folkmoot.channels import Adapter, Capabilities, Outbound, kinds
from folkmoot.channels.atom import Atom
from folkmoot.channels.email import CannotOpen, Email, Transport, diagnose, make_transport
from folkmoot.channels.kinds import CannotConnect, Connected, Kind
from folkmoot.channels.practice import Practice
from folkmoot.channels.tokens import MemoryTokens, TokenStore
from folkmoot.desk.mailing import queries as mailing

from .lifecycle import AccountState
from .models import Account
from .shelf import TableShelf
from .tokens import SealedTokens, place_of
from .vault import VaultError, unseal

# A send may take three requests (say no, renew, say yes), and must end within a lease.
OUTBOUND_SECONDS = 8.0
# A channel that takes no files fetches a picture while a post is prepared, up to a day ahead.
EARLY_SECONDS = 26 * 3600
EARLY_SALT = "folkmoot.early-picture"


def _atom(account: Account, subject: str = "") -> Adapter:
    return Atom(
        TableShelf(account.pk, subject),
        authority=account.handle,
        since_on=account.connected_at.date(),
        entry_url=_post_url,
        picture_url=_picture_url,
    )


def _practice(account: Account, subject: str = "") -> Adapter:
    shelf = TableShelf(account.pk, subject)
    return Practice(shelf, post_url=_practice_url, picture_url=_picture_url)


def _email(account: Account, connected: Connected) -> Adapter:
    return Email(
        mailing.outbox_of(account.pk),
        issue_url=mailing.issue_url,
        picture_url=_picture_url,
        diagnose=lambda: diagnose(connected),
    )


OWN: Mapping[str, Callable[[Account, str], Adapter]] = {"atom": _atom, "practice": _practice}
"""The channels that the desk serves itself, from its own tables."""


def list_kinds() -> list[Kind]:
    """What accounts can be connected on, in the order in which it is offered."""
    return [kinds.get_kind(channel) for channel in kinds.CHANNELS]


CHANNELS: Mapping[str, str] = {
    "atom": "Atom feed",
    "practice": "Practice channel",
    **{kind.channel: kind.title for kind in list_kinds()},
}
"""What people call each channel."""


def build_adapter(account: Account, subject: str = "") -> Adapter:
    """The adapter for an account, its secrets opened: for the worker. What it keeps in tables of
    the desk's own is kept under ``subject``. Raises ``VaultError`` where they do not open.
    """
    if account.channel in OWN:
        return OWN[account.channel](account, subject)
    if account.channel == "email":
        return _email(account, open_account(account))
    return kinds.get_kind(account.channel).build(open_account(account))


def open_transport(account_id: int) -> Transport:
    """What hands over the e-mails of an account on the channel ``email``: for the worker.

    Raises :class:`~folkmoot.channels.email.CannotOpen`.
    """
    account = Account.objects.filter(pk=account_id, state=AccountState.CONNECTED).first()
    if account is None or account.channel != "email":
        raise CannotOpen("The e-mail list's account is not connected.")
    try:
        connected = open_account(account)
        return make_transport(
            connected.settings,
            connected.secrets,
            outbound=connected.outbound,
            now=connected.now,
        )
    except (VaultError, CannotConnect) as wrong:
        raise CannotOpen(str(wrong)) from wrong


def open_account(account: Account) -> Connected:
    """An account with its secrets opened. Raises ``VaultError`` where they do not open."""
    secrets = json.loads(unseal(place_of(account, "secret"), account.secret))
    tokens = SealedTokens(account)
    tokens.find()  # what does not open is known now, and not in the midst of a send
    return _connected(account, cast("dict[str, str]", secrets), tokens)


def with_typed(account: Account, secrets: Mapping[str, str], tokens: TokenStore) -> Connected:
    """An account that is only being connected, with what was typed in place of what is sealed."""
    return _connected(account, secrets, tokens)


def capabilities_of(account: Account) -> Capabilities:
    """What the account's channel takes. No secret is opened for it."""
    return _without_secrets(account).capabilities()


def make_key(account: Account, delivery_name: str, due_at: datetime) -> str:
    """The idempotency key of a delivery. No secret is opened for it."""
    return _without_secrets(account).make_key(delivery_name, due_at)


def _without_secrets(account: Account) -> Adapter:
    if account.channel in OWN:
        return OWN[account.channel](account, "")
    return kinds.get_kind(account.channel).build(_connected(account, {}, MemoryTokens()))


def _connected(account: Account, secrets: Mapping[str, str], tokens: TokenStore) -> Connected:
    return Connected(
        handle=account.handle,
        server=account.server,
        settings=account.settings,
        secrets=secrets,
        outbound=Outbound(allow=settings.INTERNAL_HOSTS, timeout_seconds=OUTBOUND_SECONDS),
        tokens=tokens,
        picture_url=partial(_early_picture_url, account.organisation_id),
        now=lambda: datetime.now(UTC),
    )


def read_early_name(name: str) -> tuple[int, str, str] | None:
    """The organisation's id, SHA-256 and media type of the picture an early address names; ``None``
    for a name that is not of our making, or older than a post may be prepared ahead.
    """
    try:
        organisation_id, sha256, media_type = signing.loads(
            name, salt=EARLY_SALT, max_age=EARLY_SECONDS
        )
        return int(organisation_id), str(sha256), str(media_type)
    except (signing.BadSignature, ValueError, TypeError):
        return None


def _early_picture_url(organisation_id: int, sha256: str, media_type: str) -> str:
    name = signing.dumps([organisation_id, sha256, media_type], salt=EARLY_SALT)
    return settings.CONFIG.address + reverse("early_picture", kwargs={"name": name})


def _post_url(key: str) -> str:
    return settings.CONFIG.address + reverse("feed_post", kwargs={"key": key})


def _practice_url(key: str) -> str:
    return f"{settings.CONFIG.address}{reverse('practice')}#{key}"


def _picture_url(sha256: str, media_type: str) -> str:
    ending = {"image/jpeg": "jpg", "image/png": "png"}[media_type]
    return settings.CONFIG.address + reverse(
        "public_picture", kwargs={"name": f"{sha256}.{ending}"}
    )
