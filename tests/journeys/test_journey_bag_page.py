"""The page within a bag, opened from a disk in a browser: read, and held against everything bad."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from page_watch import DESKTOP, PHONE, RUN, TAGS, WIDE

from folkmoot.ledger import Checkpoint, MemoryStore, Signer, Tree, leaf_hash, seal
from folkmoot.ledger.bags import Capture, Item, Medium, Redaction, check_bag, write_bag

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TEXTS = [
    "Llifogydd: arhoswch gartref heno. ⚠️",
    "<script>document.title = 'run'</script><img src=x onerror=\"document.title = 'run'\">",
    "</td></table></main><style>body{display:none}</style><iframe src='https://evil.example'>",
    "user\u202egnp.exe\u2066 nul\0 zero\u200bwidth",
    "مرحبا بالعالم",
    "https://evil.example/" + "a" * 400,
]
MARKS = ["U+202E", "U+2066", "U+0000", "U+200B"]


@pytest.fixture(scope="module")
def bag(tmp_path_factory, photograph) -> Path:
    draw = random.Random(1).randbytes
    signer = Signer.generate("record.borsetshire.example/log", random_bytes=draw)
    data = Path(photograph).read_bytes()
    digest = sha256(data).hexdigest()
    sealed = [
        seal(
            id=draw(16).hex(),
            kind="post.sent",
            at=NOW,
            organisation="borsetshire",
            actor="m-12",
            role="press",
            subject=f"draft:{number}",
            retention="standard",
            fields={"text": text, "author": "Jo Bloggs"},
            salts=lambda: draw(32),
        )
        for number, text in enumerate([*TEXTS, f"picture {digest}"])
    ]
    tree = Tree(MemoryStore())
    tree.append([leaf_hash(entry.to_bytes()) for entry, _ in sealed])
    note = signer.sign(Checkpoint(signer.name, tree.size, tree.root()).to_text())
    folder = tmp_path_factory.mktemp("bags") / "request-114"
    write_bag(
        folder,
        title="Request 2026/114: <the flood>",
        about="Posts about the flood.\n\nChosen by subject.",
        made_at=NOW,
        checkpoint=note,
        policy=[signer.vkey],
        items=[
            Item(entry, number, tuple(tree.inclusion_proof(number)), fields[:1], {"m-12": "<Jo>"})
            for number, (entry, fields) in enumerate(sealed)
        ],
        redactions=[
            Redaction(entry.id, "author", "FOIA s.40(2)", "A member of staff.")
            for entry, _ in sealed
        ],
        media=[Medium(digest, "image/jpeg", 'The barrier "shut"', data)],
        captures=[Capture("https://social.example/1", NOW, 200, (), b"{}")],
    )
    assert check_bag(folder).ok
    return folder


def test_the_page_of_a_bag_reads_well_and_lets_nothing_in(browser, axe, bag: Path) -> None:
    page = browser.new_page(viewport=DESKTOP)
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.goto((bag / "data/index.html").as_uri())

    assert page.title() == "Request 2026/114: <the flood>"
    assert page.locator("article").count() == len(TEXTS) + 1
    said = page.locator("main").inner_text()
    for words in (
        TEXTS[0],
        TEXTS[1],
        TEXTS[2],
        "<Jo>",
        "Withheld: FOIA s.40(2) A member of staff.",
    ):
        assert words in said
    assert page.locator(".mark").all_text_contents() == MARKS
    # The style is let in by its hash: without it the header would not be dark.
    header = page.locator("header")
    assert header.evaluate("one => getComputedStyle(one).backgroundColor") == "rgb(11, 12, 12)"

    picture = page.locator("img")
    picture.scroll_into_view_if_needed()
    assert picture.evaluate("one => one.decode().then(() => one.naturalWidth)") > 0
    assert picture.get_attribute("alt") == 'The barrier "shut"'
    assert "so the proof covers it" in page.locator("figure").inner_text()

    for size, medium in ((PHONE, "screen"), (DESKTOP, "screen"), (DESKTOP, "print")):
        page.set_viewport_size(size)
        page.emulate_media(media=medium)  # on paper nothing waits to be scrolled to
        assert page.evaluate(WIDE) == []
        page.evaluate(axe)
        assert page.evaluate(RUN, TAGS) == []
    assert complaints == []
    assert {url.partition("/data/")[0] for url in asked} == {bag.as_uri()}
    # Even a script that got into the page could not run.
    page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
        " document.body.append(s); }"
    )
    assert page.evaluate("window.ran") is None
    page.close()
