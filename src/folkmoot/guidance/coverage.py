"""Which clauses the checker's rules rest on, and which nobody checks.

Rules are the checker's; here only the keys ``id``, ``status`` and ``clauses`` of their files are
read, and what the files of ``changes/`` alter in them, so that this engine need not know it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .folder import read_file
from .model import Clause, Pack
from .table import Table, decode, parse

_NOT_RUN = frozenset({"deprecated", "off"})


@dataclass(frozen=True, slots=True)
class RuleCitation:
    """A rule that is run, with the clauses it cites and the file it is in."""

    rule: str
    file: Path
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How rules and clauses of a pack meet, with all it inherits.

    ``rules`` are those that are run, in order of id. ``covered`` and ``asked`` give for a clause's
    id the rules and the questions that rest on it. ``uncovered`` are the clauses no rule cites, in
    the pack's order; some of them may be asked about. ``uncited`` are rules that cite no clause,
    ``unknown`` pairs of a rule and a clause that the pack does not have.
    """

    rules: tuple[RuleCitation, ...]
    covered: Mapping[str, tuple[str, ...]]
    asked: Mapping[str, tuple[str, ...]]
    uncovered: tuple[Clause, ...]
    uncited: tuple[RuleCitation, ...]
    unknown: tuple[tuple[RuleCitation, str], ...]


def cover(pack: Pack) -> Coverage:
    """Read the rules and questions of all the pack's folders and hold them against its clauses.

    A rule that is deprecated, or that a pack switches off, covers nothing. A rule that cites a
    clause by an alias covers that clause.

    Raises:
        PackError: A file is not TOML, or one of the keys read here is of the wrong kind.
    """
    rules = _rules(pack)
    covered: dict[str, list[str]] = {}
    unknown: list[tuple[RuleCitation, str]] = []
    for rule in rules:
        for cited in rule.clauses:
            clause = pack.find_clause(cited)
            if clause is None:
                unknown.append((rule, cited))
            else:
                covered.setdefault(clause.id, []).append(rule.rule)
    asked: dict[str, list[str]] = {}
    for question, clauses in _questions(pack):
        for cited in clauses:
            clause = pack.find_clause(cited)
            asked.setdefault(cited if clause is None else clause.id, []).append(question)
    return Coverage(
        rules=rules,
        covered={clause_id: tuple(names) for clause_id, names in covered.items()},
        asked={clause_id: tuple(names) for clause_id, names in asked.items()},
        uncovered=tuple(clause for clause in pack.clauses if clause.id not in covered),
        uncited=tuple(rule for rule in rules if not rule.clauses),
        unknown=tuple(unknown),
    )


def _rules(pack: Pack) -> tuple[RuleCitation, ...]:
    found: dict[str, RuleCitation] = {}
    off: set[str] = set()
    for folder in pack.folders:
        for file in sorted((folder / "rules").glob("*.toml")):
            table = _table(file)
            rule = table.get_text("id")
            found[rule] = RuleCitation(rule, file, table.get_texts("clauses"))
            if table.find_text("status") in _NOT_RUN:
                off.add(rule)
        for file in sorted((folder / "changes").glob("*.toml")):
            table = _table(file)
            rule = table.get_text("rule")
            if table.find_text("status") in _NOT_RUN:
                off.add(rule)
            if rule in found:
                was = found[rule]
                clauses = dict.fromkeys((*was.clauses, *table.get_texts("clauses_add")))
                found[rule] = RuleCitation(rule, was.file, tuple(clauses))
    return tuple(found[rule] for rule in sorted(found) if rule not in off)


def _questions(pack: Pack) -> Iterator[tuple[str, tuple[str, ...]]]:
    for folder in pack.folders:
        file = folder / "questions.toml"
        if file.is_file():
            for at, row in enumerate(_table(file).get_rows("question"), 1):
                table = Table(row, file, f"question[{at}].")
                yield table.get_text("id"), table.get_texts("clauses")


def _table(file: Path) -> Table:
    return Table(parse(decode(read_file(file), file), file), file)
