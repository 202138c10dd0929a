"""The life of a request: two readers, nothing released by omission, and the database's own word."""

from __future__ import annotations

from datetime import date

import desk_moves
import pytest
import releases_moves as moves
from django.db import IntegrityError, connection, transaction

from folkmoot.desk.people import actions as people
from folkmoot.desk.people.queries import Role
from folkmoot.desk.records import actions as records
from folkmoot.desk.records import taking
from folkmoot.desk.records.models import Entry, Intent
from folkmoot.desk.records.queries import list_history
from folkmoot.desk.releases import actions, queries
from folkmoot.desk.releases.exemptions import EXEMPTIONS, PERSONAL, find_exemption
from folkmoot.desk.releases.lifecycle import BAG, REQUEST, RequestState
from folkmoot.desk.releases.models import Bag, BagState, Decision, Reading, Request
from folkmoot.desk.releases.regimes import PauseKind, Regime
from folkmoot.desk.releases.scope import Scope, find_ids
from folkmoot.desk.releases.steps import ReleaseRefused
from folkmoot.desk.releases.suggesting import Suggestion, suggest
from folkmoot.desk.retention.queries import list_holds


def kinds(row):
    return [entry.kind for entry in list_history(row.subject)]


def refuses(act, *words):
    with pytest.raises(ReleaseRefused) as refused:
        act()
    for word in words:
        assert word in str(refused.value), refused.value
    return refused.value


# The whole life


def test_a_request_goes_from_receipt_to_release_and_each_step_is_on_the_record(cast):
    request = moves.released(cast)
    assert request.state == "released"
    assert request.closed_on == date(2026, 11, 20)
    assert kinds(request) == [
        "request.received",
        "request.chosen",
        "request.redacted",
        "redaction.decided",
        "request.prepared",
        "request.agreed",
        "request.released",
    ]
    bag = moves.bag_of(request)
    said = list_history(request.subject)[-1].fields
    assert said["manifest_sha256"] == bag.manifest_sha256
    assert [entry.kind for entry in list_history(bag.subject)] == ["bag.released"]
    by = {entry.kind: entry.actor for entry in list_history(request.subject)}
    assert by["request.prepared"] == cast.fay.ref
    assert by["request.agreed"] == cast.gus.ref


def test_who_asked_and_their_words_are_on_no_entry_and_in_no_plain_column(cast):
    request = moves.received(cast, requester="Jo Bloggs", words="Everything about Jo Bloggs.")
    records.sequence(cast.clock())
    assert not [text for text in desk_moves.recorded_texts() if "Bloggs" in text]
    with connection.cursor() as cursor:
        cursor.execute("SELECT requester, words, scope FROM releases_request")
        assert "Bloggs" not in str(cursor.fetchall())
    assert moves.again(request).requester == "Jo Bloggs"


def test_what_is_asked_for_is_held_from_the_day_it_is_asked_for(cast):
    desk_moves.publish(cast)
    request = moves.received(cast, scope=Scope(classes=("posts",)))
    (hold,), _more = list_holds(cast.body, standing=True)
    assert hold.request == request.subject
    assert "s.77" in hold.reason
    wanted, _ = find_ids(cast.body, Scope(classes=("posts",)))
    assert set(hold.items.values_list("entry", flat=True)) == set(wanted)
    # What is found to belong to it later is held too, each once.
    other = Entry.objects.filter(retention="people").first().entry_id
    actions.choose(cast.fay, request.ref, entry_ids=[other], now=cast.clock())
    assert hold.items.filter(entry=other).count() == 1
    actions.look_for(cast.fay, request.ref, Scope(classes=("people",)), now=cast.clock())
    assert hold.items.filter(entry=other).count() == 1
    assert hold.items.count() > len(wanted) + 1


def test_asking_back_stops_the_clock_and_their_answer_starts_it_anew(cast):
    request = moves.received(cast)
    cast.clock.pass_(days=3)
    request = actions.ask(
        cast.fay, request.ref, PauseKind.CLARIFICATION, date(2026, 11, 20), now=cast.clock()
    )
    assert request.state == "clarifying"
    assert queries.clock_of(request, date(2026, 12, 1)).stands is not None
    request = actions.hear(cast.gus, request.ref, date(2026, 11, 23), now=cast.clock())
    assert request.state == "searching"
    clock = queries.clock_of(request, date(2026, 11, 24))
    assert clock.runs_from == date(2026, 11, 23)
    assert clock.due_on == date(2026, 12, 22)  # 20 days, less St Andrew's Day
    assert kinds(request)[-2:] == ["request.asked", "request.answered"]


