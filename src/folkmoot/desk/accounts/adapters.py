"""From an account's row to the adapter that reaches it."""

from __future__ import annotations

import json
from dataclasses import asdict

from django.conf import settings
from django.urls import reverse

from folkmoot.channels import Adapter, Capabilities, Outbound
from folkmoot.channels.atom import Atom
from folkmoot.channels.bluesky import Bluesky, Session
from folkmoot.channels.practice import Practice

from .models import Account
from .shelf import TableShelf
from .vault import seal, unseal

CHANNELS = {"atom": "Atom feed", "bluesky": "Bluesky", "practice": "Practice channel"}
CONNECTABLE = ("bluesky",)
# A send may take three requests (say no, renew, say yes), and must end within a lease.
OUTBOUND_SECONDS = 8.0


def secret_place(account_id: int) -> str:
    """Where an account's password is kept, as the vault knows it."""
    return f"account/{account_id}/secret"


class SealedSessions:
    """An account's session, sealed on its row: the engine's ``Sessions``."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._place = f"account/{account.pk}/session"
        self._unkept: Session | None = None

    def find(self) -> Session | None:
        """The session saved last, or ``None``. Raises ``VaultError`` where it does not open."""
        if not self._account.session:
            return self._unkept
        return Session(**json.loads(unseal(self._place, self._account.session)))

    def save(self, session: Session) -> None:
        """Keep ``session`` in place of the last. One for an account that is only being connected
        has no row to be sealed for, and is kept for this moment alone.
        """
        if self._account.pk is None:
            self._unkept = session
            return
        self._account.session = seal(self._place, json.dumps(asdict(session)))
        # Not for one disconnected meanwhile: its tokens have been forgotten, and stay so.
        Account.objects.filter(pk=self._account.pk, disconnected_at=None).update(
            session=self._account.session
        )


def build_adapter(account: Account, *, secret: str | None = None) -> Adapter:
    """The adapter for an account. ``secret`` stands in for the sealed one of an account that is
    only being connected. Raises ``VaultError`` where the sealed one does not open.
    """
    if account.channel == "atom":
        return Atom(
            TableShelf(account.pk),
            authority=account.handle,
            since_on=account.connected_at.date(),
            entry_url=_post_url,
            picture_url=_picture_url,
        )
    if account.channel == "practice":
        return Practice(TableShelf(account.pk), post_url=_practice_url, picture_url=_picture_url)
    if account.channel == "bluesky":
        if secret is None:
            secret = unseal(secret_place(account.pk), account.secret)
        return Bluesky(
            server=account.server,
            handle=account.handle,
            app_password=secret,
            outbound=Outbound(allow=settings.INTERNAL_HOSTS, timeout_seconds=OUTBOUND_SECONDS),
            sessions=SealedSessions(account),
        )
    raise ValueError(f"There is no channel {account.channel!r}.")


def capabilities_of(account: Account) -> Capabilities:
    """What the account's channel takes. No secret is opened for it."""
    return build_adapter(account, secret="").capabilities()


def _post_url(key: str) -> str:
    return settings.CONFIG.address + reverse("feed_post", kwargs={"key": key})


def _practice_url(key: str) -> str:
    return f"{settings.CONFIG.address}{reverse('practice')}#{key}"


def _picture_url(sha256: str, media_type: str) -> str:
    ending = {"image/jpeg": "jpg", "image/png": "png"}[media_type]
    return settings.CONFIG.address + reverse(
        "public_picture", kwargs={"name": f"{sha256}.{ending}"}
    )
