"""What needs a person, worked out from what the other rooms say: one need for each cause."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace as Row

import pytest

from conftest import START
from folkmoot.desk.drafts.planned import Planned
from folkmoot.desk.mailing.queries import IssueSummary, MailState
from folkmoot.desk.notices.gathering import tell_needs
from folkmoot.desk.notices.needs import Need, Seen, Urgency
from folkmoot.desk.publishing.queries import DeliveryState, Told
from folkmoot.desk.stops.queries import Stop, StopKind, StopState

NOW = START


def ago(**amount):
    return NOW - timedelta(**amount)


def delivery(pk=1, state="waiting", *, draft_id=7, account_id=3, account="Our Bluesky", **more):
    due_at = more.pop("due_at", ago(minutes=5))
    given = {
        "pk": pk,
        "account": account,
        "account_id": account_id,
        "channel": "bluesky",
        "state": DeliveryState(state),
        "due_at": due_at,
        "not_after": due_at + timedelta(minutes=15),
        "sent_at": None,
        "removed_at": None,
        "url": "",
        "trouble": "Something is in its way.",
        "read_back": "",
        "read_back_note": "",
        "attempts": (),
        "draft_id": draft_id,
        "removes": False,
        "parts_live": 0,
        "offers": (),
    }
    return Told(**{**given, **more})


@dataclass
class Account:
    pk: int = 3
    name: str = "Our Bluesky"
    trouble: str = "The password is wrong."
    connected_at: object = NOW


def unwell(sentence="The password is wrong.", *, urgent=True, **account):
    return Row(account=Account(**account), sentence=sentence, urgent=urgent)


def planned(draft_id, at, state="awaiting_signoff"):
    return Planned(draft_id, 2, state, "post", None, None, "Secret words.", frozenset(), at, "", "")


def stop(state=StopState.IN_FORCE, **more):
    return Stop(
        pk=5,
        state=state,
        kind=StopKind.STOP,
        reason="The mayor has died",
        pressed_at=ago(hours=1),
        **more,
    )


def tell(**seen):
    return tell_needs(Seen(**{"beat_at": NOW, **seen}), NOW)


def kinds(needs):
    return [(need.kind, str(need.urgency)) for need in needs]


def test_where_nothing_is_wrong_nothing_needs_anybody():
    assert tell() == []


@pytest.mark.parametrize("beat_at", [None, ago(seconds=31), NOW + timedelta(minutes=5)])
def test_a_worker_that_is_not_heard_of_comes_first_and_with_what_waits_for_it(beat_at):
    old = delivery(state="incomplete", due_at=ago(days=1))
    needs = tell(beat_at=beat_at, oldest_due=ago(hours=2), troubled=[old])
    assert [need.kind for need in needs] == ["worker", "incomplete"]
    worker = needs[0]
    assert worker.urgency is Urgency.NOW
    assert "Posts that are due wait for it." in worker.what


def test_a_worker_heard_of_half_a_minute_ago_still_goes():
    assert tell(beat_at=ago(seconds=30)) == []


def test_a_post_that_is_overdue_without_a_cause_is_told_by_itself():
    assert kinds(tell(oldest_due=ago(minutes=3))) == [("overdue", "now")]


def test_a_restored_database_is_one_need_whatever_else_comes_of_it():
    fence = Row(fenced_reason="This database is a copy.", fenced_at=ago(minutes=1))
    needs = tell(
        fence=fence,
        refusal="12 entries are gone.",
        oldest_due=ago(minutes=5),
        troubled=[delivery(), delivery(2, draft_id=8)],
    )
    assert kinds(needs) == [("fence", "now")]
    assert "12 entries are gone." in needs[0].what
    assert needs[0].page.name == "stop"


def test_a_record_that_is_not_signed_is_told():
    assert kinds(tell(refusal="12 entries are gone.")) == [("record", "now")]


def test_what_a_stop_holds_is_told_with_the_stop():
    held = [
        delivery(pk, draft_id=pk, trouble="Publishing is stopped: The mayor has died.")
        for pk in (1, 2)
    ]
    (need,) = tell(stops=[stop()], troubled=held)
    assert (need.kind, need.urgency) == ("stop", Urgency.TODAY)
    assert "It holds 2 deliveries back." in need.what


def test_a_stop_that_is_not_in_force_yet_is_needed_now_and_says_what_is_on_its_way():
    (need,) = tell(stops=[stop(StopState.PRESSED)], on_their_way={5: 2})
    assert need.urgency is Urgency.NOW
    assert "2 posts had left before" in need.what


def test_an_account_and_the_posts_that_wait_for_it_are_one_need():
    waiting = [delivery(pk, draft_id=pk) for pk in (1, 2, 3)]
    watch = Row(account_id=3, account=Account(), trouble="Refused.", last_look_at=None)
    ahead = Row(pk=1, account_id=3, account=Account(), trouble="Refused.", draft_id=9, draft=None)
    (need,) = tell(unwell=[unwell()], troubled=waiting, watches=[watch], ahead=[ahead])
    assert need.urgency is Urgency.NOW
    assert need.what == "Our Bluesky: The password is wrong. 4 posts wait for it."
    assert need.page.name == "accounts"


def test_an_account_for_which_nothing_waits_can_wait_itself():
    ends = unwell("The sign-in ends on Friday.", urgent=False, pk=4, trouble="")
    needs = tell(unwell=[unwell(), ends], proposed=[Account(pk=9)])
    assert kinds(needs) == [("account", "today"), ("account", "soon"), ("proposed", "soon")]


def test_a_timeline_nobody_can_look_at_is_told_where_the_account_is_well():
    watch = Row(account_id=3, account=Account(), trouble="No answer", last_look_at=NOW)
    (need,) = tell(watches=[watch, Row(account_id=4, trouble="")])
    assert need.what.endswith("would not be seen: No answer.")


def test_pictures_that_cannot_be_handed_over_are_urgent_within_the_hour_of_their_post():
    def ahead(pk, due_at):
        draft = Row(due_at=due_at)
        return Row(
            pk=pk, account_id=3, account=Account(), trouble="Full.", draft_id=pk, draft=draft
        )

    needs = tell(ahead=[ahead(1, NOW + timedelta(hours=3)), ahead(2, NOW + timedelta(minutes=30))])
    assert [(need.page.given[0][1], str(need.urgency)) for need in needs] == [
        (2, "now"),
        (1, "today"),
    ]


def test_strangers_posts_on_one_account_are_one_need_and_a_further_one_a_new_matter():
    def alarm(pk, kind="unsigned", **more):
        row = Row(pk=pk, kind=kind, account_id=3, account=Account(), delivery_id=None, seen_at=NOW)
        row.__dict__.update(more)
        return row

    (first,) = tell(alarms=[alarm(1)])
    (second,) = tell(alarms=[alarm(1), alarm(2)])
    assert "1 post that nobody here signed stands on Our Bluesky" in first.what
    assert "2 posts that nobody here signed stand on Our Bluesky" in second.what
    assert first.key != second.key
    assert second.page.given == (("alarm_id", 1),)
    changed = alarm(3, kind="changed", delivery_id=1)
    told = delivery(state="sent", read_back="differs", sent_at=NOW)
    assert kinds(tell(alarms=[changed], troubled=[told])) == [("alarm", "now")]


@pytest.mark.parametrize(
    ("more", "kind", "urgency", "page"),
    [
        ({"state": "unconfirmed"}, "unconfirmed", "now", "decide"),
        ({"state": "unconfirmed", "removes": True}, "unconfirmed", "now", "decide"),
        ({"state": "incomplete"}, "incomplete", "now", "decide"),
        ({"state": "sent", "read_back": "differs"}, "differs", "now", "post"),
        ({"state": "sent", "read_back": "gone"}, "gone", "now", "post"),
        ({"state": "sent", "read_back": "unreadable"}, "unreadable", "today", "post"),
        ({"state": "missed"}, "missed", "today", "post"),
        ({"state": "refused"}, "refused", "today", "post"),
        ({"state": "waiting"}, "waits", "now", "post"),
    ],
)
def test_each_state_that_needs_a_person_has_its_words_and_its_page(more, kind, urgency, page):
    (need,) = tell(troubled=[delivery(**more)])
    assert (need.kind, need.urgency, need.page.name) == (kind, urgency, page)
    assert need.what.startswith(("Nobody", "Only", "What", "Post 7"))
    assert "post 7" in need.what.lower()
    assert need.what.endswith(".")
    assert need.do.endswith(".")


def test_one_post_missed_on_two_accounts_is_one_need():
    (need,) = tell(
        troubled=[delivery(1, "missed"), delivery(2, "missed", account_id=4, account="Our page")]
    )
    assert "Our Bluesky and Our page" in need.what


def test_what_is_found_out_by_itself_within_two_minutes_asks_nobody():
    sent = Row(what="send", started_at=ago(seconds=119), ended_at=ago(seconds=119))
    fresh = delivery(state="unconfirmed", attempts=(sent,))
    assert tell(troubled=[fresh, delivery(2, due_at=ago(seconds=119))]) == []
    sent.ended_at = ago(seconds=121)
    assert kinds(tell(troubled=[fresh])) == [("unconfirmed", "now")]


def test_what_was_not_sent_a_week_ago_is_left_to_its_posts_page():
    assert tell(troubled=[delivery(state="missed", due_at=ago(days=8))]) == []


def test_a_sign_off_is_asked_for_within_the_hour_and_a_past_one_is_told_as_such():
    soon, past, later = (
        planned(1, NOW + timedelta(minutes=59)),
        planned(2, ago(minutes=1)),
        planned(3, NOW + timedelta(minutes=61)),
    )
    first, second = tell(awaiting=[past, later, soon])
    assert (first.urgency, first.page.name) == (Urgency.NOW, "signoff")
    assert (second.urgency, second.key) == (Urgency.TODAY, "awaiting/2/2/past")
    (not_theirs,) = tell(awaiting=[soon], may_sign=False)
    assert not_theirs.page.name == "post"


def test_a_post_given_up_before_it_had_deliveries_is_told_once():
    given_up = planned(7, ago(hours=1), "unsent")
    assert kinds(tell(unsent=[given_up])) == [("unsent", "today")]
    assert kinds(tell(unsent=[given_up], troubled=[delivery(state="missed")])) == [
        ("missed", "today")
    ]


def test_emails_that_only_a_person_can_settle_are_one_need_an_issue():
    issue = IssueSummary("abc", "Secret words", ago(hours=2), 500, {MailState.UNSURE: 1}, None)
    (need,) = tell(issues=[issue])
    assert need.what == "Nobody knows whether 1 e-mail got out."
    assert need.page.given == (("key", "abc"),)
    issue.counts[MailState.LAPSED] = 2
    (worse,) = tell(issues=[issue])
    assert worse.what.endswith("1 e-mail got out and 2 e-mails could not be sent in time.")
    assert worse.key != need.key


def test_no_need_says_what_a_post_says():
    needs = tell(awaiting=[planned(1, NOW)], unsent=[planned(2, ago(days=1), "unsent")])
    assert len(needs) == 2
    assert not any("Secret" in need.what + need.do for need in needs)


def test_the_most_urgent_comes_first_and_of_these_the_oldest():
    needs = tell(
        untold=[(1, "duty@moot.example", ago(days=1), "The mail server is away.")],
        troubled=[
            delivery(1, "missed", draft_id=1, due_at=ago(hours=2)),
            delivery(2, "incomplete", draft_id=2, due_at=ago(minutes=2)),
            delivery(3, "incomplete", draft_id=3, due_at=ago(minutes=9)),
        ],
    )
    assert [need.key.split("/")[:2] for need in needs] == [
        ["delivery", "3"],
        ["delivery", "2"],
        ["untold", "1"],
        ["delivery", "1"],
    ]
    assert all(isinstance(need, Need) for need in needs)
