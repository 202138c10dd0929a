"""Posts as they are frozen, and as X shows them.

X keeps no key of ours, so a post is known again by its words, how many pictures it has, what it
answers, and by being newer than the newest post there was when it was prepared. X shows words
changed: every web address is a ``t.co`` one (the true one stands in ``entities``), ``&``, ``<`` and
``>`` are escaped, and an address is added for the pictures ("Tweet object" in X's documentation).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

FIELDS: Mapping[str, str] = {
    "tweet.fields": "attachments,created_at,entities,note_tweet,referenced_tweets,text",
    "expansions": "attachments.media_keys",
    "media.fields": "alt_text,media_key,type",
}
"""What is asked about a post."""

_ESCAPED = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
_OWN_PICTURE = re.compile(r"https://(?:x|twitter)\.com/\w+/status/[0-9]+/(?:photo|video)/[0-9]+")


@dataclass(frozen=True, slots=True)
class FrozenPart:
    """One post of a thread: its text and X's ids of its pictures."""

    text: str
    media: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FrozenPost:
    """A frozen post or thread. ``since_id`` is the account's newest post when it was prepared,
    empty where there was none.
    """

    user_id: str
    since_id: str
    at: datetime
    replying_to: str
    parts: tuple[FrozenPart, ...]

    def make_body(self, done: tuple[str, ...]) -> dict[str, Any]:
        """The body of the request that makes the part after those in ``done``."""
        part = self.parts[len(done)]
        body: dict[str, Any] = {"text": part.text} if part.text else {}
        if part.media:
            body["media"] = {"media_ids": list(part.media)}
        if answered := self.answers(done):
            body["reply"] = {"in_reply_to_tweet_id": answered}
        return body

    def answers(self, done: tuple[str, ...]) -> str:
        """The id of the post that the part after those in ``done`` answers, or empty."""
        return done[-1] if done else self.replying_to


@dataclass(frozen=True, slots=True)
class FrozenRemoval:
    """A frozen removal of the posts of these ids, in the order in which they were made."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tweet:
    """A post as X shows it, its words as they were written."""

    id: str
    text: str
    at: datetime | None
    answers: str
    alts: tuple[str | None, ...]


class NotAPost(Exception):
    """What X gave is not a post."""


def freeze(frozen: FrozenPost | FrozenRemoval) -> bytes:
    """The bytes to be kept of a request."""
    value = asdict(frozen)
    if isinstance(frozen, FrozenPost):
        value["at"] = frozen.at.isoformat()
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def read_frozen(request: bytes) -> FrozenPost | FrozenRemoval:
    """From what :func:`freeze` made."""
    value = json.loads(request)
    if "ids" in value:
        return FrozenRemoval(tuple(value["ids"]))
    parts = tuple(FrozenPart(part["text"], tuple(part["media"])) for part in value["parts"])
    at = datetime.fromisoformat(value["at"])
    return FrozenPost(value["user_id"], value["since_id"], at, value["replying_to"], parts)


def read_tweet(value: Any, includes: Any) -> Tweet:
    """A post from X's JSON. Raises :class:`NotAPost`."""
    if not isinstance(value, dict) or not is_id(value.get("id")):
        raise NotAPost
    note = _object(value.get("note_tweet"))
    whole = note if isinstance(note.get("text"), str) else value
    keys = _object(value.get("attachments")).get("media_keys")
    keys = keys if isinstance(keys, list) else []
    media = {
        one["media_key"]: one
        for one in _objects(_object(includes).get("media"))
        if isinstance(one.get("media_key"), str)
    }
    return Tweet(
        id=value["id"],
        text=_read_text(str(whole.get("text", "")), whole.get("entities"), has_media=bool(keys)),
        at=_find_time(value.get("created_at")),
        answers=next(
            (
                str(one.get("id", ""))
                for one in _objects(value.get("referenced_tweets"))
                if one.get("type") == "replied_to"
            ),
            "",
        ),
        # X leaves the field out where a picture has no text alternative.
        alts=tuple(str(media[key].get("alt_text", "")) if key in media else None for key in keys),
    )


def is_newer(one: str, other: str) -> bool:
    """Whether the post ``one`` was made after ``other``: ids grow with time. Nothing is older
    than all.
    """
    return not other or int(one) > int(other)


def is_id(value: Any) -> bool:
    """Whether this is an id as X writes them."""
    return isinstance(value, str) and value.isascii() and value.isdecimal()


def is_part(tweet: Tweet, frozen: FrozenPost, done: tuple[str, ...]) -> bool:
    """Whether ``tweet`` is the part after those in ``done``."""
    part, answered = frozen.parts[len(done)], frozen.answers(done)
    return (
        is_newer(tweet.id, done[-1] if done else frozen.since_id)
        and tweet.answers == answered
        and len(tweet.alts) == len(part.media)
        and has_words(tweet, part.text)
    )


def has_words(tweet: Tweet, text: str) -> bool:
    """Whether ``tweet`` says ``text``, but for what X may change: white space, composed letters,
    the scheme of an address, and names put before an answer.
    """
    wanted = _find_words(text)
    shown = [tweet.text]
    if tweet.answers:
        shown.append(re.sub(r"\A(?:@\w+\s+)+", "", tweet.text))
    return any(_find_words(one) == wanted for one in shown)


def _find_words(text: str) -> str:
    words = unicodedata.normalize("NFC", text).casefold()
    words = re.sub(r"https?://", "", words)
    return " ".join(word.rstrip("/") for word in words.split())


def _read_text(text: str, entities: Any, *, has_media: bool) -> str:
    urls = {}
    for one in _objects(_object(entities).get("urls")):
        short, true = one.get("url"), one.get("expanded_url")
        if not isinstance(short, str) or not short or not isinstance(true, str):
            continue
        own = "media_key" in one or (has_media and _OWN_PICTURE.fullmatch(true) is not None)
        urls[short] = "" if own else _as_written(true, one.get("display_url"))
    if not urls:
        return _unescape(text)
    longest_first = sorted(urls, key=len, reverse=True)
    pieces = re.split(f"({'|'.join(map(re.escape, longest_first))})", text)
    shown = "".join(urls[piece] if piece in urls else _unescape(piece) for piece in pieces)
    return shown.rstrip() if "" in urls.values() else shown


def _as_written(true: str, shown: Any) -> str:
    # An address written without a scheme is given http; whoever writes one today writes https.
    bare = true.removeprefix("http://")
    if bare != true and isinstance(shown, str) and bare.startswith(shown.rstrip("…")):
        return bare
    return true


def _unescape(text: str) -> str:
    return re.sub(r"&(?:amp|lt|gt);", lambda found: _ESCAPED[found[0]], text)


def _find_time(value: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo is not None else None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
