"""The detectors that come with Folkmoot. Each module registers its own when it is imported.

A rule names a detector, and :func:`folkmoot.check.detecting.load_all` imports every module of this
folder; what was compiled before imports only the modules whose detectors have something to look at.
"""

from .registry import (
    OF_CONTEXTS,
    OF_PASSAGES,
    OF_POSTS,
    DetectInContext,
    DetectInPassage,
    DetectInPost,
    context_detector,
    passage_detector,
    post_detector,
)

__all__ = [
    "OF_CONTEXTS",
    "OF_PASSAGES",
    "OF_POSTS",
    "DetectInContext",
    "DetectInPassage",
    "DetectInPost",
    "context_detector",
    "passage_detector",
    "post_detector",
]
