"""The same entries as RSS 2.0, for readers that know nothing newer.

After the RSS 2.0 specification (RSS Advisory Board), with its advice: one enclosure an item, a
``guid`` that is no address, and the feed's own address as an Atom link. RSS has no tombstones: what
was taken down is left out. An answer begins with a link to what it answers.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape

from folkmoot.channels.atom.feed import FeedInfo
from folkmoot.channels.atom.shown import clean, entry_html, entry_title
from folkmoot.channels.entries import Entry
from folkmoot.channels.links import find_hashtags

_ATOM = "http://www.w3.org/2005/Atom"
_DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"


def render_rss(feed: FeedInfo, entries: Iterable[Entry]) -> bytes:
    """The feed as an RSS document in UTF-8, its items in the order given.

    ``feed.feed_url`` is the address of this document, not of the Atom one. The same arguments give
    the same bytes. Raises :class:`ValueError` where ``started_at`` has no time zone.
    """
    if feed.started_at.tzinfo is None:
        raise ValueError("started_at has no time zone")
    shown = tuple(entries)
    root = ET.Element("rss", {"version": "2.0", "xmlns:atom": _ATOM, "xmlns:dc": _DUBLIN_CORE})
    channel = ET.SubElement(root, "channel")
    _text(channel, "title", feed.title)
    _text(channel, "link", feed.home_url)
    _text(channel, "description", feed.subtitle or feed.title)
    _text(channel, "language", feed.language)
    _text(
        channel,
        "lastBuildDate",
        _time(max((entry.at for entry in shown), default=feed.started_at)),
    )
    _text(channel, "generator", "Folkmoot")
    ET.SubElement(
        channel,
        "atom:link",
        {"rel": "self", "href": clean(feed.feed_url), "type": "application/rss+xml"},
    )
    for entry in shown:
        _add_item(channel, entry, feed.author)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _add_item(channel: ET.Element, entry: Entry, author: str) -> None:
    item = ET.SubElement(channel, "item")
    _text(item, "title", entry_title(entry))
    _text(item, "link", entry.url)
    _text(item, "guid", entry.entry_id).set("isPermaLink", "false")
    _text(item, "pubDate", _time(entry.at))
    _text(item, "dc:creator", author)
    _text(item, "dc:language", entry.language)
    tags = [found.tag for part in entry.parts for found in find_hashtags(part.text)]
    for tag in dict.fromkeys(tags):
        _text(item, "category", tag)
    picture = next((one for part in entry.parts for one in part.pictures), None)
    if picture is not None:
        ET.SubElement(
            item,
            "enclosure",
            {
                "url": clean(picture.url),
                "type": clean(picture.media_type),
                "length": str(picture.size_bytes),
            },
        )
    description = entry_html(entry)
    if entry.replying_to_url:
        address = escape(entry.replying_to_url)
        description = (
            f'<p>\N{LEFTWARDS ARROW WITH HOOK} <a href="{address}">{address}</a></p>\n{description}'
        )
    _text(item, "description", description)


def _text(parent: ET.Element, name: str, text: str) -> ET.Element:
    element = ET.SubElement(parent, name)
    element.text = clean(text)
    return element


def _time(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC), usegmt=True)
