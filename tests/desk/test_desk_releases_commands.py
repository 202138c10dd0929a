"""``folkmoot ledger export``: who may, what waits for whom, and what is written."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import desk_moves
import pytest
import releases_moves as moves

from folkmoot.desk.records.queries import list_history
from folkmoot.desk.releases import actions
from folkmoot.desk.releases.cli import run
from folkmoot.desk.releases.models import Bag
from folkmoot.ledger.bags import check_bag

PASSWORD = "correct horse battery\n"


@pytest.fixture
def export(cast, monkeypatch, tmp_path, capsys):
    """Run the command as somebody; its status, and what it said."""
    cast.post = desk_moves.publish(cast).pk
    cast.clock.now = datetime.now(UTC)

    def act(*args, who="fay", password=PASSWORD, out="bag"):
        monkeypatch.setattr("sys.stdin", io.StringIO(password))
        status = run(["export", *args, "--out", str(tmp_path / out), "--as", f"{who}@moot.example"])
        said = capsys.readouterr()
        return status, said.out + said.err

    return act


def test_what_is_public_is_written_at_once_and_checks(cast, export, tmp_path):
    status, said = export("--public", "--account", "Our feed")
    assert status == 0, said
    assert check_bag(tmp_path / "bag").ok
    bag = Bag.objects.get()
    assert bag.manifest_sha256 in said
    assert [entry.kind for entry in list_history(bag.subject)][-1] == "bag.downloaded"


def test_every_field_waits_for_a_second_officer_and_is_written_then(cast, export, tmp_path):
    status, said = export("--post", str(cast.post), "--about", "For the archive.")
    assert status == 3, said
    bag = Bag.objects.get()
    assert bag.ref in said
    assert not (tmp_path / "bag").exists()
    assert export("--bag", bag.ref)[0] == 3
    actions.agree_to_bag(cast.gus, bag.ref, now=datetime.now(UTC))
    status, said = export("--bag", bag.ref)
    assert status == 0, said
    assert check_bag(tmp_path / "bag").withheld == 0


def test_a_request_is_written_once_two_agreed(cast, export, tmp_path):
    request = moves.prepared(cast)
    status, said = export("--request", request.ref)
    assert (status, "Two officers" in said) == (1, True)
    actions.agree(cast.gus, request.ref, seen=request.digest, now=datetime.now(UTC))
    status, said = export("--request", request.ref)
    assert status == 0, said
    assert check_bag(tmp_path / "bag").ok


@pytest.mark.parametrize(
    ("args", "somebody", "said"),
    [
        (["--public"], ("fay", "wrong\n"), "do not belong together"),
        (["--public"], ("nobody", PASSWORD), "do not belong together"),
        (["--public"], ("alice", PASSWORD), "role records"),
        (["--public", "--account", "No such"], ("fay", PASSWORD), "No account is called"),
        (["--bag", "0" * 16], ("fay", PASSWORD), "no such bag"),
        (["--request", "0" * 16], ("fay", PASSWORD), "no such request"),
        (["--public", "--from", "2031-01-01"], ("fay", PASSWORD), "No entry"),
        ([], ("fay", PASSWORD), "what it is for"),
    ],
)
def test_what_cannot_be_is_refused_in_words_and_nothing_is_written(
    export, tmp_path, args, somebody, said
):
    status, told = export(*args, who=somebody[0], password=somebody[1])
    assert status == 1
    assert said in told
    assert not (tmp_path / "bag").exists()


def test_a_folder_with_something_in_it_is_left_alone(export, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("Mine.")
    status, told = export("--public", out="full")
    assert (status, "not an empty folder" in told) == (1, True)
    assert (tmp_path / "full" / "mine.txt").read_text() == "Mine."


def test_a_day_that_is_none_is_refused(export):
    with pytest.raises(SystemExit):
        export("--from", "31 June")
