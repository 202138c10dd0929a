"""Posts by e-mail: each handed over once, and what an answer leads to."""

from __future__ import annotations

import re

import mailing_moves as moves
import pytest
from mailing_moves import (
    Killed,
    Script,
    asked,
    joined,
    states,
    work,
)

from folkmoot.channels.email import CannotOpen, Handed, NotNow, NotTaken, Unsure
from folkmoot.desk.mailing import actions, queries, tokens
from folkmoot.desk.mailing.lifecycle import MAIL, SUBSCRIBER, MailState, SubscriberState
from folkmoot.desk.mailing.models import Issue, Mail
from folkmoot.desk.stops import actions as stop_actions
from folkmoot.desk.stops.queries import Leaving, StopKind, StopScope
from folkmoot.lifecycle import Lifecycle

pytest_plugins = ["mailing_fixtures"]


def test_the_tables_of_states_hold_together():
    assert isinstance(MAIL, Lifecycle)
    assert isinstance(SUBSCRIBER, Lifecycle)
    for state in (MailState.HANDING, MailState.UNSURE):
        assert not any(
            step.target is MailState.HANDING and state in step.sources for step in MAIL.steps
        ), "what may have been taken is never handed over again in one step"


def test_an_issue_goes_to_each_subscriber_once(cast, mailing_list, post):
    ann, bo = joined(cast, "ann@a.example"), joined(cast, "bo@b.example")
    asked(cast, "maybe@c.example")
    transport = Script()
    work(cast, transport)  # the one that asks back
    transport.letters.clear()
    issue = post()
    work(cast, transport, times=3)
    assert sorted(one.to for one in transport.letters) == ["ann@a.example", "bo@b.example"]
    assert states(issue=issue) == ["handed", "handed"]
    summary = queries.summary(cast.body, issue.key)
    assert (summary.recipients, summary.of("handed")) == (2, 2)
    assert summary.title == "The library opens on Monday."
    assert summary.finished_at is not None
    assert {one.unsubscribe_url for one in transport.letters} == {
        f"http://testserver/unsubscribe/{tokens.make_token(tokens.LEAVE, who.ref)}"
        for who in (ann, bo)
    }


def test_the_same_issue_put_twice_is_queued_once(cast, mailing_list, post):
    joined(cast, "ann@a.example")
    issue = post()
    assert not queries.outbox_of(cast.feed.pk).put_if_absent(
        issue.key, b"other", published_at=cast.clock()
    )
    assert Mail.objects.filter(issue=issue).count() == 1
    assert Issue.objects.count() == 1


def test_who_joins_after_an_issue_does_not_get_it(cast, mailing_list, post):
    post()
    joined(cast, "late@a.example")
    transport = Script()
    work(cast, transport, times=2)
    assert transport.letters == []


@pytest.mark.parametrize(
    ("outcome", "state", "tries"),
    [
        (Unsure("Nobody knows."), "unsure", 1),
        (NotTaken("No such user."), "refused", 1),
        (NotNow("Come later.", 5.0), "handed", 2),
        (NotNow("The server is down.", 5.0, for_all=True), "handed", 2),
    ],
)
def test_what_an_answer_leads_to(  # noqa: PLR0917
    cast, mailing_list, post, outcome, state, tries
):
    joined(cast, "ann@a.example")
    issue = post()
    transport = Script(outcome)
    work(cast, transport, times=4, seconds=4)
    assert states(issue=issue) == [state]
    assert len(transport.letters) == tries
    assert len({one.reference for one in transport.letters}) == 1, "the same letter each time"


def test_a_server_that_is_down_is_tried_again_once_for_all_and_said_so(cast, mailing_list, post):
    for number in range(5):
        joined(cast, f"a{number}@a.example")
    post()
    transport = Script(NotNow("The server is down.", 60.0, for_all=True))
    work(cast, transport, times=3, seconds=10)
    assert len(transport.letters) == 1
    mailing_list.refresh_from_db()
    assert mailing_list.trouble == "The server is down."
    work(cast, transport, times=3, seconds=30)
    mailing_list.refresh_from_db()
    assert mailing_list.trouble == ""
    assert len(transport.letters) == 6


