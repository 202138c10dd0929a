"""A run of the e-mail list: everybody who asked for the posts is written to once."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from folkmoot.channels.simulator import Fault, Occasion

from .judge import Verdict, fold
from .lives import Blow
from .world import World

STEPS = ("transport", "mail_settle", "mail_freeze", "mail_journal", "request", "record")


def mailed(world: World, names: tuple[str, ...], **fixed: Any) -> None:
    """An issue to several subscribers, one of whom leaves in between, while answers are lost and
    workers die, alone or two at once.
    """
    del names
    world.watch_only(())
    world.mails = True
    people = [_join(world, f"reader{number}@town.example") for number in range(5)]
    post = world.publishable(("email",))
    first = Blow(
        **{
            "step": world.rng.choice(STEPS),
            "when": world.rng.choice(("before", "after")),
            "nth": world.rng.randint(1, 4),
            **fixed,
        }
    )
    for _ in range(0 if fixed else world.rng.randint(0, 3)):
        fault = world.rng.choice(
            (
                Fault.LOSE_ANSWER,
                Fault.DROP,
                Fault.BROKEN_BEFORE,
                Fault.BROKEN_AFTER,
                Fault.RUBBISH,
                Fault.TOO_MANY,
            )
        )
        world.host.strike("email", Occasion.PUBLISH, fault)
        world.tell(f"email: {fault}")
    world.live(waits=(0.0, 1.0, 62.0), blow=first)
    if world.rng.random() < 0.5:
        _leave(world, people[-1])
    lives = [world.begin(waits=(0.0, 2.0)), world.begin(waits=(121.0, 2.0, 61.0))]
    for life in lives:
        world.heed(life.wait(), life)
    del post


def judge_mail(world: World, verdict: Verdict) -> None:
    """Hold what was taken for delivery against whom the desk says it has written to."""
    from folkmoot.desk.mailing.models import Mail

    shown = _list_shown(world)
    taken: dict[str, list[Any]] = defaultdict(list)
    for one in world.host.list_posts("email"):
        taken[one.key].append(one)
    for mail in Mail.objects.filter(issue__isnull=False).select_related("subscriber", "issue"):
        there = taken.pop(mail.reference, [])
        words = f"e-mail {mail.pk} says {mail.state} ({mail.trouble[:80]})"
        if there and not any(fold(there[0].text).rstrip("….") in fold(p.text) for p in world.posts):
            verdict.find("unsigned", f"{words}, and what was taken nobody signed: {there[0].text}")
        for _ in there[1:]:
            verdict.find("duplicates", f"{words}, and was taken {len(there)} times")
        if mail.state == "handed" and not there:
            verdict.find("lost", f"{words}, and was never taken")
        if mail.state in ("refused", "left", "lapsed") and there:
            verdict.find("lost", f"{words}, and was taken")
        if mail.state in ("queued", "handing"):
            verdict.find("undecided", f"{words} at the end")
        if mail.state in ("unsure", "lapsed") and getattr(mail.issue, "key", "") not in shown:
            verdict.find("undecided", f"{words}, and nobody is shown it")
        if mail.state != "handed" and mail.subscriber_id not in world.left:
            verdict.find("lost", f"{words}, though it could have been sent")
        if there and there[0].arrived_at > world.left.get(mail.subscriber_id, there[0].arrived_at):
            verdict.find("unsigned", f"{words}, and whoever it went to had left")
    for reference, many in taken.items():
        if any("confirm" not in one.text.lower() for one in many):
            verdict.find("unsigned", f"an e-mail {reference} that nobody knows of")


def _list_shown(world: World) -> set[str]:
    from folkmoot.desk.mailing import queries

    return {one.key for one in queries.list_troubled(world.organisation)}


def _join(world: World, address: str) -> Any:
    """Ask for the posts, and confirm it by the link in the e-mail that asks back."""
    from folkmoot.desk.mailing import actions, queries, tokens
    from folkmoot.desk.mailing.models import Mail, Subscriber

    mailing_list = queries.find_list(world.organisation)
    assert mailing_list is not None
    actions.subscribe(mailing_list, address, now=world.clock())
    mark = tokens.mark_of(mailing_list.pk, address)
    subscriber = Subscriber.objects.exclude(state="left").get(mark=mark)
    Mail.objects.filter(subscriber=subscriber, issue=None).update(state="handed", next_try_at=None)
    token = tokens.make_token(tokens.confirming(subscriber), subscriber.ref)
    return actions.confirm(token, now=world.clock())


def _leave(world: World, subscriber: Any) -> None:
    from folkmoot.desk.mailing import actions

    actions.leave(subscriber, by="link", now=world.clock())
    world.left[subscriber.pk] = world.clock()
    world.tell(f"subscriber {subscriber.pk} leaves")
