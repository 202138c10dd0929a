"""The calendar of posts: week, month and list; moving a post; slots; series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.people.queries import Member, Organisation, Role, signed_in

from . import actions, queries, repeating, slots, walltime
from .almanac import View, beside, days_of, list_days, list_timeless
from .composing import Errors
from .forms import SeriesForm, time_of
from .lifecycle import DraftState
from .recurring import DAYS, ORDINALS

STATES = (
    DraftState.DRAFTING,
    DraftState.AWAITING_SIGNOFF,
    DraftState.SIGNED,
    DraftState.PUBLISHING,
    DraftState.PUBLISHED,
    DraftState.UNSENT,
)
FEW_ACCOUNTS = 5


@dataclass(frozen=True, slots=True)
class Shown:
    """Which part of the calendar an address shows; what it cannot read is left out."""

    view: View
    on: date
    account: int | None
    state: DraftState | None

    def address(self, **other: object) -> str:
        """The address of this part, or of another that differs in some of its fields."""
        fields = {"view": self.view, "on": self.on, "account": self.account, "state": self.state}
        told = {name: value for name, value in (fields | other).items() if value is not None}
        return f"{reverse('post_calendar')}?{urlencode(told)}"


def calendar(request: HttpRequest) -> HttpResponse:
    """The organisation's posts by their days, as the address says."""
    return _show(request, signed_in(request), errors=[], moved=None)


