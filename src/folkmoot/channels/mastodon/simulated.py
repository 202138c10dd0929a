"""A simulated Mastodon server: text becomes HTML, pictures take their time, and the idempotency key
is remembered for an hour, or not at all, as on some real servers.

Source: Mastodon documentation, the pages of the methods answered here; its answers are held to the
OpenAPI description of the API by the tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from folkmoot.channels.mastodon.counting import count_characters
from folkmoot.channels.mastodon.rendering import render
from folkmoot.channels.mastodon.surroundings import (
    make_account,
    make_application,
    make_credentials,
    make_instance,
)
from folkmoot.channels.simulator import Asked, Fault, Occasion, Said, Store, Stored, Strike, say

_ACCOUNT_ID = "1"
_KEY_LASTS = timedelta(hours=1)
_MOST_PICTURES = 4
_STATUS = re.compile(r"/api/v1/statuses/(?P<id>[^/]+)(?P<what>/source|/history)?")
_MEDIUM = re.compile(r"/api/v1/media/(?P<id>[^/]+)")
_LISTED = f"/api/v1/accounts/{_ACCOUNT_ID}/statuses"
_SCOPES = ("read", "write:statuses", "write:media")
_GIFV = "image/gif"


@dataclass(frozen=True, slots=True)
class _Request:
    """A request, what it is answered from, and the fault to act out."""

    asked: Asked
    store: Store
    fault: Fault | None
    seconds: float

    @property
    def server(self) -> str:
        return f"http://{self.asked.headers.get('host', 'localhost')}"


class SIMULATED:
    """One account on a server. ``honours_keys`` is whether a status sent again under its
    idempotency key is the same status; ``people`` are those who can be mentioned; without
    ``deletes`` the posts are as another account's.
    """

    channel = "mastodon"
    honours_keys: ClassVar[bool] = True

    def __init__(self, *, honours_keys: bool | None = None, max_characters: int = 500) -> None:
        self._honours_keys = self.honours_keys if honours_keys is None else honours_keys
        self._max_characters = max_characters
        self._tokens = 1
        self._keys: dict[str, tuple[str, datetime]] = {}
        self.username = "council"
        self.scopes: tuple[str, ...] = _SCOPES
        self.flags: dict[str, bool] = {}
        self.deletes = True
        self.people = {"mayor@elsewhere.example": "https://elsewhere.example/@mayor"}

    @property
    def token(self) -> str:
        """The access token that is good now."""
        return f"simulated-mastodon-token-{self._tokens}"

    def to_type(self, url: str) -> Mapping[str, str]:
        """See :class:`~folkmoot.channels.simulator.Simulated`."""
        return {"handle": f"@{self.username}", "server": url, "access_token": self.token}

    def occasion(self, asked: Asked) -> Occasion:
        """See :class:`~folkmoot.channels.simulator.Simulated`."""
        if "/media" in asked.path:
            return Occasion.UPLOAD
        if asked.method == "POST":
            return Occasion.PUBLISH
        return Occasion.REMOVE if asked.method == "DELETE" else Occasion.READ

    def error(self, fault: Fault) -> Said:
        """See :class:`~folkmoot.channels.simulator.Simulated`."""
        said, status = {
            Fault.TOO_MANY: ("Too many requests", 429),
            Fault.EXPIRED: ("The access token expired", 401),
            Fault.REVOKED: ("The access token was revoked", 401),
            Fault.REFUSE: ("Validation failed: Text is not acceptable here", 422),
        }.get(fault, ("Internal Server Error", 500))
        return say({"error": said}, status)

    def answer(self, asked: Asked, store: Store, strike: Strike | None) -> Said:
        """See :class:`~folkmoot.channels.simulator.Simulated`."""
        fault = strike.fault if strike is not None else None
        with store.lock:
            if fault is Fault.REVOKED:
                self._tokens += 1
            if fault in (Fault.EXPIRED, Fault.REVOKED, Fault.REFUSE):
                return self.error(fault)
            if asked.path == "/api/v2/instance":
                return say(
                    make_instance(asked.headers.get("host", "localhost"), self._max_characters)
                )
            if asked.token != self.token:
                return say({"error": "The access token is invalid"}, 401)
            seconds = strike.seconds if strike is not None else 0.0
            return self._route(_Request(asked, store, fault, seconds))

    def _route(self, request: _Request) -> Said:
        asked = request.asked
        fixed: dict[tuple[str, str], Callable[[_Request], Said]] = {
            ("GET", "/api/v1/accounts/verify_credentials"): lambda request: say(
                make_credentials(self._account(request))
            ),
            ("GET", "/api/v1/apps/verify_credentials"): lambda _: say(
                make_application(self.scopes)
            ),
            ("GET", _LISTED): self._list,
            ("POST", "/api/v1/statuses"): self._publish,
            ("POST", "/api/v2/media"): self._take_medium,
        }
        if (act := fixed.get((asked.method, asked.path))) is not None:
            return act(request)
        if (status := _STATUS.fullmatch(asked.path)) is not None:
            return self._one(request, status["id"], status["what"] or "")
        if (medium := _MEDIUM.fullmatch(asked.path)) is not None and asked.method == "GET":
            return self._show_medium(request, medium["id"])
        return _missing()

    def _publish(self, request: _Request) -> Said:
        store, body = request.store, request.asked.json()
        key = request.asked.headers.get("idempotency-key", "")
        text, media = str(body.get("status") or "").strip(), body.get("media_ids") or []
        known = self._find_by_key(store, key)
        if known is not None:
            return say(self._status(request, known))
        if refusal := self._find_refusal(request, text, media, str(body.get("in_reply_to_id", ""))):
            return refusal
        others = store.list_newest(1)
        post = store.add_post(
            text,
            media=tuple(media),
            reply_to=str(body.get("in_reply_to_id") or ""),
            key=key,
            extra={"first": text, "language": body.get("language")},
        )
        for medium_id in media:
            store.change_medium(medium_id, extra={"status": post.id})
        if self._honours_keys and key:
            self._keys[key] = (post.id, store.now())
        if request.fault is Fault.WRONG_ID and others:
            return say(self._status(request, others[0]))
        return say(self._status(request, post))

    def _find_by_key(self, store: Store, key: str) -> Stored | None:
        post_id, at = self._keys.get(key, ("", store.now()))
        return store.find_post(post_id) if store.now() - at < _KEY_LASTS else None

    def _find_refusal(
        self, request: _Request, text: str, media: list[str], parent: str
    ) -> Said | None:
        store, most = request.store, self._max_characters
        found = [store.find_medium(one) for one in media]
        gone = any(one is None or "status" in one.extra for one in found)
        busy = any(one is not None and one.ready_at > store.now() for one in found)
        no_parent = "The post you are trying to reply to does not appear to exist."
        too_soon = "Cannot attach files that have not finished processing. Try again in a moment!"
        refusals = (
            (parent and store.find_post(parent) is None, no_parent, 404),
            (not text and not media, "Validation failed: Text can't be blank", 422),
            (
                count_characters(text) > most,
                f"Validation failed: Text limit of {most} exceeded",
                422,
            ),
            (len(media) > _MOST_PICTURES, "Cannot attach more than 4 files", 422),
            (gone, f"Media {', '.join(media)} not found or already attached", 422),
            (busy, too_soon, 422),
        )
        return next(
            (say({"error": said}, status) for wrong, said, status in refusals if wrong), None
        )

    def _one(self, request: _Request, status_id: str, what: str) -> Said:
        post = request.store.find_post(status_id)
        if post is None or (request.fault is Fault.LIE and request.asked.method == "GET"):
            return _missing()
        if request.asked.method == "DELETE":
            if not self.deletes:
                return _missing()
            said = {**self._status(request, post), "text": post.text}
            request.store.remove_post(status_id)
            return say(said)
        if what == "/source":
            return say({"id": post.id, "text": post.text, "spoiler_text": ""})
        if what == "/history":
            return say(self._history(request, post))
        return say(self._status(request, post))

    def _list(self, request: _Request) -> Said:
        query = request.asked.query
        limit = min(int(query.get("limit", "20")), 40)
        posts = list(request.store.list_newest(10_000))
        if request.fault is Fault.LIE:
            posts = posts[1:]
        if "max_id" in query:
            posts = [one for one in posts if int(one.id) < int(query["max_id"])]
        if "min_id" in query:
            posts = [one for one in posts if int(one.id) > int(query["min_id"])][-limit:]
        page = posts[:limit]
        headers = {}
        if page:
            path = f"{request.server}{_LISTED}"
            headers["Link"] = (
                f'<{path}?max_id={page[-1].id}>; rel="next",'
                f' <{path}?min_id={page[0].id}>; rel="prev"'
            )
        return say([self._status(request, one) for one in page], headers=headers)

    def _take_medium(self, request: _Request) -> Said:
        file = request.asked.file("file")
        if file is None:
            return say({"error": "Validation failed: File can't be blank"}, 422)
        slow = request.seconds if request.fault is Fault.SLOW_MEDIA else 0.0
        alt = request.asked.form().get("description", "").strip()
        medium = request.store.add_medium(*file, alt=alt, ready_in_seconds=slow)
        return say(self._medium(request, medium.id), 202 if slow else 200)

    def _show_medium(self, request: _Request, medium_id: str) -> Said:
        medium = request.store.find_medium(medium_id)
        if medium is None or "status" in medium.extra:
            return _missing()
        if request.fault is Fault.SLOW_MEDIA:
            ready_at = request.store.now() + timedelta(seconds=request.seconds)
            request.store.change_medium(medium_id, ready_at=ready_at)
        if "failed" in medium.extra:
            return say({"error": "Error processing thumbnail for uploaded media"}, 422)
        shown = self._medium(request, medium_id)
        return say(shown, 206 if shown["url"] is None else 200)

    # -- what things look like -------------------------------------------------------------------

    def _medium(self, request: _Request, medium_id: str) -> dict[str, Any]:
        medium = request.store.find_medium(medium_id)
        assert medium is not None
        ready = medium.ready_at <= request.store.now()
        url = f"{request.server}/media/{medium.id}" if ready else None
        return {
            "id": medium.id,
            "type": "gifv" if medium.media_type == _GIFV else "image",
            "url": url,
            "preview_url": url,
            "remote_url": None,
            "description": medium.alt or None,
            "blurhash": None,
            "meta": None,
        }

    def _status(self, request: _Request, post: Stored) -> dict[str, Any]:
        server = request.server
        mentioned = [(name, url) for name, url in self.people.items() if f"@{name}" in post.text]
        return {
            "id": post.id,
            "created_at": _iso(post.at),
            "edited_at": _iso(post.edited_at) if post.edited_at else None,
            "in_reply_to_id": post.reply_to or None,
            "in_reply_to_account_id": _ACCOUNT_ID if post.reply_to else None,
            "sensitive": False,
            "spoiler_text": "",
            "visibility": post.extra.get("visibility", "public"),
            "language": post.extra.get("language"),
            "uri": f"{server}/users/{self.username}/statuses/{post.id}",
            "url": f"{server}/@{self.username}/{post.id}",
            "content": render(post.text, self.people, server),
            "account": self._account(request),
            "media_attachments": [self._medium(request, one) for one in post.media],
            "mentions": [
                {"id": "2", "username": name.partition("@")[0], "acct": name, "url": url}
                for name, url in mentioned
            ],
            "tags": [],
            "emojis": [],
            "reblogs_count": 0,
            "favourites_count": 0,
            "replies_count": 0,
            "reblog": None,
            "poll": None,
            "card": None,
        }

    def _history(self, request: _Request, post: Stored) -> list[dict[str, Any]]:
        def revision(text: str, at: datetime) -> dict[str, Any]:
            return {
                "content": render(text, self.people, request.server),
                "spoiler_text": "",
                "sensitive": False,
                "created_at": _iso(at),
                "account": self._account(request),
                "media_attachments": [self._medium(request, one) for one in post.media],
                "emojis": [],
            }

        first = revision(post.extra.get("first", post.text), post.at)
        return [first] if post.edited_at is None else [first, revision(post.text, post.edited_at)]

    def _account(self, request: _Request) -> dict[str, Any]:
        count = len(request.store.list_newest(10_000))
        return {**make_account(request.server, self.username, count), **self.flags}


def _missing() -> Said:
    return say({"error": "Record not found"}, 404)


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
