"""Time stamps by an authority that is not ours, over a log's head: RFC 3161.

A head that was stamped existed at that time, whoever holds the log's key later. The stamp is kept
beside the head as the authority gave it, and read again with nothing but the authority's root
certificate. Only the hash of the head leaves.

The token's form is read strictly (DER). An OpenSSL ``ts`` authority that sends further certificates
along puts them in an order that DER forbids, and its stamps are refused: it must send its own alone
(leave out ``certs`` in its configuration), and whoever reads gives the others as ``roots``.
"""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http import HTTPStatus

from cryptography import x509
from rfc3161_client import (
    PKIStatus,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from .errors import StampError
from .proofs import visible
from .witnessing import Post

QUERY_TYPE = "application/timestamp-query"
"""The content type under which a request must be posted (RFC 3161 section 3.4)."""
MAX_STAMP_BYTES = 64 << 10

_SHA256 = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_SHA256_IMPRINT = bytes.fromhex("3031300d060960864801650304020105000420")
_VERSION_1 = bytes.fromhex("020101")
_WITH_CERTIFICATE = bytes.fromhex("0101ff")
_NONCE_BYTES = 8


@dataclass(frozen=True, slots=True)
class StampRequest:
    """What to post to the authority, and the number its answer must repeat."""

    body: bytes
    nonce: int


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time stamp that was verified."""

    at: datetime
    """When the authority says it saw the bytes, as aware UTC."""
    authority: str
    """The subject of the certificate that signed, as in RFC 4514."""
    serial: int
    """The stamp's own number with the authority."""
    policy: str
    """The authority's policy, as dotted decimals."""
    accuracy: timedelta | None
    """How far off the time may be, where the authority says so."""


def make_stamp_request(
    data: bytes, *, random_bytes: Callable[[int], bytes] = secrets.token_bytes
) -> StampRequest:
    """A request to stamp ``data`` by its SHA-256, with a fresh number and for a certificate.

    The body is a ``TimeStampReq`` of RFC 3161 section 2.4.1 in DER.
    """
    # The first bit is set so that the number has one length, and so the request.
    nonce = int.from_bytes(random_bytes(_NONCE_BYTES), "big") | 1 << (8 * _NONCE_BYTES - 1)
    number = b"\0" + nonce.to_bytes(_NONCE_BYTES, "big")
    parts = (
        _VERSION_1,
        _SHA256_IMPRINT + sha256(data).digest(),
        bytes((2, len(number))) + number,
        _WITH_CERTIFICATE,
    )
    content = b"".join(parts)
    return StampRequest(bytes((0x30, len(content))) + content, nonce)


def read_stamp(answer: bytes, data: bytes, roots: bytes, *, nonce: int | None = None) -> Stamp:
    """What an authority's answer proves of ``data``.

    Args:
        answer: the ``TimeStampResp`` as it came, or as it was kept.
        data: the bytes that were stamped: a head's note as text in UTF-8.
        roots: certificates in PEM, one or more, to one of which the authority's must lead. They
            must have been valid at the time of the stamp; that they still are is not asked.
        nonce: that of the request, where this is the answer to one just made.

    Raises :class:`StampError` for everything else, with a sentence that says which: no time stamp
    at all, a refusal, another request's, other bytes, no authority that ``roots`` vouch for.
    """
    if len(answer) > MAX_STAMP_BYTES:
        raise StampError("A time stamp of more than 64 KiB is not read.")
    vouching = _load(roots)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what a parser will refuse tomorrow is refused today
            return _read(answer, data, vouching, nonce)
    except StampError:
        raise
    except VerificationError as wrong:
        raise StampError(
            f"The time stamp is not that of an authority which the certificates you gave vouch "
            f"for, or it was changed: {visible(str(wrong))}."
        ) from wrong
    except Exception as wrong:  # parsing hostile DER raises more kinds than its makers name
        raise StampError(f"This is no time stamp: {visible(str(wrong))[:200]}.") from wrong


def fetch_stamp(
    post: Post,
    url: str,
    data: bytes,
    roots: bytes,
    *,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> tuple[bytes, Stamp]:
    """A time stamp over ``data``, as the authority gave it and as it was understood.

    Args:
        post: posts a body as :data:`QUERY_TYPE`; gives back status, content type and body. What it
            raises passes through.
        url: the authority's address.
        data: the bytes to stamp.
        roots: see :func:`read_stamp`.
        random_bytes: where the request's number comes from.

    Raises :class:`StampError` where the answer is no time stamp over ``data`` for this request.
    """
    request = make_stamp_request(data, random_bytes=random_bytes)
    status, _, answer = post(url, request.body)
    if status != HTTPStatus.OK:
        raise StampError(f"The time-stamping authority at {url} gave no stamp: it said {status}.")
    return answer, read_stamp(answer, data, roots, nonce=request.nonce)


def _load(roots: bytes) -> list[x509.Certificate]:
    try:
        found = x509.load_pem_x509_certificates(roots)
    except ValueError as wrong:
        raise StampError(f"The root certificates are not PEM: {wrong}") from wrong
    return list(dict.fromkeys(found))


def _read(answer: bytes, data: bytes, roots: list[x509.Certificate], nonce: int | None) -> Stamp:
    response = decode_timestamp_response(answer)
    if response.status != PKIStatus.GRANTED:
        words = visible(" ".join(response.status_string))
        raise StampError(
            f"The authority gave no stamp: status {response.status} (RFC 3161 section 2.4.2). "
            f"{words}".rstrip()
        )
    info = response.tst_info
    if nonce is not None and info.nonce != nonce:
        raise StampError("The time stamp answers another request: its number is another.")
    imprint = info.message_imprint
    if imprint.hash_algorithm != _SHA256:
        raise StampError("The time stamp is by another hash than SHA-256, which was asked for.")
    if imprint.message != sha256(data).digest():
        raise StampError("The time stamp is over other bytes than these.")
    signer = _find_signer(response)
    VerifierBuilder(roots=roots, nonce=nonce).build().verify(response, sha256(data).digest())
    accuracy = None
    if info.accuracy is not None:
        accuracy = timedelta(
            seconds=info.accuracy.seconds or 0,
            milliseconds=info.accuracy.millis or 0,
            microseconds=info.accuracy.micros or 0,
        )
    return Stamp(
        at=info.gen_time.astimezone(UTC),
        authority=visible(signer.subject.rfc4514_string()),
        serial=info.serial_number,
        policy=info.policy.dotted_string,
        accuracy=accuracy,
    )


def _find_signer(response: TimeStampResponse) -> x509.Certificate:
    """The one certificate in the token that claims to be its signer's.

    What a certificate may be used for is looked up by its issuer and number alone. With two that
    bear the same, one could be judged while the other signed: they are refused.
    """
    infos = response.signed_data.signer_infos
    if len(infos) != 1:
        raise StampError(f"A time stamp has one signature; this has {len(infos)}.")
    (info,) = infos
    held = [x509.load_der_x509_certificate(one) for one in response.signed_data.certificates]
    claiming = [
        one for one in held if one.issuer == info.issuer and one.serial_number == info.serial_number
    ]
    if len(claiming) != 1:
        raise StampError(
            f"A time stamp must bring the one certificate of its signer; this brings "
            f"{len(claiming)}."
        )
    return claiming[0]
