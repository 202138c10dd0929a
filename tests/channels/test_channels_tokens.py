"""Tokens are renewed by one at a time, kept before they are used, and never lost to a blip."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from folkmoot.channels.tokens import CannotSignIn, Grant, Grants, MemoryTokens

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
OLD = Grant("a1", "r1", NOW + timedelta(hours=1), NOW + timedelta(days=60))
NEW = Grant("a2", "r2", NOW + timedelta(hours=3), NOW + timedelta(days=90))
MISSING = "Connect the account again."


def grants(renew, kept=OLD, store=None):
    store = store or MemoryTokens(kept.to_tokens() if kept else None)
    return Grants(store, renew, missing=MISSING), store


def never(grant):
    raise AssertionError("nobody asked for this")


def test_a_grant_is_kept_and_read_again():
    assert Grant.from_tokens(OLD.to_tokens()) == OLD
    assert Grant.from_tokens(Grant("only").to_tokens()) == Grant("only")


def test_a_grant_does_not_show_its_tokens():
    assert "a1" not in repr(OLD)
    assert "r1" not in repr(OLD)


@pytest.mark.parametrize("tokens", [{}, {"access": ""}, {"refresh": "r"}])
def test_what_has_no_access_token_is_no_grant(tokens):
    with pytest.raises(ValueError, match="no access token"):
        Grant.from_tokens(tokens)
    kept, _ = grants(never, store=MemoryTokens(tokens))
    with pytest.raises(CannotSignIn) as why:
        kept.get(NOW)
    assert (why.value.reason, why.value.retry) == (MISSING, False)


def test_where_nothing_is_kept_somebody_must_sign_in():
    kept, _ = grants(never, kept=None)
    assert kept.find() is None
    with pytest.raises(CannotSignIn, match="Connect the account again"):
        kept.get(NOW)


def test_a_token_that_is_good_for_long_enough_is_not_renewed():
    kept, _ = grants(never)
    assert kept.get(NOW) == OLD
    kept, _ = grants(never, kept=Grant("endless"))
    assert kept.get(NOW) == Grant("endless")


def test_a_token_that_ends_soon_is_renewed_ahead():
    kept, store = grants(lambda grant: NEW)
    assert kept.get(NOW + timedelta(minutes=59, seconds=30)) == NEW
    assert Grant.from_tokens(store.find()) == NEW


def test_what_comes_is_kept_before_it_is_used():
    order = []

    class Watching(MemoryTokens):
        def save(self, tokens):
            order.append("kept")
            super().save(tokens)

    kept, _ = grants(lambda grant: NEW, store=Watching(OLD.to_tokens()))
    kept.renew(OLD)
    order.append("used")
    assert order == ["kept", "used"]

    class Full(MemoryTokens):
        def save(self, tokens):
            raise OSError("The disk is full.")

    kept, _ = grants(lambda grant: NEW, store=Full(OLD.to_tokens()))
    with pytest.raises(OSError, match="full"):
        kept.renew(OLD)


def test_of_two_who_renew_at_once_one_does():
    calls, both_wait = [], threading.Barrier(2)

    def renew(grant):
        calls.append(grant.refresh)
        return replace(NEW, access=f"a{len(calls) + 1}")

    _, store = grants(renew)
    found = []

    def work():
        kept, _ = grants(renew, store=store)
        spent = kept.find()
        both_wait.wait(5)
        found.append(kept.renew(spent))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert calls == ["r1"]
    assert [grant.access for grant in found] == ["a2", "a2"]


def test_who_finds_it_renewed_already_does_not_ask_again():
    kept, store = grants(never)
    store.save(NEW.to_tokens())
    assert kept.renew(OLD) == NEW


def test_an_empty_answer_never_takes_the_place_of_a_token():
    kept, store = grants(lambda grant: Grant(""))
    with pytest.raises(CannotSignIn) as why:
        kept.renew(OLD)
    assert why.value.retry
    assert Grant.from_tokens(store.find()) == OLD


def test_a_refusal_leaves_what_was_kept():
    def refuse(grant):
        raise CannotSignIn("No.", retry=False, after_seconds=5)

    kept, store = grants(refuse)
    with pytest.raises(CannotSignIn) as why:
        kept.renew(OLD)
    assert why.value.after_seconds == 5
    assert Grant.from_tokens(store.find()) == OLD


def test_an_answer_without_a_refresh_token_leaves_the_old_one_good_for_as_long_as_it_was():
    kept, _ = grants(lambda grant: Grant("a2", "", NOW + timedelta(hours=3)))
    fresh = kept.renew(OLD)
    assert (fresh.access, fresh.refresh) == ("a2", "r1")
    assert fresh.sign_in_ends_at == OLD.sign_in_ends_at
    kept, _ = grants(lambda grant: replace(NEW, refresh=""))
    assert kept.renew(OLD).sign_in_ends_at == NEW.sign_in_ends_at


def test_a_grant_that_was_forgotten_meanwhile_is_renewed_from_the_one_in_hand():
    seen = []

    def renew(grant):
        seen.append(grant)
        return NEW

    kept, _ = grants(renew, kept=None)
    assert kept.renew(OLD) == NEW
    assert seen == [OLD]


def test_who_is_alone_may_enter_again():
    store = MemoryTokens()
    with store.alone(), store.alone():
        store.save({"access": "a"})
    assert store.find() == {"access": "a"}
