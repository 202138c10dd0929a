"""Pictures and video: whether people who cannot see or hear them are told what they say."""

from __future__ import annotations

import re
from collections.abc import Callable

from folkmoot.check.folding import fold
from folkmoot.check.model import Attachment, Captions
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


@plain_post_detector("picture-without-alt", attached=True)
def picture_without_alt(reading: Reading) -> Hits | None:
    """Pictures whose alt text is missing, or holds no letter and no digit."""
    found = [
        (alt_place(attachment), 0, len(attachment.alt or ""))
        for attachment in reading.post.attachments
        if _is_picture(attachment) and not _has_words(attachment.alt)
    ]
    return found or None


@post_detector("alt-begins", attached=True)
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


@plain_post_detector("alt-is-file-name", attached=True)
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


@plain_post_detector("alt-repeats-post", attached=True)
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


@post_detector("alt-length", attached=True)
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


def _is_video(attachment: Attachment) -> bool:
    return attachment.media_type.strip().lower().startswith("video/")


def _is_seen(attachment: Attachment) -> bool:
    return _is_picture(attachment) or _is_video(attachment)


_CAPTIONS = {"unknown": None, "no": Captions.NO, "unread": Captions.YES}


@post_detector("video-captions", attached=True)
def video_captions(options: Table) -> DetectInPost:
    """Posts with a video whose captions are as the option ``are`` says.

    ``no``: there are none. ``unread``: nobody has read them through, as when a machine made them.
    ``unknown``: nobody has said.
    """
    wanted = _CAPTIONS[options.choice("are", tuple(_CAPTIONS))]

    def find(reading: Reading) -> Hits | None:
        found = any(
            _is_video(attachment) and attachment.captions is wanted
            for attachment in reading.post.attachments
        )
        return [] if found else None

    return find


@post_detector("people-in-picture", attached=True)
def people_in_picture(options: Table) -> DetectInPost:
    """Pictures and videos of people who can be recognised and have not agreed on record.

    Options: ``children``, whether it is about children (``has_children``) or about others. Whether
    somebody can be recognised is what somebody said of the picture; where nobody has, there is
    nothing to find.
    """
    children = options.flag("children")

    def find(reading: Reading) -> Hits | None:
        found = any(
            _is_seen(attachment)
            and attachment.consent is not True
            and (
                attachment.has_children is True
                if children
                else attachment.has_faces is True and attachment.has_children is not True
            )
            for attachment in reading.post.attachments
        )
        return [] if found else None

    return find


_SAID: dict[str, Callable[[Attachment], bool]] = {
    "no-licence": lambda attachment: (
        attachment.licence is not None and not attachment.licence.strip()
    ),
    "location": lambda attachment: attachment.has_location is True,
    "text-only": lambda attachment: attachment.text_only is True and _is_picture(attachment),
    "ai-made": lambda attachment: attachment.ai_made is True,
}


@post_detector("attachment-said", attached=True)
def attachment_said(options: Table) -> DetectInPost:
    """Posts with an attachment of which somebody said what the option ``is`` names.

    ``no-licence``: its licence was left blank. ``location``: the file tells where it was made.
    ``text-only``: it is a picture of words. ``ai-made``: a machine made it.
    """
    said = _SAID[options.choice("is", tuple(_SAID))]

    def find(reading: Reading) -> Hits | None:
        return [] if any(map(said, reading.post.attachments)) else None

    return find
