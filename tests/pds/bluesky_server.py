"""A real Bluesky personal data server (PDS) on loopback, for tests and for a dry run.

``with running_pds(folder) as pds:`` starts the identity register (PLC, in memory) and the server
(its data in ``folder``), and ends both. ``pds.stop()`` and ``pds.start()`` take the server down and
bring it up again at the same address with the same data, which is how an outage is tested.

Needs Node 20 or later and ``npm ci`` in this folder; :func:`find_missing` says what is not there.
Nothing here knows a test framework. A server ends when the process that started it ends.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
START_SECONDS = 30
# A proxy set for this machine must not carry what is meant for loopback.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ServerFault(Exception):
    """The server did not start, or answered a call with an error. The message says which."""


def find_missing() -> str | None:
    """``None`` where a server can be started, else a sentence that says what is missing."""
    if shutil.which("node") is None:
        return "Node is not installed, so no Bluesky server can be started."
    if not (HERE / "node_modules" / "@atproto" / "pds").is_dir():
        return "The Bluesky server is not installed: run `npm ci` in tests/pds."
    return None


class RunningPds:
    """A server at ``url`` (``http://localhost:PORT``)."""

    def __init__(self, port: int, arguments: list[str]) -> None:
        self.port = port
        self.url = f"http://localhost:{port}"
        self._arguments = arguments
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Bring the server up, with the data it had. Raises :class:`ServerFault` if it fails."""
        if self._process is None:
            self._process = _start(["pds", str(self.port), *self._arguments])

    def stop(self) -> None:
        """Take the server down. Connections are refused from here on."""
        if self._process is not None:
            _stop(self._process)
            self._process = None

    def create_account(self, handle: str, password: str) -> str:
        """Open an account and give its DID. ``handle`` ends in ``.test``.

        Raises :class:`ServerFault` if the server refuses.
        """
        email = f"{handle.replace('.', '-')}@example.org"
        body = {"handle": handle, "email": email, "password": password}
        return str(self.call("com.atproto.server.createAccount", body)["did"])

    def sign_in(self, handle: str, password: str) -> str:
        """An access token for calls of one's own. Raises :class:`ServerFault` if refused."""
        body = {"identifier": handle, "password": password}
        return str(self.call("com.atproto.server.createSession", body)["accessJwt"])

    def deactivate(self, handle: str, password: str) -> None:
        """Deactivate an account, as its owner can. Raises :class:`ServerFault` if refused."""
        token = self.sign_in(handle, password)
        self.call("com.atproto.server.deactivateAccount", {}, token=token)

    def list_posts(self, did: str) -> list[dict[str, Any]]:
        """The account's posts, oldest key first: each with ``uri``, ``cid`` and ``value``."""
        query = {"repo": did, "collection": "app.bsky.feed.post", "limit": "100", "reverse": "true"}
        answer = self.call("com.atproto.repo.listRecords?" + urllib.parse.urlencode(query))
        return list(answer["records"])

    def read_blob(self, did: str, cid: str) -> bytes:
        """The bytes of a blob. Raises :class:`ServerFault` if the server has none."""
        query = urllib.parse.urlencode({"did": did, "cid": cid})
        return self._fetch("com.atproto.sync.getBlob?" + query, None, None)

    def call(
        self, method: str, body: dict[str, Any] | None = None, *, token: str | None = None
    ) -> dict[str, Any]:
        """One XRPC call: a query without a ``body``, a procedure with one.

        Raises :class:`ServerFault` if the server refuses or does not answer.
        """
        raw = self._fetch(method, body, token)
        return json.loads(raw) if raw else {}

    def _fetch(self, method: str, body: dict[str, Any] | None, token: str | None) -> bytes:
        headers = {} if body is None else {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/xrpc/{method}", data=data, headers=headers)
        try:
            with _DIRECT.open(request, timeout=START_SECONDS) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as fault:
            said = fault.read().decode(errors="replace")
            raise ServerFault(f"{method} answered {fault.code}: {said}") from fault
        except urllib.error.URLError as fault:
            raise ServerFault(f"{method} was not answered: {fault.reason}") from fault


@contextmanager
def running_pds(data_folder: Path, *, rate_limits: bool = False) -> Iterator[RunningPds]:
    """A server with its data in ``data_folder`` and its own identity register, until the end.

    ``rate_limits`` makes the server answer 429 as the public one does. Raises
    :class:`ServerFault` if it cannot be started.
    """
    if missing := find_missing():
        raise ServerFault(missing)
    plc_port, pds_port = _free_ports(2)
    plc = _start(["plc", str(plc_port)])
    limits = "on" if rate_limits else "off"
    pds = RunningPds(pds_port, [f"http://localhost:{plc_port}", str(data_folder), limits])
    try:
        pds.start()
        yield pds
    finally:
        pds.stop()
        _stop(plc)


def _free_ports(count: int) -> list[int]:
    taken = [socket.socket() for _ in range(count)]
    try:
        for one in taken:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in taken]
    finally:
        for one in taken:
            one.close()


def _start(arguments: list[str]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        ["node", str(HERE / "start.cjs"), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=HERE,
        env=_environment(),
    )
    assert process.stdout is not None
    assert process.stderr is not None
    # Both pipes are drained for as long as the server lives, or it would stop when one is full.
    said: list[str] = []
    threading.Thread(target=_drain, args=(process.stderr, said), daemon=True).start()
    ready = threading.Event()
    threading.Thread(target=_watch, args=(process.stdout, ready), daemon=True).start()
    for _ in range(START_SECONDS * 10):
        if ready.wait(0.1):
            return process
        if process.poll() is not None:
            break
    _stop(process)
    raise ServerFault(f"The {arguments[0]} server did not start: {''.join(said)[-2000:]}")


def _environment() -> dict[str, str]:
    # The servers' own settings are given by argument; one left in the environment must not change
    # a test, and neither may a proxy.
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PDS_", "PLC_", "LOG_")) and not name.lower().endswith("_proxy")
    }


def _drain(pipe: Any, said: list[str]) -> None:
    said.extend(pipe)
    pipe.close()


def _watch(pipe: Any, ready: threading.Event) -> None:
    for line in pipe:
        if line.startswith('{"ready"'):
            ready.set()
    pipe.close()


def _stop(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None and not process.stdin.closed:
        process.stdin.close()
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
