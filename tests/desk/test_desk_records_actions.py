"""Every action leaves one entry: walked by name, so that a new one cannot be forgotten."""

from __future__ import annotations

import json
from datetime import date, timedelta

import desk_moves as moves
import pytest
import releases_moves
import standin_kind as standin

from folkmoot.desk.accounts import actions as account_actions
from folkmoot.desk.drafts import actions as drafts
from folkmoot.desk.drafts import walltime
from folkmoot.desk.guidance import actions as guidance
from folkmoot.desk.people import actions as people
from folkmoot.desk.people.queries import Role
from folkmoot.desk.publishing import actions as publishing
from folkmoot.desk.records import actions as records
from folkmoot.desk.records.models import Entry, Intent
from folkmoot.desk.releases import actions as releases
from folkmoot.desk.releases.regimes import PauseKind
from folkmoot.desk.releases.scope import Scope

door = standin.door
MEMORY = "ledger.checkpoint"


# One entry for each action


def content_and(cast, **more):
    return drafts.start(cast.alice, cast.content(**more), now=cast.clock())


AT_NOON = walltime.resolve("2026-12-01T12:00", "Europe/London")


def seen(draft):
    return {"digest_seen": moves.digest_of(draft)}


ACTIONS = {
    drafts.start: lambda c: lambda: drafts.start(c.alice, c.content(), now=c.clock()),
    drafts.save: lambda c: on(
        content_and(c), lambda d: drafts.save(c.alice, d.pk, c.content(), revision=0, now=c.clock())
    ),
    drafts.move: lambda c: on(
        content_and(c), lambda d: drafts.move(c.alice, d.pk, AT_NOON, revision=0, now=c.clock())
    ),
    drafts.send_for_signoff: lambda c: on(
        content_and(c), lambda d: drafts.send_for_signoff(c.alice, d.pk, now=c.clock())
    ),
    drafts.sign: lambda c: on(moves.awaiting(c), lambda d: moves.sign(c, d)),
    drafts.send_back: lambda c: on(
        moves.awaiting(c),
        lambda d: drafts.send_back(c.bob, d.pk, reason="No.", now=c.clock(), **seen(d)),
    ),
    drafts.take_back: lambda c: on(
        moves.signed(c), lambda d: drafts.take_back(c.alice, d.pk, now=c.clock())
    ),
    drafts.recall: lambda c: on(
        moves.signed(c), lambda d: drafts.recall(d, "A backup.", now=c.clock())
    ),
    drafts.withdraw: lambda c: on(
        content_and(c), lambda d: drafts.withdraw(c.alice, d.pk, now=c.clock())
    ),
    drafts.copy: lambda c: on(content_and(c), lambda d: drafts.copy(c.alice, d.pk, now=c.clock())),
    drafts.begin: lambda c: on(moves.signed(c), lambda d: drafts.begin(d, now=c.clock())),
    drafts.lapse: lambda c: on(moves.signed(c), lambda d: drafts.lapse(d, "Why.", now=c.clock())),
    drafts.finish: lambda c: on(
        drafts.begin(moves.signed(c), now=c.clock()),
        lambda d: drafts.finish(d, any_sent=False, now=c.clock()),
    ),
    account_actions.open_own_channel: lambda c: (
        lambda: account_actions.open_own_channel(
            c.other, channel="atom", name="F", handle="other.example", now=c.clock()
        )
    ),
    account_actions.confirm: lambda c: on(
        standin.propose(c), lambda a: account_actions.confirm(c.bob, a.pk, now=c.clock())
    ),
    account_actions.turn_down: lambda c: on(
        standin.propose(c), lambda a: account_actions.turn_down(c.bob, a.pk, now=c.clock())
    ),
    account_actions.disconnect: lambda c: on(
        standin.connect(c), lambda a: account_actions.disconnect(c.dan, a.pk, now=c.clock())
    ),
    account_actions.forget_all: lambda c: on(
        standin.connect(c), lambda _: account_actions.forget_all(c.dan, reason="R", now=c.clock())
    ),
    guidance.state_calendar: lambda c: (
        lambda: guidance.state_calendar(c.body, known_until=c.clock(), actor=c.dan, now=c.clock())
    ),
    guidance.add_period: lambda c: (
        lambda: guidance.add_period(
            c.body,
            kind="mourning",
            name="",
            starts_at=c.clock(),
            ends_at=c.clock() + timedelta(days=1),
            source="Notice",
            actor=c.dan,
            now=c.clock(),
        )
    ),
    guidance.state_house_profile: lambda c: (
        lambda: guidance.state_house_profile(
            c.body,
            days=["monday"],
            hours="09:00-17:00",
            response_promise="Within a day.",
            appeal_route="Write to us.",
            emergency_route="Call 999.",
            block_review_months=6,
            actor=c.dan,
            now=c.clock(),
        )
    ),
    people.found_organisation: lambda c: (
        lambda: people.found_organisation(
            slug="third",
            name="Third",
            introduction="",
            zone="Europe/London",
            nation="UK",
            pack="uk-civil-service",
            now=c.clock(),
        )
    ),
    people.add_member: lambda c: (
        lambda: people.add_member(
            c.body,
            email="eve@moot.example",
            name="Eve",
            roles=[Role.AUTHOR],
            password="correct horse battery",
            now=c.clock(),
        )
    ),
}
ASKED = (PauseKind.CLARIFICATION, date(2026, 11, 19))


