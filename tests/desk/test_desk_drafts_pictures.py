"""Pictures: what is kept is a picture and nothing else; what is not one is refused in words."""

from __future__ import annotations

import html
import io
import struct
import zlib

import desk_moves as moves
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from folkmoot.desk.drafts import actions as drafts
from folkmoot.desk.drafts.models import Draft, Picture
from folkmoot.desk.drafts.pictures import (
    PictureRefused,
    make_picture,
    picture_path,
    read_picture,
)
from folkmoot.desk.drafts.queries import get_version


def hand_in(cast, data, name, *, alt="A teal field.", text="With a picture."):
    """The composer, sent with this file; the page that came back, followed to its end."""
    form = moves.form_of(cast.content(text), picture_alt=alt)
    form["picture"] = SimpleUploadedFile(name, data, "image/png")
    answer = cast.client(cast.alice).post("/desk/drafts/new", form, follow=True)
    return answer.status_code, html.unescape(answer.content.decode())


def bytes_of(image, form, **options):
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def animated(form):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    return bytes_of(frames[0], form, save_all=True, append_images=frames[1:])


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


BOMB = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    + chunk(b"IEND", b"")
)
PNG = moves.picture_file().getvalue()
JPEG = bytes_of(Image.effect_noise((300, 200), 40).convert("RGB"), "JPEG")
UNREADABLE = "is not a picture we can read. Use a JPEG, PNG, WebP or GIF file."

