"""A stand-in of X's API v2 and of its sign-in, after X's documentation.

What matters of X's ways is kept: web addresses become ``t.co`` ones, ``&<>`` are escaped, words
that were had within twelve hours are refused, a refresh token is good for one use.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from folkmoot.channels.links import find_links
from folkmoot.channels.simulator.authority import CLIENT_ID, CLIENT_SECRET, Authority
from folkmoot.channels.simulator.faults import Fault, Occasion, Strike
from folkmoot.channels.simulator.http import Asked, Said, say
from folkmoot.channels.simulator.store import Medium, Store, Stored
from folkmoot.channels.x.length import LENGTH

HANDLE = "ExampleCouncil"
USER_ID = "2244994945"
_PROBLEMS = "https://api.x.com/2/problems/"
_FORGOTTEN_SECONDS = 86_400
_REMEMBERED = timedelta(hours=12)
_SIGN_IN = ("/i/oauth2/authorize", "/2/oauth2/token")
_MEDIA_BYTES = 5_242_880


class SIMULATED:
    """X, as a simulated channel. ``authority`` holds its tokens."""

    channel = "x"

    def __init__(self) -> None:
        self.authority = Authority(access_seconds=7200)

    def occasion(self, asked: Asked) -> Occasion:
        if asked.path in _SIGN_IN:
            return Occasion.SIGN_IN
        if asked.path.startswith("/2/media/"):
            return Occasion.UPLOAD
        if asked.method == "POST" and asked.path == "/2/tweets":
            return Occasion.PUBLISH
        return Occasion.REMOVE if asked.method == "DELETE" else Occasion.READ

    def error(self, fault: Fault) -> Said:
        if fault is Fault.TOO_MANY:
            return _problem(429, "Too Many Requests", "Too Many Requests")
        if fault in (Fault.EXPIRED, Fault.REVOKED):
            return _problem(401, "Unauthorized", "Unauthorized")
        if fault is Fault.REFUSE:
            return _problem(403, "Forbidden", "You are not permitted to perform this action.")
        return _problem(500, "Internal Server Error", "Something is broken.")

    def to_type(self, url: str) -> Mapping[str, str]:
        return {
            "handle": HANDLE,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "server": url,
        }

    def answer(self, asked: Asked, store: Store, strike: Strike | None) -> Said:
        fault = strike.fault if strike is not None else None
        with store.lock:
            if asked.path in _SIGN_IN:
                return self._sign_in(asked, store, fault)
            if fault is Fault.EXPIRED:
                self.authority.expire(asked.token)
            if fault is Fault.REVOKED:
                self.authority.revoke_all()
            if not self.authority.is_good(asked.token, store.now()):
                return self.error(Fault.EXPIRED)
            if fault is Fault.REFUSE:
                return self.error(fault)
            return self._act(asked, store, strike)

    def _sign_in(self, asked: Asked, store: Store, fault: Fault | None) -> Said:
        if fault is Fault.REVOKED:
            self.authority.revoke_all()
        if fault in (Fault.REFUSE, Fault.EXPIRED):
            return self.authority.say_no("invalid_grant", "The grant is over.")
        if asked.path == _SIGN_IN[0]:
            return self.authority.authorise(asked)
        return self.authority.exchange(asked, store.now())

    def _act(self, asked: Asked, store: Store, strike: Strike | None) -> Said:
        lies = strike is not None and strike.fault is Fault.LIE
        slow = strike is not None and strike.fault is Fault.SLOW_MEDIA
        seconds = strike.seconds if strike is not None and slow else 0.0
        routes: dict[tuple[str, str], Callable[[], Said]] = {
            ("GET", "/2/users/me"): lambda: say(
                {"data": {"id": USER_ID, "username": HANDLE, "name": "Example Council"}}
            ),
            ("GET", f"/2/users/{USER_ID}/tweets"): lambda: _timeline(asked, store, lies=lies),
            ("GET", "/2/tweets"): lambda: _lookup(asked, store, lies=lies),
            ("POST", "/2/tweets"): lambda: _create(
                asked, store, wrong=strike is not None and strike.fault is Fault.WRONG_ID
            ),
            ("POST", "/2/media/upload"): lambda: _upload(asked, store, seconds),
            ("GET", "/2/media/upload"): lambda: _status(asked, store),
            ("POST", "/2/media/metadata"): lambda: _describe(asked, store),
        }
        route = routes.get((asked.method, asked.path))
        if route is not None:
            return route()
        if asked.method == "DELETE" and asked.path.startswith("/2/tweets/"):
            store.remove_post(asked.path.rpartition("/")[2])
            return say({"data": {"deleted": True}})
        return _problem(404, "Not Found", "Not Found")


def _create(asked: Asked, store: Store, *, wrong: bool) -> Said:
    body = asked.json()
    text = str(body.get("text", ""))
    media = tuple(body.get("media", {}).get("media_ids", ()))
    reply_to = str(body.get("reply", {}).get("in_reply_to_tweet_id", ""))
    found = [store.find_medium(one) for one in media]
    if not text.strip() and not media:
        return _problem(400, "Invalid Request", "A post needs a text.", "invalid-request")
    if LENGTH.count(text) > LENGTH.most:
        return _problem(403, "Forbidden", "Your Tweet text is too long. For more information …")
    if any(one is None or one.ready_at > store.now() for one in found) or len(media) > 4:  # noqa: PLR2004 - X's limit
        return _problem(400, "Invalid Request", "Your media IDs are invalid.", "invalid-request")
    if reply_to and store.find_post(reply_to) is None:
        detail = "You attempted to reply to a Tweet that is deleted or not visible to you."
        return _problem(403, "Forbidden", detail)
    since = store.now() - _REMEMBERED
    if any(post.text == text and post.at > since for post in store.list_all()):
        detail = "You are not allowed to create a Tweet with duplicate content."
        return _problem(403, "Forbidden", detail)
    older = store.list_newest(1)
    post = store.add_post(text, media=media, reply_to=reply_to)
    named = (older[0].id if older else "20") if wrong else post.id
    return say({"data": {"id": named, "text": _shorten(text)[0]}}, 201)


def _timeline(asked: Asked, store: Store, *, lies: bool) -> Said:
    since_id = int(asked.query.get("since_id", "0"))
    start = int(asked.query.get("pagination_token", "0"))
    count = int(asked.query.get("max_results", "10"))
    if not 5 <= count <= 100:  # noqa: PLR2004 - X's limits
        return _problem(400, "Invalid Request", "max_results is not right.", "invalid-request")
    every = [post for post in store.list_newest(10_000) if int(post.id) > since_id]
    page = [] if lies else every[start : start + count]
    meta: dict[str, Any] = {"result_count": len(page)}
    if start + count < len(every) and page:
        meta["next_token"] = str(start + count)
    return say({**_show_all(page, store), "meta": meta})


def _lookup(asked: Asked, store: Store, *, lies: bool) -> Said:
    ids = asked.query.get("ids", "").split(",")
    found = {one: None if lies else store.find_post(one) for one in ids}
    errors = [
        {
            "value": one,
            "resource_id": one,
            "resource_type": "tweet",
            "parameter": "ids",
            "title": "Not Found Error",
            "detail": f"Could not find tweet with ids: [{one}].",
            "type": f"{_PROBLEMS}resource-not-found",
        }
        for one, post in found.items()
        if post is None
    ]
    shown = _show_all([post for post in found.values() if post is not None], store)
    return say({**shown, **({"errors": errors} if errors else {})})


def _upload(asked: Asked, store: Store, slow_seconds: float) -> Said:
    file = asked.file("media")
    form = asked.form()
    if file is None or form.get("media_category") != "tweet_image":
        return _problem(400, "Invalid Request", "There is no media.", "invalid-request")
    kind, content = file
    if len(content) > _MEDIA_BYTES or kind not in ("image/jpeg", "image/png", "image/webp"):
        return _problem(400, "Invalid Request", "media type unrecognized", "invalid-request")
    return say(
        {
            "data": _show_medium(
                store.add_medium(kind, content, ready_in_seconds=slow_seconds), store.now()
            )
        }
    )


def _status(asked: Asked, store: Store) -> Said:
    medium = store.find_medium(asked.query.get("media_id", ""))
    if medium is None:
        return _problem(404, "Not Found", "Not Found")
    return say({"data": _show_medium(medium, store.now(), asked_again=True)})


def _describe(asked: Asked, store: Store) -> Said:
    body = asked.json()
    medium_id, metadata = str(body.get("id", "")), body.get("metadata", {})
    if store.find_medium(medium_id) is None:
        return _problem(400, "Invalid Request", "Your media IDs are invalid.", "invalid-request")
    store.change_medium(medium_id, alt=str(metadata.get("alt_text", {}).get("text", "")))
    return say({"data": {"id": medium_id, "associated_metadata": metadata}})


def _show_medium(medium: Medium, now: datetime, *, asked_again: bool = False) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": medium.id,
        "media_key": f"3_{medium.id}",
        "size": len(medium.content),
        "expires_after_secs": _FORGOTTEN_SECONDS,
    }
    left = (medium.ready_at - now).total_seconds()
    if left > 0:
        shown["processing_info"] = {"state": "in_progress", "check_after_secs": int(left) + 1}
    elif asked_again:
        shown["processing_info"] = {"state": "succeeded", "progress_percent": 100}
    return shown


def _show_all(posts: list[Stored], store: Store) -> dict[str, Any]:
    media = [store.find_medium(one) for post in posts for one in post.media]
    shown: dict[str, Any] = {"data": [_show(post) for post in posts]} if posts else {}
    if any(media):
        shown["includes"] = {
            "media": [
                {"media_key": f"3_{one.id}", "type": "photo", "alt_text": one.alt}
                for one in media
                if one is not None
            ]
        }
    return shown


def _show(post: Stored) -> dict[str, Any]:
    text, urls = _shorten(post.text)
    shown: dict[str, Any] = {
        "id": post.id,
        "created_at": f"{post.at:%Y-%m-%dT%H:%M:%S}.000Z",
        "edit_history_tweet_ids": [post.id],
    }
    if post.media:
        true = f"https://x.com/{HANDLE}/status/{post.id}/photo/1"
        short = _make_short(true)
        text = f"{text} {short}" if text else short
        urls += [
            {
                "url": short,
                "expanded_url": true,
                "display_url": "pic.x.com",
                "media_key": f"3_{one}",
            }
            for one in post.media
        ]
        shown["attachments"] = {"media_keys": [f"3_{one}" for one in post.media]}
    if post.reply_to:
        shown["referenced_tweets"] = [{"type": "replied_to", "id": post.reply_to}]
    if urls:
        shown["entities"] = {"urls": urls}
    return {**shown, "text": text}


def _shorten(text: str) -> tuple[str, list[dict[str, Any]]]:
    """A text as X shows it, and its web addresses."""
    pieces, urls, place = [], [], 0
    for link in find_links(text):
        true = text[link.start : link.end]
        shown = true.removeprefix("https://")
        short = _make_short(true)
        urls.append({"url": short, "expanded_url": true, "display_url": shown[:26]})
        pieces += [_escape(text[place : link.start]), short]
        place = link.end
    return "".join([*pieces, _escape(text[place:])]), urls


def _make_short(true: str) -> str:
    return f"https://t.co/{hashlib.sha256(true.encode()).hexdigest()[:10]}"


def _escape(text: str) -> str:
    return re.sub("[&<>]", lambda found: {"&": "&amp;", "<": "&lt;", ">": "&gt;"}[found[0]], text)


def _problem(status: int, title: str, detail: str, kind: str = "") -> Said:
    named = f"{_PROBLEMS}{kind}" if kind else "about:blank"
    return say({"title": title, "detail": detail, "type": named, "status": status}, status)
