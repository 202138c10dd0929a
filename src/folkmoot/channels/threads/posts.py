"""What a send to Threads is frozen as, and the posts of a profile that it is found among."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from folkmoot.channels.api import Meaning, SaidNo
from folkmoot.channels.graph import Graph, find_newer, same_text
from folkmoot.channels.graph.containers import Kept, Parcel, Shown, count_pictures

OWN = "me/threads"
OWN_REPLIES = "me/replies"
POST = "id,text,media_type,permalink,timestamp,replied_to,children{id}"
POST_AND_ALTS = "id,text,media_type,permalink,timestamp,replied_to,alt_text,children{id,alt_text}"


@dataclass(frozen=True, slots=True)
class Frozen:
    """A thread as it will be sent: each part, and what of it was handed over ahead.

    ``known`` are the posts that stood there before, of the list the first part will stand in;
    ``at`` is when it is due, in ISO 8601.
    """

    parts: tuple[tuple[Parcel, Kept], ...]
    replying_to: str
    known: tuple[str, ...]
    at: str

    def to_bytes(self) -> bytes:
        """As it is frozen."""
        parts = [
            {
                "text": parcel.text,
                "pictures": [asdict(one) for one in parcel.pictures],
                "kept": kept.to_json(),
            }
            for parcel, kept in self.parts
        ]
        value = {
            "parts": parts,
            "replying_to": self.replying_to,
            "known": self.known,
            "at": self.at,
        }
        return json.dumps(value, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, value: Any) -> Frozen:
        """From what :meth:`to_bytes` made."""
        parts = tuple(
            (
                Parcel(part["text"], tuple(Shown(**one) for one in part["pictures"])),
                Kept.from_json(part["kept"]),
            )
            for part in value["parts"]
        )
        return cls(parts, value["replying_to"], tuple(value["known"]), value["at"])

    def answers(self, done: tuple[str, ...]) -> str:
        """The post that the part after ``done`` answers; empty for none."""
        return done[-1] if done else self.replying_to


def is_part(post: dict[str, Any], parcel: Parcel, answers: str) -> bool:
    """Whether a post of the profile's is ``parcel``, answering what it should."""
    return (
        same_text(parcel.text, post.get("text"))
        and count_pictures(post) == len(parcel.pictures)
        and _find_answered(post) == answers
    )


def find_part(graph: Graph, frozen: Frozen, done: tuple[str, ...], profile: str) -> tuple[str, ...]:
    """The new posts that may be the part after ``done``, by id, newest first.

    Two lists are asked where there are two, else one twice, because a list may lag behind. Raises
    one of :data:`~folkmoot.channels.graph.FAULTS`.
    """
    parcel, _ = frozen.parts[len(done)]
    answers = frozen.answers(done)
    if not answers:
        for _ in range(2):
            newer = find_newer(graph, OWN, frozen.known, fields=POST)
            found = tuple(one["id"] for one in newer.items if is_part(one, parcel, ""))
            if found:
                return found
        return ()
    before: Collection[str] = (*frozen.known, *done)
    for path in (OWN_REPLIES, f"{answers}/replies"):
        posts, _ = graph.list_page(path, fields=f"{POST},username")
        found = tuple(
            one["id"]
            for one in posts
            if one["id"] not in before
            and str(one.get("username", profile)).lower() == profile
            and is_part(one, parcel, answers)
        )
        if found:
            return found
    return ()


def find_post(graph: Graph, post_id: str, fields: str = POST) -> dict[str, Any] | None:
    """A post, or ``None`` where Threads says that there is none. Raises one of
    :data:`~folkmoot.channels.graph.FAULTS`.
    """
    try:
        post = graph.get(post_id, fields=fields)
    except SaidNo as fault:
        if fault.meaning is Meaning.MISSING:
            return None
        raise
    return post if post.get("id") == post_id else None


def is_gone(graph: Graph, post_id: str) -> bool:
    """Whether a post is there no more. "Not there" is also what Threads answers to one who may not
    look, so its lists must say it too. Raises one of :data:`~folkmoot.channels.graph.FAULTS`.
    """
    if find_post(graph, post_id) is not None:
        return False
    return not any(
        post["id"] == post_id
        for path in (OWN, OWN_REPLIES)
        for post in graph.list_page(path, fields="id")[0]
    )


def _find_answered(post: dict[str, Any]) -> str:
    answered = post.get("replied_to")
    return str(answered.get("id", "")) if isinstance(answered, dict) else ""
