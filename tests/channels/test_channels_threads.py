"""A profile on Threads, held to the contract and to its own ways."""

from dataclasses import replace
from datetime import timedelta

import pytest
from graph_kit import Clock, connect, simulate

from folkmoot.channels.contract import ChannelContract
from folkmoot.channels.port import (
    Absent,
    Different,
    Live,
    NotPrepared,
    Part,
    Partly,
    Prepared,
    Refused,
    Rendition,
    Sent,
    Unconfirmed,
)
from folkmoot.channels.simulator import Fault, Occasion, Strike
from folkmoot.channels.specimens import make_pictures, make_post
from folkmoot.channels.threads import KIND


@pytest.fixture
def simulator():
    with simulate("threads") as running:
        yield running


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def adapter(simulator, clock):
    return KIND.build(connect(simulator, clock=clock))


class TestThreads(ChannelContract):
    # The container is the key, not ours: another container under one key of ours is another post.
    keyed = False

    @pytest.fixture
    def count_posts(self, simulator):
        return lambda: len(simulator.store.list_newest(1000))

    @pytest.fixture
    def secrets(self, simulator):
        return lambda: list(simulator.simulated.tokens)


DUE_AT = ChannelContract.due_at


def thread(adapter, *, pictures=0):
    """Three parts; the second with pictures."""
    first, _, third = make_post(adapter.capabilities(), "One.", "Two.", "Three.").parts
    shown = make_pictures(adapter.capabilities(), pictures) if pictures else ()
    return Rendition((first, Part("Two.", shown), third))


def prepare(adapter, rendition):
    prepared = adapter.prepare(rendition, key="k", at=DUE_AT)
    assert isinstance(prepared, Prepared), prepared
    return prepared


def test_emoji_count_as_the_bytes_they_take_and_letters_as_one(adapter):
    length, links = adapter.capabilities().lengths
    assert length.count("Caf\u00e9 \u91ce e\u0301") == 8
    assert length.count("\U0001f44d") == 4
    assert length.count("\U0001f468\u200d\U0001f469\u200d\U0001f467") == 18
    assert length.count("\U0001f1ec\U0001f1e7 1\ufe0f\u20e3") == 8 + 1 + 7
    assert links.count("https://a.uk https://a.uk www.b.uk http://c.uk/x?y=z") == 3


def test_what_is_published_already_is_not_published_again(simulator, adapter):
    prepared = prepare(adapter, thread(adapter))
    first = adapter.send(prepared)
    assert isinstance(first, Partly)
    assert isinstance(adapter.send(prepared), Unconfirmed)
    assert adapter.look_up(prepared) == first
    second = adapter.send(prepared, first.remote_ids)
    assert isinstance(second, Partly)
    assert adapter.look_up(prepared, first.remote_ids) == second
    assert len(simulator.store.list_all()) == 2


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.DROP])
def test_a_later_part_in_doubt_is_asked_about_by_its_container(simulator, adapter, fault):
    prepared = prepare(adapter, thread(adapter))
    done = adapter.send(prepared).remote_ids
    simulator.faults.add(Occasion.PUBLISH, Strike(fault))
    assert isinstance(adapter.send(prepared, done), Unconfirmed)
    found = adapter.look_up(prepared, done)
    if fault is Fault.DROP:
        assert found == Absent()
        made = len(simulator.store._media)
        found = adapter.send(prepared, done)
        assert len(simulator.store._media) == made, "another container was made"
    assert isinstance(found, Partly)
    assert len(simulator.store.list_all()) == 2


def test_a_later_part_in_doubt_is_found_by_another_process_as_an_answer(simulator, adapter):
    prepared = prepare(adapter, thread(adapter))
    done = adapter.send(prepared).remote_ids
    simulator.store.add_post("Two.")  # the same words, but no answer to our own
    simulator.store.add_post("Two.", reply_to="12345")
    another = KIND.build(connect(simulator))
    assert another.look_up(prepared, done) == Absent()
    simulator.faults.add(Occasion.PUBLISH, Strike(Fault.LOSE_ANSWER))
    assert isinstance(adapter.send(prepared, done), Unconfirmed)
    found = KIND.build(connect(simulator)).look_up(prepared, done)
    assert isinstance(found, Partly)
    assert found.remote_ids == (*done, simulator.store.list_all()[-1].id)


def test_a_single_picture_of_a_later_part_is_waited_for_while_sending(simulator, clock):
    waited = []

    def pause(seconds):
        waited.append(seconds)
        simulator.store.set_skew(10 * len(waited))

    adapter = KIND.build(connect(simulator, clock=clock))
    adapter._pause = pause
    prepared = prepare(adapter, thread(adapter, pictures=1))
    done = adapter.send(prepared).remote_ids
    simulator.faults.add(Occasion.UPLOAD, Strike(Fault.SLOW_MEDIA, 15.0))
    assert isinstance(adapter.send(prepared, done), Partly)
    assert len(waited) == 2


