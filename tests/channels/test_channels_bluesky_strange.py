"""Bluesky against servers that lie, stumble or talk rubbish; none of this needs the real one."""

import json
import socket
import threading
from datetime import UTC, datetime

import pytest
from standin_server import DROP, Answer, free_port, said, standing_in

from folkmoot.channels.bluesky import Bluesky, Session
from folkmoot.channels.bluesky.records import COLLECTION, read_frozen, record_cid
from folkmoot.channels.contract import make_picture, post
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
    Unreadable,
)
from folkmoot.channels.tokens import MemoryTokens

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
DID = "did:plc:abcdefghijklmnopqrstuvwx"
SECRETS = ("app-password-1", "access-token-1", "refresh-token-1")
RUBBISH = [
    pytest.param(said(500, {"error": "InternalServerError"}), id="500"),
    pytest.param(said(502, {"error": "UpstreamFailure", "message": "x"}), id="502"),
    pytest.param(Answer(200, b"<html>Welcome</html>"), id="a page with 200"),
    pytest.param(Answer(403, b"<html>Blocked</html>"), id="a page with 403"),
    pytest.param(Answer(200, b""), id="nothing with 200"),
    pytest.param(said(200, ["a", "list"]), id="a list"),
    pytest.param(said(200, {}), id="an empty object"),
    pytest.param(said(200, {"uri": None, "cid": 5, "results": "none"}), id="wrong types"),
    pytest.param(said(400, {"error": 7}), id="an error that is a number"),
    pytest.param(Answer(200, b"[" * 100_000), id="deep JSON"),
    pytest.param(Answer(200, b"\xff\xfe\x00"), id="no text"),
    pytest.param(Answer(302, headers={"Location": "http://127.0.0.1/"}), id="a redirect"),
    pytest.param(said(429, {"error": "RateLimitExceeded"}), id="429"),
    pytest.param(b"not HTTP at all\r\n\r\n", id="not HTTP"),
    pytest.param(DROP, id="silence"),
]


def session_of(server):
    return {"did": DID, "handle": "body.test", "accessJwt": SECRETS[1], "refreshJwt": SECRETS[2]}


class Server:
    """Signs everybody in, and says ``answers[method]`` to the rest."""

    def __init__(self, **answers):
        self.answers = answers

    def __call__(self, asked):
        name = asked.xrpc.rpartition(".")[2]
        answer = self.answers.get(name)
        if answer is not None:
            return answer(asked) if callable(answer) else answer
        if name in ("createSession", "getSession", "refreshSession"):
            return said(200, session_of(asked))
        return said(501, {"error": "MethodNotImplemented"})


def adapter_for(server, tokens=None, allow=None):
    return Bluesky(
        server=server.url,
        handle="body.test",
        app_password=SECRETS[0],
        outbound=Outbound(allow=[allow or server.allow], timeout_seconds=5),
        tokens=tokens or MemoryTokens(),
    )


def prepare(adapter, rendition):
    prepared = adapter.prepare(rendition, key=adapter.make_key("delivery-1", AT), at=AT)
    assert isinstance(prepared, Prepared), prepared
    return prepared


@pytest.mark.parametrize("rubbish", RUBBISH)
def test_an_unclear_answer_to_a_send_is_unconfirmed_and_is_sent_once(rubbish):
    for rendition in (post("One."), post("One.", "Two.")):
        with standing_in(Server(putRecord=rubbish, applyWrites=rubbish)) as server:
            adapter = adapter_for(server)
            prepared = prepare(adapter, rendition)
            before = len(server.asked)
            assert isinstance(adapter.send(prepared), Unconfirmed)
            assert [asked.body for asked in server.asked[before:]] == [prepared.request]


@pytest.mark.parametrize("rubbish", RUBBISH)
def test_an_unclear_answer_to_a_look_up_never_says_absent_or_sent(rubbish):
    with standing_in(Server(getRecord=rubbish)) as server:
        adapter = adapter_for(server)
        prepared = prepare(adapter, post("One."))
        assert isinstance(adapter.look_up(prepared), Unconfirmed)
        uri = read_frozen(prepared.request).posts[0].uri
        assert isinstance(adapter.read_back(Sent(uri, "https://x.test/", (uri,))), Unreadable)


@pytest.mark.parametrize("rubbish", RUBBISH)
def test_an_unclear_answer_to_signing_in_is_said_and_may_be_tried_again(rubbish):
    with standing_in(Server(createSession=rubbish)) as server:
        adapter = adapter_for(server)
        outcome = adapter.prepare(post("x"), key=adapter.make_key("d", AT), at=AT)
        assert isinstance(outcome, NotPrepared)
        assert outcome.retry
        assert adapter.diagnose() == outcome.reason
        assert server.url in outcome.reason