def test_days_that_cannot_be_are_refused(cast):
    refuses(lambda: moves.received(cast, on=date(2026, 11, 21)), "future")
    request = moves.received(cast)
    kind, now = PauseKind.CLARIFICATION, cast.clock()
    for on in (date(2026, 11, 17), date(2026, 11, 21)):
        refuses(lambda on=on: actions.ask(cast.fay, request.ref, kind, on, now=now), "to today")
    refuses(
        lambda: actions.ask(cast.fay, request.ref, PauseKind.IDENTITY, date(2026, 11, 19), now=now),
        "no such pause",
    )
    actions.ask(cast.fay, request.ref, kind, date(2026, 11, 19), now=now)
    refuses(lambda: actions.hear(cast.fay, request.ref, date(2026, 11, 18), now=now), "to today")
    refuses(lambda: moves.received(cast, words="  "), "in their own words")
    refuses(lambda: moves.received(cast, regime=Regime.OTHER), "by which day")


def test_a_longer_period_is_taken_once_with_a_reason_and_where_the_law_knows_one(cast):
    request = moves.received(cast)
    refuses(lambda: actions.extend(cast.fay, request.ref, reason=" ", now=cast.clock()), "why")
    actions.extend(cast.fay, request.ref, reason="To weigh s.43.", now=cast.clock())
    assert kinds(request)[-1] == "request.extended"
    refuses(
        lambda: actions.extend(cast.fay, request.ref, reason="More.", now=cast.clock()), "already"
    )
    scottish = moves.received(cast, regime=Regime.FOISA)
    refuses(
        lambda: actions.extend(cast.fay, scottish.ref, reason="x", now=cast.clock()),
        "no longer period",
    )


@pytest.mark.parametrize("end", [actions.refuse, actions.withdraw])
def test_a_request_ends_with_a_reason_and_nothing_in_it_changes_then(cast, end):
    request = moves.redacting(cast)
    refuses(lambda: end(cast.fay, request.ref, reason="", now=cast.clock()), "Say why")
    request = end(cast.fay, request.ref, reason="Nothing is held.", now=cast.clock())
    assert request.closed_on is not None
    assert request.outcome == "Nothing is held."
    for act in (
        lambda: actions.choose(cast.fay, request.ref, now=cast.clock()),
        lambda: actions.look_for(cast.fay, request.ref, Scope(), now=cast.clock()),
        lambda: actions.extend(cast.fay, request.ref, reason="x", now=cast.clock()),
        lambda: actions.show(cast.fay, request.ref, moves.every_field(request), now=cast.clock()),
    ):
        refuses(act)


# Nothing is released by omission


def test_a_chosen_entry_has_every_field_undecided_and_cannot_be_handed_on_so(cast):
    request = moves.redacting(cast)
    assert moves.undecided(request) == request.decisions.count() > 20
    refuses(lambda: actions.prepare(cast.fay, request.ref, now=cast.clock()), "not decided")
    one = request.decisions.first()
    actions.show(cast.fay, request.ref, moves.every_field(request), now=cast.clock())
    Decision.objects.filter(pk=one.pk).update(verdict="undecided")
    refuses(lambda: actions.prepare(cast.fay, request.ref, now=cast.clock()), "1 field is not")


def test_an_entry_chosen_later_is_undecided_too(cast):
    request = moves.decided(cast)
    other = Entry.objects.filter(retention="people").first().entry_id
    actions.choose(cast.fay, request.ref, entry_ids=[other], now=cast.clock())
    assert moves.undecided(request) > 0
    refuses(lambda: actions.prepare(cast.fay, request.ref, now=cast.clock()), "not decided")


