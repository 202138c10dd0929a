"""Series: a post that repeats. The worker makes each of its posts some days ahead.

A signature never covers what nobody saw: each post of a series is a post of its own, and is signed
by itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from django.db import OperationalError, transaction

from folkmoot.desk.people.queries import Member, Organisation, Role, list_holders
from folkmoot.desk.records import actions as records

from . import recurring, walltime
from .content import content_of
from .keeping import ask_for_signoff, content_fields, keep_version, must_hold
from .lifecycle import DraftKind
from .models import Draft, Occurrence, Series
from .planned import COMING
from .queries import get_draft, get_version
from .recurring import Every, Rule
from .steps import DraftRefused

log = logging.getLogger(__name__)

BATCH = 50
LEADS = range(1, 29)
# A series our own code fails on must not keep the others back, nor fill the log.
WAIT_AFTER_FAULT = timedelta(minutes=10)
TOO_LATE = "No post was made: its time had passed before the program came to it."


@dataclass(frozen=True, slots=True)
class ShownSeries:
    """A series as its list shows it. ``coming`` are its posts that have not gone out, the earliest
    first; ``days`` the next days for which none has been made.
    """

    series: Series
    text: str
    rule: str
    coming: tuple[Occurrence, ...]
    days: tuple[date, ...]


def rule_of(series: Series) -> Rule:
    """When the series repeats."""
    return Rule(
        Every(series.every),
        series.from_on,
        series.clock,
        series.weeks,
        tuple(series.weekdays),
        series.nth,
        series.until_on,
        series.count,
    )


def list_series(organisation: Organisation) -> list[ShownSeries]:
    """The organisation's series that have not ended, or have posts that have not gone out."""
    shown = []
    for series in Series.objects.filter(organisation=organisation).order_by("pk"):
        coming = tuple(
            series.occurrences.filter(draft__state__in=list(COMING))
            .select_related("draft")
            .order_by("wall")
        )
        if series.next_on is None and not coming:
            continue
        rule = rule_of(series)
        days: list[date] = []
        day = series.next_on
        while day is not None and len(days) < 3:  # noqa: PLR2004  # enough to see how it goes on
            days.append(day)
            day = recurring.next_day(rule, day)
        text = get_version(series.source, series.version_number).text
        shown.append(ShownSeries(series, text, recurring.describe(rule), coming, tuple(days)))
    return shown


def find_occurrence(draft: Draft) -> Occurrence | None:
    """Of which series, and of which of its days, a post is; ``None`` where it is of none."""
    return Occurrence.objects.select_related("series").filter(draft=draft).first()


@transaction.atomic
def start_series(
    author: Member, draft_id: int, rule: Rule, *, zone: str, lead_days: int, now: datetime
) -> Series:
    """Repeat a post, as it stands now, by ``rule``. The post itself stays as it is.

    Raises ``NoSuchDraft`` and :class:`DraftRefused` with everything that is wrong with the rule.
    """
    must_hold(author, Role.AUTHOR)
    source = get_draft(author, draft_id)
    problems = recurring.list_problems(rule)
    name = walltime.find_zone(zone)
    found = walltime.resolve(f"{rule.from_on}T{rule.clock}", zone)
    if isinstance(found, walltime.NotATime):
        problems.append(found.sentence)
    if lead_days not in LEADS:
        problems.append("Choose how many days ahead each post is made, from 1 to 28.")
    if source.kind != DraftKind.POST:
        problems.append("A correction or a removal is made once and cannot repeat.")
    if problems or name is None:
        raise DraftRefused(*problems)
    series = Series(
        organisation=author.organisation,
        author=author.ref,
        source=source,
        version_number=source.version_number,
        every=rule.every,
        weeks=rule.weeks,
        weekdays=list(rule.weekdays),
        nth=rule.nth,
        clock=rule.clock,
        zone=name,
        from_on=rule.from_on,
        until_on=rule.until_on,
        count=rule.count,
        lead_days=lead_days,
        made_at=now,
    )
    series.next_on = next(
        (day for day in recurring.list_days(rule) if _roughly(series, day) > now), None
    )
    if series.next_on is None:
        raise DraftRefused("All its days are in the past. Choose a later last day.")
    series.make_at = _make_at(series, series.next_on)
    series.save()
    _record(series, "series.started", author.ref, now, {"rule": recurring.describe(rule)})
    return series


@transaction.atomic
def end_series(member: Member, series_id: int, *, now: datetime) -> None:
    """Make no more posts of a series. Those already made stay. Raises :class:`DraftRefused`."""
    series = _get_series(member, series_id)
    Series.objects.filter(pk=series.pk).update(next_on=None, make_at=None, ended_at=now)
    _record(series, "series.ended", member.ref, now, {})


