"""The engine's tree on the desk's tables, and the log's own keys.

Only who signs needs the private key, ``keys/ledger.key``; everybody else reads ``keys/ledger.pub``:
a line for each public key, the current one first and those before it after.
"""

from __future__ import annotations

import secrets
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from folkmoot.desk.keyfile import read_or_make
from folkmoot.ledger import LedgerError, Notary, Signer, Tree, Verifier

from . import models

PRIVATE, PUBLIC, NEXT = "ledger.key", "ledger.pub", "ledger.next"


class NoLogKey(LedgerError):
    """The log's key is not here, or may not be read by this process."""


class TableTiles:
    """Tiles in the table :class:`~.models.Tile`: the engine's ``TileStore``."""

    def read_tile(self, level: int, index: int) -> bytes:
        """The hashes of a tile, one after the other; empty where there is none."""
        hashes = (
            models.Tile.objects.filter(level=level, index=index)
            .values_list("hashes", flat=True)
            .first()
        )
        return bytes(hashes) if hashes is not None else b""

    def write_tile(self, level: int, index: int, hashes: bytes) -> None:
        """Keep a tile, replacing a shorter one at its place."""
        # The sequencer is the only one who writes here: no need to look and lock first.
        if not models.Tile.objects.filter(level=level, index=index).update(hashes=hashes):
            models.Tile.objects.create(level=level, index=index, hashes=hashes)


def log_tree() -> Tree:
    """The whole log as a tree."""
    return Tree(TableTiles(), log_size())


def log_size() -> int:
    """The number of entries in the log, signed for or not."""
    last = models.Entry.objects.order_by("-index").values_list("index", flat=True).first()
    return 0 if last is None else last + 1


def signs_here() -> bool:
    """Whether the worker signs, as on one box, and no signer of its own does."""
    return not settings.CONFIG.separate_signer


def signer() -> Signer:
    """The log's signing key, made for a new log.

    Raises :class:`NoLogKey` where it is gone though it was published, or may not be read, and
    ``folkmoot.ledger.NoteError`` where it is damaged.
    """
    file = _file(PRIVATE)
    if not file.exists() and _file(PUBLIC).exists():
        raise NoLogKey(
            f"The key that signs the record, {file.name}, is not here, though its public half is. "
            "Nothing was signed. Put it back from where you keep a copy of it; if it is lost for "
            "good, the record needs a new name (docs/records.md)."
        )
    try:
        text = read_or_make(file, lambda: Signer.generate(settings.CONFIG.origin).to_text())
    except OSError as closed:
        raise NoLogKey(
            f"The key that signs the record, {file.name}, cannot be read ({closed.strerror}). Let "
            "the user read it as whom the signer runs, and nobody else."
        ) from closed
    return _read_signer(text)


@lru_cache(maxsize=2)
def _read_signer(text: str) -> Signer:
    return Signer.from_text(text)


def log_keys() -> tuple[str, ...]:
    """The log's public keys as anyone needs them to verify: the current one, then those before it.

    Where the key was never published and may be read here, it is published. Raises
    :class:`NoLogKey` where it is neither.
    """
    file = _file(PUBLIC)
    try:
        lines = tuple(file.read_text(encoding="ascii").split())
    except FileNotFoundError:
        lines = ()
    except OSError as closed:
        raise NoLogKey(
            f"The record's public key, {file.name}, cannot be read ({closed.strerror}). Let "
            "everybody read it."
        ) from closed
    if lines:
        return lines
    if not signs_here():
        raise NoLogKey(
            f"The record's public key is not here. Copy {file.name} from the home of the signer, "
            f"where `folkmoot ledger sign` writes it, to {file}."
        )
    return publish_key()


def publish_key() -> tuple[str, ...]:
    """Have the public half of the key that signs stand where all can read it; :func:`log_keys`.

    For whoever may read the private key. Raises :class:`NoLogKey` where another key is published:
    a key is not changed by putting a file in the place of another.
    """
    vkey, file = signer().vkey, _file(PUBLIC)
    written = file.read_text(encoding="ascii").split() if file.exists() else []
    if not written:
        write_keys([vkey])
        return (vkey,)
    if written[0] != vkey:
        raise NoLogKey(
            f"The key that would sign the record, in {PRIVATE}, is not the one that was published, "
            f"in {file.name}. Nothing was signed. Put the right key back; to begin to use a new "
            "one, run `folkmoot ledger key change`."
        )
    return tuple(written)


def write_keys(vkeys: list[str]) -> None:
    """Publish these keys, the current one first."""
    file = _file(PUBLIC)
    fresh = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    fresh.touch(mode=0o644)
    fresh.write_text("\n".join(vkeys) + "\n", encoding="ascii")
    fresh.chmod(0o644)  # whatever the process's umask: it is no secret
    fresh.replace(file)


def log_verifiers() -> list[Verifier]:
    """:func:`log_keys`, ready to judge signatures; also ``folkmoot.ledger.NoteError``."""
    return [Verifier.from_text(key) for key in log_keys()]


def notary() -> Notary:
    """The signer with its memory, a file outside the database: it refuses to sign a fork, and to
    sign at all where a head was signed before and the memory of it is gone.
    """
    _, *former = publish_key()
    return Notary(
        signer(),
        memory(),
        required=models.Checkpoint.objects.exists(),
        former_keys=[Verifier.from_text(key) for key in former],
    )


def is_remembered(note: str) -> bool:
    """Whether this is the head that was signed last, as the signer's memory has it. A memory that
    cannot be read is for the signer to speak of.
    """
    try:
        return memory().read_bytes() == note.encode()
    except OSError:
        return False


def memory() -> Path:
    """The file in which the signer remembers the last head it signed."""
    file: Path = settings.CONFIG.home / "ledger.checkpoint"
    return file


def _file(name: str) -> Path:
    file: Path = settings.CONFIG.key_file(name)
    return file
