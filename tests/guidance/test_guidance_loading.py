"""What a pack's files become, and the sentence for each way in which they can be wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
from guidance_small_pack import BODY, PACK, SOURCES, Writer, clause_text

from folkmoot.guidance import (
    Audience,
    ClauseKind,
    Evidence,
    Level,
    PackError,
    Status,
    UnknownClause,
    UnknownPack,
    UnknownSource,
    available_packs,
    load_pack,
)


def refused(folder: Path) -> PackError:
    with pytest.raises(PackError) as caught:
        load_pack(folder)
    return caught.value


def without_column(key: str) -> str:
    """Python's releases count columns differently; the line is what matters."""
    return key.partition(",")[0]


# What is read


def test_a_pack_holds_what_its_files_say(write_pack: Writer):
    pack = load_pack(write_pack())
    assert (pack.id, pack.title, pack.version) == ("small", "A small pack", "2026.11")
    assert (pack.issuer, pack.nation, pack.summary) == ("The tests", "UK", "Enough to load.")
    assert pack.extends == ()
    source = pack.get_source("small-paper")
    assert (source.version_on, source.checked_on) == (date(2020, 2, 3), date(2026, 11, 1))
    assert (source.status, source.evidence) == (Status.IN_FORCE, Evidence.SEEN_IN_PART)
    assert (source.licence, source.note) == ("OGL", "A note.")
    clause = pack.get_clause("SMALL-1")
    assert (clause.pack, clause.source, clause.kind) == (
        "small",
        "small-paper",
        ClauseKind.STANDARD,
    )
    assert (clause.title, clause.group) == ("Be kind", "Manners")
    assert (clause.status, clause.evidence) == (Status.IN_FORCE, Evidence.REPORTED)
    assert clause.levels == {Level.OVERVIEW: "One.", Level.SNAPSHOT: "Two.", Level.FULL: "Three."}


def test_what_a_clause_leaves_out_comes_from_its_source(write_pack: Writer):
    clause = load_pack(write_pack()).get_clause("SMALL-1")
    assert clause.url == "https://office.example/paper"
    assert clause.url_history == ("https://office.example/old-paper",)
    assert clause.version_on == date(2020, 2, 3)
    assert clause.official_ref is None
    assert clause.audiences == {"everyone"}


def test_what_a_clause_says_itself_wins_over_its_source(write_pack: Writer):
    text = clause_text(
        url='"https://office.example/page-2"',
        version_on="2021-01-01",
        official_ref='"Paragraph 4"',
        audiences='["line_manager", "communicators"]',
        aliases='["P/4"]',
    )
    clause = load_pack(write_pack(clauses={"A": text})).get_clause("P/4")
    assert clause.id == "A"
    assert clause.url == "https://office.example/page-2"
    assert clause.url_history == ()
    assert clause.version_on == date(2021, 1, 1)
    assert clause.official_ref == "Paragraph 4"
    assert clause.audiences == {Audience.LINE_MANAGER, Audience.COMMUNICATOR}


def test_clauses_stand_by_order_and_then_by_id(write_pack: Writer):
    folder = write_pack(
        clauses={
            "B": clause_text(order="2"),
            "C": clause_text(order="1"),
            "A": clause_text(order="2"),
        }
    )
    assert [clause.id for clause in load_pack(folder).clauses] == ["C", "A", "B"]


def test_a_level_keeps_its_markdown_with_small_headings_and_code(write_pack: Writer):
    full = "### A heading\n\n- one\n- **two**\n\n```\n## not a level\n```\n\nThe end."
    body = f"## overview\nOne.\n## snapshot\nTwo.\n## full\n{full}\n"
    pack = load_pack(write_pack(clauses={"A": clause_text(body=body)}))
    assert pack.get_clause("A").levels[Level.FULL] == full


def test_files_with_carriage_returns_read_the_same(write_pack: Writer):
    folder = write_pack()
    before = load_pack(folder)
    for file in (*folder.glob("*.toml"), *folder.glob("clauses/*.md")):
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    after = load_pack(folder)
    assert after.clauses == before.clauses
    assert after.sources == before.sources
    assert after.digest != before.digest


