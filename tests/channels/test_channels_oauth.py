"""Signing in on a channel's page, and renewing what came of it."""

import base64
import hashlib
import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from folkmoot.channels.kinds import CannotConnect, Connected
from folkmoot.channels.linkedin.kind import OAUTH as LINKEDIN
from folkmoot.channels.oauth import TABLE, OAuth, find_secrets
from folkmoot.channels.outbound import Outbound, OutboundError, Response
from folkmoot.channels.simulator import Fault, Occasion, Simulator, Strike, make_simulated
from folkmoot.channels.tokens import CannotSignIn, Grant, MemoryTokens
from folkmoot.channels.x import KIND
from folkmoot.channels.x.kind import OAUTH as X

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
VERIFIER = "a-verifier-of-more-than-forty-three-characters-0123456789"
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
)
BACK = "https://desk.example.gov.uk/accounts/back?for=x"
GRANT = Grant("old-access", "old-refresh", NOW, NOW + timedelta(days=300))


class Saying:
    """Answers with what it is given, and keeps what it was asked."""

    def __init__(self, value, status=200):
        self.value, self.status, self.asked = value, status, []

    def request(self, method, url, headers=None, body=None):
        self.asked.append((url, headers, body.decode()))
        if self.value is OutboundError:
            raise OutboundError("It is silent.", sent=True)
        return Response(self.status, {}, json.dumps(self.value).encode())


def make_account(outbound, tokens=None, *, secret="s3cr&t", client_id="client 1"):
    return Connected(
        handle="ExampleCouncil",
        server="https://api.example.org",
        settings={"client_id": client_id},
        secrets={"client_secret": secret} if secret else {},
        outbound=outbound,
        tokens=tokens or MemoryTokens(GRANT.to_tokens()),
        picture_url=lambda sha256, media_type: "",
        now=lambda: NOW,
    )


def make_oauth(**more):
    return OAuth(
        title="Example",
        authorise_url=lambda account: f"{account.server}/authorise",
        token_url=lambda account: f"{account.server}/token",
        scopes=("read", "write"),
        **more,
    )


# -- the page ----------------------------------------------------------------------------------


def test_a_person_is_sent_to_the_page_with_a_challenge_and_what_is_asked_for():
    account = make_account(Saying({}))
    url = make_oauth(extra={"force": "1"}).begin(
        account, redirect_uri=BACK, state="s", challenge=CHALLENGE
    )
    assert url.startswith("https://api.example.org/authorise?")
    assert parse_qs(urlsplit(url).query) == {
        "response_type": ["code"],
        "client_id": ["client 1"],
        "redirect_uri": [BACK],
        "scope": ["read write"],
        "state": ["s"],
        "code_challenge": [CHALLENGE],
        "code_challenge_method": ["S256"],
        "force": ["1"],
    }
    assert "scope=read%20write" in url


def test_a_channel_without_pkce_is_given_no_challenge_and_no_verifier():
    outbound = Saying({"access_token": "a"})
    oauth, account = make_oauth(pkce=False), make_account(outbound)
    assert "challenge" not in oauth.begin(
        account, redirect_uri=BACK, state="s", challenge=CHALLENGE
    )
    oauth.finish(account, redirect_uri=BACK, code="c", verifier=VERIFIER)
    assert "verifier" not in outbound.asked[0][2]


def test_without_a_client_id_nobody_is_sent_anywhere():
    account = make_account(Saying({}), client_id=" ")
    with pytest.raises(CannotConnect) as found:
        make_oauth().begin(account, redirect_uri=BACK, state="s", challenge=CHALLENGE)
    assert found.value.field == "client_id"


# -- the exchange ------------------------------------------------------------------------------


@pytest.mark.parametrize("basic", [True, False])
def test_a_client_names_itself_by_basic_or_in_the_form(basic):
    outbound = Saying({"access_token": "a"})
    make_oauth(basic=basic).finish(
        make_account(outbound), redirect_uri=BACK, code="c", verifier=VERIFIER
    )
    [(url, headers, body)] = outbound.asked
    form = parse_qs(body)
    assert url == "https://api.example.org/token"
    assert form["grant_type"] == ["authorization_code"]
    assert form["code_verifier"] == [VERIFIER]
    assert form["redirect_uri"] == [BACK]
    if basic:
        pair = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode()
        assert pair == "client%201:s3cr%26t"
        assert "client_secret" not in form
    else:
        assert "Authorization" not in headers
        assert (form["client_id"], form["client_secret"]) == (["client 1"], ["s3cr&t"])


