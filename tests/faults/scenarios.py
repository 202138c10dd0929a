"""What happens in a run as far as workers and channels go: deaths, silence, lies, storms."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from folkmoot.channels.simulator import Fault, Occasion

from .ground import PDS
from .lives import QUIET_STEPS, STEPS, Blow
from .world import IN_PARTS, KEYED, NO_TIMELINE, OWN, World

SIMULATED_ONLY = (*OWN, PDS)
"""Channels that know no faults of their own: there, the line is cut on our side instead."""
DONE = (Fault.LOSE_ANSWER, Fault.BROKEN_AFTER, Fault.RUBBISH)
NOT_DONE = (Fault.DROP, Fault.BROKEN_BEFORE, Fault.TOO_MANY, Fault.TOO_MANY_WAIT)
PASSING = (*DONE, *NOT_DONE)
RENEWS = ("x", "linkedin", "bluesky", "instagram", "threads")
"""Channels whose tokens a worker renews by itself."""
# Where an unknown can stay one, so that a person decides: the channel cannot say what it has.
CANNOT_TELL = ("webhook-plain",)


def choose_blow(world: World, **fixed: Any) -> Blow:
    """Where a worker dies: anywhere, but oftener where a post is on its way."""
    near = ("send", "freeze", "remember", "settle", "confirm", "request", "adapter_look_up")
    step = world.rng.choice(near if world.rng.random() < 0.5 else STEPS)
    nth = world.rng.randint(1, 12) if step in ("request", "record") else world.rng.randint(1, 2)
    return Blow(
        **{"step": step, "when": world.rng.choice(("before", "after")), "nth": nth, **fixed}
    )


def expect_decided(world: World, post: Any) -> None:
    """Where the channel cannot say what it has, a person may be asked."""
    for name in post.accounts:
        if name in CANNOT_TELL:
            post.expect("person", name)
    del world


def strike(world: World, name: str, occasion: Occasion, fault: Fault, **more: Any) -> None:
    """Let something go wrong on a simulated channel, and tell."""
    world.host.strike(name, occasion, fault, **more)
    world.tell(f"{name}: {fault} on {occasion} {more or ''}")


def kills(world: World, names: tuple[str, ...], **fixed: Any) -> None:
    """Workers that die one after another, at any step; then one that lives."""
    post = world.publishable(names, parts=world.rng.choice((1, 1, 2)), pictured=_maybe(world, 0.3))
    expect_decided(world, post)
    for number in range(world.rng.randint(1, 3)):
        blow = choose_blow(world, **(fixed if number == 0 else {}))
        wait = world.rng.choice((0.0, 3.0, 31.0))
        world.live(waits=(wait, 2.0, 31.0), blow=blow)
        world.pass_(world.rng.choice((0, 1, 31, 91)))


def lost_answers(world: World, names: tuple[str, ...], **fixed: Any) -> None:
    """Answers and requests that are lost on the way."""
    post = world.publishable(names, parts=world.rng.choice((1, 1, 2)), pictured=_maybe(world, 0.3))
    expect_decided(world, post)
    for name in names:
        if name in SIMULATED_ONLY:
            continue
        for _ in range(world.rng.randint(1, 2)):
            fault = fixed.get("fault") or world.rng.choice(PASSING)
            occasion = fixed.get("occasion") or world.rng.choice(
                (Occasion.PUBLISH, Occasion.PUBLISH, Occasion.READ, Occasion.UPLOAD)
            )
            strike(world, name, occasion, fault, seconds=20, times=world.rng.randint(1, 2))
    cut = world.rng.sample(range(1, 15), 3) if set(names) & set(SIMULATED_ONLY) else []
    lost = frozenset(one * world.rng.choice((1, -1)) for one in cut)
    world.live(waits=(0.0, 2.0, 4.0), lost=lost)


def lies(world: World, names: tuple[str, ...]) -> None:
    """Channels that honour keys say that what is there is not there."""
    unkeyed = set(world.all_names) - set(KEYED)
    names = world.but(names, SIMULATED_ONLY, unkeyed, otherwise="bluesky")
    post = world.publishable(names)
    post.expect("person")
    for name in names:
        strike(world, name, Occasion.PUBLISH, Fault.LOSE_ANSWER)
    world.live(waits=(0.0,))
    for name in names:
        strike(world, name, Occasion.READ, Fault.LIE, times=world.rng.randint(4, 9))
    world.live(waits=(3.0, 32.0, 3.0, 32.0, 3.0))


def twice(world: World, names: tuple[str, ...]) -> None:
    """A line that delivers a request twice, where the channel honours keys."""
    unkeyed = set(world.all_names) - set(KEYED)
    names = world.but(names, SIMULATED_ONLY, unkeyed, otherwise="mastodon")
    world.publishable(names)
    for name in names:
        strike(world, name, Occasion.PUBLISH, Fault.TWICE, times=2)
    world.live(waits=(0.0, 2.0))


def storm(world: World, names: tuple[str, ...]) -> None:
    """Too many requests, with and without being told how long to wait."""
    for post in [world.publishable(names) for _ in range(2)]:
        expect_decided(world, post)
    for name in names:
        if name in SIMULATED_ONLY:
            continue
        fault = world.rng.choice((Fault.TOO_MANY, Fault.TOO_MANY_WAIT))
        seconds = world.rng.choice((5, 60, 300))
        for occasion in (Occasion.PUBLISH, Occasion.READ, Occasion.UPLOAD):
            times = world.rng.randint(1, 5)
            strike(world, name, occasion, fault, seconds=seconds, times=times)
    world.live(waits=(0.0, 2.0, 10.0, 60.0, 61.0))


def thread(world: World, names: tuple[str, ...]) -> None:
    """A thread, where parts go one by one, with answers lost in between and deaths."""
    names = world.but((*names, world.rng.choice(IN_PARTS)), SIMULATED_ONLY, otherwise="x")
    names = tuple(dict.fromkeys(names))
    post = world.publishable(names, parts=world.rng.randint(3, 6), pictured=_maybe(world, 0.3))
    expect_decided(world, post)
    for name in names:
        for _ in range(world.rng.randint(1, 3)):
            fault = world.rng.choice((*DONE, *DONE, Fault.DROP, Fault.HALF))
            strike(world, name, Occasion.PUBLISH, fault)
    world.live(waits=(0.0, 2.0, 3.0), blow=choose_blow(world, step="request"))
    world.live(waits=(31.0, 2.0, 3.0), blow=choose_blow(world) if _maybe(world, 0.5) else None)


def slow_media(world: World, names: tuple[str, ...]) -> None:
    """Pictures that take ten minutes, handed over ahead of time or not."""
    names = world.but(names, SIMULATED_ONLY, otherwise="mastodon")
    ahead = _maybe(world, 0.5)
    due_at = world.clock() + timedelta(minutes=14) if ahead else None
    post = world.publishable(names, pictured=True, due_at=due_at)
    expect_decided(world, post)
    for name in names:
        strike(world, name, Occasion.UPLOAD, Fault.SLOW_MEDIA, seconds=600, times=2)
    waits = (0.0, 5.0, 60.0, 120.0, 240.0, 240.0, 240.0)
    blow = choose_blow(world, step=world.rng.choice(("upload", "request"))) if ahead else None
    world.live(waits=waits, blow=blow)
    world.live(waits=waits)


def token_over(world: World, names: tuple[str, ...]) -> None:
    """Tokens that end while two workers use them at once: one renews, the other takes what is new;
    or the one who renews dies in the middle.
    """
    names = world.but(names, SIMULATED_ONLY, otherwise="x")
    posts = [world.publishable(names) for _ in range(2)]
    dies = _maybe(world, 0.5)
    for post in posts:
        # A token that cannot be renewed, or whose renewal died with a worker, needs a person.
        post.expect("person")
        for name in names:
            if name in RENEWS and not dies:
                post.expect("sent", name)
    for name in names:
        occasion = world.rng.choice((Occasion.PUBLISH, Occasion.READ))
        strike(world, name, occasion, Fault.EXPIRED, times=2 if dies else 1)
    blow = choose_blow(world, step="request", nth=world.rng.randint(2, 9)) if dies else None
    lives = [world.begin(waits=(0.0, 2.0), blow=blow), world.begin(waits=(0.0, 2.0))]
    for life in lives:
        world.heed(life.wait(), life)
    world.live(waits=(31.0, 2.0))


def token_revoked(world: World, names: tuple[str, ...]) -> None:
    """Somebody takes the token back on the channel: nothing goes out, and a person is told."""
    names = world.but(names, SIMULATED_ONLY, otherwise="x")
    post = world.publishable(names)
    post.expect("person")
    for name in names:
        strike(world, name, world.rng.choice((Occasion.PUBLISH, Occasion.READ)), Fault.REVOKED)
    world.live(waits=(0.0, 2.0, 31.0))


def two_workers(world: World, names: tuple[str, ...]) -> None:
    """Two workers, or three, at the very same time; one of them may die."""
    posts = [world.publishable(names, parts=world.rng.choice((1, 2))) for _ in range(3)]
    for post in posts:
        expect_decided(world, post)
    for name in names:
        if name not in SIMULATED_ONLY and _maybe(world, 0.5):
            strike(world, name, Occasion.PUBLISH, world.rng.choice(DONE))
    blow = choose_blow(world) if _maybe(world, 0.5) else None
    lives = [
        world.begin(waits=(0.0, 0.0, 1.0), blow=blow if number == 0 else None)
        for number in range(world.rng.choice((2, 2, 3)))
    ]
    for life in lives:
        world.heed(life.wait(), life)


def stands_still(world: World, names: tuple[str, ...], **fixed: Any) -> None:
    """A worker stands still in the middle while another works, at once or when its lease is over;
    then it goes on. Where it stood just before sending, only the next worker's patience helps.
    """
    post = world.publishable(names)
    expect_decided(world, post)
    step = world.rng.choice(QUIET_STEPS)
    blow = choose_blow(world, **{"step": step, "nth": 1, "stands_still": True, **fixed})
    life = world.live(waits=(0.0,), blow=blow)
    # One that stood still between its last look at the lease and the request, and goes on when
    # the lease is over, cannot be held back by anybody but the channel.
    past = [0.0, 1.0, 3.0]
    at_the_door = blow.step in ("send", "request") and not set(names) <= set(KEYED)
    if not at_the_door:
        past += [31.0, 95.0]
    world.live(waits=(world.rng.choice(past), 1.0, 1.0))
    world.go_on(life)


def wrong_id(world: World, names: tuple[str, ...]) -> None:
    """The channel answers with the name of another post."""
    names = world.but(names, SIMULATED_ONLY, otherwise="x")
    world.publishable(names)
    world.live(waits=(0.0, 2.0))
    post = world.publishable(names)
    post.expect("person")
    for name in names:
        strike(world, name, Occasion.PUBLISH, Fault.WRONG_ID)
    world.live(waits=(5.0, 2.0, 31.0))


def refused(world: World, names: tuple[str, ...]) -> None:
    """The channel clearly says no: to some, and not to others."""
    post = world.publishable(names)
    expect_decided(world, post)
    struck = [name for name in names if name not in SIMULATED_ONLY][:1]
    for name in struck:
        post.expect("person", name)
        strike(world, name, Occasion.PUBLISH, Fault.REFUSE, times=3)
    world.live(waits=(0.0, 2.0))


def skew(world: World, names: tuple[str, ...]) -> None:
    """The channel's clock is wrong, and an answer is lost as well."""
    names = world.but(names, SIMULATED_ONLY, otherwise="mastodon")
    seconds = world.rng.choice((-3600, -200, 200, 3600))
    for name in names:
        strike(world, name, Occasion.READ, Fault.SKEW, seconds=seconds)
    world.live(waits=(0.0,))
    post = world.publishable(names)
    expect_decided(world, post)
    for name in names:
        fault = world.rng.choice(DONE)
        # Signatures that are five minutes old are not taken by a receiver that keeps the standard,
        # so that none would answer as if it had.
        if name in NO_TIMELINE and abs(seconds) > 300:
            post.expect("person", name)
            fault = Fault.LOSE_ANSWER
        strike(world, name, Occasion.PUBLISH, fault)
    world.live(waits=(60.0, 2.0, 31.0))


def burst(world: World, names: tuple[str, ...], count: int = 200) -> None:
    """Very many due at the same moment, and workers that die among them."""
    del names
    world.watch_only(OWN)
    world.patience_seconds += count / 5
    due_at = world.clock() + timedelta(minutes=5)
    world.write_many(count, OWN[1:], due_at=due_at)
    world.pass_(301)
    deaths = ["send", "freeze", "settle", "finish"]
    for step in deaths:
        nth = world.rng.randint(1, 40)
        world.live(waits=(0.0,) * 4, blow=Blow(step, world.rng.choice(("before", "after")), nth))
        world.pass_(1)
    pair = [world.begin(waits=(0.0,) * (count // 40 + 4)) for _ in range(2)]
    for life in pair:
        world.heed(life.wait(), life)


def _maybe(world: World, chance: float) -> bool:
    return world.rng.random() < chance
