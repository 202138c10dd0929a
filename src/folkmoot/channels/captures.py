"""Keeping what a channel itself answered: offered by the one outbound client, without secrets.

Whoever publishes asks for it with :func:`capturing`. An answer is offered only where it is safe to
keep: of a kind that is text, of a bearable size, from no address that deals in sign-ins, with none
of what the request was signed with in it, and with no field whose name is a secret's. The address
loses what may sign it, and of the headers only those stay that say what the answer is. What is not
safe is not kept at all: a record with holes is better than one with tokens in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

MOST_BYTES = 256_000
_KEPT_HEADERS = ("content-type", "date", "etag", "last-modified", "location", "server")
_TEXT = re.compile(
    r"(?:application/(?:[\w.+-]*\+)?(?:json|xml)|text/(?:html|plain|xml))\b", re.IGNORECASE
)
# In an address or the name of a field: what signs, or lets somebody in.
_SECRET = re.compile(
    r"token|secret|passw|jwt|session|oauth|auth(?!or(?!i))|bearer|credential|assertion|signature|"
    r"api.?key|code_verifier|client_id|cookie",
    re.IGNORECASE,
)
_LEAST_SECRET = 6
# Of a request's own headers, those that never sign it.
_PLAIN_HEADERS = frozenset({"accept", "content-type", "idempotency-key", "user-agent"})


@dataclass(frozen=True, slots=True)
class Captured:
    """An answer as it may be kept. ``headers`` are in the order of the alphabet."""

    method: str
    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)


Keep = Callable[[Captured], None]
_KEEP: ContextVar[Keep | None] = ContextVar("keep", default=None)


@contextmanager
def capturing() -> Iterator[list[Captured]]:
    """Everything that is asked inside this block, by whichever client, and is safe to keep is put
    into the list that this gives, in its order.
    """
    found: list[Captured] = []
    before = _KEEP.set(found.append)
    try:
        yield found
    finally:
        _KEEP.reset(before)


def offer(
    *,
    method: str,
    url: str,
    sent: Mapping[str, str],
    body: bytes | None,
    status: int,
    headers: Mapping[str, str],
    answer: bytes,
) -> None:
    """Offer an answer to whoever captures: for the outbound client alone. ``sent`` and ``body`` are
    the request's own, to know its secrets by.
    """
    keep = _KEEP.get()
    if keep is None:
        return
    safe = find_safe(
        method=method,
        url=url,
        sent=sent,
        body=body,
        status=status,
        headers=headers,
        answer=answer,
    )
    if safe is not None:
        keep(safe)


def find_safe(
    *,
    method: str,
    url: str,
    sent: Mapping[str, str],
    body: bytes | None,
    status: int,
    headers: Mapping[str, str],
    answer: bytes,
) -> Captured | None:
    """The answer as it may be kept; ``None`` where it may not be."""
    parts = urlsplit(url)
    kind = headers.get("content-type", "")
    if len(answer) > MOST_BYTES or not _TEXT.match(kind) or _SECRET.search(unquote(parts.path)):
        return None
    secrets = _secrets_of(parts.query, sent, body)
    if _names_secret(kind, answer):
        return None
    query = [(name, value) for name, value in _pairs(parts.query) if not _SECRET.search(name)]
    bare = urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))
    kept = tuple((name, headers[name]) for name in _KEPT_HEADERS if name in headers)
    whole = f"{bare}\n{kept}".encode() + answer
    if any(secret in whole for secret in secrets):
        return None
    return Captured(method, bare, status, kept, answer)


def _secrets_of(query: str, sent: Mapping[str, str], body: bytes | None) -> list[bytes]:
    """What the request was signed with: its headers but for those that never sign, and what is
    named like a secret.
    """
    found = []
    for name, value in sent.items():
        if name.lower() not in _PLAIN_HEADERS:
            found += value.replace(",", " ").replace("=", " ").split()
    pairs = _pairs(query)
    if body is not None and len(body) <= MOST_BYTES:
        text = body.decode(errors="replace")
        pairs += _pairs(text)
        pairs += _pairs_of_json(text)
    found += [value for name, value in pairs if _SECRET.search(name)]
    return [text.strip("\"'").encode() for text in found if len(text) >= _LEAST_SECRET]


def _names_secret(kind: str, answer: bytes) -> bool:
    """Whether an answer has a field whose name is a secret's. One in JSON that cannot be read is
    taken to have.
    """
    if "json" not in kind.lower():
        return False
    try:
        waiting: list[Any] = [json.loads(answer)]
    except (ValueError, RecursionError):
        return bool(answer.strip())
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if any(_SECRET.search(name) for name in one):
                return True
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return False


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=200)
    except ValueError:
        return []


def _pairs_of_json(text: str) -> list[tuple[str, str]]:
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):
        return []
    if not isinstance(held, dict):
        return []
    return [(name, value) for name, value in held.items() if isinstance(value, str)]
