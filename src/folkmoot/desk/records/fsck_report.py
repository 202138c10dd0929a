"""What a check of the record found."""

from __future__ import annotations

from dataclasses import dataclass, field

from folkmoot.ledger.proofs import visible

SHOWN = 100


@dataclass(slots=True)
class Report:
    """What was found. ``findings`` are sentences of what is wrong, at most :data:`SHOWN`, ``more``
    how many beyond these; ``checked`` what is right; ``unchecked`` what could not be looked at.
    """

    entries: int = 0
    findings: list[str] = field(default_factory=list)
    more: int = 0
    checked: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    def wrong(self, sentence: str) -> None:
        """Note what is wrong."""
        if len(self.findings) < SHOWN:
            self.findings.append(visible(sentence))
        else:
            self.more += 1

    def count(self) -> int:
        """How much is wrong so far."""
        return len(self.findings) + self.more
