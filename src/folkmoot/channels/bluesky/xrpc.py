"""The protocol's HTTP calls (XRPC), through :class:`~folkmoot.channels.api.Api`.

An error has the form ``{"error": name, "message": text}`` (AT Protocol specification, "HTTP API").
Only a 4xx with one is a clear no; 408, 425 and 429 pass by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from folkmoot.channels.api import Answer, Api, NoClearAnswer, Reason
from folkmoot.channels.outbound import Outbound

JSON = "application/json"
ANY_OTHER = "*"
"""In a table of errors: what stands for every name that is not in it."""
_PASSING = frozenset({408, 425, 429})
_NAME_LENGTH = 200


class Xrpc:
    """Calls to a server of the AT Protocol. ``table`` explains the errors' names; ``secrets`` gives
    what must never be repeated.
    """

    def __init__(
        self,
        outbound: Outbound,
        table: Mapping[str, Reason],
        secrets: Callable[[], Iterable[str]],
    ) -> None:
        self._api = Api(
            outbound, title="Bluesky", find_error=_find_error, table=table, secrets=secrets
        )

    def query(
        self, server: str, method: str, params: Mapping[str, str], *, token: str | None = None
    ) -> dict[str, Any]:
        """Ask without changing anything. Raises :class:`~folkmoot.channels.api.SaidNo` and
        :class:`~folkmoot.channels.api.NoClearAnswer`.
        """
        url = f"{server}/xrpc/{method}"
        return _object(self._api.ask("GET", url, params=params, token=token))

    def procedure(
        self,
        server: str,
        method: str,
        body: bytes | None,
        *,
        content_type: str = JSON,
        token: str | None = None,
    ) -> dict[str, Any]:
        """Send ``body``, exactly and once. Raises as :meth:`query` does."""
        headers = {} if body is None else {"Content-Type": content_type}
        url = f"{server}/xrpc/{method}"
        return _object(self._api.ask("POST", url, body=body, headers=headers, token=token))


def _object(answer: Answer) -> dict[str, Any]:
    if not isinstance(answer.value, dict):
        raise NoClearAnswer(
            f"Bluesky's answer ({answer.status}) was not a clear one.", sent=True, strange=True
        )
    return answer.value


def _find_error(status: int, value: Any) -> tuple[Sequence[str], str] | None:
    name = value.get("error") if isinstance(value, dict) else None
    if not isinstance(name, str):
        return None
    said = str(value.get("message") or name).rstrip(".")
    if not 400 <= status < 500 or status in _PASSING:  # noqa: PLR2004 - the 4xx
        return (), said
    return (name[:_NAME_LENGTH], ANY_OTHER), said