def test_fields_that_seem_personal_are_not_released_with_many_others(cast):
    desk_moves.leave(cast, kind="draft.tried", fields={"note": "Call 07700 900123", "word": "Fine"})
    records.sequence(cast.clock())
    request = moves.received(cast, scope=Scope(kinds=("draft.tried",)))
    actions.choose(cast.fay, request.ref, now=cast.clock())
    actions.begin_redaction(cast.fay, request.ref, now=cast.clock())
    labels = [("draft.tried", "note"), ("draft.tried", "word")]
    actions.show(cast.fay, request.ref, actions.Which(labels=labels), now=cast.clock())
    verdicts = dict(request.decisions.values_list("label", "verdict"))
    assert verdicts == {"note": "undecided", "word": "released"}
    which = actions.Which(suggested=(Suggestion.CONTACT,))
    actions.withhold(cast.fay, request.ref, which, exemption="FOIA s.40(2)", now=cast.clock())
    assert request.decisions.get(label="note").ground.exemption == "FOIA s.40(2)"
    # By its own name it can be released, which somebody then did.
    entry_id = request.decisions.get(label="note").entry_id
    one = actions.Which(fields=[(entry_id, "note")])
    actions.show(cast.gus, request.ref, one, now=cast.clock())
    assert request.decisions.get(label="note").by == cast.gus.ref


def test_withholding_needs_an_exemption_of_that_law_and_a_reason_where_one_is_weighed(cast):
    request = moves.redacting(cast)
    which = moves.every_field(request)

    def withhold(exemption, reason=""):
        actions.withhold(
            cast.fay, request.ref, which, exemption=exemption, reason=reason, now=cast.clock()
        )

    for wrong in ("", "FOIA s.99", "FOISA s.38(1)(b)"):
        refuses(lambda wrong=wrong: withhold(wrong), "under which exemption")
    refuses(lambda: withhold("FOIA s.43(2)"), "public interest")
    refuses(lambda: withhold("Outside the request"), "Say why")
    withhold("FOIA s.43(2)", "It would harm the tender that is running.")
    withhold("FOIA s.40(2)")
    assert request.grounds.count() == 2
    assert moves.undecided(request) == 0


def test_deciding_nothing_is_refused(cast):
    request = moves.redacting(cast)
    none = actions.Which()
    refuses(lambda: actions.show(cast.fay, request.ref, none, now=cast.clock()), "Choose")
    strange = actions.Which(fields=[("0" * 32, "text")], labels=[("draft.x", "y")])
    refuses(lambda: actions.show(cast.fay, request.ref, strange, now=cast.clock()), "Choose")


# The second reader


def test_nobody_reads_what_they_prepared_chose_or_decided_themselves(cast):
    request = moves.prepared(cast)
    refuses(
        lambda: actions.agree(cast.fay, request.ref, seen=request.digest, now=cast.clock()),
        "cannot be its second reader",
    )
    # Gus decided one field: he cannot read it either, whoever prepared it.
    one = request.decisions.first()
    which = actions.Which(fields=[(one.entry_id, one.label)])
    actions.show(cast.gus, request.ref, which, now=cast.clock())
    request = actions.prepare(cast.fay, request.ref, now=cast.clock())
    refuses(
        lambda: actions.agree(cast.gus, request.ref, seen=request.digest, now=cast.clock()),
        "cannot be its second reader",
    )


def test_the_database_itself_refuses_what_one_person_alone_saw_to(cast):
    request = moves.prepared(cast)
    with pytest.raises(IntegrityError), transaction.atomic():
        Reading.objects.create(
            request=request,
            digest="d",
            decision="agreed",
            prepared_by=cast.fay.ref,
            by=cast.fay.ref,
            at=cast.clock(),
        )
    rows = Request.objects.filter(pk=request.pk)
    for state in ("agreed", "released"):
        for reader in ("", cast.fay.ref):
            with pytest.raises(IntegrityError), transaction.atomic():
                rows.update(state=state, read_by=reader)
    rows.update(state="agreed", read_by=cast.gus.ref)
    bag = moves.proposed(cast)
    mine = Bag.objects.filter(pk=bag.pk)
    for state in (BagState.WANTED, BagState.READY, BagState.FAILED):
        for second in ("", cast.fay.ref):
            with pytest.raises(IntegrityError), transaction.atomic():
                mine.update(state=state, agreed_by=second)
    mine.update(state=BagState.WANTED, agreed_by=cast.gus.ref)


