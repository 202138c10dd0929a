"""The page for reading: everything that is released, without script, and safe whatever it says."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from html import escape
from typing import Any

from .keys import Head
from .records import Summary

# Marks that turn text round, hide within it or end its line. Listed rather than asked of the
# interpreter: a page must come out the same under every Python. Joiners between letters stay, and
# so do the tags that make the flags of England, Scotland and Wales.
_MARKS = re.compile(
    "(\U0001f3f4[\U000e0061-\U000e007a]{2,6}\U000e007f|(?<=[^\\x00-\\xa0])[\u200c\u200d](?=[^\\x00-\\xa0]))"
    "|[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_SHOWN_MEDIA = ("image/avif", "image/gif", "image/jpeg", "image/png", "image/webp")

STYLE = """
:root { color-scheme: light; }
body { margin: 0; background: #fff; color: #0b0c0c; font: 1.1875rem/1.4 Arial, sans-serif; }
header { background: #0b0c0c; color: #fff; border-bottom: 10px solid #1d70b8; }
header p { max-width: 60rem; margin: 0 auto; padding: 0.75rem 1rem; font-weight: 700; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 2rem; line-height: 1.15; margin: 1rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.5rem; line-height: 1.2; margin: 2rem 0 0.75rem; }
h3 { font-size: 1.1875rem; margin: 0 0 0.5rem; }
p { margin: 0 0 1rem; max-width: 44rem; }
a { color: #1d70b8; }
a:visited { color: #4c2c92; }
a:focus { outline: 3px solid transparent; background: #fd0; color: #0b0c0c;
  box-shadow: 0 -2px #fd0, 0 4px #0b0c0c; text-decoration: none; }
.skip { position: absolute; left: -999rem; }
.skip:focus { position: static; display: block; padding: 0.5rem 1rem; }
article { border-top: 2px solid #0b0c0c; padding: 1rem 0; content-visibility: auto;
  contain-intrinsic-size: auto 22rem; }
article:target { background: #f3f2f1; }
table { width: 100%; border-collapse: collapse; margin: 0 0 1rem; table-layout: fixed; }
caption { text-align: left; font-weight: 700; padding: 0 0 0.25rem; }
th, td { text-align: left; vertical-align: top; padding: 0.5rem 1rem 0.5rem 0;
  border-bottom: 1px solid #b1b4b6; overflow-wrap: anywhere; }
thead th:first-child { width: 25%; }
.said { white-space: pre-wrap; }
.withheld { background: #f3f2f1; padding-left: 0.75rem; border-left: 6px solid #0b0c0c; }
.mark { border: 1px solid #d4351c; color: #942514; background: #fff; font-size: 0.8em;
  padding: 0 0.15em; }
.id { overflow-wrap: anywhere; font-family: monospace; font-size: 0.9em; }
img { display: block; max-width: 100%; height: auto; max-height: 40rem;
  border: 1px solid #b1b4b6; }
figure { margin: 0 0 2rem; }
@media print { header, .skip { display: none; }
  article { break-inside: avoid; content-visibility: visible; } }
"""
# Nothing may run, load or be sent from this page, whatever stands in it: W3C CSP Level 3.
_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; img-src 'self' file:; "
    f"style-src 'sha256-{base64.b64encode(sha256(STYLE.encode()).digest()).decode()}'"
)


def mark(text: str) -> str:
    """``text`` with each mark that a reader could not see written as its number, in brackets."""
    return _MARKS.sub(lambda found: found[1] or f"\u27e8U+{ord(found[0]):04X}\u27e9", text)


def show(text: str) -> str:
    """``text`` as HTML: nothing in it is markup, and unseen marks are boxed."""
    return _MARKS.sub(
        lambda found: found[1] or f'<span class="mark">U+{ord(found[0]):04X}</span>', escape(text)
    )


def say_time(at: str) -> str:
    """``2026-11-20T09:30:00.000000Z`` as people read it."""
    month = _MONTHS[int(at[5:7]) - 1]
    return f"{int(at[8:10])} {month} {at[:4]}, {at[11:19]} UTC"


def render_page(
    about: dict[str, Any], head: Head, summary: Summary, records: Iterable[dict[str, Any]]
) -> Iterator[str]:
    """``data/index.html``, piece by piece."""
    yield from _render_top(about, head, summary)
    yield '<h2 id="entries">Entries</h2>\n'
    for record in records:
        yield from _render_entry(record)
    yield from _render_media(summary)
    yield "</main>\n</body>\n</html>\n"


def _render_top(about: dict[str, Any], head: Head, summary: Summary) -> Iterator[str]:
    title = show(about["title"])
    yield (
        '<!DOCTYPE html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="robots" content="noindex">\n'
        f"<title>{escape(mark(about['title']))}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#main">Skip to main content</a>\n'
        "<header><p>From the public record</p></header>\n"
        f'<main id="main">\n<h1><bdi>{title}</bdi></h1>\n'
    )
    for paragraph in about["about"].split("\n\n"):
        yield f'<p class="said"><bdi>{show(paragraph)}</bdi></p>\n'
    yield (
        f"<p>Made on {say_time(about['made_at'])}, from the log "
        f'<span class="id">{show(head.origin)}</span> when it had {head.size} entries. '
        f"{say_number(summary.entries, 'entry', 'entries')} of it "
        f"{'is' if summary.entries == 1 else 'are'} in this bag.</p>\n"
        "<p>The words under \u201cText\u201d are what was recorded at the time. A proof beside "
        "each entry shows that neither they nor the entry were changed since. The names and "
        "reasons beside them, and this introduction, are the body\u2019s own words; no "
        "proof covers them. <code>README.txt</code> says how to check the proofs.</p>\n"
        '<h2 id="withheld">What is withheld</h2>\n'
    )
    if not summary.withheld:
        yield "<p>Nothing: every field of these entries is shown.</p>\n"
        return
    yield (
        f"<p>{say_number(summary.withheld, 'field', 'fields')} withheld. The entry shows that the "
        "field is there, and the proof that it was not put in or changed later.</p>\n"
        "<table>\n<caption>Fields withheld, by exemption</caption>\n"
        '<thead><tr><th scope="col">Fields</th><th scope="col">Exemption</th></tr></thead>\n'
        "<tbody>\n"
    )
    for exemption, count in sorted(summary.exemptions.items()):
        yield f'<tr><td>{count}</td><th scope="row"><bdi>{show(exemption)}</bdi></th></tr>\n'
    yield "</tbody>\n</table>\n"


def say_number(count: int, one: str, many: str) -> str:
    """``1 entry``, ``2 entries``."""
    return f"{count} {one if count == 1 else many}"


def _render_entry(record: dict[str, Any]) -> Iterator[str]:
    number, entry = record["folkmoot:number"], record["folkmoot:entry"]
    yield (
        f'<article id="entry-{entry}" aria-labelledby="title-{entry}">\n'
        f'<table>\n<caption><h3 id="title-{entry}">Entry {number}: '
        f"{show(record['folkmoot:kind'])}</h3></caption>\n"
        '<thead><tr><th scope="col">Field</th><th scope="col">Text</th></tr></thead>\n<tbody>\n'
        f'<tr><th scope="row">When</th><td>{say_time(record["published"])}</td></tr>\n'
    )
    names = record["folkmoot:names"]
    for label, opaque in (
        ("Who", record["actor"]["folkmoot:id"] if "actor" in record else ""),
        ("As", record["folkmoot:role"]),
        ("For", record["folkmoot:organisation"]),
        ("About", record["object"]["folkmoot:id"]),
    ):
        if opaque:
            words = f"<bdi>{show(names[opaque])}</bdi> " if opaque in names else ""
            named = f'{words}<span class="id">{show(opaque)}</span>'
            yield f'<tr><th scope="row">{label}</th><td>{named}</td></tr>\n'
    for field, text in sorted(record["folkmoot:disclosed"].items()):
        yield (
            f'<tr><th scope="row">{field}</th><td class="said" dir="auto">{show(text)}</td></tr>\n'
        )
    for one in record["folkmoot:withheld"]:
        reason = f" <bdi>{show(one['reason'])}</bdi>" if one["reason"] else ""
        yield (
            f'<tr><th scope="row">{one["field"]}</th><td class="withheld"><strong>Withheld: '
            f"<bdi>{show(one['exemption'])}</bdi></strong>{reason}</td></tr>\n"
        )
    proof = record["folkmoot:proof"]
    yield f'</tbody>\n</table>\n<p><a href="{proof}">Proof of entry {number}</a></p>\n</article>\n'


def _render_media(summary: Summary) -> Iterator[str]:
    if summary.media:
        yield '<h2 id="media">Pictures and files</h2>\n'
    for place, one in enumerate(summary.media, 1):
        url, digest = one["url"], one["folkmoot:sha256"]
        shown = f'<a href="{url}">File {place}</a>'
        if one["mediaType"] in _SHOWN_MEDIA:
            shown = f'<img src="{url}" alt="{escape(mark(one["name"]))}" loading="lazy">'
        described = f"<bdi>{show(one['name'])}</bdi>" if one["name"] else "none"
        named = summary.named_in.get(digest)
        word = (
            f"Its SHA-256 stands in what is shown of entry {named}, so the proof covers it."
            if named is not None
            else "No text shown here names its SHA-256, so no proof covers it."
        )
        yield (
            f"<figure>\n{shown}\n<figcaption><p>File {place}. Description: {described}</p>\n"
            f'<p>{word} <span class="id">{digest}</span></p></figcaption>\n</figure>\n'
        )
    if summary.captures:
        yield (
            '<h2 id="captures">The channels\u2019 own answers</h2>\n<p>The folder '
            f"<code>warc</code> holds {say_number(summary.captures, 'answer', 'answers')} as "
            "received, in the form that web archives keep.</p>\n"
        )
