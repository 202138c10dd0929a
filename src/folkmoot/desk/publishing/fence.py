"""The restore fence: a database that went back in time, or is a copy, publishes nothing.

A database brought back from last night's backup has forgotten what was sent since, and would send
it again. So the installation keeps, in a file outside the database, which database it belongs to
and the number of the newest attempt to send. The database must know an attempt at least that new.
The file is written after the attempt is committed and before its request leaves: whatever may have
been sent is remembered by one of the two.

What the fence cannot see is a copy of everything, file and database together; that shows as posts
on the accounts' timelines that nobody here signed.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction

from .models import Attempt, Installation

NAME = "installation"
_LENGTH = 120
COPY = (
    "This database belongs to another installation: it is a copy, or was brought back with another"
    " home folder. Nothing is published until somebody has compared the channels with it."
)
BACK = (
    "This database was brought back from a backup: more was sent than it knows of. Nothing is"
    " published until somebody has compared the channels with it."
)


@dataclass(frozen=True, slots=True)
class Memory:
    """What the file says: the installation, and its newest attempt to send."""

    ref: str
    sequence: int


def find_fence(now: datetime) -> Installation | None:
    """The fence, where one is up; looks anew, and puts one up where the two do not fit."""
    installation = Installation.objects.first()
    if installation is None:
        installation = _found_installation()
    if not installation.fenced_reason and (reason := _find_misfit(installation)):
        with transaction.atomic():
            Installation.objects.filter(pk=installation.pk, fenced_reason="").update(
                fenced_reason=reason, fenced_at=now
            )
        installation.refresh_from_db()
    return installation if installation.fenced_reason else None


def find_refusal() -> str:
    """Why nothing may be published, inside the last look; empty where the fence is down.

    A fence that is found only here is put up by the next round of the worker.
    """
    installation = Installation.objects.first()
    if installation is None:
        return COPY
    return installation.fenced_reason or _find_misfit(installation)


def remember(sequence: int) -> None:
    """Remember an attempt to send, for good, before its request leaves. Raises :class:`OSError`."""
    with _locked():
        memory = _read()
        if memory is not None and memory.sequence < sequence:
            _write(Memory(memory.ref, sequence))


def take_down(installation: Installation) -> None:
    """Take the fence down: from now on this database is the installation's. Part of the caller's
    transaction. A database brought back later has the old name and is found out by it.
    """
    fresh = secrets.token_hex(16)
    Installation.objects.filter(pk=installation.pk).update(
        ref=fresh, fenced_reason="", fenced_at=None
    )
    with _locked():
        _write(Memory(fresh, _newest_attempt()))


def read_memory() -> Memory | None:
    """What the file says; ``None`` where there is none or it cannot be read."""
    with _locked(fcntl.LOCK_SH):
        return _read()


def _read() -> Memory | None:
    try:
        kept = json.loads(_file().read_text(encoding="ascii"))
        return Memory(str(kept["ref"]), int(kept["sequence"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _found_installation() -> Installation:
    """Give a database that never had one its installation, and the file that goes with it.

    Where there is a file already, the database is from before all that: a backup of the first day,
    or of before an upgrade. The file is left as it is, so that the two do not fit.
    """
    with _locked(), transaction.atomic():
        installation, made = Installation.objects.get_or_create(
            pk=1, defaults={"ref": secrets.token_hex(16)}
        )
        if made and not _file().exists():
            _write(Memory(installation.ref, _newest_attempt()))
    return installation


def _find_misfit(installation: Installation) -> str:
    memory = read_memory()
    if memory is None or memory.ref != installation.ref:
        return COPY
    if _newest_attempt() < memory.sequence:
        return BACK
    return ""


def _newest_attempt() -> int:
    return Attempt.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _file() -> Path:
    file: Path = settings.CONFIG.key_file(NAME)
    return file


def _write(memory: Memory) -> None:
    # In place and always as long: one write within one block, and one sync for each send.
    text = json.dumps({"ref": memory.ref, "sequence": memory.sequence}).ljust(_LENGTH)
    handle = os.open(_file(), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.pwrite(handle, text.encode("ascii"), 0)
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _locked(how: int = fcntl.LOCK_EX) -> Iterator[None]:
    file = _file()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with file.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, how)
        yield
