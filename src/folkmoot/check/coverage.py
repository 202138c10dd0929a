"""Whether each condition of each rule has examples on both sides of it."""

from __future__ import annotations

from .engine import Checker
from .examples import ExampleFault
from .rules import FACT_OF, Example, Rule, When, is_known


def find_uncovered(checker: Checker) -> tuple[ExampleFault, ...]:
    """Every condition of a running rule that its examples do not show, in order of rule.

    A condition is a key of ``[when]``, a fact of ``[when.facts]`` or one of ``needs``. For the
    first two there must be an example on which the rule fires with it, and one on which it does
    not fire where this condition fails; for the last one of either kind in which it is known.
    """
    return tuple(
        ExampleFault(rule.id, wrong) for rule in checker.running for wrong in _uncovered(rule)
    )


def _uncovered(rule: Rule) -> list[str]:
    firing = [example for example in rule.examples if example.fires]
    silent = [example for example in rule.examples if not example.fires]
    wrongs: list[str] = []
    if not firing:
        wrongs.append("There is no example that fires.")
    if not silent:
        wrongs.append("There is no example that does not fire.")
    alone = [When({key: values}) for key, values in rule.when.facts.items()]
    alone += [When({}, {name: values}) for name, values in rule.when.named.items()]
    for when in alone:
        name = next(iter((*when.facts, *when.named)))
        if not _some(firing, when, holds=True):
            wrongs.append(f"No example fires with {name} known to hold.")
        if not _some(silent, when, holds=False):
            wrongs.append(f"No example is left alone because {name} does not hold.")
    tested = {FACT_OF[key] for key in rule.when.facts} | set(rule.when.named)
    for name in rule.needs:
        if name in tested:
            continue
        for examples, what in ((firing, "fires"), (silent, "is left alone")):
            if not any(is_known(name, example.context) for example in examples):
                wrongs.append(f"No example {what} with {name} known.")
    return wrongs


def _some(examples: list[Example], when: When, *, holds: bool) -> bool:
    return any(when.applies(example.context) is holds for example in examples)
