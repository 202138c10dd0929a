"""A page on Facebook, held to the contract and to its own ways."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from graph_kit import Clock, connect, simulate

from folkmoot.channels.contract import ChannelContract
from folkmoot.channels.facebook import KIND
from folkmoot.channels.port import (
    Absent,
    Different,
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
    with simulate("facebook") as running:
        yield running


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def adapter(simulator):
    return KIND.build(connect(simulator))


class TestFacebook(ChannelContract):
    keyed = False

    @pytest.fixture
    def count_posts(self, simulator):
        return lambda: len(simulator.store.list_newest(1000))

    @pytest.fixture
    def count_uploads(self, simulator):
        return lambda: sum(one.path.endswith("/photos") for one in simulator.requests)

    @pytest.fixture
    def secrets(self, simulator):
        return lambda: list(simulator.simulated.tokens)


DUE_AT = ChannelContract.due_at


def prepare(adapter, text="Closed on Monday.", count=0, delivery="own"):
    pictures = make_pictures(adapter.capabilities(), count) if count else ()
    key = adapter.make_key(delivery, DUE_AT)
    prepared = adapter.prepare(Rendition((Part(text, pictures),)), key=key, at=DUE_AT)
    assert isinstance(prepared, Prepared), prepared
    return prepared


def test_a_repeat_that_facebook_refuses_is_refused_and_says_to_change_a_word(simulator, adapter):
    assert isinstance(adapter.send(prepare(adapter)), Sent)
    prepared = prepare(adapter, delivery="again")
    outcome = adapter.send(prepared)
    assert isinstance(outcome, Refused)
    assert "Change a word" in outcome.reason
    assert adapter.look_up(prepared) == Absent()


def test_a_repeat_of_what_was_lost_is_found_instead(simulator, adapter):
    prepared = prepare(adapter)
    simulator.faults.add(Occasion.PUBLISH, Strike(Fault.LOSE_ANSWER))
    assert isinstance(adapter.send(prepared), Unconfirmed)
    assert isinstance(adapter.send(prepared), Unconfirmed)
    assert isinstance(adapter.look_up(prepared), Sent)
    assert len(simulator.store.list_all()) == 1


def test_two_new_posts_with_these_words_are_a_persons_to_sort_out(simulator, adapter):
    prepared = prepare(adapter)
    simulator.store.add_post("Closed on Monday.")
    simulator.store.add_post("Closed on Monday.")
    found = adapter.look_up(prepared)
    assert isinstance(found, Different)
    assert "2 new posts" in found.reason


def test_a_post_with_the_words_but_not_the_pictures_is_not_taken_for_it(simulator, clock):
    adapter = KIND.build(connect(simulator, clock=clock))
    prepared = prepare(adapter, count=2)
    simulator.store.add_post("Closed on Monday.")
    clock.ahead = DUE_AT + timedelta(minutes=5)
    assert isinstance(adapter.look_up(prepared), Unconfirmed)
    clock.ahead = DUE_AT + timedelta(minutes=20)
    assert isinstance(adapter.look_up(prepared), Different)


def test_photos_that_facebook_let_go_of_are_handed_over_again(simulator, adapter):
    wanted = Rendition((Part("Look:", make_pictures(adapter.capabilities(), 2)),))
    memo = adapter.upload(wanted).memo
    simulator.store._media.clear()
    again = adapter.upload(wanted, memo=memo)
    assert isinstance(again, Uploaded)
    assert again.memo != memo
    prepared = adapter.prepare(wanted, key="k", at=DUE_AT, memo=again.memo)
    assert isinstance(adapter.send(prepared), Sent)


def test_a_token_for_another_page_is_found_out(simulator):
    adapter = KIND.build(connect(simulator, page="99999999"))
    assert "does not show this page" in adapter.diagnose()


def test_what_the_token_says_of_its_own_end_is_remembered(simulator, adapter, monkeypatch):
    ends_at = datetime(2027, 1, 1, tzinfo=UTC)
    told = {"expires_at": 0, "data_access_expires_at": int(ends_at.timestamp()), "scopes": []}
    monkeypatch.setattr(
        adapter._graph,
        "get",
        lambda path, **more: (
            {"data": told} if path == "debug_token" else {"id": adapter._page, "data": []}
        ),
    )
    assert "pages_manage_posts" in adapter.diagnose()
    assert adapter.sign_in_ends_at() == ends_at


def test_capabilities_and_keys_need_no_secret(simulator):
    bare = KIND.build(replace(connect(simulator), secrets={}))
    assert bare.capabilities().pictures == 10
    assert bare.sign_in_ends_at() is None
    assert "no access token" in bare.diagnose()


def test_an_answer_that_names_somebody_elses_new_post_is_not_believed(simulator, adapter):
    prepared = prepare(adapter)
    other = simulator.store.add_post("Somebody else's, meanwhile.")
    simulator.faults.add(Occasion.PUBLISH, Strike(Fault.WRONG_ID))
    assert isinstance(adapter.send(prepared), Unconfirmed)
    found = adapter.look_up(prepared)
    assert isinstance(found, Sent)
    assert not found.remote_id.endswith(other.id)
