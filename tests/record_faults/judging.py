"""What the processes of a drill said, and whether the record that they left agrees with it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.postgres_server import Server

from .outcome import Outcome


@dataclass(frozen=True)
class Place:
    """Where a drill plays: a home of its own and a database of its own."""

    home: Path
    url: str
    server: Server | None = None

    @property
    def diaries(self) -> Path:
        return self.home / "diaries"


class Diary:
    """What one process did. A line is whole or not there at all."""

    def __init__(self, place: Place, name: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._file = os.open(place.diaries / name, flags, 0o600)

    def write(self, what: str, about: object, more: str = "") -> None:
        line = f"{what}\t{about}\t{time.monotonic_ns()}\t{more.splitlines()[0] if more else ''}\n"
        os.write(self._file, line.encode())


@dataclass
class Deed:
    """One thing that was to be recorded once: when it was first begun, and when answered."""

    begun: int = 0
    answered: int = 0
    entry_id: str = ""


@dataclass
class Told:
    """What the diaries say."""

    deeds: dict[str, Deed] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)


def read_diaries(place: Place) -> Told:
    told = Told()
    for file in sorted(place.diaries.iterdir()):
        for line in file.read_text().splitlines():
            what, about, at, more = line.split("\t")
            if what == "trouble":
                told.troubles.append(f"{file.name}: {more}")
                continue
            deed = told.deeds.setdefault(about, Deed())
            if what == "begun":
                deed.begun = deed.begun or int(at)
            else:
                deed.answered, deed.entry_id = int(at), more
    return told


def judge(place: Place, outcome: Outcome, told: Told) -> None:
    """Hold the tables against the diaries."""
    from folkmoot.desk.records import models

    rows = list(
        models.Entry.objects.order_by("index").values("index", "entry_id", "leaf", "subject")
    )
    for trouble in told.troubles:
        outcome.find("broken", trouble)
    for reason in models.Refusal.objects.values_list("reason", flat=True):
        outcome.find("damaged", f"The signer refused: {reason[:200]}")
    if [row["index"] for row in rows] != list(range(len(rows))):
        outcome.find("damaged", "The indices have gaps.")
        return
    at = {row["entry_id"]: row["index"] for row in rows}
    times: dict[str, int] = {}
    for row in rows:
        times[row["subject"]] = times.get(row["subject"], 0) + 1
    for about, deed in told.deeds.items():
        if deed.answered and deed.entry_id not in at:
            outcome.find("lost", f"{about} was acknowledged and is not in the record.")
        if times.get(about, 0) > 1:
            outcome.find("doubled", f"{about} is in the record {times[about]} times.")
    judge_order(told, at, outcome)
    judge_tree([row["leaf"].encode() for row in rows], outcome)


def judge_order(told: Told, at: dict[str, int], outcome: Outcome) -> None:
    """What was answered before another was begun stands before it."""
    done = sorted(
        (deed.answered, at[deed.entry_id])
        for deed in told.deeds.values()
        if deed.answered and deed.entry_id in at
    )
    begun = sorted(
        (deed.begun, at[deed.entry_id])
        for deed in told.deeds.values()
        if deed.answered and deed.entry_id in at
    )
    highest, upto = -1, 0
    for when, index in begun:
        while upto < len(done) and done[upto][0] < when:
            highest = max(highest, done[upto][1])
            upto += 1
        if index < highest:
            outcome.find("damaged", f"Entry {index} stands before one that was answered earlier.")
            return


def judge_tree(leaves: list[bytes], outcome: Outcome) -> None:
    """Every head that was published is of this log, and the tiles are of these entries."""
    from folkmoot.desk.records import models
    from folkmoot.desk.records.log import log_tree, signer
    from folkmoot.ledger import Checkpoint, MemoryStore, Tree, leaf_hashes, open_note

    tree = Tree(MemoryStore())
    tree.append(leaf_hashes(leaves))
    kept = log_tree()
    if kept.size != tree.size or kept.root() != tree.root() or not kept.audit():
        outcome.find("damaged", "The tiles are not those of the entries.")
    for note in models.Checkpoint.objects.values_list("note", flat=True):
        head = Checkpoint.from_text(open_note(note, [signer().verifier]).text)
        if head.size > tree.size or tree.root(head.size) != head.root:
            outcome.find("forked", f"The head of {head.size} entries is of another log.")
