"""Accounts: tokens that open in one place alone, and are shown nowhere."""

from __future__ import annotations

import html
import logging
from types import SimpleNamespace

import desk_moves as moves
import pytest
from django.conf import settings

from folkmoot.desk.accounts import actions, vault
from folkmoot.desk.accounts.adapters import SealedSessions, build_adapter
from folkmoot.desk.accounts.models import Account
from folkmoot.desk.accounts.vault import VaultError, seal, unseal
from folkmoot.desk.records.models import Entry, FieldValue, Intent

SECRET = "abcd-efgh-ijkl-mnop"
PLACE = "account/1/secret"


@pytest.fixture
def key_file():
    file = settings.CONFIG.key_file("vault.key")
    seal(PLACE, "so that it is there")
    before = file.read_text()
    yield file
    file.write_text(before)


@pytest.mark.parametrize("secret", ["", "x", SECRET, "naïve 👨‍👩‍👧‍👦", "y" * 10_000])
def test_what_is_sealed_opens_in_its_place(secret):
    assert unseal(PLACE, seal(PLACE, secret)) == secret


def test_the_same_secret_is_never_sealed_alike():
    assert len({seal(PLACE, SECRET) for _ in range(20)}) == 20


def test_a_token_moved_to_another_row_does_not_open():
    sealed = seal(PLACE, SECRET)
    for place in ("account/2/secret", "account/1/session", "", "account/1/secret "):
        with pytest.raises(VaultError, match="moved from another account"):
            unseal(place, sealed)


def test_a_token_cut_short_anywhere_does_not_open():
    sealed = seal(PLACE, SECRET)
    for length in range(len(sealed)):
        with pytest.raises(VaultError):
            unseal(PLACE, sealed[:length])


def test_a_token_with_any_byte_changed_added_or_taken_does_not_open():
    sealed = seal(PLACE, SECRET)
    for place in range(len(sealed)):
        for other in "A9_=.!é\n":
            for changed in (
                sealed[:place] + other + sealed[place + 1 :],
                sealed[:place] + other + sealed[place:],
                sealed[:place] + sealed[place + 1 :],
            ):
                if changed != sealed:
                    with pytest.raises(VaultError):
                        unseal(PLACE, changed)


def test_a_token_sealed_with_another_key_says_to_put_the_old_key_back(key_file):
    sealed = seal(PLACE, SECRET)
    key_file.write_text("another key")
    with pytest.raises(VaultError, match="Put the old key back as a further line"):
        unseal(PLACE, sealed)


def test_a_new_first_line_is_the_new_key_and_the_old_still_opens(key_file):
    old = seal(PLACE, SECRET)
    key_file.write_text("brand-new-key\n" + key_file.read_text())
    new = seal(PLACE, SECRET)
    assert new.partition(".")[0] != old.partition(".")[0]
    assert unseal(PLACE, old) == unseal(PLACE, new) == SECRET
    key_file.write_text("brand-new-key\n")
    assert unseal(PLACE, new) == SECRET
    with pytest.raises(VaultError):
        unseal(PLACE, old)


def test_an_empty_key_file_seals_nothing(key_file):
    key_file.write_text("\n")
    with pytest.raises(VaultError, match="key file is empty"):
        seal(PLACE, SECRET)


# Connecting


def connect(cast, *, trouble=None, monkeypatch=None, who=None, **change):
    if monkeypatch is not None:
        healthy = SimpleNamespace(diagnose=lambda: trouble)
        monkeypatch.setattr(actions, "build_adapter", lambda *_, **__: healthy)
    given = {
        "channel": "bluesky",
        "name": "",
        "handle": "@Moot.Example ",
        "server": "https://pds.example/",
        "secret": SECRET,
        **change,
    }
    return actions.connect(who or cast.dan, now=cast.clock(), **given)


def kept():
    return Account.objects.count(), Intent.objects.count() + Entry.objects.count()


def test_a_connected_account_keeps_its_password_sealed_for_its_own_row(cast, monkeypatch):
    account = connect(cast, monkeypatch=monkeypatch)
    row = Account.objects.get(pk=account.pk)
    assert (row.handle, row.server, row.name) == (
        "moot.example",
        "https://pds.example",
        "@moot.example",
    )
    assert SECRET not in row.secret
    assert unseal(f"account/{row.pk}/secret", row.secret) == SECRET


def test_a_channel_that_says_no_leaves_nothing(cast, monkeypatch):
    before = kept()
    with pytest.raises(actions.AccountRefused, match="does not accept"):
        connect(cast, trouble="The server does not accept this password.", monkeypatch=monkeypatch)
    assert kept() == before


