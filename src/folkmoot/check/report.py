"""A report as plain JSON, and back.

Schema version 2, published as ``schema/report-2.json`` beside this module (JSON Schema 2020-12), as
:func:`report_to_dict` writes it::

    {"schema": 2,
     "pack": "id@version#digest",
     "verdict": "post" | "post_with_care" | "get_signoff" | "take_it_offline" | "do_not_post",
     "reasons": [..],
     "findings": [{"rule", "title", "clauses": [..], "effect": "note|advise|hold|stop",
                   "confidence", "message", "advice", "clear_by",
                   "spans": [{"start", "end", "start_utf16", "end_utf16", "place"}],
                   "because": [..], "fingerprint", "outcome": "" | "take_it_offline", "advice_cy"}],
     "not_evaluated": [{"rule", "title", "missing": [..], "effect", "message", "counts"}],
     "questions": [{"id", "text", "hint", "clauses": [..], "proceed": "yes" | "no"}],
     "fine": [..],
     "overridden": [{"finding": {..}, "reason", "who", "made_at", "expires_on"}],
     "looked_at": [..]}

Offsets count from 0, ends are exclusive. A new optional key does not change the version; anything
a reader could misunderstand does. Version 1 had neither the verdict ``take_it_offline`` nor
``reasons``, ``fine``, ``overridden``, ``counts``, ``outcome`` and ``advice_cy``; it is still read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import date, datetime
from typing import Any, TypeVar

from .model import (
    CheckError,
    Effect,
    Finding,
    NotEvaluated,
    Overridden,
    Question,
    Report,
    Span,
    Verdict,
)

SCHEMA = 2
"""The version of the form this module writes."""
READABLE = (1, 2)
"""The versions it reads."""

Value = TypeVar("Value", Finding, NotEvaluated, Question, Span)


def report_to_dict(report: Report) -> dict[str, Any]:
    """``report`` as dicts, lists, strings and numbers, in the form of schema version 2."""
    return {
        "schema": SCHEMA,
        "pack": report.pack,
        "verdict": report.verdict.value,
        "reasons": list(report.reasons),
        "findings": [_plain(finding) for finding in report.findings],
        "not_evaluated": [_plain(unanswered) for unanswered in report.not_evaluated],
        "questions": [_plain(question) for question in report.questions],
        "fine": list(report.fine),
        "overridden": [
            {
                "finding": _plain(each.finding),
                "reason": each.reason,
                "who": each.who,
                "made_at": each.made_at.isoformat(),
                "expires_on": each.expires_on.isoformat(),
            }
            for each in report.overridden
        ],
        "looked_at": list(report.looked_at),
    }


def report_from_dict(data: Mapping[str, Any]) -> Report:
    """The report that :func:`report_to_dict` wrote, now or when the schema was version 1.

    Raises:
        CheckError: ``data`` is of another schema version, or a part of it is missing or wrong.
    """
    if data.get("schema") not in READABLE or isinstance(data.get("schema"), bool):
        raise CheckError(
            f"This report is of schema {data.get('schema')!r}; this Folkmoot reads "
            f"{' and '.join(map(str, READABLE))}."
        )
    try:
        return Report(
            pack=data["pack"],
            verdict=Verdict(data["verdict"]),
            findings=tuple(map(_finding, data["findings"])),
            not_evaluated=tuple(_value(NotEvaluated, row) for row in data["not_evaluated"]),
            questions=tuple(_value(Question, row) for row in data["questions"]),
            looked_at=tuple(data["looked_at"]),
            reasons=tuple(data.get("reasons", ())),
            fine=tuple(data.get("fine", ())),
            overridden=tuple(map(_overridden, data.get("overridden", ()))),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise CheckError(f"This report cannot be read: {type(wrong).__name__}: {wrong}.") from wrong


def _finding(row: Mapping[str, Any]) -> Finding:
    return _value(Finding, {**row, "spans": tuple(_value(Span, span) for span in row["spans"])})


def _overridden(row: Mapping[str, Any]) -> Overridden:
    return Overridden(
        _finding(row["finding"]),
        row["reason"],
        row["who"],
        datetime.fromisoformat(row["made_at"]),
        date.fromisoformat(row["expires_on"]),
    )


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
    for field in fields(kind):
        key = field.name
        if key not in row and field.default is not MISSING:
            continue  # not there in version 1
        part = row[key]
        if key == "effect":
            part = Effect[str(part).upper()]
        content[key] = tuple(part) if isinstance(part, list) else part
    return kind(**content)