def test_a_client_without_a_secret_is_named_in_the_form():
    outbound = Saying({"access_token": "a"})
    make_oauth().finish(
        make_account(outbound, secret=""), redirect_uri=BACK, code="c", verifier=VERIFIER
    )
    assert "Authorization" not in outbound.asked[0][1]
    assert parse_qs(outbound.asked[0][2])["client_id"] == ["client 1"]


def test_what_comes_is_kept_with_its_times():
    answer = {
        "access_token": "a",
        "refresh_token": "r",
        "expires_in": "7200",
        "refresh_token_expires_in": 86_400,
    }
    tokens = MemoryTokens()
    make_oauth().finish(
        make_account(Saying(answer), tokens), redirect_uri=BACK, code="c", verifier=VERIFIER
    )
    assert Grant.from_tokens(tokens.find()) == Grant(
        "a", "r", NOW + timedelta(hours=2), NOW + timedelta(days=1)
    )


@pytest.mark.parametrize("answer", [{}, {"access_token": ""}, {"access_token": 7}, [], None, "ok"])
def test_an_answer_without_a_token_connects_nothing_and_overwrites_nothing(answer):
    account = make_account(Saying(answer))
    with pytest.raises(CannotConnect, match="without a token"):
        make_oauth().finish(account, redirect_uri=BACK, code="c", verifier=VERIFIER)
    with pytest.raises(CannotSignIn) as found:
        make_oauth().make_grants(account).renew(GRANT)
    assert found.value.retry
    assert account.tokens.find() == GRANT.to_tokens()


def test_the_wrong_account_is_not_kept():
    def check(account, grant):
        raise CannotConnect("That is somebody else.")

    account = make_account(Saying({"access_token": "a"}))
    with pytest.raises(CannotConnect, match="somebody else"):
        make_oauth(check=check).finish(account, redirect_uri=BACK, code="c", verifier=VERIFIER)
    assert account.tokens.find() == GRANT.to_tokens()


# -- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize("error", TABLE)
def test_each_refusal_is_a_sentence_and_says_whether_it_may_pass(error):
    value = {"error": error, "error_description": "old-refresh s3cr&t is bad"}
    account = make_account(Saying(value, 400))
    with pytest.raises(CannotSignIn) as found:
        make_oauth().make_grants(account).renew(GRANT)
    assert found.value.retry == (error in ("temporarily_unavailable", "server_error"))
    assert "Example" in found.value.reason
    assert found.value.reason.endswith(".")
    assert not any(secret in found.value.reason for secret in find_secrets(account))
    assert "{" not in found.value.reason
    assert account.tokens.find() == GRANT.to_tokens()
    with pytest.raises(CannotConnect):
        make_oauth().finish(account, redirect_uri=BACK, code="c", verifier=VERIFIER)


@pytest.mark.parametrize("value", [OutboundError, "<html>", {"error": 1}, {}])
def test_silence_and_rubbish_may_pass(value):
    account = make_account(Saying(value, 502))
    with pytest.raises(CannotSignIn) as found:
        make_oauth().make_grants(account).renew(GRANT)
    assert found.value.retry
    assert account.tokens.find() == GRANT.to_tokens()


def test_what_x_calls_an_invalid_token_is_a_sign_in_that_is_over():
    value = {
        "error": "invalid_request",
        "error_description": "Value passed for the token was invalid.",
    }
    with pytest.raises(CannotSignIn, match="does not take this sign-in any more") as found:
        X.make_grants(make_account(Saying(value, 400))).renew(GRANT)
    assert not found.value.retry


def test_without_a_refresh_token_a_person_must_come_again():
    grant = replace(GRANT, refresh="")
    account = make_account(Saying({}), MemoryTokens(grant.to_tokens()))
    with pytest.raises(CannotSignIn, match="Connect the account again") as found:
        LINKEDIN.make_grants(account).renew(grant)
    assert not found.value.retry
    assert account.outbound.asked == []


