"""Whatever goes wrong with Meta's channels, a post stands there once or a person is told.

Each fault strikes one request of each kind, and the delivery goes on as the desk would: send, look
up whatever is in doubt, and send again only what was not there.
"""

from datetime import UTC, datetime

import pytest
from graph_kit import connect, simulate

from folkmoot.channels.kinds import get_kind
from folkmoot.channels.port import (
    Absent,
    NotPrepared,
    NotReady,
    Partly,
    Prepared,
    Refused,
    Rendition,
    Sent,
    Unconfirmed,
)
from folkmoot.channels.simulator import Fault, Occasion, Strike
from folkmoot.channels.specimens import make_pictures, make_post

DUE_AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
CHANNELS = ("facebook", "instagram", "threads")
PASSING = (
    Fault.LOSE_ANSWER,
    Fault.DROP,
    Fault.TWICE,
    Fault.TOO_MANY,
    Fault.TOO_MANY_WAIT,
    Fault.BROKEN_BEFORE,
    Fault.BROKEN_AFTER,
    Fault.RUBBISH,
    Fault.WRONG_ID,
    Fault.LIE,
)


@pytest.fixture(params=CHANNELS)
def simulator(request):
    with simulate(request.param) as running:
        yield running


def build(simulator):
    kind = get_kind(simulator.simulated.channel)
    more = {"pause": lambda seconds: None} if kind.channel == "threads" else {}
    return kind.build(connect(simulator), **more)


def rendition(adapter):
    limits = adapter.capabilities()
    texts = ["Part one.", "Part two.", "Part three."][: limits.parts]
    pictures = make_pictures(limits, 2)
    parts = make_post(limits, *texts).parts
    return Rendition((type(parts[0])(texts[0], pictures), *parts[1:]))


def get_ready(adapter, wanted):
    """Hand over and prepare, again where that may help."""
    memo, key = "", adapter.make_key("delivery", DUE_AT)
    outcome = None
    for _ in range(8):
        handed = adapter.upload(wanted, memo=memo)
        if isinstance(handed, NotPrepared):
            outcome = handed
            if not handed.retry:
                break
            continue
        memo = handed.memo
        if isinstance(handed, NotReady):
            continue
        outcome = adapter.prepare(wanted, key=key, at=DUE_AT, memo=memo)
        if isinstance(outcome, Prepared) or not outcome.retry:
            break
    return outcome


def deliver(simulator, prepared, *, anew=True):
    """Send and decide; with an adapter of its own each time, as after the death of a process."""
    adapter, done = build(simulator), ()
    for _ in range(30):
        outcome = adapter.send(prepared, done)
        while isinstance(outcome, Unconfirmed):
            if anew:
                adapter = build(simulator)
            outcome = adapter.look_up(prepared, done)
        if isinstance(outcome, Partly):
            done = outcome.remote_ids
        elif not isinstance(outcome, Absent):
            return outcome
    raise AssertionError("never decided")


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("occasion", [Occasion.PUBLISH, Occasion.READ, Occasion.UPLOAD])
def test_a_fault_while_sending_leaves_the_post_there_once(simulator, occasion, fault):
    adapter = build(simulator)
    prepared = get_ready(adapter, rendition(adapter))
    simulator.store.add_post("Somebody else's, meanwhile.")
    simulator.faults.add(occasion, Strike(fault, 1.0))
    sent = deliver(simulator, prepared)
    assert isinstance(sent, Sent), sent
    ours = [post for post in simulator.store.list_newest(100) if "Part" in post.text]
    assert [post.text for post in reversed(ours)] == [
        part.text for part in rendition(adapter).parts
    ]
    assert [one.rpartition("_")[2] for one in sent.remote_ids] == [
        post.id for post in reversed(ours)
    ]


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.WRONG_ID, Fault.TWICE])
def test_a_fault_with_every_part_leaves_each_there_once(simulator, fault):
    adapter = build(simulator)
    prepared = get_ready(adapter, rendition(adapter))
    simulator.faults.add(Occasion.PUBLISH, Strike(fault), times=3)
    assert isinstance(deliver(simulator, prepared), Sent)
    assert len(simulator.store.list_newest(100)) == len(rendition(adapter).parts)


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("occasion", [Occasion.UPLOAD, Occasion.READ])
def test_a_fault_while_getting_ready_publishes_nothing_and_passes(simulator, occasion, fault):
    adapter = build(simulator)
    simulator.faults.add(occasion, Strike(fault, 1.0))
    prepared = get_ready(adapter, rendition(adapter))
    assert isinstance(prepared, Prepared), prepared
    assert simulator.store.list_all() == ()
    assert isinstance(deliver(simulator, prepared), Sent)
    assert len(simulator.store.list_newest(100)) == len(rendition(adapter).parts)


