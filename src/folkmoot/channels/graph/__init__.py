"""What Meta's three channels have in common: the Graph API, its errors, tokens and containers.

Facebook, Instagram and Threads each have a folder of their own; they share this one. Rules come
from Meta's own documentation at developers.facebook.com, and each says from which page.
"""

from folkmoot.channels.graph.client import (
    FAULTS,
    Graph,
    to_not_prepared,
    to_refused,
    to_unconfirmed,
    to_unreadable,
)
from folkmoot.channels.graph.form import make_key, read_server, read_version
from folkmoot.channels.graph.timeline import (
    find_newer,
    read_at,
    read_known,
    same_text,
    undecided,
)

__all__ = [
    "FAULTS",
    "Graph",
    "find_newer",
    "make_key",
    "read_at",
    "read_known",
    "read_server",
    "read_version",
    "same_text",
    "to_not_prepared",
    "to_refused",
    "to_unconfirmed",
    "to_unreadable",
    "undecided",
]
