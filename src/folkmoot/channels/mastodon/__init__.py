"""Mastodon, and servers that speak as it does: posts by key and, because not every server honours
the key, by reading back.

:class:`Mastodon` is the adapter, ``KIND`` how an account is connected.
"""

from folkmoot.channels.mastodon.adapter import Mastodon
from folkmoot.channels.mastodon.kind import KIND

__all__ = ["KIND", "Mastodon"]
