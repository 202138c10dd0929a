"""The key of each subject, on tables; the keys of the epochs, in a file outside the database.

What is sealed under a subject's key can be read until that key is destroyed. Destroying it here
empties its row; :func:`roll` then destroys the epoch's key too, so that copies of the row in
write-ahead logs, replicas and backups open nothing.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from folkmoot.desk.keyfile import read_or_make
from folkmoot.ledger import EpochFile, EpochKeys, KeyLost, SubjectKey

from . import models

CACHED = 4_096
CACHED_SECONDS = 60.0
BATCH = 1_000
_MARK = 8  # bytes of a key's fingerprint
_Which = tuple[int, bytes]
CHANGED = (
    "What is sealed here does not open: it was changed, or moved from another place. Somebody "
    "wrote in the database by other ways than this program; bring back what was there."
)


class NoEpochKey(Exception):
    """The file of epoch keys is missing or lacks the current epoch: nothing can be sealed."""


def live_key(subject: str, now: datetime) -> tuple[int, SubjectKey]:
    """The number and the key of ``subject``'s live key, made where there is none.

    Part of the caller's transaction, in which the key cannot be destroyed by others. Raises
    :class:`NoEpochKey` and ``folkmoot.ledger.LedgerError``.
    """
    return live_keys([subject], now)[subject]


def live_keys(subjects: Iterable[str], now: datetime) -> dict[str, tuple[int, SubjectKey]]:
    """:func:`live_key` of several subjects at once."""
    wanted = sorted(set(subjects))
    found = {}
    for number, subject, epoch, wrapped in _hold_live(wanted):
        found[subject] = (number, _unwrap(epoch, bytes(wrapped), subject))
    for subject in wanted:
        if subject not in found:
            found[subject] = _make(subject, now)
    return found


def _hold_live(subjects: list[str]) -> list[tuple[int, str, int, bytes | memoryview[int]]]:
    """The live keys of ``subjects``, held against destruction until the transaction ends."""
    rows = models.SubjectKey.objects.filter(subject__in=subjects, destroyed_at=None)
    if connection.vendor != "postgresql":  # SQLite's writers are one at a time already
        return list(rows.values_list("pk", "subject", "epoch", "wrapped"))
    # Others may hold it too, as they only seal; whoever destroys it waits for all of us. Django
    # has no words for FOR SHARE.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, subject, epoch, wrapped FROM records_subjectkey "
            "WHERE subject = ANY(%s) AND destroyed_at IS NULL ORDER BY subject FOR SHARE",
            [subjects],
        )
        return list(cursor.fetchall())


def _make(subject: str, now: datetime) -> tuple[int, SubjectKey]:
    key = SubjectKey.generate()
    keys = _current_epoch(now)
    epoch, wrapped = keys.wrap(key, subject)
    made, fresh = models.SubjectKey.objects.get_or_create(
        subject=subject,
        destroyed_at=None,
        defaults={"epoch": epoch, "wrapped": wrapped, "made_at": now},
    )
    if fresh:
        return made.pk, key
    return made.pk, _unwrap(made.epoch, bytes(made.wrapped), subject)  # another was first


def _current_epoch(now: datetime) -> EpochKeys:
    """The keys, with the current epoch held open until the transaction ends."""
    current = _hold_epoch(epoch_keys(), now)
    keys = epoch_keys()
    if current not in keys.keys:
        forget_cached()  # another process may have rolled the epoch since the file was read
        keys = epoch_keys()
    if current not in keys.keys:
        raise NoEpochKey(
            f"The file of epoch keys lacks the key of epoch {current}. Nothing was kept. Put the "
            "newest file of epoch keys back, beside the database it belongs to."
        )
    # A key in the file that the table does not know is one that a roll was about to begin with
    # when it died: not yet current.
    return EpochKeys({number: key for number, key in keys.keys.items() if number <= current})


def _hold_epoch(keys: EpochKeys, now: datetime) -> int:
    """The current epoch, held against a roll until the transaction ends."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT number FROM records_epoch FOR SHARE")
    # Read after the lock was had: who waited for a roll must see what it did.
    current = models.Epoch.objects.order_by("-number").first()
    if current is None:
        current, _ = models.Epoch.objects.get_or_create(
            number=keys.newest, defaults={"begun_at": now}
        )
    return current.number


