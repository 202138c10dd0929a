"""A post read once for all rules: its text and the alt text of each picture as passages."""

from __future__ import annotations

from .model import Attachment, Post
from .passage import Passage

Hits = list[tuple[str, int, int]]
"""Places in a post as (place, start, end); place as in :class:`~folkmoot.check.Span`."""


class Reading:
    """A post as rules look at it.

    ``text`` is the passage of the post's own words; ``alts`` the passages of those alt texts that
    hold anything, in the order of the attachments.
    """

    __slots__ = ("alts", "post", "text")

    def __init__(self, post: Post) -> None:
        self.post = post
        self.text = Passage(post.text, "text")
        self.alts = (
            tuple(
                Passage(attachment.alt, alt_place(attachment))
                for attachment in post.attachments
                if attachment.alt
            )
            if post.attachments
            else ()
        )

    def passage(self, place: str) -> Passage | None:
        """The passage at ``place``, or ``None`` where that place holds no words."""
        if place == "text":
            return self.text
        return next((passage for passage in self.alts if passage.place == place), None)


def alt_place(attachment: Attachment) -> str:
    """The place of an attachment's alt text: ``attachment:<id>:alt``."""
    return f"attachment:{attachment.id}:alt"
