"""How long things are kept: the schedule, what holds keep, and disposing of what is due."""

from __future__ import annotations

from datetime import date, timedelta

import desk_moves as moves
import pytest
import retention_moves as keeping
from django.db import IntegrityError, transaction

from folkmoot.desk.records import actions as records
from folkmoot.desk.records.classes import RecordClass
from folkmoot.desk.records.models import Entry, FieldValue
from folkmoot.desk.records.survey import list_headers
from folkmoot.desk.retention import actions, queries
from folkmoot.desk.retention.actions import HeldBack, HoldScope, Line, RetentionRefused, Scope
from folkmoot.desk.retention.models import Batch, Hold, Rule
from folkmoot.desk.retention.queries import BatchState, HoldState
from folkmoot.desk.retention.scheduling import line_of_rule
from folkmoot.desk.retention.seeding import SeedError, parse_seeds, read_seeds
from folkmoot.desk.retention.triggers import EVENTS, Action, Trigger, months_before, tell_months

# The schedule


def test_every_class_has_a_proposed_line_with_a_source_that_can_be_looked_up():
    seeds = read_seeds()
    assert set(seeds) == set(RecordClass)
    for seed in seeds.values():
        assert seed.sources
        assert seed.why
        assert all(source.address.startswith("https://") for source in seed.sources)
        assert seed.record_class in EVENTS[seed.trigger].classes
        assert not seed.law, "no source we have read sets a period"


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ('record_class = "posts"', 'record_class = "stamps"'),
        ('trigger = "post_ended"', 'trigger = "member_left"'),
        ('period = "proposed"', 'period = "certain"'),
        ("months = 72", "months = 0"),
        ('evidence = "seen_in_part"', 'evidence = "trust_me"'),
        ('address = "https://', 'address = "ftp://'),
        ('sources = ["uk-gdpr-5-1-e"]', 'sources = ["hearsay"]'),
        ('[[class]]\nrecord_class = "records"', '[[class]]\nrecord_class = "posts"'),
    ],
)
def test_a_schedule_that_does_not_hold_together_is_refused(was, now):
    from importlib import resources

    text = (resources.files("folkmoot.desk.retention") / "seeds" / "uk.toml").read_text()
    assert was in text
    with pytest.raises(SeedError):
        parse_seeds(text.replace(was, now, 1))


def test_nothing_is_due_until_two_people_have_taken_the_schedule_on(cast):
    keeping.old_post(cast)
    assert queries.list_due(cast.body, cast.clock()) == []
    with pytest.raises(RetentionRefused, match="all of it is kept"):
        actions.draw_up(cast.fay, RecordClass.POSTS, now=cast.clock())
    rules = actions.adopt_schedule(cast.fay, now=cast.clock())
    assert queries.list_due(cast.body, cast.clock()) == []
    with pytest.raises(RetentionRefused, match="second person"):
        actions.confirm_schedule(cast.fay, [r.pk for r in rules], now=cast.clock())
    actions.confirm_schedule(cast.gus, [r.pk for r in rules], now=cast.clock())
    (due,) = [
        one
        for one in queries.list_due(cast.body, cast.clock())
        if one.record_class is RecordClass.POSTS
    ]
    assert due.free > 0
    with pytest.raises(RetentionRefused, match="already"):
        actions.adopt_schedule(cast.fay, now=cast.clock())


def line(cast, **more):
    values = {
        "trigger": Trigger.POST_ENDED,
        "months": 72,
        "action": Action.REVIEW,
        "mandate": "Our own policy",
        **more,
    }
    return Line(**values)


def rule_of(cast, record_class=RecordClass.POSTS):
    (row,) = [one for one in queries.list_schedule(cast.body) if one.record_class is record_class]
    return row


