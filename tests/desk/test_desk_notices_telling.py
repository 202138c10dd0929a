"""Telling: once, again where it is worse, as a reminder, and never lost because a server was."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from conftest import START
from folkmoot.channels.email import Handed, NotNow, NotTaken, Unsure
from folkmoot.desk.notices import actions, letters, telling
from folkmoot.desk.notices import queries as notices
from folkmoot.desk.notices.models import Heartbeat, Standing, Telling
from folkmoot.desk.notices.needs import Need, Page, Urgency
from folkmoot.desk.notices.queries import TargetKind
from folkmoot.desk.notices.wording import Item, as_letter, as_text, plan_time, write_message
from folkmoot.desk.records.queries import list_history

LONDON = ZoneInfo("Europe/London")


def need(key="account/1/unwell", urgency=Urgency.NOW, what="Our Bluesky cannot post."):
    return Need(key, "account", urgency, what, "Diagnose it.", Page("accounts"))


@pytest.fixture
def post(monkeypatch):
    """A mail server that does as it is told, and keeps what it took."""

    class Post:
        def __init__(self):
            self.letters, self.answers, self.closed = [], [], 0

        def hand_over(self, letter):
            answer = self.answers.pop(0) if self.answers else Handed()
            if isinstance(answer, BaseException):
                raise answer
            if not isinstance(answer, NotNow | NotTaken):
                self.letters.append(letter)
            return answer

        def close(self):
            self.closed += 1

    post = Post()
    monkeypatch.setattr(letters, "open_transport", lambda: post)
    return post


@pytest.fixture
def stands(monkeypatch):
    """What stands, as the test says."""
    needs = []
    monkeypatch.setattr(
        telling, "list_needs", lambda body, _now: needs if body.slug == "moot" else []
    )
    return needs


def add(cast, address="duty@moot.example", urgencies=("now", "today"), quiet=None):
    return actions.add_target(
        cast.dan,
        kind=TargetKind.EMAIL,
        name="",
        address=address,
        urgencies=[Urgency(one) for one in urgencies],
        quiet=quiet,
        now=cast.clock(),
    )


def go_on(cast, times=8, **step):
    """Let the worker go round, ten seconds at a time unless the test says otherwise."""
    for _ in range(times):
        telling.work(cast.clock)
        cast.clock.pass_(**(step or {"seconds": 10}))


def test_a_need_is_told_once_however_often_it_is_seen(cast, post, stands):
    add(cast)
    stands.append(need())
    go_on(cast, 60)
    (letter,) = post.letters
    assert letter.to == "duty@moot.example"
    assert letter.subject == "Mootshire Council, now: Our Bluesky cannot post."
    assert "http://testserver/desk/accounts/" in letter.text
    assert "http://testserver/desk/duty/" in letter.text
    assert post.closed == 1


def test_what_rights_itself_within_half_a_minute_is_told_to_nobody(cast, post, stands):
    add(cast)
    stands.append(need())
    go_on(cast, 3)
    stands.clear()
    go_on(cast, 30)
    assert post.letters == []
    assert not Standing.objects.exists()


def test_what_is_over_is_forgotten_so_that_it_is_told_when_it_comes_back(cast, post, stands):
    add(cast)
    for _ in range(2):
        stands.append(need())
        go_on(cast)
        stands.clear()
        go_on(cast, 20)
    assert len(post.letters) == 2


def test_what_comes_and_goes_is_one_need(cast, post, stands):
    add(cast)
    for _ in range(6):
        stands[:] = [need()]
        go_on(cast, 5)
        stands.clear()
        go_on(cast, 5)
    assert len(post.letters) == 1


def test_what_becomes_more_urgent_is_told_again_and_what_becomes_less_is_not(cast, post, stands):
    add(cast)
    stands[:] = [need(urgency=Urgency.TODAY)]
    go_on(cast)
    stands[:] = [need(urgency=Urgency.NOW)]
    go_on(cast)
    stands[:] = [need(urgency=Urgency.TODAY)]
    go_on(cast)
    assert [letter.subject.split(",")[1][:5] for letter in post.letters] == [" toda", " now:"]


def test_what_is_needed_now_is_told_again_after_half_an_hour_and_then_ever_more_rarely(
    cast, post, stands
):
    add(cast)
    stands[:] = [need(), need("missed", Urgency.TODAY, "A post was missed.")]
    go_on(cast)
    assert len(post.letters) == 1
    started = cast.clock()
    told = []
    while cast.clock() - started < timedelta(hours=8):
        before = len(post.letters)
        go_on(cast, 1, minutes=1)
        if len(post.letters) > before:
            told.append(round((cast.clock() - started).total_seconds() / 3600, 1))
    assert told == [0.5, 1.5, 3.5, 7.5]
    assert "still: Our Bluesky" in post.letters[1].subject
    assert "missed" not in post.letters[1].text


def test_each_target_hears_of_the_urgencies_it_wants(cast, post, stands):
    add(cast, "now@moot.example", ["now"])
    add(cast, "all@moot.example", ["now", "today", "soon"])
    stands[:] = [need("a", Urgency.SOON, "Soon."), need("b", Urgency.NOW, "At once.")]
    go_on(cast)
    said = {letter.to: letter.text for letter in post.letters}
    assert "Soon." not in said["now@moot.example"]
    assert "Soon." in said["all@moot.example"]
    assert len(post.letters) == 2


def test_who_is_added_later_is_told_of_what_stands(cast, post, stands):
    stands.append(need())
    go_on(cast)
    add(cast)
    go_on(cast)
    assert len(post.letters) == 1


def test_another_bodys_needs_are_none_of_ours(cast, post, stands):
    actions.add_target(
        cast.mallory,
        kind=TargetKind.EMAIL,
        name="",
        address="mallory@other.example",
        urgencies=list(Urgency),
        quiet=None,
        now=cast.clock(),
    )
    stands.append(need())
    go_on(cast)
    assert post.letters == []


# When a server does not do as it should


def test_what_was_not_taken_is_tried_again_until_it_is(cast, post, stands):
    target = add(cast)
    stands.append(need())
    post.answers = [NotNow("It is away."), NotNow("It is away.")]
    go_on(cast, 5)
    target.refresh_from_db()
    assert target.trouble == "It is away."
    assert post.letters == []
    go_on(cast, 20)
    target.refresh_from_db()
    assert len(post.letters) == 1
    assert target.trouble == ""


def test_a_message_whose_answer_was_lost_may_come_twice_and_never_not_at_all(cast, post, stands):
    add(cast)
    stands.append(need())
    post.answers = [Unsure("No answer.")]
    go_on(cast, 30)
    assert len(post.letters) == 2


def test_a_clear_no_is_given_up_and_told_to_the_others_but_not_to_itself(cast, post, stands):
    gone, other = add(cast, "gone@moot.example"), add(cast, "other@moot.example")
    stands.append(need())
    post.answers = [NotTaken("There is no such mailbox.")]
    go_on(cast, 5)
    gone.refresh_from_db()
    assert [one.state for one in gone.tellings.all()] == ["failed"]
    untold = next(n for n in notices.list_needs(cast.body, cast.clock()) if n.kind == "untold")
    assert "gone@moot.example could not be told" in untold.what
    assert "no such mailbox" in untold.what
    stands.append(untold)
    post.letters.clear()
    go_on(cast)
    assert {letter.to for letter in post.letters} == {other.address}


def test_a_message_is_given_up_after_some_hours_not_tried_for_ever(cast, post, stands):
    target = add(cast)
    stands.append(need(urgency=Urgency.TODAY))
    post.answers = [NotNow("It is away.")] * 100
    go_on(cast, 300, minutes=1)
    assert [one.state for one in target.tellings.all()] == ["failed"]
    assert 100 - len(post.answers) == telling.MOST_TRIES


def test_a_fault_of_our_own_is_said_and_keeps_no_other_back(cast, post, stands):
    broken, other = add(cast, "one@moot.example"), add(cast, "two@moot.example")
    stands.append(need())
    post.answers = [RuntimeError("boom")]
    go_on(cast, 6)
    broken.refresh_from_db()
    assert "fault in this program" in broken.trouble
    assert [letter.to for letter in post.letters] == [other.address]


def test_a_worker_that_died_while_telling_leaves_it_to_the_next_after_its_lease(cast, post, stands):
    class Killed(BaseException):
        pass

    add(cast)
    stands.append(need())
    post.answers = [Killed()]
    with pytest.raises(Killed):
        go_on(cast)
    go_on(cast, 3)
    assert post.letters == []  # its lease still runs
    go_on(cast, 30)
    assert len(post.letters) == 1


def test_two_workers_tell_it_once(cast, post, stands):
    target = add(cast)
    stands.append(need())
    go_on(cast, 5)
    assert Telling.objects.update(state="waiting", told_at=None, claim="", lease_until=None) == 1
    post.letters.clear()

    class Beside:
        """The other worker comes round while this one hands over."""

        def hand_over(self, letter):
            post.letters.append(letter)
            assert telling._tell(target, cast.clock) == 0
            return Handed()

        def close(self):
            pass

    letters.open_transport = Beside  # the fixture's patch puts the real one back
    telling._tell(target, cast.clock)
    assert len(post.letters) == 1


# Not too many, and not at night


def test_everything_that_waits_for_somebody_is_one_message(cast, post, stands):
    add(cast)
    stands[:] = [need(f"n/{one}", what=f"Thing {one} is wrong.") for one in range(20)]
    go_on(cast)
    (letter,) = post.letters
    assert letter.subject == "Mootshire Council: 20 things need a person (20 now)"
    assert "Thing 14 is wrong." in letter.text
    assert "And 5 more." in letter.text


def test_there_are_at_most_twelve_messages_an_hour_and_then_one_of_all_the_rest(cast, post, stands):
    add(cast)
    for one in range(60):
        stands.append(need(f"n/{one}", Urgency.TODAY, f"Thing {one} is wrong."))
        go_on(cast, 1, seconds=58)
    assert len(post.letters) == 12
    assert "What comes next is told together" in post.letters[-1].text
    assert "What comes next" not in post.letters[-2].text
    go_on(cast, 6, seconds=60)
    assert len(post.letters) > 12
    assert "things need a person" in post.letters[12].subject


@pytest.mark.parametrize(
    ("quiet", "at", "told_at"),
    [
        ((time(22), time(7)), "2026-11-20T23:30", "2026-11-21T07:00"),
        ((time(22), time(7)), "2026-11-21T06:59", "2026-11-21T07:00"),
        ((time(22), time(7)), "2026-11-21T07:00", "2026-11-21T07:00"),
        ((time(22), time(7)), "2026-11-21T21:59", "2026-11-21T21:59"),
        ((time(12), time(14)), "2026-11-21T12:00", "2026-11-21T14:00"),
        ((time(12), time(14)), "2026-11-21T14:30", "2026-11-21T14:30"),
        ((time(22), time(7)), "2026-07-01T21:30", "2026-07-02T06:00"),  # 22:30 in London
        ((time(22), time(7)), "2026-10-24T23:30", "2026-10-25T07:00"),  # the clocks go back
    ],
)
def test_in_quiet_hours_only_what_is_needed_now_is_told(quiet, at, told_at):
    now = datetime.fromisoformat(at).replace(tzinfo=UTC)
    wanted = datetime.fromisoformat(told_at).replace(tzinfo=UTC)
    assert plan_time(Urgency.TODAY, quiet, now, LONDON) == wanted
    assert plan_time(Urgency.NOW, quiet, now, LONDON) == now
    assert plan_time(Urgency.TODAY, None, now, LONDON) == now


def test_what_is_over_before_the_quiet_hours_are_is_never_told(cast, post, stands):
    add(cast, quiet=(time(8), time(17)))  # it is nine
    stands.append(need(urgency=Urgency.TODAY))
    go_on(cast)
    assert post.letters == []
    stands.clear()
    go_on(cast, 15, hours=1)
    assert post.letters == []
    assert not Telling.objects.filter(state="waiting").exists()


def test_what_still_stands_when_the_quiet_hours_end_is_told_then(cast, post, stands):
    add(cast, quiet=(time(8), time(17)))
    stands.append(need(urgency=Urgency.TODAY))
    go_on(cast)
    go_on(cast, 8 * 60 + 5, minutes=1)
    assert len(post.letters) == 1


# The words


def test_a_message_says_what_and_where_in_text_and_in_html():
    items = [
        Item("need", Urgency.TODAY, "A & B <c> was missed.", "Look.", "http://desk.example/1"),
        Item("reminder", Urgency.NOW, "It stands.", "Start it.", ""),
    ]
    message = write_message("Mootshire", items, duty_address="http://desk.example/duty/")
    assert message.title == "Mootshire: 2 things need a person (1 now, 1 today)"
    assert as_text(message) == (
        "Now, still: It stands.\nStart it.\n\n"
        "Today: A & B <c> was missed.\nLook.\nhttp://desk.example/1\n\n"
        "Everything that needs a person: http://desk.example/duty/"
    )
    letter = as_letter(
        message, reference="0" * 32, to="a@b.example", sender_name="M", domain="d", at=START
    )
    assert "A &amp; B &lt;c&gt; was missed." in letter.html
    assert 'href="http://desk.example/1"' in letter.html
    assert letter.html.count("See to it") == 1


# The heartbeat


def test_the_worker_says_that_it_goes_and_writes_no_more_often_than_it_must(db):
    assert notices.is_worker_still(START)
    actions.beat(START)
    actions.beat(START + timedelta(seconds=4))
    assert notices.find_beat() == START
    actions.beat(START + timedelta(seconds=5))
    assert notices.find_beat() == START + timedelta(seconds=5)
    assert not notices.is_worker_still(START + timedelta(seconds=35))
    assert notices.is_worker_still(START + timedelta(seconds=36))
    actions.beat(START - timedelta(hours=1))  # the clock was put back
    assert not notices.is_worker_still(START - timedelta(hours=1))


def test_a_monitor_is_told_of_a_worker_that_stands_still(cast):
    answer = cast.client().get("/healthy")
    assert answer.status_code == 503
    assert answer.json()["worker_goes"] is False
    actions.beat(datetime.now(UTC))
    answer = cast.client().get("/healthy")
    assert answer.status_code == 200
    assert answer.json()["worker_goes"] is True
    Heartbeat.objects.update(at=datetime.now(UTC) - timedelta(seconds=31))
    assert cast.client().get("/healthy").status_code == 503


# Who is told, and by whom that is said


def test_adding_changing_and_removing_leave_entries_and_no_address_behind(cast, post, stands):
    target = add(cast)
    actions.change_target(
        cast.dan, target.pk, urgencies=[Urgency.SOON], quiet=(time(22), time(7)), now=cast.clock()
    )
    stands.append(need(urgency=Urgency.SOON))
    go_on(cast, 5)
    actions.remove_target(cast.dan, target.pk, now=cast.clock())
    kinds = [entry.kind for entry in list_history(f"notice_target/{target.pk}")]
    assert sorted(kinds) == [
        "notice_target.added",
        "notice_target.changed",
        "notice_target.removed",
    ]
    target.refresh_from_db()
    assert target.address == ""
    assert notices.list_targets(cast.body) == []
    post.letters.clear()
    go_on(cast)
    assert post.letters == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"address": "nobody"}, "Enter an e-mail address"),
        ({"urgencies": []}, "at least one urgency"),
        ({"quiet": (time(7), time(7))}, "begin and end at the same time"),
        ({"kind": TargetKind.CHAT, "address": "json://127.0.0.1/"}, "json:// is not used here"),
        ({"kind": TargetKind.CHAT, "address": "https://c.example/hooks/x", "name": " "}, "name"),
    ],
)
def test_who_cannot_be_told_is_refused_in_words_and_nothing_is_kept(cast, change, words):
    given = {
        "kind": TargetKind.EMAIL,
        "name": "Duty",
        "address": "duty@moot.example",
        "urgencies": [Urgency.NOW],
        "quiet": None,
        "now": cast.clock(),
    }
    with pytest.raises(actions.NoticeRefused, match=words):
        actions.add_target(cast.dan, **{**given, **change})
    assert notices.list_targets(cast.body) == []


def test_only_an_admin_of_the_body_says_who_is_told(cast):
    target = add(cast)
    with pytest.raises(actions.NoticeRefused, match="in the list already"):
        add(cast, "duty@MOOT.example")
    for member, words in ((cast.alice, "Only an admin"), (cast.mallory, "not in the list")):
        for act in (actions.remove_target, actions.ask_test):
            with pytest.raises(actions.NoticeRefused, match=words):
                act(member, target.pk, now=cast.clock())


def test_a_test_goes_out_at_once_by_itself_and_its_failure_is_shown(cast, post, stands):
    target = add(cast, quiet=(time(0), time(23, 59)))
    actions.ask_test(cast.dan, target.pk, now=cast.clock())
    actions.ask_test(cast.dan, target.pk, now=cast.clock())  # pressed twice
    go_on(cast, 2)
    (letter,) = post.letters
    assert letter.subject == "Mootshire Council: a test"
    assert notices.find_test(target).state == "told"
    post.answers = [NotNow("It is away.")]
    actions.ask_test(cast.dan, target.pk, now=cast.clock())
    go_on(cast, 2)
    test = notices.find_test(target)
    assert (test.state, test.trouble) == ("failed", "It is away.")
    actions.ask_test(cast.dan, target.pk, now=cast.clock())
    go_on(cast, 2)
    target.refresh_from_db()
    assert target.trouble == ""


def test_without_a_mail_server_an_email_is_given_up_with_what_to_set(cast, stands):
    target = add(cast)
    actions.ask_test(cast.dan, target.pk, now=cast.clock())
    go_on(cast, 1)
    assert "FOLKMOOT_SMTP" in notices.find_test(target).trouble
