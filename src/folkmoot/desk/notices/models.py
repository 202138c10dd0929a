"""Tables of the notices room."""

from __future__ import annotations
