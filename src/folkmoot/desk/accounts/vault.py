"""Sealing of tokens: AES-256-GCM under a key that is not the session secret.

A sealed value is ``<key id>.<nonce and ciphertext, URL-safe base64>``. The place it is kept in is
authenticated with it, so a value copied to another row or column does not open. A value that does
not open raises; it never comes back as something else.
"""

from __future__ import annotations

import base64
import hashlib
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE_BYTES = 12
CHANGED = (
    "A sealed token does not open: it has been changed, or moved from another account. Connect "
    "the account again."
)


class VaultError(Exception):
    """A sealed value does not open: another key, another place, or a changed byte."""


def _keys() -> dict[str, bytes]:
    """Key id to key, newest first: the lines of the vault's key file."""
    text = settings.CONFIG.read_or_make_key("vault.key")
    if not text:
        raise VaultError("The vault's key file is empty. Put its key back.")
    keys = (hashlib.sha256(line.encode()).digest() for line in text.split())
    return {hashlib.sha256(b"id" + key).hexdigest()[:8]: key for key in keys}


def seal(place: str, secret: str) -> str:
    """``secret`` sealed for ``place`` (``account/12/secret``) under the newest key. Raises
    :class:`VaultError` where there is no key.
    """
    key_id, key = next(iter(_keys().items()))
    nonce = secrets.token_bytes(NONCE_BYTES)
    box = nonce + AESGCM(key).encrypt(nonce, secret.encode(), place.encode())
    return f"{key_id}.{base64.urlsafe_b64encode(box).decode()}"


def unseal(place: str, sealed: str) -> str:
    """What :func:`seal` sealed. Raises :class:`VaultError` if it does not open."""
    if not sealed:
        raise VaultError(
            "There is no token for this account: it has been disconnected. Connect it again."
        )
    key_id, _, body = sealed.partition(".")
    key = _keys().get(key_id)
    if key is None:
        raise VaultError(
            "This was sealed with a key that is not in the vault's key file. "
            "Put the old key back as a further line, or connect the account again."
        )
    try:
        box = base64.urlsafe_b64decode(body)
        opened = AESGCM(key).decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], place.encode()).decode()
    except (InvalidTag, ValueError) as wrong:
        raise VaultError(CHANGED) from wrong
    if base64.urlsafe_b64encode(box).decode() != body:  # base64 passes over what it cannot read
        raise VaultError(CHANGED)
    return opened
