"""Web addresses and hashtags in plain text, found strictly enough to be made into links.

A reader who follows a link must come where the text says. So only ``https`` addresses are links,
and only where the host is written in plain letters: no name before an ``@``, no look-alike letters
from other scripts, no invisible characters. Anything else stays text.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

_ADDRESS = re.compile(r"(?<![\w@/.:-])https://[^\s<>\"]+", re.IGNORECASE)
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_CLOSING = {")": "(", "]": "[", "}": "{"}
# Marks belong to the letters before them; the standard library's \w leaves them out.
_HASHTAG = r"(?<![\w\p{M}&#＃/])[#＃](?P<tag>[\w\p{M}]+)"
_TAG_CHARACTERS = 64
_TAG_BYTES = 640


@dataclass(frozen=True, slots=True)
class Link:
    """A web address at ``text[start:end]``. ``url`` is what to follow: plain ASCII."""

    start: int
    end: int
    url: str


@dataclass(frozen=True, slots=True)
class Hashtag:
    """A hashtag at ``text[start:end]``, its sign included. ``tag`` is without the sign."""

    start: int
    end: int
    tag: str


def find_links(text: str) -> tuple[Link, ...]:
    """The ``https`` addresses in ``text`` that are safe to make into links, in order.

    Punctuation that ends a sentence, or closes a bracket opened before the address, is not part of
    it. Letters outside ASCII in the path are percent-encoded in ``url`` (RFC 3987, section 3.1).
    """
    found = []
    for match in _ADDRESS.finditer(text):
        shown = _without_ending(match[0])
        url = _find_url(shown)
        if url is not None:
            found.append(Link(match.start(), match.start() + len(shown), url))
    return tuple(found)


def find_hashtags(text: str) -> tuple[Hashtag, ...]:
    """The hashtags in ``text`` outside its links, in order. A number alone is none.

    At most 64 characters and 640 bytes, which is what Bluesky takes (``app.bsky.richtext.facet``).
    """
    import regex

    links = find_links(text)
    return tuple(
        Hashtag(match.start(), match.end(), match["tag"])
        for match in regex.finditer(_HASHTAG, text)
        if not match["tag"].isdigit()
        and len(match["tag"]) <= _TAG_CHARACTERS
        and len(match["tag"].encode()) <= _TAG_BYTES
        and not any(link.start <= match.start() < link.end for link in links)
    )


def _without_ending(shown: str) -> str:
    while shown:
        last = shown[-1]
        opening = _CLOSING.get(last)
        if opening is not None:
            if shown.count(opening) >= shown.count(last):
                return shown
        elif last in "/-_=&#%+~$@*" or not unicodedata.category(last).startswith("P"):
            return shown
        shown = shown[:-1]
    return shown


def _find_url(shown: str) -> str | None:
    if any(unicodedata.category(letter).startswith("C") for letter in shown) or "\\" in shown:
        return None
    try:
        parts = urlsplit(shown)
        port = parts.port
    except ValueError:
        return None
    host = parts.netloc.lower().removesuffix(f":{port}")
    if not _HOST.fullmatch(host):
        return None
    rest = shown[len("https://") + len(parts.netloc) :]
    return "https://" + parts.netloc.lower() + quote(rest, safe="!#$%&'()*+,/:;=?@[]~")
