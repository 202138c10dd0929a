"""Every action of retention, for every role, on what is one's own body's and another's: who may,
that it leaves exactly one entry, and that whoever may not changes nothing.
"""

from __future__ import annotations

import inspect

import pytest
import retention_moves as keeping
from test_desk_retention_erasure import NAME, alarm, leave

from folkmoot.desk.people import actions as people
from folkmoot.desk.people.queries import Role
from folkmoot.desk.records import actions as records
from folkmoot.desk.records.classes import RecordClass
from folkmoot.desk.records.models import Entry, FieldValue, Intent, SubjectKey
from folkmoot.desk.records.survey import list_headers
from folkmoot.desk.retention import actions, queries
from folkmoot.desk.retention.actions import HoldScope, Line, RetentionRefused, Scope
from folkmoot.desk.retention.grounds import Exemption, Ground
from folkmoot.desk.retention.models import (
    Batch,
    BatchItem,
    Erasure,
    Hold,
    HoldItem,
    Match,
    Rule,
)
from folkmoot.desk.retention.triggers import Action, Trigger

OFFICER = {"fay", "gus"}
HOLDER = OFFICER | {"dan"}
DECIDER = HOLDER | {"bob", "dora"}
PEOPLE = ("alice", "bob", "dora", "dan", "fay", "gus", "olga")
TABLES = (Rule, Hold, HoldItem, Batch, BatchItem, Erasure, Match)


def adopted(cast):
    keeping.old_post(cast)
    keeping.adopt(cast)


def proposed_rule(cast):
    keeping.adopt(cast)
    line = Line(Trigger.POST_ENDED, 1, Action.REVIEW, "Policy")
    return actions.change_schedule(cast.fay, RecordClass.POSTS, line, now=cast.clock()).pk


def held(cast):
    return keeping.hold(cast, subjects=(keeping.old_post(cast).subject,))


def proposed_release(cast):
    hold = held(cast)
    return actions.propose_release(cast.fay, hold.pk, reason="R", now=cast.clock()).pk


def drawn_up(cast):
    adopted(cast)
    return actions.draw_up(cast.fay, RecordClass.POSTS, now=cast.clock()).pk


def proposed_batch(cast):
    number = drawn_up(cast)
    actions.propose_disposal(cast.fay, number, reason="R", now=cast.clock())
    return number


def found(cast):
    leave(cast, NAME)
    return keeping.ask(cast, NAME).pk


def proposed_erasure(cast):
    number = found(cast)
    actions.propose_erasure(cast.fay, number, now=cast.clock())
    return number


def entry_of(cast):
    leave(cast, "One more.")
    records.sequence(cast.clock())
    hold = held(cast)
    header = next(iter(list_headers(cast.body.ref, retention="people")))
    return hold.pk, header.entry_id


def seen_batch(number):
    return queries.digest_of(Batch.objects.get(pk=number))


def seen_erasure(number):
    return Erasure.objects.get(pk=number).digest