def test_one_that_takes_too_long_is_taken_up_again_without_another_container(simulator, adapter):
    seconds = iter(range(0, 1000, 3))
    adapter._pause, adapter._clock = (lambda seconds: None), (lambda: next(seconds))
    prepared = prepare(adapter, thread(adapter, pictures=1))
    done = adapter.send(prepared).remote_ids
    simulator.faults.add(Occasion.UPLOAD, Strike(Fault.SLOW_MEDIA, 600.0))
    outcome = adapter.send(prepared, done)
    assert isinstance(outcome, Unconfirmed)
    assert outcome.after_seconds
    made = len(simulator.store._media)
    simulator.store.set_skew(700)
    assert adapter.look_up(prepared, done) == Absent()
    assert isinstance(adapter.send(prepared, done), Partly)
    assert len(simulator.store._media) == made


def test_nothing_is_published_once_getting_ready_took_longer_than_a_lease_allows(
    simulator, adapter
):
    prepared = prepare(adapter, thread(adapter))
    done = adapter.send(prepared).remote_ids
    seconds = iter((0.0, 11.0, 20.0, 21.0))
    adapter._clock = lambda: next(seconds)
    assert isinstance(adapter.send(prepared, done), Unconfirmed)
    assert len(simulator.store.list_all()) == 1
    assert adapter.look_up(prepared, done) == Absent()
    assert isinstance(adapter.send(prepared, done), Partly)


def test_pictures_of_every_part_with_several_are_handed_over_ahead(simulator, adapter):
    memo = adapter.upload(thread(adapter, pictures=3)).memo
    made = len(simulator.store._media)
    assert made == 1 + 3  # the first part, and the second part's pictures
    prepared = adapter.prepare(thread(adapter, pictures=3), key="k", at=DUE_AT, memo=memo)
    assert len(simulator.store._media) == made
    done = ()
    outcome = adapter.send(prepared, done)
    while isinstance(outcome, Partly):
        outcome = adapter.send(prepared, outcome.remote_ids)
    assert isinstance(outcome, Sent)
    live = adapter.read_back(outcome)
    assert isinstance(live, Live)
    assert [len(alts) for alts in live.alts] == [0, 3, 0]


def test_containers_of_yesterday_are_refused_for_the_first_part_and_made_anew_for_later_ones(
    simulator, adapter
):
    prepared = prepare(adapter, thread(adapter, pictures=2))
    simulator.store.set_skew(25 * 3600)
    outcome = adapter.send(prepared)
    assert isinstance(outcome, Refused)
    assert "Schedule the post anew" in outcome.reason
    assert simulator.store.list_all() == ()
    simulator.store.set_skew(0)
    done = adapter.send(prepared).remote_ids
    simulator.store.set_skew(25 * 3600)
    assert isinstance(adapter.send(prepared, done), Partly)


def test_a_part_whose_forerunner_was_deleted_is_refused(simulator, adapter):
    prepared = prepare(adapter, thread(adapter))
    done = adapter.send(prepared).remote_ids
    simulator.store.remove_post(done[0])
    outcome = adapter.send(prepared, done)
    assert isinstance(outcome, Refused)
    assert "reply_to_id" in outcome.reason


def test_a_thread_that_lost_a_part_reads_back_as_what_is_left(simulator, adapter):
    prepared = prepare(adapter, thread(adapter))
    outcome = adapter.send(prepared)
    while isinstance(outcome, Partly):
        outcome = adapter.send(prepared, outcome.remote_ids)
    simulator.store.remove_post(outcome.remote_ids[1])
    live = adapter.read_back(outcome)
    assert isinstance(live, Live)
    assert live.texts == ("One.", "Three.")


def test_one_that_is_published_and_cannot_be_named_is_a_persons_in_the_end(
    simulator, adapter, clock
):
    prepared = prepare(adapter, Rendition((Part("Alone."),)))
    simulator.faults.add(Occasion.PUBLISH, Strike(Fault.LOSE_ANSWER))
    assert isinstance(adapter.send(prepared), Unconfirmed)
    simulator.store.remove_post(simulator.store.list_all()[0].id)
    simulator.store.add_post("The newest, and somebody else's.")
    clock.ahead = DUE_AT + timedelta(minutes=1)
    assert isinstance(adapter.look_up(prepared), Unconfirmed)
    clock.ahead = DUE_AT + timedelta(minutes=16)
    assert isinstance(adapter.look_up(prepared), Different)


def test_a_token_for_another_profile_prepares_nothing(simulator):
    adapter = KIND.build(connect(simulator, handle="@somebody_else"))
    assert "@borsetshire, not for @somebody_else" in adapter.diagnose()
    outcome = adapter.prepare(Rendition((Part("x"),)), key="k", at=DUE_AT)
    assert isinstance(outcome, NotPrepared)
    assert not outcome.retry


def test_the_sign_in_is_renewed_while_it_is_looked_at(simulator, adapter):
    assert adapter.sign_in_ends_at() is None
    assert adapter.diagnose() is None
    assert adapter.sign_in_ends_at() is not None


def test_capabilities_need_no_secret(simulator):
    bare = KIND.build(replace(connect(simulator), secrets={}))
    assert bare.capabilities().parts == 25
    assert "no access token" in bare.diagnose()
