"""A report, a rule and a list of faults as text for people."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from .compiled import Cited
from .model import Effect, Finding, NotEvaluated, Report, Verdict

if TYPE_CHECKING:
    from .page import RulePage

_WIDTH = 96
_VERDICTS = {
    Verdict.POST: "Post",
    Verdict.POST_WITH_CARE: "Post with care",
    Verdict.GET_SIGNOFF: "Get sign-off first",
    Verdict.TAKE_IT_OFFLINE: "Take it offline",
    Verdict.DO_NOT_POST: "Do not post",
}
# How well each clause is known, said wherever it is cited.
_EVIDENCE = {
    "seen_in_full": "source read in full",
    "seen_in_part": "source read in part",
    "reported": "as others report it",
    "unverified": "not verified",
}
_NOT_SHOWN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def escaped(text: str) -> str:
    """``text`` safe to show on a terminal: controls, direction marks and the like by number.

    The joiners and selectors of emoji are escaped too, for they can hide words as well.
    """
    return "".join(
        _escape(character) if unicodedata.category(character) in _NOT_SHOWN else character
        for character in text
    )


def _escape(character: str) -> str:
    point = ord(character)
    if point > 0xFFFF:  # noqa: PLR2004 - the end of the basic plane
        return f"\\U{point:08x}"
    return f"\\u{point:04x}" if point > 0xFF else f"\\x{point:02x}"  # noqa: PLR2004


def report_as_text(report: Report, cited: Iterable[Cited], name: str | None = None) -> str:
    """The report for a terminal: verdict, findings with clauses and evidence, what could not be
    looked at, and the questions. Everything from the post is escaped.

    ``cited`` are the clauses of the pack.
    """
    clauses = {clause.id: clause for clause in cited}
    lines = [f"{escaped(name)}: {_VERDICTS[report.verdict]}" if name else _VERDICTS[report.verdict]]
    if report.findings or len(report.reasons) > 1:
        for reason in report.reasons:
            lines += _wrapped(f"- {reason}", "  ")
    if not report.findings:
        lines.append(f"  Nothing found by {len(report.looked_at)} rules.")
    for finding in report.findings:
        lines += ["", *_finding(finding, clauses)]
    lines += _not_found(report)
    if report.questions:
        lines += ["", "Ask yourself:"]
        for question in report.questions:
            lines += _wrapped(
                f"- {question.text} ({question.proceed.capitalize()}, or do not post.) "
                f"{_cited(question.clauses, clauses)}",
                "  ",
            )
    lines += ["", f"{report.pack}, {len(report.looked_at)} rules looked at."]
    return "\n".join(lines)


def _not_found(report: Report) -> list[str]:
    """What was not looked at, what was answered for, and what is fine."""
    lines: list[str] = []
    waiting = [each for each in report.not_evaluated if each.counts]
    if waiting:
        lines += ["", "Not looked at, because facts are missing:", *_missing(waiting)]
    quiet = len(report.not_evaluated) - len(waiting)
    if quiet:
        lines += ["", f"{quiet} more rules lack facts and found nothing to ask about."]
    if report.overridden:
        lines += ["", "Answered for:"]
        for each in report.overridden:
            lines += _wrapped(
                f"- {each.finding.rule}: {each.reason} ({each.who}, until {each.expires_on})", "  "
            )
    if report.fine:
        lines += ["", "What is fine:"]
        for sentence in report.fine:
            lines += _wrapped(f"- {sentence}", "  ")
    return lines


def _finding(finding: Finding, clauses: Mapping[str, Cited]) -> list[str]:
    lines = _wrapped(f"{finding.effect.word.upper()}  {finding.message}", "  ")
    lines += _wrapped(finding.advice, "        ", "        ")
    lines += _wrapped(_cited(finding.clauses, clauses), "        ", "        ")
    where = ", ".join(_where(finding))
    facts = f" because {', '.join(finding.because)}" if finding.because else ""
    cleared = "" if finding.clear_by == "nobody" else f"; the {finding.clear_by} may clear it"
    at = f" at {where}" if where else ""
    return lines + _wrapped(f"{finding.rule}{at}{facts}{cleared}", "        ", "        ")


def _where(finding: Finding) -> Iterable[str]:
    for span in finding.spans[:3]:
        place = "" if span.place == "text" else f"{escaped(span.place)} "
        yield f"{place}{span.start}-{span.end}"


def _cited(ids: Iterable[str], clauses: Mapping[str, Cited]) -> str:
    return "; ".join(
        f"{clauses[each].title} [{each}, {_EVIDENCE[clauses[each].evidence]}]" for each in ids
    )


def _missing(not_evaluated: Iterable[NotEvaluated]) -> list[str]:
    """What is missing, each once, with the rules that wait for it."""
    waiting: dict[tuple[str, ...], list[NotEvaluated]] = {}
    for each in not_evaluated:
        waiting.setdefault(each.missing, []).append(each)
    lines: list[str] = []
    for missing, rules in waiting.items():
        strongest = Effect(max(each.effect for each in rules)).word
        names = ", ".join(each.rule for each in rules)
        lines += _wrapped(f"- {' and '.join(missing)} (could be {strongest}): {names}", "  ")
    return lines


def _wrapped(text: str, first: str, rest: str = "    ") -> list[str]:
    return textwrap.wrap(
        escaped(text),
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
        break_long_words=False,
    )


def page_as_text(page: RulePage) -> str:
    """A rule's page for a terminal, ending with the file that set each key."""
    from folkmoot.guidance.model import Level

    lines = [
        f"{page.id}: {page.title}",
        f"{page.effect}, confidence {page.confidence:g}, cleared by {page.cleared_by}",
        f"{page.status} since {page.since}",
        "",
        "What it looks for:",
    ]
    for sentence in (*page.looks_for, *page.applies):
        lines += _wrapped(f"- {sentence}", "  ")
    lines += ["", *_wrapped(page.why, "", "")]
    lines += ["", *_wrapped(f"What to do: {page.put_right}", "", "")]
    for sentence in page.fine:
        lines += _wrapped(f"What is fine: {sentence}", "", "")
    lines += ["", *_wrapped(f"When it is wrong: {page.when_wrong}", "", ""), "", "Rests on:"]
    for clause in page.clauses:
        said = clause.levels[Level.SNAPSHOT]
        evidence = _EVIDENCE[clause.evidence]
        lines += _wrapped(f"- [{clause.id}, {evidence}] {said} {clause.url}", "  ")
    lines += ["", "Examples:"]
    for example in page.examples:
        post = " ".join((example.text, *(f"[{each}]" for each in example.attachments))).strip()
        facts = f" ({', '.join(example.facts)})" if example.facts else ""
        fires = "fires" if example.fires else "does not fire"
        lines += _wrapped(f"- {fires}{facts}: {post}", "  ")
    if page.history:
        lines += ["", "History:"]
        for version, what in page.history:
            lines += _wrapped(f"- {version}: {what}", "  ")
    lines += ["", "Which file set each key (the last one counts):"]
    for layer in page.layers:
        lines += _wrapped(f"- {layer.key} = {layer.value}  [{layer.pack}, {layer.file}]", "  ")
    if page.locked:
        lines.append(f"  Locked: {', '.join(page.locked)}.")
    if page.floor:
        lines.append(f"  Floor: {page.floor}.")
    return "\n".join(lines)
