"""Webhooks: the contract, the signature, each status a receiver can answer, and what a receiver
that cannot tell what it has comes to.
"""

import base64
import datetime as dt
import hashlib
import json
import socket

import pytest
from standin_server import DROP, Answer, free_port, said, standing_in

from folkmoot.channels import (
    Absent,
    Different,
    Live,
    NotPrepared,
    Outbound,
    Part,
    Prepared,
    Refused,
    Rendition,
    Sent,
    Unconfirmed,
    Unreadable,
)
from folkmoot.channels.contract import ChannelContract, make_picture, post
from folkmoot.channels.kinds import CannotConnect, Connected, get_kind
from folkmoot.channels.simulator import Fault, Occasion, Simulator, Strike
from folkmoot.channels.tokens import MemoryTokens
from folkmoot.channels.webhook import Webhook
from folkmoot.channels.webhook.errors import ERRORS
from folkmoot.channels.webhook.signing import Secret, make_headers
from folkmoot.channels.webhook.simulated import SIMULATED

DUE_AT = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)
SECRET = "whsec_" + base64.b64encode(b"thirty bytes that nobody knows").decode()


def build(address, *, secret=SECRET, deduplicates="no", **more):
    return get_kind("webhook").build(
        Connected(
            handle="receiver",
            server=address,
            settings={"receiver_deduplicates": deduplicates},
            secrets={"secret": secret},
            outbound=Outbound(timeout_seconds=2, **more),
            tokens=MemoryTokens(),
            picture_url=lambda sha256, media_type: f"https://pictures.example/{sha256}",
            now=lambda: dt.datetime.now(dt.UTC),
        )
    )


def connect(simulator, **more):
    typed = simulator.simulated.to_type(simulator.url)
    _, address = get_kind("webhook").name_of(typed)
    wanted = {
        "secret": typed["secret"],
        "deduplicates": typed["receiver_deduplicates"],
        "allow": [simulator.allow],
        **more,
    }
    return build(address, **wanted)


class TestWebhook(ChannelContract):
    thread_counts_as_one = True
    lists = False

    @pytest.fixture
    def simulator(self):
        with Simulator(SIMULATED()) as running:
            yield running

    @pytest.fixture
    def adapter(self, simulator):
        return connect(simulator)

    @pytest.fixture
    def count_posts(self, simulator):
        return lambda: len(simulator.store.list_newest(1000))

    @pytest.fixture
    def secrets(self, simulator):
        secret = simulator.simulated.secret
        return lambda: [secret, secret.removeprefix("whsec_")]


@pytest.fixture
def simulator():
    with Simulator(SIMULATED()) as running:
        yield running


@pytest.fixture
def adapter(simulator):
    return connect(simulator)


@pytest.fixture(params=["yes", "no"])
def mute(request):
    """A receiver that answers no look-ups, and whether it knows repeats."""
    knows = request.param == "yes"
    with Simulator(SIMULATED(answers_look_ups=False, deduplicates=knows)) as running:
        yield running, knows


def strike(simulator, occasion, fault, *, seconds=5.0, times=1):
    simulator.faults.add(occasion, Strike(fault, seconds), times=times)


def prepare(adapter, rendition, delivery="d1"):
    key = adapter.make_key(delivery, DUE_AT)
    prepared = adapter.prepare(rendition, key=key, at=DUE_AT)
    assert isinstance(prepared, Prepared), prepared
    return prepared


def live(simulator):
    return [one.text for one in reversed(simulator.store.list_newest(1000))]


# -- the document and its signature -------------------------------------------------------------


