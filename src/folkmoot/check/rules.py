"""Rules as values, read from the ``rules/*.toml`` of a pack's folders. One file, one rule.

``docs/rules.md`` shows how to write one. Everything in a file is checked when it is read: a rule
that cannot be used is an error that names file, key and what is wrong, never a rule left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from .model import Attachment, Capacity, Context, Effect, Post, Question
from .table import RuleError, Table, read_toml

__all__ = [
    "AskedQuestion",
    "Example",
    "Match",
    "Rule",
    "RuleError",
    "RuleStatus",
    "When",
    "load_questions",
    "load_rules",
]

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*(?:/[a-z0-9]+(?:-[a-z0-9]+)*)+")
_FACT_VALUE = re.compile(r"[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)*")
_PERIOD = re.compile(r"[a-z]+(?:_[a-z]+)*")

# The keys of [when] and the fact of the context each looks at.
FACT_OF = {
    "capacity": "capacity",
    "role": "role",
    "channel": "channel",
    "nation": "nation",
    "language": "language",
    "audience": "audience",
    "period": "periods",
}
FACTS = (*FACT_OF.values(), "publish_at")
CLEARED_BY = ("author", "approver", "nobody")
# What a rule may skip, and the kind of place in a passage that is.
SKIPPABLE = {
    "email": "emails",
    "hashtag": "hashtags",
    "mention": "mentions",
    "quote": "quotes",
    "url": "urls",
}
PLACES = ("text", "alt")


class RuleStatus(StrEnum):
    """Where a rule stands in its life. A deprecated rule is read and checked but never run."""

    PREVIEW = "preview"
    STABLE = "stable"
    DEPRECATED = "deprecated"


@dataclass(frozen=True, slots=True)
class When:
    """The facts under which something applies: for each key named, one of the values must hold.

    Keys are those of :data:`FACT_OF`. An empty mapping applies always.
    """

    facts: Mapping[str, frozenset[str]]

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
        return known

    def missing(self, context: Context) -> tuple[str, ...]:
        """The facts named here that the context does not know, in the order of the file."""
        return tuple(FACT_OF[key] for key in self.facts if getattr(context, FACT_OF[key]) is None)

    def because(self, context: Context) -> tuple[str, ...]:
        """Why this applies, as ``fact=value`` in the order of the file."""
        reasons: list[str] = []
        for key, wanted in self.facts.items():
            fact = getattr(context, FACT_OF[key])
            if key == "period":
                reasons.extend(f"period={kind}" for kind in sorted(wanted & (fact or frozenset())))
            else:
                reasons.append(f"{key}={fact}")
        return tuple(reasons)


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
class Rule:
    """One rule as its file says. ``options`` are for the detector and checked by it."""

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

    def missing(self, context: Context) -> tuple[str, ...]:
        """Facts this rule needs and the context does not know, each once, in order of the file."""
        names = self.when.missing(context) + tuple(
            fact for fact in self.needs if getattr(context, fact) is None
        )
        return tuple(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question and the circumstances in which it is asked."""

    question: Question
    when: When


def load_rules(folders: tuple[Path, ...], has_clause: Mapping[str, object]) -> tuple[Rule, ...]:
    """Every rule of ``rules/*.toml`` in ``folders``, in order of id.

    ``has_clause`` holds the ids of the clauses a rule may cite. Raises :class:`RuleError` where a
    file cannot be used, cites a clause that is not there, or repeats the id of another rule.
    """
    by_id: dict[str, Rule] = {}
    for folder in folders:
        for file in sorted((folder / "rules").glob("*.toml")):
            rule = _rule(Table(file, read_toml(file)), folder.name)
            for clause in rule.clauses:
                if clause not in has_clause:
                    raise RuleError(
                        file, "clauses", f"the pack has no clause {clause!r}; cite one it has"
                    )
            if rule.id in by_id:
                raise RuleError(
                    file, "id", f"{rule.id!r} is already the id of {by_id[rule.id].file}"
                )
            by_id[rule.id] = rule
    return tuple(by_id[rule_id] for rule_id in sorted(by_id))


def load_questions(
    folders: tuple[Path, ...], has_clause: Mapping[str, object]
) -> tuple[AskedQuestion, ...]:
    """Every question of ``questions.toml`` in ``folders``, parents' first, in the files' order.

    Raises :class:`RuleError` as :func:`load_rules` does.
    """
    asked: dict[str, AskedQuestion] = {}
    for folder in folders:
        file = folder / "questions.toml"
        if not file.exists():
            continue
        whole = Table(file, read_toml(file))
        for row in whole.tables("question"):
            question = Question(
                id=row.text("id", like=_ID),
                text=row.text("text"),
                hint=row.text("hint"),
                clauses=row.texts("clauses", at_least=1),
                proceed=row.choice("proceed", ("yes", "no")),
            )
            when = _when(row.table("when"))
            row.end()
            for clause in question.clauses:
                if clause not in has_clause:
                    raise RuleError(file, "clauses", f"the pack has no clause {clause!r}")
            if question.id in asked:
                raise RuleError(file, "id", f"the question {question.id!r} is there twice")
            asked[question.id] = AskedQuestion(question, when)
        whole.end()
    return tuple(asked.values())


