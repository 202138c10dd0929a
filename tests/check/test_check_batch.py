"""Many posts at once: read as they come, answered in order, and a bad row never passes."""

import csv
import json
import subprocess
import sys
from datetime import date
from itertools import count, islice

import pytest

from folkmoot.check import Capacity, Context, Effect
from folkmoot.check.batch import CHUNK, Task, Worker, answer_all, open_pack
from folkmoot.check.circumstances import NoSuchValue, read_context
from folkmoot.check.cli import run
from folkmoot.check.front_matter import read_sheet
from folkmoot.check.inputs import Raw, read_raws
from folkmoot.check.vocabulary import load_vocabulary

QUIET = ["--capacity", "official", "--no-period", "--language", "en"]
WORDS = load_vocabulary(())


def rows_of(capsys, *arguments):
    status = run(["check", "--format", "jsonl", *arguments])
    captured = capsys.readouterr()
    return status, [json.loads(line) for line in captured.out.splitlines()], captured.err


def write(file, rows):
    file.write_text(
        "".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)
    )
    return str(file)


def test_a_row_says_its_own_circumstances_and_the_command_line_the_rest(tmp_path, capsys):
    file = write(
        tmp_path / "rows.jsonl",
        [
            {"id": "a", "text": "Vote Labour"},
            {"id": "b", "text": "Vote Labour", "capacity": "personal"},
            {"id": "c", "text": "Vote Labour", "periods": ["pre_election"]},
        ],
    )
    status, rows, _ = rows_of(capsys, *QUIET, "--at", "2026-05-01T09:00:00Z", file)
    assert status == 1
    found = [{each["rule"] for each in row["findings"]} for row in rows]
    assert "political/party-named" in found[0]
    assert "political/party-named" not in found[1]
    assert "political/pre-election-period" in found[2] - found[0]


@pytest.mark.parametrize(
    ("bad", "wrong"),
    [
        ("not json\n", "not JSON"),
        ("[1, 2]\n", "must be an object"),
        ({"id": "x"}, "no text"),
        ({"id": "x", "text": 4}, "The text is 4"),
        ({"id": "x", "text": "hi", "capacity": "offical"}, "'offical' is not one of"),
        ({"id": "x", "text": "hi", "publish_at": "2026-05-01T09:00"}, "offset from UTC"),
        ({"id": "x", "text": "hi", "facts": {"incidnt": True}}, "no fact 'incidnt'"),
        ({"id": "x", "text": "hi", "incident": "perhaps"}, "say yes or no"),
        ({"id": "x", "text": "hi", "attachments": [{"id": "p"}]}, "media_type"),
        (
            {"id": "x", "text": "hi", "attachments": [{"id": "p", "media_type": "a", "atl": ""}]},
            "misspelt",
        ),
        ("[" * 100_000 + "\n", "not JSON"),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_the_others_are_still_answered(
    tmp_path, capsys, bad, wrong
):
    file = write(
        tmp_path / "rows.jsonl", [{"id": 1, "text": "hi"}, "\n", bad, {"id": 3, "text": "hi"}]
    )
    status, rows, err = rows_of(capsys, *QUIET, file)
    assert [row["id"] for row in (rows[0], rows[2])] == [1, 3]
    assert status == 3
    assert wrong in rows[1]["error"]
    assert rows[1]["line"] == 3
    assert "verdict" not in rows[1]
    assert "rows.jsonl, line 3" in err
    assert "has not been checked" in err


def test_half_a_character_in_a_row_is_answered_and_written_as_json(tmp_path, capsys):
    file = write(tmp_path / "rows.jsonl", ['{"id": "\\ud83d", "text": "\\ud83d ok"}\n'])
    status, rows, _ = rows_of(capsys, *QUIET, file)
    assert (status, rows[0]["id"], rows[0]["verdict"]) == (1, "\ud83d", "do_not_post")


def test_a_row_that_is_not_utf8_is_at_fault_alone(tmp_path, capsys):
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b'{"id": 1, "text": "caf\xe9"}\n{"id": 2, "text": "hi"}\n')
    status, rows, _ = rows_of(capsys, *QUIET, str(file))
    assert status == 3
    assert "error" in rows[0]
    assert rows[1]["verdict"] == "post"
    table = tmp_path / "rows.csv"
    table.write_bytes(b"id,text\n1,caf\xe9\n2,hi\n")
    status, rows, _ = rows_of(capsys, *QUIET, str(table))
    assert status == 3
    assert "not text in UTF-8" in rows[0]["error"]
    assert rows[1]["verdict"] == "post"


def test_csv_rows_carry_context_too_and_a_blank_cell_says_nothing(tmp_path, capsys):
    file = tmp_path / "rows.csv"
    with file.open("w", newline="", encoding="utf-8") as opened:
        table = csv.writer(opened)
        table.writerow(["id", "text", "capacity", "incident", "likes"])
        table.writerow(["a", "Vote Labour,\nsaid one", "official", "no", "4"])
        table.writerow(["b", "Vote Labour", "personal", "", ""])
    status, rows, err = rows_of(capsys, "--no-period", "--language", "en", str(file))
    assert status == 1
    assert rows[0]["findings"]
    assert [row["id"] for row in rows] == ["a", "b"]
    assert "passed over: likes" in err


def test_a_row_of_csv_that_is_short_or_long_is_told_with_its_line(tmp_path, capsys):
    file = tmp_path / "rows.csv"
    file.write_text("id,text,capacity\n1,hi,official\n2,hi\n3,hi,official,more\n4,hi,official\n")
    status, rows, _ = rows_of(capsys, "--no-period", str(file))
    assert status == 3
    assert [row.get("line") for row in rows] == [None, 3, 4, None]


def test_many_processes_give_the_same_answers_in_the_same_order(tmp_path):
    texts = ["Vote Labour", "The library is open.", "Call 07700 900123", "#stayathome"]
    file = write(
        tmp_path / "rows.jsonl",
        [{"id": number, "text": texts[number % 4]} for number in range(3 * CHUNK + 7)]
        + ["not json\n", {"id": "last", "text": "hi"}],
    )

    def answers(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "folkmoot", "check", *QUIET, "--format", "jsonl", *arguments],
            capture_output=True,
            check=False,
        )
        return done.returncode, done.stdout

    alone, together = answers(file), answers("--jobs", "2", file)
    assert alone == together
    assert alone[0] == 3
    rows = [json.loads(line) for line in alone[1].splitlines()]
    assert [row["id"] for row in rows[: 3 * CHUNK + 7]] == list(range(3 * CHUNK + 7))
    assert rows[-1]["id"] == "last"