def test_without_a_transport_nothing_is_lost(cast, mailing_list, post):
    joined(cast, "ann@a.example")
    issue = post()

    def closed(_):
        raise CannotOpen("Connect it again.")

    actions.work(cast.clock, closed)
    mailing_list.refresh_from_db()
    assert mailing_list.trouble == "Connect it again."
    assert states(issue=issue) == ["queued"]


def test_mails_go_no_faster_than_the_pace(cast, mailing_list, post):
    for number in range(7):
        joined(cast, f"a{number}@a.example")
    post()
    transport = Script(per_minute=3)
    work(cast, transport, times=10, seconds=1)
    assert len(transport.letters) == 3
    cast.clock.pass_(seconds=60)
    work(cast, transport, times=10, seconds=1)
    assert len(transport.letters) == 6


def test_an_address_that_takes_nothing_three_times_is_paused(cast, mailing_list, post):
    ann = joined(cast, "ann@a.example")
    for number in range(4):
        post(f"Post {number}.")
        work(cast, Script(NotTaken("No such user.", about_address=True)), times=2)
        cast.clock.pass_(hours=1)
    ann.refresh_from_db()
    assert ann.state == SubscriberState.PAUSED
    assert "3 issues" in ann.note
    assert Mail.objects.filter(subscriber=ann, issue__isnull=False).count() == 3


def test_one_that_arrives_forgives_the_bounces_before(cast, mailing_list, post):
    ann = joined(cast, "ann@a.example")
    for answer in (
        (NotTaken("No.", about_address=True),) * 2
        + (Handed(),)
        + (NotTaken("No.", about_address=True),) * 2
    ):
        post(f"Post {cast.clock()}.")
        work(cast, Script(answer), times=2)
        cast.clock.pass_(hours=1)
    ann.refresh_from_db()
    assert ann.state == SubscriberState.CONFIRMED


def test_what_is_not_sent_within_a_day_waits_for_a_person(cast, mailing_list, post):
    joined(cast, "ann@a.example")
    issue = post()
    cast.clock.pass_(hours=25)
    transport = Script()
    work(cast, transport, times=2)
    assert (states(issue=issue), transport.letters) == (["lapsed"], [])
    (troubled,) = queries.list_troubled(cast.body)
    assert troubled.key == issue.key
    actions.decide(cast.bob, issue.key, state=MailState.LAPSED, verb="send_again", now=cast.clock())
    work(cast, transport, times=2)
    assert states(issue=issue) == ["handed"]
    assert len(transport.letters) == 1


def test_while_it_is_held_nothing_leaves(cast, mailing_list, post):
    joined(cast, "ann@a.example")
    issue = post()
    transport = Script()
    actions.work(cast.clock, lambda _: transport, held=True)
    assert (states(issue=issue), transport.letters) == (["queued"], [])


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"scope": StopScope.CHANNEL, "target": "email"},
        {"scope": StopScope.ACCOUNT, "target": "account"},
        {"kind": StopKind.MOURNING},
    ],
)
def test_a_stop_holds_every_mail_until_it_is_lifted(cast, mailing_list, post, more):
    joined(cast, "ann@a.example")
    issue = post()
    if more.get("target") == "account":
        more = {**more, "target": str(cast.feed.pk)}
    stop = stop_actions.press(
        cast.body, reason="A fire", now=cast.clock(), member=cast.alice, **more
    )
    transport = Script()
    work(cast, transport, times=3)
    assert (states(issue=issue), transport.letters) == (["queued"], [])
    assert "A fire" in Mail.objects.get(issue=issue).trouble
    stop_actions.lift(cast.bob, stop.pk, reason="It is out", now=cast.clock())
    work(cast, transport)
    assert states(issue=issue) == ["handed"]


def test_what_was_noted_of_its_signing_lets_an_issue_pass_an_incident_on_its_topic(
    cast, mailing_list, post
):
    joined(cast, "ann@a.example")
    signing = Leaving(cast.body, cast.feed.pk, "email", topic="Flood", signed_at=cast.clock())
    actions.note_signing(signing, moves.key_of(cast, "Flood."), subject="post/1")
    flood, other = post("Flood."), post("Fête.")
    stop_actions.press(
        cast.body,
        reason="High water",
        now=cast.clock(),
        member=cast.alice,
        kind=StopKind.INCIDENT,
        topic="flood",
    )
    work(cast, Script(), times=2)
    assert (states(issue=flood), states(issue=other)) == (["handed"], ["queued"])


