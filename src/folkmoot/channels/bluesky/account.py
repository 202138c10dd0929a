"""Being signed in: with what was kept, with a new token, or with the app password, in that order.

Signing in by password is what servers ration most, so it comes last. A new pair of tokens is got by
one process at a time, and saved before it is used: the old refresh token is dead from that moment.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from folkmoot.channels.api import NoClearAnswer, SaidNo
from folkmoot.channels.bluesky.answers import explain_status, sign_in_table
from folkmoot.channels.bluesky.sessions import Session
from folkmoot.channels.bluesky.xrpc import Xrpc
from folkmoot.channels.outbound import Outbound
from folkmoot.channels.tokens import CannotSignIn, TokenStore

_SERVER = re.compile(r"https?://[^\s/?#@]+")


@dataclass(frozen=True, slots=True)
class Password:
    """An app password that does not show itself."""

    value: str = field(repr=False)


class Account:
    """One account on a server. Raises :class:`ValueError` where ``server`` is no web address."""

    def __init__(
        self,
        server: str,
        handle: str,
        password: Password,
        outbound: Outbound,
        tokens: TokenStore,
    ) -> None:
        server = server.rstrip("/")
        if not _SERVER.fullmatch(server):
            raise ValueError(f"{server!r} is not a server's address, like https://bsky.social")
        self.handle = handle
        self._door = Xrpc(outbound, sign_in_table(server), self.secrets)
        self._server = server
        self._password = password
        self._tokens = tokens

    def find_session(self) -> Session | None:
        """The session kept for this handle, whether or not it is still good."""
        try:
            kept = Session.from_tokens(self._tokens.find() or {})
        except ValueError:
            return None
        return kept if kept.handle == self.handle else None

    def get_session(self) -> Session:
        """A session that was kept, or a new one; whether it is still good is not asked.

        Raises :class:`~folkmoot.channels.tokens.CannotSignIn`.
        """
        kept = self.find_session()
        if kept is not None:
            return kept
        with self._tokens.alone():
            return self.find_session() or self._sign_in()

    def check_session(self) -> Session:
        """A session the server says is good, of an account that may post.

        Raises :class:`~folkmoot.channels.tokens.CannotSignIn`.
        """
        session = self.get_session()
        try:
            status = self._ask_status(session)
        except SaidNo:
            session = self.renew(session)
            try:
                status = self._ask_status(session)
            except SaidNo as fault:
                raise CannotSignIn(fault.reason, retry=False) from fault
        if status is not None:
            raise CannotSignIn(status, retry=False)
        return session

    def renew(self, spent: Session) -> Session:
        """A session in place of ``spent``, whose token is over.

        Raises :class:`~folkmoot.channels.tokens.CannotSignIn`.
        """
        with self._tokens.alone():
            kept = self.find_session() or spent
            if kept.access != spent.access:
                return kept  # somebody else renewed it while we waited
            try:
                answer = self._door.procedure(
                    kept.server, "com.atproto.server.refreshSession", None, token=kept.refresh
                )
            except SaidNo:
                return self._sign_in()
            except NoClearAnswer as fault:
                raise self._silent(fault) from fault
            return self._keep(answer, kept.server)

    def secrets(self) -> list[str]:
        """What must never be shown."""
        kept = self._tokens.find() or {}
        known = (self._password.value, kept.get("access"), kept.get("refresh"))
        return [secret for secret in known if secret]

    def _ask_status(self, session: Session) -> str | None:
        try:
            answer = self._door.query(
                session.server, "com.atproto.server.getSession", {}, token=session.access
            )
        except NoClearAnswer as fault:
            raise self._silent(fault) from fault
        if answer.get("did") != session.did:
            raise CannotSignIn(self._strange(), retry=True)
        return explain_status(answer)

    def _sign_in(self) -> Session:
        body = json.dumps({"identifier": self.handle, "password": self._password.value}).encode()
        try:
            answer = self._door.procedure(self._server, "com.atproto.server.createSession", body)
        except SaidNo as fault:
            raise CannotSignIn(fault.reason, retry=False) from fault
        except NoClearAnswer as fault:
            raise self._silent(fault) from fault
        return self._keep(answer, self._server)

    def _keep(self, answer: dict[str, Any], asked: str) -> Session:
        did, access, refresh = (answer.get(n) for n in ("did", "accessJwt", "refreshJwt"))
        # An empty token never takes the place of one that may still be good.
        if (
            not (isinstance(did, str) and did.startswith("did:"))
            or not (isinstance(access, str) and access)
            or not (isinstance(refresh, str) and refresh)
        ):
            raise CannotSignIn(self._strange(), retry=True)
        server = self._find_own_server(answer) or asked
        session = Session(self.handle, did, server, access, refresh)
        self._tokens.save(session.to_tokens())
        return session

    def _find_own_server(self, answer: dict[str, Any]) -> str | None:
        """The server the account's identity names, where sign-in is at a front door for many.

        Only that server can say that a post is *not* there. One on plain http is one of our own,
        named by hand, and stays as it was named.
        """
        document = answer.get("didDoc")
        services = document.get("service") if isinstance(document, dict) else None
        for service in services if isinstance(services, list) else []:
            if isinstance(service, dict) and str(service.get("id", "")).endswith("#atproto_pds"):
                place = str(service.get("serviceEndpoint", "")).rstrip("/")
                if _SERVER.fullmatch(place) and place.startswith("https://"):
                    return place
        return None

    def _silent(self, fault: NoClearAnswer) -> CannotSignIn:
        reason = (
            self._strange()
            if fault.strange
            else f"{self._server} could not be used. {fault.reason} If this lasts, check the"
            " server's address."
        )
        return CannotSignIn(reason, retry=True, after_seconds=fault.after_seconds)

    def _strange(self) -> str:
        return (
            f"What answered at {self._server} does not speak as a Bluesky server does. Check the"
            " server's address; if it is right, its operator must look."
        )
