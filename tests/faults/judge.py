"""What really stands on the channels, held against what was signed and what the desk says of it."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from .channel_host import Standing
from .world import MAIL, NO_TIMELINE, OWN, Post, World

COUNTS = ("duplicates", "lost", "unsigned", "stale", "undecided")
# A send that began in time may take as long as a lease.
ON_ITS_WAY = timedelta(seconds=31)
OPEN = ("waiting", "sending", "unconfirmed", "incomplete")
EVERYTHING = 100_000
MOST_PARTS = 10

Copies = dict[tuple[int, str, int], list[Standing]]
"""Per post, channel and part: what ever stood there with these words."""


@dataclass
class Verdict:
    """How often each thing that must never happen happened, and in what words. ``notes`` are what
    is worth a look and counts for nothing.
    """

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def find(self, what: str, words: str) -> None:
        """Count something that must never happen."""
        self.counts[what] += 1
        self.findings.append(f"{what}: {words}")

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def judge(world: World) -> Verdict:
    """Judge a run by what there is, once it is over."""
    verdict = Verdict()
    copies: Copies = defaultdict(list)
    for name in world.all_names:
        _judge_channel(world, name, verdict, copies)
    _judge_barriers(world, verdict)
    _judge_rows(world, verdict, copies)
    for fault in world.faults:
        verdict.find("undecided", fault)
    return verdict


def _judge_channel(world: World, name: str, verdict: Verdict, copies: Copies) -> None:
    expected = {
        fold(text): (post, place, pictures)
        for post in world.posts
        for signed in post.signed
        for place, (text, pictures) in enumerate(signed.parts.get(name, ()))
    }
    strangers = world.strangers.get(name, [])
    for one in world.list_standing(name):
        if one.id in strangers or (name, one.id) in world.spoiled:
            continue
        hit = expected.get(fold(one.text))
        if hit is None:
            verdict.find("unsigned", f"on {name} stands what nobody signed: {one.text[:80]!r}")
            continue
        post, place, pictures = hit
        copies[post.draft_id, name, place].append(one)
        if not _shows(one, pictures):
            verdict.find(
                "unsigned", f"post {post.draft_id} on {name} has other pictures: {one.pictures}"
            )
        if one.edited:
            verdict.find("unsigned", f"post {post.draft_id} on {name} was changed after it arrived")
        if post.expected[name] == "never":
            verdict.find(post.why_never, f"post {post.draft_id} arrived on {name} all the same")
        elif one.arrived_at is not None and one.arrived_at > post.not_after + ON_ITS_WAY:
            verdict.find(
                "stale",
                f"post {post.draft_id} arrived on {name} at {one.arrived_at:%H:%M:%S}, too late",
            )
    _judge_alarms(world, name, verdict)


def _judge_alarms(world: World, name: str, verdict: Verdict) -> None:
    from folkmoot.desk.publishing.models import Alarm

    if name in (*NO_TIMELINE, MAIL):
        return
    raised = Alarm.objects.filter(account_id=world.cast.accounts[name])
    told = [one.remote_id for one in raised]
    for one in world.list_standing(name):
        amiss = (name, one.id) in world.spoiled or one.id in world.strangers.get(name, ())
        if amiss and not any(_names(remote_id, one) for remote_id in told):
            verdict.find("unsigned", f"what somebody else did on {name} raised no alarm")
    for alarm in raised.filter(kind="unsigned"):
        if not any(one in alarm.remote_id for one in world.strangers.get(name, ())):
            verdict.notes.append(f"an alarm on {name} about a post of ours: {alarm.text[:60]!r}")


def _judge_barriers(world: World, verdict: Verdict) -> None:
    for barrier in world.barriers:
        for name, seen in barrier.seen.items():
            may = {
                fold(text)
                for post in barrier.may
                for signed in post.signed
                for text, _ in signed.parts.get(name, ())
            }
            for one in world.list_standing(name):
                if (
                    one.id not in seen
                    and fold(one.text) not in may
                    and one.id not in world.strangers.get(name, ())
                ):
                    verdict.find("stale", f"arrived on {name} after {barrier.why}: {one.text[:60]}")


def _judge_rows(world: World, verdict: Verdict, copies: Copies) -> None:
    from folkmoot.desk.drafts.models import Draft
    from folkmoot.desk.publishing import queries
    from folkmoot.desk.publishing.models import Delivery

    shown = {one.pk for one in queries.list_troubled(world.organisation, most=EVERYTHING)}
    states = dict(Draft.objects.values_list("pk", "state"))
    rows: dict[int, list[Any]] = defaultdict(list)
    for delivery in Delivery.objects.select_related("account", "removes").order_by("pk"):
        rows[delivery.draft_id].append(delivery)
    names = {pk: name for name, pk in world.cast.accounts.items()}
    for post in world.posts:
        found = {names[one.account_id]: one for one in rows[post.draft_id]}
        for name in post.accounts:
            _judge_copies(post, name, verdict, copies)
            if name not in found:
                if post.expected[name] in ("sent", "person"):
                    verdict.find("lost", f"post {post.draft_id} was never delivered to {name}")
                continue
            delivery = found[name]
            is_shown = delivery.pk in shown or _is_fenced()
            _judge_delivery(post, name, delivery, is_shown, verdict, copies)
        state = states.get(post.draft_id)
        if state == "publishing" and all(one.state not in OPEN for one in found.values()):
            verdict.find("undecided", f"post {post.draft_id} is through and still “publishing”")
        if state == "signed" and post.not_after < world.clock() and not _is_fenced():
            verdict.find("undecided", f"post {post.draft_id} is still “signed” after its time")


def _is_fenced() -> bool:
    """Whether the whole desk is in front of a person, as one of its pages says."""
    from folkmoot.desk.publishing.models import Installation

    return Installation.objects.exclude(fenced_reason="").exists()


def _judge_copies(post: Post, name: str, verdict: Verdict, copies: Copies) -> None:
    for place in range(MOST_PARTS):
        for _ in copies.get((post.draft_id, name, place), ())[1:]:
            verdict.find("duplicates", f"part {place + 1} of post {post.draft_id} twice on {name}")


def _judge_delivery(
    post: Post, name: str, delivery: Any, shown: bool, verdict: Verdict, copies: Copies
) -> None:
    words = f"post {post.draft_id} to {name} says {delivery.state} ({delivery.trouble[:90]})"
    if delivery.state in OPEN and not shown:
        verdict.find("undecided", f"{words}, and nobody is shown it")
    wanted = post.expected[name]
    if wanted == "sent" and delivery.state != "sent":
        verdict.find("lost", f"{words}, though it could have been sent")
    if wanted == "person" and delivery.state != "sent" and not shown:
        verdict.find("lost", f"{words}, and nobody is shown it")
    if post.removes is not None:
        live = _list_live(post.removes, name, copies)
        if delivery.state == "sent" and any(live):
            verdict.find("lost", f"{words}: the post it takes down is still there")
        return
    live = _list_live(post, name, copies)
    if post.left_to_people or name == MAIL:
        return
    if delivery.state == "sent":
        _judge_sent(post, name, delivery, live, words, verdict)
    elif delivery.state in ("refused", "missed") and any(live):
        verdict.find("lost", f"{words}, and it is there")


def _judge_sent(
    post: Post,
    name: str,
    delivery: Any,
    live: list[list[Standing]],
    words: str,
    verdict: Verdict,
) -> None:
    if delivery.removed_at is not None:
        if any(live):
            verdict.find("lost", f"{words} and taken down, and it is there")
        return
    if not all(live):
        verdict.find("lost", f"{words}, and it is not there whole")
        return
    first = [one[0] for one in live]
    ids = [str(one) for one in delivery.remote_ids]
    if name not in NO_TIMELINE:
        for remote_id, one in zip(ids, first, strict=False):
            if not _names(remote_id, one):
                verdict.find("lost", f"{words} as {remote_id}, and it is {one.id} there")
    if name not in (*OWN, *NO_TIMELINE):
        for before, one in itertools.pairwise(first):
            if not _names(one.reply_to, before):
                verdict.find("unsigned", f"{words}, and its parts stand in another order")
    if delivery.read_back in ("differs", "gone"):
        verdict.notes.append(f"{words}, and it is said to be not as signed: {delivery.read_back}")
    if not _is_on_record(delivery):
        verdict.find("lost", f"{words}, and the record knows nothing of it")


def _list_live(post: Post, name: str, copies: Copies) -> list[list[Standing]]:
    """Per part of what was signed last, what stands there now."""
    if not post.signed:
        return []
    count = len(post.signed[-1].parts.get(name, ()))
    return [
        [one for one in copies.get((post.draft_id, name, place), ()) if not one.removed]
        for place in range(count)
    ]


def _is_on_record(delivery: Any) -> bool:
    from folkmoot.desk.records.models import Entry, Intent

    once = f"delivery.sent/{delivery.pk}"
    waiting = Intent.objects.filter(once=once).count()
    return waiting + Entry.objects.filter(once=once).count() == 1


def _names(remote_id: str, one: Standing) -> bool:
    last = remote_id.rpartition("/")[2].rpartition(":")[2].rpartition("_")[2]
    return remote_id in (one.id, one.key) or last in (one.id, one.key) or one.id == remote_id


def _shows(one: Standing, signed: tuple[tuple[str, str], ...]) -> bool:
    """Whether a post has the pictures that were signed, as far as its channel shows them."""
    if len(one.pictures) != len(signed):
        return False
    return all(
        sha256 in ("", wanted) and alt in ("", description)
        for (sha256, alt), (wanted, description) in zip(one.pictures, signed, strict=True)
    )


def fold(text: str) -> str:
    """A text as texts are compared: white space as one space."""
    return " ".join(text.split())
