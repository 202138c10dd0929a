"""Figures of a log in one SQLite file, of sealing, and of the desk's record on PostgreSQL.

Each beside pymerkle and a plain hash chain in the same run: the chain keeps, with each entry, the
hash of the one before and of the entry. CPU time, but for what waits for a disk; those figures
come with how many times a second that disk answers ``fsync`` and ``fdatasync``.

One connection to the log stays open all the time, as that of a worker does; whoever asks opens one
more, and that is in the figure.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from hashlib import sha256
from pathlib import Path

from cryptography.fernet import Fernet
from pymerkle import SqliteTree

from folkmoot.ledger import SqliteLog, SubjectKey, seal

from .figure import Figure, cpu_seconds

ROOT = Path(__file__).parents[1]
MILLION = 1_000_000
BATCH = 1_000
PROOFS = 300
ROUNDS = 3
SEALED = 1_000
DRAINED = 10_000
_FILLER = random.Random(1).randbytes(492)  # noqa: S311 - filler, not a secret
FIELDS = {
    "text": "The library in Mill Road opens again on Monday at 9am. Everyone is welcome. " * 3,
    "account": "@borsetshire.example",
    "url": "https://social.example/@borsetshire/112233445566778899",
    "place": "112233445566778899",
    "reason": "Checked with the service; the opening hours are right.",
    "reader": "Jo Bloggs",
}


def batches() -> Iterator[list[bytes]]:
    """A million entries of 500 bytes, a thousand at a time, made outside the clock."""
    for start in range(0, MILLION, BATCH):
        yield [number.to_bytes(8, "big") + _FILLER for number in range(start, start + BATCH)]


class Chain:
    """The peer: rows in SQLite, each with the hash over the row before and itself."""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=FULL")
        self.db.execute(
            "CREATE TABLE IF NOT EXISTS chain (seq INTEGER PRIMARY KEY, data BLOB, hash BLOB)"
        )

    def append(self, entries: list[bytes]) -> None:
        """Add entries, in one transaction."""
        self.db.execute("BEGIN IMMEDIATE")
        last = self.db.execute("SELECT seq, hash FROM chain ORDER BY seq DESC LIMIT 1").fetchone()
        seq, link = last or (-1, bytes(32))
        rows = []
        for seq, one in enumerate(entries, seq + 1):  # noqa: B020 - goes on counting
            link = sha256(link + one).digest()
            rows.append((seq, one, link))
        self.db.executemany("INSERT INTO chain VALUES (?, ?, ?)", rows)
        self.db.execute("COMMIT")

    def head(self) -> bytes:
        """The newest hash."""
        (link,) = self.db.execute("SELECT hash FROM chain ORDER BY seq DESC LIMIT 1").fetchone()
        return bytes(link)

    def check(self, start: int = 0) -> bool:
        """Whether every link from ``start`` on holds: the chain's only proof of an entry."""
        link = bytes(32)
        if start:
            row = self.db.execute("SELECT hash FROM chain WHERE seq = ?", (start - 1,))
            (link,) = row.fetchone()
        rows = self.db.execute("SELECT data, hash FROM chain WHERE seq >= ? ORDER BY seq", (start,))
        for data, kept in rows:
            link = sha256(link + data).digest()
            if link != kept:
                return False
        return True


@cache
def folder() -> Path:
    """Where the three stores are, for as long as the bench runs."""
    return Path(_FOLDER.name)


_FOLDER = tempfile.TemporaryDirectory(prefix="folkmoot-bench-")


def spend(take: Callable[[list[bytes]], object]) -> float:
    """CPU seconds to take a million entries in batches of a thousand."""
    spent = 0
    for batch in batches():
        start = time.process_time_ns()
        take(batch)
        spent += time.process_time_ns() - start
    return spent / 1e9


@cache
def ours() -> tuple[SqliteLog, float]:
    """The log, and what the quicker of two times took: load on the machine mostly drops out."""
    with SqliteLog(folder() / "ours-before") as before:
        first = spend(before.append)
    log = SqliteLog(folder() / "ours")
    return log, min(first, spend(log.append))


@cache
def chain() -> tuple[Chain, float]:
    first = spend(Chain(folder() / "chain-before").append)
    made = Chain(folder() / "chain")
    return made, min(first, spend(made.append))