def test_a_clear_no_is_refused_and_nothing_is_live(simulator):
    adapter = build(simulator)
    prepared = get_ready(adapter, rendition(adapter))
    simulator.faults.add(Occasion.PUBLISH, Strike(Fault.REFUSE))
    outcome = adapter.send(prepared)
    assert isinstance(outcome, Refused)
    assert outcome.reason.endswith("Nothing was published.")
    assert adapter.look_up(prepared) == Absent()
    assert simulator.store.list_all() == ()


def test_a_revoked_token_is_told_as_it_is_and_nothing_is_live(simulator):
    adapter = build(simulator)
    prepared = get_ready(adapter, rendition(adapter))
    simulator.faults.add(Occasion.PUBLISH, Strike(Fault.REVOKED))
    outcome = adapter.send(prepared)
    assert isinstance(outcome, Refused)
    assert "connect the account again" in outcome.reason
    assert "revoked" in adapter.diagnose()
    assert isinstance(adapter.upload(rendition(adapter)), NotPrepared)
    assert simulator.store.list_all() == ()


def test_an_expired_token_is_renewed_where_it_can_be_and_the_post_goes_out_once(simulator):
    adapter = build(simulator)
    prepared = get_ready(adapter, rendition(adapter))
    simulator.faults.add(Occasion.PUBLISH, Strike(Fault.EXPIRED))
    outcome = adapter.send(prepared)
    if simulator.simulated.channel == "facebook":
        assert isinstance(outcome, Refused)
        assert "it has run out" in outcome.reason
    else:
        assert isinstance(outcome, Sent | Partly)
        assert len(simulator.store.list_all()) == 1


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.BROKEN_AFTER, Fault.LIE, Fault.DROP])
@pytest.mark.parametrize("occasion", [Occasion.REMOVE, Occasion.READ])
def test_a_removal_in_doubt_is_decided_by_looking(simulator, occasion, fault):
    adapter = build(simulator)
    sent = deliver(simulator, get_ready(adapter, rendition(adapter)))
    removal = adapter.prepare_removal(sent, key="removal", at=DUE_AT, reason="A mistake.")
    simulator.faults.add(occasion, Strike(fault))
    removed = deliver(simulator, removal)
    assert isinstance(removed, Sent), removed
    assert removed.remote_ids == sent.remote_ids
    assert simulator.store.list_newest(100) == ()


@pytest.mark.parametrize("occasion", [Occasion.READ, Occasion.UPLOAD])
def test_a_read_that_lies_right_after_a_lost_answer_leads_to_no_second_post(simulator, occasion):
    adapter = build(simulator)
    prepared = get_ready(adapter, rendition(adapter))
    simulator.faults.add(Occasion.PUBLISH, Strike(Fault.LOSE_ANSWER))
    assert isinstance(adapter.send(prepared), Unconfirmed)
    simulator.faults.add(occasion, Strike(Fault.LIE))
    assert isinstance(deliver(simulator, prepared), Sent)
    assert len(simulator.store.list_newest(100)) == len(rendition(adapter).parts)