def test_the_checkers_table_and_files_are_left_alone(write_pack: Writer):
    folder = write_pack(pack='[check]\nanything = [1, { goes = "here" }]\n')
    (folder / "rules").mkdir()
    (folder / "rules" / "bad.toml").write_text("this is not TOML", encoding="utf-8")
    assert load_pack(folder).id == "small"


def test_a_name_that_is_not_there_is_answered_with_those_that_are(write_pack: Writer):
    pack = load_pack(write_pack())
    with pytest.raises(UnknownClause, match=r"The pack small has no clause 'NOPE'"):
        pack.get_clause("NOPE")
    with pytest.raises(UnknownSource, match=r"The pack small has no source 'nope'"):
        pack.get_source("nope")
    with pytest.raises(
        UnknownPack, match=r"There is no pack 'nope'. Installed: .*uk-civil-service"
    ):
        load_pack("nope")


@pytest.mark.parametrize("name", ["..", ".", "", "Uk-Civil-Service", "uk_civil"])
def test_a_name_cannot_lead_out_of_the_folders_searched(name: str):
    with pytest.raises(UnknownPack):
        load_pack(name)


def test_packs_are_found_by_name_in_the_folders_searched(write_pack: Writer, tmp_path: Path):
    write_pack("mine")
    assert set(available_packs([tmp_path])) == {"mine", *available_packs()}
    assert load_pack("mine", search=[tmp_path]).folders == (tmp_path / "mine",)


def test_a_text_with_a_slash_is_a_folder(write_pack: Writer):
    folder = write_pack()
    assert load_pack(str(folder)).folders == (folder,)


def test_a_search_folder_that_is_not_there_is_refused(tmp_path: Path):
    for act in (
        lambda: available_packs([tmp_path / "no"]),
        lambda: load_pack("x", search=[tmp_path / "no"]),
    ):
        with pytest.raises(PackError, match="no such folder to look for packs in") as caught:
            act()
        assert (caught.value.file, caught.value.key) == (tmp_path / "no", "search")


# What is refused: pack.toml


@pytest.mark.parametrize(
    ("text", "key", "wrong"),
    [
        (
            'issuerr = "x"\n',
            "issuerr",
            "There is no such key. Did you mean 'issuer'? Allowed: check,",
        ),
        ('zebra = "x"\n', "zebra", "There is no such key. Allowed: check, extends, id"),
        ("title = 'again'\n", "line 7", "This is not TOML: Cannot overwrite a value."),
        ("x = \n", "line 7", "This is not TOML: Invalid value."),
        ("x = '''\n", "line 8", "This is not TOML: "),
        ('extends = "uk"\n', "extends", "This must be a list of tables."),
        ("extends = [{ pack = 'b' }]\n", "extends[1].version", "This key is missing"),
        (
            "extends = [{ pack = 'b', version = '2026.1' }]\n",
            "extends[1].version",
            "'2026.1' is no version. Use year and month",
        ),
        (
            "extends = [{ pack = 'b', version = '2026.01', digst = 'a' }]\n",
            "extends[1].digst",
            "Did you mean 'digest'? Allowed: digest, pack, version.",
        ),
        (
            "extends = [{ pack = 'b', version = '2026.01', digest = 'ABC' }]\n",
            "extends[1].digest",
            "A digest is 64 characters, 0 to 9 and a to f.",
        ),
    ],
)
def test_a_bad_line_in_pack_toml_is_refused(write_pack: Writer, text: str, key: str, wrong: str):
    folder = write_pack(pack=text)
    error = refused(folder)
    assert (error.file, without_column(error.key)) == (folder / "pack.toml", key)
    assert wrong in error.wrong
    assert str(error) == f"{error.file}: {error.key}: {error.wrong}"


@pytest.mark.parametrize(
    ("old", "new", "key", "wrong"),
    [
        ('title = "A small pack"\n', "", "title", "This key is missing, and it is required."),
        ('"A small pack"', '"  "', "title", "This must not be blank."),
        ('"A small pack"', "4", "title", "This must be text in quotes, not 4."),
        ('"A small pack"', '"a\\nb"', "title", "This must be one line"),
        ('id = "small"', 'id = "Small"', "id", "'Small' is no pack id. Use small letters"),
        ('"2026.11"', '"2026.13"', "version", "'2026.13' is no version."),
        ('"2026.11"', '"1.0"', "version", "'1.0' is no version."),
    ],
)
def test_a_bad_value_in_pack_toml_is_refused(
    write_pack: Writer, old: str, new: str, key: str, wrong: str
):
    folder = write_pack()
    text = PACK.format(id="small")
    assert old in text
    (folder / "pack.toml").write_text(text.replace(old, new), encoding="utf-8")
    error = refused(folder)
    assert (error.file, error.key) == (folder / "pack.toml", key)
    assert wrong in error.wrong


