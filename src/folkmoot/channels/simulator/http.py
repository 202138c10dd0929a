"""Requests and answers of a simulated channel, as values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. ``path`` is decoded and without its query; header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def read(cls, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Asked:
        """From a request as it came in."""
        parts = urlsplit(target)
        names = {name.lower(): value for name, value in headers.items()}
        return cls(method, unquote(parts.path), dict(parse_qsl(parts.query)), names, body)

    @property
    def token(self) -> str:
        """The bearer token, or empty."""
        kind, _, value = self.headers.get("authorization", "").partition(" ")
        return value if kind.lower() == "bearer" else ""

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty where it is none."""
        try:
            value = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def form(self) -> dict[str, str]:
        """The fields of a form body, URL-encoded or multipart; files are left out."""
        if self.headers.get("content-type", "").startswith("multipart/"):
            return {name: body.decode() for name, kind, body in self._parts() if kind is None}
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def file(self, name: str) -> tuple[str, bytes] | None:
        """The file in a multipart body under this name: its media type and content."""
        return next(
            ((kind, body) for field, kind, body in self._parts() if field == name and kind), None
        )

    def _parts(self) -> list[tuple[str, str | None, bytes]]:
        head = f"Content-Type: {self.headers.get('content-type', '')}\r\n\r\n".encode()
        message = message_from_bytes(head + self.body, policy=HTTP)
        if not message.is_multipart():
            return []
        found = []
        for part in message.iter_parts():
            name = part.get_param("name", header="content-disposition")
            kind = part.get_content_type() if part.get_filename() else None
            content = part.get_payload(decode=True)
            found.append((str(name), kind, content if isinstance(content, bytes) else b""))
        return found


@dataclass(frozen=True, slots=True)
class Said:
    """One answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def say(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Said:
    """An answer in JSON."""
    return Said(
        status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})}
    )
