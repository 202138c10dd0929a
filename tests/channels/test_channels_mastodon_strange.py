"""Mastodon: each row of its error table, and servers that answer strangely or with ill will."""

import datetime as dt
import json

import pytest
from standin_server import DROP, Answer, said, standing_in

from folkmoot.channels import (
    Absent,
    Live,
    NotPrepared,
    Outbound,
    Part,
    Partly,
    Prepared,
    Refused,
    Rendition,
    Sent,
    Unconfirmed,
    Unreadable,
)
from folkmoot.channels.contract import make_picture, post
from folkmoot.channels.mastodon import Mastodon
from folkmoot.channels.mastodon.errors import ERRORS
from folkmoot.channels.mastodon.frozen import FrozenPart, FrozenPost
from folkmoot.channels.mastodon.server import find_wait
from folkmoot.channels.outbound import Response

NOW = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)
TOKEN = "a-secret-token"
SENT = Sent("101", "https://h/@council/101", ("101",))


def account(server):
    return Mastodon(
        server=server.url,
        username="council",
        access_token=TOKEN,
        outbound=Outbound(allow=[server.allow], timeout_seconds=2),
        now=lambda: NOW,
    )


def freeze(text="Hello.", **more):
    part = FrozenPart("key-0", text, (), "en")
    return Prepared("key", FrozenPost("1", "100", 3, "", (part,)).to_bytes())


def status(**more):
    return {
        "id": "101",
        "content": "<p>Hello.</p>",
        "created_at": "2026-11-20T09:00:00.000Z",
        "url": "https://h/@council/101",
        "account": {"id": "1"},
        "media_attachments": [],
        "mentions": [],
        "visibility": "public",
        **more,
    }


OWNER = {"id": "1", "username": "council", "statuses_count": 3, "url": "https://h/@council"}

# Every row of the table: the status and sentence that lead to it, and what a send then answers.
ROWS = [
    ("400", 400, "The request cannot be read", Refused, "could not read the request"),
    ("401", 401, "The access token is invalid", Refused, "connect the account again"),
    ("401 revoked", 401, "The access token was revoked", Refused, "was revoked on Mastodon"),
    ("401 expired", 401, "The access token expired", Refused, "is over on Mastodon"),
    ("403", 403, "This action is not allowed", Refused, "This action is not allowed"),
    (
        "403 scope",
        403,
        "This action is outside the authorized scopes",
        Refused,
        "write:statuses and write:media",
    ),
    ("403 suspended", 403, "Your account is suspended", Refused, "is suspended on Mastodon"),
    ("403 disabled", 403, "Your login is currently disabled", Refused, "is locked on Mastodon"),
    (
        "403 unconfirmed",
        403,
        "Your login is missing a confirmed e-mail address",
        Refused,
        "is not confirmed on Mastodon",
    ),
    (
        "403 pending",
        403,
        "Your login is currently pending approval",
        Refused,
        "waits for approval",
    ),
    ("404", 404, "Record not found", Refused, "This is not on Mastodon"),
    (
        "404 reply",
        404,
        "The post you are trying to reply to does not appear to exist.",
        Refused,
        "that this one answers",
    ),
    ("410", 410, "Gone", Refused, "not on Mastodon any more"),
    ("413", 413, "Payload too large", Refused, "larger than the Mastodon server takes"),
    ("422", 422, "Validation failed: Text is too long", Refused, "Text is too long"),
    (
        "422 processing",
        422,
        "Cannot attach files that have not finished processing. Try again in a moment!",
        Unconfirmed,
        "still at work on a picture",
    ),
    (
        "422 picture",
        422,
        "Error processing thumbnail for uploaded media",
        Refused,
        "could not make sense of a picture",
    ),
    (
        "422 pictures gone",
        422,
        "Media 1, 2 not found or already attached to another post",
        Refused,
        "does not have a picture any more",
    ),
    ("429", 429, "Too many requests", Unconfirmed, "takes no more requests"),
    ("500", 500, "Internal Server Error", Unconfirmed, "a fault of its own"),
    ("503", 503, "Service Unavailable", Unconfirmed, "closed for now"),
]


