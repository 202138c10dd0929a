"""An organisation's page on LinkedIn, by the Posts API, signed in by OAuth 2.0."""

from folkmoot.channels.linkedin.adapter import LinkedIn
from folkmoot.channels.linkedin.kind import KIND

__all__ = ["KIND", "LinkedIn"]
