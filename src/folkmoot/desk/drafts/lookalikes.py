"""Words of letters that only look alike: a Cyrillic or Greek letter among Latin ones.

Nobody types such a word on purpose, but a text pasted from elsewhere may hold one: a screen reader
stumbles over it, a search does not find it, and an address with it leads elsewhere. The pairs are
those of Unicode's table of confusable characters (UTS 39) that no eye can tell apart.
"""

from __future__ import annotations

import re
import unicodedata

_CYRILLIC = dict(zip("АВЕЅІЈКМНОРСТУХаеорсухѕіјһԁԛԝ", "ABESIJKMHOPCTYXaeopcyxsijhdqw", strict=True))
_GREEK = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧον", "ABEZHIKMNOPTYXov", strict=True))
LATIN = {**_CYRILLIC, **_GREEK}
"""The letters and the Latin ones they are taken for."""
WORD = re.compile(r"[^\W\d_]+")
MOST = 3


def find_lookalikes(text: str) -> list[str]:
    """A sentence for each word, at most three, that mixes Latin letters with some that only look
    Latin.
    """
    if LATIN.keys().isdisjoint(text):
        return []
    found: dict[str, str] = {}
    for word in WORD.findall(text):
        false = next((letter for letter in word if letter in LATIN), None)
        if false is not None and any(_is_latin(letter) for letter in word):
            script = unicodedata.name(false).split()[0].capitalize()
            found[word] = (
                f"In “{word}” the letter “{false}” is {script} and only looks like the Latin "
                f"“{LATIN[false]}”. Type the word again."
            )
    return list(found.values())[:MOST]


def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith("LATIN ")
