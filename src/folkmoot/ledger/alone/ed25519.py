"""Ed25519 signatures checked in plain Python (RFC 8032 section 5.1.7). A few milliseconds each.

Judges as OpenSSL does, so that two programs cannot differ over one file: the equation without the
cofactor, S below the group's order, R compared byte for byte; a public key is read modulo 2**255 -
19, and one of small order is a key like any other.
"""

from __future__ import annotations

from hashlib import sha512

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT_OF_MINUS_1 = pow(2, (_P - 1) // 4, _P)
_LOW_255 = 2**255 - 1

# A point of the curve as X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z.
_NEUTRAL = (0, 1, 1, 0)


def is_signature(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether ``signature`` (64 bytes) is the key's (32 bytes) over ``message``."""
    if len(public) != 32 or len(signature) != 64:  # noqa: PLR2004 - RFC 8032 section 5.1
        return False
    s = int.from_bytes(signature[32:], "little")
    key = _read_point(public)
    if s >= _ORDER or key is None:
        return False
    digest = sha512(signature[:32] + public + message).digest()
    k = int.from_bytes(digest, "little") % _ORDER
    # S*B - k*A must be the very R that was hashed.
    x, y, z, t = key
    return _write_point(_combine(s, _BASE, k, (-x % _P, y, z, -t % _P))) == signature[:32]


def _add(p: tuple[int, ...], q: tuple[int, ...]) -> tuple[int, ...]:
    """The sum of two points (RFC 8032 section 5.1.4)."""
    a = (p[1] - p[0]) * (q[1] - q[0]) % _P
    b = (p[1] + p[0]) * (q[1] + q[0]) % _P
    c = 2 * p[3] * q[3] * _D % _P
    d = 2 * p[2] * q[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _combine(s: int, p: tuple[int, ...], k: int, q: tuple[int, ...]) -> tuple[int, ...]:
    """s*P + k*Q, both in one walk from the highest bit down."""
    steps = (_NEUTRAL, p, q, _add(p, q))
    total: tuple[int, ...] = _NEUTRAL
    for at in range(max(s.bit_length(), k.bit_length()) - 1, -1, -1):
        total = _add(total, total)
        step = (s >> at & 1) + 2 * (k >> at & 1)
        if step:
            total = _add(total, steps[step])
    return total


def _read_point(data: bytes) -> tuple[int, ...] | None:
    """The point that 32 bytes stand for, or None (RFC 8032 section 5.1.3, taken as above)."""
    number = int.from_bytes(data, "little")
    y = (number & _LOW_255) % _P
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P), (_P - 5) // 8, _P) % _P
    if v * x * x % _P != u:
        x = x * _ROOT_OF_MINUS_1 % _P
        if v * x * x % _P != u:
            return None
    if x & 1 != number >> 255:
        x = -x % _P
    return x, y, 1, x * y % _P


def _write_point(point: tuple[int, ...]) -> bytes:
    inverse = pow(point[2], -1, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _base_point() -> tuple[int, ...]:
    point = _read_point((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))
    assert point is not None
    return point


_BASE = _base_point()
