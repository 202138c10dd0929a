"""What the worker does for accounts, what is told of them, and the command line."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import standin_kind as standin
from django.conf import settings

from folkmoot.channels import Pace, Seen, Unreadable
from folkmoot.desk.accounts import actions, cli, queries, watching
from folkmoot.desk.accounts.connecting import SigningIn
from folkmoot.desk.accounts.models import Account
from folkmoot.desk.accounts.tokens import place_of
from folkmoot.desk.accounts.vault import unseal

door = standin.door
APP = {"client_id": "an-app", "client_secret": "app-secret"}


def work(cast):
    return actions.work(cast.clock)


def ask(cast, account):
    cast.clock.pass_(seconds=1)
    actions.ask_diagnosis(cast.dan, [account.pk], now=cast.clock())


# Diagnosing


def test_the_worker_answers_who_asked_and_nobody_else_can(cast, door):
    account = standin.connect(cast)
    door.trouble = "The password was changed there. Connect it again."
    ask(cast, account)
    assert standin.again(account).trouble == ""
    cast.clock.pass_(seconds=2)
    assert work(cast) == 1
    row = standin.again(account)
    assert row.trouble == door.trouble
    assert row.diagnosed_at == cast.clock()
    assert [one.sentence for one in queries.list_troubles(row)] == [door.trouble]
    cast.clock.pass_(seconds=2)
    work(cast)
    assert work(cast) == 0
    door.trouble = None
    ask(cast, account)
    work(cast)
    assert standin.again(account).trouble == ""


def test_one_account_is_asked_about_at_a_time_and_the_longest_waiting_first(cast, door):
    one, two = (standin.connect(cast, handle=f"{name}.example") for name in "ab")
    cast.clock.pass_(minutes=1)
    ask(cast, two)
    cast.clock.pass_(seconds=1)
    ask(cast, one)
    door.seen.clear()
    work(cast)
    assert [handle for handle, _ in door.seen] == ["b.example"]
    work(cast)
    assert [handle for handle, _ in door.seen] == ["b.example", "a.example"]


def test_what_does_not_open_is_said_in_words(cast, door):
    account = standin.connect(cast)
    Account.objects.filter(pk=account.pk).update(secret="rubbish")
    ask(cast, account)
    work(cast)
    assert "Put the old key back" in standin.again(account).trouble


def test_a_fault_of_ours_is_logged_and_keeps_nobody_else_waiting(cast, door, monkeypatch, caplog):
    account = standin.connect(cast)
    ask(cast, account)
    monkeypatch.setattr(standin.Adapter, "diagnose", lambda _: 1 / 0)
    work(cast)
    assert "could not be diagnosed" in caplog.text
    assert "met a fault" in standin.again(account).trouble
    cast.clock.pass_(seconds=1)
    assert [work(cast), work(cast)] == [1, 0]  # it looked when the sign-in ends, and is done


def test_only_the_last_troubles_are_kept_and_a_lasting_one_once(cast, door):
    account = standin.connect(cast)
    for number in range(30):
        for _ in range(2):
            actions.note_health(account, f"Trouble {number}.", cast.clock())
    assert account.troubles.count() == watching.TROUBLES_KEPT
    assert queries.list_troubles(account, 1)[0].sentence == "Trouble 29."


# The end of a sign-in


def test_when_a_sign_in_ends_is_looked_at_once_an_hour(cast, door):
    account = standin.connect(cast)
    assert work(cast) == 1
    door.ends_at = cast.clock() + timedelta(days=60)
    cast.clock.pass_(minutes=59)
    assert work(cast) == 0
    assert standin.again(account).sign_in_ends_at is None
    cast.clock.pass_(minutes=1)
    assert work(cast) == 1
    assert standin.again(account).sign_in_ends_at == door.ends_at
    assert len(door.seen) == 1  # nobody was asked but when it was connected


def told(cast):
    return [(one.sentence, one.urgent) for one in queries.list_unwell(cast.body, cast.clock())]


def test_the_end_of_a_sign_in_is_told_two_weeks_before_and_more_strongly_at_last(cast, door):
    ends_at = cast.clock() + timedelta(days=20)  # Thursday 10 December
    door.ends_at = ends_at
    standin.connect(cast)
    work(cast)
    assert told(cast) == []
    cast.clock.now = ends_at - timedelta(days=14)
    calm = "The sign-in ends on Thursday 10 December; connect it again before then."
    assert told(cast) == [(calm, False)]
    cast.clock.now = ends_at - timedelta(days=3)
    ((said, urgent),) = told(cast)
    assert urgent
    assert "Connect it again now: nothing goes out after that." in said
    cast.clock.now = ends_at
    ((said, urgent),) = told(cast)
    assert urgent
    assert "Nothing goes out until it is connected again." in said


def test_a_post_is_told_of_a_sign_in_that_will_have_ended_by_its_time(cast, door):
    ends_at = cast.clock() + timedelta(days=20)
    door.ends_at = ends_at
    account = standin.connect(cast)
    assert queries.find_trouble_at(account, ends_at - timedelta(seconds=1)) == ""
    said = queries.find_trouble_at(account, ends_at)
    assert "ends on Thursday 10 December, before this post is due" in said
    assert queries.find_trouble_at(cast.feed, ends_at) == ""


def test_a_trouble_is_told_rather_than_an_end(cast, door):
    door.ends_at = cast.clock() + timedelta(days=1)
    account = standin.connect(cast)
    actions.note_health(account, "It was suspended.", cast.clock())
    assert told(cast) == [("It was suspended.", True)]


# Signing in on the channel's own page


def begin(cast, **change):
    made = standin.propose(cast, channel="pagein", **{**APP, **change})
    assert isinstance(made, SigningIn)
    return json.loads(json.dumps(made.to_session()))


def come_back(cast, kept, who=None, **answer):
    given = {"code": "a-code", "state": kept["state"] if kept else "", **answer}
    return actions.propose_signed_in(who or cast.dan, kept, answer=given, now=cast.clock())


def test_somebody_who_signed_in_there_leaves_a_proposal_that_the_worker_finishes(cast, door):
    kept = begin(cast)
    assert Account.objects.count() == 2
    assert "app-secret" not in json.dumps(kept)
    account = come_back(cast, kept)
    assert account.grant
    assert "a-code" not in account.grant
    with pytest.raises(actions.AccountRefused, match="has not been asked yet"):
        actions.confirm(cast.bob, account.pk, now=cast.clock())
    door.ends_at = cast.clock() + timedelta(days=60)
    assert work(cast) == 1
    ((code, verifier, address, secrets),) = door.exchanged
    assert (code, verifier, secrets["client_secret"]) == ("a-code", kept["verifier"], "app-secret")
    assert address == "http://testserver/desk/accounts/callback"
    row = standin.again(account)
    assert (row.grant, row.trouble, row.sign_in_ends_at) == ("", "", door.ends_at)
    assert json.loads(unseal(place_of(row, "tokens"), row.tokens))["access"] == "token for a-code"
    assert actions.confirm(cast.bob, account.pk, now=cast.clock()).state == "connected"


def test_a_code_the_channel_does_not_take_is_told_and_confirmed_by_nobody(cast, door):
    door.code_wrong = "Pagein does not take this sign-in any more. Connect the account again."
    account = come_back(cast, begin(cast))
    work(cast)
    row = standin.again(account)
    assert (row.trouble, row.grant, row.tokens) == (door.code_wrong, "", "")
    with pytest.raises(actions.AccountRefused, match="does not let it in"):
        actions.confirm(cast.bob, account.pk, now=cast.clock())
    assert work(cast) == 0


def test_an_account_that_signed_in_and_may_not_post_is_confirmed_by_nobody(cast, door):
    account = come_back(cast, begin(cast))
    door.trouble = "The account may not post."
    work(cast)
    with pytest.raises(actions.AccountRefused, match="may not post"):
        actions.confirm(cast.bob, account.pk, now=cast.clock())


def test_a_worker_that_died_after_the_exchange_does_not_use_the_code_again(cast, door):
    account = come_back(cast, begin(cast))
    grant = account.grant
    work(cast)
    Account.objects.filter(pk=account.pk).update(grant=grant, diagnosed_at=None)
    work(cast)
    assert len(door.exchanged) == 1
    assert standin.again(account).trouble == ""


@pytest.mark.parametrize("answer", [{"state": "another"}, {"state": ""}, {"state": "é"}])
def test_an_answer_that_belongs_to_no_sign_in_of_ours_leaves_nothing(cast, door, answer):
    with pytest.raises(actions.AccountRefused, match="not begun here"):
        come_back(cast, begin(cast), **answer)
    with pytest.raises(actions.AccountRefused, match="not begun here"):
        come_back(cast, None, **answer)
    assert Account.objects.count() == 2


def test_a_sign_in_is_good_for_ten_minutes(cast, door):
    kept = begin(cast)
    cast.clock.pass_(minutes=10, seconds=1)
    with pytest.raises(actions.AccountRefused, match="more than ten minutes ago"):
        come_back(cast, kept)


def test_a_person_who_said_no_there_leaves_nothing(cast, door):
    with pytest.raises(actions.AccountRefused, match="nobody said yes"):
        come_back(cast, begin(cast), code="", error="access_denied")
    assert Account.objects.count() == 2


# The command line


def channels(capsys, *words):
    status = cli.run(["channels", *words])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_diagnosing_from_the_command_line_asks_the_channel_and_says_all_it_knows(
    cast, door, capsys, monkeypatch
):
    account = standin.connect(cast, name="Our news")
    door.ends_at = cast.clock() + timedelta(days=20)
    actions.note_health(account, "It was closed for a day.", cast.clock())
    monkeypatch.setattr(standin.Adapter, "list_recent", lambda *_: Unreadable("No."), raising=False)
    for words in (str(account.pk), "moot.example", "@Moot.Example", "our news"):
        status, said, _ = channels(capsys, "diagnose", words)
        assert status == 0
        assert "Our news: moot.example on Standin at https://standin.example" in said
        assert "The channel lets it in." in said
        assert "It can post." in said
        assert "The sign-in ends on Thursday 10 December 2026 at 09:00." in said
        assert "The channel states no limit." in said
        assert "It was closed for a day." in said
        assert standin.SECRET not in said
    assert standin.again(account).trouble == ""


def test_diagnosing_says_what_is_wrong_and_fails(cast, door, capsys):
    account = standin.connect(cast)
    door.trouble = "The password was changed there. Connect it again."
    status, said, _ = channels(capsys, "diagnose", "--all")
    assert status == 1
    assert door.trouble in said
    assert "It cannot post until that is put right." in said
    assert standin.again(account).trouble == door.trouble
    status, said, _ = channels(capsys, "list")
    assert status == 0
    assert door.trouble in said


def test_naming_no_account_is_told_in_a_sentence(cast, capsys):
    status, _, said = channels(capsys, "diagnose", "nobody.example")
    assert status == 2
    assert "there is no connected account 'nobody.example'" in said
    with pytest.raises(SystemExit) as ended:
        channels(capsys, "diagnose")
    assert ended.value.code == 2


def test_what_pace_is_left_is_counted_on_the_channel_itself(cast):
    class Slow:
        def capabilities(self):
            from dataclasses import replace

            return replace(standin.Adapter(None, None).capabilities(), pace=Pace(50, 86_400))

        def list_recent(self, limit):
            from datetime import UTC, datetime

            now = datetime.now(UTC)
            times = (now, now - timedelta(hours=23), now - timedelta(hours=25))
            return tuple(Seen("x", "", "", at) for at in times)

    assert cli._pace(Slow()) == "2 of 50 posts within 1 day are used; 48 are left."
    Slow.list_recent = lambda *_: Unreadable("It is closed.")
    assert "what was used cannot be read: It is closed." in cli._pace(Slow())


def test_the_worker_makes_the_keys_that_the_web_seals_with(cast):
    public = settings.CONFIG.key_file("vault.pub")
    public.unlink(missing_ok=True)
    work(cast)
    assert public.exists()
