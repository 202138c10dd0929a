"""A small HTTP server on loopback that says whatever a test wants, and one that stands between."""

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def xrpc(self) -> str:
        """The XRPC method that was called."""
        return self.path.removeprefix("/xrpc/").partition("?")[0]


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def raw(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} Said", f"Content-Length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


def said(status: int, value: Any) -> Answer:
    """An answer in JSON."""
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


DROP = b""
"""Close the connection without a word."""

Said = Answer | bytes | Iterable[bytes]
Say = Said | Callable[[Asked], Said]
"""What a server says, always or as it is asked: an answer, raw bytes, or pieces one by one."""


class StandIn:
    def __init__(self, say: Say) -> None:
        self.asked: list[Asked] = []
        self.say = say
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline(65_537)
                self.close_connection = True
                if not self.raw_requestline or not self.parse_request():
                    return
                length = int(self.headers.get("Content-Length") or 0)
                asked = Asked(
                    self.command,
                    self.path,
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(length),
                )
                stand_in.asked.append(asked)
                answer = stand_in.say(asked) if callable(stand_in.say) else stand_in.say
                pieces: Iterable[bytes]
                if isinstance(answer, Answer):
                    pieces = [answer.raw()]
                else:
                    pieces = [answer] if isinstance(answer, bytes) else answer
                try:
                    for piece in pieces:
                        self.wfile.write(piece)
                        self.wfile.flush()
                except OSError:
                    return  # the client has left, which is what several tests are about

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://localhost:{self.port}"
        self.allow = f"localhost:{self.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def standing_in(say: Say) -> Iterator[StandIn]:
    server = StandIn(say)
    try:
        yield server
    finally:
        server.close()


def forward(port: int, asked: Asked) -> Answer:
    """Ask the server at ``port`` the same, and give its answer: the middle of a proxy."""
    connection = http.client.HTTPConnection("localhost", port, timeout=20)
    try:
        headers = {k: v for k, v in asked.headers.items() if k not in ("host", "connection")}
        connection.request(asked.method, asked.path, body=asked.body or None, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        kept = {"Content-Type": answer.getheader("Content-Type") or "application/octet-stream"}
        return Answer(answer.status, body, kept)
    finally:
        connection.close()


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