def test_the_database_itself_refuses_a_field_withheld_on_no_ground_or_decided_by_nobody(cast):
    request = moves.decided(cast, withheld=("reason",))
    rows = request.decisions.filter(verdict="released")
    for change in ({"verdict": "withheld"}, {"verdict": "maybe"}, {"by": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**change)


def test_a_reader_agrees_to_what_their_page_showed_and_to_nothing_else(cast):
    request = moves.prepared(cast)
    shown = request.digest
    refuses(
        lambda: actions.agree(cast.gus, request.ref, seen="0" * 64, now=cast.clock()),
        "changed since you read it",
    )
    # Somebody writes in the database by other ways: the page's digest fits no longer.
    one = request.decisions.order_by("pk").first()
    Decision.objects.filter(pk=one.pk).update(verdict="undecided")
    refuses(
        lambda: actions.agree(cast.gus, request.ref, seen=shown, now=cast.clock()),
        "changed since you read it",
    )


@pytest.mark.parametrize("state", ["second_reading", "agreed"])
@pytest.mark.parametrize("change", ["decide", "choose", "drop", "reason"])
def test_whatever_is_changed_after_it_was_handed_on_sends_it_back(cast, state, change):
    request = moves.made(cast) if state == "agreed" else moves.prepared(cast)
    assert request.state == state
    before = request.digest
    one = request.decisions.order_by("pk").first()
    which = actions.Which(fields=[(one.entry_id, one.label)])
    now = cast.clock()
    if change == "decide":
        actions.withhold(cast.fay, request.ref, which, exemption="FOIA s.40(2)", now=now)
    elif change == "reason":
        ex = {"exemption": "FOIA s.41", "reason": "Told in confidence."}
        actions.withhold(cast.fay, request.ref, which, **ex, now=now)
    elif change == "choose":
        other = Entry.objects.filter(retention="people").first().entry_id
        actions.choose(cast.fay, request.ref, entry_ids=[other], now=now)
    else:
        actions.drop(cast.fay, request.ref, [one.entry_id], now=now)
    request = moves.again(request)
    assert request.state == "redacting"
    assert (request.prepared_by, request.read_by, request.digest) == ("", "", "")
    refuses(lambda: actions.release(cast.fay, request.ref, now=now))
    if change != "choose":
        request = actions.prepare(cast.fay, request.ref, now=now)
        assert request.digest != before
    if state == "agreed":
        bag = request.bags.get()
        refuses(lambda: actions.fetch(cast.fay, bag.ref, now=now), "no longer what was agreed")
        moves.work(cast)
        bag.refresh_from_db()
        assert bag.state == "removed"


def test_the_reader_sends_it_back_with_a_reason(cast):
    request = moves.prepared(cast)
    refuses(lambda: actions.send_back(cast.gus, request.ref, reason="", now=cast.clock()), "why")
    request = actions.send_back(cast.gus, request.ref, reason="Names!", now=cast.clock())
    assert request.state == "redacting"
    assert queries.list_readings(request)[-1].reason == "Names!"


def test_nothing_is_released_before_its_bag_is_made(cast):
    request = moves.agreed(cast)
    refuses(lambda: actions.release(cast.fay, request.ref, now=cast.clock()), "still being made")
    moves.work(cast)
    actions.release(cast.fay, request.ref, now=cast.clock())


def test_two_who_act_at_once_do_not_both_win(cast):
    request = moves.prepared(cast)
    from folkmoot.desk.releases import answering

    stale = queries.get_request(cast.fay, request.ref)
    actions.agree(cast.gus, request.ref, seen=request.digest, now=cast.clock())
    with pytest.raises(ReleaseRefused, match=r"same moment|cannot be"), transaction.atomic():
        answering.take_step(
            stale,
            "send_back",
            member=cast.fay,
            facts=answering.RequestFacts(cast.fay.ref, reason="x"),
            now=cast.clock(),
        )


# Leaks


def test_what_is_withheld_in_one_field_and_shown_in_another_is_found(cast):
    desk_moves.leave(cast, kind="draft.one", fields={"name": "Zebedee Quux"})
    desk_moves.leave(cast, kind="draft.two", fields={"text": "said  by ZEBEDEE quux today"})
    records.sequence(cast.clock())
    request = moves.received(cast, scope=Scope(kinds=()))
    ids, _ = find_ids(cast.body, Scope(kinds=("draft.one",)))
    more, _ = find_ids(cast.body, Scope(kinds=("draft.two",)))
    actions.choose(cast.fay, request.ref, entry_ids=[*ids, *more], now=cast.clock())
    actions.begin_redaction(cast.fay, request.ref, now=cast.clock())
    actions.show(cast.fay, request.ref, moves.every_field(request), now=cast.clock())
    assert queries.find_leaks(request) == []
    actions.withhold(
        cast.fay,
        request.ref,
        actions.Which(labels=[("draft.one", "name")]),
        exemption="FOIA s.40(2)",
        now=cast.clock(),
    )
    assert queries.find_leaks(request) == [(more[0], "text")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Write to jo.bloggs@example.gov.uk today", Suggestion.CONTACT),
        ("Ring 07700 900123", Suggestion.CONTACT),
        ("Ring +44 (0)20 7946 0018.", Suggestion.CONTACT),
        ("Ring 0117 496 0123", Suggestion.CONTACT),
        ("Signed by ALEX   Author", Suggestion.STAFF),
        ("about Jo  BLOGGS", Suggestion.PHRASE),
        ("2026-11-20T09:00:00+00:00", Suggestion.PLAIN),
        ("0123456789abcdef0123456789abcdef", Suggestion.PLAIN),
        ("3 of 12 parts are live", Suggestion.PLAIN),
        ("uk-civil-service@2026.11#6f80e35991af", Suggestion.PLAIN),
        ("jo@bücher.example", Suggestion.CONTACT),
        ("", Suggestion.PLAIN),
    ],
)
def test_what_seems_personal_is_suggested_to_be_looked_at(text, found):
    suggested = suggest(
        text, retention="posts", public=False, phrases=["jo bloggs"], staff=["Alex Author"]
    )
    assert suggested is found
    assert suggest(text, retention="posts", public=True) is Suggestion.PUBLIC
    if found is Suggestion.PLAIN:
        assert suggest(text, retention="people", public=False) is Suggestion.PEOPLE


