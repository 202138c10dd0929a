"""A gate between the desk and a server: it passes everything on, and can hold one write.

Held at ``request`` the server has not seen the write yet; held at ``answer`` it has done it, and
only the desk does not know. The test then does what it likes to the desk, and lets go.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

WRITES = ("com.atproto.repo.putRecord", "com.atproto.repo.applyWrites")
HOLD_SECONDS = 60


class Hold:
    """One write that is held. ``reached`` is set when it is in hand."""

    def __init__(self, at: Literal["request", "answer"]) -> None:
        self.at = at
        self.reached = threading.Event()
        self._released = threading.Event()
        self._forward = True

    def wait(self) -> None:
        """Wait until the write is in hand."""
        assert self.reached.wait(HOLD_SECONDS), "No write came to the gate."

    def let_go(self, *, forward: bool = True) -> None:
        """Let it pass; or, held at ``request`` and not ``forward``, let it be lost."""
        self._forward = forward
        self._released.set()

    def held(self) -> bool:
        """Called by the gate: waits for :meth:`let_go`, and says whether to pass it on."""
        self.reached.set()
        self._released.wait(HOLD_SECONDS)
        return self._forward


class Gate:
    """The gate at ``url``. ``passed`` lists the writes that reached the server."""

    def __init__(self, port: int) -> None:
        self.url = f"http://localhost:{port}"
        self.port = port
        self.passed: list[str] = []
        self._hold: Hold | None = None

    def hold(self, at: Literal["request", "answer"]) -> Hold:
        """Hold the next write."""
        self._hold = Hold(at)
        return self._hold

    def take_hold(self) -> Hold | None:
        """Called by the gate: the hold for this write, once."""
        hold, self._hold = self._hold, None
        return hold


@contextmanager
def running_gate(port: int, upstream_port: int) -> Iterator[Gate]:
    """A gate on loopback's ``port`` before the server at ``upstream_port``, until the end."""
    gate = Gate(port)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            self.close_connection = True
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            is_write = self.path.startswith(tuple(f"/xrpc/{name}" for name in WRITES))
            hold = gate.take_hold() if is_write else None
            if hold and hold.at == "request" and not hold.held():
                return
            if is_write:
                gate.passed.append(self.path)
            headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
            upstream = http.client.HTTPConnection("localhost", upstream_port, timeout=20)
            try:
                upstream.request(self.command, self.path, body or None, headers)
                answer = upstream.getresponse()
                said = answer.read()
                status, kind = answer.status, answer.getheader("Content-Type", "text/plain")
            except OSError:
                status, kind, said = 502, "text/html", b"<h1>502 Bad Gateway</h1>"
            finally:
                upstream.close()
            if hold and hold.at == "answer":
                hold.held()
            try:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)
            except OSError:
                return  # who asked was killed meanwhile

        def do_GET(self) -> None:
            self._pass_on()

        def do_POST(self) -> None:
            self._pass_on()

        def log_message(self, *said: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield gate
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def running_rubbish(port: int) -> Iterator[str]:
    """A web server that has nothing to do with Bluesky, at the address given."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = b"<html><h1>It works!</h1></html>"
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *said: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://localhost:{port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
