"""Taking a log from the address where it is published (C2SP tlog-tiles), with Python alone.

Nothing that comes over the wire is believed: the head must be signed, and every tile and entry must
hash to it (:class:`~folkmoot.ledger.mirror.Mirror`). So it does not matter who answers.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from .errors import MirrorError
from .mirror import Mirror
from .notes import MAX_NOTE_BYTES, Checkpoint, NoteVerifier, open_note
from .proofs import visible
from .tilepaths import CHECKPOINT_PATH, MAX_BUNDLE_BYTES, BundleName, TileName, parse_bundle
from .tiles import TILE_WIDTH, Tree
from .tree import HASH_BYTES

SECONDS = 30.0
"""How long an answer may keep us waiting between two parts of it."""
_TILES_KEPT = 1_024


class HttpLog:
    """A log at ``url``, the address below which ``checkpoint`` and ``tile/`` are.

    Raises :class:`MirrorError` for an address that is not http or https.
    """

    def __init__(self, url: str, *, seconds: float = SECONDS) -> None:
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
            raise MirrorError(f"{visible(url)} is not an address on the web.")
        self.url = url.rstrip("/")
        self.seconds = seconds
        self.size = 0
        """Entries of the head that is read, which says how wide the last tiles are."""
        self._tiles: dict[tuple[int, int], bytes] = {}

    def fetch_checkpoint(self) -> str:
        """The head that is published now, verified by nobody yet.

        Raises :class:`MirrorError` where there is none, or it cannot be had.
        """
        data = self._fetch(CHECKPOINT_PATH, MAX_NOTE_BYTES)
        if data is None:
            raise MirrorError(f"There is no log at {visible(self.url)}: it has no checkpoint.")
        try:
            return data.decode()
        except UnicodeDecodeError as wrong:
            raise MirrorError("The log's checkpoint is not UTF-8 text.") from wrong

    def read_tile(self, level: int, index: int) -> bytes:
        """A tile's hashes; empty where there is none. Raises :class:`MirrorError`."""
        held = self._tiles.get((level, index))
        if held is not None:
            return held
        width = min(TILE_WIDTH, (self.size >> (8 * level)) - index * TILE_WIDTH)
        if width <= 0:
            return b""
        for name in dict.fromkeys((TileName(level, index, width), TileName(level, index))):
            data = self._fetch(name.path, TILE_WIDTH * HASH_BYTES)
            if data is not None:
                if len(self._tiles) >= _TILES_KEPT:
                    self._tiles.clear()
                self._tiles[level, index] = data
                return data
        return b""

    def write_tile(self, level: int, index: int, hashes: bytes) -> None:  # noqa: ARG002 - a store's
        """Not for a log that is somebody else's: raises :class:`MirrorError`."""
        raise MirrorError("A log that is fetched is not written.")

    def read_entries(self, begin: int, end: int) -> Iterator[bytes]:
        """The entries from number ``begin`` up to, not with, ``end``.

        Raises :class:`MirrorError` where some cannot be had.
        """
        for index in range(begin // TILE_WIDTH, -(-end // TILE_WIDTH)):
            first = index * TILE_WIDTH
            width = min(TILE_WIDTH, self.size - first)
            data = None
            for name in dict.fromkeys((BundleName(index, width), BundleName(index))):
                data = data or self._fetch(name.path, MAX_BUNDLE_BYTES)
            if data is None:
                raise MirrorError(f"The log does not give its entries from {first} on.")
            yield from parse_bundle(data)[max(begin - first, 0) : end - first]

    def _fetch(self, path: str, most: int) -> bytes | None:
        """What is at ``path``, of at most so many bytes; None where there is nothing."""
        where = visible(f"{self.url}/{path}")
        try:
            with urllib.request.urlopen(  # noqa: S310 - the scheme was looked at
                f"{self.url}/{path}", timeout=self.seconds
            ) as answer:
                data: bytes = answer.read(most + 1)
        except urllib.error.HTTPError as said:
            if said.code == HTTPStatus.NOT_FOUND:
                return None
            raise MirrorError(f"{where} answered {said.code}.") from said
        except (OSError, http.client.HTTPException) as wrong:
            raise MirrorError(f"{where} cannot be had: {visible(str(wrong))}.") from wrong
        if len(data) > most:
            raise MirrorError(f"{where} gave more than {most} bytes and was left.")
        return data


def fetch_mirror(url: str, folder: Path, keys: Sequence[NoteVerifier]) -> Checkpoint:
    """Bring the mirror in ``folder`` up to the head that is published at ``url`` now; that head.

    Only what is new is fetched. The mirror that is there must be the beginning of it.

    Raises:
        ForkRefused: the log shows fewer entries than the mirror has, or others.
        MirrorError: something cannot be had, or does not hash to the head.
        NoteError: none of ``keys`` signed the head.
        OSError: a file cannot be read or written.
    """
    log = HttpLog(url)
    note = log.fetch_checkpoint()
    head = Checkpoint.from_text(open_note(note, keys).text)
    log.size = head.size
    Mirror(folder).update(Tree(log, head.size), log.read_entries, note, keys)
    return head
