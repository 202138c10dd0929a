"""What a field may be withheld under: the exemptions of each law, by its own numbers.

A *qualified* exemption holds only where the public interest in keeping it up outweighs that in
disclosing, so that the reason must say why; an *absolute* one needs no such weighing. Sources: FOIA
2000 Part II and s.2(3); FOISA 2002 Part 2 and s.2(2); EIR 2004 regs. 12 and 13; EISR 2004 regs. 10
and 11; UK GDPR art. 15(4) and Data Protection Act 2018 Schedule 2. Exemptions that only other
kinds of body can use (the Houses of Parliament, the census, health records of the dead) are left
out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .regimes import LAWS, Regime


@dataclass(frozen=True, slots=True)
class Exemption:
    """One exemption. ``code`` is what the reader of a release sees: ``FOIA s.40(2)``."""

    code: str
    title: str
    qualified: bool = False
    needs_reason: bool = False
    """Whether a sentence must be given although nothing is weighed."""

    @property
    def asks(self) -> str:
        """What whoever withholds under it must write; empty where nothing."""
        if self.qualified:
            return (
                f"{self.code} is qualified. Say why the public interest in withholding outweighs "
                "the public interest in disclosing."
            )
        return f"Say why {self.code} applies." if self.needs_reason else ""


OUTSIDE = "Outside the request"


def _rows(short: str, *rows: tuple[str, str, bool]) -> tuple[Exemption, ...]:
    return (
        *(Exemption(f"{short} {number}", title, qualified) for number, title, qualified in rows),
        Exemption(OUTSIDE, "It is not what was asked for", needs_reason=True),
    )


_FOI = _rows(
    "FOIA",
    ("s.21", "Accessible to the applicant by other means", False),
    ("s.22", "Intended for future publication", True),
    ("s.22A", "Research", True),
    ("s.23", "Bodies that deal with security matters", False),
    ("s.24", "National security", True),
    ("s.26", "Defence", True),
    ("s.27", "International relations", True),
    ("s.28", "Relations within the United Kingdom", True),
    ("s.29", "The economy", True),
    ("s.30", "Investigations and proceedings", True),
    ("s.31", "Law enforcement", True),
    ("s.32", "Court records", False),
    ("s.33", "Audit functions", True),
    ("s.34", "Parliamentary privilege", False),
    ("s.35", "Formulation of government policy", True),
    ("s.36", "Prejudice to the effective conduct of public affairs", True),
    ("s.37(1)(a)-(ab)", "Communications with the Sovereign and heirs", False),
    ("s.37(1)(ac)-(b)", "Other royal communications, and honours", True),
    ("s.38", "Health and safety", True),
    ("s.39", "Environmental information", True),
    ("s.40(1)", "Personal data of the applicant", False),
    ("s.40(2)", "Personal data of somebody else", False),
    ("s.41", "Provided in confidence", False),
    ("s.42", "Legal professional privilege", True),
    ("s.43(1)", "Trade secrets", True),
    ("s.43(2)", "Commercial interests", True),
    ("s.44", "Prohibitions on disclosure", False),
)
_FOISA = _rows(
    "FOISA",
    ("s.25", "Otherwise accessible", False),
    ("s.26", "Prohibitions on disclosure", False),
    ("s.27", "Intended for future publication", True),
    ("s.28", "Relations within the United Kingdom", True),
    ("s.29", "Formulation of Scottish Administration policy", True),
    ("s.30", "Prejudice to the effective conduct of public affairs", True),
    ("s.31", "National security and defence", True),
    ("s.32", "International relations", True),
    ("s.33", "Commercial interests and the economy", True),
    ("s.34", "Investigations", True),
    ("s.35", "Law enforcement", True),
    ("s.36(1)", "Confidentiality in legal proceedings", True),
    ("s.36(2)", "Actionable breach of confidence", False),
    ("s.37", "Court records", False),
    ("s.38(1)(a)", "Personal data of the applicant", False),
    ("s.38(1)(b)", "Personal data of somebody else", False),
    ("s.39(1)", "Health, safety and the environment", True),
    ("s.39(2)", "Environmental information", True),
    ("s.40", "Audit functions", True),
    ("s.41", "Royal communications, and honours", True),
)


def _environmental(short: str, except_: str, personal: str) -> tuple[Exemption, ...]:
    """The exceptions of the two sets of Environmental Information Regulations."""
    return _rows(
        short,
        (f"reg. {except_}(4)(a)", "Not held when the request was received", True),
        (f"reg. {except_}(4)(b)", "Manifestly unreasonable", True),
        (f"reg. {except_}(4)(c)", "Too general", True),
        (f"reg. {except_}(4)(d)", "Material still being completed", True),
        (f"reg. {except_}(4)(e)", "Internal communications", True),
        (f"reg. {except_}(5)(a)", "International relations, defence, public security", True),
        (f"reg. {except_}(5)(b)", "The course of justice", True),
        (f"reg. {except_}(5)(c)", "Intellectual property", True),
        (f"reg. {except_}(5)(d)", "Confidentiality of proceedings", True),
        (f"reg. {except_}(5)(e)", "Commercial or industrial confidentiality", True),
        (f"reg. {except_}(5)(f)", "Interests of whoever gave it", True),
        (f"reg. {except_}(5)(g)", "Protection of the environment", True),
        (f"reg. {personal}", "Personal data of somebody else", False),
    )


_SUBJECT_ACCESS = _rows(
    "DPA 2018",
    ("Sch.2 para.2", "Crime and taxation", False),
    ("Sch.2 para.5", "Legal proceedings and what the law requires", False),
    ("Sch.2 para.7", "Functions that protect the public", False),
    ("Sch.2 para.16", "Rights of other people (UK GDPR art. 15(4))", False),
    ("Sch.2 para.19", "Legal professional privilege", False),
    ("Sch.2 para.20", "Self-incrimination", False),
    ("Sch.2 para.22", "Management forecasts", False),
    ("Sch.2 para.23", "Negotiations with the person", False),
    ("Sch.2 para.24", "Confidential references", False),
)

EXEMPTIONS: Mapping[Regime, tuple[Exemption, ...]] = {
    Regime.FOI: _FOI,
    Regime.FOISA: _FOISA,
    Regime.EIR: _environmental("EIR", "12", "13"),
    Regime.EISR: _environmental("EISR", "10", "11"),
    Regime.SUBJECT_ACCESS: _SUBJECT_ACCESS,
    Regime.OTHER: (
        Exemption("Personal data", "Personal data of somebody else"),
        Exemption("Other ground", "Another ground, in words", needs_reason=True),
        Exemption(OUTSIDE, "It is not what was asked for", needs_reason=True),
    ),
}
PERSONAL: Mapping[Regime, str] = {
    Regime.FOI: "FOIA s.40(2)",
    Regime.FOISA: "FOISA s.38(1)(b)",
    Regime.EIR: "EIR reg. 13",
    Regime.EISR: "EISR reg. 11",
    Regime.SUBJECT_ACCESS: "DPA 2018 Sch.2 para.16",
    Regime.OTHER: "Personal data",
}
"""Under which exemption somebody else's personal data is withheld, by regime."""


def find_exemption(regime: Regime, code: str) -> Exemption | None:
    """The exemption of this code under a regime; ``None`` where it has none such."""
    return next((one for one in EXEMPTIONS[regime] if one.code == code), None)


def law_of(regime: Regime) -> str:
    """What a regime's law is called in short."""
    return LAWS[regime].short
