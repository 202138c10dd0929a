"""A simulated Facebook page: unseen photos, the page's feed, and its refusal of repeats."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from folkmoot.channels.graph.standin import (
    SimulatedGraph,
    fail,
    kind_of,
    list_posts,
    missing,
    pick,
    shown_at,
)
from folkmoot.channels.simulator import Asked, Fault, Occasion, Said, Store, Stored, Strike, say

_PAGE = "102938475610293"


class SimulatedFacebook(SimulatedGraph):
    """See :class:`~folkmoot.channels.simulator.Simulated`."""

    channel = "facebook"
    token = "EAAB-simulated-page-token"  # noqa: S105 - good here and nowhere else

    def occasion(self, asked: Asked) -> Occasion:
        return kind_of(asked, publish="feed", upload="photos")

    def to_type(self, url: str) -> Mapping[str, str]:
        return {"page": _PAGE, "token": self.token, "server": url}

    def route(  # noqa: PLR0911 - one line for each path
        self, asked: Asked, store: Store, strike: Strike | None
    ) -> Said:
        path = asked.path.lstrip("/").partition("/")[2]  # without the version
        if asked.method == "POST":
            if path == f"{_PAGE}/photos":
                return self._take_photo(asked, store)
            if path == f"{_PAGE}/feed":
                return self._publish(asked, store, strike)
            return missing(path)
        if asked.method == "DELETE":
            removed = store.remove_post(path.removeprefix(f"{_PAGE}_"))
            return say({"success": True}) if removed else missing(path)
        if path in (f"{_PAGE}/feed", f"{_PAGE}/published_posts"):
            return list_posts(asked, store, strike, _show)
        if path == "debug_token":
            scopes = ["pages_manage_posts", "pages_read_engagement", "pages_show_list"]
            told = {"is_valid": True, "expires_at": 0, "scopes": scopes}
            return say({"data": told})
        if path == _PAGE:
            return say({"id": _PAGE, "name": "Borsetshire Council"})
        if path == "":
            return self._show_photos(asked, store)
        post = store.find_post(path.removeprefix(f"{_PAGE}_"))
        if post is None or (strike is not None and strike.fault is Fault.LIE):
            return missing(path)
        return say(pick(_show(post), asked.query.get("fields", "")))

    def _take_photo(self, asked: Asked, store: Store) -> Said:
        file, form = asked.file("source"), asked.form()
        if file is None or not file[0].startswith("image/"):
            return fail(324, "Missing or invalid image file")
        return say({"id": store.add_medium(*file, alt=form.get("alt_text_custom", "")).id})

    def _publish(self, asked: Asked, store: Store, strike: Strike | None) -> Said:
        form = asked.form()
        photos = [
            str(json.loads(value).get("media_fbid"))
            for name, value in form.items()
            if name.startswith("attached_media[")
        ]
        text = form.get("message", "")
        if not text and not photos:
            return fail(100, "Invalid parameter: a post has a message or photos")
        if any(store.find_medium(photo) is None for photo in photos):
            return fail(100, "Invalid parameter: attached_media")
        newest = next(iter(store.list_newest(1)), None)
        if newest is not None and (newest.text, len(newest.media)) == (text, len(photos)):
            return fail(506, "Duplicate status message")
        post = store.add_post(text, media=tuple(photos))
        wrong = strike is not None and strike.fault is Fault.WRONG_ID
        other = newest.id if newest is not None else store.next_id()
        return say({"id": f"{_PAGE}_{other if wrong else post.id}"})

    def _show_photos(self, asked: Asked, store: Store) -> Said:
        wanted = asked.query.get("ids", "").split(",")
        found = {one: store.find_medium(one) for one in wanted}
        if not all(found.values()):
            return fail(803, "Some of the aliases you requested do not exist", status=404)
        return say({one: {"id": one, "alt_text_custom": found[one].alt} for one in wanted})  # type: ignore[union-attr]  # none is missing


def _show(post: Stored) -> dict[str, Any]:
    photos = [{"media_type": "photo", "target": {"id": one}} for one in post.media]
    album = {"media_type": "album", "subattachments": {"data": photos}}
    attachments = photos if len(photos) < 2 else [album]  # noqa: PLR2004 - as Facebook does
    return {
        "id": f"{_PAGE}_{post.id}",
        "message": post.text or None,
        "created_time": shown_at(post.at),
        "permalink_url": f"https://www.facebook.com/{_PAGE}/posts/{post.id}",
        "attachments": {"data": attachments} if attachments else None,
    }


SIMULATED = SimulatedFacebook
