"""``folkmoot guidance`` as somebody types it."""

from __future__ import annotations

from pathlib import Path

import pytest
from guidance_small_pack import Writer, clause_text

from folkmoot.cli import main
from folkmoot.guidance import Level, available_packs, load_pack
from folkmoot.guidance.cli import run

PACK = load_pack("uk-civil-service")


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = run(["guidance", *words])
    told = capsys.readouterr()
    return status, told.out, told.err


def test_list_names_each_pack_with_its_reference(capsys: pytest.CaptureFixture[str]):
    status, out, err = ask(capsys, "list")
    assert (status, err) == (0, "")
    count = f"{len(PACK.clauses)} clauses, {len(PACK.sources)} sources"
    assert f"{PACK.reference}  {PACK.title} ({count})\n" in out


def test_list_tells_of_a_pack_that_cannot_be_used_and_still_lists_the_rest(
    capsys: pytest.CaptureFixture[str], write_pack: Writer, tmp_path: Path
):
    write_pack("good")
    bad = write_pack("bad", clauses={})
    status, out, err = ask(capsys, "list", "--search", str(tmp_path))
    assert status == 1
    assert "good@2026.11#" in out
    assert "(1 clause, 1 source)" in out
    assert PACK.reference in out
    assert err == f"{bad / 'clauses'}: There are no clauses. A pack has one at least.\n"


def test_show_tells_a_pack_in_one_sentence_a_clause(capsys: pytest.CaptureFixture[str]):
    status, out, _ = ask(capsys, "show", "uk-civil-service")
    assert status == 0
    for clause in PACK.clauses:
        assert f"  {clause.id}  {clause.title}\n      {clause.levels[Level.OVERVIEW]}" in out
    assert "\nPolitical impartiality\n" in out


def test_show_tells_a_clause_in_full_with_its_source_and_how_well_it_is_known(
    capsys: pytest.CaptureFixture[str],
):
    status, out, _ = ask(capsys, "show", "uk-civil-service/INT-M5")
    clause = PACK.get_clause("INT-M5")
    assert status == 0
    assert clause.levels[Level.FULL] in out
    assert clause.url in out
    assert "Source: The Civil Service Code (Civil Service, 2015-03-16)" in out
    assert "Status: in force; last checked 2026-11-20" in out
    assert "Evidence: reported by others" in out
    assert f"Pack: {PACK.reference}" in out


@pytest.mark.parametrize("level", list(Level))
def test_show_tells_a_clause_at_the_level_asked_for(
    capsys: pytest.CaptureFixture[str], level: Level
):
    _, out, _ = ask(capsys, "show", "uk-civil-service/HON-M1", "--level", level.value)
    told = PACK.get_clause("HON-M1").levels
    assert [other for other in Level if told[other] in out] == [level]


def test_show_finds_a_clause_by_an_alias_with_slashes(capsys: pytest.CaptureFixture[str]):
    status, out, _ = ask(capsys, "show", "uk-civil-service/integrity/must/5")
    assert status == 0
    assert out.startswith("INT-M5  ")


def test_show_takes_a_folder_and_prints_the_official_reference(
    capsys: pytest.CaptureFixture[str], write_pack: Writer
):
    folder = write_pack(clauses={"A": clause_text(official_ref='"Paragraph 4"')})
    status, out, _ = ask(capsys, "show", f"{folder}/A")
    assert status == 0
    assert "Reference: Paragraph 4\n" in out


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("nope", f"There is no pack 'nope'. Installed: {', '.join(available_packs())}."),
        ("nope/INT-M1", f"There is no pack 'nope'. Installed: {', '.join(available_packs())}."),
        ("uk-civil-service/NOPE", "The pack uk-civil-service has no clause 'NOPE'."),
        ("./nope", "nope: There is no such folder."),
    ],
)
def test_show_answers_an_unknown_name_with_a_sentence(
    capsys: pytest.CaptureFixture[str], what: str, sentence: str
):
    status, out, err = ask(capsys, "show", what)
    assert (status, out) == (1, "")
    assert err.startswith(sentence)


def test_validate_accepts_a_pack_and_prints_the_digest_to_pin(
    capsys: pytest.CaptureFixture[str], write_pack: Writer
):
    folder = write_pack()
    pack = load_pack(folder)
    status, out, err = ask(capsys, "validate", str(folder))
    assert (status, err) == (0, "")
    assert out == (f"{pack.reference} can be used: 1 clause, 1 source.\ndigest {pack.digest}\n")


def test_validate_refuses_a_pack_with_the_sentence_that_says_why(
    capsys: pytest.CaptureFixture[str], write_pack: Writer
):
    folder = write_pack(clauses={"A": clause_text(kind='"law"')})
    status, out, err = ask(capsys, "validate", str(folder))
    assert (status, out) == (1, "")
    assert err.startswith(f"{folder / 'clauses' / 'A.md'}: kind: 'law' is not one of the words")


def test_validate_looks_for_parents_where_it_is_told(
    capsys: pytest.CaptureFixture[str], write_pack: Writer, tmp_path: Path
):
    write_pack("parent", under=tmp_path / "packs")
    child = write_pack("child", pack='extends = [{ pack = "parent", version = "2026.11" }]\n')
    assert ask(capsys, "validate", str(child))[0] == 1
    assert ask(capsys, "validate", str(child), "--search", str(tmp_path / "packs"))[0] == 0


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["dance"],
        ["show"],
        ["validate"],
        ["show", "uk-civil-service", "--level", "middling"],
        ["list", "--wrong"],
    ],
)
def test_a_command_that_is_not_understood_ends_with_2(
    capsys: pytest.CaptureFixture[str], words: list[str]
):
    status, out, err = ask(capsys, *words)
    assert (status, out) == (2, "")
    assert "usage: folkmoot guidance" in err


def test_help_ends_with_0(capsys: pytest.CaptureFixture[str]):
    status, out, _ = ask(capsys, "--help")
    assert status == 0
    assert "usage: folkmoot guidance" in out


def test_the_one_command_leads_here(capsys: pytest.CaptureFixture[str]):
    assert main(["guidance", "list"]) == 0
    assert PACK.reference in capsys.readouterr().out
