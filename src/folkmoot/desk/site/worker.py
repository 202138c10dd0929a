"""One loop that asks each room in turn what is owed now."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from types import FrameType

from django.db import OperationalError, close_old_connections, connection

from folkmoot.desk.accounts import actions as accounts
from folkmoot.desk.accounts.queries import open_transport
from folkmoot.desk.drafts import actions as drafts
from folkmoot.desk.mailing import actions as mailing
from folkmoot.desk.notices import actions as notices
from folkmoot.desk.publishing import actions as publishing
from folkmoot.desk.publishing.queries import find_fence
from folkmoot.desk.records import actions as records
from folkmoot.desk.releases import actions as releases
from folkmoot.desk.retention import actions as retention

from .posting import post

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.25
CHORES_SECONDS = 1.0
"""How often the rooms are asked where nobody waits for a moment more: each question costs a read,
all day long."""
TROUBLED_SECONDS = 2.0


class SharedClock:
    """The time in UTC, by the database's clock where workers on several machines share one.

    Leases and quiet times hold one worker's time against another's, so that a machine whose clock
    is wrong must not judge by it. How far off it is, is measured anew every half minute.
    """

    MEASURE_EVERY_SECONDS = 30.0

    def __init__(self) -> None:
        self._off = timedelta()
        self._measured_at: float | None = None

    def __call__(self) -> datetime:
        now = time.monotonic()
        if connection.vendor == "postgresql" and (
            self._measured_at is None or now - self._measured_at > self.MEASURE_EVERY_SECONDS
        ):
            with connection.cursor() as cursor:
                cursor.execute("SELECT clock_timestamp()")
                self._off = cursor.fetchone()[0] - datetime.now(UTC)
            self._measured_at = now
        return datetime.now(UTC) + self._off


utc_now = SharedClock()


# Lanes for what is no account's own and may have to wait for others' servers.
ACCOUNTS, MAILING, NOTICES = -1, -2, -3
# And for what may take long: searching everything, destroying, rolling the keys' epoch, and writing
# bags.
RETENTION, RELEASES = -4, -5
# And for who keeps the record's heads outside.
ANCHORS = -6


def work_once(lanes: publishing.Lanes | None = None, *, chores: bool = True) -> int:
    """Do everything that is owed now, once; how many things were done by the time this returns.
    Without ``chores`` only what must not wait: the record, posts and mails.

    The record goes first, so that a sign-off is in the log before its post leaves, and last, so
    that what was sent is. With ``lanes`` that go on beside each other no server keeps another's
    work waiting.
    """
    lanes = lanes or publishing.InTurn()
    notices.beat(utc_now())
    done = records.sequence(utc_now())
    done += drafts.make_occurrences(utc_now)
    done += publishing.work(utc_now, lanes)
    done += lanes.do(MAILING, [partial(mailing.work, utc_now, open_transport, held=_is_fenced())])
    if chores:
        done += lanes.do(ACCOUNTS, [partial(accounts.work, utc_now)])
        done += lanes.do(NOTICES, [partial(notices.work, utc_now)])
        done += lanes.do(RETENTION, [partial(retention.work, utc_now)])
        done += lanes.do(ANCHORS, [partial(records.anchor, utc_now, post)])
        done += lanes.do(RELEASES, [partial(releases.work, utc_now)])
    return done + (records.sequence(utc_now()) if done else 0)


def _is_fenced() -> bool:
    return find_fence(utc_now()) is not None


def work_until_stopped(stop: threading.Event) -> None:
    """Work, and wait a little whenever nothing is owed, until ``stop`` is set.

    A database that is away is waited for; any other fault is logged and the loop goes on: one bad
    row must not stop the desk.
    """
    lanes = publishing.Beside()
    chores_at = time.monotonic()
    try:
        while not stop.is_set():
            chores = time.monotonic() >= chores_at
            if chores:
                chores_at = time.monotonic() + CHORES_SECONDS
            _work_and_wait(stop, lanes, chores=chores)
    finally:
        lanes.close()


def _work_and_wait(stop: threading.Event, lanes: publishing.Beside, *, chores: bool) -> None:
    lanes.wake.clear()
    try:
        done = work_once(lanes, chores=chores)
        pause = 0.0 if done else IDLE_SECONDS
    except OperationalError as away:
        log.warning("The database cannot be used just now: %s", away)
        pause = TROUBLED_SECONDS
    except Exception:
        log.exception("The worker met a fault and goes on")
        pause = TROUBLED_SECONDS
    close_old_connections()
    if pause == IDLE_SECONDS:
        lanes.wake.wait(pause)  # a lane that is through may have left something to be done
    else:
        stop.wait(pause)


def run(while_open: int | None = None) -> int:
    """The worker as a process: works until it is told to end, and finishes what it is doing.

    ``while_open`` is the descriptor of a pipe; when its other end closes, that too is being told.
    """
    stop = threading.Event()
    if while_open is not None:
        threading.Thread(target=_wait_for_end, args=(while_open, stop), daemon=True).start()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    work_until_stopped(stop)
    return 0


def _wait_for_end(pipe: int, stop: threading.Event) -> None:
    # Read below Python's buffers, whose locks a thread must not hold when the program ends.
    while os.read(pipe, 1024):
        pass
    log.warning("The program that started this worker has ended, so the worker ends too.")
    stop.set()
