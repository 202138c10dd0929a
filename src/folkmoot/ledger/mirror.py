"""A log as files that any web server can serve and anybody can copy: C2SP tlog-tiles in a folder.

A mirror is brought up to date from a tree and its entries, and read back without either. Full tiles
and bundles never change; ``checkpoint`` is replaced last, when all that it promises is on disk. So
a reader never finds a head whose entries are missing, and an update that was cut off is simply done
again.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from .durable import locked, replace_durably, sync_folder
from .errors import ForkRefused, MirrorError, TileError
from .notes import MAX_NOTE_BYTES, Checkpoint, NoteVerifier, open_note
from .tilepaths import (
    CHECKPOINT_PATH,
    MAX_BUNDLE_BYTES,
    BundleName,
    TileName,
    names_of,
    parse_bundle,
    render_bundle,
)
from .tiles import TILE_WIDTH, Tree, tile_root
from .tree import HASH_BYTES, leaf_hash, verify_consistency

_SYNC_SINGLY = 64
"""Up to so many files are brought to disk one by one; for more it is quicker to have all written
out at once."""

ReadEntries = Callable[[int, int], Iterable[bytes]]
"""Gives the bytes of the entries from one number up to, not with, another, in their order."""


class FileTiles:
    """Tiles as files below ``folder``: a :class:`~folkmoot.ledger.TileStore`.

    Args:
        folder: the mirror.
        size: the number of entries of the head that is read, which says how wide each tile must be.
            Without it the widest file that is there is read, as suits a tree that is written here.

    Writing is not durable until the mirror's checkpoint is; see :meth:`Mirror.update`.
    """

    def __init__(self, folder: Path, size: int | None = None) -> None:
        self.folder = folder
        self.size = size

    def read_tile(self, level: int, index: int) -> bytes:
        """The tile's hashes; empty where there is none.

        Raises :class:`TileError` for a file of another length than its name says, and OSError where
        it cannot be read.
        """
        for width in self._widths(level, index):
            name = TileName(level, index, width)
            data = _read_file(self.folder / name.path, TILE_WIDTH * HASH_BYTES)
            if data is None:
                continue
            if len(data) != width * HASH_BYTES:
                raise TileError(
                    f"The file {name.path} holds {len(data)} bytes; it must hold {width} hashes of "
                    f"{HASH_BYTES}."
                )
            return data
        return b""

    def write_tile(self, level: int, index: int, hashes: bytes) -> None:
        """Keep a tile under the name of its width; what was there under another name stays."""
        _write_file(self.folder / TileName(level, index, len(hashes) // HASH_BYTES).path, hashes)

    def _widths(self, level: int, index: int) -> list[int]:
        """The widths under which to look for a tile, in that order."""
        if self.size is not None:
            width = min(TILE_WIDTH, (self.size >> (8 * level)) - index * TILE_WIDTH)
            # The full tile will do for any part of it, and may be all that was kept.
            return list(dict.fromkeys((width, TILE_WIDTH))) if width > 0 else []
        partial = (self.folder / TileName(level, index).path).with_suffix(".p")
        names = [one.name for one in partial.iterdir()] if partial.is_dir() else []
        held = {int(one) for one in names if one.isascii() and one.isdigit()}
        return [TILE_WIDTH, *sorted(held & set(range(1, TILE_WIDTH)), reverse=True)]


class Mirror:
    """The mirror of one log in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find_checkpoint(self) -> str | None:
        """The head as it is published, verified by nobody yet; None where there is none.

        Raises :class:`MirrorError` where the file is no text or far too long, and OSError where it
        cannot be read.
        """
        data = _read_file(self.folder / CHECKPOINT_PATH, MAX_NOTE_BYTES)
        try:
            return None if data is None else data.decode()
        except UnicodeDecodeError as wrong:
            raise MirrorError("The mirror's checkpoint is not UTF-8 text.") from wrong

    def tree(self, size: int) -> Tree:
        """The tree of the first ``size`` entries, for proofs out of the mirror's tiles.

        The tiles are whatever the folder holds: compare ``root()`` with a signed head first, and
        :func:`~folkmoot.ledger.auditing.audit_mirror` tells where they are wrong.
        """
        return Tree(FileTiles(self.folder, size), size)

    def read_bundle(self, begin: int, end: int) -> list[bytes]:
        """The entries from number ``begin``, which a bundle begins with, up to ``end``.

        Raises :class:`MirrorError` where the bundle is missing, malformed or too short, and OSError
        where it cannot be read. Whether the entries are those of the log is not looked at.
        """
        index = begin // TILE_WIDTH
        for name in dict.fromkeys((BundleName(index, end - begin), BundleName(index))):
            data = _read_file(self.folder / name.path, MAX_BUNDLE_BYTES)
            if data is None:
                continue
            try:
                entries = parse_bundle(data)
            except MirrorError as wrong:
                raise MirrorError(f"The file {name.path} cannot be read: {wrong}") from wrong
            if len(entries) != name.width:
                raise MirrorError(
                    f"The file {name.path} holds {len(entries)} entries; it must hold {name.width}."
                )
            return entries[: end - begin]
        wanted = BundleName(index, end - begin).path
        raise MirrorError(f"The file {wanted} is missing: entries {begin} to {end - 1} are in it.")

    def update(
        self, tree: Tree, entries: ReadEntries, checkpoint: str, keys: Sequence[NoteVerifier]
    ) -> None:
        """Bring the mirror up to the head ``checkpoint``: files that are missing, then the head.

        Two updates at once wait for each other. The same head with more cosignatures is put in its
        place.

        Args:
            tree: the log; it has the entries of ``checkpoint`` and may have more.
            entries: reads the log's entries. Each is held against its hash before it is published.
            checkpoint: the note to publish.
            keys: the log's keys; one of them must have signed it, and the head that is there.

        Raises:
            ForkRefused: the head that is published here is of more entries, or of others.
            MirrorError: the head is not that of ``tree``, an entry does not hash to its leaf, or a
                tile to what stands above it.
            NoteError: the log did not sign the checkpoint, or the one that is there.
            TileError: the store lacks hashes of the tree.
            OSError: a file cannot be read or written.
        """
        head = Checkpoint.from_text(open_note(checkpoint, keys).text)
        if head.size > tree.size or tree.root(head.size) != head.root:
            raise MirrorError(
                f"The head of {head.size} entries is not that of this log. Nothing was published."
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder / CHECKPOINT_PATH):
            last = self._find_last(tree, head, keys)
            _settle(self.folder, self._write(tree, entries, head, last))
            if self.find_checkpoint() != checkpoint:
                replace_durably(self.folder / CHECKPOINT_PATH, checkpoint.encode())
            self._drop_partial(_fresh(head.size, last))

    def _write(
        self, tree: Tree, entries: ReadEntries, head: Checkpoint, last: int
    ) -> Sequence[Path]:
        """Write the files that a mirror of ``last`` entries lacks; which they are.

        The root is made of few tiles, and the entries are held against those of the lowest level.
        So each full tile is held against the one above it, and what was written against the root.
        """
        written: list[Path] = []
        full: dict[int, bytearray] = {}
        begins: dict[int, int] = {}
        for name in _fresh(head.size, last):
            tile = tree.read_tile(name.level, name.index, name.width)
            if name.level == 0:
                bundle = BundleName(name.index, name.width)
                data = render_bundle(_checked(entries(bundle.begin, bundle.end), bundle, tile))
                written.append(_write_file(self.folder / bundle.path, data))
            else:
                _refuse_unlike(name, tile, full[name.level - 1], begins[name.level - 1])
            below = full.setdefault(name.level, bytearray())
            begins.setdefault(name.level, name.index)
            if name.width == TILE_WIDTH:
                below += tile_root(tile)
            written.append(_write_file(self.folder / name.path, tile))
        if self.tree(head.size).root() != head.root:
            raise MirrorError(
                "The tiles that were written do not lead to the signed root: the log gave others "
                "than before. Nothing was published."
            )
        return written

    def _find_last(self, tree: Tree, head: Checkpoint, keys: Sequence[NoteVerifier]) -> int:
        """The size of the head that is published, if ``head`` grew out of it."""
        held = self.find_checkpoint()
        if held is None:
            return 0
        last = Checkpoint.from_text(open_note(held, keys).text)
        if (last.origin, last.size) == (head.origin, 0):
            return 0
        if last.origin != head.origin:
            raise ForkRefused(
                f"The folder {self.folder} is the mirror of the log {last.origin!r}, not of "
                f"{head.origin!r}. Nothing was published."
            )
        if last.size > head.size:
            raise ForkRefused(
                f"The mirror {self.folder} published a head of {last.size} entries, and this one "
                f"has {head.size}. Nothing was published: did the log lose entries?"
            )
        proof = tree.consistency_proof(last.size, head.size)
        answer = verify_consistency(last.size, head.size, last.root, head.root, proof)
        if not answer:
            raise ForkRefused(
                f"The log does not begin with the {last.size} entries whose head the mirror "
                f"{self.folder} published. Nothing was published. ({answer.reason})"
            )
        return last.size

    def _drop_partial(self, fresh: Iterable[TileName]) -> None:
        """Take away the parts of tiles that are full now, which the format lets a log do."""
        for name in fresh:
            if name.width == TILE_WIDTH:
                for full in (name.path, BundleName(name.index).path if not name.level else ""):
                    partial = (self.folder / full).with_suffix(".p") if full else None
                    if partial is not None and partial.is_dir():
                        shutil.rmtree(partial)


