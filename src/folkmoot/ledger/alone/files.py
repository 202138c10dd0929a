"""The files of a bag: in a folder, or in a zip file that is read in place and never unpacked."""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

from .keys import Wrong

MAX_FILES = 200_000
MAX_BYTES = 16 << 30
MAX_LINE = 8 << 20
CHUNK = 1 << 20

# A zip that is mostly one repeated byte unpacks to a thousand times its size; a bag never does.
_BOMB_BYTES = 256 << 20
_BOMB_RATIO = 100

_LOCAL_HEADER = 30  # bytes before a packed file's name; and what may stand after its contents
_AFTER_CONTENTS = (0, 12, 16, 20, 24)
_OTHER_NAME = 0x7075  # a second name, which some programs take for the first


class Files:
    """The files of a bag by name (``data/records.jsonl``), with their sizes in bytes."""

    def __init__(
        self,
        sizes: dict[str, int],
        opener: Callable[[str], IO[bytes]],
        closer: Callable[[], None] = lambda: None,
    ) -> None:
        if len(sizes) > MAX_FILES or sum(sizes.values()) > MAX_BYTES:
            raise Wrong("It holds more files or bytes than a bag may; nothing of it was read.")
        self.sizes = sizes
        self.open = opener
        self.close = closer

    def __enter__(self) -> Files:  # noqa: PYI034 - Self is of Python 3.11
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()

    def read(self, name: str, limit: int) -> bytes:
        """The whole of a file of at most ``limit`` bytes."""
        if self.sizes[name] > limit:
            raise Wrong(f"{name} is longer than {limit} bytes.")
        with self.open(name) as file:
            return file.read()

    def chunks(self, name: str) -> Iterator[bytes]:
        """A file piece by piece."""
        with self.open(name) as file:
            try:
                while piece := file.read(CHUNK):
                    yield piece
            except (zipfile.BadZipFile, zlib.error, EOFError) as wrong:
                raise Wrong(f"{name} cannot be read from the zip file: it is damaged.") from wrong

    def lines(self, name: str) -> Iterator[bytes]:
        """A file line by line, without the newlines."""
        with self.open(name) as file:
            while line := file.readline(MAX_LINE):
                if not line.endswith(b"\n"):
                    raise Wrong(f"A line of {name} is too long, or has no end.")
                yield line[:-1]

    def is_exactly(self, name: str, texts: Iterable[str]) -> bool:
        """Whether a file holds exactly these texts one after the other."""
        with self.open(name) as file:
            for text in texts:
                data = text.encode()
                if file.read(len(data)) != data:
                    return False
            return file.read(1) == b""


def open_files(path: Path) -> Files:
    """The files at ``path``, a folder or a zip file.

    Raises :class:`Wrong` where there are links, special files or names that no bag has, and
    ``OSError`` where nothing can be read.
    """
    if path.is_dir():
        sizes = dict(_walk(str(path), ""))
        return Files(sizes, lambda name: (path / name).open("rb"))
    return _open_zip(path)


def _walk(folder: str, prefix: str) -> Iterator[tuple[str, int]]:
    with os.scandir(folder) as found:
        for one in found:
            name = prefix + one.name
            if one.is_symlink():
                raise Wrong(f"{name} is a link to somewhere else; a bag holds plain files only.")
            if one.is_dir(follow_symlinks=False):
                yield from _walk(one.path, f"{name}/")
            elif one.is_file(follow_symlinks=False):
                yield name, one.stat(follow_symlinks=False).st_size
            else:
                raise Wrong(f"{name} is no plain file; a bag holds plain files only.")


def _open_zip(path: Path) -> Files:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as wrong:
        raise Wrong("This is neither a bag's folder nor a whole zip file.") from wrong
    try:
        entries = _find_entries(archive)
        _refuse_hidden(path, archive)
        top = _find_top(entries)
        sizes = {name[len(top) :]: one.file_size for name, one in entries.items()}
        _refuse_bomb(sum(sizes.values()), path.stat().st_size)
        return Files(sizes, lambda name: _open_entry(archive, entries[top + name]), archive.close)
    except BaseException:
        archive.close()
        raise


def _refuse_bomb(unpacked: int, packed: int) -> None:
    if unpacked > _BOMB_BYTES and unpacked > _BOMB_RATIO * packed:
        raise Wrong("The zip file would unpack to over a hundred times its size; it is not read.")


def _refuse_hidden(path: Path, archive: zipfile.ZipFile) -> None:
    """Some programs read a zip file's list of files, which stands at its end, and some read it from
    the front. Nothing may be in it that only one of them finds.
    """
    hidden = "The zip file holds more than its list of files says; programs would differ over it."
    if archive.comment:
        raise Wrong(hidden)
    ends = 0
    allowed: tuple[int, ...] = (0,)
    with path.open("rb") as file:
        for one in sorted(archive.infolist(), key=lambda found: found.header_offset):
            if one.header_offset - ends not in allowed:
                raise Wrong(hidden)
            file.seek(one.header_offset)
            head = file.read(_LOCAL_HEADER)
            named = int.from_bytes(head[26:28], "little")
            lengths = named + int.from_bytes(head[28:], "little")
            extra = file.read(lengths)[named:]
            if _OTHER_NAME in (*_kinds(extra), *_kinds(one.extra)):
                raise Wrong(f"{one.filename} in the zip file has two names; programs would differ.")
            ends = one.header_offset + _LOCAL_HEADER + lengths + one.compress_size
            allowed = _AFTER_CONTENTS
    if archive.start_dir - ends not in allowed:
        raise Wrong(hidden)


def _kinds(extra: bytes) -> Iterator[int]:
    """The kinds of the further parts of a packed file's header."""
    while len(extra) >= 4:  # noqa: PLR2004 - kind and length, two bytes each
        yield int.from_bytes(extra[:2], "little")
        extra = extra[4 + int.from_bytes(extra[2:4], "little") :]


def _find_entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    entries: dict[str, zipfile.ZipInfo] = {}
    for one in archive.infolist():
        name = one.filename
        steps = name[:-1].split("/") if name.endswith("/") else name.split("/")
        if (
            "\\" in name
            or ":" in steps[0]
            or one.orig_filename != name
            or {"", ".", ".."} & {*steps}
        ):
            raise Wrong(
                f"The zip file holds the name {name!r}, which no bag has; nothing was read."
            )
        mode = one.external_attr >> 16
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise Wrong(f"{name} in the zip file is a link; a bag holds plain files only.")
        if one.flag_bits & 1 or one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Wrong(f"{name} in the zip file is encrypted, or packed in a way no bag is.")
        if name in entries:
            raise Wrong(f"The zip file holds {name} twice; programs would differ over which it is.")
        if not name.endswith("/"):
            entries[name] = one
        elif one.file_size:
            raise Wrong(f"{name} in the zip file is a folder with contents of its own.")
    return entries


def _find_top(entries: dict[str, zipfile.ZipInfo]) -> str:
    """The one folder that everything is in, with its slash; empty where the bag is at the top."""
    tops = {name.partition("/")[0] for name in entries}
    if "bagit.txt" in entries or not tops:
        return ""
    if len(tops) > 1:
        raise Wrong("The zip file holds more than one folder; a bag is one.")
    return f"{tops.pop()}/"


def _open_entry(archive: zipfile.ZipFile, one: zipfile.ZipInfo) -> IO[bytes]:
    try:
        return archive.open(one)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError) as wrong:
        raise Wrong(f"{one.filename} cannot be read from the zip file: it is damaged.") from wrong