def test_the_signature_is_that_of_the_reference_vector():
    """The vector that the Standard Webhooks libraries test themselves with."""
    headers = make_headers(
        Secret.read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        dt.datetime.fromtimestamp(1614265330, dt.UTC),
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_an_id_with_a_full_stop_is_not_signed():
    with pytest.raises(ValueError, match="full stop"):
        make_headers(Secret.read(SECRET), "a.b", b"", DUE_AT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        "whsec_c2hvcnQ=",
        "whsec_not base64 at all, nor anything like it",
        base64.b64encode(b"x" * 32).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
    ],
)
def test_what_is_no_secret_is_not_taken(text):
    with pytest.raises(ValueError, match="no signing secret"):
        Secret.read(text)


def test_a_secret_does_not_show_itself():
    assert SECRET not in repr(Secret.read(SECRET))
    assert "thirty bytes" not in repr(Secret.read(SECRET))


def test_the_document_says_all_of_the_post_and_is_sent_as_frozen(simulator, adapter):
    picture = make_picture("Two cats \u2013 asleep.")
    rendition = Rendition(
        (Part("Hello,\nworld.", (picture,)), Part("And more.")), "en-GB", "msg_before"
    )
    prepared = prepare(adapter, rendition)
    assert json.loads(prepared.request) == {
        "type": "post",
        "id": prepared.key,
        "at": "2026-11-20T09:00:00Z",
        "language": "en-GB",
        "replying_to": "msg_before",
        "parts": [
            {
                "text": "Hello,\nworld.",
                "pictures": [
                    {
                        "sha256": picture.sha256,
                        "media_type": "image/png",
                        "width": 4,
                        "height": 3,
                        "alt": "Two cats \u2013 asleep.",
                        "url": f"https://pictures.example/{picture.sha256}",
                    }
                ],
            },
            {"text": "And more.", "pictures": []},
        ],
    }
    sent = adapter.send(prepared)
    assert sent == Sent(
        prepared.key,
        f"https://receiver.example/posts/{prepared.key}",
        (prepared.key, f"{prepared.key}#2"),
    )
    [stored] = simulator.store.list_newest(1)
    assert stored.extra["sha256"] == hashlib.sha256(prepared.request).hexdigest()


def test_a_removal_names_the_post_and_says_why(adapter):
    sent = adapter.send(prepare(adapter, post("A mistake.")))
    removal = adapter.prepare_removal(sent, key="msg_r", at=DUE_AT, reason="The wrong street.")
    assert json.loads(removal.request) == {
        "type": "removal",
        "id": "msg_r",
        "at": "2026-11-20T09:00:00Z",
        "removes": sent.remote_id,
        "parts": 1,
        "reason": "The wrong street.",
        "url": sent.url,
    }


def test_a_look_up_never_goes_under_the_id_of_the_message():
    """A receiver that counts ids as seen would else throw the message away as a repeat."""
    with standing_in(said(404, {})) as server:
        adapter = build(f"{server.url}/hook?team=a", allow=[server.allow])
        prepared = prepare(adapter, post("x"))
        adapter.look_up(prepared)
        adapter.send(prepared)
        asked = [(one.method, one.path, one.headers["webhook-id"]) for one in server.asked]
    for method, path, message_id in asked:
        if method == "GET":
            assert path == f"/hook?team=a&id={prepared.key}"
            assert message_id.startswith(f"look-up-{prepared.key}-")
        else:
            assert (path, message_id) == ("/hook?team=a", prepared.key)
    assert [method for method, _, _ in asked] == ["GET", "GET", "POST"]


# -- a post in doubt ----------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.BROKEN_AFTER])
def test_a_post_whose_answer_is_lost_is_found(simulator, adapter, fault):
    prepared = prepare(adapter, post("Once."))
    strike(simulator, Occasion.PUBLISH, fault)
    assert isinstance(adapter.send(prepared), Unconfirmed)
    assert isinstance(adapter.look_up(prepared), Sent)
    assert live(simulator) == ["Once."]


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.BROKEN_BEFORE, Fault.TOO_MANY])
def test_a_post_that_never_arrived_is_absent_and_may_go_again(simulator, adapter, fault):
    prepared = prepare(adapter, post("Once."))
    strike(simulator, Occasion.PUBLISH, fault)
    assert isinstance(adapter.send(prepared), Unconfirmed)
    assert adapter.look_up(prepared) == Absent()
    assert isinstance(adapter.send(prepared), Sent)
    assert live(simulator) == ["Once."]


