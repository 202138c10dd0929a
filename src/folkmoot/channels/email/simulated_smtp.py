"""A mail server on loopback that takes e-mails for anybody and delivers none, with faults.

It shares faults and store with the other simulated channels. An e-mail is a post: its subject is
the text, its Message-ID the key, and ``extra`` has ``to``, ``sender`` and the whole ``message``.
The occasions are SIGN_IN (AUTH), UPLOAD (RCPT, the address) and PUBLISH (the end of DATA):

* ``LOSE_ANSWER`` takes it and breaks off; ``DROP`` breaks off; ``SLOW`` takes it and waits;
* ``TWICE`` takes it twice; ``RUBBISH`` and ``BROKEN_AFTER`` take it and answer with nonsense;
* ``REFUSE``, ``REVOKED`` and ``EXPIRED`` say no for good (5xx);
* ``TOO_MANY``, ``TOO_MANY_WAIT`` and ``BROKEN_BEFORE`` say come again later (4xx).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from email import message_from_bytes
from email.policy import SMTP as POLICY
from typing import Any, Self

from folkmoot.channels.simulator.faults import Fault, Faults, Occasion, Strike
from folkmoot.channels.simulator.store import Store

_NO = frozenset({Fault.REFUSE, Fault.REVOKED, Fault.EXPIRED})
_LATER = frozenset({Fault.TOO_MANY, Fault.TOO_MANY_WAIT, Fault.BROKEN_BEFORE})
_NOT_TAKEN = _NO | _LATER | {Fault.DROP}


class SimulatedSmtp:
    """A mail server on 127.0.0.1. Use as a context manager, or start and stop it.

    ``port`` 0 takes a free one. ``tls`` makes it offer STARTTLS; ``user`` and ``password`` make it
    ask for them. Raises :class:`ImportError` where ``aiosmtpd`` is not installed.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        seed: int = 0,
        store: Store | None = None,
        faults: Faults | None = None,
        tls: ssl.SSLContext | None = None,
        user: str = "",
        password: str = "",
    ) -> None:
        from aiosmtpd.smtp import SMTP

        self.store = store or Store()
        self.faults = faults or Faults(seed=seed)
        self.connections = 0
        options: dict[str, Any] = {}
        if user:
            options = {"authenticator": self._let_in, "auth_require_tls": tls is not None}
        self._known = (user.encode(), password.encode())
        listening = socket.create_server(("127.0.0.1", port))
        self.port: int = listening.getsockname()[1]
        self.allow = f"127.0.0.1:{self.port}"
        """As internal servers are named."""
        self._listening = listening
        self._make = lambda: SMTP(self, hostname="localhost", tls_context=tls, **options)
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Answer, in a thread of its own."""

        async def begin() -> None:
            self._server = await self._loop.create_server(self._make, sock=self._listening)

        self._thread.start()
        asyncio.run_coroutine_threadsafe(begin(), self._loop).result(10)

    def stop(self) -> None:
        """Answer no more."""

        async def end() -> None:
            if self._server is not None:
                self._server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for one in others:
                one.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self,
        server: Any,  # noqa: ARG002
        session: Any,
        envelope: Any,  # noqa: ARG002
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        """Greet."""
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802
        self,
        server: Any,  # noqa: ARG002
        session: Any,
        envelope: Any,
        address: str,
        options: list[str],  # noqa: ARG002
    ) -> str:
        """Take a sender, once whoever sends has signed in."""
        if self._known[0] and not session.authenticated:
            return "530 5.7.0 sign in first"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self,
        server: Any,  # noqa: ARG002
        session: Any,  # noqa: ARG002
        envelope: Any,
        address: str,
        options: list[str],  # noqa: ARG002
    ) -> str:
        """Take an address, or not."""
        strike = self.faults.next_strike(Occasion.UPLOAD)
        fault = strike.fault if strike else None
        if fault in _NO:
            return f"550 5.1.1 <{address}>: nobody here has this address"
        if fault in _LATER:
            return f"450 4.2.1 <{address}>: come again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self,
        server: Any,
        session: Any,  # noqa: ARG002
        envelope: Any,
    ) -> str:
        """Take an e-mail, or not, and say so, or not."""
        strike = self.faults.next_strike(Occasion.PUBLISH) or Strike(Fault.SLOW, 0.0)
        fault = strike.fault
        if fault in _NO:
            return "554 5.7.1 not taken"
        if fault in _LATER:
            return "451 4.3.0 come again later"
        times = 0 if fault in _NOT_TAKEN else 2 if fault is Fault.TWICE else 1
        for _ in range(times):
            self._keep(envelope)
        if fault in (Fault.LOSE_ANSWER, Fault.DROP):
            server.transport.abort()
        if fault is Fault.SLOW:
            await asyncio.sleep(strike.seconds)
        if fault in (Fault.RUBBISH, Fault.BROKEN_AFTER):
            return "999 well"
        return f"250 2.0.0 Ok: queued as {self.store.next_id()}"

    def list_to(self, address: str) -> list[bytes]:
        """The e-mails that were taken for ``address``, in order."""
        return [
            post.extra["message"]
            for post in self.store.list_all()
            if address in post.extra.get("to", ())
        ]

    def _keep(self, envelope: Any) -> None:
        message = message_from_bytes(envelope.content, policy=POLICY)
        self.store.add_post(
            str(message["Subject"]),
            key=str(message["Message-ID"]),
            extra={
                "to": tuple(envelope.rcpt_tos),
                "sender": envelope.mail_from,
                "message": envelope.content,
            },
        )

    def _let_in(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:  # noqa: ARG002
        from aiosmtpd.smtp import AuthResult

        strike = self.faults.next_strike(Occasion.SIGN_IN)
        known = (data.login, data.password) == self._known
        return AuthResult(success=known and strike is None, handled=False)
