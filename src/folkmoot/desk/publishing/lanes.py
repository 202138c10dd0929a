"""Lanes: one account's work goes in order and alone; a silent channel keeps no other waiting."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from django.db import close_old_connections

log = logging.getLogger(__name__)

Job = Callable[[], int]
"""Does one thing and tells how many things that was."""


class Lanes(Protocol):
    """Does jobs, those of one account one after another."""

    def do(self, lane: int, jobs: Iterable[Job]) -> int:
        """Do the jobs, or begin to; how many things were done by the time this returns.

        ``lane`` is an account's id; what is no account's has a number below 0.
        """
        ...

    def list_busy(self) -> frozenset[int]:
        """The lanes that would take nothing now, for they are not through."""
        ...


# A turn of a lane ends after this long; what is left is owed still.
TURN_SECONDS = 5.0


class InTurn:
    """Everything in the caller's thread, at once: for one round, and for tests."""

    def list_busy(self) -> frozenset[int]:
        """See :class:`Lanes`."""
        return frozenset()

    def do(self, lane: int, jobs: Iterable[Job]) -> int:  # noqa: ARG002 - all in one lane
        """See :class:`Lanes`."""
        return sum(job() for job in jobs)


class Beside:
    """Up to ``most`` lanes beside each other, each in a thread of its own.

    ``wake`` is set whenever a lane that did something is through. What is owed in a lane that is
    still busy is left for a later round: its rows say what that is.
    """

    def __init__(self, most: int = 8) -> None:
        self.wake = threading.Event()
        self._busy: set[int] = set()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="lane")

    def do(self, lane: int, jobs: Iterable[Job]) -> int:
        """See :class:`Lanes`."""
        with self._lock:
            if lane in self._busy:
                return 0
            self._busy.add(lane)
        self._pool.submit(self._run, lane, list(jobs))
        return 0

    def list_busy(self) -> frozenset[int]:
        """See :class:`Lanes`."""
        with self._lock:
            return frozenset(self._busy)

    def close(self) -> None:
        """Finish what was begun, and begin nothing more."""
        self._pool.shutdown(wait=True)

    def _run(self, lane: int, jobs: list[Job]) -> None:
        done, end = 0, time.monotonic() + TURN_SECONDS
        for job in jobs:
            if time.monotonic() > end:
                break
            try:
                done += job()
            except Exception:
                log.exception("A lane met a fault and goes on")
        close_old_connections()
        with self._lock:
            self._busy.discard(lane)
        if done:
            self.wake.set()
