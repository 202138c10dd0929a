"""Signing a message as the Standard Webhooks specification 1.0 has it ("Signature scheme").

HMAC-SHA256 over the message's id, the time of the attempt in seconds and the body, joined by full
stops, so that a receiver knows that it is ours, whole, and not an old one played again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime

_PREFIX = "whsec_"
_LEAST_BYTES, _MOST_BYTES = 24, 64


@dataclass(frozen=True, slots=True)
class Secret:
    """A signing secret that does not show itself."""

    key: bytes = field(repr=False)
    text: str = field(repr=False)

    @classmethod
    def read(cls, text: str) -> Secret:
        """From ``whsec_`` and base64, of 24 to 64 bytes. Raises :class:`ValueError`."""
        text = text.strip()
        try:
            key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
        except binascii.Error as wrong:
            raise ValueError("this is no signing secret") from wrong
        if not text.startswith(_PREFIX) or not _LEAST_BYTES <= len(key) <= _MOST_BYTES:
            raise ValueError("this is no signing secret")
        return cls(key, text)


def make_headers(secret: Secret, message_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """The three headers that sign ``body`` under ``message_id``, sent at ``now``.

    Raises :class:`ValueError` where the id holds a full stop: it would be ambiguous.
    """
    if "." in message_id:
        raise ValueError("a message's id holds no full stop")
    timestamp = str(int(now.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(secret.key, signed, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
