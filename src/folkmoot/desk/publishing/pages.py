"""Staff pages of the publishing room: stopping, deciding, alarms, correcting and taking down."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.drafts import following
from folkmoot.desk.drafts import queries as drafts
from folkmoot.desk.drafts.grounds import list_grounds
from folkmoot.desk.people.queries import Member, Role, names_by_ref, signed_in
from folkmoot.desk.stops import queries as stops
from folkmoot.desk.stops.actions import StopRefused
from folkmoot.desk.stops.queries import StopKind, StopScope, StopState

from . import actions, queries, stopping

# How long the page waits for what is on its way before it says that it is still waiting.
WAIT_SECONDS = 5.0
LOOK_EVERY_SECONDS = 0.05


def stop(request: HttpRequest) -> HttpResponse:
    """Stop everything, or one thing, now; what stands stopped; and let it go on."""
    member = signed_in(request)
    errors: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            pressed = _press(request, member)
            _wait(pressed)
            return redirect("stop")
        except StopRefused as refused:
            errors = [{"text": str(refused), "href": "#reason"}]
    standing = stops.list_standing(member.organisation)
    past = stops.list_past(member.organisation)
    fence = queries.find_fence(_now())
    since = min((one.pressed_at for one in standing), default=None)
    return render(
        request,
        "publishing/stop.html",
        {
            "errors": errors,
            "given": request.POST if errors else {},
            "standing": standing,
            "waiting": [one for one in standing if one.state == StopState.PRESSED],
            "on_their_way": {
                one.pk: queries.count_on_their_way(one, _now())
                for one in standing
                if one.state == StopState.PRESSED
            },
            "past": past,
            "lapsed": queries.list_lapsed(member.organisation, since) if since else [],
            "kinds": stops.KIND_WORDS,
            "accounts": accounts.list_accounts(member.organisation),
            "channels": accounts.CHANNELS,
            "names": names_by_ref(
                ref for one in [*standing, *past] for ref in (one.pressed_by, one.lifted_by)
            ),
            "fence": fence,
            "open_points": queries.list_open_points(fence, member.organisation) if fence else [],
            "watches": queries.list_watches(member.organisation) if fence else [],
            "may_lift": bool(member.held & {Role.APPROVER, Role.ADMIN}),
            "may_lift_fence": Role.ADMIN in member.held,
            "refusals_list": _refusals(request),
        },
        status=422 if errors else 200,
    )


@require_POST
def lift(request: HttpRequest, stop_id: int) -> HttpResponse:
    """Let publishing go on; what lapsed meanwhile is listed, never sent."""
    member = signed_in(request)
    try:
        lapsed = actions.resume(member, stop_id, reason=request.POST.get("reason", ""), now=_now())
        told = "Publishing goes on."
        if lapsed:
            told += (
                f" {lapsed} that came due meanwhile lapsed and will not be sent: look at each under"
                " Posts, and copy what should still go out."
            )
        messages.success(request, told)
    except StopRefused as refused:
        request.session["refusals"] = [str(refused)]
    return redirect("stop")


@require_POST
def lift_fence(request: HttpRequest) -> HttpResponse:
    """Say that the channels have been compared with a restored database."""
    member = signed_in(request)
    try:
        by_hand = {_number(one) for one in request.POST.getlist("by_hand")}
        reason = request.POST.get("reason", "")
        actions.lift_fence(member, reason=reason, by_hand=by_hand, now=_now())
        messages.success(request, "Publishing goes on. What had been signed must be signed again.")
    except actions.DecisionRefused as refused:
        request.session["refusals"] = [str(refused)]
    return redirect("stop")


def decide(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Decide about a delivery that no machine can settle."""
    member = signed_in(request)
    try:
        told = queries.get_told(member, delivery_id)
    except queries.NoSuchDelivery as missing:
        raise Http404(str(missing)) from missing
    errors: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            done = _decide(request, member, delivery_id)
            messages.success(request, done)
            return redirect("post", draft_id=told.draft_id)
        except actions.DecisionRefused as refused:
            errors = [{"text": str(refused), "href": "#reason"}]
            told = queries.get_told(member, delivery_id)
    return render(
        request,
        "publishing/decide.html",
        {"told": told, "errors": errors, "given": request.POST},
        status=422 if errors else 200,
    )


def alarm(request: HttpRequest, alarm_id: int) -> HttpResponse:
    """Something on an account's timeline that nobody signed."""
    member = signed_in(request)
    found = queries.find_alarm(member.organisation, alarm_id)
    if found is None:
        raise Http404("There is no such alarm.")
    errors: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            actions.close_alarm(member, alarm_id, note=request.POST.get("note", ""), now=_now())
            messages.success(request, "Noted. The alarm is closed.")
            return redirect("today")
        except actions.DecisionRefused as refused:
            errors = [{"text": str(refused), "href": "#note"}]
    return render(
        request,
        "publishing/alarm.html",
        {
            "alarm": found,
            "channel": accounts.CHANNELS.get(found.account.channel, found.account.channel),
            "closed_by": names_by_ref([found.closed_by]).get(found.closed_by, ""),
            "errors": errors,
            "given": request.POST,
        },
        status=422 if errors else 200,
    )