LINE = Line(Trigger.POST_ENDED, 90, Action.REVIEW, "Policy")
# For each action: what stands before it, the action on that by somebody, and who may.
ONE_ENTRY = {
    actions.adopt_schedule: (
        lambda c: None,
        lambda c, who, _: actions.adopt_schedule(who, now=c.clock()),
        OFFICER | {"olga"},
    ),
    actions.change_schedule: (
        adopted,
        lambda c, who, _: actions.change_schedule(who, RecordClass.POSTS, LINE, now=c.clock()),
        OFFICER | {"olga"},
    ),
    actions.confirm_schedule: (
        proposed_rule,
        lambda c, who, n: actions.confirm_schedule(who, [n], now=c.clock()),
        {"gus"},
    ),
    actions.turn_down_schedule: (
        proposed_rule,
        lambda c, who, n: actions.turn_down_schedule(who, [n], now=c.clock()),
        OFFICER,
    ),
    actions.place_hold: (
        lambda c: keeping.old_post(c).subject,
        lambda c, who, subject: actions.place_hold(
            who, Scope(HoldScope.SUBJECTS, subjects=(subject,)), reason="R", now=c.clock()
        ),
        HOLDER,
    ),
    actions.hold_more: (
        entry_of,
        lambda c, who, it: actions.hold_more(who, it[0], entries=[it[1]], now=c.clock()),
        HOLDER,
    ),
    actions.propose_release: (
        lambda c: held(c).pk,
        lambda c, who, n: actions.propose_release(who, n, reason="R", now=c.clock()),
        HOLDER,
    ),
    actions.keep_hold: (
        proposed_release,
        lambda c, who, n: actions.keep_hold(who, n, now=c.clock()),
        HOLDER,
    ),
    actions.release_hold: (
        proposed_release,
        lambda c, who, n: actions.release_hold(who, n, now=c.clock()),
        {"gus", "dan"},
    ),
    actions.draw_up: (
        adopted,
        lambda c, who, _: actions.draw_up(who, RecordClass.POSTS, now=c.clock()),
        OFFICER,
    ),
    actions.keep_longer: (
        drawn_up,
        lambda c, who, n: actions.keep_longer(who, n, months=1, reason="R", now=c.clock()),
        OFFICER,
    ),
    actions.propose_disposal: (
        drawn_up,
        lambda c, who, n: actions.propose_disposal(who, n, reason="R", now=c.clock()),
        OFFICER,
    ),
    actions.confirm_disposal: (
        proposed_batch,
        lambda c, who, n: actions.confirm_disposal(who, n, seen=seen_batch(n), now=c.clock()),
        {"gus"},
    ),
    actions.drop_disposal: (
        proposed_batch,
        lambda c, who, n: actions.drop_disposal(who, n, now=c.clock()),
        OFFICER,
    ),
    actions.ask_erasure: (
        lambda c: None,
        lambda c, who, _: actions.ask_erasure(
            who, phrases=[NAME], ground=Ground.OBJECTED, reference="", now=c.clock()
        ),
        OFFICER | {"olga"},
    ),
    actions.search_again: (
        found,
        lambda c, who, n: actions.search_again(who, n, now=c.clock()),
        OFFICER,
    ),
    actions.hold_found: (
        lambda c: (found(c), records.sequence(c.clock()))[0],
        lambda c, who, n: actions.hold_found(who, n, reason="R", now=c.clock()),
        OFFICER,
    ),
    actions.propose_erasure: (
        found,
        lambda c, who, n: actions.propose_erasure(who, n, now=c.clock()),
        OFFICER,
    ),
    actions.take_back_erasure: (
        proposed_erasure,
        lambda c, who, n: actions.take_back_erasure(who, n, now=c.clock()),
        OFFICER,
    ),
    actions.confirm_erasure: (
        proposed_erasure,
        lambda c, who, n: actions.confirm_erasure(who, n, seen=seen_erasure(n), now=c.clock()),
        {"gus"},
    ),
    actions.refuse_erasure: (
        proposed_erasure,
        lambda c, who, n: actions.refuse_erasure(
            who, n, exemption=Exemption.ARCHIVING, reason="R", now=c.clock()
        ),
        OFFICER,
    ),
    actions.drop_erasure: (
        found,
        lambda c, who, n: actions.drop_erasure(who, n, now=c.clock()),
        OFFICER,
    ),
    actions.honour_platform_deletion: (
        lambda c: alarm(c).pk,
        lambda c, who, n: actions.honour_platform_deletion(who, n, now=c.clock()),
        DECIDER,
    ),
}
# What is chosen is told by the proposal of it.
NO_ENTRY = {
    actions.leave_out: (
        drawn_up,
        lambda c, who, n: actions.leave_out(
            who, n, [BatchItem.objects.filter(batch=n).first().subject]
        ),
        OFFICER,
    ),
    actions.leave_out_held: (
        drawn_up,
        lambda c, who, n: actions.leave_out_held(who, n),
        OFFICER,
    ),
    actions.choose: (
        found,
        lambda c, who, n: actions.choose(who, n, chosen=False),
        OFFICER,
    ),
    actions.leave_held: (found, lambda c, who, n: actions.leave_held(who, n), OFFICER),
}
# The worker's, and what the room above records: tested beside this.
OTHER = {actions.search, actions.work, actions.note_copy, actions.roll_by_hand}
ALL = ONE_ENTRY | NO_ENTRY


def test_no_action_is_missing_from_this_table():
    public = {
        value
        for name in actions.__all__
        if inspect.isfunction(value := inspect.unwrap(getattr(actions, name)))
    }
    listed = {inspect.unwrap(act) for act in (*ALL, *OTHER)}
    assert public == listed


@pytest.fixture
def cast_and_more(cast):
    cast.dora = people.add_member(
        cast.body,
        email="dora@moot.example",
        name="Dora",
        roles=[Role.DUTY],
        password="correct horse battery",
        now=cast.clock(),
    )
    cast.olga = keeping.officer_of_other(cast)
    return cast


def kept():
    return Intent.objects.count() + Entry.objects.count()


def everything():
    rows = [list(table.objects.order_by("pk").values_list()) for table in TABLES]
    keys = list(SubjectKey.objects.order_by("pk").values_list("pk", "destroyed_at"))
    values = list(FieldValue.objects.order_by("pk").values_list("pk", "erased_at"))
    return rows, keys, values, kept()


@pytest.mark.parametrize("action", ALL, ids=lambda act: act.__name__)
def test_who_may_and_who_may_not(cast_and_more, action):
    from django.db import transaction

    cast = cast_and_more
    prepare, act, may = ALL[action]
    thing = prepare(cast)
    for who in PEOPLE:
        member = getattr(cast, who)
        before = everything()
        with transaction.atomic():
            if who in may:
                act(cast, member, thing)
                assert kept() == before[-1] + (action in ONE_ENTRY), who
            else:
                with pytest.raises(RetentionRefused) as refused:
                    act(cast, member, thing)
                assert str(refused.value).endswith("."), refused.value
                assert everything() == before, who
            transaction.set_rollback(True)
