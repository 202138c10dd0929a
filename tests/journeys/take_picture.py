"""Takes ``docs/desk.png``, the picture of the composer: ``python tests/journeys/take_picture.py``."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from desk_people import Person, paint_picture, running_browser
from PIL import Image
from running_desk import RunningDesk

WANTED = Path(__file__).parents[2] / "docs" / "desk.png"
TEXT = (
    "The Teddington barrier is closed UNTIL FURTHER NOTICE because the river is high. "
    "If you are moored there, text Jo on 07700 900123. #floodwarning"
)
ALT = "A closed steel barrier across a wide river, with brown water close to its top."


def take_picture(file: Path) -> None:
    """Write a post that the check has something to say about, and keep what the author sees."""
    with tempfile.TemporaryDirectory() as folder, running_browser() as browser:
        desk = RunningDesk(Path(folder))
        desk.start()
        try:
            author = Person(browser, desk).sign_in("author")
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
    picture = Image.open(io.BytesIO(taken)).convert("RGB")
    picture.quantize(192, dither=Image.Dither.NONE).save(file, optimize=True)
    print(f"{file}: {picture.width} by {picture.height}, {file.stat().st_size} bytes")


if __name__ == "__main__":
    take_picture(WANTED)
