"""What a sign-off signs: one hash over everything that will go out and everything known of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Addressed:
    """What one account will be given: who it is, and the text of each part."""

    account: int
    channel: str
    server: str
    handle: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Signable:
    """Everything a sign-off covers. ``post`` and ``version`` keep a sign-off from being used for
    another post of the same words, or again after it was taken back. ``about`` is the post that a
    correction or a removal is about, ``wall`` and ``zone`` the time as it was chosen. ``pictures``
    are (SHA-256,
    media type, alt text) in order; ``findings`` are (fingerprint, effect) in the report's order.
    """

    post: int
    version: int
    kind: str
    about: int | None
    ground: str
    text: str
    language: str
    capacity: str
    pictures: tuple[tuple[str, str, str], ...]
    addressed: tuple[Addressed, ...]
    due_at: datetime | None
    wall: str
    zone: str
    window_minutes: int
    urgent: bool
    topic: str
    through_stop: bool
    pack: str
    verdict: str
    findings: tuple[tuple[str, str], ...]
    not_evaluated: tuple[str, ...]
    answers: Mapping[str, str]
    facts: Mapping[str, str | bool]


def digest(signable: Signable) -> str:
    """SHA-256, in lower-case hexadecimal, of the canonical JSON of ``signable``.

    Canonical: keys sorted, no spaces, UTF-8, times in ISO 8601. The first key, ``form``, changes
    if ever the form does, so that an old digest is never taken for a new one.
    """
    body = asdict(signable)
    body["due_at"] = signable.due_at.isoformat() if signable.due_at else None
    body["form"] = 2
    return hashlib.sha256(
        json.dumps(
            body,
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
        ).encode("utf-8", "surrogatepass")
    ).hexdigest()


def report_parts(
    report: Mapping[str, object],
) -> tuple[str, tuple[tuple[str, str], ...], tuple[str, ...]]:
    """The verdict, the findings' fingerprints with their effects, and the rules not evaluated, of
    a report's JSON. A report that failed has the verdict ``failed``.
    """
    if "failed" in report:
        return "failed", (), ()
    findings = report["findings"]
    missing = report["not_evaluated"]
    assert isinstance(findings, Sequence)
    assert isinstance(missing, Sequence)
    return (
        str(report["verdict"]),
        tuple((str(f["fingerprint"]), str(f["effect"])) for f in findings),
        tuple(str(m["rule"]) for m in missing),
    )