@pytest.mark.parametrize(
    ("changed", "two"),
    [
        ({"months": 84}, False),
        ({"action": Action.KEEP}, False),
        ({"months": 60}, True),
        ({"action": Action.DESTROY}, True),
        ({"action": Action.TRANSFER}, True),
        ({"months": 120, "action": Action.DESTROY}, True),
        ({"why": "Said better."}, False),
    ],
)
def test_a_change_by_which_something_may_go_sooner_takes_two(cast, changed, two):
    keeping.adopt(cast)
    before = rule_of(cast).in_force
    rule = actions.change_schedule(
        cast.fay, RecordClass.POSTS, line(cast, **changed), now=cast.clock()
    )
    row = rule_of(cast)
    assert rule.version == before.version + 1
    if two:
        assert (row.in_force.pk, row.proposed.pk) == (before.pk, rule.pk)
        with pytest.raises(RetentionRefused, match="second person"):
            actions.confirm_schedule(cast.fay, [rule.pk], now=cast.clock())
        actions.confirm_schedule(cast.gus, [rule.pk], now=cast.clock())
        row = rule_of(cast)
    assert (row.in_force.pk, row.proposed) == (rule.pk, None)
    assert [one.version for one in queries.list_versions(cast.body, RecordClass.POSTS)] == [2, 1]
    assert keeping.kinds(cast)[-1] == "schedule.changed"


