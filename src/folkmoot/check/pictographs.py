"""Emoji as a reader sees them. Loads ``regex``, so it is imported only for posts that need it."""

from __future__ import annotations

import regex

# Unicode Technical Standard 51: flags, keycaps, and pictographs with selector, skin tone, tags and
# others joined to them. Possessive, so that a long chain of joiners is read once.
_CLUSTER = regex.compile(
    r"\p{Regional_Indicator}{2}"
    r"|[0-9#*]\ufe0f?\u20e3"
    r"|\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier})?[\U000e0020-\U000e007f]*+"
    r"(?:\u200d\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier})?)*+"
)
_DRAWN_AS_PICTURE = regex.compile(
    r"\p{Emoji_Presentation}|\ufe0f|\u20e3|(?=[\u2600-\u27bf])\p{Extended_Pictographic}"
)


def find_emoji(text: str) -> list[tuple[int, int]]:
    """Places of emoji in ``text``, in order; a family or a flag is one.

    Signs such as ``©`` and ``™`` that are shown as text unless asked otherwise are left out.
    """
    return [match.span() for match in _CLUSTER.finditer(text) if _DRAWN_AS_PICTURE.search(match[0])]
