"""Mastodon: how it counts a text, shows it as HTML, and how the text is got back from that."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.channels.mastodon.counting import count_characters, shorten_mentions
from folkmoot.channels.mastodon.markup import loses_something, to_comparable, to_text
from folkmoot.channels.mastodon.rendering import render

PEOPLE = {
    "mayor@elsewhere.example": "https://elsewhere.example/@mayor",
    "clerk": "https://h/@clerk",
}

LINK = (
    '<p><a href="https://www.h/b"><span class="invisible">https://www.</span><span class="ellipsis"'
    '>h/</span><span class="invisible">b</span></a>.</p>'
)
MENTION = (
    '<p><span class="h-card"><a href="https://elsewhere.example/@mayor" class="u-url mention">@'
    "<span>mayor</span></a></span> yes</p>"
)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("Good morning", 12),
        # what a reader sees is one
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", 1),
        ("e\u0301", 1),
        # an address is 23, long or short
        ("https://example.gov.uk/" + "a" * 300, 23),
        ("http://a.uk", 23),
        ("See https://example.gov.uk/a_(b)?c=d&e=f#g.", 4 + 23 + 1),
        ("(https://example.gov.uk/a)", 25),
        ("https://example.gov.uk/a?b=c!", 24),
        ("https://example.gov.uk, https://example.gov.uk", 48),
        ("HTTPS://EXAMPLE.GOV.UK/X", 23),
        ("https://cyngor.cymru/caf\u00e9", 23),
        ("https://example.gov.uk:8443/a", 23),
        # what is no address is counted as it stands
        ("example.gov.uk/a", 16),
        ("https://localhost/a", 19),
        ("https://", 8),
        ("xhttps://a.uk", 13),
        # of a mention only the name
        ("@mayor@elsewhere.example hello", 12),
        ("@mayor hello", 12),
        ("a@b.example", 11),
        ("https://elsewhere.example/@mayor@other.example", 23),
    ],
)
def test_a_text_is_counted_as_mastodon_counts_it(text, count):
    assert count_characters(text) == count


@given(st.text(max_size=200))
@settings(max_examples=200)
def test_any_text_has_a_count(text):
    assert 0 <= count_characters(text) <= max(len(text), 1) * 23


@pytest.mark.parametrize(
    "piece", ["https://a.uk/(", "https://a.uk/((a)", "@a", "https://a.", "?a="]
)
def test_counting_does_not_run_away(piece):
    assert count_characters(piece * 5000) > 0


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", ""),
        ("<p>One line.</p>", "One line."),
        ("<p>One.</p><p>Two.</p>", "One.\n\nTwo."),
        ("<p>One.<br />Two.<br>Three.</p>", "One.\nTwo.\nThree."),
        ("<p>a &lt;b&gt; &amp;amp; &quot;c&quot; &#39;d&#39;</p>", "a <b> &amp; \"c\" 'd'"),
        (
            LINK,
            "https://www.h/b.",
        ),
        (
            MENTION,
            "@mayor@elsewhere.example yes",
        ),
        (
            '<p><a href="https://h/@unknown" class="u-url mention">@<span>unknown</span></a></p>',
            "@unknown",
        ),
        (
            '<p><a href="https://h/x" class="mention hashtag" rel="tag">#<span>x</span></a></p>',
            "#x",
        ),
        ('<p class="quote-inline">RE: <a href="https://h/1">h/1</a></p><p>Mine.</p>', "Mine."),
        ("<p>A</p><script>alert(1)</script><p>B</p>", "A\n\nB"),
        ("<p>Unclosed <b>bold", "Unclosed bold"),
        ("<ul><li>One</li><li>Two</li></ul>", "One\nTwo"),
        ("plain & simple < text", "plain & simple < text"),
        ("<p>two  spaces\tand a tab</p>", "two  spaces\tand a tab"),
    ],
)
def test_the_text_is_read_from_the_html(content, text):
    assert to_text(content, {url: name for name, url in PEOPLE.items()}) == text


def test_html_that_may_have_lost_something_is_known():
    assert not loses_something("<p>One line.<br />And another.</p>")
    assert loses_something("<p>One.</p><p>Two.</p>")
    assert loses_something('<p><a class="u-url mention">@x</a></p>')


@pytest.mark.parametrize(
    "text",
    [
        "One.\n\n\n\nTwo.\r\nThree.",
        "  around  ",
        "@mayor@elsewhere.example and @clerk, see https://example.gov.uk/?a=1&b=<2>",
        "@nobody@nowhere.example",
        "#GoodNews #2026 &amp; <b>",
        "https://www.example.gov.uk/a/very/long/path/that/is/cut/short?and=more",
        "\u202eright to left\u202c \U0001f3f4\U000e0067",
    ],
)
def test_a_text_and_its_html_are_alike_in_the_form_for_comparing(text):
    content = render(text.strip(), PEOPLE, "https://h")
    assert to_comparable(to_text(content)) == to_comparable(text)


@given(st.text(alphabet="ab \n\r\t<>&\"'@#/:.-_1\u00e9\U0001f44d", max_size=60))
@settings(max_examples=300)
def test_any_text_and_its_html_are_alike_in_the_form_for_comparing(text):
    content = render(text.strip(" \t\n\v\f\r\0"), PEOPLE, "https://h")
    assert to_comparable(to_text(content)) == to_comparable(text)


def test_two_texts_that_differ_stay_different():
    texts = ["One.", "One", "one.", "One.\nTwo.", "One.\n\nTwo.", "One. Two.", "@a@b.example", "@c"]
    assert len({to_comparable(text) for text in texts}) == len(texts)
    assert shorten_mentions("@a@b.example, @a@c.example") == "@a, @a"