def test_a_pack_found_by_name_must_bear_that_name(write_pack: Writer, tmp_path: Path):
    write_pack("small").rename(tmp_path / "other")
    with pytest.raises(PackError) as caught:
        load_pack("other", search=[tmp_path])
    assert caught.value.key == "id"
    assert caught.value.wrong == (
        "The folder is called 'other', but the pack in it 'small'. Rename one."
    )
    assert load_pack(tmp_path / "other").id == "small"


# What is refused: missing and unreadable files


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("pack.toml", "The file is missing. Every pack has one."),
        ("sources.toml", "The file is missing. A pack names the sources it rests on."),
    ],
)
def test_a_missing_file_is_named(write_pack: Writer, name: str, wrong: str):
    folder = write_pack()
    (folder / name).unlink()
    error = refused(folder)
    assert (error.file, error.key, error.wrong) == (folder / name, "", wrong)


def test_a_pack_without_clauses_is_refused(write_pack: Writer):
    folder = write_pack(clauses={})
    error = refused(folder)
    assert error.file == folder / "clauses"
    assert error.wrong == "There are no clauses. A pack has one at least."


def test_a_folder_that_is_not_there_and_a_file_that_is_no_folder(write_pack: Writer):
    folder = write_pack()
    assert refused(folder / "no").wrong == "There is no such folder."
    assert "A pack is a folder with a pack.toml." in refused(folder / "pack.toml").wrong


@pytest.mark.parametrize("name", ["pack.toml", "sources.toml", "clauses/SMALL-1.md"])
def test_bytes_that_are_not_utf_8_are_refused_with_their_line(write_pack: Writer, name: str):
    file = write_pack() / name
    file.write_bytes(file.read_bytes().replace(b"title = ", b"\xe9title = "))
    line = file.read_bytes().split(b"\xe9")[0].count(b"\n") + 1
    error = refused(file.parents[name.count("/")])
    assert (error.file, error.key) == (file, f"line {line}")
    assert error.wrong == "This line is not UTF-8. Save the file as UTF-8."


def test_a_byte_order_mark_is_refused(write_pack: Writer):
    folder = write_pack()
    file = folder / "pack.toml"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    error = refused(folder)
    assert (error.file, error.key) == (file, "line 1")
    assert "byte-order mark" in error.wrong


def test_a_link_is_refused(write_pack: Writer, tmp_path: Path):
    folder = write_pack()
    (tmp_path / "elsewhere").mkdir()
    (folder / "rules").symlink_to(tmp_path / "elsewhere")
    error = refused(folder)
    assert error.file == folder / "rules"
    assert error.wrong == "This is a link. A pack holds its own files; copy it in."


def test_a_pipe_is_refused_and_not_waited_for(write_pack: Writer):
    folder = write_pack()
    os.mkfifo(folder / "pipe")
    assert refused(folder).wrong == "This is neither a file nor a folder. Take it out."


def test_a_name_with_a_newline_is_refused(write_pack: Writer):
    folder = write_pack()
    (folder / "a\nb").touch()
    assert "no control character" in refused(folder).wrong


# What is refused: sources.toml


