"""The simulated Bluesky keeps the contract as the real server does, and goes wrong on demand."""

from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from folkmoot.channels.bluesky.simulated import SIMULATED
from folkmoot.channels.contract import ChannelContract, make_picture, post
from folkmoot.channels.kinds import CannotConnect, Connected, get_kind
from folkmoot.channels.outbound import Outbound
from folkmoot.channels.port import (
    Absent,
    Different,
    NotPrepared,
    Part,
    Prepared,
    Refused,
    Rendition,
    Sent,
    Unconfirmed,
)
from folkmoot.channels.simulator import Fault, Occasion, Simulator, Strike, make_simulated
from folkmoot.channels.tokens import MemoryTokens

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def account(simulator, tokens=None):
    """An adapter as the desk builds it from what was typed."""
    kind = get_kind("bluesky")
    typed = simulator.simulated.to_type(simulator.url)
    handle, server = kind.name_of(typed)
    return kind.build(
        Connected(
            handle=handle,
            server=server,
            settings={},
            secrets={"app_password": typed["app_password"]},
            outbound=Outbound(allow=[simulator.allow], timeout_seconds=2.0),
            tokens=tokens if tokens is not None else MemoryTokens(),
            picture_url=lambda sha256, media_type: "https://x.test/",
            now=lambda: datetime.now(UTC),
        )
    )


@contextmanager
def simulating():
    with Simulator(make_simulated("bluesky")) as simulator:
        yield simulator


@pytest.fixture
def simulator():
    with simulating() as running:
        yield running


@pytest.fixture
def adapter(simulator):
    return account(simulator)


class TestSimulatedBluesky(ChannelContract):
    key_pattern = r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}"

    @pytest.fixture
    def tokens(self):
        return MemoryTokens()

    @pytest.fixture
    def adapter(self, simulator, tokens):
        return account(simulator, tokens)

    @pytest.fixture
    def count_posts(self, simulator):
        return lambda: len(simulator.store.list_newest(1000))

    @pytest.fixture
    def count_uploads(self, simulator):
        return lambda: sum(one.occasion is Occasion.UPLOAD for one in simulator.requests)

    @pytest.fixture
    def secrets(self, simulator, tokens):
        def all_of_them():
            kept = tokens.find()
            return [simulator.simulated.password, kept["access"], kept["refresh"]]

        return all_of_them


def prepare(adapter, rendition=None):
    rendition = rendition or post("Hello.")
    prepared = adapter.prepare(rendition, key=adapter.make_key("d", AT), at=AT)
    assert isinstance(prepared, Prepared), prepared
    return prepared


THREAD = post("First.", "Second.")


@pytest.mark.parametrize("rendition", [post("Hello."), THREAD], ids=["post", "thread"])
@pytest.mark.parametrize(
    ("fault", "after"),
    [
        (Fault.LOSE_ANSWER, Sent),
        (Fault.DROP, Absent),
        (Fault.TOO_MANY, Absent),
        (Fault.BROKEN_BEFORE, Absent),
        (Fault.BROKEN_AFTER, Sent),
        (Fault.RUBBISH, Sent),
        (Fault.WRONG_ID, Sent),
    ],
)
def test_what_is_not_a_clear_answer_is_unconfirmed_and_decided_by_looking(
    simulator, adapter, rendition, fault, after
):
    prepared = prepare(adapter, rendition)
    simulator.faults.add(Occasion.PUBLISH, Strike(fault))
    assert isinstance(adapter.send(prepared), Unconfirmed)
    assert isinstance(adapter.look_up(prepared), after)
    if after is Absent:
        assert isinstance(adapter.send(prepared), Sent)
    assert len(simulator.store.list_all()) == len(rendition.parts)


def test_a_request_done_twice_leaves_one_post(simulator, adapter):
    for rendition in (post("Hello."), THREAD):
        prepared = prepare(adapter, rendition)
        simulator.faults.add(Occasion.PUBLISH, Strike(Fault.TWICE))
        outcome = adapter.send(prepared)
        assert isinstance(outcome, Sent | Unconfirmed)
        found = adapter.look_up(prepared)
        assert isinstance(found, Sent)
        adapter.send(adapter.prepare_removal(found, key="k", at=AT, reason="Again."))
    assert len(simulator.store.list_all()) == 1 + len(THREAD.parts)


def test_the_wait_that_is_asked_for_is_told(simulator, adapter):
    prepared = prepare(adapter)
    simulator.faults.add(Occasion.PUBLISH, Strike(Fault.TOO_MANY_WAIT, 40))
    assert adapter.send(prepared).after_seconds == 40
    simulator.faults.add(Occasion.READ, Strike(Fault.TOO_MANY_WAIT, 50))
    outcome = adapter.prepare(post("x"), key=prepared.key, at=AT)
    assert isinstance(outcome, NotPrepared)
    assert outcome.after_seconds == 50
    simulator.faults.add(Occasion.READ, Strike(Fault.TOO_MANY_WAIT, 60))
    assert adapter.look_up(prepared).after_seconds == 60


def test_a_token_that_is_over_is_renewed_and_the_post_sent_once(simulator, adapter):
    prepared = prepare(adapter)
    simulator.faults.add(Occasion.PUBLISH, Strike(Fault.EXPIRED))
    assert isinstance(adapter.send(prepared), Sent)
    assert len(simulator.store.list_all()) == 1