REFUSED = {
    "a 20 MB file": (b"\xff\xd8" + b"\0" * 20_000_000, "big.jpg", "“big.jpg” is 20.0 MB."),
    "a renamed program": (b"MZ\x90\0" + b"\0" * 500, "holiday.png", UNREADABLE),
    "a page of script": (b"<svg onload='alert(1)'/>", "x.svg", UNREADABLE),
    "nothing at all": (b"", "empty.png", UNREADABLE),
    "a moving GIF": (animated("GIF"), "cat.gif", "is a moving picture. Only still pictures"),
    "a moving PNG": (animated("PNG"), "cat.png", "is a moving picture. Only still pictures"),
    "a moving WebP": (animated("WEBP"), "cat.webp", "is a moving picture. Only still pictures"),
    "a bomb": (BOMB, "bomb.png", "more than we can handle"),
    "a JPEG cut short": (JPEG[: len(JPEG) // 2], "cut.jpg", UNREADABLE),
    "a PNG with a changed byte": (
        PNG.replace(b"IDAT\x78", b"IDAT\x79"),
        "bad.png",
        UNREADABLE,
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_picture_we_take_is_refused_and_the_words_are_kept(cast, case):
    data, name, sentence = REFUSED[case]
    status, page = hand_in(cast, data, name)
    assert status == 422
    assert sentence in page
    assert name in page
    assert "With a picture." in page
    assert "A teal field." in page
    assert get_version(Draft.objects.get()).text == "With a picture."
    assert not Picture.objects.exists()


def test_a_picture_without_words_for_it_is_kept_and_stops_the_post(cast):
    status, page = hand_in(cast, moves.picture_file().getvalue(), "p.png", alt=" ")
    assert status == 200
    draft = Draft.objects.get()
    (row,) = get_version(draft).pictures
    form = moves.form_of(cast.content("With a picture."), do="signoff")
    answer = cast.client(cast.alice).post(f"/desk/drafts/{draft.pk}/edit", form)
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert "This picture has no text alternative. Say in words what it shows" in page
    answer = cast.client(cast.alice).post(
        f"/desk/drafts/{draft.pk}/edit",
        {**form, f"alt-{row['sha256']}": "Teal.\0", "revision": moves.again(cast, draft).revision},
    )
    assert answer.status_code == 422
    assert "could not be read" in html.unescape(answer.content.decode())


def test_where_and_with_what_it_was_taken_is_gone_from_what_is_kept(cast):
    exif = Image.Exif()
    exif[0x010F] = "SpyCam"
    exif[0x0112] = 6  # lies on its side
    exif.get_ifd(0x8825)[2] = (51.0, 30.0, 26.0)
    image = Image.new("RGB", (40, 30), "teal")
    data = bytes_of(image, "JPEG", exif=exif, comment=b"secret comment")
    assert b"SpyCam" in data
    status, _ = hand_in(cast, data, "IMG_0001.jpg")
    assert status == 200
    (row,) = get_version(Draft.objects.get()).pictures
    kept = read_picture(cast.body.pk, row["sha256"], row["media_type"])
    assert b"SpyCam" not in kept
    assert b"secret comment" not in kept
    with Image.open(io.BytesIO(kept)) as image:
        assert not image.getexif()
        assert image.size == (30, 40)
        assert "icc_profile" not in image.info


def test_what_was_hidden_after_the_picture_is_gone_from_what_is_kept(cast):
    hand_in(cast, moves.picture_file().getvalue() + b"PK\x03\x04 a whole archive", "p.png")
    (row,) = get_version(Draft.objects.get()).pictures
    assert b"archive" not in read_picture(cast.body.pk, row["sha256"], row["media_type"])


def keep(data, name="p"):
    return make_picture(io.BytesIO(data), size_bytes=len(data), name=name)


def shade(kept):
    with Image.open(io.BytesIO(kept.data)) as image:
        return image.convert("RGB").getpixel((3, 3))


FORMS = {
    "grey": (Image.new("L", (8, 8), 100), "PNG", (100, 100, 100)),
    "one bit": (Image.new("1", (8, 8), 1), "PNG", (255, 255, 255)),
    "palette": (Image.new("RGB", (8, 8), (0, 128, 0)).quantize(), "PNG", (0, 128, 0)),
    "four inks": (Image.new("CMYK", (8, 8), (0, 0, 0, 155)), "JPEG", (100, 100, 100)),
    "sixteen bits": (Image.new("I;16", (8, 8), 100 * 257), "PNG", (100, 100, 100)),
    "a still GIF": (Image.new("RGB", (8, 8), (0, 128, 0)).quantize(), "GIF", (0, 128, 0)),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_picture_in_an_uncommon_form_keeps_its_shade(cast, form):
    image, file_form, expected = FORMS[form]
    seen = shade(keep(bytes_of(image, file_form)))
    assert all(abs(a - b) <= 6 for a, b in zip(seen, expected, strict=True)), seen


def test_a_photograph_with_a_preview_inside_is_a_still_picture(cast):
    """Many telephones write such files: the main picture first, then a smaller or a brighter."""
    frames = [Image.new("RGB", (64, 64), "teal"), Image.new("RGB", (16, 16), "teal")]
    data = bytes_of(frames[0], "MPO", save_all=True, append_images=frames[1:])
    assert keep(data).width == 64


def test_a_large_picture_is_made_small_enough_for_every_channel(cast):
    kept = keep(bytes_of(Image.effect_noise((2600, 2600), 90), "PNG"))
    assert kept.size_bytes <= 950_000
    assert max(kept.width, kept.height) <= 2000


def test_a_file_with_any_byte_broken_is_a_picture_or_refused_and_never_a_crash(cast):
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Maker"
    source = bytes_of(Image.new("RGB", (9, 7), "teal"), "JPEG", exif=exif)
    for place in range(0, len(source), 3):
        for value in (0, 255):
            data = source[:place] + bytes([value]) + source[place + 1 :]
            try:
                keep(data)
            except PictureRefused:
                continue


def test_a_picture_is_not_shown_to_another_body_nor_in_public_before_it_is_published(cast):
    hand_in(cast, moves.picture_file().getvalue(), "p.png")
    (row,) = get_version(Draft.objects.get()).pictures
    address = f"/desk/pictures/{row['sha256']}"
    answer = cast.client(cast.bob).get(address)
    assert answer.status_code == 200
    assert answer.content.startswith(b"\x89PNG")
    assert cast.client(cast.mallory).get(address).status_code == 404
    assert cast.client().get(f"/pictures/{row['sha256']}.png").status_code == 404
    picture_path(cast.body.pk, row["sha256"], row["media_type"]).unlink()
    assert cast.client(cast.bob).get(address).status_code == 404
    Picture.objects.update(public=True)
    assert cast.client().get(f"/pictures/{row['sha256']}.png").status_code == 404


def test_a_published_picture_is_seen_by_anyone_with_its_words(cast):
    hand_in(cast, moves.picture_file().getvalue(), "p.png")
    draft = Draft.objects.get()
    drafts.send_for_signoff(cast.alice, draft.pk, now=cast.clock())
    moves.sign(cast, moves.again(cast, draft))
    moves.work(cast)
    assert (moves.told(draft).state, moves.told(draft).read_back) == ("sent", "matches")
    (row,) = get_version(draft).pictures
    answer = cast.client().get(f"/pictures/{row['sha256']}.png")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")
    page = cast.client().get(moves.told(draft).url.removeprefix("http://testserver"))
    assert 'alt="A teal field."' in page.content.decode()