@cache
def merkle() -> tuple[Path, float]:
    spent = []
    for name in ("pymerkle-before", "pymerkle"):
        tree = SqliteTree(str(folder() / name))
        spent.append(spend(partial(tree.append_entries, chunksize=BATCH)))
    return folder() / "pymerkle", min(spent)


@cache
def _syncs() -> dict[str, float]:
    return _measure("syncs", 0)


def disk(name: str) -> Iterator[Figure]:
    """What the disk under a figure can do; there is nothing to reach."""
    for how, rate in _syncs().items():
        yield Figure(f"{name}.{how}", rate, f"{how}/s", 0, more_is_better=True)


def append() -> Iterator[Figure]:
    peers = (("pymerkle SqliteTree, without inner nodes", merkle), ("hash chain", chain))
    for peer, measure in peers:
        yield Figure(
            f"ledger.sqlite_append.{'chain' if measure is chain else 'pymerkle'}",
            MILLION / ours()[1],
            "entries/s",
            200_000,
            more_is_better=True,
            peer=f"{peer}, in SQLite, 1,000 a transaction",
            peer_value=MILLION / measure()[1],
        )
    yield from disk("ledger.sqlite_append")


def each_ms(ask: Callable[[], object], times: int) -> list[float]:
    """CPU milliseconds of each of so many calls, least first."""
    spent = []
    for _ in range(times):
        start = time.process_time_ns()
        ask()
        spent.append((time.process_time_ns() - start) / 1e6)
    return sorted(spent)


def each_of(
    ask: Callable[[int], object], numbers: Sequence[int], rounds: int = ROUNDS
) -> list[float]:
    """CPU milliseconds of asking for each of ``numbers``, least first; of each the least of some
    rounds, in which load on the machine mostly drops out.
    """
    best = [float("inf")] * len(numbers)
    for _ in range(rounds):
        for place, number in enumerate(numbers):
            start = time.process_time_ns()
            ask(number)
            best[place] = min(best[place], (time.process_time_ns() - start) / 1e6)
    return sorted(best)


