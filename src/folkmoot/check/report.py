"""A report as plain JSON, and back.

Schema version 1, as :func:`report_to_dict` writes it::

    {"schema": 1,
     "pack": "id@version#digest",
     "verdict": "post" | "post_with_care" | "get_signoff" | "do_not_post",
     "findings": [{"rule", "title", "clauses": [..], "effect": "note|advise|hold|stop",
                   "confidence", "message", "advice", "clear_by",
                   "spans": [{"start", "end", "start_utf16", "end_utf16", "place"}],
                   "because": [..], "fingerprint"}],
     "not_evaluated": [{"rule", "title", "missing": [..], "effect", "message"}],
     "questions": [{"id", "text", "hint", "clauses": [..], "proceed": "yes" | "no"}],
     "looked_at": [..]}

Offsets count from 0, ends are exclusive. A new optional key does not change the version; anything
a reader of version 1 could misunderstand does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from .model import CheckError, Effect, Finding, NotEvaluated, Question, Report, Span, Verdict

SCHEMA = 1
"""The version of the form this module writes and reads."""

Value = TypeVar("Value", Finding, NotEvaluated, Question, Span)


def report_to_dict(report: Report) -> dict[str, Any]:
    """``report`` as dicts, lists, strings and numbers, in the form of schema version 1."""
    return {
        "schema": SCHEMA,
        "pack": report.pack,
        "verdict": report.verdict.value,
        "findings": [_plain(finding) for finding in report.findings],
        "not_evaluated": [_plain(unanswered) for unanswered in report.not_evaluated],
        "questions": [_plain(question) for question in report.questions],
        "looked_at": list(report.looked_at),
    }


def report_from_dict(data: Mapping[str, Any]) -> Report:
    """The report that :func:`report_to_dict` wrote.

    Raises:
        CheckError: ``data`` is of another schema version, or a part of it is missing or wrong.
    """
    if data.get("schema") != SCHEMA:
        raise CheckError(
            f"This report is of schema {data.get('schema')!r}; this Folkmoot reads {SCHEMA}."
        )
    try:
        return Report(
            pack=data["pack"],
            verdict=Verdict(data["verdict"]),
            findings=tuple(
                _value(
                    Finding, {**row, "spans": tuple(_value(Span, span) for span in row["spans"])}
                )
                for row in data["findings"]
            ),
            not_evaluated=tuple(_value(NotEvaluated, row) for row in data["not_evaluated"]),
            questions=tuple(_value(Question, row) for row in data["questions"]),
            looked_at=tuple(data["looked_at"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise CheckError(f"This report cannot be read: {type(wrong).__name__}: {wrong}.") from wrong


def _plain(value: Finding | NotEvaluated | Question | Span) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for key in (field.name for field in fields(value)):
        content = getattr(value, key)
        if isinstance(content, Effect):
            content = content.word
        elif key == "spans":
            content = [_plain(span) for span in content]
        elif isinstance(content, tuple):
            content = list(content)
        row[key] = content
    return row


def _value(kind: type[Value], row: Mapping[str, Any]) -> Value:
    content: dict[str, Any] = {}
    for key in (field.name for field in fields(kind)):
        part = row[key]
        if key == "effect":
            part = Effect[str(part).upper()]
        content[key] = tuple(part) if isinstance(part, list) else part
    return kind(**content)
