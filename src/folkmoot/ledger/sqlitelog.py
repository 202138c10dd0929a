"""A whole log in one SQLite file: entries, tree and order, for whoever installs the library alone.

The file holds a row per entry and a row per tile (C2SP tlog-tiles), written in one transaction that
is on disk before :meth:`SqliteLog.append` answers: WAL mode with ``synchronous=FULL``. With
``NORMAL``, as many advise, a power cut takes entries that were already acknowledged.

Triggers let rows be added at the end alone. They are a seat belt against mistakes: whoever can
write the file can take them out. Tampering is found by :meth:`SqliteLog.audit`, and by holding the
log's head against one that somebody else keeps (:class:`~.notary.Notary`, witnesses).
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from .durable import sync_folder
from .entries import MAX_ENTRY_BYTES
from .errors import EntryError, StoreError
from .tiles import TILE_WIDTH, Tree
from .tree import HASH_BYTES, Answer, leaf_hash, leaf_hashes

_APPLICATION = 0x466D4C67  # "FmLg": what makes the file known as a log of this library
_VERSION = 1
_JOURNAL = "wal"
_SYNCHRONOUS = "FULL"
_LEVEL_BITS = 56  # MAX_SIZE entries have fewer tiles than this can count
_AUDITED = 64  # tiles whose entries are read at once

_IN_ORDER = "entries are added at the end of the log, in order"
_NEVER = "what is in the log stays as it is"


def _rule(name: str, refuse: str, why: str = _NEVER, *, where: str = "") -> str:
    when = f" WHEN {where}" if where else ""
    return f"CREATE TRIGGER {name} BEFORE {refuse}{when} BEGIN SELECT RAISE(ABORT, '{why}'); END"


# INSERT OR REPLACE runs delete triggers only under recursive_triggers, which another program need
# not set; the rules on INSERT stand in its way in every program.
_SCHEMA = (
    'CREATE TABLE entry ("index" INTEGER PRIMARY KEY, data BLOB NOT NULL)',
    "CREATE TABLE tile (place INTEGER PRIMARY KEY, hashes BLOB NOT NULL)",
    'CREATE TABLE once (key TEXT PRIMARY KEY, first INTEGER NOT NULL, "count" INTEGER NOT NULL)',
    _rule(
        "entry_in_order",
        "INSERT ON entry",
        _IN_ORDER,
        where='NEW."index" IS NOT (SELECT coalesce(max("index") + 1, 0) FROM entry)',
    ),
    _rule("entry_stays", "UPDATE ON entry"),
    _rule("entry_is_kept", "DELETE ON entry"),
    _rule(
        "tile_is_new",
        "INSERT ON tile",
        where="EXISTS (SELECT 1 FROM tile WHERE place = NEW.place)",
    ),
    _rule(
        "tile_only_grows",
        "UPDATE ON tile",
        where="NEW.place IS NOT OLD.place OR length(NEW.hashes) < length(OLD.hashes)"
        " OR substr(NEW.hashes, 1, length(OLD.hashes)) IS NOT OLD.hashes",
    ),
    _rule("tile_is_kept", "DELETE ON tile"),
    _rule(
        "once_is_new",
        "INSERT ON once",
        where="EXISTS (SELECT 1 FROM once WHERE key = NEW.key)",
    ),
    _rule("once_stays", "UPDATE ON once"),
    _rule("once_is_kept", "DELETE ON once"),
)


class SqliteLog:
    """The log in the file ``path``, which is made where there is none.

    Any number of processes may have the same log open; writers wait for each other, up to
    ``wait_seconds``. One object belongs to the thread that made it. Close it, or use it in a
    ``with`` block.

    The file must stand on a local disk: SQLite's WAL does not work over a network. Its neighbours
    ``-wal`` and ``-shm`` belong to it; copy or move all of them or none.

    Raises :class:`~.errors.StoreError` here and in every method where the file cannot be read or
    written, is damaged, or is not such a log. The sentence says whether anything was appended;
    SQLite's own error is its cause.
    """

    def __init__(self, path: Path | str, *, wait_seconds: float = 30) -> None:
        self.path = Path(path)
        self._wait = wait_seconds
        with self._explained(""):
            if not self.path.exists():
                _make(self.path)
            self._db = _connect(self.path, wait_seconds)
            self._tiles = _Tiles(self._db)
            self._writes_safely = False
            try:
                self._recognise()
            except BaseException:
                self._db.close()
                raise

    def _recognise(self) -> None:
        (application,) = self._db.execute("PRAGMA application_id").fetchone()
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if (application, version) != (_APPLICATION, _VERSION):
            raise StoreError(
                f"{self.path} is not a log that this version of the library can keep. Give the "
                f"path of one, or of a file that does not exist yet."
            )

    def _write_safely(self) -> None:
        """Before the first append: what only writing needs would make up a tenth of a proof."""
        self._db.execute(f"PRAGMA synchronous={_SYNCHRONOUS}")
        self._db.execute("PRAGMA recursive_triggers=ON")
        # Anyone may have switched the file to another mode; this costs nothing where it is WAL.
        (mode,) = self._db.execute(f"PRAGMA journal_mode={_JOURNAL}").fetchone()
        if mode.decode() != _JOURNAL:
            raise StoreError(
                f"The log {self.path} cannot be kept safely here: its disk does not support "
                f"SQLite's WAL. Nothing was appended. Move it to a local disk."
            )
        self._writes_safely = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file. What was appended is on disk already."""
        with self._explained(""):
            self._db.close()

    @property
    def size(self) -> int:
        """The number of entries."""
        with self._explained(""):
            return self._count()

    def append(self, entries: Sequence[bytes], *, once: str = "") -> int:
        """Add ``entries`` in their order; the index of the first, counted from 0.

        All of them or none. They are durably on disk when this returns. A batch costs little more
        than one entry: what takes time is the disk's answer, once per call.

        Args:
            entries: each of 0 to 65,535 bytes. None at all append nothing.
            once: a key of the caller's for these entries. Called again with the same key and
                entries (because the answer was lost, say) this appends nothing and gives the
                first answer again.

        Raises:
            EntryError: an entry is too long or not bytes, or ``once`` stands for other entries.
            StoreError: the file could not be written. Where the disk failed in the very moment of
                committing, the sentence says that it is not known whether the entries were kept;
                ``once`` makes calling again safe.
        """
        _check(entries)
        leaves = leaf_hashes(entries)
        with self._writing():
            if once and (known := self._find_once(once, entries)) is not None:
                return known
            first = self._count()
            Tree(self._tiles, first).append(leaves)
            self._db.executemany("INSERT INTO entry VALUES (?, ?)", enumerate(entries, first))
            if once:
                self._db.execute("INSERT INTO once VALUES (?, ?, ?)", (once, first, len(entries)))
        return first

    def get_entry(self, index: int) -> bytes:
        """The entry at ``index``, counted from 0, held against its hash in the tree.

        Raises ValueError where there is none, and :class:`~.errors.StoreError` where it is not
        what was appended.
        """
        with self._explained(""):
            size = self._count()
            if not 0 <= index < size:
                raise ValueError(f"A log of {size} entries has no entry number {index}.")
            row = self._db.execute('SELECT data FROM entry WHERE "index" = ?', (index,)).fetchone()
            tile, at = divmod(index, TILE_WIDTH)
            hashes = self._tiles.read_tile(0, tile)
        data = b"" if row is None else _as_bytes(row[0])
        if row is None or leaf_hash(data) != hashes[at * HASH_BYTES : (at + 1) * HASH_BYTES]:
            raise StoreError(
                f"Entry {index} of the log {self.path} is not what was appended: its bytes or its "
                f"hash were changed by other ways than this library. Bring back a good copy."
            )
        return data

    def tree(self) -> Tree:
        """The tree of all entries there are now, for a :class:`~.notary.Notary` to sign.

        It reads from this log; use it before the log is closed, and ask anew after an append.
        """
        return Tree(_OnlyRead(self), self.size)

    def root(self, size: int | None = None) -> bytes:
        """The 32-byte root hash of the first ``size`` entries (of all by default).

        Raises ValueError where the log has fewer.
        """
        with self._explained(""):
            return Tree(self._tiles, self._count()).root(size)

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """See :meth:`~.tiles.Tree.inclusion_proof`."""
        with self._explained(""):
            return Tree(self._tiles, self._count()).inclusion_proof(index, size)

    def consistency_proof(self, old: int, new: int | None = None) -> list[bytes]:
        """See :meth:`~.tiles.Tree.consistency_proof`."""
        with self._explained(""):
            return Tree(self._tiles, self._count()).consistency_proof(old, new)

    def audit(self) -> Answer:
        """Whether the file is a whole log that holds together, with a sentence that says so.

        Hashes every entry anew and compares it with the tree, compares the tree's levels with each
        other, and looks whether rows or rules are missing or too many. Reads the whole file, and
        does not keep others from appending meanwhile. A log that was rewritten from one entry to
        its end, tree and all, holds together too: hold :meth:`root` against a head that was signed
        before.

        Raises :class:`~.errors.StoreError` only where the file cannot be read at all; what is
        damaged is the answer.
        """
        with self._explained(""):
            self._db.execute("BEGIN")
            try:
                wrong = self._find_wrong()
            except sqlite3.DatabaseError as damaged:
                if isinstance(damaged, sqlite3.OperationalError):
                    raise
                wrong = f"The file itself is damaged: {damaged}."
            finally:
                self._roll_back()
        if wrong is None:
            return Answer(ok=True, reason="Every entry is what was appended, and none is missing.")
        return Answer(ok=False, reason=wrong)

    def _find_wrong(self) -> str | None:
        kept = self._db.execute("SELECT sql FROM sqlite_master WHERE sql <> ''").fetchall()
        if {sql.decode(errors="replace") for (sql,) in kept} != set(_SCHEMA):
            return "The rules that let the log only grow were taken out of the file, or changed."
        size = self._count()
        tiles = self._tiles
        step = _AUDITED * TILE_WIDTH
        for start in range(0, size, step):
            # As many rows as numbers, and no two rows of a number: so none is missing.
            rows = self._db.execute(
                'SELECT data FROM entry WHERE "index" >= ? AND "index" < ? ORDER BY "index"',
                (start, start + step),
            ).fetchall()
            if len(rows) != min(step, size - start):
                return f"Entries from number {start} on are missing."
            hashes = b"".join(leaf_hashes([_as_bytes(data) for (data,) in rows]))
            for at in range(0, len(hashes), TILE_WIDTH * HASH_BYTES):
                held = tiles.read_tile(0, (start + at // HASH_BYTES) // TILE_WIDTH)
                made = hashes[at : at + TILE_WIDTH * HASH_BYTES]
                if held != made:
                    return _which_differs(start + at // HASH_BYTES, made, held)
        answer = Tree(tiles, size).audit()
        if not answer:
            return answer.reason
        return self._find_surplus(size)

    def _find_surplus(self, size: int) -> str | None:
        wanted, level = {}, 0
        while count := size >> (8 * level):
            for index in range(-(-count // TILE_WIDTH)):
                width = min(TILE_WIDTH, count - index * TILE_WIDTH)
                wanted[_place(level, index)] = width * HASH_BYTES
            level += 1
        if dict(self._db.execute("SELECT place, length(hashes) FROM tile")) != wanted:
            return "The tree has more tiles, or longer ones, than the log has entries for."
        (beyond,) = self._db.execute(
            'SELECT (SELECT count(*) FROM entry WHERE "index" < 0)'
            ' + (SELECT count(*) FROM once WHERE first < 0 OR first + "count" > ?)',
            (size,),
        ).fetchone()
        return "There are rows that no append left." if beyond else None

    def _count(self) -> int:
        (size,) = self._db.execute('SELECT coalesce(max("index") + 1, 0) FROM entry').fetchone()
        return int(size)

    def _find_once(self, once: str, entries: Sequence[bytes]) -> int | None:
        row = self._db.execute('SELECT first, "count" FROM once WHERE key = ?', (once,)).fetchone()
        if row is None:
            return None
        first, count = row
        held = self._db.execute(
            'SELECT data FROM entry WHERE "index" >= ? AND "index" < ? ORDER BY "index"',
            (first, first + count),
        ).fetchall()
        if [data for (data,) in held] != list(entries):
            raise EntryError(
                f"The key {once!r} stands for other entries, appended before from number {first} "
                f"on. Nothing was appended; give new entries a new key."
            )
        return int(first)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        # IMMEDIATE: a reader that turns into a writer is refused at once, however long it may wait.
        with self._explained(" Nothing was appended."):
            if not self._writes_safely:
                self._write_safely()
            self._db.execute("BEGIN IMMEDIATE")
        try:
            with self._explained(" Nothing was appended."):
                yield
            with self._explained(_UNCERTAIN):
                self._db.execute("COMMIT")
        finally:
            self._roll_back()

    def _roll_back(self) -> None:
        # SQLite has rolled back by itself after some errors (a full disk is one); asking it again
        # would put a second error in the place of the real one.
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    @contextlib.contextmanager
    def _explained(self, after: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as wrong:
            raise StoreError(_explain(self.path, wrong, self._wait, after)) from wrong


class _Tiles:
    """Tiles as rows. ``place`` is level and index in one number: the key SQLite is quickest at."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def read_tile(self, level: int, index: int) -> bytes:
        row = self._db.execute(
            "SELECT hashes FROM tile WHERE place = ?", (_place(level, index),)
        ).fetchone()
        return b"" if row is None else _as_bytes(row[0])

    def write_tile(self, level: int, index: int, hashes: bytes) -> None:
        place = _place(level, index)
        changed = self._db.execute(
            "UPDATE tile SET hashes = ? WHERE place = ? RETURNING 1", (hashes, place)
        ).fetchall()
        if not changed:
            self._db.execute("INSERT INTO tile VALUES (?, ?)", (place, hashes))


class _OnlyRead:
    """The log's tiles for those outside, who cannot add hashes without entries."""

    def __init__(self, log: SqliteLog) -> None:
        self._log = log

    def read_tile(self, level: int, index: int) -> bytes:
        with self._log._explained(""):  # noqa: SLF001 - the log's own other half
            return self._log._tiles.read_tile(level, index)  # noqa: SLF001

    def write_tile(self, level: int, index: int, hashes: bytes) -> None:  # noqa: ARG002
        raise StoreError("This tree is for reading. Append entries to the log; it grows the tree.")


_UNCERTAIN = (
    " It is not known whether the entries were kept: append them again with the same `once`, or "
    "look for them first."
)


def _place(level: int, index: int) -> int:
    return level << _LEVEL_BITS | index


def _check(entries: Sequence[bytes]) -> None:
    # Sets rather than a loop: this runs for every entry.
    if not set(map(type, entries)) <= {bytes}:
        raise EntryError("Every entry must be bytes.")
    longest = max(map(len, entries), default=0)
    if longest > MAX_ENTRY_BYTES:
        raise EntryError(f"An entry may be {MAX_ENTRY_BYTES} bytes; one is {longest}.")


def _as_bytes(value: object) -> bytes:
    # SQLite keeps whatever somebody else put into a column; it must not become another error.
    return value if isinstance(value, bytes) else str(value).encode()


def _which_differs(start: int, made: bytes, held: bytes) -> str:
    for at in range(0, len(made), HASH_BYTES):
        if made[at : at + HASH_BYTES] != held[at : at + HASH_BYTES]:
            number = start + at // HASH_BYTES
            return f"Entry {number} is not what was appended, or its hash in the tree was changed."
    return "The tree has more tiles, or longer ones, than the log has entries for."


def _connect(path: Path, wait_seconds: float) -> sqlite3.Connection:
    """The file, which must be there: one that somebody moved away is not made anew in silence."""
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", timeout=wait_seconds, isolation_level=None, uri=True
    )
    # Text that somebody put in the place of bytes is read as it stands, whether or not it is UTF-8.
    db.text_factory = bytes
    return db


def _make(path: Path) -> None:
    """An empty log at ``path``, whole or not at all; another's, where another was first."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        fresh.touch(mode=0o644, exist_ok=False)
        with contextlib.closing(_connect(fresh, 0)) as db:
            db.execute(f"PRAGMA application_id={_APPLICATION}")
            db.execute(f"PRAGMA user_version={_VERSION}")
            db.execute(f"PRAGMA synchronous={_SYNCHRONOUS}")
            db.execute("BEGIN")
            for statement in _SCHEMA:
                db.execute(statement)
            db.execute("COMMIT")
            db.execute(f"PRAGMA journal_mode={_JOURNAL}").fetchone()
        # Two programs that begin at once must end up with one log, so nothing is put in a place
        # that is taken.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(fresh)
        sync_folder(path.parent)
    except OSError as wrong:
        raise StoreError(f"The log {path} cannot be made: {wrong.strerror or wrong}.") from wrong
    finally:
        fresh.unlink(missing_ok=True)


def _explain(path: Path, wrong: sqlite3.Error, wait: float, after: str) -> str:
    code = getattr(wrong, "sqlite_errorcode", 0) & 0xFF
    said = f"({wrong}.)"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        why = (
            f"Another program was writing to the log {path} for more than {wait:g} seconds. Try "
            f"again."
        )
        after = after and " Nothing was appended."
    elif code == sqlite3.SQLITE_FULL:
        why = f"There is no room left on the disk of the log {path}. Make room and try again."
        after = after and " Nothing was appended."
    elif code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        why = f"The file of the log {path} is damaged or is no log. Bring back a good copy."
    elif code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY):
        why = (
            f"The log {path} cannot be opened for reading and writing. Look whether it is there, "
            f"and to whom the file and its folder belong."
        )
    elif code == sqlite3.SQLITE_IOERR:
        why = f"The disk of the log {path} failed. Look at the disk before you go on."
    else:
        why = f"The log {path} could not be read or written."
    return f"{why} {said}{after}"
