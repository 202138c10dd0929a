"""Where each word of a clause comes from, and what nobody checks."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from guidance_small_pack import Writer, clause_text

from folkmoot.guidance import (
    Origin,
    PackError,
    UnknownClause,
    available_packs,
    cover,
    explain_clause,
    load_pack,
)


def extending(*parents: str) -> str:
    rows = ", ".join(f'{{ pack = "{name}", version = "2026.11" }}' for name in parents)
    return f"extends = [{rows}]\n"


def put(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture
def child(write_pack: Writer) -> Path:
    write_pack(
        "grand",
        clauses={
            "G": clause_text(pack="grand", aliases='["§ 1"]', locked='["status"]', note='"N."')
        },
    )
    mother = write_pack("mother", pack=extending("grand"), clauses={}, sources="")
    write_pack("father", pack=extending("grand"), clauses={}, sources="")
    put(mother, "amend/G.toml", 'title = "Hers"\nlocked_add = ["title"]\naliases_add = ["§ 2"]\n')
    child = write_pack("child", pack=extending("mother", "father"), sources="", clauses={})
    put(child, "amend/G.toml", '[levels]\nfull = "Ours."\n')
    return child


def test_every_way_to_the_pack_that_states_it_is_told(child: Path):
    told = explain_clause(load_pack(child), "§ 1")
    assert told.clause.id == "G"
    assert (told.layer.pack, told.file.name) == ("grand", "G.md")
    assert told.file.is_file()
    assert told.chains == (("child", "mother", "grand"), ("child", "father", "grand"))
    assert not told.has_more_chains


def test_each_key_says_which_pack_and_file_set_it(child: Path):
    told = explain_clause(load_pack(child), "G")
    keys = {key.key: key for key in told.keys}
    assert (keys["title"].value, keys["title"].origin, keys["title"].pack) == (
        "Hers",
        Origin.AMENDMENT,
        "mother",
    )
    assert keys["levels.full"].file == child / "amend" / "G.toml"
    assert (keys["levels.overview"].origin, keys["levels.overview"].pack) == (
        Origin.CLAUSE,
        "grand",
    )
    assert (keys["note"].origin, keys["url"].origin, keys["official_ref"].origin) == (
        Origin.CLAUSE,
        Origin.SOURCE,
        Origin.DEFAULT,
    )
    assert (keys["status"].locked_by, keys["title"].locked_by) == ("grand", "mother")
    assert keys["note"].locked_by is None
    assert [made.pack for made in told.amendments] == ["mother", "child"]


def test_what_a_pack_further_down_may_still_change_is_told(child: Path):
    told = explain_clause(load_pack(child), "G")
    assert told.may_change == (
        "aliases_add",
        "audiences",
        "evidence",
        "note",
        "in_overview",
        "levels.overview",
        "levels.snapshot",
        "levels.full",
    )


def test_a_clause_that_is_not_there_is_refused(child: Path):
    with pytest.raises(UnknownClause):
        explain_clause(load_pack(child), "NOPE")


def test_packs_that_meet_again_and_again_are_told_in_twenty_lines(write_pack: Writer):
    storeys = [[f"s{storey}{letter}" for letter in "abc"] for storey in range(7)]
    for name in storeys[0]:
        write_pack(name)
    for below, storey in pairwise(storeys):
        for name in storey:
            write_pack(name, pack=extending(*below))
    pack = load_pack(write_pack("top", pack=extending(*storeys[-1])))
    told = explain_clause(pack, "S0A-1")
    assert (len(told.chains), told.has_more_chains) == (20, True)
    assert all(chain[0] == "top" and chain[-1] == "s0a" for chain in told.chains)


@pytest.mark.parametrize("name", available_packs())
def test_every_shipped_clause_can_be_explained(name: str):
    pack = load_pack(name)
    for clause in pack.clauses:
        told = explain_clause(pack, clause.id)
        assert told.file.is_file()
        assert told.chains[0][0] == name
        assert told.chains[0][-1] == clause.pack


# Coverage


RULE = 'id = "{id}"\nstatus = "{status}"\nclauses = [{clauses}]\n'


def rule(folder: Path, name: str, *clauses: str, status: str = "stable") -> Path:
    cited = ", ".join(f'"{clause}"' for clause in clauses)
    text = RULE.format(id=f"part/{name}", status=status, clauses=cited)
    return put(folder, f"rules/{name}.toml", text)


@pytest.fixture
def covered(write_pack: Writer) -> Path:
    parent = write_pack(
        "parent",
        clauses={
            name: clause_text(pack="parent", aliases=f'["§ {name}"]')
            for name in ("A", "B", "C", "D")
        },
    )
    rule(parent, "one", "A")
    rule(parent, "two", "§ B", "A")
    rule(parent, "old", "C", status="deprecated")
    return write_pack("child", pack=extending("parent"), clauses={}, sources="")


def test_coverage_reads_the_rules_of_all_layers(covered: Path):
    rule(covered, "own", "D")
    coverage = cover(load_pack(covered))
    assert [each.rule for each in coverage.rules] == ["part/one", "part/own", "part/two"]
    assert coverage.covered == {
        "A": ("part/one", "part/two"),
        "B": ("part/two",),
        "D": ("part/own",),
    }
    assert [clause.id for clause in coverage.uncovered] == ["C"]
    assert (coverage.uncited, coverage.unknown) == ((), ())


def test_a_change_of_a_rule_can_add_clauses_and_switch_it_off(covered: Path):
    put(covered, "changes/one.toml", 'rule = "part/one"\nclauses_add = ["C"]\n')
    put(covered, "changes/two.toml", 'rule = "part/two"\nstatus = "off"\n')
    coverage = cover(load_pack(covered))
    assert coverage.covered == {"A": ("part/one",), "C": ("part/one",)}
    assert [clause.id for clause in coverage.uncovered] == ["B", "D"]


def test_rules_that_rest_on_nothing_and_on_what_is_not_there_are_told(covered: Path):
    rule(covered, "bare")
    rule(covered, "lost", "A", "NOPE")
    coverage = cover(load_pack(covered))
    assert [each.rule for each in coverage.uncited] == ["part/bare"]
    assert [(each.rule, clause) for each, clause in coverage.unknown] == [("part/lost", "NOPE")]


def test_what_is_asked_about_is_told_apart(covered: Path):
    put(covered, "questions.toml", '[[question]]\nid = "ask/true"\nclauses = ["D"]\n')
    coverage = cover(load_pack(covered))
    assert coverage.asked == {"D": ("ask/true",)}
    assert "D" in [clause.id for clause in coverage.uncovered]


def test_a_rule_file_that_cannot_be_read_is_refused(covered: Path):
    file = put(covered, "rules/bad.toml", 'id = "part/bad"\nclauses = "A"\n')
    with pytest.raises(PackError) as caught:
        cover(load_pack(covered))
    assert (caught.value.file, caught.value.key) == (file, "clauses")


def test_every_rule_that_is_shipped_rests_on_a_clause():
    for name in available_packs():
        coverage = cover(load_pack(name))
        assert (coverage.uncited, coverage.unknown) == ((), ()), name
