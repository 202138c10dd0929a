"""Figures of the ledger, at one million entries, beside pymerkle in the same run.

The peer's tree in memory has a million entries too; its SQLite tree takes half a second for some
proofs at that size, so it is asked at a tenth of it, and its name says so.
"""

from __future__ import annotations

import gc
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from hashlib import sha256

from pymerkle import InmemoryTree, SqliteTree
from pymerkle import verify_inclusion as pymerkle_verify

from folkmoot.ledger import MemoryStore, Tree, leaf_hashes, verify_inclusion

from . import record
from .figure import Figure, cpu_seconds

MILLION = 1_000_000
ENTRY_BYTES = 500
BATCH = 1_000
PEER_SQLITE = 100_000
PROOFS = 300
# The whole entries would be 500 MB of somebody else's memory; one batch of them, told apart by
# their first bytes, is hashed as often as needed.
_FILLER = random.Random(1).randbytes(ENTRY_BYTES)  # noqa: S311 - filler, not a secret


def batches(count: int) -> Iterator[list[bytes]]:
    """``count`` different entries of 500 bytes in batches of a thousand, made outside the clock."""
    tail = _FILLER[8:]
    for start in range(0, count, BATCH):
        yield [n.to_bytes(8, "big") + tail for n in range(start, min(start + BATCH, count))]


def entry(number: int) -> bytes:
    return number.to_bytes(8, "big") + _FILLER[8:]


def build(count: int) -> tuple[Tree, float]:
    """A tree of ``count`` entries, and the CPU seconds that hashing and appending them took."""
    tree = Tree(MemoryStore())
    spent = 0
    for batch in batches(count):
        start = time.process_time_ns()
        tree.append(leaf_hashes(batch))
        spent += time.process_time_ns() - start
    return tree, spent / 1e9


def build_peer(count: int) -> tuple[InmemoryTree, float]:
    """The same for pymerkle's tree in memory, which takes entries one by one."""
    tree = InmemoryTree()
    spent = 0
    for batch in batches(count):
        start = time.process_time_ns()
        for one in batch:
            tree.append_entry(one)
        spent += time.process_time_ns() - start
    return tree, spent / 1e9


@cache
def million() -> tuple[Tree, float]:
    return min((build(MILLION) for _ in range(2)), key=lambda built: built[1])


@cache
def peer() -> tuple[InmemoryTree, float]:
    return build_peer(MILLION)


def append() -> Iterator[Figure]:
    yield Figure(
        "ledger.append",
        MILLION / million()[1],
        "entries/s",
        600_000,
        more_is_better=True,
        peer="pymerkle InmemoryTree, one by one",
        peer_value=MILLION / peer()[1],
    )
    yield Figure(
        "ledger.append.chain",
        MILLION / million()[1],
        "entries/s",
        600_000,
        more_is_better=True,
        peer="hash chain in memory, which proves nothing without the whole of it",
        peer_value=MILLION / min(hash_chain() for _ in range(2)),
    )


def hash_chain() -> float:
    """CPU seconds to link a million entries, each to the one before."""
    links, link, spent = [], bytes(32), 0
    for batch in batches(MILLION):
        start = time.process_time_ns()
        for one in batch:
            link = sha256(link + one).digest()
            links.append(link)
        spent += time.process_time_ns() - start
    return spent / 1e9


def median_ms(ask: Callable[[int], object], numbers: Sequence[int]) -> float:
    spent = []
    for number in numbers:
        start = time.process_time_ns()
        ask(number)
        spent.append(time.process_time_ns() - start)
    return statistics.median(spent) / 1e6


def inclusion() -> Iterator[Figure]:
    tree, _ = million()
    choose = random.Random(2)  # noqa: S311 - which entries to ask for
    ours = median_ms(
        # A new tree each time, as a request would have: nothing folded is left from the last.
        lambda number: Tree(tree.store, tree.size).inclusion_proof(number),
        choose.sample(range(MILLION), PROOFS),
    )
    stored = SqliteTree(":memory:")
    stored.append_entries([one for batch in batches(PEER_SQLITE) for one in batch], BATCH)
    theirs = median_ms(
        lambda number: stored.prove_inclusion(number + 1),
        choose.sample(range(PEER_SQLITE), PROOFS),
    )
    yield Figure(
        "ledger.inclusion",
        ours,
        "ms",
        0.6,
        more_is_better=False,
        peer=f"pymerkle SqliteTree, in memory, at {PEER_SQLITE:,}",
        peer_value=theirs,
    )
    held, _ = peer()
    yield Figure(
        "ledger.inclusion_warm",
        median_ms(tree.inclusion_proof, choose.sample(range(MILLION), PROOFS)),
        "ms",
        0.6,
        more_is_better=False,
        peer="pymerkle InmemoryTree, every node in memory",
        peer_value=median_ms(
            lambda number: held.prove_inclusion(number + 1),
            choose.sample(range(MILLION), PROOFS),
        ),
    )


def verify() -> Iterator[Figure]:
    tree, _ = million()
    number = 777_777
    (leaf,) = leaf_hashes([entry(number)])
    root, path = tree.root(), tree.inclusion_proof(number)
    assert verify_inclusion(leaf, number, MILLION, path, root)

    def ours() -> None:
        for _ in range(PROOFS):
            verify_inclusion(leaf, number, MILLION, path, root)

    held, _ = peer()
    assert held.get_state() == root  # the same log to both, by two hands
    place = number + 1
    proof, base, state = held.prove_inclusion(place), held.get_leaf(place), held.get_state()

    def theirs() -> None:
        for _ in range(PROOFS):
            pymerkle_verify(base, state, proof)

    yield Figure(
        "ledger.verify",
        cpu_seconds(ours, rounds=15) / PROOFS * 1e6,
        "us",
        11,
        more_is_better=False,
        peer="pymerkle verify_inclusion, same entry of a log as long",
        peer_value=cpu_seconds(theirs, rounds=15) / PROOFS * 1e6,
    )


def resident_mb() -> float:
    """Memory of this process that is in RAM, in MB (10**6 bytes). Linux."""
    gc.collect()
    with open("/proc/self/statm") as file:  # noqa: PTH123 - one line of a kernel file
        pages = int(file.read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def grown_mb(which: str) -> float:
    """How much a process of its own grows by holding a tree of a million entries."""
    done = subprocess.run(  # noqa: S603 - this module, by this interpreter
        [sys.executable, "-m", "bench.ledger", which],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)


def memory() -> Iterator[Figure]:
    yield Figure(
        "ledger.memory",
        grown_mb("ours"),
        "MB",
        40,
        more_is_better=False,
        peer=f"pymerkle InmemoryTree at {MILLION:,}",
        peer_value=grown_mb("theirs"),
    )


FIGURES: dict[str, Callable[[], Iterator[Figure]]] = {
    "ledger.append": append,
    "ledger.inclusion": inclusion,
    "ledger.verify": verify,
    "ledger.memory": memory,
    **record.FIGURES,
}

if __name__ == "__main__":
    maker = {"ours": build, "theirs": build_peer}[sys.argv[1]]
    before = resident_mb()
    kept = maker(MILLION)
    print(resident_mb() - before)
