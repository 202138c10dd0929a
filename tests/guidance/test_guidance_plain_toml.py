"""The quick reader of plain TOML reads as the standard library does, or leaves it to it."""

from __future__ import annotations

import random
import tomllib

import pytest

from folkmoot.guidance.finding import SHIPPED
from folkmoot.guidance.plain_toml import find_plain


def front_matters() -> list[str]:
    return [
        file.read_text(encoding="utf-8").split("+++\n")[1]
        for file in sorted(SHIPPED.glob("*/clauses/*.md"))
    ]


def test_it_reads_every_shipped_clause_as_the_standard_library_does():
    texts = front_matters()
    read = [find_plain(text) for text in texts]
    assert [each for each in read if each is not None] == [
        tomllib.loads(text) for text, each in zip(texts, read, strict=True) if each is not None
    ]
    # It is there to be quick: nearly all must be plain.
    assert sum(each is None for each in read) <= len(texts) / 20


def test_it_reads_every_other_shipped_file_as_the_standard_library_does():
    for file in SHIPPED.rglob("*.toml"):
        text = file.read_text(encoding="utf-8")
        read = find_plain(text)
        assert read is None or read == tomllib.loads(text), file


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n\n",
        'a = "b"\n',
        'a = ["b", "c"]\nd = []\n',
        "a = 2026-02-28\nb = 0\nc = true\n",
        '[[row]]\na = 1\n[[row]]\na = 2\n[[other]]\na = "x"\n',
        'a = "it’s, “so” # no comment"\n',
    ],
)
def test_plain_text_is_read(text: str):
    assert find_plain(text) == tomllib.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        'a = "b" # c\n',
        "a = 'b'\n",
        'a = "b\\n"\n',
        "a = 1.5\n",
        "a = 007\n",
        "a = 2026-02-30\n",
        'a = ["b", "c",]\n',
        'a = [\n"b"]\n',
        'a = "b"\na = "c"\n',
        'a = ["b"]\n[[a]]\n',
        "a = []\n[[a]]\n",
        "[[a]]\nb = 1\n[[a]]\nb = 1\nb = 2\n",
        "[a]\nb = 1\n",
        "a.b = 1\n",
        "[[a.b]]\n",
        'a = """b"""\n',
        "a = {}\n",
        "a = 1\r\n",
        'a = "\t"\n',
        "# \x07\n",
        "nonsense",
    ],
)
def test_anything_else_is_left_to_the_standard_library(text: str):
    assert find_plain(text) is None


def test_whatever_it_reads_of_spoilt_files_the_standard_library_reads_too():
    chance = random.Random(3)
    pool = [*"\"'\\[]{}=#,. \n\t01x-_", "\r\n", "[[a]]\n", 'a = "b"\n', '"""', "2026-01-01"]
    for text in front_matters():
        for _ in range(6):
            at = chance.randrange(len(text))
            spoilt = text[:at] + chance.choice(pool) + text[at + chance.randrange(3) :]
            read = find_plain(spoilt)
            if read is not None:
                assert read == tomllib.loads(spoilt), spoilt
