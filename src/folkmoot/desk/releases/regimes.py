"""The laws under which information is asked for, and how long each gives.

None of this is legal advice, and it is not all there is: schools and academies (Freedom of
Information (Time for Compliance) Regulations 2004, SI 2004/3364), archives, information abroad and
the armed forces have other periods. Their officer counts by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .workdays import EVERYWHERE, Nation


class Regime(StrEnum):
    """What a request is answered under."""

    FOI = "foi"
    EIR = "eir"
    FOISA = "foisa"
    EISR = "eisr"
    SUBJECT_ACCESS = "sar"
    OTHER = "other"


class PauseKind(StrEnum):
    """What we wait for from whoever asked."""

    CLARIFICATION = "clarification"
    IDENTITY = "identity"
    FEE = "fee"


class Effect(StrEnum):
    """What waiting does to the clock."""

    RESTARTS = "restarts"
    """The period begins on the day the answer comes."""
    STOPS = "stops"
    """The days from asking to the answer, both included, are not counted."""


@dataclass(frozen=True, slots=True)
class Law:
    """A law's own rules. ``working_days`` is ``None`` where it counts in months, or not at all;
    ``extended`` is the whole period once it is extended, in the same unit; ``nations`` are those
    whose bank holidays do not count, and none where that is the body's own nation.
    """

    title: str
    short: str
    source: str
    holds: str
    """Why what was asked for must not be destroyed."""
    working_days: int | None = None
    months: int | None = None
    extended: int | None = None
    extension: str = ""
    nations: frozenset[Nation] = frozenset()
    pauses: Mapping[PauseKind, tuple[Effect, str]] = field(default_factory=dict, hash=False)


LAWS: Mapping[Regime, Law] = {
    Regime.FOI: Law(
        "Freedom of Information Act 2000",
        "FOIA",
        "FOIA s.10(1) and (6): promptly, and not later than the twentieth working day following "
        "the date of receipt. A bank holiday in any part of the United Kingdom is no working day.",
        "FOIA s.77: it is an offence to destroy what was asked for so that it is not disclosed.",
        working_days=20,
        extended=40,
        extension="FOIA s.10(3): only to weigh the public interest of a qualified exemption. The "
        "notice under s.17 is still due on the twentieth working day. The Act says what is "
        "reasonable; the Information Commissioner holds 20 further working days to be the most.",
        nations=EVERYWHERE,
        pauses={
            PauseKind.CLARIFICATION: (
                Effect.RESTARTS,
                "FOIA s.1(3) and s.10(6): the period begins when the further information comes.",
            ),
            PauseKind.FEE: (
                Effect.STOPS,
                (
                    "FOIA s.10(2): the working days from the fees notice to the payment, both "
                    "included, are disregarded."
                ),
            ),
        },
    ),
    Regime.EIR: Law(
        "Environmental Information Regulations 2004",
        "EIR",
        "EIR reg. 5(2): as soon as possible, and no later than 20 working days after the date of "
        "receipt; reg. 2(1): a working day is what it is in FOIA s.10(6).",
        "EIR reg. 19: it is an offence to destroy what was asked for so that it is not disclosed.",
        working_days=20,
        extended=40,
        extension="EIR reg. 7(1): 40 working days where the request is so complex and voluminous "
        "that 20 are impracticable; reg. 7(3): whoever asked must be told within the first 20.",
        nations=EVERYWHERE,
        pauses={
            PauseKind.CLARIFICATION: (
                Effect.RESTARTS,
                (
                    "EIR reg. 9(4): the 20 working days are counted after the day on which further "
                    "particulars come."
                ),
            ),
            PauseKind.FEE: (
                Effect.STOPS,
                (
                    "EIR reg. 8(5): the period from asking for payment in advance to receiving it "
                    "is disregarded."
                ),
            ),
        },
    ),
    Regime.FOISA: Law(
        "Freedom of Information (Scotland) Act 2002",
        "FOISA",
        "FOISA s.10(1): promptly, and not later than the twentieth working day after receipt; "
        "s.73: a bank holiday in Scotland is no working day.",
        "FOISA s.65: it is an offence to destroy what was asked for so that it is not disclosed.",
        working_days=20,
        nations=frozenset({Nation.SCOTLAND}),
        pauses={
            PauseKind.CLARIFICATION: (
                Effect.RESTARTS,
                (
                    "FOISA s.1(3) and s.10(1)(b): the period begins when the further information "
                    "comes."
                ),
            ),
            PauseKind.FEE: (
                Effect.STOPS,
                (
                    "FOISA s.10: the working days from the fees notice to the payment, both "
                    "included, are disregarded."
                ),
            ),
        },
    ),
    Regime.EISR: Law(
        "Environmental Information (Scotland) Regulations 2004",
        "EISR",
        "EISR reg. 5(2)(a): as soon as possible, and no later than 20 working days after the date "
        "of receipt; a bank holiday in Scotland is no working day.",
        "EISR reg. 19: it is an offence to destroy what was asked for so that it is not disclosed.",
        working_days=20,
        extended=40,
        extension="EISR reg. 7(1): 40 working days where the volume and complexity of what is "
        "asked make 20 impracticable; whoever asked must be told within the first 20.",
        nations=frozenset({Nation.SCOTLAND}),
        pauses={
            PauseKind.CLARIFICATION: (
                Effect.RESTARTS,
                (
                    "EISR reg. 9(4): the 20 working days begin on the day after the further "
                    "particulars come."
                ),
            ),
            PauseKind.FEE: (
                Effect.STOPS,
                "EISR reg. 8: the period from asking for payment to receiving it is disregarded.",
            ),
        },
    ),
    Regime.SUBJECT_ACCESS: Law(
        "UK GDPR Article 15, subject access",
        "UK GDPR",
        "UK GDPR art. 12(3) and 12A: one month, beginning with the day of receipt. The Information "
        "Commissioner takes the corresponding date of the next month, or its last day where it has "
        "no such date; where that is a weekend or a public holiday, the next working day.",
        "Data Protection Act 2018 s.173: it is an offence to destroy personal data that was asked "
        "for so that it is not disclosed.",
        months=1,
        extended=3,
        extension="UK GDPR art. 12A: two further months for complex or numerous requests; whoever "
        "asked must be told why within the first month.",
        pauses={
            PauseKind.CLARIFICATION: (
                Effect.STOPS,
                (
                    "UK GDPR art. 12A, since 5 February 2026: the days from asking which "
                    "information is meant to the answer, both included, are not counted."
                ),
            ),
            PauseKind.IDENTITY: (
                Effect.RESTARTS,
                "UK GDPR art. 12A: the month begins when what confirms who they are comes.",
            ),
            PauseKind.FEE: (
                Effect.RESTARTS,
                "UK GDPR art. 12A: the month begins when a fee that may be charged is paid.",
            ),
        },
    ),
    Regime.OTHER: Law(
        "Other: a court, a member, an inquiry, our own need",
        "Other",
        "No period is known here. Say by which day it is to be answered.",
        "It was asked for, and is needed to answer.",
    ),
}
