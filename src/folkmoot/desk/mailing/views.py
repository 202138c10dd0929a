"""Pages anybody sees: asking for the posts, confirming, leaving, and reading an issue.

Opening a link changes nothing: programs that look through e-mails for anything harmful follow every
link in them. What changes something is a button; and the one request a mail program makes when its
own button is pressed (RFC 8058).
"""

from __future__ import annotations

from datetime import UTC, datetime

from allauth.core import ratelimit
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from folkmoot.desk.people.queries import find_public_organisation

from . import actions, queries
from .models import MailingList

ONE_CLICK = "List-Unsubscribe"
TOO_OFTEN = "You have asked very often. Wait a few minutes and ask again."


def _now() -> datetime:
    return datetime.now(UTC)


@login_not_required
@require_http_methods(["GET", "POST"])
def subscribe(request: HttpRequest) -> HttpResponse:
    """Ask for the posts by e-mail. The answer is the same whoever is on the list already."""
    mailing_list = _get_list(request)
    address, error = request.POST.get("address", "")[:320], ""
    if request.method == "POST":
        known = f"{mailing_list.pk}/{address.strip().casefold()}"
        if not ratelimit.consume(request, action="subscribe", key=known):
            error = TOO_OFTEN
        else:
            try:
                actions.subscribe(mailing_list, address, now=_now())
                return redirect("subscribe_sent")
            except actions.SubscribingRefused as refused:
                error = str(refused)
    return render(
        request,
        "mailing/subscribe.html",
        {"error": error, "address": address},
        status=422 if error else 200,
    )


@login_not_required
def subscribe_sent(request: HttpRequest) -> HttpResponse:
    """What happens next, for everybody alike."""
    _get_list(request)
    return render(request, "mailing/subscribe_sent.html")


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Say that one wants the posts: a page with a button."""
    found, error, done = actions.find_confirming(token), "", False
    if request.method == "POST":
        try:
            actions.confirm(token, now=_now())
            done = True
        except actions.SubscribingRefused as refused:
            error = str(refused)
    return _private(
        render(
            request,
            "mailing/confirm.html",
            {"known": found is not None, "error": error, "done": done},
            status=422 if error else 200 if found else 404,
        )
    )


# The request of a mail program carries no cookie and no token but the one in its address, which
# nobody can guess and which can do nothing else.
@csrf_exempt
@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Leave the list: a page with a button, and the one request of a mail program."""
    subscriber = actions.find_leaving(token)
    done = False
    if request.method == "POST" and subscriber is not None:
        program = request.POST.get(ONE_CLICK) == "One-Click"
        actions.leave(subscriber, by="program" if program else "link", now=_now())
        done = True
    return _private(
        render(
            request,
            "mailing/unsubscribe.html",
            {"known": subscriber is not None, "done": done},
            status=200 if subscriber else 404,
        )
    )


@login_not_required
def issue(request: HttpRequest, key: str) -> HttpResponse:
    """An issue, at the address its e-mails give for it."""
    organisation = find_public_organisation(request.get_host())
    found = queries.find_entry(organisation, key) if organisation else None
    if found is None:
        raise Http404("There is no such post.")
    return render(request, "mailing/issue.html", {"entry": found})


def _get_list(request: HttpRequest) -> MailingList:
    organisation = find_public_organisation(request.get_host())
    found = queries.find_list(organisation) if organisation else None
    if found is None:
        raise Http404("Posts are not sent by e-mail here.")
    return found


def _private(response: HttpResponse) -> HttpResponse:
    """Not for search engines: the address is one person's. Other sites are told of no address of
    ours anyway; without any referrer at all browsers would send no origin with the form either.
    """
    response["X-Robots-Tag"] = "noindex"
    return response
