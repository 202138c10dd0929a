"""The moves of retention, made short."""

from __future__ import annotations

import desk_moves as moves

from folkmoot.desk.people import actions as people
from folkmoot.desk.people.queries import Role
from folkmoot.desk.records import actions as records
from folkmoot.desk.records.models import Entry, FieldValue, Intent
from folkmoot.desk.records.queries import list_history
from folkmoot.desk.records.values import open_values, read_leaf
from folkmoot.desk.retention import actions
from folkmoot.desk.retention.actions import HoldScope, Scope
from folkmoot.desk.retention.due import each_due, find_rule
from folkmoot.desk.retention.grounds import Ground
from folkmoot.desk.retention.models import Erasure

LONG = {"days": 7 * 366}


def adopt(cast):
    """This program's schedule, taken on by two."""
    rules = actions.adopt_schedule(cast.fay, now=cast.clock())
    actions.confirm_schedule(cast.gus, [rule.pk for rule in rules], now=cast.clock())


def old_post(cast, **more):
    """A post that was published seven years ago."""
    return old_posts(cast, cast.content(**more))[0]


def old_posts(cast, *contents):
    """Posts that were published seven years ago."""
    drafts = [moves.signed(cast, content) for content in contents]
    moves.work(cast, times=8)
    records.sequence(cast.clock())
    cast.clock.pass_(**LONG)
    return [moves.again(cast, draft) for draft in drafts]


def due_of(cast, record_class):
    rule = find_rule(cast.body, record_class)
    return [] if rule is None else list(each_due(cast.body, rule, cast.clock()))


def hold(cast, *, kind=HoldScope.SUBJECTS, reason="A claim is under way.", **scope):
    return actions.place_hold(cast.dan, Scope(kind, **scope), reason=reason, now=cast.clock())


def release(cast, held):
    actions.propose_release(cast.fay, held.pk, reason="Settled.", now=cast.clock())
    return actions.release_hold(cast.gus, held.pk, now=cast.clock())


def work(cast, times=3):
    """Let the worker go round."""
    records.sequence(cast.clock())
    for _ in range(times):
        actions.work(cast.clock)
        cast.clock.pass_(seconds=1)
    records.sequence(cast.clock())


def ask(cast, *phrases, ground=Ground.NO_LONGER_NEEDED, reference=""):
    """An erasure whose search is through."""
    records.sequence(cast.clock())
    erasure = actions.ask_erasure(
        cast.fay, phrases=phrases, ground=ground, reference=reference, now=cast.clock()
    )
    assert actions.search(erasure, cast.clock)
    return Erasure.objects.get(pk=erasure.pk)


def propose(cast, erasure):
    return actions.propose_erasure(cast.fay, erasure.pk, now=cast.clock())


def confirm(cast, erasure):
    return actions.confirm_erasure(
        cast.gus, erasure.pk, seen=Erasure.objects.get(pk=erasure.pk).digest, now=cast.clock()
    )


def erase(cast, *phrases, public=False, **more):
    """All of a person's, erased."""
    erasure = ask(cast, *phrases, **more)
    if public:
        actions.choose(cast.fay, erasure.pk, chosen=True)
    propose(cast, erasure)
    confirm(cast, erasure)
    work(cast)
    return Erasure.objects.get(pk=erasure.pk)


def kinds(cast):
    """The kinds of all entries, oldest first."""
    rows = [*Entry.objects.order_by("index"), *Intent.objects.order_by("pk")]
    return [read_leaf(row.leaf).kind for row in rows]


def entries(cast, kind):
    """The entries of a kind, with all fields."""
    rows = [*Entry.objects.order_by("index"), *Intent.objects.order_by("pk")]
    wanted = [read_leaf(row.leaf) for row in rows]
    return [
        one
        for subject in dict.fromkeys(leaf.subject for leaf in wanted if leaf.kind == kind)
        for one in list_history(subject)
        if one.kind == kind
    ]


def open_texts(cast):
    """The text of every field on the record that opens, by its place."""
    rows = list(FieldValue.objects.order_by("pk"))
    opened = zip(rows, open_values(rows), strict=True)
    return {(row.entry_id, row.label): field.value for row, field in opened if field is not None}


def officer_of_other(cast):
    return people.add_member(
        cast.other,
        email="olga@other.example",
        name="Olga",
        roles=[Role.RECORDS, Role.ADMIN],
        password="correct horse battery",
        now=cast.clock(),
    )
