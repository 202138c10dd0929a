"""The files of a pack's folder, and the digest that names exactly that set of files.

Internal to :mod:`folkmoot.guidance`. The formula of the digest is in ``docs/packs.md``; change it
there and here together, and only with a new major version: recorded digests must stay checkable.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

from .model import PackError

# What editors and interpreters leave lying about. Never part of a pack.
LEFTOVER_FOLDERS = frozenset({"__pycache__"})
LEFTOVER_ENDINGS = ("~", ".bak", ".orig", ".swo", ".swp", ".tmp")


def read_files(folder: Path) -> dict[str, bytes]:
    """Every file of the pack in ``folder``, by its path with forward slashes, in sorted order.

    Files are read once, so what is parsed is what was digested. Dot files, ``__pycache__`` and
    editors' backups are left out.

    Raises:
        PackError: The folder is not there or cannot be read, or holds a link, something that is
            not a plain file, or a name that could not be written in a manifest.
    """
    files: dict[str, bytes] = {}
    _collect(folder, "", files)
    return dict(sorted(files.items(), key=lambda item: item[0].encode("utf-8")))


def digest_files(files: Mapping[str, bytes], parents: Iterable[tuple[str, str]]) -> str:
    """The digest of a pack: lower-case hexadecimal SHA-256 of its manifest.

    The manifest is UTF-8 text. For each of ``files``, sorted by the bytes of its path:
    the SHA-256 of its bytes in lower-case hexadecimal, two spaces, the path, a newline (the form
    ``sha256sum`` prints). Then for each of ``parents``, as (id, digest) in the order they are
    extended: the digest, two spaces, ``extends:`` and the id, a newline.
    """
    manifest = sha256()
    for path in sorted(files, key=lambda path: path.encode("utf-8")):
        manifest.update(f"{sha256(files[path]).hexdigest()}  {path}\n".encode())
    for pack_id, digest in parents:
        manifest.update(f"{digest}  extends:{pack_id}\n".encode())
    return manifest.hexdigest()


def _collect(folder: Path, prefix: str, files: dict[str, bytes]) -> None:
    for entry in _entries(folder):
        if _is_leftover(entry.name):
            continue
        # A backslash, a control character or a byte that is not UTF-8 (a lone surrogate here)
        # would give the manifest two readings. str.isprintable refuses the last two.
        if "\\" in entry.name or not entry.name.isprintable():
            raise PackError(
                folder,
                repr(entry.name),
                "A file's name may hold no backslash, no control character and nothing but UTF-8.",
            )
        if entry.is_symlink():
            raise PackError(
                Path(entry.path), "", "This is a link. A pack holds its own files; copy it in."
            )
        if entry.is_dir(follow_symlinks=False):
            _collect(Path(entry.path), f"{prefix}{entry.name}/", files)
        elif entry.is_file(follow_symlinks=False):
            files[f"{prefix}{entry.name}"] = read_file(entry.path)
        else:
            raise PackError(
                Path(entry.path), "", "This is neither a file nor a folder. Take it out."
            )


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return list(os.scandir(folder))
    except FileNotFoundError as wrong:
        raise PackError(folder, "", "There is no such folder.") from wrong
    except NotADirectoryError as wrong:
        raise PackError(
            folder, "", "This is a file. A pack is a folder with a pack.toml."
        ) from wrong
    except OSError as wrong:
        raise PackError(folder, "", f"The folder cannot be read: {wrong.strerror}.") from wrong


def read_file(file: str | Path) -> bytes:
    """The bytes of one file of a pack.

    Raises:
        PackError: The file cannot be read.
    """
    # A pack is some 300 small files: making a Path and a buffer for each costs as much as reading.
    try:
        with open(file, "rb", buffering=0) as opened:  # noqa: PTH123
            return opened.read()
    except OSError as wrong:
        raise PackError(Path(file), "", f"The file cannot be read: {wrong.strerror}.") from wrong


def _is_leftover(name: str) -> bool:
    return (
        name.startswith(".")
        or name in LEFTOVER_FOLDERS
        or name.endswith(LEFTOVER_ENDINGS)
        or (name.startswith("#") and name.endswith("#"))
    )
