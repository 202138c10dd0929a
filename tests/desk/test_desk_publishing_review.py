"""What a second reader found in the publisher: each test tells one way in which it may fail."""

from __future__ import annotations

import contextlib
import threading
from datetime import timedelta

import desk_moves as moves
import pytest
from desk_moves import Absent, StandIn, Unconfirmed, Unreadable
from django.db import connection, connections  # noqa: F401 - the condition below names it

from folkmoot.channels import Partly, Prepared, Seen, Sent
from folkmoot.desk.accounts import actions as account_actions
from folkmoot.desk.accounts.models import Account
from folkmoot.desk.drafts import actions as drafts
from folkmoot.desk.drafts import following
from folkmoot.desk.drafts.models import Picture
from folkmoot.desk.people import actions as people
from folkmoot.desk.people.queries import Role
from folkmoot.desk.publishing import actions as publishing
from folkmoot.desk.publishing import delivering, fence, queries, settling
from folkmoot.desk.publishing.models import Alarm, Attempt, Delivery, Installation, Watch
from folkmoot.desk.records import actions as records


def press(cast, **more):
    return publishing.press(
        cast.body,
        **{"reason": "Wrong figures.", "now": cast.clock(), "member": cast.alice, **more},
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


def one_account(cast):
    Account.objects.exclude(pk=cast.feed.pk).update(state="disconnected")


def look(cast, rounds=1):
    for _ in range(rounds):
        cast.clock.pass_(seconds=61)
        publishing.work(cast.clock)


def open_alarms():
    return [(alarm.kind, alarm.text) for alarm in Alarm.objects.filter(closed_at=None)]


def remove(cast, about, *, ground="private", accounts=None, author=None):
    return following.remove(
        author or cast.alice,
        about.pk,
        accounts=accounts or [cast.feed.pk],
        ground=ground,
        words="We took this post down because it named somebody who had not agreed.",
        now=cast.clock(),
    )


# A row that another worker has taken over


def test_a_worker_that_finds_a_stop_at_its_last_look_leaves_another_workers_send_alone(
    cast, monkeypatch
):
    """A prepares longer than its lease; B takes over and is sending when the stop is pressed."""
    held = {}

    def slow(real, *args, **kwargs):
        prepared = real(*args, **kwargs)
        cast.clock.pass_(seconds=31)
        other = Delivery.objects.select_related("draft__organisation", "account").get()
        assert delivering.claim(other, cast.clock())
        held["attempt"] = delivering._freeze(other, prepared, cast.clock)
        held["other"], held["prepared"] = other, prepared
        press(cast)
        return prepared

    channel = StandIn(prepare=[slow]).install(monkeypatch)
    draft = moves.signed(cast, cast.content(window_minutes=60))
    publishing.work(cast.clock)
    other = Delivery.objects.get()
    assert (other.state, other.lease_until is not None) == ("sending", True), "B's lease is gone"
    outcome = channel.send(held["prepared"])
    settling.settle(held["other"], held["attempt"], outcome, cast.clock())
    assert moves.told(draft).state == "sent"


def test_no_send_is_ever_stuck_for_good(cast, monkeypatch):
    """The same, seen from the end: nobody ever finds out what became of it."""

    def slow(real, *args, **kwargs):
        prepared = real(*args, **kwargs)
        cast.clock.pass_(seconds=31)
        other = Delivery.objects.select_related("draft__organisation", "account").get()
        delivering.claim(other, cast.clock())
        delivering._freeze(other, prepared, cast.clock)  # and then B is killed
        press(cast)
        return prepared

    StandIn(prepare=[slow]).install(monkeypatch)
    draft = moves.signed(cast, cast.content(window_minutes=60))
    publishing.work(cast.clock)
    moves.work(cast, times=80)
    assert moves.told(draft).state != "sending"


# Sent twice


def test_a_person_who_says_not_there_does_not_send_it_beside_a_request_on_its_way(
    cast, monkeypatch
):
    channel = StandIn(send=[Unconfirmed("Silence.")], look_up=[Unconfirmed("Silence.")] * 9)
    channel.install(monkeypatch)
    moves.signed(cast, cast.content(window_minutes=60))
    publishing.work(cast.clock)
    cast.clock.pass_(seconds=5)
    one = Delivery.objects.get()
    publishing.say_absent(cast.bob, one.pk, reason="I looked.", now=cast.clock())
    publishing.work(cast.clock)
    assert channel.calls.count("send") == 1, "five seconds after a send that nobody answered"


def test_the_rest_of_a_thread_is_not_sent_after_it_was_taken_down(cast, monkeypatch):
    channel = StandIn(
        send=[lambda real, prepared, done: Partly(("practice:one",)), moves.Refused("No.")]
    ).install(monkeypatch)
    draft = moves.signed(cast, cast.content("One.\n---\nTwo.", window_minutes=60))
    publishing.work(cast.clock)
    publishing.work(cast.clock)
    one = Delivery.objects.get(draft=draft)
    assert one.state == "incomplete"
    Delivery.objects.filter(pk=one.pk).update(removed_at=cast.clock())  # a removal was confirmed
    sends = channel.calls.count("send")
    with contextlib.suppress(publishing.DecisionRefused):
        publishing.go_on(cast.bob, one.pk, now=cast.clock())
    moves.work(cast, times=2)
    assert channel.calls.count("send") == sends


# Told wrongly


def test_the_register_says_by_whom_it_was_signed(cast):
    dora, edgar = duty(cast, "dora", Role.AUTHOR), duty(cast, "edgar")
    press(cast)
    cast.clock.pass_(seconds=1)
    content = cast.content("By duty.", through_stop=True, window_minutes=60)
    draft = moves.sign(cast, moves.awaiting(cast, content, author=dora), edgar)
    moves.work(cast, times=2)
    (entry,) = moves.entries(draft, "delivery.sent")
    assert entry.fields["signed_by"] == "duty"


def test_a_thread_left_half_way_is_not_said_to_be_unsent(cast, monkeypatch):
    StandIn(
        send=[lambda real, prepared, done: Partly(("practice:one",)), moves.Refused("No.")]
    ).install(monkeypatch)
    draft = moves.signed(cast, cast.content("One.\n---\nTwo.", window_minutes=60))
    moves.work(cast, times=2, seconds=2)
    one = Delivery.objects.get(draft=draft)
    publishing.leave(cast.bob, one.pk, reason="It can stand.", now=cast.clock())
    publishing.work(cast.clock)
    assert moves.again(cast, draft).state != "unsent"


def test_while_the_fence_is_up_nobody_is_told_that_a_post_was_not_sent(cast, monkeypatch):
    """It may have been sent in the time that is lost."""
    channel = StandIn().install(monkeypatch)
    publishing.work(cast.clock)
    draft = moves.signed(cast)
    publishing._begin_due(cast.clock)
    fence.remember(Attempt.objects.count() + 1000)  # the file knows more
    cast.clock.pass_(minutes=16)
    publishing.work(cast.clock)
    assert channel.calls.count("send") == 0
    assert "Nobody sent it in time" not in moves.told(draft).trouble


# Late


class BusyLane:
    """Lanes in which one account is still at work, as ``Beside`` has them."""

    def __init__(self, busy):
        self.busy = busy

    def do(self, lane, jobs):
        return 0 if lane == self.busy else sum(job() for job in jobs)

    def list_busy(self):
        return frozenset({self.busy})


def test_a_silent_account_with_many_posts_keeps_no_other_waiting(cast, monkeypatch):
    StandIn().install(monkeypatch)
    for number in range(publishing.BATCH + 1):
        moves.signed(cast, cast.content(f"Post {number}.", accounts=[cast.feed]))
    cast.clock.pass_(seconds=1)
    other = moves.signed(cast, cast.content("Elsewhere.", accounts=[cast.practice]))
    for _ in range(6):
        publishing.work(cast.clock, BusyLane(cast.feed.pk))
        cast.clock.pass_(seconds=1)
    assert moves.told(other).state == "sent"


def test_pictures_handed_over_to_a_silent_channel_keep_no_due_post_waiting(cast, monkeypatch):
    """What asks the network goes through the lanes."""
    channel = StandIn().install(monkeypatch)
    picture = drafts.add_picture(
        cast.alice,
        moves.picture_file(),
        size_bytes=100,
        name="picture.png",
        alt="A door.",
        now=cast.clock(),
    )
    content = cast.content(pictures=(picture,), due_at=cast.clock() + timedelta(minutes=10))
    moves.signed(cast, content)
    publishing.work(cast.clock, BusyLane(cast.feed.pk))
    assert "upload" not in channel.calls


def test_pictures_are_not_handed_over_while_publishing_is_stopped(cast, monkeypatch):
    channel = StandIn().install(monkeypatch)
    picture = drafts.add_picture(
        cast.alice,
        moves.picture_file(),
        size_bytes=100,
        name="picture.png",
        alt="A door.",
        now=cast.clock(),
    )
    content = cast.content(pictures=(picture,), due_at=cast.clock() + timedelta(minutes=10))
    moves.signed(cast, content)
    press(cast)
    publishing.work(cast.clock)
    assert "upload" not in channel.calls


def test_a_post_that_waited_for_its_pictures_is_looked_up_soon_after_a_lost_answer(
    cast, monkeypatch
):
    channel = StandIn(
        upload=[moves.NotReady("m", "Still at work.", 2.0)] * 20,
        send=[Unconfirmed("Silence.")],
    ).install(monkeypatch)
    draft = moves.signed(cast, cast.content(window_minutes=60))
    for _ in range(21):
        publishing.work(cast.clock)
        cast.clock.pass_(seconds=2.1)
    assert moves.told(draft).state == "unconfirmed"
    cast.clock.pass_(seconds=60)
    publishing.work(cast.clock)
    assert "look_up" in channel.calls, Delivery.objects.get().next_try_at - cast.clock()


# Stops


def test_a_post_that_hurts_can_be_taken_down_while_publishing_is_stopped(cast):
    dora, edgar = duty(cast, "dora", Role.AUTHOR), duty(cast, "edgar")
    about = moves.publish(cast)
    press(cast)
    cast.clock.pass_(seconds=1)
    draft = moves.sign(cast, remove(cast, about, ground="harm", author=dora), edgar)
    moves.work(cast, times=3)
    assert moves.told(draft).state == "sent"


def test_a_duty_officer_does_not_sign_ordinary_posts_because_an_author_ticked_a_box(cast):
    """Nothing is stopped, and the author is not on duty."""
    edgar = duty(cast, "edgar")
    draft = moves.awaiting(cast, cast.content("An ordinary post.", through_stop=True))
    with pytest.raises(drafts.DraftRefused):
        moves.sign(cast, draft, edgar)


# The fence


def test_a_backup_from_before_there_was_a_fence_is_fenced_by_the_file(cast, monkeypatch):
    channel = StandIn().install(monkeypatch)
    moves.signed(cast)
    moves.work(cast, times=2)
    assert fence.read_memory().sequence > 0
    # Back to before the first round of the worker, and migrated again.
    Delivery.objects.all().update(removes=None)
    Attempt.objects.all().delete()
    Installation.objects.all().delete()
    assert fence.find_fence(cast.clock()) is not None
    del channel


def test_the_fence_is_not_lifted_over_a_post_that_is_live_and_still_waits_here(cast, monkeypatch):
    one_account(cast)
    seen = []
    StandIn(list_recent=[lambda real, limit: tuple(seen)] * 99).install(monkeypatch)
    publishing.work(cast.clock)
    moves.signed(cast, cast.content("Sent in the lost time.", window_minutes=60))
    publishing._begin_due(cast.clock)
    fence.remember(Attempt.objects.count() + 1000)
    seen.append(Seen("x:1", "https://x.example/1", "Sent in the lost time.", cast.clock()))
    look(cast, rounds=3)
    with pytest.raises(publishing.DecisionRefused, match="does not know: 1"):
        publishing.lift_fence(cast.dan, reason="I compared.", now=cast.clock())


def test_what_nobody_knew_of_when_the_fence_was_lifted_is_not_sent_again(cast, monkeypatch):
    """It was found live in the lost time, and taken down: its look-up says that it is absent."""
    one_account(cast)
    channel = StandIn(send=[Unconfirmed("?")], look_up=[Unconfirmed("?")] * 6)
    channel.install(monkeypatch)
    moves.signed(cast, cast.content(window_minutes=60))
    moves.work(cast, times=2)
    fence.remember(Attempt.objects.count() + 1000)
    look(cast, rounds=2)
    try:
        publishing.lift_fence(cast.dan, reason="I compared.", now=cast.clock())
    except publishing.DecisionRefused:
        return
    channel.script["look_up"] = [Absent()] * 9
    moves.work(cast, times=12)
    assert channel.calls.count("send") == 1


def test_a_timeline_that_could_not_be_read_has_not_been_looked_at(cast, monkeypatch):
    one_account(cast)
    channel = StandIn().install(monkeypatch)
    publishing.work(cast.clock)
    fence.remember(Attempt.objects.count() + 1000)
    channel.script["list_recent"] = [Unreadable("The token was revoked.")] * 99
    look(cast, rounds=3)
    with pytest.raises(publishing.DecisionRefused, match="has not been looked at yet"):
        publishing.lift_fence(cast.dan, reason="I compared.", now=cast.clock())


def test_an_admin_of_another_body_does_not_recall_our_posts(cast, monkeypatch):
    StandIn().install(monkeypatch)
    publishing.work(cast.clock)
    draft = moves.signed(cast, cast.content(due_at=cast.clock() + timedelta(hours=2)))
    fence.remember(Attempt.objects.count() + 1000)
    publishing.work(cast.clock)
    Watch.objects.update(last_look_at=None)
    with pytest.raises(publishing.DecisionRefused) as refused:
        publishing.lift_fence(cast.mallory, reason="Mine.", now=cast.clock())
    assert cast.feed.name not in str(refused.value)
    look(cast, rounds=2)
    with contextlib.suppress(publishing.DecisionRefused):
        publishing.lift_fence(cast.mallory, reason="Mine.", now=cast.clock())
    assert moves.again(cast, draft).state == "signed"


# Watching


def test_our_own_post_of_last_month_is_no_alarm(cast, monkeypatch):
    one_account(cast)
    StandIn().install(monkeypatch)
    publishing.work(cast.clock)
    moves.signed(cast)
    look(cast, rounds=3)
    cast.clock.pass_(days=31)
    look(cast, rounds=2)
    assert open_alarms() == []


def test_what_stood_there_before_is_no_alarm_though_the_first_look_failed(cast, monkeypatch):
    one_account(cast)
    old = Seen("x:0", "https://x.example/0", "A post of last year.", cast.clock())
    StandIn(list_recent=[Unreadable("Silence."), *[lambda real, limit: (old,)] * 9]).install(
        monkeypatch
    )
    publishing.work(cast.clock)
    look(cast, rounds=3)
    assert open_alarms() == []


def test_a_post_a_person_saw_live_is_no_alarm(cast, monkeypatch):
    one_account(cast)
    channel = StandIn()

    def send_and_lose(real, prepared, done):
        real(prepared, done)
        return Unconfirmed("Silence.")

    channel.script["send"] = [send_and_lose]
    channel.script["look_up"] = [Unconfirmed("Silence.")] * 9
    channel.install(monkeypatch)
    publishing.work(cast.clock)
    moves.signed(cast, cast.content(window_minutes=60))
    look(cast, rounds=2)
    one = Delivery.objects.get()
    (seen,) = channel._real.list_recent(9)
    publishing.say_live(cast.bob, one.pk, url=seen.url, reason="I see it.", now=cast.clock())
    look(cast, rounds=2)
    assert open_alarms() == []


def test_a_post_that_we_are_taking_down_is_not_said_to_have_vanished(cast, monkeypatch):
    one_account(cast)
    channel = StandIn().install(monkeypatch)
    publishing.work(cast.clock)
    about = moves.signed(cast)
    look(cast, rounds=3)

    def send_and_lose(real, prepared, done):
        real(prepared, done)
        return Unconfirmed("Silence.")

    channel.script["send"] = [send_and_lose]
    channel.script["look_up"] = [Unconfirmed("Silence.")] * 9
    moves.sign(cast, remove(cast, about))
    look(cast, rounds=3)
    assert open_alarms() == []


def test_a_post_in_letters_that_are_none_still_alarms_and_hides_no_other(cast, monkeypatch):
    one_account(cast)
    seen = []
    StandIn(list_recent=[lambda real, limit: tuple(seen)] * 9).install(monkeypatch)
    publishing.work(cast.clock)
    seen.append(Seen("x:1", "https://x.example/1", "Half a letter: \ud800", cast.clock()))
    seen.append(Seen("x:2", "https://x.example/2", "Free money!", cast.clock()))
    look(cast, rounds=2)
    assert len(open_alarms()) == 2


# Taking off the register


def test_what_was_private_is_read_nowhere_once_it_was_taken_down_where_it_can_be(cast, monkeypatch):
    """The other account's channel lets nothing be taken down, as e-mail does."""
    second = account_actions.open_own_channel(
        cast.body, channel="atom", name="Letters", handle="letters", now=cast.clock()
    )
    about = moves.signed(cast, cast.content(accounts=[cast.feed, second]))
    moves.work(cast)
    moves.sign(cast, remove(cast, about, accounts=[cast.feed.pk]))
    moves.work(cast)
    records.sequence(cast.clock())
    register = cast.client().get("/register/").content.decode()
    assert "Mill Road" not in register


def test_the_pictures_of_half_a_thread_are_private_once_it_was_taken_down(cast, monkeypatch):
    StandIn(
        send=[
            lambda real, prepared, done: Partly(("practice:one",)),
            moves.Refused("No."),
            lambda real, prepared, done: Sent("practice:one", "", ("practice:one",)),
        ],
        prepare_removal=[lambda real, sent, key, at, reason: Prepared(key, b"{}")],
    ).install(monkeypatch)
    picture = drafts.add_picture(
        cast.alice,
        moves.picture_file(),
        size_bytes=100,
        name="picture.png",
        alt="Somebody.",
        now=cast.clock(),
    )
    about = moves.signed(
        cast, cast.content("One.\n---\nTwo.", pictures=(picture,), window_minutes=60)
    )
    publishing.work(cast.clock)
    publishing.work(cast.clock)
    assert Delivery.objects.get(draft=about).state == "incomplete"
    assert Picture.objects.get().public
    moves.sign(cast, remove(cast, about))
    publishing.work(cast.clock)
    assert Delivery.objects.get(draft=about).removed_at is not None
    assert not Picture.objects.get().public


# In front of a person


def test_an_unknown_is_never_hidden_behind_what_was_missed_later(cast, monkeypatch):
    channel = StandIn(send=[Unconfirmed("?")], look_up=[Unconfirmed("?")] * 999).install(
        monkeypatch
    )
    unknown = moves.signed(cast, cast.content("Unknown.", window_minutes=60))
    publishing.work(cast.clock)
    del channel
    late = [moves.signed(cast, cast.content(f"Late {n}.")) for n in range(21)]
    stop = press(cast)
    publishing.work(cast.clock)
    publishing.resume(cast.bob, stop.pk, reason="Mended.", now=cast.clock())
    del late
    told = queries.list_troubled(cast.body)
    assert unknown.pk in {one.draft_id for one in told}


# PostgreSQL, with real workers

two_at_once = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="SQLite takes one writer at a time"
)


