"""The pack that is shipped: complete, careful about what it knows, and fit to read."""

from __future__ import annotations

import re
from collections import Counter
from urllib.parse import urlsplit

import pytest

from folkmoot.guidance import Clause, ClauseKind, Evidence, Level, Status, load_pack

PACK = load_pack("uk-civil-service")
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

# Strongest first: a clause may be marked with less than we know, never with more.
STRENGTH = [
    Evidence.SEEN_IN_FULL,
    Evidence.SEEN_IN_PART,
    Evidence.REPORTED,
    Evidence.UNVERIFIED,
]

clauses = pytest.mark.parametrize("clause", PACK.clauses, ids=lambda clause: clause.id)


def from_source(source_id: str, kind: ClauseKind | None = None) -> list[Clause]:
    return [
        clause
        for clause in PACK.clauses
        if clause.source == source_id and kind in {None, clause.kind}
    ]


def sentences(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[.?!])[”)]?\s+", text.strip()) if part]


def test_the_pack_says_what_it_is():
    assert (PACK.id, PACK.nation) == ("uk-civil-service", "UK")
    assert PACK.title == "Social media in the UK Civil Service"
    assert PACK.extends == ()
    assert [folder.name for folder in PACK.folders] == ["uk-civil-service"]
    assert re.fullmatch(r"[0-9a-f]{64}", PACK.digest)


def test_the_principles_and_values_are_all_there_in_their_order():
    assert [clause.id for clause in from_source("cs-principles-2008")] == [
        f"P08-{at}" for at in range(1, 6)
    ]
    assert [clause.id for clause in from_source("cs-social-2012")] == [
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
    assert len(PACK.clauses) == 5 + 6 + 4 + 26 + len(wanted)


def test_nothing_is_said_to_be_read_in_full():
    marks = Counter(item.evidence for item in (*PACK.clauses, *PACK.sources))
    assert marks[Evidence.SEEN_IN_FULL] == 0
    assert marks[Evidence.UNVERIFIED] > 0


def test_only_the_25_words_were_seen_among_the_numeric_limits():
    limits = from_source("gcs-accessible-2020", ClauseKind.LIMIT)
    assert len(limits) == 7
    seen = {clause.id for clause in limits if clause.evidence is Evidence.SEEN_IN_PART}
    assert seen == {"ACC-SENTENCE"}


def test_no_reference_is_presented_as_printed_where_it_was_inferred():
    assert {clause.official_ref for clause in PACK.clauses} == {None}
    for clause in from_source("cs-social-2012"):
        assert "inferred" in clause.levels[Level.FULL]
    for start in ("OBJ", "IMP", "POL"):
        for clause in PACK.clauses:
            if re.fullmatch(rf"{start}-[MN]\d", clause.id):
                assert "as we infer" in clause.levels[Level.FULL]


def test_what_was_not_verified_says_so_in_its_own_text():
    for clause in PACK.clauses:
        if clause.evidence is Evidence.UNVERIFIED:
            full = clause.levels[Level.FULL]
            assert "not seen its wording" in full or "general knowledge" in full, clause.id


def test_what_is_no_longer_in_force_is_marked():
    for source_id, status in {
        "cs-principles-2008": Status.HISTORIC,
        "cs-social-2012": Status.SUPERSEDED,
        "cs-social-2014": Status.IN_FORCE,
        "cs-code-2015": Status.IN_FORCE,
        "ge-guidance-2024": Status.HISTORIC,
    }.items():
        assert PACK.get_source(source_id).status is status
        assert {clause.status for clause in from_source(source_id)} == {status}


def test_every_source_is_cited():
    assert {clause.source for clause in PACK.clauses} == {source.id for source in PACK.sources}


def test_the_13_possible_solutions_of_part_two_are_not_claimed():
    told = " ".join(text for clause in PACK.clauses for text in clause.levels.values())
    assert not re.search(r"\b(13|thirteen) (possible )?solutions\b", told, re.IGNORECASE)


def test_every_address_is_a_web_address():
    for item in (*PACK.sources, *PACK.clauses):
        for url in (item.url, *item.url_history):
            parts = urlsplit(url)
            assert parts.scheme in {"http", "https"}
            assert parts.hostname


def test_no_text_is_used_twice():
    used = Counter(text for clause in PACK.clauses for text in clause.levels.values())
    assert [text for text, times in used.items() if times > 1] == []
    titles = Counter(clause.title for clause in PACK.clauses)
    assert [title for title, times in titles.items() if times > 1] == []


def test_clauses_cited_in_the_text_exist():
    for clause in PACK.clauses:
        for text in clause.levels.values():
            for cited in re.findall(r"\b[A-Z]{3}-[MN]\d\b|\b(?:DISCLAIMER|P\d\d-\d)\b", text):
                assert cited in CLAUSES, f"{clause.id} cites {cited}"


def test_a_group_stands_together():
    groups = [clause.group for clause in PACK.clauses]
    runs = [group for at, group in enumerate(groups) if at == 0 or groups[at - 1] != group]
    assert len(runs) == len(set(runs))


@clauses
def test_an_overview_is_one_short_sentence(clause: Clause):
    overview = clause.levels[Level.OVERVIEW]
    assert len(sentences(overview)) == 1
    assert overview.endswith(".")
    assert "\n" not in overview
    assert len(overview.split()) <= 30


@clauses
def test_a_snapshot_is_two_to_five_sentences_and_longer_than_the_overview(clause: Clause):
    snapshot = clause.levels[Level.SNAPSHOT]
    assert 2 <= len(sentences(snapshot)) <= 5
    assert len(snapshot) > len(clause.levels[Level.OVERVIEW])


@clauses
def test_the_full_story_shows_what_is_fine_and_what_is_not(clause: Clause):
    full = clause.levels[Level.FULL]
    assert "**Fine:**" in full
    assert "**Not fine:**" in full
    assert len(full) > len(clause.levels[Level.SNAPSHOT])


@clauses
def test_sentences_keep_near_the_limit_the_pack_itself_sets(clause: Clause):
    for level in Level:
        for line in clause.levels[level].split("\n"):
            # The examples of what is not fine may be as long-winded as they like.
            if "**Not fine:**" in line:
                continue
            for sentence in re.split(r"(?<=[.?!:;])[”)*]*\s+", line):
                assert len(sentence.split()) <= 28, sentence


@clauses
def test_spelling_is_british_and_marks_are_typographic(clause: Clause):
    for text in (clause.title, *clause.levels.values()):
        assert "'" not in text
        assert '"' not in text
        assert not re.search(
            r"(?:organ|recogn|apolog|summar|critic|emphas)iz|behavior|color\b", text
        )


def test_a_pack_is_found_by_alias_and_by_id():
    assert PACK.get_clause("integrity/must/5").id == "INT-M5"
    assert PACK.get_clause("political-impartiality/must-not/1").id == "POL-N1"
    assert PACK.get_clause("purdah").id == "PRE-ELECTION"


def test_a_clause_is_never_better_known_than_the_strongest_word_for_its_source():
    for clause in PACK.clauses:
        source = PACK.get_source(clause.source)
        assert STRENGTH.index(clause.evidence) >= STRENGTH.index(source.evidence), clause.id
