"""Which of an account's statuses is the one that was frozen.

Mastodon gives no way to ask for a status by its idempotency key, and not every server honours the
key. So a status is ours if it is newer than all the account had when ours was prepared, answers
the same status, shows the same pictures and has the same text. What is nearly ours (the text
without its pictures, or ours and edited since) is told apart: a person must look at it, and
nothing may be sent again over it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from folkmoot.channels.mastodon import markup
from folkmoot.channels.mastodon.frozen import FrozenPart, FrozenPost
from folkmoot.channels.mastodon.server import Server
from folkmoot.channels.mastodon.statuses import Status


@dataclass(frozen=True, slots=True)
class Match:
    """What was found for one part: those that are ours (more than one, if a server published it
    twice), and else those that are nearly so.
    """

    ours: list[Status] = field(default_factory=list)
    near: list[Status] = field(default_factory=list)


class Matcher:
    """Finds parts of ``post`` among the statuses listed ``since`` it was prepared.

    May ask the server for the source or the history of a status; raises what :class:`Server` does.
    """

    def __init__(self, server: Server, post: FrozenPost, since: list[Status]) -> None:
        self._server = server
        self._post = post
        self._since = [one for one in since if one.boosted is None]
        self._sources: dict[str, str | None] = {}
        self._taken: set[str] = set()

    def take(self, status: Status) -> None:
        """This one is a part already found; it is not another."""
        self._taken.add(status.id)

    def find(self, number: int, parent: str) -> Match:
        """What stands there for part ``number``, which answers ``parent`` (empty for nothing)."""
        part, match = self._post.parts[number], Match()
        for status in self._since:
            if status.id in self._taken:
                continue
            if self.is_part(status, part, parent):
                match.ours.append(status)
            elif self._is_near(status, part):
                match.near.append(status)
        return match

    def is_answer(self, status: Status, part: FrozenPart, parent: str) -> bool:
        """Whether a status that came as the answer to publishing the part is the part. Asks for
        its source only where the HTML leaves a doubt.
        """
        if self._has_place(status, part, parent) and self._looks_alike(status.text, part):
            return True
        return self.is_part(status, part, parent)

    def is_part(self, status: Status, part: FrozenPart, parent: str) -> bool:
        """Whether this is the part, exactly."""
        if not self._has_place(status, part, parent):
            return False
        source = self._find_source(status.id)
        if source is not None:
            return markup.strip(source) == markup.strip(part.status)
        return self._looks_alike(status.text, part)

    def _has_place(self, status: Status, part: FrozenPart, parent: str) -> bool:
        return (
            status.account_id == self._post.account_id
            and status.parent == parent
            and sorted(status.media_ids) == sorted(part.media_ids)
        )

    def _is_near(self, status: Status, part: FrozenPart) -> bool:
        if set(status.media_ids) & set(part.media_ids):
            return True
        if not markup.strip(part.status):
            return False
        if status.edited and self._looks_alike(self._server.get_first_text(status), part):
            return True
        return self._looks_alike(status.text, part)

    def _looks_alike(self, text: str, part: FrozenPart) -> bool:
        return markup.to_comparable(text) == markup.to_comparable(part.status)

    def _find_source(self, status_id: str) -> str | None:
        if status_id not in self._sources:
            self._sources[status_id] = self._server.find_source(status_id)
        return self._sources[status_id]
