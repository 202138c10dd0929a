"""Where people are: one port to every channel, and an adapter for each.

The port is :mod:`.port`; every adapter passes the contract kit in :mod:`.contract`. The adapters
stand in :mod:`.atom`, :mod:`.bluesky` and :mod:`.practice`, each imported on its own.
"""

from typing import TYPE_CHECKING, Any

from folkmoot.channels.limits import count_graphemes, find_problems
from folkmoot.channels.port import (
    Absent,
    Adapter,
    Capabilities,
    Different,
    Length,
    Live,
    NotPrepared,
    NotReady,
    Pace,
    Part,
    Partly,
    Picture,
    Prepared,
    Problem,
    Refused,
    Rendition,
    Seen,
    Sent,
    Unconfirmed,
    Unreadable,
    Uploaded,
)
from folkmoot.channels.shelf import FolderShelf, Shelf, ShelfError, Shelved

if TYPE_CHECKING:
    from folkmoot.channels.outbound import Outbound, OutboundError

__all__ = [
    "Absent",
    "Adapter",
    "Capabilities",
    "Different",
    "FolderShelf",
    "Length",
    "Live",
    "NotPrepared",
    "NotReady",
    "Outbound",
    "OutboundError",
    "Pace",
    "Part",
    "Partly",
    "Picture",
    "Prepared",
    "Problem",
    "Refused",
    "Rendition",
    "Seen",
    "Sent",
    "Shelf",
    "ShelfError",
    "Shelved",
    "Unconfirmed",
    "Unreadable",
    "Uploaded",
    "count_graphemes",
    "find_problems",
]


def __getattr__(name: str) -> Any:
    # The client brings an HTTP library with it, which counting characters should not.
    if name in ("Outbound", "OutboundError"):
        from folkmoot.channels import outbound

        return getattr(outbound, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
