"""Taking a log from the address where it is published (C2SP tlog-tiles), with Python alone.

Nothing that comes over the wire is believed: the head must be signed, and every tile and entry must
hash to it (:class:`~folkmoot.ledger.mirror.Mirror`). So it does not matter who answers.
"""

from __future__ import annotations

import http.client
import time
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
LONGEST = 900.0
"""How many seconds a whole answer may take; the longest has 16 MiB."""
_TILES_KEPT = 1_024
_PART = 1 << 16


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows nobody elsewhere: whoever answers could have us ask addresses that only we reach."""

    def redirect_request(self, *_asked: object, **_more: object) -> None:
        return None


_OPENER = urllib.request.build_opener(_Stay)


class HttpLog:
    """A log at ``url``, the address below which ``checkpoint`` and ``tile/`` are.

    Raises :class:`MirrorError` for an address that is not http or https.
    """

    def __init__(self, url: str, *, seconds: float = SECONDS, longest: float = LONGEST) -> None:
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
            raise MirrorError(f"{visible(url)} is not an address on the web.")
        self.url = url.rstrip("/")
        self.seconds = seconds
        self.longest = longest
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
            # The scheme was looked at.
            with _OPENER.open(f"{self.url}/{path}", timeout=self.seconds) as answer:
                data = self._read(answer, most + 1, where)
        except urllib.error.HTTPError as said:
            if said.code == HTTPStatus.NOT_FOUND:
                return None
            if said.headers.get("Location"):
                raise MirrorError(
                    f"{where} sends you to another address, {visible(said.headers['Location'])}. "
                    f"Nobody was asked there. If you trust it, give the log's address there."
                ) from said
            raise MirrorError(f"{where} answered {said.code}.") from said
        except (OSError, http.client.HTTPException) as wrong:
            raise MirrorError(f"{where} cannot be had: {visible(str(wrong))}.") from wrong
        if len(data) > most:
            raise MirrorError(f"{where} gave more than {most} bytes and was left.")
        return data

    def _read(self, answer: http.client.HTTPResponse, most: int, where: str) -> bytes:
        """Up to so many bytes of an answer, in the time that a whole one may take."""
        ends = time.monotonic() + self.longest
        parts: list[bytes] = []
        while most > 0 and (part := answer.read1(min(most, _PART))):
            parts.append(part)
            most -= len(part)
            if time.monotonic() > ends:
                raise MirrorError(f"{where} took longer than {self.longest:g} seconds to answer.")
        return b"".join(parts)


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
