"""Pictures and video: whether people who cannot see or hear them are told what they say."""

from __future__ import annotations

import re

from folkmoot.check.folding import fold
from folkmoot.check.model import Attachment
from folkmoot.check.reading import Hits, Reading, alt_place
from folkmoot.check.table import Table

from .registry import DetectInPost, plain_post_detector, post_detector

_FILE_NAME = re.compile(
    r"\s*(?:\S{1,200}\.(?:jpe?g|png|gif|webp|heic|svg|bmp|tiff?)"
    r"|(?:img|dsc|dscn|pxl|image|screenshot|photo|picture|untitled|file)[ _-]?\d[\d _-]{0,40})\s*"
)


def _is_picture(attachment: Attachment) -> bool:
    return attachment.media_type.strip().lower().startswith("image/")


def _has_words(alt: str | None) -> bool:
    """Whether there is anything to read out: a row of dots or blanks is no description."""
    return alt is not None and any(character.isalnum() for character in alt)


@plain_post_detector("picture-without-alt")
def picture_without_alt(reading: Reading) -> Hits | None:
    """Pictures whose alt text is missing, or holds no letter and no digit."""
    found = [
        (alt_place(attachment), 0, len(attachment.alt or ""))
        for attachment in reading.post.attachments
        if _is_picture(attachment) and not _has_words(attachment.alt)
    ]
    return found or None


@post_detector("alt-begins")
def alt_begins(options: Table) -> DetectInPost:
    """Alt text that begins with one of ``words`` (``image of``), which a reader says anyway."""
    words = options.texts("words", at_least=1)
    opening = re.compile(
        r"\s*(?:(?:an?|the|this is an?) )?(?:" + "|".join(map(re.escape, words)) + r")(?!\w)"
    )

    def find(reading: Reading) -> Hits | None:
        found = [
            (passage.place, match.start(), match.end())
            for passage in reading.alts
            if (match := opening.match(passage.folded))
        ]
        return found or None

    return find


@plain_post_detector("alt-is-file-name")
def alt_is_file_name(reading: Reading) -> Hits | None:
    """Alt text that is the name of a file."""
    found = []
    for attachment in reading.post.attachments:
        if not _is_picture(attachment) or not attachment.alt or not _has_words(attachment.alt):
            continue
        alt = fold(attachment.alt).strip()
        name = fold(attachment.filename)
        if _FILE_NAME.fullmatch(alt) or (name and alt in {name, name.rpartition(".")[0]}):
            found.append((alt_place(attachment), 0, len(attachment.alt)))
    return found or None


@plain_post_detector("alt-repeats-post")
def alt_repeats_post(reading: Reading) -> Hits | None:
    """Alt text that says the same words as the post."""
    if not reading.alts:
        return None
    post = " ".join(reading.text.folded.split())
    found = [
        (passage.place, 0, len(passage.text))
        for passage in reading.alts
        if post and " ".join(passage.folded.split()) == post
    ]
    return found or None


@post_detector("alt-length")
def alt_length(options: Table) -> DetectInPost:
    """Alt text of more than ``at_most`` code points."""
    at_most = options.whole("at_most", low=20, high=10_000)

    def find(reading: Reading) -> Hits | None:
        found = [
            (passage.place, at_most, len(passage.text))
            for passage in reading.alts
            if len(passage.text) > at_most
        ]
        return found or None

    return find


@plain_post_detector("video")
def video(reading: Reading) -> Hits | None:
    """Posts with a video. A post does not say whether it has captions, so a person must."""
    moving = any(
        attachment.media_type.strip().lower().startswith("video/")
        for attachment in reading.post.attachments
    )
    return [] if moving else None
