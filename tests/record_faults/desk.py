"""The desk's record under blows: writers and sequencers are killed, the server is killed, and a
backup is brought back. Afterwards one judge holds what is there against what was said.

Everything is forked from a process with Django set up. Each writer keeps a diary of what it began,
what it was answered, and when; a line that was written survives the writer.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.faults.ground import use_database, use_home

from .judging import Diary, Place, judge, read_diaries
from .outcome import Outcome

WRITERS, SEQUENCERS = 4, 2
PAUSE = 0.003
LEAST = 2


@dataclass(frozen=True)
class Plant:
    """A planted bug: what it does, and what it must be found by."""

    what: str
    shows: tuple[str, ...]
    database: str = "postgresql"


PLANTS = {
    "sequence-for-index": Plant("the index is the number that the database gave", ("damaged",)),
    "no-lock": Plant("two sequencers work at once", ("broken", "damaged")),
    "last-number": Plant("the outbox is read on from the last number that was seen", ("lost",)),
    "answers-early": Plant("it is acknowledged before it is committed", ("lost",)),
    "no-once": Plant("what may have been left is left again without its key", ("doubled",)),
    "no-sync": Plant("the server does not wait for the disk", ("lost",)),
    "memory-restored": Plant(
        "the signer's memory is brought back with the database", ("forked",), "sqlite"
    ),
}


# The processes


def write(place: Place, number: int, plant: str) -> None:
    """Leave one entry after the other, for ever; what was begun and not answered, first again."""
    from django.db import Error, connection, transaction

    from folkmoot.desk.records import actions

    name = f"writer-{number}"
    # Each takes up what the one before it, which was killed, had begun.
    at = sum(line.startswith("answered") for line in _lines(place.diaries / name))
    diary = Diary(place, name)
    rng = random.Random(os.getpid())
    while True:
        about = f"{name}/{at}"
        diary.write("begun", about)
        try:
            with transaction.atomic():
                entry_id = actions.record(
                    "draft.approved",
                    at=datetime.now(UTC),
                    organisation="borsetshire",
                    actor=name,
                    role="",
                    subject=about,
                    fields={"text": f"{about} " * rng.randrange(1, 30)} if at % 5 == 0 else {},
                    once=None if plant == "no-once" else about,
                )
                if plant == "answers-early":
                    diary.write("answered", about, entry_id)
                if rng.random() < 0.1:
                    time.sleep(rng.random() * 0.02)  # some transactions take longer than others
                if rng.random() < 0.05:
                    transaction.set_rollback(True)  # the change itself was refused
                    entry_id = ""
        except Error:
            connection.close()
            time.sleep(PAUSE)
            continue  # not known: the same again
        if entry_id:
            if plant != "answers-early":
                diary.write("answered", about, entry_id)
            at += 1


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def sequence(place: Place, number: int, plant: str) -> None:
    """Put entries in order and sign, for ever."""
    from django.db import OperationalError, connection

    from folkmoot.desk.records import actions

    diary = Diary(place, f"sequencer-{number}")
    plant_in_sequencer(plant)
    while True:
        try:
            actions.sequence(datetime.now(UTC))
        except OperationalError as gone:
            if place.server is None:
                diary.write("trouble", "sequence", f"{gone!r}")
            connection.close()
        except Exception as trouble:  # noqa: BLE001 - whatever it is, it must not be
            diary.write("trouble", "sequence", f"{trouble!r}")
            connection.close()
        time.sleep(PAUSE)


def plant_in_sequencer(plant: str) -> None:
    """Put functions in place of others, in this process alone."""
    from folkmoot.desk.records import actions, models, sequencing, signing

    there: Any = actions
    if plant == "no-lock":
        there.be_the_only_sequencer = lambda: None
        signing.be_the_only_sequencer = lambda: None
    elif plant == "sequence-for-index":
        sequencing._MOVE = sequencing._MOVE.replace(
            "%s + row_number() OVER (ORDER BY id) - 1", "%s * 0 + id - 1"
        )
    elif plant == "last-number":
        seen = [0]
        whole = actions._sequence_batch

        class Later:
            """The outbox, but for what has a lower number than was seen."""

            objects = property(lambda self: models.Intent.objects.filter(pk__gt=seen[0]))

        class Models:
            Intent = Later()

        def batch() -> int:
            numbers = [row[0] for row in waiting_rows(models, seen[0])]
            done = whole()
            seen[0] = max([seen[0], *numbers])
            return done

        there.models = Models()
        there._sequence_batch = batch


def waiting_rows(models: Any, after: int) -> list[tuple[int]]:
    return list(models.Intent.objects.filter(pk__gt=after).order_by("pk").values_list("pk")[:1000])


class Crew:
    """The processes at work, each by what it does."""

    def __init__(self, place: Place, plant: str) -> None:
        self._place, self._plant = place, plant
        self._at_work: dict[int, tuple[Callable[..., None], int]] = {}
        for number in range(WRITERS):
            self.begin(write, number)
        for number in range(SEQUENCERS):
            self.begin(sequence, number)

    def begin(self, work: Callable[..., None], number: int) -> None:
        pid = os.fork()
        if pid == 0:
            try:
                work(self._place, number, self._plant)
            except BaseException:  # noqa: BLE001 - told, and then the process is gone
                trouble = Diary(self._place, f"end-of-{work.__name__}-{number}")
                trouble.write("trouble", "end", traceback.format_exc().splitlines()[-1])
            finally:
                os._exit(1)
        self._at_work[pid] = (work, number)

    def kill_one(self, rng: random.Random) -> None:
        """Kill one of them, and let another take up its work."""
        pid = rng.choice(sorted(self._at_work))
        work, number = self._at_work.pop(pid)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        self.begin(work, number)

    def end(self) -> None:
        """Kill all."""
        for pid in self._at_work:
            os.kill(pid, signal.SIGKILL)
        for pid in self._at_work:
            os.waitpid(pid, 0)
        self._at_work.clear()


# The drills


def killed_workers(place: Place, plant: str, seconds: float, rng: random.Random) -> Outcome:
    """Writers and sequencers are killed with SIGKILL, again and again."""
    return _under_blows(place, plant, seconds, rng, lambda crew: crew.kill_one(rng), 0.12)


def killed_server(place: Place, plant: str, seconds: float, rng: random.Random) -> Outcome:
    """The whole PostgreSQL is killed with SIGKILL, again and again, and started again."""
    server = place.server
    assert server is not None

    def blow(_crew: Crew) -> None:
        server.kill()
        server.start()

    return _under_blows(place, plant, seconds, rng, blow, 0.9)


def _under_blows(  # noqa: PLR0917
    place: Place,
    plant: str,
    seconds: float,
    rng: random.Random,
    blow: Callable[[Crew], None],
    between: float,
) -> Outcome:
    outcome = Outcome()
    crew = Crew(place, plant)
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end or outcome.cases < LEAST:
            time.sleep(rng.uniform(0.3, 1.7) * between)
            blow(crew)
            outcome.cases += 1
    finally:
        crew.end()
    if place.server is not None:
        _let_go(place)
    finish(place, plant)
    judge(place, outcome, read_diaries(place))
    return outcome


def _let_go(place: Place) -> None:
    """Wait until the server has noticed that those who were killed are gone."""
    import psycopg

    with psycopg.connect(place.url, autocommit=True) as database:
        for _ in range(200):
            (others,) = database.execute(  # type: ignore[misc]
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid()"
            ).fetchone()
            if not others:
                return
            time.sleep(0.05)


def finish(place: Place, plant: str) -> None:
    """Let one sequencer that nobody kills put the rest in order; it may have the bug as well."""
    from folkmoot.desk.records import actions

    diary = Diary(place, "last-sequencer")
    if plant == "sequence-for-index":
        plant_in_sequencer(plant)
    if plant == "last-number":
        return  # those before it have passed over what they have passed over
    try:
        actions.sequence(datetime.now(UTC))
    except Exception as trouble:  # noqa: BLE001 - whatever it is, it must not be
        diary.write("trouble", "sequence", f"{trouble!r}")


def restored(place: Place, plant: str, _seconds: float, rng: random.Random) -> Outcome:
    """The database is brought back from a backup: the signer must refuse every head after it."""
    from folkmoot.desk.records import models

    outcome = Outcome()
    _leave(place, rng.randrange(1, 400))
    backup = place.home / "backup"
    memory = place.home / "ledger.checkpoint"
    with copied_back(place, backup) as bring_back:
        old_memory = memory.read_bytes()
        _leave(place, rng.randrange(1, 400))
        published = list(models.Checkpoint.objects.values_list("note", flat=True))
        bring_back()
        if plant == "memory-restored":
            memory.write_bytes(old_memory)
        outcome.cases += 1
        _leave(place, rng.randrange(401, 900))  # past the head that was signed before
        from folkmoot.desk.records.log import signer
        from folkmoot.ledger import Checkpoint, open_note

        heads: dict[int, bytes] = {}
        for note in [*published, *models.Checkpoint.objects.values_list("note", flat=True)]:
            head = Checkpoint.from_text(open_note(note, [signer().verifier]).text)
            if heads.setdefault(head.size, head.root) != head.root:
                outcome.find("forked", f"Two heads of {head.size} entries were signed.")
        newest = max(heads)
        lasting = Checkpoint.from_text(open_note(published[-1], [signer().verifier]).text).size
        if newest > lasting:
            outcome.find("forked", f"A head of {newest} was signed after a backup came back.")
        if not models.Refusal.objects.exists() and outcome.clean:
            outcome.find("broken", "Nobody was told that a backup came back.")
    return outcome


def _leave(place: Place, count: int) -> None:
    from django.db import transaction

    from folkmoot.desk.records import actions

    for start in range(0, count, 50):
        with transaction.atomic():
            for number in range(start, min(start + 50, count)):
                actions.record(
                    "draft.approved",
                    at=datetime.now(UTC),
                    organisation="borsetshire",
                    actor="somebody",
                    role="",
                    subject=f"post/{number}",
                    fields={},
                )
        actions.sequence(datetime.now(UTC))


@contextmanager
def copied_back(place: Place, backup: Path) -> Iterator[Callable[[], None]]:
    """Take a backup of the database; gives what brings it back in the place of the database."""
    from django.db import connections

    connections.close_all()
    if place.server is None:
        live = Path(place.url.removeprefix("sqlite:///"))
        with contextlib.closing(sqlite3.connect(live)) as source:
            source.execute("VACUUM INTO ?", (str(backup),))

        def bring_back() -> None:
            connections.close_all()
            for end in ("-wal", "-shm"):
                live.with_name(live.name + end).unlink(missing_ok=True)
            shutil.copy(backup, live)

        yield bring_back
        return
    import psycopg

    base, _, name = place.url.rpartition("/")
    with psycopg.connect(f"{base}/postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}_backup TEMPLATE {name}")

        def bring_back() -> None:
            connections.close_all()
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
            server.execute(f"CREATE DATABASE {name} TEMPLATE {name}_backup")

        yield bring_back


DRILLS: dict[str, Callable[[Place, str, float, random.Random], Outcome]] = {
    "killed-workers": killed_workers,
    "killed-server": killed_server,
    "restored": restored,
}


def play(drill: str, place: Place, plant: str, seconds: float, seed: int) -> Outcome:
    """One drill, in this process, which is one of its own: it ends with it."""
    place.diaries.mkdir(parents=True)
    use_home(place.home)
    use_database(place.url)
    return DRILLS[drill](place, plant, seconds, random.Random(seed))
