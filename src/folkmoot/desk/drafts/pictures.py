"""Pictures as people hand them in, made into what can go out.

Every picture is decoded and written anew: what is kept is a picture and nothing else, upright,
without the place and camera it came from, and small enough for every channel. Author, approver and
public all see those very bytes. On the disk they are sealed, so that a picture can be erased with
its copies; its digest is over the bytes as they go out.
"""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.conf import settings
from PIL import Image, ImageOps

from folkmoot.desk.records import columns
from folkmoot.ledger import KeyLost

from .models import picture_subject

UPLOAD_LIMIT_BYTES = 15 * 1000 * 1000
KEPT_LIMIT_BYTES = 950 * 1000  # Bluesky takes 1,000,000; the others more
LONG_SIDE_PIXELS = 2000
PIXEL_LIMIT = 50_000_000
TOO_MANY_PIXELS = (
    f"has more than {PIXEL_LIMIT // 1_000_000} million pixels, which is more than we can handle. "
    "Save a smaller copy and choose that one. Your text has been kept."
)
READABLE = ("JPEG", "PNG", "WEBP", "GIF")
HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"}
EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png"}
PLACE = "drafts.picture.file"


class PictureRefused(Exception):
    """The file cannot be used as a picture; the message says why and what to do."""


class PictureErased(PictureRefused):
    """The picture was erased: nobody can see it any more."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture in the form in which it will go out."""

    sha256: str
    media_type: str
    size_bytes: int
    width: int
    height: int
    data: bytes


def make_picture(file: IO[bytes], *, size_bytes: int, name: str) -> Kept:
    """Decode the picture in ``file``, and make the form of it that will go out. Raises
    :class:`PictureRefused` for anything that is not a usable still picture.
    """
    if _is_video(file):
        raise PictureRefused(
            f"“{name}” is a video; only still pictures can be posted from here. Save one frame of "
            "it and choose that one, or put the video where it can be seen and link to it. Your "
            "text has been kept."
        )
    if size_bytes > UPLOAD_LIMIT_BYTES:
        raise PictureRefused(
            f"“{name}” is {size_bytes / 1e6:.1f} MB. The most we take is "
            f"{UPLOAD_LIMIT_BYTES // 1_000_000} MB. Save a smaller copy and choose that one. "
            "Your text has been kept."
        )
    data = file.read(UPLOAD_LIMIT_BYTES + 1)
    image, lossless = _decode(data, name)
    media_type, data, (width, height) = _encode(image, lossless=lossless)
    sha256 = hashlib.sha256(data).hexdigest()
    return Kept(sha256, media_type, len(data), width, height, data)


def keep_picture(kept: Kept, organisation_id: int) -> None:
    """Keep a picture's file, sealed. Part of the transaction that keeps its row."""
    sealed = columns.seal_file(picture_subject(organisation_id, kept.sha256), PLACE, kept.data)
    _write(picture_path(organisation_id, kept.sha256, kept.media_type), sealed)


def picture_path(organisation_id: int, sha256: str, media_type: str) -> Path:
    """The file that holds an organisation's picture with this digest, sealed."""
    name = f"{sha256}.{EXTENSIONS[media_type]}.sealed"
    return Path(settings.MEDIA_ROOT) / str(organisation_id) / sha256[:2] / name


def read_picture(organisation_id: int, sha256: str, media_type: str) -> bytes:
    """The bytes of a kept picture, proven to be those of its digest. Raises
    :class:`PictureErased`, and :class:`PictureRefused` where the file is gone or has been changed.
    """
    try:
        sealed = picture_path(organisation_id, sha256, media_type).read_bytes()
        data = columns.open_file(PLACE, sealed)
    except OSError as gone:
        raise PictureRefused("A picture of this post is missing from the store.") from gone
    except KeyLost as changed:
        raise PictureRefused("A picture of this post has changed since it was signed.") from changed
    if data is None:
        raise PictureErased("A picture of this post was erased.")
    if hashlib.sha256(data).hexdigest() != sha256:
        raise PictureRefused("A picture of this post has changed since it was signed.")
    return data


def _is_video(file: IO[bytes]) -> bool:
    """Whether the file begins as a video does: MP4 and QuickTime (whose boxes also hold HEIF
    pictures, by brand), Matroska and WebM, AVI.
    """
    head = file.read(16)
    file.seek(0)
    if head[4:8] == b"ftyp":
        return head[8:12] not in HEIF_BRANDS
    return (
        head[4:8] in {b"moov", b"mdat", b"wide"}
        or head.startswith(b"\x1aE\xdf\xa3")
        or (head.startswith(b"RIFF") and head[8:12] == b"AVI ")
    )


def _decode(data: bytes, name: str) -> tuple[Image.Image, bool]:
    """The picture, upright, and whether its file was lossless."""
    what = (
        f"“{name}” is not a picture we can read. Use a JPEG, PNG, WebP or GIF file. "
        "Your text has been kept."
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as about a camera's notes, which are dropped
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=READABLE)
            _refuse_unfit(image, name)
            image.load()
            return ImageOps.exif_transpose(image), image.format in {"PNG", "GIF"}
    except PictureRefused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as huge:
        raise PictureRefused(f"“{name}” {TOO_MANY_PIXELS}") from huge
    except Exception as unreadable:
        # Whatever a broken file makes the decoder say: it is not a picture that can be read.
        raise PictureRefused(what) from unreadable


def _refuse_unfit(image: Image.Image, name: str) -> None:
    if image.width * image.height > PIXEL_LIMIT:
        raise PictureRefused(f"“{name}” {TOO_MANY_PIXELS}")
    # Many telephones write MPO: the picture, then previews of it. It does not move.
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise PictureRefused(
            f"“{name}” is a moving picture. Only still pictures can be posted: save one "
            "frame of it and choose that one."
        )


def _encode(image: Image.Image, *, lossless: bool) -> tuple[str, bytes, tuple[int, int]]:
    """Media type, bytes and size in pixels of the form to keep: PNG while that is small enough and
    the picture came lossless, else JPEG of falling quality and then of falling size.
    """
    if image.mode.startswith("I"):  # 16 bits a pixel: to 8, which converting alone would cut off
        image = image.point(lambda shade: shade / 256).convert("L")
    image.thumbnail((LONG_SIDE_PIXELS, LONG_SIDE_PIXELS))
    see_through = image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info
    image = image.convert("RGBA" if see_through else "RGB")
    if lossless:
        data = _saved(image, "PNG", optimize=True)
        if len(data) <= KEPT_LIMIT_BYTES:
            return "image/png", data, image.size
    flat = image
    if see_through:
        flat = Image.new("RGB", image.size, "white")
        flat.paste(image, mask=image.getchannel("A"))
    while True:
        for quality in (88, 80, 70, 60):
            data = _saved(flat, "JPEG", quality=quality, optimize=True, progressive=True)
            if len(data) <= KEPT_LIMIT_BYTES:
                return "image/jpeg", data, flat.size
        flat.thumbnail((flat.width * 3 // 4, flat.height * 3 // 4))


def _saved(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    clean = Image.new(image.mode, image.size)
    clean.paste(image)
    clean.save(out, form, **options)
    return out.getvalue()


def _write(path: Path, data: bytes) -> None:
    """Write whole: a half-written picture must never carry a digest's name. One that stands there
    is replaced: it may be sealed under a key that is gone.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{id(data)}")
    with draft.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path)