def test_when_a_stop_is_lifted_what_waited_can_be_made_to_lapse(cast, mailing_list, post):
    joined(cast, "ann@a.example")
    issue = post()
    count = actions.lapse_waiting(
        cast.body, lambda leaving: leaving.channel == "email", reason="Stop.", now=cast.clock()
    )
    work(cast, Script(), times=2)
    assert (count, states(issue=issue)) == (1, ["lapsed"])


def test_what_is_on_its_way_is_counted_until_its_lease_ends(cast, mailing_list, post):
    joined(cast, "ann@a.example")
    post()
    seen = []

    def look(letter):
        seen.extend(queries.list_on_their_way(cast.body, cast.clock()))
        raise Killed

    with pytest.raises(Killed):
        work(cast, Script(look))
    assert seen == [(Leaving(cast.body, cast.feed.pk, "email"), 1)]
    assert queries.list_on_their_way(cast.body, cast.clock()) == seen
    assert queries.list_on_their_way(cast.other, cast.clock()) == []
    cast.clock.pass_(seconds=121)
    assert queries.list_on_their_way(cast.body, cast.clock()) == []


def test_what_can_be_asked_about_is_decided_by_asking(cast, mailing_list, post):
    for number in range(3):
        joined(cast, f"a{number}@a.example")
    issue = post()
    transport = Script(Script.lose_answer, Script.lose_request, can_find=True)
    work(cast, transport)
    assert sorted(states(issue=issue)) == ["handed", "unsure", "unsure"]
    assert queries.list_troubled(cast.body) == [], "nobody is asked what a machine can find out"
    work(cast, transport, times=2, seconds=30)
    assert "unsure" in states(issue=issue), "it may still be on its way"
    work(cast, transport, times=3, seconds=61)
    assert states(issue=issue) == ["handed"] * 3
    assert len(transport.taken) == 3
    assert len({one.to for one in transport.taken}) == 3


def test_who_cannot_be_asked_for_a_day_is_for_a_person(cast, mailing_list, post):
    joined(cast, "ann@a.example")
    issue = post()
    transport = Script(Unsure("?"), can_find=True)
    transport.find = lambda _: Unsure("Notify does not answer.")
    work(cast, transport, times=40, hours=1)
    assert states(issue=issue) == ["unsure"]
    assert [one.key for one in queries.list_troubled(cast.body)] == [issue.key]
    assert len(transport.letters) == 1


def test_a_person_leaves_or_sends_again_what_nobody_knows_about(cast, mailing_list, post):
    for number in range(3):
        joined(cast, f"a{number}@a.example")
    issue = post()
    transport = Script(*[Unsure("?")] * 3)
    work(cast, transport)
    decide = {"state": MailState.UNSURE, "now": cast.clock()}
    with pytest.raises(actions.DecisionRefused, match="approver"):
        actions.decide(cast.alice, issue.key, verb="leave", **decide)
    with pytest.raises(actions.DecisionRefused, match="second time"):
        actions.decide(cast.bob, issue.key, verb="send_again", **decide)
    with pytest.raises(actions.DecisionRefused, match="nothing here"):
        actions.decide(cast.mallory, issue.key, verb="leave", **decide)
    one = queries.list_troubled_mails(cast.body, issue.key, MailState.UNSURE)[0]
    assert re.fullmatch(r"<[0-9a-f]{32}@testserver>", one.message_id)
    assert actions.decide(cast.bob, issue.key, verb="leave", reference=one.reference, **decide) == 1
    assert actions.decide(cast.bob, issue.key, verb="send_again", knows=True, **decide) == 2
    with pytest.raises(actions.DecisionRefused, match="meanwhile"):
        actions.decide(cast.bob, issue.key, verb="leave", **decide)
    work(cast, transport, times=2)
    assert sorted(states(issue=issue)) == ["handed", "handed", "left"]
    assert len(transport.letters) == 5
