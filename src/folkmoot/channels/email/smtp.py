"""Handing e-mails to a mail server (SMTP, RFC 5321), knowing at each step what it can have taken.

A server has taken an e-mail once it says 250 to the dot that ends it, and has not before that dot
was sent. So what fails before the dot may be tried again; a clear no after it is a no; and a
connection lost, or silence, after it leaves us unsure. SMTP has no question for that.

A server is reached as other servers are: its name is looked up once, every address must be public,
and the connection is encrypted and its certificate checked (RFC 8314, RFC 3207). A relay of one's
own is named, with its port, in ``allow``; it may stand anywhere, and may be plain.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from folkmoot.channels.addresses import find_refusal
from folkmoot.channels.email.conversation import (
    Conversation,
    clean_reply,
    is_later,
    is_no,
    is_yes,
    stuff,
)
from folkmoot.channels.email.letter import Letter
from folkmoot.channels.email.message import write_message
from folkmoot.channels.email.transport import (
    Handed,
    NotNow,
    NotTaken,
    NotThere,
    Unsure,
)
from folkmoot.channels.line import Resolver, resolve_by_system, resolve_within

PORTS = (587, 465, 25, 2525)
"""The ports on which a public mail server is asked: others are not mail servers."""
_TLS_FROM_THE_START = 465
_MOST_ON_ONE_CONNECTION = 100
_READY = 220
_GO_AHEAD = 354
_CLOSING = 421
_QUEUED_AS = re.compile(r"queued as ([A-Za-z0-9.-]{3,60})", re.IGNORECASE)
# RFC 3463: X.1 is about the address and X.2 about the mailbox; X.7 is about whether we may write.
_ENHANCED = re.compile(r"[245]\.([0-9]{1,3})\.[0-9]{1,3}\b")
_ABOUT_ADDRESS = frozenset({"1", "2"})


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """A mail server, and the address e-mails come from. ``user`` is empty where nobody signs in."""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)


class Smtp:
    """A :class:`~folkmoot.channels.email.transport.Transport` to one server.

    One connection serves many letters. ``allow`` names internal servers as ``host:port``.
    ``connect_seconds`` is for connecting and signing in, ``letter_seconds`` for one letter up to
    its end and ``answer_seconds`` for the answer to its end: shorter than RFC 5321 would have it
    (10 minutes), because others wait for their turn. ``tls``, ``resolve`` and ``name`` (what we
    greet with) are for tests and for odd networks. ``per_minute`` is how many letters the server is
    to be given.
    """

    can_find = False

    def __init__(
        self,
        server: SmtpServer,
        *,
        per_minute: int = 600,
        allow: Iterable[str] = (),
        connect_seconds: float = 15.0,
        letter_seconds: float = 20.0,
        answer_seconds: float = 40.0,
        tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
        resolve: Resolver = resolve_by_system,
        name: str = "",
    ) -> None:
        self.per_minute = per_minute
        self._server = server
        self._own = f"{server.host}:{server.port}".lower() in {one.lower() for one in allow}
        self._connect_seconds = connect_seconds
        self._letter_seconds = letter_seconds
        self._answer_seconds = answer_seconds
        self._make_tls = tls
        self._resolve = resolve
        self._name = name
        self._line: Conversation | None = None
        self._taken = 0

    def hand_over(self, letter: Letter) -> Handed | NotTaken | NotNow | Unsure:
        """See :class:`~folkmoot.channels.email.transport.Transport`."""
        try:
            message = write_message(letter, sender=self._server.sender)
        except ValueError as wrong:
            return NotTaken(f"This e-mail cannot be written: {wrong}.")
        # A server may close a connection that was idle. That is found out on the first word, when
        # nothing has been taken, and a new one is tried once.
        for fresh in (self._line is None, True):
            try:
                line = self._line or self._connect()
            except _Closed as closed:
                return NotNow(closed.reason, closed.after_seconds, for_all=True)
            try:
                outcome = self._converse(line, letter.to, message)
            except (OSError, smtplib.SMTPException):
                self._drop()
                if not fresh:
                    continue
                return NotNow(
                    f"The connection to {self._server.host} broke off before the e-mail was"
                    " handed over. It is tried again.",
                    for_all=True,
                )
            return outcome
        raise AssertionError("the second round always answers")

    def find(self, reference: str) -> Handed | NotThere | Unsure:  # noqa: ARG002
        """See :class:`~folkmoot.channels.email.transport.Transport`. Never knows."""
        return Unsure(
            "A mail server cannot be asked what became of an e-mail. Look for its Message-ID in"
            " the server's own log."
        )

    def diagnose(self) -> str | None:
        """See :class:`~folkmoot.channels.email.transport.Transport`."""
        try:
            line = self._line or self._connect()
            with line.within(self._letter_seconds):
                code, said = line.mail(self._server.sender)
                self._reset(line)
        except _Closed as closed:
            return closed.reason
        except (OSError, smtplib.SMTPException):
            self._drop()
            return f"The connection to {self._server.host} broke off. Try again in a while."
        if not is_yes(code):
            return (
                f"{self._server.host} does not take e-mails from {self._server.sender}"
                f" ({clean_reply(said)}). Use an address that this server may send for."
            )
        return None

    def close(self) -> None:
        """See :class:`~folkmoot.channels.email.transport.Transport`."""
        if self._line is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException), self._line.within(2.0):
                self._line.quit()
        self._drop()

    def _converse(
        self, line: Conversation, to: str, message: bytes
    ) -> Handed | NotTaken | NotNow | Unsure:
        """One letter. Raises what the socket raises, only while nothing can have been taken."""
        host = self._server.host
        with line.within(self._letter_seconds):
            code, said = line.mail(self._server.sender)
            if code == _CLOSING:
                raise smtplib.SMTPServerDisconnected(clean_reply(said))
            if not is_yes(code):
                self._reset(line)
                return NotNow(
                    f"{host} takes nothing from {self._server.sender} ({clean_reply(said)}).",
                    600.0 if is_no(code) else 60.0,
                    for_all=True,
                )
            code, said = line.rcpt(to)
            if not is_yes(code):
                self._reset(line)
                return self._refusal(code, said, to, at_address=True)
            code, said = line.docmd("DATA")
            if code != _GO_AHEAD:
                self._reset(line)
                return self._refusal(code, said, to, at_address=False)
            line.send(stuff(message))
        return self._end(line, to)

    def _end(self, line: Conversation, to: str) -> Handed | NotTaken | NotNow | Unsure:
        """Send the dot that ends a letter, after which it may have been taken."""
        host = self._server.host
        try:
            with line.within(self._answer_seconds):
                line.send(b".\r\n")
                code, said = line.getreply()
        except (OSError, smtplib.SMTPException):
            self._drop()
            return Unsure(
                f"{host} did not say whether it took the e-mail: the connection broke off, or"
                " there was no answer in time."
            )
        self._taken += 1
        if self._taken >= _MOST_ON_ONE_CONNECTION:
            self.close()
        if is_yes(code):
            queued = _QUEUED_AS.search(said.decode("utf-8", "replace"))
            return Handed(queued[1] if queued else "")
        if not is_no(code) and not is_later(code):
            self._drop()
            return Unsure(f"{host} gave an answer that is none ({code}).")
        return self._refusal(code, said, to, at_address=False)

    def _refusal(self, code: int, said: bytes, to: str, *, at_address: bool) -> NotTaken | NotNow:
        words = clean_reply(said, to)
        if code == _CLOSING:
            self._drop()
        if not is_no(code):
            return NotNow(
                f"{self._server.host} asked us to come again later ({words}).",
                300.0,
                for_all=code == _CLOSING,
            )
        kind = _ENHANCED.search(said.decode("utf-8", "replace"))
        about = at_address and (kind is None or kind[1] in _ABOUT_ADDRESS)
        return NotTaken(f"{self._server.host} refused it ({words}).", about_address=about)

    def _connect(self) -> Conversation:
        """A conversation that letters may begin in. Raises :class:`_Closed`."""
        host, port = self._server.host, self._server.port
        until = time.monotonic() + self._connect_seconds
        if not self._own and port not in PORTS:
            raise _Closed(
                f"{host} is not asked on port {port}: use 587 or 465. If it is a relay of your"
                " own, have it added to the allowed internal servers.",
                600.0,
            )
        addresses = self._find_addresses(until)
        try:
            line = self._open(addresses, until)
        except ssl.SSLCertVerificationError as wrong:
            raise _Closed(
                f"The certificate of {host} is wrong ({wrong.verify_message}). Nothing is sent"
                " there.",
                600.0,
            ) from wrong
        except (OSError, smtplib.SMTPException) as fault:
            raise _Closed(f"No connection to {host} could be made. It is tried again.") from fault
        try:
            with line.within(until - time.monotonic()):
                self._greet(line)
        except BaseException as fault:
            line.close()
            if isinstance(fault, OSError | smtplib.SMTPException):
                raise _Closed(
                    f"{host} did not let us begin: the connection broke off. It is tried again."
                ) from fault
            raise
        self._line, self._taken = line, 0
        return line

    def _find_addresses(self, until: float) -> list[str]:
        host, port = self._server.host, self._server.port
        try:
            found = resolve_within(until - time.monotonic(), self._resolve, host, port)
        except (TimeoutError, OSError) as fault:
            raise _Closed(f"There is no server called {host}, or nobody says where.") from fault
        for address in found:
            if not self._own and (refusal := find_refusal(address)):
                raise _Closed(
                    f"{host} is not asked: {refusal}. If it is a relay of your own, have it added"
                    " to the allowed internal servers.",
                    600.0,
                )
        if not found:
            raise _Closed(f"There is no server called {host}.")
        return found

    def _open(self, addresses: list[str], until: float) -> Conversation:
        host, port = self._server.host, self._server.port
        faults: list[OSError] = []
        for address in addresses[:4]:
            try:
                plain = socket.create_connection(
                    (address, port), timeout=max(until - time.monotonic(), 0.01)
                )
            except OSError as fault:
                faults.append(fault)
                continue
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            tls = self._make_tls() if port == _TLS_FROM_THE_START else None
            return Conversation(
                plain, host, tls=tls, name=self._name, seconds=max(until - time.monotonic(), 0.01)
            )
        raise faults[-1]

    def _greet(self, line: Conversation) -> None:
        """Greet, encrypt and sign in. Raises :class:`_Closed` and what the socket raises."""
        host = self._server.host
        code, said = line.ehlo()
        if not is_yes(code):
            raise _Closed(f"{host} does not speak with us ({clean_reply(said)}).")
        encrypted = self._server.port == _TLS_FROM_THE_START
        if not encrypted and line.has_extn("starttls"):
            try:
                code, said = line.starttls(context=self._make_tls())
            except ssl.SSLCertVerificationError as wrong:
                raise _Closed(
                    f"The certificate of {host} is wrong ({wrong.verify_message}). Nothing is"
                    " sent there.",
                    600.0,
                ) from wrong
            encrypted = code == _READY
            if encrypted:
                line.ehlo()
        if not encrypted and not self._own:
            raise _Closed(
                f"{host} does not encrypt its connections, so nothing is sent there. Use a server"
                " that does.",
                600.0,
            )
        if self._server.user:
            try:
                line.login(self._server.user, self._server.password)
            except smtplib.SMTPAuthenticationError as wrong:
                passing = is_later(wrong.smtp_code)
                raise _Closed(
                    f"{host} does not let us sign in just now. It is tried again."
                    if passing
                    else f"{host} does not know this user and password. Put them right.",
                    60.0 if passing else 600.0,
                ) from wrong
            except smtplib.SMTPNotSupportedError as wrong:
                raise _Closed(
                    f"{host} has no way to sign in. Leave the user and password empty.", 600.0
                ) from wrong

    def _reset(self, line: Conversation) -> None:
        """Make room for the next letter. A server that leaves instead has answered all the same."""
        try:
            line.rset()
        except (OSError, smtplib.SMTPException):
            self._drop()

    def _drop(self) -> None:
        if self._line is not None:
            self._line.close()
        self._line = None


class _Closed(Exception):
    """No letter can be handed over at all just now."""

    def __init__(self, reason: str, after_seconds: float = 60.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_seconds = after_seconds
