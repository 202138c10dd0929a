"""``folkmoot guidance``: list, show, compare, explain and validate packs; print house rules."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from .coverage import cover
from .diff_rendering import diff_lines, diff_to_dict
from .diffing import diff_packs, for_role
from .explaining import explain_clause
from .finding import available_packs
from .house_profile import read_profile
from .house_rules import house_rules_lines, make_house_rules
from .house_rules_file import has_house_rules, load_house_rules
from .loader import load_pack
from .model import Audience, GuidanceError, Level, Pack
from .telling import clause_lines, counted, coverage_lines, explanation_lines, pack_lines
from .versions import list_versions
from .views import clauses_for, overview_lines, overview_page

DONE, REFUSED, USAGE = 0, 1, 2

Answer = tuple[list[str], int]


def run(argv: Sequence[str]) -> int:
    """Run ``folkmoot guidance ...``; ``argv[0]`` is the word ``guidance``.

    Answers go to standard output, refusals to standard error as one sentence.

    Returns:
        The exit status: 0 when done, 1 when a pack or clause is missing or cannot be used, or when
        ``coverage`` finds a rule that rests on nothing, 2 when the command was not understood.
    """
    try:
        asked = _parser().parse_args(argv[1:])
    except SystemExit as ended:  # argparse has said why, and ends with 0 for --help
        return DONE if not ended.code else USAGE
    try:
        lines, status = _ANSWERS[asked.command](asked)
    except GuidanceError as refused:
        print(refused, file=sys.stderr)
        return REFUSED
    if lines:
        print("\n".join(lines))
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="folkmoot guidance", description="List, show, compare and validate packs of guidance."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    listed = commands.add_parser("list", help="the packs that can be found")
    listed.add_argument("--versions", metavar="PACK", help="the versions of one pack instead")

    show = commands.add_parser("show", help="a pack's clauses, or one clause in full")
    show.add_argument(
        "what",
        metavar="PACK[@VERSION][/CLAUSE]",
        help="a pack's name or folder, and a clause's id or alias",
    )
    show.add_argument(
        "--level",
        choices=[level.value for level in Level],
        help="how much detail (overview for a pack, full for a clause)",
    )
    _add_audience(show, "--audience", "only the clauses that concern them")
    show.add_argument(
        "--page", action="store_true", help="the overview on one side of A4 instead of all clauses"
    )

    diff = commands.add_parser("diff", help="what changed from one version to another")
    diff.add_argument("old", metavar="A", help="a pack's name, name@version or folder")
    diff.add_argument("new", metavar="B", help="the same, later")
    _add_audience(diff, "--role", "only what changed for them")
    diff.add_argument("--format", choices=["text", "json"], default="text")

    explain = commands.add_parser("explain", help="which pack and file set each key of a clause")
    explain.add_argument("clause", metavar="CLAUSE", help="a clause's id or alias")
    explain.add_argument("--pack", required=True, metavar="PACK", help="as the reader has it")

    validate = commands.add_parser("validate", help="whether a pack's folder can be used")
    validate.add_argument("path", type=Path, metavar="PATH", help="the pack's folder")

    coverage = commands.add_parser(
        "coverage", help="clauses that no rule covers, and rules that cite no clause"
    )
    coverage.add_argument("pack", metavar="PACK")

    rules = commands.add_parser("house-rules", help="an organisation's house rules")
    rules.add_argument("pack", metavar="PACK")
    rules.add_argument(
        "--profile", type=Path, required=True, metavar="FILE", help="what it says of itself (TOML)"
    )
    rules.add_argument("--length", choices=["profile", "pinned", "page"], default="page")

    for command in commands.choices.values():
        command.add_argument(
            "--search",
            type=Path,
            action="append",
            default=[],
            metavar="FOLDER",
            help="a folder that holds packs, looked in first (may be given more than once)",
        )
    return parser


def _add_audience(command: argparse.ArgumentParser, option: str, purpose: str) -> None:
    words = [audience.value for audience in Audience]
    command.add_argument(option, dest="audience", choices=words, help=purpose)


def _list(asked: argparse.Namespace) -> Answer:
    """Every pack that can be used, and a sentence for each that cannot; or one pack's versions."""
    if asked.versions is not None:
        return [
            f"{version.reference}  {'current' if version.is_current else 'kept'}"
            for version in list_versions(asked.versions, search=asked.search)
        ], DONE
    lines, status = [], DONE
    for name in available_packs(asked.search):
        try:
            pack = load_pack(name, search=asked.search)
        except GuidanceError as refused:
            print(refused, file=sys.stderr)
            status = REFUSED
        else:
            lines.append(f"{pack.reference}  {pack.title} ({counted(pack)})")
    return lines, status


