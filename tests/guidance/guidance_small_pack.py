"""A small pack that loads, for tests to spoil."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

PACK = """\
id = "{id}"
title = "A small pack"
version = "2026.11"
issuer = "The tests"
nation = "UK"
summary = "Enough to load."
"""

SOURCES = """\
[[source]]
id = "{id}-paper"
title = "A paper"
issuer = "An office"
version_on = 2020-02-03
checked_on = 2026-11-01
status = "in_force"
evidence = "seen_in_part"
url = "https://office.example/paper"
url_history = ["https://office.example/old-paper"]
licence = "OGL"
note = "A note."
"""

FRONT = """\
source = "{id}-paper"
kind = "standard"
title = "Be kind"
group = "Manners"
order = 10
checked_on = 2026-11-02
status = "in_force"
evidence = "reported"
"""

BODY = "## overview\n\nOne.\n\n## snapshot\n\nTwo.\n\n## full\n\nThree.\n"


def clause_text(*, pack: str = "small", front: str = "", body: str = BODY, **changes: str) -> str:
    """A clause's file; ``changes`` replace the value of a key, an empty value drops the key."""
    lines = []
    for line in FRONT.format(id=pack).splitlines():
        key = line.split(" = ")[0]
        if key not in changes:
            lines.append(line)
        elif changes[key]:
            lines.append(f"{key} = {changes[key]}")
    lines += [
        f"{key} = {value}" for key, value in changes.items() if f"\n{key} = " not in "\n" + FRONT
    ]
    return "+++\n" + "\n".join(lines) + "\n" + front + "+++\n\n" + body


Writer = Callable[..., Path]


@pytest.fixture
def write_pack(tmp_path: Path) -> Writer:
    """Write a pack that loads and give its folder; ``clauses`` maps ids to file texts."""

    def write(
        name: str = "small",
        *,
        pack: str = "",
        sources: str | None = None,
        clauses: dict[str, str] | None = None,
        under: Path = tmp_path,
    ) -> Path:
        folder = under / name
        (folder / "clauses").mkdir(parents=True)
        (folder / "pack.toml").write_text(PACK.format(id=name) + pack, encoding="utf-8")
        text = SOURCES.format(id=name) if sources is None else sources
        if text:
            (folder / "sources.toml").write_text(text, encoding="utf-8")
        own = {f"{name.upper()}-1": clause_text(pack=name)} if clauses is None else clauses
        for clause_id, clause in own.items():
            (folder / "clauses" / f"{clause_id}.md").write_text(clause, encoding="utf-8")
        return folder

    return write
