"""How long X holds a text to be: its weighted count, as twitter-text's configuration v3 has it.

After NFC, a code point in Latin and its neighbours, or in common punctuation, counts 1, others 2;
a web address counts 23 however long it is, with or without its scheme; an emoji counts 2, sequences
of several code points too ("Counting characters" in X's documentation; ``config/v3.json`` of
twitter-text).

Where X has a list, we have a rule, so that the count may differ by a little. Of addresses without a
scheme, those under an unusual generic domain are counted as they stand, and any two letters after a
dot are held to be a country. Every well-formed emoji sequence counts as one emoji, whether or not X
draws it as one.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Any

from folkmoot.channels.port import Length

MOST = 280
_SCALE = 100
_LIGHT, _HEAVY, _URL = 100, 200, 2300
_LIGHT_RANGES = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))

_GENERIC = (
    "com|org|net|edu|gov|mil|int|info|biz|name|pro|aero|coop|museum|jobs|mobi|travel|cat|post|app"
    "|dev|blog|news|wiki|page|site|online|shop|store|cloud|xyz|social|community|health|care"
    "|london|scot|wales|cymru|eus|gal|bzh|paris|berlin"
)
_LABEL = r"[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}_-]*[\p{L}\p{N}\p{M}])?"
_ASCII_LABEL = r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?"
_PATH = r"[\p{L}\p{N}\p{M}!*';:=+,.$/%#\[\]~&|@_-]"
_PATH_END = r"[\p{L}\p{N}\p{M}=_#/+-]"
_QUERY = r"[a-z0-9!?*'@();:&=+$/%#\[\]_.,~|-]"
_QUERY_END = r"[a-z0-9_&=#/-]"
_ADDRESS = rf"""
    (?<![a-z0-9@＠$\#＃\u202a-\u202e])
    (?:
        https?:// (?:{_LABEL}\.)+ (?:[\p{{L}}\p{{M}}]{{2,}}|xn--[a-z0-9-]+)
      | (?<![-_./]) (?:{_ASCII_LABEL}\.)+ (?:{_GENERIC}|[a-z]{{2}})
    )
    (?=[^a-z0-9@+-]|$)
    (?::[0-9]+)?
    (?:/ (?:{_PATH}*\({_PATH}+\))* (?:{_PATH}*{_PATH_END})? (?:\({_PATH}+\))?)?
    (?:\?{_QUERY}*{_QUERY_END})?
"""
# A sign that is text unless it is asked to be a picture counts as text: ©, ®, ™ and the pawn.
_EMOJI = r"""
    \p{RI}{2}
  | [0-9\#*] \uFE0F? \u20E3
  | [\u00a9\u00ae\u2122\u265f] \uFE0F
  | (?![\u00a9\u00ae\u2122\u265f]) \p{Extended_Pictographic} (?:\uFE0F|\p{Emoji_Modifier})?
    (?:[\U000E0020-\U000E007E]+\U000E007F)?
    (?:\u200D \p{Extended_Pictographic} (?:\uFE0F|\p{Emoji_Modifier})?)*
"""


def count_weighted(text: str) -> int:
    """How many characters X counts in ``text``."""
    whole = unicodedata.normalize("NFC", text)
    weight = place = 0
    for found in _get_pattern().finditer(whole):
        weight += sum(map(_weigh, whole[place : found.start()]))
        weight += _URL if found["address"] else _HEAVY
        place = found.end()
    weight += sum(map(_weigh, whole[place:]))
    return weight // _SCALE


LENGTH = Length(
    "character",
    MOST,
    count_weighted,
    "Shorten it: X counts a web address as 23, and as 2 each emoji and each letter of scripts such"
    " as Chinese",
)
"""The limit on one post."""


def _weigh(letter: str) -> int:
    point = ord(letter)
    return _LIGHT if any(first <= point <= last for first, last in _LIGHT_RANGES) else _HEAVY


@cache
def _get_pattern() -> Any:
    import regex

    return regex.compile(
        rf"(?P<address>{_ADDRESS})|(?P<emoji>{_EMOJI})", regex.VERBOSE | regex.IGNORECASE
    )
