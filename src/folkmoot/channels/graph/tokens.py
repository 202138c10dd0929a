"""Access tokens of Meta's that somebody typed in: when they end, and renewing them in time.

Instagram's and Threads' long-lived tokens live 60 days and can be renewed from 24 hours old until
they end, for 60 days more ("Refresh Access Token", "Long-Lived Access Tokens"). A page's token
mostly has no end and is never renewed; a person makes another.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

from folkmoot.channels.api import Api, NoClearAnswer, SaidNo
from folkmoot.channels.kinds import Connected
from folkmoot.channels.tokens import CannotSignIn, Grant, Grants

_RENEW_AHEAD = timedelta(days=7)
_FRESH_ENOUGH = timedelta(days=50)


class Token:
    """The access token of one account.

    ``grant_type`` is what the channel calls renewing it; empty where it cannot be.
    """

    def __init__(self, account: Connected, api: Api, *, title: str, grant_type: str = "") -> None:
        self._account = account
        self._api = api
        self._title = title
        self._grant_type = grant_type
        self._grants = Grants(
            account.tokens,
            self._ask_anew,
            missing=f"{title} has no access token. Connect the account again.",
        )

    def get(self) -> str:
        """A token to be used now. Renews it when its end is near; where that fails and the old one
        still holds, the old one is given. Raises :class:`CannotSignIn`.
        """
        grant = self._current()
        now = self._account.now()
        if self._grant_type and _ends_within(grant, now, _RENEW_AHEAD):
            try:
                grant = self._grants.renew(grant)
            except CannotSignIn:
                if _ends_within(grant, now, timedelta()):
                    raise
        return grant.access

    def renew(self, spent: str, reason: str) -> str:
        """A token in place of ``spent``, which was not taken for ``reason``, a sentence. Raises
        :class:`CannotSignIn`.
        """
        grant = self._current()
        if grant.access == spent:
            if not self._grant_type:
                raise CannotSignIn(reason, retry=False)
            try:
                grant = self._grants.renew(grant)
            except CannotSignIn as fault:
                raise fault if fault.retry else CannotSignIn(reason, retry=False) from fault
        return grant.access

    def freshen(self) -> None:
        """Renew the token if its end is not known, or not far off; be content with it if not."""
        grant = self._current()
        unknown = grant.access_ends_at is None
        if self._grant_type and (
            unknown or _ends_within(grant, self._account.now(), _FRESH_ENOUGH)
        ):
            try:
                self._grants.renew(grant)
            except CannotSignIn:
                return  # younger than a day, most likely; whether it is taken at all is seen anyway

    def note_end(self, ends_at: datetime | None) -> None:
        """Remember what the channel said about when the sign-in ends."""
        grant = self._current()
        if grant.sign_in_ends_at != ends_at:
            self._account.tokens.save(replace(grant, sign_in_ends_at=ends_at).to_tokens())

    def ends_at(self) -> datetime | None:
        """When the sign-in ends unless somebody acts, as far as is known."""
        grant = self._grants.find()
        if grant is None or grant.refresh != self._seed():
            return None
        return grant.sign_in_ends_at

    def secrets(self) -> list[str]:
        """What must never be shown."""
        grant = self._grants.find()
        kept = [grant.access] if grant is not None else []
        return [one for one in (self._account.secrets.get("token", ""), *kept) if one]

    def _seed(self) -> str:
        # What is kept names the typed token it comes from, so that one typed later replaces it.
        typed = self._account.secrets.get("token", "")
        return hashlib.sha256(typed.encode()).hexdigest()[:16]

    def _current(self) -> Grant:
        grant = self._grants.find()
        if grant is not None and grant.refresh == self._seed():
            return grant
        typed = self._account.secrets.get("token", "").strip()
        if not typed:
            raise CannotSignIn(
                f"{self._title} has no access token. Connect the account again.", retry=False
            )
        grant = Grant(typed, self._seed())
        with self._account.tokens.alone():
            self._account.tokens.save(grant.to_tokens())
        return grant

    def _ask_anew(self, grant: Grant) -> Grant:
        try:
            value = self._api.ask(
                "GET",
                f"{self._account.server}/refresh_access_token",
                params={"grant_type": self._grant_type, "access_token": grant.access},
            ).value
        except SaidNo as fault:
            raise CannotSignIn(fault.reason, retry=False) from fault
        except NoClearAnswer as fault:
            raise CannotSignIn(
                fault.reason, retry=True, after_seconds=fault.after_seconds
            ) from fault
        answer = value if isinstance(value, dict) else {}
        access, seconds = answer.get("access_token"), answer.get("expires_in")
        ends_at = None
        if isinstance(seconds, int) and not isinstance(seconds, bool):
            ends_at = self._account.now() + timedelta(seconds=seconds)
        return Grant(access if isinstance(access, str) else "", grant.refresh, ends_at, ends_at)


def _ends_within(grant: Grant, now: datetime, span: timedelta) -> bool:
    return grant.access_ends_at is not None and grant.access_ends_at - now <= span
