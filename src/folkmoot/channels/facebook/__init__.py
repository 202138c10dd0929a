"""A page on Facebook, through the Pages API of the Graph API."""

from folkmoot.channels.facebook.adapter import Facebook
from folkmoot.channels.facebook.kind import KIND

__all__ = ["KIND", "Facebook"]