@require_POST
def move(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Give a post that is not signed another time, and go back to the calendar it was on."""
    member = signed_in(request)
    try:
        version = queries.get_version(queries.get_draft(member, draft_id))
    except queries.NoSuchDraft as missing:
        raise Http404(str(missing)) from missing
    wall, own = time_of(request.POST, member.organisation)
    zone = version.zone or own
    which = request.POST.get("which", "") if request.POST.get("asked") == wall else ""
    found = walltime.resolve(wall, zone, which)
    revision = request.POST.get("revision", "")
    errors: Errors = []
    if isinstance(found, walltime.Resolved):
        try:
            actions.move(
                member,
                draft_id,
                found,
                revision=int(revision) if revision.isdecimal() and len(revision) < 10 else -1,  # noqa: PLR2004
                now=_now(),
            )
        except actions.DraftRefused as refused:
            errors = [{"text": reason, "href": f"#day-{draft_id}"} for reason in refused.reasons]
        else:
            told = walltime.tell(found.wall, found.zone, found.at, member.organisation.zone)
            messages.success(request, f"Post {draft_id} is moved to {told}.")
            return redirect(_read(request, member.organisation).address())
    else:
        errors = [{"text": found.sentence, "href": f"#day-{draft_id}"}]
    question = found if isinstance(found, walltime.Asked) else None
    moved = {"id": draft_id, "given": request.POST, "question": question, "asked": wall}
    return _show(request, member, errors=errors, moved=moved)


def slots_page(request: HttpRequest) -> HttpResponse:
    """The slots of the organisation's week; add one, remove one."""
    member = signed_in(request)
    errors: Errors = []
    if request.method == "POST":
        try:
            if "remove" in request.POST:
                slots.remove_slot(member, _number(request.POST["remove"]), now=_now())
                messages.success(request, "The slot is removed. Posts that have its time keep it.")
            else:
                account = request.POST.get("account", "")
                slots.add_slot(
                    member,
                    weekday=_number(request.POST.get("weekday", "")),
                    clock=request.POST.get("clock", ""),
                    account_id=_number(account) if account else None,
                    now=_now(),
                )
                messages.success(request, "The slot is in every week from now on.")
            return redirect("slots")
        except actions.DraftRefused as refused:
            errors = [{"text": reason, "href": "#clock"} for reason in refused.reasons]
    return render(
        request,
        "drafts/calendar_slots.html",
        {
            "errors": errors,
            "given": request.POST,
            "slots": slots.list_slots(member.organisation),
            "days": DAYS,
            "accounts": accounts.list_accounts(member.organisation),
            "may_change": Role.AUTHOR in member.held,
        },
        status=422 if errors else 200,
    )


def repeat(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Set up a series that repeats a post."""
    member = signed_in(request)
    try:
        draft = queries.get_draft(member, draft_id)
    except queries.NoSuchDraft as missing:
        raise Http404(str(missing)) from missing
    organisation = member.organisation
    errors: Errors = []
    form = SeriesForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        form.is_valid()
        errors = [
            {"text": str(sentence), "href": f"#{name}"}
            for name, found in form.errors.items()
            for sentence in found
        ]
        if not errors:
            try:
                repeating.start_series(
                    member,
                    draft_id,
                    form.rule(),
                    zone=form.cleaned_data["zone"] or organisation.zone,
                    lead_days=form.cleaned_data["lead_days"],
                    now=_now(),
                )
                messages.success(
                    request, "The series is set up. Each of its posts waits for a sign-off."
                )
                return redirect("post_calendar")
            except actions.DraftRefused as refused:
                errors = [{"text": reason, "href": "#every"} for reason in refused.reasons]
    return render(
        request,
        "drafts/calendar_repeat.html",
        {
            "draft": draft,
            "words": queries.first_words(draft),
            "errors": errors,
            "given": request.POST,
            "days": DAYS,
            "ordinals": ORDINALS,
            "zone": organisation.zone,
            "zones": walltime.COMMON_ZONES,
            "soon": f"{_today(organisation):%Y-%m-%d}",
            "may_change": Role.AUTHOR in member.held,
        },
        status=422 if errors else 200,
    )


@require_POST
def take_series(request: HttpRequest, series_id: int, verb: str) -> HttpResponse:
    """End a series, or leave its next day out."""
    member = signed_in(request)
    try:
        if verb == "end":
            repeating.end_series(member, series_id, now=_now())
            messages.success(request, "The series has ended. Posts it has made stay as they are.")
        elif verb == "skip":
            on = _day(request.POST.get("on", "")) or date.min
            repeating.skip(member, series_id, on, now=_now())
            messages.success(request, "No post will be made for that day.")
        else:
            raise Http404("There is no such step.")
    except actions.DraftRefused as refused:
        errors: Errors = [{"text": reason, "href": "#series"} for reason in refused.reasons]
        return _show(request, member, errors=errors, moved=None)
    return redirect("post_calendar")


def _show(
    request: HttpRequest, member: Member, *, errors: Errors, moved: Mapping[str, Any] | None
) -> HttpResponse:
    organisation, now = member.organisation, _now()
    shown = _read(request, organisation)
    first, count = days_of(shown.view, shown.on)
    days = list_days(organisation, first, count, account=shown.account, state=shown.state, now=now)
    connected = accounts.list_accounts(organisation)
    columns = [one for one in connected if shown.account in {None, one.pk}]
    quiet = []
    if len(columns) > FEW_ACCOUNTS:
        busy = {pk for day in days for entry in day.entries for pk in entry.post.accounts}
        busy |= {free.account for day in days for free in day.free if free.account is not None}
        quiet = [one for one in columns if one.pk not in busy]
        columns = [one for one in columns if one.pk in busy] or columns[:1]
    before, after = beside(shown.view, shown.on)
    return render(
        request,
        "drafts/calendar_page.html",
        {
            "errors": errors,
            "moved": moved,
            "shown": shown,
            "days": days,
            "weeks": [days[n : n + 7] for n in range(0, len(days), 7)],
            "names": DAYS,
            "columns": columns,
            "quiet": quiet,
            "accounts": connected,
            "states": STATES,
            "views": list(View),
            "before": before,
            "after": after,
            "today": _today(organisation),
            "timeless": list_timeless(
                organisation, account=shown.account, state=shown.state, now=now
            ),
            "series": repeating.list_series(organisation),
            "has_slots": bool(slots.list_slots(organisation)),
            "may_write": Role.AUTHOR in member.held,
        },
        status=422 if errors else 200,
    )


def _read(request: HttpRequest, organisation: Organisation) -> Shown:
    asked = request.GET
    view, state = asked.get("view", ""), asked.get("state", "")
    known = {str(account.pk): account.pk for account in accounts.list_accounts(organisation)}
    return Shown(
        View(view) if view in set(View) else View.WEEK,
        _day(asked.get("on", "")) or _today(organisation),
        known.get(asked.get("account", "")),
        DraftState(state) if state in STATES else None,
    )


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in walltime.YEARS else None


def _today(organisation: Organisation) -> date:
    return _now().astimezone(organisation.timezone).date()


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1  # noqa: PLR2004


def _now() -> datetime:
    return datetime.now(UTC)
