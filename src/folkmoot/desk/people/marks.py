"""Marks of e-mail addresses: by one a member is found who signs in, though no address can be read
in the database.

A mark is an HMAC-SHA-256 (RFC 2104) under a key of its own, which is in a file outside the
database. Whoever has the database alone can guess no address from it; whoever has both can try
whether one they know is there.
"""

from __future__ import annotations

import hashlib
import hmac

from django.conf import settings


def mark_of(email: str) -> str:
    """The mark of an e-mail address, without regard to case: 64 hexadecimal characters."""
    key = settings.CONFIG.read_or_make_key("people.key").encode()
    return hmac.new(key, f"member/{email.strip().casefold()}".encode(), hashlib.sha256).hexdigest()
