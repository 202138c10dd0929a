"""Pictures handed over to LinkedIn ahead of time ("Images API" in its documentation).

LinkedIn names an address to put the file at, and works on it; it can be used once it is
``AVAILABLE``.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from folkmoot.channels.api import Api, Meaning, NoClearAnswer, SaidNo
from folkmoot.channels.linkedin.pages import Pages
from folkmoot.channels.pictures import read_signed
from folkmoot.channels.port import NotPrepared, NotReady, Picture, Rendition, Uploaded

_WAIT_SECONDS = 2.0


@dataclass(slots=True)
class _Kept:
    """A picture that was put at LinkedIn."""

    urn: str
    sha256: str
    ready: bool = False


class Images:
    """Hands over the pictures of a page's posts. ``api`` is the same without the account's token,
    for addresses that LinkedIn names elsewhere.
    """

    def __init__(self, pages: Pages, api: Api) -> None:
        self._pages = pages
        self._api = api

    def hand_over(self, rendition: Rendition, memo: str) -> Uploaded | NotReady | NotPrepared:
        """Hand over what has not been yet, and ask about what is in processing.

        Raises :class:`SaidNo`, :class:`NoClearAnswer` and :class:`CannotSignIn`.
        """
        kept = {name: _Kept(**one) for name, one in json.loads(memo or "{}").items()}
        pictures = rendition.parts[0].pictures
        waits = False
        for name, picture in ((str(place), picture) for place, picture in enumerate(pictures)):
            outcome = self._take(kept, name, picture)
            if isinstance(outcome, NotPrepared):
                return outcome
            waits = waits or not outcome
        after = json.dumps({name: asdict(one) for name, one in kept.items()}) if kept else ""
        if waits:
            return NotReady(after, "LinkedIn is still at work on a picture.", _WAIT_SECONDS)
        return Uploaded(after)

    def _take(self, kept: dict[str, _Kept], name: str, picture: Picture) -> bool | NotPrepared:
        """Whether the picture can be used."""
        one = kept.get(name)
        if one is None or one.sha256 != picture.sha256:
            content = read_signed(picture)
            if isinstance(content, NotPrepared):
                return content
            one = kept[name] = _Kept(self._put(picture, content), picture.sha256)
        if not one.ready:
            state = self._find_state(one.urn)
            if state == "PROCESSING_FAILED":
                return NotPrepared(
                    "LinkedIn could not make use of a picture. Save it again as JPEG or PNG, and"
                    " add that. Nothing was published.",
                    retry=False,
                )
            one.ready = state == "AVAILABLE"
        return one.ready

    def _put(self, picture: Picture, content: bytes) -> str:
        answer = self._pages.ask(
            "POST",
            "/rest/images",
            params={"action": "initializeUpload"},
            json_body={"initializeUploadRequest": {"owner": self._pages.author}},
        )
        value = answer.value.get("value") if isinstance(answer.value, dict) else None
        url, urn = (
            (value.get("uploadUrl"), value.get("image")) if isinstance(value, dict) else ("", "")
        )
        if not isinstance(url, str) or not isinstance(urn, str) or not url or not urn:
            raise NoClearAnswer("LinkedIn names no place for a picture.", sent=True)
        kind = {"Content-Type": picture.media_type}
        host = urlsplit(url).hostname or ""
        if f".{host}".endswith(".linkedin.com") or url.startswith(f"{self._pages.server}/"):
            self._pages.ask_at("PUT", url, body=content, headers=kind)
        else:
            # The token is LinkedIn's business, and no other server's.
            self._api.ask("PUT", url, body=content, headers=kind)
        return urn

    def _find_state(self, urn: str) -> str:
        try:
            answer = self._pages.ask("GET", f"/rest/images/{quote(urn, safe='')}")
        except SaidNo as fault:
            if fault.meaning is Meaning.MISSING:
                return "PROCESSING"  # not seen yet by the server that was asked
            raise
        return str(answer.value.get("status")) if isinstance(answer.value, dict) else ""


def find_urns(rendition: Rendition, memo: str) -> tuple[str, ...]:
    """LinkedIn's names of the pictures, from the memo of :class:`Uploaded`."""
    kept: dict[str, Any] = json.loads(memo or "{}")
    return tuple(kept[str(place)]["urn"] for place in range(len(rendition.parts[0].pictures)))
