"""Takes ``docs/desk.png``, the picture of the composer. Run it by hand, as a program."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from desk_people import Person, paint_picture, running_browser
from PIL import Image
from running_desk import RunningDesk

WANTED = Path(__file__).parents[2] / "docs" / "desk.png"
TEXT = (
    "The Teddington barrier is closed today because the river is high. "
    "If your boat is moored there, call 07700 900123."
)
ALT = "A closed steel barrier across a wide river, with brown water close to its top."


def take_picture(file: Path) -> None:
    """Write a post that the check has something to say about, and keep what the author sees."""
    with tempfile.TemporaryDirectory() as folder, running_browser() as browser:
        desk = RunningDesk(Path(folder))
        desk.start()
        try:
            # Rather more than fits is laid out, and drawn a little smaller: 1280 by 900 in the end.
            window = {"width": 1440, "height": 1012}
            author = Person(browser, desk, viewport=window, device_scale_factor=1280 / 1440)
            author.sign_in("author")
            page = author.page
            page.goto("/desk/drafts/new")
            photograph = paint_picture(Path(folder) / "barrier.jpg")
            author.compose(TEXT, "Our feed", picture=photograph, alt=ALT)
            author.click("Save and check")
            page.wait_for_url("**/edit")
            page.goto(page.url)  # without the banner that it was saved
            page.wait_for_load_state("networkidle")
            taken = page.screenshot()
            author.close()
        finally:
            desk.stop()
    picture = Image.open(io.BytesIO(taken)).convert("RGB").crop((0, 0, 1280, 900))
    picture.quantize(192, dither=Image.Dither.NONE).save(file, optimize=True)
    print(f"{file}: {picture.width} by {picture.height}, {file.stat().st_size} bytes")


if __name__ == "__main__":
    take_picture(WANTED)
