"""The channels' own answers: WARC files (ISO 28500) and the hashes within them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import zlib

from .files import CHUNK, Files
from .keys import Wrong

_MAX_HEADER = 1 << 16
_MAX_HEADERS = 200
_MAX_UNPACKED = 16 << 30
_ALGORITHMS = ("sha1", "sha256")


def check_captures(files: Files, name: str) -> int:
    """How many answers a WARC file holds. Raises :class:`Wrong` where a record is not whole."""
    answers = 0
    unpacked = 0
    with files.open(name) as packed, gzip.GzipFile(fileobj=packed) as file:
        try:
            while header := _read_header(file):
                unpacked += _check_block(file, header, _MAX_UNPACKED - unpacked)
                answers += header["warc-type"] == "response"
        except (OSError, EOFError, zlib.error, ValueError, KeyError) as wrong:
            raise Wrong(f"{name} is not a whole WARC file; a record of it is damaged.") from wrong
        except Wrong as wrong:
            raise Wrong(f"{name} is not as it should be: {wrong}.") from wrong
    return answers


def _read_header(file: gzip.GzipFile) -> dict[str, str]:
    """A record's header by name in small letters; empty at the end of the file."""
    first = file.readline(_MAX_HEADER)
    if not first:
        return {}
    if first not in (b"WARC/1.0\r\n", b"WARC/1.1\r\n"):
        raise Wrong("a record does not begin as one")
    header: dict[str, str] = {}
    for _ in range(_MAX_HEADERS):
        line = file.readline(_MAX_HEADER)
        if line == b"\r\n":
            return header
        label, gap, value = line.decode().partition(": ")
        if not gap or not value.endswith("\r\n") or label.lower() in header:
            raise Wrong("a record's header is not in its form")
        header[label.lower()] = value[:-2]
    raise Wrong("a record has too many lines of header")


def _check_block(file: gzip.GzipFile, header: dict[str, str], limit: int) -> int:
    length = int(header["content-length"])
    algorithm, _, written = header["warc-block-digest"].partition(":")
    if algorithm not in _ALGORITHMS or length < 0:
        raise Wrong("a record has a hash or a length that cannot be read")
    if length > limit:
        raise Wrong("it unpacks to more than a bag may hold")
    block = hashlib.new(algorithm)
    left = length
    while left:
        piece = file.read(min(left, CHUNK))
        if not piece:
            raise EOFError
        block.update(piece)
        left -= len(piece)
    if base64.b32encode(block.digest()).decode() != written:
        raise Wrong(f"the answer of {header.get('warc-target-uri', 'a record')!r} was changed")
    if file.read(4) != b"\r\n\r\n":
        raise Wrong("a record does not end as one")
    return length
