"""The texts of keys as Go's ``sumdb/note`` writes them, and the base64 and numbers around them.

Each text has one form only. A second form of the same key, hash or number would let a file be
changed without its proof noticing.
"""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .errors import NoteError
from .tree import MAX_SIZE

KEY_BYTES = 32
"""The length of an Ed25519 key, public or private (RFC 8032)."""
ID_BYTES = 4
LOG_KEY = b"\x01"
"""The kind of key that signs a note's text as it stands (C2SP signed-note)."""
WITNESS_KEY = b"\x04"
"""The kind of key that cosigns with a time (C2SP tlog-cosignature)."""
PRIVATE = "PRIVATE+KEY+"


def decode_base64(text: str) -> bytes:
    """The bytes of standard base64 in its one canonical form (padding, no stray bits or spaces).

    Raises :class:`NoteError` for anything else: two texts for the same bytes would let a file be
    changed without its proof noticing.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as wrong:
        raise NoteError(f"This is not base64: {wrong}.") from wrong
    if encode_base64(data) != text:
        raise NoteError("This base64 is not in its canonical form; it was changed on the way.")
    return data


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648 section 4)."""
    return base64.b64encode(data).decode("ascii")


def parse_decimal(text: str) -> int:
    """A whole number from 0 to 2**63 - 1 in ASCII digits without leading zeroes.

    Raises :class:`NoteError` for anything else.
    """
    digits = text.isascii() and text.isdigit() and len(text) <= len(str(MAX_SIZE))
    if not digits or (text[0] == "0" and text != "0") or int(text) > MAX_SIZE:
        raise NoteError("A number must be plain digits without leading zeroes, below 2**63.")
    return int(text)


def check_name(name: str) -> str:
    """``name``, if a key may bear it: not empty, without spaces or a plus sign, text in UTF-8.

    Raises :class:`NoteError` otherwise.
    """
    if not name or "+" in name or any(c.isspace() or ord(c) < ord(" ") for c in name):
        raise NoteError("A key's name must be given and hold neither spaces nor a plus sign.")
    try:
        name.encode()
    except UnicodeEncodeError as wrong:
        raise NoteError("A key's name must be text that UTF-8 can hold.") from wrong
    return name


def key_id(kind: bytes, name: str, public: bytes) -> bytes:
    """The four bytes by which a signature line names a key; no proof of anything.

    SHA-256(name || 0x0A || kind || public)[:4], as C2SP signed-note recommends; ``kind`` is the
    one byte that stands for the form of signature.
    """
    return sha256(name.encode() + b"\n" + kind + public).digest()[:ID_BYTES]


def join_key(kind: bytes, name: str, written_id: bytes, key: bytes) -> str:
    """``name+id+base64(kind || key)``, which :func:`split_key` reads."""
    return f"{name}+{written_id.hex()}+{encode_base64(kind + key)}"


def split_key(kind: bytes, text: str) -> tuple[str, bytes, bytes]:
    """``name+id+base64(kind || key)`` as name, id and the 32 bytes of key.

    Raises :class:`NoteError` where it is malformed or the key of another ``kind``. Whether the id
    fits is the caller's to see: a private key's id is that of its public half.
    """
    parts = text.split("+", 2)
    if len(parts) != 3:  # noqa: PLR2004 - the three parts just named
        raise NoteError("A key must read name+id+base64; part of it is missing.")
    name, written_id, encoded = parts
    check_name(name)
    data = decode_base64(encoded)
    if data[:1] != kind or len(data) != 1 + KEY_BYTES:
        raise NoteError(_other_kind(kind, data[:1]))
    # Compared as text: hexadecimal in capitals would be a second form of the same key.
    if len(written_id) != 2 * ID_BYTES or written_id != written_id.lower():
        raise NoteError("A key's id must be eight hexadecimal digits in small letters.")
    try:
        return name, bytes.fromhex(written_id), data[1:]
    except ValueError as wrong:
        raise NoteError("A key's id must be eight hexadecimal digits.") from wrong


def split_private_key(kind: bytes, text: str) -> tuple[str, bytes, bytes]:
    """``PRIVATE+KEY+name+id+base64(kind || seed)`` as name, id and the 32 bytes of seed.

    Raises :class:`NoteError` as :func:`split_key` does; the message never holds the key.
    """
    if not text.startswith(PRIVATE):
        raise NoteError(f"A signing key must begin with {PRIVATE}; this text does not.")
    return split_key(kind, text.removeprefix(PRIVATE))


def _other_kind(wanted: bytes, held: bytes) -> str:
    if (wanted, held) == (LOG_KEY, WITNESS_KEY):
        return "This is the key of a witness, not of a log; it can only be given as a witness's."
    if (wanted, held) == (WITNESS_KEY, LOG_KEY):
        return "This is the key of a log, not of a witness; it can only be given as a log's."
    return "This key is not Ed25519, the only kind of key this log uses."


@lru_cache(maxsize=8)  # the proofs of a bag all end in the same signed head
def is_signature(public: bytes, signature: bytes, data: bytes) -> bool:
    """Whether ``signature`` is that of the Ed25519 key ``public`` over ``data`` (RFC 8032)."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        # ValueError: OpenSSL takes the 32 bytes for no key at all. Nothing verifies under it.
        return False
    return True
