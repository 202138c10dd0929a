"""Sealing of tokens: anybody here can seal, only who holds the private key can open.

The web seals what people type, and needs no more than ``keys/vault.pub`` for it; the worker opens
it with ``keys/vault.key``, which the web need not be able to read. Sealing is HPKE in base mode
(RFC 9180) with X25519, HKDF-SHA256 and AES-256-GCM, as the cryptography library has it. A sealed
value is ``<key id>.<URL-safe base64>``. The place it is kept in is authenticated with it, so a
value copied to another row or column does not open. A value that does not open raises; it never
comes back as something else.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from django.conf import settings

from folkmoot.channels.tokens import CannotSignIn

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
PRIVATE, PUBLIC = "vault.key", "vault.pub"
CHANGED = (
    "A sealed token does not open: it has been changed, or moved from another account. Connect "
    "the account again."
)
NO_KEY = (
    "This was sealed with a key that is not in the vault's key file. Put the old key back as a "
    "further line, or connect the account again."
)


class VaultError(CannotSignIn):
    """A value cannot be sealed, or does not open: no key, another key, another place, or a changed
    byte. ``reason`` is a sentence.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason, retry=False)

    def __str__(self) -> str:
        return self.reason


def seal(place: str, secret: str) -> str:
    """``secret`` sealed for ``place`` under the newest key. Needs the public key alone; where
    there is no key at all yet, a pair is made. Raises :class:`VaultError` where there is no key.
    """
    public = _find_public() or _publish()
    box = SUITE.encrypt(secret.encode(), public, info=place.encode())
    return f"{_key_id(public)}.{base64.urlsafe_b64encode(box).decode()}"


def unseal(place: str, sealed: str) -> str:
    """What :func:`seal` sealed. Needs the private key. Raises :class:`VaultError`."""
    if not sealed:
        raise VaultError(
            "There is no token for this account: it has been disconnected, or its tokens were "
            "forgotten. Connect it again."
        )
    key_id, _, body = sealed.partition(".")
    key = _read_private().get(key_id)
    if key is None:
        raise VaultError(NO_KEY)
    try:
        box = base64.urlsafe_b64decode(body)
        opened = SUITE.decrypt(box, key, info=place.encode()).decode()
    except (InvalidTag, ValueError) as wrong:
        raise VaultError(CHANGED) from wrong
    if base64.urlsafe_b64encode(box).decode() != body:  # base64 passes over what it cannot read
        raise VaultError(CHANGED)
    return opened


def can_open() -> bool:
    """Whether this process holds the private key: the worker does, the web need not."""
    try:
        return bool(_read_private())
    except VaultError:
        return False


def keep_keys() -> None:
    """Make the pair of keys where there is none, and publish a new first line of the private file.

    For whoever holds the private key. Raises :class:`VaultError`.
    """
    newest = next(iter(_read_private().values())).public_key()
    known = _find_public()
    if known is None or known.public_bytes_raw() != newest.public_bytes_raw():
        _publish()


def _publish() -> X25519PublicKey:
    newest = next(iter(_read_private().values())).public_key()
    file: Path = settings.CONFIG.key_file(PUBLIC)
    fresh = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    fresh.touch(mode=0o644)
    fresh.write_text(_to_text(newest.public_bytes_raw()) + "\n", encoding="ascii")
    fresh.chmod(0o644)  # whatever the process's umask: it is no secret
    fresh.replace(file)
    return newest


def _find_public() -> X25519PublicKey | None:
    file: Path = settings.CONFIG.key_file(PUBLIC)
    try:
        return X25519PublicKey.from_public_bytes(_to_bytes(file.read_text(encoding="ascii")))
    except FileNotFoundError:
        return None
    except OSError as closed:
        raise VaultError(
            f"The vault's public key, {file.name}, cannot be read ({closed.strerror}). Let the "
            "user that the web runs as read it."
        ) from closed
    except ValueError as wrong:
        raise VaultError(
            f"What is in {file.name} is no key. Delete the file: the worker writes it anew."
        ) from wrong


def _read_private() -> Mapping[str, X25519PrivateKey]:
    """Key id to private key, newest first: the lines of the private file, made on first use."""
    try:
        text = settings.CONFIG.read_or_make_key(PRIVATE)
    except OSError as closed:
        raise VaultError(
            "Sealed tokens can be opened by the worker alone, and this process is not allowed to "
            f"read the vault's private key ({closed.strerror})."
        ) from closed
    if not text:
        raise VaultError("The vault's key file is empty. Put its key back.")
    try:
        keys = [X25519PrivateKey.from_private_bytes(_to_bytes(line)) for line in text.split()]
    except ValueError as wrong:
        raise VaultError(
            "A line of the vault's key file is no key: each is 32 random bytes in URL-safe "
            "base64, which is 43 characters. Put the right line back."
        ) from wrong
    return {_key_id(key.public_key()): key for key in keys}


def _key_id(key: X25519PublicKey) -> str:
    return hashlib.sha256(b"vault key" + key.public_bytes_raw()).hexdigest()[:8]


def _to_text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _to_bytes(text: str) -> bytes:
    bare = text.strip()
    return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
