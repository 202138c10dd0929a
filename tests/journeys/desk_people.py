"""People at a desk, each in a browser of their own, and everything their browser complains of."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, sync_playwright
from running_desk import RunningDesk

CHROMIUM = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
]
HARM = re.compile(r"harm", re.IGNORECASE)


@contextmanager
def running_browser() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM
        )
        try:
            yield browser
        finally:
            browser.close()


def paint_picture(file: Path, *, words: str = "Flood barrier closed") -> Path:
    """A photograph as a press officer might add: a JPEG of 1200 by 675."""
    image = Image.new("RGB", (1200, 675), "#16425b")
    draw = ImageDraw.Draw(image)
    for line in range(12):
        draw.arc((line * 110 - 60, 430, line * 110 + 60, 520), 180, 360, "#81c3d7", 6)
    draw.rectangle((90, 150, 1110, 330), fill="white")
    draw.text((130, 190), words, fill="#16425b", font_size=88)
    kept = io.BytesIO()
    image.save(kept, "JPEG", quality=88)
    file.write_bytes(kept.getvalue())
    return file


class Person:
    """Somebody at a browser. ``complaints`` collects what its console and its policy report."""

    def __init__(self, browser: Browser, desk: RunningDesk, **options: Any) -> None:
        options = {"viewport": {"width": 1280, "height": 900}} | options
        self.desk = desk
        self.complaints: list[str] = []
        self.context = browser.new_context(base_url=desk.address, locale="en-GB", **options)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("console", lambda said: self._note(said.type, said.text))
        self.page.on("pageerror", lambda fault: self.complaints.append(f"script: {fault}"))

    def _note(self, kind: str, text: str) -> None:
        # A page that answers 422 or 404 on purpose is named by Chromium as a failed resource.
        if kind in {"error", "warning"} and "Failed to load resource" not in text:
            self.complaints.append(f"{kind} on {self.page.url}: {text}")

    def close(self) -> None:
        """Leave. Nothing that the browser complained of is let pass."""
        self.context.close()
        assert self.complaints == []

    def sign_in(self, who: str) -> Person:
        """Sign in as ``author``, ``approver``, ``duty`` or ``records`` with what the desk printed
        at its start; on the same desk later, come back with the cookies of that time.
        """
        if who in self.desk.cookies:
            self.context.add_cookies(self.desk.cookies[who])
            self.page.goto("/desk/")
            assert self.page.title().startswith("Today")
            return self
        self.page.goto("/sign-in/")
        self.page.get_by_label("E-mail address").fill(f"{who}@practice.example")
        self.page.get_by_label("Password", exact=True).fill(self.desk.password(who))
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url("**/desk/")
        self.desk.cookies[who] = self.context.cookies()
        return self

    def compose(
        self, text: str, *channels: str, picture: Path | None = None, alt: str = ""
    ) -> None:
        """Fill in the composer that is open."""
        self.page.get_by_label("What do you want to say?").fill(text)
        for channel in channels:
            self.page.get_by_label(channel, exact=True).check()
        if picture is not None:
            self.page.get_by_label("Add a picture").set_input_files(picture)
            self.page.get_by_label("Describe it for those who cannot see it").fill(alt)

    def answer_questions(self) -> None:
        """Answer each question as one who may post: no to harm, yes to the others."""
        questions = self.page.locator('fieldset:not(:has(fieldset)):has(input[name^="answer-"])')
        assert questions.count(), "The composer asks nothing."
        for question in questions.all():
            asked = question.locator("legend").inner_text()
            question.get_by_label("No" if HARM.search(asked) else "Yes", exact=True).check()

    def click(self, name: str) -> None:
        """Press the button of this name, and wait for the page it leads to."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=name, exact=True).click()

    def post_number(self) -> int:
        """The number of the post whose page is open."""
        found = re.search(r"/desk/(?:drafts|signoff)/(\d+)", self.page.url)
        assert found, f"{self.page.url} is no post's page. {self.problems()}"
        return int(found[1])

    def problems(self) -> list[str]:
        """What the error summary of the page says."""
        return self.page.locator(".govuk-error-summary li").all_inner_texts()

    def send_for_signoff(
        self, text: str, *channels: str, picture: Path | None = None, alt: str = ""
    ) -> int:
        """Write a post and ask for its sign-off; its number."""
        self.page.goto("/desk/drafts/new")
        self.compose(text, *channels, picture=picture, alt=alt)
        self.answer_questions()
        self.click("Send for sign-off")
        self.page.wait_for_url(re.compile(r"/desk/drafts/\d+$"))
        return self.post_number()

    def sign(self, number: int) -> None:
        """Sign a post as it stands."""
        self.page.goto(f"/desk/signoff/{number}")
        self.click("Sign")
        self.page.wait_for_url(f"**/desk/drafts/{number}")

    def download_proof(self) -> Path:
        """The proof offered by the register's entry that is open, as a file."""
        with self.page.expect_download() as coming:
            self.page.get_by_role("button", name="Download the proof").click()
        assert coming.value.suggested_filename.endswith(".tlog-proof")
        return coming.value.path()

    def read_key(self) -> str:
        """The key of the record, as the body publishes it."""
        self.page.goto("/ledger/key")
        return self.page.locator("p.desk-key code").inner_text()

    def text(self) -> str:
        """What the page's main part says."""
        return self.page.locator("main").inner_text()

    def says(self, sentence: str) -> bool:
        """Whether the page, fetched anew, says ``sentence``."""
        self.page.reload()
        return sentence in self.text()
