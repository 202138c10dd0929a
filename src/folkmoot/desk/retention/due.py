"""What is due: entries whose period is over, class by class, and what keeps some of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from folkmoot.desk.people.queries import Organisation
from folkmoot.desk.records.classes import RecordClass
from folkmoot.desk.records.survey import Header, Over, count_over, each_over

from .holding import Held, read_held
from .lifecycle import BatchState, RuleState
from .models import BatchItem, Rule
from .triggers import Action, Trigger, over

MOST = 20_000
"""Entries that one disposal takes; the rest stays due for the next."""
OPEN = [BatchState.DRAWN_UP, BatchState.PROPOSED, BatchState.DESTROYING, BatchState.ROLLING]


@dataclass(frozen=True, slots=True)
class Due:
    """What is due of one class: entries free to go, entries that a hold keeps, and entries that a
    disposal or a decision to keep them longer has already. Each counts up to :data:`MOST`.
    """

    rule: Rule
    free: int
    held: int
    elsewhere: int

    @property
    def record_class(self) -> RecordClass:
        """The class of records."""
        return RecordClass(self.rule.record_class)


def list_due(organisation: Organisation, now: datetime) -> list[Due]:
    """The classes of which anything is due, in the order of the classes."""
    held = read_held(organisation)
    found = []
    for rule in _rules(organisation):
        free, kept, elsewhere = _count(organisation, rule, held, now)
        if free or kept or elsewhere:
            found.append(Due(rule, free, kept, elsewhere))
    return found


def count_due(organisation: Organisation, now: datetime) -> int:
    """How many entries are due and free to go; classes with more than :data:`MOST` count that."""
    return sum(one.free for one in list_due(organisation, now))


def find_rule(organisation: Organisation, record_class: RecordClass) -> Rule | None:
    """The line of the schedule in force for a class."""
    return Rule.objects.filter(
        organisation=organisation, record_class=record_class, state=RuleState.IN_FORCE
    ).first()


def each_due(
    organisation: Organisation, rule: Rule, now: datetime, held: Held | None = None
) -> Iterator[Header]:
    """The entries that are due by a rule and free to go, thing by thing, the oldest first."""
    if Action(rule.action) is Action.KEEP:
        return
    held = read_held(organisation) if held is None else held
    elsewhere = _elsewhere(organisation, rule, now)
    for header in each_over(organisation.ref, _over(rule, now)):
        if header.entry_id not in elsewhere and not held.over(header):
            yield header


def _count(
    organisation: Organisation, rule: Rule, held: Held, now: datetime
) -> tuple[int, int, int]:
    elsewhere = _elsewhere(organisation, rule, now)
    what = _over(rule, now)
    if not held and not elsewhere:
        return count_over(organisation.ref, what, most=MOST), 0, 0
    free = kept = other = 0
    for header in each_over(organisation.ref, what):
        if header.entry_id in elsewhere:
            other = min(other + 1, MOST)
        elif held.over(header):
            kept = min(kept + 1, MOST)
        else:
            free += 1
        if free == MOST:
            break
    return free, kept, other


def _rules(organisation: Organisation) -> list[Rule]:
    order = list(RecordClass)
    rules = Rule.objects.filter(organisation=organisation, state=RuleState.IN_FORCE)
    return sorted(
        rules.exclude(action=Action.KEEP),
        key=lambda rule: order.index(RecordClass(rule.record_class)),
    )


def _elsewhere(organisation: Organisation, rule: Rule, now: datetime) -> set[str]:
    """Entries of the class that a disposal has, or that were kept for longer."""
    taken = Q(batch__state__in=OPEN) | Q(batch__state=BatchState.KEPT, batch__kept_until__gt=now)
    items = BatchItem.objects.filter(
        taken,
        batch__organisation=organisation,
        batch__rule__record_class=rule.record_class,
        left_out=False,
        gone_at=None,
    )
    return set(items.values_list("entry", flat=True))


def _over(rule: Rule, now: datetime) -> Over:
    return over(RecordClass(rule.record_class), Trigger(rule.trigger), rule.months, now)
