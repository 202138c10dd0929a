"""How long sentences are, and whether figures come with a source."""

from __future__ import annotations

import re

from folkmoot.check.passage import Passage, Spans
from folkmoot.check.table import Table

from .registry import DetectInPassage, passage_detector

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
# Words that make a figure a finding about the world, and those that say where it is from.
_FINDING = re.compile(
    r"\b(?:rose|risen|rise|rising|fell|fallen|fall|falling|up by|down by|up from|down from"
    r"|increased?|increasing|decreased?|doubled|halved|tripled|dropped|grew|grown|jumped|record|highest|lowest"
    r"|fastest|more than ever|compared|on average|one in \w+|most likely|less likely|more likely"
    r"|cut by|reduced by|growth|inflation|unemployment)\b"
)
_SAYS_SOURCE = re.compile(
    r"\b(?:source|sources|according to|ons|figures? from|statistics? from|survey|study|data from"
    r"|report by|published (?:by|in|today)|census|audit|nomis|ffynhonnell)\b"
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
        rough = passage.memo.get(long_sentence)
        if rough is None:  # counted by the first rule that asks
            rough = passage.memo[long_sentence] = [
                len(text[start:end].split()) for start, end in passage.sentences
            ]
        return [
            span
            for span, words in zip(passage.sentences, rough, strict=True)
            if words > at_most and _has_more_words(text[span[0] : span[1]], at_most)
        ]

    return find


def _has_more_words(sentence: str, at_most: int) -> bool:
    """Whether ``sentence`` has more than ``at_most`` words. It is read no further than needed."""
    words = 0
    for word in sentence.split():
        if (word[0].isalnum() or any(map(str.isalnum, word))) and not word.startswith(
            ("#", "@", "http://", "https://", "www.")
        ):
            words += 1
            if words > at_most:
                return True
    return False


@passage_detector("figure-without-source", where="digits")
def figure_without_source(options: Table) -> DetectInPassage:
    """Percentages, large numbers and sums of money, where the post links to nothing.

    Options: ``findings_alone`` (false if left out), only where the post also has a word of change
    or comparison (``rose``, ``compared``, ``record``) and does not name a source. Dates, times,
    prices below a thousand and plain counts are left alone, and so is ``100%``.
    """
    findings_alone = options.flag("findings_alone", default=False)

    def find(passage: Passage) -> Spans:
        found = _figures_without_link(passage)
        if found and findings_alone:
            text = passage.folded
            if not _FINDING.search(text) or _SAYS_SOURCE.search(text):
                return []
        return found

    return find


def _figures_without_link(passage: Passage) -> Spans:
    found: Spans | None = passage.memo.get(_figures_without_link)
    if found is None:  # looked for by the first rule that asks
        found = passage.memo[_figures_without_link] = _figures(passage)
    return found


def _figures(passage: Passage) -> Spans:
    text = passage.folded
    if not _DIGIT.search(text):
        return []
    found = [
        match.span() for match in _FIGURE.finditer(text) if match[0] not in _AS_A_FIGURE_OF_SPEECH
    ]
    return [] if not found or passage.urls else found
