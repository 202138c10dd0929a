"""The staff's page of the e-mail list."""

from __future__ import annotations

from datetime import UTC, datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from folkmoot.desk.people.queries import Role, signed_in

from . import actions, queries
from .deciding import TROUBLED
from .lifecycle import MAIL_WORDS, SUBSCRIBER_WORDS, MailState


def _now() -> datetime:
    return datetime.now(UTC)


def mailing(request: HttpRequest, error: str = "") -> HttpResponse:
    """Who gets the posts by e-mail, in numbers; what became of each issue; what needs a person."""
    member = signed_in(request)
    organisation = member.organisation
    mailing_list = queries.find_list(organisation)
    troubled = [
        (issue, state, queries.list_troubled_mails(organisation, issue.key, state))
        for issue in queries.list_troubled(organisation)
        for state in TROUBLED
    ]
    return render(
        request,
        "mailing/mailing.html",
        {
            "list": mailing_list,
            "error": error,
            "counts": queries.count_subscribers(mailing_list) if mailing_list else {},
            "months": queries.list_months(mailing_list, organisation.timezone)
            if mailing_list
            else [],
            "issues": queries.list_issues(mailing_list) if mailing_list else [],
            "troubled": [(issue, state, mails) for issue, state, mails in troubled if mails],
            "mail_words": MAIL_WORDS,
            "subscriber_words": SUBSCRIBER_WORDS,
            "may_decide": bool(member.held & {Role.APPROVER, Role.ADMIN}),
            "may_remove": Role.ADMIN in member.held,
        },
        status=422 if error else 200,
    )


@require_POST
def decide(request: HttpRequest, key: str) -> HttpResponse:
    """Leave e-mails as they are, or send them again."""
    state = request.POST.get("state", "")
    try:
        count = actions.decide(
            signed_in(request),
            key,
            state=MailState(state) if state in TROUBLED else MailState.HANDED,
            verb=request.POST.get("verb", ""),
            reference=request.POST.get("reference", ""),
            knows=request.POST.get("knows") == "yes",
            now=_now(),
        )
    except actions.DecisionRefused as refused:
        return mailing(request, str(refused))
    again = request.POST.get("verb") == "send_again"
    one, many = "1 e-mail stays as it is.", f"{count} e-mails stay as they are."
    if again:
        one, many = "1 e-mail will be sent again.", f"{count} e-mails will be sent again."
    messages.success(request, one if count == 1 else many)
    return redirect("mailing")


@require_POST
def remove(request: HttpRequest) -> HttpResponse:
    """Take somebody off the list who asked us to."""
    member = signed_in(request)
    mailing_list = queries.find_list(member.organisation)
    if mailing_list is None:
        return mailing(request, "There is no e-mail list.")
    try:
        was_there = actions.remove(
            member, mailing_list, request.POST.get("address", ""), now=_now()
        )
    except actions.SubscribingRefused as refused:
        return mailing(request, str(refused))
    messages.success(
        request,
        "The address was taken off the list and forgotten."
        if was_there
        else "The address is not on the list.",
    )
    return redirect("mailing")
