"""Pages of the record for records officers: search, entries, and requests for information."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from folkmoot.desk.accounts.queries import list_known
from folkmoot.desk.people.queries import (
    Member,
    Role,
    list_holders,
    list_members,
    names_by_ref,
    signed_in,
)
from folkmoot.desk.records import queries as records
from folkmoot.desk.records import taking
from folkmoot.desk.records.classes import RecordClass
from folkmoot.desk.retention import queries as retention
from folkmoot.lifecycle import words

from . import actions, queries
from .exemptions import EXEMPTIONS
from .forms import (
    AskForm,
    HearForm,
    RequestForm,
    ScopeForm,
    errors_of,
    given_scope,
    without_person,
)
from .lifecycle import RequestState
from .regimes import LAWS, PauseKind, Regime
from .scope import Scope, find_ids, narrow
from .steps import ReleaseRefused
from .workdays import Nation

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def for_officers(view: View) -> View:
    """A page that records officers alone see; others are told whom to ask."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        member = signed_in(request)
        if Role.RECORDS not in member.held:
            officers = names_by_ref(list_holders(member.organisation, Role.RECORDS))
            return render(
                request, "releases/closed.html", {"officers": sorted(officers.values())}, status=403
            )
        return view(request, *args, **kwargs)

    return cast("View", guarded)


@for_officers
def index(request: HttpRequest) -> HttpResponse:
    """Find, hold, release, export, erase. Words are searched by POST: they may name somebody, and
    an address is kept in too many places.
    """
    member = signed_in(request)
    data = request.POST if request.method == "POST" else request.GET
    form = ScopeForm(data)
    sought = request.POST.get("words", "").strip()[:200]
    number = page_of(data.get("page", "1"))
    errors = errors_of(form, "kind")
    scope = Scope() if errors else form.scope
    found, more = taking.search(
        member.organisation.ref,
        _wanted(member, scope),
        words=sought,
        page=number,
        size=25,
    )
    filters = without_person(data)
    return render(
        request,
        "releases/index.html",
        {
            **counts(member),
            "found": found,
            "more": more,
            "number": number,
            "words": sought,
            "given": filters,
            "errors": errors,
            "address": urlencode(filters),
            "searched": bool(filters or sought),
            "requests": _with_clocks(
                member, queries.list_requests(member.organisation, still_open=True)
            ),
            "names": names_by_ref(one.entry.actor for one in found),
            "about": _teller([one.entry.subject for one in found]),
            "brief": _brief,
            **choices(member),
        },
        status=422 if errors else 200,
    )


_WRITTEN = frozenset({"text", "reason", "note", "result", "name"})


def _brief(entry: records.Recorded) -> list[tuple[str, str]]:
    """Up to three fields of an entry that say something: what somebody wrote, before the rest."""
    said = [(label, value) for label, value in entry.fields.items() if value]
    return sorted(said, key=lambda field: field[0] not in _WRITTEN)[:3]


def _teller(subjects: list[str]) -> Callable[[str], str]:
    """From what entries are about to words: a number, a member's name, or what kind of thing."""
    names = names_by_ref(one.partition("/")[2] for one in subjects if one.startswith("member/"))

    def tell(subject: str) -> str:
        kind, _, name = subject.partition("/")
        shown = name if name.isdecimal() else names.get(name, "")
        return f"{words(kind)} {shown}".strip()

    return tell


def _wanted(member: Member, scope: Scope) -> taking.Wanted:
    """The scope for a search page by page; a member is looked for by what they did."""
    wanted = narrow(member.organisation, scope)
    return taking.Wanted(
        wanted.kinds,
        wanted.classes,
        wanted.subjects,
        scope.actor,
        None,
        wanted.from_at,
        wanted.until_at,
    )


@for_officers
def entry(request: HttpRequest, entry_id: str) -> HttpResponse:
    """One entry with every field that can still be read."""
    member = signed_in(request)
    try:
        found = taking.get(member.organisation.ref, entry_id)
    except records.NoSuchEntry as missing:
        raise Http404(str(missing)) from missing
    return render(
        request,
        "releases/entry.html",
        {
            "found": found,
            "entry": found.entry,
            "public": taking.public_labels([entry_id]).get(entry_id, frozenset()),
            "names": names_by_ref([found.entry.actor]),
            "about": _teller([found.entry.subject]),
            "bags": queries.list_holding(member.organisation, [entry_id]),
            "head": records.head_size(),
        },
    )


@for_officers
def proof(request: HttpRequest, entry_id: str) -> HttpResponse:
    """The proof of an entry with every field, as a file."""
    member = signed_in(request)
    try:
        text = taking.get_whole_proof(member.organisation.ref, entry_id)
    except records.NoSuchEntry as missing:
        raise Http404(str(missing)) from missing
    except (records.NotYetSigned, records.DamagedEntry) as without:
        return HttpResponse(f"{without}\n", status=503, content_type="text/plain; charset=utf-8")
    return HttpResponse(
        text,
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{entry_id}.tlog-proof"'},
    )