def cold_root() -> Iterator[Figure]:
    ours()
    path, _ = merkle()

    def root() -> bytes:
        with SqliteLog(folder() / "ours") as log:
            return log.root()

    assert root() == SqliteTree(str(path)).get_state()
    yield Figure(
        "ledger.sqlite_root.pymerkle",
        each_ms(root, PROOFS)[PROOFS // 2],
        "ms",
        1,
        more_is_better=False,
        peer=f"pymerkle SqliteTree at {MILLION:,}, new connection",
        peer_value=each_ms(lambda: SqliteTree(str(path)).get_state(), 3)[1],
    )
    chain()
    yield Figure(
        "ledger.sqlite_root.chain",
        each_ms(root, PROOFS)[PROOFS // 2],
        "ms",
        1,
        more_is_better=False,
        peer="hash chain, which reads its last row, new connection",
        peer_value=each_ms(lambda: Chain(folder() / "chain").head(), PROOFS)[PROOFS // 2],
    )


def inclusion() -> Iterator[Figure]:
    ours()
    choose = random.Random(2)  # noqa: S311 - which entries to ask for

    def prove(number: int) -> None:
        with SqliteLog(folder() / "ours") as log:
            log.inclusion_proof(number)

    numbers = choose.sample(range(MILLION), PROOFS)
    mine = each_of(prove, numbers)
    tree = SqliteTree(str(merkle()[0]))
    # Once: it keeps its answers, and would give them again without working.
    theirs = each_of(lambda number: tree.prove_inclusion(number + 1), numbers, rounds=1)
    links = chain()[0]
    rehashed = each_ms(lambda: links.check(choose.randrange(MILLION)), 5)
    for name, target, at in (("p50", 0.6, PROOFS // 2), ("p99", 1.0, int(PROOFS * 0.99))):
        yield Figure(
            f"ledger.sqlite_inclusion.{name}.pymerkle",
            mine[at],
            "ms",
            target,
            more_is_better=False,
            peer=f"pymerkle SqliteTree at {MILLION:,}, on one connection",
            peer_value=theirs[at],
        )
    yield Figure(
        "ledger.sqlite_inclusion.p50.chain",
        mine[PROOFS // 2],
        "ms",
        0.6,
        more_is_better=False,
        peer="hash chain, which hashes all that came after the entry",
        peer_value=rehashed[2],
    )


def audit() -> Iterator[Figure]:
    log, _ = ours()
    assert log.audit()
    links, _ = chain()
    assert links.check()
    yield Figure(
        "ledger.sqlite_audit.chain",
        MILLION / cpu_seconds(log.audit),
        "entries/s",
        500_000,
        more_is_better=True,
        peer="hash chain, every link hashed anew (pymerkle keeps nothing to audit)",
        peer_value=MILLION / cpu_seconds(links.check),
    )


def seal_one(key: SubjectKey) -> None:
    """What the desk does for an entry: commit to six fields, write it, and seal each opening."""
    entry, fields = seal(
        id=secrets.token_hex(16),
        kind="post.sent",
        at=datetime.now(UTC),
        organisation="borsetshire",
        actor="worker",
        role="",
        subject="post/1",
        retention="posts",
        fields=FIELDS,
        salts=partial(secrets.token_bytes, 32),
    )
    entry.to_bytes()
    for one in fields:
        key.seal(f"{entry.id}/{one.label}".encode(), one.salt + one.value.encode())


def fernet_one(key: Fernet) -> None:
    """What a package of encrypted fields does, and a hash of each: no salt, nothing to erase by."""
    for value in FIELDS.values():
        key.encrypt(value.encode())
        sha256(value.encode()).digest()


def _often(work: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        for _ in range(SEALED):
            work()

    return run


def sealing() -> Iterator[Figure]:
    key, fernet = SubjectKey.generate(), Fernet(Fernet.generate_key())
    yield Figure(
        "ledger.seal_six_fields",
        SEALED / cpu_seconds(_often(lambda: seal_one(key)), rounds=15),
        "entries/s",
        30_000,
        more_is_better=True,
        peer="Fernet and a bare SHA-256 of each field",
        peer_value=SEALED / cpu_seconds(_often(lambda: fernet_one(fernet)), rounds=15),
    )


def _measure(what: str, count: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.record_desk", what, str(count)]
    env = {name: value for name, value in os.environ.items() if not name.startswith("FOLKMOOT_")}
    done = subprocess.run(  # noqa: S603 - our own command
        command, cwd=ROOT, env=env, capture_output=True, text=True, check=True, timeout=900
    )
    figures: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def _has_postgresql(what: str) -> bool:
    if shutil.which("psql") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        return True
    print(f"No PostgreSQL here: {what} is left out.", file=sys.stderr)
    return False


OUTBOX_TIMES = 3.5


def outbox() -> Iterator[Figure]:
    """Eight writers who commit: the desk's outbox beside a lock held across the commit."""
    if not _has_postgresql("ledger.outbox"):
        return
    told = _measure("writers", 0)
    peer = "advisory lock and max(seq) + 1, the same server and disk, 8 writers by pgbench"
    yield Figure(
        "ledger.outbox",
        told["ours_per_second"],
        "commits/s",
        round(OUTBOX_TIMES * told["peer_per_second"]),
        more_is_better=True,
        peer=peer,
        peer_value=told["peer_per_second"],
    )
    for name in ("p50", "p99"):
        yield Figure(
            f"ledger.outbox.{name}",
            told[f"ours_{name}_ms"],
            "ms",
            told[f"peer_{name}_ms"],
            more_is_better=False,
            peer=peer,
            peer_value=told[f"peer_{name}_ms"],
        )
    for how in ("fsync", "fdatasync"):
        yield Figure(f"ledger.outbox.{how}", told[how], f"{how}/s", 0, more_is_better=True)


def drain() -> Iterator[Figure]:
    """The desk's own sequencer on a durable PostgreSQL, by the clock on the wall."""
    if not _has_postgresql("ledger.drain"):
        return
    told = _measure("drain", DRAINED)
    yield Figure(
        "ledger.drain",
        told["per_second"],
        "entries/s",
        20_000,
        more_is_better=True,
        peer="lock and max(seq) + 1, 8 writers who order their entries themselves, same server",
        peer_value=told["peer_per_second"],
    )
    for how in ("fsync", "fdatasync"):
        yield Figure(f"ledger.drain.{how}", told[how], f"{how}/s", 0, more_is_better=True)


FIGURES: dict[str, Callable[[], Iterator[Figure]]] = {
    "ledger.sqlite_append": append,
    "ledger.sqlite_root": cold_root,
    "ledger.sqlite_inclusion": inclusion,
    "ledger.sqlite_audit": audit,
    "ledger.seal_six_fields": sealing,
    "ledger.outbox": outbox,
    "ledger.drain": drain,
}
