"""Signing in on a channel's own page: OAuth 2.0 authorisation code with PKCE, and renewal.

RFC 6749 (sections 4.1, 5 and 6) and RFC 7636. :class:`OAuth` describes one channel's servers and is
the ``authorisation`` of its kind; :class:`SignedIn` asks the channel's API with the account's token
and renews it once where the channel does not take it any more. Tokens are renewed through
:class:`~folkmoot.channels.tokens.Grants` alone: by one at a time, and kept before they are used.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from folkmoot.channels.api import Answer, Api, Meaning, NoClearAnswer, Reason, SaidNo
from folkmoot.channels.kinds import CannotConnect, Connected
from folkmoot.channels.port import NotPrepared, Refused, Unconfirmed
from folkmoot.channels.tokens import CannotSignIn, Grant, Grants

_AGAIN = "Connect the account again."
TABLE: Mapping[str, Reason] = {
    "invalid_grant": Reason(
        Meaning.SIGN_IN,
        "{title} does not take this sign-in any more: it has run out, was used elsewhere, or was"
        " taken back. Connect the account again.",
    ),
    "invalid_client": Reason(
        Meaning.SIGN_IN,
        "{title} does not know the client ID or its secret. Compare both with the app's page in"
        " {title}'s developer portal, and enter them again.",
    ),
    "unauthorized_client": Reason(
        Meaning.SIGN_IN,
        "{title} does not let this app sign people in ({{said}}). In {title}'s developer portal,"
        " allow it to, and check whether its type asks for a client secret.",
    ),
    "invalid_scope": Reason(
        Meaning.REFUSED,
        "{title} has not granted the app what it asks for ({{said}}). Ask for it in {title}'s"
        " developer portal first.",
    ),
    "access_denied": Reason(
        Meaning.REFUSED, "On {title}'s page somebody said no. Connect the account again."
    ),
    "unsupported_grant_type": Reason(
        Meaning.REFUSED,
        "{title} does not offer this way of signing in ({{said}}). Its part of Folkmoot must be"
        " mended.",
    ),
    "invalid_request": Reason(
        Meaning.REFUSED, "{title} refused the sign-in ({{said}}). Connect the account again."
    ),
    "temporarily_unavailable": Reason(
        Meaning.LATER, "{title} lets nobody sign in just now. It is tried again by itself."
    ),
    "server_error": Reason(Meaning.UNCLEAR, "{title} had a fault of its own while signing in."),
}
"""RFC 6749, sections 4.1.2.1 and 5.2. ``{title}`` is filled in for each channel."""


@dataclass(frozen=True, slots=True)
class OAuth:
    """How one channel lets people sign in. See :class:`~folkmoot.channels.kinds.Authorisation`.

    The account's ``settings`` hold ``client_id`` and its ``secrets`` may hold ``client_secret``.
    ``authorise_url`` and ``token_url`` give the addresses, which hang on the account's server.
    ``basic`` says whether a client with a secret names itself by HTTP Basic or in the form (RFC
    6749, section 2.3.1); one without a secret is named in the form. ``extra`` are further
    parameters of the authorise address. ``codes`` are rows of the channel's own beside
    :data:`TABLE`, and ``read_code`` finds, from an error and its description, a more telling code.
    ``check`` looks, before the tokens are kept, whether it is the right account that signed in, and
    raises :class:`CannotConnect` if not.
    """

    title: str
    authorise_url: Callable[[Connected], str]
    token_url: Callable[[Connected], str]
    scopes: tuple[str, ...]
    basic: bool = True
    pkce: bool = True
    extra: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, Reason] = field(default_factory=dict)
    read_code: Callable[[str, str], str | None] | None = None
    check: Callable[[Connected, Grant], None] | None = None

    def begin(self, account: Connected, *, redirect_uri: str, state: str, challenge: str) -> str:
        """See :class:`~folkmoot.channels.kinds.Authorisation`."""
        asked = {
            "response_type": "code",
            "client_id": _get_client_id(account),
            "redirect_uri": redirect_uri,
            "scope": " ".join(self.scopes),
            "state": state,
        }
        if self.pkce:
            asked |= {"code_challenge": challenge, "code_challenge_method": "S256"}
        # A space is %20 and not +, which some pages take for a plus.
        return (
            f"{self.authorise_url(account)}?{urlencode({**asked, **self.extra}, quote_via=quote)}"
        )

    def finish(self, account: Connected, *, redirect_uri: str, code: str, verifier: str) -> None:
        """See :class:`~folkmoot.channels.kinds.Authorisation`."""
        _get_client_id(account)
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        if self.pkce:
            form["code_verifier"] = verifier
        try:
            grant = self._ask(account, form, (code, verifier), None)
        except CannotSignIn as fault:
            raise CannotConnect(fault.reason) from fault
        if not grant.access:
            raise CannotConnect(f"{self.title} answered without a token. Try again.")
        if self.check is not None:
            self.check(account, grant)
        with account.tokens.alone():
            account.tokens.save(grant.to_tokens())

    def renew(self, account: Connected, spent: Grant) -> Grant:
        """A new grant in place of ``spent``; only ever called by :class:`Grants`, under its lock.

        Raises :class:`CannotSignIn`.
        """
        if not spent.refresh:
            raise CannotSignIn(f"The sign-in at {self.title} has run out. {_AGAIN}", retry=False)
        form = {"grant_type": "refresh_token", "refresh_token": spent.refresh}
        return self._ask(account, form, (spent.refresh, spent.access), spent)

    def make_grants(self, account: Connected) -> Grants:
        """The account's grant and its renewal."""
        return Grants(
            account.tokens,
            lambda spent: self.renew(account, spent),
            missing=f"Nobody has signed in at {self.title} yet. {_AGAIN}",
        )

    def _ask(
        self,
        account: Connected,
        form: dict[str, str],
        shown: Sequence[str],
        spent: Grant | None,
    ) -> Grant:
        """Raises :class:`CannotSignIn`. ``shown`` is what the answer must not make us repeat."""
        client_id = account.settings.get("client_id", "").strip()
        client_secret = account.secrets.get("client_secret", "")
        headers = {}
        if client_secret and self.basic:
            pair = f"{quote(client_id, safe='')}:{quote(client_secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": client_id}
            form |= {"client_secret": client_secret} if client_secret else {}
        api = Api(
            account.outbound,
            title=self.title,
            find_error=self._find_error,
            table=self._explained(),
            secrets=lambda: (*shown, client_secret),
        )
        try:
            answer = api.ask("POST", self.token_url(account), form=form, headers=headers)
        except SaidNo as fault:
            raise CannotSignIn(fault.reason, retry=False) from fault
        except NoClearAnswer as fault:
            raise CannotSignIn(
                f"Signing in at {self.title} did not work out. {fault.reason}",
                retry=True,
                after_seconds=fault.after_seconds,
            ) from fault
        return _read_grant(answer.value, account.now(), spent)

    def _explained(self) -> Mapping[str, Reason]:
        return {
            code: Reason(row.meaning, row.sentence.format(title=self.title))
            for code, row in {**TABLE, **self.codes}.items()
        }

    def _find_error(self, status: int, value: Any) -> tuple[Sequence[str], str] | None:  # noqa: ARG002 - the form Api asks for
        error = value.get("error") if isinstance(value, dict) else None
        if not isinstance(error, str):
            return None
        said = str(value.get("error_description") or error)
        own = self.read_code(error, said) if self.read_code is not None else None
        return ((own, error) if own else (error,)), said


