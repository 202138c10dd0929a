"""The one way out: every HTTP request Folkmoot makes to somebody else's server goes through here.

A server's name is resolved once, every address it gives must be public (:mod:`.addresses`), and
the connection is made to one of exactly those, so a name that changes its answer between the check
and the connection gains nothing. Each redirect is a new request, checked from the start. The
deadline is kept on every read and write of the socket (:mod:`.line`): a server that drips a byte a
second, in its headers or its body, is left when the time is up.

An organisation's own servers stand on no public address. They are named one by one, with their
port, in ``allow``; for these alone, plain ``http`` and any address are taken.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx

from folkmoot.channels.addresses import find_refusal
from folkmoot.channels.captures import offer
from folkmoot.channels.line import Line, LineTransport, Resolver, resolve_by_system, resolve_within

MOST_REDIRECTS = 3
_PORTS = {"https": 443, "http": 80}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_READS = frozenset({"GET", "HEAD"})
# What a URL may be made of, and the hosts it may name: a plain name, IPv4, or IPv6 in brackets.
# All the other ways of writing a host (a user before an @, a backslash, full-width digits, a zone)
# are read differently by different programs, so they are read by none.
_URL = re.compile(r"[!-\[\]-~]+")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_HOST = re.compile(r"(?P<name>[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?)|\[(?P<ipv6>[0-9a-f:.]+)\]")


@dataclass(frozen=True, slots=True)
class Response:
    """What a server answered: ``headers`` by lower-case name, and the whole ``body``.

    The body stays out of the ``repr``, for it may hold a token.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class OutboundError(Exception):
    """There is no answer to work with. ``reason`` is a sentence without anything secret.

    ``sent`` is ``False`` only where no byte of the request can have reached a server.
    """

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a request goes, as this module alone has read it. ``host`` keeps IPv6's brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}{self.path}"

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port


