"""A rendition as Bluesky's records, frozen in the bytes of one request.

A single post is a ``putRecord`` that may only create (``swapRecord`` is null); a thread is one
``applyWrites``, which goes out whole or not at all, and so is a removal. The content id of every
record is computed here from its DAG-CBOR form, which is how a reply can name its parent before
either is sent, and how a look-up knows its own post from another. Lexicons: ``app.bsky.feed.post``,
``app.bsky.embed.images``, ``app.bsky.richtext.facet``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from folkmoot.channels.bluesky.keys import part_key
from folkmoot.channels.links import find_hashtags, find_links
from folkmoot.channels.port import Part, Rendition

COLLECTION = "app.bsky.feed.post"
PUT_RECORD = "com.atproto.repo.putRecord"
APPLY_WRITES = "com.atproto.repo.applyWrites"
_CREATE = "com.atproto.repo.applyWrites#create"
_DELETE = "com.atproto.repo.applyWrites#delete"
_CREATED = "com.atproto.repo.applyWrites#createResult"
_DELETED = "com.atproto.repo.applyWrites#deleteResult"
# What comes before the digest in a content id: version 1, then the codec, then SHA-256 of 32 bytes.
_RECORD_CID = b"\x01\x71\x12\x20"
_BLOB_CID = b"\x01\x55\x12\x20"
_DIGEST_BYTES = 32
_PLACE = re.compile(
    rf"at://(?P<repo>did:[a-z]+:[A-Za-z0-9._:%-]+)/{re.escape(COLLECTION)}/(?P<rkey>[A-Za-z0-9._:~-]+)"
)

Blob = Mapping[str, Any]
"""A picture as the server named it: ``$type``, ``ref`` (``$link``), ``mimeType``, ``size``."""

Reply = Mapping[str, Mapping[str, str]]
"""What a post answers: ``root`` and ``parent``, each by ``uri`` and ``cid``."""


@dataclass(frozen=True, slots=True)
class FrozenPost:
    """One post of a frozen request: its address in the repository, and its content id (empty where
    the post is taken down, whatever it says by then).
    """

    rkey: str
    uri: str
    cid: str


@dataclass(frozen=True, slots=True)
class FrozenRequest:
    """A request's bytes, read: the call to make, whose repository it writes, the posts, and whether
    it takes them down.
    """

    method: str
    repo: str
    posts: tuple[FrozenPost, ...]
    removes: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a post stands: an ``at://`` address, read."""

    repo: str
    rkey: str

    @property
    def uri(self) -> str:
        """The address."""
        return _uri(self.repo, self.rkey)


class NotARecord(Exception):
    """What the server gave is not a record, or not the record it says it is."""


def record_cid(record: Mapping[str, Any]) -> str:
    """The content id of a record given as the protocol's JSON.

    Raises :class:`ValueError` where the record has no DAG-CBOR form.
    """
    import libipld

    block = libipld.encode_dag_cbor(_with_links(dict(record)))
    return str(libipld.encode_cid(_RECORD_CID + hashlib.sha256(block).digest()))


def blob_cid(sha256: str) -> str:
    """The content id of a file with this SHA-256 (lower-case hexadecimal)."""
    import libipld

    return str(libipld.encode_cid(_BLOB_CID + bytes.fromhex(sha256)))


def find_blob_sha256(cid: object) -> str | None:
    """The SHA-256 a file's content id holds, or ``None`` where it holds none."""
    import libipld

    if not isinstance(cid, str):
        return None
    try:
        raw = bytes(libipld.decode_multibase(cid)[1])
    except ValueError:
        return None
    whole = raw.startswith(_BLOB_CID) and len(raw) == len(_BLOB_CID) + _DIGEST_BYTES
    return raw[len(_BLOB_CID) :].hex() if whole else None


