"""A readable difference of two texts, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

# Words, runs of white space, and every other character by itself.
_TOKENS = re.compile(r"\w+(?:[’'-]\w+)*|\s+|[^\w\s]")
# Comparing costs at least the product of both lengths and, with a text made to hurt, its power of
# one and a half (800 by 800 was half a second). Longer texts are compared line by line first; a
# changed passage longer than this, or beyond the pairs one text may use up, is shown as replaced.
_MOST_TOKENS = 800
_MOST_PAIRS = 2_000_000


class Mark(StrEnum):
    """Whether a span stands in both texts, in the old one only, or in the new one only."""

    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text and where it stands."""

    mark: Mark
    text: str


def compare_texts(old: str, new: str) -> tuple[Span, ...]:
    """What changed from ``old`` to ``new``, in reading order: what went before what came.

    The spans that are not ``ADDED`` make ``old`` when joined, those that are not ``REMOVED`` make
    ``new``. No span is empty and no two neighbours have the same mark. Whole words are marked; a
    blank or comma that two changes have in common is drawn into them, since islands of one
    character make a difference harder to read. Time grows with the length of what changed and is
    bounded: a changed passage of more than about 400 words is shown as replaced.
    """
    if old == new:
        return (Span(Mark.SAME, old),) if old else ()
    return tuple(_joined(_gathered(_compared(old, new))))


def _compared(old: str, new: str) -> Iterator[Span]:
    old_tokens, new_tokens = _TOKENS.findall(old), _TOKENS.findall(new)
    if max(len(old_tokens), len(new_tokens)) <= _MOST_TOKENS:
        yield from _matched(old_tokens, new_tokens)
        return
    old_lines, new_lines = old.splitlines(keepends=True), new.splitlines(keepends=True)
    if max(len(old_lines), len(new_lines)) > _MOST_TOKENS:
        yield from _replaced(old, new)
        return
    pairs = 0
    for kind, i1, i2, j1, j2 in _opcodes(old_lines, new_lines):
        was, now = "".join(old_lines[i1:i2]), "".join(new_lines[j1:j2])
        if kind == "equal":
            yield Span(Mark.SAME, was)
            continue
        was_tokens, now_tokens = _TOKENS.findall(was), _TOKENS.findall(now)
        pairs += len(was_tokens) * len(now_tokens)
        if max(len(was_tokens), len(now_tokens)) > _MOST_TOKENS or pairs > _MOST_PAIRS:
            yield from _replaced(was, now)
        else:
            yield from _matched(was_tokens, now_tokens)


def _matched(old: list[str], new: list[str]) -> Iterator[Span]:
    for kind, i1, i2, j1, j2 in _opcodes(old, new):
        if kind == "equal":
            yield Span(Mark.SAME, "".join(old[i1:i2]))
        else:
            yield from _replaced("".join(old[i1:i2]), "".join(new[j1:j2]))


def _opcodes(old: list[str], new: list[str]) -> Sequence[tuple[str, int, int, int, int]]:
    return SequenceMatcher(_holds_nothing, old, new, autojunk=False).get_opcodes()


def _holds_nothing(token: str) -> bool:
    """Two texts are not held together by the blanks between words, but by paragraphs they are."""
    return token.isspace() and "\n" not in token


def _replaced(old: str, new: str) -> Iterator[Span]:
    if old:
        yield Span(Mark.REMOVED, old)
    if new:
        yield Span(Mark.ADDED, new)


def _gathered(spans: Iterable[Span]) -> Iterator[Span]:
    """Draw what is common but says nothing, between two changes, into the changes."""
    whole = list(spans)
    removed, added = "", ""
    for at, span in enumerate(whole):
        if span.mark is Mark.REMOVED:
            removed += span.text
        elif span.mark is Mark.ADDED:
            added += span.text
        elif (
            (removed or added)
            and at + 1 < len(whole)
            and "\n" not in span.text
            and not any(letter.isalnum() for letter in span.text)
        ):
            removed += span.text
            added += span.text
        else:
            yield from _replaced(removed, added)
            removed, added = "", ""
            yield span
    yield from _replaced(removed, added)


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    before: Span | None = None
    for span in spans:
        if before is not None and before.mark is span.mark:
            before = Span(span.mark, before.text + span.text)
            continue
        if before is not None:
            yield before
        before = span
    if before is not None:
        yield before
