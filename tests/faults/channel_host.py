"""One process that serves every simulated channel of a lane, and tells what really stands there."""

from __future__ import annotations

import copy
import json
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from folkmoot.channels.mastodon.simulated import SIMULATED as MASTODON
from folkmoot.channels.simulator import (
    Fault,
    Medium,
    Occasion,
    Simulated,
    Simulator,
    Store,
    Stored,
    Strike,
    make_simulated,
)
from folkmoot.channels.webhook.simulated import SIMULATED as WEBHOOK

from .shared_clock import SharedClock

# Beside each channel as it should be, those that honour no keys and answer no look-ups.
NAMES = (
    "bluesky",
    "mastodon",
    "mastodon-plain",
    "x",
    "facebook",
    "instagram",
    "threads",
    "linkedin",
    "webhook",
    "webhook-plain",
    "email",
)


def make(name: str) -> Simulated:
    """A fresh simulated channel of this name."""
    if name == "mastodon-plain":
        return MASTODON(honours_keys=False)
    if name == "webhook-plain":
        return WEBHOOK(deduplicates=False, answers_look_ups=False)
    return make_simulated(name)


@dataclass(frozen=True)
class Standing:
    """One post as the channel itself has it. ``arrived_at`` is the true time, whatever the
    channel's clock says, and ``None`` where the channel does not know; a picture is its SHA-256, or
    empty where the channel has no file of it.
    """

    id: str
    key: str
    text: str
    arrived_at: datetime | None
    reply_to: str
    pictures: tuple[tuple[str, str], ...]
    removed: bool
    edited: bool
    stranger: bool = False

    @classmethod
    def read(cls, value: dict[str, Any]) -> Standing:
        """From what the host wrote."""
        pictures = tuple((sha256, alt) for sha256, alt in value["pictures"])
        at = datetime.fromisoformat(value["arrived_at"])
        return cls(**{**value, "arrived_at": at, "pictures": pictures})


class ChannelHost:
    """The simulated channels, in a process of their own. ``servers`` is where each stands, and
    ``typed`` what to type into the form that connects an account there.
    """

    def __init__(self, clock: SharedClock) -> None:
        ask_read, ask_write = os.pipe()
        say_read, say_write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(ask_write)
            os.close(say_read)
            try:
                with os.fdopen(ask_read) as asked, os.fdopen(say_write, "w") as says:
                    _serve(clock, asked, says)
            finally:
                sys.stderr.flush()
                os._exit(0)
        os.close(ask_read)
        os.close(say_write)
        self._ask = os.fdopen(ask_write, "w")
        self._say = os.fdopen(say_read)
        begun = json.loads(self._say.readline())
        self.servers: dict[str, str] = begun["servers"]
        self.typed: dict[str, dict[str, str]] = begun["typed"]

    def remember(self) -> None:
        """Remember every channel as it is now, for :meth:`start_afresh`."""
        self._do(do="remember")

    def start_afresh(self, seed: int) -> None:
        """Take away all posts and faults, and let tokens be as they were remembered."""
        self._do(do="afresh", seed=seed)

    def strike(
        self, name: str, occasion: Occasion, fault: Fault, *, seconds: float = 5.0, times: int = 1
    ) -> None:
        """Let something go wrong with the next ``times`` requests of an occasion."""
        self._do(
            do="strike", name=name, occasion=occasion, fault=fault, seconds=seconds, times=times
        )

    def calm(self) -> None:
        """Let all go well from now on."""
        self._do(do="calm")

    def list_posts(self, name: str) -> list[Standing]:
        """Everything that ever stood on a channel, oldest first."""
        return [Standing.read(one) for one in self._do(do="posts", name=name)]

    def put_strange(self, name: str, text: str) -> str:
        """Post as somebody else would; the post's id."""
        return str(self._do(do="strange", name=name, text=text))

    def spoil(self, name: str, post_id: str, text: str | None) -> None:
        """Change a post as somebody else would, or take it away."""
        self._do(do="spoil", name=name, id=post_id, text=text)

    def list_requests(self, name: str) -> list[str]:
        """The last requests, in a line each."""
        return list(self._do(do="requests", name=name))

    def end(self) -> None:
        """End the process."""
        self._ask.close()
        self._say.close()
        os.waitpid(self.pid, 0)

    def _do(self, **what: Any) -> Any:
        self._ask.write(json.dumps(what) + "\n")
        self._ask.flush()
        return json.loads(self._say.readline())


