"""Sessions in the database that only the browser they belong to can open.

A session holds what somebody was typing when their sign-in ended, why something was refused, and
the address they signed in with. Its row is named by a hash of the session's key, and sealed with
another; the key itself is in the browser's cookie and nowhere else. So a copy of the database, in a
backup or a write-ahead log, tells nothing of it and lets nobody in.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.contrib.sessions.backends.db import SessionStore as TableStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.utils import timezone

NONCE_BYTES = 12


class SessionStore(TableStore):
    """Django's sessions in a table, each sealed with what its browser has."""

    def exists(self, session_key: str) -> bool:
        return super().exists(_name_of(session_key))

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            super().delete(_name_of(key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        row = super().create_model_instance(data)
        row.session_key = _name_of(row.session_key)
        return row

    def encode(self, session_dict: dict[str, Any]) -> str:
        """The session as its row holds it: base64 of a nonce and AES-256-GCM's bytes."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        body = self.serializer().dumps(session_dict)
        return base64.b64encode(nonce + self._aead().encrypt(nonce, body, None)).decode()

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        """What :meth:`encode` wrote; an empty session where it is none of this browser's."""
        try:
            sealed = base64.b64decode(session_data, validate=True)
            body = self._aead().decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None)
        except (binascii.Error, InvalidTag, ValueError):
            return {}
        found: dict[str, Any] = self.serializer().loads(body)
        return found

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        if self.session_key is None:
            return None
        found = self.model.objects.filter(
            session_key=_name_of(self.session_key), expire_date__gt=timezone.now()
        ).first()
        if found is None:
            self._session_key = None
        return found

    def _aead(self) -> AESGCM:
        return AESGCM(hashlib.sha256(f"seal/{self.session_key}".encode()).digest())


def _name_of(session_key: str) -> str:
    """What a session is called in the table; 40 characters is the most the column takes."""
    return hashlib.sha256(f"name/{session_key}".encode()).hexdigest()[:40]
