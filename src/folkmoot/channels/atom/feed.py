"""Entries as an Atom document (RFC 4287) that any reader takes and nothing hostile can use.

An entry that answers another says so (``thr:in-reply-to``, RFC 4685), with a plain link for readers
that do not know of it. One that was taken down leaves a tombstone (``at:deleted-entry``, RFC 6721):
a reader that kept the entry learns that it is gone, when and why.

What was written is text: :mod:`.shown` makes HTML of it, which is escaped here as XML.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from folkmoot.channels.atom.shown import clean, entry_html, entry_title
from folkmoot.channels.entries import Entry, Removal
from folkmoot.channels.links import find_hashtags

_ATOM = "http://www.w3.org/2005/Atom"
_THREAD = "http://purl.org/syndication/thread/1.0"
_TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"


@dataclass(frozen=True, slots=True)
class FeedInfo:
    """A feed's own facts. ``feed_id`` (a ``tag:`` URI) never changes; ``started_at`` is the time
    an empty feed was last updated; addresses are absolute; ``language`` is a BCP 47 tag.
    """

    feed_id: str
    title: str
    feed_url: str
    home_url: str
    author: str
    started_at: datetime
    subtitle: str = ""
    language: str = "en"


def render_feed(
    feed: FeedInfo, entries: Iterable[Entry], removals: Iterable[Removal] = ()
) -> bytes:
    """The feed as an XML document in UTF-8, its entries in the order given, then the tombstones.

    The same arguments give the same bytes. Raises :class:`ValueError` where ``started_at`` has no
    time zone.
    """
    if feed.started_at.tzinfo is None:
        raise ValueError("started_at has no time zone")
    shown, gone = tuple(entries), tuple(removals)
    root = ET.Element(
        "feed",
        {
            "xmlns": _ATOM,
            "xmlns:thr": _THREAD,
            "xmlns:at": _TOMBSTONES,
            "xml:lang": feed.language,
        },
    )
    _text(root, "id", feed.feed_id)
    _text(root, "title", feed.title)
    if feed.subtitle:
        _text(root, "subtitle", feed.subtitle)
    times = [entry.at for entry in shown] + [removal.at for removal in gone]
    _text(root, "updated", _time(max(times, default=feed.started_at)))
    _link(root, rel="self", href=feed.feed_url, type="application/atom+xml")
    _link(root, rel="alternate", href=feed.home_url, type="text/html")
    _text(ET.SubElement(root, "author"), "name", feed.author)
    _text(root, "generator", "Folkmoot")
    for entry in shown:
        _add_entry(root, entry)
    for removal in gone:
        tombstone = ET.SubElement(
            root, "at:deleted-entry", {"ref": clean(removal.entry_id), "when": _time(removal.at)}
        )
        if removal.reason:
            _text(tombstone, "at:comment", removal.reason)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _add_entry(root: ET.Element, entry: Entry) -> None:
    element = ET.SubElement(root, "entry", {"xml:lang": entry.language})
    _text(element, "id", entry.entry_id)
    _text(element, "title", entry_title(entry))
    _text(element, "published", _time(entry.at))
    _text(element, "updated", _time(entry.at))
    _link(element, rel="alternate", href=entry.url, type="text/html")
    if entry.replying_to:
        answered = {"ref": clean(entry.replying_to)}
        if entry.replying_to_url:
            answered |= {"href": clean(entry.replying_to_url), "type": "text/html"}
            _link(element, rel="related", href=entry.replying_to_url, type="text/html")
        ET.SubElement(element, "thr:in-reply-to", answered)
    tags = [found.tag for part in entry.parts for found in find_hashtags(part.text)]
    for tag in dict.fromkeys(tags):
        ET.SubElement(element, "category", {"term": clean(tag)})
    for part in entry.parts:
        for picture in part.pictures:
            _link(
                element,
                rel="enclosure",
                href=picture.url,
                type=picture.media_type,
                length=str(picture.size_bytes),
                title=picture.alt,
            )
    _text(element, "content", entry_html(entry)).set("type", "html")


def _text(parent: ET.Element, name: str, text: str) -> ET.Element:
    element = ET.SubElement(parent, name)
    element.text = clean(text)
    return element


def _link(parent: ET.Element, **attributes: str) -> None:
    ET.SubElement(parent, "link", {name: clean(value) for name, value in attributes.items()})


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
