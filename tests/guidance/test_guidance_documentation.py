"""docs/packs.md: its example loads, and its tables name the keys the loader takes."""

from __future__ import annotations

import re
from pathlib import Path

from folkmoot import guidance
from folkmoot.guidance import (
    Audience,
    Evidence,
    amending,
    clause_file,
    load_pack,
    loader,
    source_file,
)
from folkmoot.guidance.cli import _parser

TEXT = (Path(__file__).parents[2] / "docs" / "packs.md").read_text(encoding="utf-8")


def keys_told(section: str) -> set[str]:
    """The keys in the first column of the table under a heading."""
    part = TEXT.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+?`) \|", part, re.MULTILINE)
    return {key.strip("[]") for row in rows for key in re.findall(r"`(.+?)`", row)}


def test_the_worked_example_is_a_pack_that_works(tmp_path: Path):
    files = re.findall(
        r"^`(my-council/\S+)`:\n\n```\w+\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL
    )
    assert [name for name, _ in files] == [
        "my-council/pack.toml",
        "my-council/sources.toml",
        "my-council/clauses/PUB-1.md",
    ]
    for name, text in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    pack = load_pack(tmp_path / "my-council")
    assert pack.get_clause("PUB-1").official_ref == "Paragraph 4"
    assert pack.get_clause("HON-M1").pack == "uk-civil-service"


def test_every_key_is_told_and_no_other():
    assert keys_told("`pack.toml`") == set(loader._PACK_KEYS)
    assert keys_told("`sources.toml`") == set(source_file._SOURCE_KEYS)
    assert keys_told("`clauses/<ID>.md`") == set(clause_file._KEYS)


def test_every_word_for_evidence_is_told():
    assert keys_told("How well we know it") == {word.value for word in Evidence}


def test_every_key_of_a_change_and_every_audience_is_told():
    assert keys_told("To change an inherited clause") == set(amending.AMEND_KEYS)
    assert keys_told("Whom it concerns") == {audience.value for audience in Audience}


def test_every_command_is_told():
    told = TEXT.partition("\n## On the command line\n")[2].partition("\n## ")[0]
    commands = re.findall(r"^folkmoot guidance (\S+)", told, re.MULTILINE)
    (subparsers,) = (action for action in _parser()._actions if action.dest == "command")
    assert set(commands) == set(subparsers.choices or ())


def test_every_name_told_can_be_imported():
    told = TEXT.partition("\n## From Python\n")[2]
    names = re.findall(r"\w+", told.partition("import (")[2].partition(")")[0])
    assert len(names) > 10
    for name in (*names, *guidance.__all__):
        assert getattr(guidance, name) is not None


def test_the_depth_limit_is_the_one_told():
    assert loader.DEPTH_LIMIT == 8
    assert "At most eight packs" in TEXT
