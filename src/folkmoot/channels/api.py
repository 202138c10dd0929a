"""Calls to a channel's HTTP API in JSON, with three outcomes: an answer, a clear no, or neither.

Each adapter has an error table: from its channel's own codes to what they mean for us and a
sentence for the person who must act. What is in no table and is not a plain 4xx with the channel's
own error in it is *not clear*: whoever asked must look, not try again.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from folkmoot.channels.outbound import Outbound, OutboundError, Response

_SAID_LENGTH = 200
_LONGEST_WAIT_SECONDS = 24 * 3600.0
_TOO_MANY = 429
_PASSING = frozenset({408, 425})


class Meaning(StrEnum):
    """What a channel's error means for whoever asked."""

    REFUSED = "refused"
    """A clear no about this request, for good."""
    SIGN_IN = "sign_in"
    """The token is over, was revoked, or may not do this: renew it once, else a person must."""
    LATER = "later"
    """Too many requests, or closed for now: wait, look, and only then try again."""
    REPEAT = "repeat"
    """The channel holds it to be something it has already."""
    MISSING = "missing"
    """What was asked about is not there."""
    UNCLEAR = "unclear"
    """Neither yes nor no."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One row of an error table. ``sentence`` says what is wrong and what to do; ``{said}`` in it
    is what the channel said.
    """

    meaning: Meaning
    sentence: str


class SaidNo(Exception):
    """The channel clearly said no. ``code`` is its own name for why; ``reason`` our sentence;
    ``value`` the whole answer.
    """

    def __init__(self, status: int, code: str, meaning: Meaning, reason: str, value: Any) -> None:
        super().__init__(f"{status} {code}: {reason}")
        self.status = status
        self.code = code
        self.meaning = meaning
        self.reason = reason
        self.value = value


