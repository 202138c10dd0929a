"""What each shipped pack holds, how well it is known, and what is made of it."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from folkmoot.check import Checker
from folkmoot.guidance import (
    Clause,
    Evidence,
    Profile,
    Status,
    available_packs,
    load_pack,
    make_house_rules,
    overview_lines,
    overview_page,
)
from folkmoot.guidance.house_profile import Day
from folkmoot.guidance.views import EVIDENCE_MARKS

PACKS = {name: load_pack(name) for name in available_packs()}
OWN: dict[str, list[Clause]] = {
    name: [clause for clause in pack.clauses if clause.pack == name] for name, pack in PACKS.items()
}

# How many clauses of its own each pack has: read in part, reported, not verified.
COUNTS = {
    "nolan": (7, 0, 0),
    "accessible-posts": (2, 6, 0),
    "uk-public-body": (22, 12, 9),
    "uk-civil-service": (37, 28, 9),
    "local-authority-england": (15, 0, 0),
    "local-authority-wales": (3, 1, 0),
    "local-authority-scotland": (3, 1, 0),
    "councillors": (16, 0, 0),
    "police": (5, 0, 0),
    "nurses": (5, 0, 0),
    "doctors": (5, 0, 0),
    "health-professions": (0, 6, 0),
    "nics": (3, 1, 0),
}

# References that were seen printed in a source. No other may be given as printed.
REFERENCES = {
    "STATS-RELEASE": "T3.4",
    **{f"NCCC-{at}": f"Paragraph {at}" for at in (3, 5, 6, 7, 8)},
    "GE24-COMMUNICATION": "Section I",
    "GE24-CONSULTATION": "Section J",
    "GE24-STATISTICS": "Section K",
    "LOCAL24-CARE": "Paragraphs 3 and 4",
    **{f"COUN-{at}": f"{at}" for at in range(1, 11)},
    "CPE14-7-5": "7.5",
    "NMC-20-10": "20.10",
    "NMC-1-1": "1.1",
    "NMC-6": "6",
    "NMC-8-2": "8.2",
    **{f"GMC-USM-{at}": f"Paragraph {at}" for at in (4, 9, 18, 19)},
    "HCPC-1-7": "1.7",
    "NICS-3": "Paragraph 3",
    "NICS-4": "Paragraph 4",
}

# Law and common practice that rest on general knowledge until somebody has read the text.
NOT_VERIFIED_HERE = {
    "AI-DECLARED",
    "DATA-PERSONAL",
    "DATA-SPECIAL",
    "INCIDENT-PAUSE",
    "LAW-ANONYMITY",
    "LAW-DEFAMATION",
    "MARKET",
    "PICTURE-LICENCE",
    "SUICIDE-SAFE",
}

# Sources we know through others only: no clause that rests on them was seen.
REPORTED_ONLY = {
    "consultation-2018",
    "contempt-advice",
    "cs-social-2012",
    "ge-online-2010",
    "gcs-propriety",
    "hcpc-social-2024",
    "ico-foi-social",
    "nics-head-2018",
    "pcw-elections",
    "publicity-conventions",
    "sco-elections",
    "sg-social-media",
}

# The grounds that rules of other packs are promised.
PROMISED = [
    "LAW-CONTEMPT",
    "LAW-DEFAMATION",
    "LAW-ANONYMITY",
    "DATA-PERSONAL",
    "DATA-SPECIAL",
    "CHILD-IMAGE",
    "PICTURE-CONSENT",
    "PICTURE-LICENCE",
    "STATS-RELEASE",
    "PARLIAMENT-FIRST",
    "CONSULT-FAIR",
    "CONSULT-PERIOD",
    "MARKET",
    "SECURITY-LOCATION",
    "SUICIDE-SAFE",
    "ENDORSEMENT",
    "AI-DECLARED",
    "CORRECTION",
    "DELETION",
    "WELSH-PARITY",
    "INCIDENT-PAUSE",
    "MEDIA-CONTACT",
    "SECOND-PERSON",
    "RECORDS",
    "RECORDS-DM",
    "SPEND",
    "OBJECTIVE",
    "MODERATION-FAIR",
    "TONE-CIVIL",
    "PERSONAL-CAPACITY",
    "EVIDENCE",
    "NOT-PUBLIC",
    "NOT-PARTY",
    "PRE-ELECTION",
    "CHANNEL-FIT",
    "CLAIMS",
]

WITH_HOUSE_RULES = sorted(PACKS.keys() - {"nolan", "accessible-posts"})
ANYTOWN = Profile(
    organisation="Anytown and District Borough Council",
    days=(Day.MONDAY, Day.TUESDAY, Day.WEDNESDAY, Day.THURSDAY, Day.FRIDAY),
    hours="09:00-17:00",
    response_promise="within two working days",
    channels=("Bluesky", "Mastodon", "Facebook"),
    appeal_route="write to appeals@anytown.example",
    emergency_route="call 999",
    block_review_months=12,
    rules_address="https://www.anytown.example/house-rules",
)
PAGE = (Path(__file__).parents[2] / "docs" / "sources.md").read_text(encoding="utf-8")
KNOWN_PERIODS = PACKS["uk-public-body"].folders[-1] / "reference" / "known-periods.toml"


@pytest.mark.parametrize("name", PACKS)
def test_each_pack_has_as_many_clauses_of_each_evidence_as_the_page_of_sources_says(name: str):
    marks = Counter(clause.evidence for clause in OWN[name])
    known = (Evidence.SEEN_IN_PART, Evidence.REPORTED, Evidence.UNVERIFIED)
    assert tuple(marks[mark] for mark in known) == COUNTS[name]


def test_the_page_of_sources_counts_the_clauses_of_each_pack_as_they_are():
    rows = re.findall(r"^\| `([a-z-]+)` \| (\d+) \| (\d+) \| (\d+) \|", PAGE, re.MULTILINE)
    assert {name: tuple(map(int, numbers)) for name, *numbers in rows} == COUNTS
    assert PACKS.keys() == COUNTS.keys()


def test_the_page_of_sources_names_each_source_with_how_well_it_is_known():
    rows = re.findall(r"^\| \[(.+?)\]\((\S+)\) \| .+? \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
    told = {(title, url, evidence, status) for title, url, evidence, status in rows}
    sources = {source.id: source for pack in PACKS.values() for source in pack.sources}.values()
    assert told == {
        (
            source.title,
            source.url,
            EVIDENCE_MARKS[source.evidence],
            source.status.value.replace("_", " "),
        )
        for source in sources
    }
    assert len(rows) == len(sources)


def test_the_page_of_sources_says_that_the_13_solutions_were_not_recovered():
    told = " ".join(PAGE.split())
    assert "The 13 possible solutions" in told
    assert "were not recovered" in told
    assert "No pack claims to hold them" in told


def test_every_pack_that_is_partial_says_so():
    assert "Complete" in load_pack("nolan").summary
    for name, pack in PACKS.items():
        assert name == "nolan" or "Partial: " in pack.summary


def test_the_grounds_the_rules_were_promised_are_there():
    ids = {clause.id for clause in PACKS["uk-public-body"].clauses}
    assert [promised for promised in PROMISED if promised not in ids] == []


def test_only_references_that_were_seen_printed_are_given_as_printed():
    given = {
        clause.id: clause.official_ref
        for own in OWN.values()
        for clause in own
        if clause.official_ref is not None
    }
    assert given == REFERENCES


def test_what_rests_on_general_knowledge_is_known_by_name():
    unverified = {
        clause.id for clause in OWN["uk-public-body"] if clause.evidence is Evidence.UNVERIFIED
    }
    assert unverified == NOT_VERIFIED_HERE


def test_what_was_only_reported_is_never_marked_as_seen():
    sources = {source.id: source for pack in PACKS.values() for source in pack.sources}
    assert {sources[name].evidence for name in REPORTED_ONLY} == {Evidence.REPORTED}
    for own in OWN.values():
        for clause in own:
            if clause.source in REPORTED_ONLY:
                assert clause.evidence in {Evidence.REPORTED, Evidence.UNVERIFIED}, clause.id


def test_foreign_guidance_says_that_it_binds_nobody_here():
    for name in ("epa-respond", "dod-5400-17", "apsc-personal"):
        source = PACKS["uk-public-body"].get_source(name)
        assert "binds nobody in the UK" in source.note
        assert source.status is Status.UNVERIFIED


def test_where_only_a_copy_was_read_the_note_says_whose():
    for pack in PACKS.values():
        for source in pack.sources:
            if re.search(r"scribd|docslib|paperzz|metflix|askyourcouncil|blogspot", source.url):
                assert re.search(r"copy|transcript", source.note), source.id


def test_the_three_publicity_codes_are_three_packs():
    codes = {
        name: [source.id for source in PACKS[name].sources if source.id.startswith("pc")]
        for name in PACKS
        if name.startswith("local-authority-")
    }
    assert codes == {
        "local-authority-england": ["pce-2011"],
        "local-authority-scotland": ["pcs-1988"],
        "local-authority-wales": ["pcw", "pcw-elections"],
    }
    england = [clause.title for clause in OWN["local-authority-england"]][1:8]
    assert england[:6] == [
        "Lawful",
        "Cost effective",
        "Objective",
        "Even-handed",
        "Appropriate",
        "With regard to equality and diversity",
    ]


def test_what_a_code_replaced_is_marked_as_replaced():
    assert PACKS["police"].get_clause("CPE14-7-5").status is Status.SUPERSEDED
    assert PACKS["nics"].get_clause("NICS-HEAD-2018").status is Status.HISTORIC
    assert PACKS["uk-civil-service"].get_clause("T12-1").status is Status.SUPERSEDED


def test_a_council_is_told_that_election_guidance_for_civil_servants_does_not_bind_it():
    for nation in ("england", "wales", "scotland"):
        note = PACKS[f"local-authority-{nation}"].get_clause("PRE-ELECTION").note
        assert "binds civil servants" in note
        for cited in re.findall(r"\b(?:PCE|PCW|SCO)-[A-Z]+\b", note):
            PACKS[f"local-authority-{nation}"].get_clause(cited)
    assert PACKS["uk-civil-service"].get_clause("PRE-ELECTION").note == ""


@pytest.mark.parametrize("name", PACKS)
def test_the_overview_prints_on_one_side_of_a4(name: str):
    pack = PACKS[name]
    lines = overview_lines(pack, overview_page(pack))
    assert 5 <= len(lines) <= 60
    assert max(map(len, lines)) <= 95
    told = "\n".join(lines)
    assert name == "uk-public-body" or any(f"[{clause.id}," in told for clause in OWN[name])


@pytest.mark.parametrize("name", PACKS)
def test_the_rules_and_questions_of_every_pack_load_in_the_checker(name: str):
    checker = Checker(PACKS[name])
    ids = {clause.id for clause in PACKS[name].clauses}
    assert {cited for rule in checker.rules for cited in rule.clauses} <= ids
    assert {cited for question in checker.questions for cited in question.clauses} <= ids
    assert (len(checker.rules) == 0) == (name == "nolan")


@pytest.mark.parametrize("name", WITH_HOUSE_RULES)
def test_every_body_can_print_its_house_rules_in_three_lengths(name: str):
    rules = make_house_rules(PACKS[name], ANYTOWN)
    assert rules.fallbacks == ()
    assert len(rules.profile.value) <= 160
    assert len(rules.pinned.value) <= 280
    for short in (rules.profile.value, rules.pinned.value):
        assert "call 999" in short
        assert "within two working days" in short
    assert "never remove criticism" in rules.pinned.value


def test_the_house_rules_hold_the_set_that_nearly_all_bodies_share():
    page = {
        section.id: section for section in make_house_rules(PACKS["uk-public-body"], ANYTOWN).page
    }
    assert {rule.id for rule in page["removed"].rules} >= {
        "platform",
        "abuse",
        "discrimination",
        "threats",
        "defamation",
        "deception",
        "rights",
        "unlawful",
        "spam",
        "advertising",
        "personal",
    }
    assert page["never_removed"].rules[0].id == "criticism"
    assert {rule.id for rule in page["kept"].rules} >= {"copies", "blocks"}
    assert "did not decide it" in page["appeal"].text.value
    assert "appeals@anytown.example" in page["appeal"].text.value
    assert "Monday to Friday, 9am to 5pm" in page["hours"].text.value


def test_house_rules_keep_to_short_sentences_and_say_what_each_is_for():
    for section in make_house_rules(PACKS["uk-public-body"], ANYTOWN).page:
        for rule in section.rules:
            for text in (rule.sentence.value, rule.why.value):
                assert text.endswith(".")
                for sentence in re.split(r"(?<=[.?!;:])\s+", text):
                    assert len(sentence.split()) <= 25, sentence


def test_known_periods_are_over_and_sourced_and_no_code_reads_them():
    rows = tomllib.loads(KNOWN_PERIODS.read_text(encoding="utf-8"))["period"]
    assert len(rows) == 3
    for row in rows:
        assert row["poll_on"] < date(2026, 1, 1)
        assert row["url"].startswith("https://")
        assert row["evidence"] in {"seen_in_part", "reported"}
        # Text, so that nothing can take it for a date to reckon with.
        assert isinstance(row["begins"], str)
    source = Path(__file__).parents[2] / "src" / "folkmoot"
    readers = [
        file
        for file in source.rglob("*.py")
        if "known-periods" in file.read_text(encoding="utf-8")
        or "known_periods" in file.read_text(encoding="utf-8")
    ]
    assert readers == []
