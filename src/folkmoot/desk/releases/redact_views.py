"""Pages of a release: deciding field by field, and the second reading."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from folkmoot.desk.people.queries import names_by_ref, signed_in

from . import actions, queries
from .exemptions import PERSONAL as PERSONAL_EXEMPTION
from .lifecycle import RequestState
from .models import Decision
from .regimes import Regime
from .steps import ReleaseRefused
from .suggesting import PERSONAL, WORDS, Suggestion
from .views import _now, exemptions_of, for_officers, get_request, page_of, told

_DECIDING = {RequestState.REDACTING, RequestState.SECOND_READING, RequestState.AGREED}


@for_officers
def entries(request: HttpRequest, ref: str) -> HttpResponse:
    """The chosen entries, to take out what does not belong."""
    member = signed_in(request)
    row = get_request(member, ref)
    number = page_of(request.GET.get("page", "1"))
    shown, more = queries.list_chosen(row, page=number)
    return render(
        request,
        "releases/entries.html",
        {
            "row": row,
            "shown": shown,
            "more": more,
            "number": number,
            "total": row.chosen.count(),
            "may_change": "choose"
            in queries.REQUEST.offers(RequestState(row.state), roles=sorted(member.held)),
        },
    )


@for_officers
def redact(request: HttpRequest, ref: str) -> HttpResponse:
    """Decide many fields at a time, by label or by what seems personal."""
    member = signed_in(request)
    row = get_request(member, ref)
    errors: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            done = _decide_many(request, row)
            messages.success(
                request, f"{done:,} {'field is' if done == 1 else 'fields are'} decided."
            )
            return redirect("records_redact", ref=ref)
        except ReleaseRefused as refused:
            errors = told(refused, "labels")
    number = page_of(request.GET.get("page", "1"))
    shown, more = queries.list_chosen(row, page=number)
    return render(
        request,
        "releases/redact.html",
        {
            "row": row,
            "groups": queries.list_groups(row),
            "verdicts": queries.count_verdicts(row),
            "suggestions": queries.count_suggestions(row),
            "words": WORDS,
            "personal": PERSONAL_EXEMPTION[Regime(row.regime)],
            "exemptions": exemptions_of(row),
            "leaks": queries.find_leaks(row),
            "shown": shown,
            "more": more,
            "number": number,
            "deciding": row.state in _DECIDING,
            "errors": errors,
            "given": request.POST if errors else {},
            "chosen": request.POST.getlist("labels") if errors else [],
        },
        status=422 if errors else 200,
    )


def _decide_many(request: HttpRequest, row: queries.Request) -> int:
    member, post = signed_in(request), request.POST
    if post.get("do") == "personal":
        which = actions.Which(suggested=tuple(PERSONAL), undecided=True)
        code = PERSONAL_EXEMPTION[Regime(row.regime)]
        return actions.withhold(member, row.ref, which, exemption=code, now=_now())
    if post.get("do") == "public":
        which = actions.Which(suggested=(Suggestion.PUBLIC,), undecided=True)
        return actions.show(member, row.ref, which, now=_now())
    labels = [
        (kind, label) for kind, _, label in (one.partition("|") for one in post.getlist("labels"))
    ]
    which = actions.Which(labels=labels, undecided="undecided" in post)
    match post.get("verdict"):
        case "release":
            return actions.show(member, row.ref, which, now=_now())
        case "withhold":
            return actions.withhold(
                member,
                row.ref,
                which,
                exemption=post.get("exemption", ""),
                reason=post.get("reason", ""),
                now=_now(),
            )
        case _:
            raise ReleaseRefused("Choose whether they are released or withheld.", field="verdict")


@for_officers
def redact_entry(request: HttpRequest, ref: str, entry_id: str) -> HttpResponse:
    """Decide the fields of one entry, each by itself."""
    member = signed_in(request)
    row = get_request(member, ref)
    errors: list[dict[str, str]] = []
    shown, _more = queries.list_chosen(row, only=[entry_id])
    if not shown:
        raise Http404("This entry is not among what was chosen.")
    if request.method == "POST":
        try:
            _decide_one(request, row, entry_id)
            messages.success(request, "It is decided.")
            return redirect("records_redact", ref=ref)
        except ReleaseRefused as refused:
            errors = told(refused, "fields")
    return render(
        request,
        "releases/redact_entry.html",
        {
            "row": row,
            "one": shown[0],
            "exemptions": exemptions_of(row),
            "deciding": row.state in _DECIDING,
            "errors": errors,
            "given": request.POST if errors else {},
            "names": names_by_ref([shown[0].found.entry.actor]),
        },
        status=422 if errors else 200,
    )


@transaction.atomic
def _decide_one(request: HttpRequest, row: queries.Request, entry_id: str) -> None:
    member, post = signed_in(request), request.POST
    wanted = {
        name.removeprefix("field-"): verdict
        for name, verdict in post.items()
        if name.startswith("field-")
    }
    released = [(entry_id, label) for label, verdict in wanted.items() if verdict == "release"]
    withheld = [(entry_id, label) for label, verdict in wanted.items() if verdict == "withhold"]
    if not released and not withheld:
        raise ReleaseRefused("Choose for at least one field what is to become of it.")
    if withheld:
        actions.withhold(
            member,
            row.ref,
            actions.Which(fields=withheld),
            exemption=post.get("exemption", ""),
            reason=post.get("reason", ""),
            now=_now(),
        )
    if released:
        actions.show(member, row.ref, actions.Which(fields=released), now=_now())


@for_officers
def reading(request: HttpRequest, ref: str) -> HttpResponse:
    """The second reading: everything as it will go out, and beside it what will not."""
    member = signed_in(request)
    row = get_request(member, ref)
    errors: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            actions.agree(member, ref, seen=request.POST.get("seen", ""), now=_now())
            messages.success(request, "You agreed. The bag is being made.")
            return redirect("records_request", ref=ref)
        except ReleaseRefused as refused:
            errors = told(refused, "agree")
    number = page_of(request.GET.get("page", "1"))
    shown, more = queries.list_chosen(row, page=number)
    return render(
        request,
        "releases/reading.html",
        {
            "row": row,
            "shown": shown,
            "more": more,
            "number": number,
            "total": row.chosen.count(),
            "verdicts": queries.count_verdicts(row),
            "leaks": queries.find_leaks(row),
            "released": Decision.RELEASED,
            "own": member.ref == row.prepared_by or member.ref in queries.list_deciders(row),
            "reading": row.state == RequestState.SECOND_READING,
            "names": names_by_ref([row.prepared_by]),
            "errors": errors,
        },
        status=422 if errors else 200,
    )