# Who may


VERBS = {
    "receive": lambda c, r, who: moves.received(c, member=who),
    "ask": lambda c, r, who: actions.ask(
        who, r.ref, PauseKind.CLARIFICATION, date(2026, 11, 19), now=c.clock()
    ),
    "hear": lambda c, r, who: actions.hear(who, r.ref, date(2026, 11, 19), now=c.clock()),
    "extend": lambda c, r, who: actions.extend(who, r.ref, reason="x", now=c.clock()),
    "look_for": lambda c, r, who: actions.look_for(who, r.ref, Scope(), now=c.clock()),
    "search": lambda c, r, who: actions.begin_search(who, r.ref, now=c.clock()),
    "choose": lambda c, r, who: actions.choose(who, r.ref, now=c.clock()),
    "drop": lambda c, r, who: actions.drop(who, r.ref, ["x"], now=c.clock()),
    "redact": lambda c, r, who: actions.begin_redaction(who, r.ref, now=c.clock()),
    "show": lambda c, r, who: actions.show(who, r.ref, moves.every_field(r), now=c.clock()),
    "withhold": lambda c, r, who: actions.withhold(
        who, r.ref, moves.every_field(r), exemption="FOIA s.41", now=c.clock()
    ),
    "prepare": lambda c, r, who: actions.prepare(who, r.ref, now=c.clock()),
    "agree": lambda c, r, who: actions.agree(who, r.ref, seen=r.digest, now=c.clock()),
    "send_back": lambda c, r, who: actions.send_back(who, r.ref, reason="x", now=c.clock()),
    "release": lambda c, r, who: actions.release(who, r.ref, now=c.clock()),
    "refuse": lambda c, r, who: actions.refuse(who, r.ref, reason="x", now=c.clock()),
    "withdraw": lambda c, r, who: actions.withdraw(who, r.ref, reason="x", now=c.clock()),
}
BAG_VERBS = {
    "propose": lambda c, b, who: moves.proposed(c, member=who),
    "agree": lambda c, b, who: actions.agree_to_bag(who, b.ref, now=c.clock()),
    "retry": lambda c, b, who: actions.retry(who, b.ref, now=c.clock()),
    "fetch": lambda c, b, who: actions.fetch(who, b.ref, now=c.clock()),
    "remove": lambda c, b, who: actions.remove(who, b.ref, reason="x", now=c.clock()),
}


def stranger(cast):
    return people.add_member(
        cast.other,
        email="odd@other.example",
        name="Odd",
        roles=[Role.RECORDS],
        password="correct horse battery",
        now=cast.clock(),
    )


