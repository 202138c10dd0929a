"""Should I post this? Rules look at a post in its context; findings cite clauses.

>>> from folkmoot.check import Checker, Post, Context
>>> from folkmoot.guidance import load_pack
>>> report = Checker(load_pack("uk-civil-service")).check(Post("..."), Context(...))

Rules are TOML files in a pack's ``rules`` folder; ``docs/rules.md`` shows how to write one.
"""

from .engine import Checker
from .examples import ExampleFault, find_faults
from .model import (
    Attachment,
    Capacity,
    CheckError,
    Context,
    Effect,
    Finding,
    NotEvaluated,
    Post,
    Question,
    Report,
    Span,
    Verdict,
)
from .report import SCHEMA, report_from_dict, report_to_dict
from .rules import Example, Match, Rule, RuleStatus, When
from .table import RuleError

__all__ = [
    "SCHEMA",
    "Attachment",
    "Capacity",
    "CheckError",
    "Checker",
    "Context",
    "Effect",
    "Example",
    "ExampleFault",
    "Finding",
    "Match",
    "NotEvaluated",
    "Post",
    "Question",
    "Report",
    "Rule",
    "RuleError",
    "RuleStatus",
    "Span",
    "Verdict",
    "When",
    "find_faults",
    "report_from_dict",
    "report_to_dict",
]
