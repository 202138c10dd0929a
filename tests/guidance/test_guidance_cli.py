"""``folkmoot guidance`` as somebody types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from guidance_small_pack import Writer, clause_text

from folkmoot.cli import main
from folkmoot.guidance import (
    Audience,
    Level,
    available_packs,
    clauses_for,
    load_house_rules,
    load_pack,
    overview_lines,
    overview_page,
)
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
        ["show", "uk-civil-service", "--audience", "communicators"],
        ["diff", "uk-civil-service"],
        ["explain", "HON-M1"],
        ["house-rules", "uk-civil-service"],
        ["house-rules", "uk-civil-service", "--profile", "x", "--length", "poem"],
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


# Versions, differences, explanations, coverage, house rules


@pytest.fixture
def kept(write_pack: Writer, tmp_path: Path) -> Path:
    """A folder with two versions of the pack ``small``: the current one changes one sentence."""
    body = "## overview\n\nOne anew.\n\n## snapshot\n\nTwo.\n\n## full\n\nThree.\n"
    write_pack(clauses={"A": clause_text(audiences='["it_lead"]', body=body)})
    old = write_pack(
        clauses={"A": clause_text(audiences='["it_lead"]')}, under=tmp_path / "elsewhere"
    )
    file = old / "pack.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("2026.11", "2026.05"), "utf-8")
    old.rename(tmp_path / "small@2026.05")
    return tmp_path


def test_list_tells_the_versions_of_one_pack(capsys: pytest.CaptureFixture[str], kept: Path):
    status, out, _ = ask(capsys, "list", "--versions", "small", "--search", str(kept))
    first, second = out.splitlines()
    assert status == 0
    assert first.startswith("small@2026.11#")
    assert first.endswith("  current")
    assert second.startswith("small@2026.05#")
    assert second.endswith("  kept")


def test_show_takes_a_version(capsys: pytest.CaptureFixture[str], kept: Path):
    for what, told in (("small/A", "One anew."), ("small@2026.05/A", "One.")):
        status, out, _ = ask(capsys, "show", what, "--level", "overview", "--search", str(kept))
        assert (status, out.splitlines()[2]) == (0, told)


def test_a_version_that_is_not_there_is_answered_with_a_sentence(
    capsys: pytest.CaptureFixture[str], kept: Path
):
    status, out, err = ask(capsys, "diff", "small@2026.04", "small", "--search", str(kept))
    assert (status, out) == (1, "")
    assert err == (
        "There is no version '2026.04' of the pack small. There are: 2026.11, 2026.05.\n"
    )


def test_show_can_be_narrowed_to_an_audience(capsys: pytest.CaptureFixture[str]):
    status, out, _ = ask(capsys, "show", "uk-civil-service", "--audience", "communicator")
    assert status == 0
    clauses = clauses_for(PACK, Audience.COMMUNICATOR)
    assert all(f"  {clause.id}  {clause.title}\n" in out for clause in clauses)


def test_show_prints_the_one_page(capsys: pytest.CaptureFixture[str]):
    status, out, _ = ask(capsys, "show", "uk-civil-service", "--page")
    assert status == 0
    assert out == "\n".join(overview_lines(PACK, overview_page(PACK))) + "\n"


def test_diff_tells_what_changed_and_for_whom(capsys: pytest.CaptureFixture[str], kept: Path):
    words = ("diff", "small@2026.05", "small", "--search", str(kept))
    status, out, _ = ask(capsys, *words)
    assert status == 0
    assert "One{+ anew+}." in out
    assert "One{+ anew+}." in ask(capsys, *words, "--role", "it_lead")[1]
    assert "Nothing that concerns them." in ask(capsys, *words, "--role", "communicator")[1]


def test_diff_prints_json(capsys: pytest.CaptureFixture[str], kept: Path):
    _, out, _ = ask(
        capsys, "diff", "small@2026.05", "small", "--search", str(kept), "--format", "json"
    )
    assert [change["id"] for change in json.loads(out)["changed"]] == ["A"]


def test_diff_of_unrelated_packs_is_answered_with_a_sentence(
    capsys: pytest.CaptureFixture[str], kept: Path
):
    status, out, err = ask(capsys, "diff", "uk-civil-service", "small", "--search", str(kept))
    assert (status, out) == (1, "")
    assert err.startswith("uk-civil-service and small are different packs")


def test_explain_tells_who_set_each_key(capsys: pytest.CaptureFixture[str], write_pack: Writer):
    write_pack("parent")
    child = write_pack("child", pack='extends = [{ pack = "parent", version = "2026.11" }]\n')
    (child / "amend").mkdir()
    (child / "amend" / "PARENT-1.toml").write_text('title = "Ours"\n', encoding="utf-8")
    status, out, _ = ask(capsys, "explain", "PARENT-1", "--pack", str(child))
    assert status == 0
    assert "  child -> parent\n" in out
    assert "  title: Ours  (changed by child)\n" in out
    assert "  status: in_force  (parent)\n" in out
    assert "  url: https://office.example/paper  (from the source it cites)\n" in out
    assert "  note: nothing  (left out)\n" in out
    assert f"Changed by child: title\n  in {child / 'amend' / 'PARENT-1.toml'}\n" in out


def test_coverage_names_what_nobody_checks(capsys: pytest.CaptureFixture[str], write_pack: Writer):
    folder = write_pack(clauses={"A": clause_text(), "B": clause_text()})
    (folder / "rules").mkdir()
    (folder / "rules" / "one.toml").write_text('id = "a/one"\nclauses = ["A"]\n', "utf-8")
    status, out, _ = ask(capsys, "coverage", str(folder))
    assert status == 0
    assert "1 rules cover 1 of 2 clauses." in out
    assert "Clauses that no rule covers (1)\n  B  Be kind" in out
    (folder / "rules" / "two.toml").write_text('id = "a/two"\n', "utf-8")
    status, out, _ = ask(capsys, "coverage", str(folder))
    assert status == 1
    assert "Rules that cite no clause (1)\n  a/two" in out


PROFILE = """\
organisation = "Anytown Council"
days = ["monday", "tuesday", "wednesday", "thursday", "friday"]
hours = "09:00-17:00"
response_promise = "within two working days"
channels = ["Bluesky"]
appeal_route = "https://anytown.example/appeal"
emergency_route = "call 999"
block_review_months = 12
rules_address = "https://anytown.example/rules"
"""


def test_house_rules_are_printed_in_three_lengths(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    file = tmp_path / "profile.toml"
    file.write_text(PROFILE, encoding="utf-8")
    words = ("house-rules", "uk-civil-service", "--profile", str(file))
    for length, most in (("profile", 160), ("pinned", 280)):
        status, out, err = ask(capsys, *words, "--length", length)
        assert (status, err) == (0, "")
        assert len(out.rstrip("\n")) <= most
        assert "within two working days" in out
    status, out, _ = ask(capsys, *words)
    assert status == 0
    assert out.startswith("Anytown Council\n")
    for reason in load_house_rules(PACK).removed:
        assert f"- {reason.texts['en']['title']}: " in out


def test_a_profile_that_lacks_something_is_answered_with_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    file = tmp_path / "profile.toml"
    file.write_text(PROFILE.replace('appeal_route = "https', 'rules_addres = "https'), "utf-8")
    status, out, err = ask(capsys, "house-rules", "uk-civil-service", "--profile", str(file))
    assert (status, out) == (1, "")
    assert "rules_addres: There is no such key. Did you mean 'rules_address'?" in err


def test_validate_looks_at_the_house_rules_too(
    capsys: pytest.CaptureFixture[str], write_pack: Writer
):
    folder = write_pack()
    (folder / "house_rules.toml").write_text('languages = ["en"]\n', encoding="utf-8")
    status, out, err = ask(capsys, "validate", str(folder))
    assert (status, out) == (1, "")
    assert err.startswith("The house rules of the pack small lack short.profile")
