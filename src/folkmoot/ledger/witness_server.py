"""A small web server for a :class:`~folkmoot.ledger.WitnessBook`, with nothing but Python.

It answers three addresses: ``POST /add-checkpoint`` (C2SP tlog-witness), ``GET
/<hash of the origin>/checkpoint`` with the last head cosigned of that log, so that anybody can hold
it against what the log shows them, and ``GET /`` with the witness's public key. It speaks plain
HTTP: put a web server that speaks HTTPS before it.
"""

from __future__ import annotations

import re
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .errors import MemoryDamaged
from .proofs import visible
from .witness_book import PLAIN, Reply, WitnessBook, origin_hash
from .witnessing import MAX_REQUEST_BYTES

CONNECTIONS = 32
"""Connections served at a time; more are closed at once, for the log to try again later."""
CONNECTION_SECONDS = 30.0
"""After so many seconds a connection is closed, whatever it is at: a slow sender gets no more."""

_CHECKPOINT_PATH = re.compile(r"/([0-9a-f]{64})/checkpoint")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LENGTH = re.compile(r"[0-9]{1,9}", re.ASCII)


class WitnessServer(ThreadingHTTPServer):
    """Serves ``book`` at ``host`` and ``port`` (0 for any free one) until ``shutdown``.

    Args:
        book: opened by its owner.
        host: a name or an address; one with colons is taken for IPv6.
        port: the TCP port.
        log: gets a line for each request and each mishap, safe to print. It names no caller.
        seconds: how long a connection may last.
        connections: how many are served at a time.

    Raises OSError where it cannot listen there.
    """

    daemon_threads = True

    def __init__(
        self,
        book: WitnessBook,
        host: str,
        port: int,
        *,
        log: Callable[[str], None],
        seconds: float = CONNECTION_SECONDS,
        connections: int = CONNECTIONS,
    ) -> None:
        self.book = book
        self.log = log
        self.seconds = seconds
        self._free = threading.BoundedSemaphore(connections)
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            self.log("closed a connection: too many at a time")
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread was begun, so none will free the place
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        clock = threading.Timer(self.seconds, _close, [request])
        clock.daemon = True
        clock.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            clock.cancel()
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - no caller is named
        wrong = sys.exc_info()[1]
        if isinstance(wrong, ConnectionError | TimeoutError):
            self.log("a caller went away before the answer")
        else:
            self.log(visible(f"a request failed: {''.join(traceback.format_exception(wrong))}"))


def _close(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # closed already, which is what was wanted


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # so that a log may keep the connection
    server_version = "folkmoot-witness"
    sys_version = ""
    error_message_format = "%(message)s\n"
    error_content_type = PLAIN
    server: WitnessServer

    def parse_request(self) -> bool:
        """False also where a program in front of this one could understand the request otherwise:
        what it takes for one request and we for two would give one caller another's answer.
        """
        if not super().parse_request():
            return False
        if self.headers.defects or not all(map(_TOKEN.fullmatch, self.headers)):
            self._refuse(HTTPStatus.BAD_REQUEST, "A header of the request is not in its form.\n")
            return False
        sends = any(length.strip() != "0" for length in self.headers.get_all("Content-Length", []))
        if self.command != "POST" and (sends or "Transfer-Encoding" in self.headers):
            self.close_connection = True  # what it sent is not read
        return True

    def do_POST(self) -> None:
        if self.path != "/add-checkpoint":
            self.close_connection = True  # what it posted was not read
            self._answer(Reply(HTTPStatus.NOT_FOUND, "There is nothing at this address.\n"))
            return
        body = self._read_body()
        if body is not None:
            self._answer(self._guarded(lambda: self.server.book.add_checkpoint(body)))

    def do_GET(self) -> None:
        self._answer(self._guarded(self._find_page))

    def do_HEAD(self) -> None:
        self.do_GET()

    def _find_page(self) -> Reply:
        book = self.server.book
        if self.path == "/":
            watched = "".join(
                f"{visible(log.name)} {origin_hash(log.name)}/checkpoint\n" for log in book.logs
            )
            return Reply(HTTPStatus.OK, f"{book.cosigner.vkey}\n\n{watched}")
        found = _CHECKPOINT_PATH.fullmatch(self.path)
        if found:
            for log in book.logs:
                if origin_hash(log.name) == found[1]:
                    note = book.find_last(log.name)
                    if note is not None:
                        return Reply(HTTPStatus.OK, note)
        return Reply(HTTPStatus.NOT_FOUND, "There is nothing at this address.\n")

    def _guarded(self, answer: Callable[[], Reply]) -> Reply:
        try:
            return answer()
        except (MemoryDamaged, OSError) as wrong:
            self.server.log(visible(f"could not answer: {wrong}"))
            return Reply(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "This witness cannot answer now. Nothing was cosigned; its keeper has to look.\n",
            )

    def _read_body(self) -> bytes | None:
        """What was posted; None where that was answered with a refusal."""
        lengths = self.headers.get_all("Content-Length", [])
        if "Transfer-Encoding" in self.headers or len(lengths) != 1:
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "Say the length of the request, once.\n")
        elif not _LENGTH.fullmatch(lengths[0]):
            self._refuse(HTTPStatus.BAD_REQUEST, "The length of the request is no length.\n")
        elif int(lengths[0]) > MAX_REQUEST_BYTES:
            self._refuse(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"A request may be {MAX_REQUEST_BYTES} bytes.\n",
            )
        else:
            body = self.rfile.read(int(lengths[0]))
            if len(body) == int(lengths[0]):
                return body
            self.close_connection = True
            self.server.log("a request ended before its length")
        return None

    def _refuse(self, status: HTTPStatus, sentence: str) -> None:
        self.close_connection = True
        self._answer(Reply(status, sentence))

    def _answer(self, reply: Reply) -> None:
        data = reply.body.encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002
        status = code.value if isinstance(code, HTTPStatus) else code
        # A request that could not be parsed has no path.
        asked = f"{self.command or 'junk'} {getattr(self, 'path', '')[:100]}"
        self.server.log(visible(f"{asked}: {status}"))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        self.server.log(visible(format % args))
