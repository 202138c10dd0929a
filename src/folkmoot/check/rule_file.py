"""Reading the ``rules/*.toml`` and ``questions.toml`` of a pack's folders. One file, one rule.

Everything in a file is checked when it is read: a rule that cannot be used is an error that names
file, key and what is wrong, never a rule left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from .model import (
    Attachment,
    Capacity,
    Captions,
    Closeness,
    Context,
    Effect,
    Post,
    Question,
    Seniority,
)
from .rules import (
    FACT_OF,
    FIXED_FACTS,
    OTHERS,
    PLACES,
    SKIPPABLE,
    TAKE_IT_OFFLINE,
    AskedQuestion,
    Example,
    Layer,
    Match,
    Rule,
    RuleStatus,
    When,
    as_word,
)
from .table import RuleError, Table, read_toml
from .vocabulary import Vocabulary

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*(?:/[a-z0-9]+(?:-[a-z0-9]+)*)+")
_FACT_VALUE = re.compile(r"[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)*")
_PERIOD = re.compile(r"[a-z]+(?:_[a-z]+)*")
_SHOWN = 60

LOCKABLE = (
    "advice",
    "clauses",
    "clear_by",
    "confidence",
    "effect",
    "status",
    "terms",
    "when",
    "all",
)
"""What a rule may lock, so that no pack that inherits it changes it."""


def load_rules(
    folders: tuple[Path, ...], has_clause: Mapping[str, object], vocabulary: Vocabulary
) -> tuple[Rule, ...]:
    """Every rule of ``rules/*.toml`` in ``folders`` as its own file says, in order of id.

    ``has_clause`` holds the ids of the clauses a rule may cite. Raises :class:`RuleError` where a
    file cannot be used, cites a clause that is not there, or repeats the id of another rule.
    """
    by_id: dict[str, Rule] = {}
    for folder in folders:
        for file in sorted((folder / "rules").glob("*.toml")):
            rule = _rule(Table(file, read_toml(file)), folder.name, vocabulary)
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
    folders: tuple[Path, ...], has_clause: Mapping[str, object], vocabulary: Vocabulary
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
            when = read_when(row.table("when"), vocabulary)
            row.end()
            for clause in question.clauses:
                if clause not in has_clause:
                    raise RuleError(file, "clauses", f"the pack has no clause {clause!r}")
            if question.id in asked:
                raise RuleError(file, "id", f"the question {question.id!r} is there twice")
            asked[question.id] = AskedQuestion(question, when)
        whole.end()
    return tuple(asked.values())


def _rule(table: Table, folder: str, vocabulary: Vocabulary) -> Rule:
    layers = tuple(
        Layer(key, folder, table.file, shown(table.peek(key)))
        for key in table.names()
        if key not in ("id", "example", "history")
    )
    rule = Rule(
        id=table.text("id", like=_ID),
        title=table.text("title"),
        status=RuleStatus(table.choice("status", ("preview", "stable", "deprecated"))),
        since=table.text("since"),
        clauses=table.texts("clauses", at_least=1),
        effect=read_effect(table, "effect"),
        confidence=table.number("confidence", low=0.0, high=1.0),
        clear_by=table.choice("clear_by", tuple(vocabulary.roles)),
        message=table.text("message"),
        advice=table.text("advice"),
        why=table.text("why"),
        when_wrong=table.text("when_wrong"),
        when=read_when(table.table("when"), vocabulary),
        needs=table.choices("needs", (*FIXED_FACTS, *vocabulary.facts)),
        match=_match(table.table("match")),
        options=table.anything("options"),
        examples=tuple(_example(row, vocabulary) for row in table.tables("example")),
        pack_folder=folder,
        file=table.file,
        protects=table.choice("protects", (OTHERS,)) if table.has("protects") else "",
        outcome=table.choice("outcome", (TAKE_IT_OFFLINE,)) if table.has("outcome") else "",
        fine=table.texts("fine"),
        advice_cy=table.text("advice_cy") if table.has("advice_cy") else "",
        locked=frozenset(table.choices("locked", LOCKABLE)),
        floor=read_effect(table, "floor") if table.has("floor") else None,
        history=tuple(_history(row) for row in table.tables("history")),
        layers=layers,
    )
    if rule.options and rule.match.detector is None:
        table.refuse("options", "options are for a detector and this rule names none")
    table.end()
    refuse_contradictions(rule, table.refuse)
    return rule


def refuse_contradictions(rule: Rule, refuse: Callable[[str, str], NoReturn]) -> None:
    """Call ``refuse(key, what is wrong)`` where the parts of ``rule`` do not go together."""
    if rule.clear_by == "nobody" and rule.effect < Effect.STOP:
        refuse("clear_by", "only a stop can be cleared by nobody; say author or approver")
    if rule.floor is not None and rule.effect < rule.floor:
        refuse("effect", f"{rule.effect.word} is below the floor {rule.floor.word}")
    if rule.outcome and rule.effect < Effect.ADVISE:
        refuse("outcome", "a note cannot send a conversation elsewhere; advise at least")
    capacities = rule.when.facts.get("capacity")
    private = capacities is None or Capacity.PERSONAL in capacities
    if private and rule.effect >= Effect.HOLD and rule.protects != OTHERS:
        refuse(
            "protects",
            "this rule would hold or stop what people say as themselves; name the capacities in "
            '[when], or say protects = "others" if others would be harmed',
        )


def read_effect(table: Table, key: str) -> Effect:
    """The effect of ``key``, which must be there."""
    return Effect[table.choice(key, tuple(effect.word for effect in Effect)).upper()]


def _history(row: Table) -> tuple[str, str]:
    change = (row.text("version"), row.text("what"))
    row.end()
    return change


def shown(value: object) -> str:
    """A value of a file in one short line, as ``check explain`` prints it."""
    if isinstance(value, dict):
        text = ", ".join(f"{key} = {shown(part)}" for key, part in value.items())
    elif isinstance(value, list):
        text = f"[{', '.join(map(str, value))}]"
    else:
        text = str(value).lower() if isinstance(value, bool) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def read_when(table: Table, vocabulary: Vocabulary) -> When:
    """The table ``[when]`` of a rule or question. Raises :class:`RuleError`."""
    facts = {key: read_values(table, key) for key in table.names() if key != "facts"}
    named = _named_facts(table.table("facts"), vocabulary)
    table.end()
    return When(
        facts,
        {
            name: frozenset({as_word(v)} if not isinstance(v, tuple) else v)
            for name, v in named.items()
        },
    )


_CHOICES: dict[str, tuple[str, ...]] = {
    "capacity": tuple(Capacity),
    "seniority": tuple(Seniority),
    "closeness": tuple(Closeness),
}


def read_values(table: Table, key: str, fact: str | None = None) -> frozenset[str]:
    """The values of ``key`` that count for ``fact`` (the key's own name, if left out)."""
    fact = fact or key
    if fact not in FACT_OF:
        table.refuse(key, f"not a fact of the context; say one of {', '.join(FACT_OF)}")
    values = table.texts(key, at_least=1)
    for value in values:
        # A value that can never hold would switch the rule off without anybody noticing.
        if fact in _CHOICES and value not in _CHOICES[fact]:
            table.refuse(key, f"{value!r} is not one of {', '.join(_CHOICES[fact])}")
        if not (_PERIOD if fact == "period" else _FACT_VALUE).fullmatch(value):
            table.refuse(key, f"{value!r} cannot be a value of this fact")
    return frozenset(value.lower() if fact == "language" else value for value in values)


def _named_facts(table: Table, vocabulary: Vocabulary) -> dict[str, str | bool | tuple[str, ...]]:
    """Each named fact with the value, or the words, written for it."""
    read: dict[str, str | bool | tuple[str, ...]] = {}
    for name in table.names():
        fact = vocabulary.facts.get(name)
        if fact is None:
            table.refuse(
                name,
                "no fact has this name; add it to vocabulary.toml, or say one of "
                f"{', '.join(sorted(vocabulary.facts))}",
            )
        if not fact.values:
            read[name] = table.flag(name)
        elif isinstance(table.peek(name), str):
            read[name] = table.choice(name, fact.values)
        else:
            read[name] = table.choices(name, fact.values)
            if not read[name]:
                table.refuse(name, "at least one is needed")
    table.end()
    return read


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


def _example(row: Table, vocabulary: Vocabulary) -> Example:
    periods = row.texts("periods") if row.has("periods") else None
    at = row.text("publish_at") if row.has("publish_at") else None

    def fact(key: str) -> str | None:
        if key in _CHOICES:
            return row.choice(key, _CHOICES[key]) if row.has(key) else None
        return row.text(key) if row.has(key) else None

    capacity, seniority, closeness = fact("capacity"), fact("seniority"), fact("closeness")
    facts = _named_facts(row.table("facts"), vocabulary)
    for name, value in facts.items():
        if isinstance(value, tuple):
            row.refuse(f"facts.{name}", "an example has one value for each fact")

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
            seniority=None if seniority is None else Seniority(seniority),
            closeness=None if closeness is None else Closeness(closeness),
            facts={n: value for n, value in facts.items() if not isinstance(value, tuple)},
        ),
        fires=row.flag("fires"),
        marks=row.text("marks") if row.has("marks") else None,
    )
    row.end()
    return example


def _attachment(row: Table) -> Attachment:
    def said(key: str) -> bool | None:
        return row.flag(key) if row.has(key) else None

    attachment = Attachment(
        id=row.text("id"),
        media_type=row.text("media_type"),
        alt=row.text("alt", may_be_empty=True) if row.has("alt") else None,
        filename=row.text("filename") if row.has("filename") else "",
        captions=(
            Captions(row.choice("captions", tuple(Captions))) if row.has("captions") else None
        ),
        consent=said("consent"),
        licence=row.text("licence", may_be_empty=True) if row.has("licence") else None,
        has_faces=said("has_faces"),
        has_children=said("has_children"),
        has_location=said("has_location"),
        text_only=said("text_only"),
        ai_made=said("ai_made"),
    )
    row.end()
    return attachment
