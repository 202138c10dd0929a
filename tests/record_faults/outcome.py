"""What a drill came to."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Outcome:
    """How many faults were injected, and what was found that must never happen."""

    cases: int = 0
    lost: int = 0
    """Cases in which something that was acknowledged is gone."""
    doubled: int = 0
    """Cases in which something is there twice."""
    damaged: int = 0
    """Cases in which the log does not hold together, or has a gap, or is out of order."""
    forked: int = 0
    """Cases in which two histories were signed for."""
    broken: int = 0
    """Cases in which a program failed in a way of its own."""
    findings: list[str] = field(default_factory=list)
    skipped: str = ""

    def find(self, kind: str, sentence: str) -> None:
        """One more case of ``kind``, one of the counts."""
        setattr(self, kind, getattr(self, kind) + 1)
        self.findings.append(f"{kind}: {sentence}")

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings
