"""Erasing a person: searched, chosen and proposed by one, confirmed by another; or refused."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from folkmoot.desk.people.queries import Member, Organisation
from folkmoot.desk.publishing.queries import find_alarm
from folkmoot.desk.records import erasing
from folkmoot.desk.records.erasing import FIELD, Holding, Place
from folkmoot.desk.records.survey import list_headers
from folkmoot.ledger import KeyLost

from .disposing import digest_ids, note_refused
from .grounds import Exemption, Ground
from .holding import HoldScope, Scope, check_values, place_hold, read_held, wait_for_holds
from .lifecycle import DECIDERS, ERASURE, OFFICER, ErasureState, TwoFacts
from .models import Erasure, Hold, Match
from .steps import HeldBack, RetentionRefused, must_hold, record, take_step

NO_ERASURE = "There is no such erasure."
MOST_PHRASES, SHORTEST_PHRASE, LONGEST_PHRASE = 50, 3, 200
BATCH = 1_000
PUBLISHED = {"accounts.shelfitem", "mailing.issue"}
"""Tables whose columns are shown to anybody: the feed's posts, and the web pages of e-mails."""
Clock = Callable[[], datetime]


@transaction.atomic
def ask_erasure(
    member: Member, *, phrases: Collection[str], ground: Ground, reference: str, now: datetime
) -> Erasure:
    """Begin an erasure: what is kept is to be searched for any of ``phrases``, in any script,
    without regard to case and width. Raises :class:`RetentionRefused`.
    """
    must_hold(member, OFFICER)
    wanted = list(dict.fromkeys(text.strip() for text in phrases if text.strip()))
    if not wanted:
        raise RetentionRefused(
            "Enter the names, handles, addresses or numbers to search for.", "phrases"
        )
    if len(wanted) > MOST_PHRASES:
        raise RetentionRefused(f"Search for up to {MOST_PHRASES} phrases at once.", "phrases")
    for text in wanted:
        if len(text) > LONGEST_PHRASE:
            raise RetentionRefused("A phrase is too long. Give a name or an address.", "phrases")
        if len(erasing.fold(text).replace(" ", "")) < _shortest(text):
            raise RetentionRefused(
                f"“{text}” is in nearly everything. Give at least {SHORTEST_PHRASE} letters.",
                "phrases",
            )
    if ground is Ground.PLATFORM:
        raise RetentionRefused("That is done from the alarm's own page.", "ground")
    erasure = Erasure.objects.create(
        organisation=member.organisation,
        ground=ground,
        phrases=wanted,
        reference=reference.strip(),
        asked_by=member.ref,
        asked_at=now,
    )
    _record("erasure.asked", erasure, member, now, {"ground": ground}, {"reference": reference})
    return erasure


def search(erasure: Erasure, clock: Clock, *, seconds: float | None = None) -> bool:
    """Search everything that is kept, and note where; whether it was through within ``seconds``.

    Else nothing is noted, and the worker does it, who takes as long as it takes.
    """
    end = None if seconds is None else time.monotonic() + seconds
    rows = []
    try:
        for one in erasing.find(erasure.organisation.ref, erasure.phrases):
            if one.subject != erasure.sealed_for:
                rows.append(_match(erasure, one))
            if end is not None and time.monotonic() > end:
                return False
    except KeyLost as lost:
        # A search that passed over what it cannot read would not be one.
        Erasure.objects.filter(pk=erasure.pk).update(trouble=str(lost))
        return False
    with transaction.atomic():
        now = clock()
        erasure = Erasure.objects.select_for_update().get(pk=erasure.pk)
        if erasure.state != ErasureState.SEARCHING:
            return True  # another was quicker, or somebody has given it up
        erasure.matches.all().delete()
        take_step(
            erasure,
            ERASURE,
            ErasureState,
            "found",
            member=None,
            facts=TwoFacts(),
            changes={"searched_at": now, "trouble": "", "held_at": None},
        )
        Match.objects.bulk_create(rows, batch_size=BATCH)
        _record("erasure.searched", erasure, None, now, {"found": str(len(rows))})
    return True


@transaction.atomic
def search_again(member: Member, erasure_id: int, *, now: datetime) -> Erasure:
    """Have everything searched anew; what was chosen is chosen anew too. Raises
    :class:`RetentionRefused`.
    """
    erasure = _step(member, erasure_id, "search_again", TwoFacts(), {})
    _record("erasure.searched_again", erasure, member, now, {})
    return erasure