def _fresh(size: int, last: int) -> Iterator[TileName]:
    """The tiles that a log of ``size`` entries has and a mirror of ``last`` entries lacks."""
    return (name for name in names_of(size, last) if not name.is_within(last))


def _refuse_unlike(name: TileName, tile: bytes, full: bytearray, begins: int) -> None:
    """Raise where a tile does not hold what the full ones below it hash to: ``full`` has the hash
    of each from number ``begins`` on.
    """
    first = name.index * TILE_WIDTH
    for at in range(max(begins - first, 0), name.width):
        below = (first + at - begins) * HASH_BYTES
        if tile[at * HASH_BYTES : (at + 1) * HASH_BYTES] != full[below : below + HASH_BYTES]:
            raise MirrorError(
                f"Tile {name.index} of level {name.level} does not hold what tile {first + at} of "
                f"level {name.level - 1} hashes to: one of the two was changed. Nothing was "
                f"published."
            )


def _checked(entries: Iterable[bytes], bundle: BundleName, tile: bytes) -> list[bytes]:
    found = list(entries)
    if len(found) != bundle.width:
        raise MirrorError(
            f"Of the entries {bundle.begin} to {bundle.end - 1} the log gave {len(found)}. Nothing "
            f"was published."
        )
    for number, entry in enumerate(found):
        if leaf_hash(entry) != tile[number * HASH_BYTES : (number + 1) * HASH_BYTES]:
            raise MirrorError(
                f"Entry {bundle.begin + number} does not hash to what tile {bundle.index} of level "
                f"0 holds for it: one of the two was changed in the store. Nothing was published."
            )
    return found


def _read_file(file: Path, most: int) -> bytes | None:
    """The bytes of a regular file, at most one more than ``most``; None where there is none."""
    try:
        # Not to wait for ever where somebody put a pipe into the folder.
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise MirrorError(f"{file} is not a file.")
    with os.fdopen(descriptor, "rb") as held:
        data = held.read(most + 1)
    if len(data) > most:
        raise MirrorError(f"The file {file} is longer than {most} bytes and was not read.")
    return data


def _write_file(file: Path, data: bytes) -> Path:
    """Put ``data`` at ``file``, so that a reader finds it whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(file.name + ".new")
    fresh.write_bytes(data)
    fresh.replace(file)
    return file


def _settle(folder: Path, files: Sequence[Path]) -> None:
    """Have all these files below ``folder`` on disk before the head that promises them."""
    if len(files) > _SYNC_SINGLY and hasattr(os, "sync"):
        os.sync()
        return
    for file in files:
        descriptor = os.open(file, os.O_RDWR)  # Windows syncs only what may be written
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    above = {one for file in files for one in file.parents if one.is_relative_to(folder)}
    for one in above:
        sync_folder(one)
