"""``folkmoot ledger hold``, ``dispose`` and ``erase``: as a named member, by two people too."""

from __future__ import annotations

import io

import pytest
import retention_moves as keeping
from test_desk_retention_erasure import NAME, leave, texts

from folkmoot.desk.records import actions as records
from folkmoot.desk.records.models import Epoch
from folkmoot.desk.retention import cli
from folkmoot.desk.retention.models import Batch, Erasure, Hold

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def clock(cast, monkeypatch):
    monkeypatch.setattr(cli, "_now", cast.clock)


@pytest.fixture
def ledger(monkeypatch, capsys):
    """Run a command as somebody of the first body; its status, and what it printed."""

    def run(command, who="fay", *, stdin="", password=PASSWORD):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n{stdin}"))
        status = cli.run([*command.split(), "--as", f"{who}@moot.example"])
        printed = capsys.readouterr()
        return status, printed.out + printed.err

    return run


def test_a_hold_is_placed_listed_and_released_by_two(cast, ledger):
    draft = keeping.old_post(cast)
    assert ledger("hold list") == (0, "Nothing is held.\n")
    status, said = ledger(f"hold place --subject {draft.subject} --reason Claim", "dan")
    assert (status, "from now on" in said) == (0, True)
    number = Hold.objects.get().pk
    assert draft.subject in ledger("hold list")[1]
    status, said = ledger(f"hold release {number}")
    assert (status, "Say why" in said) == (2, True)
    status, said = ledger(f"hold release {number} --reason Settled")
    assert (status, "second person" in said) == (1, True)
    status, said = ledger(f"hold release {number}")
    assert (status, "second person" in said) == (2, True)
    assert ledger(f"hold release {number}", "gus") == (0, f"Hold {number} is released.\n")


@pytest.mark.parametrize(
    "scope", ["--class posts --since 2026-01-01", "--class alarms", "--account {account}"]
)
def test_a_hold_takes_a_class_or_an_account(cast, ledger, scope):
    status, _said = ledger(f"hold place {scope.format(account=cast.feed.pk)} --reason Claim")
    assert status == 0


def test_who_they_are_is_asked_for(cast, ledger):
    status, said = ledger("hold list", password="wrong")
    assert (status, "do not belong together" in said) == (2, True)
    status, said = ledger("hold list", "nobody")
    assert status == 2
    status, said = ledger("hold list", "alice")
    assert (status, "Only a records officer or an admin" in said) == (2, True)
    status, said = ledger("dispose due", "dan")
    assert (status, "Only a records officer" in said) == (2, True)
    assert cli.run(["hold", "list"]) == 2
    assert cli.run(["hold", "--help"]) == 0


@pytest.mark.django_db(transaction=True)
def test_what_is_due_is_proposed_confirmed_and_waited_for(cast, ledger):
    draft = keeping.old_post(cast)
    assert ledger("dispose due") == (0, "Nothing is due.\n")
    keeping.adopt(cast)
    records.sequence(cast.clock())
    assert "Posts: " in ledger("dispose due")[1]
    status, said = ledger(f"dispose propose posts --reason Over --leave-out {draft.subject}")
    assert (status, "Nothing is chosen" in said) == (2, True)
    assert Batch.objects.latest("pk").state == "dropped"
    status, said = ledger("dispose propose posts --reason Over")
    assert status == 1
    number = Batch.objects.latest("pk").pk
    assert f"Disposal {number} waits" in ledger("dispose due")[1]
    status, said = ledger(f"dispose confirm {number}")
    assert (status, "second person" in said) == (2, True)
    status, said = ledger(f"dispose confirm {number}", "gus")
    assert (status, "are destroyed, 0 were held" in said) == (0, True)
    assert Batch.objects.get(pk=number).state == "done"


@pytest.mark.django_db(transaction=True)
def test_a_person_is_found_proposed_and_erased_without_a_name_on_the_command_line(cast, ledger):
    leave(cast, NAME)
    leave(cast, NAME, public=("text",))
    records.sequence(cast.clock())
    status, said = ledger("erase find --ground objected", stdin=f"{NAME}\n")
    assert (status, "(public)" in said) == (1, True)
    assert NAME not in said
    number = Erasure.objects.get().pk
    status, said = ledger(f"erase propose {number} --public")
    assert (status, "of 2 values" in said) == (1, True)
    status, said = ledger(f"erase confirm {number}")
    assert (status, "second person" in said) == (2, True)
    status, said = ledger(f"erase confirm {number}", "gus")
    assert (status, "2 values are erased" in said) == (0, True)
    assert NAME not in texts(cast)
    assert ledger(f"erase confirm {number}", "gus")[0] == 2


def test_nothing_to_search_for_is_said(cast, ledger):
    status, said = ledger("erase find", stdin="\n")
    assert (status, "Enter the names" in said) == (2, True)
    status, said = ledger("erase find", stdin="Nobody at all\n")
    assert (status, "Nothing that is kept" in said) == (0, True)


@pytest.mark.django_db(transaction=True)
def test_the_epoch_is_rolled_by_hand(cast, ledger):
    leave(cast, "Something.")
    before = Epoch.objects.get(destroyed_at=None).number
    status, said = ledger("erase roll")
    assert (status, "wrapped anew" in said) == (0, True)
    assert Epoch.objects.get(destroyed_at=None).number == before + 1
    assert keeping.kinds(cast)[-1] == "epoch.rolled"
    assert ledger("erase roll", "dan")[0] == 2