def freeze(
    rendition: Rendition,
    blobs: Sequence[Sequence[Blob]],
    *,
    repo: str,
    key: str,
    at: datetime,
    reply: Reply | None = None,
) -> bytes:
    """The bytes of the request that publishes ``rendition`` in the repository of ``repo`` (a DID).

    ``blobs`` holds, per part, the server's names for its pictures; ``reply`` what the first part
    answers (:func:`make_reply`). Parts are a millisecond apart,
    for readers sort a thread by time. Raises :class:`ValueError` where ``key`` is not a TID or
    ``at`` has no time zone.
    """
    if at.tzinfo is None:
        raise ValueError("at has no time zone")
    single = len(rendition.parts) == 1
    writes: list[dict[str, Any]] = []
    for number, part in enumerate(rendition.parts):
        rkey = part_key(key, number)
        record = _record(
            part,
            blobs[number],
            rendition.language,
            at + timedelta(milliseconds=number),
        )
        if reply is not None:
            record["reply"] = dict(reply)
        own = {"uri": _uri(repo, rkey), "cid": record_cid(record)}
        reply = {"root": reply["root"] if reply is not None else own, "parent": own}
        writes.append({"$type": _CREATE, "collection": COLLECTION, "rkey": rkey, "value": record})
    body: dict[str, Any]
    if single:
        body = {
            "repo": repo,
            "collection": COLLECTION,
            "rkey": writes[0]["rkey"],
            "record": writes[0]["value"],
            "swapRecord": None,
        }
    else:
        body = {"repo": repo, "writes": writes}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def freeze_removal(places: Sequence[Place]) -> bytes:
    """The bytes of the request that takes down the posts at ``places``, all of one repository."""
    writes = [{"$type": _DELETE, "collection": COLLECTION, "rkey": place.rkey} for place in places]
    body = {"repo": places[0].repo, "writes": writes}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def find_place(uri: str) -> Place | None:
    """Where a post of this address stands; ``None`` where it is no post's address."""
    found = _PLACE.fullmatch(uri)
    return Place(found["repo"], found["rkey"]) if found else None


def make_reply(uri: str, cid: str, record: Mapping[str, Any]) -> Reply:
    """What a post that answers ``record`` names: it as the parent, and the root of its thread.

    Lexicon ``app.bsky.feed.post#replyRef``.
    """
    parent = {"uri": uri, "cid": cid}
    above = record.get("reply")
    root = above.get("root") if isinstance(above, dict) else None
    if isinstance(root, dict) and all(isinstance(root.get(n), str) for n in ("uri", "cid")):
        return {"root": {"uri": root["uri"], "cid": root["cid"]}, "parent": parent}
    return {"root": parent, "parent": parent}


def read_frozen(request: bytes) -> FrozenRequest:
    """What a frozen request will do.

    Raises :class:`ValueError` where the bytes were not made by :func:`freeze`.
    """
    try:
        body = json.loads(request)
        repo = body["repo"]
        if body.get("writes") and all(write["$type"] == _DELETE for write in body["writes"]):
            rkeys = [write["rkey"] for write in body["writes"]]
            gone = tuple(FrozenPost(rkey, _uri(repo, rkey), "") for rkey in rkeys)
            return FrozenRequest(APPLY_WRITES, repo, gone, removes=True)
        if "writes" in body:
            method = APPLY_WRITES
            pairs = [(write["rkey"], write["value"]) for write in body["writes"]]
        else:
            method = PUT_RECORD
            pairs = [(body["rkey"], body["record"])]
        posts = tuple(
            FrozenPost(rkey, _uri(repo, rkey), record_cid(record)) for rkey, record in pairs
        )
    except (KeyError, TypeError, AttributeError) as fault:
        raise ValueError("this is not a request frozen here") from fault
    return FrozenRequest(method, repo, posts)