def asked(cast):
    request = releases_moves.received(cast)
    return releases.ask(cast.fay, request.ref, *ASKED, now=cast.clock())


def one_of(request):
    row = request.decisions.first()
    return releases.Which(fields=[(row.entry_id, row.label)])


def failed(cast):
    bag = releases_moves.proposed(cast)
    releases.agree_to_bag(cast.gus, bag.ref, now=cast.clock())
    type(bag).objects.filter(pk=bag.pk).update(state="failed")
    return bag


ACTIONS |= {
    releases.ask: lambda c: on(
        releases_moves.received(c), lambda r: releases.ask(c.fay, r.ref, *ASKED, now=c.clock())
    ),
    releases.hear: lambda c: on(
        asked(c), lambda r: releases.hear(c.fay, r.ref, ASKED[1], now=c.clock())
    ),
    releases.extend: lambda c: on(
        releases_moves.received(c),
        lambda r: releases.extend(c.fay, r.ref, reason="R", now=c.clock()),
    ),
    releases.begin_search: lambda c: on(
        releases_moves.received(c), lambda r: releases.begin_search(c.fay, r.ref, now=c.clock())
    ),
    releases.drop: lambda c: on(
        releases_moves.chosen(c),
        lambda r: releases.drop(c.fay, r.ref, [r.chosen.first().entry_id], now=c.clock()),
    ),
    releases.begin_redaction: lambda c: on(
        releases_moves.chosen(c), lambda r: releases.begin_redaction(c.fay, r.ref, now=c.clock())
    ),
    releases.show: lambda c: on(
        releases_moves.redacting(c), lambda r: releases.show(c.fay, r.ref, one_of(r), now=c.clock())
    ),
    releases.withhold: lambda c: on(
        releases_moves.redacting(c),
        lambda r: releases.withhold(
            c.fay, r.ref, one_of(r), exemption="FOIA s.40(2)", now=c.clock()
        ),
    ),
    releases.prepare: lambda c: on(
        releases_moves.decided(c), lambda r: releases.prepare(c.fay, r.ref, now=c.clock())
    ),
    releases.agree: lambda c: on(
        releases_moves.prepared(c),
        lambda r: releases.agree(c.gus, r.ref, seen=r.digest, now=c.clock()),
    ),
    releases.send_back: lambda c: on(
        releases_moves.prepared(c),
        lambda r: releases.send_back(c.gus, r.ref, reason="R", now=c.clock()),
    ),
    releases.release: lambda c: on(
        releases_moves.made(c), lambda r: releases.release(c.fay, r.ref, now=c.clock())
    ),
    releases.refuse: lambda c: on(
        releases_moves.received(c),
        lambda r: releases.refuse(c.fay, r.ref, reason="R", now=c.clock()),
    ),
    releases.withdraw: lambda c: on(
        releases_moves.received(c),
        lambda r: releases.withdraw(c.fay, r.ref, reason="R", now=c.clock()),
    ),
    releases.propose: lambda c: on(releases_moves.chosen(c), lambda _: releases_moves.proposed(c)),
    releases.agree_to_bag: lambda c: on(
        releases_moves.proposed(c), lambda b: releases.agree_to_bag(c.gus, b.ref, now=c.clock())
    ),
    releases.retry: lambda c: on(failed(c), lambda b: releases.retry(c.fay, b.ref, now=c.clock())),
    releases.fetch: lambda c: on(
        releases_moves.ready(c), lambda b: releases.fetch(c.fay, b.ref, now=c.clock())
    ),
    releases.remove: lambda c: on(
        releases_moves.ready(c), lambda b: releases.remove(c.fay, b.ref, reason="R", now=c.clock())
    ),
    releases.destroy_holding: lambda c: on(
        releases_moves.ready(c),
        lambda b: releases.destroy_holding(c.body, [b.held.first().entry_id], c.clock()),
    ),
}
# What is asked for is held by an action of the room retention, which leaves an entry of its own.
WITH_HOLD = {
    releases.receive: lambda c: lambda: releases_moves.received(c),
    releases.look_for: lambda c: on(
        releases_moves.chosen(c),
        lambda r: releases.look_for(c.fay, r.ref, Scope(classes=("people",)), now=c.clock()),
    ),
    releases.choose: lambda c: on(
        (releases_moves.proposed(c), releases_moves.received(c))[1],
        lambda r: releases.choose(c.fay, r.ref, now=c.clock()),
    ),
}
# What is no action of its own leaves no entry: a step's part, a picture nobody has used yet, a
# look at an account's health, and the record's and worker's own going round.
NO_ENTRY = {
    drafts.add_picture: lambda c: (
        lambda: drafts.add_picture(
            c.alice, moves.picture_file(), size_bytes=1, name="p", alt="", now=c.clock()
        )
    ),
    drafts.make_pictures_private: lambda c: on(
        content_and(c), lambda d: drafts.make_pictures_private(d, 1)
    ),
    drafts.make_pictures_public: lambda c: on(
        content_and(c), lambda d: drafts.make_pictures_public(d, 1)
    ),
    account_actions.ask_diagnosis: lambda c: (
        lambda: account_actions.ask_diagnosis(c.dan, [c.feed.pk], now=c.clock())
    ),
    records.sequence: lambda c: lambda: records.sequence(c.clock()),
    records.anchor: lambda c: lambda: records.anchor(c.clock, None),
    records.withhold: lambda c: lambda: records.withhold("none", ["text"]),
    people.keep_marks: lambda c: people.keep_marks,
    publishing.is_held: lambda c: lambda: publishing.is_held(c.clock()),
    publishing.work: lambda c: lambda: publishing.work(c.clock),
    releases.must_be_officer: lambda c: lambda: releases.must_be_officer(c.fay),
    releases.open_file: lambda c: on(
        releases_moves.ready(c), lambda b: list(releases.open_file(b))
    ),
    releases.work: lambda c: lambda: releases.work(c.clock),
}
# Leaves whatever entry it is told to: tested below.
OTHER = {records.record}


