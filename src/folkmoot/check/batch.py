"""Many posts, one after another or in several processes, answered in the order they came in."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING

from .compiled import Compiled, compile_pack, load_compiled, shipped_folder
from .engine import Checker
from .formats import Writer, make_writer
from .inputs import BadRow, Contexts, Problem, Raw, read_item
from .model import CheckError, Context, Effect, Report

if TYPE_CHECKING:
    from concurrent.futures import Future

    from folkmoot.guidance.model import Pack

    from .overrides import Override

CHUNK = 200
"""How many posts are handed to a process at once."""
_WAITING = 3
"""How many chunks a process may have waiting, so that no file is read further than needed."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A pack's checker; ``pack`` itself only where it was asked for or had to be read."""

    checker: Checker
    compiled: Compiled
    pack: Pack | None


def open_pack(name: str, *, whole: bool) -> Opened:
    """The checker of a pack by name or folder. ``whole`` asks for the pack itself as well.

    Raises what loading the pack or reading its rules raises.
    """
    if not whole and shipped_folder(name) is not None:
        compiled = load_compiled(name)
        return Opened(Checker.of(compiled), compiled, None)
    from folkmoot.guidance import load_pack

    pack = load_pack(name)
    compiled = compile_pack(pack)
    return Opened(Checker.of(compiled), compiled, pack)


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done with each post. ``today`` is the day overrides are held against."""

    pack: str
    context: Context
    form: str
    many: bool
    fail_on: Effect
    today: date
    overrides: tuple[Override, ...] = ()


@dataclass(slots=True)
class Answers:
    """What some posts came to, in their order."""

    pieces: list[str | Problem] = field(default_factory=list)
    is_over: bool = False
    unknown: set[str] = field(default_factory=set)
    """Keys that mean nothing to the checker."""
    used: set[Override] = field(default_factory=set)
    expired: set[Override] = field(default_factory=set)
    refused: set[Override] = field(default_factory=set)


class Worker:
    """Checks posts by one task. Build it once."""

    __slots__ = ("checker", "contexts", "is_ready", "task", "writer")

    def __init__(self, task: Task, opened: Opened) -> None:
        self.task = task
        self.checker = opened.checker
        self.contexts: Contexts = {}
        self.is_ready = False
        self.writer: Writer = make_writer(
            task.form, opened.checker, opened.compiled, opened.pack, many=task.many
        )

    def answer(self, raws: Iterable[Raw]) -> Answers:
        """What ``raws`` come to. One that cannot be read or checked is a :class:`Problem`."""
        answers = Answers()
        first = True
        for raw in raws:
            if not first and not self.is_ready:
                self.checker.make_ready()
                self.is_ready = True
            first = False
            try:
                answers.pieces.append(self._one(raw, answers))
            except BadRow as bad:
                answers.pieces.append(bad.problem)
        return answers

    def _one(self, raw: Raw, answers: Answers) -> str:
        task = self.task
        item = read_item(raw, self.checker.vocabulary, task.context, self.contexts)
        if item.unknown:
            answers.unknown.update(item.unknown)
        try:
            report = self.checker.check(item.post, item.context)
        except CheckError as wrong:
            raise BadRow(Problem(raw.file, raw.line, item.id, str(wrong))) from wrong
        if task.overrides:
            from .overrides import apply_overrides

            applied = apply_overrides(
                report, task.overrides, on=task.today, roles=self.checker.vocabulary.roles
            )
            report = applied.report
            answers.used.update(applied.used)
            answers.expired.update(applied.expired)
            answers.refused.update(applied.refused)
        if not answers.is_over and is_over(report, task.fail_on):
            answers.is_over = True
        return self.writer.report(item, report)


def is_over(report: Report, fail_on: Effect) -> bool:
    """Whether ``report`` has a finding of this effect or a stronger one.

    A rule that could not answer counts as what it might have said, if it found its words.
    """
    if report.findings and any(each.effect >= fail_on for each in report.findings):
        return True
    unanswered = report.not_evaluated
    if not unanswered or not unanswered[0].counts:  # those that count stand first
        return False
    return any(each.counts and each.effect >= fail_on for each in unanswered)


def answer_all(raws: Iterable[Raw], worker: Worker, jobs: int) -> Iterator[Answers]:
    """What ``raws`` come to, in their order, a chunk at a time, by ``jobs`` processes.

    One post takes no second process. No more than a few chunks are held at any moment. For many
    posts what the process holds by now is kept from garbage collection (``gc.freeze``).
    """
    left = iter(raws)
    first = list(islice(left, CHUNK))
    if len(first) == CHUNK:
        # The rules stay to the end. Looking through them for rubbish after every few posts costs a
        # third of the time, and after a fork each look would make a copy of them.
        gc.freeze()
    if jobs <= 1 or len(first) < CHUNK:
        while first:
            yield worker.answer(first)
            first = list(islice(left, CHUNK))
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # A fork has the compiled rules already; where there is none each process reads them again.
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    _inherited.append(worker)
    try:
        with ProcessPoolExecutor(
            jobs, multiprocessing.get_context(method), _start, (worker.task,)
        ) as pool:
            waiting: deque[Future[Answers]] = deque()
            while first or waiting:
                while first and len(waiting) < jobs * _WAITING:
                    waiting.append(pool.submit(_answer, first))
                    first = list(islice(left, CHUNK))
                yield waiting.popleft().result()
    finally:
        _inherited.clear()


_inherited: list[Worker] = []
"""The worker of this process; filled before a fork, or by :func:`_start` in a new process."""


def _start(task: Task) -> None:
    if not _inherited:
        _inherited.append(Worker(task, open_pack(task.pack, whole=task.form == "sarif")))


def _answer(raws: list[Raw]) -> Answers:
    return _inherited[0].answer(raws)
