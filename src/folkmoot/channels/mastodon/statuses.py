"""Statuses as Mastodon gives them, read strictly: what is not as documented is not understood.

Source: Mastodon documentation, entities "Status", "MediaAttachment" and "CredentialAccount".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from folkmoot.channels.api import NoClearAnswer
from folkmoot.channels.mastodon import markup


class NotUnderstood(NoClearAnswer):
    """An answer is not as Mastodon's documentation has it."""

    def __init__(self) -> None:
        super().__init__("Mastodon's answer could not be understood.", sent=True, strange=True)


@dataclass(frozen=True, slots=True)
class Owner:
    """The account that the token belongs to. ``flags`` are those of ``suspended``, ``limited``,
    ``memorial`` and ``moved`` that are set.
    """

    id: str
    username: str
    url: str
    count: int
    flags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Status:
    """One post. ``alts`` has one text per picture, empty where there is none."""

    id: str
    account_id: str
    content: str = field(repr=False)
    at: datetime
    url: str
    parent: str
    media_ids: tuple[str, ...]
    alts: tuple[str, ...]
    mentions: Mapping[str, str] = field(repr=False)
    visibility: str
    edited: bool
    boosted: Status | None = None

    @property
    def text(self) -> str:
        """The text, as far as the HTML keeps it."""
        return markup.to_text(self.content, self.mentions)


def read_owner(value: Any) -> Owner:
    """The account in an answer. Raises :class:`NotUnderstood`."""
    try:
        flags = [name for name in ("suspended", "limited", "memorial", "moved") if value.get(name)]
        return Owner(
            _text(value["id"]),
            _text(value["username"]),
            str(value.get("url") or ""),
            int(value["statuses_count"]),
            frozenset(flags),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise NotUnderstood from wrong


def read_status(value: Any) -> Status:
    """The status in an answer. Raises :class:`NotUnderstood`."""
    try:
        boosted = value.get("reblog")
        media = value["media_attachments"]
        return Status(
            id=_text(value["id"]),
            account_id=_text(value["account"]["id"]),
            content=_text(value["content"], empty=True),
            at=_time(value["created_at"]),
            url=str(value.get("url") or ""),
            parent=str(value.get("in_reply_to_id") or ""),
            media_ids=tuple(_text(one["id"]) for one in media),
            alts=tuple(str(one.get("description") or "") for one in media),
            mentions={one["url"]: one["acct"] for one in value["mentions"]},
            visibility=_text(value["visibility"]),
            edited=value.get("edited_at") is not None,
            boosted=read_status(boosted) if boosted is not None else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as wrong:
        raise NotUnderstood from wrong


def read_statuses(value: Any) -> list[Status]:
    """The statuses in an answer, in its order. Raises :class:`NotUnderstood`."""
    if not isinstance(value, list):
        raise NotUnderstood
    return [read_status(one) for one in value]


def is_later(one: str, other: str) -> bool:
    """Whether the status ``one`` is newer than ``other``, by their ids.

    Ids are numbers that grow (Mastodon documentation, "Guidelines and best practices"); of servers
    that give other ids we cannot tell, and say yes.
    """
    if one == other:
        return False
    if one.isascii() and one.isdigit() and other.isascii() and other.isdigit():
        return int(one) > int(other)
    return True


def _text(value: Any, *, empty: bool = False) -> str:
    if not isinstance(value, str) or not (value or empty):
        raise TypeError("this is not text")
    return value


def _time(value: Any) -> datetime:
    at = datetime.fromisoformat(value)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
