"""Publishing to an organisation's page on LinkedIn: pictures ahead, one post, a look before more.

LinkedIn takes no idempotency key. It refuses words it has had shortly before (``DUPLICATE_POST``)
and names the post that has them, so a repeat of ours does no harm, and what became of it is found
out by reading: see :meth:`LinkedIn.send`.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from folkmoot.channels.api import Api, Meaning, NoClearAnswer, SaidNo
from folkmoot.channels.kinds import Connected
from folkmoot.channels.limits import characters, find_problems
from folkmoot.channels.linkedin.errors import TABLE, find_error, find_named_urn
from folkmoot.channels.linkedin.images import Images, find_urns
from folkmoot.channels.linkedin.pages import Pages
from folkmoot.channels.linkedin.posts import (
    FrozenPost,
    FrozenRemoval,
    Post,
    find_number,
    freeze,
    is_frozen,
    is_newer,
    make_body,
    read_frozen,
)
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
from folkmoot.channels.tokens import CannotSignIn

VERSION = "202605"
"""The version of LinkedIn's API that this was written for; LinkedIn speaks each for a year."""


def _count_utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


CAPABILITIES = Capabilities(
    channel="linkedin",
    title="LinkedIn",
    # Emoji count 2 or more: LinkedIn counts as Java does.
    lengths=(Length("character", 3000, _count_utf16),),
    pictures=20,
    picture_bytes=10_000_000,
    picture_types=frozenset({"image/jpeg", "image/png", "image/gif"}),
    parts=1,
    # LinkedIn takes 4,086, and recommends 120.
    alt=characters(4086),
    edits=True,
    pace=Pace(100, 24 * 3600),
)
# How long the list of posts may lag behind what was posted, at the very most.
_LAG = timedelta(minutes=10)
_LOOK_AGAIN_SECONDS = 60.0


