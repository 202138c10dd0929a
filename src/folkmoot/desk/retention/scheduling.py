"""The schedule: what each class is kept for, proposed, changed and agreed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from folkmoot.desk.people.queries import Member, Organisation
from folkmoot.desk.records.classes import RecordClass
from folkmoot.guidance import Evidence

from .lifecycle import OFFICER, RULE, RuleState, TwoFacts
from .models import Rule
from .seeding import Seed, read_seeds
from .steps import RetentionRefused, must_hold, record, take_step
from .triggers import ACTION_WORDS, EVENTS, HARSHNESS, Action, Trigger, tell_months

LONGEST_MONTHS = 1_200
NO_RULE = "There is no such proposal any more."


@dataclass(frozen=True, slots=True)
class Line:
    """What is said of one class of records: the values of a :class:`~.models.Rule`."""

    trigger: Trigger
    months: int
    action: Action
    mandate: str
    address: str = ""
    evidence: Evidence = Evidence.UNVERIFIED
    ours: bool = True
    why: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A class of records as the page of the schedule shows it: what is in force, what waits for a
    second person, and what this program proposes.
    """

    record_class: RecordClass
    in_force: Rule | None
    proposed: Rule | None
    seed: Seed


@transaction.atomic
def adopt_schedule(member: Member, *, now: datetime) -> list[Rule]:
    """Propose this program's schedule for every class that has none yet. Until a second person
    agrees everything is kept. Raises :class:`RetentionRefused`.
    """
    must_hold(member, OFFICER)
    rows = list_schedule(member.organisation)
    missing = [row for row in rows if row.in_force is None and row.proposed is None]
    if not missing:
        raise RetentionRefused("Every class of records has its line already.")
    made = [
        _make(member, row.record_class, line_of(row.seed), shortens=True, now=now)
        for row in missing
    ]
    record(
        "schedule.proposed",
        member.organisation,
        member,
        now,
        subject=f"schedule/{member.organisation.ref}",
        fields={rule.record_class: tell_rule(rule) for rule in made},
    )
    return made


@transaction.atomic
def change_schedule(
    member: Member, record_class: RecordClass, line: Line, *, now: datetime
) -> Rule:
    """Give a class a new line: in force at once where nothing can go sooner by it than before, else
    proposed to a second person. What was disposed of does not come back. Raises
    :class:`RetentionRefused`.
    """
    must_hold(member, OFFICER)
    _must_fit(record_class, line)
    row = next(
        one for one in list_schedule(member.organisation) if one.record_class == record_class
    )
    if row.proposed is not None:
        raise RetentionRefused(
            "A change of this class waits for a second person. Have that decided first."
        )
    if row.in_force is not None and line == line_of_rule(row.in_force):
        raise RetentionRefused("That is what the schedule says already.")
    shortens = _shortens(row.in_force, line)
    rule = _make(member, record_class, line, shortens=shortens, now=now)
    if shortens:
        kind = "schedule.proposed"
    else:
        kind = "schedule.changed"
        _supersede(member, row.in_force)
        facts = TwoFacts(shortens=rule.shortens)
        take_step(rule, RULE, RuleState, "take_effect", member=member, facts=facts)
    _record(kind, member, [rule], now)
    return rule


@transaction.atomic
def confirm_schedule(member: Member, rule_ids: Collection[int], *, now: datetime) -> list[Rule]:
    """Agree, as a second person, to proposed lines: they are in force from now on. Raises
    :class:`RetentionRefused`.
    """
    rules = _get(member, rule_ids)
    for rule in rules:
        before = Rule.objects.filter(
            organisation=member.organisation,
            record_class=rule.record_class,
            state=RuleState.IN_FORCE,
        ).first()
        facts = TwoFacts(actor=member.ref, proposed_by=rule.proposed_by)
        _supersede(member, before)
        take_step(
            rule,
            RULE,
            RuleState,
            "confirm",
            member=member,
            facts=facts,
            changes={"confirmed_by": member.ref, "confirmed_at": now},
        )
    _record("schedule.changed", member, rules, now)
    return rules


@transaction.atomic
def turn_down_schedule(member: Member, rule_ids: Collection[int], *, now: datetime) -> list[Rule]:
    """Turn proposed lines down; what was in force stays. Raises :class:`RetentionRefused`."""
    rules = _get(member, rule_ids)
    for rule in rules:
        take_step(rule, RULE, RuleState, "turn_down", member=member, facts=TwoFacts())
    _record("schedule.turned_down", member, rules, now)
    return rules


