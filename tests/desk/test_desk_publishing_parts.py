"""Threads part by part, pictures handed over ahead, the channel's pace, and what people decide."""

from __future__ import annotations

from dataclasses import replace

import desk_moves as moves
import pytest
from desk_moves import (
    Absent,
    NotReady,
    Partly,
    Refused,
    Sent,
    StandIn,
    Unconfirmed,
    timedelta,
)

from folkmoot.channels import Different, Pace, Uploaded
from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.drafts import actions as drafts
from folkmoot.desk.publishing import actions as publishing
from folkmoot.desk.publishing.models import Ahead, Attempt, Delivery

THREAD = "One of three.\n---\nTwo of three.\n---\nThree of three."
IDS = ("x:1", "x:2", "x:3")


class Stepwise(StandIn):
    """A channel that takes a thread part by part. ``live`` are its parts, as they went out."""

    def __init__(self, **script):
        super().__init__(**script)
        self.live = []
        self.asked = []

    def take(self, done):
        self.live.append(len(done))
        return self.outcome(len(done) + 1)

    @staticmethod
    def outcome(count):
        if count == len(IDS):
            return Sent(IDS[0], "https://posts.example/1", IDS)
        return Partly(IDS[:count])

    def __getattr__(self, name):
        if name == "send":
            return self._send
        if name == "look_up":
            return self._look_up
        return super().__getattr__(name)

    def _send(self, prepared, done=()):
        self.calls.append("send")
        self.asked.append(tuple(done))
        step = (self.script.get("send") or [None]).pop(0) if self.script.get("send") else None
        if step == "lose":
            self.take(done)
            return Unconfirmed("Silence.")
        if step is not None:
            return step
        return self.take(done)

    def _look_up(self, prepared, done=()):
        self.calls.append("look_up")
        if len(self.live) > len(done):
            return self.outcome(len(self.live))
        return Absent()


def test_each_part_is_kept_before_the_next_is_sent(cast, monkeypatch):
    channel = Stepwise().install(monkeypatch)
    draft = moves.signed(cast, cast.content(THREAD))
    kept = []
    for _ in range(4):
        publishing.work(cast.clock)
        kept.append(tuple(Delivery.objects.get().remote_ids))
    assert kept[:3] == [IDS[:1], IDS[:2], IDS]
    assert channel.asked == [(), IDS[:1], IDS[:2]]
    assert moves.told(draft).state == "sent"


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_thread_goes_on_from_the_first_part_that_is_missing(cast, monkeypatch, lost):
    script = [None] * 9
    script[lost] = "lose"
    channel = Stepwise(send=script).install(monkeypatch)
    draft = moves.signed(cast, cast.content(THREAD, window_minutes=60))
    moves.work(cast, times=10, seconds=31)
    assert moves.told(draft).state == "sent"
    assert channel.live == [0, 1, 2]


def test_a_thread_refused_half_way_stops_and_asks(cast, monkeypatch):
    channel = Stepwise(send=[None, Refused("The channel refused it: too rude.")]).install(
        monkeypatch
    )
    draft = moves.signed(cast, cast.content(THREAD, window_minutes=60))
    moves.work(cast, times=8, seconds=31)
    told = moves.told(draft)
    assert (told.state, told.parts_live) == ("incomplete", 1)
    assert "1 parts of this thread are live and the rest is not." in told.trouble
    assert channel.live == [0]
    assert moves.again(cast, draft).state == "publishing"
    with pytest.raises(publishing.DecisionRefused, match="Only an approver"):
        publishing.go_on(cast.alice, told.pk, now=cast.clock())
    with pytest.raises(publishing.DecisionRefused, match="no such delivery"):
        publishing.go_on(cast.mallory, told.pk, now=cast.clock())
    publishing.go_on(cast.bob, told.pk, now=cast.clock())
    moves.work(cast, times=4)
    assert moves.told(draft).state == "sent"
    assert channel.live == [0, 1, 2]


def test_half_a_thread_can_be_left_with_a_reason_but_not_go_on_late(cast, monkeypatch):
    Stepwise(send=[None, Refused("No.")]).install(monkeypatch)
    draft = moves.signed(cast, cast.content(THREAD))
    moves.work(cast, times=20)
    told = moves.told(draft)
    with pytest.raises(publishing.DecisionRefused, match="Its time has passed"):
        publishing.go_on(cast.bob, told.pk, now=cast.clock())
    with pytest.raises(publishing.DecisionRefused, match="Say how you know"):
        publishing.leave(cast.bob, told.pk, reason="", now=cast.clock())
    publishing.leave(cast.bob, told.pk, reason="It reads well so.", now=cast.clock())
    moves.work(cast)
    assert moves.told(draft).state == "refused"
    assert moves.again(cast, draft).state == "published", "half of it is live"


def test_pictures_are_waited_for_and_the_post_never_goes_without_them(cast, monkeypatch):
    memos = []

    def slow(real, rendition, memo=""):
        memos.append(memo)
        return NotReady(f"seen {len(memos)}", "It is still at work.", 30.0)

    channel = StandIn(upload=[slow] * 20).install(monkeypatch)
    picture = drafts.add_picture(
        cast.alice,
        moves.picture_file(),
        size_bytes=100,
        name="a.png",
        alt="A teal square.",
        now=cast.clock(),
    )
    draft = moves.signed(cast, cast.content(pictures=(picture,)))
    moves.work(cast, times=20, seconds=31)
    assert moves.told(draft).trouble == "It is still at work."
    assert memos[:3] == ["", "seen 1", "seen 2"], "what was handed over is handed over again"
    assert "send" not in channel.calls
    assert Attempt.objects.filter(what="prepare").count() == 1, "waiting fills the page"
    moves.work(cast, times=4, seconds=31)
    assert moves.told(draft).state == "sent"


