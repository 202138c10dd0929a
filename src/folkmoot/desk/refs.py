"""Opaque ids: how the record, and tables that must not name people, name anything."""

from __future__ import annotations

import secrets


def new_ref() -> str:
    """16 random hexadecimal characters."""
    return secrets.token_hex(8)
