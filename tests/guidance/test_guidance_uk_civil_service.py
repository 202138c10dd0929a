"""The pack that is shipped: complete, careful about what it knows, and fit to read."""

from __future__ import annotations

import re

from folkmoot.guidance import Clause, ClauseKind, Evidence, Level, Status, load_pack

PACK = load_pack("uk-civil-service")
OWN = [clause for clause in PACK.clauses if clause.pack == PACK.id]
CLAUSES = {clause.id: clause for clause in PACK.clauses}

# The standards of the Civil Service Code and the evidence for each: S where its words were seen in
# part, R where only reported, U where they rest on general knowledge.
STANDARDS = {
    "INT-M": "SSUURUU",
    "INT-N": "SSS",
    "HON-M": "SU",
    "HON-N": "UU",
    "OBJ-M": "USS",
    "OBJ-N": "SS",
    "IMP-M": "S",
    "IMP-N": "S",
    "POL-M": "SSS",
    "POL-N": "SS",
}
MARKS = {"S": Evidence.SEEN_IN_PART, "R": Evidence.REPORTED, "U": Evidence.UNVERIFIED}


def from_source(source_id: str, kind: ClauseKind | None = None) -> list[Clause]:
    return [clause for clause in OWN if clause.source == source_id and kind in {None, clause.kind}]


def test_the_pack_says_what_it_is():
    assert (PACK.id, PACK.nation) == ("uk-civil-service", "UK")
    assert PACK.title == "Social media in the UK Civil Service"
    assert [folder.name for folder in PACK.folders] == [
        "nolan",
        "accessible-posts",
        "uk-public-body",
        "uk-civil-service",
    ]
    assert re.fullmatch(r"[0-9a-f]{64}", PACK.digest)


def test_the_principles_and_values_are_all_there_in_their_order():
    assert [clause.id for clause in from_source("cs-principles-2008")] == [
        f"P08-{at}" for at in range(1, 6)
    ]
    assert [clause.id for clause in from_source("cs-social-2012", ClauseKind.PRINCIPLE)] == [
        f"P12-{at}" for at in range(1, 7)
    ]
    assert [clause.title for clause in from_source("cs-code-2015", ClauseKind.VALUE)] == [
        "Integrity",
        "Honesty",
        "Objectivity",
        "Impartiality",
    ]


def test_the_26_standards_carry_the_evidence_we_have_for_each():
    expected = {
        f"{start}{at}": MARKS[mark]
        for start, marks in STANDARDS.items()
        for at, mark in enumerate(marks, 1)
    }
    assert len(expected) == 26
    found = from_source("cs-code-2015", ClauseKind.STANDARD)
    assert {clause.id: clause.evidence for clause in found} == expected


def test_the_clauses_the_rules_cite_are_there():
    wanted = {
        "PRE-ELECTION",
        "PROP-POLITICAL",
        "DISCLAIMER",
        "DATA-PERSONAL",
        "T14-DOUBT",
        "T14-ACCURACY",
        "T14-PERMANENCE",
        *(f"ACC-{of}" for of in ("SENTENCE", "HASHTAG", "EMOJI", "LINK", "SYMBOLS", "ALT")),
        "ACC-CAPTIONS",
    }
    assert wanted <= CLAUSES.keys()


def test_only_the_25_words_were_seen_among_the_numeric_limits():
    limits = [clause for clause in PACK.clauses if clause.source == "gcs-accessible-2020"]
    assert {clause.kind for clause in limits} == {ClauseKind.LIMIT}
    assert len(limits) == 7
    seen = {clause.id for clause in limits if clause.evidence is Evidence.SEEN_IN_PART}
    assert seen == {"ACC-SENTENCE"}


def test_no_reference_is_presented_as_printed_where_it_was_inferred():
    assert {clause.official_ref for clause in from_source("cs-code-2015")} == {None}
    for clause in from_source("cs-social-2012", ClauseKind.PRINCIPLE):
        assert "inferred" in clause.levels[Level.FULL]
    for start in ("OBJ", "IMP", "POL"):
        for clause in PACK.clauses:
            if re.fullmatch(rf"{start}-[MN]\d", clause.id):
                assert "as we infer" in clause.levels[Level.FULL]


def test_what_is_no_longer_in_force_is_marked():
    for source_id, status in {
        "cs-principles-2008": Status.HISTORIC,
        "cs-social-2012": Status.SUPERSEDED,
        "cs-social-2014": Status.IN_FORCE,
        "cs-code-2015": Status.IN_FORCE,
    }.items():
        assert PACK.get_source(source_id).status is status
        assert {clause.status for clause in from_source(source_id)} == {status}


def test_a_pack_is_found_by_alias_and_by_id():
    assert PACK.get_clause("integrity/must/5").id == "INT-M5"
    assert PACK.get_clause("political-impartiality/must-not/1").id == "POL-N1"
    assert PACK.get_clause("purdah").id == "PRE-ELECTION"


def test_the_election_guidance_of_2024_has_done_its_work():
    assert PACK.get_source("ge-guidance-2024").status is Status.HISTORIC
    assert PACK.get_clause("PRE-ELECTION").status is Status.HISTORIC
