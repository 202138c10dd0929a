"""Life-cycles as frozen tables: which step leads where, who may take it, and what must hold.

A :class:`Lifecycle` is checked when it is made: every state can be reached, every state has a way
out to a final one, and nothing leaves a final state. :meth:`Lifecycle.plan` is pure; the desk
applies a plan by compare-and-set in one function per app, and nothing else writes a state column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# A guard reads the facts of the case and returns the sentences against it; none where it agrees.
Guard = Callable[[Any], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the table. ``done`` is the past-tense word for the record (``sent_back``)."""

    verb: str
    done: str
    sources: frozenset[StrEnum]
    target: StrEnum
    roles: frozenset[str]
    guards: tuple[Guard, ...] = ()


@dataclass(frozen=True, slots=True)
class Planned:
    """The step may be taken."""

    verb: str
    done: str
    source: StrEnum
    target: StrEnum


@dataclass(frozen=True, slots=True)
class Refused:
    """The step may not be taken; ``reasons`` are sentences for the person who asked."""

    verb: str
    reasons: tuple[str, ...]


class LifecycleError(Exception):
    """A table that does not hold together. Raised when the table is made, never later."""


class Lifecycle:
    """A table of steps over the states of ``states``.

    Raises :class:`LifecycleError` if a state cannot be reached from ``initial``, a state that is
    not final has no way to a final one, a step leaves a final state, or two steps from one state
    share a verb.
    """

    def __init__(
        self,
        name: str,
        *,
        states: type[StrEnum],
        initial: StrEnum,
        final: Iterable[StrEnum],
        steps: Iterable[Step],
    ) -> None:
        self.name = name
        self.states = states
        self.initial = initial
        self.final = frozenset(final)
        self.steps = tuple(steps)
        self._by_verb: dict[tuple[StrEnum, str], Step] = {}
        for step in self.steps:
            for source in step.sources:
                if source in self.final:
                    raise LifecycleError(f"{name}: {step.verb} leaves the final state {source}")
                if (source, step.verb) in self._by_verb:
                    raise LifecycleError(f"{name}: two steps {step.verb!r} leave {source}")
                self._by_verb[source, step.verb] = step
        reached = self._spread({initial}, {(s, t.target) for t in self.steps for s in t.sources})
        ending = self._spread(
            set(self.final), {(t.target, s) for t in self.steps for s in t.sources}
        )
        for state in states:
            if state not in reached:
                raise LifecycleError(f"{name}: nothing leads to {state}")
            if state not in ending:
                raise LifecycleError(f"{name}: {state} has no way to a final state")

    @staticmethod
    def _spread(start: set[StrEnum], edges: set[tuple[StrEnum, StrEnum]]) -> set[StrEnum]:
        reached = set(start)
        while grown := {b for a, b in edges if a in reached and b not in reached}:
            reached |= grown
        return reached

    def plan(
        self, state: StrEnum, verb: str, *, roles: Iterable[str], facts: object
    ) -> Planned | Refused:
        """Whether ``verb`` may be taken from ``state`` by somebody with ``roles``, given ``facts``.

        ``facts`` is whatever the guards of this table read. Every reason against is returned, not
        the first alone, so that a person can put all of it right at once.
        """
        step = self._by_verb.get((state, verb))
        if step is None:
            return Refused(
                verb,
                (f"This is {words(state)}; it cannot be {words(self.done(verb))} from there.",),
            )
        if not step.roles & frozenset(roles):
            needed = " or ".join(sorted(step.roles))
            return Refused(verb, (f"Only somebody with the role {needed} can do this.",))
        reasons = tuple(reason for guard in step.guards for reason in guard(facts))
        if reasons:
            return Refused(verb, reasons)
        return Planned(verb, step.done, state, step.target)

    def offers(self, state: StrEnum, *, roles: Iterable[str]) -> tuple[str, ...]:
        """The verbs somebody with ``roles`` may try from ``state``, in the order of the table."""
        held = frozenset(roles)
        return tuple(s.verb for s in self.steps if state in s.sources and s.roles & held)

    def done(self, verb: str) -> str:
        """The past-tense word of a verb; the verb itself where the table has no such step."""
        return next((step.done for step in self.steps if step.verb == verb), verb)

    def mermaid(self) -> str:
        """The table as a Mermaid state diagram, for the documentation."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.initial}"]
        lines += [
            f"    {source} --> {step.target}: {step.verb}"
            for step in self.steps
            for source in sorted(step.sources)
        ]
        lines += [f"    {state} --> [*]" for state in sorted(self.final)]
        return "\n".join(lines)


def words(name: str) -> str:
    """``awaiting_signoff`` as people read it: ``awaiting signoff``."""
    return name.replace("_", " ")
