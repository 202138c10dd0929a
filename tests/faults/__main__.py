"""``python -m tests.faults``: runs of scenarios drawn from a seed, and one line of JSON at the end.

The environment says how: ``RUNS`` (50), ``SEED`` (0: the first run's seed, each further one is one
more), ``PLANT`` (a bug of :data:`~tests.faults.planted.PLANTS`), ``DATABASE`` (``both``, ``sqlite``
or ``postgresql``), ``BURST`` (how many come due at once: 200; once, from 1,000 runs on, 10,000).
With ``--prove`` every planted bug is put in, or those named after it, and must be found.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import sys
import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

from . import scenarios
from .deck import DECK, Card
from .ground import Servers, set_up_django
from .judge import COUNTS
from .lane import Lane, Told
from .planted import PLANTS

LANES = 2
LONG_FORM = 1000
BURST = 200
LONG_BURST = 10_000
PROOF_BURST = 20


def main(arguments: list[str]) -> int:
    """Run the suite; 1 where anything was found that must never happen."""
    start = time.monotonic()
    runs, first = int(os.environ.get("RUNS") or 50), int(os.environ.get("SEED") or 0)
    plant, database = os.environ.get("PLANT", ""), os.environ.get("DATABASE") or "both"
    burst = int(os.environ.get("BURST") or (LONG_BURST if runs >= LONG_FORM else BURST))
    if plant and plant not in PLANTS:
        print(f"There is no planted bug {plant!r}. There are {', '.join(PLANTS)}.", file=sys.stderr)
        return 2
    if database not in ("both", "sqlite", "postgresql"):
        print("DATABASE is both, sqlite or postgresql.", file=sys.stderr)
        return 2
    home = set_up_django()
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        lanes = [Lane(home, number) for number in range(min(LANES, runs))]
        for lane in lanes:
            stack.callback(lane.end)
        servers = stack.enter_context(_servers(home, database))
        for lane in lanes:
            lane.ask(**servers.__dict__)
        for lane in lanes:
            lane.hear()
        _tell(f"Ready after {time.monotonic() - start:.1f} s.")
        if "--prove" in arguments:
            wanted = [name for name in arguments if name in PLANTS] or list(PLANTS)
            return _prove(lanes, runs, first, burst, wanted)
        status = _run(lanes, range(first, first + runs), plant, burst)
    _tell(f"{runs} runs in {time.monotonic() - start:.1f} s.")
    return status


def _run(lanes: list[Lane], seeds: Iterable[int], plant: str, burst: int) -> int:
    counts: Counter[str] = Counter(dict.fromkeys(COUNTS, 0))
    runs = 0
    # What takes longest goes first, so that no lane is left waiting for it at the end.
    seeds = sorted(seeds, key=lambda seed: _card(seed).play is not scenarios.burst)
    sizes = [burst] + [min(burst, BURST)] * len(seeds)
    for told in _play(lanes, seeds, plant, sizes):
        runs += 1
        counts.update(told.counts)
        _report(told)
    print(json.dumps({"runs": runs, **{name: counts[name] for name in COUNTS}}), flush=True)
    return 1 if any(counts.values()) else 0


def _prove(lanes: list[Lane], runs: int, first: int, burst: int, wanted: list[str]) -> int:
    """Nothing is found without a bug, and each planted bug is, by what it does wrong."""
    seeds = range(first, first + runs)
    status = _run(lanes, seeds, "", burst)
    for name, plant in ((name, PLANTS[name]) for name in wanted):
        start = time.monotonic()
        # The same runs, but those that are likeliest to find it first.
        likely = [seed for seed in seeds if _card(seed).play.__name__ in plant.first]
        others = [seed for seed in seeds if seed not in likely]
        found, tried = None, 0
        playing = _play(lanes, [*likely, *others], name, [PROOF_BURST] * runs)
        with contextlib.closing(playing):
            for told in playing:
                tried += 1
                if any(told.counts[kind] for kind in plant.shows):
                    found = told
                    break
        told_in = f"{time.monotonic() - start:.1f} s, {tried} runs"
        if found is None:
            status = 1
            _tell(f"NOT FOUND {name}: {plant.what} ({told_in})")
            continue
        shown = next(one for one in found.findings if one.startswith(plant.shows))
        _tell(f"Found {name}: {plant.what} ({told_in}). Seed {found.seed}, {shown[:110]}")
    return status


def _card(seed: int) -> Card:
    return DECK[seed % len(DECK)]


def _play(
    lanes: list[Lane], seeds: Iterable[int], plant: str, bursts: Iterable[int]
) -> Generator[Told]:
    """Hand the runs out to whichever lane is free, and give what each came to. ``bursts`` says of
    each how many come due at once, where its scenario is about that.
    """
    waiting = list(zip(seeds, bursts, strict=False))
    busy: set[Lane] = set()
    free = list(lanes)
    try:
        while waiting or busy:
            while free and waiting:
                lane = free.pop()
                seed, burst = waiting.pop(0)
                lane.ask(seed=seed, plant=plant, burst=burst)
                busy.add(lane)
            ready, _, _ = select.select(list(busy), [], [])
            for lane in ready:
                busy.discard(lane)
                free.append(lane)
                yield Told(**lane.hear())
    finally:
        for lane in busy:  # whoever stops in between leaves no answer in the pipe
            lane.hear()


def _report(told: Told) -> None:
    line = f"{told.seed}: {told.scenario}, {told.seconds:.1f} s"
    _tell(line if told.clean else f"{line}: FOUND {len(told.findings)}")
    for note in told.notes:
        _tell(f"    note: {note}")
    if told.clean:
        return
    how = [f"RUNS=1 SEED={told.seed}", f"PLANT={told.plant}" if told.plant else ""]
    how += [f"{name}={os.environ[name]}" for name in ("DATABASE", "BURST") if os.environ.get(name)]
    _tell(f"    Repeat it alone: make faults {' '.join(filter(None, how))}")
    for finding in told.findings:
        _tell(f"    {finding}")
    for happened in told.story:
        _tell(f"      {happened}")


@contextlib.contextmanager
def _servers(home: Path, database: str) -> Iterator[Servers]:
    """PostgreSQL and a real Bluesky server, each where it is installed; once said where not."""
    from tests.pds import bluesky_server
    from tests.postgres_server import find_binaries, running_postgres

    with contextlib.ExitStack() as stack:
        postgresql = pds = ""
        if database == "sqlite":
            pass
        elif find_binaries() is None:
            _tell("PostgreSQL is not installed: SQLite alone is tried.")
        else:
            postgresql = stack.enter_context(running_postgres())
        if missing := bluesky_server.find_missing():
            _tell(f"{missing} Its stand-in alone is tried.")
        else:
            pds = stack.enter_context(bluesky_server.running_pds(home / "pds")).url
        yield Servers(postgresql, pds, sqlite=database != "postgresql" or not postgresql)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