@pytest.mark.parametrize("rubbish", RUBBISH)
def test_an_unclear_answer_to_a_picture_stops_the_post(rubbish):
    with standing_in(Server(uploadBlob=rubbish)) as server:
        adapter = adapter_for(server)
        rendition = Rendition((Part("Look:", (make_picture("A square."),)),))
        outcome = adapter.prepare(rendition, key=adapter.make_key("d", AT), at=AT)
        assert isinstance(outcome, NotPrepared)
        assert outcome.retry


def test_a_server_that_keeps_another_picture_than_was_sent_stops_the_post():
    cid = "bafkreieq5jui4j25lacwomsqgjeswwl3y5zcdrresptwgmfylxo2depppq"
    blob = {"$type": "blob", "ref": {"$link": cid}, "mimeType": "image/png", "size": 79}
    with standing_in(Server(uploadBlob=said(200, {"blob": blob}))) as server:
        adapter = adapter_for(server)
        rendition = Rendition((Part("Look:", (make_picture("A square."),)),))
        outcome = adapter.prepare(rendition, key=adapter.make_key("d", AT), at=AT)
        assert isinstance(outcome, NotPrepared)
        assert "did not keep" in outcome.reason


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (400, "InvalidRequest", "does not take this post as it is"),
        (400, "BlobNotFound", "no longer has a picture"),
        (401, "AccountDeactivated", "deactivated"),
        (401, "AccountTakedown", "taken this account down"),
        (401, "AuthMissing", "Connect the account again"),
        (413, "PayloadTooLarge", "larger than Bluesky takes"),
        (403, "SomethingNew", "Bluesky refused it"),
    ],
)
def test_a_clear_no_is_refused_with_a_sentence(status, error, words):
    answer = said(status, {"error": error, "message": "because."})
    with standing_in(Server(putRecord=answer)) as server:
        adapter = adapter_for(server)
        outcome = adapter.send(prepare(adapter, post("One.")))
        assert isinstance(outcome, Refused)
        assert words in outcome.reason
        assert outcome.reason.endswith("Nothing was published.")


def test_something_else_under_the_key_is_unconfirmed_and_then_found_different():
    def other(asked):
        # A real record and its own content id, only not ours.
        value = {"$type": COLLECTION, "text": "Other.", "createdAt": "2026-11-20T09:00:00.000Z"}
        key = asked.path.rpartition("rkey=")[2]
        uri = f"at://{DID}/{COLLECTION}/{key}"
        return said(200, {"uri": uri, "cid": record_cid(value), "value": value})

    swap = said(400, {"error": "InvalidSwap", "message": "Record was at x"})
    with standing_in(Server(putRecord=swap, getRecord=other)) as server:
        adapter = adapter_for(server)
        prepared = prepare(adapter, post("One."))
        assert isinstance(adapter.send(prepared), Unconfirmed)
        assert isinstance(adapter.look_up(prepared), Different)


@pytest.mark.parametrize("error", ["RepoNotFound", "InvalidRequest", "Expired"])
def test_only_a_record_that_is_not_found_is_absent(error):
    with standing_in(Server(getRecord=said(400, {"error": error}))) as server:
        adapter = adapter_for(server)
        assert isinstance(adapter.look_up(prepare(adapter, post("One."))), Unconfirmed)
    with standing_in(Server(getRecord=said(400, {"error": "RecordNotFound"}))) as server:
        adapter = adapter_for(server)
        assert adapter.look_up(prepare(adapter, post("One."))) == Absent()


