"""Pages of bags: making one, the second person's agreement, and fetching it."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from folkmoot.desk.people.queries import names_by_ref, signed_in
from folkmoot.desk.records import queries as records

from . import actions, queries
from .bagging import others_who_may_agree
from .forms import BagForm, errors_of
from .lifecycle import BagState
from .making import KEPT
from .scope import Scope
from .steps import ReleaseRefused
from .views import _now, choices, for_officers, told


@for_officers
def bags(request: HttpRequest) -> HttpResponse:
    """Every bag, newest first."""
    member = signed_in(request)
    found = queries.list_bags(member.organisation)
    return render(
        request,
        "releases/bags.html",
        {"bags": found, "names": names_by_ref(one.proposed_by for one in found)},
    )


@for_officers
def new_bag(request: HttpRequest) -> HttpResponse:
    """Make a bag of everything for an account, a person, a topic, between days."""
    member = signed_in(request)
    errors: list[dict[str, str]] = []
    if request.method == "POST":
        form = BagForm(request.POST)
        errors = errors_of(form, "title")
        if not errors:
            try:
                bag = actions.propose(
                    member,
                    purpose=form.cleaned_data["purpose"],
                    title=form.cleaned_data["title"],
                    about=form.cleaned_data["about"],
                    scope=form.scope,
                    now=_now(),
                )
                return redirect("records_bag", ref=bag.ref)
            except ReleaseRefused as refused:
                errors = told(refused, "title")
    return render(
        request,
        "releases/new_bag.html",
        {"errors": errors, "given": request.POST if errors else request.GET, **choices(member)},
        status=422 if errors else 200,
    )


@for_officers
def bag_page(request: HttpRequest, ref: str) -> HttpResponse:
    """One bag: what is in it, who agreed, and how to check it."""
    return _show(request, ref)


def _show(
    request: HttpRequest, ref: str, errors: list[dict[str, str]] | None = None
) -> HttpResponse:
    member = signed_in(request)
    bag = _get(request, ref)
    history = records.list_history(bag.subject)
    return render(
        request,
        "releases/bag.html",
        {
            "bag": bag,
            "scope": Scope.from_json(bag.scope).to_json(),
            "offers": queries.BAG.offers(BagState(bag.state), roles=sorted(member.held)),
            "own": bag.proposed_by == member.ref,
            "others": others_who_may_agree(bag),
            "stale": queries.is_stale(bag),
            "kept_days": KEPT.days,
            "key": records.log_key(),
            "history": history,
            "names": names_by_ref(
                [bag.proposed_by, bag.agreed_by, *(one.actor for one in history)]
            ),
            "errors": errors or [],
        },
        status=422 if errors else 200,
    )


@for_officers
@require_POST
def bag_take(request: HttpRequest, ref: str, verb: str) -> HttpResponse:
    """Agree to a bag, have it made again, or destroy it."""
    member = signed_in(request)
    _get(request, ref)
    try:
        match verb:
            case "agree":
                actions.agree_to_bag(member, ref, now=_now())
                messages.success(request, "You agreed. The bag is being made.")
            case "retry":
                actions.retry(member, ref, now=_now())
                messages.success(request, "It is being made again.")
            case "remove":
                reason = request.POST.get("reason", "")
                actions.remove(member, ref, reason=reason, now=_now())
                messages.success(request, "The bag is destroyed. No copy of its file opens.")
            case _:
                raise Http404("There is no such step.")
    except ReleaseRefused as refused:
        return _show(request, ref, told(refused, "reason"))
    return redirect("records_bag", ref=ref)


@for_officers
@require_POST
def download(request: HttpRequest, ref: str) -> HttpResponseBase:
    """The bag as a zip file, opened piece by piece; who took it is on the record."""
    member = signed_in(request)
    _get(request, ref)
    try:
        bag, pieces = actions.fetch(member, ref, now=_now())
    except ReleaseRefused as refused:
        return _show(request, ref, told(refused, "download"))
    return StreamingHttpResponse(
        pieces,
        content_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="bag-{bag.ref}.zip"',
            "Content-Length": str(bag.size_bytes),
            "Cache-Control": "no-store",
        },
    )


def _get(request: HttpRequest, ref: str) -> queries.Bag:
    try:
        return queries.get_bag(signed_in(request), ref)
    except queries.NoSuchBag as missing:
        raise Http404(str(missing)) from missing
