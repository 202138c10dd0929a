"""Asking before posting: the page for anyone, and the checker over HTTP."""

import html
import json

import pytest

FULL = {"capacity": "official", "periods": "none", "publish_at": "2026-11-20T10:00:00Z"}


def ask(cast, text, **more):
    answer = cast.client().post("/should-i-post/", {"text": text, "capacity": "personal", **more})
    return answer.status_code, html.unescape(answer.content.decode())


def test_the_same_words_are_answered_otherwise_in_another_capacity(cast):
    words = "Vote Labour on Thursday."
    assert "Get sign-off before posting this" in ask(cast, words, capacity="official")[1]
    status, page = ask(cast, words)
    assert status == 200
    assert "Get sign-off" not in page
    assert "Do not post" not in page


def test_a_senior_voice_close_to_the_work_is_advised_and_never_stopped(cast):
    words = "The policy I work on is an absolute disgrace and a betrayal."
    page = ask(cast, words, seniority="senior", closeness="close")[1]
    assert "Post with care" in page
    assert "/guidance/uk-civil-service/PERSONAL-CAPACITY/" in page
    assert "What is fine" in page


def test_an_answer_against_it_means_do_not_post_whatever_the_rules_found(cast):
    words = "The library opens at 9am on Monday."
    page = ask(cast, words, capacity="official")[1]
    assert "Nothing found against posting" in page
    assert "Answer the questions below" in page
    page = ask(cast, words, capacity="official", **{"answer-ask/harm": "yes"})[1]
    assert "Do not post this as it stands" in page
    assert "You answered “yes” to “Could anybody come to harm by it?”." in page


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"text": "", "capacity": "personal"}, "Write or paste what you would like to post."),
        ({"text": "Hello."}, "Say where you would post it."),
        ({"text": "x" * 10_001, "capacity": "personal"}, "Use at most 10000 characters."),
    ],
)
def test_what_cannot_be_answered_is_said_and_the_words_are_kept(cast, given, sentence):
    answer = cast.client().post("/should-i-post/", given)
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert sentence in page
    assert given["text"] in page


def post(cast, body, kind="application/json", query=""):
    data = body if isinstance(body, str | bytes) else json.dumps(body)
    return cast.client().post(f"/api/check{query}", data=data, content_type=kind)


def test_a_post_is_checked_over_http_and_nothing_is_kept(cast):
    answer = post(cast, {"id": "a", "text": "Ring 07700 900123.", **FULL})
    row = answer.json()
    assert answer.status_code == 200
    assert (row["id"], row["verdict"]) == ("a", "get_signoff")
    (finding,) = [f for f in row["findings"] if f["effect"] == "hold"]
    assert "DATA-PERSONAL" in finding["clauses"]
    assert (finding["start"], finding["end"]) == (5, 17)


def test_rows_are_answered_in_order_and_a_bad_one_makes_the_whole_no_pass(cast):
    body = "\n".join(
        (json.dumps({"id": 1, "text": "Hello.", **FULL}), "rubbish", '{"id": 3, "text": 4}')
    )
    answer = post(cast, body, "application/x-ndjson")
    rows = [json.loads(line) for line in answer.content.splitlines()]
    assert answer.status_code == 422
    assert rows[0]["verdict"] == "post"
    assert "error" in rows[1]
    assert rows[1]["line"] == 2
    assert rows[2]["id"] == 3
    assert "verdict" not in rows[2]


def test_another_pack_may_be_named_and_an_unknown_one_is_said(cast):
    words = {"text": "Vote Labour on Thursday.", **FULL}
    assert post(cast, words, query="?pack=nurses").status_code == 200
    answer = post(cast, words, query="?pack=nobody")
    assert answer.status_code == 404
    assert "nobody" in answer.json()["error"]


def test_too_much_at_once_is_refused_in_words(cast):
    answer = post(cast, {"text": "x" * 1_000_001})
    assert answer.status_code == 413
    assert "at most" in answer.json()["error"]
    answer = post(cast, "{}\n" * 1_001, "application/x-ndjson")
    assert answer.status_code == 413