def test_a_post_that_a_proxy_sent_twice_stands_once(simulator, adapter):
    prepared = prepare(adapter, post("Once."))
    strike(simulator, Occasion.PUBLISH, Fault.TWICE)
    assert isinstance(adapter.send(prepared), Sent)
    assert live(simulator) == ["Once."]


def test_a_receiver_is_believed_by_its_status_whatever_it_says(simulator, adapter):
    prepared = prepare(adapter, post("Thanks."))
    strike(simulator, Occasion.PUBLISH, Fault.RUBBISH)
    sent = adapter.send(prepared)
    assert isinstance(sent, Sent)
    assert sent.url == f"{simulator.url}/posts"


def test_a_wait_is_passed_on(simulator, adapter):
    prepared = prepare(adapter, post("Once."))
    strike(simulator, Occasion.PUBLISH, Fault.TOO_MANY_WAIT, seconds=60)
    outcome = adapter.send(prepared)
    assert isinstance(outcome, Unconfirmed)
    assert outcome.after_seconds == 60.0


def test_where_a_receiver_cannot_tell_only_one_that_knows_repeats_is_sent_to_again(mute):
    running, knows = mute
    adapter = connect(running)
    prepared = prepare(adapter, post("Once."))
    strike(running, Occasion.PUBLISH, Fault.LOSE_ANSWER)
    assert isinstance(adapter.send(prepared), Unconfirmed)
    found = adapter.look_up(prepared)
    if knows:
        assert found == Absent()
        assert isinstance(adapter.send(prepared), Sent)
    else:
        assert isinstance(found, Unconfirmed)
        assert "cannot say whether it has this post" in found.reason
    assert live(running) == ["Once."]
    assert isinstance(
        adapter.read_back(Sent(prepared.key, "https://x", (prepared.key,))), Unreadable
    )


@pytest.mark.parametrize("deduplicates", ["yes", "no"])
@pytest.mark.parametrize("fault", [Fault.DROP, Fault.BROKEN_BEFORE, Fault.TOO_MANY])
def test_a_receiver_that_is_down_is_not_one_that_cannot_tell(simulator, fault, deduplicates):
    adapter = connect(simulator, deduplicates=deduplicates)
    prepared = prepare(adapter, post("Once."))
    strike(simulator, Occasion.READ, fault)
    assert isinstance(adapter.look_up(prepared), Unconfirmed)


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.DROP, Fault.BROKEN_AFTER])
def test_a_removal_in_doubt_is_looked_up(simulator, adapter, fault):
    sent = adapter.send(prepare(adapter, post("A mistake.")))
    removal = adapter.prepare_removal(sent, key="msg_r", at=DUE_AT, reason="Wrong.")
    strike(simulator, Occasion.REMOVE, fault)
    assert isinstance(adapter.send(removal), Unconfirmed)
    found = adapter.look_up(removal)
    assert found == (Absent() if fault is Fault.DROP else sent)
    assert adapter.send(removal) == sent
    assert live(simulator) == []


@pytest.mark.parametrize("fault", [Fault.EXPIRED, Fault.REVOKED, Fault.REFUSE])
def test_a_clear_no_is_a_refusal(simulator, adapter, fault):
    prepared = prepare(adapter, post("No."))
    strike(simulator, Occasion.PUBLISH, fault)
    outcome = adapter.send(prepared)
    assert isinstance(outcome, Refused)
    assert outcome.reason.endswith(".")
    assert live(simulator) == []


def test_a_secret_that_was_changed_is_named_by_diagnosis(simulator, adapter):
    assert adapter.diagnose() is None
    strike(simulator, Occasion.READ, Fault.REVOKED)
    adapter.diagnose()
    assert "does not take our signature" in adapter.diagnose()
    assert connect(simulator).diagnose() is None