def test_every_row_of_the_table_is_shown_here():
    assert {row[0] for row in ROWS} == set(ERRORS)


@pytest.mark.parametrize(
    ("code", "number", "error", "outcome", "words"), ROWS, ids=[row[0] for row in ROWS]
)
def test_each_error_has_its_meaning_and_a_sentence(code, number, error, outcome, words):
    with standing_in(said(number, {"error": error})) as server:
        found = account(server).send(freeze())
    assert isinstance(found, outcome)
    assert words in found.reason
    assert found.reason.endswith(".")
    assert found.reason == ERRORS[code].sentence.format(said=error)


@pytest.mark.parametrize(
    "answer",
    [
        DROP,
        Answer(200, b"<html>"),
        Answer(200, b""),
        Answer(204),
        Answer(302, headers={"Location": "/elsewhere"}),
        Answer(403, b"<html>blocked by a proxy"),
        Answer(413, b"<html>too large"),
        Answer(502, b"<html>bad gateway"),
        said(200, None),
        said(200, []),
        said(200, {}),
        said(200, {"id": "101"}),
        said(200, {"id": "101", "scheduled_at": "2026-11-20T09:10:00.000Z", "params": {}}),
        said(422, {"errors": []}),
        said(422, "no"),
        Answer(200, b"[" * 100_000, {"Content-Type": "application/json"}),
        said(200, status(id="99")),
        said(200, status(id="100")),
        said(200, status(id=101)),
        said(200, status(id="")),
        said(200, status(account={"id": "2"})),
        said(200, status(in_reply_to_id="7")),
        said(200, status(media_attachments=[{"id": "5"}])),
        said(200, status(content=None)),
        said(200, status(created_at="yesterday")),
        said(200, status(media_attachments=None)),
        said(200, status(mentions=[None])),
    ],
)
def test_what_is_no_clear_answer_to_a_send_leaves_it_in_doubt(answer):
    with standing_in(answer) as server:
        outcome = account(server).send(freeze())
        assert isinstance(outcome, Unconfirmed), outcome
        assert outcome.reason.endswith(".")
        posts = [one for one in server.asked if one.method == "POST"]
        assert len(posts) == 1


def test_a_request_is_made_exactly_once_with_its_key_and_token():
    with standing_in(said(200, status())) as server:
        assert isinstance(account(server).send(freeze()), Sent)
        [asked] = server.asked
    assert asked.headers["idempotency-key"] == "key-0"
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert json.loads(asked.body) == {
        "status": "Hello.",
        "visibility": "public",
        "language": "en",
        "sensitive": False,
    }


def test_markup_we_do_not_know_is_settled_by_the_source():
    strange = said(200, status(content="<h1>H<wbr>e-llo</h1>"))

    def say(asked):
        if asked.path.endswith("/source"):
            return said(200, {"id": "101", "text": "Hello.", "spoiler_text": ""})
        return strange

    with standing_in(say) as server:
        assert isinstance(account(server).send(freeze()), Sent)


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(101)",
        "http://elsewhere.example/101",
        "https://elsewhere.example/no-id",
    ],
)
def test_an_address_that_is_none_is_not_passed_on(url):
    with standing_in(said(200, status(url=url))) as server:
        sent = account(server).send(freeze())
        assert isinstance(sent, Sent)
        assert sent.url == f"{server.url}/statuses/101"


def test_an_error_that_repeats_the_token_does_not_spread_it():
    with standing_in(said(422, {"error": f"{TOKEN}\x07 is wrong" + "x" * 5000})) as server:
        outcome = account(server).send(freeze())
    assert TOKEN not in outcome.reason
    assert "\x07" not in outcome.reason
    assert len(outcome.reason) < 400


