"""A simulated receiver of webhooks: checks signatures itself, knows repeats by their id, and says
what it has, unless it was made not to.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, ClassVar

from folkmoot.channels.simulator import Asked, Fault, Occasion, Said, Store, Stored, Strike, say

_TOLERANCE_SECONDS = 300


class SIMULATED:
    """One receiver. ``deduplicates`` is whether it knows a repeat by its id; ``answers_look_ups``
    whether it says what it has.
    """

    channel = "webhook"
    deduplicates: ClassVar[bool] = True
    answers_look_ups: ClassVar[bool] = True

    def __init__(
        self, *, deduplicates: bool | None = None, answers_look_ups: bool | None = None
    ) -> None:
        self._deduplicates = self.deduplicates if deduplicates is None else deduplicates
        self._answers = self.answers_look_ups if answers_look_ups is None else answers_look_ups
        self._removals: dict[str, str] = {}
        self._secrets = 1

    @property
    def secret(self) -> str:
        """The secret that is good now."""
        return f"whsec_{base64.b64encode(self._key()).decode()}"

    def to_type(self, url: str) -> Mapping[str, str]:
        """See :class:`~folkmoot.channels.simulator.Simulated`."""
        return {
            "address": f"{url}/posts",
            "secret": self.secret,
            "receiver_deduplicates": "yes" if self._deduplicates else "no",
        }

    def occasion(self, asked: Asked) -> Occasion:
        """See :class:`~folkmoot.channels.simulator.Simulated`."""
        if asked.method != "POST":
            return Occasion.READ
        removal = asked.json().get("type") == "removal"
        return Occasion.REMOVE if removal else Occasion.PUBLISH

    def error(self, fault: Fault) -> Said:
        """See :class:`~folkmoot.channels.simulator.Simulated`."""
        said, status = {
            Fault.TOO_MANY: ("Slow down", 429),
            Fault.EXPIRED: ("The signature is not good", 401),
            Fault.REVOKED: ("The signature is not good", 401),
            Fault.REFUSE: ("This is not wanted here", 422),
        }.get(fault, ("Something broke", 500))
        return say({"error": said}, status)

    def answer(self, asked: Asked, store: Store, strike: Strike | None) -> Said:
        """See :class:`~folkmoot.channels.simulator.Simulated`."""
        fault = strike.fault if strike is not None else None
        with store.lock:
            if fault is Fault.REVOKED:
                self._secrets += 1
            if fault in (Fault.EXPIRED, Fault.REVOKED, Fault.REFUSE):
                return self.error(fault)
            if asked.path != "/posts":
                return say({"error": "There is nothing here"}, 404)
            if not self._is_signed(asked, store):
                return self.error(Fault.EXPIRED)
            if asked.method == "GET":
                return self._look_up(asked, store, lie=fault is Fault.LIE)
            return self._take(asked, store)

    def _take(self, asked: Asked, store: Store) -> Said:
        document = asked.json()
        message_id, digest = asked.headers["webhook-id"], hashlib.sha256(asked.body).hexdigest()
        if document.get("id") != message_id:
            return say({"error": "The ids differ"}, 422)
        known = self._find(message_id, store)
        if known is not None and self._deduplicates:
            return say(known, 200 if known["sha256"] == digest else 409)
        if document.get("type") == "removal":
            for post in self._find_posts(document["removes"], store):
                store.remove_post(post.id)
            self._removals[message_id] = digest
            return say({"id": message_id, "sha256": digest})
        text = "\n\n".join(part["text"] for part in document["parts"])
        extra = {"sha256": digest, "document": document}
        post = store.add_post(text, key=message_id, extra=extra)
        return say(self._show(post), 201)

    def _look_up(self, asked: Asked, store: Store, *, lie: bool) -> Said:
        if not self._answers:
            return say({"error": "Only POST is taken here"}, 405)
        message_id = asked.query.get("id", "")
        known = None if lie else self._find(message_id, store)
        return say({"id": message_id}, 404) if known is None else say(known)

    def _find(self, message_id: str, store: Store) -> dict[str, Any] | None:
        if message_id in self._removals:
            return {"id": message_id, "sha256": self._removals[message_id]}
        posts = self._find_posts(message_id, store)
        return self._show(posts[0]) if posts else None

    def _find_posts(self, message_id: str, store: Store) -> list[Stored]:
        return [post for post in store.list_newest(10_000) if post.key == message_id]

    def _show(self, post: Stored) -> dict[str, Any]:
        document = post.extra["document"]
        return {
            "id": post.key,
            "sha256": post.extra["sha256"],
            "url": f"https://receiver.example/posts/{post.key}",
            "parts": document["parts"],
        }

    def _is_signed(self, asked: Asked, store: Store) -> bool:
        message_id = asked.headers.get("webhook-id", "")
        timestamp = asked.headers.get("webhook-timestamp", "")
        if not timestamp.isdigit():
            return False
        if abs(int(timestamp) - store.now().timestamp()) > _TOLERANCE_SECONDS:
            return False
        content = b".".join((message_id.encode(), timestamp.encode(), asked.body))
        digest = hmac.digest(self._key(), content, "sha256")
        wanted = "v1," + base64.b64encode(digest).decode()
        given = asked.headers.get("webhook-signature", "").split()
        return any(hmac.compare_digest(wanted, one) for one in given)

    def _key(self) -> bytes:
        return f"a simulated receiver's secret {self._secrets}".encode()
