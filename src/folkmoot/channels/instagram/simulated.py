"""A simulated Instagram account: containers that are published once, and its media."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from folkmoot.channels.graph.standin import (
    SimulatedContainers,
    fail,
    kind_of,
    list_posts,
    missing,
    pick,
    shown_at,
)
from folkmoot.channels.simulator import Asked, Fault, Occasion, Said, Store, Stored, Strike, say

_USERNAME = "borsetshire"


class SimulatedInstagram(SimulatedContainers):
    """See :class:`~folkmoot.channels.simulator.Simulated`."""

    channel = "instagram"
    token = "IGAA-simulated-token"  # noqa: S105 - good here and nowhere else
    status_field = "status_code"
    text_field = "caption"
    not_found = 2207006

    def occasion(self, asked: Asked) -> Occasion:
        return kind_of(asked, publish="media_publish", upload="media")

    def to_type(self, url: str) -> Mapping[str, str]:
        return {"handle": f"@{_USERNAME}", "token": self.token, "server": url}

    def route(  # noqa: PLR0911 - one line for each path
        self, asked: Asked, store: Store, strike: Strike | None
    ) -> Said:
        path = asked.path.lstrip("/").partition("/")[2]  # without the version
        if asked.method == "POST":
            if path == "me/media":
                return self.make_container(asked, store, strike)
            if path == "me/media_publish":
                return self.publish(asked, store, strike)
            return missing(path)
        if asked.method == "DELETE":
            return self.remove(path, store)
        if path == "me":
            return say({"id": "178414", "username": _USERNAME})
        if path == "me/media":
            return list_posts(asked, store, strike, lambda post: self._show(post, store))
        if path == "me/content_publishing_limit":
            config = {"quota_total": 50, "quota_duration": 86400}
            return say({"data": [{"quota_usage": len(store.list_all()), "config": config}]})
        if container := self.show_container(asked, store, strike):
            return container
        post = store.find_post(path)
        if post is None or (strike is not None and strike.fault is Fault.LIE):
            return missing(path)
        return say(pick(self._show(post, store), asked.query.get("fields", "")))

    def find_wrong(
        self,
        form: Mapping[str, str],
        store: Store,  # noqa: ARG002 - nothing there matters here
    ) -> Said | None:
        if "children" not in form and "image_url" not in form:
            return fail(100, "The parameter image_url is required")
        if len(form.get("caption", "")) > 2200:  # noqa: PLR2004 - Instagram's limit
            return fail(36004, "The caption is too long", subcode=2207010)
        return None

    def _show(self, post: Stored, store: Store) -> dict[str, Any]:
        alts = self.alts_of(post, store)
        children = [{"id": one, "alt_text": alt} for one, alt in zip(post.media, alts, strict=True)]
        several = len(children) > 1
        return {
            "id": post.id,
            "caption": post.text or None,
            "media_type": "CAROUSEL_ALBUM" if several else "IMAGE",
            "permalink": f"https://www.instagram.com/p/{post.id}/",
            "timestamp": shown_at(post.at),
            "alt_text": alts[0] if len(alts) == 1 else None,
            "children": {"data": children} if several else None,
        }


SIMULATED = SimulatedInstagram
