"""The desk as a user starts it: ``folkmoot up --practice``, in a home of its own on loopback.

Nothing here knows a test framework, so that pictures can be taken with it too.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

START_SECONDS = 30
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port() -> int:
    """A port of loopback that nobody has just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for(
    said: Callable[[], Any], *, seconds: float, what: str, told: Callable[[], str] = str
) -> Any:
    """The first true answer of ``said``, asked over and over for at most ``seconds``. After that,
    ``told`` is asked for what there is instead.
    """
    end = time.monotonic() + seconds
    while not (answer := said()):
        assert time.monotonic() < end, f"After {seconds} seconds still not: {what}. {told()}"
        time.sleep(0.03)
    return answer


class RunningDesk:
    """A desk at ``address``; what it prints goes to ``<home>/../desk.log``."""

    def __init__(self, folder: Path, *, internal_hosts: tuple[str, ...] = ()) -> None:
        self.home = folder / "home"
        self.address = f"http://127.0.0.1:{free_port()}"
        self.log = folder / "desk.log"
        self._environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("FOLKMOOT_", "DJANGO_")) and not name.lower().endswith("_proxy")
        } | {
            "FOLKMOOT_HOME": str(self.home),
            "FOLKMOOT_ADDRESS": self.address,
            "FOLKMOOT_INTERNAL_HOSTS": ",".join(internal_hosts),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.cookies: dict[str, list[Any]] = {}
        """Of people who have signed in once, by role."""

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "folkmoot", "up", "--practice"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_for(self._answers, seconds=START_SECONDS, what="the desk is up", told=self.said)

    def stop(self) -> None:
        """End it as Ctrl-C does, and its worker with it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=45)
            except subprocess.TimeoutExpired:
                self.kill()
        for left in self.workers():  # where `up` was killed and its worker did not follow
            os.kill(left, signal.SIGKILL)

    def kill(self) -> None:
        """``kill -9`` to it and its worker at once, as when the power goes."""
        assert self._process is not None
        workers = self.workers()
        self._process.kill()
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        self._process.wait()

    def kill_worker(self) -> int:
        """``kill -9`` to the worker alone; the id it had."""
        (worker,) = self.workers()
        os.kill(worker, signal.SIGKILL)
        return worker

    def kill_up(self) -> None:
        """``kill -9`` to ``folkmoot up`` alone; whatever it started is left without it."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def workers(self) -> list[int]:
        """The processes that work for this desk's home, found as an operator would."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                command = (entry / "cmdline").read_bytes().split(b"\0")
                environment = (entry / "environ").read_bytes().split(b"\0")
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue  # another user's, or gone this moment
            ours = f"FOLKMOOT_HOME={self.home}".encode() in environment
            if ours and state != "Z" and {b"folkmoot", b"work"} <= set(command):
                found.append(int(entry.name))
        return found

    def password(self, who: str) -> str:
        """The password of one of the practice people, from the file the desk wrote for its user."""
        text = (self.home / "practice-signins.txt").read_text()
        found = re.search(rf"^{who}: \S+  (\S+)$", text, re.MULTILINE)
        assert found, f"practice-signins.txt does not name the {who}"
        return found[1]

    def read(self, path: str) -> bytes:
        """The body at ``path``, fetched without a browser and without signing in."""
        with _DIRECT.open(self.address + path, timeout=10) as answer:
            return bytes(answer.read())

    def said(self) -> str:
        """The end of what it printed."""
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"The desk ended: {self.said()}"
        try:
            return bool(self.read("/healthy"))
        except (urllib.error.URLError, OSError):
            return False
