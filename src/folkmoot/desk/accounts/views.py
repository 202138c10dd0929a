"""Pages of the accounts room."""

from __future__ import annotations

from datetime import UTC, datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from folkmoot.desk.people.queries import Role, signed_in

from . import actions, queries


def list_all(request: HttpRequest) -> HttpResponse:
    """The health of each account in words."""
    member = signed_in(request)
    return render(
        request,
        "accounts/list.html",
        {
            "accounts": queries.list_accounts(member.organisation),
            "channels": queries.CHANNELS,
            "refusals_list": request.session.pop("refusals", []),
            "may_change": Role.ADMIN in member.held,
        },
    )


def connect(request: HttpRequest) -> HttpResponse:
    """Connect a Bluesky account."""
    member = signed_in(request)
    errors: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            account = actions.connect(
                member,
                channel="bluesky",
                name=request.POST.get("name", ""),
                handle=request.POST.get("handle", ""),
                server=request.POST.get("server", ""),
                secret=request.POST.get("secret", ""),
                now=datetime.now(UTC),
            )
            messages.success(request, f"{account.name} is connected.")
            return redirect("accounts")
        except actions.AccountRefused as refused:
            errors = [{"text": str(refused), "href": "#handle"}]
    return render(
        request,
        "accounts/connect.html",
        {"errors": errors, "given": request.POST, "may_change": Role.ADMIN in member.held},
        status=422 if errors else 200,
    )


@require_POST
def take(request: HttpRequest, account_id: int, verb: str) -> HttpResponse:
    """Diagnose or disconnect an account."""
    member = signed_in(request)
    try:
        if verb == "diagnose":
            messages.success(request, actions.diagnose(member, account_id))
        elif verb == "disconnect":
            actions.disconnect(member, account_id, now=datetime.now(UTC))
            messages.success(request, "Disconnected. Its tokens have been forgotten.")
        else:
            raise Http404("There is no such step.")
    except actions.AccountRefused as refused:
        request.session["refusals"] = [str(refused)]
    return redirect("accounts")
