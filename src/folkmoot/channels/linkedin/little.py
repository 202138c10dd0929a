r"""LinkedIn's "little text": plain text in which some characters have a meaning unless escaped.

``| { } @ [ ] ( ) < > # * _ ~`` and the backslash itself are escaped with a backslash where they are
meant as they stand; of what is not, LinkedIn silently leaves out the rest of the post. A hashtag is
``{hashtag|\#|tag}``, a mention ``@[Name](urn)`` ("little Text Format" in LinkedIn's documentation).
"""

from __future__ import annotations

import re

from folkmoot.channels.links import find_hashtags

_RESERVED = re.compile(r"[\\|{}@\[\]()<>#*_~]")
_ELEMENT = re.compile(
    r"""
    \\(?P<escaped>.)
  | \{hashtag\|\\?(?P<sign>[#＃])\|(?P<tag>(?:\\.|[^\\|{}])*)\}
  | @\[(?P<name>(?:\\.|[^\\\]])*)\]\([^()]*\)
    """,
    re.VERBOSE | re.DOTALL,
)


def write(text: str) -> str:
    """``text`` so that LinkedIn shows it letter for letter, its hashtags as hashtags."""
    pieces, place = [], 0
    for found in find_hashtags(text):
        sign = _escape(text[found.start])
        pieces += [_escape(text[place : found.start]), f"{{hashtag|{sign}|{_escape(found.tag)}}}"]
        place = found.end
    return "".join([*pieces, _escape(text[place:])])


def read(little: str) -> str:
    """The text LinkedIn shows for ``little``; a mention is its name."""
    return _ELEMENT.sub(_show, little)


def _show(found: re.Match[str]) -> str:
    if found["escaped"] is not None:
        return found["escaped"]
    if found["tag"] is not None:
        return found["sign"] + read(found["tag"])
    return read(found["name"])


def _escape(text: str) -> str:
    return _RESERVED.sub(lambda found: f"\\{found[0]}", text)
