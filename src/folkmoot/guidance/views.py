"""Views of a pack: the clauses for one audience, and the overview that fits one side of A4."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap

from .model import Audience, Clause, ClauseKind, Evidence, Level, Pack, Status

PAGE_LINES = 60
PAGE_COLUMNS = 95

EVIDENCE_MARKS = {
    Evidence.SEEN_IN_FULL: "read in full",
    Evidence.SEEN_IN_PART: "read in part",
    Evidence.REPORTED: "reported",
    Evidence.UNVERIFIED: "not verified",
}
_FIRST = (ClauseKind.PRINCIPLE, ClauseKind.VALUE)
# One heading for each kind, since a heading for every group would take a third of the page.
_HEADINGS = ("Principles", "Values", "In practice")
_STALE = frozenset({Status.SUPERSEDED, Status.HISTORIC})


@dataclass(frozen=True, slots=True)
class OverviewGroup:
    """Clauses of the overview that stand under one heading, in the order of the pack.

    The headings are ``Principles``, ``Values`` and ``In practice``; an empty one is left out.
    """

    heading: str
    clauses: tuple[Clause, ...]


def clauses_for(pack: Pack, audience: Audience) -> tuple[Clause, ...]:
    """The clauses that concern ``audience``, those for everyone among them, in the pack's order."""
    return tuple(clause for clause in pack.clauses if audience.is_concerned_by(clause))


def overview_page(pack: Pack, audience: Audience | None = None) -> tuple[OverviewGroup, ...]:
    """The clauses to hold in one's head, for one side of A4: principles, then values, then others.

    They are those a pack or its parents marked ``in_overview``; where none is marked, the
    principles and values that are not superseded or historic. With an ``audience``, only what
    concerns it. Empty where nothing does.
    """
    chosen = [clause for clause in pack.clauses if clause.in_overview] or [
        clause for clause in pack.clauses if clause.kind in _FIRST and clause.status not in _STALE
    ]
    groups: dict[str, list[Clause]] = {heading: [] for heading in _HEADINGS}
    for clause in chosen:
        if audience is None or audience.is_concerned_by(clause):
            rank = _FIRST.index(clause.kind) if clause.kind in _FIRST else len(_FIRST)
            groups[_HEADINGS[rank]].append(clause)
    return tuple(
        OverviewGroup(heading, tuple(clauses)) for heading, clauses in groups.items() if clauses
    )


def overview_lines(
    pack: Pack, groups: Sequence[OverviewGroup], *, columns: int = PAGE_COLUMNS
) -> tuple[str, ...]:
    """The overview as lines of at most ``columns`` characters: title, headings, clauses, footing.

    Each clause is its overview with its id and how well it is known. An address longer than a line
    would be left whole; overviews hold none.
    """
    lines = [*wrap(pack.title, columns)]
    for group in groups:
        lines += ["", group.heading[:columns]]
        for clause in group.clauses:
            lines += _entry_lines(clause, columns)
    lines += ["", f"{pack.reference}. In our own words; each clause names its source."[:columns]]
    return tuple(lines)


def _entry_lines(clause: Clause, columns: int) -> Iterator[str]:
    mark = EVIDENCE_MARKS[clause.evidence]
    stale = f", {clause.status.value}" if clause.status in _STALE else ""
    text = f"{clause.levels[Level.OVERVIEW]} [{clause.id}, {mark}{stale}]"
    yield from wrap(
        text,
        columns,
        initial_indent="- ",
        subsequent_indent="  ",
        break_on_hyphens=False,
    )
