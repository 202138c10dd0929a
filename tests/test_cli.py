"""One command that imports lazily and says what is wrong."""

import subprocess
import sys

from folkmoot.cli import COMMANDS, main


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
