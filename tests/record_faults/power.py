"""The power is cut: what was synced is there, and a random half of what was not.

SQLite writes through a file system of ours, which keeps a diary of every write and sync. Any moment
of the diary can then be the one in which the power went: each file is what it was at its last sync,
and each sector of 512 bytes that was written since is there or not by the toss of a coin.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from folkmoot.ledger import LedgerError, SqliteLog, sqlitelog

from .outcome import Outcome

SECTOR = 512
VFS_NAME = "diary"
MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class Mode:
    """How SQLite is told to keep the file, and what the disk does with names."""

    journal: str = "wal"
    synchronous: str = "FULL"
    names_linger: bool = False
    """Whether a file that was removed without syncing its folder may come back."""
    shows: tuple[str, ...] = ()
    """What it must be found by, where it is a planted bug."""


MODES = {
    "wal-full": Mode(),
    "delete-full": Mode("delete"),
    "delete-extra": Mode("delete", "EXTRA", names_linger=True),
}
PLANTS = {
    "wal-normal": Mode("wal", "NORMAL", shows=("lost",)),
    "delete-off": Mode("delete", "OFF", shows=("lost", "damaged")),
    "delete-full-lingering": Mode("delete", "FULL", names_linger=True, shows=("lost",)),
}


@dataclass
class Diary:
    """What was done to the files, in order; and how many entries were acknowledged by when."""

    deeds: list[tuple[Any, ...]] = field(default_factory=list)


def entry(number: int) -> bytes:
    return number.to_bytes(4, "big") * (number % 200)


def make_vfs(diary: Diary) -> Any:
    """A file system that writes to the real one and into the diary."""
    import apsw

    class File(apsw.VFSFile):
        def __init__(self, name: Any, flags: list[int]) -> None:
            path = name if isinstance(name, str) else name.filename()
            self.name = Path(path).name
            if not Path(path).exists():
                diary.deeds.append(("make", self.name))
            super().__init__("", name, flags)

        def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
            diary.deeds.append(("write", self.name, offset, bytes(data)))
            super().xWrite(data, offset)

        def xTruncate(self, size: int) -> None:  # noqa: N802
            diary.deeds.append(("truncate", self.name, size))
            super().xTruncate(size)

        def xSync(self, flags: int) -> None:  # noqa: N802
            diary.deeds.append(("sync", self.name))
            super().xSync(flags)

    class Files(apsw.VFS):
        def __init__(self) -> None:
            super().__init__(VFS_NAME, "")

        def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802
            return File(name, flags)

        def xDelete(self, name: str, sync: bool) -> None:  # noqa: N802
            diary.deeds.append(("remove", Path(name).name, sync))
            super().xDelete(name, sync)

    return Files()


class Connection:
    """apsw, which can be given a file system, in the words of ``sqlite3``."""

    def __init__(self, path: Path) -> None:
        import apsw

        self._db = apsw.Connection(str(path), vfs=VFS_NAME, flags=apsw.SQLITE_OPEN_READWRITE)
        self._db.row_trace = lambda _cursor, row: tuple(
            one.encode() if isinstance(one, str) else one for one in row
        )
        self._db.execute("PRAGMA wal_autocheckpoint=30").fetchall()  # often: more can go wrong

    def execute(self, statement: str, values: Any = ()) -> Any:
        return self._db.execute(statement, values)

    def executemany(self, statement: str, rows: Any) -> Any:
        return self._db.executemany(statement, rows)

    @property
    def in_transaction(self) -> bool:
        return self._db.in_transaction

    def close(self) -> None:
        self._db.close()


@contextmanager
def instead(**names: Any) -> Iterator[None]:
    """Put others in the place of what ``sqlitelog`` calls by these names."""
    before = {name: getattr(sqlitelog, name) for name in names}
    for name, value in names.items():
        setattr(sqlitelog, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(sqlitelog, name, value)


def write(folder: Path, mode: Mode, appends: int, rng: random.Random) -> tuple[Diary, bytes]:
    """A log that grows by appends of different sizes; its diary, and the file it began as."""
    diary = Diary()
    path = folder / "log"
    SqliteLog(path).close()
    began = path.read_bytes()
    vfs = make_vfs(diary)
    with instead(
        _JOURNAL=mode.journal,
        _SYNCHRONOUS=mode.synchronous,
        _connect=lambda where, _wait: Connection(where),
    ):
        log = SqliteLog(path)
        done = 0
        for _ in range(appends):
            count = rng.choice((1, 1, 1, 2, 5, 40, 300))
            log.append([entry(number) for number in range(done, done + count)], once=f"at {done}")
            done += count
            diary.deeds.append(("acknowledged", done))
        log.close()
    vfs.unregister()
    return diary, began


class Disk:
    """The files as the diary leaves them, up to a moment."""

    def __init__(self, began: bytes, *, names_linger: bool) -> None:
        self.kept: dict[str, bytearray] = {"log": bytearray(began)}
        self.fresh: dict[str, list[tuple[Any, ...]]] = {}
        self.removed: dict[str, bytearray] = {}
        self.acknowledged = 0
        self._linger = names_linger

    def do(self, deed: tuple[Any, ...]) -> None:
        what, name = deed[0], deed[1]
        if what == "acknowledged":
            self.acknowledged = name
        elif what == "make":
            self.removed.pop(name, None)
            self.kept[name], self.fresh[name] = bytearray(), []
        elif what == "sync":
            for one in self.fresh.pop(name, []):
                apply(self.kept[name], one)
        elif what == "remove":
            self.sync_if_known(name)
            gone = self.kept.pop(name, None)
            if self._linger and not deed[2] and gone is not None:
                self.removed[name] = gone
        else:
            self.fresh.setdefault(name, []).append(deed)

    def sync_if_known(self, name: str) -> None:
        """What is removed may come back only as it was synced; the rest of it is gone."""
        self.fresh.pop(name, None)

    def cut(self, folder: Path, rng: random.Random) -> None:
        """The power goes: write what is left into ``folder``."""
        for name, data in self.kept.items():
            left = bytearray(data)
            for deed in self.fresh.get(name, []):
                for part in sectors(deed):
                    if rng.random() < 0.5:
                        apply(left, part)
            (folder / name).write_bytes(left)
        for name, data in self.removed.items():
            if rng.random() < 0.5:
                (folder / name).write_bytes(data)


def sectors(deed: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    if deed[0] == "truncate":
        yield deed
        return
    _, name, offset, data = deed
    at = 0
    while at < len(data):
        room = SECTOR - (offset + at) % SECTOR
        yield ("write", name, offset + at, data[at : at + room])
        at += room


def apply(data: bytearray, deed: tuple[Any, ...]) -> None:
    if deed[0] == "truncate":
        size = deed[2]
        data[size:] = bytes(max(0, size - len(data)))
        return
    _, _, offset, fresh = deed
    if len(data) < offset:
        data.extend(bytes(offset - len(data)))
    data[offset : offset + len(fresh)] = fresh


def look(folder: Path, acknowledged: int, outcome: Outcome, where: str) -> None:
    """Open what is left with SQLite as it is, and judge it."""
    try:
        with SqliteLog(folder / "log") as log:
            size = log.size
            if size < acknowledged:
                outcome.find("lost", f"{acknowledged - size} acknowledged entries are gone {where}")
                return
            answer = log.audit()
            if not answer:
                outcome.find("damaged", f"{answer.reason} {where}")
                return
            if any(log.get_entry(number) != entry(number) for number in range(size)):
                outcome.find("damaged", f"an entry is not what was appended {where}")
                return
            log.append([b"life goes on"])
            if not log.audit():
                outcome.find("damaged", f"it could not go on {where}")
    except (LedgerError, sqlite3.Error) as wrong:
        outcome.find("damaged", f"{wrong} {where}")


def drill(mode: Mode, cuts: int, seed: int) -> Outcome:
    """So many cuts at random moments of a log that grows in this mode."""
    outcome = Outcome()
    try:
        import apsw  # noqa: F401
    except ImportError:
        outcome.skipped = "apsw is not installed here: the power cannot be cut."
        return outcome
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        work = Path(name)
        (work / "write").mkdir()
        diary, began = write(work / "write", mode, 60, rng)
        # Any moment; and, as often, the one right after an acknowledgement.
        told = [at for at, deed in enumerate(diary.deeds, 1) if deed[0] == "acknowledged"]
        anywhere = range(len(diary.deeds) + 1)
        moments = sorted(rng.choice(anywhere if cut % 2 else told) for cut in range(cuts))
        disk, at = Disk(began, names_linger=mode.names_linger), 0
        for number, moment in enumerate(moments):
            while at < moment:
                disk.do(diary.deeds[at])
                at += 1
            folder = work / str(number)
            folder.mkdir()
            disk.cut(folder, rng)
            look(folder, disk.acknowledged, outcome, f"(cut {number}, at deed {moment}).")
            shutil.rmtree(folder)
            outcome.cases += 1
    return outcome
