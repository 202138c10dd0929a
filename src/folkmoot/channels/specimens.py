"""Posts and pictures to try a channel with: plain, hostile, and beyond its limits."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace

from folkmoot.channels.port import Capabilities, Length, Live, Part, Picture, Rendition

HOSTILE_TEXTS = (
    "<script>alert(1)</script> <img src=x onerror=alert(1)> &amp; &lt;b&gt; ]]> <!-- \" ' -->",
    "\u202eright to left\u202c, \u2066isolated\u2069, zero\u200bwidth, soft\u00adhyphen",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f44b\U0001f3fd \u2764\ufe0f",
    "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f is a flag",
    "e\u0301 and \u00e9 are not made one; \U00020bb7\u91ce\u5bb6; \u0627\u0644\u0639\u0631",
    "{{ 7*7 }} ${7*7} %s %00 ' OR 1=1 -- \\u0000 \\n $link null",
    "two\n\nparagraphs,\ttabs and  two spaces",
    "See https://example.gov.uk/a_(b)?c=d&e=f#g. #GoodNews, #2026 and javascript:alert(1)",
)

_JPEG = bytes.fromhex(
    "ffd8ffe000104a46494600010100000100010000ffdb004300100b0c0e0c0a100e0d0e1211101318281a1816181"
    "63123251d283a333d3c3933383740485c4e404457453738506d51575f626768673e4d71797064785c656763ffc0"
    "000b080003000401011100ffc40014000100000000000000000000000000000005ffc400141001000000000000"
    "00000000000000000000ffda0008010100003f0031ffd9"
)


def make_png(width: int, height: int, shade: int) -> bytes:
    """A grey picture of one ``shade`` (0 to 255) in PNG: the same bytes for the same arguments."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\0" + bytes([shade]) * width) * height
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def make_jpeg(shade: int) -> bytes:
    """A grey picture of 4 by 3 pixels in JPEG; ``shade`` tells one from another, in a comment."""
    return _JPEG[:2] + bytes([0xFF, 0xFE, 0, 3, shade]) + _JPEG[2:]


def make_picture(
    alt: str, *, width: int = 4, height: int = 3, shade: int = 90, media_type: str = "image/png"
) -> Picture:
    """A small PNG, or JPEG of 4 by 3, with its digest, ready to be sent."""
    jpeg = media_type == "image/jpeg"
    content = make_jpeg(shade) if jpeg else make_png(width, height, shade)
    return Picture(
        sha256=hashlib.sha256(content).hexdigest(),
        media_type=media_type,
        size_bytes=len(content),
        width=width,
        height=height,
        alt=alt,
        read=lambda: content,
    )


def post(*texts: str) -> Rendition:
    """A rendition of one part, or a thread of several."""
    return Rendition(tuple(Part(text) for text in texts))


def make_post(limits: Capabilities, *texts: str) -> Rendition:
    """A post, or a thread, with as many pictures as the channel demands and no more."""
    pictures = make_pictures(limits, limits.least_pictures)
    return Rendition(tuple(Part(text, pictures) for text in texts))


def make_pictures(limits: Capabilities, count: int) -> tuple[Picture, ...]:
    """Up to ``count`` different pictures: no more than the channel takes, nor fewer."""
    count = max(min(count, limits.pictures), limits.least_pictures)
    kind = "image/png" if "image/png" in limits.picture_types else "image/jpeg"
    return tuple(
        make_picture(f"Square number {number} \u2013 gr\u00e5.", shade=10 * number, media_type=kind)
        for number in range(1, count + 1)
    )


def beyond_limits(limits: Capabilities) -> list[Rendition]:
    """Renditions that each break one limit of the channel."""
    broken = [
        Rendition(()),
        post(""),
        post(" \n\t"),
        make_post(limits, "a bell\x07"),
        make_post(limits, "half a pair \ud83d"),
        make_post(limits, *["part"] * (limits.parts + 1)),
    ]
    if limits.least_pictures:
        broken.append(post("Without a picture."))
    broken += [make_post(limits, too_long(length)) for length in limits.lengths]
    [fine] = make_pictures(replace(limits, pictures=1, least_pictures=1), 1)
    wrong = [
        (fine,) * (limits.pictures + 1),
        (replace(fine, size_bytes=limits.picture_bytes + 1),),
        (replace(fine, media_type="image/svg+xml"),),
        (replace(fine, alt=" "),),
        (replace(fine, width=0),),
    ]
    if limits.alt is not None:
        wrong.append((replace(fine, alt=too_long(limits.alt)),))
    return broken + [Rendition((Part("Look:", pictures),)) for pictures in wrong]


def agree(rendition: Rendition, live: Live, reads_as: Callable[[str], str]) -> bool:
    """Whether what is live is ``rendition``, whose texts the channel shows as ``reads_as`` says,
    as far as the channel shows it.
    """
    signed = [
        (reads_as(part.text), [(one.alt, one.sha256) for one in part.pictures])
        for part in rendition.parts
    ]
    if not len(signed) == len(live.texts) == len(live.alts) == len(live.picture_sha256s):
        return False
    for (text, pictures), shown, alts, digests in zip(
        signed, live.texts, live.alts, live.picture_sha256s, strict=True
    ):
        if shown != text or not len(pictures) == len(alts) == len(digests):
            return False
        for (alt, sha256), shown_alt, digest in zip(pictures, alts, digests, strict=True):
            if shown_alt not in (alt, None) or digest not in (sha256, None):
                return False
    return True


def too_long(length: Length) -> str:
    """The shortest text of accents on one letter, of letters, or of hashtags, mentions or links,
    that breaks ``length``: few of some units are many of others.
    """
    numbers = range(length.most + 1)
    texts = [
        "e" + "\u0301" * length.most,
        "x" * (length.most + 1),
        *(
            " ".join(f"{start}{number}" for number in numbers)
            for start in ("#tag", "@somebody", "https://example.gov.uk/")
        ),
    ]
    return next(text for text in texts if length.count(text) > length.most)


def longest_text(limits: Capabilities) -> str:
    """A text as long as all of the channel's limits allow; 5,000 letters where there are none.

    Four-byte characters first, so that graphemes, code points and bytes all differ.
    """
    least, most = 0, max((length.most for length in limits.lengths), default=5000)

    def fits(count: int) -> bool:
        text = "\U0001f44d" * min(count, 50) + "a" * max(count - 50, 0)
        return all(length.count(text) <= length.most for length in limits.lengths)

    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if fits(middle) else (least, middle - 1)
    return "\U0001f44d" * min(least, 50) + "a" * max(least - 50, 0)
