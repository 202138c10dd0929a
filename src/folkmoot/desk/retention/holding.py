"""Holds: what must not be destroyed, whether something is held, and placing and releasing them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from django.db import connection, transaction

from folkmoot.desk.accounts.queries import get_accounts
from folkmoot.desk.drafts.queries import list_subjects_for
from folkmoot.desk.people.queries import Member, Organisation
from folkmoot.desk.publishing.queries import list_subjects_on
from folkmoot.desk.records.classes import RecordClass
from folkmoot.desk.records.erasing import COLUMN, FIELD, Holding, Place
from folkmoot.desk.records.survey import Header, has_entry, list_headers

from .lifecycle import HOLD, HOLDERS, HoldState, TwoFacts
from .models import Hold, HoldItem
from .steps import RetentionRefused, must_hold, record, take_step
from .triggers import CLASS_WORDS

# PostgreSQL's advisory locks are numbers; this one spells "hold".
HOLD_LOCK = 0x686F6C64
NO_HOLD = "There is no such hold."
MOST_SUBJECTS = 1_000


class HoldScope(StrEnum):
    """What a hold goes by."""

    SUBJECTS = "subjects"
    ACCOUNT = "account"
    CLASS = "class"
    CHOSEN = "chosen"
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a hold is to hold. Days are days of the organisation's own zone, both included."""

    kind: HoldScope
    subjects: tuple[str, ...] = ()
    account: int | None = None
    record_class: RecordClass | None = None
    since_on: date | None = None
    until_on: date | None = None
    request: str = ""
    entries: tuple[str, ...] = ()
    places: tuple[str, ...] = ()


@dataclass
class Held:
    """All that is held of an organisation at one moment, made ready to be asked."""

    organisation: Organisation
    subjects: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    entries: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    places: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    spans: list[tuple[str, datetime, datetime, int]] = field(default_factory=list)
    _around: dict[str, list[int]] | None = None

    def __bool__(self) -> bool:
        return bool(self.subjects or self.entries or self.places or self.spans)

    def over(self, header: Header) -> list[int]:
        """The holds that keep an entry."""
        found = [*self.subjects.get(header.subject, ()), *self.entries.get(header.entry_id, ())]
        for record_class, begin, end, number in self.spans:
            if header.retention == record_class and begin <= header.at < end:
                found.append(number)
        return found

    def over_value(self, one: Holding, header: Header | None) -> list[int]:
        """The holds that keep a value: its entry's (``header``), those of whom it is about, and for
        what stands in another room those of any entry about the same.
        """
        found = [*self.subjects.get(one.subject, ()), *self.places.get(str(one.place), ())]
        if header is not None:
            found += self.over(header)
        if one.place.kind == COLUMN:
            found += self._about().get(one.subject, ())
        return found

    def _about(self) -> dict[str, list[int]]:
        """By subject, the holds of entries about it: the same words may stand in a column."""
        if self._around is None:
            self._around = defaultdict(list)
            ref = self.organisation.ref
            for header in list_headers(ref, entry_ids=list(self.entries)):
                self._around[header.subject] += self.entries[header.entry_id]
            for record_class, begin, end, number in self.spans:
                for header in list_headers(ref, retention=record_class, since=begin, until=end):
                    if number not in self._around[header.subject]:
                        self._around[header.subject].append(number)
        return self._around


def read_held(organisation: Organisation) -> Held:
    """What is held now."""
    held = Held(organisation)
    for hold in list_standing(organisation):
        for subject in _subjects_of(hold):
            held.subjects[subject].append(hold.pk)
        if hold.scope == HoldScope.CLASS:
            begin, end = _span(hold)
            held.spans.append((hold.record_class, begin, end, hold.pk))
    chosen = HoldItem.objects.filter(hold__organisation=organisation).exclude(
        hold__state=HoldState.RELEASED
    )
    for number, entry, place in chosen.values_list("hold_id", "entry", "place"):
        if entry:
            held.entries[entry].append(number)
        else:
            held.places[place].append(number)
    return held


def check_values(held: Held, holdings: Iterable[Holding]) -> dict[Place, list[int]]:
    """Which of these values are held, and by which holds."""
    mine = list(holdings)
    if not held or not mine:
        return {}
    entry_ids = {one.place.row for one in mine if one.place.kind == FIELD}
    headers = {
        header.entry_id: header
        for header in list_headers(held.organisation.ref, entry_ids=sorted(entry_ids))
    }
    found = {}
    for one in mine:
        holds = held.over_value(one, headers.get(one.place.row))
        if holds:
            found[one.place] = holds
    return found