def state_of_all():
    return [
        list(table.objects.order_by("pk").values_list())
        for table in (Request, Decision, Reading, Bag)
    ] + [Intent.objects.count() + Entry.objects.count()]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("who", ["alice", "bob", "carol", "dan", "mallory"])
def test_nobody_but_a_records_officer_takes_a_step_of_a_request(cast, verb, who):
    request = moves.prepared(cast)
    before = state_of_all()
    refuses(lambda: VERBS[verb](cast, request, getattr(cast, who)), "role records")
    assert state_of_all() == before


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "receive"])
def test_a_request_of_another_body_is_not_there_for_its_records_officer(cast, verb):
    request = moves.prepared(cast)
    outsider = stranger(cast)
    before = state_of_all()
    with pytest.raises(queries.NoSuchRequest):
        VERBS[verb](cast, request, outsider)
    assert state_of_all() == before


@pytest.mark.parametrize("verb", BAG_VERBS)
@pytest.mark.parametrize("who", ["alice", "bob", "carol", "dan", "mallory", "stranger"])
def test_nobody_but_a_records_officer_of_the_body_touches_a_bag(cast, verb, who):
    bag = moves.proposed(cast)
    member = stranger(cast) if who == "stranger" else getattr(cast, who)
    before = state_of_all()
    if who == "stranger" and verb != "propose":
        with pytest.raises(queries.NoSuchBag):
            BAG_VERBS[verb](cast, bag, member)
    else:
        refuses(lambda: BAG_VERBS[verb](cast, bag, member))
    assert state_of_all() == before


@pytest.mark.parametrize("state", list(RequestState))
def test_every_state_offers_only_what_the_table_has_from_there(state):
    offered = set(REQUEST.offers(state, roles=["records"]))
    assert offered == {step.verb for step in REQUEST.steps if state in step.sources}
    assert not REQUEST.offers(state, roles=["author", "approver", "admin", "duty"])
    if state in REQUEST.final:
        assert not offered


def test_a_step_out_of_its_turn_says_so_and_changes_nothing(cast):
    request = moves.received(cast)
    before = state_of_all()
    for verb in ("redact", "prepare", "agree", "send_back", "release", "hear"):
        refuses(lambda verb=verb: VERBS[verb](cast, request, cast.gus))
    assert state_of_all() == before
    assert BAG.offers(BagState.REMOVED, roles=["records", "worker"]) == ()


# Scopes


def test_a_scope_comes_to_what_it_says_and_to_no_other_body(cast):
    first = desk_moves.publish(cast, text="First post. Everyone is welcome.", topic="Flood  Water")
    desk_moves.publish(cast, text="Second post. Everyone is welcome.", accounts=[cast.practice])
    everything, _ = find_ids(cast.body, Scope())

    def ids(**scope):
        return set(find_ids(cast.body, Scope(**scope))[0])

    def about(*subjects):
        return set(Entry.objects.filter(subject__in=subjects).values_list("entry_id", flat=True))

    assert ids(post=first.pk) == about(first.subject)
    assert ids(topic="flood water") == about(first.subject)
    assert ids(topic="nothing of the kind") == set()
    assert ids(account=cast.feed.pk) == about(first.subject, f"account/{cast.feed.pk}")
    assert ids(account=cast.feed.pk, classes=("accounts",)) == about(f"account/{cast.feed.pk}")
    assert ids(actor=cast.bob.ref) >= about(f"member/{cast.bob.ref}")
    assert ids(kinds=("delivery.sent",)) == set(
        Entry.objects.filter(kind="delivery.sent").values_list("entry_id", flat=True)
    )
    assert ids(from_on=date(2026, 11, 21)) == set()
    assert ids(until_on=date(2026, 11, 20)) == set(everything)
    phrases = ids(phrases=("SECOND   post",))
    assert phrases
    assert phrases < set(everything)
    theirs = set(
        Entry.objects.filter(organisation=cast.other.ref).values_list("entry_id", flat=True)
    )
    assert theirs
    assert not theirs & set(everything)
    assert Scope.from_json(
        Scope(account=3, phrases=("a b",), from_on=date(2026, 1, 1)).to_json()
    ) == Scope(account=3, phrases=("a b",), from_on=date(2026, 1, 1))