@for_officers
def requests(request: HttpRequest) -> HttpResponse:
    """The register of requests: those that are open by their clock, then the closed."""
    member = signed_in(request)
    body = member.organisation
    return render(
        request,
        "releases/requests.html",
        {
            "open": _with_clocks(member, queries.list_requests(body, still_open=True)),
            "closed": _with_clocks(member, queries.list_requests(body, still_open=False)),
            "laws": LAWS,
        },
    )


@for_officers
def new_request(request: HttpRequest) -> HttpResponse:
    """Register a request."""
    member = signed_in(request)
    errors: list[dict[str, str]] = []
    form = RequestForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        errors = errors_of(form, "words")
        if not errors:
            data = form.cleaned_data
            try:
                made = actions.receive(
                    member,
                    regime=Regime(data["regime"]),
                    nation=Nation(data["nation"]),
                    channel=data["channel"],
                    received_on=data["received_on"],
                    asked_for_on=data["asked_for_on"],
                    requester=data["requester"],
                    words=data["words"],
                    scope=form.scope,
                    now=_now(),
                )
                messages.success(request, f"Request {made.pk} is registered. Its clock runs.")
                return redirect("records_request", ref=made.ref)
            except ReleaseRefused as refused:
                errors = told(refused, "words")
    today = queries.today_of(member.organisation, _now())
    return render(
        request,
        "releases/new_request.html",
        {
            "errors": errors,
            "given": request.POST if errors else {"received_on": today.isoformat()},
            "laws": LAWS,
            "channels": actions.CHANNELS,
            "nations": list(Nation),
            "nation": _nation_of(member),
            **choices(member),
        },
        status=422 if errors else 200,
    )


@for_officers
def request_page(request: HttpRequest, ref: str) -> HttpResponse:
    """One request: what was asked, by when, how far it is, and the next step."""
    return show_request(request, ref)


def show_request(
    request: HttpRequest, ref: str, errors: list[dict[str, str]] | None = None
) -> HttpResponse:
    """The page of a request, with what was wrong with a step on it."""
    member = signed_in(request)
    row = get_request(member, ref)
    today = queries.today_of(member.organisation, _now())
    scope = Scope.from_json(row.scope)
    bag, against = queries.find_releasable(row)
    law = LAWS[Regime(row.regime)]
    state = RequestState(row.state)
    history = records.list_history(row.subject)
    return render(
        request,
        "releases/request.html",
        {
            "row": row,
            "law": law,
            "clock": queries.clock_of(row, today),
            "today": today,
            "waits": queries.list_waits(row),
            "offers": queries.REQUEST.offers(state, roles=sorted(member.held)),
            "open": row.closed_on is None,
            "channels": actions.CHANNELS,
            "pauses": [(one, PAUSES[one]) for one in law.pauses],
            "pause_words": PAUSES,
            "scope": scope,
            "given": request.POST if errors else given_scope(scope),
            "verdicts": queries.count_verdicts(row),
            "entries": row.chosen.count(),
            "readings": queries.list_readings(row),
            "bag": bag,
            "latest": row.bags.order_by("-pk").first(),
            "against": against,
            "history": history,
            "names": names_by_ref(
                [row.prepared_by, row.read_by, row.made_by, *(one.actor for one in history)]
            ),
            "errors": errors or [],
            "sure": row.prepared_by == member.ref,
            **choices(member),
        },
        status=422 if errors else 200,
    )


@for_officers
@require_POST
def request_take(request: HttpRequest, ref: str, verb: str) -> HttpResponse:
    """Take a step of a request, and come back to its page."""
    member = signed_in(request)
    get_request(member, ref)
    take = STEPS.get(verb)
    if take is None:
        raise Http404("There is no such step.")
    try:
        done = take(member, ref, request)
    except ReleaseRefused as refused:
        return show_request(request, ref, told(refused, verb))
    if isinstance(done, list):
        return show_request(request, ref, done)
    messages.success(request, done)
    return redirect("records_request", ref=ref)


def _ask(member: Member, ref: str, request: HttpRequest) -> str | list[dict[str, str]]:
    form = AskForm(request.POST)
    if not form.is_valid():
        return errors_of(form)
    data = form.cleaned_data
    actions.ask(member, ref, PauseKind(data["kind"]), data["on"], now=_now())
    return "It is noted that we asked. The page says what that does to the clock."


def _hear(member: Member, ref: str, request: HttpRequest) -> str | list[dict[str, str]]:
    form = HearForm(request.POST)
    if not form.is_valid():
        return errors_of(form)
    actions.hear(member, ref, form.cleaned_data["on"], now=_now())
    return "It is noted that it came."


def _scope(member: Member, ref: str, request: HttpRequest) -> str | list[dict[str, str]]:
    form = ScopeForm(request.POST)
    if not form.is_valid():
        return errors_of(form, "kind")
    actions.look_for(member, ref, form.scope, now=_now())
    ids, elsewhere = find_ids(member.organisation, form.scope)
    said = f"{len(ids):,} entries fit this."
    if elsewhere:
        places = ", ".join(f"{one.subject} ({one.times})" for one in elsewhere[:20])
        said += f" The names were also found outside the entries, in {places}: look there too."
    return said


