"""What happens in a run as far as people go: late, taken back, changed, stopped, brought back."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from typing import Any

from folkmoot.channels.simulator import Fault, Occasion

from .lives import Blow
from .scenarios import DONE, SIMULATED_ONLY, choose_blow, expect_decided, strike
from .world import NO_TIMELINE, OWN, Post, World

LONDON = "Europe/London"


def clock_change(world: World, names: tuple[str, ...]) -> None:
    """Posts around half past one in the nights when clocks change in London."""
    from folkmoot.desk.drafts.walltime import Resolved, resolve

    forward = world.rng.random() < 0.5
    day, before = ("2027-03-28", 0) if forward else ("2026-10-25", -1)
    start = datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=UTC) + timedelta(hours=before)
    world.clock.set(start)
    for which in ("before", "after") if forward else ("first", "second"):
        found = resolve(f"{day}T01:30", LONDON, which)
        assert isinstance(found, Resolved)
        post = world.publishable(names, due_at=found.at, wall=found.wall, zone=found.zone)
        expect_decided(world, post)
        if "x" in names:  # a token good for one use is renewed by then, and a worker may die in it
            post.expect("person", "x")
    while world.clock() < world.posts[-1].due_at + timedelta(minutes=1):
        blow = choose_blow(world) if world.rng.random() < 0.3 else None
        world.live(waits=(1790.0, 2.0, 31.0), blow=blow)
        for later in world.posts:
            if later.due_at > world.clock() and _stands_anywhere(world, later):
                world.faults.append(f"post {later.draft_id} went out before its time")


def _stands_anywhere(world: World, post: Post) -> bool:
    return any(
        one.text.startswith(post.text[:16])
        for name in post.accounts
        for one in world.list_standing(name)
    )


def late_worker(world: World, names: tuple[str, ...]) -> None:
    """No worker runs until the post's time has passed: it is missed, not sent late."""
    post = world.publishable(names, window_minutes=world.rng.choice((15, 30)))
    in_time = world.publishable(names, window_minutes=240)
    expect_decided(world, in_time)
    if world.rng.random() < 0.5:
        world.live(waits=(0.0,), blow=Blow("deliver", "before", 1))
    world.pass_(31 * 60)
    post.never("stale")
    world.live(waits=(0.0, 2.0))


def late_signature(world: World, names: tuple[str, ...]) -> None:
    """A post is signed, or signing is tried, when its time has passed."""
    from folkmoot.desk.drafts.actions import DraftRefused

    due_at = world.clock() + timedelta(minutes=5)
    post = world.write(names, due_at=due_at, window_minutes=15)
    world.pass_(21 * 60)
    try:
        world.sign(post)
        world.faults.append("A post was signed after its time.")
    except DraftRefused as refused:
        world.tell(f"it cannot be signed: {refused}")
    post.never("stale")
    world.live(waits=(0.0, 2.0))


def taken_back(world: World, names: tuple[str, ...]) -> None:
    """A post is taken back, perhaps changed and signed anew, at any moment of a worker's life."""
    post = world.publishable(names)
    old = post.text
    step = world.rng.choice(("begin", "claim", "prepare", "freeze", "send", "request", "none"))
    life = None
    if step == "begin":
        life = world.live(waits=(0.0,), blow=Blow("claim", "before", 1))
        world.tell("it was killed once the post had been begun")
    elif step != "none":
        when = world.rng.choice(("before", "after"))
        life = world.live(waits=(0.0,), blow=Blow(step, when, 1, stands_still=True))
    world.pass_(1)
    if world.take_back(post):
        post.never("unsigned")
        post.signed.clear()
        if world.rng.random() < 0.5:
            world.edit(post, world.make_text())
            _send_and_sign(world, post)
            post.expect("sent")
            expect_decided(world, post)
            assert post.text != old
    else:
        expect_decided(world, post)
    if life is not None:
        world.go_on(life)


def tampered(world: World, names: tuple[str, ...]) -> None:
    """What was signed is changed where nobody may: in the database or in the store of pictures, or
    the account or the calendar changes, once a worker is at work on it.
    """
    from folkmoot.desk.accounts.models import Account
    from folkmoot.desk.drafts.models import Draft, Version
    from folkmoot.desk.publishing.models import Delivery
    from folkmoot.desk.records.columns import update_sealed

    post = world.publishable(names)
    life = world.live(waits=(0.0,), blow=Blow("freeze", "before", 1, stands_still=True))
    if life.end != "still":
        return
    version = Version.objects.filter(draft_id=post.draft_id)
    what = world.rng.choice(("words", "time", "window", "account", "period"))
    match what:
        case "words":
            for one in version:  # by somebody who has the keys too
                update_sealed(one, {"text": post.text.replace("Notice", "Vote")})
        case "time":
            Draft.objects.filter(pk=post.draft_id).update(due_at=post.due_at - timedelta(hours=1))
        case "window":
            later = post.not_after + timedelta(hours=5)
            Delivery.objects.filter(draft_id=post.draft_id).update(not_after=later)
        case "account":
            ids = [world.cast.accounts[name] for name in names if name not in OWN]
            Account.objects.filter(pk__in=ids).update(state="disconnected")
        case "period":
            _begin_pre_election(world)
    world.tell(f"somebody changes its {what}")
    for name in names:
        # The accounts of the desk's own channels cannot be disconnected.
        post.expect("any" if what == "account" and name in OWN else "never", name)
    if what == "window":
        post.expect("any")
    if what == "period":
        # Whether it holds a post is for the check to say.
        post.expect("any")
    world.go_on(life)


