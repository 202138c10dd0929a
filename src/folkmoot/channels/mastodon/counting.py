"""Length as Mastodon counts it: what a reader sees, with links and mentions at a flat rate.

Every ``http`` or ``https`` address counts 23, however long, and of a mention of somebody on
another server only ``@user`` counts (Mastodon documentation, "Posting to your profile"). Where our
idea of an address is narrower than Mastodon's, we count more than it does: a post is then held
back here, and never refused there.
"""

from __future__ import annotations

import regex

from folkmoot.channels.limits import count_graphemes

_ADDRESS_COUNTS = 23
_ADDRESS = regex.compile(
    r"""
    (?<![\p{L}\p{N}_@\#$/.:-])
    https?://
    (?:[\p{L}\p{N}](?:[\p{L}\p{N}_-]*[\p{L}\p{N}])?\.)+\p{L}{2,63}(?![\p{L}\p{N}_@-])
    (?::[0-9]{1,5})?
    (?:/(?:
        (?:[^\s()<>?]|\((?:[^\s()<>?]|\([^\s()<>?]*\))*\))*
        (?:[^\s()<>?!*"'「」;:=,.$%\[\]~&|@]|\((?:[^\s()<>?]|\([^\s()<>?]*\))*\))
    )?)?
    (?:\?[a-z0-9!?*'();:&=+$/%\#\[\]_.,~|@^-]*[a-z0-9_&=\#/-])?
    """,
    regex.VERBOSE | regex.IGNORECASE,
)
_MENTION = regex.compile(
    r"(?<![=/\w])@(?P<user>[a-z0-9_]+(?:[.-]+[a-z0-9_]+)*)@\w+(?:[.-]+\w+)*", regex.IGNORECASE
)


def count_characters(text: str) -> int:
    """How many characters of its limit ``text`` uses up on Mastodon."""
    text = _ADDRESS.sub("x" * _ADDRESS_COUNTS, text)
    return count_graphemes(shorten_mentions(text))


def shorten_mentions(text: str) -> str:
    """``text`` with every ``@user@server`` as ``@user``, which is how Mastodon shows it."""
    return str(_MENTION.sub(r"@\g<user>", text))
