"""What is frozen: the statuses of a post, or the ids of one that is to be taken down, as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from folkmoot.channels.port import Rendition, Sent


@dataclass(frozen=True, slots=True)
class FrozenPart:
    """One status: what is sent, and its idempotency key."""

    key: str
    status: str
    media_ids: tuple[str, ...]
    language: str

    def to_body(self, parent: str) -> dict[str, Any]:
        """The body of the request that publishes it as an answer to ``parent``, or to nothing."""
        body: dict[str, Any] = {
            "status": self.status,
            "visibility": "public",
            "language": self.language,
            # Said even though it is the default: an account can have another default.
            "sensitive": False,
        }
        if self.media_ids:
            body["media_ids"] = list(self.media_ids)
        if parent:
            body["in_reply_to_id"] = parent
        return body


@dataclass(frozen=True, slots=True)
class FrozenPost:
    """A post in one part or several.

    ``after_id`` is the newest status that the account had when this was prepared, and ``count``
    how many it had: ours is newer, whatever a clock says.
    """

    account_id: str
    after_id: str
    count: int
    replying_to: str
    parts: tuple[FrozenPart, ...]

    def to_bytes(self) -> bytes:
        """The same bytes for the same post."""
        return _dump(asdict(self))


@dataclass(frozen=True, slots=True)
class FrozenRemoval:
    """Statuses to be deleted, in the order in which they were posted."""

    ids: tuple[str, ...]
    url: str

    def to_bytes(self) -> bytes:
        """The same bytes for the same removal."""
        return _dump({"remove": list(self.ids), "url": self.url})

    def to_sent(self) -> Sent:
        """What was removed."""
        return Sent(self.ids[0], self.url, self.ids)


def freeze_parts(
    rendition: Rendition, media_ids: Sequence[Sequence[str]], key: str
) -> tuple[FrozenPart, ...]:
    """The parts of ``rendition``, with the ids its pictures were given, part by part.

    Mastodon takes a language without a region (ISO 639, of one "en-GB" the "en").
    """
    language = rendition.language.partition("-")[0].lower()
    return tuple(
        FrozenPart(f"{key}-{number}", part.text, tuple(ids), language)
        for number, (part, ids) in enumerate(zip(rendition.parts, media_ids, strict=True))
    )


def read_frozen(request: bytes) -> FrozenPost | FrozenRemoval:
    """What was frozen as ``request``. Raises :class:`ValueError` for anything of others."""
    try:
        kept = json.loads(request)
        if "remove" in kept:
            return FrozenRemoval(tuple(kept["remove"]), kept["url"])
        parts = tuple(
            FrozenPart(**{**part, "media_ids": tuple(part["media_ids"])}) for part in kept["parts"]
        )
        return FrozenPost(**{**kept, "parts": parts})
    except (TypeError, KeyError) as wrong:
        raise ValueError("this was not frozen for Mastodon") from wrong


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