def stopped(world: World, names: tuple[str, ...], **fixed: Any) -> None:
    """A stop is pressed while a worker is between claim and send; once it is said to be in force
    nothing may arrive any more.
    """
    posts = [world.publishable(names), world.publishable(names)]
    for post in posts:
        post.expect("any")
    step = world.rng.choice(("claim", "prepare", "freeze", "remember", "send", "request"))
    blow = choose_blow(world, **{"step": step, "nth": 1, "stands_still": True, **fixed})
    life = world.live(waits=(0.0,), blow=blow)
    stop = _press(world)
    held_back = _is_in_force(world, stop)
    if held_back:
        world.bar("the stop was in force")
    world.go_on(life)
    if not held_back:
        for _ in range(4):
            if _is_in_force(world, stop):
                break
            world.pass_(16)
        else:
            world.faults.append("A stop was never said to be in force.")
        world.bar("the stop was in force")
    late = world.publishable(names)
    late.never("stale")
    world.live(waits=(2.0, 6.0, 31.0))
    by_duty = None
    if world.rng.random() < 0.5:
        by_duty = _through_stop(world, names)
        world.barriers[-1].may.append(by_duty)
        world.live(waits=(2.0, 6.0))


def resumed(world: World, names: tuple[str, ...]) -> None:
    """A stop is lifted while posts that came due under it are still in their time: none of them
    goes out, and what is signed afterwards does.
    """
    due_at = world.clock() + timedelta(minutes=10)
    begun = world.publishable(names)
    waiting = world.publishable(names, due_at=due_at)
    later = world.publishable(names, due_at=due_at + timedelta(hours=1))
    expect_decided(world, later)
    stop = _press(world)
    world.live(waits=(0.0, 2.0))
    if world.rng.random() < 0.5:
        world.pass_(11 * 60)
        world.live(waits=(0.0,))
    else:
        world.pass_(11 * 60)
    for post in (begun, waiting):
        post.never("stale")
    world.bar("the stop was pressed", later)
    _resume(world, stop)
    fresh = world.publishable(names)
    expect_decided(world, fresh)
    world.barriers[-1].may.append(fresh)
    world.live(waits=(0.0, 2.0, 31.0, 62.0))
    world.pass_(3600)


def restored(world: World, names: tuple[str, ...]) -> None:
    """Last night's database is put back after posts went out: nothing is sent again until people
    have compared it, and nothing of what it had waiting then.
    """
    names = world.but(names, OWN, NO_TIMELINE, otherwise="mastodon")
    posts = [world.publishable(names, window_minutes=240) for _ in range(2)]
    # Where the record was signed since, it holds everything back as well, until people see to it.
    signs = world.rng.random() < 0.3
    if world.rng.random() < 0.5:
        world.live(waits=(0.0,), blow=Blow("claim", "before", 1), sequences=False)
    world.ground.save(world.url)
    world.tell("the database is saved")
    world.live(waits=(2.0, 2.0, 31.0), sequences=signs)
    world.pass_(1800)
    world.ground.put_back(world.url)
    world.tell("the database is put back")
    world.bar("the database was put back")
    for post in posts:
        # What the database forgot is told by an alarm, and people find out about it.
        post.expect("any")
        post.left_to_people = True
    world.live(waits=(0.0, 2.0, 31.0), sequences=signs)
    if signs:
        return
    _lift_fence(world)
    world.live(waits=(0.0, 2.0, 31.0))
    after = world.publishable(names)
    # A token that was renewed since is lost with the database: then a person signs in again.
    after.expect("person")
    world.barriers[-1].may.append(after)


def cloned(world: World, names: tuple[str, ...]) -> None:
    """A copy of the database comes up in another home: it sends nothing."""
    from folkmoot.desk.publishing import fence

    posts = [world.publishable(names) for _ in range(2)]
    world.live(waits=(0.0, 2.0))
    for post in posts:
        expect_decided(world, post)
    late = world.publishable(names)
    late.never("stale")
    memory = fence._file()
    kept = memory.with_suffix(".kept")
    shutil.move(memory, kept)
    world.tell("the same database comes up in another home")
    world.bar("the copy came up")
    world.live(waits=(0.0, 2.0, 61.0))
    shutil.move(kept, memory)


