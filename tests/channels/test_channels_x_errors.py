"""Each of X's refusals has its meaning and a sentence; what X says of waiting is kept."""

import json

import pytest

from folkmoot.channels.api import Api, Meaning, NoClearAnswer, SaidNo
from folkmoot.channels.outbound import Response
from folkmoot.channels.x.errors import TABLE, find_error, find_wait


def problem(status, detail, kind="about:blank", **more):
    kind = kind if kind == "about:blank" else f"https://api.twitter.com/2/problems/{kind}"
    return status, {"title": "Forbidden", "detail": detail, "type": kind, "status": status, **more}


ANSWERS = {
    "duplicate-content": problem(
        403, "You are not allowed to create a Tweet with duplicate content."
    ),
    "account-suspended": problem(403, "Your account is suspended and may not use this feature."),
    "account-locked": (403, {"errors": [{"code": 326, "message": "To protect our users …"}]}),
    "reply-gone": problem(
        403, "You attempted to reply to a Tweet that is deleted or not visible to you."
    ),
    "reply-not-allowed": problem(
        403, "Reply to this conversation is not allowed because you have not been mentioned."
    ),
    "text-too-long": problem(403, "Your Tweet text is too long."),
    "media-invalid": problem(400, "Your media IDs are invalid.", "invalid-request"),
    "too-many-posts": (403, {"errors": [{"code": 185, "message": "User is over …"}]}),
    "looks-automated": (403, {"errors": [{"code": 226, "message": "This looks …"}]}),
    "not-permitted": problem(403, "You are not permitted to perform this action."),
    "oauth1-permissions": problem(
        403, "Your client app is not configured with the permissions.", "oauth1-permissions"
    ),
    "client-not-enrolled": problem(
        403, "You must use keys of a Project.", "client-forbidden", reason="client-not-enrolled"
    ),
    "client-forbidden": problem(
        403, "This client may not.", "client-forbidden", reason="official-client-forbidden"
    ),
    "usage-capped": problem(429, "Usage cap exceeded: Monthly product cap", "usage-capped"),
    "credits": problem(402, "Your account does not have any credits.", "credits"),
    "unsupported-authentication": problem(
        403, "Authenticating with Unknown is forbidden.", "unsupported-authentication"
    ),
    "unauthorized": problem(401, "Unauthorized"),
    "not-authorized-for-resource": problem(403, "Not shown.", "not-authorized-for-resource"),
    "resource-not-found": problem(404, "Not Found"),
    "invalid-request": (
        400,
        {"errors": [{"message": "One of the fields is bad."}], "type": "…/invalid-request"},
    ),
}


class Saying:
    def __init__(self, status, value, **headers):
        self.response = Response(status, headers, json.dumps(value).encode())

    def request(self, method, url, headers=None, body=None):
        return self.response


def ask(status, value, **headers):
    api = Api(
        Saying(status, value, **headers),
        title="X",
        find_error=find_error,
        table=TABLE,
        secrets=lambda: ["hunter2"],
        find_wait=find_wait,
    )
    api.ask("POST", "https://api.x.com/2/tweets", json_body={})


def test_every_row_has_an_answer_that_leads_to_it():
    assert set(ANSWERS) == set(TABLE)


@pytest.mark.parametrize("code", ANSWERS)
def test_an_answer_of_x_has_its_meaning_and_a_sentence(code):
    status, value = ANSWERS[code]
    with pytest.raises((SaidNo, NoClearAnswer)) as found:
        ask(status, value)
    assert isinstance(found.value, NoClearAnswer) == (
        TABLE[code].meaning in (Meaning.LATER, Meaning.UNCLEAR)
    )
    assert found.value.reason.startswith(TABLE[code].sentence.partition("{")[0])
    assert found.value.reason.endswith(".")
    if isinstance(found.value, SaidNo):
        assert found.value.meaning is TABLE[code].meaning


@pytest.mark.parametrize("value", [[], "no", {"data": {}}, {"errors": "many"}, None])
def test_what_is_not_in_xs_form_is_not_clear(value):
    with pytest.raises(NoClearAnswer):
        ask(403, value)


def test_a_broken_server_is_not_clear_whatever_it_says():
    with pytest.raises(NoClearAnswer):
        ask(503, {"title": "Service Unavailable", "detail": "Over capacity", "type": "about:blank"})


def test_what_x_says_is_not_repeated_with_a_secret_in_it():
    with pytest.raises(SaidNo) as found:
        ask(400, {"title": "No", "detail": "hunter2 is bad", "type": "…/invalid-request"})
    assert "hunter2" not in found.value.reason


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-rate-limit-reset": "1764064860"}, 60),
        ({"x-rate-limit-reset": "1764064800"}, 0),
        ({"x-rate-limit-reset": "1764060000"}, 0),
        ({"x-rate-limit-reset": "9999999999"}, 86_400),
        ({"x-rate-limit-reset": "1764064860", "retry-after": "7"}, 7),
        (
            {
                "x-rate-limit-reset": "1764064860",
                "x-rate-limit-remaining": "12",
                "x-user-limit-24hour-reset": "1764068400",
                "x-user-limit-24hour-remaining": "0",
            },
            3600,
        ),
        ({"x-rate-limit-reset": "soon"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait_is_held_against_xs_own_clock(headers, seconds):
    status, value = problem(429, "Too Many Requests")
    with pytest.raises(NoClearAnswer) as found:
        ask(status, value, date="Tue, 25 Nov 2025 10:00:00 GMT", **headers)
    assert found.value.after_seconds == seconds


def test_without_a_clock_of_xs_nothing_is_guessed():
    with pytest.raises(NoClearAnswer) as found:
        ask(*problem(429, "Too Many Requests"), **{"x-rate-limit-reset": "1764064860"})
    assert found.value.after_seconds is None
