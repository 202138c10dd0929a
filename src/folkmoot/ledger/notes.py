"""Signed notes and checkpoints: C2SP signed-note v1.0.0 and tlog-checkpoint v1.0.0, with Ed25519.

A note is text, an empty line, and one line per signature. A checkpoint is a note whose text names
a log, its number of entries and its root hash. Key texts are those of Go's ``sumdb/note``. What
witnesses write below a log's own signature is in :mod:`~folkmoot.ledger.cosigning`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .errors import NoteError
from .keytexts import (
    ID_BYTES,
    KEY_BYTES,
    LOG_KEY,
    PRIVATE,
    check_name,
    decode_base64,
    encode_base64,
    is_signature,
    join_key,
    key_id,
    parse_decimal,
    split_key,
    split_private_key,
)
from .tree import HASH_BYTES, MAX_SIZE

MAX_NOTE_BYTES = 1 << 20
MAX_SIGNATURES = 64

_DASH = "\N{EM DASH} "
_NAMES_SHOWN = 3
_NAME_SHOWN = 100


class NoteVerifier(Protocol):
    """Whose signatures :func:`open_note` can judge: a log's key, or that of a witness."""

    @property
    def name(self) -> str:
        """The name that stands on the signature line."""

    @property
    def key_id(self) -> bytes:
        """The four bytes before the signature."""

    def verify(self, text: str, signature: bytes) -> bool:
        """Whether ``signature``, all that follows the key's id, is this key's over ``text``."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name: whose signatures to believe."""

    name: str
    public: bytes

    @classmethod
    def from_text(cls, vkey: str) -> Verifier:
        """The key written as ``name+id+base64``, the form in which a body publishes it.

        Raises :class:`NoteError` where it is malformed, not Ed25519, or its id does not fit.
        """
        name, written_id, public = split_key(LOG_KEY, vkey)
        if written_id != key_id(LOG_KEY, name, public):
            raise NoteError("The id within this key does not fit it; it was copied wrongly.")
        return cls(name, public)

    @property
    def key_id(self) -> bytes:
        """The four bytes by which a signature line names this key; no proof of anything."""
        return key_id(LOG_KEY, self.name, self.public)

    @property
    def vkey(self) -> str:
        """The key as text, for :meth:`from_text`."""
        return join_key(LOG_KEY, self.name, self.key_id, self.public)

    def verify(self, text: str, signature: bytes) -> bool:
        """Whether ``signature`` (64 bytes) is this key's over ``text``."""
        return is_signature(self.public, signature, text.encode())


@dataclass(frozen=True, slots=True, repr=False)
class Signer:
    """A private key with its name. Printing one shows the name alone."""

    name: str
    seed: bytes

    @classmethod
    def generate(
        cls, name: str, *, random_bytes: Callable[[int], bytes] = secrets.token_bytes
    ) -> Signer:
        """A new key. ``name`` is the log's origin, for example ``record.council.example/log``.

        Raises :class:`NoteError` for a name that is empty or holds spaces or a plus sign.
        """
        return cls(check_name(name), random_bytes(KEY_BYTES))

    @classmethod
    def from_text(cls, text: str) -> Signer:
        """The key that :meth:`to_text` wrote.

        Raises :class:`NoteError` where it is malformed, not Ed25519, or its id does not fit. The
        message never holds the key.
        """
        name, written_id, seed = split_private_key(LOG_KEY, text)
        signer = cls(name, seed)
        if written_id != signer.verifier.key_id:
            raise NoteError("The id within this signing key does not fit it; it is damaged.")
        return signer

    def __repr__(self) -> str:
        return f"Signer({self.name!r}, ...)"

    def to_text(self) -> str:
        """The private key as ``PRIVATE+KEY+name+id+base64``. Keep it out of the database."""
        return PRIVATE + join_key(LOG_KEY, self.name, self.verifier.key_id, self.seed)

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        key = Ed25519PrivateKey.from_private_bytes(self.seed)
        return Verifier(self.name, key.public_key().public_bytes_raw())

    @property
    def vkey(self) -> str:
        """The public half as text, to be published."""
        return self.verifier.vkey

    def sign(self, text: str) -> str:
        """``text`` as a note with this key's signature. The same text gives the same note.

        Raises :class:`NoteError` where ``text`` does not end in a newline or holds control
        characters.
        """
        _check_text(text)
        key = Ed25519PrivateKey.from_private_bytes(self.seed)
        signature = self.verifier.key_id + key.sign(text.encode())
        return f"{text}\n{signature_line(self.name, signature)}\n"


def signature_line(name: str, signature: bytes) -> str:
    """The line, without its newline, for a signature that begins with its key's id."""
    return f"{_DASH}{name} {encode_base64(signature)}"


def _check_text(text: str) -> None:
    if not text.endswith("\n"):
        raise NoteError("A note's text must end in a newline.")
    if any(c < " " and c != "\n" for c in text):
        raise NoteError("A note may hold no control characters other than newlines.")
    try:
        text.encode()
    except UnicodeEncodeError as wrong:
        raise NoteError("A note must be text that UTF-8 can hold.") from wrong