# -- renewal -----------------------------------------------------------------------------------


def test_what_a_renewal_leaves_out_stays_as_it_was():
    account = make_account(Saying({"access_token": "new", "expires_in": 60}))
    fresh = make_oauth().make_grants(account).renew(GRANT)
    assert fresh == Grant("new", "old-refresh", NOW + timedelta(seconds=60), GRANT.sign_in_ends_at)
    assert Grant.from_tokens(account.tokens.find()) == fresh


def test_two_who_renew_at_once_ask_once_and_both_go_on():
    with Simulator(make_simulated("x")) as simulator:
        authority = simulator.simulated.authority
        grant = authority.sign_in(simulator.store.now())
        authority.expire(grant.access)
        tokens = MemoryTokens(grant.to_tokens())
        typed = simulator.simulated.to_type(simulator.url)
        account = Connected(
            handle=typed["handle"],
            server=simulator.url,
            settings={"client_id": typed["client_id"]},
            secrets={"client_secret": typed["client_secret"]},
            outbound=Outbound(allow=[simulator.allow]),
            tokens=tokens,
            picture_url=lambda sha256, media_type: "",
            now=lambda: datetime.now(UTC),
        )
        simulator.faults.add(Occasion.SIGN_IN, Strike(Fault.SLOW, 0.2))
        found = {}

        def diagnose(number):
            found[number] = KIND.build(account).diagnose()

        threads = [threading.Thread(target=diagnose, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == dict.fromkeys(range(4))
        renewals = [one for one in simulator.requests if one.path == "/2/oauth2/token"]
        assert len(renewals) == 1
        assert tokens.find()["refresh"] != grant.refresh


def test_an_account_is_connected_from_the_page_to_the_first_token():
    with Simulator(make_simulated("x")) as simulator:
        typed = simulator.simulated.to_type(simulator.url)
        handle, server = KIND.name_of(typed)
        account = Connected(
            handle=handle,
            server=server,
            settings={"client_id": typed["client_id"]},
            secrets={"client_secret": typed["client_secret"]},
            outbound=Outbound(allow=[simulator.allow]),
            tokens=MemoryTokens(),
            picture_url=lambda sha256, media_type: "",
            now=lambda: datetime.now(UTC),
        )
        assert "Connect the account again" in KIND.build(account).diagnose()
        page = X.begin(account, redirect_uri=BACK, state="a-state", challenge=CHALLENGE)
        sent_back = account.outbound.request("POST", page).headers["location"]
        answer = parse_qs(urlsplit(sent_back).query)
        assert sent_back.startswith(BACK)
        assert answer["state"] == ["a-state"]
        code = answer["code"][0]
        with pytest.raises(CannotConnect):
            X.finish(account, redirect_uri=BACK, code=code, verifier="another")
        assert account.tokens.find() is None
        page = account.outbound.request("POST", page).headers["location"]
        code = parse_qs(urlsplit(page).query)["code"][0]
        X.finish(account, redirect_uri=BACK, code=code, verifier=VERIFIER)
        assert KIND.build(account).diagnose() is None
        with pytest.raises(CannotConnect, match="any more"):
            X.finish(account, redirect_uri=BACK, code=code, verifier=VERIFIER)
        other = replace(account, handle="SomebodyElse", tokens=MemoryTokens())
        page = X.begin(other, redirect_uri=BACK, state="s", challenge=CHALLENGE)
        page = account.outbound.request("POST", page).headers["location"]
        code = parse_qs(urlsplit(page).query)["code"][0]
        with pytest.raises(CannotConnect, match="not @SomebodyElse"):
            X.finish(other, redirect_uri=BACK, code=code, verifier=VERIFIER)
        assert other.tokens.find() is None


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"handle": ""}, "handle"),
        ({"handle": "a b"}, "handle"),
        ({"handle": "a", "server": "x"}, "server"),
    ],
)
def test_what_cannot_be_an_account_on_x_is_said_at_its_field(typed, field):
    with pytest.raises(CannotConnect) as found:
        KIND.name_of(typed)
    assert found.value.field == field


def test_names_on_x_are_taken_with_and_without_their_sign():
    assert KIND.name_of({"handle": " @ExampleCouncil "}) == ("ExampleCouncil", "https://api.x.com")