@pytest.mark.parametrize(
    ("old", "new", "key", "wrong"),
    [
        ('title = "A paper"\n', "", "title", "This key is missing"),
        ("2026-11-01", '"2026-11-01"', "checked_on", "This must be a date without quotes"),
        ("2026-11-01", "2026-11-01T10:00:00Z", "checked_on", "This must be a date without quotes"),
        (
            "2026-11-01",
            "2020-02-02",
            "checked_on",
            "2020-02-02 is before the edition of 2020-02-03 it was checked against.",
        ),
        (
            '"in_force"',
            '"in force"',
            "status",
            (
                "'in force' is not one of the words allowed. Did you mean 'in_force'? "
                "Allowed: in_force, superseded, historic, unverified."
            ),
        ),
        (
            '"seen_in_part"',
            '"rumour"',
            "evidence",
            (
                "'rumour' is not one of the words allowed. "
                "Allowed: seen_in_full, seen_in_part, reported, unverified."
            ),
        ),
        ('"seen_in_part"', "3", "evidence", "3 is not one of the words allowed."),
        (
            '"https://office.example/paper"',
            '"office.example/paper"',
            "url",
            "'office.example/paper' is not a web address. It must begin with https:// or http://.",
        ),
        ('"https://office.example/paper"', '"javascript:alert(1)"', "url", "is not a web address"),
        ('"https://office.example/old-paper"', '"ftp://x.example"', "url_history[1]", "not a web"),
        (
            '["https://office.example/old-paper"]',
            '"x"',
            "url_history",
            "This must be a list of texts",
        ),
        ('licence = "OGL"', 'license = "OGL"', "license", "Did you mean 'licence'?"),
    ],
)
def test_a_bad_value_in_a_source_is_refused(
    write_pack: Writer, old: str, new: str, key: str, wrong: str
):
    text = SOURCES.format(id="small")
    assert old in text
    folder = write_pack(sources=text.replace(old, new))
    error = refused(folder)
    assert (error.file, error.key) == (folder / "sources.toml", f"source.small-paper.{key}")
    assert wrong in error.wrong


@pytest.mark.parametrize(
    ("text", "key", "wrong"),
    [
        (SOURCES.format(id="a") * 2, "source[2].id", "There are two sources 'a-paper'."),
        ("[[source]]\n", "source[1].id", "This key is missing"),
        ("[[source]]\nid = 'A b'\n", "source[1].id", "'A b' is no source id."),
        ("[source]\n", "source", "This must be a list of tables."),
        ("[[sources]]\n", "sources", "There is no such key. Did you mean 'source'?"),
        ("[[source]\n", "line 1", "This is not TOML"),
    ],
)
def test_a_bad_sources_toml_is_refused(write_pack: Writer, text: str, key: str, wrong: str):
    folder = write_pack(sources=text)
    error = refused(folder)
    assert (error.file, without_column(error.key)) == (folder / "sources.toml", key)
    assert wrong in error.wrong


# What is refused: clauses


@pytest.mark.parametrize(
    ("changes", "key", "wrong"),
    [
        (
            {"source": '"no-paper"'},
            "source",
            "There is no source 'no-paper'. Allowed: small-paper.",
        ),
        (
            {"kind": '"rule"'},
            "kind",
            (
                "'rule' is not one of the words allowed. "
                "Allowed: principle, value, standard, limit, tip."
            ),
        ),
        ({"status": '"old"'}, "status", "Allowed: in_force, superseded, historic, unverified."),
        ({"evidence": '"seen"'}, "evidence", "Allowed: seen_in_full, seen_in_part, reported"),
        ({"title": ""}, "title", "This key is missing, and it is required."),
        ({"order": '"1"'}, "order", "This must be a whole number, zero or more, not '1'."),
        ({"order": "-1"}, "order", "This must be a whole number, zero or more, not -1."),
        ({"order": "true"}, "order", "This must be a whole number, zero or more, not True."),
        ({"group": '""'}, "group", "This must not be blank."),
        ({"aliases": '["a", "a"]'}, "aliases", "'a' stands in the list twice."),
        ({"aliases": '["a", 1]'}, "aliases[2]", "This must be text in quotes, not 1."),
        ({"url": '"www.gov.uk"'}, "url", "'www.gov.uk' is not a web address."),
        ({"checked_on": "2019-01-01"}, "checked_on", "2019-01-01 is before the edition of 2020"),
        ({"id": '"A"'}, "id", "There is no such key."),
        ({"audience": '["everyone"]'}, "audience", "Did you mean 'audiences'?"),
    ],
)
def test_bad_front_matter_is_refused(
    write_pack: Writer, changes: dict[str, str], key: str, wrong: str
):
    folder = write_pack(clauses={"A-1": clause_text(**changes)})
    error = refused(folder)
    assert (error.file, error.key) == (folder / "clauses" / "A-1.md", key)
    assert wrong in error.wrong


