"""Figures of the checker beside proselint and write-good, on the same posts and in the same run.

Posts are the tweets of the Broad Twitter Corpus where ``FOLKMOOT_DATA`` holds it, else made up.
CPU time throughout, so that load on the machine mostly drops out. Both peers check the style of
prose and know no context, clauses or alt text: they are the nearest widely used tools, not equal
ones. write-good runs in Node where that is installed; where it is not, that is said.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from shutil import which

from packaging.requirements import Requirement
from proselint.checks import __register__
from proselint.registry import CheckRegistry
from proselint.tools import LintFile

from folkmoot.check import Capacity, Checker, Context, Post
from folkmoot.guidance import load_pack

from .figure import Figure, cpu_seconds

ROOT = Path(__file__).parents[1]
POSTS = 1_000
PASSES = 5
STARTS = 7
ROWS = 100_000
OFFICIAL = Context(capacity=Capacity.OFFICIAL, periods=frozenset(), language="en")

_OPENINGS = ("Register to vote", "Book your jab", "Apply for a bus pass", "Tell us what you think")
_MIDDLES = (
    "by Tuesday 7 May, it takes five minutes",
    "because 12% of people in the county have not done so yet",
    "and see what your neighbours in the north of the city said",
    "whether you rent, own or live with family 🏡",
)
_ENDINGS = ("https://www.example.gov.uk/vote", "#StaySafe #LocalNews", "Thank you!", "Call 111.")


@cache
def texts() -> tuple[str, ...]:
    """The posts measured on, the same in every run."""
    folder = Path(
        os.environ.get("FOLKMOOT_DATA") or Path(__file__).parents[1].parent / "shared" / "data"
    )
    corpus = folder / "broad-twitter" / "a.conll"
    if corpus.is_file():
        tweets = (
            " ".join(line.split("\t")[0] for line in tweet.splitlines() if line)
            for tweet in corpus.read_text(encoding="utf-8").split("\n\n")
        )
        return tuple(text for text in tweets if text)[:POSTS]
    draw = random.Random(7)  # noqa: S311 - posts, not secrets
    return tuple(
        f"{draw.choice(_OPENINGS)} {draw.choice(_MIDDLES)}. {draw.choice(_ENDINGS)}"
        for _ in range(POSTS)
    )


@cache
def _checker() -> Checker:
    return Checker(load_pack("uk-civil-service"))


def _check(text: str) -> object:
    return _checker().check(Post(text), OFFICIAL)


@cache
def _peer() -> Callable[[str], object]:
    CheckRegistry().register_many(__register__)
    return lambda text: LintFile("post", text).lint()


def _milliseconds(check: Callable[[str], object], posts: tuple[str, ...]) -> list[float]:
    """For each post the least CPU time it took in any of several passes, sorted."""
    best = [float("inf")] * len(posts)
    for _ in range(PASSES):
        for number, text in enumerate(posts):
            start = time.thread_time_ns()
            check(text)
            best[number] = min(best[number], time.thread_time_ns() - start)
    return sorted(nanoseconds / 1e6 for nanoseconds in best)


# CPU time of a call is too short for Node's clock of CPU time, so its clock of the wall is read
# for each post, the least of several passes, and CPU time for all posts together.
_WRITE_GOOD = """
const check = require('write-good');
const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const best = texts.map(() => Infinity);
let fastest = Infinity;
for (let pass = 0; pass < %d; pass++) {
  const before = process.cpuUsage();
  texts.forEach((text, number) => {
    const start = process.hrtime.bigint();
    check(text);
    best[number] = Math.min(best[number], Number(process.hrtime.bigint() - start) / 1e6);
  });
  const used = process.cpuUsage(before);
  fastest = Math.min(fastest, (used.user + used.system) / 1e6);
}
console.log(JSON.stringify({ milliseconds: best.sort((a, b) => a - b), seconds: fastest }));
"""


@cache
def _write_good() -> dict[str, object] | None:
    """What write-good needs for the same posts; ``None``, with the reason told, without it."""
    node = which("node")
    lacking = None if node else "Node is not installed"
    if lacking is None and not (ROOT / "node_modules" / "write-good").is_dir():
        lacking = "write-good is not in node_modules"
    if lacking is None:
        done = subprocess.run(  # noqa: S603 - our own script
            [str(node), "-e", _WRITE_GOOD % PASSES],
            input=json.dumps(texts()).encode(),
            capture_output=True,
            cwd=ROOT,
            check=False,
        )
        if done.returncode == 0:
            answer: dict[str, object] = json.loads(done.stdout)
            return answer
        lacking = done.stderr.decode(errors="replace").strip().splitlines()[-1]
    print(f"write-good is left out: {lacking}.", file=sys.stderr)
    return None


def single() -> Iterator[Figure]:
    """One post at a time in a warm process."""
    ours = _milliseconds(_check, texts())
    peers = {"proselint": _milliseconds(_peer(), texts())}
    node = _write_good()
    if node is not None:
        peers["write-good"] = list(node["milliseconds"])  # type: ignore[call-overload]
    for name, theirs in peers.items():
        for share, at, target in (("p50", 50, 0.05), ("p99", 99, 0.2)):
            yield Figure(
                bench=f"check.single.{share}",
                value=_percentile(ours, at),
                unit=f"ms/post {share}",
                target=target,
                more_is_better=False,
                peer=name,
                peer_value=_percentile(theirs, at),
            )


def _percentile(values: list[float], at: int) -> float:
    return statistics.quantiles(values, n=100)[at - 1]


def _posts_a_second(check: Callable[[str], object], posts: tuple[str, ...]) -> float:
    def all_of_them() -> None:
        for text in posts:
            check(text)

    all_of_them()
    return len(posts) / cpu_seconds(all_of_them, rounds=PASSES)


def batch() -> Iterator[Figure]:
    """All posts one after the other on one core, reports and all."""
    ours = _posts_a_second(_check, texts())
    peers = {"proselint": _posts_a_second(_peer(), texts())}
    node = _write_good()
    if node is not None:
        peers["write-good"] = len(texts()) / float(node["seconds"])  # type: ignore[arg-type]
    for name, theirs in peers.items():
        yield Figure(
            bench="check.batch",
            value=ours,
            unit="posts/s/core",
            target=20_000,
            more_is_better=True,
            peer=name,
            peer_value=theirs,
        )


def _process_seconds(command: list[str], given: bytes, starts: int) -> float:
    """The least CPU time of whole processes of ``command`` with ``given`` as standard input."""
    best = float("inf")
    for _ in range(starts):
        with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stderr:
            stdin.write(given)
            stdin.seek(0)
            process = subprocess.Popen(  # noqa: S603 - our own commands
                command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=stderr
            )
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            stderr.seek(0)
            assert process.returncode in (0, 1), stderr.read().decode()
        best = min(best, used.ru_utime + used.ru_stime)
    return best


def _command(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def jsonl() -> Iterator[Figure]:
    """A file of rows in, a file of rows out: the whole process, from start to end, on one core."""
    rows = "".join(
        json.dumps({"id": n, "text": texts()[n % len(texts())], "language": "en"}) + "\n"
        for n in range(ROWS)
    )
    command = [_command("folkmoot"), "check", "--capacity", "official", "--no-period"]
    command += ["--input", "jsonl", "--format", "jsonl", "-"]
    yield Figure(
        bench="check.jsonl",
        value=ROWS / _process_seconds(command, rows.encode(), 2),
        unit="posts/s",
        target=15_000,
        more_is_better=True,
    )


_COLD = ["check", "--capacity", "official", "--no-period"]


def cold() -> Iterator[Figure]:
    """From nothing to an answer for one post: interpreter, imports, pack, rules and check.

    The rules of the shipped pack are kept compiled in the user's cache folder after the first
    start, which is measured apart, in a cache folder that is empty each time.
    """
    ours = [_command("folkmoot"), *_COLD]
    yield Figure(
        bench="check.cold",
        value=_process_seconds(ours, b"hi\n", STARTS),
        unit="s CPU",
        target=0.1,
        more_is_better=False,
        peer="proselint",
        peer_value=_process_seconds([_command("proselint"), "check"], b"hi\n", STARTS),
    )
    kept = os.environ.get("XDG_CACHE_HOME")
    first = float("inf")
    try:
        for _ in range(3):
            with tempfile.TemporaryDirectory() as empty:
                os.environ["XDG_CACHE_HOME"] = empty
                first = min(first, _process_seconds(ours, b"hi\n", 1))
    finally:
        os.environ.pop("XDG_CACHE_HOME")
        if kept is not None:
            os.environ["XDG_CACHE_HOME"] = kept
    yield Figure(
        bench="check.cold.first", value=first, unit="s CPU", target=1.0, more_is_better=False
    )
    yield Figure(
        bench="check.cold_memory",
        value=_memory_megabytes(),
        unit="MB",
        target=40,
        more_is_better=False,
    )


# What the system counts for a child includes what its parent held before it became another program,
# so the process is asked itself.
_MEMORY = """
import resource, sys
from folkmoot.cli import main
main(sys.argv[1:])
try:
    with open("/proc/self/status") as status:
        peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak, file=sys.stderr)