# -- what a receiver can answer -----------------------------------------------------------------

STATUSES = [
    ("3xx", 302, Unconfirmed, "sent us on"),
    ("401", 401, Refused, "does not take our signature"),
    ("403", 403, Refused, "does not let us in"),
    ("404", 404, Refused, "There is no receiver"),
    ("405", 405, Refused, "takes no posts"),
    ("408", 408, Unconfirmed, "gave up waiting"),
    ("410", 410, Refused, "wants no more posts"),
    ("413", 413, Refused, "larger than the receiver takes"),
    ("425", 425, Unconfirmed, "come again later"),
    ("429", 429, Unconfirmed, "no more posts for now"),
    ("4xx", 422, Refused, "refused it"),
    ("503", 503, Unconfirmed, "closed for now"),
    ("5xx", 500, Unconfirmed, "a fault of its own"),
    ("5xx", 501, Unconfirmed, "a fault of its own"),
    ("5xx", 799, Unconfirmed, "a fault of its own"),
]


def test_every_row_of_the_table_is_shown_here():
    assert {row[0] for row in STATUSES} == set(ERRORS)


def freeze(adapter):
    """A post, prepared without asking the receiver."""
    document = {"type": "post", "id": "msg_1", "parts": [{"text": "x", "pictures": []}]}
    return Prepared("msg_1", json.dumps(document).encode())


@pytest.mark.parametrize(("row", "status", "outcome", "words"), STATUSES)
def test_each_status_has_its_meaning_and_a_sentence(row, status, outcome, words):
    with standing_in(said(status, {"error": "because"})) as server:
        adapter = build(server.url, allow=[server.allow])
        found = adapter.send(freeze(adapter))
        assert len(server.asked) == 1
    assert isinstance(found, outcome)
    assert words in found.reason
    assert found.reason.endswith(".")
    assert found.reason == ERRORS[row].sentence.format(said="because")


@pytest.mark.parametrize(
    ("answer", "url"),
    [
        (Answer(204), None),
        (Answer(200, b"ok", {"Content-Type": "text/plain"}), None),
        (Answer(201, headers={"Location": "https://r.example/1"}), "https://r.example/1"),
        (said(200, {"url": "https://r.example/2"}), "https://r.example/2"),
        (said(200, {"url": "http://r.example/2"}), None),
        (said(200, {"url": "javascript:alert(1)"}), None),
        (said(200, {"url": 'https://r.example/"><b>\u202e'}), None),
        (said(200, {"url": ["https://r.example"]}), None),
        (said(200, ["https://r.example"]), None),
        (Answer(201, headers={"Location": "/relative"}), None),
        (Answer(200, b"[" * 100_000), None),
    ],
)
def test_any_2xx_is_a_yes_and_its_address_is_taken_only_if_it_is_one(answer, url):
    with standing_in(answer) as server:
        adapter = build(f"{server.url}/hook?token=private", allow=[server.allow])
        sent = adapter.send(freeze(adapter))
        assert sent == Sent("msg_1", url or f"{server.url}/hook", ("msg_1",))


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        ({"id": "msg_1"}, Sent),
        ({"id": "msg_2"}, Unconfirmed),
        ({}, Unconfirmed),
        ({"id": "msg_1", "sha256": "0" * 64}, Unconfirmed),
    ],
)
def test_a_conflict_is_a_yes_only_where_it_is_about_this_very_post(value, outcome):
    with standing_in(said(409, value)) as server:
        adapter = build(server.url, allow=[server.allow])
        assert isinstance(adapter.send(freeze(adapter)), outcome)