def wait_for_holds() -> None:
    """Let no hold be placed until the caller's transaction has ended: what it then destroys was not
    held by anybody who had an answer. SQLite's write transactions come one after another anyway.
    """
    assert connection.in_atomic_block
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [HOLD_LOCK])


@transaction.atomic
def place_hold(
    member: Member, scope: Scope, *, reason: str, reference: str = "", now: datetime
) -> Hold:
    """Hold what ``scope`` names. When this has been answered, nothing of it is destroyed any more.

    Raises :class:`RetentionRefused`: the member may not, it does not say why, or what it names is
    not this organisation's.
    """
    must_hold(member, HOLDERS)
    if not reason.strip():
        raise RetentionRefused(
            "Say why it is held: whoever is to release it will judge by it.", "reason"
        )
    _must_fit(member.organisation, scope)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [HOLD_LOCK])
    hold = Hold.objects.create(
        organisation=member.organisation,
        scope=scope.kind,
        subjects=sorted(set(scope.subjects)),
        account=scope.account,
        record_class=scope.record_class or "",
        since_on=scope.since_on,
        until_on=scope.until_on,
        request=scope.request,
        reason=reason.strip(),
        reference=reference.strip(),
        placed_by=member.ref,
        placed_at=now,
    )
    chosen = [HoldItem(hold=hold, entry=entry) for entry in sorted(set(scope.entries))]
    chosen += [HoldItem(hold=hold, place=place) for place in sorted(set(scope.places))]
    HoldItem.objects.bulk_create(chosen, batch_size=1_000)
    _record("hold.placed", hold, member, now, {"reason": hold.reason, "scope": tell_scope(hold)})
    return hold


@transaction.atomic
def hold_more(member: Member, hold_id: int, *, entries: Collection[str], now: datetime) -> Hold:
    """Add entries to a hold that stands. Raises :class:`RetentionRefused`."""
    must_hold(member, HOLDERS)
    hold = _get(member, hold_id)
    if hold.state == HoldState.RELEASED:
        raise RetentionRefused("This hold was released. Place another.")
    known = [one.entry_id for one in list_headers(member.organisation.ref, entry_ids=entries)]
    if len(known) != len(set(entries)):
        raise RetentionRefused("Some of these entries are not in the record. Search again.")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [HOLD_LOCK])
    rows = [HoldItem(hold=hold, entry=entry) for entry in sorted(set(entries))]
    HoldItem.objects.bulk_create(rows, batch_size=1_000, ignore_conflicts=True)
    _record("hold.widened", hold, member, now, {"entries": str(len(rows))})
    return hold


@transaction.atomic
def propose_release(member: Member, hold_id: int, *, reason: str, now: datetime) -> Hold:
    """Propose that a hold is released; it goes on until a second person agrees. Raises
    :class:`RetentionRefused`.
    """
    hold = _step(
        member,
        hold_id,
        "propose_release",
        TwoFacts(reason=reason),
        {
            "release_reason": reason.strip(),
            "release_proposed_by": member.ref,
            "release_proposed_at": now,
        },
    )
    _record("hold.release_proposed", hold, member, now, {"reason": hold.release_reason})
    return hold


@transaction.atomic
def keep_hold(member: Member, hold_id: int, *, now: datetime) -> Hold:
    """Turn the proposal to release a hold down. Raises :class:`RetentionRefused`."""
    changes = {"release_reason": "", "release_proposed_by": "", "release_proposed_at": None}
    hold = _step(member, hold_id, "keep", TwoFacts(), changes)
    _record("hold.kept", hold, member, now, {})
    return hold


@transaction.atomic
def release_hold(member: Member, hold_id: int, *, now: datetime) -> Hold:
    """Release a hold, as a second person. Raises :class:`RetentionRefused`."""
    hold = _get(member, hold_id)
    facts = TwoFacts(actor=member.ref, proposed_by=hold.release_proposed_by)
    hold = _step(member, hold_id, "release", facts, {"released_by": member.ref, "released_at": now})
    _record("hold.released", hold, member, now, {"reason": hold.release_reason})
    return hold


