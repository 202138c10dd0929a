"""One run of words of a post (its text, or the alt text of one picture), read as rules need it.

What costs time is worked out when a rule first asks, and kept for the others.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from typing import Any

from .folding import fold, readable

Spans = list[tuple[int, int]]
"""Places in a passage as (start, end) in code points, end exclusive."""

# Every repeat is bounded and every start is anchored to a boundary, so that reading stays linear
# in the length of the text whatever the text is.
_URL = re.compile(
    r"(?<![\w@./-])(?:"
    r"https?://[^\s<>\"“”«»]{1,2048}"
    r"|www\.[^\s<>\"“”«»]{1,2048}"
    r"|(?:[a-z0-9](?:[a-z0-9-]{0,62})\.){1,6}"
    r"(?:uk|com|org|net|int|eu|ie|gov|info|news|wales|cymru|scot|london|ly|gd|gl|gle|me|cc|io|be)"
    r"(?:/[^\s<>\"“”«»]{0,2048}|(?![\w.@-]|\.\w))"
    r")"
)
_TRAILING = ".,;:!?'\")]}…»”’"
_MENTION = re.compile(r"(?<![\w.@/])@\w[\w.-]{0,253}(?:@[\w.-]{1,253})?")
_HASHTAG = re.compile(r"(?<![\w&/#])[#＃](?=\w*[^\W\d_])(\w{1,280})")
_QUOTE = re.compile(r"\"[^\"\n]{1,500}\"|“[^“”\n]{1,500}”|«[^«»\n]{1,500}»")
_EMAIL = re.compile(
    r"(?<![\w.%+'@/-])[a-z0-9][a-z0-9.%+'_-]{0,63}@(?:[a-z0-9-]{1,63}\.){1,6}[a-z]{2,24}(?![\w@-])"
)
_DIGITS = re.compile(r"\d+")
_NUMBERS = re.compile(r"[0-9][0-9 \-.()/]{4,}[0-9]")
_SENTENCE_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]]*+(?=\s|\Z)|\n++")


class Passage:
    """One run of words, with what rules ask of it.

    ``place`` is as in :class:`~folkmoot.check.Span`; ``text`` is what the author wrote; ``folded``
    is what words are looked up in (same length, see :func:`.folding.fold`); ``readable`` keeps the
    author's case and replaces only what cannot be written as UTF-8 (same length).

    The rest are places of one kind, in order, none overlapping another: ``urls`` are web addresses
    with or without ``https://``, without closing punctuation; ``digits`` are runs of digits;
    ``hashtags`` include their ``#`` and
    hold at least one letter; ``numbers`` are stretches of six or more characters made of digits and
    what groups them; ``emoji`` are what a reader sees as one picture. ``memo`` is where detectors
    that share work keep it for one another.
    """

    __slots__ = (
        "digits",
        "emails",
        "emoji",
        "folded",
        "hashtags",
        "memo",
        "mentions",
        "numbers",
        "place",
        "quotes",
        "readable",
        "sentences",
        "text",
        "urls",
    )
    digits: Spans
    emails: Spans
    emoji: Spans
    hashtags: Spans
    memo: dict[object, Any]
    mentions: Spans
    numbers: Spans
    quotes: Spans
    readable: str
    sentences: Spans
    urls: Spans

    def __init__(self, text: str, place: str) -> None:
        self.text = text
        self.place = place
        self.folded = fold(text)

    def __getattr__(self, name: str) -> Any:
        # Called only while a slot is still empty: the first rule to ask has it filled.
        if name == "readable":
            value: object = self.text if self.text.isascii() else readable(self.text)
        elif name in KINDS:
            value = KINDS[name](self)
        elif name == "memo":
            value = {}
        else:
            raise AttributeError(name)
        setattr(self, name, value)
        return value

    def overlaps(self, kinds: tuple[str, ...], start: int, end: int) -> bool:
        """Whether any place of ``kinds`` shares a character with ``start`` to ``end``."""
        return any(touches(getattr(self, kind), start, end) for kind in kinds)


def touches(spans: Spans, start: int, end: int) -> bool:
    """Whether one of ``spans`` (in order, none overlapping another) meets ``start`` to ``end``."""
    before = bisect_left(spans, (end,)) - 1
    return before >= 0 and spans[before][1] > start


def _urls(passage: Passage) -> Spans:
    folded = passage.folded
    # Most posts have no address; looking at what follows each full stop is far cheaper than _URL.
    dot = folded.find(".")
    while 0 <= dot < len(folded) - 1 and not folded[dot + 1].isalnum():
        dot = folded.find(".", dot + 1)
    if (dot < 0 or dot == len(folded) - 1) and "://" not in folded:
        return []
    found = []
    for match in _URL.finditer(folded):
        start, end = match.span()
        # The address does not continue over a line break, which folding has turned into a space.
        while end > start and folded[end - 1] in _TRAILING:
            if folded[end - 1] == ")" and "(" in folded[start:end]:
                break
            end -= 1
        found.append((start, end))
    return found


def _mentions(passage: Passage) -> Spans:
    if "@" not in passage.folded:
        return []
    found = []
    for match in _MENTION.finditer(passage.folded):
        start, end = match.span()
        while passage.folded[end - 1] in ".-":
            end -= 1
        found.append((start, end))
    return found


def _hashtags(passage: Passage) -> Spans:
    if "#" not in passage.text and "＃" not in passage.text:
        return []
    inside = passage.urls
    return [
        match.span()
        for match in _HASHTAG.finditer(passage.text)
        if not touches(inside, *match.span())
    ]


def _quotes(passage: Passage) -> Spans:
    return [match.span() for match in _QUOTE.finditer(passage.text)]


def _emails(passage: Passage) -> Spans:
    if "@" not in passage.folded:
        return []
    return [match.span() for match in _EMAIL.finditer(passage.folded)]


def _digits(passage: Passage) -> Spans:
    return [match.span() for match in _DIGITS.finditer(passage.folded)]


def _numbers(passage: Passage) -> Spans:
    if not passage.digits:
        return []
    return [match.span() for match in _NUMBERS.finditer(passage.folded)]


def _sentences(passage: Passage) -> Spans:
    """Stretches that end with a full stop, question or exclamation mark, or a line break.

    A full stop counts as an end only before white space, so ``2.5`` and ``gov.uk`` do not end a
    sentence; an abbreviation before a space does, which errs towards shorter sentences.
    """
    found, start = [], 0
    text = passage.text
    for match in _SENTENCE_END.finditer(text):
        if text[start : match.end()].strip():
            found.append((start, match.end()))
        start = match.end()
    if text[start:].strip():
        found.append((start, len(text)))
    return [_without_edges(text, left, right) for left, right in found]


def _without_edges(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - (len(piece) - len(piece.rstrip()))


# Characters that may begin an emoji lie here; it is not worth loading `regex` for less.
_MAY_BE_EMOJI = re.compile("[\u203c-\u3299\U0001f000-\U0001fbff]|\u20e3")


def _emoji(passage: Passage) -> Spans:
    if passage.text.isascii() or not _MAY_BE_EMOJI.search(passage.text):
        return []
    from .pictographs import find_emoji

    return find_emoji(passage.text)


KINDS: dict[str, Callable[[Passage], Spans]] = {
    "digits": _digits,
    "emails": _emails,
    "emoji": _emoji,
    "hashtags": _hashtags,
    "mentions": _mentions,
    "numbers": _numbers,
    "quotes": _quotes,
    "sentences": _sentences,
    "urls": _urls,
}
"""What a passage can be asked for by kind: the names of its slots and how each is filled."""