DIGEST = hashlib.sha256(freeze(None).request).hexdigest()


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (said(200, {"id": "msg_1", "sha256": DIGEST}), Sent),
        (said(200, {"id": "msg_1", "sha256": DIGEST.upper()}), Sent),
        (said(200, {"id": "msg_1", "sha256": "0" * 64}), Different),
        (said(404, {"id": "msg_1"}), Absent),
        # in none of these does it say anything about the post
        (said(200, {"id": "msg_1"}), None),
        (said(200, {"id": "msg_1", "sha256": 7}), None),
        (said(200, {"id": "msg_2", "sha256": DIGEST}), None),
        (said(404, {"id": "msg_2"}), None),
        (said(404, {"error": "no route"}), None),
        (Answer(404, b"<html>"), None),
        (Answer(200, b"<html>"), None),
        (Answer(405), None),
        (Answer(501), None),
        (Answer(401), None),
        # and in these it is not even able to
        (Answer(410), Unconfirmed),
        (Answer(429), Unconfirmed),
        (Answer(500), Unconfirmed),
        (Answer(503), Unconfirmed),
        (Answer(408), Unconfirmed),
        (DROP, Unconfirmed),
    ],
)
@pytest.mark.parametrize("deduplicates", ["yes", "no"])
def test_a_look_up_believes_only_what_is_said_about_this_post(answer, outcome, deduplicates):
    with standing_in(answer) as server:
        adapter = build(server.url, allow=[server.allow], deduplicates=deduplicates)
        found = adapter.look_up(freeze(adapter))
    wanted = outcome or (Absent if deduplicates == "yes" else Unconfirmed)
    assert isinstance(found, wanted), found


@pytest.mark.parametrize(
    "parts",
    [
        None,
        7,
        "text",
        [None],
        [{}],
        [{"text": 7}],
        [{"text": "a", "pictures": 7}],
        [{"text": "a", "pictures": [7]}],
        [{"text": "a", "pictures": [{"alt": 7}]}],
    ],
)
def test_what_a_receiver_shows_of_a_post_is_read_strictly(parts):
    value = {"id": "msg_1", "sha256": DIGEST, "parts": parts}
    with standing_in(said(200, value)) as server:
        adapter = build(server.url, allow=[server.allow])
        outcome = adapter.read_back(Sent("msg_1", server.url, ("msg_1",)))
    assert isinstance(outcome, Unreadable)


def test_a_post_that_the_receiver_changed_is_read_as_it_stands():
    value = {"id": "msg_1", "parts": [{"text": "Changed.", "pictures": [{"alt": "A", "x": 1}]}]}
    with standing_in(said(200, value)) as server:
        adapter = build(server.url, allow=[server.allow])
        outcome = adapter.read_back(Sent("msg_1", server.url, ("msg_1",)))
    assert outcome == Live(("Changed.",), (("A",),), ((None,),))


def test_an_answer_that_repeats_the_secret_does_not_spread_it():
    with standing_in(said(422, {"error": f"{SECRET}\x07" + "x" * 5000})) as server:
        adapter = build(server.url, allow=[server.allow])
        outcome = adapter.send(freeze(adapter))
    assert SECRET not in outcome.reason
    assert "\x07" not in outcome.reason
    assert len(outcome.reason) < 300


def test_a_receiver_that_wants_no_more_is_known_before_anything_is_sent():
    with standing_in(Answer(410)) as server:
        adapter = build(server.url, allow=[server.allow])
        outcome = adapter.prepare(post("x"), key="msg_1", at=DUE_AT)
        assert [one.method for one in server.asked] == ["GET"]
        assert "wants no more posts" in adapter.diagnose()
    assert isinstance(outcome, NotPrepared)
    assert not outcome.retry


def test_a_receiver_keeps_no_timeline(adapter):
    outcome = adapter.list_recent(5)
    assert isinstance(outcome, Unreadable)
    assert "keeps no timeline" in outcome.reason


# -- where we do not go -------------------------------------------------------------------------


