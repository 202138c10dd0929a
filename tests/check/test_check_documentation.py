"""What `docs/rules.md` shows works as shown."""

import json
import re
from dataclasses import fields
from pathlib import Path

from folkmoot.check import FACTS, Attachment, Report, find_faults
from folkmoot.check.circumstances import CONTEXT_KEYS
from folkmoot.check.detecting import load_all
from folkmoot.check.detectors import OF_PASSAGES, OF_POSTS
from folkmoot.check.detectors.registry import OF_CONTEXTS
from folkmoot.check.overrides import overrides_from_dict

PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)


def test_the_rule_and_the_question_shown_can_be_used_and_do_as_they_say(make_checker):
    rule, question = (re.sub(r'"(INT-M2|HON-M1)"', '"A-1"', block) for block in BLOCKS)
    checker = make_checker(rule, questions=question)
    assert [each.id for each in checker.rules] == ["words/utilise"]
    assert [each.id for each in checker.questions] == ["ask/true"]
    assert find_faults(checker) == ()


def test_every_detector_is_listed_and_none_that_is_not_there():
    load_all()
    table = PAGE.split("## Detectors")[1].split("## Questions")[0]
    first_cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    listed = {name for cell in first_cells for name in re.findall(r"`([\w-]+)`", cell)}
    assert listed == set(OF_PASSAGES) | set(OF_POSTS) | set(OF_CONTEXTS)


def test_every_named_fact_is_listed_with_its_values():
    for fact in FACTS.values():
        values = ", ".join(f"`{value}`" for value in fact.values) or "yes or no"
        assert f"| `{fact.name}` | {fact.ask} | {values} |" in PAGE


FORMATS = (Path(__file__).parents[2] / "docs" / "check-format.md").read_text(encoding="utf-8")


def test_the_page_on_formats_names_every_form_every_key_and_every_exit_status():
    for form in ("text", "json", "jsonl", "csv", "sarif", "github"):
        assert f"`{form}`" in FORMATS
    for key in CONTEXT_KEYS - {"period"}:
        assert f"`{key}`" in FORMATS
    for field in fields(Attachment):
        assert f"`{field.name}`" in FORMATS
    for field in fields(Report):
        assert field.name == "pack" or f"`{field.name}`" in FORMATS


def test_the_overrides_shown_can_be_read():
    (shown,) = re.findall(r"```json\n(.*?)```", FORMATS, flags=re.DOTALL)
    assert overrides_from_dict(json.loads(shown))[0].who == "Ada"