def test_an_app_password_that_was_taken_back_needs_a_person(simulator, adapter):
    prepared = prepare(adapter)
    simulator.faults.add(Occasion.PUBLISH, Strike(Fault.REVOKED))
    outcome = adapter.send(prepared)
    assert isinstance(outcome, Refused)
    assert "app password" in outcome.reason
    assert "app password" in adapter.diagnose()
    assert account(simulator).diagnose() is None, "a new one is typed"
    assert simulator.store.list_all() == ()


def test_a_refusal_is_one(simulator, adapter):
    prepared = prepare(adapter)
    simulator.faults.add(Occasion.PUBLISH, Strike(Fault.REFUSE))
    assert isinstance(adapter.send(prepared), Refused)
    assert adapter.look_up(prepared) == Absent()


def test_a_lie_says_absent_and_sending_again_leaves_one(simulator, adapter):
    prepared = prepare(adapter)
    sent = adapter.send(prepared)
    simulator.faults.add(Occasion.READ, Strike(Fault.LIE))
    assert adapter.look_up(prepared) == Absent()
    assert adapter.send(prepared) == sent
    simulator.faults.add(Occasion.READ, Strike(Fault.LIE))
    assert adapter.list_recent(5) == ()
    assert len(simulator.store.list_all()) == 1


@pytest.mark.parametrize(
    "fault", [Fault.LOSE_ANSWER, Fault.BROKEN_AFTER, Fault.RUBBISH, Fault.DROP]
)
def test_a_removal_in_doubt_is_decided_by_looking(simulator, adapter, fault):
    sent = adapter.send(prepare(adapter, THREAD))
    removal = adapter.prepare_removal(sent, key="k", at=AT, reason="A mistake.")
    simulator.faults.add(Occasion.REMOVE, Strike(fault))
    assert isinstance(adapter.send(removal), Unconfirmed)
    if fault is Fault.DROP:
        assert adapter.look_up(removal) == Absent()
        assert isinstance(adapter.send(removal), Sent)
    assert adapter.look_up(removal) == sent
    assert simulator.store.list_newest(9) == ()


def test_a_removal_that_is_refused_says_that_the_post_is_still_there(simulator, adapter):
    sent = adapter.send(prepare(adapter))
    removal = adapter.prepare_removal(sent, key="k", at=AT, reason="A mistake.")
    simulator.faults.add(Occasion.REMOVE, Strike(Fault.REFUSE))
    outcome = adapter.send(removal)
    assert isinstance(outcome, Refused)
    assert outcome.reason.endswith("The post is still there.")


def test_what_somebody_else_did_shows(simulator, adapter):
    prepared = prepare(adapter)
    sent = adapter.send(prepared)
    simulator.store.add_post("Not ours.")
    assert [seen.text for seen in adapter.list_recent(5)] == ["Not ours.", "Hello."]
    [ours] = [one for one in simulator.store.list_all() if one.key]
    simulator.store.change_post(ours.id, text="Changed.")
    assert adapter.read_back(sent).texts == ("Changed.",)
    assert isinstance(adapter.look_up(prepared), Different)
    simulator.store.remove_post(ours.id)
    assert adapter.read_back(sent) == Absent()


def test_a_picture_that_is_no_longer_kept_stops_the_post(simulator, adapter):
    rendition = Rendition((Part("Look:", (make_picture("A square."),)),))
    prepared = prepare(adapter, rendition)
    simulator.simulated._blobs.clear()
    outcome = adapter.send(prepared)
    assert isinstance(outcome, Refused)
    assert "no longer has a picture" in outcome.reason


def test_a_memo_of_another_post_is_not_believed(simulator, adapter):
    first = Rendition((Part("Look:", (make_picture("A square."),)),))
    other = Rendition((Part("Look:", (make_picture("Another.", shade=10),)),))
    memo = adapter.upload(first).memo
    for strange in (memo, "rubbish", "[]", '[["x"]]', "null"):
        prepared = adapter.prepare(other, key=adapter.make_key("d", AT), at=AT, memo=strange)
        assert isinstance(prepared, Prepared)
        assert other.parts[0].pictures[0].alt.encode() in prepared.request
        assert isinstance(adapter.send(prepared), Sent | Unconfirmed)
    assert len(simulator.store.list_all()) == 1


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"handle": "nobody"}, "handle"),
        ({"handle": "person@example.uk"}, "handle"),
        ({"handle": "@Council.Example.UK", "app_password": ""}, "app_password"),
        ({"server": "bsky.social"}, "server"),
        ({"server": "https://bsky.social/path"}, "server"),
        ({"server": "ftp://bsky.social"}, "server"),
    ],
)
def test_what_cannot_be_right_is_said_at_its_field(typed, field):
    fine = {"handle": "council.example.uk", "app_password": "x", "server": "https://bsky.social"}
    with pytest.raises(CannotConnect) as wrong:
        get_kind("bluesky").name_of({**fine, **typed})
    assert wrong.value.field == field
    assert wrong.value.reason.endswith(".")


def test_what_is_typed_is_put_in_order():
    typed = {"handle": " @Council.Example.UK ", "app_password": "x", "server": ""}
    assert get_kind("bluesky").name_of(typed) == ("council.example.uk", "https://bsky.social")


def test_the_faults_are_in_blueskys_own_words():
    for fault in (Fault.TOO_MANY, Fault.BROKEN_BEFORE, Fault.EXPIRED, Fault.REVOKED, Fault.REFUSE):
        said = SIMULATED().error(fault)
        assert b'"error"' in said.body
        assert said.status >= 400
