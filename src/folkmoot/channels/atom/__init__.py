"""The body's own feed: every post as an Atom entry (RFC 4287), which no other company can close.

:class:`Atom` is the adapter, over a :class:`~folkmoot.channels.shelf.Shelf`; :func:`render_feed`
and :func:`render_rss` make the documents that are served.
"""

from folkmoot.channels.atom.adapter import Atom, tag_uri
from folkmoot.channels.atom.feed import FeedInfo, render_feed
from folkmoot.channels.atom.rss import render_rss
from folkmoot.channels.entries import list_entries, list_removals

__all__ = [
    "Atom",
    "FeedInfo",
    "list_entries",
    "list_removals",
    "render_feed",
    "render_rss",
    "tag_uri",
]
