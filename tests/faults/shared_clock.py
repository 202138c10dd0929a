"""One clock for every process of a lane. It stands still unless somebody winds it."""

from __future__ import annotations

import mmap
import struct
from datetime import UTC, datetime, timedelta


class SharedClock:
    """The time in memory that forked processes share, so that a slow machine changes nothing."""

    def __init__(self, now: datetime) -> None:
        self._memory = mmap.mmap(-1, 8)
        self.set(now)

    def __call__(self) -> datetime:
        (seconds,) = struct.unpack("d", self._memory[:8])
        return datetime.fromtimestamp(seconds, UTC)

    def set(self, now: datetime) -> None:
        """Make it ``now``."""
        self._memory[:8] = struct.pack("d", now.timestamp())

    def pass_(self, seconds: float) -> datetime:
        """Let ``seconds`` go by."""
        self.set(self() + timedelta(seconds=seconds))
        return self()