def is_accepted(frozen: FrozenRequest, answer: Mapping[str, Any]) -> bool:
    """Whether the server's answer to the request names exactly the posts that were frozen; of a
    removal, whether it names as many deletions.
    """
    if frozen.removes:
        results = answer.get("results")
        return results == [{"$type": _DELETED}] * len(frozen.posts)
    if frozen.method == PUT_RECORD:
        named = [(answer.get("uri"), answer.get("cid"))]
    else:
        results = answer.get("results")
        if not isinstance(results, list):
            return False
        named = [
            (result.get("uri"), result.get("cid"))
            for result in results
            if isinstance(result, dict) and result.get("$type") == _CREATED
        ]
    return named == [(post.uri, post.cid) for post in frozen.posts]


def check_record(answer: Mapping[str, Any], uri: str) -> tuple[str, dict[str, Any]]:
    """The content id and the record in an answer of ``getRecord`` about ``uri``.

    The content id is computed anew from the record, so a server cannot vouch for one record and
    show another. Raises :class:`NotARecord`.
    """
    cid, value = answer.get("cid"), answer.get("value")
    if answer.get("uri") != uri or not isinstance(cid, str) or not isinstance(value, dict):
        raise NotARecord("the answer names no record, or another one")
    try:
        computed = record_cid(value)
    except (ValueError, TypeError, RecursionError) as fault:
        raise NotARecord("the record has no content id") from fault
    if computed != cid:
        raise NotARecord("the record is not the one its content id names")
    return cid, value


def find_pictures(record: Mapping[str, Any]) -> tuple[tuple[str, str | None], ...]:
    """Per picture of a live record: its text alternative, and the SHA-256 of its file if known."""
    embed = record.get("embed")
    images = embed.get("images") if isinstance(embed, dict) else None
    found = []
    for image in images if isinstance(images, list) else []:
        shown = image if isinstance(image, dict) else {}
        blob = shown.get("image")
        ref = blob.get("ref") if isinstance(blob, dict) else None
        cid = ref.get("$link") if isinstance(ref, dict) else None
        found.append((str(shown.get("alt", "")), find_blob_sha256(cid)))
    return tuple(found)


def _record(
    part: Part, blobs: Sequence[Blob], language: str, created_at: datetime
) -> dict[str, Any]:
    record: dict[str, Any] = {
        "$type": COLLECTION,
        "text": part.text,
        "langs": [language],
        "createdAt": created_at.astimezone(UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z"),
    }
    if facets := _facets(part.text):
        record["facets"] = facets
    if part.pictures:
        record["embed"] = {
            "$type": "app.bsky.embed.images",
            "images": [
                {
                    "alt": picture.alt,
                    "image": dict(blob),
                    "aspectRatio": {"width": picture.width, "height": picture.height},
                }
                for picture, blob in zip(part.pictures, blobs, strict=True)
            ],
        }
    return record


def _facets(text: str) -> list[dict[str, Any]]:
    # A mention is left as plain text: it names an account by its DID, which only a look-up on
    # somebody else's server could tell, and who is named must be what was signed.
    features: list[tuple[int, int, dict[str, str]]] = [
        (link.start, link.end, {"$type": "app.bsky.richtext.facet#link", "uri": link.url})
        for link in find_links(text)
    ]
    features += [
        (hashtag.start, hashtag.end, {"$type": "app.bsky.richtext.facet#tag", "tag": hashtag.tag})
        for hashtag in find_hashtags(text)
    ]
    return [
        {
            "index": {"byteStart": len(text[:start].encode()), "byteEnd": len(text[:end].encode())},
            "features": [feature],
        }
        for start, end, feature in sorted(features, key=lambda one: one[0])
    ]


def _uri(repo: str, rkey: str) -> str:
    return f"at://{repo}/{COLLECTION}/{rkey}"


def _with_links(value: Any) -> Any:
    """The protocol's JSON as its data model: ``{"$link": cid}`` becomes the content id itself."""
    import libipld

    if isinstance(value, dict):
        if value.keys() == {"$link"}:
            return bytes(libipld.decode_multibase(value["$link"])[1])
        return {name: _with_links(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_links(inner) for inner in value]
    return value