class TestTokensThatRunOut:
    def test_a_refused_token_is_renewed_and_the_post_sent_again_once(self):
        over = said(400, {"error": "ExpiredToken", "message": "Token has expired"})
        with standing_in(Server(putRecord=over)) as server:
            adapter = adapter_for(server)
            prepared = prepare(adapter, post("One."))
            outcome = adapter.send(prepared)
            sends = [asked for asked in server.asked if asked.xrpc.endswith("putRecord")]
            assert len(sends) == 2
            assert {asked.body for asked in sends} == {prepared.request}
            assert isinstance(outcome, Refused)

    def test_an_empty_token_never_takes_the_place_of_a_good_one(self):
        over = said(400, {"error": "ExpiredToken"})
        empty = said(200, {**session_of(None), "accessJwt": ""})
        tokens = MemoryTokens()
        with standing_in(Server(refreshSession=empty, getSession=over)) as server:
            kept = Session("body.test", DID, server.url, "a", "r")
            tokens.save(kept.to_tokens())
            assert adapter_for(server, tokens).diagnose() is not None
            assert tokens.find() == kept.to_tokens()

    def test_a_renewed_token_is_saved_before_it_is_used(self):
        order = []

        class Watching(MemoryTokens):
            def save(self, session):
                order.append(f"saved {session['access']}")
                super().save(session)

        def put(asked):
            token = asked.headers["authorization"].removeprefix("Bearer ")
            order.append(f"used {token}")
            return said(400, {"error": "ExpiredToken"})

        new = said(200, {**session_of(None), "accessJwt": "second", "refreshJwt": "r2"})
        with standing_in(Server(putRecord=put, refreshSession=new)) as server:
            adapter = adapter_for(server, Watching())
            adapter.send(prepare(adapter, post("One.")))
        first = SECRETS[1]
        assert order == [f"saved {first}", f"used {first}", "saved second", "used second"]

    def test_where_renewing_gets_no_answer_nothing_is_refused_for_good(self):
        over = said(400, {"error": "ExpiredToken"})
        with standing_in(Server(putRecord=over, refreshSession=DROP)) as server:
            adapter = adapter_for(server)
            assert isinstance(adapter.send(prepare(adapter, post("One."))), Unconfirmed)


class TestWhereTheAccountLives:
    def test_the_server_the_accounts_identity_names_is_used_after_sign_in(self):
        document = {"service": [{"id": "#atproto_pds", "serviceEndpoint": "https://pds.example"}]}
        answer = said(200, {**session_of(None), "didDoc": document})
        tokens = MemoryTokens()
        with standing_in(Server(createSession=answer)) as server:
            adapter_for(server, tokens).diagnose()
        assert tokens.find()["server"] == "https://pds.example"

    @pytest.mark.parametrize(
        "place", ["http://10.0.0.1:80", "https://user@evil.example", "file:///etc", "", None]
    )
    def test_an_identity_cannot_lead_anywhere_but_to_https(self, place):
        document = {"service": [{"id": "#atproto_pds", "serviceEndpoint": place}, 5]}
        answer = said(200, {**session_of(None), "didDoc": document})
        tokens = MemoryTokens()
        with standing_in(Server(createSession=answer)) as server:
            adapter_for(server, tokens).diagnose()
            assert tokens.find()["server"] == server.url


class TestDiagnosis:
    def test_a_server_that_is_not_there(self):
        with standing_in(Server()) as server:
            gone = adapter_for(server, allow=server.allow)
        assert "Connection refused" in gone.diagnose()

    def test_a_name_that_does_not_exist(self):
        def resolve(host, port):
            raise socket.gaierror(-2, "Name or service not known")

        adapter = Bluesky(
            server="https://no-such-server.invalid",
            handle="body.test",
            app_password=SECRETS[0],
            outbound=Outbound(resolve=resolve),
            tokens=MemoryTokens(),
        )
        assert "There is no server called no-such-server.invalid" in adapter.diagnose()

    def test_a_web_server_that_is_not_blueskys(self):
        with standing_in(Answer(404, b"<html>Not found</html>")) as server:
            assert "does not speak as a Bluesky server" in adapter_for(server).diagnose()

    @pytest.mark.parametrize(
        ("status", "words"),
        [("deactivated", "deactivated"), ("suspended", "suspended"), ("odd", "not active")],
    )
    def test_an_account_that_is_not_active(self, status, words):
        answer = said(200, {**session_of(None), "active": False, "status": status})
        with standing_in(Server(getSession=answer)) as server:
            assert words in adapter_for(server).diagnose()

    @pytest.mark.parametrize(
        ("error", "words"),
        [
            ("AuthenticationRequired", "does not accept the handle or the app password"),
            ("AuthFactorTokenRequired", "Make an app password"),
            ("AccountTakedown", "taken this account down"),
            ("Unheard", "did not let the account in"),
        ],
    )
    def test_a_sign_in_that_is_refused(self, error, words):
        with standing_in(Server(createSession=said(401, {"error": error}))) as server:
            adapter = adapter_for(server)
            assert words in adapter.diagnose()
            outcome = adapter.prepare(post("x"), key=adapter.make_key("d", AT), at=AT)
            assert isinstance(outcome, NotPrepared)
            assert not outcome.retry

    @pytest.mark.parametrize("server", ["bsky.social", "ftp://x.test", "https://a b", ""])
    def test_a_server_that_is_no_address_is_an_error_at_once(self, server):
        with pytest.raises(ValueError, match="not a server's address"):
            Bluesky(
                server=server,
                handle="body.test",
                app_password="x",
                outbound=Outbound(),
                tokens=MemoryTokens(),
            )


