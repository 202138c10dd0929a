"""Every pack that is shipped is fit to read, careful about what it knows, and in its place."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from urllib.parse import urlsplit

import pytest

from folkmoot.guidance import Clause, Evidence, Level, Pack, Status, available_packs, load_pack

PACKS = {name: load_pack(name) for name in available_packs()}
OWN = {
    name: [clause for clause in pack.clauses if clause.pack == name] for name, pack in PACKS.items()
}
PARENTS = {
    "nolan": (),
    "accessible-posts": (),
    "uk-public-body": ("nolan", "accessible-posts"),
}
AUDIENCES = {"everyone", "communicator", "policy_official", "line_manager", "it_lead"}

# Strongest first: a clause may be marked with less than we know, never with more.
STRENGTH = [
    Evidence.SEEN_IN_FULL,
    Evidence.SEEN_IN_PART,
    Evidence.REPORTED,
    Evidence.UNVERIFIED,
]

packs = pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
clauses = pytest.mark.parametrize(
    "clause",
    [
        pytest.param(clause, id=f"{clause.pack}/{clause.id}")
        for own in OWN.values()
        for clause in own
    ],
)


def sentences(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[.?!])[”)]?\s+", text.strip()) if part]


@packs
def test_a_pack_says_what_it_is_and_extends_what_the_plan_says(pack: Pack):
    assert pack.extends == PARENTS.get(pack.id, ("uk-public-body",))
    assert pack.folders[-1].name == pack.id
    assert re.fullmatch(r"[0-9a-f]{64}", pack.digest)
    assert pack.summary.endswith(".")


def test_no_clause_id_and_no_alias_is_used_in_two_packs():
    names = Counter(
        name for own in OWN.values() for clause in own for name in (clause.id, *clause.aliases)
    )
    assert [name for name, times in names.items() if times > 1] == []


def test_no_text_and_no_title_is_used_twice_in_any_pack():
    own = [clause for clauses_of_one in OWN.values() for clause in clauses_of_one]
    used = Counter(text for clause in own for text in clause.levels.values())
    assert [text for text, times in used.items() if times > 1] == []


@packs
def test_titles_are_told_apart_by_whoever_sees_the_pack(pack: Pack):
    titles = Counter(clause.title for clause in pack.clauses)
    assert [title for title, times in titles.items() if times > 1] == []


@packs
def test_a_group_stands_together(pack: Pack):
    groups = [clause.group for clause in pack.clauses]
    runs = groups[:1] + [later for earlier, later in pairwise(groups) if earlier != later]
    assert len(runs) == len(set(runs))


@packs
def test_nothing_is_said_to_be_read_in_full(pack: Pack):
    marks = {item.evidence for item in (*pack.clauses, *pack.sources)}
    assert Evidence.SEEN_IN_FULL not in marks


@packs
def test_every_source_is_cited_by_a_clause_of_the_pack_or_a_child(pack: Pack):
    cited = {clause.source for own in OWN.values() for clause in own}
    assert {source.id for source in pack.sources} <= cited


@packs
def test_every_source_says_under_which_licence_or_that_nobody_checked(pack: Pack):
    for source in pack.sources:
        assert source.licence in {"Not checked", "Open Government Licence"}, source.id
        assert source.note, source.id


@packs
def test_every_address_is_a_web_address(pack: Pack):
    for item in (*pack.sources, *pack.clauses):
        for url in (item.url, *item.url_history):
            parts = urlsplit(url)
            assert parts.scheme in {"http", "https"}
            assert parts.hostname
            assert " " not in url


@packs
def test_clauses_cited_in_the_text_can_be_seen_from_the_pack(pack: Pack):
    known = {clause.id for clause in pack.clauses}
    for clause in OWN[pack.id]:
        for text in clause.levels.values():
            for cited in re.findall(r"\(see ([A-Z0-9-]+)\)|\b([A-Z]{3}-[MN]\d)\b", text):
                assert (cited[0] or cited[1]) in known, f"{clause.id} cites {cited}"


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
def test_sentences_keep_near_the_limit_the_packs_themselves_set(clause: Clause):
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


@clauses
def test_the_audiences_are_those_there_are_views_for(clause: Clause):
    assert clause.audiences <= AUDIENCES


@clauses
def test_a_clause_is_never_better_known_than_the_strongest_word_for_its_source(clause: Clause):
    source = PACKS[clause.pack].get_source(clause.source)
    assert STRENGTH.index(clause.evidence) >= STRENGTH.index(source.evidence)


@clauses
def test_a_clause_is_never_in_force_where_its_source_is_not(clause: Clause):
    source = PACKS[clause.pack].get_source(clause.source)
    if source.status is not Status.IN_FORCE:
        assert clause.status is source.status


@clauses
def test_what_was_not_verified_says_so_in_its_own_text(clause: Clause):
    if clause.evidence is Evidence.UNVERIFIED:
        full = clause.levels[Level.FULL]
        assert "not seen its wording" in full or "general knowledge" in full


@clauses
def test_the_13_possible_solutions_of_part_two_are_not_claimed(clause: Clause):
    for text in clause.levels.values():
        assert not re.search(r"\b(13|thirteen) (possible )?solutions\b", text, re.IGNORECASE)
