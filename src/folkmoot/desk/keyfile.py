"""Secrets in files of their own: made on first use, readable by their owner alone."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path


def read_or_make(file: Path, make: Callable[[], str]) -> str:
    """The text of a private file; where it does not exist, made by ``make()`` and kept.

    Safe when two processes start together: the first to finish wins and both read its text.
    """
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        fresh.write_text(make(), encoding="ascii")
        try:
            file.hardlink_to(fresh)
        except FileExistsError:
            return read_or_make(file, make)  # another process was first; its key is the key
        finally:
            fresh.unlink()
    return file.read_text(encoding="ascii").strip()