@transaction.atomic
def choose(
    member: Member,
    erasure_id: int,
    *,
    chosen: bool,
    numbers: Collection[int] | None = None,
    kind: str = "",
    year: int | None = None,
    public: bool | None = None,
) -> int:
    """Choose what is to go, or leave it: these matches by number, or all of a kind, a year, public
    or not; how many. The proposal says what was chosen. Raises :class:`RetentionRefused`.
    """
    erasure = _get(member, erasure_id)
    _must_be_choosing(erasure)
    rows = filter_matches(erasure, kind=kind, year=year, public=public)
    if numbers is not None:
        rows = rows.filter(pk__in=list(numbers))
    return rows.update(chosen=chosen)


@transaction.atomic
def leave_held(member: Member, erasure_id: int) -> int:
    """Leave what is held; how many values. Raises :class:`RetentionRefused`."""
    erasure = _get(member, erasure_id)
    _must_be_choosing(erasure)
    held = find_held(erasure)
    left = [str(place) for place in held]
    for start in range(0, len(left), BATCH):
        erasure.matches.filter(place__in=left[start : start + BATCH]).update(chosen=False)
    Erasure.objects.filter(pk=erasure.pk).update(held_at=None)
    return len(left)


def hold_found(member: Member, erasure_id: int, *, reason: str, now: datetime) -> Hold:
    """Hold what was found and chosen instead of erasing it. Raises :class:`RetentionRefused`."""
    erasure = _get(member, erasure_id)
    places = [Place.from_text(one) for one in _chosen(erasure).values_list("place", flat=True)]
    scope = Scope(
        HoldScope.CHOSEN,
        entries=tuple({one.row for one in places if one.kind == FIELD}),
        places=tuple(str(one) for one in places if one.kind != FIELD),
    )
    return place_hold(member, scope, reason=reason, now=now)


def propose_erasure(member: Member, erasure_id: int, *, now: datetime) -> Erasure:
    """Propose to a second person that what was chosen is erased.

    Raises :class:`RetentionRefused`, and :class:`HeldBack`, which is on the record, where some of
    it is held.
    """
    with transaction.atomic():
        erasure = _get(member, erasure_id)
        held = _note_held(erasure, member, now)
        if held is None:
            changes = {"digest": digest_of(erasure), "proposed_by": member.ref, "proposed_at": now}
            facts = TwoFacts(chosen=_chosen(erasure).count())
            erasure = _step(member, erasure_id, "propose", facts, changes)
            said = {"ground": erasure.ground, **_count(erasure)}
            _record("erasure.proposed", erasure, member, now, said)
    if held is not None:
        raise held
    return erasure


@transaction.atomic
def take_back_erasure(member: Member, erasure_id: int, *, now: datetime) -> Erasure:
    """Take a proposal back to choose otherwise. Raises :class:`RetentionRefused`."""
    changes = {"digest": "", "proposed_by": "", "proposed_at": None}
    erasure = _step(member, erasure_id, "take_back", TwoFacts(), changes)
    _record("erasure.taken_back", erasure, member, now, {})
    return erasure


def confirm_erasure(member: Member, erasure_id: int, *, seen: str, now: datetime) -> Erasure:
    """Agree, as a second person, that what the page showed (``seen`` is its digest) is erased. The
    worker does it from now on.

    Raises :class:`RetentionRefused`, and :class:`HeldBack` where some of it is held by now.
    """
    with transaction.atomic():
        erasure = _get(member, erasure_id)
        held = None
        if erasure.state == ErasureState.PROPOSED:
            held = _note_held(erasure, member, now)
        if held is None:
            facts = TwoFacts(
                actor=member.ref,
                proposed_by=erasure.proposed_by,
                seen=seen,
                digest=erasure.digest,
            )
            changes = {"confirmed_by": member.ref, "confirmed_at": now}
            erasure = _step(member, erasure_id, "confirm", facts, changes)
            _record("erasure.confirmed", erasure, member, now, _count(erasure))
    if held is not None:
        raise held
    return erasure