def on(thing, act):
    return lambda: act(thing)


def kept():
    return Intent.objects.count() + Entry.objects.count()


@pytest.mark.parametrize("action", ACTIONS, ids=lambda act: f"{act.__module__[16:]}.{act.__name__}")
def test_every_action_leaves_exactly_one_entry(cast, door, action):
    act = ACTIONS[action](cast)
    before = kept()
    act()
    assert kept() == before + 1


@pytest.mark.parametrize("action", WITH_HOLD, ids=lambda act: act.__name__)
def test_an_action_that_holds_something_leaves_its_own_entry_and_the_hold_s(cast, action):
    act = WITH_HOLD[action](cast)
    before = set(Intent.objects.values_list("entry_id", flat=True))
    act()
    fresh = Intent.objects.exclude(entry_id__in=before)
    kinds = sorted(json.loads(one.leaf)["kind"].partition(".")[0] for one in fresh)
    assert kinds == ["hold", "request"]


@pytest.mark.parametrize("action", NO_ENTRY, ids=lambda act: act.__name__)
def test_what_changes_nothing_on_the_record_leaves_no_entry(cast, door, action):
    act = NO_ENTRY[action](cast)
    before = kept()
    act()
    assert kept() == before


def test_no_public_function_that_writes_is_missing_from_this_list():
    rooms = (drafts, account_actions, guidance, people, publishing, records)
    public = {
        value
        for room in rooms
        for name, value in vars(room).items()
        if not name.startswith("_")
        and callable(value)
        and not isinstance(value, type)
        and getattr(value, "__module__", "") == room.__name__
    }
    public |= {
        value
        for name in releases.__all__
        if callable(value := getattr(releases, name)) and not isinstance(value, type)
    }
    assert public == ACTIONS.keys() | NO_ENTRY.keys() | WITH_HOLD.keys() | OTHER