def removed(world: World, names: tuple[str, ...]) -> None:
    """A live post is taken down, while answers are lost and workers die."""
    names = tuple(name for name in names if name != "webhook-plain") or ("mastodon",)
    post = world.publishable(names, parts=world.rng.choice((1, 3)))
    world.live(waits=(0.0, 1.0, 1.0, 1.0, 1.0, 31.0))
    down = world.remove(post, names)
    for name in names:
        if name in SIMULATED_ONLY:
            continue
        for _ in range(world.rng.randint(1, 2)):
            fault = world.rng.choice((*DONE, Fault.DROP, Fault.TOO_MANY_WAIT))
            strike(world, name, Occasion.REMOVE, fault, seconds=20)
    world.live(waits=(0.0, 2.0, 4.0), blow=choose_blow(world))
    del down
    world.pass_(31)


def corrected(world: World, names: tuple[str, ...]) -> None:
    """A correction, which answers the post where the channel has answers, under the same faults."""
    names = world.but(names, ("instagram",), otherwise="mastodon")
    post = world.publishable(names)
    expect_decided(world, post)
    world.live(waits=(0.0, 1.0, 31.0))
    right = world.correct(post, names)
    expect_decided(world, right)
    for name in names:
        if name not in SIMULATED_ONLY:
            strike(world, name, Occasion.PUBLISH, world.rng.choice((*DONE, Fault.DROP)))
    world.live(waits=(0.0, 2.0, 4.0), blow=choose_blow(world))


def stranger(world: World, names: tuple[str, ...]) -> None:
    """Somebody else posts with the account, changes a post of ours or takes one away."""
    names = world.but(names, SIMULATED_ONLY, NO_TIMELINE, otherwise="mastodon")
    post = world.publishable(names)
    world.live(waits=(0.0, 1.0, 2.0))
    world.pass_(62)
    for name in names:
        world.put_strange(name, "Buy these coins now.")
    live = [(name, one) for name in names for one in world.list_standing(name)]
    ours = [(name, one) for name, one in live if one.id not in world.strangers[name]]
    if ours and world.rng.random() < 0.5:
        name, one = world.rng.choice(ours)
        gone = world.rng.random() < 0.5
        world.host.spoil(name, one.id, None if gone else "Something else altogether.")
        world.spoiled.add((name, one.id))
        post.left_to_people = True
        world.tell(f"somebody else {'removes' if gone else 'changes'} a post on {name}")
    # Within one poll.
    world.live(waits=(0.0, 61.0))


def _press(world: World) -> int:
    from folkmoot.desk.publishing import actions as publishing

    stop = publishing.press(
        world.organisation,
        reason="Something has happened.",
        now=world.clock(),
        member=world.member("duty"),
    )
    world.tell("the stop is pressed")
    return int(stop.pk)


def _is_in_force(world: World, stop_id: int) -> bool:
    """Let a worker go round once, and see whether it says so."""
    from folkmoot.desk.stops.models import Stop

    world.live(waits=(0.5,))
    in_force = Stop.objects.get(pk=stop_id).state == "in_force"
    world.tell("the stop is in force" if in_force else "the stop is not in force yet")
    return in_force


def _resume(world: World, stop_id: int) -> None:
    from folkmoot.desk.publishing import actions as publishing

    world.elsewhere(
        lambda: publishing.resume(
            world.member("admin"), stop_id, reason="It is over.", now=world.clock()
        )
    )
    world.tell("publishing is resumed")


def _through_stop(world: World, names: tuple[str, ...]) -> Any:
    """A post of two duty officers, who alone may post through a stop."""
    from folkmoot.desk.drafts import actions as drafts

    writer = world.member("duty")
    del drafts, writer
    post = world.write(names, author="duty", through_stop=True)
    world.sign(post, by="second_duty")
    expect_decided(world, post)
    return post


def _lift_fence(world: World) -> None:
    """Compare every channel, deal with each alarm, and lift the fence, if there is one."""
    from folkmoot.desk.publishing import actions as publishing
    from folkmoot.desk.publishing import fence
    from folkmoot.desk.publishing.models import Alarm, Watch

    if fence.find_fence(world.clock()) is None:
        world.tell("there is no fence")
        return
    world.watch_only(world.all_names)
    world.pass_(1)
    world.live(waits=(0.0, 61.0), sequences=False)
    for alarm in Alarm.objects.filter(closed_at=None):
        publishing.close_alarm(
            world.member("admin"), alarm.pk, note="Ours, of last night.", now=world.clock()
        )
    Watch.objects.filter(last_look_at=None).update(last_look_at=world.clock())
    # A webhook has no timeline that could be looked at.
    publishing.lift_fence(world.member("admin"), reason="I compared.", now=world.clock())
    world.tell("the fence is lifted")


def _send_and_sign(world: World, post: Any) -> None:
    from folkmoot.desk.drafts import actions as drafts

    drafts.send_for_signoff(world.member("author"), post.draft_id, now=world.clock())
    world.sign(post)


def _begin_pre_election(world: World) -> None:
    from folkmoot.desk.guidance import actions as guidance

    guidance.add_period(
        world.organisation,
        kind="pre_election",
        name="",
        starts_at=world.clock() - timedelta(minutes=1),
        ends_at=world.clock() + timedelta(days=30),
        source="Notice of election",
        actor=world.member("admin"),
        now=world.clock(),
    )
