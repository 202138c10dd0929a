"""Overrides: somebody answers for a finding, by name, with a reason and until a day.

They are kept in a file of their own, never inside the post. What they cover is counted apart; one
that has expired no longer holds and is named; one that covers nothing is listed, to be removed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from .model import CheckError, Finding, Overridden, Report
from .verdict import reasons_for, verdict_on
from .vocabulary import ROLES

SCHEMA = 1
"""The version of the form of a file of overrides."""


class OverrideError(CheckError):
    """A file of overrides cannot be used, or an override cannot be made. Says what is wrong."""


@dataclass(frozen=True, slots=True)
class Override:
    """One finding answered for. It covers findings of this ``rule`` with this ``fingerprint``.

    ``made_at`` is an aware datetime; ``expires_on`` the last day on which it holds.

    Raises:
        OverrideError: ``reason``, ``who``, ``rule`` or ``fingerprint`` is blank, ``made_at`` lacks
            its offset from UTC, or it expires before it is made.
    """

    fingerprint: str
    rule: str
    reason: str
    who: str
    made_at: datetime
    expires_on: date

    def __post_init__(self) -> None:
        for key in ("fingerprint", "rule", "reason", "who"):
            if not getattr(self, key).strip():
                raise OverrideError(f"An override needs {_NEEDED[key]}.")
        if self.made_at.tzinfo is None:
            raise OverrideError(f"made_at {self.made_at.isoformat()} lacks its offset from UTC.")
        if self.expires_on < self.made_at.date():
            raise OverrideError(
                f"The override of {self.rule} expires on {self.expires_on}, before it is made."
            )

    def holds_on(self, day: date) -> bool:
        """Whether it still holds on ``day``."""
        return day <= self.expires_on


_NEEDED = {
    "fingerprint": "the fingerprint of the finding it answers for",
    "rule": "the id of the rule it answers for",
    "reason": "a reason in words",
    "who": "the name of whoever answers for it",
}


@dataclass(frozen=True, slots=True)
class Applied:
    """A report with overrides applied.

    ``used`` are those that cover a finding of it; ``expired`` would, had they not expired;
    ``refused`` would, but nobody may clear the finding: it has to be put right.
    """

    report: Report
    used: tuple[Override, ...] = ()
    expired: tuple[Override, ...] = ()
    refused: tuple[Override, ...] = ()


def apply_overrides(
    report: Report,
    overrides: Iterable[Override],
    *,
    on: date,
    roles: Mapping[str, str] = ROLES,
) -> Applied:
    """``report`` as it stands on the day ``on`` with ``overrides``: verdict and reasons anew.

    Findings that are covered move to ``overridden``. Where several overrides cover one finding,
    the one that holds longest does. What could not be evaluated cannot be overridden: say the fact.
    """
    by_finding: dict[tuple[str, str], list[Override]] = {}
    for override in overrides:
        by_finding.setdefault((override.rule, override.fingerprint), []).append(override)
    left: list[Finding] = []
    covered: list[Overridden] = []
    used: list[Override] = []
    expired: list[Override] = []
    refused: list[Override] = []
    for finding in report.findings:
        answers = by_finding.get((finding.rule, finding.fingerprint), [])
        answer = max(answers, key=lambda one: one.expires_on, default=None)
        if answer is None:
            left.append(finding)
        elif finding.clear_by == "nobody":
            refused.append(answer)
            left.append(finding)
        elif not answer.holds_on(on):
            expired.append(answer)
            left.append(finding)
        else:
            used.append(answer)
            covered.append(
                Overridden(finding, answer.reason, answer.who, answer.made_at, answer.expires_on)
            )
    if not (covered or expired or refused):
        return Applied(report)
    verdict = verdict_on(left, report.not_evaluated)
    reasons = (
        *reasons_for(verdict, left, report.not_evaluated, roles),
        *(
            f"{each.who} answered for {each.finding.title.lower()}: {each.reason}"
            for each in covered
        ),
        *(
            f"The override of {each.rule} by {each.who} expired on {each.expires_on}."
            for each in expired
        ),
        *(
            f"The override of {each.rule} by {each.who} does not count: nobody may clear it."
            for each in refused
        ),
    )
    changed = replace(
        report,
        verdict=verdict,
        findings=tuple(left),
        reasons=reasons,
        overridden=(*report.overridden, *covered),
    )
    return Applied(changed, tuple(used), tuple(expired), tuple(refused))


def list_unused(overrides: Iterable[Override], met: Collection[Override]) -> tuple[Override, ...]:
    """Those of ``overrides`` that covered none of the posts looked at, in their own order."""
    seen = set(met)
    return tuple(override for override in overrides if override not in seen)


def overrides_to_dict(overrides: Sequence[Override]) -> dict[str, Any]:
    """``overrides`` as plain JSON: ``{"schema": 1, "overrides": [{..}]}``, in the same order."""
    return {
        "schema": SCHEMA,
        "overrides": [
            {
                "fingerprint": each.fingerprint,
                "rule": each.rule,
                "reason": each.reason,
                "who": each.who,
                "made_at": each.made_at.isoformat(),
                "expires_on": each.expires_on.isoformat(),
            }
            for each in overrides
        ],
    }


def overrides_from_dict(data: object) -> tuple[Override, ...]:
    """What :func:`overrides_to_dict` wrote.

    Raises:
        OverrideError: ``data`` is of another schema, or an override in it is not whole.
    """
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        found = data.get("schema") if isinstance(data, dict) else None
        raise OverrideError(f"These overrides are of schema {found!r}; this Folkmoot reads 1.")
    rows = data.get("overrides")
    if not isinstance(rows, list):
        raise OverrideError("There is no list of overrides in it.")
    read: list[Override] = []
    for number, row in enumerate(rows, 1):
        try:
            read.append(_override(row))
        except (TypeError, ValueError, AttributeError, OverrideError) as wrong:
            raise OverrideError(f"Override {number} cannot be used: {wrong}") from wrong
    return tuple(read)


def _override(row: Mapping[str, Any]) -> Override:
    unknown = set(row) - set(Override.__dataclass_fields__)
    if unknown:
        raise OverrideError(f"The key {min(unknown)!r} is not known; is it misspelt?")
    missing = set(Override.__dataclass_fields__) - set(row)
    if missing:
        raise OverrideError(f"Its {min(missing)} is missing.")
    return Override(
        fingerprint=str(row["fingerprint"]),
        rule=str(row["rule"]),
        reason=str(row["reason"]),
        who=str(row["who"]),
        made_at=datetime.fromisoformat(row["made_at"]),
        expires_on=date.fromisoformat(row["expires_on"]),
    )


def read_overrides(file: Path) -> tuple[Override, ...]:
    """The overrides in ``file``, in its order.

    Raises:
        OverrideError: The file cannot be read, or holds something else.
    """
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as wrong:
        raise OverrideError(f"{file} cannot be read as overrides ({wrong}).") from wrong
    try:
        return overrides_from_dict(data)
    except OverrideError as wrong:
        raise OverrideError(f"{file}: {wrong}") from wrong


def write_overrides(file: Path, overrides: Sequence[Override]) -> None:
    """Write ``overrides`` to ``file`` whole or not at all: a reader never meets half a file.

    Raises:
        OSError: The file cannot be written.
    """
    import tempfile

    text = json.dumps(overrides_to_dict(overrides), indent=2, ensure_ascii=False) + "\n"
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.", text=False)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogatepass") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
