"""How long sentences are, and whether figures come with a source."""

from __future__ import annotations

import re

from folkmoot.check.passage import Passage, Spans
from folkmoot.check.table import Table

from .registry import DetectInPassage, passage_detector, plain_passage_detector

_DIGIT = re.compile("[0-9]")
_FIGURE = re.compile(
    r"(?<![\w.,£-])(?:"
    r"£?\d{1,3}(?:,?\d{3}){0,5}(?:\.\d{1,4})?"
    r"(?: ?%| ?per ?cent\b| percentage points?\b| (?:thousand|million|billion|trillion)\b)"
    r"|£?\d{1,3}(?:\.\d{1,3})?bn\b"
    r"|£\d{1,3}(?:\.\d{1,3})?mn?\b"
    r"|£?\d{1,3}(?:,\d{3}){1,5}(?![\d,])"
    r")"
)
_AS_A_FIGURE_OF_SPEECH = frozenset({"100%", "100 %", "100 per cent", "110%", "0%"})


@passage_detector("long-sentence")
def long_sentence(options: Table) -> DetectInPassage:
    """Sentences of more than ``at_most`` words. Links, handles and hashtags are not counted."""
    at_most = options.whole("at_most", low=5, high=200)

    def find(passage: Passage) -> Spans:
        text = passage.text
        # Cheapest first: most posts are too short to hold such a sentence at all.
        if len(text) <= 2 * at_most or len(text.split()) <= at_most:
            return []
        return [
            (start, end) for start, end in passage.sentences if _words(text[start:end]) > at_most
        ]

    return find


def _words(sentence: str) -> int:
    return sum(
        not word.startswith(("#", "@", "http://", "https://", "www."))
        and any(character.isalnum() for character in word)
        for word in sentence.split()
    )


@plain_passage_detector("figure-without-source")
def figure_without_source(passage: Passage) -> Spans:
    """Percentages, large numbers and sums of money, where the post links to nothing.

    Dates, times, prices below a thousand and plain counts are left alone, and so is ``100%``.
    """
    text = passage.folded
    if not _DIGIT.search(text):
        return []
    found = [
        match.span() for match in _FIGURE.finditer(text) if match[0] not in _AS_A_FIGURE_OF_SPEECH
    ]
    return [] if not found or passage.urls else found
