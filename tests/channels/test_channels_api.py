"""An answer is a yes, a clear no, or neither; what a channel's codes mean is in its own table."""

import json
from email import message_from_bytes
from email.policy import HTTP
from urllib.parse import parse_qsl, urlsplit

import pytest
from standin_server import DROP, Answer, said, standing_in

from folkmoot.channels.api import (
    Api,
    Meaning,
    NoClearAnswer,
    Reason,
    SaidNo,
    Upload,
    find_wait_seconds,
)
from folkmoot.channels.outbound import Outbound, Response

TOKEN = "secret-token-1"
TABLE = {
    "190": Reason(Meaning.SIGN_IN, "Connect the account again ({said})."),
    "4": Reason(Meaning.LATER, "Too many requests. It is tried again by itself."),
    "1": Reason(Meaning.UNCLEAR, "The channel does not know itself."),
    "506": Reason(Meaning.REPEAT, "It holds this to be a repeat."),
}


def find_error(status, value):
    error = value.get("error") if isinstance(value, dict) else None
    if not isinstance(error, dict):
        return None
    return [str(code) for code in error.get("codes", ())], error.get("said", "")


def ask(server, method="GET", path="/x", **what):
    api = Api(
        Outbound(allow=[server.allow], timeout_seconds=5),
        title="Testbook",
        find_error=find_error,
        table=TABLE,
        secrets=lambda: [TOKEN, ""],
    )
    return api.ask(method, server.url + path, **what)


def error(status, *codes, words="", **headers):
    answer = said(status, {"error": {"codes": codes, "said": words}})
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, answer.body, {**answer.headers, **names})


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        (said(200, {"id": "1"}), {"id": "1"}),
        (said(201, [1]), [1]),
        (Answer(204, b""), None),
        (Answer(200, b" \n"), None),
    ],
)
def test_a_yes_is_its_json(answer, value):
    with standing_in(answer) as server:
        assert ask(server).value == value


@pytest.mark.parametrize(
    ("answer", "meaning", "reason"),
    [
        (
            error(400, "190", words="Expired"),
            Meaning.SIGN_IN,
            "Connect the account again (Expired).",
        ),
        (error(400, "190"), Meaning.SIGN_IN, "Connect the account again (no reason given)."),
        (error(500, "7", "506"), Meaning.REPEAT, "It holds this to be a repeat."),
        (error(400, "77", words="No."), Meaning.REFUSED, "Testbook refused it (No)."),
        (error(403, "77"), Meaning.REFUSED, "Testbook refused it (77)."),
        (error(401, "77", words="Who?"), Meaning.SIGN_IN, "Testbook refused it (Who?)."),
        (error(404), Meaning.MISSING, "Testbook refused it (404)."),
        (error(410, words="Gone"), Meaning.MISSING, "Testbook refused it (Gone)."),
    ],
)
def test_a_clear_no_has_a_meaning_and_a_sentence(answer, meaning, reason):
    with standing_in(answer) as server, pytest.raises(SaidNo) as no:
        ask(server)
    assert (no.value.meaning, no.value.reason) == (meaning, reason)
    assert no.value.status == answer.status


@pytest.mark.parametrize(
    ("answer", "strange"),
    [
        (error(400, "4"), False),
        (error(400, "1"), False),
        (error(500, "77"), False),
        (error(429, "77"), False),
        (error(408), False),
        (error(425), False),
        (Answer(429, b"slow down"), False),
        (Answer(200, b"<html>"), True),
        (Answer(403, b"<html>"), True),
        (said(400, {"message": "no error in it"}), True),
        (Answer(400, b""), True),
        (Answer(302, b"", {"Location": "https://example.org/"}), True),
        (Answer(200, b"[" * 100_000), True),
        (Answer(200, b"\xff\xfe"), True),
        (DROP, False),
    ],
)
def test_anything_else_is_not_clear(answer, strange):
    with standing_in(answer) as server, pytest.raises(NoClearAnswer) as unclear:
        ask(server, "POST")
    assert unclear.value.sent
    assert unclear.value.strange is strange
    assert unclear.value.reason.endswith(".")
    assert len(server.asked) == 1


def test_what_never_left_is_told():
    with standing_in(said(200, {})) as server:
        pass
    with pytest.raises(NoClearAnswer) as unclear:
        ask(server)
    assert unclear.value.sent is False


