"""Small files that must survive a power cut, and the lock beside them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the lock of ``file`` against every other thread and process that asks for it this way.

    The lock is a file of its own beside it: ``file`` is replaced, and a lock would go with the old
    one. It is free again when the block is left or the process dies. Raises OSError where the lock
    cannot be made.
    """
    descriptor = os.open(file.with_name(file.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def replace_durably(file: Path, data: bytes, *, private: bool = False) -> None:
    """Put ``data`` in the place of ``file``, whole or not at all, and on disk on return.

    Whatever happens meanwhile, a reader finds the old file or the new one. With ``private`` nobody
    but its owner may read it. Only one process may do this at a time; see :func:`locked`. Raises
    OSError where it cannot be written.
    """
    fresh = file.with_name(file.name + ".new")
    if private:
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600, exist_ok=False)
    with fresh.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Have the names within ``folder`` survive a power cut; does nothing where that is not known.

    Raises OSError where it fails.
    """
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
