"""Pictures as the server keeps them: handed over once, named by the digest of their bytes.

A file that no record names is kept by a server for an hour at least (AT Protocol specification,
"Blobs"), so pictures are handed over shortly before their post, and one that is no longer there
makes the post be refused, not go out without it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from folkmoot.channels.api import NoClearAnswer, SaidNo
from folkmoot.channels.bluesky import records
from folkmoot.channels.bluesky.answers import TOKEN_IS_OVER
from folkmoot.channels.bluesky.records import Blob
from folkmoot.channels.bluesky.sessions import Session
from folkmoot.channels.bluesky.xrpc import Xrpc
from folkmoot.channels.pictures import read_signed
from folkmoot.channels.port import NotPrepared, Picture, Rendition

Blobs = Sequence[Sequence[Blob]]
"""Per part of a rendition, the server's names for its pictures."""


def upload(xrpc: Xrpc, session: Session, rendition: Rendition) -> Blobs | NotPrepared:
    """Hand over every picture of ``rendition``."""
    blobs: list[list[Blob]] = []
    for part in rendition.parts:
        uploaded: list[Blob] = []
        for picture in part.pictures:
            blob = _upload_one(xrpc, session, picture)
            if isinstance(blob, NotPrepared):
                return blob
            uploaded.append(blob)
        blobs.append(uploaded)
    return blobs


def write_memo(blobs: Blobs) -> str:
    """The memo of what was handed over."""
    return json.dumps(blobs, separators=(",", ":"))


def find_in_memo(memo: str, rendition: Rendition) -> Blobs | None:
    """What was handed over of ``rendition``; ``None`` where ``memo`` is of anything else."""
    if not any(part.pictures for part in rendition.parts):
        return [[] for _ in rendition.parts]
    try:
        blobs = json.loads(memo)
        named = [[blob["ref"]["$link"] for blob in of_part] for of_part in blobs]
    except (ValueError, TypeError, KeyError):
        return None
    wanted = [
        [records.blob_cid(picture.sha256) for picture in part.pictures] for part in rendition.parts
    ]
    kept: Blobs = blobs
    return kept if named == wanted else None


def _upload_one(xrpc: Xrpc, session: Session, picture: Picture) -> Blob | NotPrepared:
    content = read_signed(picture)
    if isinstance(content, NotPrepared):
        return content
    try:
        answer = xrpc.procedure(
            session.server,
            "com.atproto.repo.uploadBlob",
            content,
            content_type=picture.media_type,
            token=session.access,
        )
    except SaidNo as fault:
        return NotPrepared(fault.reason, retry=fault.code in TOKEN_IS_OVER)
    except NoClearAnswer as fault:
        return NotPrepared(
            f"{fault.reason} Nothing was published.",
            retry=True,
            after_seconds=fault.after_seconds,
        )
    blob = answer.get("blob")
    kind = blob.get("mimeType") if isinstance(blob, dict) else None
    named: dict[str, Any] = {
        "$type": "blob",
        "ref": {"$link": records.blob_cid(picture.sha256)},
        "mimeType": kind,
        "size": len(content),
    }
    if blob != named or not isinstance(kind, str):
        return NotPrepared(
            "Bluesky did not keep a picture as it was sent. Nothing was published.", retry=True
        )
    return named
