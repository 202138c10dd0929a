"""A file that is kept sealed, in pieces, under a subject's key: written and read as a stream.

The form is a line of magic, then for each piece its length in four bytes and the sealed bytes.
Each piece is sealed for its number and for whether it is the last, so that none can be left out,
moved or cut off without being found out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from folkmoot.desk.records import keys
from folkmoot.ledger import KeyLost, SubjectKey

_MAGIC = b"folkmoot sealed file 1\n"
PIECE_BYTES = 1 << 20
_LENGTH_BYTES = 4
_LONGEST = PIECE_BYTES + 256


def write_sealed(source: Path, target: Path, key: SubjectKey, place: str) -> int:
    """Seal the file ``source`` into ``target``, which must not exist; the size of what was sealed.

    ``target`` is readable by its owner alone, and whole on the disk when this returns. Raises
    OSError.
    """
    size = 0
    with source.open("rb") as plain, target.open("xb") as sealed:
        target.chmod(0o600)
        sealed.write(_MAGIC)
        number, piece = 0, plain.read(PIECE_BYTES)
        while True:
            following = plain.read(PIECE_BYTES)
            blob = keys.seal(key, _place(place, number, last=not following), piece)
            sealed.write(len(blob).to_bytes(_LENGTH_BYTES, "big") + blob)
            size += len(piece)
            if not following:
                break
            number, piece = number + 1, following
        sealed.flush()
        os.fsync(sealed.fileno())
    return size


def read_sealed(file: Path, number: int, place: str) -> Iterator[bytes]:
    """What is sealed in ``file`` under the key of this number, piece by piece.

    Raises ``folkmoot.ledger.KeyLost`` where the key is destroyed, or the file is not what was
    written, and OSError. What came before the piece that does not open has been given by then.
    """
    with file.open("rb") as sealed:
        if sealed.read(len(_MAGIC)) != _MAGIC:
            raise KeyLost(keys.CHANGED)
        index, blob = 0, _read_piece(sealed)
        while blob is not None:
            following = _read_piece(sealed)
            (piece,) = keys.unseal([(number, _place(place, index, last=following is None), blob)])
            if piece is None:
                raise KeyLost("This was destroyed: its key is gone, and nobody can open it.")
            yield piece
            index, blob = index + 1, following
        if index == 0:
            raise KeyLost(keys.CHANGED)


def _read_piece(sealed: BinaryIO) -> bytes | None:
    head = sealed.read(_LENGTH_BYTES)
    if not head:
        return None
    length = int.from_bytes(head, "big")
    blob = sealed.read(length) if length <= _LONGEST else b""
    if len(head) != _LENGTH_BYTES or len(blob) != length:
        raise KeyLost(keys.CHANGED)
    return blob


def _place(place: str, number: int, *, last: bool) -> str:
    return f"{place}/{number}{'/last' if last else ''}"
