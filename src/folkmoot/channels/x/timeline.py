"""What stands on an account's timeline at X. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from folkmoot.channels.api import NoClearAnswer
from folkmoot.channels.oauth import SignedIn
from folkmoot.channels.tokens import CannotSignIn
from folkmoot.channels.x.posts import FIELDS, NotAPost, Tweet, is_id, read_tweet

_PAGE = 100
_LEAST = 5
_MOST_PAGES = 5
_MISSING = "resource-not-found"


class Timeline:
    """Reads as one account. Every method raises :class:`SaidNo`, :class:`NoClearAnswer` and
    :class:`CannotSignIn`.
    """

    def __init__(self, signed: SignedIn, server: str, handle: str) -> None:
        self._signed = signed
        self._server = server
        self._handle = handle

    def get_user_id(self) -> str:
        """X's id of the account that is signed in, which must be the one we think it is."""
        data = self._ask("/2/users/me", {}).get("data")
        if not isinstance(data, dict) or not is_id(data.get("id")):
            raise _strange()
        name = str(data.get("username", ""))
        if name.casefold() != self._handle.casefold():
            raise CannotSignIn(
                f"The one signed in at X is @{name}, not @{self._handle}. Connect the account"
                " again, signed in at x.com as the right one.",
                retry=False,
            )
        user_id: str = data["id"]
        return user_id

    def find_newest_id(self, user_id: str) -> str:
        """The id of the newest post on the timeline; empty where there is none."""
        newest = self._list(user_id, {"max_results": str(_LEAST)})[0]
        return newest[0].id if newest else ""

    def list_newest(self, user_id: str, limit: int) -> list[Tweet]:
        """At most ``limit`` posts, and no more than a hundred, newest first."""
        count = min(max(limit, _LEAST), _PAGE)
        return self._list(user_id, {"max_results": str(count)})[0][:limit]

    def list_since(self, user_id: str, since_id: str) -> list[Tweet]:
        """All posts the account wrote after ``since_id`` (empty: ever), newest first."""
        params = {"max_results": str(_PAGE), "exclude": "retweets"}
        params |= {"since_id": since_id} if since_id else {}
        found: list[Tweet] = []
        for _ in range(_MOST_PAGES):
            page, following = self._list(user_id, params)
            found += page
            if following is None:
                return found
            params["pagination_token"] = following
        raise NoClearAnswer(
            "There are more new posts on X than can be looked through. Look for this one there.",
            sent=True,
        )

    def read(self, ids: Sequence[str]) -> list[Tweet | None]:
        """The posts of these ids, ``None`` for each that X says is not there."""
        value = self._ask("/2/tweets", {"ids": ",".join(ids), **FIELDS})
        found: dict[str, Tweet | None] = {}
        for error in _objects(value.get("errors")):
            if str(error.get("type", "")).rpartition("/")[2] == _MISSING:
                found[str(error.get("resource_id") or error.get("value") or "")] = None
        for one in self._read_all(value.get("data"), value):
            found[one.id] = one
        if any(one not in found for one in ids):
            raise _strange()
        return [found[one] for one in ids]

    def _list(self, user_id: str, params: Mapping[str, str]) -> tuple[list[Tweet], str | None]:
        value = self._ask(f"/2/users/{user_id}/tweets", {**params, **FIELDS})
        meta = value.get("meta")
        if not isinstance(meta, dict) or not isinstance(meta.get("result_count"), int):
            # Nothing found is said so; an answer that does not say it is none.
            raise _strange()
        following = meta.get("next_token")
        return self._read_all(value.get("data"), value), following or None

    def _read_all(self, data: Any, value: Mapping[str, Any]) -> list[Tweet]:
        try:
            return [read_tweet(one, value.get("includes")) for one in data or ()]
        except (NotAPost, TypeError) as fault:
            raise _strange() from fault

    def _ask(self, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        answer = self._signed.ask("GET", f"{self._server}{path}", params=params)
        if not isinstance(answer.value, dict):
            raise _strange()
        return answer.value


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _strange() -> NoClearAnswer:
    return NoClearAnswer("X's answer could not be understood. It is asked again.", sent=True)
