"""Accounts: connected by two people, held sealed, and shown to nobody."""

from __future__ import annotations

import json
import logging

import desk_moves as moves
import pytest
import standin_kind as standin
from django.conf import settings
from django.db import IntegrityError, transaction

from folkmoot.desk.accounts import actions, queries
from folkmoot.desk.accounts.adapters import build_adapter
from folkmoot.desk.accounts.lifecycle import ACCOUNT
from folkmoot.desk.accounts.models import Account
from folkmoot.desk.accounts.tokens import SealedTokens, place_of
from folkmoot.desk.accounts.vault import VaultError, unseal
from folkmoot.desk.people import actions as people
from folkmoot.desk.people.queries import Role
from folkmoot.desk.records.models import Entry, Intent
from folkmoot.desk.records.queries import list_history

SECRET = standin.SECRET
door = standin.door


def kept():
    return Account.objects.count(), Intent.objects.count() + Entry.objects.count()


def entries(account):
    """What stands in the record about an account, oldest first."""
    return list(list_history(f"account/{account.pk}"))


@pytest.fixture
def erin(cast):
    """A duty officer who is nothing else."""
    return people.add_member(
        cast.body,
        email="erin@moot.example",
        name="Erin",
        roles=[Role.DUTY],
        password="correct horse battery",
        now=cast.clock(),
    )


# Proposing


def test_what_is_proposed_is_kept_sealed_and_is_nobodys_to_post_to_yet(cast, door):
    account = standin.propose(cast)
    row = standin.again(account)
    assert (row.state, row.handle, row.server) == (
        "proposed",
        "moot.example",
        "https://standin.example",
    )
    assert row.name == "moot.example on Standin"
    assert row.settings == {"tone": "calm"}
    assert SECRET not in row.secret
    assert json.loads(unseal(place_of(row, "secret"), row.secret)) == {"password": SECRET}
    assert json.loads(unseal(place_of(row, "tokens"), row.tokens)) == {
        "access": "token of moot.example"
    }
    assert door.seen == [("moot.example", {"password": SECRET})]
    assert row not in queries.list_accounts(cast.body)
    assert queries.find_account(cast.body, row.pk) is None
    assert queries.list_proposed(cast.body) == [row]
    assert kept()[0] == 3
    (entry,) = entries(row)
    assert (entry.kind, entry.actor) == ("account.proposed", cast.dan.ref)


def test_a_channel_that_says_no_leaves_nothing(cast, door):
    door.trouble = "The server does not accept this password. Enter it again."
    before = kept()
    with pytest.raises(actions.AccountRefused, match="does not accept this password"):
        standin.propose(cast)
    assert kept() == before


