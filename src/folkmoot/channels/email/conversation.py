"""A conversation with a mail server that ends in time, whatever the server does."""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from threading import Timer

_SAID_LENGTH = 200


class Conversation(smtplib.SMTP):
    """SMTP over a socket that is connected already, and shut when its time is up.

    A time-out of the socket begins anew with each byte; a server that drips would never end.
    """

    def __init__(
        self,
        connected: socket.socket,
        host: str,
        *,
        tls: ssl.SSLContext | None,
        name: str,
        seconds: float,
    ) -> None:
        self._connected = connected
        self._encryption = tls
        # A second handle on the connection, which stays good when encryption takes over the first.
        self._handle = connected.dup()
        try:
            connected.settimeout(seconds)
            with self._shut_after(seconds):
                super().__init__(host, local_hostname=name or _greeting(connected), timeout=seconds)
        except BaseException:
            connected.close()
            self._handle.close()
            raise

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # noqa: ARG002
        if self._encryption is None:
            return self._connected
        return self._encryption.wrap_socket(self._connected, server_hostname=host)

    def close(self) -> None:
        """Close the connection."""
        super().close()
        self._handle.close()

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Whatever is done inside ends after ``seconds``, with an :class:`OSError` if need be."""
        left = max(seconds, 0.01)
        if self.sock is not None:
            self.sock.settimeout(left)
        with self._shut_after(left):
            yield

    @contextlib.contextmanager
    def _shut_after(self, seconds: float) -> Iterator[None]:
        def shut() -> None:
            with contextlib.suppress(OSError):  # it is closed already
                self._handle.shutdown(socket.SHUT_RDWR)

        timer = Timer(seconds, shut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _greeting(connected: socket.socket) -> str:
    """What a host without a name of its own greets with (RFC 5321, section 4.1.3)."""
    address = str(connected.getsockname()[0])
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def stuff(message: bytes) -> bytes:
    """``message`` as DATA carries it (RFC 5321, section 4.5.2), without the dot that ends it."""
    body = re.sub(rb"(?m)^\.", b"..", message)
    return body if body.endswith(b"\r\n") else body + b"\r\n"


def is_yes(code: int) -> bool:
    """Whether a reply says that it was done (RFC 5321, section 4.2.1)."""
    return 200 <= code < 300  # noqa: PLR2004


def is_later(code: int) -> bool:
    """Whether a reply says that it was not done now, and may be later."""
    return 400 <= code < 500  # noqa: PLR2004


def is_no(code: int) -> bool:
    """Whether a reply says that it was not done and will not be."""
    return 500 <= code < 600  # noqa: PLR2004


def clean_reply(said: bytes, to: str = "") -> str:
    """What a server said, short, on one line, and without the address it was about."""
    text = "".join(one if one.isprintable() else " " for one in said.decode("utf-8", "replace"))
    if to:
        text = re.sub(re.escape(to), "…", text, flags=re.IGNORECASE)
    return " ".join(text.split())[:_SAID_LENGTH].rstrip(".") or "no reason given"
