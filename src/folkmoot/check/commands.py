"""What ``folkmoot check`` can do besides looking at posts: ``test``, ``explain``, ``overrides``."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from folkmoot.guidance import load_pack

from .batch import Task, Worker, answer_all, open_pack
from .circumstances import NoSuchValue
from .cli import CLEAN, DEFAULT_PACK, FAILED, FOUND, USAGE, add_circumstances, read_options
from .engine import Checker
from .inputs import read_raws
from .model import Effect
from .overrides import Override, list_unused, read_overrides
from .page import UnknownRule, describe_rule
from .rendering import page_as_text


def _say(text: str, out: TextIO | None = None) -> None:
    (out or sys.stdout).write(f"{text}\n")


def test_rules(arguments: list[str]) -> int:
    """``folkmoot check test [--coverage]``: 1 where a rule does not do what its examples say."""
    parser = argparse.ArgumentParser(
        prog="folkmoot check test", description="Hold every rule of a pack to its own examples."
    )
    parser.add_argument("--pack", default=DEFAULT_PACK, help="name or folder of the pack")
    parser.add_argument(
        "--coverage",
        action="store_true",
        help="ask also for an example on either side of each condition",
    )
    options = parser.parse_args(arguments)
    checker = Checker(load_pack(options.pack))
    from .examples import find_faults

    faults = find_faults(checker)
    if options.coverage:
        from .coverage import find_uncovered

        faults = tuple(dict.fromkeys((*faults, *find_uncovered(checker))))
    for fault in faults:
        _say(f"{fault.rule}: {fault.wrong}")
    examples = sum(len(rule.examples) for rule in checker.running)
    _say(f"{len(checker.running)} rules, {examples} examples, {len(faults)} faults.")
    return FOUND if faults else CLEAN


def explain_rule(arguments: list[str]) -> int:
    """``folkmoot check explain RULE``: the rule's page, with the file that set each key."""
    parser = argparse.ArgumentParser(
        prog="folkmoot check explain",
        description="Say what a rule does, why, on what grounds, and which file set each key.",
    )
    parser.add_argument("rule", help="the rule's id, such as accessibility/alt-missing")
    parser.add_argument("--pack", default=DEFAULT_PACK, help="name or folder of the pack")
    options = parser.parse_args(arguments)
    pack = load_pack(options.pack)
    try:
        page = describe_rule(Checker(pack), pack, options.rule)
    except UnknownRule as unknown:
        _say(f"folkmoot check: {unknown}", sys.stderr)
        return USAGE
    _say(page_as_text(page))
    return CLEAN


def list_overrides(arguments: list[str]) -> int:
    """``folkmoot check overrides FILE [POST ...]``: which hold, have expired, or cover nothing.

    Without posts it tells only which have expired. 1 where there is something to tidy up.
    """
    parser = argparse.ArgumentParser(
        prog="folkmoot check overrides",
        description="Say which overrides hold, which have expired, and which cover nothing.",
    )
    parser.add_argument("overrides", metavar="FILE", help="the file of overrides")
    parser.add_argument("files", nargs="*", metavar="POST", help="the posts they are for")
    parser.add_argument("--input", choices=("text", "jsonl", "csv"), help="what the posts are in")
    add_circumstances(parser)
    options = parser.parse_args(arguments)
    overrides = read_overrides(Path(options.overrides))
    opened = open_pack(options.pack, whole=False)
    checker = opened.checker
    try:
        context = read_options(options, checker)
    except NoSuchValue as wrong:
        _say(f"folkmoot check: {wrong}", sys.stderr)
        return USAGE
    today = (context.publish_at or datetime.now(UTC)).date()
    task = Task(options.pack, context, "jsonl", False, Effect.STOP, today, overrides)
    used: set[Override] = set()
    refused: set[Override] = set()
    met: set[Override] = set()
    failed = False
    for answers in answer_all(read_raws(options.files, options.input), Worker(task, opened), 1):
        used |= answers.used
        refused |= answers.refused
        met |= answers.used | answers.refused | answers.expired
        for piece in answers.pieces:
            if not isinstance(piece, str):
                failed = True
                _say(f"folkmoot check: {piece} It has not been checked.", sys.stderr)
    unused = set(list_unused(overrides, met)) if options.files else set()
    tidy = True
    for each in overrides:
        state = "holds"
        if not each.holds_on(today):
            state = "expired"
        elif each in refused:
            state = "refused: nobody may clear this rule"
        elif each in unused:
            state = "unused"
        tidy = tidy and state == "holds"
        _say(
            f"{each.rule} {each.fingerprint}: {state}; {each.who}, until {each.expires_on}: "
            f"{each.reason}"
        )
    _say(f"{len(overrides)} overrides, {len(used)} cover a finding.")
    if failed:
        return FAILED
    return CLEAN if tidy else FOUND
