"""Publishing to Bluesky: everything undoable first, then frozen bytes, once, under our own key."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from folkmoot.channels.api import NoClearAnswer, SaidNo
from folkmoot.channels.bluesky import blobs, records
from folkmoot.channels.bluesky.account import Account, Password
from folkmoot.channels.bluesky.answers import PICTURE, REMOVE, TAKEN, TOKEN_IS_OVER, WRITE
from folkmoot.channels.bluesky.keys import make_key
from folkmoot.channels.bluesky.records import FrozenRequest, NotARecord, Place, Reply, find_place
from folkmoot.channels.bluesky.repository import Repository
from folkmoot.channels.bluesky.sessions import Session
from folkmoot.channels.bluesky.xrpc import Xrpc
from folkmoot.channels.limits import characters, find_problems, utf8_bytes
from folkmoot.channels.outbound import Outbound
from folkmoot.channels.port import (
    Absent,
    Capabilities,
    Different,
    Live,
    NotPrepared,
    Pace,
    Prepared,
    Refused,
    Rendition,
    Seen,
    Sent,
    Unconfirmed,
    Unreadable,
    Uploaded,
)
from folkmoot.channels.tokens import CannotSignIn, TokenStore

_CAPABILITIES = Capabilities(
    channel="bluesky",
    title="Bluesky",
    lengths=(characters(300), utf8_bytes(3000)),
    pictures=4,
    picture_bytes=1_000_000,
    picture_types=frozenset({"image/jpeg", "image/png", "image/webp"}),
    parts=25,
    alt=characters(2000),
    replies=True,
    edits=True,
    # 5,000 points an hour, of which making a record costs 3 (docs.bsky.app, "Rate Limits").
    pace=Pace(1666, 3600),
)
_NOT_UNDERSTOOD = "Bluesky's answer about the post could not be understood."


class Bluesky:
    """An account on Bluesky. See :class:`~folkmoot.channels.port.Adapter`.

    ``server`` is where the account signs in, such as ``https://bsky.social``; ``app_password`` is
    one made for this in the account's settings; ``tokens`` keeps the session. Mentions in a text
    stay plain text; ``https`` addresses and hashtags become links.

    Raises :class:`ValueError` where ``server`` is not a server's address.
    """

    def __init__(
        self,
        *,
        server: str,
        handle: str,
        app_password: str,
        outbound: Outbound,
        tokens: TokenStore,
    ) -> None:
        self._profile = f"https://bsky.app/profile/{handle}"
        self._account = Account(server, handle, Password(app_password), outbound, tokens)
        self._writing = Xrpc(outbound, WRITE, self._account.secrets)
        self._removing = Xrpc(outbound, REMOVE, self._account.secrets)
        self._handing_over = Xrpc(outbound, PICTURE, self._account.secrets)
        self._repository = Repository(outbound)

    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    def make_key(self, delivery_id: str, due_at: datetime) -> str:
        return make_key(delivery_id, due_at)

    def upload(self, rendition: Rendition, *, memo: str = "") -> Uploaded | NotPrepared:
        if problems := find_problems(_CAPABILITIES, rendition):
            return NotPrepared(" ".join(problem.message for problem in problems), retry=False)
        if not any(part.pictures for part in rendition.parts):
            return Uploaded()
        if blobs.find_in_memo(memo, rendition) is not None:
            return Uploaded(memo)
        try:
            session = self._account.check_session()
        except CannotSignIn as fault:
            return _not_prepared(fault)
        uploaded = blobs.upload(self._handing_over, session, rendition)
        if isinstance(uploaded, NotPrepared):
            return uploaded
        return Uploaded(blobs.write_memo(uploaded))

    def prepare(
        self, rendition: Rendition, *, key: str, at: datetime, memo: str = ""
    ) -> Prepared | NotPrepared:
        """See the port. Pictures that ``memo`` does not name are handed over now."""
        uploaded = self.upload(rendition, memo=memo)
        if isinstance(uploaded, NotPrepared):
            return uploaded
        try:
            session = self._account.check_session()
        except CannotSignIn as fault:
            return _not_prepared(fault)
        reply = self._find_reply(session, rendition.replying_to)
        if isinstance(reply, NotPrepared):
            return reply
        named = blobs.find_in_memo(uploaded.memo, rendition)
        assert named is not None
        request = records.freeze(rendition, named, repo=session.did, key=key, at=at, reply=reply)
        return Prepared(key, request)

    def prepare_removal(
        self,
        sent: Sent,
        *,
        key: str,
        at: datetime,  # noqa: ARG002 - a post goes without a trace, so there is no place for them
        reason: str,  # noqa: ARG002
    ) -> Prepared | NotPrepared:
        try:
            session = self._account.check_session()
        except CannotSignIn as fault:
            return _not_prepared(fault)
        places = [place for uri in sent.remote_ids if (place := find_place(uri)) is not None]
        own = [place for place in places if place.repo == session.did]
        if not own or len(own) != len(sent.remote_ids):
            return NotPrepared(
                "This is not a post of this Bluesky account. Take it down on Bluesky by hand.",
                retry=False,
            )
        return Prepared(key, records.freeze_removal(own))

    def send(
        self,
        prepared: Prepared,
        done: tuple[str, ...] = (),  # noqa: ARG002 - a thread goes at once
    ) -> Sent | Refused | Unconfirmed:
        frozen = records.read_frozen(prepared.request)
        try:
            if frozen.removes:
                return self._take_down(frozen)
            return self._write(self._writing, frozen, prepared.request)
        except CannotSignIn as fault:
            # The post itself was not sent, or was clearly not let in. What may pass by itself is
            # left to a look-up, which finds nothing and lets it be tried again.
            unsure = Unconfirmed(fault.reason, fault.after_seconds)
            return unsure if fault.retry else Refused(fault.reason)
        except SaidNo as fault:
            taken = fault.code == TAKEN
            return Unconfirmed(fault.reason) if taken else Refused(fault.reason)
        except NoClearAnswer as fault:
            return Unconfirmed(fault.reason, fault.after_seconds)
        except NotARecord:
            return Unconfirmed(_NOT_UNDERSTOOD)

    def look_up(
        self,
        prepared: Prepared,
        done: tuple[str, ...] = (),  # noqa: ARG002 - a thread goes at once
    ) -> Sent | Absent | Different | Unconfirmed:
        frozen = records.read_frozen(prepared.request)
        try:
            if frozen.removes:
                return Absent() if self._list_there(frozen) else self._as_sent(frozen)
            found = self._find_cids(frozen)
        except (CannotSignIn, NoClearAnswer) as fault:
            return Unconfirmed(fault.reason, fault.after_seconds)
        except (SaidNo, NotARecord):
            return Unconfirmed(_NOT_UNDERSTOOD)
        return self._judge(frozen, found)

    def read_back(self, sent: Sent) -> Live | Absent | Unreadable:
        values = []
        try:
            server = self._account.get_session().server
            for uri in sent.remote_ids:
                place = find_place(uri)
                if place is None:
                    return Unreadable("This is not the name of a post on Bluesky.")
                found = self._repository.find(server, place)
                if found is not None:
                    values.append(found[1])
        except (CannotSignIn, NoClearAnswer) as fault:
            return Unreadable(fault.reason)
        except (SaidNo, NotARecord):
            return Unreadable(_NOT_UNDERSTOOD)
        if not values:
            return Absent()
        # Where a part of a thread is gone, what is left is what is live.
        pictures = [records.find_pictures(value) for value in values]
        return Live(
            texts=tuple(str(value.get("text", "")) for value in values),
            alts=tuple(tuple(alt for alt, _ in found) for found in pictures),
            picture_sha256s=tuple(tuple(sha256 for _, sha256 in found) for found in pictures),
        )

    def list_recent(self, limit: int) -> tuple[Seen, ...] | Unreadable:
        try:
            session = self._account.get_session()
            return self._repository.list_newest(session.server, session.did, limit, self._profile)
        except (CannotSignIn, NoClearAnswer) as fault:
            return Unreadable(fault.reason)
        except (SaidNo, NotARecord):
            return Unreadable("Bluesky's list of the account's posts could not be understood.")

    def diagnose(self) -> str | None:
        try:
            self._account.check_session()
        except CannotSignIn as fault:
            return fault.reason
        return None

    def sign_in_ends_at(self) -> datetime | None:
        """``None``: an app password stays good until it is taken back."""
        return None

    def _write(self, xrpc: Xrpc, frozen: FrozenRequest, request: bytes) -> Sent | Unconfirmed:
        session = self._account.get_session()
        try:
            answer = self._ask(xrpc, session, frozen.method, request)
        except SaidNo as fault:
            if fault.code not in TOKEN_IS_OVER:
                raise
            # The server said at its door that it did not take the request: this is still once.
            answer = self._ask(xrpc, self._account.renew(session), frozen.method, request)
        if not records.is_accepted(frozen, answer):
            return Unconfirmed("Bluesky's answer does not name the post that was sent.")
        return self._as_sent(frozen)

    def _ask(self, xrpc: Xrpc, session: Session, method: str, request: bytes) -> dict[str, Any]:
        return xrpc.procedure(session.server, method, request, token=session.access)

    def _take_down(self, frozen: FrozenRequest) -> Sent | Unconfirmed:
        # A server answers a request to delete what is gone, even in part, with a 500 for all of it.
        left = self._list_there(frozen)
        if not left:
            return self._as_sent(frozen)
        request = records.freeze_removal(left)
        outcome = self._write(self._removing, records.read_frozen(request), request)
        return self._as_sent(frozen) if isinstance(outcome, Sent) else outcome

    def _judge(self, frozen: FrozenRequest, found: list[str | None]) -> Sent | Absent | Different:
        if found == [post.cid for post in frozen.posts]:
            return self._as_sent(frozen)
        if not any(found):
            return Absent()
        if all(cid in (None, post.cid) for cid, post in zip(found, frozen.posts, strict=True)):
            return Different(
                f"Only {len(found) - found.count(None)} of the {len(found)} parts of this thread"
                " are on Bluesky; others were deleted. Look at it there before doing anything."
            )
        return Different(
            "Another post stands under this one's key. Compare the two on Bluesky before doing"
            " anything."
        )

    def _find_reply(self, session: Session, uri: str) -> Reply | NotPrepared | None:
        if not uri:
            return None
        place = find_place(uri)
        if place is None:
            return NotPrepared(
                "The post that this one answers is not on Bluesky. Choose another, or none.",
                retry=False,
            )
        try:
            found = self._repository.find(session.server, place)
        except NoClearAnswer as fault:
            return NotPrepared(
                f"{fault.reason} Nothing was published.",
                retry=True,
                after_seconds=fault.after_seconds,
            )
        except (SaidNo, NotARecord):
            return NotPrepared(f"{_NOT_UNDERSTOOD} Nothing was published.", retry=True)
        if found is None:
            return NotPrepared(
                "The post that this one answers is not on Bluesky any more. Answer another, or"
                " none.",
                retry=False,
            )
        return records.make_reply(uri, *found)

    def _find_cids(self, frozen: FrozenRequest) -> list[str | None]:
        # Only the account's own server can say that a record is not there, so it is found first.
        server = self._account.get_session().server
        there = [
            self._repository.find(server, Place(frozen.repo, post.rkey)) for post in frozen.posts
        ]
        return [found[0] if found is not None else None for found in there]

    def _list_there(self, frozen: FrozenRequest) -> list[Place]:
        found = zip(self._find_cids(frozen), frozen.posts, strict=True)
        return [Place(frozen.repo, post.rkey) for cid, post in found if cid is not None]

    def _as_sent(self, frozen: FrozenRequest) -> Sent:
        first = frozen.posts[0]
        return Sent(
            remote_id=first.uri,
            url=f"{self._profile}/post/{first.rkey}",
            remote_ids=tuple(post.uri for post in frozen.posts),
        )


def _not_prepared(fault: CannotSignIn) -> NotPrepared:
    return NotPrepared(fault.reason, retry=fault.retry, after_seconds=fault.after_seconds)
