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
from .personal import PersonalAdvice, Strength, judge_personal
from .report import SCHEMA, report_from_dict, report_to_dict
from .rules import Example, Layer, Match, Rule, RuleStatus, When
from .table import RuleError
from .vocabulary import FACTS, ROLES, Fact, Vocabulary

__all__ = [
    "FACTS",
    "ROLES",
    "SCHEMA",
    "Attachment",
    "Capacity",
    "Captions",
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
    "PersonalAdvice",
    "Post",
    "Question",
    "Report",
    "Rule",
    "RuleError",
    "RuleStatus",
    "Seniority",
    "Span",
    "Strength",
    "Verdict",
    "Vocabulary",
    "When",
    "find_faults",
    "judge_personal",
    "report_from_dict",
    "report_to_dict",
]
