"""Containers of Instagram and Threads: a post that is handed over, waited for, and then published.

A container is seen by nobody until it is published, and lets go of what it holds after 24 hours
(Instagram Platform, "Content Publishing" and "IG Container"; Threads API, "Posts" and
"Troubleshooting"). Both channels fetch pictures themselves. A carousel is a container of
containers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from folkmoot.channels.api import Meaning, NoClearAnswer, SaidNo
from folkmoot.channels.graph.client import Graph
from folkmoot.channels.pictures import read_signed
from folkmoot.channels.port import NotPrepared, Part


class Status(StrEnum):
    """How far a container is."""

    IN_PROGRESS = "IN_PROGRESS"
    FINISHED = "FINISHED"
    PUBLISHED = "PUBLISHED"
    ERROR = "ERROR"
    EXPIRED = "EXPIRED"
    MISSING = "MISSING"
    """Not found. Meta says so of containers that are there, too, so it proves nothing."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between the two channels: the edge containers are made at; the names of the
    fields for the text, for how far a container is, and for why it failed; and what a picture's
    ``media_type`` is, empty where it is to be left out.
    """

    edge: str
    text: str
    status: str
    why: str
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture as a container is told of it."""

    sha256: str
    media_type: str
    alt: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one container is to hold. ``answers`` is the post that it answers; empty for none."""

    text: str
    pictures: tuple[Shown, ...]
    answers: str = ""

    @classmethod
    def from_part(cls, part: Part) -> Parcel | NotPrepared:
        """From a part of a rendition; why not, where a picture is not the one that was signed."""
        for picture in part.pictures:
            content = read_signed(picture)
            if isinstance(content, NotPrepared):
                return content
        shown = tuple(Shown(one.sha256, one.media_type, one.alt) for one in part.pictures)
        return cls(part.text, shown)

    def answering(self, post_id: str) -> Parcel:
        """The same as an answer to a post; as it is where ``post_id`` is empty."""
        return replace(self, answers=post_id)


@dataclass(frozen=True, slots=True)
class Kept:
    """What was handed over: the containers of a carousel's pictures, and the post's own."""

    children: tuple[str, ...] = ()
    post: str = ""

    def to_json(self) -> dict[str, Any]:
        """As it is kept in a memo."""
        return {"children": list(self.children), "post": self.post}

    @classmethod
    def from_json(cls, value: Any) -> Kept:
        """From what :meth:`to_json` made."""
        return cls(tuple(value["children"]), value["post"])


@dataclass(frozen=True, slots=True)
class Progress:
    """How far handing over is: ``ready`` once the channel has worked through all of it, and
    ``published`` where the container was published before.
    """

    kept: Kept
    ready: bool
    published: bool = False


def count_pictures(post: Mapping[str, Any]) -> int:
    """How many pictures a published post shows ("IG Media" and "Threads Media", fields)."""
    if post.get("media_type") in ("TEXT_POST", None):
        return 0
    return max(len(_children(post)), 1)


def find_alts(post: Mapping[str, Any]) -> tuple[str | None, ...]:
    """The text alternatives of a published post's pictures; ``None`` for one that is not shown."""
    shown = _children(post) or [post] * count_pictures(post)
    return tuple(one["alt_text"] if isinstance(one.get("alt_text"), str) else None for one in shown)


def _children(post: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    children = post.get("children")
    found = children.get("data") if isinstance(children, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


class Containers:
    """The containers of one account. ``picture_url`` is where a picture can be fetched."""

    def __init__(
        self, graph: Graph, dialect: Dialect, picture_url: Callable[[str, str], str]
    ) -> None:
        self._graph = graph
        self._dialect = dialect
        self._picture_url = picture_url

    def hand_over(self, parcel: Parcel, kept: Kept, *, whole: bool = True) -> Progress:
        """Hand ``parcel`` over, but for what ``kept`` says is there already and still good; of a
        carousel only the pictures, unless ``whole``. Asks once how far it is, and does not wait.

        Raises one of :data:`~folkmoot.channels.graph.client.FAULTS`; :class:`SaidNo` too where the
        channel could not work with a picture.
        """
        why = ""
        for attempt in (kept, Kept()):
            progress = self._advance(parcel, attempt, whole=whole)
            if isinstance(progress, Progress):
                return progress
            why = progress
        raise SaidNo(
            400,
            Status.ERROR,
            Meaning.REFUSED,
            f"{self._graph.title} could not work with what was handed over ({why}). See whether"
            " the pictures are whole and can be fetched from this site, and add them again.",
            None,
        )

    def find_status(self, container: str) -> tuple[Status, str]:
        """How far a container is, and why it failed, if it did. Raises one of
        :data:`~folkmoot.channels.graph.client.FAULTS`.
        """
        names = self._dialect
        try:
            answer = self._graph.get(container, fields=f"id,{names.status},{names.why}")
        except SaidNo as fault:
            if fault.meaning is Meaning.MISSING:
                return Status.MISSING, fault.reason
            raise
        try:
            status = Status(str(answer.get(names.status)))
        except ValueError as fault:
            raise NoClearAnswer(
                f"{self._graph.title} did not say how far it is with what was handed over.",
                sent=True,
                strange=True,
            ) from fault
        return status, str(answer.get(names.why) or "no reason given")

    def _advance(self, parcel: Parcel, kept: Kept, *, whole: bool) -> Progress | str:
        """One step, or, where what was kept is no good any more, why."""
        children = kept.children
        if not kept.post:
            if len(parcel.pictures) > 1:
                children = children or tuple(
                    self._make({**self._picture(one), "is_carousel_item": "true"})
                    for one in parcel.pictures
                )
                looked = [self.find_status(child) for child in children]
                for status, why in looked:
                    if status in (Status.ERROR, Status.EXPIRED, Status.MISSING):
                        return why
                if not all(status is Status.FINISHED for status, _ in looked):
                    return Progress(Kept(children), ready=False)
            if not whole:
                return Progress(Kept(children), ready=True)
            kept = Kept(children, self._make(self._fields(parcel, children)))
        status, why = self.find_status(kept.post)
        if status in (Status.ERROR, Status.EXPIRED, Status.MISSING):
            return why
        # One that was published stays what it is: no other is made in its place.
        return Progress(
            kept,
            ready=status is not Status.IN_PROGRESS,
            published=status is Status.PUBLISHED,
        )

    def _fields(self, parcel: Parcel, children: Sequence[str]) -> dict[str, str]:
        text = {self._dialect.text: parcel.text} if parcel.text else {}
        if children:
            kind = {"media_type": "CAROUSEL", "children": ",".join(children)}
        elif parcel.pictures:
            kind = self._picture(parcel.pictures[0])
        else:
            kind = {"media_type": "TEXT"}
        answers = {"reply_to_id": parcel.answers} if parcel.answers else {}
        return {**kind, **text, **answers}

    def _picture(self, picture: Shown) -> dict[str, str]:
        kind = {"media_type": self._dialect.picture} if self._dialect.picture else {}
        return {
            **kind,
            "image_url": self._picture_url(picture.sha256, picture.media_type),
            "alt_text": picture.alt,
        }

    def _make(self, fields: Mapping[str, str]) -> str:
        return self._graph.get_id(self._graph.post(self._dialect.edge, fields))
