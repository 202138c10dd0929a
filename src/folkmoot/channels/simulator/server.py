"""A simulated channel on loopback: its API, what goes wrong with it, and a page to watch it on.

Beside the channel's own API it answers under ``/_simulator/``: ``posts`` (GET: everything that
ever stood there; POST ``{"text"}``: a post that somebody else made), ``posts/ID`` (PATCH
``{"text"}``, DELETE: what somebody else did to a post), ``faults`` (POST ``{"occasion", "fault",
"seconds", "times"}`` or ``{"rates": [...]}``; DELETE: all is well again), ``requests`` (GET), and
``/`` shows all of it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from email.utils import format_datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, Self

from folkmoot.channels.simulator.faults import Fault, Faults, Occasion, Strike
from folkmoot.channels.simulator.http import Asked, Said, say
from folkmoot.channels.simulator.store import Store, Stored

_BODY_BYTES = 50_000_000
_NOT_DONE = frozenset({Fault.DROP, Fault.BROKEN_BEFORE, Fault.TOO_MANY, Fault.TOO_MANY_WAIT})
_ACTED_OUT_HERE = _NOT_DONE | {
    Fault.LOSE_ANSWER,
    Fault.TWICE,
    Fault.BROKEN_AFTER,
    Fault.RUBBISH,
    Fault.SLOW,
    Fault.SKEW,
}


class Simulated(Protocol):
    """The API of one channel. Called from several threads; hold ``store.lock`` where it matters."""

    channel: str

    def occasion(self, asked: Asked) -> Occasion:
        """What kind of request this is."""
        ...

    def answer(self, asked: Asked, store: Store, strike: Strike | None) -> Said:
        """Do what is asked, and answer. ``strike`` is a fault that the channel itself acts out:
        ``SLOW_MEDIA``, ``EXPIRED``, ``REVOKED``, ``WRONG_ID``, ``HALF``, ``REFUSE`` or ``LIE``;
        the server acts out the others. One that makes no sense for the channel is passed over.
        """
        ...

    def error(self, fault: Fault) -> Said:
        """How the channel words ``TOO_MANY``, ``BROKEN_BEFORE``, ``EXPIRED``, ``REVOKED`` and
        ``REFUSE``.
        """
        ...

    def to_type(self, url: str) -> Mapping[str, str]:
        """What to type into the form that connects an account here, by field; ``url`` is where
        this simulator stands.
        """
        ...


@dataclass(frozen=True, slots=True)
class Happened:
    """One request to the channel's API, and what became of it."""

    method: str
    path: str
    occasion: Occasion
    fault: Fault | None
    status: int | None


