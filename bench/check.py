"""Figures of the checker beside proselint, on the same posts and in the same run.

Posts are the tweets of the Broad Twitter Corpus where ``FOLKMOOT_DATA`` holds it, else made up.
CPU time throughout, so that load on the machine mostly drops out. proselint checks prose style and
knows no context, clauses or alt text: it is the nearest widely used tool, not an equal one.
"""

from __future__ import annotations

import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from proselint.checks import __register__
from proselint.registry import CheckRegistry
from proselint.tools import LintFile

from folkmoot.check import Capacity, Checker, Context, Post
from folkmoot.guidance import load_pack

from .figure import Figure, cpu_seconds

POSTS = 1_000
PASSES = 5
STARTS = 7
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


def _p50_milliseconds(check: Callable[[str], object], posts: tuple[str, ...]) -> float:
    """The median over ``posts`` of the least CPU time each took in any of several passes."""
    best = [float("inf")] * len(posts)
    for _ in range(PASSES):
        for number, text in enumerate(posts):
            start = time.thread_time_ns()
            check(text)
            best[number] = min(best[number], time.thread_time_ns() - start)
    return statistics.median(best) / 1e6


def single() -> Iterator[Figure]:
    """One post at a time in a warm process."""
    yield Figure(
        bench="check.single",
        value=_p50_milliseconds(_check, texts()),
        unit="ms/post p50",
        target=0.05,
        more_is_better=False,
        peer="proselint",
        peer_value=_p50_milliseconds(_peer(), texts()),
    )


def _posts_a_second(check: Callable[[str], object], posts: tuple[str, ...]) -> float:
    def all_of_them() -> None:
        for text in posts:
            check(text)

    all_of_them()
    return len(posts) / cpu_seconds(all_of_them, rounds=PASSES)


def batch() -> Iterator[Figure]:
    """All posts one after the other on one core, reports and all."""
    yield Figure(
        bench="check.batch",
        value=_posts_a_second(_check, texts()),
        unit="posts/s/core",
        target=20_000,
        more_is_better=True,
        peer="proselint",
        peer_value=_posts_a_second(_peer(), texts()),
    )


def _cold_seconds(command: list[str]) -> float:
    """The least CPU time of whole processes that check one post from standard input."""
    best = float("inf")
    for _ in range(STARTS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, input=b"hi\n", capture_output=True, check=False)  # noqa: S603
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.returncode in (0, 1), done.stderr.decode()
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best


def cold() -> Iterator[Figure]:
    """From nothing to an answer for one post: interpreter, imports, pack, rules and check."""
    here = Path(sys.executable).parent
    yield Figure(
        bench="check.cold",
        value=_cold_seconds([str(here / "folkmoot"), "check", "--capacity", "official"]),
        unit="s CPU",
        target=0.15,
        more_is_better=False,
        peer="proselint",
        peer_value=_cold_seconds([str(here / "proselint"), "check"]),
    )


FIGURES = {"check.single": single, "check.batch": batch, "check.cold": cold}
