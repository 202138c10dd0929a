"""Reports as rows for other programs: JSON, JSONL and CSV."""

from __future__ import annotations

import io
import json
from json.encoder import encode_basestring_ascii
from typing import Any

from folkmoot.check.inputs import Item, Problem
from folkmoot.check.model import Finding, NotEvaluated, Question, Report
from folkmoot.check.report import report_to_dict

_KEPT = 512


def finding_row(finding: Finding) -> dict[str, Any]:
    """A finding as a flat row: ``start`` and ``end`` of its first place, then all of ``spans``.

    The four offsets are ``None`` where the whole post is meant.
    """
    first = finding.spans[0] if finding.spans else None
    return {
        "rule": finding.rule,
        "clauses": list(finding.clauses),
        "effect": finding.effect.word,
        "confidence": finding.confidence,
        "start": first and first.start,
        "end": first and first.end,
        "start_utf16": first and first.start_utf16,
        "end_utf16": first and first.end_utf16,
        "message": finding.message,
        "advice": finding.advice,
        "clear_by": finding.clear_by,
        "fingerprint": finding.fingerprint,
        "spans": [
            {
                "start": span.start,
                "end": span.end,
                "start_utf16": span.start_utf16,
                "end_utf16": span.end_utf16,
                "place": span.place,
            }
            for span in finding.spans
        ],
    }


def _unanswered_row(each: NotEvaluated) -> dict[str, Any]:
    """What is missing; the sentence that asks for it only where it makes a difference."""
    row = {
        "rule": each.rule,
        "title": each.title,
        "missing": list(each.missing),
        "effect": each.effect.word,
        "counts": each.counts,
    }
    return {**row, "message": each.message} if each.counts else row


def _question_row(question: Question) -> dict[str, Any]:
    return {
        "id": question.id,
        "text": question.text,
        "hint": question.hint,
        "clauses": list(question.clauses),
        "proceed": question.proceed,
    }


class JsonLinesWriter:
    """One object a line: ``id, verdict, findings, not_evaluated, questions``.

    With overrides there is also ``overridden``. A post that could not be checked has ``id``,
    ``line`` and ``error`` in its place, so that no answer is mistaken for another's.
    """

    separator = ""

    def __init__(self) -> None:
        self._tails: dict[tuple[int, int], tuple[object, str]] = {}

    def begin(self) -> str:
        return ""

    def report(self, item: Item, report: Report) -> str:
        findings = json.dumps(list(map(finding_row, report.findings))) if report.findings else "[]"
        overridden = ""
        if report.overridden:
            rows = [
                {
                    **finding_row(each.finding),
                    "reason": each.reason,
                    "who": each.who,
                    "expires_on": each.expires_on.isoformat(),
                }
                for each in report.overridden
            ]
            overridden = f', "overridden": {json.dumps(rows)}'
        row_id = item.id
        row_id = encode_basestring_ascii(row_id) if isinstance(row_id, str) else str(row_id)
        return (
            f'{{"id": {row_id}, "verdict": "{report.verdict.value}", '
            f'"findings": {findings}{self._tail(report)}{overridden}}}\n'
        )

    def _tail(self, report: Report) -> str:
        # The checker gives the same tuples for the same circumstances, so they are written once.
        # They are kept beside the text, so that no other tuple can come to have their number.
        key = (id(report.not_evaluated), id(report.questions))
        kept = self._tails.get(key)
        if kept is None:
            missing = json.dumps(list(map(_unanswered_row, report.not_evaluated)))
            questions = json.dumps(list(map(_question_row, report.questions)))
            text = f', "not_evaluated": {missing}, "questions": {questions}'
            if len(self._tails) >= _KEPT:
                self._tails.clear()
            kept = self._tails[key] = ((report.not_evaluated, report.questions), text)
        return kept[1]

    def problem(self, bad: Problem) -> str:
        row = {"id": bad.id, "line": bad.line, "error": bad.wrong}
        if not bad.line:
            row = {"id": bad.file, "error": bad.wrong}
        return json.dumps(row) + "\n"

    def end(self, *, failed: int) -> str:  # noqa: ARG002 - each has its row
        return ""


class JsonWriter:
    """A list of whole reports, each of the published schema with its ``id`` and ``file``."""

    separator = ",\n"

    def begin(self) -> str:
        return "[\n"

    def report(self, item: Item, report: Report) -> str:
        row: dict[str, Any] = {"file": item.file}
        if item.line:
            row |= {"id": item.id, "line": item.line}
        return json.dumps({**row, **report_to_dict(report)}, indent=2)

    def problem(self, bad: Problem) -> str:
        return json.dumps({"file": bad.file, "id": bad.id, "line": bad.line, "error": bad.wrong})

    def end(self, *, failed: int) -> str:  # noqa: ARG002 - each has its row
        return "\n]\n"


COLUMNS = (
    "id", "verdict", "kind", "rule", "clauses", "effect", "confidence", "start", "end",
    "start_utf16", "end_utf16", "place", "message", "advice", "clear_by", "fingerprint",
)  # fmt: skip


class CsvWriter:
    """One line for each finding, what was not evaluated and counts, or was overridden.

    A post with none of these has one line, of the kind ``none``; one that could not be checked one
    of the kind ``error``. A cell that a spreadsheet would take for a formula begins with ``'``.
    """

    separator = ""

    def begin(self) -> str:
        return _line(COLUMNS)

    def report(self, item: Item, report: Report) -> str:
        head = (item.id, report.verdict.value)
        lines = [_line((*head, "finding", *_cells(each))) for each in report.findings]
        lines += [
            _line(
                (*head, "not_evaluated", each.rule, "", each.effect.word, *[""] * 6, each.message)
            )
            for each in report.not_evaluated
            if each.counts
        ]
        lines += [_line((*head, "overridden", *_cells(each.finding))) for each in report.overridden]
        return "".join(lines) or _line((*head, "none"))

    def problem(self, bad: Problem) -> str:
        return _line((bad.id or bad.file, "", "error", *[""] * 9, bad.wrong))

    def end(self, *, failed: int) -> str:  # noqa: ARG002 - each has its line
        return ""


def _cells(finding: Finding) -> tuple[object, ...]:
    first = finding.spans[0] if finding.spans else None
    where: tuple[object, ...] = ("",) * 5
    if first is not None:
        where = (first.start, first.end, first.start_utf16, first.end_utf16, first.place)
    return (
        finding.rule,
        " ".join(finding.clauses),
        finding.effect.word,
        finding.confidence,
        *where,
        finding.message,
        finding.advice,
        finding.clear_by,
        finding.fingerprint,
    )


def _line(cells: tuple[object, ...]) -> str:
    import csv

    out = io.StringIO()
    filled = (*cells, *[""] * (len(COLUMNS) - len(cells)))
    csv.writer(out, lineterminator="\n").writerow([_harmless(cell) for cell in filled])
    return out.getvalue()


def _harmless(cell: object) -> object:
    if isinstance(cell, str):
        # What cannot be written as UTF-8 came from the post; its number is kept readable.
        cell = cell.encode("utf-8", "backslashreplace").decode()
        if cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
            return f"'{cell}"
    return cell
