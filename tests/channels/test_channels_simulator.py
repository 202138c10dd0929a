"""Each fault of a simulated channel does what it says, shown on a channel of the test's own."""

import http.client
import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from folkmoot.channels.simulator import (
    Asked,
    Fault,
    Faults,
    Occasion,
    Simulator,
    Store,
    Strike,
    make_simulated,
    say,
)

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class Tiny:
    """POST /posts makes one; GET /posts lists; POST /media takes a file."""

    channel = "tiny"

    def occasion(self, asked):
        if asked.path == "/media":
            return Occasion.UPLOAD
        return Occasion.PUBLISH if asked.method == "POST" else Occasion.READ

    def answer(self, asked, store, strike):
        fault = strike.fault if strike else None
        if fault in (Fault.EXPIRED, Fault.REVOKED, Fault.REFUSE):
            return self.error(fault)
        if asked.path == "/media":
            seconds = strike.seconds if fault is Fault.SLOW_MEDIA else 0.0
            medium = store.add_medium("image/png", asked.body, ready_in_seconds=seconds)
            return say({"ready": medium.ready_at <= store.now()})
        if asked.method == "POST":
            posts = asked.json()["texts"]
            for text in posts[:1] if fault is Fault.HALF else posts:
                made = store.add_post(text)
            if fault is Fault.HALF:
                return self.error(Fault.BROKEN_BEFORE)
            return say({"id": "another" if fault is Fault.WRONG_ID else made.id})
        posts = () if fault is Fault.LIE else store.list_newest(9)
        return say({"texts": [post.text for post in posts], "now": store.now().isoformat()})

    def error(self, fault):
        status = {Fault.TOO_MANY: 429, Fault.BROKEN_BEFORE: 500}.get(fault, 400)
        return say({"error": fault}, status)

    def to_type(self, url):
        return {"server": url, "token": "<typed>"}


@pytest.fixture
def simulator():
    with Simulator(Tiny()) as running:
        yield running


def ask(simulator, method="GET", path="/posts", value=None, timeout=5):
    """The status, the JSON or bytes of the answer, and its headers; ``None`` for silence."""
    connection = http.client.HTTPConnection("127.0.0.1", simulator.port, timeout=timeout)
    try:
        connection.request(method, path, json.dumps(value) if value is not None else None)
        answer = connection.getresponse()
        body = answer.read()
    except http.client.RemoteDisconnected:
        return None
    finally:
        connection.close()
    try:
        return answer.status, json.loads(body), answer.headers
    except ValueError:
        return answer.status, body, answer.headers


def publish(simulator, *texts):
    return ask(simulator, "POST", value={"texts": texts or ("Hello.",)})


def texts(simulator):
    return [post.text for post in simulator.store.list_all()]


def strike(simulator, fault, occasion=Occasion.PUBLISH, seconds=5.0, times=1):
    simulator.faults.add(occasion, Strike(fault, seconds), times=times)


def test_all_is_well_without_a_fault(simulator):
    status, value, headers = publish(simulator)
    assert status == 200
    assert value["id"] == simulator.store.list_all()[0].id
    assert headers["Date"].endswith("GMT")
    assert texts(simulator) == ["Hello."]


@pytest.mark.parametrize(
    ("fault", "status", "there"),
    [
        (Fault.LOSE_ANSWER, None, 1),
        (Fault.DROP, None, 0),
        (Fault.TWICE, 200, 2),
        (Fault.TOO_MANY, 429, 0),
        (Fault.TOO_MANY_WAIT, 429, 0),
        (Fault.BROKEN_BEFORE, 500, 0),
        (Fault.BROKEN_AFTER, 500, 1),
        (Fault.RUBBISH, 200, 1),
        (Fault.EXPIRED, 400, 0),
        (Fault.REVOKED, 400, 0),
        (Fault.REFUSE, 400, 0),
        (Fault.WRONG_ID, 200, 1),
        (Fault.SLOW_MEDIA, 200, 1),
        (Fault.LIE, 200, 1),
    ],
)
def test_a_fault_is_done_or_not_and_answered_as_it_says(simulator, fault, status, there):
    strike(simulator, fault)
    answer = publish(simulator)
    assert (answer[0] if answer else None) == status
    assert len(texts(simulator)) == there
    [happened] = simulator.requests
    assert (happened.fault, happened.status) == (fault, status)
    assert publish(simulator)[0] == 200, "it strikes once"


