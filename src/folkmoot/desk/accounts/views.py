"""Pages of the accounts room."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from folkmoot.channels.kinds import Kind
from folkmoot.desk.people.queries import Member, Role, names_by_ref, signed_in

from . import actions, queries

# How often a page that waits for the worker is fetched anew, and for how long.
REFRESH_SECONDS = 3
REFRESH_FOR = timedelta(minutes=2)
SESSION_KEY = "signing_in"


def list_all(request: HttpRequest) -> HttpResponse:
    """Every account with its health in words, and what waits for a second person."""
    member = signed_in(request)
    organisation = member.organisation
    now = _now()
    accounts = queries.list_accounts(organisation)
    proposals = queries.list_proposed(organisation)
    unwell = {found.account.pk: found for found in queries.list_unwell(organisation, now)}
    people = {
        ref for one in (*accounts, *proposals) for ref in (one.connected_by, one.confirmed_by)
    }
    asked = [one.diagnose_asked_at for one in accounts if is_waiting(one)]
    asked += [one.connected_at for one in proposals if one.grant]
    response = render(
        request,
        "accounts/list.html",
        {
            "accounts": accounts,
            "proposals": proposals,
            "unwell": unwell,
            "names": names_by_ref(people),
            "channels": queries.CHANNELS,
            "own": queries.OWN_CHANNELS,
            "waiting": {one.pk for one in accounts if is_waiting(one)},
            "slow": any(at and now - at > REFRESH_FOR for at in asked),
            "errors": [
                {"text": sentence, "href": "#main-content"}
                for sentence in request.session.pop("refusals", [])
            ],
            "may_change": Role.ADMIN in member.held,
            "may_confirm": bool(member.held & {Role.ADMIN, Role.APPROVER, Role.DUTY}),
            "me": member.ref,
        },
    )
    if any(at and now - at <= REFRESH_FOR for at in asked):
        response["Refresh"] = str(REFRESH_SECONDS)
    return response


def is_waiting(account: queries.Account) -> bool:
    """Whether somebody asked for a diagnosis that the worker has not answered yet."""
    asked, answered = account.diagnose_asked_at, account.diagnosed_at
    return asked is not None and (answered is None or answered < asked)


def choose(request: HttpRequest) -> HttpResponse:
    """The channels that an account can be connected on."""
    member = signed_in(request)
    return render(
        request,
        "accounts/choose.html",
        {"kinds": queries.list_kinds(), "may_change": Role.ADMIN in member.held},
    )


@never_cache
def connect(request: HttpRequest, channel: str) -> HttpResponse:
    """Propose an account, or a new sign-in for one: the form that its channel's kind asks for."""
    member = signed_in(request)
    kind = next((kind for kind in queries.list_kinds() if kind.channel == channel), None)
    if kind is None:
        raise Http404("There is no such channel.")
    again = _find_again(request, member, kind)
    errors: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            made = actions.propose(
                member,
                channel=channel,
                name=request.POST.get("name", ""),
                typed={name.name: request.POST.get(name.name, "") for name in kind.wanted},
                now=_now(),
                again=again.pk if again else None,
            )
            if isinstance(made, actions.SigningIn):
                request.session[SESSION_KEY] = made.to_session()
                return redirect("account_sign_in")
            messages.success(
                request,
                f"{kind.title} lets {made.name} in. Now somebody else must confirm it: another "
                "admin, an approver or a duty officer.",
            )
            return redirect("accounts")
        except actions.AccountRefused as refused:
            errors = [{"text": str(refused), "href": f"#{refused.field or kind.wanted[0].name}"}]
    return render(
        request,
        "accounts/connect.html",
        {
            "kind": kind,
            "errors": errors,
            "given": _given(request, kind, again),
            "again": again,
            "comes_back_to": actions.redirect_uri() if kind.authorisation else "",
            "may_change": Role.ADMIN in member.held,
        },
        status=422 if errors else 200,
    )


