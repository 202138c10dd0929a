"""The key of each subject, on tables; the keys of the epochs, in a file outside the database.

What is sealed under a subject's key can be read until that key is destroyed. Destroying it here
empties its row; :func:`roll` then destroys the epoch's key too, so that copies of the row in
write-ahead logs, replicas and backups open nothing.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from folkmoot.desk.keyfile import read_or_make
from folkmoot.ledger import EpochFile, EpochKeys, KeyLost, SubjectKey

from . import models

CACHED = 8_192
CACHED_SECONDS = 60.0
BATCH = 1_000
AROUND = 64
"""How many keys on either side of one that is read are read along with it: what was written
together is mostly shown together.
"""
WAIT_SECONDS = 0.05
_MARK = 8  # bytes of a key's fingerprint
_Which = tuple[int, bytes]
CHANGED = (
    "What is sealed here does not open: it was changed, or moved from another place. Somebody "
    "wrote in the database by other ways than this program; bring back what was there."
)


class NoEpochKey(Exception):
    """The file of epoch keys is missing or lacks the current epoch: nothing can be sealed."""


class NotInTransaction(Exception):
    """Something was to be sealed outside a transaction: its key could be destroyed before what was
    sealed is written.
    """


class _Hold:
    """Live keys that a transaction holds. Kept among what the transaction does when it is
    committed, so that it goes when that transaction, or the savepoint it was made in, is rolled
    back: just as the database lets go of the keys then.
    """

    __slots__ = ("keys",)

    def __init__(self) -> None:
        self.keys: dict[str, tuple[int, SubjectKey]] = {}

    def __call__(self) -> None:
        return


def live_key(subject: str, now: datetime) -> tuple[int, SubjectKey]:
    """The number and the key of ``subject``'s live key, made where there is none.

    Part of the caller's transaction, in which the key cannot be destroyed by others; a second
    asking in it costs no query. Raises :class:`NotInTransaction`, :class:`NoEpochKey` and
    ``folkmoot.ledger.LedgerError``.
    """
    return live_keys([subject], now)[subject]


def live_keys(subjects: Iterable[str], now: datetime) -> dict[str, tuple[int, SubjectKey]]:
    """:func:`live_key` of several subjects at once."""
    if not connection.in_atomic_block:
        raise NotInTransaction(
            "Something was to be sealed outside a transaction. Nothing was written."
        )
    wanted = set(subjects)
    found = {
        subject: hold.keys[subject] for hold in _holds() for subject in wanted & hold.keys.keys()
    }
    missing = sorted(wanted - found.keys())
    if not missing:
        return found
    fresh = {}
    for number, subject, epoch, wrapped in _hold_live(missing):
        fresh[subject] = (number, _unwrap(epoch, bytes(wrapped), subject))
    for subject in missing:
        if subject not in fresh:
            fresh[subject] = _make(subject, now)
    for number, key in fresh.values():
        _CACHE.keep(number, key)
    hold = _Hold()
    hold.keys = fresh
    transaction.on_commit(hold)
    return {**found, **fresh}


def _holds() -> list[_Hold]:
    return [act for _, act, *_ in connection.run_on_commit if isinstance(act, _Hold)]


def _hold_live(subjects: list[str]) -> list[tuple[int, str, int, bytes | memoryview[int]]]:
    """The live keys of ``subjects``, held against destruction until the transaction ends."""
    # Others may hold them too, as they only seal; whoever destroys one waits for all of us. Django
    # has no words for FOR SHARE; SQLite, whose writers are one at a time already, needs none.
    share = " FOR SHARE" if connection.vendor == "postgresql" else ""
    found = []
    with connection.cursor() as cursor:
        for start in range(0, len(subjects), BATCH):
            some = subjects[start : start + BATCH]
            marks = ", ".join(["%s"] * len(some))
            cursor.execute(
                "SELECT id, subject, epoch, wrapped FROM records_subjectkey "  # noqa: S608 - marks
                f"WHERE subject IN ({marks}) AND destroyed_at IS NULL ORDER BY subject{share}",
                some,
            )
            found += cursor.fetchall()
    return found


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
        cached = _CACHE.find(which[0])
        # A number can come back as another key after a transaction that failed; the fingerprint,
        # which stands with what is sealed, tells them apart.
        if cached is not None and cached.fingerprint == which[1]:
            found[which] = cached
        else:
            missing.setdefault(which[0], []).append(which)
    for row in _read_rows(sorted(missing)):
        if row.pk not in missing:
            _CACHE.keep(row.pk, None if row.destroyed_at is not None else _to_wrapped(row))
            continue
        key = _unwrap_row(row)
        _CACHE.keep(row.pk, key)
        for which in missing[row.pk]:
            found[which] = _as_wanted(key, which)
    if any(which not in found for all_of in missing.values() for which in all_of):
        raise KeyLost(
            "The key that this was sealed with is not in the database. Part of the database is "
            "lost; bring back the whole of it."
        )
    return found


def _read_rows(numbers: Sequence[int]) -> Iterator[models.SubjectKey]:
    rows = models.SubjectKey.objects
    if len(numbers) == 1:
        yield from rows.filter(pk__range=(numbers[0] - AROUND, numbers[0] + AROUND))
        return
    for start in range(0, len(numbers), BATCH):
        yield from rows.filter(pk__in=numbers[start : start + BATCH])


def _as_wanted(key: SubjectKey | None, which: _Which) -> SubjectKey | None:
    if key is not None and key.fingerprint != which[1]:
        raise KeyLost(CHANGED)
    return key


def _unwrap_row(row: models.SubjectKey) -> SubjectKey | None:
    """The key in a row; ``None`` where it is destroyed."""
    if row.destroyed_at is not None:
        return None
    try:
        return _unwrap(*_to_wrapped(row))
    except KeyLost:
        again = models.SubjectKey.objects.get(pk=row.pk)
        if again.destroyed_at is None and again.epoch == row.epoch:
            raise
        return _unwrap_row(again)  # a roll ended since the row was read


def warm(subjects: Iterable[str]) -> None:
    """Read the live keys of these subjects ahead, for a page that shows what is sealed under many:
    one query for each ``BATCH`` of them, and none for each value that is opened then.
    """
    wanted = sorted(set(subjects))
    for start in range(0, len(wanted), BATCH):
        for row in models.SubjectKey.objects.filter(
            subject__in=wanted[start : start + BATCH], destroyed_at=None
        ):
            if not _CACHE.has(row.pk):
                _CACHE.keep(row.pk, _to_wrapped(row))


def destroy(numbers: Iterable[int], now: datetime) -> int:
    """Empty these keys' rows; how many were live. Part of the caller's transaction.

    Nothing sealed under them opens from here on in this database. :func:`roll` sees to the copies.
    """
    mine = frozenset(numbers)
    gone = models.SubjectKey.objects.filter(pk__in=mine, destroyed_at=None).update(
        wrapped=b"", destroyed_at=now
    )
    _CACHE.drop(mine)
    for hold in _holds():
        hold.keys = {name: held for name, held in hold.keys.items() if held[0] not in mine}
    return gone


def destroy_subject(subject: str, now: datetime) -> int:
    """:func:`destroy` the live key of ``subject``; how many there were."""
    rows = models.SubjectKey.objects.filter(subject=subject, destroyed_at=None)
    return destroy(rows.values_list("pk", flat=True), now)


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


_Wrapped = tuple[int, bytes, str]
"""A key as its row has it: the epoch, the wrapped key and the subject."""


def _to_wrapped(row: models.SubjectKey) -> _Wrapped:
    return row.epoch, bytes(row.wrapped), row.subject


class _Cache:
    """Keys by number, the newest used, for a minute: another process may destroy one. A key that
    was read ahead is unwrapped when it is wanted.
    """

    def __init__(self) -> None:
        self._keys: OrderedDict[int, tuple[float, SubjectKey | _Wrapped]] = OrderedDict()
        self._lock = threading.Lock()

    def has(self, number: int) -> bool:
        with self._lock:
            kept_at, _ = self._keys.get(number, (float("-inf"), None))
        return time.monotonic() - kept_at <= CACHED_SECONDS

    def find(self, number: int) -> SubjectKey | None:
        with self._lock:
            kept_at, key = self._keys.get(number, (float("-inf"), None))
            if key is None or time.monotonic() - kept_at > CACHED_SECONDS:
                self._keys.pop(number, None)
                return None
            self._keys.move_to_end(number)
        if isinstance(key, SubjectKey):
            return key
        try:
            unwrapped = _unwrap(*key)
        except KeyLost:  # a roll ended since it was read ahead: its row is read anew, and tells
            self.drop([number])
            return None
        with self._lock:
            # Not where it was dropped, or kept anew, meanwhile.
            if self._keys.get(number) == (kept_at, key):
                self._keys[number] = (kept_at, unwrapped)
        return unwrapped

    def keep(self, number: int, key: SubjectKey | _Wrapped | None) -> None:
        """Keep a key; ``None`` for one that is destroyed."""
        with self._lock:
            self._keys.pop(number, None)
            if key is None:
                return
            self._keys[number] = (time.monotonic(), key)
            while len(self._keys) > CACHED:
                self._keys.popitem(last=False)

    def drop(self, numbers: Iterable[int]) -> None:
        with self._lock:
            for number in numbers:
                self._keys.pop(number, None)

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
    while True:
        batch = _wrap_batch()
        wrapped += batch
        if batch == 0:
            if not _are_any_old():
                break
            time.sleep(WAIT_SECONDS)  # somebody is sealing under the last of them
    with transaction.atomic():
        _lock_epochs()
        newest = _newest_epoch()
        if _are_any_old():
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
    rows = list(
        # Those that somebody seals under just now are passed over, and taken in the next batch:
        # who waited here while holding others would be waited for by whoever wants one of these.
        models.SubjectKey.objects.select_for_update(skip_locked=True)
        .filter(epoch__lt=_newest_epoch(), destroyed_at=None)
        .order_by("pk")[:BATCH]
    )
    keys = epoch_keys()
    for row in rows:
        key = keys.unwrap(row.epoch, bytes(row.wrapped), row.subject)
        row.epoch, row.wrapped = keys.wrap(key, row.subject)
    models.SubjectKey.objects.bulk_update(rows, ["epoch", "wrapped"])
    return len(rows)


def _are_any_old() -> bool:
    return models.SubjectKey.objects.filter(epoch__lt=_newest_epoch(), destroyed_at=None).exists()


def _newest_epoch() -> int:
    return models.Epoch.objects.order_by("-number").values_list("number", flat=True)[0]


def _lock_epochs() -> None:
    """Wait until nobody is making a key, and keep others from it until the transaction ends."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE records_epoch IN EXCLUSIVE MODE")
