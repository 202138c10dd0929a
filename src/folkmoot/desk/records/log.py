"""The engine's tree on the desk's tables, and the log's own key."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from folkmoot.desk.keyfile import read_or_make
from folkmoot.ledger import Notary, Signer, Tree

from . import models


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
        models.Tile.objects.update_or_create(level=level, index=index, defaults={"hashes": hashes})


def log_tree() -> Tree:
    """The whole log as a tree."""
    last = models.Entry.objects.order_by("-index").values_list("index", flat=True).first()
    return Tree(TableTiles(), 0 if last is None else last + 1)


@lru_cache(maxsize=1)
def signer() -> Signer:
    """The log's signing key, made on first use and kept in a file outside the database."""
    config = settings.CONFIG
    return Signer.from_text(
        read_or_make(
            config.key_file("ledger.key"), lambda: Signer.generate(config.origin).to_text()
        )
    )


def notary() -> Notary:
    """The signer with its memory, a file outside the database: it refuses to sign a fork, and to
    sign at all where a head was signed before and the memory of it is gone.
    """
    return Notary(
        signer(),
        _memory(),
        required=models.Checkpoint.objects.exists(),
    )


def is_remembered(note: str) -> bool:
    """Whether this is the head that was signed last, as the signer's memory has it. A memory that
    cannot be read is for the signer to speak of.
    """
    try:
        return _memory().read_bytes() == note.encode()
    except OSError:
        return False


def _memory() -> Path:
    return settings.CONFIG.home / "ledger.checkpoint"
