"""The body's own feed: every post as an Atom entry (RFC 4287), which no other company can close.

:class:`Atom` is the adapter, over a :class:`~folkmoot.channels.shelf.Shelf`; :func:`render_feed`
makes the document that is served.
"""

from folkmoot.channels.atom.adapter import Atom, tag_uri
from folkmoot.channels.atom.feed import FeedInfo, list_entries, render_feed

__all__ = ["Atom", "FeedInfo", "list_entries", "render_feed", "tag_uri"]
