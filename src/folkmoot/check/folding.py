"""One form of a text to look words up in, code point for code point as long as the original.

Offsets found in the folded text are therefore offsets in the author's own text. ``str.casefold``
and ``str.lower`` alone do not promise that (``"İ".lower()`` has two code points).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# Each side is one code point, so folding keeps every offset.
_SAME_TO_A_READER = (
    ("\u0130", "i"),  # the only code point whose lower case is two code points
    ("\u2019", "'"),
    ("\u2018", "'"),
    ("\u02bc", "'"),
    ("\uff07", "'"),
    ("\u00a0", " "),
    ("\u202f", " "),
    ("\u2009", " "),
    ("\u2010", "-"),
    ("\u2011", "-"),
    ("\u2012", "-"),
    ("\u2013", "-"),
    ("\u2014", "-"),
    ("\u2212", "-"),
)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_FIRST_COMBINING = "\u0300"


def readable(text: str) -> str:
    """``text`` with each lone surrogate replaced by U+FFFD, so that it can be written as UTF-8.

    The length in code points stays the same.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return _LONE_SURROGATE.sub("\ufffd", text)
    return text


def fold(text: str) -> str:
    """``text`` in lower case with typographic apostrophes, dashes and spaces made plain.

    Code point *n* of the answer stands for code point *n* of ``text``, so the lengths are equal.
    Line breaks and tabs become spaces: a phrase broken over two lines is still the phrase. Lone
    surrogates become U+FFFD.
    """
    if not text.isascii():
        text = readable(text)
        for written, plain in _SAME_TO_A_READER:
            text = text.replace(written, plain)
        # Python lowers a capital sigma by its position in the word; we want one form.
        text = text.lower().replace("\u03c2", "\u03c3")
    else:
        text = text.lower()
    return text.replace("\n", " ").replace("\t", " ").replace("\r", " ")


def in_word(character: str) -> bool:
    """Whether ``character`` can be part of a word: letters, digits, ``_`` and combining marks."""
    return (
        character.isalnum()
        or character == "_"
        or (character >= _FIRST_COMBINING and unicodedata.category(character)[0] == "M")
    )


def stands_alone(text: str, start: int, end: int) -> bool:
    """Whether ``text[start:end]`` is not cut out of a longer word at either end.

    An end that is not itself part of a word (``#``, ``]``) needs no boundary. An apostrophe or a
    hyphen is a boundary: in ``council's`` the word ``council`` stands alone.
    """
    if start > 0 and in_word(text[start]) and in_word(text[start - 1]):
        return False
    return not (end < len(text) and in_word(text[end - 1]) and in_word(text[end]))


def utf16_offsets(text: str, offsets: Iterable[int]) -> dict[int, int]:
    """For each code-point offset into ``text``, the same place counted in UTF-16 units.

    One pass over ``text`` however many offsets are asked for. A lone surrogate counts as one unit,
    as it does in a browser. Each offset must lie between 0 and ``len(text)``.
    """
    wanted = sorted(set(offsets))
    if not wanted or text.isascii():
        return {offset: offset for offset in wanted}
    answer: dict[int, int] = {}
    done = units = 0
    for offset in wanted:
        units += len(text[done:offset].encode("utf-16-le", "surrogatepass")) // 2
        done = offset
        answer[offset] = units
    return answer
