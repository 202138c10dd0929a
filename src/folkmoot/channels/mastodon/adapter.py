"""Publishing to Mastodon: once, part by part, by key where the server honours it, and by reading
back where it does not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime

from folkmoot.channels.api import NoClearAnswer, SaidNo
from folkmoot.channels.limits import find_problems
from folkmoot.channels.mastodon import markup, media
from folkmoot.channels.mastodon.account import diagnose, explain_owner
from folkmoot.channels.mastodon.counting import count_characters
from folkmoot.channels.mastodon.frozen import (
    FrozenPost,
    FrozenRemoval,
    freeze_parts,
    read_frozen,
)
from folkmoot.channels.mastodon.looking import look_up, make_url, name_so_far
from folkmoot.channels.mastodon.matching import Matcher
from folkmoot.channels.mastodon.server import Server
from folkmoot.channels.mastodon.statuses import Status, is_later
from folkmoot.channels.outbound import Outbound
from folkmoot.channels.port import (
    Absent,
    Capabilities,
    Different,
    Length,
    Live,
    NotPrepared,
    NotReady,
    Pace,
    Partly,
    Prepared,
    Refused,
    Rendition,
    Seen,
    Sent,
    Unconfirmed,
    Unreadable,
    Uploaded,
)

MAX_CHARACTERS = 500


class Mastodon:
    """An account on a Mastodon server. See :class:`~folkmoot.channels.port.Adapter`.

    ``server`` is its address, ``username`` the account's name there, without the server;
    ``access_token`` one made under Preferences, Development. ``max_characters`` is the server's
    own limit.

    Limits are from the Mastodon documentation, "Posting to your profile" and "Rate limits"; the
    pace is the server's default for publishing, 300 in three hours.
    """

    def __init__(
        self,
        *,
        server: str,
        username: str,
        access_token: str,
        outbound: Outbound,
        now: Callable[[], datetime],
        max_characters: int = MAX_CHARACTERS,
    ) -> None:
        self._username = username
        self._server = Server(server, access_token, outbound, now)
        self._capabilities = Capabilities(
            channel="mastodon",
            title="Mastodon",
            lengths=(Length("character", max_characters, count_characters),),
            pictures=4,
            picture_bytes=16 * 1024 * 1024,
            picture_types=frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"}),
            parts=25,
            # Counted in code points, which is how a server counts it.
            alt=Length("character", 1500, len),
            replies=True,
            removes=True,
            edits=True,
            pace=Pace(posts=300, seconds=3 * 3600),
        )

    def capabilities(self) -> Capabilities:
        return self._capabilities

    def make_key(self, delivery_id: str, due_at: datetime) -> str:
        if due_at.tzinfo is None:
            raise ValueError("due_at has no time zone")
        when = int(due_at.timestamp())
        return hashlib.sha256(f"{delivery_id}\n{when}".encode()).hexdigest()[:32]

    def upload(self, rendition: Rendition, *, memo: str = "") -> Uploaded | NotReady | NotPrepared:
        if problems := find_problems(self._capabilities, rendition):
            return NotPrepared(" ".join(problem.message for problem in problems), retry=False)
        return media.hand_over(self._server, rendition, memo)

    def prepare(
        self,
        rendition: Rendition,
        *,
        key: str,
        at: datetime,  # noqa: ARG002 - the server gives a post its time
        memo: str = "",
    ) -> Prepared | NotPrepared:
        uploaded = self.upload(rendition, memo=memo)
        if isinstance(uploaded, NotPrepared):
            return uploaded
        if isinstance(uploaded, NotReady):
            return NotPrepared(uploaded.reason, retry=True, after_seconds=uploaded.after_seconds)
        try:
            frozen = self._freeze(rendition, key, uploaded.memo)
        except SaidNo as no:
            return NotPrepared(no.reason, retry=False)
        except NoClearAnswer as fault:
            return NotPrepared(fault.reason, retry=True, after_seconds=fault.after_seconds)
        return frozen if isinstance(frozen, NotPrepared) else Prepared(key, frozen.to_bytes())

    def prepare_removal(
        self,
        sent: Sent,
        *,
        key: str,
        at: datetime,  # noqa: ARG002 - nothing is published
        reason: str,  # noqa: ARG002 - Mastodon has no place for a reason
    ) -> Prepared | NotPrepared:
        try:
            wrong = explain_owner(self._server.get_owner(), self._username)
        except SaidNo as no:
            return NotPrepared(no.reason, retry=False)
        except NoClearAnswer as fault:
            return NotPrepared(fault.reason, retry=True, after_seconds=fault.after_seconds)
        if wrong:
            return NotPrepared(wrong, retry=False)
        return Prepared(key, FrozenRemoval(sent.remote_ids, sent.url).to_bytes())

    def send(
        self, prepared: Prepared, done: tuple[str, ...] = ()
    ) -> Sent | Partly | Refused | Unconfirmed:
        frozen = read_frozen(prepared.request)
        try:
            if isinstance(frozen, FrozenRemoval):
                return self._remove(frozen)
            return self._publish(frozen, done)
        except SaidNo as no:
            return Refused(no.reason)
        except NoClearAnswer as fault:
            return Unconfirmed(fault.reason, fault.after_seconds)

    def look_up(
        self, prepared: Prepared, done: tuple[str, ...] = ()
    ) -> Sent | Partly | Absent | Different | Unconfirmed:
        frozen = read_frozen(prepared.request)
        try:
            if isinstance(frozen, FrozenRemoval):
                standing = any(self._server.find_status(one) is not None for one in frozen.ids)
                return Absent() if standing else frozen.to_sent()
            return look_up(self._server, frozen, done)
        except SaidNo as no:
            return Unconfirmed(no.reason)
        except NoClearAnswer as fault:
            return Unconfirmed(fault.reason, fault.after_seconds)

    def read_back(self, sent: Sent) -> Live | Absent | Unreadable:
        try:
            found = [self._server.find_status(one) for one in sent.remote_ids]
            there = [one for one in found if one is not None]
            texts = [self._get_text(one, exact=True) for one in there]
        except SaidNo as no:
            return Unreadable(no.reason)
        except NoClearAnswer as fault:
            return Unreadable(fault.reason)
        if not there:
            return Absent()
        # Where a part of a thread is gone, what is left is what is live.
        return Live(
            texts=tuple(texts),
            alts=tuple(one.alts for one in there),
            # The server makes its own file of every picture.
            picture_sha256s=tuple((None,) * len(one.alts) for one in there),
        )

    def list_recent(self, limit: int) -> tuple[Seen, ...] | Unreadable:
        try:
            owner = self._server.get_owner()
            listed = self._server.list_newest(owner.id, limit)
            # What is written to somebody alone stands on no timeline.
            return tuple(self._see(one) for one in listed if one.visibility != "direct")
        except SaidNo as no:
            return Unreadable(no.reason)
        except NoClearAnswer as fault:
            return Unreadable(fault.reason)

    def diagnose(self) -> str | None:
        return diagnose(self._server, self._username, self._capabilities.lengths[0].most)

    def sign_in_ends_at(self) -> datetime | None:
        return None

    def _freeze(self, rendition: Rendition, key: str, memo: str) -> FrozenPost | NotPrepared:
        owner = self._server.get_owner()
        if wrong := explain_owner(owner, self._username):
            return NotPrepared(wrong, retry=False)
        after_id = self._server.find_newest_id(owner)
        # Counted after listing: a post that comes in between must not look like one too many.
        count = self._server.get_owner().count
        parts = freeze_parts(rendition, media.read_ids(rendition, memo), key)
        return FrozenPost(owner.id, after_id, count, rendition.replying_to, parts)

    def _publish(self, frozen: FrozenPost, done: tuple[str, ...]) -> Sent | Partly | Unconfirmed:
        number = len(done)
        part = frozen.parts[number]
        parent = done[-1] if done else frozen.replying_to
        status = self._server.publish(part.to_body(parent), part.key)
        matcher = Matcher(self._server, frozen, [])
        if (
            status.id in done
            or not is_later(status.id, frozen.after_id)
            or not matcher.is_answer(status, part, parent)
        ):
            return Unconfirmed(
                "Mastodon's answer is about another post than the one that was sent, or it did not"
                " publish it as it was signed."
            )
        return name_so_far(self._server, frozen, (*done, status.id), status)

    def _remove(self, frozen: FrozenRemoval) -> Sent | Unconfirmed:
        # The last part first, so that no answer ever stands without what it answers.
        for status_id in reversed(frozen.ids):
            # To delete what is another account's is answered as if it were not there.
            if not self._server.delete(status_id) and self._server.find_status(status_id):
                return Unconfirmed(
                    "Mastodon shows the post and yet says that this account has none such. Look at"
                    " it there: it may be another account's."
                )
        return frozen.to_sent()

    def _get_text(self, status: Status, *, exact: bool) -> str:
        if exact or status.edited or markup.loses_something(status.content):
            source = self._server.find_source(status.id)
            if source is not None:
                return source
        return status.text

    def _see(self, status: Status) -> Seen:
        shown = status.boosted or status
        text = self._get_text(status, exact=False) if shown is status else shown.text
        boost = "" if shown is status else "Boosted: "
        return Seen(status.id, make_url(self._server, status, status.id), boost + text, status.at)