@transaction.atomic
def refuse_erasure(
    member: Member, erasure_id: int, *, exemption: Exemption, reason: str, now: datetime
) -> Erasure:
    """Decide that nothing is erased, by which exemption of UK GDPR Article 17(3) and why. Raises
    :class:`RetentionRefused`.
    """
    changes = {"exemption": exemption, "reason": reason.strip()}
    erasure = _step(member, erasure_id, "refuse", TwoFacts(reason=reason), changes)
    _record(
        "erasure.refused",
        erasure,
        member,
        now,
        {"exemption": exemption},
        {"reason": reason.strip()},
    )
    return erasure


@transaction.atomic
def drop_erasure(member: Member, erasure_id: int, *, now: datetime) -> Erasure:
    """Give an erasure up, as one that was begun by mistake; what was searched for is erased. Raises
    :class:`RetentionRefused`.
    """
    erasure = _step(member, erasure_id, "drop", TwoFacts(), {})
    erase_case(erasure, now)
    erasure.matches.all().delete()
    _record("erasure.dropped", erasure, member, now, {})
    return erasure


def honour_platform_deletion(member: Member, alarm_id: int, *, now: datetime) -> Erasure:
    """Erase what is kept of a stranger's post that an alarm showed and that was deleted on its
    platform since: the post is erased as a person is, but takes one person, for the platform's
    terms and not a choice of ours ask for it. A hold is in the way all the same.

    Raises :class:`RetentionRefused`, and :class:`HeldBack`, which is on the record.
    """
    with transaction.atomic():
        must_hold(member, DECIDERS)
        found = list_alarm_places(member.organisation, alarm_id)
        if not found:
            raise RetentionRefused("Nothing is kept of this post any more.")
        erasure = Erasure.objects.create(
            organisation=member.organisation,
            ground=Ground.PLATFORM,
            by_platform=True,
            asked_by=member.ref,
            asked_at=now,
        )
        Match.objects.bulk_create([_match(erasure, one, chosen=True) for one in found])
        held = _note_held(erasure, member, now)
        verb = "honour" if held is None else "drop_held"
        changes = {"searched_at": now, "digest": digest_of(erasure)}
        take_step(
            erasure,
            ERASURE,
            ErasureState,
            verb,
            member=member,
            facts=TwoFacts(),
            changes=changes,
        )
        if held is None:
            said = {"ground": Ground.PLATFORM, **_count(erasure)}
            _record("erasure.honoured", erasure, member, now, said)
    if held is not None:
        raise held
    return erasure


def list_alarm_places(organisation: Organisation, alarm_id: int) -> list[Holding]:
    """What is kept of the post that an alarm of this organisation showed."""
    alarm = find_alarm(organisation, alarm_id)
    if alarm is None or alarm.kind != "unsigned":
        raise RetentionRefused("There is no alarm about a stranger's post of this number.")
    own = alarm.sealed_for
    about = erasing.list_about(organisation.ref, [own])
    # What we noted of it is our own, and says why it was closed.
    found = {one.place: one for one in about if one.place.name != "note"}
    # An older record names the account, and not the alarm: its entry is the one of that moment.
    subjects = {own, f"account/{alarm.account_id}"}
    entries = [
        one.entry_id
        for one in list_headers(organisation.ref, subjects=subjects, retention="alarms")
        if one.kind == "alarm.raised" and one.at == alarm.seen_at
    ]
    for one in _fields_of(organisation, entries, ("text", "url")):
        if one.text in (alarm.text, alarm.url):
            found[one.place] = one
    return list(found.values())


def _fields_of(
    organisation: Organisation, entries: Collection[str], labels: Collection[str]
) -> list[Holding]:
    found = []
    for entry in entries:
        for label in labels:
            try:
                found += erasing.get(organisation.ref, [Place(FIELD, entry, label)])
            except erasing.NotHere:
                continue  # erased already, or never kept
    return found


def erase_case(erasure: Erasure, now: datetime) -> None:
    """Erase what was searched for, the request's reference and the reasons."""
    organisation = erasure.organisation.ref
    mine = erasing.list_about(organisation, [erasure.sealed_for])
    if mine:
        erasing.erase(organisation, [one.place for one in mine], now)


def digest_of(erasure: Erasure) -> str:
    """The SHA-256 of the chosen places, in order, a line each."""
    return digest_ids(_chosen(erasure).values_list("place", flat=True))


