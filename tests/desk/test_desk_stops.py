"""The kill switch: nothing leaves after it is said to be in force, and nothing is flushed after."""

from __future__ import annotations

import threading

import desk_moves as moves
import pytest
from desk_moves import StandIn
from django.db import connection, connections

from folkmoot.desk.guidance import actions as guidance
from folkmoot.desk.people import actions as people
from folkmoot.desk.people.queries import Role
from folkmoot.desk.publishing import actions as publishing
from folkmoot.desk.publishing import delivering, stopping
from folkmoot.desk.publishing.models import Delivery
from folkmoot.desk.stops.actions import StopRefused
from folkmoot.desk.stops.models import Stop
from folkmoot.desk.stops.queries import StopKind, StopScope, StopState

two_at_once = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="SQLite takes one writer at a time"
)


def press(cast, member=None, **more):
    return publishing.press(
        cast.body,
        **{"reason": "Wrong figures.", "now": cast.clock(), "member": member or cast.alice, **more},
    )


def duty(cast, name, *roles):
    return people.add_member(
        cast.body,
        email=f"{name}@moot.example",
        name=name.capitalize(),
        roles=(Role.DUTY, *roles),
        password="correct horse battery",
        now=cast.clock(),
    )


def test_one_press_holds_what_is_due_and_what_waits_and_says_why(cast, monkeypatch):
    channel = StandIn().install(monkeypatch)
    draft = moves.signed(cast, cast.content(window_minutes=60))
    press(cast)
    moves.work(cast, times=3)
    told = moves.told(draft)
    assert (told.state, told.trouble) == ("waiting", "Publishing is stopped: Wrong figures.")
    assert "send" not in channel.calls
    assert Stop.objects.get().state == StopState.IN_FORCE


def test_anybody_may_press_and_only_an_approver_or_admin_may_lift(cast):
    stop = press(cast, cast.alice)
    with pytest.raises(StopRefused, match="role admin or approver"):
        publishing.resume(cast.alice, stop.pk, reason="Mended.", now=cast.clock())
    with pytest.raises(StopRefused, match="There is no such stop"):
        publishing.resume(cast.mallory, stop.pk, reason="Mine.", now=cast.clock())
    with pytest.raises(StopRefused, match="Say why"):
        publishing.resume(cast.bob, stop.pk, reason=" ", now=cast.clock())
    publishing.resume(cast.bob, stop.pk, reason="Mended.", now=cast.clock())
    assert Stop.objects.get().state == StopState.LIFTED


def test_what_came_due_meanwhile_lapses_when_it_is_lifted_and_is_never_sent(cast, monkeypatch):
    channel = StandIn().install(monkeypatch)
    begun = moves.signed(cast, cast.content(window_minutes=60))
    stop = press(cast)
    publishing.work(cast.clock)
    late = moves.signed(cast, cast.content("Signed meanwhile.", window_minutes=60))
    assert publishing.resume(cast.bob, stop.pk, reason="Mended.", now=cast.clock()) == 2
    moves.work(cast, times=4)
    assert moves.told(begun).state == "missed"
    assert "came due while publishing was stopped" in moves.told(begun).trouble
    assert moves.again(cast, late).state == "unsent"
    assert channel.shelf == {}
    after = moves.signed(cast, cast.content("Signed afterwards."))
    moves.work(cast)
    assert moves.told(after).state == "sent"


def test_a_post_not_due_until_later_goes_out_at_its_time(cast, monkeypatch):
    StandIn().install(monkeypatch)
    later = cast.clock.now.replace(hour=11)
    draft = moves.signed(cast, cast.content(due_at=later))
    stop = press(cast)
    publishing.resume(cast.bob, stop.pk, reason="Mended.", now=cast.clock())
    cast.clock.now = later
    moves.work(cast)
    assert moves.told(draft).state == "sent"


