"""The port every channel is reached through, and the values that cross it.

An adapter says what its channel takes (:class:`Capabilities`); hands pictures over ahead of time
(``upload``); turns a rendition into frozen request bytes (``prepare``), all of which can be undone
or repeated; sends them (``send``); finds out what became of a send nobody answered (``look_up``);
reads back what is live (``read_back``); and lists what stands on the account's own timeline
(``list_recent``), so that what we did not sign is noticed.

Outcomes of a send are never two: *sent*, *partly* (one more part of a thread is live), *refused*,
*unconfirmed*. An adapter answers :class:`Unconfirmed` for anything that is not a clear answer: a
time-out, a 500, rubbish, being asked to come again later.
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
    """A post in the form one channel will be given. ``language`` is a BCP 47 tag.

    ``replying_to`` is the channel's own name (``remote_id``) of a live post that this one answers
    or puts right; empty for none. A channel that cannot answer a post takes no notice of it.
    """

    parts: tuple[Part, ...]
    language: str = "en"
    replying_to: str = ""


@dataclass(frozen=True, slots=True)
class Length:
    """A limit on a text, in the channel's own unit: ``most`` of what ``count`` counts.

    ``unit`` is the unit's name in the singular, as in "1 character". ``hint`` is a sentence about
    how to shorten, where "use fewer" would not help.
    """

    unit: str
    most: int
    count: Callable[[str], int]
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many posts an account may make on the channel within any ``seconds``."""

    posts: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel takes, in that channel's own units.

    ``lengths`` are the limits on one part's text, the one a person knows first; empty means none.
    ``picture_bytes`` limits one picture's file. ``least_pictures`` is 1 where the channel takes no
    post without a picture. ``alt`` limits a text alternative.
    """

    channel: str
    title: str
    lengths: tuple[Length, ...]
    pictures: int
    picture_bytes: int
    picture_types: frozenset[str]
    parts: int
    """How many parts a thread may have; 1 where the channel has no threads."""
    alt: Length | None = None
    least_pictures: int = 0
    replies: bool = False
    """Whether a post can answer another."""
    removes: bool = True
    """Whether a post can be taken down again."""
    edits: bool = False
    """Whether the channel lets a live post be changed. We never do; others may."""
    pace: Pace | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a rendition cannot go out on a channel as it stands, as a sentence that says what to do.

    ``place`` is ``text`` or ``picture``; ``part`` counts from 0.
    """

    place: str
    part: int
    message: str


@dataclass(frozen=True, slots=True)
class Uploaded:
    """Everything that can be handed over ahead has been. ``memo`` is text of the adapter's own,
    nothing secret, that :meth:`Adapter.prepare` is given; empty where nothing was to be uploaded.
    """

    memo: str = ""


@dataclass(frozen=True, slots=True)
class NotReady:
    """Pictures were handed over and the channel is still at work on them. Ask again with ``memo``
    after ``after_seconds``, and nothing is handed over twice.
    """

    memo: str
    reason: str
    after_seconds: float = 2.0


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
    itself (the server was down) or a person must act (the password is wrong); ``after_seconds``
    is how long the channel asked us to wait, where it said so.
    """

    reason: str
    retry: bool
    after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """The channel clearly said yes. ``remote_id`` is the channel's own name for the post and
    ``url`` where a person can see it. ``remote_ids`` has one id per part, in order.
    """

    remote_id: str
    url: str
    remote_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Partly:
    """The parts named by ``remote_ids``, in order and from the first, are live and the rest of the
    thread is not. Keep them, look again whether the rest may still go, and send again with them.
    """

    remote_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The channel clearly said no, and nothing of this send is live. ``reason`` is a sentence for
    a person.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """Nobody knows whether it is live. Must be looked up; never blindly sent again.

    ``after_seconds`` is how long the channel asked us to wait, where it did.
    """

    reason: str
    after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """Looked up, and proven not to be there: it may be sent again with the same key and bytes.

    Of a thread sent part by part: the next part is not there.
    """


@dataclass(frozen=True, slots=True)
class Different:
    """Looked up, and something else stands under the key: a person must look."""

    reason: str


@dataclass(frozen=True, slots=True)
class Live:
    """What is live, as the channel shows it: per part the text and, per picture, the alt text and
    the SHA-256 of the bytes (``None`` where the channel does not give the original bytes back, or,
    of an alt text, does not show it).
    """

    texts: tuple[str, ...]
    alts: tuple[tuple[str | None, ...], ...]
    picture_sha256s: tuple[tuple[str | None, ...], ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """It could not be read back just now. Says nothing about whether it is live."""

    reason: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One post on the account's own timeline, whoever made it. A thread is several. ``at`` is the
    channel's own time for it, which may be wrong; ``text`` is as the channel shows it.
    """

    remote_id: str
    url: str
    text: str
    at: datetime


