"""A simulated Bluesky server: the calls the adapter makes, and what the real one does in answer.

Held to what @atproto/pds 0.4.217 does, which the same tests ask: the same record under the same key
is no news, another one is ``InvalidSwap``, ``applyWrites`` that meets a record where it makes one,
or none where it deletes one, is a 500 and changes nothing. A half-done ``applyWrites`` there is
not, and pictures are ready at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from folkmoot.channels.bluesky.records import COLLECTION, blob_cid, record_cid
from folkmoot.channels.limits import count_bytes, count_graphemes
from folkmoot.channels.simulator import Asked, Fault, Occasion, Said, Store, Stored, Strike, say

_REPO = "com.atproto.repo."
_SERVER = "com.atproto.server."
_WRITES = "com.atproto.repo.applyWrites#"
_MOST_CHARACTERS = 300
_MOST_BYTES = 3000
_MOST_LISTED = 100
_OCCASIONS = {
    f"{_SERVER}createSession": Occasion.SIGN_IN,
    f"{_SERVER}refreshSession": Occasion.SIGN_IN,
    f"{_REPO}uploadBlob": Occasion.UPLOAD,
    f"{_REPO}putRecord": Occasion.PUBLISH,
    f"{_REPO}applyWrites": Occasion.PUBLISH,
    f"{_REPO}deleteRecord": Occasion.REMOVE,
}
_LIES = {
    f"{_REPO}listRecords": say({"records": []}),
    f"{_REPO}getRecord": say(
        {"error": "RecordNotFound", "message": "Could not locate record"}, 400
    ),
}


class _No(Exception):
    """The answer is no."""

    def __init__(self, error: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.said = say({"error": error, "message": message}, status)


class SIMULATED:
    """One account, signed in to by an app password."""

    channel = "bluesky"
    did = "did:plc:simulatedblueskyaccount2"
    handle = "council.example"

    def __init__(self) -> None:
        self._passwords = 1
        self._signed_in = 0
        self._access: set[str] = set()
        self._refresh: set[str] = set()
        self._blobs: dict[str, str] = {}

    @property
    def password(self) -> str:
        """The app password that is good now."""
        return f"simulated-password-{self._passwords}"

    def to_type(self, url: str) -> Mapping[str, str]:
        """See :class:`~folkmoot.channels.simulator.Simulated`."""
        return {"handle": self.handle, "app_password": self.password, "server": url}

    def occasion(self, asked: Asked) -> Occasion:
        """See :class:`~folkmoot.channels.simulator.Simulated`."""
        found = _OCCASIONS.get(_method(asked), Occasion.READ)
        writes = asked.json().get("writes") if found is Occasion.PUBLISH else None
        if writes and all(write["$type"] == f"{_WRITES}delete" for write in writes):
            return Occasion.REMOVE
        return found

    def error(self, fault: Fault) -> Said:
        """See :class:`~folkmoot.channels.simulator.Simulated`."""
        error, message, status = {
            Fault.TOO_MANY: ("RateLimitExceeded", "Rate Limit Exceeded", 429),
            Fault.EXPIRED: ("ExpiredToken", "Token has expired", 400),
            Fault.REVOKED: ("InvalidToken", "Token has been revoked", 400),
            Fault.REFUSE: ("InvalidRequest", "The simulator was told to refuse this", 400),
        }.get(fault, ("InternalServerError", "Internal Server Error", 500))
        return say({"error": error, "message": message}, status)

    def answer(self, asked: Asked, store: Store, strike: Strike | None) -> Said:
        """See :class:`~folkmoot.channels.simulator.Simulated`."""
        fault = strike.fault if strike is not None else None
        act = self._routes().get(_method(asked))
        if act is None:
            return say({"error": "MethodNotImplemented", "message": "Not simulated"}, 501)
        with store.lock:
            over = fault in (Fault.EXPIRED, Fault.REVOKED) and asked.token != ""
            if fault is Fault.EXPIRED:
                self._access.discard(asked.token)
            elif fault is Fault.REVOKED and over:
                self._revoke()
            if fault is not None and (over or fault is Fault.REFUSE):
                return self.error(fault)
            if fault is Fault.LIE and _method(asked) in _LIES:
                return _LIES[_method(asked)]
            try:
                value = act(asked, store)
            except _No as no:
                return no.said
        return say(_with_another_id(value) if fault is Fault.WRONG_ID else value)

    def _routes(self) -> dict[str, Callable[[Asked, Store], dict[str, Any]]]:
        return {
            f"{_SERVER}createSession": self._create_session,
            f"{_SERVER}refreshSession": self._refresh_session,
            f"{_SERVER}getSession": self._get_session,
            f"{_REPO}uploadBlob": self._upload_blob,
            f"{_REPO}putRecord": self._put_record,
            f"{_REPO}applyWrites": self._apply_writes,
            f"{_REPO}deleteRecord": self._delete_record,
            f"{_REPO}getRecord": self._get_record,
            f"{_REPO}listRecords": self._list_records,
        }

    # -- signing in ----------------------------------------------------------------------------

    def _create_session(self, asked: Asked, _: Store) -> dict[str, Any]:
        typed = asked.json()
        if (typed.get("identifier"), typed.get("password")) != (self.handle, self.password):
            raise _No("AuthenticationRequired", "Invalid identifier or password", 401)
        return self._new_session()

    def _refresh_session(self, asked: Asked, _: Store) -> dict[str, Any]:
        if asked.token not in self._refresh:
            raise _No("ExpiredToken", "Token has been revoked")
        self._refresh.discard(asked.token)
        return self._new_session()

    def _get_session(self, asked: Asked, _: Store) -> dict[str, Any]:
        self._must_be_signed_in(asked)
        return {"did": self.did, "handle": self.handle, "active": True}

    def _new_session(self) -> dict[str, Any]:
        self._signed_in += 1
        access = f"simulated-access-{self._signed_in}"
        refresh = f"simulated-refresh-{self._signed_in}"
        self._access.add(access)
        self._refresh.add(refresh)
        return {
            "did": self.did,
            "handle": self.handle,
            "accessJwt": access,
            "refreshJwt": refresh,
            "active": True,
        }

    def _revoke(self) -> None:
        # Somebody took the app password back: it takes another, typed by a person.
        self._access.clear()
        self._refresh.clear()
        self._passwords += 1

    def _must_be_signed_in(self, asked: Asked) -> None:
        if not asked.token:
            raise _No("AuthMissing", "Authentication Required", 401)
        if asked.token not in self._access:
            raise _No("ExpiredToken", "Token has expired")

    # -- writing -------------------------------------------------------------------------------

    def _upload_blob(self, asked: Asked, store: Store) -> dict[str, Any]:
        self._must_be_signed_in(asked)
        kind = asked.headers.get("content-type", "application/octet-stream")
        medium = store.add_medium(kind, asked.body)
        cid = blob_cid(hashlib.sha256(asked.body).hexdigest())
        self._blobs[cid] = medium.id
        ref = {"$link": cid}
        return {
            "blob": {"$type": "blob", "ref": ref, "mimeType": kind, "size": len(asked.body)},
        }

    def _put_record(self, asked: Asked, store: Store) -> dict[str, Any]:
        wanted = self._read_write(asked)
        rkey, record = str(wanted["rkey"]), wanted["record"]
        media = self._check(record)
        cid = record_cid(record)
        there = _find(store, rkey)
        if there is not None and _cid(there) != cid:
            if "swapRecord" in wanted and wanted["swapRecord"] != _cid(there):
                raise _No("InvalidSwap", f"Record was at {_cid(there)}")
            store.change_post(
                there.id,
                text=record["text"],
                media=media,
                edited_at=store.now(),
                extra={"record": record},
            )
        elif there is None:
            _add(store, rkey, record, media)
        return {"uri": self._uri(rkey), "cid": cid}

    def _apply_writes(self, asked: Asked, store: Store) -> dict[str, Any]:
        writes = self._read_write(asked)["writes"]
        creates = [one for one in writes if one["$type"] == f"{_WRITES}create"]
        deletes = [one for one in writes if one["$type"] == f"{_WRITES}delete"]
        media = [self._check(one["value"]) for one in creates]
        there = [_find(store, one["rkey"]) for one in deletes]
        if any(_find(store, one["rkey"]) for one in creates) or None in there:
            raise _No("InternalServerError", "Internal Server Error", 500)
        for one, of_one in zip(creates, media, strict=True):
            _add(store, one["rkey"], one["value"], of_one)
        for post in there:
            if post is not None:
                store.remove_post(post.id)
        results: list[dict[str, Any]] = [
            {
                "$type": f"{_WRITES}createResult",
                "uri": self._uri(one["rkey"]),
                "cid": record_cid(one["value"]),
            }
            for one in creates
        ]
        return {"results": results + [{"$type": f"{_WRITES}deleteResult"}] * len(deletes)}

    def _delete_record(self, asked: Asked, store: Store) -> dict[str, Any]:
        there = _find(store, str(self._read_write(asked).get("rkey")))
        if there is not None:
            store.remove_post(there.id)
        return {}

    def _read_write(self, asked: Asked) -> dict[str, Any]:
        self._must_be_signed_in(asked)
        wanted = asked.json()
        if wanted.get("repo") != self.did:
            raise _No("InvalidRequest", "Could not find repo")
        return wanted

    def _check(self, record: Mapping[str, Any]) -> tuple[str, ...]:
        text = str(record.get("text", ""))
        if count_graphemes(text) > _MOST_CHARACTERS or count_bytes(text) > _MOST_BYTES:
            raise _No("InvalidRequest", "Record/text must not be longer than 300 graphemes")
        images = record.get("embed", {}).get("images", [])
        cids = [image["image"]["ref"]["$link"] for image in images]
        missing = [cid for cid in cids if cid not in self._blobs]
        if missing:
            raise _No("BlobNotFound", f"Could not find blob: {missing[0]}")
        return tuple(self._blobs[cid] for cid in cids)

    # -- reading -------------------------------------------------------------------------------

    def _get_record(self, asked: Asked, store: Store) -> dict[str, Any]:
        if asked.query.get("repo") != self.did:
            raise _No("InvalidRequest", "Could not locate record")
        post = _find(store, asked.query.get("rkey", ""))
        if post is None:
            raise _No("RecordNotFound", "Could not locate record")
        return self._shown(post)

    def _list_records(self, asked: Asked, store: Store) -> dict[str, Any]:
        """In the order in which they were made; the real server goes by key."""
        first = int(asked.query.get("cursor") or 0)
        limit = min(int(asked.query.get("limit") or 50), _MOST_LISTED)
        posts = store.list_newest(first + limit)[first:]
        page: dict[str, Any] = {"records": [self._shown(post) for post in posts]}
        if len(posts) == limit:
            page["cursor"] = str(first + limit)
        return page

    def _shown(self, post: Stored) -> dict[str, Any]:
        return {"uri": self._uri(_rkey(post)), "cid": _cid(post), "value": _record(post)}

    def _uri(self, rkey: str) -> str:
        return f"at://{self.did}/{COLLECTION}/{rkey}"


def _method(asked: Asked) -> str:
    return asked.path.removeprefix("/xrpc/")


def _add(store: Store, rkey: str, record: dict[str, Any], media: tuple[str, ...]) -> None:
    answered = record.get("reply", {}).get("parent", {}).get("uri", "")
    store.add_post(
        record["text"], key=rkey, media=media, reply_to=answered, extra={"record": record}
    )


def _find(store: Store, rkey: str) -> Stored | None:
    post = store.find_by_key(rkey) if rkey else None
    return post if post is not None else store.find_post(rkey)


def _rkey(post: Stored) -> str:
    return post.key or post.id


def _record(post: Stored) -> dict[str, Any]:
    """The record as it is now; of a post that somebody else made, a plain one."""
    plain = {"$type": COLLECTION, "createdAt": post.at.isoformat(timespec="milliseconds")}
    return {**plain, **post.extra.get("record", {}), "text": post.text}


def _cid(post: Stored) -> str:
    return record_cid(_record(post))


def _with_another_id(value: dict[str, Any]) -> dict[str, Any]:
    """The answer with the last letter of each key turned into another."""

    def other(uri: str) -> str:
        return uri[:-1] + ("2" if uri[-1] != "2" else "3")

    changed = dict(value)
    if "uri" in changed:
        changed["uri"] = other(changed["uri"])
    if "results" in changed:
        changed["results"] = [
            {**one, "uri": other(one["uri"])} if "uri" in one else one for one in changed["results"]
        ]
    return changed
