"""The page of a bag, and hostile text in every file of it: readable, and safe whatever was said."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from practice_bag import both, capture, medium, parts_of, write, write_texts

from folkmoot.ledger.alone.page import STYLE, mark, show
from folkmoot.ledger.bags import BagError

TAGS = {
    *("html", "head", "meta", "title", "style", "body", "a", "header", "p", "main"),
    *("h1", "h2", "h3", "bdi", "span", "code", "table", "caption", "thead", "tbody"),
    *("tr", "th", "td", "strong", "article", "figure", "figcaption", "img"),
}
WORST = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</td></tr></table></main><iframe src=//evil.example>",
    "<!--", "]]>", "&lt;&#0;&colon;", "javascript:alert(1)",
    "=cmd|'/c calc'!A1", "\u202egnp.exe\u2066\u2069",
    "nul \0 bell \7 escape \x1b[2J del \x7f nel \x85",
    "line\u2028paragraph\u2029zero\u200bwidth\ufeff",
    "\ufffe\uffff\U0010ffff\ue000", "e" + "\u0301" * 500, "a" * 700_000,
    "{title} %s ${x} {{ 7*7 }}", "\r\n\r\nBag-Size: 1", "\\u202e \\n",
]  # fmt: skip


class Page(HTMLParser):
    """The page's tags, attributes and text, as a browser would find them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.said: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def page_of(folder: Path) -> tuple[str, Page]:
    text = (folder / "data/index.html").read_bytes().decode()
    return text, Page(text)


def test_the_page_is_well_formed_and_says_everything(tmp_path: Path, practice) -> None:
    write(tmp_path / "bag", practice)
    _, page = page_of(tmp_path / "bag")
    assert page.open == []
    tags = [tag for tag, _ in page.tags]
    assert (tags.count("h1"), tags.count("article"), tags.count("main")) == (1, 9, 1)
    assert page.tags[0] == ("html", {"lang": "en-GB"})
    for tag, attrs in page.tags:
        if tag == "th":
            assert attrs["scope"] in ("col", "row")
        if tag == "img":
            assert attrs["alt"] == "A blue square"
    said = "".join(page.said)
    for words in (
        "Request 2026/114: the flood",
        "Chosen by subject.",
        "20 November 2026, 09:30:00 UTC",
        "a press officer person:0",
        "Rhybudd llifogydd ⚠️",
        "Númber 1: say “when”, not “soon”.",
        "Withheld: FOIA s.40(2) Names a member of staff.",
        "holds 2 answers as received",
    ):
        assert words in said
    links = {attrs["href"] for tag, attrs in page.tags if tag == "a"}
    assert links == {"#main"} | {f"proofs/{one.id}.tlog-proof" for one in practice.entries}


def test_the_pages_own_policy_lets_nothing_run_load_or_be_sent(tmp_path: Path, practice) -> None:
    write(tmp_path / "bag", practice)
    text, page = page_of(tmp_path / "bag")
    (policy,) = [
        attrs["content"]
        for tag, attrs in page.tags
        if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(sha256(style[1].encode()).digest()).decode()
    assert policy == (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src 'self' file:; "
        f"style-src 'sha256-{digest}'"
    )
    assert text.index("Content-Security-Policy") < text.index("<style>")
    assert "url(" not in STYLE
    assert "@import" not in STYLE


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hostile") / "bag"
    write_texts(
        folder,
        [{"text": text} for text in WORST],
        title="<b>Title</b> \u202e {made}",
        about="\n\n".join(WORST[:10]) + "\0",
        media=[medium(alt=text) for text in WORST[:1]] + [medium(b"x", WORST[1], "text/html")],
        captures=[capture(body="".join(WORST).encode())],
        info={"Contact-Name": "<b>\u202e"},
    )
    return folder


def test_the_worst_that_can_be_said_is_a_bag_that_holds(hostile: Path) -> None:
    result = both(hostile)
    assert result.ok, result.problems
    assert result.entries == len(WORST)


def test_nothing_that_was_said_becomes_markup(hostile: Path) -> None:
    text, page = page_of(hostile)
    assert page.open == []
    assert {tag for tag, _ in page.tags} <= TAGS
    for tag, attrs in page.tags:
        assert not any(name.startswith("on") or name == "style" for name in attrs), tag
        for name in ("href", "src"):
            target = attrs.get(name)
            assert target is None or re.fullmatch(r"#main|(proofs|media)/[0-9a-f.]+\S*", target)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b]", text)
    assert '<span class="mark">U+202E</span>gnp.exe' in text
    assert "U+0000" in text


def test_the_exact_text_is_in_the_records(hostile: Path) -> None:
    lines = (hostile / "data/records.jsonl").read_bytes().split(b"\n")[:-1]
    said = [json.loads(line)["folkmoot:disclosed"]["text"] for line in lines]
    assert said == WORST


def test_no_text_file_of_the_bag_is_turned_round_by_a_title(hostile: Path) -> None:
    for name in ("README.txt", "bag-info.txt"):
        text = (hostile / name).read_text()
        assert "⟨U+202E⟩" in text
        assert "\u202e" not in text
    assert "\nBag-Size" not in (hostile / "bag-info.txt").read_text()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("Ŵyth “ok” 🙂", "Ŵyth “ok” 🙂"),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"),
        (
            "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f",
            "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f",
        ),
        ("a\u200db", "a⟨U+200D⟩b"),
        ("hidden\U000e0041\U000e0042", "hidden⟨U+E0041⟩⟨U+E0042⟩"),
        ("\u202e", "⟨U+202E⟩"),
        ("\r", "⟨U+000D⟩"),
        ("soft\u00adhyphen", "soft⟨U+00AD⟩hyphen"),
    ],
)
def test_marks_that_cannot_be_seen_are_shown_and_letters_are_left(text: str, shown: str) -> None:
    assert mark(text) == shown
    assert "<" not in mark(text)
    assert show("<" + text).startswith("&lt;")


def test_a_text_too_long_for_a_proof_is_refused_with_the_entry(tmp_path: Path) -> None:
    with pytest.raises(BagError, match=r"The entry [0-9a-f]{32} has no proof\. .*1 MiB"):
        write_texts(tmp_path / "bag", [{"text": "a" * 1_000_000}])
    assert not (tmp_path / "bag").exists()


def test_a_hostile_exemption_reason_and_name_are_text(tmp_path: Path, practice) -> None:
    parts = parts_of(practice)
    bad = '</td><script>x</script>"=1'
    items = [replace(one, names={f"person:{one.index}": bad}) for one in parts["items"]]
    redactions = [replace(one, exemption=bad, reason=bad) for one in parts["redactions"]]
    write(tmp_path / "bag", practice, items=items, redactions=redactions)
    text, page = page_of(tmp_path / "bag")
    assert "<script" not in text
    assert page.open == []
    assert both(tmp_path / "bag").ok


def test_a_name_that_appears_in_every_entry_is_no_trouble(tmp_path: Path) -> None:
    signer = write_texts(tmp_path / "bag", [{"text": "Jo Bloggs " * 20}] * 1_000)
    result = both(tmp_path / "bag", [signer.vkey])
    assert result.ok
    assert result.entries == 1_000
