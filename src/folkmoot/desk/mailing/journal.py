"""What the database must not forget when it is brought back from a backup: which e-mails were being
handed over, and who left. Kept in plain files in the home folder, a line for each.

An e-mail that the database holds to be waiting, and that this says was begun at a later attempt, is
not handed over: the database went back in time. A subscriber who left stays away. A line is written
before the request leaves. No line names anybody: references and subscribers are opaque.
"""

from __future__ import annotations

import time
from pathlib import Path

from django.conf import settings

_KEPT_SECONDS = 400 * 24 * 3600
_LEFT = "left"


class Journal:
    """The attempts at one issue's e-mails; ``name`` is its key. Not for several threads."""

    def __init__(self, name: str) -> None:
        self._file = _folder() / f"{name}.begun"
        self._known: dict[str, int] = {}
        self._read_to = 0

    def find_attempt(self, reference: str) -> int:
        """The newest attempt at the e-mail with this reference; 0 for none."""
        self._catch_up()
        return self._known.get(reference, 0)

    def begin(self, reference: str, attempt: int) -> None:
        """Remember an attempt, before its request leaves. Raises :class:`OSError`."""
        _append(self._file, f"{reference} {attempt}")

    def _catch_up(self) -> None:
        if not self._file.exists() or self._file.stat().st_size == self._read_to:
            return
        with self._file.open("rb") as opened:
            opened.seek(self._read_to)
            fresh = opened.read()
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._read_to += len(whole)
        for line in whole.decode("ascii", "replace").splitlines():
            reference, _, attempt = line.partition(" ")
            if attempt.isdigit():
                self._known[reference] = max(int(attempt), self._known.get(reference, 0))


def note_left(ref: str) -> None:
    """Remember that the subscriber ``ref`` left. Raises :class:`OSError`."""
    _append(_folder() / _LEFT, ref)


def read_left() -> frozenset[str]:
    """The subscribers who left."""
    file = _folder() / _LEFT
    return frozenset(file.read_text(encoding="ascii").split()) if file.exists() else frozenset()


def prune() -> None:
    """Forget issues so old that no backup of them will be brought back."""
    oldest = time.time() - _KEPT_SECONDS
    for file in _folder().glob("*.begun"):
        if file.stat().st_mtime < oldest:
            file.unlink(missing_ok=True)


def _append(file: Path, line: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab", buffering=0) as opened:
        opened.write(line.encode("ascii") + b"\n")


def _folder() -> Path:
    folder: Path = settings.CONFIG.home / "mailing"
    return folder
