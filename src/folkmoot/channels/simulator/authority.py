"""A simulated OAuth 2.0 server: a page that says yes at once, and tokens that end as real ones do.

Codes and refresh tokens are good for one use (where ``rotates``), and a code asks for the verifier
of its S256 challenge (RFC 7636, section 4.6). A channel's simulated API holds one, and asks it
about the token of each request.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

from folkmoot.channels.simulator.http import Asked, Said, say
from folkmoot.channels.tokens import Grant

CLIENT_ID = "folkmoot-practice"
CLIENT_SECRET = "practice-secret"  # noqa: S105 - opens nothing but the simulator


@dataclass(slots=True)
class _Issued:
    ends_at: datetime | None
    dead: bool = False


@dataclass(slots=True)
class Authority:
    """Codes and tokens of one simulated channel. Call it under the store's lock.

    ``access_seconds`` is how long an access token is good; ``refresh_seconds`` how long a sign-in
    is, 0 where there is no end to it; ``refreshes`` whether there are refresh tokens at all, and
    ``rotates`` whether each is good for one use. ``pkce`` says whether a challenge is asked for.
    ``say_no`` words an error of RFC 6749.
    """

    access_seconds: int
    refresh_seconds: int = 0
    refreshes: bool = True
    rotates: bool = True
    pkce: bool = True
    say_no: Callable[[str, str], Said] = lambda error, said: say(
        {"error": error, "error_description": said}, 401 if error == "invalid_client" else 400
    )
    _codes: dict[str, tuple[str, str]] = field(default_factory=dict)
    _access: dict[str, _Issued] = field(default_factory=dict, repr=False)
    _refresh: dict[str, _Issued] = field(default_factory=dict, repr=False)

    def authorise(self, asked: Asked) -> Said:
        """The page where a person says yes: they do, at once."""
        query = asked.query
        if query.get("client_id") != CLIENT_ID or "redirect_uri" not in query:
            return self.say_no("invalid_client", "There is no such client.")
        answer = {"state": query.get("state", "")}
        if self.pkce and query.get("code_challenge_method") != "S256":
            answer |= {"error": "invalid_request", "error_description": "S256 is asked for."}
        else:
            code = secrets.token_urlsafe(16)
            self._codes[code] = (query["redirect_uri"], query.get("code_challenge", ""))
            answer["code"] = code
        join = "&" if "?" in query["redirect_uri"] else "?"
        return Said(302, b"", {"Location": f"{query['redirect_uri']}{join}{urlencode(answer)}"})

    def exchange(self, asked: Asked, now: datetime) -> Said:
        """The token address."""
        form = asked.form()
        if _find_client(asked, form) not in ((CLIENT_ID, CLIENT_SECRET), (CLIENT_ID, "")):
            return self.say_no("invalid_client", "The client is not known.")
        if form.get("grant_type") == "authorization_code":
            return self._redeem(form, now)
        if form.get("grant_type") == "refresh_token":
            issued = self._refresh.get(form.get("refresh_token", ""))
            if issued is None or issued.dead or _is_over(issued, now):
                return self.say_no("invalid_grant", "The refresh token is not good.")
            issued.dead = self.rotates
            return self._issue(now, issued.ends_at, renewed=True)
        return self.say_no("unsupported_grant_type", "There is no such grant.")

    def sign_in(self, now: datetime) -> Grant:
        """Tokens as if somebody had said yes on the page: a short way for tests."""
        return self._make(now, None)

    def is_good(self, token: str, now: datetime) -> bool:
        """Whether an access token still opens the API."""
        issued = self._access.get(token)
        return issued is not None and not issued.dead and not _is_over(issued, now)

    def expire(self, token: str) -> None:
        """End one access token; it can be renewed."""
        if token in self._access:
            self._access[token].dead = True

    def revoke_all(self) -> None:
        """End everything, until somebody signs in again."""
        for issued in (*self._access.values(), *self._refresh.values()):
            issued.dead = True

    def _redeem(self, form: dict[str, str], now: datetime) -> Said:
        redirect_uri, challenge = self._codes.pop(form.get("code", ""), ("", ""))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        shown = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if not redirect_uri or redirect_uri != form.get("redirect_uri"):
            return self.say_no("invalid_grant", "The code is not good.")
        if self.pkce and shown != challenge:
            return self.say_no("invalid_grant", "The verifier does not fit the challenge.")
        return self._issue(now, None)

    def _issue(self, now: datetime, ends_at: datetime | None, *, renewed: bool = False) -> Said:
        grant = self._make(now, ends_at)
        answer: dict[str, object] = {
            "access_token": grant.access,
            "token_type": "bearer",
            "expires_in": self.access_seconds,
        }
        if grant.refresh and (self.rotates or not renewed):
            answer["refresh_token"] = grant.refresh
        if grant.sign_in_ends_at is not None:
            answer["refresh_token_expires_in"] = int((grant.sign_in_ends_at - now).total_seconds())
        return say(answer)

    def _make(self, now: datetime, ends_at: datetime | None) -> Grant:
        access_ends_at = now + timedelta(seconds=self.access_seconds)
        if ends_at is None and self.refreshes and self.refresh_seconds:
            ends_at = now + timedelta(seconds=self.refresh_seconds)
        access = secrets.token_urlsafe(24)
        refresh = secrets.token_urlsafe(24) if self.refreshes else ""
        self._access[access] = _Issued(access_ends_at)
        if refresh:
            self._refresh[refresh] = _Issued(ends_at)
        return Grant(access, refresh, access_ends_at, ends_at)


def _is_over(issued: _Issued, now: datetime) -> bool:
    return issued.ends_at is not None and issued.ends_at <= now


def _find_client(asked: Asked, form: dict[str, str]) -> tuple[str, str]:
    kind, _, pair = asked.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        client_id, _, secret = base64.b64decode(pair).decode().partition(":")
        return client_id, secret
    return form.get("client_id", ""), form.get("client_secret", "")
