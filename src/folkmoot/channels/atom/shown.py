"""An entry as readers of a feed see it: a title, and HTML in which nothing hostile can run.

What was written is text. It is escaped as HTML, and the HTML is escaped as XML where it goes, so
markup in a post is shown, never obeyed; the only elements are those made here. Codes XML cannot
carry are kept out when a post is prepared; a record that holds one all the same shows U+FFFD in
its place.
"""

from __future__ import annotations

import re
from html import escape

from folkmoot.channels.entries import Entry, EntryPart, EntryPicture
from folkmoot.channels.limits import UNSENDABLE
from folkmoot.channels.links import find_links

_SENTENCE = re.compile(r".+?[.!?…](?=\s|$)")
_TITLE_GRAPHEMES = 120


def entry_title(entry: Entry) -> str:
    """The first sentence of an entry, or of its first picture's alternative; at most 120
    characters.
    """
    import regex

    texts = [part.text for part in entry.parts]
    alts = [picture.alt for part in entry.parts for picture in part.pictures]
    line = next(
        (
            " ".join(line.split())
            for text in [*texts, *alts]
            for line in text.splitlines()
            if line.strip()
        ),
        "",
    )
    sentence = _SENTENCE.match(line)
    title = sentence[0] if sentence else line
    graphemes = regex.findall(r"\X", title)
    if len(graphemes) <= _TITLE_GRAPHEMES:
        return title
    return "".join(graphemes[: _TITLE_GRAPHEMES - 1]).rstrip() + "…"


def entry_html(entry: Entry) -> str:
    """An entry as HTML, its parts in order."""
    return "\n".join(_part_html(part) for part in entry.parts)


def clean(text: str) -> str:
    """``text`` with U+FFFD in place of codes XML cannot carry."""
    return UNSENDABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _part_html(part: EntryPart) -> str:
    paragraphs = re.split(r"\n[ \t]*\n\s*", part.text.replace("\r\n", "\n").strip())
    shown = [f"<p>{_inline(paragraph)}</p>" for paragraph in paragraphs if paragraph]
    return "\n".join(shown + [_picture_html(picture) for picture in part.pictures])


def _inline(paragraph: str) -> str:
    pieces = []
    done = 0
    for link in find_links(paragraph):
        pieces.append(escape(paragraph[done : link.start]))
        shown = escape(paragraph[link.start : link.end])
        pieces.append(f'<a href="{escape(link.url)}">{shown}</a>')
        done = link.end
    pieces.append(escape(paragraph[done:]))
    return "".join(pieces).replace("\n", "<br>\n")


def _picture_html(picture: EntryPicture) -> str:
    return (
        f'<p><img src="{escape(picture.url)}" alt="{escape(picture.alt)}"'
        f' width="{picture.width}" height="{picture.height}"></p>'
    )
