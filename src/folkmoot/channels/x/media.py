"""Pictures handed over to X ahead of time: the file, what becomes of it, then its text alternative.

``POST /2/media/upload`` in one go, as still pictures may be; ``GET`` of the same says how far
processing is; ``POST /2/media/metadata`` ("Media" in X's documentation). X keeps an unused file for
a day.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from folkmoot.channels.api import Meaning, SaidNo, Upload
from folkmoot.channels.oauth import SignedIn
from folkmoot.channels.pictures import read_signed
from folkmoot.channels.port import NotPrepared, NotReady, Picture, Rendition, Uploaded
from folkmoot.channels.x.posts import is_id

_SPARE = timedelta(hours=1)
_WAIT_SECONDS = 2.0
_STRANGE = NotPrepared(
    "X's answer about a picture could not be understood. Nothing was published.", retry=True
)


@dataclass(slots=True)
class _Kept:
    """A picture that X has. ``ends_at`` (ISO) is when X forgets it, or empty."""

    id: str
    sha256: str
    ends_at: str
    processing: bool
    described: bool = False


class Media:
    """Hands over the pictures of one account's posts. ``now`` is the time."""

    def __init__(self, signed: SignedIn, server: str, now: Callable[[], datetime]) -> None:
        self._signed = signed
        self._server = server
        self._now = now

    def hand_over(self, rendition: Rendition, memo: str) -> Uploaded | NotReady | NotPrepared:
        """Hand over what has not been yet, and ask about what is in processing.

        Raises :class:`SaidNo`, :class:`NoClearAnswer` and :class:`CannotSignIn`.
        """
        kept = {name: _Kept(**one) for name, one in json.loads(memo or "{}").items()}
        waits = []
        for name, picture in _list_pictures(rendition):
            outcome = self._take(kept, name, picture)
            if isinstance(outcome, NotPrepared):
                return outcome
            if outcome is not None:
                waits.append(outcome)
        after = json.dumps({name: asdict(one) for name, one in kept.items()}) if kept else ""
        if waits:
            return NotReady(after, "X is still at work on a picture.", max(waits))
        return Uploaded(after)

    def _take(
        self, kept: dict[str, _Kept], name: str, picture: Picture
    ) -> float | NotPrepared | None:
        """Seconds to wait before asking again, or ``None`` once the picture can be used."""
        one = kept.get(name)
        if one is not None and (one.sha256 != picture.sha256 or self._is_over(one)):
            one = None
        state: Any = None
        if one is not None and one.processing:
            state = self._find_state(one)
            one = one if state is not None else None
        if one is None:
            content = read_signed(picture)
            if isinstance(content, NotPrepared):
                return content
            answer = self._post(picture, content)
            if not is_id(answer.get("id")):
                return _STRANGE
            state = answer
            one = _Kept(answer["id"], picture.sha256, self._find_end(answer), processing=True)
        kept[name] = one
        if one.processing:
            info = state.get("processing_info")
            info = info if isinstance(info, dict) else {"state": "succeeded"}
            if info.get("state") == "failed":
                return NotPrepared(
                    "X could not make use of a picture. Save it again as JPEG or PNG, and add that."
                    " Nothing was published.",
                    retry=False,
                )
            if info.get("state") != "succeeded":
                return _find_seconds(info.get("check_after_secs"))
            one.processing = False
        if not one.described:
            self._describe(one.id, picture.alt)
            one.described = True
        return None

    def _post(self, picture: Picture, content: bytes) -> dict[str, Any]:
        kind = picture.media_type.rpartition("/")[2]
        answer = self._signed.ask(
            "POST",
            f"{self._server}/2/media/upload",
            form={"media_category": "tweet_image", "media_type": picture.media_type},
            files=(Upload("media", f"picture.{kind}", picture.media_type, content),),
        )
        return _find_data(answer.value)

    def _find_state(self, one: _Kept) -> dict[str, Any] | None:
        """What X says of a picture in processing; ``None`` where X does not have it any more."""
        params = {"command": "STATUS", "media_id": one.id}
        try:
            answer = self._signed.ask("GET", f"{self._server}/2/media/upload", params=params)
        except SaidNo as fault:
            if fault.meaning is Meaning.MISSING:
                return None
            raise
        return _find_data(answer.value)

    def _describe(self, media_id: str, alt: str) -> None:
        body = {"id": media_id, "metadata": {"alt_text": {"text": alt}}}
        self._signed.ask("POST", f"{self._server}/2/media/metadata", json_body=body)

    def _is_over(self, one: _Kept) -> bool:
        return bool(one.ends_at) and datetime.fromisoformat(one.ends_at) < self._now() + _SPARE

    def _find_end(self, answer: dict[str, Any]) -> str:
        seconds = answer.get("expires_after_secs")
        if not isinstance(seconds, int) or seconds <= 0:
            return ""
        return (self._now() + timedelta(seconds=seconds)).isoformat()


def find_ids(rendition: Rendition, memo: str) -> tuple[tuple[str, ...], ...]:
    """X's ids of the pictures of each part, from the memo of :class:`Uploaded`."""
    kept = json.loads(memo or "{}")
    return tuple(
        tuple(kept[f"{number}.{place}"]["id"] for place in range(len(part.pictures)))
        for number, part in enumerate(rendition.parts)
    )


def _list_pictures(rendition: Rendition) -> list[tuple[str, Picture]]:
    return [
        (f"{number}.{place}", picture)
        for number, part in enumerate(rendition.parts)
        for place, picture in enumerate(part.pictures)
    ]


def _find_data(value: Any) -> dict[str, Any]:
    data = value.get("data") if isinstance(value, dict) else None
    return data if isinstance(data, dict) else {}


def _find_seconds(value: Any) -> float:
    return min(max(float(value), 1.0), 600.0) if isinstance(value, int | float) else _WAIT_SECONDS
