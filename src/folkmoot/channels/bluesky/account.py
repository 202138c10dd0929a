"""Being signed in: with what was kept, with a new token, or with the app password, in that order.

Signing in by password is what servers ration most, so it comes last. A new pair of tokens is saved
before it is used: the old refresh token is dead from that moment.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from folkmoot.channels.bluesky.answers import explain_sign_in, explain_status
from folkmoot.channels.bluesky.sessions import Session, Sessions
from folkmoot.channels.bluesky.xrpc import NoClearAnswer, SaidNo, Xrpc
from folkmoot.channels.outbound import Outbound

TOKEN_IS_OVER = frozenset({"ExpiredToken", "InvalidToken"})
_SERVER = re.compile(r"https?://[^\s/?#@]+")


@dataclass(frozen=True, slots=True)
class Password:
    """An app password that does not show itself."""

    value: str = field(repr=False)


class CannotSignIn(Exception):
    """Nobody is signed in. ``reason`` is a sentence; ``retry`` says whether it may pass."""

    def __init__(self, reason: str, *, retry: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry = retry


class Account:
    """One account on a server. Raises :class:`ValueError` where ``server`` is no web address."""

    def __init__(
        self,
        server: str,
        handle: str,
        password: Password,
        outbound: Outbound,
        sessions: Sessions,
    ) -> None:
        server = server.rstrip("/")
        if not _SERVER.fullmatch(server):
            raise ValueError(f"{server!r} is not a server's address, like https://bsky.social")
        self.handle = handle
        self.xrpc = Xrpc(outbound, self._secrets)
        self._server = server
        self._password = password
        self._sessions = sessions

    def find_session(self) -> Session | None:
        """The session kept for this handle, whether or not it is still good."""
        kept = self._sessions.find()
        return kept if kept is not None and kept.handle == self.handle else None

    def get_session(self) -> Session:
        """A session that was kept, or a new one; whether it is still good is not asked.

        Raises :class:`CannotSignIn`.
        """
        return self.find_session() or self._sign_in()

    def check_session(self) -> Session:
        """A session the server says is good, of an account that may post.

        Raises :class:`CannotSignIn`.
        """
        session = self.get_session()
        try:
            status = self._ask_status(session)
        except SaidNo:
            session = self.renew(session)
            try:
                status = self._ask_status(session)
            except SaidNo as fault:
                raise CannotSignIn(explain_sign_in(fault, self._server), retry=False) from fault
        if status is not None:
            raise CannotSignIn(status, retry=False)
        return session

    def renew(self, session: Session) -> Session:
        """A new session in place of one whose token is over. Raises :class:`CannotSignIn`."""
        try:
            answer = self.xrpc.procedure(
                session.server,
                "com.atproto.server.refreshSession",
                None,
                token=session.refresh_token,
            )
        except SaidNo:
            return self._sign_in()
        except NoClearAnswer as fault:
            raise self._silent(fault) from fault
        return self._keep(answer)

    def _ask_status(self, session: Session) -> str | None:
        try:
            answer = self.xrpc.query(
                session.server, "com.atproto.server.getSession", {}, token=session.access_token
            )
        except NoClearAnswer as fault:
            raise self._silent(fault) from fault
        if answer.get("did") != session.did:
            raise CannotSignIn(self._strange(), retry=True)
        return explain_status(answer)

    def _sign_in(self) -> Session:
        body = json.dumps({"identifier": self.handle, "password": self._password.value}).encode()
        try:
            answer = self.xrpc.procedure(self._server, "com.atproto.server.createSession", body)
        except SaidNo as fault:
            raise CannotSignIn(explain_sign_in(fault, self._server), retry=False) from fault
        except NoClearAnswer as fault:
            raise self._silent(fault) from fault
        return self._keep(answer)

    def _keep(self, answer: dict[str, Any]) -> Session:
        did, access, refresh = (answer.get(n) for n in ("did", "accessJwt", "refreshJwt"))
        # An empty token never takes the place of one that may still be good.
        if (
            not (isinstance(did, str) and did.startswith("did:"))
            or not (isinstance(access, str) and access)
            or not (isinstance(refresh, str) and refresh)
        ):
            raise CannotSignIn(self._strange(), retry=True)
        server = self._find_own_server(answer) or self._server
        session = Session(self.handle, did, server, access, refresh)
        self._sessions.save(session)
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
        if fault.strange:
            return CannotSignIn(self._strange(), retry=True)
        return CannotSignIn(
            f"{self._server} could not be used. {fault.reason} If this lasts, check the server's"
            " address.",
            retry=True,
        )

    def _strange(self) -> str:
        return (
            f"What answered at {self._server} does not speak as a Bluesky server does. Check the"
            " server's address; if it is right, its operator must look."
        )

    def _secrets(self) -> list[str]:
        kept = self._sessions.find()
        tokens = [kept.access_token, kept.refresh_token] if kept is not None else []
        return [secret for secret in (self._password.value, *tokens) if secret]
