"""X counts text in its own way, and so do we."""

import time

import pytest

from folkmoot.channels.x.length import LENGTH, count_weighted

ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("This is a test.", 15),
        ("", 0),
        ("\n\t ", 3),
        # Latin, Cyrillic, Greek, Arabic and Hebrew count 1; Chinese, Japanese and Korean 2.
        ("\u00e9" * 280, 280),
        ("Привет", 6),
        ("\u0627\u0644\u0639\u0631", 4),
        ("野家", 4),
        ("저찀쯿쿿", 8),
        ("\U00020bb7", 2),
        # The last of Georgian and its neighbours, and the first of Hangul.
        ("\u10ff\u1100", 3),
        # Composed before it is counted.
        ("e\u0301", 1),
        ("\u1100\u1161", 2),
        # Curly quotes and dashes count 1, an ellipsis 2, a zero-width space 1.
        ("“—”‘’", 5),
        ("…", 2),
        ("\u200b\u200d", 2),
        # An emoji counts 2, however many code points it is made of.
        ("\U0001f431", 2),
        ("\u263a", 2),
        ("\u2764\ufe0f", 2),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", 2),
        ("\U0001f44b\U0001f3fd\U0001f44b", 4),
        ("\U0001f1ec\U0001f1e7\U0001f1eb\U0001f1f7", 4),
        (ENGLAND, 2),
        ("1\ufe0f\u20e31", 3),
        # Signs that are text unless they are asked to be pictures.
        ("\u00a9\u00ae", 2),
        ("\u00a9\ufe0f", 2),
        ("\u2122", 2),
        # An address counts 23, with or without a scheme.
        ("http://test.com", 23),
        ("https://test.com", 23),
        ("test.com", 23),
        ("Test https://test.com test https://test.com test.com test", 86),
        ("See https://example.gov.uk/a_(b)?c=d&e=f#g.", 4 + 23 + 1),
        ("(https://example.gov.uk)", 25),
        ("https://münchen.example.de/straße", 23),
        ("https://example.gov.uk/" + "a" * 300, 23),
        ("gov.uk/vote, www.gov.wales", 23 + 2 + 23),
        ("https://example.gov.uk/\U0001f44d", 23 + 2),
        # What is none.
        ("me@example.com", 14),
        ("#example.com", 12),
        ("at 5.30pm, e.g. on the 1.2.2026", 31),
        ("javascript:alert(1)", 19),
        ("ftp://", 6),
        ("end.Then", 8),
    ],
)
def test_text_weighs_what_x_says_it_weighs(text, expected):
    assert count_weighted(text) == expected


def test_the_hint_says_how_to_shorten():
    assert LENGTH.most == 280
    assert "web address as 23" in LENGTH.hint


@pytest.mark.parametrize(
    "text",
    [
        "https://a.uk/" + "(a)" * 3000 + "!",
        "https://a.uk/" + "(" * 5000,
        "a." * 5000,
        "a-" * 5000,
        "a.uk/" * 2000,
        "\U0001f468\u200d" * 3000,
        "https://" * 2000,
    ],
)
def test_no_text_takes_long_to_count(text):
    begun = time.monotonic()
    count_weighted(text)
    assert time.monotonic() - begun < 2
