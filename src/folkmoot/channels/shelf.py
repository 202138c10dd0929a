"""Where a channel of our own keeps what it has published: put once under a key, never changed.

A shelf is what makes a feed, and the practice channel, say honestly whether a post is there. The
desk has one over its database; :class:`FolderShelf` is one over plain files, and works across
processes on one machine.
"""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")


@dataclass(frozen=True, slots=True)
class Shelved:
    """One record on a shelf; ``record`` is empty where what stood there was erased since. Its key
    stays taken.
    """

    key: str
    record: bytes
    published_at: datetime


class ShelfError(Exception):
    """The shelf could not be read or written. A write that raises this may have happened."""


class Shelf(Protocol):
    """Records by key. Every method raises :class:`ShelfError` where the store fails.

    A key is 1 to 128 ASCII letters, digits, ``-`` and ``_``, and begins with a letter or digit.
    """

    def put_if_absent(self, key: str, record: bytes, *, published_at: datetime) -> bool:
        """Put ``record`` under ``key`` for good, unless something stands there.

        ``True`` where it was put, ``False`` where the key was taken; of several that try at once,
        one gets ``True``. When this returns, the record outlives a loss of power.
        """
        ...

    def find(self, key: str) -> Shelved | None:
        """What stands under ``key``, or ``None``."""
        ...

    def list_newest(self, limit: int) -> tuple[Shelved, ...]:
        """At most ``limit`` records, by ``published_at``, newest first; then by key."""
        ...


class FolderShelf:
    """A shelf over files in ``folder``, one file per key, which is made where it is missing.

    The file system must have hard links (those of Linux and macOS do, and NTFS). Listing reads the
    first line of every file; beyond some ten thousand records a database serves better.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put_if_absent(self, key: str, record: bytes, *, published_at: datetime) -> bool:
        """See :class:`Shelf`. Raises :class:`ValueError` where the key is malformed or the time
        has no zone.
        """
        if published_at.tzinfo is None:
            raise ValueError("published_at has no time zone")
        final = self._file(key)
        head = f"{published_at.isoformat()}\n".encode()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=self._folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(head + record)
                    file.flush()
                    os.fsync(file.fileno())
                put = _link(name, final)
            finally:
                Path(name).unlink()
            # Also where the key was taken: whoever took it may have been cut off before this line.
            self._sync_folder()
        except OSError as fault:
            raise ShelfError(f"The folder {self._folder} could not be written: {fault}.") from fault
        return put

    def find(self, key: str) -> Shelved | None:
        """See :class:`Shelf`. Raises :class:`ValueError` where the key is malformed."""
        file = self._file(key)
        try:
            return self._read(file)
        except FileNotFoundError:
            return None
        except OSError as fault:
            raise ShelfError(f"The file {file} could not be read: {fault}.") from fault

    def list_newest(self, limit: int) -> tuple[Shelved, ...]:
        """See :class:`Shelf`."""
        try:
            dated = []
            for file in self._folder.glob("[!.]*.record"):
                with file.open("rb") as opened:
                    dated.append((_read_time(file, opened.readline()), file.name, file))
            dated.sort(key=lambda entry: entry[1])
            dated.sort(key=lambda entry: entry[0], reverse=True)
            return tuple(self._read(file) for _, _, file in dated[:limit])
        except OSError as fault:
            raise ShelfError(f"The folder {self._folder} could not be read: {fault}.") from fault

    def _file(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} is not a key of a shelf")
        return self._folder / f"{key}.record"

    def _read(self, file: Path) -> Shelved:
        head, _, record = file.read_bytes().partition(b"\n")
        return Shelved(file.name.removesuffix(".record"), record, _read_time(file, head))

    def _sync_folder(self) -> None:
        if os.name != "posix":  # elsewhere a folder cannot be opened; its file system keeps a log
            return
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _link(name: str, final: Path) -> bool:
    try:
        os.link(name, final)
    except FileExistsError:
        return False
    return True


def _read_time(file: Path, head: bytes) -> datetime:
    try:
        time = datetime.fromisoformat(head.decode().strip())
    except ValueError as fault:
        raise ShelfError(f"The file {file} does not begin with a time: it is damaged.") from fault
    if time.tzinfo is None:
        raise ShelfError(f"The file {file} begins with a time without its zone: it is damaged.")
    return time
