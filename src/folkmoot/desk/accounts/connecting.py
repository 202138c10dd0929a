"""Connecting an account: what is typed becomes a proposal, and a second person confirms it.

What is typed and secret is used once, at once, to ask the channel whether it lets the account in,
and sealed then; nothing is kept where the channel says no. On a channel with a sign-in page of its
own, a person goes there first, and the worker, who alone can open the app's secret, exchanges what
they come back with for tokens.
"""

from __future__ import annotations

import hmac
import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse

from folkmoot.channels.kinds import CannotConnect, Connected, Kind
from folkmoot.channels.tokens import MemoryTokens
from folkmoot.desk.people.queries import Member, Role

from .adapters import CHANNELS, list_kinds, with_typed
from .lifecycle import AccountState
from .models import Account
from .steps import AccountRefused, record
from .tokens import place_of
from .vault import VaultError, seal

LONGEST_NAME = 100
LONGEST_TYPED = 4000
SIGN_IN_LASTS = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class SigningIn:
    """Somebody who is on a channel's own sign-in page. Kept in their session meanwhile: of what is
    secret, only what is sealed and what is of no use without it.
    """

    channel: str
    name: str
    handle: str
    server: str
    settings: dict[str, str]
    secret: str = field(repr=False)
    again: int | None
    state: str = field(repr=False)
    verifier: str = field(repr=False)
    url: str = field(repr=False)
    until: str

    def to_session(self) -> dict[str, object]:
        """As it is kept."""
        return asdict(self)

    @classmethod
    def from_session(cls, kept: object) -> SigningIn | None:
        """From what :meth:`to_session` made; ``None`` for anything else."""
        try:
            return cls(**kept)  # type: ignore[arg-type]  # what does not fit is told by TypeError
        except TypeError:
            return None


def get_kind_offered(channel: str) -> Kind:
    """A kind that accounts can be connected on. Raises :class:`AccountRefused`."""
    kind = next((kind for kind in list_kinds() if kind.channel == channel), None)
    if kind is None:
        raise AccountRefused("Choose the channel to connect.")
    return kind


def propose(
    admin: Member,
    *,
    channel: str,
    name: str,
    typed: Mapping[str, str],
    now: datetime,
    again: int | None = None,
) -> Account | SigningIn:
    """Propose an account after asking its channel whether it lets it in, or begin a sign-in on the
    channel's own page. ``typed`` has the form's fields by name; ``again`` is the id of the account
    that is to be connected again.

    Nothing is kept unless the channel says yes. Raises :class:`AccountRefused` with what the
    channel, or the network, had against it.
    """
    must_be_admin(admin)
    kind = get_kind_offered(channel)
    draft, hidden = _read(admin, kind, name=name, typed=typed, now=now, again=again)
    tokens = MemoryTokens()
    account = with_typed(draft, hidden, tokens)
    try:
        draft.secret = seal(place_of(draft, "secret"), json.dumps(hidden))
        if kind.authorisation is not None:
            return _begin(draft, kind, account, now)
        trouble = kind.build(account).diagnose()
        if trouble:
            raise AccountRefused(trouble)
        if kept := tokens.find():
            draft.tokens = seal(place_of(draft, "tokens"), json.dumps(dict(kept)))
    except CannotConnect as fault:
        raise AccountRefused(fault.reason, fault.field) from fault
    except (VaultError, ValueError) as fault:
        raise AccountRefused(str(fault)) from fault
    draft.diagnosed_at = now
    draft.sign_in_ends_at = kind.build(account).sign_in_ends_at()
    return _keep(draft, admin, now)


def propose_signed_in(
    admin: Member, kept: object, *, answer: Mapping[str, str], now: datetime
) -> Account:
    """Propose the account that somebody signed in to on the channel's own page. ``kept`` is what
    the session held, and is good once; ``answer`` is what the channel sent back with the person.

    Raises :class:`AccountRefused`.
    """
    must_be_admin(admin)
    begun = SigningIn.from_session(kept)
    same = begun is not None and hmac.compare_digest(
        begun.state.encode(), answer.get("state", "").encode()
    )
    if begun is None or not same or now > datetime.fromisoformat(begun.until):
        raise AccountRefused(
            "This sign-in was not begun here, was used already, or began more than ten minutes "
            "ago. Nothing was kept. Begin again."
        )
    kind = get_kind_offered(begun.channel)
    if not answer.get("code"):
        raise AccountRefused(
            f"On {kind.title}'s own page nobody said yes, so nothing was kept. Begin again."
        )
    draft = Account(
        organisation=admin.organisation,
        channel=begun.channel,
        name=begun.name,
        handle=begun.handle,
        server=begun.server,
        settings=begun.settings,
        secret=begun.secret,
        connected_by=admin.ref,
        connected_at=now,
        replaces=_find_again(admin, begun.again),
    )
    grant = json.dumps({"code": answer["code"], "verifier": begun.verifier})
    try:
        draft.grant = seal(place_of(draft, "grant"), grant)
    except VaultError as fault:
        raise AccountRefused(str(fault)) from fault
    return _keep(draft, admin, now)