class SignedIn:
    """A channel's API, asked in the account's name.

    ``now`` is the time, for tokens that end soon. ``Api`` holds 401 and its like apart by
    :attr:`Meaning.SIGN_IN`.
    """

    def __init__(self, api: Api, grants: Grants, now: Callable[[], datetime]) -> None:
        self._api = api
        self._grants = grants
        self._now = now

    def ask(self, method: str, url: str, **what: Any) -> Answer:
        """As :meth:`Api.ask`, with the account's token; renewed once where it is not taken.

        A channel that does not take the token has not done what was asked, so asking again is
        still asking once. Raises :class:`SaidNo`, :class:`NoClearAnswer` and
        :class:`CannotSignIn`.
        """
        grant = self._grants.get(self._now())
        try:
            return self._api.ask(method, url, token=grant.access, **what)
        except SaidNo as fault:
            if fault.meaning is not Meaning.SIGN_IN:
                raise
        grant = self._grants.renew(grant)
        try:
            return self._api.ask(method, url, token=grant.access, **what)
        except SaidNo as fault:
            if fault.meaning is Meaning.SIGN_IN:
                raise CannotSignIn(fault.reason, retry=False) from fault
            raise

    def find_end(self) -> datetime | None:
        """When a person must sign in again, by the grant that is kept: when the whole sign-in
        ends, or the access token where nothing renews it; ``None`` where neither is known.
        """
        grant = self._grants.find()
        if grant is None:
            return None
        if grant.sign_in_ends_at is None and not grant.refresh:
            return grant.access_ends_at
        return grant.sign_in_ends_at


