"""A rendition as one record on a shelf: the frozen form the channels of our own share.

The record is JSON, the same bytes for the same rendition, key and time. It holds the pictures'
addresses and the post's own, as they were when it was prepared, so that nothing published moves
when a setting does.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from folkmoot.channels.limits import find_problems
from folkmoot.channels.pictures import read_signed
from folkmoot.channels.port import (
    Absent,
    Capabilities,
    Different,
    Live,
    NotPrepared,
    Prepared,
    Rendition,
    Sent,
    Unconfirmed,
    Unreadable,
)
from folkmoot.channels.shelf import Shelf, ShelfError

KEY = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{24}")
_WEB = re.compile(r"https?://[!-~]+")

PictureUrl = Callable[[str, str], str]
"""From a picture's SHA-256 and media type to the address where it can be seen."""


@dataclass(frozen=True, slots=True)
class EntryPicture:
    """A picture of an entry, by its digest and the address where it can be seen."""

    sha256: str
    media_type: str
    size_bytes: int
    width: int
    height: int
    alt: str
    url: str


@dataclass(frozen=True, slots=True)
class EntryPart:
    """One part of an entry."""

    text: str
    pictures: tuple[EntryPicture, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """What was published under ``key``. ``entry_id`` names it for ever; ``url`` shows it."""

    key: str
    entry_id: str
    url: str
    at: datetime
    language: str
    parts: tuple[EntryPart, ...]


class EntryError(Exception):
    """A record that is not one of ours, or was damaged."""


def make_key(delivery_id: str, due_at: datetime) -> str:
    """A key that sorts by time and says nothing of the delivery: ``20261120T090000Z-5f2c…``.

    Raises :class:`ValueError` where ``due_at`` has no time zone.
    """
    if due_at.tzinfo is None:
        raise ValueError("due_at has no time zone")
    digest = hashlib.sha256(delivery_id.encode()).hexdigest()[:24]
    return f"{due_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{digest}"


def prepare(
    capabilities: Capabilities,
    rendition: Rendition,
    *,
    key: str,
    at: datetime,
    name: Callable[[str], tuple[str, str]],
    picture_url: PictureUrl,
) -> Prepared | NotPrepared:
    """Freeze ``rendition`` as a record. ``name`` gives the id and the address of a key.

    Raises :class:`ValueError` where ``key`` is not from :func:`make_key`, ``at`` has no time zone,
    or an address is not a web address.
    """
    if not KEY.fullmatch(key) or at.tzinfo is None:
        raise ValueError("the key is not of this channel, or the time has no zone")
    if problems := find_problems(capabilities, rendition):
        return NotPrepared(" ".join(problem.message for problem in problems), retry=False)
    parts = []
    for part in rendition.parts:
        pictures = []
        for picture in part.pictures:
            content = read_signed(picture)
            if isinstance(content, NotPrepared):
                return content
            pictures.append(
                EntryPicture(
                    sha256=picture.sha256,
                    media_type=picture.media_type,
                    size_bytes=len(content),
                    width=picture.width,
                    height=picture.height,
                    alt=picture.alt,
                    url=_web(picture_url(picture.sha256, picture.media_type)),
                )
            )
        parts.append(EntryPart(part.text, tuple(pictures)))
    entry_id, url = name(key)
    entry = Entry(key, entry_id, _web(url), at.astimezone(UTC), rendition.language, tuple(parts))
    return Prepared(key, write_entry(entry))


def write_entry(entry: Entry) -> bytes:
    """The record of ``entry``: JSON in UTF-8, its names in order, nothing between them."""
    value = {**asdict(entry), "at": entry.at.isoformat()}
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def read_entry(record: bytes) -> Entry:
    """The entry in ``record``. Raises :class:`EntryError` where it holds none."""
    try:
        value: dict[str, Any] = json.loads(record)
        at = datetime.fromisoformat(value.pop("at"))
        parts = tuple(
            EntryPart(part["text"], tuple(EntryPicture(**one) for one in part["pictures"]))
            for part in value.pop("parts")
        )
        entry = Entry(at=at, parts=parts, **value)
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        raise EntryError("This record is not a post of ours, or is damaged.") from fault
    if at.tzinfo is None or not parts:
        raise EntryError("This record has no time zone or no text: it is damaged.")
    return entry


def put(shelf: Shelf, prepared: Prepared) -> Sent | Unconfirmed:
    """Put a record on the shelf, once."""
    entry = read_entry(prepared.request)
    try:
        if shelf.put_if_absent(prepared.key, prepared.request, published_at=entry.at):
            return as_sent(entry)
    except ShelfError as fault:
        return Unconfirmed(str(fault))
    found = look_up(shelf, prepared)
    if isinstance(found, Sent):
        return found
    return Unconfirmed("Something else may stand under this post's key. Look it up.")


def look_up(shelf: Shelf, prepared: Prepared) -> Sent | Absent | Different | Unconfirmed:
    """What stands on the shelf under the key of ``prepared``."""
    try:
        found = shelf.find(prepared.key)
    except ShelfError as fault:
        return Unconfirmed(str(fault))
    if found is None:
        return Absent()
    if found.record != prepared.request:
        return Different(
            "Another post stands under this one's key. Compare the two before doing anything."
        )
    return as_sent(read_entry(prepared.request))


def read_back(shelf: Shelf, sent: Sent) -> Live | Absent | Unreadable:
    """What is on the shelf for ``sent``, whose ``remote_id`` ends in its key."""
    try:
        found = shelf.find(sent.remote_id.rpartition(":")[2])
        if found is None:
            return Absent()
        entry = read_entry(found.record)
    except (ShelfError, EntryError) as fault:
        return Unreadable(str(fault))
    return Live(
        texts=tuple(part.text for part in entry.parts),
        alts=tuple(tuple(one.alt for one in part.pictures) for part in entry.parts),
        picture_sha256s=tuple(tuple(one.sha256 for one in part.pictures) for part in entry.parts),
    )


def as_sent(entry: Entry) -> Sent:
    """The receipt of an entry that is on the shelf: one name and address for all its parts."""
    return Sent(entry.entry_id, entry.url, (entry.entry_id,) * len(entry.parts))


def _web(address: str) -> str:
    if not _WEB.fullmatch(address):
        raise ValueError(f"{address!r} is not a web address")
    return address
