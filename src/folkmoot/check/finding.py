"""From places in a post to a finding: what it says, where, and by what it is known again."""

from __future__ import annotations

from hashlib import sha256

from .folding import fold, utf16_offsets
from .model import Finding, Span
from .reading import Hits, Reading
from .rules import Rule

_SPANS_KEPT = 1_000
"""How many places a finding shows. Nobody reads more, and a hostile post may have a million."""
_WORDS_NAMED = 3
_WORDS_SHOWN = 40


def rank_of(finding: Finding, places: dict[str, int]) -> tuple[int, int, int, str]:
    """Where ``finding`` stands among others: by effect, then place. ``places`` ranks alt texts."""
    if not finding.spans:
        return (-finding.effect, -1, 0, finding.rule)
    first = finding.spans[0]
    place = 0 if first.place == "text" else places.get(first.place, len(places) + 1)
    return (-finding.effect, place, first.start, finding.rule)


def make_finding(rule: Rule, hits: Hits, because: tuple[str, ...], reading: Reading) -> Finding:
    """What ``rule`` found at ``hits``, in words; no places means the whole post."""
    spans: list[Span] = []
    words: list[str] = []
    concerned: list[str] = []
    by_place: dict[str, list[tuple[int, int]]] = {}
    for place, start, end in hits[:_SPANS_KEPT]:
        by_place.setdefault(place, []).append((start, end))
    for place, here in by_place.items():
        passage = reading.passage(place)
        text, folded = ("", "") if passage is None else (passage.text, passage.folded)
        units = utf16_offsets(text, (offset for span in here for offset in span))
        for start, end in here:
            spans.append(Span(start, end, units[start], units[end], place))
            words.append(text[start:end])
            concerned.append(f"{place}\x1f{folded[start:end]}")
    if len(hits) > _SPANS_KEPT:
        concerned.append(f"more\x1f{len(hits)}")
    if not hits:
        concerned.append(f"post\x1f{reading.text.folded}")
    return Finding(
        rule=rule.id,
        title=rule.title,
        clauses=rule.clauses,
        effect=rule.effect,
        confidence=rule.confidence,
        message=rule.message.replace("{words}", _name(words)),
        advice=rule.advice,
        clear_by=rule.clear_by,
        spans=tuple(spans),
        because=because,
        fingerprint=_fingerprint(rule.id, concerned),
        outcome=rule.outcome,
        advice_cy=rule.advice_cy,
    )


def _fingerprint(rule: str, concerned: list[str]) -> str:
    """The first 16 hexadecimal digits of SHA-256 over rule, places and folded words, sorted.

    Sorted, so that moving a sentence keeps the answer given to it; with repeats, so that one more
    mention does not.
    """
    whole = "\x1e".join((rule, *sorted(concerned)))
    return sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _name(words: list[str]) -> str:
    """Up to three of the words found, each once, in quotation marks."""
    shown: dict[str, str] = {}
    for word in words:
        if word.strip():
            shown.setdefault(fold(word), _shorten(word))
    named = [f"“{word}”" for word in shown.values()]
    left = len(named) - _WORDS_NAMED
    if left > 0:
        return f"{', '.join(named[:_WORDS_NAMED])} and {left} more"
    return " and ".join(filter(None, (", ".join(named[:-1]), *named[-1:])))


def _shorten(word: str) -> str:
    one_line = " ".join(word.split())
    return one_line if len(one_line) <= _WORDS_SHOWN else f"{one_line[: _WORDS_SHOWN - 1]}…"
