"""The forms in which reports leave the command, held to the schemas they promise."""

import csv
import io
import json
from pathlib import Path

import jsonschema
import pytest

from folkmoot.check import Attachment, Capacity, Context, Post, report_to_dict
from folkmoot.check import report as report_module
from folkmoot.check.cli import run
from folkmoot.check.formats.places import Lines

SCHEMAS = Path(report_module.__file__).parent / "schema"
QUIET = ["--capacity", "official", "--no-period", "--language", "en"]
TEXT = "\U0001f44d first line\nVote Labour = good\n"


def schema(name):
    loaded = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(loaded)
    return jsonschema.Draft202012Validator(loaded)


@pytest.fixture
def post(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a post.txt").write_text(TEXT, encoding="utf-8")
    return "a post.txt"


def out(capsys, *arguments):
    status = run(["check", *QUIET, *arguments])
    return status, capsys.readouterr().out


def test_every_report_is_of_the_published_schema(checker, post, capsys):
    validator = schema("report-2.json")
    for text in ("Vote Labour", "NHS number 943 476 5919", "Hello", "x\u202ey"):
        for context in (Context(), Context(capacity=Capacity.PERSONAL)):
            picture = Attachment("p", "image/png", None)
            validator.validate(report_to_dict(checker.check(Post(text, (picture,)), context)))
    _, printed = out(capsys, "--format", "json", post)
    for row in json.loads(printed):
        validator.validate(row)


def test_the_schema_refuses_what_is_no_report(checker):
    validator = schema("report-2.json")
    whole = report_to_dict(checker.check(Post("Vote Labour"), Context()))
    for key in ("verdict", "findings", "overridden"):
        assert not validator.is_valid({k: v for k, v in whole.items() if k != key})
    assert not validator.is_valid({**whole, "verdict": "maybe"})
    assert not validator.is_valid({**whole, "schema": 1})


def test_a_report_of_schema_1_is_still_of_its_schema_and_still_read():
    old = {
        "schema": 1,
        "pack": "p@2026.11#0",
        "verdict": "get_signoff",
        "findings": [],
        "not_evaluated": [
            {"rule": "a/b", "title": "T", "missing": ["periods"], "effect": "hold", "message": "M"}
        ],
        "questions": [],
        "looked_at": [],
    }
    schema("report-1.json").validate(old)
    read = report_module.report_from_dict(old)
    assert read.not_evaluated[0].counts
    assert (read.reasons, read.overridden) == ((), ())


def test_a_row_of_jsonl_is_flat_and_of_the_published_schema(post, capsys):
    status, printed = out(capsys, "--format", "jsonl", post)
    assert status == 1
    row = json.loads(printed)
    schema("row-1.json").validate(row)
    assert list(row) == ["id", "verdict", "findings", "not_evaluated", "questions"]
    party = next(each for each in row["findings"] if each["rule"] == "political/party-named")
    assert TEXT[party["start"] : party["end"]] == "Vote Labour"
    assert party["start_utf16"] == party["start"] + 1
    assert party["spans"][0]["place"] == "text"
    assert {"clauses", "effect", "confidence", "message", "advice", "clear_by"} <= set(party)


def test_csv_has_one_line_a_finding_and_nothing_a_spreadsheet_would_run(tmp_path, capsys):
    rows = tmp_path / "rows.jsonl"
    rows.write_text(
        json.dumps({"id": "=1+1", "text": "Vote Labour"})
        + "\n"
        + json.dumps({"id": 7, "text": "The library is open."})
        + "\n"
    )
    _, printed = out(capsys, "--format", "csv", str(rows))
    lines = list(csv.DictReader(io.StringIO(printed)))
    assert lines[0]["id"] == "'=1+1"
    assert {line["kind"] for line in lines if line["id"] == "'=1+1"} >= {"finding"}
    assert [line["kind"] for line in lines if line["id"] == "7"] == ["none"]


def test_annotations_point_at_line_and_column_and_cannot_be_broken_out_of(tmp_path, capsys):
    file = tmp_path / "p,o:st.txt"
    file.write_text("One\nVote Labour ::error::%0A\n", encoding="utf-8")
    _, printed = out(capsys, "--format", "github", str(file))
    party = next(line for line in printed.splitlines() if "party" in line)
    assert party.startswith("::error file=")
    assert "p%2Co%3Ast.txt,line=2,endLine=2,col=1,endColumn=12" in party
    assert all(line.startswith("::") for line in printed.splitlines())


def test_places_count_every_kind_of_line_end_and_columns_from_one():
    lines = Lines("a\r\nb\rc\nd")
    assert [(lines.at(n).line, lines.at(n).column) for n in (0, 3, 5, 7, 8)] == [
        (1, 1),
        (2, 1),
        (3, 1),
        (4, 1),
        (4, 2),
    ]


@pytest.fixture
def sarif(capsys, post):
    def log(*arguments):
        _, printed = out(capsys, "--format", "sarif", *arguments)
        return json.loads(printed)

    return log


def test_sarif_has_the_clauses_as_a_taxonomy_every_rule_relates_to(sarif, post):
    log = sarif(post)
    (only,) = log["runs"]
    assert log["version"] == "2.1.0"
    (taxonomy,) = only["taxonomies"]
    for rule in only["tool"]["driver"]["rules"]:
        assert rule["relationships"]
        for relation in rule["relationships"]:
            target = relation["target"]
            assert taxonomy["taxa"][target["index"]]["id"] == target["id"]
    assert only["tool"]["driver"]["supportedTaxonomies"] == [{"name": taxonomy["name"], "index": 0}]
    assert only["invocations"][0]["executionSuccessful"] is True


def test_a_result_of_sarif_points_at_its_rule_its_clauses_and_its_place(sarif, post):
    (only,) = sarif(post)["runs"]
    result = next(r for r in only["results"] if r["ruleId"] == "political/party-named")
    assert only["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20post.txt"
    region = place["region"]
    assert TEXT[region["charOffset"] :][: region["charLength"]] == "Vote Labour"
    assert (region["startLine"], region["startColumn"], region["endColumn"]) == (2, 1, 12)
    span = result["properties"]["spans"][0]
    assert span["start_utf16"] == span["start"] + 1
    assert result["properties"]["clear_by"] == "approver"
    assert 0 <= result["properties"]["confidence"] <= 1
    assert result["partialFingerprints"]


def test_what_could_not_be_evaluated_is_open_in_sarif(sarif, post, capsys):
    assert run(["check", "--capacity", "official", "--format", "sarif", post]) == 1
    (only,) = json.loads(capsys.readouterr().out)["runs"]
    kinds = {result.get("kind"): result for result in only["results"]}
    assert kinds["open"]["level"] == "none"
    assert "periods" in kinds["open"]["properties"]["missing"]


def test_an_override_is_a_suppression_with_its_reason(sarif, post, tmp_path, checker):
    report = checker.check(
        Post(TEXT.rstrip("\n")),
        Context(capacity=Capacity.OFFICIAL, periods=frozenset(), language="en"),
    )
    party = next(each for each in report.findings if each.rule == "political/party-named")
    override = {
        "fingerprint": party.fingerprint,
        "rule": party.rule,
        "reason": "A result of the poll.",
        "who": "Ada",
        "made_at": "2026-05-01T09:00:00+00:00",
        "expires_on": "2099-01-01",
    }
    file = tmp_path / "o.json"
    file.write_text(json.dumps({"schema": 1, "overrides": [override]}))
    (only,) = sarif("--overrides", str(file), post)["runs"]
    result = next(r for r in only["results"] if r["ruleId"] == party.rule)
    (suppression,) = result["suppressions"]
    assert (suppression["kind"], suppression["status"]) == ("external", "accepted")
    assert suppression["justification"] == "A result of the poll."


def test_a_row_that_could_not_be_checked_makes_the_run_of_sarif_unsuccessful(capsys, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"id": 1, "text": "hi"}\nnot json\n')
    assert run(["check", *QUIET, "--format", "sarif", str(rows)]) == 3
    (only,) = json.loads(capsys.readouterr().out)["runs"]
    invocation = only["invocations"][0]
    assert invocation["executionSuccessful"] is False
    (told,) = invocation["toolExecutionNotifications"]
    assert told["locations"][0]["physicalLocation"]["region"]["startLine"] == 2