def test_every_fault_but_those_shown_apart_is_shown_above():
    [mark] = test_a_fault_is_done_or_not_and_answered_as_it_says.pytestmark
    above = {fault for fault, *_ in mark.args[1]}
    assert set(Fault) - above == {Fault.SLOW, Fault.SKEW, Fault.HALF}


def test_too_many_says_how_long_to_wait_only_where_it_should(simulator):
    strike(simulator, Fault.TOO_MANY_WAIT, seconds=40)
    strike(simulator, Fault.TOO_MANY)
    assert publish(simulator)[2]["Retry-After"] == "40"
    assert publish(simulator)[2]["Retry-After"] is None


def test_rubbish_is_a_page(simulator):
    strike(simulator, Fault.RUBBISH)
    assert publish(simulator)[1].startswith(b"<!DOCTYPE html>")


def test_slow_is_done_at_once_and_answered_late(simulator):
    strike(simulator, Fault.SLOW, seconds=0.2)
    began = time.monotonic()
    assert publish(simulator)[0] == 200
    assert time.monotonic() - began >= 0.2


def test_whoever_leaves_a_slow_answer_finds_it_done(simulator):
    strike(simulator, Fault.SLOW, seconds=0.3)
    with pytest.raises(TimeoutError):
        ask(simulator, "POST", value={"texts": ["Hello."]}, timeout=0.1)
    assert texts(simulator) == ["Hello."]


def test_half_does_the_first_part_only(simulator):
    strike(simulator, Fault.HALF)
    assert publish(simulator, "One.", "Two.")[0] == 500
    assert texts(simulator) == ["One."]


def test_slow_media_is_not_ready(simulator):
    strike(simulator, Fault.SLOW_MEDIA, Occasion.UPLOAD, seconds=60)
    assert ask(simulator, "POST", "/media", "x")[1] == {"ready": False}
    assert ask(simulator, "POST", "/media", "x")[1] == {"ready": True}


def test_a_wrong_id_names_another_post_and_a_lie_denies_what_is_there(simulator):
    strike(simulator, Fault.WRONG_ID)
    assert publish(simulator)[1] == {"id": "another"}
    strike(simulator, Fault.LIE, Occasion.READ)
    assert ask(simulator)[1]["texts"] == []
    assert ask(simulator)[1]["texts"] == ["Hello."]


@pytest.mark.parametrize("seconds", [3600, -3600])
def test_a_clock_that_is_wrong_stays_wrong(simulator, seconds):
    strike(simulator, Fault.SKEW, Occasion.READ, seconds=seconds)
    for _ in range(2):
        there = datetime.fromisoformat(ask(simulator)[1]["now"])
        assert abs((there - datetime.now(UTC)).total_seconds() - seconds) < 30


def test_faults_strike_in_order_on_their_own_occasion(simulator):
    strike(simulator, Fault.REFUSE, times=2)
    strike(simulator, Fault.BROKEN_BEFORE, Occasion.READ)
    strike(simulator, Fault.TOO_MANY)
    assert ask(simulator)[0] == 500
    assert [publish(simulator)[0] for _ in range(4)] == [400, 400, 429, 200]


def test_chance_is_the_same_for_the_same_seed():
    def draw(seed):
        faults = Faults(seed=seed)
        faults.set_rates({(Occasion.PUBLISH, Fault.DROP): (0.5, 1.0)})
        return [faults.next_strike(Occasion.PUBLISH) for _ in range(50)]

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)
    assert {strike and strike.fault for strike in draw(1)} == {None, Fault.DROP}
    faults = Faults()
    faults.set_rates({(Occasion.PUBLISH, Fault.DROP): (1.0, 1.0)})
    assert faults.next_strike(Occasion.READ) is None
    assert faults.next_strike(Occasion.PUBLISH) == Strike(Fault.DROP, 1.0)
    faults.clear()
    assert faults.next_strike(Occasion.PUBLISH) is None


