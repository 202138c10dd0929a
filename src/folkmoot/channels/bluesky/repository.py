"""Reading an account's repository: one post, or the newest ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from folkmoot.channels.api import SaidNo
from folkmoot.channels.bluesky.answers import NOT_FOUND, READ
from folkmoot.channels.bluesky.records import (
    COLLECTION,
    NotARecord,
    Place,
    check_record,
    find_place,
)
from folkmoot.channels.bluesky.xrpc import Xrpc
from folkmoot.channels.outbound import Outbound
from folkmoot.channels.port import Seen

_PAGE = 100


class Repository:
    """Records of posts, asked of the server an account lives on.

    Only that server can say that a record is not there. Reading needs no token. Every method raises
    :class:`~folkmoot.channels.api.SaidNo`, :class:`~folkmoot.channels.api.NoClearAnswer` and
    :class:`~folkmoot.channels.bluesky.records.NotARecord`.
    """

    def __init__(self, outbound: Outbound) -> None:
        self._xrpc = Xrpc(outbound, READ, tuple)

    def find(self, server: str, place: Place) -> tuple[str, dict[str, Any]] | None:
        """The content id and the record at ``place``, or ``None``."""
        params = {"repo": place.repo, "collection": COLLECTION, "rkey": place.rkey}
        try:
            answer = self._xrpc.query(server, "com.atproto.repo.getRecord", params)
        except SaidNo as fault:
            if fault.code == NOT_FOUND:
                return None
            raise
        return check_record(answer, place.uri)

    def list_newest(self, server: str, repo: str, limit: int, profile: str) -> tuple[Seen, ...]:
        """At most ``limit`` posts of ``repo``, by key, newest first; ``profile`` is the address
        of the account's page.
        """
        seen: list[Seen] = []
        params = {"repo": repo, "collection": COLLECTION}
        while len(seen) < limit:
            params["limit"] = str(min(limit - len(seen), _PAGE))
            answer = self._xrpc.query(server, "com.atproto.repo.listRecords", params)
            records, cursor = answer.get("records"), answer.get("cursor")
            if not isinstance(records, list):
                raise NotARecord("the answer lists no records")
            seen += [_seen(record, profile) for record in records]
            if not records or not isinstance(cursor, str) or cursor == params.get("cursor"):
                break
            params["cursor"] = cursor
        return tuple(seen[:limit])


def _seen(record: Any, profile: str) -> Seen:
    uri = str(record.get("uri")) if isinstance(record, dict) else ""
    place = find_place(uri)
    if place is None:
        raise NotARecord("the answer lists something that is no post")
    _, value = check_record(record, uri)
    return Seen(uri, f"{profile}/post/{place.rkey}", str(value.get("text", "")), _time(value))


def _time(value: Mapping[str, Any]) -> datetime:
    # Whoever made the post chose the time, or wrote nonsense: it must not hide the post.
    try:
        at = datetime.fromisoformat(str(value.get("createdAt")))
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