class Adapter(Protocol):
    """One account on one channel. May be used from one thread at a time.

    No method raises for anything the channel or the network does; each has its value for that.
    What is raised is a fault in our own code.
    """

    def capabilities(self) -> Capabilities:
        """What the channel takes. Pure: no network, no secret."""
        ...

    def make_key(self, delivery_id: str, due_at: datetime) -> str:
        """The idempotency key for a delivery, in the form the channel wants. Pure, and the same
        for the same arguments for ever.
        """
        ...

    def upload(self, rendition: Rendition, *, memo: str = "") -> Uploaded | NotReady | NotPrepared:
        """Hand over what can be handed over ahead of time, without anybody seeing it.

        ``memo`` is that of an earlier :class:`NotReady` or :class:`Uploaded` for the same
        rendition, empty the first time: what was handed over then is not handed over again.
        Refuses what breaks the channel's limits, so that this is known before the time comes.
        """
        ...

    def prepare(
        self, rendition: Rendition, *, key: str, at: datetime, memo: str = ""
    ) -> Prepared | NotPrepared:
        """Do what is left of all that can be undone or repeated, and freeze the request.

        ``key`` comes from :meth:`make_key`; ``at`` (aware) becomes the post's own time where the
        channel has one; ``memo`` is that of :class:`Uploaded`. May sign in. The result is a pure
        function of its arguments and of what the channel answered: preparing twice and sending
        once leaves one post.
        """
        ...

    def prepare_removal(
        self, sent: Sent, *, key: str, at: datetime, reason: str
    ) -> Prepared | NotPrepared:
        """Freeze the request that takes a live post down, every part of it.

        ``reason`` is a sentence for the public, used where the channel has a place for one. The
        result is sent and looked up like any other: :class:`Sent`, naming what was removed, once
        it is gone; :class:`Absent` from a look-up means that it is *still there*.
        """
        ...

    def send(
        self, prepared: Prepared, done: tuple[str, ...] = ()
    ) -> Sent | Partly | Refused | Unconfirmed:
        """Make one irreversible request, and never retry by itself.

        ``done`` names the parts of a thread that are live already. A channel that takes a thread
        at once, or that has no threads, never answers :class:`Partly`; one that takes it part by
        part sends the next part alone and answers :class:`Partly` until the last.
        """
        ...

    def look_up(
        self, prepared: Prepared, done: tuple[str, ...] = ()
    ) -> Sent | Partly | Absent | Different | Unconfirmed:
        """Find out what became of ``prepared``: live as frozen, one part further than ``done``,
        proven not to be there, something else under its key, or still unknown. Reads only.
        """
        ...

    def read_back(self, sent: Sent) -> Live | Absent | Unreadable:
        """Read what is live, to be held against what was signed. Reads only."""
        ...

    def list_recent(self, limit: int) -> tuple[Seen, ...] | Unreadable:
        """At most ``limit`` posts of the account's own timeline, newest first. Reads only."""
        ...

    def diagnose(self) -> str | None:
        """Ask the channel whether this account can post: ``None`` if so, else a sentence that
        says what is wrong and what to do.
        """
        ...

    def sign_in_ends_at(self) -> datetime | None:
        """When the sign-in will end unless a person acts; ``None`` where it does not, or where the
        channel does not say. No network.
        """
        ...
