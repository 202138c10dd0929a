"""An account on Instagram, held to the contract and to its own ways."""

from dataclasses import replace
from datetime import timedelta

import pytest
from graph_kit import Clock, connect, simulate

from folkmoot.channels.contract import ChannelContract
from folkmoot.channels.instagram import KIND
from folkmoot.channels.port import (
    Absent,
    Different,
    NotPrepared,
    NotReady,
    Part,
    Prepared,
    Refused,
    Rendition,
    Sent,
    Unconfirmed,
    Uploaded,
)
from folkmoot.channels.simulator import Fault, Occasion, Strike
from folkmoot.channels.specimens import make_pictures


@pytest.fixture
def simulator():
    with simulate("instagram") as running:
        yield running


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def adapter(simulator, clock):
    return KIND.build(connect(simulator, clock=clock))


class TestInstagram(ChannelContract):
    # The container is the key, not ours: another container under one key of ours is another post.
    keyed = False

    @pytest.fixture
    def count_posts(self, simulator):
        return lambda: len(simulator.store.list_newest(1000))

    @pytest.fixture
    def secrets(self, simulator):
        return lambda: list(simulator.simulated.tokens)


DUE_AT = ChannelContract.due_at


def containers(simulator):
    return [
        one for one in simulator.requests if one.path.endswith("/me/media") and one.method == "POST"
    ]


def wanted(adapter, caption="Closed on Monday.", count=1):
    return Rendition((Part(caption, make_pictures(adapter.capabilities(), count)),))


def prepare(adapter, **more):
    prepared = adapter.prepare(wanted(adapter, **more), key="k", at=DUE_AT)
    assert isinstance(prepared, Prepared), prepared
    return prepared


def test_what_is_published_already_is_not_published_again(simulator, adapter):
    prepared = prepare(adapter)
    sent = adapter.send(prepared)
    assert isinstance(sent, Sent)
    assert isinstance(adapter.send(prepared), Unconfirmed)
    assert adapter.look_up(prepared) == sent
    assert [one.path.rpartition("/")[2] for one in simulator.requests].count("media_publish") == 1


def test_a_container_whose_day_is_over_is_refused_with_what_to_do(simulator, adapter):
    prepared = prepare(adapter)
    simulator.store.set_skew(25 * 3600)
    assert adapter.look_up(prepared) == Absent()
    outcome = adapter.send(prepared)
    assert isinstance(outcome, Refused)
    assert "Schedule the post anew" in outcome.reason
    assert simulator.store.list_all() == ()


def test_what_was_handed_over_a_day_before_is_handed_over_again(simulator, adapter):
    memo = adapter.upload(wanted(adapter, count=2)).memo
    assert len(containers(simulator)) == 3
    simulator.store.set_skew(25 * 3600)
    prepared = adapter.prepare(wanted(adapter, count=2), key="k", at=DUE_AT, memo=memo)
    assert isinstance(prepared, Prepared)
    assert len(containers(simulator)) == 6
    assert isinstance(adapter.send(prepared), Sent)


def test_pictures_in_processing_are_waited_for_and_handed_over_once(simulator, adapter):
    simulator.faults.add(Occasion.UPLOAD, Strike(Fault.SLOW_MEDIA, 0.3))
    first = adapter.upload(wanted(adapter, count=2))
    assert isinstance(first, NotReady)
    prepared = adapter.prepare(wanted(adapter, count=2), key="k", at=DUE_AT, memo=first.memo)
    assert isinstance(prepared, NotPrepared)
    assert prepared.retry
    simulator.store.set_skew(1)
    second = adapter.upload(wanted(adapter, count=2), memo=first.memo)
    assert isinstance(second, Uploaded)
    assert len(containers(simulator)) == 3


def test_a_picture_that_instagram_cannot_work_with_needs_a_person(simulator, adapter, monkeypatch):
    make = simulator.store.change_medium

    def spoil(medium_id, **changes):
        make(medium_id, **{**changes, "extra": {**changes["extra"], "error": True}})

    monkeypatch.setattr(simulator.store, "change_medium", spoil)
    outcome = adapter.upload(wanted(adapter))
    assert isinstance(outcome, NotPrepared)
    assert not outcome.retry
    assert "add them again" in outcome.reason


def test_one_that_is_published_and_cannot_be_named_is_a_persons_in_the_end(
    simulator, adapter, clock
):
    prepared = prepare(adapter)
    simulator.faults.add(Occasion.PUBLISH, Strike(Fault.LOSE_ANSWER))
    assert isinstance(adapter.send(prepared), Unconfirmed)
    simulator.store.remove_post(simulator.store.list_all()[0].id)
    simulator.store.add_post("The newest, and somebody else's.")
    clock.ahead = DUE_AT + timedelta(minutes=1)
    assert isinstance(adapter.look_up(prepared), Unconfirmed)
    clock.ahead = DUE_AT + timedelta(minutes=16)
    found = adapter.look_up(prepared)
    assert isinstance(found, Different)
    assert "changed or deleted" in found.reason


def test_two_new_posts_with_the_caption_are_a_persons_to_sort_out(simulator, adapter):
    first, second = prepare(adapter), prepare(adapter)
    assert isinstance(adapter.send(first), Sent)
    assert isinstance(adapter.send(second), Sent)
    assert isinstance(adapter.look_up(first), Different)


def test_instagrams_own_sign_in_takes_nothing_down_and_says_where_to(simulator):
    account = connect(simulator)
    own = KIND.build(replace(account, server="https://graph.instagram.com"))
    assert not own.capabilities().removes
    outcome = own.prepare_removal(Sent("1", "https://x", ("1",)), key="k", at=DUE_AT, reason="x")
    assert isinstance(outcome, NotPrepared)
    assert "Instagram's app" in outcome.reason
    assert KIND.build(replace(account, server="https://graph.facebook.com")).capabilities().removes


def test_a_token_for_another_account_prepares_nothing(simulator):
    adapter = KIND.build(connect(simulator, handle="@somebody_else"))
    assert "@borsetshire, not for @somebody_else" in adapter.diagnose()
    outcome = adapter.prepare(wanted(adapter), key="k", at=DUE_AT)
    assert isinstance(outcome, NotPrepared)
    assert not outcome.retry


def test_a_day_that_is_full_is_told(simulator, adapter):
    for number in range(50):
        simulator.store.add_post(f"Post {number}.")
    assert "50 posts in 24 hours" in adapter.diagnose()


def test_the_sign_in_is_renewed_while_it_is_looked_at(simulator, adapter):
    assert adapter.sign_in_ends_at() is None
    assert adapter.diagnose() is None
    assert adapter.sign_in_ends_at() is not None


def test_hashtags_and_mentions_are_counted_as_instagram_does(adapter):
    _, hashtags, mentions = adapter.capabilities().lengths
    assert hashtags.count("#one #two, (#three) a#b # #\u00e9t\u00e9") == 4
    assert mentions.count("@one and @two.three, not me@example.gov.uk") == 2
