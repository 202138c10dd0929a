"""The documents that are posted: JSON, the same bytes for the same post.

A post::

    {"type": "post", "id": KEY, "at": TIME, "language": "en", "replying_to": ID or null,
     "parts": [{"text": TEXT, "pictures": [{"sha256": HEX, "media_type": TYPE, "width": PIXELS,
                "height": PIXELS, "alt": TEXT, "url": where to fetch it}]}]}

A removal::

    {"type": "removal", "id": KEY, "at": TIME, "removes": the post's id, "parts": how many it
     has, "reason": TEXT, "url": the post's address}
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from folkmoot.channels.port import Live, Rendition, Sent


def write_post(
    rendition: Rendition, *, key: str, at: datetime, picture_url: Callable[[str, str], str]
) -> bytes:
    """The document of a post."""
    parts = [
        {
            "text": part.text,
            "pictures": [
                {
                    "sha256": picture.sha256,
                    "media_type": picture.media_type,
                    "width": picture.width,
                    "height": picture.height,
                    "alt": picture.alt,
                    "url": picture_url(picture.sha256, picture.media_type),
                }
                for picture in part.pictures
            ],
        }
        for part in rendition.parts
    ]
    return _write(
        {
            "type": "post",
            "id": key,
            "at": _time(at),
            "language": rendition.language,
            "replying_to": rendition.replying_to or None,
            "parts": parts,
        }
    )


def write_removal(sent: Sent, *, key: str, at: datetime, reason: str) -> bytes:
    """The document that asks for a post to be taken down."""
    return _write(
        {
            "type": "removal",
            "id": key,
            "at": _time(at),
            "removes": sent.remote_id,
            "parts": len(sent.remote_ids),
            "reason": reason,
            "url": sent.url,
        }
    )


def name(request: bytes, url: str) -> Sent:
    """What a document publishes, at ``url``, or what it takes down."""
    document = json.loads(request)
    if document["type"] == "removal":
        post_id = document["removes"]
        return Sent(post_id, document["url"], _name_parts(post_id, document["parts"]))
    post_id = document["id"]
    return Sent(post_id, url, _name_parts(post_id, len(document["parts"])))


def digest(request: bytes) -> str:
    """The SHA-256 of a document's bytes, in lower-case hexadecimal."""
    return hashlib.sha256(request).hexdigest()


def read_live(parts: Any) -> Live | None:
    """What a receiver shows of a post, from the ``parts`` in its answer; ``None`` where it does not
    show it in the form of a document.
    """
    try:
        pictures = [part.get("pictures", []) for part in parts]
        return Live(
            texts=tuple(_text(part["text"]) for part in parts),
            alts=tuple(tuple(_find_text(one.get("alt")) for one in many) for many in pictures),
            picture_sha256s=tuple(
                tuple(_find_text(one.get("sha256")) for one in many) for many in pictures
            ),
        )
    except (KeyError, TypeError, AttributeError):
        return None


def _name_parts(post_id: str, count: int) -> tuple[str, ...]:
    return (post_id, *(f"{post_id}#{number}" for number in range(2, count + 1)))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("this is not text")
    return value


def _find_text(value: Any) -> str | None:
    return None if value is None else _text(value)


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _write(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
