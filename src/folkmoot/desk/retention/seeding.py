"""The schedule that is proposed to a body that has none, read from a file with its sources."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from folkmoot.desk.records.classes import RecordClass
from folkmoot.guidance import Evidence

from .triggers import EVENTS, Action, Trigger


class SeedError(Exception):
    """The file of a schedule does not hold together; the message says where."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a period rests on: where it stands, and how much of it was read."""

    id: str
    title: str
    address: str
    evidence: Evidence
    note: str


@dataclass(frozen=True, slots=True)
class Seed:
    """A proposed line of the schedule. ``law`` only where a source sets this very period."""

    record_class: RecordClass
    trigger: Trigger
    months: int
    action: Action
    law: bool
    sources: tuple[Source, ...]
    why: str


@lru_cache(maxsize=4)
def read_seeds(name: str = "uk") -> dict[RecordClass, Seed]:
    """The proposed schedule of this name, a line for every class of records.

    Raises :class:`SeedError` for a file with a gap, an unknown word or a source without address.
    """
    text = (resources.files(__package__) / "seeds" / f"{name}.toml").read_text("utf-8")
    return parse_seeds(text)


def parse_seeds(text: str) -> dict[RecordClass, Seed]:
    """The schedule that a TOML text describes. Raises :class:`SeedError`."""
    try:
        table = tomllib.loads(text)
        sources = {row["id"]: _source(row) for row in table["source"]}
        seeds = {}
        for row in table["class"]:
            seed = _seed(row, sources)
            if seed.record_class in seeds:
                raise SeedError(f"There are two lines for {seed.record_class}.")
            seeds[seed.record_class] = seed
    except (KeyError, ValueError, TypeError) as wrong:
        raise SeedError(f"The schedule cannot be read: {wrong}") from wrong
    if missing := set(RecordClass) - set(seeds):
        raise SeedError(f"There is no line for {', '.join(sorted(missing))}.")
    return seeds


def _source(row: dict[str, str]) -> Source:
    if not row["address"].startswith("https://"):
        raise SeedError(f"The source {row['id']} has no address that can be looked up.")
    return Source(row["id"], row["title"], row["address"], Evidence(row["evidence"]), row["note"])


def _seed(row: dict[str, object], sources: dict[str, Source]) -> Seed:
    record_class, trigger = RecordClass(str(row["record_class"])), Trigger(str(row["trigger"]))
    if record_class not in EVENTS[trigger].classes:
        raise SeedError(f"{trigger} is no trigger of {record_class}.")
    if row["period"] not in {"law", "proposed"}:
        raise SeedError(f"The period of {record_class} is neither law nor proposed.")
    months, named = row["months"], row["sources"]
    if not isinstance(months, int) or months < 1 or not isinstance(named, list) or not named:
        raise SeedError(f"The line for {record_class} lacks a period or a source.")
    return Seed(
        record_class,
        trigger,
        months,
        Action(str(row["action"])),
        row["period"] == "law",
        tuple(sources[str(one)] for one in named),
        str(row["why"]),
    )