def list_schedule(organisation: Organisation) -> list[Row]:
    """Every class of records, in the order in which the classes stand."""
    standing = Rule.objects.filter(
        organisation=organisation, state__in=[RuleState.IN_FORCE, RuleState.PROPOSED]
    )
    by: dict[tuple[str, str], Rule] = {(rule.record_class, rule.state): rule for rule in standing}
    seeds = read_seeds()
    return [
        Row(
            one,
            by.get((one, RuleState.IN_FORCE)),
            by.get((one, RuleState.PROPOSED)),
            seeds[one],
        )
        for one in RecordClass
    ]


def list_versions(organisation: Organisation, record_class: RecordClass) -> list[Rule]:
    """Every version of a class's line, the newest first."""
    rules = Rule.objects.filter(organisation=organisation, record_class=record_class)
    return list(rules.order_by("-version"))


def line_of(seed: Seed) -> Line:
    """A proposed line, with what it rests on first among its sources."""
    return Line(
        seed.trigger,
        seed.months,
        seed.action,
        "; ".join(source.title for source in seed.sources),
        seed.sources[0].address,
        max((one.evidence for one in seed.sources), key=list(Evidence).index),
        not seed.law,
        seed.why,
    )


def line_of_rule(rule: Rule) -> Line:
    """What a rule says."""
    return Line(
        Trigger(rule.trigger),
        rule.months,
        Action(rule.action),
        rule.mandate,
        rule.address,
        Evidence(rule.evidence),
        rule.ours,
        rule.why,
    )


def tell_rule(rule: Rule) -> str:
    """A rule in a sentence."""
    action = Action(rule.action)
    if action is Action.KEEP:
        return "Keep for good."
    words = EVENTS[Trigger(rule.trigger)].words
    return f"{ACTION_WORDS[action]}, {tell_months(rule.months)} after {words}."


def _shortens(before: Rule | None, line: Line) -> bool:
    """Whether anything may go sooner than before. Two triggers cannot be held against each other,
    and without a rule everything is kept.
    """
    if line.action is Action.KEEP:
        return False
    if before is None or Action(before.action) is Action.KEEP:
        return True
    return (
        line.trigger != before.trigger
        or line.months < before.months
        or HARSHNESS[line.action] < HARSHNESS[Action(before.action)]
    )


def _must_fit(record_class: RecordClass, line: Line) -> None:
    if record_class not in EVENTS[line.trigger].classes:
        raise RetentionRefused(
            "This class cannot run from that: what is still in use would come due.", "trigger"
        )
    if not 1 <= line.months <= LONGEST_MONTHS:
        raise RetentionRefused("Give a period from 1 month to 100 years.", "months")
    if not line.mandate.strip():
        raise RetentionRefused("Say what the period rests on.", "mandate")
    if line.address and not line.address.startswith(("https://", "http://")):
        raise RetentionRefused("The address must begin with https://.", "address")
    if not line.ours and not line.address:
        raise RetentionRefused("A period that is law needs the address of that law.", "address")


def _make(
    member: Member, record_class: RecordClass, line: Line, *, shortens: bool, now: datetime
) -> Rule:
    mine = Rule.objects.filter(organisation=member.organisation, record_class=record_class)
    last = mine.aggregate(last=Max("version"))["last"] or 0
    return Rule.objects.create(
        organisation=member.organisation,
        record_class=record_class,
        version=last + 1,
        trigger=line.trigger,
        months=line.months,
        action=line.action,
        mandate=line.mandate.strip(),
        address=line.address.strip(),
        evidence=line.evidence,
        ours=line.ours,
        why=line.why.strip(),
        shortens=shortens,
        proposed_by=member.ref,
        proposed_at=now,
    )


def _supersede(member: Member, rule: Rule | None) -> None:
    if rule is not None:
        take_step(rule, RULE, RuleState, "supersede", member=member, facts=TwoFacts())


def _get(member: Member, rule_ids: Collection[int]) -> list[Rule]:
    must_hold(member, OFFICER)
    wanted = set(rule_ids)
    rules = list(
        Rule.objects.filter(organisation=member.organisation, pk__in=wanted).order_by("pk")
    )
    if not rules or len(rules) != len(wanted):
        raise RetentionRefused(NO_RULE)
    return rules


def _record(kind: str, member: Member, rules: list[Rule], now: datetime) -> None:
    fields: Mapping[str, str] = {
        rule.record_class: f"{tell_rule(rule)} {rule.mandate}" for rule in rules
    }
    record(
        kind,
        member.organisation,
        member,
        now,
        subject=f"schedule/{member.organisation.ref}",
        fields=fields,
    )
