"""Cosignatures: a witness's word that it saw a log's head grow out of all it saw before.

C2SP tlog-cosignature v1 with Ed25519. What is signed is ``cosignature/v1``, a line with the time,
and the whole text of the checkpoint. On the signature line the time stands before the signature:
the key's id (4 bytes), POSIX seconds (8 bytes, big-endian), 64 bytes of Ed25519.

A cosignature is worth what its witness is: one kept by somebody else, who refuses a head that does
not begin with the last one (:mod:`~folkmoot.ledger.witnessing`). ML-DSA-44 cosignatures are passed
over as those of an unknown key.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .errors import NoteError
from .keytexts import (
    ID_BYTES,
    KEY_BYTES,
    PRIVATE,
    WITNESS_KEY,
    check_name,
    is_signature,
    join_key,
    key_id,
    split_key,
    split_private_key,
)
from .notes import Checkpoint, Note, NoteVerifier, open_note, signature_line, split_signature

_TIME_BYTES = 8
_SIGNATURE_BYTES = 64
# The last second that a date can name. The format allows times up to 2**63 - 1 and lets readers
# refuse those in the future; these are.
_LAST_SECOND = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness's public key with its name: whose cosignatures to believe."""

    name: str
    public: bytes

    @classmethod
    def from_text(cls, vkey: str) -> Witness:
        """The key written as ``name+id+base64``, the form in which a witness publishes it.

        Raises :class:`NoteError` where it is malformed, the key of a log or of another kind, or
        its id does not fit.
        """
        name, written_id, public = split_key(WITNESS_KEY, vkey)
        if written_id != key_id(WITNESS_KEY, name, public):
            raise NoteError("The id within this key does not fit it; it was copied wrongly.")
        return cls(name, public)

    @property
    def key_id(self) -> bytes:
        """The four bytes by which a signature line names this key; no proof of anything."""
        return key_id(WITNESS_KEY, self.name, self.public)

    @property
    def vkey(self) -> str:
        """The key as text, for :meth:`from_text`."""
        return join_key(WITNESS_KEY, self.name, self.key_id, self.public)

    def verify(self, text: str, signature: bytes) -> bool:
        """Whether ``signature`` (8 bytes of time, 64 of Ed25519) is this witness's over ``text``.

        False also for a time after the year 9999.
        """
        if len(signature) != _TIME_BYTES + _SIGNATURE_BYTES:
            return False
        seconds = int.from_bytes(signature[:_TIME_BYTES], "big")
        return seconds <= _LAST_SECOND and is_signature(
            self.public, signature[_TIME_BYTES:], _message(seconds, text)
        )


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A cosignature that was verified: at ``at`` this was the largest head ``witness`` had seen."""

    witness: Witness
    at: datetime
    """When, by the witness's clock, as aware UTC in whole seconds."""
    line: str
    """The signature line without its newline."""


@dataclass(frozen=True, slots=True, repr=False)
class Cosigner:
    """A witness's private key with its name. Printing one shows the name alone.

    The signed text does not name the witness, so no two witnesses may share a key, and no witness
    may sign with the key of a log.
    """

    name: str
    seed: bytes

    @classmethod
    def generate(
        cls, name: str, *, random_bytes: Callable[[int], bytes] = secrets.token_bytes
    ) -> Cosigner:
        """A new key. ``name`` says who the witness is: ``witness.council.example/w1``.

        Raises :class:`NoteError` for a name that is empty or holds spaces or a plus sign.
        """
        return cls(check_name(name), random_bytes(KEY_BYTES))

    @classmethod
    def from_text(cls, text: str) -> Cosigner:
        """The key that :meth:`to_text` wrote.

        Raises :class:`NoteError` where it is malformed, of another kind, or its id does not fit.
        The message never holds the key.
        """
        name, written_id, seed = split_private_key(WITNESS_KEY, text)
        cosigner = cls(name, seed)
        if written_id != cosigner.witness.key_id:
            raise NoteError("The id within this signing key does not fit it; it is damaged.")
        return cosigner

    def __repr__(self) -> str:
        return f"Cosigner({self.name!r}, ...)"

    def to_text(self) -> str:
        """The private key as ``PRIVATE+KEY+name+id+base64``. Keep it in a file of its own."""
        return PRIVATE + join_key(WITNESS_KEY, self.name, self.witness.key_id, self.seed)

    @property
    def witness(self) -> Witness:
        """The public half."""
        key = Ed25519PrivateKey.from_private_bytes(self.seed)
        return Witness(self.name, key.public_key().public_bytes_raw())

    @property
    def vkey(self) -> str:
        """The public half as text, to be published."""
        return self.witness.vkey

    def cosign(self, text: str, at: datetime) -> Cosignature:
        """A cosignature on a checkpoint's ``text``, as of ``at`` (aware; fractions are dropped).

        Signs whatever it is given. That the head may be cosigned is for
        :class:`~folkmoot.ledger.WitnessBook` to see. Raises :class:`NoteError` where ``text`` is
        no checkpoint, or the time is naive or before 1970.
        """
        Checkpoint.from_text(text)
        if at.utcoffset() is None or at.timestamp() < 0:
            raise NoteError("The time of a cosignature must be an aware datetime from 1970 on.")
        seconds = int(at.timestamp())
        key = Ed25519PrivateKey.from_private_bytes(self.seed)
        signature = seconds.to_bytes(_TIME_BYTES, "big") + key.sign(_message(seconds, text))
        witness = self.witness
        line = signature_line(self.name, witness.key_id + signature)
        return Cosignature(witness, datetime.fromtimestamp(seconds, UTC), line)


def _message(seconds: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def cosignatures(note: Note) -> tuple[Cosignature, ...]:
    """The cosignatures among the signatures of an opened note, in the order of their lines.

    They are those by a :class:`Witness` given to :func:`~folkmoot.ledger.open_note`, and verified.
    """
    found = []
    for signer, line in zip(note.signed_by, note.signatures, strict=True):
        if isinstance(signer, Witness):
            _, signature = split_signature(line)
            seconds = int.from_bytes(signature[-_SIGNATURE_BYTES - _TIME_BYTES :][:_TIME_BYTES])
            found.append(Cosignature(signer, datetime.fromtimestamp(seconds, UTC), line))
    return tuple(found)


def add_cosignatures(
    checkpoint: str, log: Iterable[NoteVerifier], fresh: Iterable[Cosignature]
) -> str:
    """The note with the log's own signatures and the cosignatures, newest of each witness.

    Args:
        checkpoint: a note signed by the log, with or without cosignatures.
        log: the log's keys, which must have signed it.
        fresh: cosignatures on this very text. One that is on the note already by the same witness
            is replaced; those of other witnesses stay, as do lines of unknown keys.

    Raises :class:`NoteError` where the log did not sign the note, a cosignature is not one on this
    text, or the note would have more than 64 signatures.
    """
    given = tuple(log)
    note = open_note(checkpoint, given)
    by_witness = {(one.witness.name, one.witness.key_id): one for one in fresh}
    for one in by_witness.values():
        _, signature = split_signature(one.line)
        if not one.witness.verify(note.text, signature[ID_BYTES:]):
            raise NoteError(f"The cosignature of {one.witness.name} is not on this checkpoint.")
    lines = []
    for line in checkpoint[len(note.text) + 1 : -1].split("\n"):
        name, signature = split_signature(line)
        if (name, signature[:ID_BYTES]) not in by_witness:
            lines.append(line)
    lines += [one.line for one in by_witness.values()]
    whole = "\n".join((note.text, *lines)) + "\n"
    open_note(whole, given)
    return whole
