"""The tables that say which step leads where: what they refuse to be, and what they answer."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import UTC, datetime
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.desk.drafts.lifecycle import DRAFT, DraftFacts, DraftState
from folkmoot.desk.publishing.lifecycle import DELIVERY, DeliveryState
from folkmoot.lifecycle import Lifecycle, LifecycleError, Planned, Refused, Step, words


class Door(StrEnum):
    SHUT = "shut"
    HALF_OPEN = "half_open"
    OPEN = "open"
    GONE = "gone"


def row(verb, sources, target, *, roles=("porter",), guards=(), done=""):
    return Step(
        verb, done or f"{verb}ed", frozenset(sources), target, frozenset(roles), tuple(guards)
    )


OPENING = row("open", {Door.SHUT}, Door.OPEN)
HALVING = row("push", {Door.SHUT}, Door.HALF_OPEN)
CLOSING = row(
    "shut", {Door.OPEN, Door.HALF_OPEN}, Door.SHUT, roles=("porter", "guest"), done="shut"
)
REMOVING = row("remove", {Door.SHUT}, Door.GONE, roles=("owner",), done="removed")


def door(*steps, final=(Door.GONE,), initial=Door.SHUT):
    return Lifecycle("door", states=Door, initial=initial, final=final, steps=steps)


def test_a_table_that_holds_together_is_made():
    assert door(OPENING, HALVING, CLOSING, REMOVING).steps[0] is OPENING


def test_a_state_nothing_leads_to_is_refused():
    with pytest.raises(LifecycleError, match="door: nothing leads to half_open"):
        door(OPENING, row("shut", {Door.OPEN, Door.HALF_OPEN}, Door.SHUT), REMOVING)


def test_a_state_without_a_way_to_an_end_is_refused():
    with pytest.raises(LifecycleError, match="door: half_open has no way to a final state"):
        door(OPENING, HALVING, row("shut", {Door.OPEN}, Door.SHUT), REMOVING)


def test_a_step_out_of_a_final_state_is_refused():
    with pytest.raises(LifecycleError, match="door: hang leaves the final state gone"):
        door(OPENING, HALVING, CLOSING, REMOVING, row("hang", {Door.GONE}, Door.SHUT))


def test_two_steps_of_one_verb_from_one_state_are_refused():
    with pytest.raises(LifecycleError, match="door: two steps 'open' leave shut"):
        door(OPENING, row("open", {Door.SHUT}, Door.HALF_OPEN), HALVING, CLOSING, REMOVING)


def test_one_verb_may_lead_elsewhere_from_another_state():
    table = door(OPENING, HALVING, row("open", {Door.HALF_OPEN}, Door.OPEN), CLOSING, REMOVING)
    planned = table.plan(Door.HALF_OPEN, "open", roles={"porter"}, facts=None)
    assert planned == Planned("open", "opened", Door.HALF_OPEN, Door.OPEN)


def test_a_step_of_a_role_one_holds_is_planned():
    table = door(OPENING, HALVING, CLOSING, REMOVING)
    assert table.plan(Door.OPEN, "shut", roles=["guest", "cook"], facts=None) == Planned(
        "shut", "shut", Door.OPEN, Door.SHUT
    )


def test_a_step_of_a_role_one_does_not_hold_is_refused_and_names_the_role():
    table = door(OPENING, HALVING, CLOSING, REMOVING)
    assert table.plan(Door.SHUT, "remove", roles={"porter"}, facts=None) == Refused(
        "remove", ("Only somebody with the role owner can do this.",)
    )
    assert table.plan(Door.OPEN, "shut", roles=(), facts=None) == Refused(
        "shut", ("Only somebody with the role guest or porter can do this.",)
    )


def test_a_step_the_state_does_not_have_is_refused_in_words():
    table = door(OPENING, HALVING, CLOSING, REMOVING)
    assert table.plan(Door.HALF_OPEN, "remove", roles={"owner"}, facts=None) == Refused(
        "remove", ("This is half open; it cannot be removed from there.",)
    )
    assert table.plan(Door.GONE, "paint", roles={"owner"}, facts=None) == Refused(
        "paint", ("This is gone; it cannot be paint from there.",)
    )


def test_every_reason_against_a_step_is_given_at_once():
    guards = (lambda facts: ("It is dark.",), lambda facts: (), lambda facts: tuple(facts))
    table = door(row("open", {Door.SHUT}, Door.OPEN, guards=guards), HALVING, CLOSING, REMOVING)
    refused = table.plan(Door.SHUT, "open", roles={"porter"}, facts=["It rains.", "It is late."])
    assert refused == Refused("open", ("It is dark.", "It rains.", "It is late."))


def test_what_is_offered_depends_on_the_role_and_keeps_the_order_of_the_table():
    table = door(OPENING, HALVING, CLOSING, REMOVING)
    assert table.offers(Door.SHUT, roles={"porter", "owner"}) == ("open", "push", "remove")
    assert table.offers(Door.SHUT, roles={"guest"}) == ()
    assert table.offers(Door.GONE, roles={"owner", "porter"}) == ()


def test_the_diagram_has_a_line_for_every_arrow():
    assert door(OPENING, HALVING, CLOSING, REMOVING).mermaid().splitlines() == [
        "stateDiagram-v2",
        "    [*] --> shut",
        "    shut --> open: open",
        "    shut --> half_open: push",
        "    half_open --> shut: shut",
        "    open --> shut: shut",
        "    shut --> gone: remove",
        "    gone --> [*]",
    ]


def test_a_plan_cannot_be_changed_after_it_was_made():
    planned = door(OPENING, HALVING, CLOSING, REMOVING).plan(
        Door.SHUT, "open", roles={"porter"}, facts=None
    )
    with pytest.raises(FrozenInstanceError):
        planned.target = Door.GONE


def test_words_are_read_without_underscores():
    assert words("awaiting_signoff") == "awaiting signoff"


# The desk's own tables


def without(table, verb, states):
    return Lifecycle(
        table.name,
        states=states,
        initial=table.initial,
        final=table.final,
        steps=[step for step in table.steps if step.verb != verb],
    )


def test_without_a_signature_nothing_can_be_published():
    """Take the step ``sign`` out, and the table itself finds ``published`` out of reach."""
    with pytest.raises(LifecycleError, match="nothing leads to signed"):
        without(DRAFT, "sign", DraftState)
    reached = {DRAFT.initial}
    while more := {
        step.target
        for step in DRAFT.steps
        if step.verb != "sign" and step.sources & reached and step.target not in reached
    }:
        reached |= more
    assert reached == {DraftState.DRAFTING, DraftState.AWAITING_SIGNOFF, DraftState.WITHDRAWN}


def test_without_the_last_look_nothing_can_be_sending():
    with pytest.raises(LifecycleError, match="nothing leads to sending"):
        without(DELIVERY, "freeze", DeliveryState)


def test_only_an_approver_signs_and_only_the_worker_publishes():
    roles = {step.verb: set(step.roles) for step in DRAFT.steps}
    assert roles["sign"] == {"approver", "duty"}
    assert {verb for verb, held in roles.items() if "worker" in held} == {
        "begin",
        "lapse",
        "recall",
        "finish",
        "fail",
    }
    assert all(
        held == {"worker"} for verb, held in roles.items() if verb in {"begin", "finish", "fail"}
    )
    people = {step.verb for step in DELIVERY.steps if "worker" not in step.roles}
    assert people == {"go_on", "leave", "say_live", "say_absent"}


def test_an_unconfirmed_delivery_is_never_sent_again_but_by_way_of_a_look_up():
    leaving = {
        step.verb: step.target
        for step in DELIVERY.steps
        if DeliveryState.UNCONFIRMED in step.sources
    }
    assert leaving == {
        "advance": DeliveryState.WAITING,
        "confirm": DeliveryState.SENT,
        "clear": DeliveryState.WAITING,
        "say_live": DeliveryState.SENT,
        "say_absent": DeliveryState.WAITING,
    }


@given(
    state=st.sampled_from(list(DraftState)),
    verb=st.sampled_from([step.verb for step in DRAFT.steps]),
    roles=st.sets(st.sampled_from(["author", "approver", "admin"])),
)
def test_no_role_of_a_person_publishes_by_itself(state, verb, roles):
    facts = DraftFacts(datetime(2026, 11, 20, tzinfo=UTC), reason="Because.")
    planned = DRAFT.plan(state, verb, roles=roles, facts=facts)
    assert isinstance(planned, Refused) or planned.target not in {
        DraftState.PUBLISHING,
        DraftState.PUBLISHED,
    }


@pytest.mark.parametrize("table", [DRAFT, DELIVERY], ids=lambda table: table.name)
def test_every_offer_of_a_table_is_a_step_it_knows(table):
    everyone = {role for step in table.steps for role in step.roles}
    for state in table.states:
        offered = table.offers(state, roles=everyone)
        assert (offered == ()) == (state in table.final)
        if offered:
            assert f"{state} --> " in table.mermaid()
