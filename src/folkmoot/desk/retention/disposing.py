"""Disposing of what is due: drawn up and proposed by one, confirmed by another."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.db.models import Count, Max, Min, Q, QuerySet

from folkmoot.desk.people.queries import Member, Organisation
from folkmoot.desk.records.classes import RecordClass
from folkmoot.desk.records.survey import each_over, list_headers

from .copies import find_copy
from .due import MOST, each_due, find_rule
from .holding import Held, read_held, wait_for_holds
from .lifecycle import BATCH, OFFICER, BatchState, TwoFacts
from .models import Batch, BatchItem, CopyEntry
from .scheduling import LONGEST_MONTHS
from .steps import HeldBack, RetentionRefused, must_hold, record, take_step
from .triggers import Action, Trigger, months_before, over

NO_BATCH = "There is no such disposal."
PAGE = 25


@dataclass(frozen=True, slots=True)
class Thing:
    """What some entries of a disposal are about: how many, the first and the last of them."""

    subject: str
    entries: int
    first_at: datetime
    last_at: datetime
    left_out: bool
    held_back: int


@transaction.atomic
def draw_up(member: Member, record_class: RecordClass, *, now: datetime) -> Batch:
    """Put together what is due of a class, up to 20,000 entries, without what is held. Nothing
    happens to it yet. Raises :class:`RetentionRefused`.
    """
    must_hold(member, OFFICER)
    rule = find_rule(member.organisation, record_class)
    if rule is None:
        raise RetentionRefused("The schedule has no line for this class, so all of it is kept.")
    found = list(islice(each_due(member.organisation, rule, now), MOST))
    if not found:
        raise RetentionRefused("Nothing of this class is due and free to go.")
    batch = Batch.objects.create(
        organisation=member.organisation, rule=rule, drawn_up_by=member.ref, drawn_up_at=now
    )
    BatchItem.objects.bulk_create(
        (
            BatchItem(
                batch=batch, entry=one.entry_id, subject=one.subject, kind=one.kind, at=one.at
            )
            for one in found
        ),
        batch_size=1_000,
    )
    _record("disposal.drawn_up", batch, member, now, {"entries": str(len(found))})
    return batch


@transaction.atomic
def leave_out(
    member: Member, batch_id: int, subjects: Collection[str], *, out: bool = True
) -> Batch:
    """Leave what is about these out of a disposal that is drawn up, or take it in again. The
    proposal says what was left. Raises :class:`RetentionRefused`.
    """
    batch = _get(member, batch_id)
    _must_be_drawn_up(batch)
    batch.items.filter(subject__in=list(subjects)).update(left_out=out)
    return batch


@transaction.atomic
def leave_out_held(member: Member, batch_id: int) -> int:
    """Leave what is held by now out of a disposal that is drawn up; how many entries. Raises
    :class:`RetentionRefused`.
    """
    batch = _get(member, batch_id)
    _must_be_drawn_up(batch)
    items = find_held_items(batch, read_held(batch.organisation))
    for start in range(0, len(items), 1_000):
        numbers = [item.pk for item in items[start : start + 1_000]]
        batch.items.filter(pk__in=numbers).update(left_out=True)
    Batch.objects.filter(pk=batch.pk).update(held_at=None)
    return len(items)


@transaction.atomic
def keep_longer(member: Member, batch_id: int, *, months: int, reason: str, now: datetime) -> Batch:
    """Decide, having looked, that what was drawn up is kept for so many months more. Raises
    :class:`RetentionRefused`.
    """
    batch = _get(member, batch_id)
    if not 1 <= months <= LONGEST_MONTHS:
        raise RetentionRefused("Give a period from 1 month to 100 years.", "months")
    kept_until = months_before(now, -months)
    _step(
        batch,
        member,
        "keep_longer",
        TwoFacts(reason=reason, chosen=_chosen(batch).count()),
        {"reason": reason.strip(), "kept_until": kept_until},
    )
    said = {"reason": reason.strip(), "kept_until": f"{kept_until:%Y-%m-%d}"}
    _record("disposal.kept", batch, member, now, {**said, **_count(batch)})
    return batch


def propose_disposal(
    member: Member, batch_id: int, *, reason: str, manifest: str = "", now: datetime
) -> Batch:
    """Propose to a second person that what was drawn up is destroyed.

    Where the schedule says transfer, ``manifest`` is the SHA-256 of the manifest of a bag with all
    of it that has left. Raises :class:`RetentionRefused`, and :class:`HeldBack`, which is on the
    record, where some of it is held by now.
    """
    with transaction.atomic():
        batch = _get(member, batch_id)
        held = _note_held(batch, member, now)
        if held is None:
            manifest = _must_have_left(batch, manifest)
            changes = {
                "reason": reason.strip(),
                "manifest": manifest,
                "digest": digest_of(batch),
                "proposed_by": member.ref,
                "proposed_at": now,
            }
            facts = TwoFacts(reason=reason, chosen=_chosen(batch).count())
            _step(batch, member, "propose", facts, changes)
            said = {"reason": reason.strip(), "manifest": manifest}
            _record("disposal.proposed", batch, member, now, {**said, **_count(batch)})
    if held is not None:
        raise held
    return batch


def confirm_disposal(member: Member, batch_id: int, *, seen: str, now: datetime) -> Batch:
    """Agree, as a second person, to a disposal as the page showed it (``seen`` is its digest). The
    worker destroys it from now on, and nobody can stop it but by a hold.

    Raises :class:`RetentionRefused`, and :class:`HeldBack` where some of it is held by now.
    """
    with transaction.atomic():
        batch = _get(member, batch_id)
        held = _note_held(batch, member, now) if batch.state == BatchState.PROPOSED else None
        if held is None:
            facts = TwoFacts(
                actor=member.ref,
                proposed_by=batch.proposed_by,
                seen=seen,
                digest=batch.digest,
                chosen=_chosen(batch).count(),
            )
            changes = {"confirmed_by": member.ref, "confirmed_at": now}
            _step(batch, member, "confirm", facts, changes)
            _must_still_be_due(batch, now)
            _record("disposal.confirmed", batch, member, now, _count(batch))
    if held is not None:
        raise held
    return batch


@transaction.atomic
def drop_disposal(member: Member, batch_id: int, *, now: datetime) -> Batch:
    """Give a disposal up before it is confirmed; what it held is due as before. Raises
    :class:`RetentionRefused`.
    """
    batch = _get(member, batch_id)
    _step(batch, member, "drop", TwoFacts(), {})
    _record("disposal.dropped", batch, member, now, {})
    return batch


def digest_of(batch: Batch) -> str:
    """The SHA-256 of the chosen entries' ids, in order, a line each."""
    return digest_ids(_chosen(batch).values_list("entry", flat=True))


