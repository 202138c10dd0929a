"""One figure of the bench, and how it is measured."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value beside a peer's, in the same unit and the same run.

    ``target`` is the value to reach; ``more_is_better`` says in which direction. ``ratio`` is how
    many times better we are than the peer (above 1 is better, whichever the direction).
    """

    bench: str
    value: float
    unit: str
    target: float
    more_is_better: bool
    peer: str | None = None
    peer_value: float | None = None

    @property
    def met(self) -> bool:
        return self.value >= self.target if self.more_is_better else self.value <= self.target

    @property
    def ratio(self) -> float | None:
        if not self.peer_value or not self.value:
            return None
        ratio = self.value / self.peer_value
        return ratio if self.more_is_better else 1 / ratio

    def to_json(self) -> str:
        """One line of JSON, numbers to four significant digits."""

        def short(number: float | None) -> float | None:
            return None if number is None else float(f"{number:.4g}")

        return json.dumps(
            {
                "bench": self.bench,
                "value": short(self.value),
                "unit": self.unit,
                "peer": self.peer,
                "peer_value": short(self.peer_value),
                "ratio": short(self.ratio),
                "target": self.target,
                "met": self.met,
            }
        )


def cpu_seconds(work: Callable[[], object], *, rounds: int = 3) -> float:
    """The least CPU time of ``work`` over ``rounds`` runs: load on the machine mostly drops out."""
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time_ns()
        work()
        best = min(best, time.process_time_ns() - start)
    return best / 1e9