def seal(key: SubjectKey, place: str, data: bytes) -> bytes:
    """``data`` sealed for ``place``: the key's fingerprint, then the sealed bytes."""
    return key.fingerprint + key.seal(place.encode(), data)


def unseal(sealed: Sequence[tuple[int, str, bytes]]) -> list[bytes | None]:
    """What is sealed, for each of (the key's number, the place, what :func:`seal` gave), in their
    order; ``None`` where the key was destroyed.

    Raises :class:`KeyLost` for one that was changed or moved, or whose key is not here.
    """
    keys = _open_keys({(number, blob[:_MARK]) for number, _place, blob in sealed})
    opened: list[bytes | None] = []
    for number, place, blob in sealed:
        key = keys[number, blob[:_MARK]]
        opened.append(None if key is None else key.open(place.encode(), blob[_MARK:]))
    return opened


def _open_keys(wanted: Iterable[_Which]) -> Mapping[_Which, SubjectKey | None]:
    found: dict[_Which, SubjectKey | None] = {}
    missing: dict[int, list[_Which]] = {}
    for which in wanted:
        cached = _CACHE.find(which)
        if cached is not None:
            found[which] = cached
        else:
            missing.setdefault(which[0], []).append(which)
    numbers = sorted(missing)
    for start in range(0, len(numbers), BATCH):
        for row in models.SubjectKey.objects.filter(pk__in=numbers[start : start + BATCH]):
            key = None
            if row.destroyed_at is None:
                key = _unwrap(row.epoch, bytes(row.wrapped), row.subject)
                _CACHE.keep((row.pk, key.fingerprint), key)
            for which in missing[row.pk]:
                if key is not None and key.fingerprint != which[1]:
                    raise KeyLost(CHANGED)
                found[which] = key
    if any(which not in found for all_of in missing.values() for which in all_of):
        raise KeyLost(
            "The key that this was sealed with is not in the database. Part of the database is "
            "lost; bring back the whole of it."
        )
    return found


def destroy(numbers: Iterable[int], now: datetime) -> int:
    """Empty these keys' rows; how many were live. Part of the caller's transaction.

    Nothing sealed under them opens from here on in this database. :func:`roll` sees to the copies.
    """
    mine = list(numbers)
    gone = models.SubjectKey.objects.filter(pk__in=mine, destroyed_at=None).update(
        wrapped=b"", destroyed_at=now
    )
    _CACHE.drop(mine)
    return gone


def replace(number: int, now: datetime) -> tuple[int, SubjectKey]:
    """A fresh live key for the subject of key ``number``, which is destroyed: number and key.

    Part of the caller's transaction, which seals again what is to stay.
    """
    row = models.SubjectKey.objects.get(pk=number)
    destroy([number], now)
    return _make(row.subject, now)


def epoch_file() -> EpochFile:
    """The file of epoch keys."""
    return EpochFile(_path())


@lru_cache(maxsize=1)
def read_epochs() -> EpochKeys:
    """The keys in the file, which is made where there is none. :func:`epoch_keys` asks first
    whether there must be one.
    """
    return EpochKeys.from_text(read_or_make(_path(), lambda: EpochKeys.generate().to_text()))


def epoch_keys() -> EpochKeys:
    """The keys of the epochs, made on first use of a new installation.

    Raises :class:`NoEpochKey` where the file is gone though keys were wrapped.
    """
    if not _path().exists() and models.SubjectKey.objects.exists():
        forget_cached()
        raise NoEpochKey(
            f"The file of epoch keys, {_path().name}, is missing, though the record was sealed "
            "with it. Put it back; without it nothing that was recorded can be read."
        )
    return read_epochs()


def forget_cached() -> None:
    """Read the file anew next time, and keep no key in memory."""
    read_epochs.cache_clear()
    _CACHE.clear()


def _path() -> Path:
    return settings.CONFIG.key_file("epochs.key")


def _unwrap(epoch: int, wrapped: bytes, subject: str) -> SubjectKey:
    keys = epoch_keys()
    if epoch not in keys.keys:
        forget_cached()  # another process may have rolled the epoch since the file was read
        keys = epoch_keys()
    return keys.unwrap(epoch, wrapped, subject)