@two_at_once
@pytest.mark.django_db(transaction=True)
def test_nothing_that_came_due_during_a_stop_is_flushed_when_it_is_lifted(cast, monkeypatch):
    channel = StandIn().install(monkeypatch)
    for number in range(40):
        moves.signed(cast, cast.content(f"Post {number}.", window_minutes=60))
    stop = press(cast)
    publishing.work(cast.clock)
    cast.clock.pass_(seconds=6)
    begin, faults = threading.Barrier(2), []

    def worker():
        begin.wait()
        try:
            for _ in range(3):
                publishing.work(cast.clock)
        except Exception as fault:  # noqa: BLE001 - told below
            faults.append(fault)
        finally:
            connections.close_all()

    beside = threading.Thread(target=worker)
    beside.start()
    begin.wait()
    publishing.resume(cast.bob, stop.pk, reason="Mended.", now=cast.clock())
    beside.join()
    cast.clock.pass_(seconds=6)
    publishing.work(cast.clock)
    assert faults == []
    assert channel.calls.count("send") == 0


@two_at_once
@pytest.mark.django_db(transaction=True)
def test_a_nul_in_a_strangers_post_does_not_end_the_watch(cast, monkeypatch):
    one_account(cast)
    seen = []
    StandIn(list_recent=[lambda real, limit: tuple(seen)] * 9).install(monkeypatch)
    publishing.work(cast.clock)
    seen.append(Seen("x:1", "https://x.example/1", "Free\x00 money!", cast.clock()))
    look(cast, rounds=2)
    assert len(open_alarms()) == 1
