"""Packs that extend packs: what is inherited, in what order, and what may not be."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import pytest
from guidance_small_pack import Writer, clause_text

from folkmoot.guidance import PackError, load_pack, loader
from folkmoot.guidance.loader import DEPTH_LIMIT


def extending(*parents: str, version: str = "2026.11", digest: str = "") -> str:
    pinned = f', digest = "{digest}"' if digest else ""
    rows = ", ".join(f'{{ pack = "{name}", version = "{version}"{pinned} }}' for name in parents)
    return f"extends = [{rows}]\n"


def refused(folder: Path, *search: Path) -> PackError:
    with pytest.raises(PackError) as caught:
        load_pack(folder, search=search)
    return caught.value


def test_a_child_has_its_parents_sources_clauses_and_folders_first(write_pack: Writer):
    parent = write_pack("parent", clauses={"Z": clause_text(pack="parent", order="99")})
    child = write_pack(
        "child",
        pack=extending("parent"),
        clauses={
            "A": clause_text(pack="child", order="1"),
            "B": clause_text(pack="parent", order="0"),
        },
    )
    pack = load_pack(child)
    assert [(clause.id, clause.pack) for clause in pack.clauses] == [
        ("Z", "parent"),
        ("B", "child"),
        ("A", "child"),
    ]
    assert [source.id for source in pack.sources] == ["parent-paper", "child-paper"]
    assert pack.folders == (parent.resolve(), child)
    assert pack.extends == ("parent",)


def test_a_child_may_state_no_sources_and_no_clauses_of_its_own(write_pack: Writer):
    write_pack("parent")
    child = load_pack(write_pack("child", pack=extending("parent"), sources="", clauses={}))
    assert [clause.id for clause in child.clauses] == ["PARENT-1"]


def test_a_pack_can_extend_the_one_that_is_shipped(write_pack: Writer):
    pack = load_pack(write_pack("child", pack=extending("uk-civil-service")))
    assert pack.get_clause("HON-M1").pack == "uk-civil-service"
    assert pack.get_clause("CHILD-1").pack == "child"


def test_the_folders_searched_come_before_those_beside(write_pack: Writer, tmp_path: Path):
    write_pack("parent")
    ours = write_pack("parent", under=tmp_path / "ours")
    child = write_pack("child", pack=extending("parent"))
    assert load_pack(child, search=[tmp_path / "ours"]).folders[0] == ours


def test_a_grandparent_reached_by_two_ways_is_inherited_once(write_pack: Writer):
    write_pack("grand")
    write_pack("mother", pack=extending("grand"))
    write_pack("father", pack=extending("grand"))
    pack = load_pack(write_pack("child", pack=extending("mother", "father")))
    ids = [clause.id for clause in pack.clauses]
    assert ids == ["GRAND-1", "MOTHER-1", "FATHER-1", "CHILD-1"]
    assert len(pack.sources) == 4
    assert [folder.name for folder in pack.folders] == ["grand", "mother", "father", "child"]
    assert pack.extends == ("mother", "father")


def test_a_parent_that_is_nowhere_is_refused_with_the_places_looked_in(
    write_pack: Writer, tmp_path: Path
):
    child = write_pack("child", pack=extending("nobody"))
    error = refused(child)
    assert (error.file, error.key) == (child / "pack.toml", "extends[1].pack")
    assert error.wrong.startswith("There is no pack 'nobody'. Looked in: ")
    assert str(tmp_path) in error.wrong


def test_a_parent_of_another_version_is_refused_naming_both(write_pack: Writer):
    write_pack("parent")
    child = write_pack("child", pack=extending("parent", version="2026.10"))
    error = refused(child)
    assert (error.file, error.key) == (child / "pack.toml", "extends[1].version")
    assert "extends parent 2026.10, but the one in" in error.wrong
    assert error.wrong.endswith("is 2026.11, and no folder parent@2026.10 is kept beside it.")


def test_a_parent_whose_files_have_changed_is_refused_naming_both_digests(write_pack: Writer):
    parent = write_pack("parent")
    pinned = load_pack(parent).digest
    child = write_pack("child", pack=extending("parent", digest=pinned))
    assert load_pack(child).id == "child"

    (parent / "rules.txt").write_text("new", encoding="utf-8")
    now = load_pack(parent).digest
    error = refused(child)
    assert (error.file, error.key) == (child / "pack.toml", "extends[1].digest")
    assert pinned in error.wrong
    assert now in error.wrong


@pytest.mark.parametrize("ring", [["a"], ["a", "b"], ["a", "b", "c"]])
def test_packs_that_extend_one_another_are_refused_with_the_ring(
    write_pack: Writer, ring: list[str]
):
    for name, parent in zip(ring, [*ring[1:], ring[0]], strict=True):
        write_pack(name, pack=extending(parent))
    folder = write_pack("start", pack=extending("a"))
    error = refused(folder)
    assert error.key == "extends"
    told = " -> ".join(["start", *ring, "a"])
    assert error.wrong == f"These packs extend one another: {told}."


def test_a_ring_through_another_folder_of_the_same_name_is_refused(
    write_pack: Writer, tmp_path: Path
):
    # `a` here extends `b`, which lives elsewhere and rests on the `a` beside it.
    here, there = tmp_path / "here", tmp_path / "there"
    write_pack("a", under=there)
    (here / "b").parent.mkdir()
    (here / "b").symlink_to(write_pack("b", pack=extending("a"), under=there))
    a = write_pack("a", pack=extending("b"), under=here)
    assert "These packs extend one another: a -> b -> a." in refused(a).wrong

    # The same, when `b` is loaded already by another line.
    child = write_pack("child", pack=extending("b", "a"), under=here)
    error = refused(child)
    assert error.file == here / "a" / "pack.toml"
    assert error.wrong == "These packs extend one another: child -> a -> b -> ... -> a."


def test_too_long_a_line_of_parents_is_refused(write_pack: Writer):
    names = [f"p{at}" for at in range(DEPTH_LIMIT + 1)]
    write_pack(names[0])
    folders = [write_pack(name, pack=extending(parent)) for parent, name in pairwise(names)]
    assert load_pack(folders[-2]).id == names[-2]
    error = refused(folders[-1])
    assert error.wrong.startswith(f"More than {DEPTH_LIMIT} packs extend one another in a row: p8")


def test_a_long_line_is_refused_however_it_is_reached(write_pack: Writer):
    write_pack("p1")
    for at in range(2, DEPTH_LIMIT + 1):
        write_pack(f"p{at}", pack=extending(f"p{at - 1}"))
    short = write_pack("short", pack=extending("p2"))
    assert load_pack(short).id == "short"
    child = write_pack("child", pack=extending("p1", f"p{DEPTH_LIMIT}"))
    error = refused(child)
    assert error.key == "extends"
    assert f"More than {DEPTH_LIMIT} packs" in error.wrong

    # The same line, met when its upper part is loaded already.
    write_pack("top", pack=extending(f"p{DEPTH_LIMIT - 1}"))
    again = write_pack("again", pack=extending(f"p{DEPTH_LIMIT - 1}", "top"))
    error = refused(again)
    assert f"More than {DEPTH_LIMIT} packs" in error.wrong


def test_lines_that_meet_again_and_again_are_each_read_once(write_pack: Writer):
    # Three packs a storey, each resting on all three below: 3 ** 6 ways down from the top.
    storeys = [[f"s{storey}{letter}" for letter in "abc"] for storey in range(7)]
    for name in storeys[0]:
        write_pack(name)
    for below, storey in pairwise(storeys):
        for name in storey:
            write_pack(name, pack=extending(*below))
    top = write_pack("top", pack=extending(*storeys[-1]))
    with patch.object(loader, "read_files", wraps=loader.read_files) as read:
        pack = load_pack(top)
    assert len(pack.clauses) == 3 * 7 + 1
    assert read.call_count == 3 * 7 + 1


def test_a_clause_may_not_take_the_id_of_an_inherited_one(write_pack: Writer):
    write_pack("parent")
    child = write_pack(
        "child", pack=extending("parent"), clauses={"PARENT-1": clause_text(pack="child")}
    )
    error = refused(child)
    assert (error.file, error.key) == (child / "clauses" / "PARENT-1.md", "name")
    assert "'PARENT-1' already names the clause PARENT-1 of the pack parent." in error.wrong


def test_a_clause_may_not_take_the_alias_of_an_inherited_one(write_pack: Writer):
    write_pack("parent", clauses={"A": clause_text(pack="parent", aliases='["§ 1"]')})
    child = write_pack(
        "child",
        pack=extending("parent"),
        clauses={"B": clause_text(pack="child", aliases='["§ 1"]')},
    )
    error = refused(child)
    assert (error.file, error.key) == (child / "clauses" / "B.md", "aliases")
    assert "'§ 1' already names the clause A of the pack parent." in error.wrong


def test_two_parents_with_the_same_clause_cannot_be_joined(write_pack: Writer):
    for name in ("mother", "father"):
        write_pack(name, clauses={"SAME": clause_text(pack=name)})
    child = write_pack("child", pack=extending("mother", "father"))
    error = refused(child)
    assert (error.file, error.key) == (child / "pack.toml", "extends")
    assert "'SAME' already names the clause SAME of the pack mother." in error.wrong


def test_a_source_that_is_inherited_is_not_stated_again(write_pack: Writer):
    parent = write_pack("parent")
    child = write_pack(
        "child",
        pack=extending("parent"),
        sources=(parent / "sources.toml").read_text(encoding="utf-8"),
        clauses={},
    )
    error = refused(child)
    assert (error.file, error.key) == (child / "sources.toml", "source[1].id")
    assert error.wrong == "The pack parent, which this one extends, has 'parent-paper'."


def test_two_parents_with_different_sources_of_one_id_cannot_be_joined(write_pack: Writer):
    text = (write_pack("mother") / "sources.toml").read_text(encoding="utf-8")
    write_pack(
        "father",
        sources=text.replace("A paper", "Another paper"),
        clauses={"F": clause_text(pack="mother")},
    )
    child = write_pack("child", pack=extending("mother", "father"))
    error = refused(child)
    assert (error.file, error.key) == (child / "pack.toml", "extends")
    assert "different sources 'mother-paper': mother and father" in error.wrong


def test_a_parent_is_extended_once(write_pack: Writer):
    write_pack("parent")
    child = write_pack("child", pack=extending("parent", "parent"))
    error = refused(child)
    assert (error.key, error.wrong) == ("extends[2].pack", "'parent' is extended twice.")


def test_two_editions_of_one_grandparent_cannot_be_joined(write_pack: Writer, tmp_path: Path):
    here, there = tmp_path / "here", tmp_path / "there"
    write_pack("grand", under=here)
    (write_pack("grand", under=there) / "more.txt").write_text("different", encoding="utf-8")
    write_pack("mother", pack=extending("grand"), under=here)
    father = write_pack("father", pack=extending("grand"), under=there)
    (here / "father").symlink_to(father)  # so his grandparent is the one beside him, there
    child = write_pack("child", pack=extending("mother", "father"), under=here)
    error = refused(child)
    assert (error.file, error.key) == (child / "pack.toml", "extends")
    assert error.wrong.startswith("Two different packs 'grand' are inherited: grand@2026.11#")
    assert str(here / "grand") in error.wrong
    assert str(there / "grand") in error.wrong


def test_an_error_in_a_parent_names_the_parents_file(write_pack: Writer):
    parent = write_pack("parent", clauses={"A": clause_text(pack="parent", kind='"law"')})
    child = write_pack("child", pack=extending("parent"))
    error = refused(child)
    assert error.file == parent.resolve() / "clauses" / "A.md"
    assert error.key == "kind"