def redirect_uri() -> str:
    """Where a channel's own page sends people back to."""
    return f"{settings.CONFIG.address}{reverse('account_callback')}"


def must_be_admin(member: Member) -> None:
    """Raises :class:`AccountRefused` where ``member`` is none."""
    if Role.ADMIN not in member.held:
        raise AccountRefused("Only an admin can connect and disconnect accounts.")


def _read(
    admin: Member,
    kind: Kind,
    *,
    name: str,
    typed: Mapping[str, str],
    now: datetime,
    again: int | None,
) -> tuple[Account, dict[str, str]]:
    """The account that was typed, not kept yet, and what of it is secret."""
    values = {wanted.name: typed.get(wanted.name, "").strip() for wanted in kind.wanted}
    for wanted in kind.wanted:
        if len(values[wanted.name]) > LONGEST_TYPED:
            raise AccountRefused(f"What is in “{wanted.label}” is too long.", wanted.name)
    if len(name.strip()) > LONGEST_NAME:
        raise AccountRefused(
            f"Give the account a name of at most {LONGEST_NAME} characters.", "name"
        )
    try:
        handle, server = kind.name_of(values)
    except CannotConnect as fault:
        raise AccountRefused(fault.reason, fault.field) from fault
    for wanted in kind.wanted:
        if not values[wanted.name] and not wanted.optional:
            raise AccountRefused(f"Fill in “{wanted.label}”.", wanted.name)
    if len(handle) > 253 or len(server) > 300:  # noqa: PLR2004 - as wide as the columns
        raise AccountRefused("The account's name or its server's address is too long.")
    hidden = {wanted.name: values[wanted.name] for wanted in kind.wanted if wanted.secret}
    # What became the handle and the server stands there, and is not kept twice.
    shown = {
        wanted.name: values[wanted.name]
        for wanted in kind.wanted
        if not wanted.secret and wanted.name not in ("handle", "server")
    }
    replaced = _find_again(admin, again)
    if replaced and (replaced.channel, replaced.handle, replaced.server) != (
        kind.channel,
        handle,
        server,
    ):
        raise AccountRefused(
            f"This is another account than {replaced.name}. Connect that one again with its own "
            "name and server, or connect this one as a new account."
        )
    draft = Account(
        organisation=admin.organisation,
        channel=kind.channel,
        name=name.strip() or (replaced.name if replaced else _call(kind.title, handle)),
        handle=handle,
        server=server,
        settings=shown,
        connected_by=admin.ref,
        connected_at=now,
        replaces=replaced,
    )
    _must_be_free(draft)
    return draft, hidden


def _call(kind_title: str, handle: str) -> str:
    """An account's name where staff gave it none: ``moot.example on Bluesky``."""
    if handle.startswith("@") or not handle:
        return (handle or kind_title)[:LONGEST_NAME]
    return f"{handle[: LONGEST_NAME - 30]} on {kind_title}"


def _find_again(admin: Member, again: int | None) -> Account | None:
    if again is None:
        return None
    found = Account.objects.filter(
        pk=again, organisation=admin.organisation, state=AccountState.CONNECTED
    ).first()
    if found is None:
        raise AccountRefused("There is no such account to connect again. Connect it as a new one.")
    return found


def _must_be_free(draft: Account) -> None:
    called = _call(CHANNELS[draft.channel], draft.handle)
    same = Account.objects.filter(
        organisation=draft.organisation,
        channel=draft.channel,
        handle=draft.handle,
        server=draft.server,
    )
    if same.filter(state=AccountState.PROPOSED).exists():
        raise AccountRefused(
            f"{called} is proposed already. Have that proposal confirmed, or turn it down first."
        )
    if draft.replaces is None and same.filter(state=AccountState.CONNECTED).exists():
        raise AccountRefused(
            f"{called} is connected already. To give it a new sign-in, choose “Connect again” "
            "beside it."
        )


def _begin(draft: Account, kind: Kind, account: Connected, now: datetime) -> SigningIn:
    """Raises :class:`CannotConnect`."""
    assert kind.authorisation is not None
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    # RFC 7636, section 4.2: the S256 challenge.
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
    return SigningIn(
        channel=draft.channel,
        name=draft.name,
        handle=draft.handle,
        server=draft.server,
        settings=draft.settings,
        secret=draft.secret,
        again=draft.replaces.pk if draft.replaces else None,
        state=state,
        verifier=verifier,
        url=kind.authorisation.begin(
            account,
            redirect_uri=redirect_uri(),
            state=state,
            challenge=challenge,
        ),
        until=(now + SIGN_IN_LASTS).isoformat(),
    )


def _keep(draft: Account, admin: Member, now: datetime) -> Account:
    _must_be_free(draft)
    try:
        with transaction.atomic():
            draft.save()
            again = {"again": f"account/{draft.replaces.pk}"} if draft.replaces else None
            record("account.proposed", draft, admin, now, fields=again)
    except IntegrityError as taken:
        raise AccountRefused(
            f"{_call(CHANNELS[draft.channel], draft.handle)} is connected already."
        ) from taken
    return draft
