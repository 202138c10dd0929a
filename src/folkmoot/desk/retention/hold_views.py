"""Pages of holds."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from folkmoot.desk.accounts.queries import list_known
from folkmoot.desk.people.queries import names_by_ref, signed_in

from . import actions, queries
from .actions import HoldScope, RetentionRefused
from .forms import HoldForm, errors_of
from .pages import attempt, error_of, now, only_for, page_of, take_refusals
from .triggers import CLASS_WORDS

SCOPE_WORDS = {
    HoldScope.SUBJECTS: "Posts or other things",
    HoldScope.ACCOUNT: "An account",
    HoldScope.CLASS: "A class of records",
    HoldScope.CHOSEN: "Chosen entries",
    HoldScope.REQUEST: "A request",
}


@only_for(queries.may_hold)
def holds(request: HttpRequest) -> HttpResponse:
    """The holds that stand, or those that were released; the address holds the filters."""
    member = signed_in(request)
    state = request.GET.get("state", "")
    scope = request.GET.get("scope", "")
    scope = scope if scope in set(HoldScope) else ""
    number = page_of(request)
    found, more = queries.list_holds(
        member.organisation, standing=state != "released", scope=scope, page=number
    )
    return render(
        request,
        "retention/holds.html",
        {
            "holds": [(one, queries.tell_scope(one)) for one in found],
            "more": more,
            "number": number,
            "state": state,
            "scope": scope,
            "scopes": SCOPE_WORDS,
            "address": urlencode({"state": state, "scope": scope}),
            "standing": queries.count_holds(member.organisation),
            "names": names_by_ref(one.placed_by for one in found),
        },
    )


@only_for(queries.may_hold)
def new_hold(request: HttpRequest) -> HttpResponse:
    """Place a hold."""
    member = signed_in(request)
    form = HoldForm(request.POST if request.method == "POST" else None)
    errors: list[dict[str, str]] = []
    if request.method == "POST":
        errors = errors_of(form)
        if not errors:
            try:
                made = actions.place_hold(
                    member,
                    form.chosen,
                    reason=form.cleaned_data["reason"],
                    reference=form.cleaned_data["reference"],
                    now=now(),
                )
                messages.success(
                    request, f"Hold {made.pk} is placed. Nothing of it is destroyed from now on."
                )
                return redirect("retention_hold", hold_id=made.pk)
            except RetentionRefused as refused:
                errors = [error_of(refused)]
    return render(
        request,
        "retention/new_hold.html",
        {
            "errors": errors,
            "given": request.POST if errors else request.GET,
            "scopes": SCOPE_WORDS,
            "accounts": list_known(member.organisation),
            "class_words": CLASS_WORDS,
        },
        status=422 if errors else 200,
    )


@only_for(queries.may_hold)
def hold(request: HttpRequest, hold_id: int) -> HttpResponse:
    """One hold, and releasing it."""
    member = signed_in(request)
    found = queries.find_hold(member.organisation, hold_id)
    if found is None:
        raise Http404("There is no such hold.")
    errors: list[dict[str, str]] = []
    if request.method == "POST":
        match request.POST.get("do"):
            case "propose":
                try:
                    actions.propose_release(
                        member, hold_id, reason=request.POST.get("reason", ""), now=now()
                    )
                    messages.success(request, "Proposed. It holds until a second person agrees.")
                    return redirect("retention_hold", hold_id=hold_id)
                except RetentionRefused as refused:
                    errors = [{"text": str(refused), "href": "#reason"}]
            case "keep":
                act = partial(actions.keep_hold, member, hold_id, now=now())
                return attempt(request, act, "It is kept.", "retention_hold", hold_id=hold_id)
            case "release":
                act = partial(actions.release_hold, member, hold_id, now=now())
                done = "Released. What it held may be disposed of again."
                return attempt(request, act, done, "retention_hold", hold_id=hold_id)
            case _:
                raise Http404("There is no such step.")
    return render(
        request,
        "retention/hold.html",
        {
            "hold": found,
            "what": queries.tell_scope(found),
            "mine": found.release_proposed_by == member.ref,
            "names": names_by_ref([found.placed_by, found.release_proposed_by, found.released_by]),
            "errors": errors or take_refusals(request),
            "wrong": bool(errors),
            "given": request.POST if errors else {},
        },
        status=422 if errors else 200,
    )
