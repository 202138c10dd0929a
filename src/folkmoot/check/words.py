"""All words of all rules looked for in one pass, and patterns run only where they could match."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Protocol

import ahocorasick_rs

from .folding import fold, stands_alone
from .passage import Passage, Spans
from .rules import Rule
from .table import RuleError

# What a string of the index stands for in a rule.
_TERM, _LITERAL, _NOT_WITHIN = range(3)


class WordIndex:
    """The terms, literals and exceptions of ``rules`` compiled into one Aho-Corasick automaton.

    Rules without terms or patterns may be among ``rules``; they are passed over. Where the rules
    were ``checked`` before, their patterns are compiled when they are first needed. Raises
    :class:`~folkmoot.check.RuleError` for a pattern RE2 cannot compile or that matches nothing at
    all (the empty string), and for words that come to nothing when folded.
    """

    def __init__(self, rules: Sequence[Rule], *, checked: bool = False) -> None:
        self._finders = {
            number: _Finder(rule, checked=checked)
            for number, rule in enumerate(rules)
            if rule.match.detector is None
        }
        self._always = tuple(
            number
            for number, rule in enumerate(rules)
            if rule.match.detector is None and rule.match.always
        )
        strings: dict[str, list[tuple[int, int, str]]] = {}
        for number in self._finders:
            match = rules[number].match
            for meaning, words in (
                (_TERM, match.terms),
                (_LITERAL, match.literals),
                (_NOT_WITHIN, match.not_within),
            ):
                for word in words:
                    strings.setdefault(fold(word), []).append((number, meaning, word))
        self._meanings = tuple(strings.values())
        self._automaton = ahocorasick_rs.AhoCorasick(list(strings)) if strings else None

    def find(self, passage: Passage, active: frozenset[int]) -> dict[int, Spans]:
        """Where the rules' words and patterns stand in ``passage``, by the rule's number.

        ``active`` are the numbers of the rules asked after. Only rules with something to show are
        in the answer; places are in order and none overlaps another (the longest of those that
        begin together is kept).
        """
        seen: dict[int, _Seen] = {number: _Seen() for number in self._always if number in active}
        if self._automaton is not None:
            for which, start, end in self._automaton.find_matches_as_indexes(
                passage.folded, overlapping=True
            ):
                for number, meaning, word in self._meanings[which]:
                    if number not in active:
                        continue
                    noted = seen.get(number)
                    if noted is None:
                        noted = seen[number] = _Seen()
                    if meaning == _TERM:
                        noted.terms.append((start, end, word))
                    elif meaning == _LITERAL:
                        noted.literal = True
                    else:
                        noted.exceptions.append((start, end))
        return {
            number: spans
            for number, noted in seen.items()
            if (spans := self._finders[number].find(passage, noted))
        }

    def matches_without_literals(self, number: int, text: str) -> bool:
        """Whether a pattern of the rule of this number matches, whatever literals are there."""
        return self._finders[number].matches(Passage(text, "text"))


class _Hit(Protocol):
    def span(self) -> tuple[int, int]: ...


class _Pattern(Protocol):
    def finditer(self, text: str, /) -> Iterator[_Hit]: ...


class _Seen:
    """What the one pass saw of one rule."""

    __slots__ = ("exceptions", "literal", "terms")

    def __init__(self) -> None:
        self.terms: list[tuple[int, int, str]] = []
        self.exceptions: Spans = []
        self.literal = False


class _Finder:
    """One rule's own conditions on what the pass saw."""

    __slots__ = ("_compiled", "_match", "_rule")

    def __init__(self, rule: Rule, *, checked: bool) -> None:
        self._match = rule.match
        self._rule = rule
        self._compiled: tuple[_Pattern, ...] | None = None
        if checked:
            return
        for word in (*rule.match.terms, *rule.match.literals, *rule.match.not_within):
            if not word.strip():
                raise RuleError(rule.file, "match", f"{word!r} holds no word")
        self._compile()

    def _compile(self) -> tuple[_Pattern, ...]:
        if self._compiled is None:
            self._compiled = tuple(_compile(self._rule, each) for each in self._match.patterns)
        return self._compiled

    def matches(self, passage: Passage) -> bool:
        searched = passage.readable if self._match.case_sensitive else passage.folded
        return any(next(pattern.finditer(searched), None) for pattern in self._compile())

    def find(self, passage: Passage, seen: _Seen) -> Spans:
        match, text = self._match, passage.folded
        found: Spans = []
        for start, end, word in seen.terms:
            if match.case_sensitive and passage.readable[start:end] != word:
                continue
            found.append((start, end))
        if match.patterns and (seen.literal or match.always):
            searched = passage.readable if match.case_sensitive else text
            for pattern in self._compile():
                found.extend(hit.span() for hit in pattern.finditer(searched))
        if match.whole_words:
            found = [span for span in found if stands_alone(text, *span)]
        if found and match.skip:
            found = [span for span in found if not passage.overlaps(match.skip, *span)]
        found = without_overlaps(found)
        if found and seen.exceptions:
            exceptions = without_overlaps(
                [span for span in seen.exceptions if stands_alone(text, *span)]
            )
            found = [span for span in found if not _inside(exceptions, span)]
        return found


def _inside(spans: Spans, span: tuple[int, int]) -> bool:
    """Whether ``span`` lies wholly within one of ``spans`` (in order, none overlapping another)."""
    before = bisect_right(spans, (span[0], sys.maxsize)) - 1
    return before >= 0 and spans[before][1] >= span[1]


def without_overlaps(spans: Spans) -> Spans:
    """``spans`` in order of place; of those that overlap, the one that begins first, then the
    longest, is kept.
    """
    if len(spans) < 2:  # noqa: PLR2004 - nothing can overlap
        return spans
    kept: Spans = []
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept


def _compile(rule: Rule, pattern: str) -> _Pattern:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as wrong:
        raise RuleError(
            rule.file, "match.patterns", f"{pattern!r} cannot be used by RE2 ({wrong})"
        ) from wrong
    if compiled.search("") is not None:
        raise RuleError(rule.file, "match.patterns", f"{pattern!r} matches where there is nothing")
    return compiled
