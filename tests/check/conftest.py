"""What the checker's tests share: the shipped pack's checker, and small packs made by hand."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from folkmoot.check import Checker
from folkmoot.guidance import (
    Clause,
    ClauseKind,
    Evidence,
    Level,
    Pack,
    Source,
    Status,
    load_pack,
)

SOURCE = Source(
    id="code",
    title="The Code",
    issuer="The council",
    version_on=None,
    checked_on=date(2026, 11, 1),
    status=Status.IN_FORCE,
    evidence=Evidence.SEEN_IN_FULL,
    url="https://example.org/code",
    url_history=(),
    licence="OGL",
    note="",
)
CLAUSE = Clause(
    id="A-1",
    pack="small",
    source="code",
    kind=ClauseKind.STANDARD,
    title="Be plain",
    official_ref=None,
    aliases=("one",),
    version_on=None,
    checked_on=date(2026, 11, 1),
    status=Status.IN_FORCE,
    evidence=Evidence.SEEN_IN_FULL,
    url="https://example.org/code",
    url_history=(),
    group="Words",
    audiences=frozenset(),
    levels=dict.fromkeys(Level, "Be plain."),
)
KEYS = {
    "id": '"words/plain"',
    "title": '"Plain words"',
    "status": '"stable"',
    "since": '"2026.11"',
    "clauses": '["A-1"]',
    "effect": '"advise"',
    "confidence": "0.9",
    "clear_by": '"author"',
    "message": '"Found: {words}."',
    "advice": '"Say it plainly."',
    "why": '"Because."',
    "when_wrong": '"Seldom."',
}


def rule_text(tail: str, **keys: str | None) -> str:
    """A rule's file: the usual keys with ``keys`` in their place (``None`` leaves one out)."""
    merged = KEYS | keys
    return "\n".join(f"{key} = {value}" for key, value in merged.items() if value) + f"\n{tail}\n"


@pytest.fixture
def make_checker(tmp_path: Path) -> Callable[..., Checker]:
    """A checker of a hand-made pack, given each rule's file and perhaps the questions' file."""

    def make(*rules: str, questions: str | None = None) -> Checker:
        folder = tmp_path / "small"
        (folder / "rules").mkdir(parents=True, exist_ok=True)
        for number, text in enumerate(rules):
            (folder / "rules" / f"r{number}.toml").write_text(text, encoding="utf-8")
        if questions is not None:
            (folder / "questions.toml").write_text(questions, encoding="utf-8")
        return Checker(
            Pack(
                id="small",
                title="Small",
                version="2026.11",
                issuer="The council",
                nation="uk",
                summary="Small.",
                extends=(),
                sources=(SOURCE,),
                clauses=(CLAUSE,),
                folders=(folder,),
                digest="ab" * 32,
            )
        )

    return make


@pytest.fixture
def rule() -> Callable[..., str]:
    """The text of a rule's file, as :func:`rule_text` makes it."""
    return rule_text


@pytest.fixture(scope="session")
def checker() -> Checker:
    """The checker of the pack that is shipped."""
    return Checker(load_pack("uk-civil-service"))
