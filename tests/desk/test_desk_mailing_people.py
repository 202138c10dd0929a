"""Asking for the posts, confirming, leaving, being forgotten."""

from __future__ import annotations

import desk_moves as moves
import pytest
from mailing_moves import (
    Script,
    asked,
    confirm_token,
    joined,
    states,
    work,
)

from folkmoot.channels.shelf import ShelfError
from folkmoot.desk.mailing import actions, queries, steps
from folkmoot.desk.mailing.lifecycle import SubscriberState
from folkmoot.desk.mailing.models import Mail, Subscriber
from folkmoot.desk.records.models import Intent

pytest_plugins = ["mailing_fixtures"]


def test_nobody_gets_anything_but_the_question_until_they_confirm(cast, mailing_list, post):
    asked(cast, "ann@a.example")
    post()
    transport = Script()
    work(cast, transport, times=3)
    (letter,) = transport.letters
    assert "Confirm" in letter.subject
    assert letter.unsubscribe_url == ""


def test_a_link_confirms_once_and_works_for_two_days(cast, mailing_list):
    subscriber = asked(cast, "ann@a.example")
    token = confirm_token(subscriber)
    cast.clock.pass_(hours=48, seconds=1)
    with pytest.raises(actions.SubscribingRefused, match="too old"):
        actions.confirm(token, now=cast.clock())
    fresh = asked(cast, "ann@a.example")
    assert fresh.pk == subscriber.pk
    with pytest.raises(actions.SubscribingRefused, match="newer one"):
        actions.confirm(token, now=cast.clock())
    token = confirm_token(fresh)
    for _ in range(2):
        assert actions.confirm(token, now=cast.clock()).state == SubscriberState.CONFIRMED
    actions.leave(fresh, by="link", now=cast.clock())
    with pytest.raises(actions.SubscribingRefused):
        actions.confirm(token, now=cast.clock())


def test_who_was_paused_gets_nothing_until_they_ask_and_confirm_again(cast, mailing_list, post):
    ann = joined(cast, "ann@a.example")
    issue = post()
    Subscriber.objects.filter(pk=ann.pk).update(state=SubscriberState.PAUSED)
    transport = Script()
    work(cast, transport, times=2)
    assert (states(issue=issue), transport.letters) == (["left"], [])
    cast.clock.pass_(days=1)
    actions.confirm(confirm_token(asked(cast, "ann@a.example")), now=cast.clock())
    ann.refresh_from_db()
    assert ann.state == SubscriberState.CONFIRMED


def test_asking_over_and_over_sends_one_question_an_hour(cast, mailing_list):
    transport = Script()
    for _ in range(5):
        asked(cast, "Ann@A.example")
        asked(cast, "ann@a.EXAMPLE")
        work(cast, transport)
    assert len(transport.letters) == 1
    assert Subscriber.objects.count() == 1
    cast.clock.pass_(hours=1)
    asked(cast, "ann@a.example")
    work(cast, transport)
    assert len(transport.letters) == 2


def test_asking_for_an_address_that_gets_the_posts_sends_nothing(cast, mailing_list):
    joined(cast, "ann@a.example")
    transport = Script()
    cast.clock.pass_(days=1)
    asked(cast, "ann@a.example")
    work(cast, transport)
    assert transport.letters == []


def test_leaving_ends_everything_under_the_address_and_forgets_it(cast, mailing_list, post):
    old = joined(cast, "ann@a.example")
    actions.leave(old, by="link", now=cast.clock())
    new = joined(cast, "ann@a.example")
    assert new.pk != old.pk
    issue = post()
    old.refresh_from_db()
    assert actions.leave(old, by="program", now=cast.clock()) == 1, "an old e-mail's link works"
    assert actions.leave(old, by="program", now=cast.clock()) == 0
    work(cast, Script(), times=2)
    assert states(issue=issue) == ["left"]
    assert not Subscriber.objects.exclude(address="").exists()
    assert {one.left_by for one in Subscriber.objects.all()} == {"link", "program"}


def test_who_never_confirms_is_forgotten(cast, mailing_list):
    asked(cast, "ann@a.example")
    work(cast, Script(), times=9, days=1)
    (one,) = Subscriber.objects.all()
    assert (one.state, one.address, one.mark, one.left_by) == ("left", "", "", "silence")


def test_an_admin_takes_somebody_off_who_asked_for_it(cast, mailing_list):
    joined(cast, "ann@a.example")
    with pytest.raises(actions.SubscribingRefused, match="admin"):
        actions.remove(cast.alice, mailing_list, "ann@a.example", now=cast.clock())
    assert actions.remove(cast.dan, mailing_list, "ANN@a.example", now=cast.clock())
    assert not actions.remove(cast.dan, mailing_list, "ann@a.example", now=cast.clock())
    (one,) = Subscriber.objects.all()
    assert (one.state, one.address, one.mark) == ("left", "", "")


def test_no_address_stands_in_the_record_or_in_what_is_shown_of_a_row(cast, mailing_list, post):
    ann = joined(cast, "ann@a.example")
    post()
    work(cast, Script(), times=2)
    actions.remove(cast.dan, mailing_list, "ann@a.example", now=cast.clock())
    said = moves.recorded_texts()
    said += [intent.leaf for intent in Intent.objects.all()]
    assert any("issue.queued" in one for one in said)
    assert any("issue.finished" in one for one in said)
    assert any("subscriber.forgotten" in one for one in said)
    assert not any("ann@" in one for one in [*said, repr(ann), repr(Mail.objects.first())])


def test_a_body_has_one_open_list(cast, mailing_list):
    with pytest.raises(actions.MailingRefused):
        actions.open_list(cast.body, cast.practice.pk, now=cast.clock())
    assert actions.open_list(cast.body, cast.feed.pk, now=cast.clock()).pk == mailing_list.pk
    actions.close_list(cast.feed.pk, now=cast.clock())
    assert queries.find_list(cast.body) is None
    assert actions.open_list(cast.body, cast.practice.pk, now=cast.clock()).pk != mailing_list.pk


def test_a_closed_list_takes_no_issue_and_sends_nothing(cast, mailing_list, post):
    joined(cast, "ann@a.example")
    issue = post()
    actions.close_list(cast.feed.pk, now=cast.clock())
    assert states(issue=issue) == ["left"]

    with pytest.raises(ShelfError, match="closed"):
        queries.outbox_of(cast.feed.pk).put_if_absent("k", b"{}", published_at=cast.clock())


def test_somebody_else_at_the_same_moment_is_noticed(cast, mailing_list):
    ann = asked(cast, "ann@a.example")
    Subscriber.objects.filter(pk=ann.pk).update(asked=7)
    with pytest.raises(steps.LostClaim):
        steps.take_subscriber_step(ann, "confirm", role="anyone", now=cast.clock())
