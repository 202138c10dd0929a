"""Reports as SARIF 2.1.0 (OASIS), which code hosts and editors read.

The clauses of the pack are a taxonomy, and each rule has a relationship to those it rests on. A
rule that could not answer is a result of the kind ``open``. An override is a suppression with its
reason. Columns and offsets count code points; each place has its UTF-16 units as properties.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from folkmoot import __version__
from folkmoot.check.engine import Checker
from folkmoot.check.inputs import Item, Problem
from folkmoot.check.model import Effect, Finding, NotEvaluated, Overridden, Report
from folkmoot.check.rules import Rule
from folkmoot.guidance.model import Clause, Level, Pack

from .places import Lines

SCHEMA_ADDRESS = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVEL = {
    Effect.NOTE: "note",
    Effect.ADVISE: "warning",
    Effect.HOLD: "error",
    Effect.STOP: "error",
}
_FINGERPRINT = "folkmoot/v1"


class SarifWriter:
    """One SARIF log with one run, its results written as they come."""

    separator = ",\n"

    def __init__(self, checker: Checker, pack: Pack) -> None:
        self._checker = checker
        self._pack = pack
        self._rules = {rule.id: number for number, rule in enumerate(checker.rules)}
        self._taxa = {clause.id: number for number, clause in enumerate(pack.clauses)}
        self._problems: list[dict[str, Any]] = []

    def begin(self) -> str:
        # The results are the first part of the run, so that the rest can wait until they are out.
        return (
            f'{{"$schema": {json.dumps(SCHEMA_ADDRESS)}, "version": "2.1.0", "runs": [{{\n'
            '"results": [\n'
        )

    def report(self, item: Item, report: Report) -> str:
        lines = Lines(item.whole or item.post.text)
        results = [self._result(item, lines, finding, None) for finding in report.findings]
        results += [self._result(item, lines, each.finding, each) for each in report.overridden]
        results += [self._open(item, each) for each in report.not_evaluated if each.counts]
        return ",\n".join(map(json.dumps, results))

    def problem(self, bad: Problem) -> str:
        self._problems.append(
            {
                "level": "error",
                "message": {"text": f"{bad.wrong} The post has not been checked."},
                "locations": [
                    {
                        "physicalLocation": {
                            "artifactLocation": {"uri": _address(bad.file)},
                            "region": {"startLine": bad.line or 1},
                        }
                    }
                ],
            }
        )
        return ""

    def end(self, *, failed: int) -> str:
        rest = {
            "columnKind": "unicodeCodePoints",
            "tool": {
                "driver": {
                    "name": "Folkmoot",
                    "semanticVersion": __version__,
                    "properties": {"pack": self._pack.reference},
                    "rules": [self._rule(rule) for rule in self._checker.rules],
                    "supportedTaxonomies": [{"name": self._pack.id, "index": 0}],
                }
            },
            "taxonomies": [
                {
                    "name": self._pack.id,
                    "version": self._pack.version,
                    "organization": self._pack.issuer,
                    "shortDescription": {"text": self._pack.title},
                    "fullDescription": {"text": self._pack.summary},
                    "isComprehensive": False,
                    "taxa": [_taxon(clause) for clause in self._pack.clauses],
                }
            ],
            "invocations": [
                {
                    "executionSuccessful": not failed,
                    "toolExecutionNotifications": self._problems,
                }
            ],
        }
        return f"\n],\n{json.dumps(rest)[1:-1]}}}]}}\n"

    def _rule(self, rule: Rule) -> dict[str, Any]:
        return {
            "id": rule.id,
            "name": rule.id,
            "shortDescription": {"text": rule.title},
            "fullDescription": {"text": rule.why},
            "help": {"text": f"{rule.advice}\n\nWhen it is wrong: {rule.when_wrong}"},
            "defaultConfiguration": {"level": _LEVEL[rule.effect], "enabled": rule.status.runs},
            "relationships": [
                {"target": self._reference(clause), "kinds": ["relevant"]}
                for clause in rule.clauses
            ],
            "properties": {
                "effect": rule.effect.word,
                "confidence": rule.confidence,
                "clear_by": rule.clear_by,
                "status": rule.status.value,
            },
        }

    def _reference(self, clause: str) -> dict[str, Any]:
        reference: dict[str, Any] = {
            "id": clause,
            "toolComponent": {"name": self._pack.id, "index": 0},
        }
        if clause in self._taxa:
            reference["index"] = self._taxa[clause]
        return reference

    def _result(
        self, item: Item, lines: Lines, finding: Finding, overridden: Overridden | None
    ) -> dict[str, Any]:
        result: dict[str, Any] = {
            "ruleId": finding.rule,
            "ruleIndex": self._rules[finding.rule],
            "level": _LEVEL[finding.effect],
            "message": {"text": f"{finding.message} {finding.advice}"},
            "locations": [_location(item, lines, finding)],
            "taxa": [self._reference(clause) for clause in finding.clauses],
            "partialFingerprints": {_FINGERPRINT: finding.fingerprint},
            "properties": {
                "id": item.id,
                "effect": finding.effect.word,
                "confidence": finding.confidence,
                "clear_by": finding.clear_by,
                "outcome": finding.outcome,
                "because": list(finding.because),
                "spans": [
                    {
                        "place": span.place,
                        "start": span.start,
                        "end": span.end,
                        "start_utf16": span.start_utf16,
                        "end_utf16": span.end_utf16,
                    }
                    for span in finding.spans
                ],
            },
        }
        if overridden is not None:
            result["suppressions"] = [
                {
                    "kind": "external",
                    "status": "accepted",
                    "justification": overridden.reason,
                    "properties": {
                        "who": overridden.who,
                        "made_at": overridden.made_at.isoformat(),
                        "expires_on": overridden.expires_on.isoformat(),
                    },
                }
            ]
        return result

    def _open(self, item: Item, each: NotEvaluated) -> dict[str, Any]:
        return {
            "ruleId": each.rule,
            "ruleIndex": self._rules[each.rule],
            "kind": "open",
            "level": "none",
            "message": {"text": f"{each.title}. {each.message}"},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": _address(item.file)}}}],
            "properties": {
                "id": item.id,
                "effect": each.effect.word,
                "missing": list(each.missing),
            },
        }


def _taxon(clause: Clause) -> dict[str, Any]:
    return {
        "id": clause.id,
        "name": clause.title,
        "shortDescription": {"text": clause.levels[Level.OVERVIEW]},
        "fullDescription": {"text": clause.levels[Level.SNAPSHOT]},
        "helpUri": clause.url,
        "properties": {"evidence": clause.evidence.value, "status": clause.status.value},
    }


def _location(item: Item, lines: Lines, finding: Finding) -> dict[str, Any]:
    first = finding.spans[0] if finding.spans else None
    place: dict[str, Any] = {"artifactLocation": {"uri": _address(item.file)}}
    if item.line:
        place["region"] = {"startLine": item.line}
    elif first is not None and first.place == "text":
        begins, ends = item.begins + first.start, item.begins + first.end
        start, end = lines.at(begins), lines.at(ends)
        place["region"] = {
            "startLine": start.line,
            "startColumn": start.column,
            "endLine": end.line,
            "endColumn": end.column,
            "charOffset": begins,
            "charLength": ends - begins,
        }
    location: dict[str, Any] = {"physicalLocation": place}
    if first is not None and first.place != "text":
        location["logicalLocations"] = [{"fullyQualifiedName": first.place}]
    return location


def _address(file: str) -> str:
    """A file's name as an address relative to where the command was run."""
    name = "stdin" if file == "-" else file.replace("\\", "/")
    return quote(name.encode("utf-8", "surrogateescape"), safe="/~.-_")
