"""The parts of the documentation that come from the code: ``docs/reference.md``.

``build_docs.py --check`` says whether the file is what the code would write now.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs" / "reference.md"
NOW = datetime(2026, 11, 25, tzinfo=UTC)


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


def channels_table() -> list[str]:
    from folkmoot.desk.accounts.adapters import CHANNELS, capabilities_of
    from folkmoot.desk.accounts.models import Account

    lines = [
        "| channel | one post | pictures | parts of a thread | answers | taken down | posts in |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for channel, title in CHANNELS.items():
        able = capabilities_of(Account(channel=channel, handle="council.example", connected_at=NOW))
        lengths = ", ".join(f"{one.most:,} {one.unit}s" for one in able.lengths) or "no limit"
        least = f"{able.least_pictures} to " if able.least_pictures else "up to "
        pace = f"{able.pace.posts:,} in {able.pace.seconds / 3600:g} h" if able.pace else "no limit"
        size = f"{able.picture_bytes / 1e6:.0f} MB each"
        lines.append(
            f"| {title} | {lengths} | {least}{able.pictures}, {size} |"
            f" {able.parts if able.parts > 1 else 'no threads'} | {_yes(able.replies)} |"
            f" {_yes(able.removes)} | {pace} |"
        )
    return lines


def _yes(able: bool) -> str:  # noqa: FBT001 - a word for a truth
    return "yes" if able else "no"


def life_cycles() -> list[str]:
    from folkmoot.desk.accounts.lifecycle import ACCOUNT
    from folkmoot.desk.drafts.lifecycle import DRAFT
    from folkmoot.desk.mailing.lifecycle import MAIL, SUBSCRIBER
    from folkmoot.desk.publishing.lifecycle import DELIVERY
    from folkmoot.desk.stops.lifecycle import STOP

    lines = []
    for table in (DRAFT, DELIVERY, STOP, ACCOUNT, SUBSCRIBER, MAIL):
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
            "## Channels",
            "",
            *channels_table(),
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
