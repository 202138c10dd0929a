"""The detectors that come with Folkmoot. Importing this package registers them all."""

from . import (
    bank,
    characters,
    contact,
    emoji,
    hashtags,
    identity,
    links,
    occasion,
    pictures,
    sentences,
)
from .registry import (
    OF_PASSAGES,
    OF_POSTS,
    DetectInPassage,
    DetectInPost,
    passage_detector,
    post_detector,
)

__all__ = [
    "OF_PASSAGES",
    "OF_POSTS",
    "DetectInPassage",
    "DetectInPost",
    "bank",
    "characters",
    "contact",
    "emoji",
    "hashtags",
    "identity",
    "links",
    "occasion",
    "passage_detector",
    "pictures",
    "post_detector",
    "sentences",
]
