"""The form a post takes on each channel, and what stands in its way there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from folkmoot.channels import Capabilities, Part, Picture, Problem, Rendition, find_problems

from .pictures import read_picture

BREAK = re.compile(r"^[ \t]*-{3}[ \t]*$", re.MULTILINE)
"""A line of three hyphens divides a thread."""


def split_thread(text: str) -> tuple[str, ...]:
    """The parts of a text, divided by lines of three hyphens; blank parts are kept, for the author
    to see. White space around each part is dropped.
    """
    return tuple(part.strip() for part in BREAK.split(text.replace("\r\n", "\n")))


def make_rendition(
    text: str,
    pictures: Iterable[Mapping[str, object]],
    language: str,
    capabilities: Capabilities,
    *,
    organisation_id: int,
    replying_to: str = "",
) -> Rendition:
    """The post as this channel will be given it, its pictures those of this organisation. A channel
    without threads gets the parts as paragraphs of one post. Pictures stand with the first part.
    """
    texts = split_thread(text)
    if capabilities.parts == 1:
        texts = ("\n\n".join(filter(None, texts)),)
    shown = tuple(_picture(picture, organisation_id) for picture in pictures)
    return Rendition(
        tuple(Part(words, shown if number == 0 else ()) for number, words in enumerate(texts)),
        language,
        replying_to if capabilities.replies else "",
    )


def describe_problems(capabilities: Capabilities, rendition: Rendition) -> tuple[Problem, ...]:
    """Why the rendition cannot go out on the channel as it stands; empty where it can."""
    return find_problems(capabilities, rendition)


def picture_facts(pictures: Sequence[Mapping[str, object]]) -> tuple[tuple[str, str, str], ...]:
    """(SHA-256, media type, alt text) of each picture, as the digest has them."""
    return tuple((str(p["sha256"]), str(p["media_type"]), str(p["alt"])) for p in pictures)


def _picture(picture: Mapping[str, object], organisation_id: int) -> Picture:
    sha256, media_type = str(picture["sha256"]), str(picture["media_type"])

    def read() -> bytes:
        return read_picture(organisation_id, sha256, media_type)

    return Picture(
        sha256,
        media_type,
        int(str(picture["size_bytes"])),
        int(str(picture["width"])),
        int(str(picture["height"])),
        str(picture["alt"]),
        read,
    )
