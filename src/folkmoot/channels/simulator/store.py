"""What a simulated channel holds: posts and media, and a clock of its own that may be wrong."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Stored:
    """One post. ``key`` is the idempotency key it came under, or empty; ``extra`` what the channel
    itself keeps beside it.
    """

    id: str
    text: str
    at: datetime
    media: tuple[str, ...] = ()
    reply_to: str = ""
    key: str = ""
    removed_at: datetime | None = None
    edited_at: datetime | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Medium:
    """A file that was handed over. It can be used from ``ready_at`` on."""

    id: str
    media_type: str
    content: bytes = field(repr=False)
    alt: str
    ready_at: datetime
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """The digest of the file, in lower-case hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


class Store:
    """Posts and media of one account. Hold :attr:`lock` over a look and what follows from it.

    Ids are numbers that grow with time, as most channels' do.
    """

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.lock = threading.RLock()
        self._clock = clock
        self._skew = timedelta()
        self._last_id = 0
        self._posts: dict[str, Stored] = {}
        self._media: dict[str, Medium] = {}

    def now(self) -> datetime:
        """The channel's own time."""
        return self._clock() + self._skew

    def set_skew(self, seconds: float) -> None:
        """Set the channel's clock ahead of the true time (behind, if negative)."""
        self._skew = timedelta(seconds=seconds)

    def next_id(self) -> str:
        """A new id, larger than all before it."""
        with self.lock:
            fresh = int(self._clock().timestamp() * 1000) << 8
            self._last_id = max(fresh, self._last_id + 1)
            return str(self._last_id)

    def add_post(self, text: str, **more: Any) -> Stored:
        """Publish a post now. ``more`` are further fields of :class:`Stored`."""
        with self.lock:
            post = Stored(**{"id": self.next_id(), "at": self.now(), "text": text, **more})
            self._posts[post.id] = post
            return post

    def find_post(self, post_id: str) -> Stored | None:
        """The post of this id, if it is live."""
        post = self._posts.get(post_id)
        return post if post is not None and post.removed_at is None else None

    def find_by_key(self, key: str) -> Stored | None:
        """The live post that came under this key."""
        return next((post for post in self.list_newest(10_000) if post.key == key), None)

    def change_post(self, post_id: str, **changes: Any) -> None:
        """Change a post's fields. Raises :class:`KeyError` where there is none."""
        with self.lock:
            self._posts[post_id] = replace(self._posts[post_id], **changes)

    def remove_post(self, post_id: str) -> bool:
        """Take a live post down; whether there was one."""
        with self.lock:
            if self.find_post(post_id) is None:
                return False
            self.change_post(post_id, removed_at=self.now())
            return True

    def list_newest(self, limit: int) -> tuple[Stored, ...]:
        """Live posts, newest first."""
        with self.lock:
            live = [post for post in self._posts.values() if post.removed_at is None]
        return tuple(reversed(live))[:limit]

    def list_all(self) -> tuple[Stored, ...]:
        """Every post there ever was, oldest first, removed ones too: what really happened."""
        with self.lock:
            return tuple(self._posts.values())

    def add_medium(
        self, media_type: str, content: bytes, *, alt: str = "", ready_in_seconds: float = 0.0
    ) -> Medium:
        """Take a file, to be usable in ``ready_in_seconds``."""
        with self.lock:
            ready_at = self.now() + timedelta(seconds=ready_in_seconds)
            medium = Medium(self.next_id(), media_type, content, alt, ready_at)
            self._media[medium.id] = medium
            return medium

    def find_medium(self, medium_id: str) -> Medium | None:
        """The file of this id."""
        return self._media.get(medium_id)

    def change_medium(self, medium_id: str, **changes: Any) -> None:
        """Change a file's fields. Raises :class:`KeyError` where there is none."""
        with self.lock:
            self._media[medium_id] = replace(self._media[medium_id], **changes)