def _choose(member: Member, ref: str, request: HttpRequest) -> str:
    chosen = request.POST.getlist("entry") or None
    added = actions.choose(member, ref, entry_ids=chosen, now=_now())
    return f"{added:,} {'entry is' if added == 1 else 'entries are'} chosen."


def _drop(member: Member, ref: str, request: HttpRequest) -> str:
    dropped = actions.drop(member, ref, request.POST.getlist("entry"), now=_now())
    return f"{dropped:,} {'entry was' if dropped == 1 else 'entries were'} taken out."


def _extend(member: Member, ref: str, request: HttpRequest) -> str:
    actions.extend(member, ref, reason=request.POST.get("reason", ""), now=_now())
    return "The period is extended."


def _search(member: Member, ref: str, _request: HttpRequest) -> str:
    actions.begin_search(member, ref, now=_now())
    return "The search has begun. Say what is looked for, then choose what belongs to it."


def _redact(member: Member, ref: str, _request: HttpRequest) -> str:
    actions.begin_redaction(member, ref, now=_now())
    return "Decide now, field by field, what is shown."


def _prepare(member: Member, ref: str, _request: HttpRequest) -> str:
    actions.prepare(member, ref, now=_now())
    return "It waits for a second reader, who is another records officer."


def _send_back(member: Member, ref: str, request: HttpRequest) -> str:
    actions.send_back(member, ref, reason=request.POST.get("reason", ""), now=_now())
    return "It is sent back to be decided again."


def _release(member: Member, ref: str, _request: HttpRequest) -> str:
    actions.release(member, ref, now=_now())
    return "The request is answered, and its clock stands."


def _refuse(member: Member, ref: str, request: HttpRequest) -> str:
    actions.refuse(member, ref, reason=request.POST.get("reason", ""), now=_now())
    return "The request is refused. Send the notice that says why, and how to complain."


def _withdraw(member: Member, ref: str, request: HttpRequest) -> str:
    actions.withdraw(member, ref, reason=request.POST.get("reason", ""), now=_now())
    return "The request is closed as withdrawn."


STEPS: dict[str, Callable[[Member, str, HttpRequest], str | list[dict[str, str]]]] = {
    "ask": _ask,
    "hear": _hear,
    "scope": _scope,
    "choose": _choose,
    "drop": _drop,
    "extend": _extend,
    "search": _search,
    "redact": _redact,
    "prepare": _prepare,
    "send_back": _send_back,
    "release": _release,
    "refuse": _refuse,
    "withdraw": _withdraw,
}
PAUSES = {
    PauseKind.CLARIFICATION: "to say more exactly what is meant",
    PauseKind.IDENTITY: "to confirm who they are",
    PauseKind.FEE: "to pay a fee",
}


def get_request(member: Member, ref: str) -> queries.Request:
    """A request of the member's organisation. Raises ``Http404``."""
    try:
        return queries.get_request(member, ref)
    except queries.NoSuchRequest as missing:
        raise Http404(str(missing)) from missing


def told(refused: ReleaseRefused, place: str) -> list[dict[str, str]]:
    """A refusal for the list at the head of a page."""
    return [{"text": reason, "href": f"#{refused.field or place}"} for reason in refused.reasons]


def choices(member: Member) -> dict[str, Any]:
    """What the form of a search offers."""
    return {
        "kinds": taking.list_kinds(member.organisation.ref),
        "classes": list(RecordClass),
        "accounts": list_known(member.organisation),
        "members": list_members(member.organisation),
    }


def counts(member: Member) -> dict[str, int]:
    """What the first screen counts."""
    body, now = member.organisation, _now()
    return {
        "holds": retention.count_holds(body),
        "due_entries": retention.count_due(body, now),
        "waiting": retention.count_waiting(body, now),
        "open_requests": queries.count_open(body),
    }


def page_of(text: str) -> int:
    """The number of a page; 1 for what is none."""
    return int(text) if re.fullmatch("[1-9][0-9]{0,5}", text) else 1


def exemptions_of(row: queries.Request) -> list[dict[str, str]]:
    """What the fields of a request may be withheld under, for a list to choose from."""
    return [
        {
            "value": one.code,
            "text": f"{one.code}: {one.title}{' (qualified)' if one.qualified else ''}",
        }
        for one in EXEMPTIONS[Regime(row.regime)]
    ]


def _with_clocks(member: Member, rows: list[queries.Request]) -> list[tuple[Any, Any]]:
    today = queries.today_of(member.organisation, _now())
    return [(row, queries.clock_of(row, today)) for row in rows]


def _nation_of(member: Member) -> Nation:
    """The nation whose holidays the body has, where it says; else England."""
    return next((one for one in Nation if one == member.organisation.nation), Nation.ENGLAND)


def _now() -> datetime:
    return datetime.now(UTC)


def address_of(row: queries.Request) -> str:
    """The address of a request's page."""
    return reverse("records_request", kwargs={"ref": row.ref})
