"""Hashtags: how many, and whether a screen reader can tell their words apart."""

from __future__ import annotations

from functools import lru_cache

from folkmoot.check.passage import Passage, Spans
from folkmoot.check.table import Table

from .registry import DetectInPassage, passage_detector

_LONGEST_LOOKED_AT = 60
_LETTERS_OF_A_FULL_WORD = 3
_FULL_WORDS = 2


@passage_detector("hashtag-number", where="hashtags")
def hashtag_number(options: Table) -> DetectInPassage:
    """Hashtags beyond the ``at_most`` first ones."""
    at_most = options.whole("at_most", low=0, high=100)

    def find(passage: Passage) -> Spans:
        return passage.hashtags[at_most:]

    return find


@passage_detector("hashtag-case", where="hashtags")
def hashtag_case(options: Table) -> DetectInPassage:
    """Hashtags of several words written all in small letters (``#stayathome``).

    Options: ``words``, everyday words; ``one_word``, tags that can be cut into those but are one
    word (``#homework``). A tag counts only where it can be cut wholly into ``words``, at least two
    of them of three letters or more: an unknown name is left alone rather than guessed at.
    """
    words = frozenset(options.texts("words", at_least=1))
    one_word = frozenset(options.texts("one_word"))
    longest = max(map(len, words))

    def find(passage: Passage) -> Spans:
        return [
            (start, end)
            for start, end in passage.hashtags
            if (tag := passage.text[start + 1 : end]).islower()
            and tag not in one_word
            and _full_words(tag, words, longest) >= _FULL_WORDS
        ]

    return find


@lru_cache(maxsize=1024)
def _full_words(tag: str, words: frozenset[str], longest: int) -> int:
    """The most words of three letters or more ``tag`` can be cut into wholly; -1 for not at all."""
    if len(tag) > _LONGEST_LOOKED_AT:
        return -1
    best = [0] + [-1] * len(tag)
    for end in range(1, len(tag) + 1):
        for start in range(max(0, end - longest), end):
            if best[start] >= 0 and tag[start:end] in words:
                full = end - start >= _LETTERS_OF_A_FULL_WORD
                best[end] = max(best[end], best[start] + full)
    return best[-1]