@transaction.atomic
def skip(member: Member, series_id: int, on: date, *, now: datetime) -> None:
    """Make no post for the series' next day, which the member's page showed as ``on``. Raises
    :class:`DraftRefused`.
    """
    series = _get_series(member, series_id)
    if series.next_on != on or not _move_on(series):
        raise DraftRefused(
            "That day was dealt with in the meantime. If its post has been made, withdraw the post."
        )
    wall = f"{on}T{series.clock}"
    Occurrence.objects.create(series=series, wall=wall, note=f"Left out by {member.name}.")
    _record(series, "series.skipped", member.ref, now, {"wall": wall})


def make_occurrences(clock: Callable[[], datetime]) -> int:
    """Make each post of a series whose day has come near, and ask for its sign-off where nothing is
    against it; how many days were dealt with. For the worker; safe in several at once, and to be
    killed anywhere: a day's post is made in one transaction, and there is never a second.
    """
    done = 0
    rows = Series.objects.filter(make_at__lte=clock()).select_related("organisation", "source")
    for series in rows.order_by("make_at", "pk")[:BATCH]:
        try:
            done += _make_next(series, clock())
        except OperationalError:
            raise  # the database is away, and it is nothing about this series
        except Exception:
            log.exception("The next post of series %s could not be made", series.pk)
            Series.objects.filter(pk=series.pk, next_on=series.next_on).update(
                make_at=clock() + WAIT_AFTER_FAULT
            )
    return done


@transaction.atomic
def _make_next(series: Series, now: datetime) -> int:
    day = series.next_on
    if day is None or not _move_on(series):
        return 0  # another worker was quicker, or it was ended or skipped
    wall = f"{day}T{series.clock}"
    occurrence = Occurrence(series=series, wall=wall)
    if _roughly(series, day) <= now:
        occurrence.note = TOO_LATE
        occurrence.save()
        return 1
    occurrence.draft = draft = _start(series, wall, now)
    occurrence.save()
    try:
        with transaction.atomic():
            _must_still_write(series)
            ask_for_signoff(draft, series.author, roles={Role.AUTHOR}, now=now, note=_note(series))
    except DraftRefused as refused:
        occurrence.note = " ".join(refused.reasons)
        occurrence.save(update_fields=["note"])
    return 1


def _must_still_write(series: Series) -> None:
    if series.author not in list_holders(series.organisation, Role.AUTHOR):
        raise DraftRefused(
            "Whoever set up this series no longer writes posts here. Another author must read "
            "this post and send it for sign-off."
        )


def _start(series: Series, wall: str, now: datetime) -> Draft:
    """The day's post, being written. A time that must be asked about is left open."""
    found = walltime.resolve(wall, series.zone)
    content = replace(
        content_of(get_version(series.source, series.version_number)),
        due_at=found.at if isinstance(found, walltime.Resolved) else None,
        wall=wall,
        zone=series.zone,
        through_stop=False,
    )
    draft = Draft.objects.create(
        organisation=series.organisation, author=series.author, made_at=now, changed_at=now
    )
    keep_version(draft, content, series.author, now=now)
    records.record(
        "draft.started",
        at=now,
        organisation=series.organisation.ref,
        actor=series.author,
        role=Role.AUTHOR,
        subject=draft.subject,
        fields={**content_fields(content), "note": _note(series)},
    )
    return draft


def _move_on(series: Series) -> bool:
    """Go on to the day after ``next_on``; ``False`` where somebody else has, or it was ended."""
    following = recurring.next_day(rule_of(series), series.next_on)
    moved = Series.objects.filter(pk=series.pk, next_on=series.next_on, ended_at=None).update(
        next_on=following, make_at=_make_at(series, following)
    )
    return moved == 1


def _make_at(series: Series, day: date | None) -> datetime | None:
    return None if day is None else _roughly(series, day) - timedelta(days=series.lead_days)


def _roughly(series: Series, day: date) -> datetime:
    """The instant of the day's post; of one in a missing or doubled hour, within that hour."""
    naive = walltime.read_wall(f"{day}T{series.clock}")
    assert naive is not None
    return naive.replace(tzinfo=walltime.get_rules(series.zone)).astimezone(UTC)


def _note(series: Series) -> str:
    return f"Made from series {series.pk}, in its author's name"


def _get_series(member: Member, series_id: int) -> Series:
    must_hold(member, Role.AUTHOR)
    series = Series.objects.filter(organisation=member.organisation, pk=series_id).first()
    if series is None:
        raise DraftRefused("There is no such series.")
    return series


def _record(series: Series, kind: str, actor: str, now: datetime, fields: dict[str, str]) -> None:
    records.record(
        kind,
        at=now,
        organisation=series.organisation.ref,
        actor=actor,
        role=Role.AUTHOR,
        subject=f"series/{series.pk}",
        fields={"post": series.source.subject, **fields},
    )