def _show(asked: argparse.Namespace) -> Answer:
    name, clause_id = _split(asked.what, available_packs(asked.search))
    pack = load_pack(name, search=asked.search)
    if clause_id is not None:
        clause = pack.get_clause(clause_id)
        return list(clause_lines(pack, clause, Level(asked.level or Level.FULL))), DONE
    audience = None if asked.audience is None else Audience(asked.audience)
    if asked.page:
        return list(overview_lines(pack, overview_page(pack, audience))), DONE
    clauses = pack.clauses if audience is None else clauses_for(pack, audience)
    return list(pack_lines(pack, clauses, Level(asked.level or Level.OVERVIEW))), DONE


def _diff(asked: argparse.Namespace) -> Answer:
    diff = diff_packs(_pack(asked.old, asked.search), _pack(asked.new, asked.search))
    if asked.audience is not None:
        diff = for_role(diff, Audience(asked.audience))
    if asked.format == "json":
        return [json.dumps(diff_to_dict(diff), ensure_ascii=False, indent=2)], DONE
    return list(diff_lines(diff)), DONE


def _explain(asked: argparse.Namespace) -> Answer:
    return list(
        explanation_lines(explain_clause(_pack(asked.pack, asked.search), asked.clause))
    ), DONE


def _validate(asked: argparse.Namespace) -> Answer:
    pack = load_pack(asked.path, search=asked.search)
    if has_house_rules(pack):
        load_house_rules(pack)
    return [f"{pack.reference} can be used: {counted(pack)}.", f"digest {pack.digest}"], DONE


def _coverage(asked: argparse.Namespace) -> Answer:
    pack = _pack(asked.pack, asked.search)
    coverage = cover(pack)
    status = REFUSED if coverage.uncited or coverage.unknown else DONE
    return list(coverage_lines(pack, coverage)), status


def _house_rules(asked: argparse.Namespace) -> Answer:
    rules = make_house_rules(_pack(asked.pack, asked.search), read_profile(asked.profile))
    return list(house_rules_lines(rules, asked.length)), DONE


_ANSWERS: dict[str, Callable[[argparse.Namespace], Answer]] = {
    "list": _list,
    "show": _show,
    "diff": _diff,
    "explain": _explain,
    "validate": _validate,
    "coverage": _coverage,
    "house-rules": _house_rules,
}


def _pack(name: str, search: Sequence[Path]) -> Pack:
    """The pack with this name, or in this folder, even where the folder has no slash in it."""
    is_folder = name not in available_packs(search) and (Path(name) / "pack.toml").is_file()
    return load_pack(Path(name) if is_folder else name, search=search)


def _split(what: str, known: Sequence[str]) -> tuple[str | Path, str | None]:
    """The pack meant by ``what`` and the clause, if any.

    Folders and aliases may both hold slashes, so the longest beginning that is a pack wins.
    """
    parts = what.split("/")
    for cut in range(len(parts), 0, -1):
        head, rest = "/".join(parts[:cut]), "/".join(parts[cut:])
        if "/" not in head and head.partition("@")[0] in known:
            return head, rest or None
        if head and (Path(head) / "pack.toml").is_file():
            return Path(head), rest or None
    # Nothing fits. Whatever stands before the first slash is what load_pack will call unknown.
    return (parts[0], None) if parts[0] not in {"", ".", ".."} else (Path(what), None)