def test_a_bad_line_in_front_matter_is_counted_in_the_file(write_pack: Writer):
    folder = write_pack(clauses={"A": clause_text(front="order =\n")})
    lines = (folder / "clauses" / "A.md").read_text(encoding="utf-8").splitlines()
    error = refused(folder)
    assert without_column(error.key) == f"line {lines.index('order =') + 1}"
    assert error.wrong == "This is not TOML: Invalid value."


@pytest.mark.parametrize(
    ("text", "key", "wrong"),
    [
        ("# A\n", "line 1", "The first line must be +++, which opens the front matter."),
        ("", "line 1", "The first line must be +++"),
        ("+++\nkind = 'tip'\n", "front matter", "It is not closed. End it with a line +++."),
        (clause_text(body="Hello.\n" + BODY), "line 12", "Text must stand under one of the levels"),
        (
            clause_text(body=BODY.replace("## full", "## Full")),
            "line 20",
            "'## Full' is not a level. Allowed: ## overview, ## snapshot, ## full.",
        ),
        (clause_text(body=BODY + "## overview\nx\n"), "line 23", "## overview stands there twice."),
        (
            clause_text(body=BODY.replace("## snapshot\n\nTwo.\n", "")),
            "## snapshot",
            "This level is missing. All three are required: ## overview, ## snapshot, ## full.",
        ),
        (clause_text(body=BODY.replace("Three.", " ")), "## full", "This level is empty."),
    ],
)
def test_a_clause_of_the_wrong_form_is_refused(write_pack: Writer, text: str, key: str, wrong: str):
    folder = write_pack(clauses={"A": text})
    error = refused(folder)
    assert (error.file, error.key) == (folder / "clauses" / "A.md", key)
    assert wrong in error.wrong


@pytest.mark.parametrize("name", ["a-1", "A--1", "A_1", "-A", "É"])
def test_a_clause_with_a_bad_id_is_refused(write_pack: Writer, name: str):
    folder = write_pack(clauses={name: clause_text()})
    error = refused(folder)
    assert (error.file, error.key) == (folder / "clauses" / f"{name}.md", "name")
    assert error.wrong.startswith(f"{name!r} is no clause id. Use capital letters")


@pytest.mark.parametrize("name", ["A.txt", "A.markdown", "more/A.md"])
def test_anything_but_clauses_among_the_clauses_is_refused(write_pack: Writer, name: str):
    folder = write_pack()
    file = folder / "clauses" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(clause_text(), encoding="utf-8")
    error = refused(folder)
    assert (error.file, error.key) == (file, "name")
    assert "holds files <ID>.md and nothing else" in error.wrong


@pytest.mark.parametrize(
    ("aliases_of_a", "aliases_of_b", "name", "key"),
    [
        ('["same"]', '["same"]', "same", "aliases"),
        ("[]", '["A"]', "A", "aliases"),
        ('["B"]', "[]", "B", "name"),
    ],
)
def test_a_name_that_leads_to_two_clauses_is_refused(
    write_pack: Writer, aliases_of_a: str, aliases_of_b: str, name: str, key: str
):
    folder = write_pack(
        clauses={"A": clause_text(aliases=aliases_of_a), "B": clause_text(aliases=aliases_of_b)}
    )
    error = refused(folder)
    assert (error.file, error.key) == (folder / "clauses" / "B.md", key)
    assert f"{name!r} already names the clause A of the pack small." in error.wrong


# What it costs


def test_loading_needs_no_django_and_little_else():
    script = (
        "import sys; from folkmoot.guidance import load_pack; load_pack('uk-civil-service');"
        "print(sorted({name.partition('.')[0] for name in sys.modules}"
        " - set(sys.stdlib_module_names)))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    outside = {name.strip("' \n") for name in ran.stdout.strip("[]\n").split(",")}
    assert "folkmoot" in outside
    assert not outside & {"django", "regex", "re2", "ahocorasick_rs", "cryptography", "markdown"}


def test_loading_the_shipped_pack_with_all_its_parents_does_not_run_away():
    load_pack("uk-civil-service")
    spent = []
    for _ in range(10):
        began = time.process_time()
        load_pack("uk-civil-service")
        spent.append(time.process_time() - began)
    # About 10 ms on the machine this was written on.
    assert min(spent) < 0.2
