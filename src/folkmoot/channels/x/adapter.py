"""Publishing to X: pictures ahead, then post by post, and a look before anything is repeated.

X takes no idempotency key. It refuses words it has had of an account shortly before (403,
"duplicate content"), so a repeat of ours does no harm, but a post that somebody else made with the
same words looks the same from outside. Which of the two it is, is found out by reading: see
:meth:`X.send`.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from folkmoot.channels.api import Api, Meaning, NoClearAnswer, SaidNo
from folkmoot.channels.kinds import Connected
from folkmoot.channels.limits import characters, find_problems
from folkmoot.channels.oauth import (
    FAULTS,
    OAuth,
    SignedIn,
    as_not_prepared,
    as_unconfirmed,
    as_unsent,
    find_secrets,
)
from folkmoot.channels.port import (
    Absent,
    Capabilities,
    Different,
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
from folkmoot.channels.tokens import CannotSignIn
from folkmoot.channels.x.errors import TABLE, find_error, find_wait
from folkmoot.channels.x.length import LENGTH
from folkmoot.channels.x.media import Media, find_ids
from folkmoot.channels.x.posts import (
    FrozenPart,
    FrozenPost,
    FrozenRemoval,
    freeze,
    has_words,
    is_id,
    is_newer,
    is_part,
    read_frozen,
)
from folkmoot.channels.x.timeline import Timeline

CAPABILITIES = Capabilities(
    channel="x",
    title="X",
    lengths=(LENGTH,),
    pictures=4,
    picture_bytes=5_242_880,
    # Of the types X shows, a GIF cannot be handed over in one go.
    picture_types=frozenset({"image/jpeg", "image/png", "image/webp"}),
    parts=25,
    alt=characters(1000),
    replies=True,
    pace=Pace(100, 24 * 3600),
)
# How long a timeline may lag behind what was posted, at the very most.
_LAG = timedelta(minutes=10)
_LOOK_AGAIN_SECONDS = 60.0


class X:
    """An account on X. See :class:`~folkmoot.channels.port.Adapter`.

    ``oauth`` is how its token is renewed.
    """

    def __init__(self, account: Connected, oauth: OAuth) -> None:
        self._handle = account.handle
        self._server = account.server
        self._now = account.now
        api = Api(
            account.outbound,
            title="X",
            find_error=find_error,
            table=TABLE,
            secrets=lambda: find_secrets(account),
            find_wait=find_wait,
        )
        self._signed = SignedIn(api, oauth.make_grants(account), account.now)
        self._media = Media(self._signed, account.server, account.now)
        self._timeline = Timeline(self._signed, account.server, account.handle)

    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def make_key(self, delivery_id: str, due_at: datetime) -> str:
        said = f"{delivery_id} {due_at.astimezone(UTC).isoformat()}"
        return hashlib.sha256(said.encode()).hexdigest()[:32]

    def upload(self, rendition: Rendition, *, memo: str = "") -> Uploaded | NotReady | NotPrepared:
        if problems := find_problems(CAPABILITIES, rendition):
            return NotPrepared(" ".join(problem.message for problem in problems), retry=False)
        try:
            return self._media.hand_over(rendition, memo)
        except FAULTS as fault:
            return as_not_prepared(fault)

    def prepare(
        self, rendition: Rendition, *, key: str, at: datetime, memo: str = ""
    ) -> Prepared | NotPrepared:
        uploaded = self.upload(rendition, memo=memo)
        if isinstance(uploaded, NotPrepared):
            return uploaded
        if isinstance(uploaded, NotReady):
            return NotPrepared(uploaded.reason, retry=True, after_seconds=uploaded.after_seconds)
        try:
            user_id = self._timeline.get_user_id()
            since_id = self._timeline.find_newest_id(user_id)
        except FAULTS as fault:
            return as_not_prepared(fault)
        parts = tuple(
            FrozenPart(part.text, ids)
            for part, ids in zip(rendition.parts, find_ids(rendition, uploaded.memo), strict=True)
        )
        frozen = FrozenPost(user_id, since_id, at, rendition.replying_to, parts)
        return Prepared(key, freeze(frozen))

    def prepare_removal(
        self,
        sent: Sent,
        *,
        key: str,
        at: datetime,  # noqa: ARG002 - the port's; X has no place for it
        reason: str,  # noqa: ARG002 - likewise
    ) -> Prepared | NotPrepared:
        return Prepared(key, freeze(FrozenRemoval(sent.remote_ids)))

    def send(
        self, prepared: Prepared, done: tuple[str, ...] = ()
    ) -> Sent | Partly | Refused | Unconfirmed:
        """See :class:`~folkmoot.channels.port.Adapter`.

        Where X says that it has these words already, it is looked at once, for only then is it
        known what X compared with: a post newer than the preparing is ours, from a send whose
        answer was lost; an older one is not, and the post is refused. Where neither is there, the
        timeline may lag behind: it is unconfirmed, until it can lag no more.
        """
        frozen = read_frozen(prepared.request)
        if isinstance(frozen, FrozenRemoval):
            return self._remove_next(frozen, done)
        if len(done) == len(frozen.parts):
            return self._as_outcome(done, len(frozen.parts))
        return self._publish_next(frozen, done)

    def look_up(
        self, prepared: Prepared, done: tuple[str, ...] = ()
    ) -> Sent | Partly | Absent | Different | Unconfirmed:
        frozen = read_frozen(prepared.request)
        try:
            if isinstance(frozen, FrozenRemoval):
                return self._look_up_removal(frozen, done)
            if len(done) == len(frozen.parts):
                return self._as_outcome(done, len(frozen.parts))
            last = done[-1] if done else frozen.since_id
            newer = self._timeline.list_since(frozen.user_id, last)
        except FAULTS as fault:
            return as_unconfirmed(fault)
        # Newest first: the last that fits came first.
        fitting = [tweet for tweet in newer if is_part(tweet, frozen, done)]
        if not fitting:
            return Absent()
        return self._as_outcome((*done, fitting[-1].id), len(frozen.parts))

    def read_back(self, sent: Sent) -> Live | Absent | Unreadable:
        try:
            there = self._timeline.read(sent.remote_ids)
        except FAULTS as fault:
            return Unreadable(fault.reason)
        # Where a part of a thread is gone, what is left is what is live.
        live = [tweet for tweet in there if tweet is not None]
        if not live:
            return Absent()
        return Live(
            texts=tuple(tweet.text for tweet in live),
            alts=tuple(tweet.alts for tweet in live),
            # X gives no file back as it was.
            picture_sha256s=tuple((None,) * len(tweet.alts) for tweet in live),
        )

    def list_recent(self, limit: int) -> tuple[Seen, ...] | Unreadable:
        try:
            recent = self._timeline.list_newest(self._timeline.get_user_id(), limit)
        except FAULTS as fault:
            return Unreadable(fault.reason)
        return tuple(
            Seen(tweet.id, self._make_url(tweet.id), tweet.text, tweet.at)
            for tweet in recent
            if tweet.at is not None
        )

    def diagnose(self) -> str | None:
        try:
            self._timeline.get_user_id()
        except FAULTS as fault:
            return fault.reason
        return None

    def sign_in_ends_at(self) -> datetime | None:
        # X's documentation names no end for a refresh token, which is new with every renewal.
        return self._signed.find_end()

    def _publish_next(
        self, frozen: FrozenPost, done: tuple[str, ...]
    ) -> Sent | Partly | Refused | Unconfirmed:
        body = frozen.make_body(done)
        try:
            answer = self._signed.ask("POST", f"{self._server}/2/tweets", json_body=body)
        except SaidNo as fault:
            if fault.meaning is Meaning.REPEAT:
                return self._settle_repeat(frozen, done)
            return Refused(fault.reason)
        except (CannotSignIn, NoClearAnswer) as fault:
            return as_unsent(fault)
        data = answer.value.get("data") if isinstance(answer.value, dict) else None
        post_id = str(data.get("id")) if isinstance(data, dict) else ""
        if not is_id(post_id) or not self._is_ours(post_id, frozen, done):
            return Unconfirmed("X's answer does not name the post that was sent. It is looked up.")
        return self._as_outcome((*done, post_id), len(frozen.parts))

    def _is_ours(self, post_id: str, frozen: FrozenPost, done: tuple[str, ...]) -> bool:
        """Whether an answer's id can be that of the part after ``done``: an id from before is
        another post's. On an account without posts there is nothing from before, so it is read.
        """
        if last := (done[-1] if done else frozen.since_id):
            return is_newer(post_id, last)
        try:
            [tweet] = self._timeline.read([post_id])
        except FAULTS:
            return True  # a read that fails takes nothing from a clear yes
        return tweet is not None and is_part(tweet, frozen, done)

    def _settle_repeat(
        self, frozen: FrozenPost, done: tuple[str, ...]
    ) -> Sent | Partly | Refused | Unconfirmed:
        try:
            recent = self._timeline.list_newest(frozen.user_id, 100)
        except FAULTS as fault:
            return as_unconfirmed(fault)
        fitting = [tweet for tweet in recent if is_part(tweet, frozen, done)]
        if fitting:
            return self._as_outcome((*done, fitting[-1].id), len(frozen.parts))
        text = frozen.parts[len(done)].text
        twin = next((tweet for tweet in recent if has_words(tweet, text)), None)
        if twin is not None:
            return Refused(
                "X already has a post with these very words; change them. The other one is"
                f" {self._make_url(twin.id)}."
            )
        if self._now() < frozen.at + _LAG:
            return Unconfirmed(
                "X says that it already has a post with these very words, but does not show one"
                " yet. It is looked for again.",
                _LOOK_AGAIN_SECONDS,
            )
        return Refused(
            "X already has a post with these very words, perhaps one that was taken down; change"
            " them."
        )

    def _remove_next(
        self, frozen: FrozenRemoval, done: tuple[str, ...]
    ) -> Sent | Partly | Refused | Unconfirmed:
        # The last part first, so that what is left can be read at every moment.
        left = [post_id for post_id in reversed(frozen.ids) if post_id not in done]
        if not left:
            return self._as_outcome(frozen.ids, len(frozen.ids))
        try:
            answer = self._signed.ask("DELETE", f"{self._server}/2/tweets/{left[0]}")
        except SaidNo as fault:
            if fault.meaning is not Meaning.MISSING:
                return Refused(fault.reason)
        except (CannotSignIn, NoClearAnswer) as fault:
            return as_unsent(fault)
        else:
            data = answer.value.get("data") if isinstance(answer.value, dict) else None
            if not isinstance(data, dict) or data.get("deleted") is not True:
                return Unconfirmed("X does not say whether the post is gone. It is looked up.")
        return self._as_removed(frozen, (*done, left[0]))

    def _look_up_removal(
        self, frozen: FrozenRemoval, done: tuple[str, ...]
    ) -> Sent | Partly | Absent:
        there = self._timeline.read(frozen.ids)
        live = {post_id for post_id, tweet in zip(frozen.ids, there, strict=True) if tweet}
        if not live:
            return self._as_outcome(frozen.ids, len(frozen.ids))
        left = [post_id for post_id in reversed(frozen.ids) if post_id not in done]
        if left and left[0] not in live:
            return self._as_removed(frozen, (*done, left[0]))
        return Absent()

    def _as_removed(self, frozen: FrozenRemoval, gone: tuple[str, ...]) -> Sent | Partly:
        if len(gone) < len(frozen.ids):
            return Partly(gone)
        return self._as_outcome(frozen.ids, len(frozen.ids))

    def _as_outcome(self, ids: tuple[str, ...], wanted: int) -> Sent | Partly:
        if len(ids) < wanted:
            return Partly(ids)
        return Sent(remote_id=ids[0], url=self._make_url(ids[0]), remote_ids=ids)

    def _make_url(self, post_id: str) -> str:
        return f"https://x.com/{self._handle}/status/{post_id}"
