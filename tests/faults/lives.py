"""Workers as real processes that are killed, or made to stand still, at a chosen step."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from .planted import plant_bug
from .shared_clock import SharedClock

LONGEST_SECONDS = 60.0
ADAPTER_STEPS = (
    "upload",
    "prepare",
    "prepare_removal",
    "send",
    "adapter_look_up",
    "adapter_read_back",
    "list_recent",
)
STEPS = (
    "begin",
    "keep_stops",
    "claim",
    "deliver",
    *ADAPTER_STEPS,
    "freeze",
    "take_step",
    "remember",
    "settle",
    "confirm",
    "look_up",
    "read_back",
    "give_up_lost",
    "finish",
    "record",
    "request",
)
"""Where a worker can be struck. ``request`` is any call to any channel, inside whatever step."""
QUIET_STEPS = ("claim", "upload", "prepare", "send", "freeze", "remember", "look_up", "request")
"""Those at which a worker that stands still holds no lock of the database."""


@dataclass(frozen=True)
class Blow:
    """Strikes a worker at the ``nth`` time it comes to ``step``, before or after it: kills it, or
    (``stands_still``) stops it until it is told to go on.
    """

    step: str
    when: str = "before"
    nth: int = 1
    stands_still: bool = False

    def __str__(self) -> str:
        how = "stands still" if self.stands_still else "killed"
        return f"{how} {self.when} {self.step} no. {self.nth}"


@dataclass(frozen=True)
class Orders:
    """What a worker does in its life: a round of work after each of ``waits``, in seconds. ``lost``
    says of which requests, counted from 1, the answer is lost, or (negative) the request itself.
    """

    waits: tuple[float, ...] = (0.0, 2.0, 2.0)
    blow: Blow | None = None
    lost: frozenset[int] = frozenset()
    sequences: bool = True
    mails: bool = False
    beside: bool = False
    """Takes accounts beside each other, in threads, as the desk's own worker does."""
    until: Callable[[], bool] | None = None
    """Ends the life early once it answers ``True``."""
    timeout_seconds: float = 2.0
    longest_seconds: float = LONGEST_SECONDS
    """After that it is held to hang."""


@dataclass
class Life:
    """One worker, from its birth on. ``end`` says how it went: ``ended``, ``killed``, ``still``,
    ``failed`` (an exception nobody caught) or ``hung``.
    """

    pid: int
    orders: Orders
    end: str = field(default="", init=False)

    def wait(self) -> str:
        """Wait until it has ended or stands still; how it went."""
        try:
            with _alarm(self.orders.longest_seconds):
                _, status = os.waitpid(self.pid, os.WUNTRACED)
        except TimeoutError:
            self.kill()
            self.end = "hung"
            return self.end
        if os.WIFSTOPPED(status):
            self.end = "still"
        elif os.WIFSIGNALED(status):
            self.end = "killed"
        else:
            self.end = "ended" if os.WEXITSTATUS(status) == 0 else "failed"
        return self.end

    def go_on(self) -> str:
        """Let one that stands still go on, to its end."""
        if self.end == "still":
            os.kill(self.pid, signal.SIGCONT)
            return self.wait()
        return self.end

    def kill(self) -> None:
        """End it, whatever it does."""
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


def begin_life(clock: SharedClock, orders: Orders, *, log: Path, plant: str) -> Life:
    """Fork a worker. The caller's connections to the database are closed first."""
    from django.db import connections

    connections.close_all()
    pid = os.fork()
    if pid:
        return Life(pid, orders)
    status = 3
    gc.disable()  # a short life, and what it was forked from would be copied for nothing
    try:
        _keep_log(log)
        _live(clock, orders, plant)
        status = 0
    except BaseException:  # noqa: BLE001 - told, and then the process is gone
        with log.open("a") as file:
            traceback.print_exc(file=file)
    finally:
        sys.stderr.flush()
        os._exit(status)


def _live(clock: SharedClock, orders: Orders, plant: str) -> None:
    from folkmoot.desk.accounts.queries import open_transport
    from folkmoot.desk.mailing import actions as mailing
    from folkmoot.desk.publishing import actions as publishing
    from folkmoot.desk.records import actions as records

    plant_bug(plant)
    _lose_answers(orders)
    if orders.blow is not None:
        _arm(orders.blow)
    lanes = publishing.Beside(4) if orders.beside else publishing.InTurn()
    for wait in orders.waits:
        clock.pass_(wait)
        try:
            if orders.sequences:
                records.sequence(clock())
            publishing.work(clock, lanes)
            while lanes.list_busy():
                time.sleep(0.002)
            if orders.mails:
                mailing.work(clock, open_transport, held=publishing.is_held(clock()))
            if orders.sequences:
                records.sequence(clock())
        except Exception:
            # As the worker's own loop does: tell it and go on.
            logging.getLogger("folkmoot.faults").exception("The worker met a fault and goes on")
        if orders.until is not None and orders.until():
            break


