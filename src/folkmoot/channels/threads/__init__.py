"""A profile on Threads, through the Threads API."""

from folkmoot.channels.threads.adapter import Threads
from folkmoot.channels.threads.kind import KIND

__all__ = ["KIND", "Threads"]
