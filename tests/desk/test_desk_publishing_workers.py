"""Workers that die, are late, or come in twos: one post goes out."""

from __future__ import annotations

import threading
from datetime import timedelta

import desk_moves as moves
import pytest
from desk_moves import StandIn, Unconfirmed
from django.db import close_old_connections, connection, connections

from folkmoot.desk.drafts import actions as drafts
from folkmoot.desk.guidance import actions as guidance
from folkmoot.desk.publishing import actions as publishing
from folkmoot.desk.publishing import delivering, settling
from folkmoot.desk.publishing.models import Attempt, Delivery
from folkmoot.desk.publishing.steps import LostClaim
from folkmoot.desk.records import actions as records
from folkmoot.desk.records.models import Checkpoint, Entry, Intent

two_at_once = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="SQLite takes one writer at a time"
)


class Killed(BaseException):
    """The process is gone."""


STEPS = [
    (drafts, "begin"),
    (delivering, "take_step"),
    (delivering, "_freeze"),
    (delivering, "prepare"),
    (delivering, "settle"),
    (settling, "confirm"),
    (publishing, "claim"),
    (publishing, "deliver"),
    (publishing, "read_back"),
    (drafts, "finish"),
    (records, "record"),
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("step", STEPS, ids=[name for _, name in STEPS])
def test_a_worker_killed_around_a_step_leaves_one_post_in_the_end(
    cast, monkeypatch, step, nth, when
):
    room, name = step
    channel = StandIn(send=[Unconfirmed("?")] if nth > 1 else []).install(monkeypatch)
    draft = moves.signed(cast, cast.content(window_minutes=60))
    real, count = getattr(room, name), []

    def dies(*args, **kwargs):
        count.append(1)
        if len(count) == nth and when == "before":
            raise Killed
        answer = real(*args, **kwargs)
        if len(count) == nth:
            raise Killed
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(room, name, dies)
        for _ in range(3):
            try:
                publishing.work(cast.clock)
            except Killed:
                break
    for _ in range(8):
        cast.clock.pass_(seconds=31)
        publishing.work(cast.clock)
    told = moves.told(draft)
    assert (told.state, told.read_back) == ("sent", "matches")
    assert len(channel.shelf) == 1
    assert len(moves.entries(draft, "delivery.sent")) == 1
    assert len(moves.entries(draft, "delivery.read_back")) == 1
    assert moves.again(cast, draft).state == "published"


def test_a_worker_whose_lease_ran_out_cannot_settle(cast, monkeypatch):
    channel = StandIn()

    def slow(real, prepared, done=()):
        answer = real(prepared, done)
        cast.clock.pass_(seconds=31)
        publishing.work(cast.clock)  # the other worker meanwhile
        return answer

    channel.script["send"] = [slow]
    channel.install(monkeypatch)
    settled = []
    real = delivering.settle

    def settle(delivery, attempt, outcome, now):
        try:
            real(delivery, attempt, outcome, now)
        except LostClaim:
            settled.append("lost")
            raise
        settled.append(type(outcome).__name__)

    monkeypatch.setattr(delivering, "settle", settle)
    monkeypatch.setattr(settling, "settle", settle)
    draft = moves.signed(cast)
    publishing.work(cast.clock)
    assert settled == ["Sent", "lost"]
    assert moves.told(draft).state == "sent"
    assert channel.calls.count("send") == 1
    assert len(moves.entries(draft, "delivery.sent")) == 1


def test_a_worker_that_prepares_beyond_its_lease_does_not_send(cast, monkeypatch):
    channel = StandIn()

    def slow(real, *args, **kwargs):
        cast.clock.pass_(seconds=31)
        publishing.work(cast.clock)
        return real(*args, **kwargs)

    channel.script["prepare"] = [slow]
    channel.install(monkeypatch)
    draft = moves.signed(cast)
    publishing.work(cast.clock)
    assert moves.told(draft).state == "sent"
    assert channel.calls.count("send") == 1


def test_a_delivery_in_hand_is_left_alone_until_its_lease_ends(cast, monkeypatch):
    channel = StandIn(prepare=[Killed()]).install(monkeypatch)
    draft = moves.signed(cast)
    with pytest.raises(Killed):
        publishing.work(cast.clock)
    cast.clock.pass_(seconds=89)
    publishing.work(cast.clock)
    assert channel.calls.count("prepare") == 1
    assert "send" not in channel.calls
    cast.clock.pass_(seconds=2)
    publishing.work(cast.clock)
    assert moves.told(draft).state == "sent"


def test_every_attempt_is_on_the_row_before_the_request_leaves(cast, monkeypatch):
    seen = []

    def look(real, prepared, done=()):
        row = Delivery.objects.get()
        seen.append((row.state, bytes(row.request) == prepared.request, row.key == prepared.key))
        seen.append(list(Attempt.objects.values_list("what", "outcome", "ended_at")))
        return real(prepared)

    StandIn(send=[look]).install(monkeypatch)
    moves.signed(cast)
    publishing.work(cast.clock)
    assert seen == [("sending", True, True), [("send", "", None)]]


def test_a_pre_election_period_added_after_sign_off_holds_the_post_back(cast, monkeypatch):
    channel = StandIn().install(monkeypatch)
    draft = moves.signed(cast, cast.content(due_at=cast.clock() + timedelta(hours=1)))
    guidance.add_period(
        cast.body,
        kind="pre_election",
        name="",
        starts_at=cast.clock() + timedelta(minutes=30),
        ends_at=cast.clock() + timedelta(days=30),
        source="Notice of election",
        actor=cast.dan,
        now=cast.clock(),
    )
    cast.clock.pass_(hours=1)
    moves.work(cast)
    told = moves.told(draft)
    assert told.state == "refused"
    assert "The approver did not accept that." in told.trouble
    assert channel.shelf == {}
    assert told.trouble.split(".")[0] in cast.client(cast.bob).get("/desk/").content.decode()


def at_once(*acts):
    """Run all acts at the same moment, each on its own connection; what each came to."""
    gate = threading.Barrier(len(acts))
    results = [None] * len(acts)

    def run(number, act):
        close_old_connections()
        gate.wait()
        try:
            results[number] = act()
        except Exception as raised:  # noqa: BLE001  # it is what the test asks for
            results[number] = raised
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


@two_at_once
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_once(cast, monkeypatch):
    channel = StandIn().install(monkeypatch)
    posts = [moves.signed(cast, cast.content(f"Post {n}.")) for n in range(8)]
    results = at_once(*[lambda: publishing.work(cast.clock)] * 3)
    moves.work(cast)
    assert not [r for r in results if isinstance(r, Exception)]
    assert [moves.told(post).state for post in posts] == ["sent"] * 8
    assert channel.calls.count("send") == 8
    assert all(len(moves.entries(post, "delivery.sent")) == 1 for post in posts)


@two_at_once
@pytest.mark.django_db(transaction=True)
def test_two_approvers_at_once_make_one_signature_and_the_second_is_told_who_was_first(cast):
    for _ in range(5):
        draft = moves.awaiting(cast)
        results = at_once(
            lambda draft=draft: moves.sign(cast, draft, cast.bob),
            lambda draft=draft: moves.sign(cast, draft, cast.carol),
        )
        (refused,) = [r for r in results if isinstance(r, drafts.DraftRefused)]
        first = "Bob" if results[1] is refused else "Carol"
        assert str(refused).startswith(f"{first} signed this post on Friday"), refused
        assert draft.signoffs.count() == 1


@two_at_once
@pytest.mark.django_db(transaction=True)
def test_taking_back_at_the_very_moment_it_leaves_is_one_or_the_other(cast, monkeypatch):
    channel = StandIn().install(monkeypatch)
    for _ in range(5):
        draft = moves.signed(cast)
        before = len(channel.shelf)
        taken, _ = at_once(
            lambda draft=draft: drafts.take_back(cast.alice, draft.pk, now=cast.clock()),
            lambda: publishing.work(cast.clock),
        )
        moves.work(cast)
        if isinstance(taken, drafts.DraftRefused):
            assert moves.again(cast, draft).state == "published"
        else:
            assert moves.again(cast, draft).state == "drafting"
        assert len(channel.shelf) - before == isinstance(taken, drafts.DraftRefused)


@two_at_once
@pytest.mark.django_db(transaction=True)
def test_sequencers_at_once_give_every_entry_one_place(cast):
    for number in range(30):
        drafts.start(cast.alice, cast.content(f"Post {number}."), now=cast.clock())
    results = at_once(*[lambda: records.sequence(cast.clock())] * 4)
    assert not [r for r in results if isinstance(r, Exception)]
    assert not Intent.objects.exists()
    indexes = list(Entry.objects.order_by("index").values_list("index", flat=True))
    assert indexes == list(range(len(indexes)))
    assert Checkpoint.objects.latest("size").size == len(indexes)
    assert connection.vendor == "postgresql"
