"""The protocol's HTTP calls, with three outcomes: an answer, a clear no, or neither."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from folkmoot.channels.outbound import Outbound, OutboundError, Response

JSON = "application/json"
# Of the 4xx, those that pass by themselves. The post was not taken, but nobody has to act: the way
# back to another try is through a look-up, as for anything that is not a clear answer.
_TOO_MANY = 429
_PASSING = frozenset({408, 425})
_SAID_LENGTH = 200


class SaidNo(Exception):
    """The server clearly refused: a 4xx with the protocol's error in it. ``error`` is its name,
    ``said`` what it said, shortened and without secrets.
    """

    def __init__(self, status: int, error: str, said: str) -> None:
        super().__init__(f"{status} {error}: {said}")
        self.status = status
        self.error = error
        self.said = said


class NoClearAnswer(Exception):
    """No answer, or one that is not clear. ``reason`` is a sentence; ``sent`` is ``False`` only
    where the request cannot have reached the server; ``strange`` is ``True`` where something
    answered that does not speak the protocol.
    """

    def __init__(self, reason: str, *, sent: bool, strange: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent
        self.strange = strange


class Xrpc:
    """Calls to a server of the AT Protocol. ``secrets`` gives what must never be repeated."""

    def __init__(self, outbound: Outbound, secrets: Callable[[], Iterable[str]]) -> None:
        self._outbound = outbound
        self._secrets = secrets

    def query(
        self, server: str, method: str, params: Mapping[str, str], *, token: str | None = None
    ) -> dict[str, Any]:
        """Ask without changing anything. Raises :class:`SaidNo` and :class:`NoClearAnswer`."""
        url = f"{server}/xrpc/{method}" + (f"?{urlencode(params)}" if params else "")
        return self._ask("GET", url, {}, None, token)

    def procedure(
        self,
        server: str,
        method: str,
        body: bytes | None,
        *,
        content_type: str = JSON,
        token: str | None = None,
    ) -> dict[str, Any]:
        """Send ``body``, exactly and once. Raises :class:`SaidNo` and :class:`NoClearAnswer`."""
        headers = {} if body is None else {"Content-Type": content_type}
        return self._ask("POST", f"{server}/xrpc/{method}", headers, body, token)

    def _ask(
        self,
        verb: str,
        url: str,
        headers: dict[str, str],
        body: bytes | None,
        token: str | None,
    ) -> dict[str, Any]:
        headers = {**headers, "Accept": JSON}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        try:
            response = self._outbound.request(verb, url, headers, body)
        except OutboundError as fault:
            raise NoClearAnswer(fault.reason, sent=fault.sent) from fault
        return self._read(response)

    def _read(self, response: Response) -> dict[str, Any]:
        status = response.status
        value = _find_object(response.body)
        if status == _TOO_MANY:
            raise NoClearAnswer(
                "Bluesky takes no more requests from here for now. Wait some minutes.", sent=True
            )
        if status in _PASSING:
            raise NoClearAnswer(f"Bluesky asked us to come again later ({status}).", sent=True)
        if 200 <= status < 300 and value is not None:  # noqa: PLR2004 - the 2xx
            return value
        error = value.get("error") if value is not None else None
        if 400 <= status < 500 and isinstance(error, str):  # noqa: PLR2004 - the 4xx
            assert value is not None
            raise SaidNo(status, error[:_SAID_LENGTH], self._clean(value.get("message")))
        raise NoClearAnswer(
            f"The server's answer ({status}) was not a clear one.",
            sent=True,
            strange=not isinstance(error, str),
        )

    def _clean(self, said: object) -> str:
        text = "".join(letter if letter.isprintable() else " " for letter in str(said or ""))
        for secret in self._secrets():
            text = text.replace(secret, "…")
        return text[:_SAID_LENGTH].strip()


def _find_object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
