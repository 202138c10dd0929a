"""Should I post this? Rules look at a post in its context; findings cite clauses.

>>> from folkmoot.check import Checker, Post, Context
>>> from folkmoot.guidance import load_pack
>>> report = Checker(load_pack("uk-civil-service")).check(Post("..."), Context(...))

Rules are TOML files in a pack's ``rules`` folder; ``docs/rules.md`` shows how to write one.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .coverage import (
        find_uncovered,
    )
    from .engine import (
        Checker,
    )
    from .examples import (
        ExampleFault,
        find_faults,
    )
    from .model import (
        Attachment,
        Capacity,
        Captions,
        CheckError,
        Closeness,
        Context,
        Effect,
        Finding,
        NotEvaluated,
        Overridden,
        Post,
        Question,
        Report,
        Seniority,
        Span,
        Verdict,
    )
    from .overrides import (
        Applied,
        Override,
        OverrideError,
        apply_overrides,
        list_unused,
        read_overrides,
        write_overrides,
    )
    from .page import (
        PageExample,
        RulePage,
        UnknownRule,
        describe_rule,
    )
    from .personal import (
        Care,
        PersonalAdvice,
        Strength,
        judge_personal,
    )
    from .report import (
        SCHEMA,
        report_from_dict,
        report_to_dict,
    )
    from .rules import (
        Example,
        Layer,
        Match,
        Rule,
        RuleStatus,
        When,
    )
    from .table import (
        RuleError,
    )
    from .vocabulary import (
        FACTS,
        ROLES,
        Fact,
        Vocabulary,
    )

# Where each name lives. It is imported when it is first asked for: the command must not wait for
# what a plain post does not need.
_HOMES = {
    "Applied": ".overrides",
    "Attachment": ".model",
    "Capacity": ".model",
    "Captions": ".model",
    "Care": ".personal",
    "CheckError": ".model",
    "Checker": ".engine",
    "Closeness": ".model",
    "Context": ".model",
    "Effect": ".model",
    "Example": ".rules",
    "ExampleFault": ".examples",
    "FACTS": ".vocabulary",
    "Fact": ".vocabulary",
    "Finding": ".model",
    "Layer": ".rules",
    "Match": ".rules",
    "NotEvaluated": ".model",
    "Overridden": ".model",
    "Override": ".overrides",
    "OverrideError": ".overrides",
    "PageExample": ".page",
    "PersonalAdvice": ".personal",
    "Post": ".model",
    "Question": ".model",
    "ROLES": ".vocabulary",
    "Report": ".model",
    "Rule": ".rules",
    "RuleError": ".table",
    "RulePage": ".page",
    "RuleStatus": ".rules",
    "SCHEMA": ".report",
    "Seniority": ".model",
    "Span": ".model",
    "Strength": ".personal",
    "UnknownRule": ".page",
    "Verdict": ".model",
    "Vocabulary": ".vocabulary",
    "When": ".rules",
    "apply_overrides": ".overrides",
    "describe_rule": ".page",
    "find_faults": ".examples",
    "find_uncovered": ".coverage",
    "judge_personal": ".personal",
    "list_unused": ".overrides",
    "read_overrides": ".overrides",
    "report_from_dict": ".report",
    "report_to_dict": ".report",
    "write_overrides": ".overrides",
}

__all__ = [
    "FACTS",
    "ROLES",
    "SCHEMA",
    "Applied",
    "Attachment",
    "Capacity",
    "Captions",
    "Care",
    "CheckError",
    "Checker",
    "Closeness",
    "Context",
    "Effect",
    "Example",
    "ExampleFault",
    "Fact",
    "Finding",
    "Layer",
    "Match",
    "NotEvaluated",
    "Overridden",
    "Override",
    "OverrideError",
    "PageExample",
    "PersonalAdvice",
    "Post",
    "Question",
    "Report",
    "Rule",
    "RuleError",
    "RulePage",
    "RuleStatus",
    "Seniority",
    "Span",
    "Strength",
    "UnknownRule",
    "Verdict",
    "Vocabulary",
    "When",
    "apply_overrides",
    "describe_rule",
    "find_faults",
    "find_uncovered",
    "judge_personal",
    "list_unused",
    "read_overrides",
    "report_from_dict",
    "report_to_dict",
    "write_overrides",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name], __name__), name)
    globals()[name] = value
    return value