def looking(listed, *, owner=OWNER, source=None):
    def say(asked):
        path = asked.path.partition("?")[0]
        if path.endswith("verify_credentials"):
            return said(200, owner)
        if path.endswith("/source"):
            return source or said(404, {"error": "Record not found"})
        if path.endswith("/accounts/1/statuses"):
            return listed(asked) if callable(listed) else said(200, listed)
        return said(404, {"error": "Record not found"})

    return say


def once(*statuses):
    """A list that is given once, and then is at its end."""
    pages = [list(statuses), []]
    return lambda asked: said(200, pages.pop(0) if pages else [])


def test_without_a_source_the_html_decides():
    with standing_in(looking(once(status()))) as server:
        assert isinstance(account(server).look_up(freeze()), Sent)
    with standing_in(looking(once(status(content="<p>Another.</p>")))) as server:
        owner = {**OWNER, "statuses_count": 4}
        server.say = looking(once(status(content="<p>Another.</p>")), owner=owner)
        assert account(server).look_up(freeze()) == Absent()


def test_where_source_and_html_differ_the_source_decides():
    source = said(200, {"id": "101", "text": "Something else.", "spoiler_text": ""})
    with standing_in(looking(once(status()), source=source)) as server:
        assert not isinstance(account(server).look_up(freeze()), Sent | Partly)


def test_a_boost_and_an_older_post_are_not_taken_for_it():
    boost = status(id="105", reblog=status(id="9"))
    older = status(id="99")
    with standing_in(looking(once(boost, older))) as server:
        assert account(server).look_up(freeze()) == Absent()


def test_a_list_that_never_ends_is_left_and_decides_nothing():
    numbers = iter(range(1000, 10_000))

    def endless(asked):
        return said(200, [status(id=str(next(numbers)), content="<p>x</p>")])

    with standing_in(looking(endless)) as server:
        outcome = account(server).look_up(freeze())
        assert isinstance(outcome, Unconfirmed)
        assert "more new posts" in outcome.reason
        assert len(server.asked) < 40


def test_a_list_that_repeats_itself_comes_to_an_end():
    with standing_in(looking([status(content="<p>x</p>")])) as server:
        assert account(server).look_up(freeze()) == Absent()


def test_ids_that_are_no_numbers_are_taken_as_they_come():
    listed = once(status(id="01HXYZ", url="https://h/@council/statuses/01HXYZ"))
    with standing_in(looking(listed)) as server:
        sent = account(server).look_up(freeze())
        assert isinstance(sent, Sent)
        assert sent.url == "https://h/@council/statuses/01HXYZ"


@pytest.mark.parametrize(
    "answer",
    [
        DROP,
        Answer(200, b"<html>"),
        said(200, {}),
        said(200, [{}]),
        said(200, [None]),
        said(401, {"error": "The access token was revoked"}),
        said(403, {"error": "This action is not allowed"}),
        said(404, {"error": "Record not found"}),
        said(500, {"error": "x"}),
    ],
)
def test_a_list_that_cannot_be_read_decides_nothing(answer):
    with standing_in(looking(lambda asked: answer)) as server:
        adapter = account(server)
        outcome = adapter.look_up(freeze())
        assert isinstance(outcome, Unconfirmed), outcome
        assert isinstance(adapter.list_recent(5), Unreadable)
        prepared = adapter.prepare(post("x"), key="k", at=NOW)
        assert isinstance(prepared, NotPrepared)


@pytest.mark.parametrize(
    "owner", [None, [], {}, {"id": 1}, {**OWNER, "statuses_count": "many"}, {**OWNER, "id": ""}]
)
def test_an_account_that_cannot_be_read_decides_nothing(owner):
    with standing_in(looking([], owner=owner)) as server:
        adapter = account(server)
        assert isinstance(adapter.look_up(freeze()), Unconfirmed)
        prepared = adapter.prepare(post("x"), key="k", at=NOW)
        assert isinstance(prepared, NotPrepared)
        assert prepared.retry
        assert "could not be used" in adapter.diagnose()


