"""Holding rules against their own examples: a rule's test and its documentation are the same."""

from __future__ import annotations

from dataclasses import dataclass

from .engine import Checker
from .folding import fold
from .model import Post
from .rules import Example, Rule


@dataclass(frozen=True, slots=True)
class ExampleFault:
    """One way in which a rule does not do what its file says, as a sentence."""

    rule: str
    wrong: str


def find_faults(checker: Checker) -> tuple[ExampleFault, ...]:
    """Every fault of every rule that runs, in order of rule and example; none means all is well.

    Each rule needs an example on which it fires and one on which it does not. On each example it
    must do as told, be able to answer with the facts given, and point at the words of ``marks``.
    A pattern must not match where none of the rule's literals stands.

    Raises:
        CheckError: A rule failed on an example.
    """
    faults: list[ExampleFault] = []
    for rule in checker.running:
        faults.extend(
            ExampleFault(rule.id, f"There is no example that {which}.")
            for fires, which in ((True, "fires"), (False, "does not fire"))
            if not any(example.fires is fires for example in rule.examples)
        )
        for number, example in enumerate(rule.examples, 1):
            wrong = _wrong(checker, rule, example)
            if wrong:
                faults.append(ExampleFault(rule.id, f"Example {number}: {wrong}"))
    return tuple(faults)


def _wrong(checker: Checker, rule: Rule, example: Example) -> str | None:
    report = checker.check(example.post, example.context)
    missing = next((each.missing for each in report.not_evaluated if each.rule == rule.id), None)
    if missing is not None:
        return f"the rule needs {', '.join(missing)}, which the example does not give."
    finding = next((each for each in report.findings if each.rule == rule.id), None)
    if example.fires != (finding is not None):
        return "the rule does not fire." if example.fires else "the rule fires."
    if finding is not None and example.marks is not None:
        marked = [_words(example.post, span.place, span.start, span.end) for span in finding.spans]
        if example.marks not in marked:
            return f"the rule marks {marked}, not {example.marks!r}."
    if _would_match_unasked(checker, rule, example):
        return "a pattern matches although none of the literals is there; add the literal."
    return None


def _would_match_unasked(checker: Checker, rule: Rule, example: Example) -> bool:
    if not rule.match.patterns or rule.match.always:
        return False
    text = fold(example.post.text)
    if any(fold(literal) in text for literal in rule.match.literals):
        return False
    return checker.matches_without_literals(rule, example.post.text)


def _words(post: Post, place: str, start: int, end: int) -> str:
    if place == "text":
        return post.text[start:end]
    alts = {f"attachment:{each.id}:alt": each.alt or "" for each in post.attachments}
    return alts[place][start:end]
