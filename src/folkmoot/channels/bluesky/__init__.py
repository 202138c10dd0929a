"""Bluesky (and any server of the AT Protocol): posts under keys of our own, so each goes out once.

:class:`Bluesky` is the adapter. It speaks the protocol's HTTP calls itself, because the exact bytes
of a request must be known, and their content id computed, before anything is sent.
"""

from folkmoot.channels.bluesky.adapter import Bluesky
from folkmoot.channels.bluesky.kind import KIND
from folkmoot.channels.bluesky.sessions import Session

__all__ = ["KIND", "Bluesky", "Session"]