def test_the_database_takes_no_shorter_period_from_one_person(cast):
    keeping.adopt(cast)
    rule = actions.change_schedule(
        cast.fay, RecordClass.POSTS, line(cast, months=1), now=cast.clock()
    )
    Rule.objects.filter(pk=rule_of(cast).in_force.pk).update(state="superseded")
    with pytest.raises(IntegrityError), transaction.atomic():
        Rule.objects.filter(pk=rule.pk).update(state="in_force")
    with pytest.raises(IntegrityError), transaction.atomic():
        Rule.objects.filter(pk=rule.pk).update(state="in_force", confirmed_by=cast.fay.ref)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"trigger": Trigger.MEMBER_LEFT}, "trigger"),
        ({"trigger": Trigger.ENTRY_MADE}, "trigger"),
        ({"months": 0}, "months"),
        ({"months": 5000}, "months"),
        ({"mandate": " "}, "mandate"),
        ({"address": "javascript:alert(1)"}, "address"),
        ({"ours": False}, "address"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused_in_words(cast, more, field):
    keeping.adopt(cast)
    with pytest.raises(RetentionRefused) as refused:
        actions.change_schedule(cast.fay, RecordClass.POSTS, line(cast, **more), now=cast.clock())
    assert refused.value.field == field


def test_a_change_that_waits_is_decided_before_the_next_and_may_be_turned_down(cast):
    keeping.adopt(cast)
    before = rule_of(cast).in_force
    rule = actions.change_schedule(
        cast.fay, RecordClass.POSTS, line(cast, months=1), now=cast.clock()
    )
    with pytest.raises(RetentionRefused, match="waits"):
        actions.change_schedule(
            cast.gus, RecordClass.POSTS, line(cast, months=90), now=cast.clock()
        )
    actions.turn_down_schedule(cast.gus, [rule.pk], now=cast.clock())
    assert rule_of(cast).in_force.pk == before.pk
    assert rule_of(cast).proposed is None
    with pytest.raises(RetentionRefused):
        actions.confirm_schedule(cast.gus, [rule.pk], now=cast.clock())


def test_no_trigger_lets_what_is_still_in_use_come_due(cast):
    """A post that waits, an account that is connected and a member who is here are never over."""
    keeping.adopt(cast)
    moves.awaiting(cast)
    records.sequence(cast.clock())
    cast.clock.pass_(days=40 * 366)
    subjects = {
        header.subject
        for due in queries.list_due(cast.body, cast.clock())
        for header in keeping.due_of(cast, due.record_class)
    }
    assert not {one for one in subjects if one.startswith(("post/", "account/", "member/"))}


@pytest.mark.parametrize(
    ("moment", "months", "expected"),
    [
        ("2026-03-31", 1, "2026-02-28"),
        ("2028-03-31", 1, "2028-02-29"),
        ("2026-11-20", 72, "2020-11-20"),
        ("2026-01-15", 1, "2025-12-15"),
        ("2026-12-31", -2, "2027-02-28"),
    ],
)
def test_months_are_months_of_the_calendar(moment, months, expected):
    from datetime import UTC, datetime

    found = months_before(datetime.fromisoformat(moment).replace(tzinfo=UTC), months)
    assert f"{found:%Y-%m-%d}" == expected


def test_periods_are_told_in_words():
    told = [tell_months(one) for one in (1, 12, 18, 72)]
    assert told == ["1 month", "1 year", "18 months", "6 years"]


# Holds


def test_a_hold_keeps_what_it_names_out_of_a_disposal_and_lets_it_come_due_again(cast):
    draft = keeping.old_post(cast)
    keeping.adopt(cast)
    free = keeping.due_of(cast, RecordClass.POSTS)
    assert draft.subject in {one.subject for one in free}
    hold = keeping.hold(cast, subjects=(draft.subject,))
    assert draft.subject not in {one.subject for one in keeping.due_of(cast, RecordClass.POSTS)}
    (due,) = [d for d in queries.list_due(cast.body, cast.clock()) if d.record_class == "posts"]
    assert due.held == len([one for one in free if one.subject == draft.subject])
    assert queries.count_holds(cast.body) == 1
    keeping.release(cast, hold)
    # The clock went on: it is due at once.
    assert keeping.due_of(cast, RecordClass.POSTS) == free
    assert queries.count_holds(cast.body) == 0


def scopes(cast, draft, header):
    day = header.at.date()
    return {
        "subject": Scope(HoldScope.SUBJECTS, subjects=(draft.subject,)),
        "account": Scope(HoldScope.ACCOUNT, account=cast.feed.pk),
        "class": Scope(HoldScope.CLASS, record_class=RecordClass.POSTS),
        "days": Scope(
            HoldScope.CLASS,
            record_class=RecordClass.POSTS,
            since_on=day - timedelta(days=1),
            until_on=day + timedelta(days=1),
        ),
        "chosen": Scope(HoldScope.CHOSEN, entries=(header.entry_id,)),
        "request": Scope(HoldScope.REQUEST, request="request/0a", entries=(header.entry_id,)),
    }


@pytest.mark.parametrize("which", ["subject", "account", "class", "days", "chosen", "request"])
def test_each_kind_of_hold_holds_what_it_says(cast, which):
    draft = keeping.old_post(cast)
    header = next(h for h in list_headers(cast.body.ref, subjects=[draft.subject]))
    held = queries.read_held(cast.body)
    assert held.over(header) == []
    hold = actions.place_hold(
        cast.dan, scopes(cast, draft, header)[which], reason="A claim.", now=cast.clock()
    )
    held = queries.read_held(cast.body)
    assert held.over(header) == [hold.pk]
    if which not in {"chosen", "request"}:
        others = list(list_headers(cast.body.ref, subjects=[draft.subject]))
        assert all(held.over(one) for one in others)
    assert queries.tell_scope(hold)


def test_a_hold_of_days_holds_no_other_days(cast):
    draft = keeping.old_post(cast)
    header = next(h for h in list_headers(cast.body.ref, subjects=[draft.subject]))
    keeping.hold(
        cast,
        kind=HoldScope.CLASS,
        record_class=RecordClass.POSTS,
        since_on=date(2040, 1, 1),
        until_on=date(2040, 12, 31),
    )
    assert queries.read_held(cast.body).over(header) == []


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ({}, "Say what is to be held"),
        ({"subjects": ("post/999999",)}, "Nothing is recorded of post/999999"),
        ({"subjects": tuple(f"post/{n}" for n in range(1001))}, "up to 1000"),
        ({"kind": HoldScope.ACCOUNT}, "Choose the account"),
        ({"kind": HoldScope.ACCOUNT, "account": 999_999}, "Choose the account"),
        ({"kind": HoldScope.CLASS}, "Choose a class"),
        (
            {
                "kind": HoldScope.CLASS,
                "record_class": RecordClass.POSTS,
                "since_on": date(2026, 2, 1),
                "until_on": date(2026, 1, 1),
            },
            "before the first",
        ),
        ({"kind": HoldScope.CHOSEN}, "at least one"),
        ({"kind": HoldScope.CHOSEN, "entries": ("0" * 32,)}, "not in the record"),
        ({"kind": HoldScope.REQUEST}, "which request"),
    ],
)
def test_a_hold_of_nothing_is_refused_in_words(cast, scope, words):
    with pytest.raises(RetentionRefused, match=words):
        keeping.hold(cast, **scope)
    assert not Hold.objects.exists()