_END: ContextVar[float | None] = ContextVar("end", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Everything that is asked inside this block, by whichever client, ends within ``seconds``, and
    what would begin later is not begun: for a send that must not outlast its lease.
    """
    before = _END.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _END.reset(before)


def seconds_left() -> float | None:
    """How long the block of :func:`within` around the caller still has, never below 0; ``None``
    outside of any.
    """
    end = _END.get()
    return None if end is None else max(0.0, end - time.monotonic())


class Outbound:
    """A client for other people's servers. May be shared by threads.

    ``allow`` names internal servers as ``host:port``. ``timeout_seconds`` is for a whole
    :meth:`request`, redirects included; ``max_bytes`` is for one answer's body. ``resolve`` and
    ``clock`` (seconds, never running backwards) are for tests. Raises :class:`ValueError` where an
    entry of ``allow`` is not ``host:port``.
    """

    def __init__(
        self,
        *,
        allow: Iterable[str] = (),
        timeout_seconds: float = 20.0,
        max_bytes: int = 2_000_000,
        resolve: Resolver = resolve_by_system,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._allow = frozenset(_read_allowed(entry) for entry in allow)
        self._timeout_seconds = timeout_seconds
        self._max_bytes = max_bytes
        self._resolve = resolve
        self._clock = clock
        self._tls: ssl.SSLContext | None = None

    def allows(self, host: str, port: int) -> bool:
        """Whether this is one of the internal servers that are named."""
        return (host.lower(), port) in self._allow

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Response:
        """Ask once, and give the whole answer, whatever its status.

        Up to three redirects are followed for GET and HEAD, each checked as if it were asked for,
        and the caller's headers go no further than the server they were meant for. A redirect of
        any other method is given back as the answer. Raises :class:`OutboundError`.
        """
        left = seconds_left()
        if left == 0:
            raise OutboundError("The time for this was over before it could be asked.", sent=False)
        allowed = self._timeout_seconds if left is None else min(self._timeout_seconds, left)
        deadline = self._clock() + allowed
        place = self._read_place(url, sent=False)
        carried = dict(headers or {})
        for _ in range(MOST_REDIRECTS + 1):
            response = self._ask(method, place, carried, body, deadline)
            offer(
                method=method,
                url=place.url,
                sent=carried,
                body=body,
                status=response.status,
                headers=response.headers,
                answer=response.body,
            )
            target = response.headers.get("location")
            if method not in _READS or response.status not in _REDIRECTS or target is None:
                return response
            found = self._read_place(urljoin(place.url, target), sent=True)
            if found.origin != place.origin:
                carried = {}
            place = found
        raise OutboundError(
            f"{place.host} sent us on more than {MOST_REDIRECTS} times; it was left there.",
            sent=True,
        )

    def _read_place(self, url: str, *, sent: bool) -> _Place:
        place = _find_place(url)
        if place is None:
            raise OutboundError("This is not an address of a web server we will ask.", sent=sent)
        if (place.host, place.port) in self._allow:
            return place
        if place.scheme != "https":
            raise OutboundError(
                f"{place.host} is asked over https or not at all; the address began with"
                f" {place.scheme}.",
                sent=sent,
            )
        if place.port != _PORTS["https"]:
            raise OutboundError(
                f"{place.host} is not asked on port {place.port}. If it is one of your own servers,"
                " add it to the allowed internal servers.",
                sent=sent,
            )
        return place

    def _ask(
        self,
        method: str,
        place: _Place,
        headers: Mapping[str, str],
        body: bytes | None,
        deadline: float,
    ) -> Response:
        addresses = self._get_addresses(place, deadline)
        line = Line(addresses, deadline, self._clock)
        try:
            with (
                httpx.Client(
                    transport=LineTransport(
                        line, self._get_tls() if place.scheme == "https" else None
                    ),
                    trust_env=False,
                    follow_redirects=False,
                    timeout=None,  # noqa: S113 - the line keeps one deadline for everything
                    headers={"User-Agent": "Folkmoot"},
                ) as client,
                client.stream(
                    method,
                    place.url,
                    headers={**headers, "Accept-Encoding": "identity", "Connection": "close"},
                    content=body,
                ) as answer,
            ):
                return self._read(answer, place.host)
        except httpcore.TimeoutException as fault:
            raise OutboundError(
                f"{place.host} did not answer within {self._timeout_seconds:g} seconds.",
                sent=line.wrote,
            ) from fault
        except httpcore.ConnectError as fault:
            raise OutboundError(
                f"No connection to {place.host} could be made: {fault}.", sent=line.wrote
            ) from fault
        except (httpcore.NetworkError, httpcore.ProtocolError) as fault:
            raise OutboundError(
                f"The connection to {place.host} broke off, or what came was not HTTP.",
                sent=line.wrote,
            ) from fault

    def _read(self, answer: httpx.Response, host: str) -> Response:
        if answer.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise OutboundError(
                f"{host} packed its answer although it was asked not to.", sent=True
            )
        body = bytearray()
        # Unsized: a sized read waits until it is full, which a dripping server never lets it be.
        for piece in answer.iter_raw():
            body += piece
            if len(body) > self._max_bytes:
                raise OutboundError(
                    f"{host} sent more than {self._max_bytes:,} bytes; it was left there.",
                    sent=True,
                )
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status_code, headers, bytes(body))

    def _get_addresses(self, place: _Place, deadline: float) -> list[str]:
        try:
            found = resolve_within(
                deadline - self._clock(), self._resolve, place.host.strip("[]"), place.port
            )
        except TimeoutError as fault:
            raise OutboundError(f"Looking up {place.host} took too long.", sent=False) from fault
        except OSError as fault:
            raise OutboundError(f"There is no server called {place.host}.", sent=False) from fault
        if not found:
            raise OutboundError(f"There is no server called {place.host}.", sent=False)
        if (place.host, place.port) not in self._allow:
            # All must be public: a name with one public and one inner address is an attack.
            for address in found:
                if refusal := find_refusal(address):
                    raise OutboundError(f"{place.host} is not asked: {refusal}.", sent=False)
        return found

    def _get_tls(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = httpx.create_ssl_context(trust_env=False)
        return self._tls


def _find_place(url: str) -> _Place | None:
    if not _URL.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or "@" in parts.netloc or port == 0:
        return None
    host = re.sub(r":[0-9]*\Z", "", parts.netloc).lower()
    if not _is_host(host):
        return None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Place(parts.scheme, host, port or _PORTS[parts.scheme], path)


def _is_host(host: str) -> bool:
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    if found["ipv6"]:
        return _is_address(found["ipv6"])
    # 127.1, 0177.0.0.1, 0x7f000001 and 2130706433 are all loopback to the system's resolver. What
    # ends in a number is an address in its plain form, or it is nothing.
    last = host.rpartition(".")[2]
    return not _NUMBER.fullmatch(last) or _is_address(host)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _read_allowed(entry: str) -> tuple[str, int]:
    host, colon, port = entry.strip().lower().rpartition(":")
    if not colon or not _is_host(host) or not port.isascii() or not port.isdigit():
        raise ValueError(f"An allowed internal server is written host:port, not {entry!r}.")
    return host, int(port)
