"""A professional account on Instagram, through the Content Publishing of the Instagram Platform."""

from folkmoot.channels.instagram.adapter import Instagram
from folkmoot.channels.instagram.kind import KIND

__all__ = ["KIND", "Instagram"]
