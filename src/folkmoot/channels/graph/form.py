"""What is typed to connect an account of Meta's, read; and keys of our own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from folkmoot.channels.kinds import CannotConnect

_SERVER = re.compile(r"https?://[^\s/?#@]+")
_VERSION = re.compile(r"v\d{1,3}\.\d")


def read_server(typed: Mapping[str, str], default: str) -> str:
    """The address of the API's server, ``default`` where nothing was typed. Raises
    :class:`CannotConnect`.
    """
    server = typed.get("server", "").strip().rstrip("/") or default
    if not _SERVER.fullmatch(server):
        raise CannotConnect(
            f"The server is written like {default}, and hardly ever has to be changed.", "server"
        )
    return server


def read_version(typed: Mapping[str, str], default: str) -> str:
    """The version of the API, ``default`` where nothing was typed. Raises
    :class:`CannotConnect`.
    """
    version = typed.get("version", "").strip() or default
    if not _VERSION.fullmatch(version):
        raise CannotConnect(f"The version is written like {default}.", "version")
    return version


def make_key(delivery_id: str, due_at: datetime) -> str:
    """The key of a delivery, for our own books: Meta takes none. The same for ever.

    Raises :class:`ValueError` where ``due_at`` has no time zone.
    """
    if due_at.tzinfo is None:
        raise ValueError("due_at has no time zone")
    said = f"{delivery_id}\n{due_at.astimezone(UTC).isoformat()}"
    return hashlib.sha256(said.encode()).hexdigest()[:32]
