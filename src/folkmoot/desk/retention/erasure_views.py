"""Pages of erasures. What is searched for goes by POST alone, and stands in no address, no session
and no log.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from folkmoot.desk.people.queries import Member, names_by_ref, signed_in
from folkmoot.desk.publishing.queries import find_alarm
from folkmoot.ledger import KeyLost

from . import actions, queries
from .actions import RetentionRefused
from .forms import AskForm, RefuseForm, errors_of
from .grounds import EXEMPTION_WORDS, GROUND_WORDS, Exemption, Ground
from .pages import error_of, now, number_of, only_for, page_of

NO_ERASURE = "There is no such erasure."
SEARCH_SECONDS = 3.0
"""A page waits no longer for a search; the worker does it then."""


@only_for(queries.may_see)
def erasures(request: HttpRequest) -> HttpResponse:
    """Erasures, those still open or all."""
    member = signed_in(request)
    every = request.GET.get("state") == "all"
    number = page_of(request)
    found, more = queries.list_erasures(member.organisation, open_only=not every, page=number)
    return render(
        request,
        "retention/erasures.html",
        {
            "erasures": found,
            "more": more,
            "number": number,
            "every": every,
            "grounds": GROUND_WORDS,
            "names": names_by_ref(one.asked_by for one in found),
        },
    )


@only_for(queries.may_see)
def new_erasure(request: HttpRequest) -> HttpResponse:
    """Begin an erasure: say whom to search for, and why."""
    member = signed_in(request)
    form = AskForm(request.POST if request.method == "POST" else None)
    errors: list[dict[str, str]] = []
    if request.method == "POST":
        errors = errors_of(form)
        if not errors:
            try:
                made = actions.ask_erasure(
                    member,
                    phrases=form.cleaned_data["phrases"].splitlines(),
                    ground=Ground(form.cleaned_data["ground"]),
                    reference=form.cleaned_data["reference"],
                    now=now(),
                )
                actions.search(made, now, seconds=SEARCH_SECONDS)
                return redirect("retention_erasure", erasure_id=made.pk)
            except RetentionRefused as refused:
                errors = [error_of(refused)]
    return render(
        request,
        "retention/new_erasure.html",
        {
            "errors": errors,
            "given": request.POST if errors else {},
            "grounds": {key: text for key, text in GROUND_WORDS.items() if key != Ground.PLATFORM},
        },
        status=422 if errors else 200,
    )


@only_for(queries.may_see)
def erasure(request: HttpRequest, erasure_id: int) -> HttpResponse:
    """One erasure: what was found, what is chosen, and the next steps of it."""
    member = signed_in(request)
    found = queries.find_erasure(member.organisation, erasure_id)
    if found is None:
        raise Http404(NO_ERASURE)
    errors: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            messages.success(request, _take(request, found))
            return redirect(request.get_full_path())
        except RetentionRefused as refused:
            errors = [error_of(refused)]
            found = queries.find_erasure(member.organisation, erasure_id) or found
    groups = queries.group_matches(found)
    wanted = _filters(request)
    number = page_of(request)
    matches: list[queries.Found] = []
    more, unread = False, ""
    if wanted["kind"] or "list" in request.GET:
        try:
            matches, more = queries.list_matches(
                found,
                kind=str(wanted["kind"]),
                year=number_of(str(wanted["year"])),
                public=_public(str(wanted["public"])),
                page=number,
            )
        except KeyLost as lost:
            unread = str(lost)
    return render(
        request,
        "retention/erasure.html",
        {
            "erasure": found,
            "groups": groups,
            "chosen": sum(one.chosen for one in groups),
            "total": sum(one.found for one in groups),
            "public_left": sum(one.found - one.chosen for one in groups if one.public),
            "outside": queries.list_copies_outside(
                member.organisation, queries.list_entries_of(found)
            ),
            "listing": bool(wanted["kind"] or "list" in request.GET),
            "wanted": wanted,
            "address": urlencode({**wanted, "list": "1"}),
            "matches": matches,
            "more": more,
            "unread": unread,
            "number": number,
            "mine": found.proposed_by == member.ref,
            "grounds": GROUND_WORDS,
            "exemptions": EXEMPTION_WORDS,
            "tell_kind": queries.tell_kind,
            "names": names_by_ref([found.asked_by, found.proposed_by, found.confirmed_by]),
            "errors": errors,
            "given": request.POST if errors else {},
        },
        status=422 if errors else 200,
    )


def _filters(request: HttpRequest) -> dict[str, str]:
    """What the list is narrowed to; it names nobody, so that it may stand in the address."""
    return {name: request.GET.get(name, "")[:60] for name in ("kind", "year", "public")}


def _public(text: str) -> bool | None:
    return {"yes": True, "no": False}.get(text)


def _take(request: HttpRequest, found: queries.Erasure) -> str:
    """Take the step that the button pressed is for; what is to be said once it is done."""
    step = _STEPS.get(request.POST.get("do", ""))
    if step is None:
        raise Http404("There is no such step.")
    return step(request, signed_in(request), found.pk)


def _choose(request: HttpRequest, member: Member, number: int) -> str:
    shown, kept = (
        {one for text in request.POST.getlist(name) if (one := number_of(text)) is not None}
        for name in ("shown", "match")
    )
    actions.choose(member, number, chosen=True, numbers=shown & kept)
    actions.choose(member, number, chosen=False, numbers=shown - kept)
    return "What is chosen on this page is kept."


def _choose_all(request: HttpRequest, member: Member, number: int) -> str:
    every = request.POST.get("do") == "choose_all"
    count = actions.choose(
        member,
        number,
        chosen=every,
        kind=request.POST.get("kind", ""),
        year=number_of(request.POST.get("year")),
        public=_public(request.POST.get("public", "")),
    )
    return f"{count} values are {'chosen' if every else 'left'}."


def _leave_held(_request: HttpRequest, member: Member, number: int) -> str:
    return f"What is held is left: {actions.leave_held(member, number)} values."


def _search_again(_request: HttpRequest, member: Member, number: int) -> str:
    again = actions.search_again(member, number, now=now())
    if actions.search(again, now, seconds=SEARCH_SECONDS):
        return "Searched again."
    return "It is being searched. Look again in a moment."


def _propose(_request: HttpRequest, member: Member, number: int) -> str:
    actions.propose_erasure(member, number, now=now())
    return "Proposed. A second records officer must confirm it."


def _take_back(_request: HttpRequest, member: Member, number: int) -> str:
    actions.take_back_erasure(member, number, now=now())
    return "Taken back. Choose anew."


def _confirm(request: HttpRequest, member: Member, number: int) -> str:
    actions.confirm_erasure(member, number, seen=request.POST.get("seen", ""), now=now())
    return "Confirmed. It is being erased now."


def _hold(request: HttpRequest, member: Member, number: int) -> str:
    reason = request.POST.get("hold_reason", "")
    if not reason.strip():
        raise RetentionRefused("Say why it is held.", "hold_reason")
    made = actions.hold_found(member, number, reason=reason, now=now())
    return f"Hold {made.pk} is placed on what was chosen."


def _refuse(request: HttpRequest, member: Member, number: int) -> str:
    form = RefuseForm(request.POST)
    if not form.is_valid():
        raise RetentionRefused(errors_of(form)[0]["text"], "exemption")
    if not form.cleaned_data["reason"].strip():
        raise RetentionRefused("Say why, in a sentence that the person can read.", "reason")
    actions.refuse_erasure(
        member,
        number,
        exemption=Exemption(form.cleaned_data["exemption"]),
        reason=form.cleaned_data["reason"],
        now=now(),
    )
    return "The refusal is on the record."


def _drop(_request: HttpRequest, member: Member, number: int) -> str:
    actions.drop_erasure(member, number, now=now())
    return "Given up, and what was searched for is forgotten."


_STEPS: dict[str, Callable[[HttpRequest, Member, int], str]] = {
    "choose": _choose,
    "choose_all": _choose_all,
    "choose_none": _choose_all,
    "leave_held": _leave_held,
    "search_again": _search_again,
    "propose": _propose,
    "take_back": _take_back,
    "confirm": _confirm,
    "hold": _hold,
    "refuse": _refuse,
    "drop": _drop,
}


def alarm(request: HttpRequest, alarm_id: int) -> HttpResponse:
    """Erase a stranger's post that was deleted on its platform."""
    member = signed_in(request)
    found = find_alarm(member.organisation, alarm_id)
    if found is None or found.kind != "unsigned":
        raise Http404("There is no such alarm.")
    errors: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            actions.honour_platform_deletion(member, alarm_id, now=now())
            messages.success(request, "It is being erased now.")
            return redirect("alarm", alarm_id=alarm_id)
        except RetentionRefused as refused:
            errors = [error_of(refused)]
    return render(
        request,
        "retention/alarm.html",
        {
            "alarm": found,
            "kept": queries.is_kept_of_alarm(member.organisation, alarm_id),
            "errors": errors,
        },
        status=422 if errors else 200,
    )