class _Cache:
    """Keys by number and fingerprint, the newest used, for a minute: another process may destroy
    one. A number can come back as another key after a transaction that failed; the fingerprint,
    which stands with what is sealed, tells them apart.
    """

    def __init__(self) -> None:
        self._keys: OrderedDict[_Which, tuple[float, SubjectKey]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, which: _Which) -> SubjectKey | None:
        with self._lock:
            kept_at, key = self._keys.get(which, (0.0, None))
            if key is None or time.monotonic() - kept_at > CACHED_SECONDS:
                self._keys.pop(which, None)
                return None
            return key

    def keep(self, which: _Which, key: SubjectKey) -> None:
        with self._lock:
            self._keys[which] = (time.monotonic(), key)
            while len(self._keys) > CACHED:
                self._keys.popitem(last=False)

    def drop(self, numbers: Iterable[int]) -> None:
        gone = set(numbers)
        with self._lock:
            for which in [which for which in self._keys if which[0] in gone]:
                del self._keys[which]

    def clear(self) -> None:
        with self._lock:
            self._keys.clear()


_CACHE = _Cache()


def is_rolling() -> bool:
    """Whether a roll was begun and has not ended."""
    return models.Epoch.objects.filter(closed_at__isnull=False, destroyed_at=None).exists()


def roll(now: datetime) -> int:
    """Begin a new epoch, wrap every live key anew, and destroy the former epochs' keys; how many
    keys were wrapped anew.

    Killed anywhere, it is taken up by calling it again (``is_rolling`` says that it must be), and
    nothing is lost: an epoch's key leaves the file only when no live key needs it. From its end on,
    copies of keys that were destroyed before cannot be opened by anybody.

    Raises :class:`NoEpochKey`, ``folkmoot.ledger.LedgerError`` and OSError; call it outside a
    transaction, in one process at a time (others wait for the lock).
    """
    with transaction.atomic():
        _lock_epochs()
        if not is_rolling():
            _begin_epoch(now)
    forget_cached()
    wrapped = 0
    while batch := _wrap_batch():
        wrapped += batch
    with transaction.atomic():
        _lock_epochs()
        newest = models.Epoch.objects.order_by("-number").values_list("number", flat=True)[0]
        if models.SubjectKey.objects.filter(epoch__lt=newest, destroyed_at=None).exists():
            raise NoEpochKey("A key was wrapped in a closed epoch. Roll the epoch again.")
        keys = epoch_keys()
        if newest not in keys.keys:
            raise NoEpochKey(f"The file of epoch keys lacks the key of epoch {newest}.")
        epoch_file().write(EpochKeys({newest: keys.keys[newest]}))
        models.Epoch.objects.filter(number__lt=newest).update(destroyed_at=now)
    forget_cached()
    return wrapped


def _begin_epoch(now: datetime) -> None:
    epoch_file().forget()
    forget_cached()
    keys = epoch_keys()
    current = models.Epoch.objects.order_by("-number").first()
    if current is None:
        current = models.Epoch.objects.create(number=keys.newest, begun_at=now)
    if current.number not in keys.keys:
        raise NoEpochKey(f"The file of epoch keys lacks the key of epoch {current.number}.")
    fresh = keys
    while fresh.newest <= current.number:
        fresh = fresh.begin()
    # The file first: a table that knows an epoch without a key would stop all sealing.
    epoch_file().write(fresh)
    models.Epoch.objects.filter(destroyed_at=None, closed_at=None).update(closed_at=now)
    models.Epoch.objects.create(number=fresh.newest, begun_at=now)


@transaction.atomic
def _wrap_batch() -> int:
    newest = models.Epoch.objects.order_by("-number").values_list("number", flat=True)[0]
    rows = list(
        models.SubjectKey.objects.select_for_update()
        .filter(epoch__lt=newest, destroyed_at=None)
        .order_by("pk")[:BATCH]
    )
    keys = epoch_keys()
    for row in rows:
        key = keys.unwrap(row.epoch, bytes(row.wrapped), row.subject)
        row.epoch, row.wrapped = keys.wrap(key, row.subject)
    models.SubjectKey.objects.bulk_update(rows, ["epoch", "wrapped"])
    return len(rows)


def _lock_epochs() -> None:
    """Wait until nobody is making a key, and keep others from it until the transaction ends."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE records_epoch IN EXCLUSIVE MODE")
