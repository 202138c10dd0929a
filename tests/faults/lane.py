"""A lane: a process that plays runs one after another, as it is told over a pipe."""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TextIO

from .deck import deal
from .ground import BEGIN, Ground, Servers
from .judge import judge
from .mailing import judge_mail
from .world import World, clear

LOG_LINES = 40


@dataclass(frozen=True)
class Told:
    """What one run came to. ``story`` tells of it where something was found."""

    seed: int
    plant: str
    scenario: str
    counts: dict[str, int]
    findings: list[str]
    notes: list[str]
    story: list[str]
    seconds: float

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


class Lane:
    """One lane, as the process that hands out runs sees it."""

    def __init__(self, home: Path, number: int) -> None:
        ask_read, ask_write = os.pipe()
        say_read, say_write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(ask_write)
            os.close(say_read)
            status = 1
            try:
                with os.fdopen(ask_read) as asked, os.fdopen(say_write, "w") as says:
                    _work(home, number, asked, says)
                status = 0
            except BaseException:  # noqa: BLE001 - told, and then the process is gone
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)
        os.close(ask_read)
        os.close(say_write)
        self._ask: TextIO = os.fdopen(ask_write, "w")
        self.says: TextIO = os.fdopen(say_read)

    def fileno(self) -> int:
        """For ``select``."""
        return self.says.fileno()

    def ask(self, **what: Any) -> None:
        """Tell the lane what to do."""
        self._ask.write(json.dumps(what) + "\n")
        self._ask.flush()

    def hear(self) -> Any:
        """What it says next. Raises :class:`EOFError` where it has ended."""
        line = self.says.readline()
        if not line:
            raise EOFError("A lane ended before its time; what it met is told above.")
        return json.loads(line)

    def end(self) -> None:
        """Let it end."""
        self._ask.close()
        self.says.close()
        os.waitpid(self.pid, 0)


def _work(home: Path, number: int, asked: TextIO, says: TextIO) -> None:
    servers = Servers(**json.loads(asked.readline()))
    ground = Ground(home, number, servers)
    try:
        _say(says, {"ready": True})
        for line in asked:
            what = json.loads(line)
            told = play(ground, what["seed"], what["plant"], what["burst"])
            _say(says, told.__dict__)
    finally:
        ground.host.end()


def _say(says: TextIO, value: Any) -> None:
    says.write(json.dumps(value) + "\n")
    says.flush()


def play(ground: Ground, seed: int, plant: str, burst: int) -> Told:
    """One run, from a fresh database to its verdict."""
    start = time.monotonic()
    dealt = deal(seed, tuple(ground.casts[ground.databases[0]].accounts), ground.databases)
    with ground.fresh(dealt.database, seed) as url:
        clear(ground, seed)
        # Soon enough that no token has run out meanwhile.
        ground.clock.set(BEGIN + timedelta(minutes=30))
        world = World(ground, url, dealt.database, dealt.rng)
        world.plant = plant
        world.watch_only(dealt.channels)
        try:
            more = {"count": burst} if dealt.card.play.__name__ == "burst" else {}
            try:
                dealt.play(world, **more)
            except Exception:  # noqa: BLE001 - told, and what there is is judged all the same
                world.faults.append(f"The scenario broke: {traceback.format_exc()}")
            world.settle()
            verdict = judge(world)
            if world.mails:
                judge_mail(world, verdict)
        finally:
            world.end_all()
        log = world.log.read_text().splitlines()
        faults = [line for line in log if "ERROR" in line and "fault" in line.casefold()]
        verdict.notes += list(dict.fromkeys(faults))[:5]
    story = [] if verdict.clean else [*world.story, *log[-LOG_LINES:]]
    seconds = time.monotonic() - start
    return Told(
        seed, plant, str(dealt), verdict.counts, verdict.findings, verdict.notes, story, seconds
    )
