"""An account's tokens: found anew each time, and renewed by one at a time over all processes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import standin_kind as standin
from django.db import connection, transaction

from folkmoot.channels.tokens import CannotSignIn, Grant, Grants
from folkmoot.desk.accounts import tokens
from folkmoot.desk.accounts.adapters import open_account
from folkmoot.desk.accounts.models import Account
from folkmoot.desk.accounts.tokens import SealedTokens

door = standin.door
SRC = Path(tokens.__file__).parents[3]

HOLDER = """
import os, sys, time
os.environ["DJANGO_SETTINGS_MODULE"] = "folkmoot.desk.site.settings"
import django
django.setup()
from folkmoot.desk.accounts.tokens import SealedTokens
from folkmoot.desk.accounts.models import Account
with SealedTokens(Account(pk=int(sys.argv[1]))).alone():
    print("in", flush=True)
    sys.stdin.readline()
    print("out", flush=True)
"""


@pytest.fixture
def other_process(settings):
    """Another process that holds an account's lock until it is told to let go."""
    started = []

    def hold(account):
        named = connection.settings_dict
        environment = dict(os.environ) | {
            "FOLKMOOT_HOME": str(settings.CONFIG.home),
            "PYTHONPATH": str(SRC),
        }
        if connection.vendor == "postgresql":
            environment["FOLKMOOT_DATABASE"] = (
                f"postgresql://{named['USER']}:{named['PASSWORD']}@{named['HOST']}:{named['PORT']}"
                f"/{named['NAME']}"
            )
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(account.pk)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout.readline() == "in\n"
        return process

    yield hold
    for process in started:
        process.kill()
        process.communicate()


def test_what_another_process_saved_is_found(cast, door):
    account = standin.connect(cast)
    mine, theirs = (SealedTokens(standin.again(account)) for _ in range(2))
    assert mine.find() == {"access": "token of moot.example"}
    theirs.save({"access": "fresh"})
    assert mine.find() == {"access": "fresh"}


def test_an_account_that_never_signed_in_has_no_tokens(cast, door):
    account = standin.connect(cast)
    Account.objects.filter(pk=account.pk).update(tokens="")
    assert SealedTokens(standin.again(account)).find() is None


def test_whoever_is_in_may_enter_again_and_leaves_at_the_end(cast, door, other_process):
    account = standin.connect(cast)
    store = SealedTokens(standin.again(account))
    with store.alone(), store.alone(), SealedTokens(standin.again(account)).alone():
        pass
    other_process(account)  # nobody is in it any more


def test_a_fault_inside_lets_go(cast, door, other_process):
    account = standin.connect(cast)
    with pytest.raises(ZeroDivisionError), SealedTokens(standin.again(account)).alone():
        1 / 0  # noqa: B018
    other_process(account)


def test_another_process_is_waited_for_and_its_death_lets_us_in(cast, door, other_process):
    account = standin.connect(cast)
    process = other_process(account)
    killer = threading.Timer(0.3, process.kill)
    killer.start()
    began = time.monotonic()
    with SealedTokens(standin.again(account)).alone():
        assert time.monotonic() - began > 0.2
    killer.join()


def test_nobody_is_waited_for_for_ever(cast, door, other_process, monkeypatch):
    monkeypatch.setattr(tokens, "WAIT_SECONDS", 0.2)
    account = standin.connect(cast)
    process = other_process(account)
    store = SealedTokens(standin.again(account))
    said = "renewed elsewhere for more than a minute"
    with pytest.raises(CannotSignIn, match=said) as told, store.alone():
        raise AssertionError("two are in it")
    assert told.value.retry
    process.communicate("\n", timeout=20)
    with store.alone():
        pass


def test_two_threads_of_one_process_are_not_in_it_at_once(cast, door, monkeypatch):
    monkeypatch.setattr(tokens, "WAIT_SECONDS", 0.2)
    account = standin.again(standin.connect(cast))
    came = []

    def enter():
        try:
            with SealedTokens(account).alone():
                came.append("in")
        except CannotSignIn:
            came.append("not in")

    with SealedTokens(account).alone():
        thread = threading.Thread(target=enter)
        thread.start()
        thread.join(5)
    assert came == ["not in"]


def test_other_accounts_are_not_held_up(cast, door, other_process):
    one, two = (standin.connect(cast, handle=f"{name}.example") for name in "ab")
    other_process(one)
    with SealedTokens(standin.again(two)).alone():
        pass


def test_a_transaction_that_failed_meanwhile_does_not_keep_the_lock(cast, door, other_process):
    account = standin.connect(cast)
    store = SealedTokens(standin.again(account))
    with pytest.raises(ZeroDivisionError), transaction.atomic(), store.alone():
        1 / 0  # noqa: B018
    other_process(account)


def test_renewing_keeps_the_new_token_before_it_is_used_and_only_one_renews(cast, door):
    account = open_account(standin.again(standin.connect(cast)))
    account.tokens.save(Grant("old", "refresh-1").to_tokens())
    asked = []

    def renew(grant):
        asked.append(grant.refresh)
        return Grant(f"new-{len(asked)}", f"refresh-{len(asked) + 1}")

    grants = Grants(account.tokens, renew, missing="Nobody signed in.")
    spent = grants.find()
    assert grants.renew(spent).access == "new-1"
    assert grants.renew(spent).access == "new-1"  # who waited finds the work done
    assert asked == ["refresh-1"]
    assert Grant.from_tokens(account.tokens.find()).refresh == "refresh-2"