def digest_ids(ids: Iterable[str]) -> str:
    """The SHA-256 of ids, in order, a line each."""
    return hashlib.sha256("".join(f"{one}\n" for one in sorted(ids)).encode()).hexdigest()


def list_batches(organisation: Organisation, *, page: int = 1) -> tuple[list[Batch], bool]:
    """Disposals, the newest first, a page at a time; and whether there are more."""
    start = (max(page, 1) - 1) * PAGE
    rows = Batch.objects.filter(organisation=organisation).select_related("rule")
    found = list(rows.order_by("-pk")[start : start + PAGE + 1])
    return found[:PAGE], len(found) > PAGE


def find_batch(organisation: Organisation, batch_id: int) -> Batch | None:
    """A disposal of this organisation."""
    rows = Batch.objects.filter(organisation=organisation, pk=batch_id)
    return rows.select_related("rule", "organisation").first()


def list_things(batch: Batch, *, page: int = 1) -> tuple[list[Thing], bool]:
    """What a disposal is about, the oldest first, a page at a time; and whether there is more."""
    start = (max(page, 1) - 1) * PAGE
    rows = (
        batch.items.values("subject")
        .annotate(
            entries=Count("pk"),
            first_at=Min("at"),
            last_at=Max("at"),
            out=Count("pk", filter=Q(left_out=True)),
            held_back=Count("pk", filter=Q(held_back=True)),
        )
        .order_by("first_at", "subject")
    )
    found = [
        Thing(
            row["subject"],
            row["entries"],
            row["first_at"],
            row["last_at"],
            row["out"] == row["entries"],
            row["held_back"],
        )
        for row in rows[start : start + PAGE + 1]
    ]
    return found[:PAGE], len(found) > PAGE


@dataclass(frozen=True, slots=True)
class Counts:
    """How far a disposal is."""

    entries: int
    chosen: int
    gone: int
    held_back: int


def count_items(batch: Batch) -> Counts:
    """How far a disposal is."""
    found = batch.items.aggregate(
        entries=Count("pk"),
        chosen=Count("pk", filter=Q(left_out=False)),
        gone=Count("pk", filter=Q(gone_at__isnull=False)),
        held_back=Count("pk", filter=Q(held_back=True)),
    )
    return Counts(**found)


def find_held_items(
    batch: Batch, held: Held, among: Iterable[BatchItem] | None = None
) -> list[BatchItem]:
    """The chosen entries of a disposal that a hold keeps, of all or ``among`` these."""
    if not held:
        return []
    items = {item.entry: item for item in (_chosen(batch) if among is None else among)}
    headers = list_headers(batch.organisation.ref, entry_ids=list(items))
    return [items[header.entry_id] for header in headers if held.over(header)]


