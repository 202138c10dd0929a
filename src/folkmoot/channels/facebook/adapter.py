"""Publishing to a Facebook page: pictures ahead and unseen, then one post to the page's feed.

The Pages API takes no idempotency key ("Page Feed" of the Graph API reference). So what stood on
the page is frozen with the request, and what became of a send nobody answered is found among what
has come since: a post with the same words and as many pictures. Two lists are asked, because one
may lag behind; only if both know of nothing was nothing published.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from folkmoot.channels.api import Meaning, SaidNo, Upload
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
from folkmoot.channels.kinds import Connected
from folkmoot.channels.limits import characters, find_problems
from folkmoot.channels.pictures import read_signed
from folkmoot.channels.port import (
    Absent,
    Capabilities,
    Different,
    Live,
    NotPrepared,
    Picture,
    Prepared,
    Refused,
    Rendition,
    Seen,
    Sent,
    Unconfirmed,
    Unreadable,
    Uploaded,
)

SERVER = "https://graph.facebook.com"
VERSION = "v25.0"
_PERMISSIONS = "pages_manage_posts and pages_read_engagement"
_CAPABILITIES = Capabilities(
    channel="facebook",
    title="Facebook",
    # Of the text, the length Facebook has told of since 2011; of pictures, "Page Photos".
    lengths=(characters(63_206),),
    pictures=10,
    picture_bytes=4_000_000,
    picture_types=frozenset({"image/jpeg", "image/png"}),
    parts=1,
    edits=True,
)
_POST = (
    "id,message,created_time,permalink_url,"
    "attachments{media_type,target{id},subattachments{media_type,target{id}}}"
)


class Facebook:
    """A page on Facebook. See :class:`~folkmoot.channels.port.Adapter`.

    ``account.handle`` is the page's number, ``account.secrets`` has its ``token``.
    """

    def __init__(self, account: Connected) -> None:
        self._account = account
        self._page = account.handle
        version = account.settings.get("version") or VERSION
        self._graph = Graph(account, title="Facebook", version=version, permissions=_PERMISSIONS)

    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    def make_key(self, delivery_id: str, due_at: datetime) -> str:
        return make_key(delivery_id, due_at)

    def upload(self, rendition: Rendition, *, memo: str = "") -> Uploaded | NotPrepared:
        if problems := find_problems(_CAPABILITIES, rendition):
            return NotPrepared(" ".join(problem.message for problem in problems), retry=False)
        pictures = rendition.parts[0].pictures
        contents = []
        for picture in pictures:
            content = read_signed(picture)
            if isinstance(content, NotPrepared):
                return content
            contents.append(content)
        photos = json.loads(memo)["photos"] if memo else []
        try:
            if len(photos) != len(pictures) or not self._are_there(photos):
                photos = [
                    self._hand_over(picture, content)
                    for picture, content in zip(pictures, contents, strict=True)
                ]
        except FAULTS as fault:
            return to_not_prepared(fault)
        return Uploaded(json.dumps({"photos": photos}) if photos else "")

    def prepare(
        self, rendition: Rendition, *, key: str, at: datetime, memo: str = ""
    ) -> Prepared | NotPrepared:
        uploaded = self.upload(rendition, memo=memo)
        if isinstance(uploaded, NotPrepared):
            return uploaded
        photos = json.loads(uploaded.memo)["photos"] if uploaded.memo else []
        try:
            known = read_known(self._graph, self._published)
        except FAULTS as fault:
            return to_not_prepared(fault)
        text = rendition.parts[0].text
        form = {"message": text} if text else {}
        for number, photo in enumerate(photos):
            form[f"attached_media[{number}]"] = json.dumps({"media_fbid": photo})
        frozen = {
            "form": {**form, "published": "true"},
            "pictures": len(photos),
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
        reason: str,  # noqa: ARG002 - Facebook has no place for one
    ) -> Prepared | NotPrepared:
        frozen = {"remove": sent.remote_id, "url": sent.url}
        return Prepared(key, json.dumps(frozen).encode())

    def send(
        self,
        prepared: Prepared,
        done: tuple[str, ...] = (),  # noqa: ARG002 - there are no threads
    ) -> Sent | Refused | Unconfirmed:
        frozen = json.loads(prepared.request)
        if "remove" in frozen:
            return self._remove(frozen)
        try:
            answer = self._graph.post(f"{self._page}/feed", frozen["form"])
        except FAULTS as fault:
            if isinstance(fault, SaidNo) and fault.meaning is Meaning.REPEAT:
                return self._explain_repeat(frozen)
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
                return self._as_removed(frozen) if gone else Absent()
            return self._find(frozen)
        except FAULTS as fault:
            return to_unconfirmed(fault)

    def read_back(self, sent: Sent) -> Live | Absent | Unreadable:
        try:
            post = self._find_post(sent.remote_id)
            if post is None:
                gone = self._is_gone(sent.remote_id)
                return (
                    Absent() if gone else Unreadable("Facebook does not show this post just now.")
                )
            photos = _find_photos(post)
            alts = self._find_alts(photos)
        except FAULTS as fault:
            return to_unreadable(fault)
        return Live(
            texts=(str(post.get("message") or ""),),
            alts=(alts,),
            picture_sha256s=((None,) * len(photos),),  # Facebook makes pictures of its own of them
        )

    def list_recent(self, limit: int) -> tuple[Seen, ...] | Unreadable:
        try:
            posts, _ = self._graph.list_page(self._published, fields=_POST, limit=limit)
        except FAULTS as fault:
            return to_unreadable(fault)
        return tuple(
            Seen(
                post["id"],
                _find_url(post),
                str(post.get("message") or ""),
                read_at(post.get("created_time")),
            )
            for post in posts[:limit]
        )

    def diagnose(self) -> str | None:
        try:
            if self._find_post(self._page, "id,name") is None:
                return (
                    "Facebook does not show this page to the access token. Check the page's number,"
                    " and make the token for this very page."
                )
            read_known(self._graph, self._published)
            return self._read_token()
        except FAULTS as fault:
            return fault.reason

    def sign_in_ends_at(self) -> datetime | None:
        return self._graph.token.ends_at()

    @property
    def _published(self) -> str:
        return f"{self._page}/published_posts"

    def _hand_over(self, picture: Picture, content: bytes) -> str:
        # "Page Photos": unpublished and temporary, it is seen by nobody and gone after a day.
        suffix = picture.media_type.removeprefix("image/")
        form = {"published": "false", "temporary": "true", "alt_text_custom": picture.alt}
        file = Upload("source", f"picture.{suffix}", picture.media_type, content)
        return self._graph.get_id(self._graph.post(f"{self._page}/photos", form, [file]))

    def _are_there(self, photos: list[str]) -> bool:
        if not photos:
            return True
        try:
            answer = self._graph.get("", ids=",".join(photos), fields="id")
        except SaidNo as fault:
            if fault.meaning in (Meaning.MISSING, Meaning.REFUSED):
                return False
            raise
        return all(photo in answer for photo in photos)

    def _confirm(self, post_id: str, frozen: dict[str, Any]) -> Sent | Unconfirmed:
        wrong = Unconfirmed("Facebook's answer named another post than the one that was sent.")
        if not post_id.startswith(f"{self._page}_") or post_id in frozen["known"]:
            return wrong
        post = self._find_post(post_id)
        if post is None or not _has_words(post, frozen) or not _has_pictures(post, frozen):
            return wrong
        return _as_sent(post)

    def _find(self, frozen: dict[str, Any]) -> Sent | Absent | Different | Unconfirmed:
        certain = True
        for path in (self._published, f"{self._page}/feed"):
            newer = find_newer(self._graph, path, frozen["known"], fields=_POST)
            alike = [post for post in newer.items if _has_words(post, frozen)]
            if len(alike) > 1:
                return Different(
                    f"There are {len(alike)} new posts with these words on the page. Look at them"
                    " on Facebook, and delete what is too much."
                )
            if alike and not _has_pictures(alike[0], frozen):
                return self._undecided(
                    "A new post on the page has these words, but not these pictures.", frozen
                )
            if alike:
                return _as_sent(alike[0])
            certain = certain and newer.certain
        if certain:
            return Absent()
        return self._undecided(
            "The page's list of posts does not go back to what stood there before.", frozen
        )

    def _undecided(self, reason: str, frozen: dict[str, Any]) -> Unconfirmed | Different:
        return undecided(reason, frozen["at"], self._account.now())

    def _explain_repeat(self, frozen: dict[str, Any]) -> Refused | Unconfirmed:
        try:
            found = self._find(frozen)
        except FAULTS as fault:
            return to_unconfirmed(fault)
        if isinstance(found, Absent):
            return Refused(
                "Facebook takes no post twice in a row with the same words, and the newest post on"
                " the page has these. Change a word. Nothing was published."
            )
        return Unconfirmed("Facebook says that the page has this post already.")

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
            return self._as_removed(frozen)
        return Unconfirmed("Facebook said that the post was deleted, and still shows it.")

    def _as_removed(self, frozen: dict[str, Any]) -> Sent:
        return Sent(frozen["remove"], frozen["url"], (frozen["remove"],))

    def _find_post(self, post_id: str, fields: str = _POST) -> dict[str, Any] | None:
        try:
            post = self._graph.get(post_id, fields=fields)
        except SaidNo as fault:
            if fault.meaning is Meaning.MISSING:
                return None
            raise
        return post if post.get("id") == post_id else None

    def _is_gone(self, post_id: str) -> bool:
        # "Not there" is also what Facebook answers to one who may not look, so the list must say
        # it too, and can only be read by one who may.
        if self._find_post(post_id) is not None:
            return False
        posts, _ = self._graph.list_page(self._published, fields="id")
        return all(post["id"] != post_id for post in posts)

    def _find_alts(self, photos: list[str]) -> tuple[str | None, ...]:
        if not photos:
            return ()
        answer = self._graph.get("", ids=",".join(photos), fields="alt_text_custom")
        shown = [answer.get(photo) for photo in photos]
        return tuple(one.get("alt_text_custom") if isinstance(one, dict) else None for one in shown)

    def _read_token(self) -> str | None:
        """What the token says of itself, where its app lets it ("debug_token" of the reference)."""
        try:
            answer = self._graph.get("debug_token", input_token=self._graph.token.get())
        except SaidNo:
            return None
        told = answer.get("data")
        told = told if isinstance(told, dict) else {}
        times = [told.get("expires_at"), told.get("data_access_expires_at")]
        ends = [datetime.fromtimestamp(one, UTC) for one in times if isinstance(one, int) and one]
        self._graph.token.note_end(min(ends, default=None))
        scopes = told.get("scopes")
        if isinstance(scopes, list) and "pages_manage_posts" not in scopes:
            return (
                "The access token may not post: it does not have pages_manage_posts. Make one that"
                " has, and connect the account again."
            )
        return None


def _find_url(post: dict[str, Any]) -> str:
    return str(post.get("permalink_url") or f"https://www.facebook.com/{post['id']}")


def _as_sent(post: dict[str, Any]) -> Sent:
    return Sent(post["id"], _find_url(post), (post["id"],))


def _has_words(post: dict[str, Any], frozen: dict[str, Any]) -> bool:
    return same_text(str(frozen["form"].get("message", "")), post.get("message"))


def _has_pictures(post: dict[str, Any], frozen: dict[str, Any]) -> bool:
    return len(_find_photos(post)) == int(frozen["pictures"])


def _find_photos(post: dict[str, Any]) -> list[str]:
    """The ids of a post's photos. One is an attachment; several are attachments of one."""
    found: list[str] = []
    for attachment in _data(post.get("attachments")):
        for one in _data(attachment.get("subattachments")) or [attachment]:
            target = one.get("target")
            if one.get("media_type") == "photo" and isinstance(target, dict):
                found.append(str(target.get("id")))
    return found


def _data(value: Any) -> list[dict[str, Any]]:
    items = value.get("data") if isinstance(value, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
