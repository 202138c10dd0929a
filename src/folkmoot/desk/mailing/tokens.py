"""What stands in links: made from a key file of its own, so that the database holds nothing that
opens one, and a link in a letter of years ago still ends what it was for.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from django.conf import settings

from .models import Subscriber

_TOKEN = re.compile(r"([0-9a-f]{16})([A-Za-z0-9_-]{22})")
LEAVE = "leave"


def make_token(purpose: str, ref: str) -> str:
    """The token of the subscriber ``ref`` for ``purpose``: 38 letters, digits, ``-`` and ``_``."""
    return ref + _mac(f"{purpose}/{ref}")


def confirming(subscriber: Subscriber) -> str:
    """The purpose of the link that confirms what was asked for last, and no earlier one."""
    return f"confirm/{subscriber.asked}"


def read_ref(token: str) -> str | None:
    """Whose token this claims to be."""
    found = _TOKEN.fullmatch(token)
    return found[1] if found else None


def is_token(token: str, purpose: str, ref: str) -> bool:
    """Whether ``token`` is that of ``ref`` for ``purpose``."""
    return hmac.compare_digest(token.encode(), make_token(purpose, ref).encode())


def mark_of(list_id: int, address: str) -> str:
    """What an address is recognised by when it is forgotten: a keyed digest, without case."""
    return hmac.new(
        _key(), f"address/{list_id}/{address.casefold()}".encode(), hashlib.sha256
    ).hexdigest()


def _mac(text: str) -> str:
    digest = hmac.new(_key(), text.encode(), hashlib.sha256).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _key() -> bytes:
    return settings.CONFIG.read_or_make_key("mailing.key").encode()
