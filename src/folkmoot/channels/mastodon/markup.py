"""The text of a post from the HTML that Mastodon shows it as.

Mastodon writes a blank line as a new ``<p>``, a line end as ``<br>``, and shortens a link by hiding
its beginning and end in ``<span class="invisible">``: all the letters are there. What it throws
away is how many lines were blank, white space at either end, and the server in a mention
(Mastodon documentation, "HTML sanitization", and the formatting seen in its answers).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser

from folkmoot.channels.mastodon.counting import shorten_mentions

_BLOCKS = frozenset({"p", "div", "blockquote", "pre", "ul", "ol", "h1", "h2", "h3", "h4", "h5"})
_UNSEEN = frozenset({"script", "style", "template"})
_STRIPPED = " \t\n\v\f\r\0"


def to_text(content: str, mentions: Mapping[str, str] | None = None) -> str:
    """The text in ``content``. ``mentions`` gives from a profile's address its whole name, as
    ``user@server``, so that a mention reads as it was written.
    """
    reader = _Reader(mentions or {})
    reader.feed(content)
    reader.close()
    return "".join(reader.pieces).strip(_STRIPPED)


def loses_something(content: str) -> bool:
    """Whether the text may have been another than :func:`to_text` says: it has blank lines, which
    may have been several, or mentions.
    """
    return content.count("<p") > 1 or "mention" in content


def strip(text: str) -> str:
    """``text`` as Mastodon keeps it: without white space at either end."""
    return text.strip(_STRIPPED)


def to_comparable(text: str) -> str:
    """``text`` less all that Mastodon's HTML does not keep. Two texts that are shown alike are
    alike in this form.
    """
    text = re.sub(r"\r\n?", "\n", shorten_mentions(text))
    return strip(re.sub(r"\n{2,}", "\n\n", text))


class _Reader(HTMLParser):
    def __init__(self, mentions: Mapping[str, str]) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._mentions = mentions
        self._unseen: list[str] = []
        self._mentioned: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        classes = (named.get("class") or "").split()
        if self._unseen:
            if tag == self._unseen[-1]:
                self._unseen.append(tag)
            return
        if tag in _UNSEEN or "quote-inline" in classes:
            # The second is a line for servers that know no quotes; Mastodon itself hides it.
            self._unseen.append(tag)
        elif tag == "br":
            self.pieces.append("\n")
        elif tag in _BLOCKS:
            self._begin("\n\n")
        elif tag == "li":
            self._begin("\n")
        elif tag == "a" and "mention" in classes and "hashtag" not in classes:
            name = self._mentions.get(named.get("href") or "")
            if name is not None:
                self.pieces.append(f"@{name}")
                self._mentioned = tag

    def handle_endtag(self, tag: str) -> None:
        if self._unseen:
            if tag == self._unseen[-1]:
                self._unseen.pop()
        elif tag == self._mentioned:
            self._mentioned = None

    def handle_data(self, data: str) -> None:
        if not self._unseen and self._mentioned is None:
            self.pieces.append(data)

    def _begin(self, gap: str) -> None:
        if any(piece.strip() for piece in self.pieces):
            self.pieces.append(gap)
