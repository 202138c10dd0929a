"""A stand-in of LinkedIn's Posts and Images APIs and of its sign-in, after its documentation.

What matters of LinkedIn's ways is kept: an unescaped reserved character silently ends a post, words
that were had within a day are refused and the post that had them is named (by a name of nothing
where it was taken down), and the sign-in ends after a year whatever is renewed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from folkmoot.channels.linkedin import little
from folkmoot.channels.simulator.authority import CLIENT_ID, CLIENT_SECRET, Authority
from folkmoot.channels.simulator.faults import Fault, Occasion, Strike
from folkmoot.channels.simulator.http import Asked, Said, say
from folkmoot.channels.simulator.store import Store, Stored

ORGANISATION = "5515715"
_AUTHOR = f"urn:li:organization:{ORGANISATION}"
_SIGN_IN = ("/oauth/v2/authorization", "/oauth/v2/accessToken")
_DAY = 24 * 3600
_MOST_LETTERS = 3000
_RESERVED = "|{}@[]()<>#*_~"
_HASHTAG = re.compile(r"\{hashtag\|\\#\|((?:\\.|[^\\|{}])+)\}")


class SIMULATED:
    """LinkedIn, as a simulated channel. ``authority`` holds its tokens."""

    channel = "linkedin"

    def __init__(self) -> None:
        self.authority = Authority(
            access_seconds=60 * _DAY, refresh_seconds=365 * _DAY, rotates=False, pkce=False
        )
        self._places: dict[str, str] = {}

    def occasion(self, asked: Asked) -> Occasion:
        if asked.path in _SIGN_IN:
            return Occasion.SIGN_IN
        if asked.path.startswith(("/rest/images", "/dms-uploads/")):
            return Occasion.UPLOAD
        if asked.method == "DELETE":
            return Occasion.REMOVE
        return Occasion.PUBLISH if asked.method == "POST" else Occasion.READ

    def error(self, fault: Fault) -> Said:
        if fault is Fault.TOO_MANY:
            said = "Resource level throttle limit for calls to this resource is reached."
            return _refuse(429, "TOO_MANY_REQUESTS", said, 101)
        if fault is Fault.EXPIRED:
            said = "The token used in the request has expired"
            return _refuse(401, "EXPIRED_ACCESS_TOKEN", said, 65602)
        if fault is Fault.REVOKED:
            said = "The token used in the request has been revoked by the user"
            return _refuse(401, "REVOKED_ACCESS_TOKEN", said, 65601)
        if fault is Fault.REFUSE:
            return _refuse(403, "ACCESS_DENIED", "Not enough permissions to access: posts", 100)
        return _refuse(500, "INTERNAL_SERVER_ERROR", "Internal Server Error")

    def to_type(self, url: str) -> Mapping[str, str]:
        return {
            "handle": ORGANISATION,
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
                return self.error(fault if fault is Fault.REVOKED else Fault.EXPIRED)
            if fault is Fault.REFUSE:
                return self.error(fault)
            if asked.path.startswith("/dms-uploads/"):
                return self._put(asked, store, strike)
            return self._act(asked, store, fault)

    def _sign_in(self, asked: Asked, store: Store, fault: Fault | None) -> Said:
        if fault is Fault.REVOKED:
            self.authority.revoke_all()
        if fault in (Fault.REFUSE, Fault.EXPIRED):
            return self.authority.say_no("invalid_grant", "The grant is over.")
        if asked.path == _SIGN_IN[0]:
            return self.authority.authorise(asked)
        return self.authority.exchange(asked, store.now())

    def _act(self, asked: Asked, store: Store, fault: Fault | None) -> Said:
        if not re.fullmatch("20[0-9]{4}", asked.headers.get("linkedin-version", "")):
            said = "A version must be present. Please specify a version."
            return _refuse(400, "VERSION_MISSING", said)
        if asked.headers.get("x-restli-protocol-version") != "2.0.0":
            return _refuse(400, "ILLEGAL_ARGUMENT", "Rest.li 2.0.0 is asked for.")
        lies = fault is Fault.LIE
        routes: dict[tuple[str, str], Callable[[], Said]] = {
            ("POST", "/rest/images"): lambda: self._initialise(asked, store),
            ("POST", "/rest/posts"): lambda: self._create(
                asked, store, wrong=fault is Fault.WRONG_ID
            ),
            ("GET", "/rest/posts"): lambda: _list(asked, store, lies=lies),
        }
        route = routes.get((asked.method, asked.path))
        return route() if route is not None else self._act_on_one(asked, store, lies=lies)

    def _act_on_one(self, asked: Asked, store: Store, *, lies: bool) -> Said:
        kind, _, urn = asked.path.removeprefix("/rest/").partition("/")
        if kind == "images" and asked.method == "GET":
            return self._show_image(urn, store)
        if kind == "posts" and asked.method == "DELETE":
            store.remove_post(urn.rpartition(":")[2])
            return Said(204)
        post = store.find_post(urn.rpartition(":")[2]) if kind == "posts" and not lies else None
        if post is None:
            return _refuse(404, "NOT_FOUND", f"Entity {urn} was not found")
        return say(_show(post))

    def _initialise(self, asked: Asked, store: Store) -> Said:
        owner = asked.json().get("initializeUploadRequest", {}).get("owner")
        if asked.query.get("action") != "initializeUpload" or owner != _AUTHOR:
            return _refuse(403, "ACCESS_DENIED", "Organization permissions must be used", 100)
        place = store.next_id()
        self._places[place] = ""
        url = f"http://{asked.headers.get('host', '')}/dms-uploads/{place}"
        return say({"value": {"uploadUrl": url, "image": f"urn:li:image:{place}"}})

    def _put(self, asked: Asked, store: Store, strike: Strike | None) -> Said:
        place = asked.path.rpartition("/")[2]
        if asked.method != "PUT" or place not in self._places:
            return _refuse(400, "EXPIRED_UPLOAD_URL", "The address is over.")
        slow = strike is not None and strike.fault is Fault.SLOW_MEDIA
        medium = store.add_medium(
            asked.headers.get("content-type", ""),
            asked.body,
            ready_in_seconds=strike.seconds if strike is not None and slow else 0.0,
        )
        self._places[place] = medium.id
        return Said(201)

    def _state(self, urn: str, store: Store) -> str | None:
        place = urn.rpartition(":")[2]
        if place not in self._places:
            return None
        medium = store.find_medium(self._places[place])
        if medium is None:
            return "WAITING_UPLOAD"
        return "PROCESSING" if medium.ready_at > store.now() else "AVAILABLE"

    def _show_image(self, urn: str, store: Store) -> Said:
        state = self._state(urn, store)
        if state is None:
            return _refuse(404, "NOT_FOUND", f"Entity {urn} was not found")
        return say({"id": urn, "owner": _AUTHOR, "status": state})

    def _create(self, asked: Asked, store: Store, *, wrong: bool) -> Said:
        body = asked.json()
        text = _understand(str(body.get("commentary", "")))
        images = _find_images(body.get("content"))
        if body.get("author") != _AUTHOR:
            said = "Organization permissions must be used when using organization as author"
            return _refuse(403, "ACCESS_DENIED", said, 100)
        if len(text) > _MOST_LETTERS:
            return _refuse_input("FIELD_LENGTH_TOO_LONG", "commentary is too long")
        if any(self._state(str(one.get("id")), store) != "AVAILABLE" for one in images):
            return _refuse_input("MEDIA_ASSET_WAITING_UPLOAD", "Media asset is waiting upload")
        since = store.now() - timedelta(seconds=_DAY)
        twin = next((one for one in store.list_all() if one.text == text and one.at > since), None)
        if twin is not None:
            # The name of a post that was taken down is that of nothing, and new each time.
            named = twin.id if twin.removed_at is None else store.next_id()
            return _refuse_input(
                "DUPLICATE_POST", f"Content is a duplicate of urn:li:share:{named}"
            )
        older = store.list_newest(1)
        post = store.add_post(
            text,
            media=tuple(str(one.get("id")) for one in images),
            extra={"alts": [str(one.get("altText", "")) for one in images]},
        )
        named = (older[0].id if older else "1") if wrong else post.id
        return Said(201, b"", {"x-restli-id": f"urn:li:share:{named}"})


def _list(asked: Asked, store: Store, *, lies: bool) -> Said:
    if asked.query.get("q") != "author" or asked.query.get("author") != _AUTHOR:
        return _refuse(403, "ACCESS_DENIED", "Not enough permissions to access: posts", 100)
    if asked.headers.get("x-restli-method", "").upper() != "FINDER":
        return _refuse(400, "ILLEGAL_ARGUMENT", "X-RestLi-Method is asked for.")
    start, count = int(asked.query.get("start", "0")), int(asked.query.get("count", "10"))
    posts = [] if lies else store.list_newest(10_000)[start : start + count]
    paging = {"start": start, "count": count, "links": []}
    return say({"paging": paging, "elements": [_show(post) for post in posts]})


def _show(post: Stored) -> dict[str, Any]:
    at = int(post.at.timestamp() * 1000)
    alts = post.extra.get("alts", [""] * len(post.media))
    images = [{"id": urn, "altText": alt} for urn, alt in zip(post.media, alts, strict=True)]
    shown: dict[str, Any] = {
        "id": f"urn:li:share:{post.id}",
        "author": _AUTHOR,
        "commentary": little.write(post.text),
        "createdAt": at,
        "publishedAt": at,
        "lifecycleState": "PUBLISHED",
        "visibility": "PUBLIC",
    }
    if len(images) == 1:
        shown["content"] = {"media": images[0]}
    elif images:
        shown["content"] = {"multiImage": {"images": images}}
    return shown


def _understand(commentary: str) -> str:
    """What people will read: all up to the first reserved character that stands unescaped."""
    shown, place = "", 0
    while place < len(commentary):
        hashtag = _HASHTAG.match(commentary, place)
        letter = commentary[place]
        if hashtag is not None:
            shown += "#" + re.sub(r"\\(.)", r"\1", hashtag[1])
            place = hashtag.end()
        elif letter == "\\" and place + 1 < len(commentary):
            shown += commentary[place + 1]
            place += 2
        elif letter in _RESERVED:
            break
        else:
            shown += letter
            place += 1
    return shown


def _find_images(content: Any) -> list[dict[str, Any]]:
    if not isinstance(content, dict):
        return []
    if "multiImage" in content:
        return list(content["multiImage"]["images"])
    return [content["media"]]


def _refuse(status: int, code: str, message: str, number: int | None = None) -> Said:
    more = {"serviceErrorCode": number} if number is not None else {}
    return say({"status": status, "code": code, "message": message, **more}, status)


def _refuse_input(code: str, message: str) -> Said:
    whole = f"com.linkedin.content.common.exception.BadRequestResponseException: {message}"
    details = {"inputErrors": [{"description": message, "input": {}, "code": code}]}
    return say(
        {
            "errorDetailType": "com.linkedin.common.error.BadRequest",
            "message": whole,
            "errorDetails": details,
            "status": 422,
        },
        422,
    )
