"""Every action of stops, notices and mailing leaves its one entry: walked by name, like the others
in test_desk_records_actions.py and, for retention, in test_desk_retention_matrix.py.
"""

from __future__ import annotations

import mailing_moves
import pytest

from folkmoot.desk.mailing import actions as mailing
from folkmoot.desk.mailing import queries as lists
from folkmoot.desk.mailing.lifecycle import MailState
from folkmoot.desk.mailing.models import Mail
from folkmoot.desk.mailing.tokens import LEAVE, make_token
from folkmoot.desk.notices import actions as notices
from folkmoot.desk.notices.queries import TargetKind, Urgency
from folkmoot.desk.records.models import Entry, Intent
from folkmoot.desk.stops import actions as stops
from folkmoot.desk.stops.queries import Leaving


def on(thing, act):
    return lambda: act(thing)


def press(c):
    return stops.press(c.body, reason="A wrong figure.", now=c.clock(), member=c.alice)


def in_force(c):
    stop = press(c)
    assert stops.acknowledge(stop, on_their_way=0, now=c.clock())
    return stop


def target(c):
    return notices.add_target(
        c.dan,
        kind=TargetKind.EMAIL,
        name="",
        address="duty@moot.example",
        urgencies=[Urgency.NOW],
        quiet=None,
        now=c.clock(),
    )


def open_list(c):
    return mailing.open_list(c.body, c.feed.pk, now=c.clock())


def unconfirmed(c):
    """An issue one of whose mails nobody answered for."""
    open_list(c)
    mailing_moves.joined(c, "ann@a.example")
    issue = mailing_moves.put_out(c, "By e-mail.")
    Mail.objects.filter(issue=issue).update(state="unsure", next_try_at=None)
    return issue


def subscriber(c):
    open_list(c)
    return mailing_moves.joined(c, "ann@a.example")


ONE_ENTRY = {
    stops.press: lambda c: lambda: press(c),
    stops.acknowledge: lambda c: on(
        press(c), lambda s: stops.acknowledge(s, on_their_way=0, now=c.clock())
    ),
    stops.lift: lambda c: on(
        in_force(c), lambda s: stops.lift(c.bob, s.pk, reason="Put right.", now=c.clock())
    ),
    notices.add_target: lambda c: lambda: target(c),
    notices.change_target: lambda c: on(
        target(c),
        lambda t: notices.change_target(
            c.dan, t.pk, urgencies=[Urgency.NOW], quiet=None, now=c.clock()
        ),
    ),
    notices.remove_target: lambda c: on(
        target(c), lambda t: notices.remove_target(c.dan, t.pk, now=c.clock())
    ),
    mailing.open_list: lambda c: lambda: open_list(c),
    mailing.close_list: lambda c: on(
        open_list(c), lambda one: mailing.close_list(one.account_id, now=c.clock())
    ),
    mailing.decide: lambda c: on(
        unconfirmed(c),
        lambda issue: mailing.decide(
            c.bob, issue.key, state=MailState.UNSURE, verb="leave", now=c.clock()
        ),
    ),
    mailing.remove: lambda c: on(
        subscriber(c),
        lambda _: mailing.remove(c.dan, lists.find_list(c.body), "ann@a.example", now=c.clock()),
    ),
}
# Who asks for posts, and leaves, is nobody's but theirs: it is on no record. The rest is the
# worker's going round, a look, or a part of a step that leaves the entry.
NO_ENTRY = {
    notices.ask_test: lambda c: on(
        target(c), lambda t: notices.ask_test(c.dan, t.pk, now=c.clock())
    ),
    notices.beat: lambda c: lambda: notices.beat(c.clock()),
    notices.work: lambda c: lambda: notices.work(c.clock),
    mailing.subscribe: lambda c: on(
        open_list(c), lambda one: mailing.subscribe(one, "bea@b.example", now=c.clock())
    ),
    mailing.confirm: lambda c: on(
        (open_list(c), mailing_moves.asked(c, "ann@a.example"))[1],
        lambda s: mailing.confirm(mailing_moves.confirm_token(s), now=c.clock()),
    ),
    mailing.leave: lambda c: on(
        subscriber(c), lambda s: mailing.leave(s, by="link", now=c.clock())
    ),
    mailing.forget: lambda c: on(subscriber(c), lambda s: mailing.forget(s, now=c.clock())),
    mailing.find_confirming: lambda c: lambda: mailing.find_confirming("none"),
    mailing.find_leaving: lambda c: on(
        subscriber(c), lambda s: mailing.find_leaving(make_token(LEAVE, s.ref))
    ),
    mailing.note_signing: lambda c: on(
        open_list(c),
        lambda one: mailing.note_signing(
            Leaving(c.body, one.account_id, "email", signed_at=c.clock()),
            "a-key",
            subject="post/1",
        ),
    ),
    mailing.lapse_waiting: lambda c: (
        lambda: mailing.lapse_waiting(c.body, lambda _: True, reason="Stopped.", now=c.clock())
    ),
    mailing.doubt_waiting: lambda c: (
        lambda: mailing.doubt_waiting(reason="A backup.", now=c.clock())
    ),
    mailing.work: lambda c: lambda: mailing.work(c.clock, lambda _: mailing_moves.Script()),
    mailing.work_list: lambda c: on(
        open_list(c),
        lambda one: mailing.work_list(one.account_id, c.clock, lambda _: mailing_moves.Script()),
    ),
}


def kept():
    return Intent.objects.count() + Entry.objects.count()


def name_of(act):
    return f"{act.__module__[14:]}.{act.__name__}"


@pytest.mark.parametrize("action", ONE_ENTRY, ids=name_of)
def test_every_action_leaves_exactly_one_entry(cast, action):
    act = ONE_ENTRY[action](cast)
    before = kept()
    act()
    assert kept() == before + 1


@pytest.mark.parametrize("action", NO_ENTRY, ids=name_of)
def test_what_is_no_action_leaves_no_entry(cast, action):
    act = NO_ENTRY[action](cast)
    before = kept()
    act()
    assert kept() == before


def test_no_public_function_is_missing_from_this_list():
    public = {
        value
        for room in (stops, notices, mailing)
        for name in room.__all__
        if callable(value := getattr(room, name)) and not isinstance(value, type)
    }
    assert public == ONE_ENTRY.keys() | NO_ENTRY.keys()