def find_held(erasure: Erasure) -> dict[Place, list[int]]:
    """Which of the chosen values a hold keeps."""
    held = read_held(erasure.organisation)
    found: dict[Place, list[int]] = {}
    if not held:
        return found
    places = _chosen(erasure).filter(gone_at=None).values_list("place", "subject")
    wanted = [(Place.from_text(place), subject) for place, subject in places]
    for start in range(0, len(wanted), BATCH):
        batch = [
            Holding(place, subject, "", None, False, "")
            for place, subject in wanted[start : start + BATCH]
        ]
        found |= check_values(held, batch)
    return found


def filter_matches(
    erasure: Erasure, *, kind: str = "", year: int | None = None, public: bool | None = None
) -> QuerySet[Match]:
    """What an erasure found, of a kind, a year, public or not; 0 is the year of what has none."""
    wanted = Q(erasure=erasure)
    if kind:
        wanted &= Q(kind=kind)
    if year is not None:
        wanted &= Q(at__year=year) if year else Q(at=None)
    if public is not None:
        wanted &= Q(public=public)
    return Match.objects.filter(wanted)


def _note_held(erasure: Erasure, member: Member, now: datetime) -> HeldBack | None:
    wait_for_holds()
    held = find_held(erasure)
    if not held:
        return None
    holds = sorted({number for numbers in held.values() for number in numbers})
    Erasure.objects.filter(pk=erasure.pk).update(held_at=now)
    note_refused(
        erasure.organisation,
        member,
        now,
        subject=f"erasure/{erasure.ref}",
        what="erasure",
        holds=holds,
        count=len(held),
    )
    named = ", ".join(str(one) for one in holds)
    return HeldBack(
        f"Nothing was erased: hold {named} keeps {len(held)} of these values. Leave them, have the "
        "hold released, or refuse and say why.",
        holds=tuple(holds),
        count=len(held),
    )


def _match(erasure: Erasure, one: Holding, *, chosen: bool | None = None) -> Match:
    public = one.public or one.kind in PUBLISHED
    return Match(
        erasure=erasure,
        place=str(one.place),
        subject=one.subject,
        kind=one.kind,
        record_class=one.retention,
        at=one.at,
        public=public,
        # What was published is there for everybody: it goes only where somebody says so.
        chosen=not public if chosen is None else chosen,
    )


def _shortest(text: str) -> int:
    # A name of two characters is whole in Chinese, Japanese and Korean.
    return SHORTEST_PHRASE if text.isascii() else SHORTEST_PHRASE - 1


def _chosen(erasure: Erasure) -> QuerySet[Match]:
    return erasure.matches.filter(chosen=True)


def _count(erasure: Erasure) -> dict[str, str]:
    return {"values": str(_chosen(erasure).count()), "digest": digest_of(erasure)}


def _must_be_choosing(erasure: Erasure) -> None:
    if erasure.state != ErasureState.CHOOSING:
        raise RetentionRefused("What is to go can be chosen only until it is proposed.")


def _step(
    member: Member, erasure_id: int, verb: str, facts: TwoFacts, changes: Mapping[str, object]
) -> Erasure:
    erasure = _get(member, erasure_id)
    take_step(erasure, ERASURE, ErasureState, verb, member=member, facts=facts, changes=changes)
    return erasure


def _get(member: Member, erasure_id: int) -> Erasure:
    must_hold(member, OFFICER)
    erasure = (
        Erasure.objects.filter(organisation=member.organisation, pk=erasure_id)
        .select_related("organisation")
        .first()
    )
    if erasure is None:
        raise RetentionRefused(NO_ERASURE)
    return erasure


def _record(  # noqa: PLR0917 - what every entry of an erasure says
    kind: str,
    erasure: Erasure,
    member: Member | None,
    now: datetime,
    fields: dict[str, str],
    own: dict[str, str] | None = None,
) -> None:
    """Leave an entry; ``own`` fields are sealed with the case, and erased with it."""
    own = {label: text for label, text in (own or {}).items() if text}
    record(
        kind,
        erasure.organisation,
        member,
        now,
        subject=f"erasure/{erasure.ref}",
        fields={**fields, **own},
        about=dict.fromkeys(own, erasure.sealed_for),
    )