class LinkedIn:
    """An organisation's page on LinkedIn. See :class:`~folkmoot.channels.port.Adapter`.

    ``oauth`` is how its token is renewed.
    """

    def __init__(self, account: Connected, oauth: OAuth) -> None:
        self._now = account.now
        api = Api(
            account.outbound,
            title="LinkedIn",
            find_error=find_error,
            table=TABLE,
            secrets=lambda: find_secrets(account),
        )
        self._signed = SignedIn(api, oauth.make_grants(account), account.now)
        version = account.settings.get("version", "").strip() or VERSION
        self._pages = Pages(self._signed, account.server, account.handle, version)
        self._images = Images(self._pages, api)

    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def make_key(self, delivery_id: str, due_at: datetime) -> str:
        said = f"{delivery_id} {due_at.astimezone(UTC).isoformat()}"
        return hashlib.sha256(said.encode()).hexdigest()[:32]

    def upload(self, rendition: Rendition, *, memo: str = "") -> Uploaded | NotReady | NotPrepared:
        if problems := find_problems(CAPABILITIES, rendition):
            return NotPrepared(" ".join(problem.message for problem in problems), retry=False)
        try:
            return self._images.hand_over(rendition, memo)
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
            recent = self._pages.list_newest(10)
        except FAULTS as fault:
            return as_not_prepared(fault)
        newest = max((find_number(post.urn) or 0 for post in recent), default=0)
        images = find_urns(rendition, uploaded.memo)
        body = make_body(self._pages.author, rendition.parts[0], images)
        return Prepared(key, freeze(FrozenPost(newest, at, body)))

    def prepare_removal(
        self,
        sent: Sent,
        *,
        key: str,
        at: datetime,  # noqa: ARG002 - the port's; LinkedIn has no place for it
        reason: str,  # noqa: ARG002 - likewise
    ) -> Prepared | NotPrepared:
        return Prepared(key, freeze(FrozenRemoval(sent.remote_id)))

    def send(
        self,
        prepared: Prepared,
        done: tuple[str, ...] = (),  # noqa: ARG002 - LinkedIn has no threads
    ) -> Sent | Partly | Refused | Unconfirmed:
        """See :class:`~folkmoot.channels.port.Adapter`.

        Where LinkedIn says that it has these words already, it is looked at once: a post newer than
        the preparing is ours, from a send whose answer was lost; an older one is not, and the post
        is refused. A post it names but does not show may be ours, still on its way, or the ghost of
        one that was taken down: it is unconfirmed, until it can be on its way no more.
        """
        frozen = read_frozen(prepared.request)
        if isinstance(frozen, FrozenRemoval):
            return self._remove(frozen)
        try:
            answer = self._pages.ask("POST", "/rest/posts", json_body=frozen.body)
        except SaidNo as fault:
            if fault.meaning is Meaning.REPEAT:
                return self._settle_repeat(frozen, find_named_urn(fault.value))
            return Refused(fault.reason)
        except (CannotSignIn, NoClearAnswer) as fault:
            return as_unsent(fault)
        urn = answer.headers.get("x-restli-id", "")
        if not self._is_ours(urn, frozen):
            return Unconfirmed(
                "LinkedIn's answer does not name the post that was sent. It is looked up."
            )
        return _as_sent(urn)

    def look_up(
        self,
        prepared: Prepared,
        done: tuple[str, ...] = (),  # noqa: ARG002 - LinkedIn has no threads
    ) -> Sent | Partly | Absent | Different | Unconfirmed:
        frozen = read_frozen(prepared.request)
        try:
            if isinstance(frozen, FrozenRemoval):
                return Absent() if self._pages.find(frozen.urn) else _as_sent(frozen.urn)
            found = self._find_frozen(frozen)
        except FAULTS as fault:
            return as_unconfirmed(fault)
        return _as_sent(found.urn) if found is not None else Absent()

    def read_back(self, sent: Sent) -> Live | Absent | Unreadable:
        try:
            post = self._pages.find(sent.remote_id)
        except FAULTS as fault:
            return Unreadable(fault.reason)
        if post is None:
            return Absent()
        # LinkedIn gives no file back as it was.
        return Live((post.text,), (post.alts,), ((None,) * len(post.alts),))

    def list_recent(self, limit: int) -> tuple[Seen, ...] | Unreadable:
        try:
            recent = self._pages.list_newest(limit)
        except FAULTS as fault:
            return Unreadable(fault.reason)
        return tuple(
            Seen(post.urn, _make_url(post.urn), post.text, post.at)
            for post in recent
            if post.at is not None
        )

    def diagnose(self) -> str | None:
        try:
            self._pages.list_newest(1)
        except FAULTS as fault:
            return fault.reason
        return None

    def sign_in_ends_at(self) -> datetime | None:
        # A year after signing in, or after 60 days where LinkedIn gives no refresh token: it does
        # so to approved apps alone ("Refresh tokens with OAuth 2.0").
        return self._signed.find_end()

    def _find_frozen(self, frozen: FrozenPost) -> Post | None:
        fitting = [
            post for post in self._pages.list_since(frozen.newest) if is_frozen(post, frozen)
        ]
        # Newest first: the last that fits came first.
        return fitting[-1] if fitting else None

    def _is_ours(self, urn: str, frozen: FrozenPost) -> bool:
        """Whether an answer's URN can be our post's: one from before is another's. On a page
        without posts there is nothing from before, so it is read.
        """
        if not is_newer(urn, frozen.newest):
            return False
        if frozen.newest:
            return True
        try:
            post = self._pages.find(urn)
        except FAULTS:
            return True  # a read that fails takes nothing from a clear yes
        return post is not None and is_frozen(post, frozen)

    def _settle_repeat(self, frozen: FrozenPost, named: str | None) -> Sent | Refused | Unconfirmed:
        try:
            found = self._find_frozen(frozen)
            if found is not None:
                return _as_sent(found.urn)
            post = self._pages.find(named) if named and find_number(named) is not None else None
        except FAULTS as fault:
            return as_unconfirmed(fault)
        if post is not None:
            if is_frozen(post, frozen):
                return _as_sent(post.urn)
            return Refused(
                "LinkedIn already has a post with these very words; change them. The other one is"
                f" {_make_url(post.urn)}."
            )
        is_older = named is not None and not is_newer(named, frozen.newest) and frozen.newest > 0
        if not is_older and self._now() < frozen.at + _LAG:
            return Unconfirmed(
                "LinkedIn says that it already has a post with these very words, but does not show"
                " one yet. It is looked for again.",
                _LOOK_AGAIN_SECONDS,
            )
        return Refused(
            "LinkedIn holds these very words to be a post that was taken down, and takes them again"
            " after a day or two. Change them."
        )

    def _remove(self, frozen: FrozenRemoval) -> Sent | Refused | Unconfirmed:
        try:
            self._pages.ask(
                "DELETE",
                f"/rest/posts/{quote(frozen.urn, safe='')}",
                headers={"X-RestLi-Method": "DELETE"},
            )
        except SaidNo as fault:
            if fault.meaning is not Meaning.MISSING:
                return Refused(fault.reason)
        except (CannotSignIn, NoClearAnswer) as fault:
            return as_unsent(fault)
        return _as_sent(frozen.urn)


def _as_sent(urn: str) -> Sent:
    return Sent(remote_id=urn, url=_make_url(urn), remote_ids=(urn,))


def _make_url(urn: str) -> str:
    return f"https://www.linkedin.com/feed/update/{urn}/"
