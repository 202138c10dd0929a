"""Rules about when something is said rather than what."""

from __future__ import annotations

from folkmoot.check.reading import Hits, Reading

from .registry import plain_post_detector


@plain_post_detector("any-post")
def any_post(_reading: Reading) -> Hits:
    """Every post: the rule's ``[when]`` alone decides."""
    return []
