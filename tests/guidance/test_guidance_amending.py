"""A pack changes a clause it inherits without copying it, and every word remembers its pack."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from guidance_small_pack import Writer, clause_text

from folkmoot.guidance import Audience, Evidence, Level, Pack, PackError, Status, load_pack

Amender = Callable[..., Path]


def extending(*parents: str) -> str:
    rows = ", ".join(f'{{ pack = "{name}", version = "2026.11" }}' for name in parents)
    return f"extends = [{rows}]\n"


@pytest.fixture
def amend(tmp_path: Path) -> Amender:
    """Write ``amend/<ID>.toml`` into a pack's folder."""

    def write(pack: str, text: str, *, clause: str = "GRAND-1") -> Path:
        file = tmp_path / pack / "amend" / f"{clause}.toml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    return write


@pytest.fixture
def family(write_pack: Writer) -> Callable[..., Path]:
    """A grandparent, two parents that rest on it, and a child that rests on both."""

    def write(*, locked: str = "[]") -> Path:
        write_pack(
            "grand",
            clauses={"GRAND-1": clause_text(pack="grand", locked=locked, aliases='["§ 1"]')},
        )
        for name in ("mother", "father"):
            write_pack(name, pack=extending("grand"), clauses={}, sources="")
        return write_pack("child", pack=extending("mother", "father"), clauses={}, sources="")

    return write


def refused(folder: Path) -> PackError:
    with pytest.raises(PackError) as caught:
        load_pack(folder)
    return caught.value


EVERYTHING = """\
title = "Be kinder"
aliases_add = ["§ 1a"]
audiences = ["line_manager"]
status = "historic"
evidence = "unverified"
note = "Ours."
in_overview = true
locked_add = ["levels"]

[levels]
overview = "Be very kind."
full = '''
First.

Then.
'''
"""


def test_each_key_named_is_changed_and_the_rest_follows_the_parent(
    family: Callable[..., Path], amend: Amender
):
    child = family()
    before = load_pack(child).get_clause("GRAND-1")
    amend("child", EVERYTHING)
    clause = load_pack(child).get_clause("GRAND-1")
    assert clause.title == "Be kinder"
    assert clause.aliases == ("§ 1", "§ 1a")
    assert clause.audiences == {Audience.LINE_MANAGER}
    assert (clause.status, clause.evidence) == (Status.HISTORIC, Evidence.UNVERIFIED)
    assert (clause.note, clause.in_overview) == ("Ours.", True)
    assert dict(clause.levels) == {
        Level.OVERVIEW: "Be very kind.",
        Level.SNAPSHOT: before.levels[Level.SNAPSHOT],
        Level.FULL: "First.\n\nThen.",
    }
    assert clause.locked == {"levels.overview", "levels.snapshot", "levels.full"}
    assert (clause.pack, clause.amended_by) == ("grand", ("child",))
    assert (clause.url, clause.checked_on) == (before.url, before.checked_on)


def test_the_parent_itself_is_left_as_it_is(family: Callable[..., Path], amend: Amender):
    child = family()
    amend("child", 'title = "Be kinder"\n')
    assert load_pack(child.parent / "mother").get_clause("GRAND-1").title == "Be kind"


def test_a_clause_can_be_cited_by_an_alias_that_was_added(
    family: Callable[..., Path], amend: Amender
):
    child = family()
    amend("mother", 'aliases_add = ["§ 7"]\n')
    amend("father", 'aliases_add = ["§ 8"]\n')
    pack = load_pack(child)
    assert {pack.get_clause(alias).id for alias in ("§ 1", "§ 7", "§ 8")} == {"GRAND-1"}


