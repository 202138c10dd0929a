"""Keys and signed heads: C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-policy."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

from .ed25519 import is_signature

LOG, WITNESS = 1, 4
"""The byte that says what a key signs: a note's text as it stands; the text below a time."""
MAX_SMALL = 1 << 20
"""A checkpoint, policy or proof above 1 MiB is refused unread."""

_MAX_NUMBER = 2**63 - 1
_MAX_SIGNATURES = 64
_YEAR_10000 = 253_402_300_800
_DASH = "\u2014 "


class Wrong(Exception):
    """Something about the bag that is not as it should be, in one sentence."""


class Key(NamedTuple):
    """A public key with its name: whose signatures to believe."""

    name: str
    kind: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes by which a signature line names this key; no proof of anything."""
        whole = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return sha256(whole).digest()[:4]

    @property
    def text(self) -> str:
        """The key as it is published: ``name+id+base64``."""
        encoded = encode_base64(bytes([self.kind]) + self.public)
        return f"{self.name}+{self.key_id.hex()}+{encoded}"


class Head(NamedTuple):
    """A log's signed head, and who signed it."""

    origin: str
    size: int
    root: bytes
    log: Key
    witnesses: tuple[Key, ...]
    note: bytes
    """The signed head as it stands, which is also the end of each proof."""


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str) -> bytes:
    """The bytes of base64 in its one canonical form."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as wrong:
        raise Wrong("A part that should be base64 is not.") from wrong
    if encode_base64(data) != text:
        raise Wrong("A part in base64 is not in its canonical form; it was changed.")
    return data


def parse_number(text: str) -> int:
    """A whole number below 2**63 in plain digits."""
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", text) or int(text) > _MAX_NUMBER:
        raise Wrong("A number must be plain digits without leading zeroes, below 2**63.")
    return int(text)


def parse_key(text: str) -> Key:
    """The key that ``name+id+base64`` says, of a log or of a witness."""
    parts = text.split("+", 2)
    if len(parts) != 3:  # noqa: PLR2004 - the three parts
        raise Wrong("A key must read name+id+base64; part of it is missing.")
    data = decode_base64(parts[2])
    if len(data) != 33 or data[0] not in (LOG, WITNESS):  # noqa: PLR2004 - kind and 32 bytes
        raise Wrong("A key must be Ed25519, of a log or of a witness; this one is not.")
    key = Key(_check_name(parts[0]), data[0], data[1:])
    if key.text != text:
        raise Wrong("The id within a key does not fit it; it was copied wrongly.")
    return key


def _check_name(name: str) -> str:
    if not name or "+" in name or any(c.isspace() or c < " " for c in name):
        raise Wrong("A key's name must be given and hold neither spaces nor a plus sign.")
    try:
        name.encode()
    except UnicodeEncodeError as wrong:
        raise Wrong("A key's name must be text that UTF-8 can hold.") from wrong
    return name


def open_checkpoint(data: bytes, keys: Iterable[Key]) -> Head:
    """The head that ``data`` states, signed by one log among ``keys`` and by nobody unknown."""
    known = {(key.name, key.key_id): key for key in keys}
    text, lines = _split_note(data)
    signed: list[Key] = []
    for line in lines:
        name, gap, encoded = line[len(_DASH) :].partition(" ")
        if not line.startswith(_DASH) or not gap:
            raise Wrong("A line below the head of the log is not a signature.")
        signature = decode_base64(encoded)
        key = known.get((_check_name(name), signature[:4]))
        if key is None:
            raise Wrong(f"It bears a signature by {name!r} whose key is not in data/policy.")
        if key in signed:
            raise Wrong(f"The key {name} signed it twice.")
        if not _fits(key, text, signature[4:]):
            raise Wrong(f"The signature of {name} does not fit the text: one of them was changed.")
        signed.append(key)
    return _read_head(data, text, signed)


def _split_note(data: bytes) -> tuple[str, list[str]]:
    try:
        whole = data.decode()
    except UnicodeError as wrong:
        raise Wrong("It is not UTF-8 text.") from wrong
    text, gap, signatures = whole.rpartition("\n\n")
    if any(c < " " and c != "\n" for c in whole) or not whole.endswith("\n"):
        raise Wrong("It holds control characters, or does not end in a newline.")
    if not gap or not signatures:
        raise Wrong("It does not end in an empty line and signatures; it was cut short or changed.")
    lines = signatures[:-1].split("\n")
    if len(lines) > _MAX_SIGNATURES:
        raise Wrong(f"It has more than {_MAX_SIGNATURES} signatures.")
    return text + "\n", lines


def _fits(key: Key, text: str, signature: bytes) -> bool:
    message = text.encode()
    if key.kind == WITNESS:
        seconds = int.from_bytes(signature[:8], "big")
        if seconds >= _YEAR_10000:
            return False
        message = f"cosignature/v1\ntime {seconds}\n".encode() + message
        signature = signature[8:]
    return is_signature(key.public, signature, message)


def _read_head(data: bytes, text: str, signed: Sequence[Key]) -> Head:
    lines = text[:-1].split("\n")
    if len(lines) < 3 or not all(lines):  # noqa: PLR2004 - origin, size and root
        raise Wrong("It must have at least three lines, none of them empty.")
    root = decode_base64(lines[2])
    if len(root) != 32:  # noqa: PLR2004 - SHA-256
        raise Wrong("The root of the log must be 32 bytes.")
    logs = [key for key in signed if key.kind == LOG]
    if len(logs) != 1 or logs[0].name != lines[0]:
        raise Wrong(f"It must be signed by the key of the log {lines[0]!r}; it is not.")
    return Head(
        lines[0],
        parse_number(lines[1]),
        root,
        logs[0],
        tuple(key for key in signed if key.kind == WITNESS),
        data,
    )
