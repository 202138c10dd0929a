"""Publishing to Instagram: a container ahead, seen by nobody, and then that container, once.

The container is the key: whatever becomes of a send, the same container is asked about and, if it
was not published, published again; never another. Meta says of each how far it is ("IG Container"),
so that nobody has to guess. Which post a published container has become, Meta does not say: it is
found among the posts that have come since, by its words; the newest is never taken for ours.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from folkmoot.channels.api import Meaning, SaidNo
from folkmoot.channels.graph import (
    FAULTS,
    Graph,
    find_newer,
    make_key,
    read_at,
    read_known,
    same_text,
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
from folkmoot.channels.limits import characters, find_problems
from folkmoot.channels.port import (
    Absent,
    Capabilities,
    Different,
    Length,
    Live,
    NotPrepared,
    NotReady,
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

SERVER = "https://graph.instagram.com"
FACEBOOK_SERVER = "https://graph.facebook.com"
VERSION = "v25.0"
OWN_ACCOUNT = "me"
_PERMISSIONS = (
    "instagram_business_basic and instagram_business_content_publish (with Facebook's sign-in:"
    " instagram_basic and instagram_content_publish)"
)
_HASHTAG = re.compile(r"(?<!\w)#\w+")
_MENTION = re.compile(r"(?<![\w.])@\w[\w.]*")
_CAPABILITIES = Capabilities(
    channel="instagram",
    title="Instagram",
    # "IG User Media": 2,200 characters, 30 hashtags and 20 @ tags; JPEG alone, 8 MB; 10 in a
    # carousel; 1,000 characters of alternative text.
    lengths=(
        characters(2200),
        Length("hashtag", 30, lambda text: len(_HASHTAG.findall(text)), "Take some away"),
        Length("mention", 20, lambda text: len(_MENTION.findall(text)), "Take some away"),
    ),
    pictures=10,
    picture_bytes=8_000_000,
    picture_types=frozenset({"image/jpeg"}),
    parts=1,
    alt=characters(1000),
    least_pictures=1,
    edits=True,
    # "Content Publishing" says 100 in 24 hours, "IG User Media Publish" and "Content Publishing
    # Limit" say 50: the smaller holds either way.
    pace=Pace(50, 24 * 3600),
)
_POST = "id,caption,media_type,permalink,timestamp,children{id}"
_POST_AND_ALTS = "id,caption,media_type,permalink,timestamp,alt_text,children{id,alt_text}"
_AGAIN_SECONDS = 5.0


class Instagram:
    """An account on Instagram. See :class:`~folkmoot.channels.port.Adapter`.

    ``account.handle`` is its name without the @; ``account.secrets`` has its ``token``. Posts can
    be taken down only with Facebook's sign-in ("IG Media", deleting), so not at Instagram's own
    server; tokens are renewed only there.
    """

    def __init__(self, account: Connected) -> None:
        self._account = account
        self._user = account.settings.get("user_id") or OWN_ACCOUNT
        self._graph = Graph(
            account,
            title="Instagram",
            version=account.settings.get("version") or VERSION,
            permissions=_PERMISSIONS,
            grant_type="" if account.server == FACEBOOK_SERVER else "ig_refresh_token",
        )
        dialect = Dialect(self._media, "caption", "status_code", "status")
        self._containers = Containers(self._graph, dialect, account.picture_url)
        self._capabilities = replace(_CAPABILITIES, removes=account.server != SERVER)

    def capabilities(self) -> Capabilities:
        return self._capabilities

    def make_key(self, delivery_id: str, due_at: datetime) -> str:
        return make_key(delivery_id, due_at)

    def upload(self, rendition: Rendition, *, memo: str = "") -> Uploaded | NotReady | NotPrepared:
        if problems := find_problems(self._capabilities, rendition):
            return NotPrepared(" ".join(problem.message for problem in problems), retry=False)
        parcel = Parcel.from_part(rendition.parts[0])
        if isinstance(parcel, NotPrepared):
            return parcel
        kept = Kept.from_json(json.loads(memo)) if memo else Kept()
        try:
            progress = self._containers.hand_over(parcel, kept)
        except FAULTS as fault:
            return to_not_prepared(fault)
        memo = json.dumps(progress.kept.to_json())
        if progress.ready:
            return Uploaded(memo)
        return NotReady(memo, "Instagram is still at work on the pictures.", _AGAIN_SECONDS)

    def prepare(
        self, rendition: Rendition, *, key: str, at: datetime, memo: str = ""
    ) -> Prepared | NotPrepared:
        uploaded = self.upload(rendition, memo=memo)
        if isinstance(uploaded, NotPrepared):
            return uploaded
        if isinstance(uploaded, NotReady):
            return NotPrepared(uploaded.reason, retry=True, after_seconds=uploaded.after_seconds)
        try:
            if wrong := self._find_wrong_account():
                return NotPrepared(wrong, retry=False)
            known = read_known(self._graph, self._media)
        except FAULTS as fault:
            return to_not_prepared(fault)
        part = rendition.parts[0]
        frozen = {
            "container": json.loads(uploaded.memo)["post"],
            "caption": part.text,
            "pictures": len(part.pictures),
            "known": known,
            "at": at.isoformat(),
        }
        return Prepared(key, json.dumps(frozen, ensure_ascii=False).encode())

    def prepare_removal(
        self,
        sent: Sent,
        *,
        key: str,
        at: datetime,  # noqa: ARG002 - nor for this
        reason: str,  # noqa: ARG002 - Instagram has no place for one
    ) -> Prepared | NotPrepared:
        if not self._capabilities.removes:
            return NotPrepared(
                "Instagram does not let posts be deleted from here with this sign-in. Delete it in"
                " Instagram's app.",
                retry=False,
            )
        return Prepared(key, json.dumps({"remove": sent.remote_id, "url": sent.url}).encode())

    def send(
        self,
        prepared: Prepared,
        done: tuple[str, ...] = (),  # noqa: ARG002 - there are no threads
    ) -> Sent | Refused | Unconfirmed:
        frozen = json.loads(prepared.request)
        if "remove" in frozen:
            return self._remove(frozen)
        try:
            if hindrance := self._find_hindrance(frozen["container"]):
                return hindrance
            form = {"creation_id": frozen["container"]}
            answer = self._graph.post(f"{self._user}/media_publish", form)
        except FAULTS as fault:
            return to_refused(fault)
        try:
            return self._confirm(self._graph.get_id(answer), frozen)
        except FAULTS as fault:
            return to_unconfirmed(fault)

    def look_up(
        self,
        prepared: Prepared,
        done: tuple[str, ...] = (),  # noqa: ARG002 - there are no threads
    ) -> Sent | Absent | Different | Unconfirmed:
        frozen = json.loads(prepared.request)
        try:
            if "remove" in frozen:
                gone = self._is_gone(frozen["remove"])
                return _as_removed(frozen) if gone else Absent()
            status, _ = self._containers.find_status(frozen["container"])
            if status in (Status.FINISHED, Status.ERROR, Status.EXPIRED):
                return Absent()
            if status is Status.IN_PROGRESS:
                return self._undecided("Instagram is still at work on the post.", frozen)
            return self._find(status, frozen)
        except FAULTS as fault:
            return to_unconfirmed(fault)

    def read_back(self, sent: Sent) -> Live | Absent | Unreadable:
        try:
            post = self._find_post(sent.remote_id, _POST_AND_ALTS)
            if post is None:
                gone = self._is_gone(sent.remote_id)
                return Absent() if gone else Unreadable("Instagram does not show this post now.")
        except FAULTS as fault:
            return to_unreadable(fault)
        return Live(
            texts=(str(post.get("caption") or ""),),
            alts=(find_alts(post),),
            # Instagram makes pictures of its own of them.
            picture_sha256s=((None,) * count_pictures(post),),
        )

    def list_recent(self, limit: int) -> tuple[Seen, ...] | Unreadable:
        try:
            posts, _ = self._graph.list_page(self._media, fields=_POST, limit=limit)
        except FAULTS as fault:
            return to_unreadable(fault)
        return tuple(
            Seen(
                post["id"],
                self._find_url(post),
                str(post.get("caption") or ""),
                read_at(post.get("timestamp")),
            )
            for post in posts[:limit]
        )

    def diagnose(self) -> str | None:
        try:
            self._graph.token.freshen()
            return self._find_wrong_account() or self._find_spent_quota()
        except FAULTS as fault:
            return fault.reason

    def sign_in_ends_at(self) -> datetime | None:
        return self._graph.token.ends_at()

    @property
    def _media(self) -> str:
        return f"{self._user}/media"

    def _find_wrong_account(self) -> str | None:
        shown = str(self._graph.get(self._user, fields="username").get("username", ""))
        if shown.lower() == self._account.handle:
            return None
        return (
            f"The access token is for @{shown}, not for @{self._account.handle}. Make one for the"
            " right account, and connect it again."
        )

    def _find_spent_quota(self) -> str | None:
        """What "Content Publishing Limit" says, where the token may ask it."""
        path = f"{self._user}/content_publishing_limit"
        try:
            answer = self._graph.get(path, fields="quota_usage,config")
        except SaidNo:
            return None
        for one in answer.get("data") or []:
            used, most = one.get("quota_usage"), (one.get("config") or {}).get("quota_total")
            if isinstance(used, int) and isinstance(most, int) and used >= most:
                return (
                    f"Instagram takes {most} posts in 24 hours from outside its app, and has had"
                    f" {used}. Wait, or post in the app."
                )
        return None

    def _find_hindrance(self, container: str) -> Refused | Unconfirmed | None:
        """Why the container must not be published now. Asked before every publishing, so that one
        that is live already is not published again, whatever Instagram makes of that.
        """
        status, why = self._containers.find_status(container)
        if status is Status.FINISHED:
            return None
        if status is Status.PUBLISHED:
            return Unconfirmed("Instagram has published this already.")
        if status is Status.EXPIRED:
            return Refused(
                "Instagram holds what was handed over for 24 hours, and they are over. Nothing was"
                " published. Schedule the post anew, and it is handed over again."
            )
        if status is Status.ERROR:
            return Refused(
                f"Instagram could not work with what was handed over ({why}). Nothing was"
                " published. Add the pictures again, and schedule the post anew."
            )
        return Unconfirmed("Instagram is not ready to publish what was handed over.", 5.0)

    def _confirm(self, media_id: str, frozen: dict[str, Any]) -> Sent | Unconfirmed:
        wrong = Unconfirmed("Instagram's answer named another post than the one that was sent.")
        post = self._find_post(media_id) if media_id not in frozen["known"] else None
        if post is None or count_pictures(post) != frozen["pictures"]:
            return wrong
        # "IG Media" shows captions with Facebook's sign-in only. Without, a new id must do.
        if "caption" in post and not same_text(frozen["caption"], post["caption"]):
            return wrong
        return self._as_sent(post)

    def _find(self, status: Status, frozen: dict[str, Any]) -> Sent | Different | Unconfirmed:
        # A list that lags behind is asked twice before anybody is called.
        alike = self._list_alike(frozen) or self._list_alike(frozen)
        if len(alike) == 1:
            return self._as_sent(alike[0])
        if alike:
            return Different(
                f"There are {len(alike)} new posts with this caption on Instagram. Look at them"
                " there, and delete what is too much."
            )
        if status is Status.PUBLISHED:
            # It is live, or was; but what cannot be named cannot be read back or taken down.
            return self._undecided(
                "Instagram says that it has published this post, and shows no new one with this"
                " caption: somebody may have changed or deleted it.",
                frozen,
            )
        return self._undecided("Instagram does not say what became of the post.", frozen)

    def _list_alike(self, frozen: dict[str, Any]) -> list[dict[str, Any]]:
        newer = find_newer(self._graph, self._media, frozen["known"], fields=_POST)
        return [
            post
            for post in newer.items
            if same_text(frozen["caption"], post.get("caption"))
            and count_pictures(post) == frozen["pictures"]
        ]

    def _remove(self, frozen: dict[str, Any]) -> Sent | Refused | Unconfirmed:
        try:
            self._graph.delete(frozen["remove"])
        except FAULTS as fault:
            if not isinstance(fault, SaidNo) or fault.meaning is not Meaning.MISSING:
                return to_refused(fault, "It is still there.")
        try:
            gone = self._is_gone(frozen["remove"])
        except FAULTS as fault:
            return to_unconfirmed(fault)
        if gone:
            return _as_removed(frozen)
        return Unconfirmed("Instagram said that the post was deleted, and still shows it.")

    def _find_post(self, media_id: str, fields: str = _POST) -> dict[str, Any] | None:
        try:
            post = self._graph.get(media_id, fields=fields)
        except SaidNo as fault:
            if fault.meaning is Meaning.MISSING:
                return None
            raise
        return post if post.get("id") == media_id else None

    def _is_gone(self, media_id: str) -> bool:
        # "Not there" is also what Instagram answers to one who may not look, and sometimes to one
        # who may, so the list must say it too.
        if self._find_post(media_id) is not None:
            return False
        posts, _ = self._graph.list_page(self._media, fields="id")
        return all(post["id"] != media_id for post in posts)

    def _undecided(self, reason: str, frozen: dict[str, Any]) -> Unconfirmed | Different:
        return undecided(reason, frozen["at"], self._account.now())

    def _find_url(self, post: dict[str, Any]) -> str:
        profile = f"https://www.instagram.com/{self._account.handle}/"
        return str(post.get("permalink") or profile)

    def _as_sent(self, post: dict[str, Any]) -> Sent:
        return Sent(post["id"], self._find_url(post), (post["id"],))


def _as_removed(frozen: dict[str, Any]) -> Sent:
    return Sent(frozen["remove"], frozen["url"], (frozen["remove"],))
