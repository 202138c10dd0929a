"""X (formerly Twitter): posts and threads by API v2, signed in by OAuth 2.0 with PKCE."""

from folkmoot.channels.x.adapter import X
from folkmoot.channels.x.kind import KIND

__all__ = ["KIND", "X"]
