"""Entries as an Atom document (RFC 4287) that any reader takes and nothing hostile can use.

What was written is text. It is escaped as HTML and the HTML is escaped as XML, so markup in a post
is shown, never obeyed; the only elements are those made here. Codes XML cannot carry are kept out
when a post is prepared; a record that holds one all the same shows U+FFFD in its place.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from folkmoot.channels.entries import Entry, EntryPart, EntryPicture, read_entry
from folkmoot.channels.limits import UNSENDABLE
from folkmoot.channels.links import find_hashtags, find_links
from folkmoot.channels.shelf import Shelf

_ATOM = "http://www.w3.org/2005/Atom"
_SENTENCE = re.compile(r".+?[.!?…](?=\s|$)")
_TITLE_GRAPHEMES = 120


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


def list_entries(shelf: Shelf, limit: int = 50) -> tuple[Entry, ...]:
    """The newest entries on a shelf, newest first.

    Raises :class:`~folkmoot.channels.shelf.ShelfError` where it cannot be read, and
    :class:`~folkmoot.channels.entries.EntryError` where a record is damaged: a feed does not leave
    out in silence what it cannot read.
    """
    return tuple(read_entry(shelved.record) for shelved in shelf.list_newest(limit))


def render_feed(feed: FeedInfo, entries: Iterable[Entry]) -> bytes:
    """The feed as an XML document in UTF-8, its entries in the order given.

    The same arguments give the same bytes. Raises :class:`ValueError` where ``started_at`` has no
    time zone.
    """
    if feed.started_at.tzinfo is None:
        raise ValueError("started_at has no time zone")
    shown = tuple(entries)
    root = ET.Element("feed", {"xmlns": _ATOM, "xml:lang": feed.language})
    _text(root, "id", feed.feed_id)
    _text(root, "title", feed.title)
    if feed.subtitle:
        _text(root, "subtitle", feed.subtitle)
    _text(root, "updated", _time(max((entry.at for entry in shown), default=feed.started_at)))
    _link(root, rel="self", href=feed.feed_url, type="application/atom+xml")
    _link(root, rel="alternate", href=feed.home_url, type="text/html")
    _text(ET.SubElement(root, "author"), "name", feed.author)
    _text(root, "generator", "Folkmoot")
    for entry in shown:
        _add_entry(root, entry)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _add_entry(root: ET.Element, entry: Entry) -> None:
    element = ET.SubElement(root, "entry", {"xml:lang": entry.language})
    _text(element, "id", entry.entry_id)
    _text(element, "title", _title(entry))
    _text(element, "published", _time(entry.at))
    _text(element, "updated", _time(entry.at))
    _link(element, rel="alternate", href=entry.url, type="text/html")
    tags = [found.tag for part in entry.parts for found in find_hashtags(part.text)]
    for tag in dict.fromkeys(tags):
        ET.SubElement(element, "category", {"term": _clean(tag)})
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
    content = "\n".join(_part_html(part) for part in entry.parts)
    _text(element, "content", content).set("type", "html")


def _title(entry: Entry) -> str:
    import regex

    texts = [part.text for part in entry.parts]
    alts = [picture.alt for part in entry.parts for picture in part.pictures]
    line = next(
        (
            " ".join(line.split())
            for text in [*texts, *alts]
            for line in text.splitlines()
            if line.strip()
        ),
        "",
    )
    sentence = _SENTENCE.match(line)
    title = sentence[0] if sentence else line
    graphemes = regex.findall(r"\X", title)
    if len(graphemes) <= _TITLE_GRAPHEMES:
        return title
    return "".join(graphemes[: _TITLE_GRAPHEMES - 1]).rstrip() + "…"


def _part_html(part: EntryPart) -> str:
    paragraphs = re.split(r"\n[ \t]*\n\s*", part.text.replace("\r\n", "\n").strip())
    shown = [f"<p>{_inline(paragraph)}</p>" for paragraph in paragraphs if paragraph]
    return "\n".join(shown + [_picture_html(picture) for picture in part.pictures])


def _inline(paragraph: str) -> str:
    pieces = []
    done = 0
    for link in find_links(paragraph):
        pieces.append(escape(paragraph[done : link.start]))
        shown = escape(paragraph[link.start : link.end])
        pieces.append(f'<a href="{escape(link.url)}">{shown}</a>')
        done = link.end
    pieces.append(escape(paragraph[done:]))
    return "".join(pieces).replace("\n", "<br>\n")


def _picture_html(picture: EntryPicture) -> str:
    return (
        f'<p><img src="{escape(picture.url)}" alt="{escape(picture.alt)}"'
        f' width="{picture.width}" height="{picture.height}"></p>'
    )


def _text(parent: ET.Element, name: str, text: str) -> ET.Element:
    element = ET.SubElement(parent, name)
    element.text = _clean(text)
    return element


def _link(parent: ET.Element, **attributes: str) -> None:
    ET.SubElement(parent, "link", {name: _clean(value) for name, value in attributes.items()})


def _clean(text: str) -> str:
    return UNSENDABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