def test_a_hold_says_why(cast):
    draft = keeping.old_post(cast)
    with pytest.raises(RetentionRefused, match="Say why"):
        keeping.hold(cast, subjects=(draft.subject,), reason="  ")


def test_a_hold_is_released_by_two_and_holds_until_then(cast):
    draft = keeping.old_post(cast)
    hold = keeping.hold(cast, subjects=(draft.subject,))
    with pytest.raises(RetentionRefused, match="Say why"):
        actions.propose_release(cast.fay, hold.pk, reason="", now=cast.clock())
    with pytest.raises(RetentionRefused, match="cannot be released"):
        actions.release_hold(cast.gus, hold.pk, now=cast.clock())
    actions.propose_release(cast.fay, hold.pk, reason="Settled.", now=cast.clock())
    assert queries.read_held(cast.body)
    assert queries.count_waiting(cast.body, cast.clock()) == 1
    with pytest.raises(RetentionRefused, match="second person"):
        actions.release_hold(cast.fay, hold.pk, now=cast.clock())
    actions.keep_hold(cast.gus, hold.pk, now=cast.clock())
    assert Hold.objects.get(pk=hold.pk).state == HoldState.PLACED
    keeping.release(cast, hold)
    assert not queries.read_held(cast.body)


@pytest.mark.parametrize(
    "values",
    [
        {"state": "released"},
        {"state": "released", "released_by": "a"},
        {"state": "released", "released_by": "a", "release_proposed_by": "a"},
        {"released_by": "a", "release_proposed_by": "a"},
    ],
)
def test_the_database_releases_no_hold_by_one(cast, values):
    hold = keeping.hold(cast, subjects=(keeping.old_post(cast).subject,))
    with pytest.raises(IntegrityError), transaction.atomic():
        Hold.objects.filter(pk=hold.pk).update(**values)


def test_entries_can_be_added_to_a_hold_that_stands(cast):
    draft = keeping.old_post(cast)
    first, second, *_ = list_headers(cast.body.ref, subjects=[draft.subject])
    hold = keeping.hold(
        cast, kind=HoldScope.REQUEST, request="request/1", entries=(first.entry_id,)
    )
    actions.hold_more(
        cast.fay, hold.pk, entries=[first.entry_id, second.entry_id], now=cast.clock()
    )
    assert queries.read_held(cast.body).over(second) == [hold.pk]
    with pytest.raises(RetentionRefused):
        actions.hold_more(cast.fay, hold.pk, entries=["0" * 32], now=cast.clock())


# Disposal


def drawn_up(cast, record_class=RecordClass.POSTS):
    keeping.adopt(cast)
    return actions.draw_up(cast.fay, record_class, now=cast.clock())


def proposed(cast, **more):
    batch = drawn_up(cast)
    return actions.propose_disposal(
        cast.fay, batch.pk, reason="It is over.", now=cast.clock(), **more
    )


