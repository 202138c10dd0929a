"""What goes wrong with a simulated channel, and when: by script, by rate from a seed, or not."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Occasion(StrEnum):
    """What kind of request one is."""

    SIGN_IN = "sign_in"
    """Getting or renewing a token."""
    UPLOAD = "upload"
    """Handing over media, or a container that is not published yet, or asking how far it is."""
    PUBLISH = "publish"
    """The request that makes a post, or a part of one, visible."""
    READ = "read"
    """Looking without changing anything."""
    REMOVE = "remove"
    """Taking a post down."""


class Fault(StrEnum):
    """What goes wrong with one request."""

    LOSE_ANSWER = "lose_answer"
    """Done, and the answer is lost."""
    DROP = "drop"
    """The request is lost: not done, no answer."""
    TWICE = "twice"
    """Done twice, as by a proxy that tries again: a channel that honours keys notices."""
    TOO_MANY = "too_many"
    """Not done: 429, without Retry-After."""
    TOO_MANY_WAIT = "too_many_wait"
    """Not done: 429, with Retry-After of ``seconds``."""
    BROKEN_BEFORE = "broken_before"
    """Not done: 500."""
    BROKEN_AFTER = "broken_after"
    """Done, and answered with 500."""
    RUBBISH = "rubbish"
    """Done, and answered 200 with a page of HTML."""
    SLOW = "slow"
    """Done, and answered after ``seconds``."""
    SLOW_MEDIA = "slow_media"
    """Media stays in processing for ``seconds``."""
    EXPIRED = "expired"
    """Not done: the token is over. It can be renewed."""
    REVOKED = "revoked"
    """Not done: the token was revoked, and so is every other, until somebody signs in again."""
    WRONG_ID = "wrong_id"
    """Done, and answered with the id of another post."""
    SKEW = "skew"
    """From now on the channel's clock is ``seconds`` ahead (behind, if negative)."""
    HALF = "half"
    """Of several parts in one request, only the first is done; then 500."""
    REFUSE = "refuse"
    """Not done: a clear no."""
    LIE = "lie"
    """A read says that what is there is not there."""


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault that is about to strike. ``seconds`` is its size, where it has one."""

    fault: Fault
    seconds: float = 5.0


class Faults:
    """The faults of one simulated channel. Safe to use from several threads.

    Scripted faults strike first, in order, each on the next request of its occasion. After them
    each request fares by ``rates``: of those that fit its occasion, each fault's chance, drawn
    from ``seed``.
    """

    def __init__(self, *, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(seed)  # noqa: S311 - a rehearsal, to be repeated exactly
        self._script: list[tuple[Occasion, Strike]] = []
        self._rates: dict[tuple[Occasion, Fault], tuple[float, float]] = {}

    def add(self, occasion: Occasion, strike: Strike, *, times: int = 1) -> None:
        """Strike on each of the next ``times`` requests of this occasion."""
        with self._lock:
            self._script += [(occasion, strike)] * times

    def set_rates(self, rates: Mapping[tuple[Occasion, Fault], tuple[float, float]]) -> None:
        """Strike by chance: occasion and fault to (chance between 0 and 1, seconds)."""
        with self._lock:
            self._rates = dict(rates)

    def clear(self) -> None:
        """Let all go well from now on."""
        with self._lock:
            self._script.clear()
            self._rates.clear()

    def next_strike(self, occasion: Occasion) -> Strike | None:
        """What strikes the request at hand, or ``None``."""
        with self._lock:
            for place, (wanted, strike) in enumerate(self._script):
                if wanted is occasion:
                    del self._script[place]
                    return strike
            for (wanted, fault), (chance, seconds) in self._rates.items():
                if wanted is occasion and self._random.random() < chance:
                    return Strike(fault, seconds)
        return None
