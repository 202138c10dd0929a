"""GOV.UK Notify, simulated: one service, one template, and what it was asked to send.

Source: as for :mod:`.notify`. What is kept of an e-mail is its subject as the text, our reference
as the key, and the rest in ``extra``. A mail server is simulated in :mod:`.simulated_smtp`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from typing import Any

from folkmoot.channels.email.address import NotAnAddress, read_address
from folkmoot.channels.simulator import Asked, Fault, Occasion, Said, Store, Stored, Strike, say

_CLOCK_SECONDS = 30
_SHOWN = 250


class SIMULATED:
    """A service with one live API key and one template."""

    channel = "email"

    def __init__(self) -> None:
        self.service_id = str(uuid.UUID(int=0x26785A09_AB16_4EB0_8407_A37497A57506))
        self.secret = str(uuid.UUID(int=0x3D844EDF_8D35_48AC_975B_E847B4F122B0))
        self.template_id = str(uuid.UUID(int=0x9D751E0E_F929_4891_82A1_A3E1C3C18EE3))
        self.template = {"subject": "((subject))", "body": "((body))", "type": "email"}

    @property
    def api_key(self) -> str:
        """The API key, as it is copied from the service's page."""
        return f"posts-{self.service_id}-{self.secret}"

    def to_type(self, url: str) -> Mapping[str, str]:
        """See :class:`~folkmoot.channels.simulator.Simulated`."""
        return {"notify_server": url, "template_id": self.template_id, "notify_key": self.api_key}

    def occasion(self, asked: Asked) -> Occasion:
        """See :class:`~folkmoot.channels.simulator.Simulated`."""
        return Occasion.PUBLISH if asked.method == "POST" else Occasion.READ

    def error(self, fault: Fault) -> Said:
        """See :class:`~folkmoot.channels.simulator.Simulated`."""
        match fault:
            case Fault.TOO_MANY:
                return _no(429, "RateLimitError", "Exceeded rate limit for key type LIVE")
            case Fault.BROKEN_BEFORE:
                return _no(500, "Exception", "Internal server error")
            case Fault.REFUSE:
                return _no(400, "ValidationError", "email_address Not a valid email address")
            case _:
                return _no(403, "AuthError", "Invalid token: API key not found")

    def answer(self, asked: Asked, store: Store, strike: Strike | None) -> Said:
        """See :class:`~folkmoot.channels.simulator.Simulated`."""
        fault = strike.fault if strike is not None else None
        if fault in (Fault.EXPIRED, Fault.REVOKED, Fault.REFUSE):
            return self.error(fault)
        if (wrong := self._find_wrong_token(asked.token, store)) is not None:
            return _no(403, "AuthError", wrong)
        with store.lock:
            if asked.method == "POST" and asked.path == "/v2/notifications/email":
                return self._send(asked.json(), store, wrong_id=fault is Fault.WRONG_ID)
            if asked.path == "/v2/notifications":
                return self._list(asked.query, store, lie=fault is Fault.LIE)
            if asked.path == f"/v2/template/{self.template_id}":
                return say({"id": self.template_id, **self.template})
        return _no(404, "NoResultFound", "No result found")

    def _send(self, wanted: dict[str, Any], store: Store, *, wrong_id: bool) -> Said:
        if wanted.get("template_id") != self.template_id:
            return _no(400, "BadRequestError", "Template not found")
        try:
            to = read_address(str(wanted.get("email_address", "")))
        except NotAnAddress:
            return self.error(Fault.REFUSE)
        given = wanted.get("personalisation") or {}
        if missing := {"subject", "body"} - set(given):
            return _no(
                400, "BadRequestError", f"Missing personalisation: {', '.join(sorted(missing))}"
            )
        unsubscribe = wanted.get("one_click_unsubscribe_url")
        if unsubscribe is not None and not str(unsubscribe).startswith("https://"):
            return _no(400, "ValidationError", "one_click_unsubscribe_url is not a valid https url")
        stored = store.add_post(
            given["subject"],
            key=str(wanted.get("reference") or ""),
            extra={
                "uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, store.next_id())),
                "to": to,
                "body": given["body"],
                "unsubscribe_url": unsubscribe,
            },
        )
        shown = _shown(stored)
        if wrong_id:
            shown |= {"reference": "somebody-elses"}
        return say(shown, 201)

    def _list(self, query: Mapping[str, str], store: Store, *, lie: bool) -> Said:
        reference = query.get("reference")
        found = [
            _shown(post)
            for post in store.list_newest(100_000)
            if post.extra.get("uuid") and reference in (None, post.key)
        ]
        return say({"notifications": [] if lie else found[:_SHOWN], "links": {}})

    def _find_wrong_token(self, token: str, store: Store) -> str | None:
        head, _, signature = token.rpartition(".")
        wanted = hmac.new(self.secret.encode(), head.encode(), hashlib.sha256).digest()
        try:
            claims = json.loads(_decode(head.partition(".")[2]))
            signed = hmac.compare_digest(_decode(signature), wanted)
        except ValueError:
            return "Invalid token: signature, API token not found"
        if not signed or claims.get("iss") != self.service_id:
            return "Invalid token: API key not found"
        if abs(store.now().timestamp() - claims.get("iat", 0)) > _CLOCK_SECONDS:
            return "Error: Your system clock must be accurate to within 30 seconds"
        return None


def _shown(stored: Stored) -> dict[str, Any]:
    return {
        "id": stored.extra["uuid"],
        "reference": stored.key or None,
        "email_address": stored.extra["to"],
        "type": "email",
        "status": "delivered",
        "subject": stored.text,
        "body": stored.extra["body"],
        "created_at": stored.at.isoformat(),
    }


def _no(status: int, error: str, message: str) -> Said:
    return say({"status_code": status, "errors": [{"error": error, "message": message}]}, status)


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