class NoClearAnswer(Exception):
    """No answer, or one that is not clear. ``reason`` is a sentence; ``sent`` is ``False`` only
    where the request cannot have reached the server; ``strange`` is ``True`` where something
    answered that does not speak the channel's language; ``after_seconds`` how long it asked us to
    wait.
    """

    def __init__(
        self,
        reason: str,
        *,
        sent: bool,
        strange: bool = False,
        after_seconds: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent
        self.strange = strange
        self.after_seconds = after_seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """A clear yes: 2xx. ``value`` is the JSON of the body, ``None`` where there is no body."""

    status: int
    headers: Mapping[str, str]
    value: Any


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in a ``multipart/form-data`` body (RFC 7578)."""

    field: str
    name: str
    media_type: str
    content: bytes


class Api:
    """The HTTP API of one channel.

    ``title`` is the channel's name in sentences. ``find_error`` gives, of an answer that is no yes
    (its status and JSON), the channel's codes for it, the most telling first, and what it said;
    ``None`` where the answer is not in the channel's form. ``table`` explains the codes.
    ``secrets`` gives what must never be repeated in a sentence. ``find_wait`` is for a channel that
    says in its own way how many seconds to wait.
    """

    def __init__(
        self,
        outbound: Outbound,
        *,
        title: str,
        find_error: Callable[[int, Any], tuple[Sequence[str], str] | None],
        table: Mapping[str, Reason],
        secrets: Callable[[], Iterable[str]] = tuple,
        find_wait: Callable[[Response], float | None] | None = None,
    ) -> None:
        self._outbound = outbound
        self._title = title
        self._find_error = find_error
        self._table = table
        self._secrets = secrets
        self._find_wait = find_wait or find_wait_seconds

    def ask(
        self,
        method: str,
        url: str,
        *,
        token: str | None = None,
        params: Mapping[str, str] | None = None,
        json_body: Any = None,
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
        files: Sequence[Upload] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask exactly once. At most one of ``json_body``, ``form`` (with or without ``files``) and
        ``body`` is sent; ``token`` is a bearer token (RFC 6750).

        Raises :class:`SaidNo` and :class:`NoClearAnswer`.
        """
        sent = {"Accept": "application/json", **(headers or {})}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if json_body is not None:
            body = json.dumps(json_body, ensure_ascii=False, separators=(",", ":")).encode()
            sent["Content-Type"] = "application/json"
        elif files:
            body, sent["Content-Type"] = _multipart(form or {}, files)
        elif form is not None:
            body = urlencode(form).encode()
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        if params:
            url = f"{url}{'&' if '?' in url else '?'}{urlencode(params)}"
        try:
            response = self._outbound.request(method, url, sent, body)
        except OutboundError as fault:
            raise NoClearAnswer(fault.reason, sent=fault.sent) from fault
        return self._read(response)

    def _read(self, response: Response) -> Answer:
        status = response.status
        readable, value = _find_json(response.body)
        if 200 <= status < 300 and readable:  # noqa: PLR2004 - the 2xx
            return Answer(status, response.headers, value)
        found = self._find_error(status, value) if readable else None
        codes, said = found if found is not None else ((), "")
        said = self._clean(said)
        wait = self._find_wait(response)
        row = next((self._table[code] for code in codes if code in self._table), None)
        if row is not None:
            reason = row.sentence.format(said=said or "no reason given")
            if row.meaning in (Meaning.LATER, Meaning.UNCLEAR):
                raise NoClearAnswer(reason, sent=True, after_seconds=wait)
            raise SaidNo(status, codes[0], row.meaning, reason, value)
        if status == _TOO_MANY:
            raise NoClearAnswer(
                f"{self._title} takes no more requests from here for now. It is tried again by"
                " itself.",
                sent=True,
                after_seconds=wait,
            )
        if status in _PASSING:
            raise NoClearAnswer(
                f"{self._title} asked us to come again later ({status}).",
                sent=True,
                after_seconds=wait,
            )
        if 400 <= status < 500 and found is not None:  # noqa: PLR2004 - the 4xx
            meaning = {401: Meaning.SIGN_IN, 404: Meaning.MISSING, 410: Meaning.MISSING}.get(
                status, Meaning.REFUSED
            )
            code = codes[0] if codes else str(status)
            shown = (said or self._clean(code)).rstrip(".")
            reason = f"{self._title} refused it ({shown})."
            raise SaidNo(status, code, meaning, reason, value)
        raise NoClearAnswer(
            f"{self._title}'s answer ({status}) was not a clear one.",
            sent=True,
            strange=found is None,
            after_seconds=wait,
        )

    def _clean(self, said: object) -> str:
        text = "".join(letter if letter.isprintable() else " " for letter in str(said or ""))
        for secret in self._secrets():
            if secret:
                text = text.replace(secret, "…")
        return text[:_SAID_LENGTH].strip()


def find_wait_seconds(response: Response) -> float | None:
    """How long a server asked us to wait (``Retry-After``, RFC 9110, section 10.2.3), in seconds.

    Of a 429 without it, the time until its limit starts anew (``RateLimit-Reset``, in seconds since
    1970 as the reference server of Bluesky has it, or from now on). A date is held against the
    server's own ``Date``, so that a wrong clock there does no harm. ``None`` where it said nothing
    that can be read; never longer than a day.
    """
    said = response.headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return min(float(said), _LONGEST_WAIT_SECONDS)
    reset = response.headers.get("ratelimit-reset", "").strip()
    try:
        if not said and response.status == _TOO_MANY and reset.isascii() and reset.isdigit():
            if int(reset) <= _LONGEST_WAIT_SECONDS:
                return float(reset)
            until = datetime.fromtimestamp(int(reset), UTC)
        else:
            until = parsedate_to_datetime(said)
        there = parsedate_to_datetime(response.headers.get("date", ""))
        wait = (until - there).total_seconds()
    except (ValueError, TypeError, OverflowError, OSError):
        return None
    return min(max(wait, 0.0), _LONGEST_WAIT_SECONDS)


def _find_json(body: bytes) -> tuple[bool, Any]:
    if not body.strip():
        return True, None
    try:
        return True, json.loads(body)
    except (ValueError, RecursionError):
        return False, None


def _multipart(form: Mapping[str, str], files: Sequence[Upload]) -> tuple[bytes, str]:
    boundary = secrets.token_hex(16)
    pieces = []
    for name, value in form.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        pieces.append(head.encode() + value.encode() + b"\r\n")
    for file in files:
        head = (
            f"--{boundary}\r\nContent-Disposition: form-data;"
            f' name="{file.field}"; filename="{file.name}"\r\n'
            f"Content-Type: {file.media_type}\r\n\r\n"
        )
        pieces.append(head.encode() + file.content + b"\r\n")
    pieces.append(f"--{boundary}--\r\n".encode())
    return b"".join(pieces), f"multipart/form-data; boundary={boundary}"
