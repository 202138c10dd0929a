"""The Graph API as one account may use it, and what its faults mean to whoever asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from folkmoot.channels.api import Api, NoClearAnswer, SaidNo, Upload
from folkmoot.channels.graph.errors import find_error, find_wait, make_table
from folkmoot.channels.graph.tokens import Token
from folkmoot.channels.kinds import Connected
from folkmoot.channels.port import NotPrepared, Refused, Unconfirmed, Unreadable
from folkmoot.channels.tokens import CannotSignIn

FAULTS = (SaidNo, NoClearAnswer, CannotSignIn)
"""Everything that :class:`Graph` raises."""

_MANY = 50


class Graph:
    """The Graph API, asked with an account's token in the ``Authorization`` header, so that it is
    in no address ("Content Publishing" of the Instagram Platform shows it so; so does "Threads
    Posts").

    ``permissions`` names those the token must have, for sentences; ``grant_type`` is what renewing
    the token is called, empty where it cannot be.
    """

    def __init__(
        self,
        account: Connected,
        *,
        title: str,
        version: str,
        permissions: str,
        grant_type: str = "",
    ) -> None:
        self.title = title
        self._base = f"{account.server}/{version}"
        self._api = Api(
            account.outbound,
            title=title,
            find_error=find_error,
            table=make_table(title, permissions),
            secrets=lambda: self.token.secrets(),  # noqa: PLW0108 - there is none yet
            find_wait=find_wait,
        )
        self.token = Token(account, self._api, title=title, grant_type=grant_type)

    def get(self, path: str, **params: str) -> dict[str, Any]:
        """Read. Raises one of :data:`FAULTS`."""
        return self._ask("GET", path, params=params)

    def post(
        self, path: str, form: Mapping[str, str], files: Sequence[Upload] = ()
    ) -> dict[str, Any]:
        """Make something, once. Raises one of :data:`FAULTS`."""
        return self._ask("POST", path, form=form, files=files)

    def delete(self, path: str) -> dict[str, Any]:
        """Take something down, once. Raises one of :data:`FAULTS`."""
        return self._ask("DELETE", path)

    def list_page(
        self, path: str, *, fields: str, after: str = "", limit: int = _MANY
    ) -> tuple[list[dict[str, Any]], str]:
        """One page of a list, newest first, and the cursor of the next, empty at the end.

        Raises one of :data:`FAULTS`.
        """
        more = {"after": after} if after else {}
        answer = self.get(path, fields=fields, limit=str(limit), **more)
        items = answer.get("data")
        if not isinstance(items, list) or not all(
            isinstance(item, dict) and isinstance(item.get("id"), str) for item in items
        ):
            raise self._strange()
        paging = answer.get("paging")
        paging = paging if isinstance(paging, dict) else {}
        cursors = paging.get("cursors")
        cursor = cursors.get("after") if isinstance(cursors, dict) and paging.get("next") else None
        return items, cursor if isinstance(cursor, str) else ""

    def get_id(self, answer: Mapping[str, Any]) -> str:
        """The id that an answer names. Raises :class:`NoClearAnswer` where it names none."""
        found = answer.get("id")
        if not isinstance(found, str) or not found:
            raise self._strange()
        return found

    def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        url = f"{self._base}/{path}"
        token = self.token.get()
        try:
            value = self._api.ask(method, url, token=token, **more).value
        except SaidNo as fault:
            if fault.meaning != "sign_in":
                raise
            # It was not let in at the door, so asking with another token is still asking once.
            token = self.token.renew(token, fault.reason)
            try:
                value = self._api.ask(method, url, token=token, **more).value
            except SaidNo as again:
                if again.meaning != "sign_in":
                    raise
                raise CannotSignIn(again.reason, retry=False) from again
        if not isinstance(value, dict) or "error" in value:
            raise self._strange()
        return value

    def _strange(self) -> NoClearAnswer:
        return NoClearAnswer(
            f"{self.title}'s answer could not be understood.", sent=True, strange=True
        )


Fault = SaidNo | NoClearAnswer | CannotSignIn


def to_not_prepared(fault: Fault) -> NotPrepared:
    """Of preparing: a clear no needs a person, all else may pass."""
    reason = f"{fault.reason} Nothing was published."
    if isinstance(fault, SaidNo):
        return NotPrepared(reason, retry=False)
    retry = fault.retry if isinstance(fault, CannotSignIn) else True
    return NotPrepared(reason, retry=retry, after_seconds=fault.after_seconds)


def to_unconfirmed(fault: Fault) -> Unconfirmed:
    """Of looking: whatever went wrong, nobody knows."""
    after = None if isinstance(fault, SaidNo) else fault.after_seconds
    return Unconfirmed(fault.reason, after_seconds=after)


def to_refused(fault: Fault, so: str = "Nothing was published.") -> Refused | Unconfirmed:
    """Of the one irreversible request: a clear no is one, as is not being let in for good. ``so``
    is the sentence that says what this means.
    """
    if isinstance(fault, SaidNo) or (isinstance(fault, CannotSignIn) and not fault.retry):
        return Refused(f"{fault.reason} {so}")
    return to_unconfirmed(fault)


def to_unreadable(fault: Fault) -> Unreadable:
    """Of reading back: nothing is said about whether it is live."""
    return Unreadable(fault.reason)
