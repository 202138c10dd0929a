"""`folkmoot check` as a person or a pipeline meets it: what is shown, and the exit status."""

import io
import json
import os
import shutil
import subprocess
import sys

import pytest

from folkmoot.check import report_from_dict
from folkmoot.check.cli import run
from folkmoot.guidance import load_pack

QUIET = ["--capacity", "official", "--no-period"]


@pytest.fixture
def post(monkeypatch):
    """Puts a post on standard input."""

    def put(text):
        raw = text if isinstance(text, bytes) else text.encode()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))

    return put


def test_a_clean_post_exits_with_0_and_says_how_many_rules_looked(post, capsys):
    post("The library is open late on Thursdays.\n")
    assert run(["check", *QUIET]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Post\n")
    assert "rules looked at" in out
    assert "Is it ours to say" in out


def test_a_held_post_exits_with_1_and_shows_clause_and_evidence(post, capsys):
    post("Vote Labour")
    assert run(["check", *QUIET, "-"]) == 1
    out = capsys.readouterr().out
    assert "Get sign-off first" in out
    assert "[POL-N1, source read in part]" in out
    assert "political/party-named at 0-11 because capacity=official" in out


def test_fail_on_moves_the_line(post, capsys):
    for effect, status in (("advise", 1), ("hold", 0)):
        post("Well done 👏👏")
        assert run(["check", *QUIET, "--fail-on", effect]) == status


def test_a_fact_that_is_missing_fails_closed_and_is_shown(post, capsys):
    post("hi")
    assert run(["check", "--capacity", "official"]) == 1
    assert "periods and publish_at (could be hold)" in capsys.readouterr().out


def test_a_period_in_force_holds_the_post(post, capsys):
    post("hi")
    arguments = ["--period", "pre_election", "--at", "2026-05-01T09:00:00+01:00"]
    assert run(["check", "--capacity", "official", *arguments]) == 1
    assert "period=pre_election" in capsys.readouterr().out


def test_nothing_of_the_post_can_steer_the_terminal(post, capsys):
    post("Vote\x1b[2J Labour\u202e and \x9b31mTories\x07")
    assert run(["check", *QUIET]) == 1
    out = capsys.readouterr().out
    assert all(character.isprintable() or character == "\n" for character in out)


def test_json_holds_one_report_for_each_file_and_jsonl_one_line(tmp_path, capsys):
    for name, text in (("a.txt", "Vote Labour"), ("b.txt", "hello\u202e")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    files = [str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]
    assert run(["check", *QUIET, "--format", "json", *files]) == 1
    out = capsys.readouterr().out
    assert out.isascii()
    rows = json.loads(out)
    assert [row["file"] for row in rows] == files
    assert run(["check", *QUIET, "--format", "jsonl", *files]) == 1
    lines = capsys.readouterr().out.splitlines()
    flat = [json.loads(line) for line in lines]
    assert [row["id"] for row in flat] == files
    assert [row["verdict"] for row in flat] == [row["verdict"] for row in rows]
    assert report_from_dict(rows[1]).verdict == "do_not_post"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--capacity", "offical"],
        ["--at", "tomorrow"],
        ["--at", "2026-05-01T09:00"],
        ["--period", "pre-election"],
        ["--period", "mourning", "--no-period"],
        ["--pack", "no-such-pack"],
        ["no-such-file.txt"],
        ["explain"],
    ],
)
def test_wrong_usage_exits_with_2_and_says_why(post, capsys, arguments):
    post("hi")
    assert run(["check", *arguments]) == 2
    assert capsys.readouterr().err


def test_text_that_is_not_utf8_is_refused(post, capsys):
    post(b"caf\xe9")
    assert run(["check", *QUIET]) == 2
    assert "not text in UTF-8" in capsys.readouterr().err


def test_a_pack_with_a_broken_rule_exits_with_3_and_is_never_a_pass(post, capsys, tmp_path):
    folder = tmp_path / "accessible-posts"
    shutil.copytree(load_pack("accessible-posts").folders[-1], folder)
    rule = folder / "rules" / "links-insecure.toml"
    rule.write_text(rule.read_text(encoding="utf-8") + "colour = 'red'\n", encoding="utf-8")
    post("hi")
    assert run(["check", *QUIET, "--pack", str(folder)]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "links-insecure.toml" in captured.err
    assert "colour" in captured.err


def test_a_check_that_fails_in_any_other_way_exits_with_3(post, capsys, monkeypatch):
    def fails(*_arguments):
        raise MemoryError

    monkeypatch.setattr("folkmoot.check.engine.Reading", fails)
    post("hi")
    assert run(["check", *QUIET]) == 3
    assert "Nothing is known of the post" in capsys.readouterr().err


def test_test_says_what_it_held_the_rules_to(capsys):
    assert run(["check", "test"]) == 0
    assert " 0 faults." in capsys.readouterr().out


def test_test_exits_with_1_where_a_rule_lacks_an_example(capsys, tmp_path):
    folder = tmp_path / "accessible-posts"
    shutil.copytree(load_pack("accessible-posts").folders[-1], folder)
    rule = folder / "rules" / "links-insecure.toml"
    text = rule.read_text(encoding="utf-8")
    rule.write_text(text[: text.index("[[example]]")], encoding="utf-8")
    assert run(["check", "test", "--pack", str(folder)]) == 1
    assert "links/insecure: There is no example that fires." in capsys.readouterr().out


def test_explain_shows_grounds_and_examples_with_unseen_characters_made_visible(capsys):
    assert run(["check", "explain", "record/unseen-characters"]) == 0
    out = capsys.readouterr().out
    assert "[RECORDS," in out
    assert "When it is wrong:" in out
    assert "\\u202e" in out
    assert run(["check", "explain", "no/such-rule"]) == 2


def test_the_command_starts_without_loading_what_a_plain_post_does_not_need():
    code = (
        "import sys; from folkmoot.check.cli import run; "
        "status = run(['check', '--capacity', 'official', '--no-period', '--format', 'json']); "
        "assert status == 0; "
        "print(sorted({'regex', 'django', 'httpx', 'numpy', 'importlib.metadata'} "
        "& set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=b"hi\n",
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.stderr.decode().strip() == "[]"