def list_standing(organisation: Organisation) -> list[Hold]:
    """The holds of an organisation that stand, the oldest first."""
    return list(
        Hold.objects.filter(organisation=organisation)
        .exclude(state=HoldState.RELEASED)
        .order_by("pk")
    )


def tell_scope(hold: Hold) -> str:
    """What a hold holds, in words without anybody's personal data."""
    match HoldScope(hold.scope):
        case HoldScope.SUBJECTS:
            shown = ", ".join(hold.subjects[:5])
            more = len(hold.subjects) - 5
            return shown + (f" and {more} more" if more > 0 else "")
        case HoldScope.ACCOUNT:
            return f"everything of account {hold.account}"
        case HoldScope.CLASS:
            days = ""
            if hold.since_on:
                days += f" from {hold.since_on:%-d %B %Y}"
            if hold.until_on:
                days += f" until {hold.until_on:%-d %B %Y}"
            return f"the class “{CLASS_WORDS[RecordClass(hold.record_class)]}”{days}"
        case HoldScope.CHOSEN:
            return f"{hold.items.count()} chosen entries and values"
        case HoldScope.REQUEST:
            return f"what {hold.request} asks for ({hold.items.count()} entries)"


def _subjects_of(hold: Hold) -> set[str]:
    subjects = set(hold.subjects)
    if hold.account is not None:
        subjects.add(f"account/{hold.account}")
        subjects |= list_subjects_on(hold.account)
        subjects |= list_subjects_for(hold.organisation, hold.account)
    if hold.request:
        subjects.add(hold.request)
    return subjects


def _span(hold: Hold) -> tuple[datetime, datetime]:
    zone = hold.organisation.timezone
    begin = datetime.combine(hold.since_on or date(1, 1, 2), time(), zone)
    last = hold.until_on or date(9999, 12, 29)
    return begin, datetime.combine(last + timedelta(days=1), time(), zone)


def _must_fit(organisation: Organisation, scope: Scope) -> None:
    match scope.kind:
        case HoldScope.SUBJECTS:
            _must_be_known(organisation, scope.subjects)
        case HoldScope.ACCOUNT:
            if scope.account is None or not get_accounts(organisation, [scope.account]):
                raise RetentionRefused("Choose the account whose records are held.", "account")
        case HoldScope.CLASS:
            _must_be_span(scope)
        case HoldScope.CHOSEN:
            if not (scope.entries or scope.places):
                raise RetentionRefused("Choose at least one entry to be held.")
        case HoldScope.REQUEST:
            if not scope.request:
                raise RetentionRefused("Say which request it is, as the record names it.")
    known = {one.entry_id for one in list_headers(organisation.ref, entry_ids=scope.entries)}
    if known != set(scope.entries):
        raise RetentionRefused("Some of these entries are not in the record. Search again.")


def _must_be_span(scope: Scope) -> None:
    if scope.record_class is None:
        raise RetentionRefused("Choose a class of records.", "record_class")
    if scope.since_on and scope.until_on and scope.until_on < scope.since_on:
        raise RetentionRefused("The last day is before the first.", "until_on")


def _must_be_known(organisation: Organisation, subjects: Sequence[str]) -> None:
    if not subjects:
        raise RetentionRefused("Say what is to be held, such as post/12.", "subjects")
    if len(subjects) > MOST_SUBJECTS:
        raise RetentionRefused(f"A hold takes up to {MOST_SUBJECTS} things.", "subjects")
    unknown = [one for one in subjects if not has_entry(organisation.ref, one)]
    if unknown:
        raise RetentionRefused(
            f"Nothing is recorded of {', '.join(unknown[:3])}. Name things as the record does: "
            "post/12, account/3, stop/4.",
            "subjects",
        )


def _step(
    member: Member, hold_id: int, verb: str, facts: TwoFacts, changes: Mapping[str, object]
) -> Hold:
    hold = _get(member, hold_id)
    take_step(hold, HOLD, HoldState, verb, member=member, facts=facts, changes=changes)
    return hold


def _get(member: Member, hold_id: int) -> Hold:
    must_hold(member, HOLDERS)
    hold = Hold.objects.filter(organisation=member.organisation, pk=hold_id).first()
    if hold is None:
        raise RetentionRefused(NO_HOLD)
    return hold


def _record(kind: str, hold: Hold, member: Member, now: datetime, fields: dict[str, str]) -> None:
    record(kind, hold.organisation, member, now, subject=f"hold/{hold.ref}", fields=fields)