def _rule(table: Table, folder: str) -> Rule:
    effect = Effect[table.choice("effect", tuple(effect.word for effect in Effect)).upper()]
    clear_by = table.choice("clear_by", CLEARED_BY)
    if clear_by == "nobody" and effect < Effect.STOP:
        table.refuse("clear_by", "only a stop can be cleared by nobody; say author or approver")
    rule = Rule(
        id=table.text("id", like=_ID),
        title=table.text("title"),
        status=RuleStatus(table.choice("status", tuple(RuleStatus))),
        since=table.text("since"),
        clauses=table.texts("clauses", at_least=1),
        effect=effect,
        confidence=table.number("confidence", low=0.0, high=1.0),
        clear_by=clear_by,
        message=table.text("message"),
        advice=table.text("advice"),
        why=table.text("why"),
        when_wrong=table.text("when_wrong"),
        when=_when(table.table("when")),
        needs=table.choices("needs", FACTS),
        match=_match(table.table("match")),
        options=table.anything("options"),
        examples=tuple(_example(row) for row in table.tables("example")),
        pack_folder=folder,
        file=table.file,
    )
    if rule.options and rule.match.detector is None:
        table.refuse("options", "options are for a detector and this rule names none")
    table.end()
    return rule


def _when(table: Table) -> When:
    facts: dict[str, frozenset[str]] = {}
    for key in table.names():
        if key not in FACT_OF:
            table.refuse(key, f"not a fact of the context; say one of {', '.join(FACT_OF)}")
        values = table.texts(key, at_least=1)
        for value in values:
            # A value that can never hold would switch the rule off without anybody noticing.
            if key == "capacity" and value not in tuple(Capacity):
                table.refuse(key, f"{value!r} is not one of {', '.join(Capacity)}")
            if not (_PERIOD if key == "period" else _FACT_VALUE).fullmatch(value):
                table.refuse(key, f"{value!r} cannot be a value of this fact")
        facts[key] = frozenset(value.lower() if key == "language" else value for value in values)
    table.end()
    return When(facts)


def _match(table: Table) -> Match:
    match = Match(
        terms=table.texts("terms"),
        patterns=table.texts("patterns"),
        literals=table.texts("literals"),
        always=table.flag("always", default=False),
        not_within=table.texts("not_within"),
        case_sensitive=table.flag("case_sensitive", default=False),
        whole_words=table.flag("whole_words", default=True),
        skip=tuple(SKIPPABLE[name] for name in table.choices("skip", tuple(SKIPPABLE))),
        places=table.choices("places", PLACES) or PLACES,
        detector=table.text("detector") if table.has("detector") else None,
    )
    table.end()
    written = bool(match.terms or match.patterns)
    if written == (match.detector is not None):
        table.refuse("", "give either terms and patterns, or a detector")
    if match.patterns and not (match.literals or match.always):
        table.refuse(
            "patterns",
            "give literals (a word each match must contain), or say always = true to run the "
            "patterns on every post",
        )
    if match.detector is not None and (match.literals or match.not_within or match.always):
        table.refuse("detector", "literals, not_within and always are for terms and patterns")
    return match


def _example(row: Table) -> Example:
    periods = row.texts("periods") if row.has("periods") else None
    at = row.text("publish_at") if row.has("publish_at") else None
    capacity = row.choice("capacity", tuple(Capacity)) if row.has("capacity") else None

    def fact(key: str) -> str | None:
        return row.text(key) if row.has(key) else None

    try:
        publish_at = None if at is None else datetime.fromisoformat(at)
    except ValueError:
        row.refuse("publish_at", f"{at!r} is not a date and time such as 2026-05-01T09:00:00+01:00")
    if publish_at is not None and publish_at.tzinfo is None:
        row.refuse("publish_at", "say the offset from UTC too, such as 2026-05-01T09:00:00+01:00")
    example = Example(
        post=Post(
            row.text("text", may_be_empty=True),
            tuple(_attachment(picture) for picture in row.tables("attachments")),
        ),
        context=Context(
            capacity=None if capacity is None else Capacity(capacity),
            role=fact("role"),
            channel=fact("channel"),
            nation=fact("nation"),
            language=fact("language"),
            audience=fact("audience"),
            publish_at=publish_at,
            periods=None if periods is None else frozenset(periods),
        ),
        fires=row.flag("fires"),
        marks=row.text("marks") if row.has("marks") else None,
    )
    row.end()
    return example


def _attachment(row: Table) -> Attachment:
    attachment = Attachment(
        id=row.text("id"),
        media_type=row.text("media_type"),
        alt=row.text("alt", may_be_empty=True) if row.has("alt") else None,
        filename=row.text("filename") if row.has("filename") else "",
    )
    row.end()
    return attachment