@pytest.mark.parametrize(
    ("scope", "held"),
    [
        ({"scope": StopScope.ACCOUNT, "target": "feed"}, {"feed"}),
        ({"scope": StopScope.CHANNEL, "target": "practice"}, {"practice"}),
        ({"scope": StopScope.TOPIC, "target": " Bin  STRIKE "}, {"topic"}),
        ({"kind": StopKind.INCIDENT, "topic": "bin strike"}, {"feed", "practice"}),
        ({}, {"feed", "practice", "topic"}),
    ],
)
def test_a_stop_holds_what_it_is_about_and_nothing_else(cast, monkeypatch, scope, held):
    StandIn().install(monkeypatch)
    if scope.get("target") == "feed":
        scope = {**scope, "target": str(cast.feed.pk)}
    press(cast, **scope)
    posts = {
        "feed": moves.signed(cast, cast.content("On the feed.", accounts=[cast.feed])),
        "practice": moves.signed(cast, cast.content("For practice.", accounts=[cast.practice])),
    }
    other = cast.feed if "practice" in held else cast.practice
    posts["topic"] = moves.signed(
        cast, cast.content("On the strike.", accounts=[other], topic="Bin strike")
    )
    publishing.work(cast.clock)
    states = {name: moves.told(draft).state for name, draft in posts.items()}
    assert {name for name, state in states.items() if state == "waiting"} == held, states


def test_two_duty_officers_can_send_through_a_stop_and_nobody_else(cast, monkeypatch):
    StandIn().install(monkeypatch)
    dora, edgar = duty(cast, "dora", Role.AUTHOR), duty(cast, "edgar")
    before = moves.awaiting(
        cast, cast.content("Signed before.", through_stop=True, window_minutes=60), author=dora
    )
    before = moves.sign(cast, before, approver=duty(cast, "fred", Role.APPROVER))
    press(cast)
    posts = {
        "by duty": (dora, edgar, True),
        "not asked for": (dora, cast.bob, False),
        "signer not on duty": (dora, cast.bob, True),
        "author not on duty": (cast.alice, edgar, True),
    }
    drafts = {}
    for name, (author, signer, through) in posts.items():
        cast.clock.pass_(seconds=1)
        content = cast.content(f"Post {name}.", through_stop=through, window_minutes=60)
        drafts[name] = moves.sign(cast, moves.awaiting(cast, content, author=author), signer)
    moves.work(cast, times=2)
    assert {name: moves.told(draft).state for name, draft in drafts.items()} == {
        "by duty": "sent",
        "not asked for": "waiting",
        "signer not on duty": "waiting",
        "author not on duty": "waiting",
    }
    assert moves.told(before).state == "waiting", "a signature from before the stop counts for it"


def test_a_period_of_the_calendar_stops_by_itself_once_and_a_person_lifts_it(cast, monkeypatch):
    StandIn().install(monkeypatch)
    guidance.add_period(
        cast.body,
        kind="mourning",
        name="National mourning",
        starts_at=cast.clock() - moves.timedelta(hours=1),
        ends_at=cast.clock() + moves.timedelta(days=9),
        source="Announcement",
        actor=cast.dan,
        now=cast.clock(),
        stops=True,
    )
    moves.work(cast, times=3)
    (stop,) = Stop.objects.all()
    assert (stop.kind, stop.reason, stop.pressed_by) == ("mourning", "National mourning", "")
    publishing.resume(cast.bob, stop.pk, reason="After the funeral.", now=cast.clock())
    moves.work(cast, times=3)
    assert Stop.objects.count() == 1


def test_in_a_pre_election_stop_only_what_was_signed_under_it_goes_out(cast, monkeypatch):
    StandIn().install(monkeypatch)
    before = moves.signed(cast, cast.content("Signed before.", window_minutes=60))
    cast.clock.pass_(seconds=1)
    press(cast, kind=StopKind.PRE_ELECTION)
    cast.clock.pass_(seconds=1)
    after = moves.signed(cast, cast.content("Signed under it."))
    publishing.work(cast.clock)
    assert (moves.told(before).state, moves.told(after).state) == ("waiting", "sent")


def test_the_rest_of_a_thread_does_not_leave_and_a_person_is_asked(cast, monkeypatch):
    channel = StandIn(send=[lambda real, prepared, done: moves.Partly(("practice:one",))]).install(
        monkeypatch
    )
    draft = moves.signed(cast, cast.content("One.\n---\nTwo."))
    publishing.work(cast.clock)
    press(cast)
    moves.work(cast, times=20)
    told = moves.told(draft)
    assert (told.state, told.parts_live) == ("incomplete", 1)
    assert channel.calls.count("send") == 1
    assert "Incomplete" in cast.client(cast.bob).get("/desk/").content.decode()