def _serve(clock: SharedClock, asked: Any, says: Any) -> None:
    simulators = {name: Simulator(make(name), store=Store(clock)) for name in NAMES}
    for simulator in simulators.values():
        simulator.start()
    remembered: dict[str, Simulated] = {}
    strange: set[str] = set()

    def do(what: dict[str, Any]) -> Any:
        simulator = simulators.get(what.get("name", ""))
        match what["do"]:
            case "remember":
                remembered.update(
                    {name: copy.deepcopy(one.simulated) for name, one in simulators.items()}
                )
            case "afresh":
                strange.clear()
                for name, one in simulators.items():
                    one.simulated = copy.deepcopy(remembered[name])
                    one.store = Store(clock)
                    one.requests.clear()
                    one.faults.clear()
            case "calm":
                for one in simulators.values():
                    one.faults.clear()
            case _ if simulator is not None:
                return _do_one(simulator, what, strange)
        return None

    servers = {name: one.allow for name, one in simulators.items()}
    typed = {name: dict(one.simulated.to_type(one.url)) for name, one in simulators.items()}
    says.write(json.dumps({"servers": servers, "typed": typed}) + "\n")
    says.flush()
    for line in asked:
        says.write(json.dumps(do(json.loads(line))) + "\n")
        says.flush()


def _do_one(simulator: Simulator, what: dict[str, Any], strange: set[str]) -> Any:
    store = simulator.store
    match what["do"]:
        case "strike":
            strike = Strike(Fault(what["fault"]), what["seconds"])
            simulator.faults.add(Occasion(what["occasion"]), strike, times=what["times"])
        case "posts":
            return [_show(post, store, post.id in strange) for post in store.list_all()]
        case "strange":
            strange.add(store.add_post(what["text"]).id)
            return store.list_newest(1)[0].id
        case "spoil" if what["text"] is None:
            store.remove_post(what["id"])
        case "spoil":
            store.change_post(what["id"], text=what["text"], edited_at=store.now())
        case "requests":
            return [
                f"{one.method} {one.path} ({one.occasion}): {one.status or 'no answer'}"
                + (f", {one.fault}" if one.fault else "")
                for one in simulator.requests
            ]
    return None


def _show(post: Stored, store: Store, stranger: bool) -> dict[str, Any]:
    # An id is the true time in milliseconds, and a counter: see Store.next_id.
    at = datetime.fromtimestamp((int(post.id) >> 8) / 1000, UTC)
    document = post.extra.get("document", {})
    if document:
        pictures = [
            (one["sha256"], one.get("alt", ""))
            for part in document["parts"]
            for one in part.get("pictures", ())
        ]
    else:
        media = [store.find_medium(one) for one in post.media]
        alts = post.extra.get("alts", [])
        pictures = [
            _show_picture(one, alts[place] if place < len(alts) else "")
            for place, one in enumerate(media)
        ]
    return {
        "id": post.id,
        "key": post.key,
        "text": post.text,
        "arrived_at": at.isoformat(),
        "reply_to": post.reply_to,
        "pictures": pictures,
        "removed": post.removed_at is not None,
        "edited": post.edited_at is not None,
        "stranger": stranger,
    }


def _show_picture(medium: Medium | None, alt: str) -> tuple[str, str]:
    if medium is None:
        return "", alt
    return (medium.sha256 if medium.content else ""), medium.alt or alt
