"""Pictures handed over ahead: one by one, waited for, and never twice.

Mastodon throws a picture away that no post shows within a day, and a picture belongs to one post
only. So the memo names each place of the rendition with the picture's digest and the id it was
given; each is asked about before it is relied on, and handed over anew only if it is gone.

Source: Mastodon documentation, "media API methods": 200 is ready, 202 or 206 is in processing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from folkmoot.channels.api import Answer, NoClearAnswer, SaidNo, Upload
from folkmoot.channels.mastodon import markup
from folkmoot.channels.mastodon.server import Server
from folkmoot.channels.mastodon.statuses import NotUnderstood
from folkmoot.channels.pictures import read_signed
from folkmoot.channels.port import NotPrepared, NotReady, Picture, Rendition, Uploaded

_IN_PROCESSING = frozenset({202, 206})
_GONE = frozenset({404, 410})
_WAIT_SECONDS = 2.0
_AFTER_A_FAULT_SECONDS = 10.0
_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif"}


@dataclass(frozen=True, slots=True)
class Handed:
    """A picture that was handed over: its digest, the id it was given, and whether it is ready."""

    sha256: str
    id: str
    ready: bool


def hand_over(server: Server, rendition: Rendition, memo: str) -> Uploaded | NotReady | NotPrepared:
    """Hand over the pictures of ``rendition`` that ``memo`` does not name, and see how far the
    others are. See :meth:`~folkmoot.channels.port.Adapter.upload`.
    """
    pictures = [picture for part in rendition.parts for picture in part.pictures]
    if not pictures:
        return Uploaded()
    handed = _read_memo(memo, pictures)
    for place, picture in enumerate(pictures):
        outcome = _try(server, picture, handed[place])
        if isinstance(outcome, Handed):
            handed[place] = outcome
        elif outcome.retry and any(handed):
            # What was handed over before the fault is kept in the memo, so it is not lost.
            wait = outcome.after_seconds
            wait = _AFTER_A_FAULT_SECONDS if wait is None else wait
            return NotReady(_write_memo(handed), outcome.reason, wait)
        else:
            return outcome
    waiting = sum(1 for one in handed if one is not None and not one.ready)
    if not waiting:
        return Uploaded(_write_memo(handed))
    what = "a picture" if waiting == 1 else f"{waiting} pictures"
    return NotReady(_write_memo(handed), f"Mastodon is still at work on {what}.", _WAIT_SECONDS)


def read_ids(rendition: Rendition, memo: str) -> list[list[str]]:
    """The ids of the pictures, part by part, from the memo of :class:`Uploaded`."""
    pictures = [picture for part in rendition.parts for picture in part.pictures]
    ids = iter([one.id for one in _read_memo(memo, pictures) if one is not None])
    return [[next(ids) for _ in part.pictures] for part in rendition.parts]


def _try(server: Server, picture: Picture, known: Handed | None) -> Handed | NotPrepared:
    try:
        return _hand_over_one(server, picture, known)
    except NoClearAnswer as fault:
        return NotPrepared(fault.reason, retry=True, after_seconds=fault.after_seconds)
    except SaidNo as no:
        return NotPrepared(no.reason, retry=False)


def _hand_over_one(server: Server, picture: Picture, known: Handed | None) -> Handed | NotPrepared:
    if known is not None:
        try:
            return replace(known, ready=_is_ready(server.get_medium(known.id), known.id))
        except SaidNo as no:
            if no.status not in _GONE:
                raise
    content = read_signed(picture)
    if isinstance(content, NotPrepared):
        return content
    name = f"{picture.sha256[:16]}.{_ENDINGS.get(picture.media_type, 'bin')}"
    file = Upload("file", name, picture.media_type, content)
    answer = server.hand_over(file, picture.alt)
    medium_id = answer.value.get("id") if isinstance(answer.value, dict) else None
    if not isinstance(medium_id, str) or not medium_id:
        raise NotUnderstood
    ready = _is_ready(answer, medium_id)
    if ready and answer.value.get("description") != markup.strip(picture.alt):
        return NotPrepared(
            "Mastodon did not keep the text alternative of a picture as it was given. Nothing was"
            " published. Shorten the text alternative, or put it in plain letters.",
            retry=False,
        )
    return Handed(picture.sha256, medium_id, ready)


def _is_ready(answer: Answer, medium_id: str) -> bool:
    if answer.status in _IN_PROCESSING:
        return False
    if not isinstance(answer.value, dict) or answer.value.get("id") != medium_id:
        raise NotUnderstood
    return True


def _read_memo(memo: str, pictures: list[Picture]) -> list[Handed | None]:
    try:
        kept: Any = json.loads(memo) if memo else []
    except ValueError:
        kept = []
    found: list[Handed | None] = [None] * len(pictures)
    for place, (picture, one) in enumerate(zip(pictures, kept, strict=False)):
        if one is not None and one["sha256"] == picture.sha256:
            found[place] = Handed(one["sha256"], one["id"], one["ready"])
    return found


def _write_memo(handed: list[Handed | None]) -> str:
    return json.dumps(
        [
            {"sha256": one.sha256, "id": one.id, "ready": one.ready} if one is not None else None
            for one in handed
        ]
    )
