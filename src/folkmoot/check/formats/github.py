"""Findings as annotations in the log of a GitHub workflow, which shows them beside the lines."""

from __future__ import annotations

from folkmoot.check.inputs import Item, Problem
from folkmoot.check.model import Effect, Report, Span
from folkmoot.check.rendering import escaped

from .places import Lines

_COMMAND = {
    Effect.NOTE: "notice",
    Effect.ADVISE: "warning",
    Effect.HOLD: "error",
    Effect.STOP: "error",
}


class GithubWriter:
    """One workflow command a finding, and one for each rule that could not answer and counts."""

    separator = ""

    def begin(self) -> str:
        return ""

    def report(self, item: Item, report: Report) -> str:
        lines = Lines(item.whole or item.post.text)
        told = []
        for finding in report.findings:
            first = next((span for span in finding.spans if span.place == "text"), None)
            text = f"{finding.message} {finding.advice} [{', '.join(finding.clauses)}]"
            told.append(
                _command(
                    _COMMAND[finding.effect],
                    f"{finding.effect.word}: {finding.title}",
                    text,
                    _where(item, first, lines),
                )
            )
        told += [
            _command(_COMMAND[each.effect], f"not evaluated: {each.title}", each.message,
                     _where(item, None, lines))
            for each in report.not_evaluated
            if each.counts
        ]  # fmt: skip
        return "".join(told)

    def problem(self, bad: Problem) -> str:
        where = {"file": bad.file, "line": str(bad.line or 1)}
        return _command("error", "not checked", bad.wrong, where)

    def end(self, *, failed: int) -> str:  # noqa: ARG002 - each has its command
        return ""


def _where(item: Item, span: Span | None, lines: Lines) -> dict[str, str]:
    if item.line:
        return {"file": item.file, "line": str(item.line)}
    if span is None:
        return {"file": item.file, "line": str(lines.at(item.begins).line)}
    start, end = lines.at(item.begins + span.start), lines.at(item.begins + span.end)
    where = {"file": item.file, "line": str(start.line), "endLine": str(end.line)}
    if start.line == end.line:  # GitHub takes columns only within one line
        where |= {"col": str(start.column), "endColumn": str(end.column)}
    return where


def _command(name: str, title: str, text: str, where: dict[str, str]) -> str:
    keys = ",".join(f"{key}={_property(value)}" for key, value in where.items())
    return f"::{name} {keys},title={_property(title)}::{_data(escaped(text))}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(escaped(text)).replace(":", "%3A").replace(",", "%2C")