def sign_in(request: HttpRequest) -> HttpResponse:
    """The way to the channel's own page. A page of its own, for a form may not lead elsewhere."""
    begun = actions.SigningIn.from_session(request.session.get(SESSION_KEY))
    if begun is None:
        return redirect("connect_account")
    return render(
        request,
        "accounts/sign_in.html",
        {"begun": begun, "title": queries.CHANNELS.get(begun.channel, begun.channel)},
    )


@never_cache
def callback(request: HttpRequest) -> HttpResponse:
    """Where a channel's own page sends people back to. What the session held is good once."""
    member = signed_in(request)
    begun = request.session.pop(SESSION_KEY, None)
    try:
        made = actions.propose_signed_in(member, begun, answer=request.GET.dict(), now=_now())
        messages.success(
            request,
            f"{made.name} is being checked. Then somebody else must confirm it: another admin, an "
            "approver or a duty officer.",
        )
    except actions.AccountRefused as refused:
        request.session["refusals"] = [str(refused)]
    return redirect("accounts")


def forget(request: HttpRequest) -> HttpResponse:
    """Make every account forget its tokens at once."""
    member = signed_in(request)
    errors: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            count = actions.forget_all(member, reason=request.POST.get("reason", ""), now=_now())
        except actions.AccountRefused as refused:
            errors = [{"text": str(refused), "href": "#reason"}]
        else:
            many = "1 account has" if count == 1 else f"{count} accounts have"
            messages.success(
                request,
                f"{many} forgotten every token. Revoke them on the channels' own pages too.",
            )
            return redirect("accounts")
    return render(
        request,
        "accounts/forget.html",
        {
            "errors": errors,
            "given": request.POST,
            "accounts": [
                one
                for one in queries.list_accounts(member.organisation)
                if one.channel not in queries.OWN_CHANNELS
            ],
            "may_change": Role.ADMIN in member.held,
        },
        status=422 if errors else 200,
    )


@require_POST
def take(request: HttpRequest, account_id: int, verb: str) -> HttpResponse:
    """Ask for a diagnosis, confirm or turn down a proposal, or disconnect an account."""
    member = signed_in(request)
    now = _now()
    verbs: dict[str, tuple[Callable[[], Any], str]] = {
        "diagnose": (
            lambda: actions.ask_diagnosis(member, [account_id], now=now),
            "Asked. The answer stands here in a moment.",
        ),
        "confirm": (
            lambda: actions.confirm(member, account_id, now=now),
            "Confirmed. The account is connected, and can be posted to.",
        ),
        "turn_down": (
            lambda: actions.turn_down(member, account_id, now=now),
            "Turned down. What came with it has been forgotten.",
        ),
        "disconnect": (
            lambda: actions.disconnect(member, account_id, now=now),
            "Disconnected. Its tokens have been forgotten.",
        ),
    }
    if verb not in verbs:
        raise Http404("There is no such step.")
    act, done = verbs[verb]
    try:
        act()
        messages.success(request, done)
    except actions.AccountRefused as refused:
        request.session["refusals"] = [str(refused)]
    return redirect("accounts")


def _find_again(request: HttpRequest, member: Member, kind: Kind) -> queries.Account | None:
    """The account that is to be connected again, where the address names one."""
    said = request.GET.get("again", "")
    if not said:
        return None
    found = (
        queries.find_account(member.organisation, int(said))
        if said.isascii() and said.isdigit() and len(said) < 19  # noqa: PLR2004 - of 64 bits
        else None
    )
    if found is None or found.channel != kind.channel:
        raise Http404("There is no such account.")
    return found


def _given(request: HttpRequest, kind: Kind, again: queries.Account | None) -> dict[str, str]:
    """What stands in the form: what was typed, else what is known; never what is secret."""
    shown = [wanted for wanted in kind.wanted if not wanted.secret]
    if request.method == "POST":
        names = [wanted.name for wanted in shown]
        return {name: request.POST.get(name, "") for name in ("name", *names)}
    given = {wanted.name: wanted.default for wanted in shown}
    if again is not None:
        known = {"handle": again.handle, "server": again.server, **again.settings}
        given |= {name: value for name, value in known.items() if name in given}
        given["name"] = again.name
    return given


def _now() -> datetime:
    return datetime.now(UTC)
