"""LinkedIn, on a simulated LinkedIn: the contract, what it does in its own way, and every fault."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from folkmoot.channels.contract import ChannelContract
from folkmoot.channels.kinds import CannotConnect, Connected
from folkmoot.channels.linkedin import KIND
from folkmoot.channels.outbound import Outbound
from folkmoot.channels.port import (
    Absent,
    NotPrepared,
    NotReady,
    Part,
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
from folkmoot.channels.tokens import Grant, MemoryTokens


@pytest.fixture
def simulator():
    with Simulator(make_simulated("linkedin")) as simulator:
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
        return lambda: sum(1 for one in simulator.requests if one.method == "PUT")

    @pytest.fixture
    def secrets(self, tokens):
        return lambda: [tokens.find()["access"], tokens.find()["refresh"], CLIENT_SECRET]


class TestContractWithSlowMedia(TestContract):
    @pytest.fixture(autouse=True)
    def slow(self, simulator):
        simulator.faults.set_rates({(Occasion.UPLOAD, Fault.SLOW_MEDIA): (0.5, 0.1)})


# -- deciding what became of a send ------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [Fault.LOSE_ANSWER, Fault.BROKEN_AFTER, Fault.RUBBISH, Fault.TWICE, Fault.WRONG_ID],
)
@pytest.mark.parametrize("before", [0, 1])
def test_a_post_in_doubt_is_found_and_a_repeat_of_it_recognised(adapter, simulator, fault, before):
    for number in range(before):
        simulator.store.add_post(f"From before: {number}.")
    prepared = prepare(adapter, post("Have it once (and only once)."))
    simulator.faults.add(Occasion.PUBLISH, Strike(fault))
    outcome = adapter.send(prepared)
    assert isinstance(outcome, Unconfirmed) or fault is Fault.TWICE, outcome
    found = adapter.look_up(prepared)
    assert isinstance(found, Sent)
    assert adapter.send(prepared) == found, "as after a look-up that was told a lie"
    assert adapter.read_back(found).texts == ("Have it once (and only once).",)
    assert count(simulator) == before + 1


def test_the_words_of_an_older_post_are_refused_and_that_post_is_named(adapter, simulator):
    older = simulator.store.add_post("The bridge is closed.")
    prepared = prepare(adapter, post("The bridge is closed."))
    refused = adapter.send(prepared)
    assert isinstance(refused, Refused)
    assert f"urn:li:share:{older.id}" in refused.reason
    assert adapter.look_up(prepared) == Absent()


def test_a_ghost_is_in_doubt_first_and_refused_in_the_end(account, simulator):
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
    simulator.faults.add(Occasion.READ, Strike(Fault.TOO_MANY_WAIT, 30))
    outcome = adapter.send(prepared)
    assert isinstance(outcome, Unconfirmed)
    assert outcome.after_seconds == 30


@pytest.mark.parametrize("seed", range(12))
def test_under_faults_a_post_goes_out_once(account, simulator, seed):
    simulator.faults._random.seed(seed)
    simulator.faults.set_rates(
        {
            (Occasion.PUBLISH, Fault.LOSE_ANSWER): (0.3, 0),
            (Occasion.PUBLISH, Fault.BROKEN_BEFORE): (0.2, 0),
            (Occasion.PUBLISH, Fault.TWICE): (0.2, 0),
            (Occasion.PUBLISH, Fault.RUBBISH): (0.2, 0),
            (Occasion.PUBLISH, Fault.WRONG_ID): (0.2, 0),
            (Occasion.READ, Fault.LIE): (0.3, 0),
            (Occasion.READ, Fault.TOO_MANY): (0.2, 0),
            (Occasion.READ, Fault.SKEW): (0.1, -3600),
        }
    )
    adapter = KIND.build(account)
    prepared = None
    while not isinstance(prepared, Prepared):
        prepared = adapter.prepare(post("Once."), key="k", at=datetime.now(UTC))
    for _ in range(100):
        outcome = adapter.send(prepared)
        while isinstance(outcome, Unconfirmed):
            outcome = adapter.look_up(prepared)
        if isinstance(outcome, Sent):
            break
        assert outcome == Absent()
    else:
        pytest.fail("it did not come to an end")
    [there] = simulator.store.list_all()
    assert outcome.remote_id == f"urn:li:share:{there.id}"


# -- signing in --------------------------------------------------------------------------------


def test_a_token_that_is_over_is_renewed_once_and_the_refresh_token_stays(
    adapter, simulator, tokens
):
    prepared = prepare(adapter, post("With a fresh token."))
    before, ends_at = tokens.find(), adapter.sign_in_ends_at()
    simulator.faults.add(Occasion.PUBLISH, Strike(Fault.EXPIRED))
    assert isinstance(adapter.send(prepared), Sent)
    assert tokens.find()["access"] != before["access"]
    assert tokens.find()["refresh"] == before["refresh"]
    assert abs(adapter.sign_in_ends_at() - ends_at) < timedelta(seconds=5), "a year from the first"


def test_a_sign_in_that_was_revoked_is_refused_with_what_to_do(adapter, simulator):
    prepared = prepare(adapter, post("Too late."))
    simulator.faults.add(Occasion.PUBLISH, Strike(Fault.REVOKED))
    refused = adapter.send(prepared)
    assert isinstance(refused, Refused)
    assert refused.reason.endswith("Connect the account again.")
    assert adapter.diagnose() == refused.reason
    assert isinstance(adapter.look_up(prepared), Unconfirmed)
    assert isinstance(adapter.list_recent(5), Unreadable)
    assert isinstance(adapter.upload(with_picture()), NotPrepared)
    assert count(simulator) == 0


def test_without_a_refresh_token_the_sign_in_ends_with_the_access_token(account, tokens):
    ends_at = datetime.now(UTC) + timedelta(days=60)
    tokens.save(Grant(tokens.find()["access"], "", ends_at).to_tokens())
    assert KIND.build(account).sign_in_ends_at() == ends_at


def test_a_page_somebody_may_not_post_for_is_not_connected(account):
    other = replace(account, handle="1234567", tokens=MemoryTokens())
    page = KIND.authorisation.begin(
        other, redirect_uri="https://desk.example.gov.uk/back", state="s", challenge="c"
    )
    sent_back = other.outbound.request("POST", page).headers["location"]
    code = sent_back.partition("code=")[2].partition("&")[0]
    with pytest.raises(CannotConnect, match="administrator of the page"):
        KIND.authorisation.finish(
            other, redirect_uri="https://desk.example.gov.uk/back", code=code, verifier="v"
        )
    assert other.tokens.find() is None


def test_a_page_is_connected_from_the_page_to_the_first_post(account):
    fresh = replace(account, tokens=MemoryTokens())
    page = KIND.authorisation.begin(
        fresh, redirect_uri="https://desk.example.gov.uk/back", state="s", challenge="c"
    )
    assert "challenge" not in page
    sent_back = fresh.outbound.request("POST", page).headers["location"]
    code = sent_back.partition("code=")[2].partition("&")[0]
    KIND.authorisation.finish(
        fresh, redirect_uri="https://desk.example.gov.uk/back", code=code, verifier="v"
    )
    adapter = KIND.build(fresh)
    left = adapter.sign_in_ends_at() - datetime.now(UTC)
    assert timedelta(days=364) < left <= timedelta(days=365)
    assert isinstance(adapter.send(prepare(adapter, post("Hello."))), Sent)


# -- pictures ----------------------------------------------------------------------------------


def test_a_picture_in_processing_is_asked_about_and_not_handed_over_again(adapter, simulator):
    for _ in range(2):  # the first is for the request that names the place
        simulator.faults.add(Occasion.UPLOAD, Strike(Fault.SLOW_MEDIA, 0.1))
    outcome = adapter.upload(with_picture())
    assert isinstance(outcome, NotReady)
    while isinstance(outcome, NotReady):
        outcome = adapter.upload(with_picture(), memo=outcome.memo)
    assert isinstance(outcome, Uploaded)
    assert [one.method for one in simulator.requests].count("PUT") == 1


def test_one_picture_and_several_go_out_in_their_own_forms(adapter):
    for number in (1, 2):
        pictures = tuple(make_picture(f"Square {n}.", shade=20 * n) for n in range(number))
        prepared = prepare(adapter, Rendition((Part(f"{number}:", pictures),)))
        form = b"media" if number == 1 else b"multiImage"
        assert b'"content":{"' + form + b'":' in prepared.request
        sent = adapter.send(prepared)
        assert isinstance(sent, Sent)
        assert adapter.read_back(sent).alts == (tuple(one.alt for one in pictures),)


def test_the_token_goes_to_no_server_but_linkedins(account, simulator):
    class Elsewhere:
        """LinkedIn names a place for pictures on another server."""

        def __init__(self, outbound):
            self.outbound, self.puts = outbound, []

        def request(self, method, url, headers=None, body=None):
            if method == "PUT":
                self.puts.append((url, headers))
                url, headers = (
                    url.replace("files.example.org", simulator.allow),
                    {
                        **headers,
                        "Authorization": f"Bearer {account.tokens.find()['access']}",
                    },
                )
                return self.outbound.request(method, url.replace("https", "http"), headers, body)
            response = self.outbound.request(method, url, headers, body)
            there = response.body.replace(
                f"http://{simulator.allow}/dms".encode(), b"https://files.example.org/dms"
            )
            return replace(response, body=there)

    elsewhere = Elsewhere(account.outbound)
    assert isinstance(
        KIND.build(replace(account, outbound=elsewhere)).upload(with_picture()), Uploaded
    )
    [(url, headers)] = elsewhere.puts
    assert url.startswith("https://files.example.org/")
    assert "Authorization" not in headers


# -- the rest ----------------------------------------------------------------------------------


def test_what_is_published_by_somebody_else_is_listed(adapter, simulator):
    stranger = simulator.store.add_post("Buy (now) & win #prizes")
    [seen] = adapter.list_recent(5)
    assert seen.remote_id == f"urn:li:share:{stranger.id}"
    assert seen.text == "Buy (now) & win #prizes"


def test_a_removal_in_doubt_is_looked_up(adapter, simulator):
    sent = adapter.send(prepare(adapter, post("A mistake.")))
    removal = adapter.prepare_removal(sent, key="r", at=datetime.now(UTC), reason="A mistake.")
    simulator.faults.add(Occasion.REMOVE, Strike(Fault.DROP))
    assert isinstance(adapter.send(removal), Unconfirmed)
    assert adapter.look_up(removal) == Absent()
    simulator.faults.add(Occasion.REMOVE, Strike(Fault.LOSE_ANSWER))
    assert isinstance(adapter.send(removal), Unconfirmed)
    assert adapter.look_up(removal) == sent


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"handle": "our-council"}, "handle"),
        ({"handle": ""}, "handle"),
        ({"handle": "1", "server": "api"}, "server"),
        ({"handle": "1", "version": "2026-05"}, "version"),
        ({"handle": "1", "version": "202613"}, "version"),
    ],
)
def test_what_cannot_be_a_page_is_said_at_its_field(typed, field):
    with pytest.raises(CannotConnect) as found:
        KIND.name_of(typed)
    assert found.value.field == field


@pytest.mark.parametrize(
    "typed",
    [
        "5515715",
        " urn:li:organization:5515715",
        "https://www.linkedin.com/company/5515715/admin/dashboard/",
    ],
)
def test_a_page_is_known_by_its_number_wherever_it_stands(typed):
    assert KIND.name_of({"handle": typed}) == ("5515715", "https://api.linkedin.com")


def with_picture():
    return Rendition((Part("Look:", (make_picture("A square."),)),))


def prepare(adapter, rendition, *, at=None):
    prepared = adapter.prepare(rendition, key="a-key", at=at or datetime.now(UTC))
    assert isinstance(prepared, Prepared), prepared
    return prepared


def count(simulator):
    return len(simulator.store.list_newest(1000))
