"""Tables of the mailing room."""

from __future__ import annotations
