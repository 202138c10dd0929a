"""``folkmoot check``: look at posts, test a pack's rules, explain a rule.

Exit status: 0 clean, 1 something at or over ``--fail-on``, 2 wrong usage, 3 the check itself
failed, or a row could not be checked, which is never a pass.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from .model import Capacity, CheckError, Closeness, Context, Effect, Seniority

if TYPE_CHECKING:  # a plain start does not load these before they are needed
    from collections.abc import Iterable

    from .batch import Answers, Worker
    from .engine import Checker
    from .overrides import Override

CLEAN, FOUND, USAGE, FAILED = range(4)
DEFAULT_PACK = "uk-civil-service"
# Sub-command: (module, function(arguments) -> exit status).
_COMMANDS = {
    "test": ("folkmoot.check.commands", "test_rules"),
    "explain": ("folkmoot.check.commands", "explain_rule"),
    "overrides": ("folkmoot.check.commands", "list_overrides"),
    "lsp": ("folkmoot.check.lsp", "serve"),
}


def run(argv: list[str]) -> int:
    """Run ``folkmoot check`` and return its exit status.

    ``argv[0]`` is ``check``; then ``test``, ``explain RULE``, ``overrides FILE``, ``lsp`` or the
    files to look at. A file called ``test`` is given as ``./test``. Nothing is raised; faults are
    printed to standard error.
    """
    arguments = argv[1:]
    try:
        if arguments and arguments[0] in _COMMANDS:
            module, function = _COMMANDS[arguments[0]]
            status: int = getattr(import_module(module), function)(arguments[1:])
            return status
        return check_posts(arguments)
    except SystemExit as leaving:  # argparse's way of refusing, and of --help
        return leaving.code if isinstance(leaving.code, int) else USAGE
    except BrokenPipeError:
        # Whoever read our answers has gone. What they saw is not all, so this is no pass.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as wrong:  # noqa: BLE001 - a gate must tell "failed" from "found something"
        return _tell_failure(wrong)


def _tell_failure(wrong: Exception) -> int:
    # An error of guidance can only come from guidance that was loaded; nothing is loaded here,
    # where one more failure would leave the gate open.
    guidance = sys.modules.get("folkmoot.guidance.model")
    if guidance is not None and isinstance(wrong, guidance.GuidanceError):
        print(f"folkmoot check: {wrong}", file=sys.stderr)
        return USAGE if isinstance(wrong, guidance.UnknownPack) else FAILED
    if isinstance(wrong, CheckError):
        print(f"folkmoot check: {wrong}", file=sys.stderr)
        return FAILED
    print(
        f"folkmoot check: the check failed ({type(wrong).__name__}: {wrong}). "
        "Nothing is known of the post.",
        file=sys.stderr,
    )
    return FAILED


def check_posts(arguments: list[str]) -> int:
    """Look at the posts ``arguments`` name. Returns the exit status."""
    options = _parser().parse_args(arguments)
    files = options.files or ["-"]
    for name in files:
        if name != "-" and not Path(name).is_file():
            return _refuse(f"{name} is not a file that can be read.")
    from .batch import Task, Worker, answer_all, open_pack
    from .circumstances import NoSuchValue
    from .inputs import NoSuchFile, read_raws

    opened = open_pack(options.pack, whole=options.format == "sarif")
    try:
        context = read_options(options, opened.checker)
    except NoSuchValue as wrong:
        return _refuse(str(wrong))
    if options.jobs < 1:
        return _refuse("--jobs must be 1 or more.")
    overrides: tuple[Override, ...] = ()
    if options.overrides:
        from .overrides import read_overrides

        overrides = read_overrides(Path(options.overrides))
    task = Task(
        pack=options.pack,
        context=context,
        form=options.format,
        many=len(files) > 1,
        fail_on=Effect[options.fail_on.upper()],
        # The edge is where a clock may be looked at.
        today=(context.publish_at or datetime.now(UTC)).date(),
        overrides=overrides,
    )
    worker = Worker(task, opened)
    try:
        return _write(answer_all(read_raws(files, options.input), worker, options.jobs), worker)
    except NoSuchFile as wrong:
        return _refuse(str(wrong))


def _refuse(wrong: str) -> int:
    print(f"folkmoot check: {wrong}", file=sys.stderr)
    return USAGE


def _write(answers: Iterable[Answers], worker: Worker) -> int:
    """Write every answer as it comes; the exit status."""
    writer, out = worker.writer, sys.stdout
    unknown: set[str] = set()
    over = False
    failed = misused = 0
    between = ""
    out.write(writer.begin())
    met: set[Override] = set()
    expired: set[Override] = set()
    refused: set[Override] = set()
    for answer in answers:
        over = over or answer.is_over
        unknown |= answer.unknown
        met |= answer.used
        expired |= answer.expired
        refused |= answer.refused
        written: list[str] = []
        for piece in answer.pieces:
            if not isinstance(piece, str):
                failed += not piece.is_usage
                misused += piece.is_usage
                print(f"folkmoot check: {piece} It has not been checked.", file=sys.stderr)
                piece = writer.problem(piece)  # noqa: PLW2901 - its place in the order
            if piece:
                written.append(piece)
        if written:
            out.write(between + writer.separator.join(written))
            between = writer.separator
    out.write(writer.end(failed=failed + misused))
    out.flush()
    if unknown:
        print(
            f"folkmoot check: these keys mean nothing here and were passed over: "
            f"{', '.join(sorted(unknown))}.",
            file=sys.stderr,
        )
    if worker.task.overrides:
        _tell_overrides(worker.task.overrides, met, expired, refused)
    if failed:
        return FAILED
    return USAGE if misused else FOUND if over else CLEAN


def _tell_overrides(
    overrides: tuple[Override, ...],
    met: set[Override],
    expired: set[Override],
    refused: set[Override],
) -> None:
    from .overrides import list_unused

    for words, some in (
        ("has expired", expired),
        ("does not count, for nobody may clear that rule", refused),
        ("covers nothing here", list_unused(overrides, met | expired | refused)),
    ):
        for each in sorted(some, key=lambda one: (one.rule, one.fingerprint)):
            print(
                f"folkmoot check: the override of {each.rule} by {each.who} {words} "
                f"({each.fingerprint}, until {each.expires_on}).",
                file=sys.stderr,
            )


def add_circumstances(parser: argparse.ArgumentParser) -> None:
    """The options that say in what circumstances something is posted, and by which pack."""
    parser.add_argument("--pack", default=DEFAULT_PACK, help="name or folder of the pack")
    parser.add_argument("--capacity", choices=list(Capacity), help="in what capacity it is posted")
    for fact in ("channel", "nation", "language", "role", "audience"):
        parser.add_argument(f"--{fact}", help=f"the {fact}, where a rule depends on it")
    parser.add_argument("--seniority", choices=list(Seniority), help="how senior the speaker is")
    parser.add_argument(
        "--closeness", choices=list(Closeness), help="how close the subject is to their own work"
    )
    parser.add_argument(
        "--fact", action="append", metavar="NAME=VALUE", help="a named fact, such as incident=no"
    )
    periods = parser.add_mutually_exclusive_group()
    periods.add_argument(
        "--period",
        action="append",
        metavar="K",
        help="a period in force then, such as pre_election",
    )
    periods.add_argument("--no-period", action="store_true", help="no special period is in force")
    parser.add_argument("--at", metavar="ISO", help="when: 2026-05-01T09:00:00+01:00")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="folkmoot check",
        description="Should I post this? Findings that cite clauses, questions, and a verdict.",
        epilog="Also: folkmoot check test [--coverage]; explain RULE; overrides FILE [POST ...]; "
        "lsp. Exit status: 0 clean, 1 at or over --fail-on, 2 wrong usage, 3 the check failed or "
        "a row could not be checked.",
    )
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="one post a file, or many in .jsonl or .csv; - is standard input",
    )
    add_circumstances(parser)
    parser.add_argument(
        "--input",
        choices=("text", "jsonl", "csv"),
        help="what the files are, whatever their names end in",
    )
    parser.add_argument(
        "--format", choices=("text", "json", "jsonl", "csv", "sarif", "github"), default="text"
    )
    parser.add_argument("--overrides", metavar="FILE", help="findings that were answered for")
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="processes, for many posts"
    )
    parser.add_argument(
        "--fail-on",
        choices=[effect.word for effect in Effect],
        default="hold",
        metavar="EFFECT",
        help="exit with 1 from this effect on: note, advise, hold (default) or stop",
    )
    return parser


def read_options(options: argparse.Namespace, checker: Checker) -> Context:
    """The context the options of :func:`add_circumstances` give.

    Raises ``NoSuchValue`` as a sentence where one is not of its form.
    """
    from .circumstances import NoSuchValue, read_context

    facts: dict[str, str] = {}
    for pair in options.fact or ():
        name, equals, value = pair.partition("=")
        if not equals:
            raise NoSuchValue(f"--fact {pair!r} is not NAME=VALUE, such as incident=no.")
        facts[name] = value
    values: dict[str, object] = {
        key: getattr(options, key)
        for key in (
            "capacity", "role", "channel", "nation", "language", "audience", "seniority",
            "closeness", "at",
        )
    }  # fmt: skip
    if options.period or options.no_period:
        values["periods"] = options.period or []
    context, _ = read_context({**values, "facts": facts}, checker.vocabulary, Context())
    return context
