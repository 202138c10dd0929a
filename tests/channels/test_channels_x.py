"""X, on a simulated X: the contract, what X does in its own way, and every fault."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from folkmoot.channels.contract import ChannelContract
from folkmoot.channels.kinds import Connected
from folkmoot.channels.outbound import Outbound
from folkmoot.channels.port import (
    Absent,
    NotPrepared,
    NotReady,
    Part,
    Partly,
    Prepared,
    Refused,
    Rendition,
    Sent,
    Unconfirmed,
    Unreadable,
    Uploaded,
)
from folkmoot.channels.simulator import Fault, Occasion, Simulator, Strike, make_simulated
from folkmoot.channels.simulator.authority import CLIENT_SECRET
from folkmoot.channels.specimens import make_picture, post
from folkmoot.channels.tokens import MemoryTokens
from folkmoot.channels.x import KIND


@pytest.fixture
def simulator():
    with Simulator(make_simulated("x")) as simulator:
        yield simulator


@pytest.fixture
def tokens(simulator):
    return MemoryTokens(simulator.simulated.authority.sign_in(simulator.store.now()).to_tokens())


@pytest.fixture
def account(simulator, tokens):
    typed = dict(simulator.simulated.to_type(simulator.url))
    handle, server = KIND.name_of(typed)
    return Connected(
        handle=handle,
        server=server,
        settings={"client_id": typed["client_id"]},
        secrets={"client_secret": typed["client_secret"]},
        outbound=Outbound(allow=[simulator.allow], timeout_seconds=5),
        tokens=tokens,
        picture_url=lambda sha256, media_type: "",
        now=lambda: datetime.now(UTC),
    )


@pytest.fixture
def adapter(account):
    return KIND.build(account)


class TestContract(ChannelContract):
    keyed = False

    @pytest.fixture
    def adapter(self, account):
        return KIND.build(account)

    @pytest.fixture
    def count_posts(self, simulator):
        return lambda: len(simulator.store.list_newest(1000))

    @pytest.fixture
    def count_uploads(self, simulator):
        return lambda: sum(
            1
            for one in simulator.requests
            if one.method == "POST" and one.path == "/2/media/upload"
        )

    @pytest.fixture
    def secrets(self, tokens):
        return lambda: [tokens.find()["access"], tokens.find()["refresh"], CLIENT_SECRET]


class TestContractWithSlowMedia(TestContract):
    @pytest.fixture(autouse=True)
    def slow(self, simulator):
        simulator.faults.set_rates({(Occasion.UPLOAD, Fault.SLOW_MEDIA): (0.5, 0.1)})


# -- deciding what became of a send ------------------------------------------------------------


def test_a_post_whose_answer_was_lost_is_found_and_not_sent_again(adapter, simulator):
    prepared = prepare(adapter, post("Lost on the way back."))
    simulator.faults.add(Occasion.PUBLISH, Strike(Fault.LOSE_ANSWER))
    assert isinstance(adapter.send(prepared), Unconfirmed)
    assert isinstance(adapter.look_up(prepared), Sent)
    assert count(simulator) == 1


@pytest.mark.parametrize(
    "fault", [Fault.LOSE_ANSWER, Fault.BROKEN_AFTER, Fault.RUBBISH, Fault.TWICE, Fault.WRONG_ID]
)
def test_a_repeat_of_our_own_that_x_refuses_is_recognised_as_sent(adapter, simulator, fault):
    adapter.send(prepare(adapter, post("Something from before.")))
    prepared = prepare(adapter, post("Have it once."))
    simulator.faults.add(Occasion.PUBLISH, Strike(fault))
    first = adapter.send(prepared)
    assert isinstance(first, Unconfirmed) or fault is Fault.TWICE
    again = adapter.send(prepared)  # as after a look-up that was told a lie
    assert isinstance(again, Sent), again
    assert simulator.store.find_post(again.remote_id).text == "Have it once."
    assert count(simulator) == 2


def test_a_post_with_the_words_of_an_older_one_is_refused_and_the_older_one_named(
    adapter, simulator
):
    older = simulator.store.add_post("The bridge is closed.")
    refused = adapter.send(prepare(adapter, post("The bridge is closed.")))
    assert isinstance(refused, Refused)
    assert refused.reason.startswith("X already has a post with these very words; change them.")
    assert older.id in refused.reason


def test_a_post_with_the_words_of_a_newer_one_that_is_no_answer_is_not_taken_for_an_answer(
    adapter, simulator
):
    asked = simulator.store.add_post("When?")
    prepared = prepare(adapter, replace(post("Tomorrow."), replying_to=asked.id))
    simulator.store.add_post("Tomorrow.")
    assert adapter.look_up(prepared) == Absent()
    assert isinstance(adapter.send(prepared), Refused)


def test_a_repeat_nobody_can_see_is_in_doubt_first_and_refused_in_the_end(account, simulator):
    now = datetime.now(UTC)
    adapter = KIND.build(replace(account, now=lambda: now))
    gone = simulator.store.add_post("Taken down an hour ago.")
    simulator.store.remove_post(gone.id)
    prepared = prepare(adapter, post("Taken down an hour ago."), at=now)
    outcome = adapter.send(prepared)
    assert isinstance(outcome, Unconfirmed)
    assert outcome.after_seconds == 60
    assert adapter.look_up(prepared) == Absent()
    now += timedelta(minutes=11)
    refused = adapter.send(prepared)
    assert isinstance(refused, Refused)
    assert "taken down" in refused.reason


def test_a_repeat_that_cannot_be_looked_at_is_in_doubt(adapter, simulator):
    simulator.store.add_post("Not readable.")
    prepared = prepare(adapter, post("Not readable."))
    simulator.faults.add(Occasion.READ, Strike(Fault.BROKEN_BEFORE))
    assert isinstance(adapter.send(prepared), Unconfirmed)


def test_the_part_of_a_thread_whose_answer_was_lost_is_found_behind_those_before_it(
    adapter, simulator
):
    prepared = prepare(adapter, post("One of two.", "Two of two."))
    first = adapter.send(prepared)
    assert isinstance(first, Partly)
    simulator.faults.add(Occasion.PUBLISH, Strike(Fault.LOSE_ANSWER))
    assert isinstance(adapter.send(prepared, first.remote_ids), Unconfirmed)
    found = adapter.look_up(prepared, first.remote_ids)
    assert isinstance(found, Sent)
    assert found.remote_ids[0] == first.remote_ids[0]
    second = simulator.store.find_post(found.remote_ids[1])
    assert second.reply_to == first.remote_ids[0]
    assert adapter.send(prepared, found.remote_ids) == found, "nothing is left to be sent"


def test_words_are_known_again_although_x_shows_them_changed(adapter, simulator):
    text = "“A & B” <say>: https://example.gov.uk/a?b=c&d=e and e\u0301 – more"
    prepared = prepare(adapter, Rendition((Part(text, (make_picture("A square."),)),)))
    simulator.faults.add(Occasion.PUBLISH, Strike(Fault.LOSE_ANSWER))
    adapter.send(prepared)
    found = adapter.look_up(prepared)
    assert isinstance(found, Sent)
    assert adapter.read_back(found).texts == (text,)
    assert adapter.read_back(found).alts == (("A square.",),)


@pytest.mark.parametrize("seed", range(20))
def test_under_faults_a_thread_goes_out_once_or_is_left_to_a_person(account, simulator, seed):
    simulator.faults._random.seed(seed)
    quick = replace(account, outbound=Outbound(allow=[simulator.allow], timeout_seconds=1))
    simulator.faults.set_rates(
        {
            (Occasion.PUBLISH, Fault.LOSE_ANSWER): (0.3, 0),
            (Occasion.PUBLISH, Fault.BROKEN_BEFORE): (0.1, 0),
            (Occasion.PUBLISH, Fault.TWICE): (0.2, 0),
            (Occasion.PUBLISH, Fault.TOO_MANY_WAIT): (0.1, 1),
            (Occasion.PUBLISH, Fault.RUBBISH): (0.1, 0),
            (Occasion.PUBLISH, Fault.WRONG_ID): (0.1, 0),
            (Occasion.READ, Fault.LIE): (0.2, 0),
            (Occasion.READ, Fault.TOO_MANY): (0.1, 0),
        }
    )
    adapter, texts = KIND.build(quick), ("One of three.", "Two of three.", "Three of three.")
    prepared = adapter.prepare(post(*texts), key="k", at=datetime.now(UTC))
    while not isinstance(prepared, Prepared):
        prepared = adapter.prepare(post(*texts), key="k", at=datetime.now(UTC))
    done = ()
    for _ in range(100):
        outcome = adapter.send(prepared, done)
        while isinstance(outcome, Unconfirmed):
            outcome = adapter.look_up(prepared, done)
        if isinstance(outcome, Sent):
            break
        assert isinstance(outcome, Partly | Absent), outcome
        done = outcome.remote_ids if isinstance(outcome, Partly) else done
    else:
        pytest.fail("it did not come to an end")
    assert [one.text for one in simulator.store.list_all()] == list(texts)
    assert outcome.remote_ids == tuple(one.id for one in simulator.store.list_all())


# -- signing in --------------------------------------------------------------------------------


def test_a_token_that_is_over_is_renewed_once_and_the_post_goes_out(adapter, simulator, tokens):
    prepared = prepare(adapter, post("With a fresh token."))
    before = tokens.find()
    simulator.faults.add(Occasion.PUBLISH, Strike(Fault.EXPIRED))
    assert isinstance(adapter.send(prepared), Sent)
    assert tokens.find()["access"] != before["access"]
    assert tokens.find()["refresh"] != before["refresh"]
    assert count(simulator) == 1


def test_a_sign_in_that_was_revoked_is_refused_with_what_to_do(adapter, simulator, tokens):
    prepared = prepare(adapter, post("Too late."))
    before = tokens.find()
    simulator.faults.add(Occasion.PUBLISH, Strike(Fault.REVOKED))
    refused = adapter.send(prepared)
    assert isinstance(refused, Refused)
    assert refused.reason.endswith("Connect the account again.")
    assert tokens.find() == before
    assert adapter.diagnose() == refused.reason
    assert isinstance(adapter.look_up(prepared), Unconfirmed)
    assert isinstance(adapter.list_recent(5), Unreadable)
    assert count(simulator) == 0


def test_the_wrong_account_is_noticed_before_anything_is_posted(account):
    adapter = KIND.build(replace(account, handle="SomebodyElse"))
    outcome = adapter.prepare(post("Not mine."), key="k", at=datetime.now(UTC))
    assert isinstance(outcome, NotPrepared)
    assert not outcome.retry
    assert "@ExampleCouncil, not @SomebodyElse" in outcome.reason
    assert "@SomebodyElse" in adapter.diagnose()


def test_a_sign_in_that_is_renewed_has_no_end(adapter):
    assert adapter.sign_in_ends_at() is None


# -- pictures ----------------------------------------------------------------------------------


def test_a_picture_in_processing_is_asked_about_and_not_handed_over_again(adapter, simulator):
    simulator.faults.add(Occasion.UPLOAD, Strike(Fault.SLOW_MEDIA, 0.05))
    rendition = Rendition((Part("Look:", (make_picture("A square."),)),))
    first = adapter.upload(rendition)
    assert isinstance(first, NotReady)
    assert first.after_seconds == 1
    outcome = first
    while isinstance(outcome, NotReady):
        outcome = adapter.upload(rendition, memo=outcome.memo)
    assert isinstance(outcome, Uploaded)
    assert len([one for one in simulator.requests if one.method == "POST"]) == 2, "file, then alt"


def test_a_picture_that_x_forgets_within_the_hour_is_handed_over_anew(account, simulator):
    now = datetime.now(UTC)
    adapter = KIND.build(replace(account, now=lambda: now))
    rendition = Rendition((Part("Look:", (make_picture("A square."),)),))
    first = adapter.upload(rendition)
    assert adapter.upload(rendition, memo=first.memo) == first
    now += timedelta(hours=23, minutes=30)
    assert adapter.upload(rendition, memo=first.memo) != first


def test_a_picture_x_does_not_take_stops_the_post(adapter, simulator):
    simulator.faults.add(Occasion.UPLOAD, Strike(Fault.REFUSE))
    rendition = Rendition((Part("Look:", (make_picture("A square."),)),))
    outcome = adapter.upload(rendition)
    assert isinstance(outcome, NotPrepared)
    assert not outcome.retry


# -- the rest ----------------------------------------------------------------------------------


def test_what_is_published_by_somebody_else_is_listed(adapter, simulator):
    stranger = simulator.store.add_post("Buy & win")
    [seen] = adapter.list_recent(1)
    assert (seen.remote_id, seen.text) == (stranger.id, "Buy & win")


def test_a_removal_in_doubt_is_looked_up_part_by_part(adapter, simulator):
    sent = send_all(adapter, prepare(adapter, post("One of two.", "Two of two.")))
    removal = adapter.prepare_removal(sent, key="r", at=datetime.now(UTC), reason="A mistake.")
    simulator.faults.add(Occasion.REMOVE, Strike(Fault.LOSE_ANSWER))
    assert isinstance(adapter.send(removal), Unconfirmed)
    assert adapter.look_up(removal) == Partly((sent.remote_ids[1],)), "the last part goes first"
    assert adapter.send(removal, (sent.remote_ids[1],)) == sent
    assert adapter.look_up(removal) == sent
    assert adapter.read_back(sent) == Absent()


def prepare(adapter, rendition, *, at=None):
    prepared = adapter.prepare(rendition, key="a-key", at=at or datetime.now(UTC))
    assert isinstance(prepared, Prepared), prepared
    return prepared


def send_all(adapter, prepared):
    outcome = adapter.send(prepared)
    while isinstance(outcome, Partly):
        outcome = adapter.send(prepared, outcome.remote_ids)
    return outcome


def count(simulator):
    return len(simulator.store.list_newest(1000))
