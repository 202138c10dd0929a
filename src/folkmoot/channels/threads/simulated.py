"""A simulated profile on Threads: containers that are published once, posts, and replies."""

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
from folkmoot.channels.threads.limits import count_characters, count_links

_USERNAME = "borsetshire"


class SimulatedThreads(SimulatedContainers):
    """See :class:`~folkmoot.channels.simulator.Simulated`."""

    channel = "threads"
    token = "THAA-simulated-token"  # noqa: S105 - good here and nowhere else
    status_field = "status"
    text_field = "text"
    not_found = 4279009

    def occasion(self, asked: Asked) -> Occasion:
        return kind_of(asked, publish="threads_publish", upload="threads")

    def to_type(self, url: str) -> Mapping[str, str]:
        return {"handle": f"@{_USERNAME}", "token": self.token, "server": url}

    def route(self, asked: Asked, store: Store, strike: Strike | None) -> Said:
        path = asked.path.lstrip("/").partition("/")[2]  # without the version
        if asked.method == "POST":
            if path == "me/threads":
                return self.make_container(asked, store, strike)
            if path == "me/threads_publish":
                return self.publish(asked, store, strike)
            return missing(path)
        if asked.method == "DELETE":
            return self.remove(path, store)
        return self._read(path, asked, store, strike)

    def _read(  # noqa: PLR0911 - one line for each path
        self, path: str, asked: Asked, store: Store, strike: Strike | None
    ) -> Said:
        if path == "me":
            return say({"id": "314159", "username": _USERNAME})

        def show(post: Stored) -> dict[str, Any]:
            return self._show(post, store)

        if path == "me/threads":
            return list_posts(asked, store, strike, show, lambda post: not post.reply_to)
        if path == "me/replies":
            return list_posts(asked, store, strike, show, lambda post: bool(post.reply_to))
        if path.endswith("/replies"):
            answered = path.removesuffix("/replies")
            return list_posts(asked, store, strike, show, lambda post: post.reply_to == answered)
        if container := self.show_container(asked, store, strike):
            return container
        post = store.find_post(path)
        if post is None or (strike is not None and strike.fault is Fault.LIE):
            return missing(path)
        return say(pick(show(post), asked.query.get("fields", "")))

    def find_wrong(self, form: Mapping[str, str], store: Store) -> Said | None:
        text, answered = form.get("text", ""), form.get("reply_to_id", "")
        if form.get("media_type") == "TEXT" and not text:
            return fail(100, "The parameter text is required")
        if count_characters(text) > 500:  # noqa: PLR2004 - Threads' limit
            return fail(100, "Param text must be at most 500 characters long.")
        if count_links(text) > 5:  # noqa: PLR2004 - Threads' limit
            return fail(100, "THREADS_API__LINK_LIMIT_EXCEEDED")
        if answered and store.find_post(answered) is None:
            return fail(100, "Invalid parameter: reply_to_id")
        return None

    def _show(self, post: Stored, store: Store) -> dict[str, Any]:
        alts = self.alts_of(post, store)
        children = [{"id": one, "alt_text": alt} for one, alt in zip(post.media, alts, strict=True)]
        kind = "CAROUSEL_ALBUM" if len(children) > 1 else "IMAGE" if children else "TEXT_POST"
        return {
            "id": post.id,
            "text": post.text or None,
            "media_type": kind,
            "permalink": f"https://www.threads.net/@{_USERNAME}/post/{post.id}",
            "timestamp": shown_at(post.at),
            "username": _USERNAME,
            "alt_text": alts[0] if len(alts) == 1 else None,
            "replied_to": {"id": post.reply_to} if post.reply_to else None,
            "children": {"data": children} if len(children) > 1 else None,
        }


SIMULATED = SimulatedThreads
