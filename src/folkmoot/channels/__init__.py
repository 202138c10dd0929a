"""Where people are: one port to every channel, and an adapter for each.

The port is :mod:`.port`; every adapter passes the contract kit in :mod:`.contract`.
"""

from .limits import count_graphemes, find_problems
from .outbound import Outbound, OutboundError
from .port import (
    Absent,
    Adapter,
    Capabilities,
    Different,
    Live,
    NotPrepared,
    Part,
    Picture,
    Prepared,
    Problem,
    Refused,
    Rendition,
    Sent,
    Unconfirmed,
    Unreadable,
)
from .shelf import FolderShelf, Shelf, Shelved, ShelfError

__all__ = [
    "Absent",
    "Adapter",
    "Capabilities",
    "Different",
    "FolderShelf",
    "Live",
    "NotPrepared",
    "Outbound",
    "OutboundError",
    "Part",
    "Picture",
    "Prepared",
    "Problem",
    "Refused",
    "Rendition",
    "Sent",
    "Shelf",
    "ShelfError",
    "Shelved",
    "Unconfirmed",
    "Unreadable",
    "count_graphemes",
    "find_problems",
]
