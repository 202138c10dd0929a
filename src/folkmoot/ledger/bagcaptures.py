"""A channel's own answers as WARC 1.1 records (ISO 28500:2017), a gzip member each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import timedelta
from hashlib import sha256
from http import HTTPStatus
from io import BytesIO
from itertools import chain
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from .bagparts import Capture
from .entries import render_time
from .errors import BagError

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]{0,16000}")
_URL = re.compile(r"[!-~]{1,8000}")
_CODED = ("content-encoding", "transfer-encoding", "content-length")


def write_captures(
    captures: Iterable[Capture], open_file: Callable[[], AbstractContextManager[Any]]
) -> int:
    """Write ``captures`` in their order into the file that ``open_file`` opens; how many they were.

    No file is opened where there are none. A record's id comes from its contents, so the same
    captures give the same bytes. Raises :class:`BagError` for one that cannot be a record.
    """
    waiting = iter(captures)
    first = next(waiting, None)
    if first is None:
        return 0
    count = 0
    with open_file() as file:
        writer = WARCWriter(file, gzip=True, warc_version="WARC/1.1")
        for count, capture in enumerate(chain([first], waiting), 1):
            writer.write_record(_make_record(writer, capture, count))
    return count


def _make_record(writer: WARCWriter, capture: Capture, number: int) -> Any:
    _check(capture)
    headers = [(_name(label, value, len(capture.body)), value) for label, value in capture.headers]
    try:
        phrase = HTTPStatus(capture.status).phrase
    except ValueError:
        phrase = ""
    status = f"{capture.status} {phrase}".rstrip()
    date = render_time(capture.at)
    digest = sha256(f"{number} {capture.url} {date} {status} {headers!r}".encode() + capture.body)
    return writer.create_warc_record(
        capture.url,
        "response",
        payload=BytesIO(capture.body),
        length=len(capture.body),
        warc_headers_dict={
            "WARC-Record-ID": f"<urn:uuid:{uuid5(NAMESPACE_URL, digest.hexdigest())}>",
            "WARC-Date": date,
        },
        http_headers=StatusAndHeaders(status, headers, protocol="HTTP/1.1"),
    )


def _name(label: str, value: str, length: int) -> str:
    """A header's name. One that is no longer true of the body, whose coding was undone, is kept
    under the name that web archives use for it.
    """
    low = label.lower()
    if low not in _CODED or (low == "content-length" and value == str(length)):
        return label
    return f"X-Archive-Orig-{label}"


def _check(capture: Capture) -> None:
    if not _URL.fullmatch(capture.url):
        raise BagError("The address of a channel's answer must be printable ASCII without spaces.")
    if capture.at.utcoffset() != timedelta(0):
        raise BagError("The time of a channel's answer must be given in UTC.")
    if not 100 <= capture.status <= 999:  # noqa: PLR2004 - RFC 9110 section 15
        raise BagError(f"{capture.status} is no status of an answer.")
    for label, value in capture.headers:
        if not _TOKEN.fullmatch(label) or not _VALUE.fullmatch(value):
            raise BagError(f"A header of the answer of {capture.url} is not in its form.")
