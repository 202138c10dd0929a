"""Handing e-mails to GOV.UK Notify, which central and local government may use.

Source: the REST API documentation of GOV.UK Notify (docs.notifications.service.gov.uk): sending an
e-mail, its error table, the status of multiple messages, API keys, rate and daily limits. Notify
has no idempotency key, but it keeps our reference and lists messages by it, so what became of an
e-mail nobody answered for can be asked.

Notify sends what a template says. The template has ``((subject))`` as its subject and ``((body))``
as its body; Notify reads some signs at the start of a line (``#``, ``*``, ``^``) as formatting.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from folkmoot.channels.api import Api, Meaning, NoClearAnswer, Reason, SaidNo
from folkmoot.channels.email.letter import Letter
from folkmoot.channels.email.transport import Handed, NotNow, NotTaken, NotThere, Unsure
from folkmoot.channels.outbound import Outbound

NOTIFY = "https://api.notifications.service.gov.uk"
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_KEY = re.compile(rf".+-(?P<service>{_UUID})-(?P<secret>{_UUID})")
_CODE = re.compile(_UUID)
_TABLE = {
    "AuthError": Reason(
        Meaning.SIGN_IN,
        "GOV.UK Notify does not take the API key ({said}). Make a new live key on its page “API"
        " integration”, and enter it here.",
    ),
    "RateLimitError": Reason(
        Meaning.REFUSED, "GOV.UK Notify takes no more this minute. It is tried again by itself."
    ),
    "TooManyRequestsError": Reason(
        Meaning.REFUSED,
        "GOV.UK Notify's allowance for today is used up ({said}). What is left goes out after"
        " midnight, if that is in time.",
    ),
}
_WAITS = {"RateLimitError": 60.0, "TooManyRequestsError": 3600.0}
_WAIT_FOR_A_PERSON = 600.0
_FAILED = frozenset({"permanent-failure", "temporary-failure", "technical-failure"})


@dataclass(frozen=True, slots=True)
class NotifyService:
    """A service on Notify: its API key and the template that carries our e-mails."""

    api_key: str = field(repr=False)
    template_id: str
    server: str = NOTIFY


class Notify:
    """A :class:`~folkmoot.channels.email.transport.Transport` to GOV.UK Notify.

    Raises :class:`ValueError` where the API key or the template's id has not the form of one.
    """

    can_find = True

    def __init__(
        self,
        service: NotifyService,
        outbound: Outbound,
        *,
        now: Callable[[], datetime],
        per_minute: int = 600,
    ) -> None:
        self.per_minute = per_minute
        key = _KEY.fullmatch(service.api_key.strip())
        if key is None:
            raise ValueError(
                "The API key is a name and two groups of letters and digits, joined by hyphens."
                " Copy the whole of it from GOV.UK Notify."
            )
        if not _CODE.fullmatch(service.template_id):
            raise ValueError(
                "The template's id looks like 9d751e0e-f929-4891-82a1-a3e1c3c18ee3. Copy it from"
                " the template's page on GOV.UK Notify."
            )
        self._service = service
        self._now = now
        self._api = Api(
            outbound,
            title="GOV.UK Notify",
            find_error=_find_error,
            table=_TABLE,
            secrets=lambda: (service.api_key, key["secret"]),
        )

    def hand_over(self, letter: Letter) -> Handed | NotTaken | NotNow | Unsure:
        """See :class:`~folkmoot.channels.email.transport.Transport`."""
        wanted: dict[str, Any] = {
            "email_address": letter.to,
            "template_id": self._service.template_id,
            "personalisation": {
                "subject": letter.subject,
                "body": letter.text,
                "unsubscribe_url": letter.unsubscribe_url,
            },
            "reference": letter.reference,
        }
        if letter.unsubscribe_url.startswith("https:"):  # it takes no other
            wanted["one_click_unsubscribe_url"] = letter.unsubscribe_url
        try:
            answer = self._api.ask(
                "POST",
                f"{self._service.server}/v2/notifications/email",
                token=self._make_token(),
                json_body=wanted,
            )
        except SaidNo as no:
            return _refusal(no, letter)
        except NoClearAnswer as unclear:
            if not unclear.sent:
                return NotNow(unclear.reason, for_all=True)
            return Unsure(unclear.reason)
        value = answer.value if isinstance(answer.value, dict) else {}
        remote_id = str(value.get("id", ""))
        if not _CODE.fullmatch(remote_id) or value.get("reference") != letter.reference:
            return Unsure("GOV.UK Notify's answer was not a clear one.")
        return Handed(remote_id)

    def find(self, reference: str) -> Handed | NotThere | Unsure:
        """See :class:`~folkmoot.channels.email.transport.Transport`. Notify forgets messages
        after seven days: what is older cannot be proven never to have been there.
        """
        try:
            answer = self._api.ask(
                "GET",
                f"{self._service.server}/v2/notifications",
                token=self._make_token(),
                params={"reference": reference, "template_type": "email"},
            )
        except (SaidNo, NoClearAnswer) as without:
            return Unsure(without.reason)
        value = answer.value if isinstance(answer.value, dict) else {}
        listed = value.get("notifications")
        if not isinstance(listed, list):
            return Unsure("GOV.UK Notify's answer was not a clear one.")
        for one in listed:
            if isinstance(one, dict) and one.get("reference") == reference:
                return Handed(str(one.get("id", "")))
        return Unsure("GOV.UK Notify listed other messages.") if listed else NotThere()

    def diagnose(self) -> str | None:
        """See :class:`~folkmoot.channels.email.transport.Transport`."""
        try:
            answer = self._api.ask(
                "GET",
                f"{self._service.server}/v2/template/{self._service.template_id}",
                token=self._make_token(),
            )
        except SaidNo as no:
            if no.meaning is Meaning.MISSING:
                return "GOV.UK Notify has no template with this id. Copy the id from its page."
            return no.reason
        except NoClearAnswer as unclear:
            return unclear.reason
        value = answer.value if isinstance(answer.value, dict) else {}
        if value.get("type") != "email":
            return "The template on GOV.UK Notify is not one for e-mails. Make one that is."
        for place in ("subject", "body"):
            if f"(({place}))" not in str(value.get(place, "")):
                return (
                    f"The template's {place} on GOV.UK Notify must have (({place})) in it. Put it"
                    " there, and nothing else."
                )
        return None

    def close(self) -> None:
        """See :class:`~folkmoot.channels.email.transport.Transport`."""

    def _make_token(self) -> str:
        """A token that says who we are, good for 30 seconds (JWT, RFC 7519, with HS256)."""
        key = _KEY.fullmatch(self._service.api_key.strip())
        assert key is not None
        claims = {"iss": key["service"], "iat": int(self._now().timestamp())}
        head = b".".join(_encode(part) for part in ({"typ": "JWT", "alg": "HS256"}, claims))
        signature = hmac.new(key["secret"].encode(), head, hashlib.sha256).digest()
        return (head + b"." + _trimmed(signature)).decode()


def _refusal(no: SaidNo, letter: Letter) -> NotTaken | NotNow:
    errors = no.value.get("errors", []) if isinstance(no.value, dict) else []
    fields = " ".join(
        str(one.get("message", ""))
        for one in errors
        if isinstance(one, dict) and one.get("error") == "ValidationError"
    )
    if re.match(r"\W*email_address\b", fields):
        return NotTaken("GOV.UK Notify says that this is no e-mail address.", about_address=True)
    reason = no.reason.replace(letter.to, "…")
    # All else is about the key, the template or the service: it would be said to every e-mail, so
    # none is given up for it, and a person puts it right.
    return NotNow(reason, _WAITS.get(no.code, _WAIT_FOR_A_PERSON), for_all=True)


def _find_error(status: int, value: Any) -> tuple[Sequence[str], str] | None:  # noqa: ARG001
    errors = value.get("errors") if isinstance(value, dict) else None
    if not isinstance(errors, list) or not errors or not isinstance(errors[0], dict):
        return None
    return [str(errors[0].get("error", ""))], str(errors[0].get("message", ""))


def _encode(value: dict[str, Any]) -> bytes:
    return _trimmed(json.dumps(value, separators=(",", ":")).encode())


def _trimmed(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