class TestTheControls:
    def test_faults_are_set_and_cleared_from_outside(self, simulator):
        wanted = {"occasion": "publish", "fault": "refuse", "times": 2}
        assert ask(simulator, "POST", "/_simulator/faults", wanted)[0] == 200
        assert publish(simulator)[0] == 400
        assert ask(simulator, "DELETE", "/_simulator/faults")[0] == 200
        assert publish(simulator)[0] == 200
        rates = [{"occasion": "publish", "fault": "drop", "chance": 1}]
        ask(simulator, "POST", "/_simulator/faults", {"rates": rates})
        assert publish(simulator) is None

    @pytest.mark.parametrize(
        "wanted",
        [{}, {"occasion": "never", "fault": "refuse"}, {"rates": 5}, {"rates": [{}]}],
    )
    def test_what_cannot_be_read_is_said(self, simulator, wanted):
        status, value, _ = ask(simulator, "POST", "/_simulator/faults", wanted)
        assert status == 400
        assert value["error"].startswith("This cannot be read")

    def test_what_others_did_can_be_played(self, simulator):
        made = ask(simulator, "POST", "/_simulator/posts", {"text": "Not ours."})[1]
        ask(simulator, "PATCH", f"/_simulator/posts/{made['id']}", {"text": "Changed."})
        [post] = ask(simulator, "GET", "/_simulator/posts")[1]
        assert (post["text"], post["edited"], post["removed"]) == ("Changed.", True, False)
        ask(simulator, "DELETE", f"/_simulator/posts/{made['id']}")
        [post] = ask(simulator, "GET", "/_simulator/posts")[1]
        assert post["removed"]
        assert ask(simulator)[1]["texts"] == []
        assert ask(simulator, "PATCH", "/_simulator/posts/none", {"text": "x"})[0] == 400
        assert ask(simulator, "GET", "/_simulator/nothing")[0] == 404

    def test_requests_are_listed_with_their_faults(self, simulator):
        strike(simulator, Fault.DROP)
        publish(simulator)
        assert ask(simulator, "GET", "/_simulator/requests")[1] == [
            {
                "method": "POST",
                "path": "/posts",
                "occasion": "publish",
                "fault": "drop",
                "status": None,
            }
        ]

    def test_the_page_shows_all_of_it_and_runs_none_of_it(self, simulator):
        publish(simulator, "<script>alert(1)</script>")
        status, page, _ = ask(simulator, "GET", "/")
        assert status == 200
        assert b"<script>" not in page
        assert b"&lt;script&gt;" in page
        assert b"&lt;typed&gt;" in page


class TestTheStore:
    def test_ids_grow_though_the_clock_stands_still_or_goes_back(self):
        times = [NOW, NOW, NOW - timedelta(hours=1), NOW]
        store = Store(lambda: times.pop(0) if times else NOW)
        ids = [int(store.next_id()) for _ in range(4)]
        assert ids == sorted(set(ids))

    def test_a_removed_post_is_gone_and_not_forgotten(self):
        store = Store(lambda: NOW)
        first, second = store.add_post("One.", key="k"), store.add_post("Two.")
        assert store.find_by_key("k") == first
        assert store.remove_post(first.id) is True
        assert store.remove_post(first.id) is False
        assert store.find_post(first.id) is None
        assert store.find_by_key("k") is None
        assert store.list_newest(9) == (second,)
        assert [post.removed_at for post in store.list_all()] == [NOW, None]

    def test_a_file_has_its_digest_and_its_time(self):
        store = Store(lambda: NOW)
        medium = store.add_medium("image/png", b"", ready_in_seconds=5)
        assert medium.sha256.startswith("e3b0c44298fc1c14")
        assert medium.ready_at == NOW + timedelta(seconds=5)
        store.change_medium(medium.id, alt="A square.")
        assert store.find_medium(medium.id).alt == "A square."
        with pytest.raises(KeyError):
            store.change_medium("none", alt="x")


class TestARequest:
    def test_a_form_is_read_in_both_its_ways(self):
        plain = Asked.read("POST", "/x?a=%2F", {}, b"text=a%26b&empty=")
        assert plain.form() == {"text": "a&b", "empty": ""}
        assert plain.query == {"a": "/"}
        body = (
            b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nT\xc5\xb7\r\n'
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n'
            b"Content-Type: image/png\r\n\r\n\x00\xff\r\n--b--\r\n"
        )
        many = Asked.read("POST", "/x", {"Content-Type": "multipart/form-data; boundary=b"}, body)
        assert many.form() == {"text": "Tŷ"}
        assert many.file("file") == ("image/png", b"\x00\xff")
        assert many.file("text") is None

    def test_what_is_no_json_object_is_empty(self):
        for body in (b"", b"[1]", b"{", b"\xff"):
            assert Asked.read("POST", "/", {}, body).json() == {}

    def test_the_token_is_read(self):
        assert Asked.read("GET", "/", {"Authorization": "Bearer abc"}, b"").token == "abc"
        assert Asked.read("GET", "/", {"Authorization": "Basic abc"}, b"").token == ""


def test_a_channel_that_is_not_simulated_is_an_error():
    for name in ("", "atom", "nothing"):
        with pytest.raises(KeyError):
            make_simulated(name)