def follow(request: HttpRequest, draft_id: int, kind: str) -> HttpResponse:
    """Begin a correction or a removal of a live post."""
    member = signed_in(request)
    if kind not in {"correction", "removal"}:
        raise Http404("There is no such step.")
    try:
        about = drafts.get_draft(member, draft_id)
    except drafts.NoSuchDraft as missing:
        raise Http404(str(missing)) from missing
    live = queries.list_followable(about)
    errors: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            draft = _follow(request, member, about, kind, {one.account_id for one in live})
            if kind == "correction":
                return redirect("edit_draft", draft_id=draft.pk)
            messages.success(request, "Sent for sign-off.")
            return redirect("post", draft_id=draft.pk)
        except drafts.DraftRefused as refused:
            errors = [{"text": reason, "href": "#main-content"} for reason in refused.reasons]
    return render(
        request,
        "publishing/follow.html",
        {
            "kind": kind,
            "about": about,
            "live": live,
            "words": drafts.first_words(about),
            "grounds": list_grounds(kind),
            "errors": errors,
            "given": request.POST,
            "chosen": request.POST.getlist("accounts") or [str(one.account_id) for one in live],
        },
        status=422 if errors else 200,
    )


def _press(request: HttpRequest, member: Member) -> stops.Stop:
    what = request.POST.get("what", "everything")
    account = request.POST.get("account", "")
    if what == "account" and accounts.find_account(member.organisation, _number(account)) is None:
        raise StopRefused("Choose the account that is to be stopped.")
    if what == "channel" and request.POST.get("channel", "") not in accounts.CHANNELS:
        raise StopRefused("Choose the channel that is to be stopped.")
    scope, kind = {
        "everything": (StopScope.EVERYTHING, StopKind.STOP),
        "account": (StopScope.ACCOUNT, StopKind.STOP),
        "channel": (StopScope.CHANNEL, StopKind.STOP),
        "topic": (StopScope.TOPIC, StopKind.STOP),
        "incident": (StopScope.EVERYTHING, StopKind.INCIDENT),
        "mourning": (StopScope.EVERYTHING, StopKind.MOURNING),
    }.get(what, (StopScope.EVERYTHING, StopKind.STOP))
    return actions.press(
        member.organisation,
        reason=request.POST.get("reason", ""),
        now=_now(),
        member=member,
        kind=kind,
        scope=scope,
        target=request.POST.get(what, "") if what in {"account", "channel", "topic"} else "",
        topic=request.POST.get("incident", "") if what == "incident" else "",
    )


def _wait(pressed: stops.Stop) -> None:
    """Wait a little until nothing is on its way; the page says where it stands."""
    end = time.monotonic() + WAIT_SECONDS
    while not stopping.acknowledge(pressed, _now) and time.monotonic() < end:
        time.sleep(LOOK_EVERY_SECONDS)


def _decide(request: HttpRequest, member: Member, delivery_id: int) -> str:
    verb, reason = request.POST.get("verb", ""), request.POST.get("reason", "")
    if verb == "say_live":
        url = request.POST.get("url", "")
        actions.say_live(member, delivery_id, url=url, reason=reason, now=_now())
        return "Noted as live, with your word for it."
    if verb == "say_absent":
        actions.say_absent(member, delivery_id, reason=reason, now=_now())
        return "Noted as not there. It is sent again if its time has not passed."
    if verb == "go_on":
        actions.go_on(member, delivery_id, now=_now())
        return "The rest of the thread is being sent."
    if verb == "leave":
        actions.leave(member, delivery_id, reason=reason, now=_now())
        return "Left as it is. You can still take down what is live."
    raise actions.DecisionRefused("Choose what to do.")


def _follow(
    request: HttpRequest, member: Member, about: drafts.Draft, kind: str, live: set[int]
) -> drafts.Draft:
    chosen = [_number(one) for one in request.POST.getlist("accounts")]
    where = [pk for pk in chosen if pk in live]
    ground = request.POST.get("ground", "")
    if not where or ground not in list_grounds(kind):
        raise drafts.DraftRefused("Choose why, and at least one place where the post is live.")
    if kind == "correction":
        return following.start_correction(
            member, about.pk, accounts=where, ground=ground, now=_now()
        )
    return following.remove(
        member,
        about.pk,
        accounts=where,
        ground=ground,
        words=request.POST.get("words", ""),
        now=_now(),
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else -1  # noqa: PLR2004 - digits of a 64-bit id


def _refusals(request: HttpRequest) -> list[dict[str, str]]:
    return [
        {"text": reason, "href": "#main-content"} for reason in request.session.pop("refusals", [])
    ]


def _now() -> datetime:
    return datetime.now(UTC)