def test_the_pack_nearest_to_the_reader_wins(family: Callable[..., Path], amend: Amender):
    child = family()
    amend("mother", 'title = "Mother’s"\nnote = "Hers."\n')
    own = amend("child", 'title = "Child’s"\n')
    pack = load_pack(child)
    clause = pack.get_clause("GRAND-1")
    assert (clause.title, clause.note) == ("Child’s", "Hers.")
    assert clause.amended_by == ("mother", "child")
    assert pack.provenance.prevailing["GRAND-1", "title"].file == own
    assert pack.provenance.prevailing["GRAND-1", "note"].pack == "mother"


def test_two_parents_who_change_a_key_to_different_ends_are_refused_naming_both_files(
    family: Callable[..., Path], amend: Amender
):
    child = family()
    files = [amend(pack, f'title = "{pack}"\n') for pack in ("mother", "father")]
    error = refused(child)
    assert (error.file, error.key) == (child / "pack.toml", "extends")
    for file in files:
        assert str(file.resolve()) in error.wrong
    assert f"Settle it in {child / 'amend' / 'GRAND-1.toml'}." in error.wrong

    amend("child", 'title = "Settled"\n')
    assert load_pack(child).get_clause("GRAND-1").title == "Settled"


def test_two_parents_who_agree_are_no_contradiction(family: Callable[..., Path], amend: Amender):
    child = family()
    for pack in ("mother", "father"):
        amend(pack, 'title = "The same"\n')
    assert load_pack(child).get_clause("GRAND-1").title == "The same"


def test_what_a_clause_locks_no_pack_further_down_may_change(
    family: Callable[..., Path], amend: Amender
):
    child = family(locked='["title", "levels.overview"]')
    amend("child", 'note = "Allowed."\n[levels]\nfull = "Allowed."\n')
    assert load_pack(child).get_clause("GRAND-1").note == "Allowed."
    file = amend("child", '[levels]\noverview = "Not allowed."\n')
    error = refused(child)
    assert (error.file, error.key) == (file, "levels.overview")
    assert error.wrong.startswith("The pack grand has locked this in ")


def test_a_pack_between_may_lock_what_it_changed(family: Callable[..., Path], amend: Amender):
    child = family()
    lock = amend("mother", 'title = "Final"\nlocked_add = ["title"]\n')
    assert load_pack(child).get_clause("GRAND-1").title == "Final"
    amend("child", 'title = "Again"\n')
    error = refused(child)
    assert error.wrong == f"The pack mother has locked this in {lock.resolve()}. Leave it out."


def test_a_lock_laid_further_down_leaves_what_was_changed_above(
    family: Callable[..., Path], amend: Amender, write_pack: Writer
):
    child = family()
    amend("mother", 'title = "Hers"\n')
    amend("child", 'locked_add = ["title"]\n')
    assert load_pack(child).get_clause("GRAND-1").title == "Hers"
    below = write_pack("below", pack=extending("child"))
    amend("below", 'title = "Ours"\n')
    assert "The pack child has locked this" in refused(below).wrong


def test_a_pack_overruled_above_does_not_contradict_its_other_parent(
    family: Callable[..., Path], amend: Amender, write_pack: Writer
):
    # The father's word stands against the child's, which overrules only the mother's.
    family()
    amend("mother", 'title = "One"\n')
    daughter = write_pack("daughter", pack=extending("mother"))
    amend("daughter", 'title = "Two"\n')
    assert load_pack(daughter).get_clause("GRAND-1").title == "Two"
    file = amend("father", 'title = "Three"\n')
    both = write_pack("both", pack=extending("daughter", "father"))
    error = refused(both)
    assert str(file.resolve()) in error.wrong
    assert "daughter" in error.wrong
    assert str(daughter.parent / "mother" / "amend") not in error.wrong


