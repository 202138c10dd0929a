"""Pages of the notices room: the duty officer's, and those that say who is told."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from folkmoot.desk.people.queries import Member, Role, signed_in
from folkmoot.desk.stops import queries as stops

from . import actions, chats, letters, queries
from .actions import NoticeRefused
from .forms import TargetForm, WishesForm
from .queries import TargetKind, Urgency


def duty(request: HttpRequest) -> HttpResponse:
    """What needs a person now. With ``?still=1`` the page stays as it is."""
    still = "still" in request.GET
    return render(
        request, "notices/duty.html", {**_duty(signed_in(request), still=still), "changed": False}
    )


@login_not_required
def duty_list(request: HttpRequest) -> HttpResponse:
    """The list alone, for the page that refreshes itself; one that was signed out is sent to sign
    in, and not shown an empty list.
    """
    address = reverse("duty")
    if "HX-Request" not in request.headers:
        return redirect("duty")
    if not request.user.is_authenticated:
        response = HttpResponse()
        response["HX-Redirect"] = redirect_to_login(address, settings.LOGIN_URL).url
        return response
    found = _duty(signed_in(request), still=False)
    found["changed"] = request.GET.get("had") != found["fingerprint"]
    return render(request, "notices/_duty.html", found)


def notices(request: HttpRequest) -> HttpResponse:
    """Who is told, what was told last, and what stands in the way."""
    member = signed_in(request)
    targets = queries.list_targets(member.organisation)
    return render(
        request,
        "notices/list.html",
        {
            "targets": [(one, queries.find_test(one)) for one in targets],
            "told": queries.list_told(member.organisation),
            "obstacle": letters.find_obstacle(),
            "still": queries.is_worker_still(_now()),
            "may_change": Role.ADMIN in member.held,
            "refusals_list": _refusals(request),
        },
    )


def add(request: HttpRequest, kind: str) -> HttpResponse:
    """Add an e-mail address, or a chat."""
    member = signed_in(request)
    if kind not in set(TargetKind):
        raise Http404("There is no such kind of notice.")
    form = TargetForm(request.POST if request.method == "POST" else None)
    errors: list[dict[str, str]] = []
    if request.method == "POST":
        errors = _errors_of(form)
        if not errors:
            try:
                target = actions.add_target(
                    member,
                    kind=TargetKind(kind),
                    name=form.cleaned_data["name"],
                    address=form.cleaned_data["address"],
                    urgencies=[Urgency(one) for one in form.cleaned_data["urgencies"]],
                    quiet=form.quiet,
                    now=_now(),
                )
                messages.success(
                    request, f"{target.name} is told from now on. Send a test to see that it works."
                )
                return redirect("notices")
            except NoticeRefused as refused:
                errors = [_error(refused)]
    given = request.POST if errors else {}
    return render(
        request,
        "notices/target.html",
        {
            "kind": kind,
            "target": None,
            "errors": errors,
            "given": given,
            "chosen": request.POST.getlist("urgencies") if errors else [Urgency.NOW],
            "obstacle": letters.find_obstacle() if kind == TargetKind.EMAIL else "",
            "which": chats.TELL_WHICH,
            "may_change": Role.ADMIN in member.held,
        },
        status=422 if errors else 200,
    )


def change(request: HttpRequest, target_id: int) -> HttpResponse:
    """Change what a target is told, and when."""
    member = signed_in(request)
    target = _get(member, target_id)
    form = WishesForm(request.POST if request.method == "POST" else None)
    errors: list[dict[str, str]] = []
    if request.method == "POST":
        errors = _errors_of(form)
        if not errors:
            try:
                actions.change_target(
                    member,
                    target_id,
                    urgencies=[Urgency(one) for one in form.cleaned_data["urgencies"]],
                    quiet=form.quiet,
                    now=_now(),
                )
                messages.success(request, f"What {target.name} is told has been changed.")
                return redirect("notices")
            except NoticeRefused as refused:
                errors = [_error(refused)]
    given: Any = request.POST
    if not errors:
        given = {
            name: f"{value:%H:%M}" if value is not None else ""
            for name, value in (
                ("quiet_from", target.quiet_from),
                ("quiet_until", target.quiet_until),
            )
        }
    return render(
        request,
        "notices/target.html",
        {
            "kind": target.kind,
            "target": target,
            "errors": errors,
            "given": given,
            "chosen": request.POST.getlist("urgencies") if errors else target.urgencies,
            "may_change": Role.ADMIN in member.held,
        },
        status=422 if errors else 200,
    )


def remove(request: HttpRequest, target_id: int) -> HttpResponse:
    """Ask whether a target is to be removed, and remove it."""
    member = signed_in(request)
    target = _get(member, target_id)
    if request.method == "POST":
        try:
            actions.remove_target(member, target_id, now=_now())
            messages.success(request, f"{target.name} is told nothing more.")
        except NoticeRefused as refused:
            request.session["refusals"] = [str(refused)]
        return redirect("notices")
    return render(
        request,
        "notices/remove.html",
        {
            "target": target,
            "last": len(queries.list_targets(member.organisation)) == 1,
            "may_change": Role.ADMIN in member.held,
        },
    )


@require_POST
def send_test(request: HttpRequest, target_id: int) -> HttpResponse:
    """Have a test sent; the list says what came of it."""
    member = signed_in(request)
    target = _get(member, target_id)
    try:
        actions.ask_test(member, target_id, now=_now())
        messages.success(
            request, f"A test for {target.name} is being sent. Look again to see what came of it."
        )
    except NoticeRefused as refused:
        request.session["refusals"] = [str(refused)]
    return redirect("notices")


def _duty(member: Member, *, still: bool) -> dict[str, Any]:
    now = _now()
    organisation = member.organisation
    needs = queries.list_needs(organisation, now, member)
    said = "\n".join(f"{one.key} {one.urgency} {one.what}" for one in needs)
    return {
        "organisation": organisation,
        "address_of": queries.path_of,
        "groups": [
            (urgency, found)
            for urgency in Urgency
            if (found := [one for one in needs if one.urgency is urgency])
        ],
        "count": len(needs),
        "now_count": sum(one.urgency is Urgency.NOW for one in needs),
        "fingerprint": hashlib.sha256(said.encode()).hexdigest()[:16],
        "updated_at": now,
        "still": still,
        "beat_at": queries.find_beat(),
        "worker_still": queries.is_worker_still(now),
        "stops": [(one, stops.say_stopped(one)) for one in stops.list_standing(organisation)],
        "going": queries.list_going(organisation, now),
        "told": queries.list_targets(organisation),
    }


def _get(member: Member, target_id: int) -> queries.Target:
    target = queries.find_target(member.organisation, target_id)
    if target is None:
        raise Http404("There is nobody like this who is told.")
    return target


def _errors_of(form: WishesForm) -> list[dict[str, str]]:
    return [
        {"text": str(sentence), "href": f"#{name}"}
        for name, found in form.errors.items()
        for sentence in found
    ]


def _error(refused: NoticeRefused) -> dict[str, str]:
    return {"text": str(refused), "href": f"#{refused.field or 'main-content'}"}


def _refusals(request: HttpRequest) -> list[dict[str, str]]:
    return [
        {"text": reason, "href": "#main-content"} for reason in request.session.pop("refusals", [])
    ]


def _now() -> datetime:
    return datetime.now(UTC)
