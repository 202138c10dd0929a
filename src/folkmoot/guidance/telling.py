"""Packs, clauses, explanations and coverage as lines for the command line.

Internal to :mod:`folkmoot.guidance`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from .coverage import Coverage
from .explaining import ClauseExplanation, KeyOrigin, Origin
from .model import Clause, Evidence, Level, Pack, Status

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
_WIDEST = 60


def pack_lines(pack: Pack, clauses: Iterable[Clause], level: Level) -> Iterator[str]:
    """A pack's clauses under their headings, at one level."""
    yield pack.title
    yield pack.reference
    yield ""
    yield pack.summary
    for group, members in groupby(clauses, key=lambda clause: clause.group):
        yield ""
        yield group
        for clause in members:
            yield f"  {clause.id}  {clause.title}"
            for line in clause.levels[level].split("\n"):
                yield f"      {line}".rstrip()


def clause_lines(pack: Pack, clause: Clause, level: Level) -> Iterator[str]:
    """One clause at one level, with its source and how well it is known."""
    source = pack.get_source(clause.source)
    edition = f", {clause.version_on}" if clause.version_on else ""
    yield f"{clause.id}  {clause.title}"
    yield ""
    yield clause.levels[level]
    yield ""
    if clause.note:
        yield f"Note: {clause.note}"
    yield f"Source: {source.title} ({source.issuer}{edition})"
    if clause.official_ref:
        yield f"Reference: {clause.official_ref}"
    yield f"Address: {clause.url}"
    yield f"Status: {STATUS_TOLD[clause.status]}; last checked {clause.checked_on}"
    yield f"Evidence: {EVIDENCE_TOLD[clause.evidence]}"
    yield f"Pack: {pack.reference}"
    if clause.pack != pack.id:
        changed = f", changed by {', '.join(clause.amended_by)}" if clause.amended_by else ""
        yield f"Stated by: {clause.pack}{changed}"


def explanation_lines(told: ClauseExplanation) -> Iterator[str]:
    """Where a clause comes from, key by key."""
    yield f"{told.clause.id}  {told.clause.title}"
    yield f"Stated by {told.layer.reference}"
    yield f"  in {told.file}"
    yield ""
    yield "How it is reached"
    for chain in told.chains:
        yield f"  {' -> '.join(chain)}"
    if told.has_more_chains:
        yield f"  and more ways than these {len(told.chains)}"
    yield ""
    yield "Who set each key"
    for key in told.keys:
        yield f"  {key.key}: {_short(key.value)}  ({_origin_told(key)})"
    yield ""
    for made in told.amendments:
        keys = ", ".join(sorted({*made.keys, *(f"lock on {key}" for key in made.locks)}))
        yield f"Changed by {made.pack}: {keys}"
        yield f"  in {made.file}"
    yield f"A pack that inherits it may change: {', '.join(told.may_change) or 'nothing'}"


def coverage_lines(pack: Pack, coverage: Coverage) -> Iterator[str]:
    """Which clauses no rule covers, and which rules rest on nothing."""
    yield pack.reference
    covered = len(pack.clauses) - len(coverage.uncovered)
    yield f"{len(coverage.rules)} rules cover {covered} of {len(pack.clauses)} clauses."
    if coverage.uncovered:
        yield ""
        yield f"Clauses that no rule covers ({len(coverage.uncovered)})"
        for clause in coverage.uncovered:
            asked = coverage.asked.get(clause.id)
            yield f"  {clause.id}  {clause.title}" + (
                f" (asked by {', '.join(asked)})" if asked else ""
            )
    if coverage.uncited:
        yield ""
        yield f"Rules that cite no clause ({len(coverage.uncited)})"
        for rule in coverage.uncited:
            yield f"  {rule.rule}  {rule.file}"
    if coverage.unknown:
        yield ""
        yield f"Citations of clauses that are not there ({len(coverage.unknown)})"
        for rule, cited in coverage.unknown:
            yield f"  {rule.rule} cites {cited}  {rule.file}"


def counted(pack: Pack) -> str:
    """How many clauses and sources a pack has, in words."""
    clauses = "1 clause" if len(pack.clauses) == 1 else f"{len(pack.clauses)} clauses"
    sources = "1 source" if len(pack.sources) == 1 else f"{len(pack.sources)} sources"
    return f"{clauses}, {sources}"


def _origin_told(key: KeyOrigin) -> str:
    locked = f"; locked by {key.locked_by}" if key.locked_by else ""
    if key.origin is Origin.SOURCE:
        return f"from the source it cites{locked}"
    if key.origin is Origin.DEFAULT:
        return f"left out{locked}"
    verb = "" if key.origin is Origin.CLAUSE else "changed by "
    return f"{verb}{key.pack}{locked}"


def _short(value: str) -> str:
    line, _, more = value.partition("\n")
    if more or len(line) > _WIDEST:
        return f"{line[:_WIDEST].rstrip()} ..."
    return line or "nothing"
