"""Publishing to Bluesky: everything undoable first, then frozen bytes, once, under our own key."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from folkmoot.channels.bluesky import records
from folkmoot.channels.bluesky.account import TOKEN_IS_OVER, Account, CannotSignIn, Password
from folkmoot.channels.bluesky.answers import explain_picture, explain_post
from folkmoot.channels.bluesky.keys import make_key
from folkmoot.channels.bluesky.records import COLLECTION, FrozenRequest, NotARecord
from folkmoot.channels.bluesky.sessions import Session, Sessions
from folkmoot.channels.bluesky.xrpc import NoClearAnswer, SaidNo
from folkmoot.channels.limits import find_problems
from folkmoot.channels.outbound import Outbound
from folkmoot.channels.pictures import read_signed
from folkmoot.channels.port import (
    Absent,
    Capabilities,
    Different,
    Live,
    NotPrepared,
    Part,
    Picture,
    Prepared,
    Refused,
    Rendition,
    Sent,
    Unconfirmed,
    Unreadable,
)

_CAPABILITIES = Capabilities(
    channel="bluesky",
    title="Bluesky",
    text_graphemes=300,
    text_bytes=3000,
    pictures=4,
    picture_bytes=1_000_000,
    picture_types=frozenset({"image/jpeg", "image/png", "image/webp"}),
    parts=25,
    alt_graphemes=2000,
)
_NOT_UNDERSTOOD = "Bluesky's answer about the post could not be understood."


class Bluesky:
    """An account on Bluesky. See :class:`~folkmoot.channels.port.Adapter`.

    ``server`` is where the account signs in, such as ``https://bsky.social``; ``app_password`` is
    one made for this in the account's settings; ``sessions`` keeps the tokens. Mentions in a text
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
        sessions: Sessions,
    ) -> None:
        self._handle = handle
        self._account = Account(server, handle, Password(app_password), outbound, sessions)
        self._xrpc = self._account.xrpc

    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    def make_key(self, delivery_id: str, due_at: datetime) -> str:
        return make_key(delivery_id, due_at)

    def prepare(self, rendition: Rendition, *, key: str, at: datetime) -> Prepared | NotPrepared:
        if problems := find_problems(_CAPABILITIES, rendition):
            return NotPrepared(" ".join(problem.message for problem in problems), retry=False)
        try:
            session = self._account.check_session()
        except CannotSignIn as fault:
            return NotPrepared(fault.reason, retry=fault.retry)
        blobs = []
        for part in rendition.parts:
            uploaded = self._upload(part, session)
            if isinstance(uploaded, NotPrepared):
                return uploaded
            blobs.append(uploaded)
        return Prepared(key, records.freeze(rendition, blobs, repo=session.did, key=key, at=at))

    def send(self, prepared: Prepared) -> Sent | Refused | Unconfirmed:
        frozen = records.read_frozen(prepared.request)
        try:
            answer = self._post(frozen, prepared.request)
        except CannotSignIn as fault:
            # The post itself was not sent, or was clearly not let in. What may pass by itself is
            # left to a look-up, which finds nothing and lets it be tried again.
            return Unconfirmed(fault.reason) if fault.retry else Refused(fault.reason)
        except SaidNo as fault:
            if fault.error == "InvalidSwap":
                return Unconfirmed("Something else stands under this post's key. Look it up.")
            return Refused(explain_post(fault))
        except NoClearAnswer as fault:
            return Unconfirmed(fault.reason)
        if not records.is_accepted(frozen, answer):
            return Unconfirmed("Bluesky's answer does not name the post that was sent.")
        return self._as_sent(frozen)

    def look_up(self, prepared: Prepared) -> Sent | Absent | Different | Unconfirmed:
        frozen = records.read_frozen(prepared.request)
        try:
            found = self._find_cids(frozen)
        except (CannotSignIn, NoClearAnswer) as fault:
            return Unconfirmed(fault.reason)
        except (SaidNo, NotARecord):
            return Unconfirmed(_NOT_UNDERSTOOD)
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

    def read_back(self, sent: Sent) -> Live | Absent | Unreadable:
        values = []
        try:
            server = self._account.get_session().server
            for uri in sent.remote_ids:
                repo, _, rkey = uri.removeprefix("at://").split("/")
                found = self._find_record(server, repo, rkey, uri)
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

    def diagnose(self) -> str | None:
        try:
            self._account.check_session()
        except CannotSignIn as fault:
            return fault.reason
        return None

    def _post(self, frozen: FrozenRequest, request: bytes) -> dict[str, Any]:
        session = self._account.get_session()
        server = session.server
        try:
            return self._xrpc.procedure(server, frozen.method, request, token=session.access_token)
        except SaidNo as fault:
            if fault.error not in TOKEN_IS_OVER:
                raise
        # The server said at its door that it did not take the request, so this is still once.
        session = self._account.renew(session)
        return self._xrpc.procedure(
            session.server, frozen.method, request, token=session.access_token
        )

    def _upload(self, part: Part, session: Session) -> list[records.Blob] | NotPrepared:
        uploaded = []
        for picture in part.pictures:
            content = read_signed(picture)
            if isinstance(content, NotPrepared):
                return content
            blob = self._upload_one(picture, content, session)
            if isinstance(blob, NotPrepared):
                return blob
            uploaded.append(blob)
        return uploaded

    def _upload_one(
        self, picture: Picture, content: bytes, session: Session
    ) -> records.Blob | NotPrepared:
        try:
            answer = self._xrpc.procedure(
                session.server,
                "com.atproto.repo.uploadBlob",
                content,
                content_type=picture.media_type,
                token=session.access_token,
            )
        except SaidNo as fault:
            return NotPrepared(explain_picture(fault), retry=fault.error in TOKEN_IS_OVER)
        except NoClearAnswer as fault:
            return NotPrepared(f"{fault.reason} Nothing was published.", retry=True)
        cid = records.blob_cid(picture.sha256)
        blob = answer.get("blob")
        kind = blob.get("mimeType") if isinstance(blob, dict) else None
        named = {
            "$type": "blob",
            "ref": {"$link": cid},
            "mimeType": kind,
            "size": len(content),
        }
        if blob != named or not isinstance(kind, str):
            return NotPrepared(
                "Bluesky did not keep a picture as it was sent. Nothing was published.", retry=True
            )
        return named

    def _find_cids(self, frozen: FrozenRequest) -> list[str | None]:
        # Only the account's own server can say that a record is not there, so it is found first.
        server = self._account.get_session().server
        records_there = [
            self._find_record(server, frozen.repo, post.rkey, post.uri) for post in frozen.posts
        ]
        return [there[0] if there is not None else None for there in records_there]

    def _find_record(
        self, server: str, repo: str, rkey: str, uri: str
    ) -> tuple[str, dict[str, Any]] | None:
        params = {"repo": repo, "collection": COLLECTION, "rkey": rkey}
        try:
            answer = self._xrpc.query(server, "com.atproto.repo.getRecord", params)
        except SaidNo as fault:
            if fault.error == "RecordNotFound":
                return None
            raise
        return records.check_record(answer, uri)

    def _as_sent(self, frozen: FrozenRequest) -> Sent:
        first = frozen.posts[0]
        return Sent(
            remote_id=first.uri,
            url=f"https://bsky.app/profile/{self._handle}/post/{first.rkey}",
            remote_ids=tuple(post.uri for post in frozen.posts),
        )