def test_nothing_secret_comes_back_in_a_sentence():
    for answer in (
        error(400, "77", words=f"Bad {TOKEN}\x07"),
        error(400, "190", words=TOKEN),
        error(400, TOKEN),
    ):
        with standing_in(answer) as server, pytest.raises(SaidNo) as no:
            ask(server, token=TOKEN)
        assert TOKEN not in no.value.reason
        assert "\x07" not in no.value.reason
    with standing_in(error(400, "x", words="y" * 5000)) as server, pytest.raises(SaidNo) as no:
        ask(server)
    assert len(no.value.reason) < 300


class TestWhatIsSent:
    def sent(self, **what):
        with standing_in(said(200, {})) as server:
            ask(server, "POST", **what)
            return server.asked[0]

    def test_json_goes_letter_for_letter_with_the_token(self):
        asked = self.sent(json_body={"text": "Tŷ \U0001f44b"}, token=TOKEN)
        assert asked.body == '{"text":"Tŷ \U0001f44b"}'.encode()
        assert asked.headers["content-type"] == "application/json"
        assert asked.headers["authorization"] == f"Bearer {TOKEN}"

    def test_a_form_is_encoded(self):
        asked = self.sent(form={"text": "a&b=c +"})
        assert dict(parse_qsl(asked.body.decode())) == {"text": "a&b=c +"}
        assert asked.headers["content-type"] == "application/x-www-form-urlencoded"

    def test_bytes_go_as_they_are(self):
        asked = self.sent(body=b"\x00\xff", headers={"Content-Type": "image/png", "X-A": "b"})
        assert (asked.body, asked.headers["content-type"]) == (b"\x00\xff", "image/png")
        assert asked.headers["x-a"] == "b"
        assert "authorization" not in asked.headers

    def test_files_go_beside_the_fields_of_a_form(self):
        content = bytes(range(256)) + b"\r\n--x\r\n"
        asked = self.sent(form={"alt": "Tŷ"}, files=[Upload("file", "a.png", "image/png", content)])
        head = f"Content-Type: {asked.headers['content-type']}\r\n\r\n".encode()
        field, file = message_from_bytes(head + asked.body, policy=HTTP).iter_parts()
        assert field.get_payload(decode=True) == "Tŷ".encode()
        assert file.get_payload(decode=True) == content
        assert file.get_filename() == "a.png"
        assert file.get_content_type() == "image/png"

    def test_parameters_join_those_that_are_there(self):
        for path in ("/x", "/x?a=1"):
            asked = self.sent(path=path, params={"b": "c d&"})
            query = dict(parse_qsl(urlsplit(asked.path).query))
            assert query["b"] == "c d&"
            assert query.get("a") == ("1" if "a=1" in path else None)


HERE = {"date": "Fri, 20 Nov 2026 09:00:00 GMT"}


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"retry-after": "30"}, 30),
        (503, {"retry-after": "0"}, 0),
        (429, {"retry-after": "99999999"}, 86_400),
        (429, {"retry-after": "Fri, 20 Nov 2026 09:02:00 GMT", **HERE}, 120),
        (429, {"retry-after": "Fri, 20 Nov 2026 08:00:00 GMT", **HERE}, 0),
        (429, {"retry-after": "Fri, 20 Nov 2026 09:02:00 GMT"}, None),
        (429, {"retry-after": "soon", **HERE}, None),
        (429, {"retry-after": "-5", **HERE}, None),
        (429, {"retry-after": "²"}, None),
        (429, {}, None),
        (429, {"ratelimit-reset": "1795165320", **HERE}, 120),
        (429, {"ratelimit-reset": "60"}, 60),
        (429, {"ratelimit-reset": "1795165320"}, None),
        (429, {"ratelimit-reset": "9" * 30, **HERE}, None),
        (500, {"ratelimit-reset": "60", **HERE}, None),
    ],
)
def test_how_long_a_server_asks_us_to_wait(status, headers, seconds):
    assert find_wait_seconds(Response(status, headers, b"")) == seconds


def test_the_wait_reaches_whoever_asked():
    for answer in (error(429, Retry_After="7"), error(400, "4", Retry_After="7")):
        with standing_in(answer) as server, pytest.raises(NoClearAnswer) as unclear:
            ask(server)
        assert unclear.value.after_seconds == 7


def test_a_no_keeps_the_whole_answer_for_those_who_need_it():
    repeat = error(422, "506", words="urn:li:share:1")
    with standing_in(repeat) as server, pytest.raises(SaidNo) as no:
        ask(server)
    assert json.dumps(no.value.value) == json.dumps(
        {"error": {"codes": ["506"], "said": "urn:li:share:1"}}
    )
