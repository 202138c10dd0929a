"""Run the drills, and prove that each planted bug is found; one line of JSON at the end.

``--long`` runs many more faults. Words choose drills by how their names begin. ``SEED`` (0) is what
the faults are drawn from, ``DATABASE`` is ``both``, ``sqlite`` or ``postgresql``.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from . import fulldisk, power, syscalls
from .outcome import Outcome


@dataclass(frozen=True)
class Drill:
    """One drill; with a planted bug, ``shows`` says what it must be found by."""

    name: str
    run: Callable[[], Outcome]
    shows: tuple[str, ...] = ()


def store_drills(seed: int, *, long: bool) -> Iterator[Drill]:
    """What happens to the log in one file, below SQLite."""
    cuts = 400 if long else 60
    for name, mode in power.MODES.items():
        if long or name != "delete-extra":
            yield Drill(f"power.{name}", partial(power.drill, mode, cuts, seed))
    for name, mode in power.PLANTS.items():
        if long or name != "delete-full-lingering":
            yield Drill(f"power.{name}", partial(power.drill, mode, cuts, seed), mode.shows)
    rounds = 20 if long else 3
    yield Drill("disk-full", partial(fulldisk.drill, "", rounds, seed))
    for name, shows in fulldisk.PLANTS.items():
        yield Drill(f"disk-full.{name}", partial(fulldisk.drill, name, rounds, seed), shows)
    yield Drill("syscalls", partial(syscalls.drill, "", long=long))
    for name, shows in syscalls.PLANTS.items():
        if long or name == "swallow":
            yield Drill(f"syscalls.{name}", partial(syscalls.drill, name, long=long), shows)


def desk_drills(ground: Ground, seed: int, *, long: bool) -> Iterator[Drill]:
    """What happens to the desk and its database."""
    from . import desk

    seconds = 45.0 if long else 3.0

    def drill(name: str, database: str, plant: str = "", shows: tuple[str, ...] = ()) -> Drill:
        def run() -> Outcome:
            return ground.play(name, database, plant, seconds, seed)

        parts = [f"desk.{name}", database, plant]
        return Drill(".".join(filter(None, parts)), run, shows)

    for database in ground.databases:
        yield drill("killed-workers", database)
        yield drill("restored", database)
        if database == "postgresql":
            yield drill("killed-server", database)
        for plant, about in desk.PLANTS.items():
            if about.database != database or not (long or plant in SHORT_PLANTS):
                continue
            by = {"no-sync": "killed-server", "memory-restored": "restored"}
            yield drill(by.get(plant, "killed-workers"), database, plant, about.shows)


SHORT_PLANTS = ("sequence-for-index", "no-lock", "no-sync", "memory-restored")


class Ground:
    """The desk's tables, empty, on each database; what each drill begins with a copy of."""

    def __init__(self, stack: contextlib.ExitStack, wanted: str) -> None:
        from tests.faults.ground import set_up_django
        from tests.postgres_server import Server, find_binaries

        self.home = set_up_django()
        stack.callback(shutil.rmtree, self.home, ignore_errors=True)
        self.server: Server | None = None
        self._number = 0
        self.databases = ["sqlite"] if wanted != "postgresql" else []
        if wanted == "sqlite":
            return
        if find_binaries() is None:
            tell("PostgreSQL is not installed: SQLite alone is tried.")
            return
        # After a kill, the kernel still has what was written: no need to sync each file alone.
        self.server = Server(durable=True, settings=("recovery_init_sync_method=syncfs",))
        stack.callback(self.server.remove)
        self.server.start()
        self.server.make_database()
        self._in_fork(self._migrate)
        self.databases.append("postgresql")

    def _migrate(self) -> dict[str, Any]:
        from django.core.management import call_command
        from tests.faults.ground import use_database

        assert self.server is not None
        os.environ["PGOPTIONS"] = "-c synchronous_commit=off"  # in this fork; it is only tables
        use_database(self.server.address)
        call_command("migrate", verbosity=0)
        return {}

    def play(self, name: str, database: str, plant: str, seconds: float, seed: int) -> Outcome:
        from .desk import play
        from .judging import Place

        self._number += 1
        home = self.home / f"drill-{self._number}"
        home.mkdir()
        if database == "sqlite":
            # On the disk, not in memory: its waits are what others get in between by.
            folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"{self.home.name}-{self._number}"
            folder.mkdir()
            shutil.copy(self.home / "empty.sqlite3", folder / "desk.sqlite3")
            place = Place(home, f"sqlite:///{folder / 'desk.sqlite3'}")
        else:
            assert self.server is not None
            place = Place(home, self._copy_database(plant), self.server)
            folder = None
        try:
            return Outcome(**self._in_fork(lambda: asdict(play(name, place, plant, seconds, seed))))
        finally:
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)

    def _copy_database(self, plant: str) -> str:
        import psycopg

        assert self.server is not None
        base = self.server.address.rpartition("/")[0]
        name = f"drill{self._number}"
        with psycopg.connect(f"{base}/postgres", autocommit=True) as server:
            server.execute(f"CREATE DATABASE {name} TEMPLATE folkmoot")
            if plant == "no-sync":
                server.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        if plant == "sequence-for-index":  # the database itself would refuse it
            with psycopg.connect(f"{base}/{name}", autocommit=True) as database:
                database.execute("ALTER TABLE records_entry DISABLE TRIGGER USER")
        return f"{base}/{name}"

    @staticmethod
    def _in_fork(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Do it in a process of its own, which leaves no connection and no key behind."""
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            logging.disable(logging.CRITICAL)  # what the desk says of it is in its tables
            try:
                said = json.dumps(work())
            except BaseException:  # noqa: BLE001 - told, and then the process is gone
                said = json.dumps({"broken": 1, "findings": [traceback.format_exc()]})
            with os.fdopen(write, "w") as pipe:
                pipe.write(said)
            os._exit(0)
        os.close(write)
        with os.fdopen(read) as pipe:
            said = pipe.read()
        os.waitpid(pid, 0)
        answer: dict[str, Any] = json.loads(said)
        return answer


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def play(drill: Drill, counts: dict[str, int]) -> bool:
    """Run one; whether it went as it must: clean without a bug, found with one."""
    start = time.monotonic()
    outcome = drill.run()
    took = f"{time.monotonic() - start:.1f} s"
    if outcome.skipped:
        counts["skipped"] += 1
        tell(f"{drill.name}: SKIPPED. {outcome.skipped}")
        return True
    counts["faults"] += outcome.cases
    if not drill.shows:
        tell(f"{drill.name}: {outcome.cases} faults, {took}" + ("" if outcome.clean else ": FOUND"))
        for finding in outcome.findings[:10]:
            tell("    " + finding.replace("\n", "\n    "))
        return outcome.clean
    counts["planted"] += 1
    found = [one for one in outcome.findings if one.startswith(drill.shows)]
    if found:
        shown = found[0].splitlines()[0][:120]
        tell(f"{drill.name}: planted bug found ({outcome.cases} faults, {took}). {shown}")
    else:
        tell(f"{drill.name}: planted bug NOT FOUND in {outcome.cases} faults, {took}")
        for finding in outcome.findings[:5]:
            tell(f"    but: {finding}")
    return bool(found)


def main(arguments: list[str]) -> int:
    """Run the suite; 1 where anything was found that must not be, or a planted bug was not."""
    long = "--long" in arguments
    words = [word for word in arguments if not word.startswith("-")]
    seed, wanted = int(os.environ.get("SEED") or 0), os.environ.get("DATABASE") or "both"
    if wanted not in ("both", "sqlite", "postgresql"):
        print("DATABASE is both, sqlite or postgresql.", file=sys.stderr)
        return 2
    start = time.monotonic()
    counts = dict.fromkeys(("drills", "faults", "planted", "skipped", "failed"), 0)
    with contextlib.ExitStack() as stack:
        drills = list(store_drills(seed, long=long))
        if not words or any("desk".startswith(word[:4]) for word in words):
            drills += desk_drills(Ground(stack, wanted), seed, long=long)
        for drill in drills:
            if words and not any(drill.name.startswith(word) for word in words):
                continue
            counts["drills"] += 1
            counts["failed"] += not play(drill, counts)
    tell(f"{time.monotonic() - start:.1f} s.")
    print(json.dumps(counts), flush=True)
    return 1 if counts["failed"] or not counts["drills"] else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