WRONG = {
    "no handle": {"handle": " @ "},
    "no password": {"secret": ""},
    "no server": {"server": ""},
    "a file": {"server": "file:///etc/passwd"},
    "a server with a path": {"server": "https://bsky.social/xrpc"},
    "a server with a user": {"server": "https://me@bsky.social"},
    "a server with a question": {"server": "https://bsky.social?x=1"},
    "no real address": {"server": "https://[oops"},
    "an address inside": {"server": "http://127.0.0.1:9"},
    "a cloud's own address": {"server": "http://169.254.169.254"},
    "a long handle": {"handle": "x" * 400},
    "a long name": {"name": "x" * 400},
    "a long server": {"server": f"https://{'x.' * 200}example"},
    "another channel": {"channel": "x"},
    "a mark of nothing": {"handle": "moot\0.example"},
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_connected_is_refused_in_words_and_leaves_nothing(cast, case):
    before = kept()
    with pytest.raises(actions.AccountRefused) as refused:
        connect(cast, **WRONG[case])
    assert str(refused.value).endswith((".", ". "))
    assert kept() == before
    if "channel" not in WRONG[case]:
        form = {"handle": "moot.example", "server": "https://pds.example", "secret": SECRET}
        answer = cast.client(cast.dan).post("/desk/accounts/connect", {**form, **WRONG[case]})
        page = html.unescape(answer.content.decode())
        assert answer.status_code == 422
        assert "There is a problem" in page
        assert SECRET not in page
        assert kept() == before


def test_an_account_is_connected_once_at_a_time(cast, monkeypatch):
    first = connect(cast, monkeypatch=monkeypatch)
    with pytest.raises(actions.AccountRefused, match="is connected already"):
        connect(cast)
    actions.disconnect(cast.dan, first.pk, now=cast.clock())
    assert connect(cast).pk != first.pk


@pytest.mark.parametrize("who", ["alice", "bob", "carol"])
def test_only_an_admin_connects_and_disconnects(cast, monkeypatch, who):
    account = connect(cast, monkeypatch=monkeypatch)
    before = kept()
    member = getattr(cast, who)
    with pytest.raises(actions.AccountRefused, match="Only an admin"):
        connect(cast, who=member, handle="other.example")
    for verb in ("diagnose", "disconnect"):
        page = cast.client(member).post(f"/desk/accounts/{account.pk}/{verb}", follow=True)
        assert "Only an admin can connect and disconnect accounts." in page.content.decode()
    assert kept() == before
    assert Account.objects.get(pk=account.pk).disconnected_at is None


def test_an_admin_of_another_body_finds_no_such_account(cast, monkeypatch):
    account = connect(cast, monkeypatch=monkeypatch)
    for act in (
        lambda: actions.disconnect(cast.mallory, account.pk, now=cast.clock()),
        lambda: actions.diagnose(cast.mallory, account.pk),
    ):
        with pytest.raises(actions.AccountRefused, match="There is no such account"):
            act()
    assert Account.objects.get(pk=account.pk).secret


def test_disconnecting_forgets_the_tokens(cast, monkeypatch):
    account = connect(cast, monkeypatch=monkeypatch)
    Account.objects.filter(pk=account.pk).update(
        session=seal(f"account/{account.pk}/session", "{}")
    )
    actions.disconnect(cast.dan, account.pk, now=cast.clock())
    row = Account.objects.get(pk=account.pk)
    assert (row.secret, row.session) == ("", "")
    with pytest.raises(VaultError, match="it has been disconnected"):
        build_adapter(row)
    assert "@moot.example" not in cast.client(cast.dan).get("/desk/accounts/").content.decode()


def test_a_post_to_an_account_disconnected_after_sign_off_does_not_leave(cast, monkeypatch):
    with monkeypatch.context() as patched:
        account = connect(cast, monkeypatch=patched)
    draft = moves.signed(cast, cast.content(accounts=[account, cast.feed]))
    actions.disconnect(cast.dan, account.pk, now=cast.clock())
    moves.work(cast)
    assert moves.again(cast, draft).state == "unsent"


def test_a_password_is_in_no_page_no_entry_no_log_and_no_repr(cast, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    with monkeypatch.context() as patched:
        account = connect(cast, monkeypatch=patched, server="http://127.0.0.1:9")
    row = Account.objects.get(pk=account.pk)
    adapter = build_adapter(row)
    draft = moves.signed(cast, cast.content(accounts=[row]))
    moves.work(cast, times=2)  # nothing listens there
    client = cast.client(cast.dan)
    shown = [repr(adapter), repr(vars(adapter) if hasattr(adapter, "__dict__") else "")]
    shown += [repr(row), repr(SealedSessions(row)), caplog.text]
    for address in ("/desk/accounts/", "/desk/", f"/desk/drafts/{draft.pk}", "/desk/settings/"):
        shown.append(client.get(address).content.decode())
    shown += FieldValue.objects.values_list("value", flat=True)
    for text in shown:
        assert SECRET not in text
        assert row.secret not in text
    assert vault.NONCE_BYTES == 12


def test_diagnosing_an_account_whose_token_does_not_open_says_so_on_the_page(cast, monkeypatch):
    with monkeypatch.context() as patched:
        account = connect(cast, monkeypatch=patched)
    Account.objects.filter(pk=account.pk).update(secret="rubbish")
    page = cast.client(cast.dan).post(f"/desk/accounts/{account.pk}/diagnose", follow=True)
    assert "Put the old key back" in page.content.decode()