class Simulator:
    """A simulated channel on 127.0.0.1. Use as a context manager, or start and stop it.

    ``port`` 0 takes a free one. ``requests`` are the last thousand, oldest first.
    """

    def __init__(
        self, simulated: Simulated, *, port: int = 0, seed: int = 0, store: Store | None = None
    ) -> None:
        self.simulated = simulated
        self.store = store or Store()
        self.faults = Faults(seed=seed)
        self.requests: deque[Happened] = deque(maxlen=1000)
        simulator = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline(65_537)
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                self.close_connection = True  # whatever was asked for: silence is silence at once
                length = min(int(self.headers.get("Content-Length") or 0), _BODY_BYTES)
                body = self.rfile.read(length)
                asked = Asked.read(self.command, self.path, dict(self.headers), body)
                said = simulator.handle(asked)
                if said is None:
                    return
                lines = [f"HTTP/1.1 {said.status} Said", f"Content-Length: {len(said.body)}"]
                lines.append(f"Date: {format_datetime(simulator.store.now(), usegmt=True)}")
                lines += [f"{name}: {value}" for name, value in said.headers.items()]
                try:
                    self.wfile.write("\r\n".join([*lines, "Connection: close", "", ""]).encode())
                    if self.command != "HEAD":
                        self.wfile.write(said.body)
                except OSError:
                    return  # whoever asked has left, which is what half the faults are about

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Quiet."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self._server = Server(("127.0.0.1", port), Handler)
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.allow = f"127.0.0.1:{self.port}"
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Answer in a thread of its own."""
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    def serve(self) -> None:
        """Answer until :meth:`stop` is called from elsewhere, or the process ends."""
        self._server.serve_forever()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        if self._thread is not None:
            self._thread.join()

    def handle(self, asked: Asked) -> Said | None:
        """Answer one request; ``None`` is silence."""
        if asked.path == "/" and asked.method == "GET":
            return Said(200, self._page().encode(), {"Content-Type": "text/html; charset=utf-8"})
        if asked.path.startswith("/_simulator/"):
            return self._control(asked)
        occasion = self.simulated.occasion(asked)
        strike = self.faults.next_strike(occasion)
        said = self._act(asked, strike)
        fault = strike.fault if strike is not None else None
        status = said.status if said is not None else None
        self.requests.append(Happened(asked.method, asked.path, occasion, fault, status))
        return said

    def _act(self, asked: Asked, strike: Strike | None) -> Said | None:
        """Do what is asked as ``strike`` has it; ``None`` is silence."""
        fault = strike.fault if strike is not None else None
        seconds = strike.seconds if strike is not None else 0.0
        if fault is Fault.SKEW:
            self.store.set_skew(seconds)
        said = None
        if fault not in _NOT_DONE:
            own = None if fault in _ACTED_OUT_HERE else strike
            said = self.simulated.answer(asked, self.store, own)
        if fault is Fault.TWICE:
            said = self.simulated.answer(asked, self.store, None)
        if fault is Fault.SLOW:
            time.sleep(seconds)
        if fault in (Fault.LOSE_ANSWER, Fault.DROP):
            return None
        if fault in (Fault.BROKEN_BEFORE, Fault.BROKEN_AFTER):
            return self.simulated.error(Fault.BROKEN_BEFORE)
        if fault is Fault.RUBBISH:
            return Said(200, b"<!DOCTYPE html><title>Hello</title>", {"Content-Type": "text/html"})
        if fault in (Fault.TOO_MANY, Fault.TOO_MANY_WAIT):
            said = self.simulated.error(Fault.TOO_MANY)
            if fault is Fault.TOO_MANY_WAIT:
                wait = {"Retry-After": str(int(seconds))}
                said = replace(said, headers={**said.headers, **wait})
        return said

    def _control(self, asked: Asked) -> Said:
        what, _, post_id = asked.path.removeprefix("/_simulator/").partition("/")
        routes: dict[tuple[str, str], Callable[[], Any]] = {
            ("GET", "posts"): lambda: [_shown(post) for post in self.store.list_all()],
            ("POST", "posts"): lambda: _shown(self.store.add_post(asked.json()["text"])),
            ("PATCH", "posts"): lambda: self.store.change_post(
                post_id, text=asked.json()["text"], edited_at=self.store.now()
            ),
            ("DELETE", "posts"): lambda: self.store.remove_post(post_id),
            ("GET", "requests"): lambda: [
                {
                    "method": one.method,
                    "path": one.path,
                    "occasion": one.occasion,
                    "fault": one.fault,
                    "status": one.status,
                }
                for one in self.requests
            ],
            ("POST", "faults"): lambda: self._set_faults(asked.json()),
            ("DELETE", "faults"): self.faults.clear,
        }
        act = routes.get((asked.method, what))
        if act is None:
            return say({"error": "There is no such control."}, 404)
        try:
            return say(act())
        except (KeyError, ValueError, TypeError) as wrong:
            return say({"error": f"This cannot be read: {wrong}."}, 400)

    def _set_faults(self, wanted: dict[str, Any]) -> None:
        if "rates" in wanted:
            self.faults.set_rates(
                {
                    (Occasion(one["occasion"]), Fault(one["fault"])): (
                        float(one["chance"]),
                        float(one.get("seconds", 5.0)),
                    )
                    for one in wanted["rates"]
                }
            )
            return
        strike = Strike(Fault(wanted["fault"]), float(wanted.get("seconds", 5.0)))
        times = int(wanted.get("times", 1))
        self.faults.add(Occasion(wanted["occasion"]), strike, times=times)

    def _page(self) -> str:
        typed = "".join(
            f"<tr><th>{escape(name)}<td><code>{escape(value)}</code>"
            for name, value in self.simulated.to_type(self.url).items()
        )
        posts = "".join(
            f"<li><p>{escape(post.text)}</p><small>{post.id}, {post.at:%H:%M:%S}"
            f"{', removed' if post.removed_at else ''}</small></li>"
            for post in reversed(self.store.list_all())
        )
        happened = "".join(
            f"<li>{escape(one.method)} {escape(one.path)}: {one.status or 'no answer'}"
            f"{f' ({one.fault})' if one.fault else ''}</li>"
            for one in reversed(self.requests)
        )
        return (
            '<!DOCTYPE html><html lang="en"><meta charset="utf-8">'
            f"<title>Simulated {escape(self.simulated.channel)}</title>"
            f"<h1>Simulated {escape(self.simulated.channel)}</h1>"
            f"<h2>To connect an account here</h2><table>{typed}</table>"
            f"<h2>Posts</h2><ul>{posts or '<li>None yet.</li>'}</ul>"
            f"<h2>Requests</h2><ol>{happened}</ol>"
        )


def _shown(post: Stored) -> dict[str, Any]:
    return {
        "id": post.id,
        "text": post.text,
        "at": post.at.isoformat(),
        "media": list(post.media),
        "reply_to": post.reply_to,
        "key": post.key,
        "removed": post.removed_at is not None,
        "edited": post.edited_at is not None,
    }
