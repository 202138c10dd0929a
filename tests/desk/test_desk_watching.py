"""What stands on an account and was not signed here alarms within one look, and once."""

from __future__ import annotations

import desk_moves as moves
import pytest
from desk_moves import Absent, StandIn, Unreadable, timedelta

from folkmoot.channels import Live, Seen
from folkmoot.desk.publishing import actions as publishing
from folkmoot.desk.publishing import watching
from folkmoot.desk.publishing.models import Alarm, Delivery, Watch


@pytest.fixture(autouse=True)
def only_the_feed(cast):
    """One account, so that one stand-in's timeline is one account's."""
    from folkmoot.desk.accounts.models import Account

    Account.objects.exclude(pk=cast.feed.pk).update(state="disconnected")


def stranger(text="Free money! http://bad.example", number=1):
    return Seen(f"x:{number}", f"https://posts.example/{number}", text, moves_now())


def moves_now():
    from conftest import START

    return START


def look(cast, rounds=1):
    for _ in range(rounds):
        cast.clock.pass_(seconds=61)
        publishing.work(cast.clock)


def timeline(channel, *more):
    """The stand-in's own posts, and others'."""

    def list_recent(real, limit):
        return (*more, *real(limit))

    channel.script["list_recent"] = [list_recent] * 999


def open_alarms():
    return [(alarm.kind, alarm.text) for alarm in Alarm.objects.filter(closed_at=None)]


def test_a_post_nobody_signed_alarms_within_one_look_and_once(cast, monkeypatch):
    channel = StandIn().install(monkeypatch)
    timeline(channel, stranger("An old post.", 0))
    publishing.work(cast.clock)  # what was there before is no alarm
    timeline(channel, stranger(), stranger("An old post.", 0))
    look(cast, rounds=4)
    assert open_alarms() == [("unsigned", "Free money! http://bad.example")]
    page = cast.client(cast.bob).get("/desk/").content.decode()
    assert "Nobody here signed this post" in page
    alarm = Alarm.objects.get()
    page = cast.client(cast.bob).get(f"/desk/alarms/{alarm.pk}").content.decode()
    assert "Free money! http://bad.example" in page
    assert cast.client(cast.mallory).get(f"/desk/alarms/{alarm.pk}").status_code == 404
    assert cast.client(cast.bob).post(f"/desk/alarms/{alarm.pk}", {"note": ""}).status_code == 422
    cast.client(cast.bob).post(f"/desk/alarms/{alarm.pk}", {"note": "A stolen phone."})
    look(cast, rounds=2)
    assert open_alarms() == []


def test_our_own_posts_are_no_alarm_whenever_they_are_seen(cast, monkeypatch):
    channel = StandIn(send=[moves.Unconfirmed("Silence.")]).install(monkeypatch)
    publishing.work(cast.clock)
    real = channel._real.send

    def send_and_lose(_, prepared, done):
        real(prepared, done)
        return moves.Unconfirmed("Silence.")

    channel.script["send"] = [send_and_lose]
    channel.script["look_up"] = [moves.Unconfirmed("Silence.")] * 3
    moves.signed(cast, cast.content(window_minutes=60))
    look(cast, rounds=6)
    assert len(channel.shelf) == 1
    assert open_alarms() == []


def test_a_post_that_was_changed_or_taken_away_alarms(cast, monkeypatch):
    channel = StandIn().install(monkeypatch)
    changed = moves.signed(cast, cast.content("The first."))
    gone = moves.signed(cast, cast.content("The second."))
    look(cast, rounds=3)
    assert open_alarms() == []
    ids = {moves.told(changed).url: "changed", moves.told(gone).url: "gone"}

    def list_recent(real, limit):
        shown = [
            Seen(one.remote_id, one.url, "Something else.", one.at)
            for one in real(limit)
            if ids[one.url] == "changed"
        ]
        return tuple(shown)

    def read_back(real, sent):
        if ids[sent.url] == "gone":
            return Absent()
        return Live(("Something else.",), ((),), ((),))

    channel.script["list_recent"] = [list_recent] * 99
    channel.script["read_back"] = [read_back] * 99
    look(cast, rounds=3)
    assert [kind for kind, _ in open_alarms()] == ["changed", "vanished"]
    assert moves.told(changed).read_back == "differs"
    assert moves.told(gone).read_back == "gone"


def test_a_timeline_that_dresses_words_up_is_read_back_before_it_alarms(cast, monkeypatch):
    channel = StandIn().install(monkeypatch)
    moves.signed(cast)
    look(cast, rounds=2)

    def list_recent(real, limit):
        return tuple(
            Seen(one.remote_id, one.url, one.text[:10] + "…", one.at) for one in real(limit)
        )

    channel.script["list_recent"] = [list_recent] * 99
    look(cast, rounds=3)
    assert open_alarms() == []


def test_a_timeline_that_cannot_be_read_says_so_and_alarms_nobody(cast, monkeypatch):
    channel = StandIn(list_recent=[Unreadable("Silence.")] * 2).install(monkeypatch)
    moves.signed(cast)
    publishing.work(cast.clock)
    assert Watch.objects.get().trouble == "Silence."
    look(cast, rounds=2)
    assert Watch.objects.get().trouble == ""
    assert open_alarms() == []
    assert "list_recent" in channel.calls


def test_it_is_looked_at_once_a_minute_and_no_more(cast, monkeypatch):
    channel = StandIn().install(monkeypatch)
    for _ in range(30):
        publishing.work(cast.clock)
        cast.clock.pass_(seconds=2)
    assert channel.calls.count("list_recent") == 1
    assert Watch.objects.get().next_look_at - cast.clock() <= timedelta(seconds=60)


def test_a_post_that_went_out_long_after_others_begun_later_is_ours_all_the_same(cast, monkeypatch):
    monkeypatch.setattr(watching, "OURS", 2)
    StandIn().install(monkeypatch)
    publishing.work(cast.clock)  # the first look, at nothing
    behind = moves.signed(cast, cast.content("Left behind.", window_minutes=60))
    publishing._begin_due(cast.clock)
    Delivery.objects.update(next_try_at=cast.clock() + timedelta(minutes=5))
    for number in range(4):
        moves.signed(cast, cast.content(f"Begun later, {number}.", window_minutes=60))
    publishing.work(cast.clock)
    cast.clock.pass_(minutes=5)
    publishing.work(cast.clock)
    look(cast, rounds=2)
    assert moves.told(behind).state == "sent"
    assert open_alarms() == []
