"""Record keys of our own: shaped like the protocol's time-ordered ids, and the same for ever.

A TID is 13 characters of base 32 over 64 bits: a zero, 53 bits of microseconds since 1970, and ten
bits that keep two clocks apart (AT Protocol specification, "Timestamp Identifiers"). Ours takes its
seconds from when the post is due, and everything finer from the SHA-256 of the delivery's id, so
the same delivery has the same key wherever and whenever it is computed. Two deliveries due in the
same second share a key once in a thousand million; the second is then found out, not published.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime

TID = re.compile(r"[2-7a-j][2-7a-z]{12}")
_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"
_LENGTH = 13
_CLOCK_BITS = 10


def make_key(delivery_id: str, due_at: datetime) -> str:
    """The record key of a delivery.

    Raises :class:`ValueError` where ``due_at`` has no time zone or is before 1970.
    """
    if due_at.tzinfo is None or due_at.timestamp() < 0:
        raise ValueError("due_at has no time zone, or is before 1970")
    number = int.from_bytes(hashlib.sha256(delivery_id.encode()).digest(), "big")
    number, clock = divmod(number, 1 << _CLOCK_BITS)
    microseconds = int(due_at.timestamp()) * 1_000_000 + number % 1_000_000
    return _write(microseconds << _CLOCK_BITS | clock)


def part_key(key: str, part: int) -> str:
    """The key of a thread's part, counted from 0: a microsecond later for each part.

    Raises :class:`ValueError` where ``key`` is not a TID.
    """
    if not TID.fullmatch(key):
        raise ValueError(f"{key!r} is not a record key of ours")
    number = 0
    for digit in key:
        number = number * len(_DIGITS) + _DIGITS.index(digit)
    return _write(number + (part << _CLOCK_BITS))


def _write(number: int) -> str:
    digits = []
    for _ in range(_LENGTH):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
