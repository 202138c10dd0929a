"""Only what leads where it says becomes a link."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.channels.links import find_hashtags, find_links


def links(text):
    return [(text[link.start : link.end], link.url) for link in find_links(text)]


@pytest.mark.parametrize(
    ("text", "shown", "url"),
    [
        ("See https://example.gov.uk.", "https://example.gov.uk", "https://example.gov.uk"),
        ("(https://example.org/a)", "https://example.org/a", "https://example.org/a"),
        ("https://example.org/a_(b)!", "https://example.org/a_(b)", "https://example.org/a_(b)"),
        ("“https://example.org/a”,", "https://example.org/a", "https://example.org/a"),
        ("HTTPS://Example.ORG/A", "HTTPS://Example.ORG/A", "https://example.org/A"),
        ("https://example.org/tŷ", "https://example.org/tŷ", "https://example.org/t%C5%B7"),
        ("https://a.org/?b=1%20&c#d", "https://a.org/?b=1%20&c#d", "https://a.org/?b=1%20&c#d"),
        ("https://a.org:8443/x", "https://a.org:8443/x", "https://a.org:8443/x"),
        ("https://a.org/x<b>", "https://a.org/x", "https://a.org/x"),
    ],
)
def test_a_plain_https_address_is_a_link(text, shown, url):
    assert links(text) == [(shown, url)]


@pytest.mark.parametrize(
    "text",
    [
        "http://example.org",
        "javascript:alert(1)",
        "https://gov.uk@evil.example/",
        "https://gov.uk\\@evil.example/",
        "https://gоv.uk/",  # the o is Cyrillic
        "https://example.org/\u202egpj.exe",
        "https://exam\u200bple.org/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://-a.org/",
        "https://a.org:port/",
        "xhttps://example.org",
        "data:https://example.org",
    ],
)
def test_an_address_that_may_lead_elsewhere_stays_text(text):
    assert links(text) == []


@given(st.text() | st.from_regex(r"https://[a-z@.:/\\#?%é]{0,20}"))
def test_every_link_is_plain_https_and_begins_with_the_host_that_is_shown(text):
    for link in find_links(text):
        assert link.url.isascii()
        assert link.url.startswith("https://")
        assert "@" not in link.url.split("/")[2]
        shown = text[link.start : link.end].lower()
        assert shown.startswith("https://" + link.url.split("/")[2].split("?")[0].split("#")[0])


def test_hashtags_are_words_with_their_marks_and_not_numbers_or_parts_of_addresses():
    text = "#GoodNews (#Tŷ) ＃日本 #2026 C#sharp &#39; a#b https://a.org/#top #e\u0301te\u0301."
    assert [hashtag.tag for hashtag in find_hashtags(text)] == [
        "GoodNews",
        "Tŷ",
        "日本",
        "e\u0301te\u0301",
    ]
    assert all(text[h.start + 1 : h.end] == h.tag for h in find_hashtags(text))


def test_a_hashtag_longer_than_bluesky_takes_stays_text():
    assert [len(hashtag.tag) for hashtag in find_hashtags("#" + "a" * 64)] == [64]
    assert find_hashtags("#" + "a" * 65) == ()