def test_pictures_are_handed_over_before_the_time_comes(cast, monkeypatch):
    handed = []

    def upload(real, rendition, memo=""):
        handed.append(memo)
        return NotReady("half", "Wait.", 5.0) if not memo else Uploaded("whole")

    channel = StandIn(upload=[upload] * 9).install(monkeypatch)
    picture = drafts.add_picture(
        cast.alice,
        moves.picture_file(),
        size_bytes=100,
        name="a.png",
        alt="A teal square.",
        now=cast.clock(),
    )
    due_at = cast.clock() + timedelta(minutes=30)
    draft = moves.signed(cast, cast.content(pictures=(picture,), due_at=due_at))
    publishing.work(cast.clock)
    assert handed == []
    cast.clock.now = due_at - timedelta(minutes=10)
    moves.work(cast, times=3, seconds=31)
    assert handed == ["", "half"]
    assert Ahead.objects.get().ready
    assert "send" not in channel.calls
    cast.clock.now = due_at
    moves.work(cast)
    assert handed[2] == "whole"
    assert moves.told(draft).state == "sent"


def test_a_channel_that_says_when_to_come_again_is_not_asked_before(cast, monkeypatch):
    channel = StandIn(send=[Unconfirmed("Too many.", 120.0)]).install(monkeypatch)
    draft = moves.signed(cast, cast.content(window_minutes=60))
    publishing.work(cast.clock)
    cast.clock.pass_(seconds=119)
    publishing.work(cast.clock)
    assert channel.calls.count("look_up") == 0
    cast.clock.pass_(seconds=2)
    moves.work(cast, times=3)
    assert moves.told(draft).state == "sent"


def test_a_full_account_keeps_its_reserve_for_urgent_posts(cast, monkeypatch):
    StandIn().install(monkeypatch)
    real = accounts.capabilities_of
    monkeypatch.setattr(
        accounts, "capabilities_of", lambda one: replace(real(one), pace=Pace(3, 3600))
    )
    posts = [moves.signed(cast, cast.content(f"Post {n}.", window_minutes=60)) for n in range(3)]
    urgent = moves.signed(cast, cast.content("Urgent.", urgent=True, window_minutes=60))
    publishing.work(cast.clock)
    assert [moves.told(post).state for post in (*posts, urgent)] == [
        "sent",
        "sent",
        "waiting",
        "sent",
    ]
    assert "takes 3 posts within 1 hours" in moves.told(posts[2]).trouble
    assert "kept for urgent posts" in moves.told(posts[2]).trouble
    cast.clock.pass_(minutes=59)
    moves.work(cast, times=3, seconds=31)
    assert moves.told(posts[2]).state in {"sent", "missed"}


def test_a_post_found_under_another_posts_name_is_not_taken_for_ours(cast, monkeypatch):
    channel = StandIn().install(monkeypatch)
    first = moves.signed(cast, cast.content("The same words.", window_minutes=60))
    moves.work(cast, times=2)
    one = Delivery.objects.get(draft=first)
    channel.script["send"] = [Unconfirmed("Silence.")]
    channel.script["look_up"] = [Sent(one.remote_id, one.url, tuple(one.remote_ids))] * 9
    second = moves.signed(cast, cast.content("The same words.", window_minutes=60))
    moves.work(cast, times=3)
    told = moves.told(second)
    assert told.state == "unconfirmed"
    assert f"live already as post {first.pk} of ours" in told.trouble


def test_a_person_settles_what_nobody_can_look_up(cast, monkeypatch):
    StandIn(send=[Unconfirmed("?")] * 3, look_up=[Different("Two of them.")] * 99).install(
        monkeypatch
    )
    live = moves.signed(cast, cast.content("Live after all."))
    absent = moves.signed(cast, cast.content("Not there.", window_minutes=60))
    late = moves.signed(cast, cast.content("Not there, and late.", window_minutes=5))
    moves.work(cast, times=8)
    bob, alice = cast.client(cast.bob), cast.client(cast.alice)
    one = f"/desk/deliveries/{moves.told(live).pk}"
    assert cast.client(cast.mallory).get(one).status_code == 404
    assert alice.post(one, {"verb": "say_live", "reason": "Seen."}).status_code == 422
    answer = bob.post(one, {"verb": "say_live", "reason": "Seen.", "url": "not one"})
    assert "Enter the address" in answer.content.decode()
    assert bob.post(one, {"verb": "", "reason": "Seen."}).status_code == 422
    told = {"verb": "say_live", "reason": "I saw it.", "url": "https://posts.example/1"}
    assert bob.post(one, told).status_code == 302
    for draft in (absent, late):
        publishing.say_absent(cast.bob, moves.told(draft).pk, reason="I looked.", now=cast.clock())
    moves.work(cast, times=3)
    assert (moves.told(live).state, moves.told(live).read_back) == ("sent", "by_person")
    assert moves.told(absent).state == "sent"
    assert moves.told(late).state == "missed"
    (entry,) = moves.entries(live, "delivery.sent")
    assert entry.actor == cast.bob.ref
