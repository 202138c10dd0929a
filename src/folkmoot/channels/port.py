"""The port every channel is reached through, and the values that cross it.

An adapter says what its channel takes (:class:`Capabilities`), turns a rendition into frozen
request bytes (``prepare``: everything that can be undone or repeated), sends them once (``send``),
finds out what became of a send nobody answered (``look_up``) and reads back what is live
(``read_back``).

Three outcomes of a send, never two: *sent*, *refused*, *unconfirmed*. An adapter answers
:class:`Unconfirmed` for anything that is not a clear answer: a time-out, a 500, rubbish.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it will be sent. ``read`` gives exactly the bytes whose SHA-256 is ``sha256``
    (lower-case hexadecimal); ``alt`` is the text that stands in for it.
    """

    sha256: str
    media_type: str
    size_bytes: int
    width: int
    height: int
    alt: str
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Part:
    """One post of a thread; a rendition with one part is a single post."""

    text: str
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Rendition:
    """A post in the form one channel will be given. ``language`` is a BCP 47 tag."""

    parts: tuple[Part, ...]
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel takes, in that channel's own units.

    ``text_graphemes`` and ``text_bytes`` (UTF-8) limit one part; ``None`` means no limit of that
    kind. ``picture_bytes`` limits one picture's file.
    """

    channel: str
    title: str
    text_graphemes: int | None
    text_bytes: int | None
    pictures: int
    picture_bytes: int
    picture_types: frozenset[str]
    parts: int
    """How many parts a thread may have; 1 where the channel has no threads."""
    alt_graphemes: int | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a rendition cannot go out on a channel as it stands, as a sentence that says what to do.

    ``place`` is ``text`` or ``picture``; ``part`` counts from 0.
    """

    place: str
    part: int
    message: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A frozen request. ``request`` holds the exact bytes that will be sent, and nothing secret;
    ``key`` is the idempotency key, the same for every attempt at the same delivery.
    """

    key: str
    request: bytes


@dataclass(frozen=True, slots=True)
class NotPrepared:
    """Preparing failed; nothing was published. ``retry`` says whether trying again may help by
    itself (the server was down) or a person must act (the password is wrong).
    """

    reason: str
    retry: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """The channel clearly said yes. ``remote_id`` is the channel's own name for the post and
    ``url`` where a person can see it. ``remote_ids`` has one id per part, in order.
    """

    remote_id: str
    url: str
    remote_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The channel clearly said no, and nothing is live. ``reason`` is a sentence for a person."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """Nobody knows whether it is live. Must be looked up; never blindly sent again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Absent:
    """Looked up, and proven not to be there: it may be sent again with the same key and bytes."""


@dataclass(frozen=True, slots=True)
class Different:
    """Looked up, and something else stands under the key: a person must look."""

    reason: str


@dataclass(frozen=True, slots=True)
class Live:
    """What is live, as the channel shows it: per part the text and, per picture, the alt text and
    the SHA-256 of the bytes (``None`` where the channel does not give the original bytes back).
    """

    texts: tuple[str, ...]
    alts: tuple[tuple[str, ...], ...]
    picture_sha256s: tuple[tuple[str | None, ...], ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """It could not be read back just now. Says nothing about whether it is live."""

    reason: str


class Adapter(Protocol):
    """One account on one channel. May be used from one thread at a time.

    No method raises for anything the channel or the network does; each has its value for that.
    What is raised is a fault in our own code.
    """

    def capabilities(self) -> Capabilities:
        """What the channel takes. Pure: no network."""
        ...

    def prepare(self, rendition: Rendition, *, key: str, at: datetime) -> Prepared | NotPrepared:
        """Do all that can be undone or repeated, and freeze the request.

        ``key`` comes from :meth:`make_key`; ``at`` (aware) becomes the post's own time where the
        channel has one. May sign in and upload pictures. The result is a pure function of its
        arguments and of what the channel answered to uploads: preparing twice and sending once
        leaves one post.
        """
        ...

    def make_key(self, delivery_id: str, due_at: datetime) -> str:
        """The idempotency key for a delivery, in the form the channel wants. Pure, and the same
        for the same arguments for ever.
        """
        ...

    def send(self, prepared: Prepared) -> Sent | Refused | Unconfirmed:
        """Send the frozen bytes once. Never retries by itself."""
        ...

    def look_up(self, prepared: Prepared) -> Sent | Absent | Different | Unconfirmed:
        """Find out what became of ``prepared``: live as frozen, proven absent, something else
        under its key, or still unknown. Reads only.
        """
        ...

    def read_back(self, sent: Sent) -> Live | Absent | Unreadable:
        """Read what is live, to be held against what was signed. Reads only."""
        ...

    def diagnose(self) -> str | None:
        """Ask the channel whether this account can post: ``None`` if so, else a sentence that
        says what is wrong and what to do.
        """
        ...
