"""One command that imports lazily and says what is wrong."""

import subprocess
import sys

import pytest

from folkmoot.cli import COMMANDS, LEDGER_DESK, _find_module, main


def test_the_usage_lists_every_command(capsys):
    assert main([]) == 2
    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in COMMANDS)


def test_help_is_not_an_error(capsys):
    assert main(["--help"]) == 0
    assert "usage: folkmoot" in capsys.readouterr().out


def test_an_unknown_command_is_named(capsys):
    assert main(["publish"]) == 2
    assert "there is no command 'publish'" in capsys.readouterr().err


def test_a_command_of_the_desk_says_what_to_install_where_django_is_missing(capsys):
    assert main(["up"]) == 2
    assert "pip install 'folkmoot[desk]'" in capsys.readouterr().err


def test_checking_a_post_imports_no_django():
    code = (
        "import sys; from folkmoot.cli import main; main(['check', '--capacity', 'official']);"
        "sys.exit(any(m.partition('.')[0] in {'django', 'httpx', 'sqlite3'} for m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input="Hello.", text=True, check=False, capture_output=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "module"),
    [
        (["verify", "x"], "folkmoot.ledger.cli"),
        (["fsck"], "folkmoot.desk.site.cli"),
        (["fsck", "--json"], "folkmoot.desk.site.cli"),
        (["fsck", "mirror"], "folkmoot.ledger.cli"),
        (["fsck", "--key", "k", "mirror"], "folkmoot.ledger.cli"),
        (["fsck", "--help"], "folkmoot.ledger.cli"),
        (["checkpoint"], "folkmoot.desk.site.cli"),
        (["checkpoint", "-"], "folkmoot.ledger.cli"),
        (["hold", "list"], "folkmoot.desk.site.cli"),
        (["nothing"], "folkmoot.ledger.cli"),
        ([], "folkmoot.ledger.cli"),
    ],
)
def test_verbs_of_the_ledger_go_to_the_desk_only_where_they_need_it(words, module):
    assert _find_module(["ledger", *words]) == module


def test_a_verb_of_the_ledger_that_needs_the_desk_says_what_to_install(capsys):
    assert main(["ledger", "fsck"]) == 2
    assert "pip install 'folkmoot[desk]'" in capsys.readouterr().err


def test_the_help_of_the_ledger_lists_what_the_desk_adds(capsys):
    assert main(["ledger", "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {verb} " in shown for verb in LEDGER_DESK)
