"""The disk is full: nothing is lost, it is said in words, and it goes on once there is room."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from folkmoot.ledger import SqliteLog, StoreError

from .outcome import Outcome

PLANTS = {"swallow": ("lost",), "hide": ("broken",)}


@contextmanager
def small_disk() -> Iterator[Path | None]:
    """A disk of 2 MiB; ``None`` where none can be mounted."""
    with tempfile.TemporaryDirectory() as name:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", name], capture_output=True
        )
        if done.returncode:
            yield None
            return
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", name], check=True)


def explicit_rollback(log: SqliteLog) -> None:
    """The planted bug: to roll back what SQLite has rolled back already hides why."""

    def roll_back() -> None:
        log._db.execute("ROLLBACK")

    log._roll_back = roll_back  # type: ignore[method-assign]


def fill(disk: Path, rng: random.Random, plant: str, outcome: Outcome) -> None:
    """Append until the disk is full, with more or less room; make room; go on."""
    filler = disk / "filler"
    filler.write_bytes(bytes(rng.randrange(200_000, 1_200_000)))
    path, kept, full = disk / "log", [], 0
    with SqliteLog(path) as log:
        if plant == "hide":
            explicit_rollback(log)
        while full < 3:
            batch = [rng.randbytes(rng.randrange(3_000)) for _ in range(rng.choice((1, 10, 100)))]
            root = log.root()
            try:
                log.append(batch)
            except (StoreError, sqlite3.Error) as failed:
                full += 1
                if plant == "swallow":
                    kept += batch
                cause = failed.__cause__
                if not (
                    isinstance(cause, sqlite3.OperationalError)
                    and cause.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL
                    and "no room left on the disk" in str(failed)
                ):
                    outcome.find("broken", f"a full disk is called: {failed!r} from {cause!r}")
                    return
                if log.root() != root:
                    outcome.find("damaged", "a full disk changed the root")
                if full == 2:
                    filler.unlink()
            else:
                kept += batch
        answer = log.audit()
        if not answer:
            outcome.find("damaged", answer.reason)
        if log.size < len(kept):
            outcome.find("lost", f"{len(kept) - log.size} acknowledged entries are gone")
        elif any(log.get_entry(at) != one for at, one in enumerate(kept)):
            outcome.find("damaged", "an entry is not what was appended")


def drill(plant: str, rounds: int, seed: int) -> Outcome:
    """So many disks that become full."""
    outcome = Outcome()
    if os.geteuid() != 0:
        outcome.skipped = "only root can mount a small disk here: no disk can become full."
        return outcome
    rng = random.Random(seed)
    for _ in range(rounds):
        with contextlib.ExitStack() as stack:
            disk = stack.enter_context(small_disk())
            if disk is None:
                outcome.skipped = "no small disk can be mounted here: no disk can become full."
                return outcome
            fill(disk, rng, plant, outcome)
        outcome.cases += 1
    return outcome