"""


def _memory_megabytes() -> float:
    """The most memory one cold check held at any moment."""
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", _MEMORY, *_COLD], input=b"hi\n", capture_output=True, check=True
    )
    return int(done.stderr.split()[-1]) / 1024


def wheels() -> Iterator[Figure]:
    """What a plain install downloads, from the files that are installed, each compressed."""
    wanted, sizes = ["folkmoot"], dict[str, float]()
    while wanted:
        name = wanted.pop()
        if name in sizes:
            continue
        distribution = metadata.distribution(name)
        sizes[name] = _compressed_megabytes(distribution, name)
        for line in distribution.requires or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                wanted.append(needed.name)
    yield Figure(
        bench="check.wheels",
        value=sum(sizes.values()),
        unit="MB",
        target=15,
        more_is_better=False,
    )


def _compressed_megabytes(distribution: metadata.Distribution, name: str) -> float:
    if name == "folkmoot":  # installed in place, so that its own record lists nothing
        paths = [path for path in (ROOT / "src" / "folkmoot").rglob("*") if path.is_file()]
    else:
        paths = [Path(str(distribution.locate_file(file))) for file in distribution.files or ()]
    return (
        sum(
            len(zlib.compress(path.read_bytes()))
            for path in paths
            if path.is_file() and "__pycache__" not in path.parts
        )
        / 1e6
    )


MEGABYTES = {
    "ordinary": "The library in Newport is open until 8pm on Thursday; bring a friend. ",
    "rules": "Labour 07700 900123 co.uk/x #stayathome @a “b” 👏 12% secret fraud liar ",
    "numbers": "943 476 5919 AB12 CDE SW1A 1AA ",
}


def megabyte() -> Iterator[Figure]:
    """CPU seconds for the slowest of three posts of a megabyte. No peer: none has context."""

    def seconds(text: str) -> float:
        post = text * (1_000_000 // len(text.encode()))
        return cpu_seconds(lambda: _check(post), rounds=2)

    slowest = max(seconds(text) for text in MEGABYTES.values())
    yield Figure("check.megabyte", slowest, "s CPU", 1.0, more_is_better=False)


FIGURES = {
    "check.megabyte": megabyte,
    "check.single": single,
    "check.batch": batch,
    "check.jsonl": jsonl,
    "check.cold": cold,
    "check.wheels": wheels,
}
