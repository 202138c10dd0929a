"""Asking a receiver: handing a message over, and asking what it has.

A receiver that answers look-ups does so on GET, under the message's id: 200 with a JSON object that
has the ``id`` and the ``sha256`` of the document it keeps (and, as it likes, ``url`` and the
document's ``parts``), or 404 with a JSON object that has the ``id`` alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from folkmoot.channels.api import Meaning, find_wait_seconds
from folkmoot.channels.outbound import Outbound, Response
from folkmoot.channels.webhook.errors import get_reason
from folkmoot.channels.webhook.signing import Secret, make_headers

_URL = re.compile(r"https://[!-~]{1,2000}")
_SAID_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Said:
    """What a receiver answered. ``value`` is the JSON object in it, empty where there is none;
    ``reason`` a sentence for an answer that is no yes.
    """

    status: int
    value: Mapping[str, Any] = field(repr=False)
    meaning: Meaning
    reason: str
    after_seconds: float | None
    url: str

    @property
    def yes(self) -> bool:
        """Whether it was taken."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the 2xx

    def is_about(self, message_id: str) -> bool:
        """Whether it is in the form of a look-up's answer, about this message."""
        return self.value.get("id") == message_id

    @property
    def sha256(self) -> str | None:
        """The digest of the document the receiver keeps, where it says so."""
        digest = self.value.get("sha256")
        return digest.lower() if isinstance(digest, str) else None


class Receiver:
    """A receiver's address, and the secret shared with it. Each call asks once and raises
    :class:`~folkmoot.channels.outbound.OutboundError`.
    """

    def __init__(
        self, address: str, secret: Secret, outbound: Outbound, now: Callable[[], datetime]
    ) -> None:
        self.address = address
        self._secret = secret
        self._outbound = outbound
        self._now = now

    @property
    def page(self) -> str:
        """The address, without what may be private to it."""
        return self.address.partition("?")[0]

    def hand_over(self, message_id: str, body: bytes) -> Said:
        """Hand a message over."""
        signed = make_headers(self._secret, message_id, body, self._now())
        headers = {"Content-Type": "application/json", "Accept": "application/json", **signed}
        return self._read(self._outbound.request("POST", self.address, headers, body))

    def ask(self, message_id: str) -> Said:
        """Ask what the receiver has under ``message_id``.

        Signed under an id of its own: a receiver that counts every id as seen must not take the
        question for the message.
        """
        now = self._now()
        question = f"look-up-{message_id}-{int(now.timestamp())}"
        headers = {"Accept": "application/json", **make_headers(self._secret, question, b"", now)}
        mark = "&" if "?" in self.address else "?"
        url = f"{self.address}{mark}{urlencode({'id': message_id})}"
        return self._read(self._outbound.request("GET", url, headers))

    def _read(self, response: Response) -> Said:
        value = _find_object(response.body)
        reason = get_reason(response.status)
        said = self._clean(_find_words(value, response)) or str(response.status)
        places = (response.headers.get("location", ""), value.get("url"))
        url = next((one for one in places if isinstance(one, str) and _URL.fullmatch(one)), "")
        return Said(
            response.status,
            value,
            reason.meaning,
            reason.sentence.format(said=said.rstrip(".")),
            find_wait_seconds(response),
            url or self.page,
        )

    def _clean(self, said: str) -> str:
        text = "".join(letter if letter.isprintable() else " " for letter in said)
        return text.replace(self._secret.text, "…")[:_SAID_LENGTH].strip()


def _find_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _find_words(value: Mapping[str, Any], response: Response) -> str:
    for name in ("error", "message", "detail"):
        if isinstance(value.get(name), str):
            return str(value[name])
    if response.headers.get("content-type", "").startswith("text/plain"):
        return response.body.decode("utf-8", "replace")
    return ""
