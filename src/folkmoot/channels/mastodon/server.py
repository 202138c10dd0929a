"""The calls to a Mastodon server that the adapter makes, each with what it means.

Source: Mastodon documentation, "statuses", "accounts", "media" and "instance" API methods.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from folkmoot.channels.api import Answer, Api, NoClearAnswer, SaidNo, Upload, find_wait_seconds
from folkmoot.channels.mastodon import markup
from folkmoot.channels.mastodon.errors import ERRORS, find_error
from folkmoot.channels.mastodon.statuses import (
    NotUnderstood,
    Owner,
    Status,
    is_later,
    read_owner,
    read_status,
    read_statuses,
)
from folkmoot.channels.outbound import Outbound, Response

_PAGE = 40
_MOST_PAGES = 25
_TOO_MANY = 429
_LONGEST_WAIT_SECONDS = 24 * 3600.0
_NOT_THERE = frozenset({404, 410})
_NO_SOURCE = frozenset({403, 404, 405, 410})


class Server:
    """One Mastodon server, asked as one account. Each call raises :class:`SaidNo`
    and :class:`NoClearAnswer`; none tries again.
    """

    def __init__(
        self, url: str, token: str, outbound: Outbound, now: Callable[[], datetime]
    ) -> None:
        self.url = url
        self._api = Api(
            outbound,
            title="Mastodon",
            find_error=find_error,
            table=ERRORS,
            secrets=lambda: [token],
            find_wait=lambda response: find_wait(response, now()),
        )
        # In a function, so that no repr shows it.
        self._token: Callable[[], str] = lambda: token

    def get_owner(self) -> Owner:
        """The account that the token belongs to."""
        return read_owner(self._ask("GET", "/api/v1/accounts/verify_credentials").value)

    def find_scopes(self) -> frozenset[str] | None:
        """What the token's application may do; ``None`` where the server does not say."""
        value = self._ask("GET", "/api/v1/apps/verify_credentials").value
        scopes = value.get("scopes") if isinstance(value, dict) else None
        return frozenset(map(str, scopes)) if isinstance(scopes, list) else None

    def find_max_characters(self) -> int | None:
        """How many characters a status may have here; ``None`` where the server does not say."""
        value = self._ask("GET", "/api/v2/instance").value
        try:
            return int(value["configuration"]["statuses"]["max_characters"])
        except (KeyError, TypeError, ValueError):
            return None

    def find_newest_id(self, owner: Owner) -> str:
        """The id of the account's newest status; ``"0"`` where it has none."""
        newest = self._list(owner.id, limit="1")
        return newest[0].id if newest else "0"

    def list_since(self, account_id: str, after_id: str) -> list[Status]:
        """Every status of the account newer than ``after_id``, boosts too, oldest first.

        Pages forward by ``min_id``, each time from the newest there was.
        """
        found: dict[str, Status] = {}
        for _ in range(_MOST_PAGES):
            path = f"/api/v1/accounts/{quote(account_id, safe='')}/statuses"
            params = {"limit": str(_PAGE), "min_id": after_id}
            answer = self._ask("GET", path, params=params)
            fresh = [
                one
                for one in read_statuses(answer.value)
                if one.id not in found and is_later(one.id, after_id)
            ]
            if not fresh:
                return list(found.values())
            # A page is newest first.
            found.update((one.id, one) for one in reversed(fresh))
            after_id = fresh[0].id
        raise NoClearAnswer(
            "There are more new posts on Mastodon than can be looked through.", sent=True
        )

    def list_newest(self, account_id: str, limit: int) -> list[Status]:
        """At most ``limit`` statuses of the account, newest first."""
        found: list[Status] = []
        seen: set[str] = set()
        for _ in range(_MOST_PAGES):
            if len(found) >= limit:
                break
            params = {"limit": str(min(limit, _PAGE))}
            if found:
                params["max_id"] = found[-1].id
            fresh = [one for one in self._list(account_id, **params) if one.id not in seen]
            if not fresh:
                break
            found += fresh
            seen.update(one.id for one in fresh)
        return found[:limit]

    def find_status(self, status_id: str) -> Status | None:
        """The status of this id; ``None`` where it is not there."""
        try:
            answer = self._ask("GET", f"/api/v1/statuses/{quote(status_id, safe='')}")
        except SaidNo as no:
            if no.status in _NOT_THERE:
                return None
            raise
        return read_status(answer.value)

    def find_source(self, status_id: str) -> str | None:
        """The text of a status as it was typed; ``None`` where the server does not tell."""
        try:
            answer = self._ask("GET", f"/api/v1/statuses/{quote(status_id, safe='')}/source")
        except SaidNo as no:
            if no.status in _NO_SOURCE:
                return None
            raise
        value = answer.value
        if not isinstance(value, dict) or not isinstance(value.get("text"), str):
            raise NotUnderstood
        return str(value["text"])

    def get_first_text(self, status: Status) -> str:
        """The text of a status before it was first edited, as far as HTML keeps it."""
        answer = self._ask("GET", f"/api/v1/statuses/{quote(status.id, safe='')}/history")
        try:
            return markup.to_text(answer.value[0]["content"], status.mentions)
        except (KeyError, TypeError, IndexError, AttributeError) as wrong:
            raise NotUnderstood from wrong

    def publish(self, body: dict[str, Any], key: str) -> Status:
        """Publish a status under an idempotency key."""
        headers = {"Idempotency-Key": key}
        return read_status(
            self._ask("POST", "/api/v1/statuses", json_body=body, headers=headers).value
        )

    def delete(self, status_id: str) -> bool:
        """Delete a status; ``False`` where the account has none of this id."""
        try:
            self._ask("DELETE", f"/api/v1/statuses/{quote(status_id, safe='')}")
        except SaidNo as no:
            if no.status not in _NOT_THERE:
                raise
            return False
        return True

    def hand_over(self, file: Upload, alt: str) -> Answer:
        """Hand over a picture: 200, or 202 while it is in processing."""
        form = {"description": alt}
        return self._ask("POST", "/api/v2/media", form=form, files=[file])

    def get_medium(self, medium_id: str) -> Answer:
        """How far a picture is: 200, or 206 while it is in processing."""
        return self._ask("GET", f"/api/v1/media/{quote(medium_id, safe='')}")

    def _list(self, account_id: str, **params: str) -> list[Status]:
        path = f"/api/v1/accounts/{quote(account_id, safe='')}/statuses"
        return read_statuses(self._ask("GET", path, params=params).value)

    def _ask(self, method: str, path: str, **more: Any) -> Answer:
        return self._api.ask(method, self.url + path, token=self._token(), **more)


def find_wait(response: Response, now: datetime) -> float | None:
    """How long the server asked us to wait: ``Retry-After``, or of a 429 ``X-RateLimit-Reset``, the
    time at which the count begins anew (Mastodon documentation, "Rate limits").
    """
    wait = find_wait_seconds(response)
    if wait is not None or response.status != _TOO_MANY:
        return wait
    try:
        until = datetime.fromisoformat(response.headers.get("x-ratelimit-reset", ""))
    except ValueError:
        return None
    # By the server's own clock, as with a date in Retry-After, so that a wrong one does no harm.
    with suppress(ValueError, TypeError):
        now = parsedate_to_datetime(response.headers.get("date", ""))
    seconds = (until.astimezone(UTC) - now.astimezone(UTC)).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_WAIT_SECONDS)