WRONG = {
    "no name": ({"handle": " @ "}, "handle"),
    "nothing": ({"handle": ""}, "handle"),
    "no password": ({"password": "  "}, "password"),
    "no server": ({"server": ""}, "server"),
    "a long tone": ({"tone": "x" * 5000}, "tone"),
    "a long server": ({"server": f"https://{'x.' * 200}example"}, ""),
    "a long handle": ({"handle": f"{'x' * 400}.example"}, ""),
    "a long name": ({"name": "x" * 400}, "name"),
    "another channel": ({"channel": "fax"}, ""),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_connected_is_refused_in_words_and_leaves_nothing(cast, door, case):
    change, field = WRONG[case]
    before = kept()
    with pytest.raises(actions.AccountRefused) as refused:
        standin.propose(cast, **change)
    assert str(refused.value).endswith(".")
    assert refused.value.field == field
    assert kept() == before
    assert door.seen == []


BLUESKY = {
    "no handle": {"handle": " @ "},
    "no password": {"app_password": ""},
    "a file": {"server": "file:///etc/passwd"},
    "a server with a path": {"server": "https://bsky.social/xrpc"},
    "a server with a user": {"server": "https://me@bsky.social"},
    "a server with a question": {"server": "https://bsky.social?x=1"},
    "no real address": {"server": "https://[oops"},
    "an address inside": {"server": "http://127.0.0.1:9"},
    "a cloud's own address": {"server": "http://169.254.169.254"},
    "a mark of nothing": {"handle": "moot\0.example"},
}


@pytest.mark.parametrize("case", BLUESKY)
def test_no_server_inside_is_asked_for_a_real_channel_either(cast, case):
    before = kept()
    typed = {"handle": "moot.example", "server": "https://pds.example", "app_password": SECRET}
    with pytest.raises(actions.AccountRefused) as refused:
        actions.propose(
            cast.dan, channel="bluesky", name="", typed={**typed, **BLUESKY[case]}, now=cast.clock()
        )
    assert str(refused.value).endswith(".")
    assert SECRET not in str(refused.value)
    assert kept() == before


@pytest.mark.parametrize("who", ["alice", "bob", "carol"])
def test_only_an_admin_proposes_disconnects_forgets_and_diagnoses(cast, door, who):
    account = standin.connect(cast)
    before = kept()
    member = getattr(cast, who)
    for act in (
        lambda: standin.propose(cast, who=member, handle="other.example"),
        lambda: actions.disconnect(member, account.pk, now=cast.clock()),
        lambda: actions.forget_all(member, reason="Because.", now=cast.clock()),
        lambda: actions.ask_diagnosis(member, [account.pk], now=cast.clock()),
    ):
        with pytest.raises(actions.AccountRefused, match="Only an admin"):
            act()
    assert kept() == before
    assert standin.again(account).secret


# Confirming


def test_an_account_is_confirmed_by_a_second_person_and_then_offered_to_all(cast, door):
    account = standin.connect(cast)
    row = standin.again(account)
    assert (row.state, row.connected_by, row.confirmed_by) == (
        "connected",
        cast.dan.ref,
        cast.bob.ref,
    )
    assert row in queries.list_accounts(cast.body)
    assert queries.list_proposed(cast.body) == []
    entry = entries(account)[-1]
    assert (entry.kind, entry.actor, entry.role) == ("account.confirmed", cast.bob.ref, "approver")


def test_nobody_confirms_what_they_proposed(cast, door):
    both = people.add_member(
        cast.body,
        email="frank@moot.example",
        name="Frank",
        roles=[Role.ADMIN, Role.APPROVER, Role.DUTY],
        password="correct horse battery",
        now=cast.clock(),
    )
    proposal = standin.propose(cast, who=both)
    with pytest.raises(actions.AccountRefused, match="somebody else must confirm it"):
        actions.confirm(both, proposal.pk, now=cast.clock())
    assert standin.again(proposal).state == "proposed"
    assert actions.confirm(cast.dan, proposal.pk, now=cast.clock()).state == "connected"


def test_the_database_lets_nobody_confirm_their_own_either(cast, door):
    proposal = standin.propose(cast)
    row = Account.objects.filter(pk=proposal.pk)
    for wrong in (
        {"confirmed_by": cast.dan.ref},
        {"state": "connected"},
        {"state": "connected", "confirmed_by": cast.dan.ref},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            row.update(**wrong)


def test_an_author_cannot_confirm_and_a_duty_officer_can(cast, door, erin):
    proposal = standin.propose(cast)
    with pytest.raises(actions.AccountRefused, match="role admin or approver or duty"):
        actions.confirm(cast.alice, proposal.pk, now=cast.clock())
    assert actions.confirm(erin, proposal.pk, now=cast.clock()).confirmed_by == erin.ref


def test_two_people_who_decide_at_once_decide_once(cast, door):
    proposal = standin.propose(cast)
    actions.confirm(cast.bob, proposal.pk, now=cast.clock())
    before = kept()
    for act in (actions.confirm, actions.turn_down):
        with pytest.raises(actions.AccountRefused, match="There is no such account"):
            act(cast.carol, proposal.pk, now=cast.clock())
    assert kept() == before


def test_what_is_turned_down_is_forgotten(cast, door):
    proposal = standin.propose(cast)
    actions.turn_down(cast.bob, proposal.pk, now=cast.clock())
    row = standin.again(proposal)
    assert (row.state, row.secret, row.tokens) == ("disconnected", "", "")
    assert entries(proposal)[-1].kind == "account.turned_down"
    assert standin.propose(cast).pk != proposal.pk


def test_an_account_is_proposed_and_connected_once_at_a_time(cast, door):
    proposal = standin.propose(cast)
    with pytest.raises(actions.AccountRefused, match="is proposed already"):
        standin.propose(cast)
    actions.confirm(cast.bob, proposal.pk, now=cast.clock())
    with pytest.raises(actions.AccountRefused, match="is connected already"):
        standin.propose(cast)
    actions.disconnect(cast.dan, proposal.pk, now=cast.clock())
    assert standin.connect(cast).pk != proposal.pk


def test_an_admin_of_another_body_finds_no_such_account(cast, door):
    account, proposal = standin.connect(cast), standin.propose(cast, handle="b.example")
    now = cast.clock()
    for act in (
        lambda: actions.disconnect(cast.mallory, account.pk, now=now),
        lambda: actions.ask_diagnosis(cast.mallory, [account.pk], now=now),
        lambda: actions.confirm(cast.mallory, proposal.pk, now=now),
        lambda: actions.turn_down(cast.mallory, proposal.pk, now=now),
        lambda: standin.propose(cast, who=cast.mallory, again=account.pk),
    ):
        with pytest.raises(actions.AccountRefused, match="There is no such account"):
            act()
    assert actions.forget_all(cast.mallory, reason="Because.", now=now) == 0
    assert standin.again(account).secret
    assert standin.again(proposal).state == "proposed"


def test_the_desks_own_channels_need_no_second_person_and_stay(cast):
    assert cast.feed.state == cast.practice.state == "connected"
    with pytest.raises(actions.AccountRefused, match="the desk's own channel"):
        actions.disconnect(cast.dan, cast.feed.pk, now=cast.clock())
    with pytest.raises(actions.AccountRefused, match="does not serve"):
        actions.open_own_channel(
            cast.body, channel="bluesky", name="x", handle="x.example", now=cast.clock()
        )


def test_the_table_names_who_may_take_each_step():
    may = {step.verb: set(step.roles) for step in ACCOUNT.steps}
    assert may["confirm"] == may["renew"] == {"admin", "approver", "duty"}
    assert may["disconnect"] == may["forget"] == {"admin"}


# Connecting again


def test_connecting_again_changes_nothing_until_a_second_person_agrees(cast, door):
    account = standin.connect(cast, name="Our news")
    held = standin.again(account)
    cast.clock.pass_(days=50)
    proposal = standin.propose(cast, again=account.pk, password="brand-new-word", tone="brisk")
    assert standin.again(account).secret == held.secret
    with pytest.raises(actions.AccountRefused, match="somebody else"):
        actions.confirm(cast.dan, proposal.pk, now=cast.clock())
    assert standin.again(account).secret == held.secret
    confirmed = actions.confirm(cast.carol, proposal.pk, now=cast.clock())
    row = standin.again(account)
    assert confirmed.pk == row.pk == held.pk
    assert (row.name, row.settings, row.confirmed_by) == (
        "Our news",
        {"tone": "brisk"},
        cast.carol.ref,
    )
    assert row.connected_at == held.connected_at
    assert json.loads(unseal(place_of(row, "secret"), row.secret)) == {"password": "brand-new-word"}
    assert (standin.again(proposal).state, standin.again(proposal).secret) == ("disconnected", "")
    build_adapter(row)
    assert entries(account)[-1].kind == "account.renewed"
    assert [entry.kind for entry in entries(proposal)] == [
        "account.proposed",
        "account.handed_over",
    ]


def test_another_account_cannot_be_slipped_in_as_connecting_again(cast, door):
    account = standin.connect(cast)
    for change in ({"handle": "evil.example"}, {"server": "https://evil.example"}):
        with pytest.raises(actions.AccountRefused, match="another account"):
            standin.propose(cast, again=account.pk, **change)


def test_tokens_renewed_with_what_was_replaced_do_not_take_the_new_ones_place(cast, door):
    account = standin.connect(cast)
    of_old = SealedTokens(standin.again(account))
    proposal = standin.propose(cast, again=account.pk)
    actions.confirm(cast.bob, proposal.pk, now=cast.clock())
    new = standin.again(account).tokens
    of_old.save({"access": "renewed from the old"})
    assert standin.again(account).tokens == new


def test_disconnecting_turns_down_what_was_proposed_for_it(cast, door):
    account = standin.connect(cast)
    proposal = standin.propose(cast, again=account.pk)
    actions.disconnect(cast.dan, account.pk, now=cast.clock())
    assert standin.again(proposal).state == "disconnected"


# Forgetting


def test_disconnecting_forgets_the_tokens(cast, door):
    account = standin.connect(cast)
    held = SealedTokens(standin.again(account))
    actions.disconnect(cast.dan, account.pk, now=cast.clock())
    held.save({"access": "fresh"})
    row = standin.again(account)
    assert (row.state, row.secret, row.tokens, row.grant) == ("disconnected", "", "", "")
    assert row.disconnected_at == cast.clock()
    with pytest.raises(VaultError, match="it has been disconnected"):
        build_adapter(row)


def test_every_token_is_forgotten_at_once_with_a_reason(cast, door):
    accounts = [standin.connect(cast, handle=f"{name}.example") for name in "abc"]
    proposal = standin.propose(cast, handle="d.example")
    held = SealedTokens(standin.again(accounts[0]))
    with pytest.raises(actions.AccountRefused, match="Say in a few words why"):
        actions.forget_all(cast.dan, reason="  ", now=cast.clock())
    assert actions.forget_all(cast.dan, reason="A stolen laptop.", now=cast.clock()) == 3
    held.save({"access": "renewed meanwhile"})
    for account in accounts:
        row = standin.again(account)
        assert (row.state, row.secret, row.tokens) == ("connected", "", "")
        assert row.trouble == "Its tokens were forgotten: A stolen laptop. Connect it again."
        with pytest.raises(VaultError, match="Connect it again"):
            build_adapter(row)
        assert "holds no sign-in any more" in queries.find_trouble_at(row, cast.clock())
    assert standin.again(proposal).state == "disconnected"
    told = [entry for account in accounts for entry in entries(account)]
    assert [entry.kind for entry in told].count("account.forgotten") == 3
    assert actions.forget_all(cast.dan, reason="Again.", now=cast.clock()) == 0
    again = standin.propose(cast, handle="a.example", again=accounts[0].pk)
    actions.confirm(cast.bob, again.pk, now=cast.clock())
    assert standin.again(accounts[0]).trouble == ""
    build_adapter(standin.again(accounts[0]))


# Held sealed


@pytest.mark.parametrize(
    "change", [{"server": "https://evil.example"}, {"handle": "b.example"}, {"channel": "pagein"}]
)
def test_a_password_does_not_open_for_an_account_that_was_changed_in_the_database(
    cast, door, change
):
    account = standin.connect(cast)
    Account.objects.filter(pk=account.pk).update(**change)
    with pytest.raises(VaultError, match="moved from another account"):
        build_adapter(standin.again(account))


def test_tokens_moved_to_another_account_do_not_open(cast, door):
    one, two = (standin.connect(cast, handle=f"{name}.example") for name in "ab")
    Account.objects.filter(pk=two.pk).update(tokens=standin.again(one).tokens)
    with pytest.raises(VaultError):
        build_adapter(standin.again(two))


def test_what_a_channel_takes_is_known_without_opening_anything(cast, door):
    account = standin.connect(cast)
    Account.objects.filter(pk=account.pk).update(secret="rubbish", tokens="rubbish")
    row = standin.again(account)
    assert queries.capabilities_of(row).title == "Standin"
    assert queries.key_for(row, 7, cast.clock()).endswith("/ledger/delivery/7")


def test_the_web_proposes_and_cannot_diagnose_where_it_cannot_read_the_private_key(cast, door):
    key = settings.CONFIG.key_file("vault.key")
    standin.propose(cast, handle="first.example")  # so that both files are there
    text = key.read_text()
    key.unlink()
    key.mkdir()
    try:
        proposal = standin.propose(cast)
        actions.confirm(cast.bob, proposal.pk, now=cast.clock())
        row = standin.again(proposal)
        with pytest.raises(VaultError, match="by the worker alone"):
            build_adapter(row)
        page = cast.client(cast.dan).post(f"/desk/accounts/{row.pk}/diagnose", follow=True)
        assert "the worker asks the channel now" in page.content.decode()
        assert standin.again(row).diagnose_asked_at is not None
    finally:
        key.rmdir()
        key.write_text(text)
        key.chmod(0o600)
    build_adapter(standin.again(proposal))


def test_a_post_to_an_account_disconnected_after_sign_off_does_not_leave(cast, door):
    account = standin.connect(cast)
    draft = moves.signed(cast, cast.content(accounts=[account, cast.feed]))
    actions.disconnect(cast.dan, account.pk, now=cast.clock())
    moves.work(cast)
    assert moves.again(cast, draft).state == "unsent"


def test_a_password_is_in_no_page_no_entry_no_log_and_no_repr(cast, door, caplog):
    caplog.set_level(logging.DEBUG)
    account = standin.connect(cast)
    proposal = standin.propose(cast, handle="b.example")
    row = standin.again(account)
    client = cast.client(cast.dan)
    shown = [repr(row), repr(SealedTokens(row)), repr(proposal), caplog.text]
    pages = ["/desk/accounts/", "/desk/", "/desk/settings/", "/desk/accounts/forget"]
    pages.append(f"/desk/accounts/connect/standin?again={account.pk}")
    shown += [client.get(page).content.decode() for page in pages]
    shown += moves.recorded_texts()
    for text in shown:
        assert SECRET not in text
        assert "token of" not in text
        assert row.secret not in text
