"""The publisher's figures: deliveries a second, lateness, and how soon a stop is in force.

Each is measured on a desk of its own in a fresh process (:mod:`bench.publish_desk`), on SQLite and
on PostgreSQL. The peer is the method of a plain scheduler on the same tables in the same run: take
a row, send it, mark it, without lease, last look, record or read-back. It is faster, and loses or
doubles posts when it is killed; what is left of its speed is the price of not doing so.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.figure import Figure

ROOT = Path(__file__).parents[1]
DUE_AT_ONCE = 10_000
DUE_IN_A_MINUTE = 1_000
PLAIN = 2_000
PRESSES = 20
PEER = "a plain loop that marks rows"


def _measure(what: str, count: int, *, postgresql: bool) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.publish_desk", what, str(count)]
    if postgresql:
        command = [sys.executable, "tests/postgres_server.py", "--", *command]
    env = {name: value for name, value in os.environ.items() if not name.startswith("FOLKMOOT_")}
    done = subprocess.run(  # noqa: S603 - our own command
        command, cwd=ROOT, env=env, capture_output=True, text=True, check=True, timeout=3600
    )
    figures: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def _databases() -> Iterator[tuple[str, bool]]:
    yield "sqlite", False
    if shutil.which("psql") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        yield "postgresql", True
    else:
        print("No PostgreSQL here: its figures are left out.", file=sys.stderr)


def deliveries() -> Iterator[Figure]:
    """Deliveries a second with 10,000 due at once, to the feed."""
    for name, postgresql in _databases():
        plain = _measure("plain", PLAIN, postgresql=postgresql)["per_second"]
        ours = _measure("burst", DUE_AT_ONCE, postgresql=postgresql)["per_second"]
        yield Figure(f"publish.due_at_once.{name}", ours, "deliveries/s", 30, True, PEER, plain)


def lateness() -> Iterator[Figure]:
    """How late the latest but one in a hundred of 1,000 posts due within one minute was."""
    for name, postgresql in _databases():
        late = _measure("minute", DUE_IN_A_MINUTE, postgresql=postgresql)
        yield Figure(f"publish.lateness.{name}.p50", late["p50"], "s", 1, False)
        yield Figure(f"publish.lateness.{name}.p99", late["p99"], "s", 3, False)


def stopping() -> Iterator[Figure]:
    """From the press of the kill switch until it is in force, and what left after that."""
    for name, postgresql in _databases():
        waits = _measure("stop", PRESSES, postgresql=postgresql)
        yield Figure(f"publish.stop.{name}.p50", waits["p50"], "s", 0.5, False)
        yield Figure(f"publish.stop.{name}.most", waits["most"], "s", 2, False)
        yield Figure(f"publish.stop.{name}.left_after", waits["left_after"], "posts", 0, False)


FIGURES: dict[str, Callable[[], Iterator[Figure]]] = {
    "publish.due_at_once": deliveries,
    "publish.lateness": lateness,
    "publish.stop": stopping,
}