def test_no_more_is_read_than_is_being_answered():
    task = Task(
        "uk-civil-service",
        Context(capacity=Capacity.OFFICIAL, periods=frozenset()),
        "jsonl",
        many=False,
        fail_on=Effect.HOLD,
        today=date(2026, 5, 1),
    )
    taken = count()

    def endless():
        for number in count(1):
            next(taken)
            yield Raw("x", number, b'{"text": "hi"}')

    answers = answer_all(endless(), Worker(task, open_pack(task.pack, whole=False)), 1)
    first = list(islice(answers, 3))
    assert [len(each.pieces) for each in first] == [CHUNK] * 3
    assert next(taken) <= 4 * CHUNK


def test_a_row_longer_than_can_be_held_is_passed_over_to_the_next_line(tmp_path, monkeypatch):
    monkeypatch.setattr("folkmoot.check.inputs.LONGEST_ROW", 64)
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b'{"text": "' + b"a" * 300 + b'"}\n{"id": 2, "text": "hi"}\n')
    raws = list(read_raws([str(file)], None))
    assert [(raw.line, len(raw.data)) for raw in raws] == [(1, 0), (2, 24)]


def test_front_matter_gives_the_circumstances_and_a_ruled_line_does_not():
    sheet = read_sheet("---\ncapacity: official\nperiods:\n- mourning\ntitle: 'x'\n---\nHi")
    assert sheet.values == {"capacity": "official", "periods": ["mourning"], "title": "x"}
    assert (
        "---\ncapacity: official\nperiods:\n- mourning\ntitle: 'x'\n---\nHi"[sheet.begins :] == "Hi"
    )
    toml = read_sheet('+++\ncapacity = "official"\n+++\nHi')
    assert toml.values == {"capacity": "official"}
    assert read_sheet("---\nNot a key\n---\nHi").begins == 0
    assert read_sheet("Hi\n---\ncapacity: official\n---\n").begins == 0
    with pytest.raises(NoSuchValue, match="TOML"):
        read_sheet("+++\ncapacity =\n+++\nHi")


def test_places_in_a_file_with_front_matter_are_places_in_the_file(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "---\ncapacity: official\nperiods: none\nlanguage: en\n---\nVote Labour\n"
    (tmp_path / "post.md").write_text(text)
    assert run(["check", "--format", "github", "post.md"]) == 1
    assert "line=6,endLine=6,col=1,endColumn=12" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "periods"),
    [("none", set()), ([], set()), ("mourning; pre_election", {"mourning", "pre_election"})],
)
def test_periods_can_be_said_to_be_none(value, periods):
    context, _ = read_context({"periods": value}, WORDS, Context())
    assert context.periods == periods


def test_a_named_fact_is_read_from_the_row_or_the_command_line(capsys, tmp_path):
    context, unknown = read_context(
        {"incident": "yes", "facts": {"consultation": "opens"}, "likes": 3}, WORDS, Context()
    )
    assert context.facts == {"incident": True, "consultation": "opens"}
    assert unknown == ("likes",)
    file = write(tmp_path / "rows.jsonl", [{"text": "hi"}])
    assert run(["check", "--fact", "incidnt=no", file]) == 2
    assert run(["check", "--fact", "incident", file]) == 2
    assert run(["check", "--jobs", "0", file]) == 2