def test_it_is_in_force_only_when_what_had_left_has_arrived(cast, monkeypatch):
    states = []

    def send(real, prepared, done):
        states.append(press_in_between())
        return real(prepared, done)

    def press_in_between():
        stop = press(cast)
        in_force = stopping.acknowledge(stop, cast.clock)
        return in_force, stopping.count_on_their_way(stop, cast.clock())

    channel = StandIn(send=[send]).install(monkeypatch)
    moves.signed(cast)
    publishing.work(cast.clock)
    assert states == [(False, 1)]
    assert len(channel.shelf) == 1
    publishing.work(cast.clock)
    assert Stop.objects.get().state == StopState.IN_FORCE


def test_a_press_between_claim_and_the_last_look_keeps_the_post_back(cast, monkeypatch):
    channel = StandIn().install(monkeypatch)
    real = delivering._freeze

    def freeze(*args):
        press(cast)
        return real(*args)

    monkeypatch.setattr(delivering, "_freeze", freeze)
    draft = moves.signed(cast)
    publishing.work(cast.clock)
    assert moves.told(draft).state == "waiting"
    assert "send" not in channel.calls
    assert Delivery.objects.get().request is None, "what was rolled back is still on the row"


def test_a_worker_that_stood_still_past_its_lease_sends_nothing(cast, monkeypatch):
    channel = StandIn().install(monkeypatch)
    real = delivering._freeze

    def freeze(*args):
        attempt = real(*args)
        cast.clock.pass_(seconds=29)
        return attempt

    monkeypatch.setattr(delivering, "_freeze", freeze)
    draft = moves.signed(cast)
    publishing.work(cast.clock)
    assert moves.told(draft).state == "unconfirmed"
    assert "send" not in channel.calls


def test_the_page_presses_waits_and_tells(cast, monkeypatch):
    StandIn().install(monkeypatch)
    cast.feed.refresh_from_db()
    alice, bob = cast.client(cast.alice), cast.client(cast.bob)
    assert alice.post("/desk/stop/", {"reason": ""}).status_code == 422
    assert Stop.objects.count() == 0
    page = alice.post("/desk/stop/", {"reason": "Wrong figures."}, follow=True).content.decode()
    assert "Publishing is stopped" in page
    assert "In force since" in page
    assert "An approver or an admin can let publishing go on." in page
    assert "Publishing is stopped: Wrong figures." in bob.get("/desk/").content.decode()
    stop = Stop.objects.get()
    assert cast.client(cast.mallory).get("/desk/stop/").content.decode().count("Wrong") == 0
    page = bob.post(f"/desk/stop/{stop.pk}/lift", {"reason": "Mended."}, follow=True)
    assert "Publishing goes on." in page.content.decode()
    assert Stop.objects.get().state == StopState.LIFTED


@pytest.mark.django_db(transaction=True)
@two_at_once
@pytest.mark.parametrize("seed", range(6))
def test_nothing_leaves_after_a_press_that_was_acknowledged(cast, monkeypatch, seed):
    """A worker races with a press: whatever order they come in, nothing is sent afterwards."""
    left, acknowledged = [], threading.Event()

    def send(real, prepared, done):
        left.append(acknowledged.is_set())
        return real(prepared, done)

    StandIn(send=[send] * 99).install(monkeypatch)
    for number in range(12):
        moves.signed(cast, cast.content(f"Post {number}.", window_minutes=60))
    begin = threading.Barrier(3)

    def worker():
        begin.wait()
        try:
            for _ in range(12):
                publishing.work(cast.clock)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=worker) for _ in range(2)]
    for thread in threads:
        thread.start()
    begin.wait()
    for _ in range(seed * 40_000):
        pass
    stop = press(cast)
    while not stopping.acknowledge(stop, cast.clock):
        pass
    acknowledged.set()
    for thread in threads:
        thread.join()
    assert connection.vendor == "postgresql"
    assert True not in left
    assert len(left) < 12 or not seed, "the press came after everything: the race was none"