def test_a_server_that_repeats_our_secrets_does_not_get_them_into_a_reason():
    told = " ".join(SECRETS)
    no = said(400, {"error": "InvalidRequest", "message": told})
    with standing_in(Server(putRecord=no)) as server:
        adapter = adapter_for(server)
        outcome = adapter.send(prepare(adapter, post("One.")))
        assert isinstance(outcome, Refused)
    with standing_in(Server(createSession=said(401, {"error": "Odd", "message": told}))) as server:
        reason = adapter_for(server).diagnose()
    for secret in SECRETS:
        assert secret not in outcome.reason
    assert SECRETS[0] not in reason


def test_no_port_but_the_servers_own_is_reachable():
    port = free_port()
    adapter = Bluesky(
        server=f"http://localhost:{port}",
        handle="body.test",
        app_password="x",
        outbound=Outbound(),
        tokens=MemoryTokens(),
    )
    assert "is asked over https or not at all" in adapter.diagnose()


def test_the_frozen_request_creates_and_never_overwrites():
    with standing_in(Server()) as server:
        body = json.loads(prepare(adapter_for(server), post("One.")).request)
    assert body["swapRecord"] is None
    assert "swapRecord" in body
    assert body["repo"] == DID


class TestWhenSeveralProcessesRenewAtOnce:
    def test_one_does_and_the_others_use_what_it_got(self):
        renewed, together = [], threading.Barrier(2)

        def status(asked):
            fresh = asked.headers["authorization"] == "Bearer second"
            if not fresh:
                together.wait(5)
            return said(200, session_of(None)) if fresh else said(400, {"error": "ExpiredToken"})

        def refresh(asked):
            renewed.append(asked.headers["authorization"])
            return said(200, {**session_of(None), "accessJwt": "second", "refreshJwt": "r2"})

        tokens, found = MemoryTokens(), []
        with standing_in(Server(getSession=status, refreshSession=refresh)) as server:
            tokens.save(Session("body.test", DID, server.url, "first", "r1").to_tokens())
            threads = [
                threading.Thread(
                    target=lambda: found.append(adapter_for(server, tokens).diagnose())
                )
                for _ in range(2)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(10)
        assert found == [None, None]
        assert renewed == ["Bearer r1"]

    def test_the_server_that_was_found_at_sign_in_is_kept_when_a_renewal_does_not_name_it(self):
        over = said(400, {"error": "ExpiredToken"})
        tokens = MemoryTokens()
        with standing_in(Server(getSession=over)) as own, standing_in(DROP) as front:
            tokens.save(Session("body.test", DID, own.url, "first", "r1").to_tokens())
            adapter = Bluesky(
                server=front.url,
                handle="body.test",
                app_password="x",
                outbound=Outbound(allow=[own.allow, front.allow], timeout_seconds=5),
                tokens=tokens,
            )
            adapter.diagnose()
            assert tokens.find()["server"] == own.url
            assert tokens.find()["access"] == SECRETS[1]
            assert front.asked == []


@pytest.mark.parametrize("kept", [{}, {"access": "a"}, {"access_token": "old", "did": DID}])
def test_what_another_release_kept_is_no_session_and_the_password_is_used(kept):
    with standing_in(Server()) as server:
        assert adapter_for(server, MemoryTokens(kept)).diagnose() is None
        assert server.asked[0].xrpc == "com.atproto.server.createSession"


@pytest.mark.parametrize("rubbish", RUBBISH)
def test_an_unclear_answer_to_a_list_is_never_an_empty_timeline(rubbish):
    with standing_in(Server(listRecords=rubbish)) as server:
        assert isinstance(adapter_for(server).list_recent(5), Unreadable)


def test_a_list_that_shows_another_record_than_it_names_is_not_believed():
    value = {"$type": COLLECTION, "text": "One.", "createdAt": "nonsense"}
    uri = f"at://{DID}/{COLLECTION}/3n2q7w3audrm5"
    record = {"uri": uri, "cid": record_cid(value), "value": value}
    with standing_in(Server(listRecords=said(200, {"records": [record]}))) as server:
        [seen] = adapter_for(server).list_recent(5)
        assert (seen.text, seen.remote_id) == ("One.", uri)
    for wrong in (
        {**record, "value": {**value, "text": "Two."}},
        {**record, "uri": "at://x/y/z"},
        5,
    ):
        with standing_in(Server(listRecords=said(200, {"records": [wrong]}))) as server:
            assert isinstance(adapter_for(server).list_recent(5), Unreadable)
