"""Bags: entries of the record with all that a stranger needs to check them, in one folder.

A bag is what an officer hands over for a request: the entries as ActivityStreams 2.0, as a CSV that
is safe to open, and as a page to read; pictures; the channels' own answers; a proof per entry, the
signed head they all lead to, what was withheld and why, and ``verify.py``, which checks all of it
with Python alone. It is a BagIt 1.0 bag (RFC 8493), so archives can take it in as it is.

>>> written = write_bag(folder, title="Request 2026/114", about="Posts about the flood.",
...     made_at=now, checkpoint=note, policy=[signer.vkey], items=items, redactions=redactions)
>>> check_bag(folder, keys=[signer.vkey]).ok
True
"""

from __future__ import annotations

from .bagchecking import check_bag
from .bagparts import BagResult, BagWritten, Capture, Item, Medium, Redaction
from .bagwriting import write_bag, zip_bag
from .errors import BagError

__all__ = [
    "BagError",
    "BagResult",
    "BagWritten",
    "Capture",
    "Item",
    "Medium",
    "Redaction",
    "check_bag",
    "write_bag",
    "zip_bag",
]
