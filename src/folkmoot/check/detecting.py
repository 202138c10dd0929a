"""Making the detectors that rules name, each when it is first needed."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from .detectors.registry import (
    ATTACHED,
    OF_CONTEXTS,
    OF_PASSAGES,
    OF_POSTS,
    DetectInContext,
    DetectInPassage,
    DetectInPost,
)
from .rules import Rule
from .table import RuleError, Table

PASSAGE, POST, CONTEXT = "passage", "post", "context"
ATTACHMENTS = "attachments"
"""What a detector of posts waits for that has nothing to say where nothing is attached."""
_PERSONAL = "folkmoot.check.personal"


@dataclass(frozen=True, slots=True)
class Made:
    """A rule's detector as it was made when the rule was read.

    ``kind`` is ``passage``, ``post`` or ``context``; ``where`` the kind of place it waits for;
    ``module`` the one it is in, from which it can be made again.
    """

    kind: str
    where: str | None
    module: str
    detect: DetectInPassage | DetectInPost | DetectInContext


def load_all() -> None:
    """Import every module of detectors, so that all are registered."""
    from . import detectors

    for found in iter_modules(detectors.__path__, f"{detectors.__name__}."):
        import_module(found.name)
    import_module(_PERSONAL)


def make_detector(rule: Rule) -> Made:
    """The detector ``rule`` names. :func:`load_all` must have been called.

    Raises:
        RuleError: There is no such detector, or its options are not as it needs them.
    """
    name = rule.match.detector or ""
    options = Table(rule.file, rule.options, "options.")
    where: str | None = None
    made: DetectInPassage | DetectInPost | DetectInContext
    if name in OF_PASSAGES:
        maker, where = OF_PASSAGES[name]
        kind, made, module = PASSAGE, maker(options), maker.__module__
    elif name in OF_POSTS:
        kind, made, module = POST, OF_POSTS[name](options), OF_POSTS[name].__module__
        where = ATTACHMENTS if name in ATTACHED else None
    elif name in OF_CONTEXTS:
        kind, made, module = CONTEXT, OF_CONTEXTS[name](options), OF_CONTEXTS[name].__module__
    else:
        known = ", ".join(sorted((*OF_PASSAGES, *OF_POSTS, *OF_CONTEXTS)))
        raise RuleError(
            rule.file, "match.detector", f"there is no detector {name!r}; there are {known}"
        )
    options.end()
    # One without options is registered by the registry; its own module is where it was written.
    if module.endswith(".registry"):
        module = made.__module__
    return Made(kind, where, module, made)


def detector_of(
    rule: Rule, kind: str, module: str
) -> DetectInPassage | DetectInPost | DetectInContext:
    """The detector of ``rule``, of ``kind`` and in ``module``, made when it first meets a post."""
    made: DetectInPassage | DetectInPost | DetectInContext | None = None

    def detect(*met: Any) -> Any:
        nonlocal made
        if made is None:
            made = made_detector(rule, kind, module)
        return made(*met)

    return detect


def made_detector(
    rule: Rule, kind: str, module: str
) -> DetectInPassage | DetectInPost | DetectInContext:
    """The detector of ``rule``, of ``kind`` and in ``module``, made now.

    Raises :class:`RuleError` where what its options name has changed since the rule was read.
    """
    import_module(module)
    name = rule.match.detector or ""
    options = Table(rule.file, rule.options, "options.")
    if kind == PASSAGE:
        return OF_PASSAGES[name][0](options)
    return OF_POSTS[name](options) if kind == POST else OF_CONTEXTS[name](options)
