"""A picture's bytes, held against the digest that was signed, before they go anywhere."""

from __future__ import annotations

import hashlib

from folkmoot.channels.port import NotPrepared, Picture


def read_signed(picture: Picture) -> bytes | NotPrepared:
    """The bytes of ``picture``, or why it cannot be sent: unreadable, or not what was signed."""
    try:
        content = picture.read()
    except OSError as fault:
        return NotPrepared(
            f"A picture could not be read from where it is kept ({fault.strerror or 'no reason'})."
            " Nothing was published.",
            retry=True,
        )
    if hashlib.sha256(content).hexdigest() != picture.sha256:
        return NotPrepared(
            "A picture is not the one that was signed: its file has changed. Add it again, and"
            " have the post signed again.",
            retry=False,
        )
    return content
