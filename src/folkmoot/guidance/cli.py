"""``folkmoot guidance``: list the packs, show a pack or a clause, validate a pack's folder."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from .finding import available_packs
from .loader import load_pack
from .model import Clause, Evidence, GuidanceError, Level, Pack, Status

DONE, REFUSED, USAGE = 0, 1, 2

# What the marks mean, for a reader who has not read the documentation.
EVIDENCE_TOLD = {
    Evidence.SEEN_IN_FULL: "we have read the source in full",
    Evidence.SEEN_IN_PART: "we have read the source in part",
    Evidence.REPORTED: "reported by others; we have not read the source’s own words",
    Evidence.UNVERIFIED: "not verified; check the source before you rely on it",
}
STATUS_TOLD = {
    Status.IN_FORCE: "in force",
    Status.SUPERSEDED: "superseded",
    Status.HISTORIC: "historic",
    Status.UNVERIFIED: "not known whether in force",
}


def run(argv: Sequence[str]) -> int:
    """Run ``folkmoot guidance ...``; ``argv[0]`` is the word ``guidance``.

    Answers go to standard output, refusals to standard error as one sentence.

    Returns:
        The exit status: 0 when done, 1 when a pack or clause is missing or cannot be used,
        2 when the command was not understood.
    """
    try:
        asked = _parser().parse_args(argv[1:])
    except SystemExit as ended:  # argparse has said why, and ends with 0 for --help
        return DONE if not ended.code else USAGE
    try:
        if asked.command == "list":
            return _list(asked.search)
        lines = list(_answer(asked))
    except GuidanceError as refused:
        print(refused, file=sys.stderr)
        return REFUSED
    print("\n".join(lines))
    return DONE


def _list(search: Sequence[Path]) -> int:
    """Every pack that can be used, and a sentence for each that cannot."""
    status = DONE
    for name in available_packs(search):
        try:
            pack = load_pack(name, search=search)
        except GuidanceError as refused:
            print(refused, file=sys.stderr)
            status = REFUSED
        else:
            print(f"{pack.reference}  {pack.title} ({_count(pack)})")
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="folkmoot guidance", description="List, show and validate packs of guidance."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("list", help="the packs that can be found")
    show = commands.add_parser("show", help="a pack's clauses, or one clause in full")
    show.add_argument(
        "what", metavar="PACK[/CLAUSE]", help="a pack's name or folder, and a clause's id or alias"
    )
    show.add_argument(
        "--level",
        choices=[level.value for level in Level],
        help="how much detail (overview for a pack, full for a clause)",
    )
    validate = commands.add_parser("validate", help="whether a pack's folder can be used")
    validate.add_argument("path", type=Path, metavar="PATH", help="the pack's folder")
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


def _answer(asked: argparse.Namespace) -> Iterator[str]:
    search: list[Path] = asked.search
    if asked.command == "validate":
        pack = load_pack(asked.path, search=search)
        yield f"{pack.reference} can be used: {_count(pack)}."
        yield f"digest {pack.digest}"
        return
    name, clause_id = _split(asked.what, available_packs(search))
    pack = load_pack(name, search=search)
    if clause_id is None:
        yield from _told_pack(pack, Level(asked.level or Level.OVERVIEW))
    else:
        clause = pack.get_clause(clause_id)
        yield from _told_clause(pack, clause, Level(asked.level or Level.FULL))


def _split(what: str, known: Sequence[str]) -> tuple[str | Path, str | None]:
    """The pack meant by ``what`` and the clause, if any.

    Folders and aliases may both hold slashes, so the longest beginning that is a pack wins.
    """
    parts = what.split("/")
    for cut in range(len(parts), 0, -1):
        head, rest = "/".join(parts[:cut]), "/".join(parts[cut:])
        if head in known:
            return head, rest or None
        if head and (Path(head) / "pack.toml").is_file():
            return Path(head), rest or None
    # Nothing fits. Whatever stands before the first slash is what load_pack will call unknown.
    return (parts[0], None) if parts[0] not in {"", ".", ".."} else (Path(what), None)


def _told_pack(pack: Pack, level: Level) -> Iterator[str]:
    yield pack.title
    yield pack.reference
    yield ""
    yield pack.summary
    for group, clauses in groupby(pack.clauses, key=lambda clause: clause.group):
        yield ""
        yield group
        for clause in clauses:
            yield f"  {clause.id}  {clause.title}"
            for line in clause.levels[level].split("\n"):
                yield f"      {line}".rstrip()


def _told_clause(pack: Pack, clause: Clause, level: Level) -> Iterator[str]:
    source = pack.get_source(clause.source)
    edition = f", {clause.version_on}" if clause.version_on else ""
    yield f"{clause.id}  {clause.title}"
    yield ""
    yield clause.levels[level]
    yield ""
    yield f"Source: {source.title} ({source.issuer}{edition})"
    if clause.official_ref:
        yield f"Reference: {clause.official_ref}"
    yield f"Address: {clause.url}"
    yield f"Status: {STATUS_TOLD[clause.status]}; last checked {clause.checked_on}"
    yield f"Evidence: {EVIDENCE_TOLD[clause.evidence]}"
    yield f"Pack: {pack.reference}"


def _count(pack: Pack) -> str:
    clauses = "1 clause" if len(pack.clauses) == 1 else f"{len(pack.clauses)} clauses"
    sources = "1 source" if len(pack.sources) == 1 else f"{len(pack.sources)} sources"
    return f"{clauses}, {sources}"