def resolve_inward(host, port):
    return {"inner.example.org": ["10.0.0.5"], "mixed.example.org": ["93.184.215.14", "::1"]}[host]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://10.0.0.1/hook", "10.0.0.1 is not a public address"),
        ("https://169.254.169.254/latest", "169.254.169.254 is not a public address"),
        ("https://[::1]/hook", "::1 is not a public address"),
        ("https://inner.example.org/hook", "10.0.0.5 is not a public address"),
        ("https://mixed.example.org/hook", "::1 is not a public address"),
        ("https://example.org:8443/hook", "is not asked on port 8443"),
        ("http://example.org:80/hook", "is asked over https or not at all"),
    ],
)
def test_a_private_address_is_never_asked(address, words, monkeypatch):
    def connect_to(*args, **kwargs):
        raise AssertionError(f"tried to connect to {args}")

    def resolve(host, port):
        return resolve_inward(host, port) if host.endswith("example.org") else [host]

    monkeypatch.setattr(socket, "create_connection", connect_to)
    adapter = build(address, resolve=resolve)
    outcome = adapter.prepare(post("x"), key="msg_1", at=DUE_AT)
    assert isinstance(outcome, NotPrepared)
    assert words in outcome.reason
    assert words in adapter.diagnose()
    for found in (adapter.send(freeze(adapter)), adapter.look_up(freeze(adapter))):
        assert isinstance(found, Unconfirmed)
        assert words in found.reason


def test_localhost_is_never_asked_unless_it_is_allowed(monkeypatch):
    adapter = build("https://localhost/hook")
    outcome = adapter.prepare(post("x"), key="msg_1", at=DUE_AT)
    assert isinstance(outcome, NotPrepared)
    assert "is not a public address" in outcome.reason


def test_a_receiver_that_is_not_there_is_known_before_anything_is_sent():
    port = free_port()
    adapter = build(f"http://127.0.0.1:{port}/", allow=[f"127.0.0.1:{port}"])
    outcome = adapter.prepare(post("x"), key="msg_1", at=DUE_AT)
    assert isinstance(outcome, NotPrepared)
    assert outcome.retry
    assert "Connection refused" in outcome.reason


# -- connecting ---------------------------------------------------------------------------------


def test_a_receiver_is_named_by_its_host():
    typed = {"address": " https://example.org/hook?a=b ", "secret": SECRET}
    assert get_kind("webhook").name_of(typed) == ("example.org", "https://example.org/hook?a=b")


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"address": ""}, "address"),
        ({"address": "example.org"}, "address"),
        ({"address": "http://example.org/hook"}, "address"),
        ({"address": "ftp://example.org/hook"}, "address"),
        ({"address": "https://user:pass@example.org/"}, "address"),
        ({"address": "https://example.org/#part"}, "address"),
        ({"address": "https://example.org:port/"}, "address"),
        ({"address": "https://ex ample.org/"}, "address"),
        ({"address": "https://[/"}, "address"),
        ({"address": "https://example.org/", "secret": "whsec_short"}, "secret"),
        ({"address": "https://example.org/", "secret": ""}, "secret"),
        (
            {"address": "https://example.org/", "receiver_deduplicates": "maybe"},
            "receiver_deduplicates",
        ),
    ],
)
def test_what_cannot_be_right_is_said_by_field(typed, field):
    with pytest.raises(CannotConnect) as caught:
        get_kind("webhook").name_of(typed)
    assert caught.value.field == field
    assert caught.value.reason.endswith(".")
    assert "whsec_short" not in str(caught.value)


def test_capabilities_are_known_without_secrets():
    account = Connected(
        "example.org",
        "https://example.org/",
        {},
        {},
        Outbound(),
        MemoryTokens(),
        lambda sha256, media_type: "",
        lambda: DUE_AT,
    )
    adapter = get_kind("webhook").build(account)
    assert isinstance(adapter, Webhook)
    assert (adapter.capabilities().channel, adapter.capabilities().lengths) == ("webhook", ())