def note_refused(
    organisation: Organisation,
    member: Member | None,
    now: datetime,
    *,
    subject: str,
    what: str,
    holds: Collection[int],
    count: int,
    once: str | None = None,
) -> None:
    """Leave the entry that says that a hold was in the way. Part of the caller's transaction."""
    record(
        "erasure.refused_because_held",
        organisation,
        member,
        now,
        subject=subject,
        fields={
            "what": what,
            "holds": ", ".join(str(one) for one in sorted(set(holds))),
            "held": str(count),
        },
        once=once,
    )


def _note_held(batch: Batch, member: Member, now: datetime) -> HeldBack | None:
    """Look whether something of a disposal is held, and put it on the record where it is."""
    wait_for_holds()
    held = read_held(batch.organisation)
    items = find_held_items(batch, held)
    if not items:
        return None
    headers = list_headers(batch.organisation.ref, entry_ids=[item.entry for item in items])
    holds = {number for header in headers for number in held.over(header)}
    Batch.objects.filter(pk=batch.pk).update(held_at=now)
    note_refused(
        batch.organisation,
        member,
        now,
        subject=f"disposal/{batch.ref}",
        what="disposal",
        holds=holds,
        count=len(items),
    )
    named = ", ".join(str(one) for one in sorted(holds))
    do = "Leave them out" if batch.state == BatchState.DRAWN_UP else "Drop this and draw it up anew"
    return HeldBack(
        f"Nothing was destroyed: hold {named} keeps {len(items)} of these entries. {do}, or have "
        "the hold released.",
        holds=tuple(sorted(holds)),
        count=len(items),
    )


def _must_have_left(batch: Batch, manifest: str) -> str:
    if Action(batch.rule.action) is not Action.TRANSFER:
        return ""
    wanted = manifest.strip().lower()
    if not re.fullmatch("[0-9a-f]{64}", wanted):
        raise RetentionRefused(
            "The schedule says transfer. Give the SHA-256 of the manifest of the bag that left: 64 "
            "characters.",
            "manifest",
        )
    copy = find_copy(batch.organisation, wanted)
    if copy is None:
        raise RetentionRefused("No bag with this manifest has left this desk.", "manifest")
    inside = set(CopyEntry.objects.filter(copy=copy).values_list("entry", flat=True))
    missing = sum(
        1 for entry in _chosen(batch).values_list("entry", flat=True) if entry not in inside
    )
    if missing:
        raise RetentionRefused(
            f"The bag lacks {missing} of these entries. Export them too, or leave them out.",
            "manifest",
        )
    return wanted


def _must_still_be_due(batch: Batch, now: datetime) -> None:
    rule = batch.rule
    current = find_rule(batch.organisation, RecordClass(rule.record_class))
    if current is None or current.pk != rule.pk:
        raise RetentionRefused(
            "The schedule has changed since this was drawn up. Drop it and draw it up anew."
        )
    what = over(RecordClass(rule.record_class), Trigger(rule.trigger), rule.months, now)
    due = {one.entry_id for one in each_over(batch.organisation.ref, what)}
    chosen = set(_chosen(batch).values_list("entry", flat=True))
    gone = chosen - due
    if gone:
        raise RetentionRefused(
            f"{len(gone)} of these entries are not due any more, or are destroyed already. Drop "
            "this and draw it up anew."
        )


def _chosen(batch: Batch) -> QuerySet[BatchItem]:
    return batch.items.filter(left_out=False)


def _count(batch: Batch) -> dict[str, str]:
    return {"entries": str(_chosen(batch).count()), "digest": digest_of(batch)}


def _must_be_drawn_up(batch: Batch) -> None:
    if batch.state != BatchState.DRAWN_UP:
        raise RetentionRefused("What is in it can be chosen only until it is proposed.")


def _step(
    batch: Batch, member: Member, verb: str, facts: TwoFacts, changes: dict[str, object]
) -> None:
    take_step(batch, BATCH, BatchState, verb, member=member, facts=facts, changes=changes)


def _get(member: Member, batch_id: int) -> Batch:
    must_hold(member, OFFICER)
    batch = find_batch(member.organisation, batch_id)
    if batch is None:
        raise RetentionRefused(NO_BATCH)
    return batch


def _record(kind: str, batch: Batch, member: Member, now: datetime, fields: dict[str, str]) -> None:
    record(
        kind,
        batch.organisation,
        member,
        now,
        subject=f"disposal/{batch.ref}",
        fields={"class": batch.rule.record_class, "rule": str(batch.rule), **fields},
    )
