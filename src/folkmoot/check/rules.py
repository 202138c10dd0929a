"""Rules as values. :mod:`.rule_file` reads them from files, :mod:`.changes` changes them.

``docs/rules.md`` shows how to write one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from .model import Context, Effect, Post, Question

# The keys of [when] and the fact of the context each looks at.
FACT_OF = {
    "capacity": "capacity",
    "role": "role",
    "channel": "channel",
    "nation": "nation",
    "language": "language",
    "audience": "audience",
    "period": "periods",
    "seniority": "seniority",
    "closeness": "closeness",
}
FIXED_FACTS = (*FACT_OF.values(), "publish_at")
"""The facts that have a place of their own in a context; all others are named facts."""
# What a rule may skip, and the kind of place in a passage that is.
SKIPPABLE = {
    "email": "emails",
    "hashtag": "hashtags",
    "mention": "mentions",
    "quote": "quotes",
    "url": "urls",
}
PLACES = ("text", "alt")
UNCONDITIONAL = "any-post"
"""The detector that finds something in every post, so that ``[when]`` alone decides."""
TAKE_IT_OFFLINE = "take_it_offline"
OTHERS = "others"


class RuleStatus(StrEnum):
    """Where a rule stands in its life. One that is deprecated or off is read but never run."""

    PREVIEW = "preview"
    STABLE = "stable"
    DEPRECATED = "deprecated"
    OFF = "off"
    """Switched off by a pack that inherits it."""

    @property
    def runs(self) -> bool:
        """Whether rules of this status look at posts."""
        return self in (RuleStatus.PREVIEW, RuleStatus.STABLE)


@dataclass(frozen=True, slots=True)
class When:
    """The facts under which something applies: for each key named, one of the values must hold.

    Keys of ``facts`` are those of :data:`FACT_OF`; those of ``named`` are names of facts, with
    ``yes`` and ``no`` for true and false. Two empty mappings apply always.
    """

    facts: Mapping[str, frozenset[str]]
    named: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def applies(self, context: Context) -> bool | None:
        """``True`` or ``False``, or ``None`` where a fact named here is not known.

        A fact known to be otherwise settles the matter (``False``) whatever else is missing.
        """
        known: bool | None = True
        for key, wanted in self.facts.items():
            fact = getattr(context, FACT_OF[key])
            if fact is None:
                known = None
            elif not _holds(key, fact, wanted):
                return False
        for name, wanted in self.named.items():
            value = context.facts.get(name)
            if value is None:
                known = None
            elif as_word(value) not in wanted:
                return False
        return known

    def missing(self, context: Context) -> tuple[str, ...]:
        """The facts named here that the context does not know, in the order of the file."""
        fixed = (FACT_OF[key] for key in self.facts if getattr(context, FACT_OF[key]) is None)
        return (*fixed, *(name for name in self.named if context.facts.get(name) is None))

    def because(self, context: Context) -> tuple[str, ...]:
        """Why this applies, as ``fact=value`` in the order of the file."""
        reasons: list[str] = []
        for key, wanted in self.facts.items():
            fact = getattr(context, FACT_OF[key])
            if key == "period":
                reasons.extend(f"period={kind}" for kind in sorted(wanted & (fact or frozenset())))
            else:
                reasons.append(f"{key}={fact}")
        reasons.extend(f"{name}={as_word(context.facts[name])}" for name in self.named)
        return tuple(reasons)


def as_word(value: str | bool | None) -> str:  # noqa: FBT001 - this is the value of a fact
    """The value of a named fact as rules write it: ``yes``, ``no`` or the word itself."""
    if value is True:
        return "yes"
    return "no" if value is False else str(value)


def is_known(name: str, context: Context) -> bool:
    """Whether ``context`` knows the fixed or named fact ``name``."""
    if name in FIXED_FACTS:
        return getattr(context, name) is not None
    return context.facts.get(name) is not None


def _holds(key: str, fact: object, wanted: frozenset[str]) -> bool:
    if isinstance(fact, frozenset):
        return bool(fact & wanted)
    value = str(fact)
    if key == "language":
        # BCP 47: a rule for "en" holds for "en-GB" too.
        parts = value.lower().split("-")
        return any("-".join(parts[:count]) in wanted for count in range(1, len(parts) + 1))
    return value in wanted


@dataclass(frozen=True, slots=True)
class Match:
    """What a rule looks for: words, patterns, or a detector (one written in Python).

    ``terms`` are whole words or phrases, found whatever their case unless ``case_sensitive``.
    ``patterns`` are RE2 expressions, looked for only where one of ``literals`` was seen (or
    ``always``). ``not_within`` are longer phrases inside which a find does not count. ``skip``
    names kinds of place (slots of a passage) in which it does not count either. ``places`` says
    where to look.
    """

    terms: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    literals: tuple[str, ...] = ()
    always: bool = False
    not_within: tuple[str, ...] = ()
    case_sensitive: bool = False
    whole_words: bool = True
    skip: tuple[str, ...] = ()
    places: tuple[str, ...] = PLACES
    detector: str | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """One post a rule must fire on or must leave alone: its test and its documentation.

    ``marks`` are words the finding must point at, where given.
    """

    post: Post
    context: Context
    fires: bool
    marks: str | None


@dataclass(frozen=True, slots=True)
class Layer:
    """One key of a rule as one file set it: the rule's own file, or a change by another pack."""

    key: str
    pack: str
    file: Path
    value: str
    """What the file says, shortened, as people read it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as its file says, with the changes of the packs that inherit it.

    ``options`` are for the detector and checked by it. ``protects`` is ``others`` where the rule
    may hold what somebody says as a private person, because others would be harmed; else empty.
    ``outcome`` is ``take_it_offline`` or empty. ``fine`` says what people may say as themselves all
    the same. ``locked`` are keys that no pack may change, ``floor`` the effect none may go below.
    ``layers`` tell which file set each key, the rule's own file first.
    """

    id: str
    title: str
    status: RuleStatus
    since: str
    clauses: tuple[str, ...]
    effect: Effect
    confidence: float
    clear_by: str
    message: str
    advice: str
    why: str
    when_wrong: str
    when: When
    needs: tuple[str, ...]
    match: Match
    options: Mapping[str, object]
    examples: tuple[Example, ...]
    pack_folder: str
    file: Path
    protects: str = ""
    outcome: str = ""
    fine: tuple[str, ...] = ()
    advice_cy: str = ""
    locked: frozenset[str] = frozenset()
    floor: Effect | None = None
    history: tuple[tuple[str, str], ...] = ()
    layers: tuple[Layer, ...] = ()

    @property
    def is_unconditional(self) -> bool:
        """Whether ``[when]`` alone decides, so that there are no words to look for."""
        return self.match.detector == UNCONDITIONAL

    def missing(self, context: Context) -> tuple[str, ...]:
        """Facts this rule needs and the context does not know, each once, in order of the file."""
        names = self.when.missing(context) + tuple(
            fact for fact in self.needs if not is_known(fact, context)
        )
        return tuple(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question and the circumstances in which it is asked."""

    question: Question
    when: When
