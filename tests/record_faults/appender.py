"""Appends to a log in a process of its own, and says on its output what was acknowledged.

``python -m tests.record_faults.appender PATH COUNT PLANT``: entries ``0`` to ``COUNT - 1``, each
under a key of its own, each tried again where the log says that it failed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from folkmoot.ledger import SqliteLog, StoreError

TRIES = 4


def entry(number: int) -> bytes:
    return b"entry %d " % number * (number % 90 + 1)


def say(what: str, number: int) -> None:
    os.write(1, f"{what} {number}\n".encode())


def append(log: SqliteLog, number: int, plant: str) -> bool:
    once = "" if plant == "no-once" else f"entry {number}"
    if plant == "answers-early":
        say("acknowledged", number)
    for _ in range(TRIES):
        try:
            log.append([entry(number)], once=once)
        except StoreError as failed:
            os.write(2, f"{failed}\n".encode())
            if plant == "swallow":
                break  # as if it had gone well
            continue
        else:
            break
    else:
        return False
    say("acknowledged", number)
    return True


def main(path: Path, count: int, plant: str) -> int:
    with SqliteLog(path, wait_seconds=2) as log:
        # A short write-ahead log, so that it is carried over into the file now and then.
        log._db.execute("PRAGMA wal_autocheckpoint=8").fetchall()
        for number in range(count):
            if not append(log, number, plant):
                return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
