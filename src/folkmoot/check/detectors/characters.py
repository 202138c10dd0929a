"""Characters that are not what they seem: unseen ones, letters in costume, and capitals."""

from __future__ import annotations

import re
import unicodedata

from folkmoot.check.passage import Passage, Spans, touches
from folkmoot.check.table import Table

from .registry import DetectInPassage, passage_detector, plain_passage_detector

# Unseen, or able to change the order in which the rest is shown: Unicode's Bidi_Control and
# Default_Ignorable_Code_Point, controls, and blanks that are letters. Ordinary line breaks and
# tabs, and the emoji selector U+FE0F, are left out.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0d\ufeff\uffa0"
    "\ufff0-\uffff\ud800-\udfff\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
_TAGGED_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{1,6}\U000e007f")
_RIGHT_TO_LEFT_LETTER = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_MARKS_OF_ORDER = frozenset("\u061c\u200e\u200f\u2066\u2067\u2068\u2069")
_JOINERS = frozenset("\u200c\u200d")
_REPLACEMENT = "\ufffd"

_STYLED = re.compile(
    "[\u24b6-\u24e9\u249c-\u24b5\uff21-\uff3a\uff41-\uff5a"
    "\U0001d400-\U0001d7ff\U0001f110-\U0001f12b\U0001f130-\U0001f149\U0001f150-\U0001f169"
    "\U0001f170-\U0001f189]+(?:\\s+[\u24b6-\u24e9\u249c-\u24b5\uff21-\uff3a\uff41-\uff5a"
    "\U0001d400-\U0001d7ff\U0001f110-\U0001f12b\U0001f130-\U0001f149\U0001f150-\U0001f169"
    "\U0001f170-\U0001f189]+)*"
)
# Blood groups and the parking sign are emoji in their own right.
_EMOJI_LETTERS = frozenset("\U0001f170\U0001f171\U0001f17e\U0001f17f")

_SMALL = (
    "A ALL AND ARE AT BE BY CAN DO DON'T FOR FROM GET GO HAS HAVE HERE I IF IN IS IT'S MY NO NOT "
    "NOW OF OFF ON OR OUR OUT PLEASE SO THAT THE THEIR THIS TO UP WAS WE WILL WITH YOU YOUR"
)
_TOKEN = re.compile(r"\S+")
_SMALL_WORDS = frozenset(_SMALL.split())
_LETTERS_OF_A_WORD = 5
_WORDS_OF_FIVE = 2


@plain_passage_detector("unseen-characters")
def find_unseen(passage: Passage) -> Spans:
    """Controls, zero-width and direction characters, save where a script or an emoji needs them.

    Joiners stand between emoji or inside scripts that join letters; direction marks and isolates
    are needed beside right-to-left letters; tags spell the flags of England, Scotland and Wales.
    Overrides and embeddings (U+202A to U+202E) are never needed in a post.
    """
    text = passage.text
    if text.isascii() and (text.isprintable() or text.replace("\n", "").isprintable()):
        return []
    flags = [match.span() for match in _TAGGED_FLAG.finditer(text)] if "\U0001f3f4" in text else []
    right_to_left = _RIGHT_TO_LEFT_LETTER.search(text) is not None
    found = []
    for match in _UNSEEN.finditer(text):
        start, end = match.span()
        if touches(flags, start, end):
            continue
        if all(_is_needed(text, at, right_to_left=right_to_left) for at in range(start, end)):
            continue
        found.append((start, end))
    return found


def _is_needed(text: str, at: int, *, right_to_left: bool) -> bool:
    character = text[at]
    if character == _REPLACEMENT:
        return True
    if character in _MARKS_OF_ORDER:
        return right_to_left
    if character not in _JOINERS or at == 0 or at + 1 >= len(text):
        return False
    before, after = text[at - 1], text[at + 1]
    if character == "\u200d" and (_is_pictographic(before) and _is_pictographic(after)):
        return True
    return _joins(before) and (_joins(after) or after.isspace())


def _is_pictographic(character: str) -> bool:
    return unicodedata.category(character) in {"So", "Sk", "Mn"}


def _joins(character: str) -> bool:
    """Whether the character is of a script beyond the European ones, where joiners have uses."""
    return character >= "\u0590" and unicodedata.category(character)[0] in "LM"


@passage_detector("styled-letters")
def styled_letters(options: Table) -> DetectInPassage:
    """Mathematical, fullwidth, circled and squared letters used as if they were a typeface.

    Options: ``at_least``, how many such letters in a run are too many (one may be mathematics).
    """
    at_least = options.whole("at_least", low=1, high=100)

    def find(passage: Passage) -> Spans:
        if passage.text.isascii():
            return []
        return [
            match.span()
            for match in _STYLED.finditer(passage.text)
            if sum(
                not character.isspace() and character not in _EMOJI_LETTERS
                for character in match[0]
            )
            >= at_least
        ]

    return find


@passage_detector("shouting")
def shouting(options: Table) -> DetectInPassage:
    """Whole phrases in capitals.

    Options: ``words``, how many words in a row. So that a row of acronyms is left alone, one of
    the words must be a small everyday word, or two must have five letters and a vowel; and a comma
    or other mark between words ends the row.
    """
    least = options.whole("words", low=2, high=50)

    def find(passage: Passage) -> Spans:
        words = passage.text.split()
        if sum(map(str.isupper, words)) < least:
            return []
        rows = passage.memo.get(shouting)
        if rows is None:  # worked out by the first rule that asks
            rows = passage.memo[shouting] = _rows_of_capitals(passage.text)
        return [
            (row[0][0], row[-1][1])
            for row in rows
            if len(row) >= least and _is_shouted([bare for _, _, bare in row], least)
        ]

    return find


def _rows_of_capitals(text: str) -> list[list[tuple[int, int, str]]]:
    """Words in capitals that stand in a row, as (start, end, the bare word), two at least."""
    found: list[list[tuple[int, int, str]]] = []
    row: list[tuple[int, int, str]] = []
    for match in _TOKEN.finditer(text):
        word, start = match[0], match.start()
        if word.isupper():
            if len(word) > 1 and word.isalnum():  # nothing to take off: the usual case
                row.append((start, match.end(), word))
                continue
            bare = word.strip("\"'“”‘’()[]!?.…,;:-–—")
            # An initial with its full stop is part of a name.
            if (
                word[0] not in "#@"
                and not (len(bare) == 1 and word.endswith("."))
                and "://" not in word
            ):
                row.append((start, start + word.find(bare) + len(bare), bare.replace("’", "'")))
                if not word.endswith((",", ";", ":", "/", "|")):
                    continue
        if row:
            if len(row) > 1:
                found.append(row)
            row = []
    if len(row) > 1:
        found.append(row)
    return found


def _is_shouted(words: list[str], least: int) -> bool:
    # A and I are capitals in any sentence, so they do not count towards the row's length.
    if sum(len(word) > 1 for word in words) < least:
        return False
    if any(word in _SMALL_WORDS for word in words):
        return True
    long = [
        word
        for word in words
        if len(word) >= _LETTERS_OF_A_WORD and word.isalpha() and set(word) & set("AEIOUWY")
    ]
    return len(long) >= _WORDS_OF_FIVE