def confirmed(cast):
    batch = proposed(cast)
    return actions.confirm_disposal(
        cast.gus, batch.pk, seen=queries.digest_of(batch), now=cast.clock()
    )


@pytest.mark.django_db(transaction=True)
def test_what_is_due_is_destroyed_once_two_agreed_and_its_headers_stay(cast):
    draft = keeping.old_post(cast)
    records.sequence(cast.clock())
    before = keeping.open_texts(cast)
    batch = confirmed(cast)
    chosen = set(batch.items.values_list("entry", flat=True))
    assert before.items() <= keeping.open_texts(cast).items()
    keeping.work(cast)
    records.sequence(cast.clock())
    batch.refresh_from_db()
    assert batch.state == BatchState.DONE
    assert not FieldValue.objects.filter(entry_id__in=chosen, erased_at=None).exists()
    assert not FieldValue.objects.filter(entry_id__in=chosen).exclude(sealed=b"").exists()
    assert Entry.objects.filter(entry_id__in=chosen).count() == len(chosen)
    after = keeping.open_texts(cast)
    assert all(after[place] == text for place, text in before.items() if place[0] not in chosen)
    (done,) = keeping.entries(cast, "disposal.done")
    assert done.fields["class"] == "posts"
    assert done.fields["entries"] == str(len(chosen))
    assert done.fields["digest"] == batch.digest
    assert done.fields["confirmed_by"] == cast.gus.ref
    assert "section 46" in done.fields["mandate"]
    assert draft.subject not in str(done.fields)
    assert keeping.due_of(cast, RecordClass.POSTS) == []


