"""Publishing to Threads: containers ahead, seen by nobody, and then each of them once.

The first part's container is frozen with the request and is its key, as on Instagram: the same one
is asked about and published again, never another. A later part answers the one before, whose id is
not known until it is live ("Create Replies"), so its container is made just before it is published.
That is no loss: a reply of our own to that very post, with these very words, is as good a key.
While this adapter lives it also remembers the container it made, and asks about that first.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from folkmoot.channels.api import Meaning, NoClearAnswer, SaidNo
from folkmoot.channels.graph import (
    FAULTS,
    Graph,
    make_key,
    read_at,
    read_known,
    to_not_prepared,
    to_refused,
    to_unconfirmed,
    to_unreadable,
    undecided,
)
from folkmoot.channels.graph.containers import (
    Containers,
    Dialect,
    Kept,
    Parcel,
    Status,
    count_pictures,
    find_alts,
)
from folkmoot.channels.kinds import Connected
from folkmoot.channels.limits import find_problems
from folkmoot.channels.port import (
    Absent,
    Capabilities,
    Different,
    Live,
    NotPrepared,
    NotReady,
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
from folkmoot.channels.threads.limits import CAPABILITIES
from folkmoot.channels.threads.posts import (
    OWN,
    OWN_REPLIES,
    POST,
    POST_AND_ALTS,
    Frozen,
    find_part,
    find_post,
    is_gone,
    is_part,
)

SERVER = "https://graph.threads.net"
VERSION = "v1.0"
_PERMISSIONS = (
    "threads_basic, threads_content_publish, threads_manage_replies, threads_read_replies and"
    " threads_delete"
)
_DIALECT = Dialect(OWN, "text", "status", "error_message", picture="IMAGE")
_AGAIN_SECONDS = 5.0
# A later part's picture can be handed over only once the part before is live, so it is waited for
# while sending: a few seconds is what a picture takes. Whoever sends holds a lease, and must not
# publish when it may be over.
_READY_WITHIN_SECONDS = 10.0
_PAUSE_SECONDS = 2.0


class Threads:
    """A profile on Threads. See :class:`~folkmoot.channels.port.Adapter`.

    ``account.handle`` is its name without the @; ``account.secrets`` has its ``token``. ``pause``
    waits for that many seconds; ``clock`` gives seconds, never running backwards.
    """

    def __init__(
        self,
        account: Connected,
        *,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._account = account
        self._pause = pause
        self._clock = clock
        self._graph = Graph(
            account,
            title="Threads",
            version=account.settings.get("version") or VERSION,
            permissions=_PERMISSIONS,
            grant_type="th_refresh_token",
        )
        self._containers = Containers(self._graph, _DIALECT, account.picture_url)
        self._made: dict[tuple[str, ...], Kept] = {}

    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def make_key(self, delivery_id: str, due_at: datetime) -> str:
        return make_key(delivery_id, due_at)

    def upload(self, rendition: Rendition, *, memo: str = "") -> Uploaded | NotReady | NotPrepared:
        handed = self._hand_over(rendition, memo)
        if isinstance(handed, NotPrepared):
            return handed
        parts, ready = handed
        memo = json.dumps([kept.to_json() for _, kept in parts])
        if ready:
            return Uploaded(memo)
        return NotReady(memo, "Threads is still at work on the pictures.", _AGAIN_SECONDS)

    def prepare(
        self, rendition: Rendition, *, key: str, at: datetime, memo: str = ""
    ) -> Prepared | NotPrepared:
        handed = self._hand_over(rendition, memo)
        if isinstance(handed, NotPrepared):
            return handed
        parts, ready = handed
        if not ready:
            reason = "Threads is still at work on the pictures. Nothing was published."
            return NotPrepared(reason, retry=True, after_seconds=_AGAIN_SECONDS)
        replying_to = rendition.replying_to
        try:
            if wrong := self._find_wrong_account():
                return NotPrepared(wrong, retry=False)
            known = read_known(self._graph, OWN_REPLIES if replying_to else OWN)
        except FAULTS as fault:
            return to_not_prepared(fault)
        frozen = Frozen(tuple(parts), replying_to, known, at.isoformat())
        return Prepared(key, frozen.to_bytes())

    def prepare_removal(
        self,
        sent: Sent,
        *,
        key: str,
        at: datetime,  # noqa: ARG002 - nor for this
        reason: str,  # noqa: ARG002 - Threads has no place for one
    ) -> Prepared | NotPrepared:
        return Prepared(key, json.dumps({"remove": sent.remote_ids, "url": sent.url}).encode())

    def send(
        self, prepared: Prepared, done: tuple[str, ...] = ()
    ) -> Sent | Partly | Refused | Unconfirmed:
        value = json.loads(prepared.request)
        if "remove" in value:
            return self._remove(value, done)
        frozen = Frozen.from_json(value)
        try:
            container = self._find_container(prepared.key, frozen, done)
            if not isinstance(container, str):
                return container
            answer = self._graph.post("me/threads_publish", {"creation_id": container})
        except FAULTS as fault:
            return to_refused(fault)
        try:
            outcome = self._confirm(self._graph.get_id(answer), frozen, done)
        except FAULTS as fault:
            return to_unconfirmed(fault)
        if not isinstance(outcome, Unconfirmed):
            self._made.pop((prepared.key, *done), None)
        return outcome

    def look_up(
        self, prepared: Prepared, done: tuple[str, ...] = ()
    ) -> Sent | Partly | Absent | Different | Unconfirmed:
        value = json.loads(prepared.request)
        try:
            if "remove" in value:
                return self._look_for_removed(value, done)
            frozen = Frozen.from_json(value)
            if len(done) == len(frozen.parts):
                return self._as_outcome(frozen, done)
            return self._look_for_part(prepared.key, frozen, done)
        except FAULTS as fault:
            return to_unconfirmed(fault)

    def read_back(self, sent: Sent) -> Live | Absent | Unreadable:
        posts = []
        try:
            for post_id in sent.remote_ids:
                post = find_post(self._graph, post_id, POST_AND_ALTS)
                if post is not None:
                    posts.append(post)
                elif not is_gone(self._graph, post_id):
                    return Unreadable("Threads does not show a part of this just now.")
        except FAULTS as fault:
            return to_unreadable(fault)
        if not posts:
            return Absent()
        # Where a part of a thread is gone, what is left is what is live.
        return Live(
            texts=tuple(str(post.get("text") or "") for post in posts),
            alts=tuple(find_alts(post) for post in posts),
            # Threads makes pictures of its own of them.
            picture_sha256s=tuple((None,) * count_pictures(post) for post in posts),
        )

    def list_recent(self, limit: int) -> tuple[Seen, ...] | Unreadable:
        try:
            posts = [
                post
                for path in (OWN, OWN_REPLIES)
                for post in self._graph.list_page(path, fields=POST, limit=limit)[0]
            ]
        except FAULTS as fault:
            return to_unreadable(fault)
        # Times have whole seconds; within one, larger numbers were given later as a rule.
        posts.sort(
            key=lambda post: (read_at(post.get("timestamp")), len(post["id"]), post["id"]),
            reverse=True,
        )
        return tuple(
            Seen(
                post["id"],
                str(post.get("permalink") or self._profile),
                str(post.get("text") or ""),
                read_at(post.get("timestamp")),
            )
            for post in posts[:limit]
        )

    def diagnose(self) -> str | None:
        try:
            self._graph.token.freshen()
            if wrong := self._find_wrong_account():
                return wrong
            read_known(self._graph, OWN_REPLIES)  # without this no thread could be looked up
        except FAULTS as fault:
            return fault.reason
        return None

    def sign_in_ends_at(self) -> datetime | None:
        return self._graph.token.ends_at()

    @property
    def _profile(self) -> str:
        return f"https://www.threads.net/@{self._account.handle}"

    def _find_wrong_account(self) -> str | None:
        shown = str(self._graph.get("me", fields="id,username").get("username", ""))
        if shown.lower() == self._account.handle:
            return None
        return (
            f"The access token is for @{shown}, not for @{self._account.handle}. Make one for the"
            " right profile, and connect it again."
        )

    def _hand_over(
        self, rendition: Rendition, memo: str
    ) -> tuple[list[tuple[Parcel, Kept]], bool] | NotPrepared:
        """Hand over the first part, and of the others the carousels' pictures."""
        if problems := find_problems(CAPABILITIES, rendition):
            return NotPrepared(" ".join(problem.message for problem in problems), retry=False)
        parcels = []
        for number, part in enumerate(rendition.parts):
            parcel = Parcel.from_part(part)
            if isinstance(parcel, NotPrepared):
                return parcel
            if number == 0:
                parcel = parcel.answering(rendition.replying_to)
            parcels.append(parcel)
        kept = (
            [Kept.from_json(one) for one in json.loads(memo)] if memo else [Kept()] * len(parcels)
        )
        parts, ready = [], True
        try:
            for number, (parcel, before) in enumerate(zip(parcels, kept, strict=True)):
                progress = self._containers.hand_over(parcel, before, whole=number == 0)
                parts.append((parcel, progress.kept))
                ready = ready and progress.ready
        except FAULTS as fault:
            return to_not_prepared(fault)
        return parts, ready

    def _find_container(
        self, key: str, frozen: Frozen, done: tuple[str, ...]
    ) -> str | Refused | Unconfirmed:
        """The container of the part after ``done``, ready to be published."""
        parcel, kept = frozen.parts[len(done)]
        if not done:
            status, why = self._containers.find_status(kept.post)
            return kept.post if status is Status.FINISHED else _explain(status, why)
        place = (key, *done)
        kept = self._made.get(place, kept)
        parcel = parcel.answering(frozen.answers(done))
        ends = self._clock() + _READY_WITHIN_SECONDS
        while True:
            progress = self._containers.hand_over(parcel, kept)
            self._made[place] = kept = progress.kept
            if progress.published:
                return _explain(Status.PUBLISHED, "")
            if self._clock() >= ends:
                return _explain(Status.IN_PROGRESS, "")
            if progress.ready:
                return kept.post
            self._pause(_PAUSE_SECONDS)

    def _look_for_part(
        self, key: str, frozen: Frozen, done: tuple[str, ...]
    ) -> Sent | Partly | Absent | Different | Unconfirmed:
        kept = self._made.get((key, *done), frozen.parts[len(done)][1])
        status = Status.MISSING
        if kept.post:
            status, _ = self._containers.find_status(kept.post)
        if status in (Status.FINISHED, Status.ERROR, Status.EXPIRED):
            return Absent()
        found = find_part(self._graph, frozen, done, self._account.handle)
        if len(found) == 1:
            return self._as_outcome(frozen, (*done, *found))
        if found:
            return Different(
                f"There are {len(found)} new posts with these words on Threads. Look at them"
                " there, and delete what is too much."
            )
        if not kept.post:
            return Absent()  # its container died with the process that made it
        reason = "Threads does not say what became of this."
        if status is Status.PUBLISHED:
            # It is live, or was; but what cannot be named cannot be read back or taken down.
            reason = (
                "Threads says that it has published this, and shows no new post with these words:"
                " somebody may have changed or deleted it."
            )
        return undecided(reason, frozen.at, self._account.now())

    def _confirm(
        self, post_id: str, frozen: Frozen, done: tuple[str, ...]
    ) -> Sent | Partly | Unconfirmed:
        parcel, _ = frozen.parts[len(done)]
        new = post_id not in frozen.known and post_id not in done
        post = find_post(self._graph, post_id) if new else None
        if post is None or not is_part(post, parcel, frozen.answers(done)):
            return Unconfirmed("Threads' answer named another post than the one that was sent.")
        return self._as_outcome(frozen, (*done, post_id))

    def _as_outcome(self, frozen: Frozen, ids: tuple[str, ...]) -> Sent | Partly:
        if len(ids) < len(frozen.parts):
            return Partly(ids)
        try:
            post = find_post(self._graph, ids[0]) or {}
        except (SaidNo, NoClearAnswer):
            post = {}  # it is live all the same; where exactly, its profile shows
        return Sent(ids[0], str(post.get("permalink") or self._profile), ids)

    def _remove(
        self, value: dict[str, Any], done: tuple[str, ...]
    ) -> Sent | Partly | Refused | Unconfirmed:
        post_id = value["remove"][len(done)]
        try:
            self._graph.delete(post_id)
        except FAULTS as fault:
            if not isinstance(fault, SaidNo) or fault.meaning is not Meaning.MISSING:
                return to_refused(fault, "It is still there.")
        try:
            gone = is_gone(self._graph, post_id)
        except FAULTS as fault:
            return to_unconfirmed(fault)
        if gone:
            return _as_removed(value, (*done, post_id))
        return Unconfirmed("Threads said that the post was deleted, and still shows it.")

    def _look_for_removed(
        self, value: dict[str, Any], done: tuple[str, ...]
    ) -> Sent | Partly | Absent:
        gone = done
        for post_id in value["remove"][len(done) :]:
            if not is_gone(self._graph, post_id):
                break
            gone = (*gone, post_id)
        return _as_removed(value, gone) if len(gone) > len(done) else Absent()


def _explain(status: Status, why: str) -> Refused | Unconfirmed:
    """Why a container that is not ready is not published."""
    if status is Status.PUBLISHED:
        return Unconfirmed("Threads has published this already.")
    if status is Status.EXPIRED:
        return Refused(
            "Threads holds what was handed over for 24 hours, and they are over. Nothing was"
            " published. Schedule the post anew, and it is handed over again."
        )
    if status is Status.ERROR:
        return Refused(
            f"Threads could not work with what was handed over ({why}). Nothing was published. Add"
            " the pictures again, and schedule the post anew."
        )
    return Unconfirmed("Threads is not ready to publish what was handed over.", _AGAIN_SECONDS)


def _as_removed(value: dict[str, Any], gone: tuple[str, ...]) -> Sent | Partly:
    ids = tuple(value["remove"])
    return Sent(ids[0], value["url"], ids) if gone == ids else Partly(gone)