FAULTS = (CannotSignIn, SaidNo, NoClearAnswer)
"""What :meth:`SignedIn.ask` raises: each has a value in the port, given below."""


def as_not_prepared(fault: CannotSignIn | SaidNo | NoClearAnswer) -> NotPrepared:
    """Where it was asked ahead of publishing."""
    reason = f"{fault.reason} Nothing was published."
    if isinstance(fault, SaidNo):
        return NotPrepared(reason, retry=False)
    retry = fault.retry if isinstance(fault, CannotSignIn) else True
    return NotPrepared(reason, retry=retry, after_seconds=fault.after_seconds)


def as_unsent(fault: CannotSignIn | NoClearAnswer) -> Refused | Unconfirmed:
    """Where it was asked to publish. Without a sign-in it was not asked at all, or not let in."""
    if isinstance(fault, CannotSignIn) and not fault.retry:
        return Refused(fault.reason)
    return Unconfirmed(fault.reason, fault.after_seconds)


def as_unconfirmed(fault: CannotSignIn | SaidNo | NoClearAnswer) -> Unconfirmed:
    """Where it was asked what became of something."""
    return Unconfirmed(fault.reason, None if isinstance(fault, SaidNo) else fault.after_seconds)


def find_secrets(account: Connected) -> list[str]:
    """What must never be repeated of an account: its tokens and its secrets."""
    kept = account.tokens.find() or {}
    tokens = (kept.get("access", ""), kept.get("refresh", ""))
    return [secret for secret in (*tokens, *account.secrets.values()) if secret]


def _get_client_id(account: Connected) -> str:
    client_id = account.settings.get("client_id", "").strip()
    if not client_id:
        raise CannotConnect("Enter the client ID of your app.", "client_id")
    return client_id


def _read_grant(value: Any, now: datetime, spent: Grant | None) -> Grant:
    """The grant in an answer; its access token is empty where there is none (section 5.1)."""
    found = value if isinstance(value, dict) else {}
    access, refresh = (
        token if isinstance(token := found.get(name), str) else ""
        for name in ("access_token", "refresh_token")
    )
    sign_in_ends_at = _find_end(found.get("refresh_token_expires_in"), now)
    if sign_in_ends_at is None and spent is not None:
        sign_in_ends_at = spent.sign_in_ends_at
    return Grant(access, refresh, _find_end(found.get("expires_in"), now), sign_in_ends_at)


def _find_end(seconds: Any, now: datetime) -> datetime | None:
    # Some channels write the number as text. None or nothing means that it was not said.
    try:
        return now + timedelta(seconds=int(seconds))
    except (TypeError, ValueError, OverflowError):
        return None