@dataclass(frozen=True, slots=True)
class Note:
    """An opened note: what was signed, by which of the keys given, and by how many others.

    ``unknown`` holds the names written on signatures that none of the keys given could judge;
    they prove nothing.
    """

    text: str
    signed_by: tuple[NoteVerifier, ...]
    signatures: tuple[str, ...]
    """The signature lines of ``signed_by``, in the same order, without their newlines."""
    unknown: tuple[str, ...]

    def to_text(self) -> str:
        """The note again, with the signatures that were verified and no others."""
        return "\n".join((self.text, *self.signatures)) + "\n"


def open_note(note: str | bytes, verifiers: Iterable[NoteVerifier]) -> Note:
    """The text of a note that at least one of ``verifiers`` signed.

    Signatures of keys not among ``verifiers`` are passed over, as the format asks, so that a log
    may change keys and have witnesses. A bad signature by a key that is among them is an error,
    even beside a good one.

    Raises :class:`NoteError` for a note that is malformed, over 1 MiB, holds over 64 signatures,
    holds a bad or repeated signature of a known key, or none of a known key.
    """
    text, lines = split_note(note)
    known: dict[tuple[str, bytes], NoteVerifier] = {}
    for verifier in verifiers:
        held = known.setdefault((verifier.name, verifier.key_id), verifier)
        if held != verifier:
            raise NoteError(f"Two different keys share the name and id of {verifier.name}.")
    signed_by: list[NoteVerifier] = []
    good: list[str] = []
    unknown: list[str] = []
    for line in lines:
        name, signature = split_signature(line)
        signer = known.get((name, signature[:ID_BYTES]))
        if signer is None:
            unknown.append(name)
        elif signer in signed_by:
            raise NoteError(f"The key {name} signed this note twice.")
        elif signer.verify(text, signature[ID_BYTES:]):
            signed_by.append(signer)
            good.append(line)
        else:
            raise NoteError(
                f"The signature of {name} does not fit the text: one of them was changed."
            )
    if not signed_by:
        raise NoteError(f"None of the keys given signed this note. {_strangers(unknown)}")
    return Note(text, tuple(signed_by), tuple(good), tuple(unknown))


def _strangers(names: list[str]) -> str:
    """Whose names the signatures bear, so that the reader can see which key to look for."""
    first = dict.fromkeys(names)
    shown = ", ".join(repr(name[:_NAME_SHOWN]) for name in list(first)[:_NAMES_SHOWN])
    return f"It bears the name of {shown}{' and others' if len(first) > _NAMES_SHOWN else ''}."


def split_note(note: str | bytes) -> tuple[str, list[str]]:
    """A note's text and its signature lines (without newlines), none of them verified.

    Raises :class:`NoteError` for a note that is malformed, over 1 MiB or of over 64 signatures.
    """
    try:
        data = note.encode() if isinstance(note, str) else bytes(note)
        if len(data) > MAX_NOTE_BYTES:
            raise NoteError("A note of more than 1 MiB is not read.")
        whole = data.decode()
    except UnicodeError as wrong:
        raise NoteError("A note must be UTF-8 text.") from wrong
    _check_text(whole)
    text, gap, signatures = whole.rpartition("\n\n")
    if not gap or not signatures:
        raise NoteError(
            "A note must end in an empty line and signatures; this one does not. It was cut short "
            "or changed."
        )
    lines = signatures[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError(f"A note with more than {MAX_SIGNATURES} signatures is not read.")
    return text + "\n", lines


def split_signature(line: str) -> tuple[str, bytes]:
    """The name on a signature line (without its newline), and the bytes: key's id and signature.

    Raises :class:`NoteError` for anything else.
    """
    name, gap, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not gap:
        raise NoteError("A line below the note's text is not a signature.")
    signature = decode_base64(encoded)
    if len(signature) <= ID_BYTES:
        raise NoteError("A signature is too short to be one.")
    return check_name(name), signature


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log at one moment: which log, how many entries, and their root hash."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()
    """Further lines of the text, which we neither write nor read meaning into."""

    def to_text(self) -> str:
        """The text to sign.

        Raises :class:`NoteError` where a part cannot stand in a checkpoint.
        """
        lines = (self.origin, *self.extensions)
        if not all(lines) or any("\n" in line for line in lines):
            raise NoteError("A checkpoint's origin and further lines must be one full line each.")
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_BYTES:
            raise NoteError("A checkpoint needs a size from 0 and a root of 32 bytes.")
        body = [self.origin, str(self.size), encode_base64(self.root), *self.extensions]
        text = "\n".join(body) + "\n"
        _check_text(text)
        return text

    @classmethod
    def from_text(cls, text: str) -> Checkpoint:
        """The checkpoint that a note's text states. Believe it only after :func:`open_note`.

        Raises :class:`NoteError` where ``text`` is not a checkpoint.
        """
        _check_text(text)
        lines = text[:-1].split("\n")
        if len(lines) < 3 or not all(lines):  # noqa: PLR2004 - origin, size and root
            raise NoteError("A checkpoint has at least three lines, none of them empty.")
        root = decode_base64(lines[2])
        if len(root) != HASH_BYTES:
            raise NoteError("A checkpoint's root must be 32 bytes.")
        return cls(lines[0], parse_decimal(lines[1]), root, tuple(lines[3:]))