@pytest.mark.parametrize(
    "answer", [DROP, Answer(200, b"x"), said(200, []), said(401, {"error": "no"}), said(500, {})]
)
def test_a_post_that_cannot_be_read_back_says_nothing_about_it(answer):
    with standing_in(answer) as server:
        assert isinstance(account(server).read_back(SENT), Unreadable)


def test_where_there_is_no_source_the_text_is_read_from_the_html():
    content = (
        '<p><span class="h-card"><a href="https://e/@mayor" class="u-url mention">@<span>mayor'
        "</span></a></span> &amp; all</p><p>Hello.</p>"
    )
    mentions = [{"url": "https://e/@mayor", "acct": "mayor@e"}]

    def say(asked):
        if asked.path.endswith("/source"):
            return said(404, {"error": "Record not found"})
        return said(200, status(content=content, mentions=mentions))

    with standing_in(say) as server:
        live = account(server).read_back(SENT)
    assert isinstance(live, Live)
    assert live.texts == ("@mayor@e & all\n\nHello.",)


@pytest.mark.parametrize(
    "answer",
    [
        said(200, None),
        said(200, {"id": 7}),
        said(202, {"id": ""}),
        Answer(200, b"<html>"),
        Answer(413, b"<html>"),
    ],
)
def test_an_upload_that_is_not_understood_is_tried_again(answer):
    with standing_in(answer) as server:
        rendition = Rendition((Part("Look:", (make_picture("A square."),)),))
        outcome = account(server).upload(rendition)
    assert isinstance(outcome, NotPrepared)
    assert outcome.retry


def test_a_text_alternative_that_was_changed_stops_the_post():
    answer = said(200, {"id": "5", "type": "image", "url": "https://h/5", "description": "A sq"})
    with standing_in(answer) as server:
        rendition = Rendition((Part("Look:", (make_picture("A square."),)),))
        outcome = account(server).upload(rendition)
    assert isinstance(outcome, NotPrepared)
    assert not outcome.retry
    assert "did not keep the text alternative" in outcome.reason


@pytest.mark.parametrize(
    ("status_code", "headers", "seconds"),
    [
        (429, {"retry-after": "12", "x-ratelimit-reset": "2026-11-20T10:00:00.000Z"}, 12.0),
        (429, {"x-ratelimit-reset": "2026-11-20T09:05:00.000000Z"}, 300.0),
        # By the server's own clock, where it tells it.
        (
            429,
            {
                "x-ratelimit-reset": "2026-11-20T11:05:00Z",
                "date": "Fri, 20 Nov 2026 11:04:00 GMT",
            },
            60.0,
        ),
        (429, {"x-ratelimit-reset": "2020-01-01T00:00:00Z"}, 0.0),
        (429, {"x-ratelimit-reset": "2099-01-01T00:00:00Z"}, 86_400.0),
        (429, {"x-ratelimit-reset": "soon"}, None),
        (429, {}, None),
        # Every answer carries the time; only a 429 means it.
        (503, {"x-ratelimit-reset": "2026-11-20T09:05:00Z"}, None),
    ],
)
def test_the_wait_is_read_from_either_header(status_code, headers, seconds):
    assert find_wait(Response(status_code, headers, b""), NOW) == seconds


def test_an_id_with_a_path_in_it_goes_nowhere_else():
    with standing_in(said(404, {"error": "Record not found"})) as server:
        sent = Sent("../../v2/x?y", "https://h/1", ("../../v2/x?y",))
        assert account(server).read_back(sent) == Absent()
        assert server.asked[0].path == "/api/v1/statuses/..%2F..%2Fv2%2Fx%3Fy"


def test_what_was_frozen_by_others_is_a_fault_of_ours():
    with standing_in(said(500, {})) as server, pytest.raises(ValueError, match="not frozen"):
        account(server).send(Prepared("key", b'{"parts": 1}'))
