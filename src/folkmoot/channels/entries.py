"""A rendition as one record on a shelf: the frozen form the channels of our own share.

The record is JSON, the same bytes for the same rendition, key and time. It holds the pictures'
addresses and the post's own, as they were when it was prepared, so that nothing published moves
when a setting does. A record on a shelf never changes: what takes an entry down is a second record,
a tombstone, under the entry's own key with an ending.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
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
    Refused,
    Rendition,
    Seen,
    Sent,
    Unconfirmed,
    Unreadable,
    Uploaded,
)
from folkmoot.channels.shelf import Shelf, ShelfError, Shelved

KEY = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{24}")
_REMOVED = "-removed"
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
    """What was published under ``key``. ``entry_id`` names it for ever; ``url`` shows it.

    ``replying_to`` is the id of the entry that it answers, and ``replying_to_url`` where that is
    shown, where it is one of the same channel; both are empty for none.
    """

    key: str
    entry_id: str
    url: str
    at: datetime
    language: str
    parts: tuple[EntryPart, ...]
    replying_to: str = ""
    replying_to_url: str = ""


@dataclass(frozen=True, slots=True)
class Removal:
    """The entry ``entry_id``, shown at ``url`` and made of ``parts``, was taken down.

    ``entry_key`` is the key it was published under; ``key`` that of the removal; ``reason`` is a
    sentence for the public.
    """

    key: str
    entry_key: str
    entry_id: str
    url: str
    parts: int
    at: datetime
    reason: str


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


def check(capabilities: Capabilities, rendition: Rendition) -> Uploaded | NotPrepared:
    """Whether ``rendition`` keeps the limits and its pictures are the ones that were signed."""
    if problems := find_problems(capabilities, rendition):
        return NotPrepared(" ".join(problem.message for problem in problems), retry=False)
    for part in rendition.parts:
        for picture in part.pictures:
            content = read_signed(picture)
            if isinstance(content, NotPrepared):
                return content
    return Uploaded()


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
    _must_be_ours(key, at)
    checked = check(capabilities, rendition)
    if isinstance(checked, NotPrepared):
        return checked
    parts = tuple(
        EntryPart(
            part.text,
            tuple(
                EntryPicture(
                    sha256=picture.sha256,
                    media_type=picture.media_type,
                    size_bytes=picture.size_bytes,
                    width=picture.width,
                    height=picture.height,
                    alt=picture.alt,
                    url=_web(picture_url(picture.sha256, picture.media_type)),
                )
                for picture in part.pictures
            ),
        )
        for part in rendition.parts
    )
    entry_id, url = name(key)
    answered = rendition.replying_to
    answered_key = answered.rpartition(":")[2]
    ours = KEY.fullmatch(answered_key) is not None and name(answered_key)[0] == answered
    entry = Entry(
        key,
        entry_id,
        _web(url),
        at.astimezone(UTC),
        rendition.language,
        parts,
        answered,
        _web(name(answered_key)[1]) if ours else "",
    )
    return Prepared(key, write_entry(entry))


def prepare_removal(sent: Sent, *, key: str, at: datetime, reason: str) -> Prepared:
    """Freeze a tombstone for the entry of ``sent``.

    Raises :class:`ValueError` where a key is not from :func:`make_key` or ``at`` has no time zone.
    """
    _must_be_ours(key, at)
    entry_key = _key_of(sent.remote_id)
    _must_be_ours(entry_key, at)
    parts = len(sent.remote_ids)
    removal = Removal(
        key, entry_key, sent.remote_id, sent.url, parts, at.astimezone(UTC), reason.strip()
    )
    return Prepared(key, _write({**asdict(removal), "at": removal.at.isoformat()}))


def write_entry(entry: Entry) -> bytes:
    """The record of ``entry``: JSON in UTF-8, its names in order, nothing between them."""
    value = {**asdict(entry), "at": entry.at.isoformat()}
    for name in ("replying_to", "replying_to_url"):
        if not value[name]:
            del value[name]  # as records were before there were answers
    return _write(value)


def read_entry(record: bytes) -> Entry:
    """The entry in ``record``. Raises :class:`EntryError` where it holds none."""
    found = read_record(record)
    if isinstance(found, Removal):
        raise EntryError("This record is not a post of ours: it takes one down.")
    return found


def read_record(record: bytes) -> Entry | Removal:
    """What ``record`` holds. Raises :class:`EntryError` where it is neither."""
    found: Entry | Removal
    try:
        value: dict[str, Any] = json.loads(record)
        at = datetime.fromisoformat(value.pop("at"))
        if "entry_key" in value:
            found = Removal(at=at, **value)
        else:
            parts = tuple(
                EntryPart(part["text"], tuple(EntryPicture(**one) for one in part["pictures"]))
                for part in value.pop("parts")
            )
            found = Entry(at=at, parts=parts, **value)
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        raise EntryError("This record is not a post of ours, or is damaged.") from fault
    if at.tzinfo is None or not found.parts:
        raise EntryError("This record has no time zone or no text: it is damaged.")
    return found


def put(shelf: Shelf, prepared: Prepared) -> Sent | Refused | Unconfirmed:
    """Put a record on the shelf, once. An entry that was removed does not come back."""
    frozen = read_record(prepared.request)
    try:
        if isinstance(frozen, Removal):
            return _put_removal(shelf, prepared, frozen)
        if _is_removed(shelf, frozen.key):
            return Refused("This post was removed, and what was removed does not come back.")
        if shelf.put_if_absent(prepared.key, prepared.request, published_at=frozen.at):
            return as_sent(frozen)
    except ShelfError as fault:
        return Unconfirmed(str(fault))
    found = look_up(shelf, prepared)
    if isinstance(found, Sent):
        return found
    return Unconfirmed("Something else may stand under this post's key. Look it up.")


def look_up(shelf: Shelf, prepared: Prepared) -> Sent | Absent | Different | Unconfirmed:
    """What stands on the shelf under the key of ``prepared``; of a removal, whether it was done,
    by this record or by another.
    """
    frozen = read_record(prepared.request)
    try:
        if isinstance(frozen, Removal):
            return as_removed(frozen) if _is_removed(shelf, frozen.entry_key) else Absent()
        found = shelf.find(prepared.key)
        if found is None or _is_removed(shelf, prepared.key):
            return Absent()
    except ShelfError as fault:
        return Unconfirmed(str(fault))
    if found.record != prepared.request:
        return Different(
            "Another post stands under this one's key. Compare the two before doing anything."
        )
    return as_sent(frozen)


def read_back(shelf: Shelf, sent: Sent) -> Live | Absent | Unreadable:
    """What is on the shelf for ``sent``, whose ``remote_id`` ends in its key."""
    try:
        found = _find_standing(shelf, _key_of(sent.remote_id))
        if found is None:
            return Absent()
        if not found.record:
            return Unreadable("what stood there was erased.")
        entry = read_entry(found.record)
    except (ShelfError, EntryError) as fault:
        return Unreadable(str(fault))
    return Live(
        texts=tuple(part.text for part in entry.parts),
        alts=tuple(tuple(one.alt for one in part.pictures) for part in entry.parts),
        picture_sha256s=tuple(tuple(one.sha256 for one in part.pictures) for part in entry.parts),
    )


def list_recent(shelf: Shelf, limit: int) -> tuple[Seen, ...] | Unreadable:
    """The newest entries as a timeline; a thread is one, its parts a blank line apart."""
    try:
        listed = list_entries(shelf, limit)
    except (ShelfError, EntryError) as fault:
        return Unreadable(str(fault))
    return tuple(
        Seen(entry.entry_id, entry.url, "\n\n".join(part.text for part in entry.parts), entry.at)
        for entry in listed
    )


def find_entry(shelf: Shelf, key: str) -> Entry | None:
    """The entry under ``key``; ``None`` where there is none, or none any more: it was removed, or
    erased.

    Raises :class:`~folkmoot.channels.shelf.ShelfError` and :class:`EntryError`.
    """
    found = _find_standing(shelf, key)
    return read_entry(found.record) if found is not None and found.record else None


def find_removal(shelf: Shelf, key: str) -> Removal | None:
    """What took down the entry that was published under ``key``, or ``None``.

    Raises :class:`~folkmoot.channels.shelf.ShelfError` and :class:`EntryError`.
    """
    found = shelf.find(key + _REMOVED) if KEY.fullmatch(key) else None
    read = read_record(found.record) if found and found.record else None
    return read if isinstance(read, Removal) else None


def list_entries(shelf: Shelf, limit: int = 50) -> tuple[Entry, ...]:
    """The newest entries on a shelf but for those that were removed or erased, newest first.

    Raises :class:`~folkmoot.channels.shelf.ShelfError` where it cannot be read, and
    :class:`EntryError` where a record is damaged: a feed does not leave out in silence what it
    cannot read.
    """
    most = limit
    while True:
        shelved = shelf.list_newest(most)
        found = [read_record(one.record) for one in shelved if one.record]
        # A tombstone is always newer than its entry, so it is among these; its key says whose it
        # is, whatever has become of what it said.
        gone = {one.key.removesuffix(_REMOVED) for one in shelved if one.key.endswith(_REMOVED)}
        entries = [one for one in found if isinstance(one, Entry) and one.key not in gone]
        if len(entries) >= limit or len(shelved) < most:
            return tuple(entries[:limit])
        most *= 2


def list_removals(shelf: Shelf, limit: int = 50) -> tuple[Removal, ...]:
    """The removals among the newest ``limit`` records of a shelf, newest first.

    Raises :class:`~folkmoot.channels.shelf.ShelfError` and :class:`EntryError`.
    """
    found = [read_record(one.record) for one in shelf.list_newest(limit) if one.record]
    return tuple(one for one in found if isinstance(one, Removal))


def as_sent(entry: Entry) -> Sent:
    """The receipt of an entry that is on the shelf: one name and address for all its parts."""
    return Sent(entry.entry_id, entry.url, (entry.entry_id,) * len(entry.parts))


def as_removed(removal: Removal) -> Sent:
    """The receipt of a removal, which names what was removed."""
    return Sent(removal.entry_id, removal.url, (removal.entry_id,) * removal.parts)


def _put_removal(shelf: Shelf, prepared: Prepared, removal: Removal) -> Sent:
    # Under the entry's key, so that an entry is removed once, whoever asks, and is found at once;
    # and later than the entry, whatever the clocks said.
    entry = shelf.find(removal.entry_key)
    at = removal.at
    if entry is not None and at <= entry.published_at:
        at = entry.published_at + timedelta(milliseconds=1)
    shelf.put_if_absent(removal.entry_key + _REMOVED, prepared.request, published_at=at)
    return as_removed(removal)


def _find_standing(shelf: Shelf, key: str) -> Shelved | None:
    """What stands under an entry's key and was not removed."""
    found = shelf.find(key) if KEY.fullmatch(key) else None
    return None if found is None or _is_removed(shelf, key) else found


def _is_removed(shelf: Shelf, key: str) -> bool:
    return shelf.find(key + _REMOVED) is not None


def _key_of(remote_id: str) -> str:
    return remote_id.rpartition(":")[2]


def _must_be_ours(key: str, at: datetime) -> None:
    if not KEY.fullmatch(key) or at.tzinfo is None:
        raise ValueError("the key is not of this channel, or the time has no zone")


def _write(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _web(address: str) -> str:
    if not _WEB.fullmatch(address):
        raise ValueError(f"{address!r} is not a web address")
    return address
