"""Figures of bags: one of 48 MB in some two thousand files, made and checked.

The peer is the Library of Congress's ``bagit`` on the same files: it moves them, hashes them and
writes manifests, and has no proofs to make or to check. Both on the same disk in the same run, by
the wall clock, since files are most of the work; ``fsync_per_second`` says what disk it is.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from random import Random

import bagit

from folkmoot.ledger import Checkpoint, Entry, Field, MemoryStore, Signer, Tree, leaf_hash, seal
from folkmoot.ledger.bags import Item, Medium, Redaction, check_bag, write_bag

from .figure import Figure

ENTRIES = 1_000
MEDIA_BYTES = 45_000
MANY = 10_000
_NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


class Log:
    """A log of so many entries, each with two fields, and its signed head."""

    def __init__(self, count: int) -> None:
        draw = Random(1).randbytes  # noqa: S311 - practice, not secrets
        self.signer = Signer.generate("record.borsetshire.example/log", random_bytes=draw)
        self.sealed: list[tuple[Entry, tuple[Field, ...]]] = [
            seal(
                id=draw(16).hex(),
                kind="post.sent",
                at=_NOW,
                organisation="borsetshire",
                actor="m-12",
                role="press",
                subject=f"draft:{number}",
                retention="standard",
                fields={"text": f"Flood warning {number}. " * 8, "author": "Jo Bloggs"},
                salts=lambda: draw(32),
            )
            for number in range(count)
        ]
        self.tree = Tree(MemoryStore())
        self.tree.append([leaf_hash(entry.to_bytes()) for entry, _ in self.sealed])
        head = Checkpoint(self.signer.name, self.tree.size, self.tree.root())
        self.note = self.signer.sign(head.to_text())

    def write(self, folder: Path, media: list[Medium]) -> None:
        write_bag(
            folder,
            title="Request 2026/114",
            about="Posts about the flood.",
            made_at=_NOW,
            checkpoint=self.note,
            policy=[self.signer.vkey],
            items=(
                Item(entry, number, tuple(self.tree.inclusion_proof(number)), fields[:1])
                for number, (entry, fields) in enumerate(self.sealed)
            ),
            redactions=(
                Redaction(entry.id, "author", "FOIA s.40(2)", "A member of staff.")
                for entry, _ in self.sealed
            ),
            media=media,
        )


def pictures(count: int) -> list[Medium]:
    draw = Random(2)  # noqa: S311 - filler
    made = []
    for number in range(count):
        data = draw.randbytes(MEDIA_BYTES)
        made.append(Medium(sha256(data).hexdigest(), "image/png", f"Picture {number}", data))
    return made


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@cache
def measured() -> dict[str, float]:
    logging.getLogger("bagit").setLevel(logging.ERROR)
    times: dict[str, float] = {}

    def keep(name: str, spent: float) -> None:
        times[name] = min(spent, times.get(name, spent))

    with tempfile.TemporaryDirectory() as held:
        home = Path(held)
        log, media = Log(ENTRIES), pictures(ENTRIES)
        for turn in range(3):
            folder, plain = home / f"bag{turn}", home / f"plain{turn}"
            keep("make", seconds(lambda folder=folder: log.write(folder, media)))  # type: ignore[misc]
            shutil.copytree(folder / "data", plain)
            keep("check", seconds(lambda folder=folder: _must_hold(folder, log)))  # type: ignore[misc]
            keep("peer_make", seconds(lambda plain=plain: bagit.make_bag(str(plain))))  # type: ignore[misc]
            keep("peer_check", seconds(lambda plain=plain: bagit.Bag(str(plain)).validate()))  # type: ignore[misc]
        times["fsync"] = _fsyncs(home / "fsync")
    return times


def _must_hold(folder: Path, log: Log) -> None:
    result = check_bag(folder, keys=[log.signer.vkey])
    assert result.ok, result.reason


def _fsyncs(path: Path, count: int = 50) -> float:
    with path.open("wb", buffering=0) as file:
        start = time.perf_counter()
        for _ in range(count):
            file.write(b"x")
            os.fsync(file.fileno())
    return count / (time.perf_counter() - start)


def one_bag() -> Iterator[Figure]:
    times = measured()
    yield Figure(
        "bags.made_and_checked",
        times["make"] + times["check"],
        "s",
        2.0,
        more_is_better=False,
        peer="bagit make_bag and validate, the same payload, without proofs",
        peer_value=times["peer_make"] + times["peer_check"],
    )
    for name in ("make", "check"):
        yield Figure(
            f"bags.{name}",
            times[name],
            "s",
            1.0,
            more_is_better=False,
            peer=f"bagit {'make_bag' if name == 'make' else 'validate'}",
            peer_value=times[f"peer_{name}"],
        )
    yield Figure("bags.fsync_per_second", times["fsync"], "/s", 0, more_is_better=True)


def many_entries() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as held:
        folder, log = Path(held) / "bag", Log(MANY)
        made = seconds(lambda: log.write(folder, []))
        checked = seconds(lambda: _must_hold(folder, log))
    yield Figure("bags.many_made", made, "s", 20, more_is_better=False)
    yield Figure("bags.many_checked", checked, "s", 20, more_is_better=False)


FIGURES: dict[str, Callable[[], Iterator[Figure]]] = {
    "bags.one": one_bag,
    "bags.many": many_entries,
}
