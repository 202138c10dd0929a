"""LinkedIn's little text carries any text letter for letter; its refusals have their sentences."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.channels.api import Api, Meaning, NoClearAnswer, SaidNo
from folkmoot.channels.linkedin import little
from folkmoot.channels.linkedin.adapter import CAPABILITIES
from folkmoot.channels.linkedin.errors import TABLE, find_error, find_named_urn
from folkmoot.channels.linkedin.simulated import _understand
from folkmoot.channels.outbound import Response
from folkmoot.channels.specimens import HOSTILE_TEXTS

TRICKY = st.text(st.sampled_from("|{}@[]()<>#\\*_~ab1＃ \n") | st.characters(codec="utf-8"))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain", "plain"),
        ("a_b (c) [d] <e> {f} | g* ~h @i", r"a\_b \(c\) \[d\] \<e\> \{f\} \| g\* \~h \@i"),
        ("back\\slash", r"back\\slash"),
        ("#GoodNews today", r"{hashtag|\#|GoodNews} today"),
        ("#good_news", r"{hashtag|\#|good\_news}"),
        ("＃新聞", "{hashtag|＃|新聞}"),
        ("#2026 is no tag, nor is a#b", r"\#2026 is no tag, nor is a\#b"),
        ("https://example.gov.uk/a_b#c", r"https://example.gov.uk/a\_b\#c"),
    ],
)
def test_reserved_characters_are_escaped_and_hashtags_are_templates(text, written):
    assert little.write(text) == written
    assert little.read(written) == text


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_hostile_text_comes_back_letter_for_letter(text):
    assert little.read(little.write(text)) == text


@given(TRICKY)
def test_any_text_comes_back_and_none_is_cut_short(text):
    assert little.read(little.write(text)) == text
    assert _understand(little.write(text)) == text


def test_what_others_wrote_is_read_too():
    written = r"Hello @[Eddy \(E\)](urn:li:person:1) and #plain {hashtag|#|Old} \(1\)"
    assert little.read(written) == "Hello Eddy (E) and #plain #Old (1)"


def test_an_emoji_counts_as_linkedin_counts_it():
    [length] = CAPABILITIES.lengths
    assert [length.count(text) for text in ("a", "\u00e9", "\U0001f44d", "野")] == [1, 1, 2, 1]


# -- refusals ----------------------------------------------------------------------------------


def coded(status, code, message="No.", number=None):
    more = {} if number is None else {"serviceErrorCode": number}
    return status, {"status": status, "code": code, "message": message, **more}


def for_input(code, message):
    errors = {"inputErrors": [{"code": code, "description": "No.", "input": {}}]}
    return 422, {"status": 422, "message": message, "errorDetails": errors}


ANSWERS = {
    "DUPLICATE_POST": for_input("DUPLICATE_POST", "Content is a duplicate of urn:li:share:71"),
    "EXPIRED_ACCESS_TOKEN": (401, {"status": 401, "serviceErrorCode": 65602, "message": "x"}),
    "REVOKED_ACCESS_TOKEN": (401, {"status": 401, "serviceErrorCode": 65601, "message": "x"}),
    "INVALID_ACCESS_TOKEN": coded(401, "INVALID_ACCESS_TOKEN", number=65600),
    "EMPTY_ACCESS_TOKEN": coded(401, "EMPTY_ACCESS_TOKEN"),
    "UNAUTHORIZED": (401, {"status": 401, "serviceErrorCode": 401, "message": "Unauthorized"}),
    "NOT_ADMIN": coded(
        403,
        "ACCESS_DENIED",
        "Organization permissions must be used when using organization as author",
        100,
    ),
    "ACCESS_DENIED": coded(403, "ACCESS_DENIED", "Not enough permissions to access: posts", 100),
    "TOO_MANY_REQUESTS": (429, {"status": 429, "serviceErrorCode": 101, "message": "x"}),
    "NONEXISTENT_VERSION": coded(
        426, "NONEXISTENT_VERSION", "Requested version 20240901 is not active"
    ),
    "VERSION_MISSING": coded(400, "VERSION_MISSING"),
    "FIELD_LENGTH_TOO_LONG": for_input("FIELD_LENGTH_TOO_LONG", "commentary is too long"),
    "MEDIA_ASSET_PROCESSING_FAILED": for_input("MEDIA_ASSET_PROCESSING_FAILED", "No."),
    "MEDIA_ASSET_WAITING_UPLOAD": coded(400, "MEDIA_ASSET_WAITING_UPLOAD"),
    "EXPIRED_UPLOAD_URL": coded(400, "EXPIRED_UPLOAD_URL"),
    "INVALID_CONTENT_OWNERSHIP": for_input("INVALID_CONTENT_OWNERSHIP", "No."),
    "INVALID_URN_ID": coded(400, "INVALID_URN_ID"),
    "NOT_FOUND": (404, {"status": 404, "message": "Entity was not found"}),
}


class Saying:
    def __init__(self, status, body):
        self.response = Response(status, {}, body)

    def request(self, method, url, headers=None, body=None):
        return self.response


def ask(status, body):
    Api(Saying(status, body), title="LinkedIn", find_error=find_error, table=TABLE).ask("GET", "x")


def test_every_row_has_an_answer_that_leads_to_it():
    assert set(ANSWERS) == set(TABLE)


@pytest.mark.parametrize("code", ANSWERS)
def test_an_answer_of_linkedins_has_its_meaning_and_a_sentence(code):
    status, value = ANSWERS[code]
    with pytest.raises((SaidNo, NoClearAnswer)) as found:
        ask(status, json.dumps(value).encode())
    assert isinstance(found.value, NoClearAnswer) == (TABLE[code].meaning is Meaning.LATER)
    assert re.fullmatch(
        re.escape(TABLE[code].sentence).replace(r"\{said\}", ".*"), found.value.reason
    )
    if isinstance(found.value, SaidNo):
        assert found.value.meaning is TABLE[code].meaning


@pytest.mark.parametrize("body", [b"", b"[]", b'{"error": "no"}', b"<html>", b'{"status": "403"}'])
def test_what_is_not_in_linkedins_form_is_not_clear(body):
    with pytest.raises(NoClearAnswer):
        ask(403, body)


def test_the_post_that_a_refusal_names_is_found_in_its_message():
    assert find_named_urn(ANSWERS["DUPLICATE_POST"][1]) == "urn:li:share:71"
    assert find_named_urn({"message": "A duplicate."}) is None
    assert find_named_urn(None) is None
