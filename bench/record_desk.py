"""The record on a durable PostgreSQL, in a process of its own: for :mod:`bench.record`.

``python -m bench.record_desk WHAT COUNT`` prints one JSON object. The database is one of its own,
on the disk that holds the folder for temporary files, with ``fsync`` on.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.postgres_server import Server, find_binaries, running_server

WRITERS = 8
SECONDS = 6
ROUNDS = 2
TIMES = r"(?<=[0-9]):(?=[0-9])"  # pgbench takes ":30" for a variable, even within a text
FRESH_ID = "md5(random()::text || clock_timestamp()::text)"


def set_up(home: Path, address: str) -> None:
    """Django on that database, with the desk's tables."""
    os.environ.update(
        FOLKMOOT_HOME=str(home),
        FOLKMOOT_DATABASE=address,
        DJANGO_SETTINGS_MODULE="folkmoot.desk.site.settings",
    )
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0, interactive=False)


def leave(number: int, fields: dict[str, str]) -> str:
    """One entry of the record, as the desk leaves it within its transaction."""
    from folkmoot.desk.records import actions

    return actions.record(
        "post.sent",
        at=datetime.now(UTC),
        organisation="borsetshire",
        actor="worker",
        role="",
        subject=f"post/{number}",
        fields=fields,
    )


def make_intents(count: int) -> None:
    """So many entries waiting in the outbox, by the desk's own action."""
    from django.db import transaction

    for start in range(0, count, 500):
        with transaction.atomic():
            for number in range(start, min(start + 500, count)):
                leave(number, {})


def drain(count: int, server: Server, folder: Path) -> dict[str, float]:
    """So many waiting entries put into the log by the desk's own sequencer, its head signed; and
    what eight writers put in order themselves, on the same server.
    """
    from folkmoot.desk.records import actions
    from folkmoot.desk.records.models import Entry, Intent

    rates = []
    for _ in range(2 + ROUNDS):  # what only the first does is over in the others
        make_intents(count)
        begin, spent = time.perf_counter(), time.process_time()
        taken = actions.sequence(datetime.now(UTC))
        took, spent = time.perf_counter() - begin, time.process_time() - spent
        assert taken == count
        rates.append((count / took, count / spent))
    assert not Intent.objects.exists()
    leaf = re.sub(TIMES, ".", Entry.objects.order_by("index")[0].leaf)
    peer = write_at_once(by_lock_and_max(leaf), server, folder)["per_second"]
    return {
        "per_second": max(rates)[0],
        "per_cpu_second": max(rate for _, rate in rates),
        "peer_per_second": peer,
    }


def write_at_once(script: str, server: Server, folder: Path) -> dict[str, float]:
    """How many transactions a second eight writers commit, and how long one waits.

    By PostgreSQL's own pgbench, so that it is the server and its disk that are measured.
    """
    (folder / "script.sql").write_text(script)
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own program
        [
            *(find_binaries() / "pgbench", "-n", "-M", "prepared"),  # type: ignore[operator]
            *("-c", str(WRITERS), "-j", "2", "-T", str(SECONDS), "-f", "script.sql"),
            *("-l", "--log-prefix=each", server.address),
        ],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    each = []
    for log in folder.glob("each.*"):
        each += [int(line.split()[2]) for line in log.read_text().splitlines()]
        log.unlink()
    each.sort()
    (rate,) = [line for line in done.stdout.splitlines() if "without initial connection" in line]
    return {
        "per_second": float(rate.split()[2]),
        "p50_ms": each[len(each) // 2] / 1e3,
        "p99_ms": each[int(len(each) * 0.99)] / 1e3,
    }


def as_desk_writes(leaf: str) -> str:
    """A row of the outbox a transaction, by the statement that the desk's ORM makes."""
    from django.db import connection, transaction

    from folkmoot.desk.records.models import Intent

    made: list[str] = []

    def listen(execute: Any, statement: str, values: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        made.append(context["cursor"].mogrify(statement, values))
        return execute(statement, values, many, context)

    name, now = secrets.token_hex(16), datetime.now(UTC)
    with transaction.atomic(), connection.execute_wrapper(listen):
        Intent.objects.create(entry_id=name, leaf=leaf, subject="post/1", public=False, made_at=now)
    (statement,) = made
    statement = re.sub(r"'[^']*'::timestamptz", "now()", statement.replace(f"'{name}'", FRESH_ID))
    return f"BEGIN;\n{statement};\nCOMMIT;\n"


def by_lock_and_max(leaf: str) -> str:
    """The usual way: hold a lock, take the highest number and one more, insert, commit."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE peer (seq bigint PRIMARY KEY, entry_id varchar(32) UNIQUE NOT NULL,"
            " leaf text NOT NULL, subject varchar(128) NOT NULL, public boolean NOT NULL,"
            " made_at timestamptz NOT NULL)"
        )
    return (
        "BEGIN;\nSELECT pg_advisory_xact_lock(7);\nINSERT INTO peer SELECT"  # noqa: S608
        f" coalesce(max(seq) + 1, 0), {FRESH_ID}, '{leaf}', 'post/1', false, now() FROM peer;"
        "\nCOMMIT;\n"
    )


def writers(server: Server, folder: Path) -> dict[str, float]:
    """Both ways with eight writers on the same server and disk, in turns: the best of each."""
    from folkmoot.desk.records.models import Intent

    make_intents(1)
    leaf = re.sub(TIMES, ".", Intent.objects.get().leaf)
    scripts = {"peer": by_lock_and_max(leaf), "ours": as_desk_writes(leaf)}
    told: dict[str, float] = {}
    for _ in range(ROUNDS):
        for whose, script in scripts.items():
            measured = write_at_once(script, server, folder)
            if measured["per_second"] > told.get(f"{whose}_per_second", 0):
                told |= {f"{whose}_{name}": value for name, value in measured.items()}
    return told


def syncs(folder: Path, seconds: float = 2.0) -> dict[str, float]:
    """How often a second this disk answers that 4 KiB more, or in place, are kept."""
    told = {}
    for name, sync in (("fsync", os.fsync), ("fdatasync", os.fdatasync)):
        with (folder / name).open("wb", buffering=0) as file:
            file.write(bytes(1 << 20))
            os.fsync(file.fileno())
            done, begin = 0, time.perf_counter()
            while time.perf_counter() - begin < seconds:
                if name == "fsync":
                    file.write(bytes(4096))  # grows: its length is kept too
                else:
                    os.pwrite(file.fileno(), secrets.token_bytes(4096), done % 256 * 4096)
                sync(file.fileno())
                done += 1
            told[name] = done / (time.perf_counter() - begin)
    return told


def main(what: str, count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if what == "syncs":
            print(json.dumps(syncs(folder)))
            return
        with running_server(durable=True) as server:
            set_up(folder, server.address)
            measured = drain(count, server, folder) if what == "drain" else writers(server, folder)
            print(json.dumps({**measured, **syncs(folder, 1.0)}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
