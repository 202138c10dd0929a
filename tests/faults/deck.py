"""Which scenario, channels and database a seed stands for."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from folkmoot.channels.simulator import Fault, Occasion

from . import mailing, people, scenarios
from .world import World

Scenario = Callable[..., None]
CHANNELS = (
    "mastodon-plain",
    "bluesky",
    "x",
    "pds",
    "facebook",
    "threads",
    "mastodon",
    "instagram",
    "linkedin",
    "webhook",
    "atom",
    "webhook-plain",
    "practice",
)


@dataclass(frozen=True)
class Card:
    """A scenario, with what of it is not left to chance."""

    play: Scenario
    channel: str = ""
    fixed: dict[str, Any] = field(default_factory=dict)
    alone: bool = False
    """Whether no other channel plays, so that the blow falls there."""


def _sent(**more: Any) -> dict[str, Any]:
    return {"step": "send", "when": "after", "nth": 1, **more}


DECK: tuple[Card, ...] = (
    Card(scenarios.kills, "mastodon-plain", _sent(), alone=True),
    Card(scenarios.kills, "webhook-plain", _sent(), alone=True),
    Card(scenarios.kills, "pds", {"step": "request"}),
    Card(scenarios.kills, "pds", {"step": "send"}),
    *(Card(scenarios.kills) for _ in range(5)),
    Card(mailing.mailed, "", {"step": "transport", "when": "after", "nth": 2}, alone=True),
    Card(
        scenarios.lost_answers,
        "mastodon-plain",
        {"fault": Fault.LOSE_ANSWER, "occasion": Occasion.PUBLISH},
    ),
    Card(scenarios.lost_answers, "pds"),
    *(Card(scenarios.lost_answers) for _ in range(2)),
    Card(mailing.mailed, alone=True),
    Card(scenarios.lies, "bluesky"),
    Card(scenarios.lies, "mastodon"),
    Card(scenarios.twice),
    Card(scenarios.storm),
    Card(scenarios.thread, "mastodon-plain"),
    Card(scenarios.thread, "threads"),
    Card(scenarios.thread, "x"),
    Card(scenarios.slow_media, "mastodon"),
    Card(scenarios.slow_media, "instagram"),
    Card(scenarios.token_over, "x"),
    Card(scenarios.token_over),
    Card(scenarios.token_revoked),
    Card(scenarios.two_workers),
    Card(scenarios.two_workers),
    Card(scenarios.two_workers, "mastodon-plain"),
    Card(
        scenarios.stands_still,
        "mastodon-plain",
        {"step": "send", "when": "before", "nth": 1},
        alone=True,
    ),
    Card(scenarios.stands_still),
    Card(scenarios.stands_still),
    Card(scenarios.wrong_id),
    Card(scenarios.refused),
    Card(scenarios.skew),
    Card(people.clock_change),
    Card(people.late_worker),
    Card(people.late_signature),
    Card(people.taken_back),
    Card(people.tampered),
    Card(people.stopped, "", {"step": "send", "when": "before"}),
    Card(people.stopped, "", {"step": "prepare", "when": "after"}),
    Card(people.resumed),
    Card(people.restored),
    Card(people.cloned),
    Card(people.removed),
    Card(people.corrected),
    Card(people.stranger),
    Card(scenarios.burst),
)


assert len(DECK) == 50, "The short form plays every card once."


@dataclass(frozen=True)
class Dealt:
    """What one run plays."""

    card: Card
    channels: tuple[str, ...]
    database: str
    rng: random.Random

    def __str__(self) -> str:
        name = self.card.play.__name__
        return f"{name} on {', '.join(self.channels)} ({self.database})"

    def play(self, world: World, **more: Any) -> None:
        """Play the scenario."""
        self.card.play(world, self.channels, **self.card.fixed, **more)


def deal(seed: int, names: tuple[str, ...], databases: tuple[str, ...]) -> Dealt:
    """What this seed stands for. As many seeds in a row as there are cards play every card once,
    and every channel.
    """
    rng = random.Random(seed)
    place, cycle = seed % len(DECK), seed // len(DECK)
    card = DECK[place]
    there = [name for name in CHANNELS if name in names]
    first = card.channel if card.channel in there else there[(place + cycle * 5) % len(there)]
    others = [] if card.alone else rng.sample(there, rng.choice((0, 0, 1, 1, 2)))
    channels = tuple(dict.fromkeys((first, *others)))
    return Dealt(card, channels, databases[(place + cycle) % len(databases)], rng)