@pytest.mark.parametrize("state", ["destroying", "rolling", "done"])
def test_the_database_disposes_of_nothing_by_one(cast, state):
    keeping.old_post(cast)
    batch = proposed(cast)
    for values in ({}, {"confirmed_by": batch.proposed_by}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Batch.objects.filter(pk=batch.pk).update(state=state, **values)


def test_whoever_proposed_a_disposal_cannot_confirm_it(cast):
    keeping.old_post(cast)
    batch = proposed(cast)
    with pytest.raises(RetentionRefused, match="second person"):
        actions.confirm_disposal(cast.fay, batch.pk, seen=batch.digest, now=cast.clock())
    with pytest.raises(RetentionRefused, match="has changed"):
        actions.confirm_disposal(cast.gus, batch.pk, seen="0" * 64, now=cast.clock())


def test_what_is_left_out_is_not_destroyed(cast):
    one, two = cast.content(), cast.content("Another that is old too.")
    draft, other = keeping.old_posts(cast, one, two)
    batch = drawn_up(cast)
    actions.leave_out(cast.fay, batch.pk, [draft.subject])
    actions.propose_disposal(cast.fay, batch.pk, reason="Over.", now=cast.clock())
    with pytest.raises(RetentionRefused, match="only until"):
        actions.leave_out(cast.fay, batch.pk, [other.subject])
    chosen = batch.items.filter(left_out=False)
    assert {one.subject for one in chosen} == {other.subject}
    things, more = queries.list_things(batch)
    assert not more
    assert {one.subject: one.left_out for one in things} == {
        draft.subject: True,
        other.subject: False,
    }


def test_nothing_left_is_nothing_proposed(cast):
    draft = keeping.old_post(cast)
    batch = drawn_up(cast)
    actions.leave_out(cast.fay, batch.pk, [draft.subject])
    with pytest.raises(RetentionRefused, match="Nothing is chosen"):
        actions.propose_disposal(cast.fay, batch.pk, reason="Over.", now=cast.clock())


def test_having_looked_one_may_decide_to_keep_longer(cast):
    keeping.old_post(cast)
    batch = drawn_up(cast)
    with pytest.raises(RetentionRefused, match="Say why"):
        actions.keep_longer(cast.fay, batch.pk, months=12, reason="", now=cast.clock())
    actions.keep_longer(cast.fay, batch.pk, months=12, reason="A history.", now=cast.clock())
    assert keeping.due_of(cast, RecordClass.POSTS) == []
    cast.clock.pass_(days=367)
    assert keeping.due_of(cast, RecordClass.POSTS)


def test_a_hold_that_came_between_refuses_the_proposal_and_is_on_the_record(cast):
    draft = keeping.old_post(cast)
    batch = drawn_up(cast)
    hold = keeping.hold(cast, subjects=(draft.subject,))
    with pytest.raises(HeldBack) as held:
        actions.propose_disposal(cast.fay, batch.pk, reason="Over.", now=cast.clock())
    assert held.value.holds == (hold.pk,)
    assert keeping.kinds(cast)[-1] == "erasure.refused_because_held"
    (waiting,) = queries.list_waiting(cast.body, cast.clock())
    assert (waiting.what, waiting.number) == ("held_disposal", batch.pk)
    assert actions.leave_out_held(cast.fay, batch.pk) == batch.items.count()
    assert queries.list_waiting(cast.body, cast.clock()) == []


def test_a_hold_that_came_between_refuses_the_confirmation_too(cast):
    draft = keeping.old_post(cast)
    batch = proposed(cast)
    keeping.hold(cast, subjects=(draft.subject,))
    with pytest.raises(HeldBack):
        actions.confirm_disposal(cast.gus, batch.pk, seen=batch.digest, now=cast.clock())
    batch.refresh_from_db()
    assert batch.state == BatchState.PROPOSED
    actions.drop_disposal(cast.fay, batch.pk, now=cast.clock())


@pytest.mark.django_db(transaction=True)
def test_a_hold_that_came_after_the_confirmation_keeps_what_is_left(cast):
    draft = keeping.old_post(cast)
    batch = confirmed(cast)
    before = keeping.open_texts(cast)
    hold = keeping.hold(cast, subjects=(draft.subject,))
    keeping.work(cast)
    batch.refresh_from_db()
    assert batch.state == BatchState.DONE
    assert queries.count_items(batch).gone == 0
    assert queries.count_items(batch).held_back == batch.items.count()
    after = keeping.open_texts(cast)
    assert {place: after[place] for place in before} == before
    assert "erasure.refused_because_held" in keeping.kinds(cast)
    keeping.release(cast, hold)
    assert keeping.due_of(cast, RecordClass.POSTS)


def test_a_schedule_that_became_longer_stops_a_disposal_that_was_proposed(cast):
    keeping.old_post(cast)
    batch = proposed(cast)
    actions.change_schedule(cast.fay, RecordClass.POSTS, line(cast, months=600), now=cast.clock())
    with pytest.raises(RetentionRefused, match="schedule has changed"):
        actions.confirm_disposal(cast.gus, batch.pk, seen=batch.digest, now=cast.clock())


@pytest.mark.django_db(transaction=True)
def test_what_was_disposed_of_does_not_come_back_with_a_longer_period(cast):
    keeping.old_post(cast)
    batch = confirmed(cast)
    keeping.work(cast)
    chosen = set(batch.items.values_list("entry", flat=True))
    actions.change_schedule(cast.fay, RecordClass.POSTS, line(cast, months=1_000), now=cast.clock())
    keeping.work(cast)
    assert not FieldValue.objects.filter(entry_id__in=chosen, erased_at=None).exists()


def test_what_is_to_be_transferred_must_have_left_in_a_bag(cast):
    keeping.old_post(cast)
    keeping.adopt(cast)
    rule = actions.change_schedule(
        cast.fay, RecordClass.POSTS, line(cast, action=Action.TRANSFER), now=cast.clock()
    )
    actions.confirm_schedule(cast.gus, [rule.pk], now=cast.clock())
    batch = actions.draw_up(cast.fay, RecordClass.POSTS, now=cast.clock())
    entries = list(batch.items.values_list("entry", flat=True))

    def propose(manifest):
        return actions.propose_disposal(
            cast.fay, batch.pk, reason="Sent.", manifest=manifest, now=cast.clock()
        )

    for manifest, words in (("", "manifest"), ("x" * 64, "manifest"), ("a" * 64, "has left")):
        with pytest.raises(RetentionRefused, match=words):
            propose(manifest)
    actions.note_copy(
        cast.body, bag="bag/1", manifest="a" * 64, entries=entries[1:], released_at=cast.clock()
    )
    with pytest.raises(RetentionRefused, match="lacks 1"):
        propose("A" * 64)
    actions.note_copy(
        cast.body, bag="bag/2", manifest="b" * 64, entries=entries, released_at=cast.clock()
    )
    assert propose("B" * 64).manifest == "b" * 64
    outside = queries.list_copies_outside(cast.body, entries[:1])
    assert [(one.bag, one.entries) for one in outside] == [("bag/2", 1)]
    assert queries.list_copies_outside(cast.other, entries) == []


# Another body's


def test_nothing_here_reaches_another_body(cast):
    draft = keeping.old_post(cast)
    keeping.adopt(cast)
    stranger = keeping.officer_of_other(cast)
    hold = keeping.hold(cast, subjects=(draft.subject,))
    with pytest.raises(RetentionRefused, match="no such hold"):
        actions.propose_release(stranger, hold.pk, reason="Mine.", now=cast.clock())
    with pytest.raises(RetentionRefused, match="Nothing is recorded"):
        actions.place_hold(
            stranger,
            Scope(HoldScope.SUBJECTS, subjects=(draft.subject,)),
            reason="Mine.",
            now=cast.clock(),
        )
    header = next(h for h in list_headers(cast.body.ref, subjects=[draft.subject]))
    with pytest.raises(RetentionRefused, match="not in the record"):
        actions.place_hold(
            stranger,
            Scope(HoldScope.CHOSEN, entries=(header.entry_id,)),
            reason="Mine.",
            now=cast.clock(),
        )
    with pytest.raises(RetentionRefused, match="account"):
        actions.place_hold(
            stranger,
            Scope(HoldScope.ACCOUNT, account=cast.feed.pk),
            reason="Mine.",
            now=cast.clock(),
        )
    keeping.release(cast, hold)
    batch = actions.draw_up(cast.fay, RecordClass.POSTS, now=cast.clock())
    with pytest.raises(RetentionRefused, match="no such disposal"):
        actions.propose_disposal(stranger, batch.pk, reason="Mine.", now=cast.clock())
    rule = rule_of(cast).in_force
    with pytest.raises(RetentionRefused, match="no such proposal"):
        actions.turn_down_schedule(stranger, [rule.pk], now=cast.clock())
    assert queries.find_hold(cast.other, hold.pk) is None
    assert queries.find_batch(cast.other, batch.pk) is None
    assert queries.list_waiting(cast.other, cast.clock()) == []


def test_line_and_rule_say_the_same(cast):
    keeping.adopt(cast)
    rule = rule_of(cast).in_force
    assert line_of_rule(rule).months == rule.months
    with pytest.raises(RetentionRefused, match="already"):
        actions.change_schedule(cast.fay, RecordClass.POSTS, line_of_rule(rule), now=cast.clock())


def test_each_sealed_column_s_table_belongs_to_a_class_of_records():
    from folkmoot.desk.records.columns import sealed_columns
    from folkmoot.desk.retention.triggers import TABLE_WORDS, TABLES

    for column in sealed_columns():
        label = column.model._meta.label_lower
        owners = [one for one, starts in TABLES.items() if label.startswith(starts)]
        assert len(owners) == 1, f"{label} belongs to {owners}"
        assert label in TABLE_WORDS, f"{label} has no words"
