"""What channels answered is kept without anything that would let anybody in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standin_server import Answer, standing_in

from folkmoot.channels.captures import MOST_BYTES, capturing, find_safe, offer
from folkmoot.channels.outbound import Outbound

JSON = {"content-type": "application/json; charset=utf-8", "set-cookie": "sid=1", "etag": '"7"'}
TOKEN = "tok-9f8e7d6c5b4a"
POST = b'{"uri": "at://did:plc:x/app.bsky.feed.post/3k", "cid": "bafy", "author": "moot"}'


def safe(answer=POST, *, url="https://c.example/api/v1/posts", sent=None, body=None, headers=JSON):
    return find_safe(
        method="POST",
        url=url,
        sent=sent or {},
        body=body,
        status=200,
        headers=headers,
        answer=answer,
    )


def test_an_answer_is_kept_with_the_headers_that_say_what_it_is():
    kept = safe(sent={"Authorization": f"Bearer {TOKEN}"})
    assert kept.body == POST
    assert dict(kept.headers) == {"content-type": JSON["content-type"], "etag": '"7"'}
    assert TOKEN not in repr(kept)


@pytest.mark.parametrize(
    "url",
    [
        "https://c.example/oauth/token",
        "https://c.example/xrpc/com.atproto.server.createSession",
        "https://c.example/xrpc/com.atproto.server.refresh%53ession",
        "https://c.example/2/oauth2/revoke",
    ],
)
def test_nothing_is_kept_from_an_address_that_deals_in_sign_ins(url):
    assert safe(url=url) is None


def test_what_signs_an_address_is_taken_out_of_it():
    kept = safe(url=f"https://c.example/me/posts?fields=id&access_token={TOKEN}&limit=3")
    assert kept.url == "https://c.example/me/posts?fields=id&limit=3"


@pytest.mark.parametrize(
    "how",
    [
        {"sent": {"Authorization": f"Bearer {TOKEN}"}},
        {"sent": {"X-Strange": f"sign={TOKEN}, v=1"}},
        {"url": f"https://c.example/p?access_token={TOKEN}"},
        {"body": f"text=x&access_token={TOKEN}".encode()},
        {"body": json.dumps({"password": TOKEN}).encode()},
    ],
)
def test_an_answer_that_repeats_what_the_request_was_signed_with_is_not_kept(how):
    assert safe(json.dumps({"echo": f"you said {TOKEN}!"}).encode(), **how) is None
    assert safe(json.dumps({"echo": "nothing"}).encode(), **how) is not None


@pytest.mark.parametrize(
    "name",
    ["accessJwt", "refresh_token", "access_token", "client_secret", "Password", "sessionKey"],
)
def test_an_answer_with_a_field_of_a_secret_s_name_is_not_kept(name):
    assert safe(json.dumps({"a": [{"b": {name: "x"}}]}).encode()) is None


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ({"content-type": "image/png"}, b"PNG"),
        ({"content-type": "application/octet-stream"}, b"x"),
        ({}, b"x"),
        (JSON, b"{" + b" " * MOST_BYTES + b"}"),
        (JSON, b"{not json"),
        (JSON, b"[" * 100_000),
    ],
)
def test_what_is_no_text_or_too_large_or_cannot_be_read_is_not_kept(headers, answer):
    assert safe(answer, headers=headers) is None


@given(st.text(), st.binary(max_size=300), st.binary(max_size=300))
def test_whatever_comes_nothing_is_raised(url, body, answer):
    safe(answer, url=f"https://c.example/{url}", sent={"a": "b"}, body=body)


def test_only_what_is_asked_inside_the_block_is_captured():
    with standing_in(
        lambda asked: Answer(200, POST, {"Content-Type": "application/json"})
    ) as server:
        client = Outbound(allow=[f"127.0.0.1:{server.port}"])
        url = f"http://127.0.0.1:{server.port}/posts"
        client.request("GET", url)
        with capturing() as found:
            client.request("GET", url, {"Authorization": f"Bearer {TOKEN}"})
        client.request("GET", url)
    (one,) = found
    assert (one.status, one.body) == (200, POST)
    offer(method="GET", url=url, sent={}, body=None, status=200, headers=JSON, answer=POST)
    assert len(found) == 1
