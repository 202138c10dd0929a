"""What Threads counts ("Posts" and "Publishing" of the Threads API)."""

from __future__ import annotations

import re

from folkmoot.channels.limits import characters
from folkmoot.channels.port import Capabilities, Length, Pace

_LINK = re.compile(r"(?:https?://|\bwww\.)[^\s<>\"']+", re.IGNORECASE)


def count_characters(text: str) -> int:
    """How long ``text`` is to Threads: every character is one, but an emoji is as many as it takes
    bytes in UTF-8.
    """
    import regex

    emoji = regex.compile(r"\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20e3")
    return sum(
        len(one[0].encode()) if emoji.search(one[0]) else 1 for one in regex.finditer(r"\X", text)
    )


def count_links(text: str) -> int:
    """How many different addresses are in ``text``; more than five and Threads takes no post."""
    return len(set(_LINK.findall(text)))


CAPABILITIES = Capabilities(
    channel="threads",
    title="Threads",
    lengths=(
        Length(
            "character",
            500,
            count_characters,
            "Shorten it, and mind that an emoji counts as several characters here",
        ),
        Length("link", 5, count_links, "Take some away"),
    ),
    pictures=20,
    picture_bytes=8_000_000,
    picture_types=frozenset({"image/jpeg", "image/png"}),
    parts=25,
    alt=characters(1000),
    replies=True,
    edits=True,
    pace=Pace(250, 24 * 3600),
)