def _keep_log(log: Path) -> None:
    root = logging.getLogger()
    handler = logging.FileHandler(log)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    root.handlers = [handler]
    root.setLevel(logging.WARNING)


def _lose_answers(orders: Orders) -> None:
    """Let answers, or requests, be lost on the way, for channels that know no faults of their own;
    and let silence be short.
    """
    from folkmoot.channels.outbound import Outbound, OutboundError
    from folkmoot.desk.accounts import adapters

    adapters.OUTBOUND_SECONDS = orders.timeout_seconds
    if not orders.lost:
        return
    real: Any = Outbound.request
    asked = 0

    def request(*args: Any, **more: Any) -> Any:
        nonlocal asked
        asked += 1
        if -asked in orders.lost:
            raise OutboundError("The line was cut before the request arrived.", sent=True)
        answer = real(*args, **more)
        if asked in orders.lost:
            raise OutboundError("The line was cut before the answer came.", sent=True)
        return answer

    Outbound.request = request  # type: ignore[method-assign]


def _arm(blow: Blow) -> None:
    reached = 0

    def strike() -> None:
        os.kill(os.getpid(), signal.SIGSTOP if blow.stands_still else signal.SIGKILL)

    def around(real: Any) -> Any:
        def struck(*args: Any, **more: Any) -> Any:
            nonlocal reached
            reached += 1
            mine = reached
            if mine == blow.nth and blow.when == "before":
                strike()
            answer = real(*args, **more)
            if mine == blow.nth and blow.when == "after":
                strike()
            return answer

        return struck

    if blow.step in ADAPTER_STEPS:
        _wrap_adapters(blow.step.removeprefix("adapter_"), around)
        return
    places = _find_places(blow.step)
    wrapped = around(getattr(*places[0]))
    for owner, name in places:
        setattr(owner, name, wrapped)


def _wrap_adapters(name: str, around: Callable[[Any], Any]) -> None:
    from folkmoot.desk.accounts import queries as accounts

    real_open = accounts.open_adapter
    # One count over all adapters that are opened.
    call = around(lambda method, *args, **more: method(*args, **more))

    class Struck:
        def __init__(self, adapter: Any) -> None:
            self._adapter = adapter

        def __getattr__(self, asked: str) -> Any:
            method = getattr(self._adapter, asked)
            if asked != name:
                return method
            return lambda *args, **more: call(method, *args, **more)

    accounts.open_adapter = lambda account, **more: Struck(real_open(account, **more))


def _find_places(step: str) -> list[tuple[Any, str]]:
    """Every name under which a step's function is called."""
    from folkmoot.channels.email import Notify
    from folkmoot.channels.outbound import Outbound
    from folkmoot.desk.drafts import actions as drafts
    from folkmoot.desk.mailing import handing
    from folkmoot.desk.mailing.journal import Journal
    from folkmoot.desk.publishing import actions, delivering, fence, settling
    from folkmoot.desk.records import actions as records

    places: dict[str, list[tuple[Any, str]]] = {
        "begin": [(drafts, "begin")],
        "keep_stops": [(actions, "keep_stops")],
        "claim": [(actions, "claim")],
        "deliver": [(actions, "deliver")],
        "freeze": [(delivering, "_freeze")],
        "take_step": [(delivering, "take_step"), (settling, "take_step")],
        "remember": [(fence, "remember")],
        "settle": [(delivering, "settle"), (settling, "settle")],
        "confirm": [(settling, "confirm")],
        "look_up": [(actions, "look_up")],
        "read_back": [(actions, "read_back")],
        "give_up_lost": [(actions, "give_up_lost")],
        "finish": [(drafts, "finish")],
        "record": [(records, "record")],
        "request": [(Outbound, "request")],
        "transport": [(Notify, "hand_over")],
        "mail_freeze": [(handing, "_freeze")],
        "mail_journal": [(Journal, "begin")],
        "mail_settle": [(handing, "settle")],
    }
    return places[step]


class _alarm:  # noqa: N801 - used as a block
    """Raises :class:`TimeoutError` in the block once ``seconds`` are over."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        def over(_number: int, _frame: FrameType | None) -> None:
            raise TimeoutError

        self._before = signal.signal(signal.SIGALRM, over)
        signal.setitimer(signal.ITIMER_REAL, self._seconds)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)
