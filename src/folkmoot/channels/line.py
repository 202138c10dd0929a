"""A connection to addresses already checked, with one deadline for all that happens on it.

The HTTP library is given this in place of its own sockets. It never resolves a name, so it cannot
be led elsewhere, and it knows whether a byte of the request was ever written.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpcore
import httpx

Resolver = Callable[[str, int], list[str]]
"""From a host's name and port to its addresses, best first. Raises :class:`OSError`."""

_ADDRESSES_TRIED = 4


def resolve_by_system(host: str, port: int) -> list[str]:
    """The addresses the operating system knows for ``host``. Raises :class:`OSError`."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as fault:  # a label too long for a name
        raise OSError(str(fault)) from fault
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def resolve_within(seconds: float, resolve: Resolver, host: str, port: int) -> list[str]:
    """``resolve(host, port)``, given up after ``seconds``: the system's own look-up has no limit.

    Raises :class:`TimeoutError`, or what ``resolve`` raises.
    """
    answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(resolve(host, port))
        except Exception as fault:  # noqa: BLE001 - carried to the thread that asked, raised there
            answers.put(fault)

    threading.Thread(target=ask, name=f"resolve {host}", daemon=True).start()
    try:
        answer = answers.get(timeout=max(seconds, 0.001))
    except queue.Empty as fault:
        raise TimeoutError(f"{host} was not resolved in time") from fault
    if isinstance(answer, Exception):
        raise answer
    return answer


class Line(httpcore.NetworkBackend):
    """Connects to the first of ``addresses`` that accepts, within ``deadline`` on ``clock``.

    ``wrote`` says whether a byte of a request was written, encryption's own greeting aside.
    """

    def __init__(
        self, addresses: Iterable[str], deadline: float, clock: Callable[[], float]
    ) -> None:
        self.wrote = False
        self._addresses = tuple(addresses)[:_ADDRESSES_TRIED]
        self._deadline = deadline
        self._clock = clock

    def seconds_left(self, late: type[httpcore.TimeoutException]) -> float:
        """The time that is left, in seconds. Raises ``late`` where there is none."""
        left = self._deadline - self._clock()
        if left <= 0:
            raise late("the deadline has passed")
        return left

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - the name has been resolved and checked; it is not used again
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline stands for it
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        faults: list[OSError] = []
        for address in self._addresses:
            left = self.seconds_left(httpcore.ConnectTimeout)
            try:
                # Nothing was sent to an address that did not accept, so the next may be tried.
                connected = socket.create_connection((address, port), timeout=left)
            except OSError as fault:
                faults.append(fault)
                continue
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return _Stream(connected, self)
        self.seconds_left(httpcore.ConnectTimeout)
        last = faults[-1]
        raise httpcore.ConnectError(last.strerror or str(last)) from last


class _Stream(httpcore.NetworkStream):
    def __init__(self, connected: socket.socket, line: Line) -> None:
        self._socket = connected
        self._line = line

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        self._socket.settimeout(self._line.seconds_left(httpcore.ReadTimeout))
        try:
            return self._socket.recv(max_bytes)
        except TimeoutError as fault:
            raise httpcore.ReadTimeout(str(fault)) from fault
        except OSError as fault:
            raise httpcore.ReadError(str(fault)) from fault

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        while buffer:
            self._socket.settimeout(self._line.seconds_left(httpcore.WriteTimeout))
            self._line.wrote = True
            try:
                buffer = buffer[self._socket.send(buffer) :]
            except TimeoutError as fault:
                raise httpcore.WriteTimeout(str(fault)) from fault
            except OSError as fault:
                raise httpcore.WriteError(str(fault)) from fault

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        self._socket.settimeout(self._line.seconds_left(httpcore.ConnectTimeout))
        try:
            wrapped = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
        except TimeoutError as fault:
            self.close()
            raise httpcore.ConnectTimeout(str(fault)) from fault
        except ssl.SSLCertVerificationError as fault:
            self.close()
            raise httpcore.ConnectError(
                f"its certificate is wrong ({fault.verify_message})"
            ) from fault
        except OSError as fault:
            self.close()
            raise httpcore.ConnectError("encryption could not be set up") from fault
        return _Stream(wrapped, self._line)

    def get_extra_info(self, info: str) -> Any:  # noqa: ARG002 - nothing of ours to tell
        return None


class LineTransport(httpx.BaseTransport):
    """httpx's requests over a :class:`Line`: HTTP/1.1, one connection, not kept.

    Raises httpcore's exceptions as they are.
    """

    def __init__(self, line: Line, tls: ssl.SSLContext | None) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls,
            max_connections=1,
            max_keepalive_connections=0,
            http1=True,
            http2=False,
            retries=0,
            network_backend=line,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        answer = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        assert not isinstance(answer.stream, bytes)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer.stream))

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        self._stream.close()