def test_two_packs_that_lock_against_each_other_are_refused_naming_both_files(
    family: Callable[..., Path], amend: Amender
):
    child = family()
    hers = amend("mother", 'title = "Hers"\nlocked_add = ["note"]\n')
    his = amend("father", 'note = "His."\nlocked_add = ["title"]\n')
    error = refused(child)
    assert (error.file, error.key) == (child / "pack.toml", "extends")
    assert "contradict each other" in error.wrong
    assert str(hers.resolve()) in error.wrong
    assert str(his.resolve()) in error.wrong
    # The child cannot loosen a lock by deciding for itself.
    amend("child", 'title = "Mine"\nnote = "Mine."\n')
    assert "contradict each other" in refused(child).wrong


def test_evidence_may_be_marked_weaker_and_never_stronger(
    family: Callable[..., Path], amend: Amender
):
    child = family()  # whose clause is marked reported
    amend("mother", 'evidence = "unverified"\n')
    amend("father", 'evidence = "reported"\n')
    assert load_pack(child).get_clause("GRAND-1").evidence is Evidence.UNVERIFIED
    file = amend("child", 'evidence = "reported"\n')
    error = refused(child)
    assert (error.file, error.key) == (file, "evidence")
    assert "marked unverified" in error.wrong
    assert "never stronger; reported is stronger." in error.wrong


def test_a_change_of_no_inherited_clause_is_refused(
    family: Callable[..., Path], amend: Amender, write_pack: Writer
):
    child = family()
    file = amend("child", 'title = "x"\n', clause="GRAND-2")
    error = refused(child)
    assert (error.file, error.key) == (file, "name")
    assert error.wrong.endswith("inherits no clause 'GRAND-2'. Did you mean 'GRAND-1'?")

    alone = write_pack("alone")
    amend("alone", 'title = "x"\n', clause="ALONE-1")
    error = refused(alone)
    assert error.wrong == (
        f"The pack alone states ALONE-1 itself. Change {alone / 'clauses' / 'ALONE-1.md'} instead."
    )


@pytest.mark.parametrize(
    ("text", "key", "wrong"),
    [
        ("", "", "This changes nothing."),
        ('titel = "x"\n', "titel", "Did you mean 'title'?"),
        ('audiences = ["comunicator"]\n', "audiences", "Did you mean 'communicator'?"),
        ("audiences = []\n", "audiences", "Name one at least"),
        ('in_overview = "yes"\n', "in_overview", "This must be true or false"),
        ('levels = "x"\n', "levels", "This must be a table"),
        ('[levels]\nful = "x"\n', "levels.ful", "Did you mean 'full'?"),
        ("[levels]\nfull = ' '\n", "levels.full", "This must not be blank."),
        ('locked_add = ["titel"]\n', "locked_add", "Did you mean 'title'?"),
        ('locked_add = ["url"]\n', "locked_add", "nothing another pack could change"),
        ("x = \n", "line 1, column 5", "This is not TOML"),
    ],
)
def test_a_bad_file_of_changes_is_refused(
    family: Callable[..., Path], amend: Amender, text: str, key: str, wrong: str
):
    child = family()
    file = amend("child", text)
    error = refused(child)
    assert (error.file, error.key) == (file, key)
    assert wrong in error.wrong


def test_anything_but_changes_among_the_changes_is_refused(
    family: Callable[..., Path], amend: Amender
):
    child = family()
    amend("child", 'title = "x"\n', clause="grand-1")
    assert "The folder amend holds files <ID>.toml" in refused(child).wrong


def test_an_alias_that_another_clause_has_cannot_be_added(
    family: Callable[..., Path], amend: Amender, write_pack: Writer
):
    family()
    other = write_pack("other", pack=extending("grand"))
    file = amend("other", 'aliases_add = ["OTHER-1"]\n')
    error = refused(other)
    assert error.file in (file, other / "clauses" / "OTHER-1.md")
    assert "'OTHER-1' already names the clause" in error.wrong


def test_the_digest_counts_the_changes(family: Callable[..., Path], amend: Amender):
    child = family()
    before: Pack = load_pack(child)
    amend("child", 'title = "x"\n')
    assert load_pack(child).digest != before.digest
