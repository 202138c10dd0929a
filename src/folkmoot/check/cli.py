"""``folkmoot check``: look at posts, test a pack's rules, explain a rule.

Exit status: 0 clean, 1 something at or over ``--fail-on``, 2 wrong usage, 3 the check itself
failed, which is never a pass.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from folkmoot.guidance import GuidanceError, UnknownPack, load_pack
from folkmoot.guidance.model import Pack

from .engine import Checker
from .model import Capacity, CheckError, Context, Effect, Post, Report

CLEAN, FOUND, USAGE, FAILED = range(4)
DEFAULT_PACK = "uk-civil-service"


def run(argv: list[str]) -> int:
    """Run ``folkmoot check`` and return its exit status.

    ``argv[0]`` is ``check``; then ``test``, ``explain RULE`` or the files to look at. A file called
    ``test`` or ``explain`` is given as ``./test``. Nothing is raised; faults are printed to
    standard error.
    """
    arguments = argv[1:]
    try:
        if arguments[:1] == ["test"]:
            return _test(arguments[1:])
        if arguments[:1] == ["explain"]:
            return _explain(arguments[1:])
        return _check(arguments)
    except SystemExit as leaving:  # argparse's way of refusing, and of --help
        return leaving.code if isinstance(leaving.code, int) else USAGE
    except (CheckError, GuidanceError) as wrong:
        print(f"folkmoot check: {wrong}", file=sys.stderr)
        return USAGE if isinstance(wrong, UnknownPack) else FAILED
    except Exception as wrong:  # noqa: BLE001 - a gate must tell "failed" from "found something"
        print(
            f"folkmoot check: the check failed ({type(wrong).__name__}: {wrong}). "
            "Nothing is known of the post.",
            file=sys.stderr,
        )
        return FAILED


def _load(pack: str) -> tuple[Pack, Checker]:
    loaded = load_pack(pack)
    return loaded, Checker(loaded)


def _check(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    try:
        context = _context(options)
        posts = list(_posts(options.files))
    except (OSError, UnicodeDecodeError, ValueError) as wrong:
        print(f"folkmoot check: {wrong}", file=sys.stderr)
        return USAGE
    pack, checker = _load(options.pack)
    fail_on = Effect[options.fail_on.upper()]
    reports = [(name, checker.check(post, context)) for name, post in posts]
    _show(reports, pack, options.format)
    return FOUND if any(_is_over(report, fail_on) for _, report in reports) else CLEAN


def _is_over(report: Report, fail_on: Effect) -> bool:
    """A rule that could not answer counts as what it might have said, if it found its words."""
    return bool(report.at_least(fail_on)) or any(
        each.counts and each.effect >= fail_on for each in report.not_evaluated
    )


def _show(reports: list[tuple[str, Report]], pack: Pack, form: str) -> None:
    if form == "text":
        from .rendering import report_as_text

        named = len(reports) > 1
        print(
            "\n\n".join(
                report_as_text(report, pack, name if named else None) for name, report in reports
            )
        )
        return
    from .report import report_to_dict

    rows = [{"file": name, **report_to_dict(report)} for name, report in reports]
    if form == "json":
        print(json.dumps(rows, indent=2))
    else:
        print("\n".join(map(json.dumps, rows)))


def _test(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="folkmoot check test", description="Hold every rule of a pack to its own examples."
    )
    parser.add_argument("--pack", default=DEFAULT_PACK, help="name or folder of the pack")
    _, checker = _load(parser.parse_args(arguments).pack)
    from .examples import find_faults

    faults = find_faults(checker)
    for fault in faults:
        print(f"{fault.rule}: {fault.wrong}")
    examples = sum(len(rule.examples) for rule in checker.running)
    print(f"{len(checker.running)} rules, {examples} examples, {len(faults)} faults.")
    return FOUND if faults else CLEAN


def _explain(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="folkmoot check explain", description="Say what a rule does, why, and on what grounds."
    )
    parser.add_argument("rule", help="the rule's id, such as accessibility/alt-missing")
    parser.add_argument("--pack", default=DEFAULT_PACK, help="name or folder of the pack")
    options = parser.parse_args(arguments)
    pack, checker = _load(options.pack)
    rule = next((each for each in checker.rules if each.id == options.rule), None)
    if rule is None:
        known = "\n".join(f"  {each.id}" for each in checker.rules)
        print(
            f"folkmoot check: the pack {pack.id} has no rule {options.rule!r}. It has:\n{known}",
            file=sys.stderr,
        )
        return USAGE
    from .rendering import rule_as_text

    print(rule_as_text(rule, pack))
    return CLEAN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="folkmoot check",
        description="Should I post this? Findings that cite clauses, questions, and a verdict.",
        epilog="Also: folkmoot check test [--pack P]; folkmoot check explain RULE [--pack P]. "
        "Exit status: 0 clean, 1 at or over --fail-on, 2 wrong usage, 3 the check failed.",
    )
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="one post a file; - is standard input"
    )
    parser.add_argument("--pack", default=DEFAULT_PACK, help="name or folder of the pack")
    parser.add_argument("--capacity", choices=list(Capacity), help="in what capacity it is posted")
    for fact in ("channel", "nation", "language", "role", "audience"):
        parser.add_argument(f"--{fact}", help=f"the {fact}, where a rule depends on it")
    periods = parser.add_mutually_exclusive_group()
    periods.add_argument(
        "--period",
        action="append",
        metavar="K",
        help="a period in force then, such as pre_election",
    )
    periods.add_argument("--no-period", action="store_true", help="no special period is in force")
    parser.add_argument("--at", metavar="ISO", help="when: 2026-05-01T09:00:00+01:00")
    parser.add_argument("--format", choices=("text", "json", "jsonl"), default="text")
    parser.add_argument(
        "--fail-on",
        choices=[effect.word for effect in Effect],
        default="hold",
        metavar="EFFECT",
        help="exit with 1 from this effect on: note, advise, hold (default) or stop",
    )
    return parser


def _context(options: argparse.Namespace) -> Context:
    """Raises ``ValueError`` as a sentence where a fact is not of its form."""
    at = None
    if options.at is not None:
        try:
            at = datetime.fromisoformat(options.at)
        except ValueError as wrong:
            raise ValueError(
                f"--at {options.at!r} is not a date and time such as 2026-05-01T09:00:00+01:00."
            ) from wrong
        if at.tzinfo is None:
            raise ValueError(f"--at {options.at!r} lacks its offset from UTC, such as +01:00 or Z.")
    kinds = frozenset(options.period or ())
    for kind in kinds:
        if not kind.replace("_", "").isalpha() or not kind.islower():
            raise ValueError(f"--period {kind!r} is not a kind of period such as pre_election.")
    return Context(
        capacity=None if options.capacity is None else Capacity(options.capacity),
        role=options.role,
        channel=options.channel,
        nation=options.nation,
        language=options.language,
        audience=options.audience,
        publish_at=at,
        periods=kinds if options.period or options.no_period else None,
    )


def _posts(files: list[str]) -> Iterator[tuple[str, Post]]:
    """Each file as a post, without the line break that ends the file."""
    for name in files or ["-"]:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as wrong:
            raise ValueError(f"{name} is not text in UTF-8 ({wrong.reason}).") from wrong
        yield name, Post(text.removesuffix("\n").removesuffix("\r"))
