"""Posts of a page as they are frozen, and as LinkedIn shows them (its "Posts API").

LinkedIn keeps no key of ours. Its ids grow with time, so a post is known again by its words, how
many pictures it has, and by being newer than the newest post there was when it was prepared.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from folkmoot.channels.linkedin import little
from folkmoot.channels.port import Part

_URN = re.compile(r"urn:li:(?:share|ugcPost):([0-9]+)")
_ADDRESS = re.compile(r"https?://\S+")
_GONE = frozenset({"DRAFT", "PUBLISH_FAILED", "DELETED", "ARCHIVED"})


@dataclass(frozen=True, slots=True)
class FrozenPost:
    """A frozen post: ``body`` is what is sent. ``newest`` is the number of the page's newest post
    when it was prepared, 0 where there was none.
    """

    newest: int
    at: datetime
    body: dict[str, Any]

    @property
    def text(self) -> str:
        """The words, as people read them."""
        return little.read(str(self.body["commentary"]))


@dataclass(frozen=True, slots=True)
class FrozenRemoval:
    """A frozen removal of the post of this URN."""

    urn: str


@dataclass(frozen=True, slots=True)
class Post:
    """A post as LinkedIn shows it."""

    urn: str
    text: str
    at: datetime | None
    alts: tuple[str, ...]


class NotAPost(Exception):
    """What LinkedIn gave is not a post."""


def make_body(author: str, part: Part, images: Sequence[str]) -> dict[str, Any]:
    """The body of the request that publishes ``part`` with these images."""
    shown = [
        {"id": urn, "altText": picture.alt}
        for urn, picture in zip(images, part.pictures, strict=True)
    ]
    body: dict[str, Any] = {
        "author": author,
        "commentary": little.write(part.text),
        "visibility": "PUBLIC",
        "distribution": {
            "feedDistribution": "MAIN_FEED",
            "targetEntities": [],
            "thirdPartyDistributionChannels": [],
        },
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
    }
    if len(shown) == 1:
        body["content"] = {"media": shown[0]}
    elif shown:
        body["content"] = {"multiImage": {"images": shown}}
    return body


def freeze(frozen: FrozenPost | FrozenRemoval) -> bytes:
    """The bytes to be kept of a request."""
    value: dict[str, Any] = (
        {"remove": frozen.urn}
        if isinstance(frozen, FrozenRemoval)
        else {"newest": frozen.newest, "at": frozen.at.isoformat(), "body": frozen.body}
    )
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def read_frozen(request: bytes) -> FrozenPost | FrozenRemoval:
    """From what :func:`freeze` made."""
    value = json.loads(request)
    if "remove" in value:
        return FrozenRemoval(value["remove"])
    return FrozenPost(value["newest"], datetime.fromisoformat(value["at"]), value["body"])


def read_post(value: Any) -> Post | None:
    """A post from LinkedIn's JSON; ``None`` for one that is not published, or no longer. Raises
    :class:`NotAPost`.
    """
    if not isinstance(value, dict) or find_number(value.get("id")) is None:
        raise NotAPost
    if value.get("lifecycleState") in _GONE:
        return None
    at = value.get("publishedAt") or value.get("createdAt")
    return Post(
        urn=value["id"],
        text=little.read(str(value.get("commentary") or "")),
        at=datetime.fromtimestamp(at / 1000, UTC) if isinstance(at, int) else None,
        alts=tuple(str(one.get("altText") or "") for one in _find_images(value.get("content"))),
    )


def find_number(urn: Any) -> int | None:
    """The number in a post's URN: ids grow with time, whichever kind of post it is."""
    found = _URN.fullmatch(urn) if isinstance(urn, str) else None
    return int(found[1]) if found else None


def is_newer(urn: str, newest: int) -> bool:
    """Whether the post ``urn`` was made after the one of number ``newest``."""
    number = find_number(urn)
    return number is not None and number > newest


def is_frozen(post: Post, frozen: FrozenPost) -> bool:
    """Whether ``post`` is what was frozen."""
    return (
        is_newer(post.urn, frozen.newest)
        and len(post.alts) == len(_find_images(frozen.body.get("content")))
        and _has_words(post.text, frozen.text)
    )


def _has_words(shown: str, wanted: str) -> bool:
    # LinkedIn may put short addresses of its own in the place of long ones.
    if "lnkd.in/" in shown:
        shown, wanted = (_ADDRESS.sub("lnkd.in", text) for text in (shown, wanted))
    return _find_words(shown) == _find_words(wanted)


def _find_words(text: str) -> list[str]:
    return unicodedata.normalize("NFC", text).split()


def _find_images(content: Any) -> list[dict[str, Any]]:
    if not isinstance(content, dict):
        return []
    many = content.get("multiImage")
    images = many.get("images") if isinstance(many, dict) else [content.get("media")]
    return [one for one in images if isinstance(one, dict)] if isinstance(images, list) else []