def test_names_found_outside_of_entries_are_told_of(cast):
    from folkmoot.desk.drafts import actions as drafts

    drafts.start(cast.alice, cast.content("Ask for Zebedee Quux at the door."), now=cast.clock())
    records.sequence(cast.clock())
    _ids, elsewhere = find_ids(cast.body, Scope(phrases=("zebedee quux",)))
    assert [(one.table, one.times) for one in elsewhere] == [("drafts.version", 1)]


def test_days_of_a_scope_are_days_of_the_body_s_own_zone(cast):
    # 23:30 in London on 20 November; in June it would be another day in UTC.
    cast.clock.now = cast.clock.now.replace(month=6, day=20, hour=22, minute=30)
    desk_moves.leave(cast, kind="draft.late")
    cast.clock.pass_(hours=1)
    desk_moves.leave(cast, kind="draft.next_day")
    records.sequence(cast.clock())
    on = date(2026, 6, 20)
    found, _ = find_ids(cast.body, Scope(classes=("posts",), from_on=on, until_on=on))
    assert [taking.get(cast.body.ref, one).entry.kind for one in found] == ["draft.late"]


def test_every_regime_has_exemptions_and_one_for_personal_data():
    for regime in Regime:
        codes = [one.code for one in EXEMPTIONS[regime]]
        assert len(codes) == len(set(codes))
        assert find_exemption(regime, PERSONAL[regime]) is not None
        assert not find_exemption(regime, PERSONAL[regime]).asks
        assert all(len(code) <= 40 for code in codes)


def test_too_many_entries_are_refused_with_their_number(cast, monkeypatch):
    from folkmoot.desk.releases import bagging, requests

    desk_moves.publish(cast)
    monkeypatch.setattr(requests, "MOST_CHOSEN", 3)
    request = moves.received(cast)
    refuses(lambda: actions.choose(cast.fay, request.ref, now=cast.clock()), "3 is the most")
    monkeypatch.setattr(bagging, "MOST_ENTRIES", 3)
    refuses(lambda: moves.proposed(cast), "3 is the most")


def test_an_entry_of_another_body_cannot_be_chosen(cast):
    records.sequence(cast.clock())
    theirs = Entry.objects.filter(organisation=cast.other.ref).first().entry_id
    request = moves.received(cast, scope=Scope())
    for wrong in (theirs, "0" * 32, "'; --"):
        refuses(
            lambda wrong=wrong: actions.choose(
                cast.fay, request.ref, entry_ids=[wrong], now=cast.clock()
            ),
            "not in our record",
        )
    assert not request.chosen.exists()


def test_a_closed_clock_stands_where_it_was(cast):
    request = moves.released(cast)
    clock = queries.clock_of(request, date(2027, 5, 1))
    assert not clock.is_late
    late = moves.received(cast, on=date(2026, 9, 1))
    assert queries.clock_of(late, cast.clock().date()).is_late


# What is told of on the duty page


def told_of(cast):
    from folkmoot.desk.notices.queries import list_needs

    return {need.what for need in list_needs(cast.body, cast.clock()) if need.kind == "requested"}


def test_a_request_is_told_of_when_its_last_days_come_and_when_it_is_late(cast):
    request = moves.received(cast, on=date(2026, 10, 27))  # due on 24 November 2026
    cast.clock.now = cast.clock.now.replace(day=18)
    assert told_of(cast) == set()
    cast.clock.now = cast.clock.now.replace(day=19)
    assert told_of(cast) == {f"Request {request.pk} must be answered within a few days."}
    cast.clock.now = cast.clock.now.replace(day=25)
    assert told_of(cast) == {f"Request {request.pk} is late: its last day has passed."}
    actions.withdraw(cast.fay, request.ref, reason="They found it.", now=cast.clock())
    assert told_of(cast) == set()


def test_what_waits_for_a_second_officer_is_told_of(cast):
    request = moves.prepared(cast, on=date(2026, 11, 20))
    bag = moves.proposed(cast)
    assert told_of(cast) == {
        f"What request {request.pk} releases waits for its second reader.",
        f"Bag {bag.pk} is proposed, which waits for a second person.",
    }


def test_a_request_whose_last_day_is_not_known_is_told_of(cast):
    cast.clock.now = cast.clock.now.replace(year=2027, month=12)
    request = moves.received(cast, on=date(2027, 12, 10))
    assert any(
        f"request {request.pk} must be answered is not known" in one for one in told_of(cast)
    )
