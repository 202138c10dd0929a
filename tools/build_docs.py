"""The parts of the documentation that come from the code: ``docs/reference.md``.

``build_docs.py --check`` says whether the file is what the code would write now.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs" / "reference.md"


def settings_table() -> list[str]:
    from folkmoot.desk.site.config import Config

    lines = ["| setting | what it is |", "| --- | --- |"]
    found = re.findall(r'"""``(FOLKMOOT_\w+)``: (.*?)"""', inspect.getsource(Config), re.DOTALL)
    lines += [f"| `{name}` | {' '.join(words.split())} |" for name, words in found]
    return lines


def rules_table() -> list[str]:
    from folkmoot.check import Checker
    from folkmoot.guidance import load_pack

    lines = ["| rule | effect | what it finds | clauses |", "| --- | --- | --- | --- |"]
    rules = sorted(Checker(load_pack("uk-civil-service")).rules, key=lambda rule: rule.id)
    lines += [
        f"| `{rule.id}` | {rule.effect.word} | {rule.title} | {', '.join(rule.clauses)} |"
        for rule in rules
    ]
    return lines


def life_cycles() -> list[str]:
    from folkmoot.desk.drafts.lifecycle import DRAFT
    from folkmoot.desk.publishing.lifecycle import DELIVERY

    lines = []
    for table in (DRAFT, DELIVERY):
        lines += [f"### {table.name.capitalize()}", "", "```mermaid", table.mermaid(), "```", ""]
    return lines


def reference() -> str:
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("FOLKMOOT_HOME", home)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "folkmoot.desk.site.settings")
        import django

        django.setup()
        from folkmoot.cli import usage

        parts = [
            "# Reference",
            "",
            "Written by `make docs` from the code; `make check` holds it true.",
            "",
            "## Commands",
            "",
            "```",
            usage(),
            "```",
            "",
            "## Settings",
            "",
            *settings_table(),
            "",
            "## Life-cycles",
            "",
            *life_cycles(),
            "## Rules of the pack `uk-civil-service`",
            "",
            *rules_table(),
        ]
    return "\n".join(parts) + "\n"


def main(argv: list[str]) -> int:
    text = reference()
    if "--check" in argv:
        if not REFERENCE.exists() or REFERENCE.read_text(encoding="utf-8") != text:
            print("docs/reference.md is not what the code says: run `make docs`.", file=sys.stderr)
            return 1
        return 0
    REFERENCE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
