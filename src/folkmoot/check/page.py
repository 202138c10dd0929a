"""A rule told to people: what it looks for, why, how to put it right, when it is wrong."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot.guidance.model import Clause, Pack

from .detecting import load_all
from .detectors.registry import OF_CONTEXTS, OF_PASSAGES, OF_POSTS
from .engine import Checker
from .model import CheckError, Context
from .rules import SKIPPABLE, Example, Layer, Rule, as_word
from .table import Table

_SHOWN = 12
_SKIPPED = {slot: word for word, slot in SKIPPABLE.items()}
_KEYS = {
    "capacity": "capacity",
    "period": "the period",
    "closeness": "the closeness of the subject",
}


class UnknownRule(CheckError):
    """No rule of the pack has this id."""

    def __init__(self, pack: str, rule: str, known: tuple[str, ...]) -> None:
        listed = "\n".join(f"  {each}" for each in known)
        super().__init__(f"The pack {pack} has no rule {rule!r}. It has:\n{listed}")


@dataclass(frozen=True, slots=True)
class PageExample:
    """An example as people read it: the words, what is attached, the circumstances."""

    text: str
    attachments: tuple[str, ...]
    facts: tuple[str, ...]
    fires: bool


@dataclass(frozen=True, slots=True)
class RulePage:
    """Everything a page about one rule shows, in the order in which it shows it.

    ``looks_for`` and ``applies`` are sentences. ``cleared_by`` is in words. ``layers`` tell which
    file set each key, the rule's own file first; a later one wins. ``history`` is (version, what
    changed), as the file has it.
    """

    id: str
    title: str
    status: str
    since: str
    effect: str
    confidence: float
    clear_by: str
    cleared_by: str
    looks_for: tuple[str, ...]
    applies: tuple[str, ...]
    why: str
    put_right: str
    put_right_cy: str
    fine: tuple[str, ...]
    when_wrong: str
    clauses: tuple[Clause, ...]
    examples: tuple[PageExample, ...]
    history: tuple[tuple[str, str], ...]
    layers: tuple[Layer, ...]
    locked: tuple[str, ...]
    floor: str


def describe_rule(checker: Checker, pack: Pack, rule_id: str) -> RulePage:
    """The page of one rule of ``checker``, which was built of ``pack``.

    Raises:
        UnknownRule: The pack has no such rule.
    """
    rule = next((each for each in checker.rules if each.id == rule_id), None)
    if rule is None:
        raise UnknownRule(pack.id, rule_id, tuple(each.id for each in checker.rules))
    clauses = {clause.id: clause for clause in pack.clauses}
    return RulePage(
        id=rule.id,
        title=rule.title,
        status=rule.status.value,
        since=rule.since,
        effect=rule.effect.word,
        confidence=rule.confidence,
        clear_by=rule.clear_by,
        cleared_by=checker.vocabulary.roles.get(rule.clear_by, rule.clear_by),
        looks_for=_looks_for(rule),
        applies=_applies(rule, checker),
        why=rule.why,
        put_right=rule.advice,
        put_right_cy=rule.advice_cy,
        fine=rule.fine,
        when_wrong=rule.when_wrong,
        clauses=tuple(clauses[each] for each in rule.clauses),
        examples=tuple(map(_example, rule.examples)),
        history=rule.history,
        layers=rule.layers,
        locked=tuple(sorted(rule.locked)),
        floor="" if rule.floor is None else rule.floor.word,
    )


def _looks_for(rule: Rule) -> tuple[str, ...]:
    match = rule.match
    told: list[str] = []
    if match.detector is not None:
        told.append(_said_of(rule, match.detector))
        if rule.options:
            given = "; ".join(f"{key}: {_listed(value)}" for key, value in rule.options.items())
            told.append(f"Settings: {given}.")
    if match.terms:
        how = "as they are written" if match.case_sensitive else "in any case"
        whole = "whole words" if match.whole_words else "words, and parts of words"
        told.append(f"These {whole}, {how}: {_listed(match.terms)}.")
    if match.patterns:
        told.append(f"Patterns: {_listed(match.patterns)}.")
    if match.not_within:
        told.append(f"Not within: {_listed(match.not_within)}.")
    if match.skip:
        told.append(f"Not within {' or '.join(f'a {_SKIPPED[slot]}' for slot in match.skip)}.")
    if len(match.places) == 1:
        told.append(f"Only in the {'text' if match.places[0] == 'text' else 'alt text'}.")
    return tuple(told)


def _said_of(rule: Rule, name: str) -> str:
    """The first lines of what the detector's own function says of itself."""
    load_all()
    options = Table(rule.file, rule.options, "options.")
    make = OF_PASSAGES[name][0] if name in OF_PASSAGES else OF_POSTS.get(name) or OF_CONTEXTS[name]
    doc = make.__doc__ or make(options).__doc__ or name
    return " ".join(doc.split("\n\n")[0].replace("``", "“", 1).replace("``", "”", 1).split())


def _listed(value: object) -> str:
    if not isinstance(value, list | tuple):
        return str(value)
    words = [f"“{each}”" for each in value[:_SHOWN]]
    more = len(value) - len(words)
    return ", ".join(words) + (f" and {more} more" if more else "")


def _applies(rule: Rule, checker: Checker) -> tuple[str, ...]:
    told = [
        f"Only when {_KEYS.get(key, f'the {key}')} is {' or '.join(sorted(values))}."
        for key, values in rule.when.facts.items()
    ]
    told += [
        f"Only when it is known {checker.ask(name)}: {' or '.join(sorted(values))}."
        for name, values in rule.when.named.items()
    ]
    told += [f"It has to be known {checker.ask(name)}." for name in rule.needs]
    if rule.protects:
        told.append("It holds for private people too, because others would be harmed.")
    return tuple(told)


def _example(example: Example) -> PageExample:
    return PageExample(
        text=example.post.text,
        attachments=tuple(
            f"{each.media_type}: {each.alt or 'no alt text'}" for each in example.post.attachments
        ),
        facts=tuple(_facts(example.context)),
        fires=example.fires,
    )


def _facts(context: Context) -> list[str]:
    told = [
        f"{key}={value}"
        for key in ("capacity", "role", "channel", "nation", "language", "audience", "seniority",
                    "closeness")
        if (value := getattr(context, key)) is not None
    ]  # fmt: skip
    if context.publish_at is not None:
        told.append(f"publish_at={context.publish_at.isoformat()}")
    if context.periods is not None:
        told.append(f"period={' '.join(sorted(context.periods)) or 'none'}")
    return told + [f"{name}={as_word(value)}" for name, value in context.facts.items()]
