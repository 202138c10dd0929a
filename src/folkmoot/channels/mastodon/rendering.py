"""How the simulated server shows a text as HTML: as Mastodon does, losing what it loses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

_SHOWN_LETTERS = 30
_ENTITY = re.compile(
    r"(?P<url>(?<![\w@/.:-])https?://[\w.-]+\.[a-z]{2,}(?:/[^\s<>\"]*[\w/=#-])?)"
    r"|(?<![\w&/#])#(?P<tag>\w*[^\W\d]\w*)"
    r"|(?<![\w=/])@(?P<user>\w+)(?:@(?P<host>[\w-]+(?:\.[\w-]+)+))?",
    re.IGNORECASE,
)


def render(text: str, people: Mapping[str, str], server: str) -> str:
    """``text`` in HTML. ``people`` are those who can be mentioned: from ``user`` or
    ``user@server`` to the address of their profile.
    """
    if not text.strip():
        return ""
    pieces, last = [], 0
    for match in _ENTITY.finditer(text):
        pieces.append(_escape(text[last : match.start()]))
        pieces.append(_entity(match, people, server))
        last = match.end()
    pieces.append(_escape(text[last:]))
    joined = re.sub(r"\r\n?", "\n", "".join(pieces))
    paragraphs = [piece.strip("\n") for piece in re.split(r"\n\n+", joined)]
    return "".join(f"<p>{piece.replace(chr(10), '<br />')}</p>" for piece in paragraphs)


def _entity(match: re.Match[str], people: Mapping[str, str], server: str) -> str:
    if match["url"]:
        return _link(match["url"])
    if match["tag"]:
        tag = _escape(match["tag"])
        href = f"{server}/tags/{tag}"
        return f'<a href="{href}" class="mention hashtag" rel="tag">#<span>{tag}</span></a>'
    name = f"{match['user']}@{match['host']}" if match["host"] else match["user"]
    profile = people.get(name)
    if profile is None:
        return f"@{_escape(name)}"
    return (
        f'<span class="h-card" translate="no"><a href="{_escape(profile)}" class="u-url mention">@'
        f"<span>{_escape(match['user'])}</span></a></span>"
    )


def _link(url: str) -> str:
    hidden = re.match(r"https?://(?:www\.)?", url, re.IGNORECASE)
    begins = hidden.end() if hidden else 0
    shown, rest = url[begins:][:_SHOWN_LETTERS], url[begins:][_SHOWN_LETTERS:]
    return (
        f'<a href="{_escape(url)}" target="_blank" rel="nofollow noopener" translate="no">'
        f'<span class="invisible">{_escape(url[:begins])}</span>'
        f'<span class="{"ellipsis" if rest else ""}">{_escape(shown)}</span>'
        f'<span class="invisible">{_escape(rest)}</span></a>'
    )


def _escape(text: str) -> str:
    return escape(text, quote=True)
