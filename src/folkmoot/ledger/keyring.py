"""Keys that make an append-only record erasable: a key per subject, wrapped by a key per epoch.

What an entry is about is kept sealed under the key of its *subject*. The subject's key is kept
wrapped by the key of the current *epoch*, which lives in a file outside the database and outside
its backups. To erase a subject, its wrapped key is deleted and the epoch is *rolled*: the keys that
stay are wrapped anew, and the old epoch's key is destroyed. Then the wrapped copies that lie in
write-ahead logs, replicas and backups cannot be opened either, and nothing that was sealed under
the deleted key can be read by anybody.

AES-256-GCM throughout (NIST SP 800-38D), with random 96-bit nonces; a subject's key seals far fewer
than the 2**32 texts for which those are safe.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .errors import KeyLost, LedgerError

KEY_BYTES = 32
NONCE_BYTES = 12
_LINE = re.compile(r"([1-9][0-9]{0,8}) ([A-Za-z0-9_-]{43})")

RandomBytes = Callable[[int], bytes]


class SubjectKey:
    """The key of one subject: seals what is kept about it, and opens it again.

    ``place`` says where the sealed bytes are kept (an entry's id and a field's label, a column);
    it is authenticated with them, so that bytes moved to another place do not open.
    """

    __slots__ = ("_aead", "fingerprint", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.fingerprint = hashlib.sha256(b"subject key" + raw).digest()[:8]
        """Tells two keys apart without giving either away."""
        self._aead = AESGCM(raw)

    @classmethod
    def generate(cls, random_bytes: RandomBytes = secrets.token_bytes) -> SubjectKey:
        """A new key."""
        return cls(random_bytes(KEY_BYTES))

    def __repr__(self) -> str:
        return f"SubjectKey({self.fingerprint.hex()})"

    def seal(self, place: bytes, data: bytes, random_bytes: RandomBytes = os.urandom) -> bytes:
        """``data`` sealed for ``place``: 12 bytes of nonce, the ciphertext, 16 bytes of tag."""
        nonce = random_bytes(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, data, place)

    def open(self, place: bytes, sealed: bytes) -> bytes:
        """What :meth:`seal` sealed for ``place``. Raises :class:`KeyLost` for anything else."""
        try:
            return self._aead.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)
        except (InvalidTag, ValueError) as wrong:
            raise KeyLost(
                "What is sealed here does not open: it was changed, moved from another place, or "
                "sealed with another key."
            ) from wrong


@dataclass(frozen=True, slots=True, repr=False)
class EpochKeys:
    """The keys of the epochs that can still be opened: usually one, two during a roll.

    As text, a line per epoch: its number, a space, and 32 bytes in URL-safe base64 without padding.
    """

    keys: Mapping[int, bytes] = field(hash=False)

    def __post_init__(self) -> None:
        if not self.keys:
            raise LedgerError("There is no epoch key. Put the file of epoch keys back.")

    @classmethod
    def generate(cls, random_bytes: RandomBytes = secrets.token_bytes) -> EpochKeys:
        """The key of the first epoch."""
        return cls({1: random_bytes(KEY_BYTES)})

    @classmethod
    def from_text(cls, text: str) -> EpochKeys:
        """The keys that :meth:`to_text` wrote. Raises :class:`LedgerError`; the message never holds
        a key.
        """
        keys: dict[int, bytes] = {}
        for line in text.splitlines():
            found = _LINE.fullmatch(line.strip())
            if found is None or int(found[1]) in keys:
                raise LedgerError(
                    "A line of the file of epoch keys is no key: each is the epoch's number, a "
                    "space, and 43 characters. Put the right file back; nothing was changed."
                )
            keys[int(found[1])] = base64.urlsafe_b64decode(found[2] + "=")
        return cls(keys)

    def to_text(self) -> str:
        """The keys as text, oldest epoch first."""
        return "".join(
            f"{number} {base64.urlsafe_b64encode(key).decode().rstrip('=')}\n"
            for number, key in sorted(self.keys.items())
        )

    def __repr__(self) -> str:
        return f"EpochKeys({sorted(self.keys)})"

    @property
    def newest(self) -> int:
        """The number of the current epoch."""
        return max(self.keys)

    def wrap(self, key: SubjectKey, subject: str) -> tuple[int, bytes]:
        """``key`` wrapped by the current epoch's key for ``subject``: the epoch, and 60 bytes."""
        return self.newest, SubjectKey(self.keys[self.newest]).seal(_wrapping(subject), key.raw)

    def unwrap(self, epoch: int, wrapped: bytes, subject: str) -> SubjectKey:
        """The key that :meth:`wrap` wrapped. Raises :class:`KeyLost` where the epoch's key is
        destroyed, or the wrapped key was changed or is another subject's.
        """
        outer = self.keys.get(epoch)
        if outer is None:
            raise KeyLost(f"The key of epoch {epoch} is destroyed or not here: this cannot be read")
        return SubjectKey(SubjectKey(outer).open(_wrapping(subject), wrapped))

    def begin(self, random_bytes: RandomBytes = secrets.token_bytes) -> EpochKeys:
        """These keys and that of the next epoch, which is current from then on."""
        return EpochKeys({**self.keys, self.newest + 1: random_bytes(KEY_BYTES)})

    def only_newest(self) -> EpochKeys:
        """The current epoch's key alone: the others are to be destroyed."""
        return EpochKeys({self.newest: self.keys[self.newest]})


def _wrapping(subject: str) -> bytes:
    return b"subject key of " + subject.encode()


@dataclass(frozen=True, slots=True)
class EpochFile:
    """The file of epoch keys. Keep it outside the database and outside the database's backups.

    Writing is a new file in place of the old, both durable before this answers; the old one's
    bytes are written over first. A disk may keep what was written over (flash memory, snapshots,
    copies of the file): where that matters, the file belongs on a volume that is itself encrypted.
    """

    path: Path

    def read(self) -> EpochKeys:
        """The keys. Raises :class:`LedgerError` where the file is damaged, and OSError."""
        return EpochKeys.from_text(self.path.read_text(encoding="ascii"))

    def write(self, keys: EpochKeys) -> None:
        """Keep ``keys`` and nothing else. Raises OSError; then the file is as it was."""
        fresh = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        try:
            _write_durably(fresh, keys.to_text().encode("ascii"))
            # The link keeps hold of the old bytes until they are written over.
            old = self.path.with_name(f".{self.path.name}.old")
            old.unlink(missing_ok=True)
            if self.path.exists():
                old.hardlink_to(self.path)
            fresh.replace(self.path)
            _sync_folder(self.path.parent)
        finally:
            fresh.unlink(missing_ok=True)
        self.forget()

    def forget(self) -> None:
        """Write over and remove what an interrupted :meth:`write` left of former keys."""
        old = self.path.with_name(f".{self.path.name}.old")
        if not old.exists():
            return
        if not old.samefile(self.path):
            with old.open("r+b") as file:
                file.write(b"\0" * old.stat().st_size)
                file.flush()
                os.fsync(file.fileno())
        old.unlink()
        _sync_folder(self.path.parent)


def _write_durably(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
