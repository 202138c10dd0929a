"""Why something is erased, and why not: the grounds and exemptions of the law, in words.

UK GDPR Article 17, https://www.legislation.gov.uk/eur/2016/679/article/17 (read in full, paragraph
1; paragraph 3 read in others' copies of the EU text).
"""

from __future__ import annotations

from enum import StrEnum


class Ground(StrEnum):
    """Why something is erased."""

    NO_LONGER_NEEDED = "no_longer_needed"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    OBJECTED = "objected"
    UNLAWFUL = "unlawful"
    LEGAL_OBLIGATION = "legal_obligation"
    CHILD = "child"
    MALICIOUS = "malicious"
    COURT_ORDER = "court_order"
    PLATFORM = "platform"


GROUND_WORDS = {
    Ground.NO_LONGER_NEEDED: "It is no longer needed (Article 17(1)(a))",
    Ground.CONSENT_WITHDRAWN: "Consent was withdrawn, and nothing else allows it (17(1)(b))",
    Ground.OBJECTED: "The person objected, and nothing outweighs that (17(1)(c))",
    Ground.UNLAWFUL: "It was processed unlawfully (17(1)(d))",
    Ground.LEGAL_OBLIGATION: "The law obliges us to (17(1)(e))",
    Ground.CHILD: "It was collected from a child online (17(1)(f))",
    Ground.MALICIOUS: "It comes of a malicious allegation that was looked into (17(1)(g))",
    Ground.COURT_ORDER: "A court ordered it",
    Ground.PLATFORM: "It was deleted on the platform it came from",
}


class Exemption(StrEnum):
    """Why something that somebody asked to have erased is kept."""

    EXPRESSION = "expression"
    PUBLIC_TASK = "public_task"
    PUBLIC_HEALTH = "public_health"
    ARCHIVING = "archiving"
    LEGAL_CLAIMS = "legal_claims"
    NO_GROUND = "no_ground"


EXEMPTION_WORDS = {
    Exemption.EXPRESSION: "Freedom of expression and information (Article 17(3)(a))",
    Exemption.PUBLIC_TASK: "A legal obligation, a public task or official authority (17(3)(b))",
    Exemption.PUBLIC_HEALTH: "Public health (17(3)(c))",
    Exemption.ARCHIVING: "Archiving in the public interest, research or statistics (17(3)(d))",
    Exemption.LEGAL_CLAIMS: "Legal claims, which is also where a hold belongs (17(3)(e))",
    Exemption.NO_GROUND: "No ground of Article 17(1) applies, or nothing of the person is kept",
}
