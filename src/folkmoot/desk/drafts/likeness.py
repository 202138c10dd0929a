"""Whether two texts say nearly the same. Pure.

Two posts that differ in a time, a link or an emoji are the same news to whoever reads both. Texts
are compared by the runs of three words they share (Jaccard's measure of two sets of shingles, after
Broder, 1997); a text too short to have many is compared as it stands, without case, punctuation,
links and accents of width. The threshold is measured in this module's tests, on pairs of our own.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

RUN = 3
ENOUGH = 0.45
"""The share of all their runs that two alike texts have in common."""
FEW_WORDS = 8
"""A shorter text has too few runs to be measured by."""
MOSTLY = 0.6
"""How much of the longer text a short one must make up to be found in it."""
LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
WORD = re.compile(r"\w+")
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Print:
    """What of a text is compared: its words in order, folded, and the runs of three."""

    words: str
    count: int
    runs: frozenset[tuple[str, str, str]]


@lru_cache(maxsize=8192)
def take_print(text: str) -> Print:
    """The print of a text."""
    folded = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
    words = WORD.findall(LINK.sub(" ", folded) if "/" in folded or "www." in folded else folded)
    runs = frozenset(zip(words, words[1:], words[2:], strict=False))
    return Print(" ".join(words), len(words), runs)


def are_alike(one: Print, other: Print) -> bool:
    """Whether two texts say nearly the same. A text without words is like no other."""
    if not one.count or not other.count:
        return False
    if one.words == other.words:
        return True
    if min(one.count, other.count) < FEW_WORDS:
        short, long = sorted((one, other), key=lambda each: each.count)
        return short.count >= MOSTLY * long.count and f" {short.words} " in f" {long.words} "
    shared = len(one.runs & other.runs)
    return shared >= ENOUGH * (len(one.runs) + len(other.runs) - shared)


def find_alike(text: str, others: Mapping[K, str]) -> list[K]:
    """The keys of those of ``others`` that say nearly the same as ``text``, in their order.

    Two long texts without one word in five in common cannot share enough runs: they are passed
    over by a quick look, which is what most of two thousand posts take.
    """
    mine = take_print(text)
    if mine.count < FEW_WORDS:
        return [key for key, words in others.items() if are_alike(mine, take_print(words))]
    bare = frozenset(text.lower().split())
    least = len(bare) / 5
    return [
        key
        for key, words in others.items()
        if len(bare.intersection(words.lower().split())) >= least
        and are_alike(mine, take_print(words))
    ]


def find_alike_pairs(texts: Mapping[K, str]) -> dict[K, list[K]]:
    """For each key of ``texts`` the keys of the others that say nearly the same; those of which
    there are none are left out. Only texts that share a run, or a short one, are held side by side.
    """
    prints = {key: take_print(text) for key, text in texts.items()}
    by_run: dict[tuple[str, str, str], list[K]] = defaultdict(list)
    few: list[K] = []
    found: dict[K, list[K]] = defaultdict(list)
    for key, mine in prints.items():
        shared = Counter(other for run in mine.runs for other in by_run[run])
        near = [other for other, count in shared.items() if count >= ENOUGH * len(mine.runs)]
        short = list(prints) if mine.count < FEW_WORDS else few
        for other in dict.fromkeys([*near, *short]):
            if other != key and other not in found[key] and are_alike(mine, prints[other]):
                found[key].append(other)
                found[other].append(key)
        for run in mine.runs:
            by_run[run].append(key)
        if mine.count < FEW_WORDS:
            few.append(key)
    return {key: others for key, others in found.items() if others}
