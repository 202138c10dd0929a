"""Public pages of the record: what was said, and its proof."""

from __future__ import annotations

import json
import logging
import re
from datetime import date, datetime, time, timedelta, tzinfo
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from folkmoot.ledger import LedgerError

from . import queries, serving
from .log import log_keys
from .register import BECAME, PAGE, Asked, list_accounts, search

log = logging.getLogger(__name__)

_DAYS = ("%Y-%m-%d", "%d/%m/%Y", "%d %m %Y", "%d %B %Y", "%d %b %Y", "%d.%m.%Y")
_NO_DAY = "{} must be a real date, like 27/3/2026 or 27 March 2026"


class PublicRequest(HttpRequest):
    """A request as the site's middleware hands it down."""

    public_ref: str
    public_zone: tzinfo


@login_not_required
def register(request: PublicRequest) -> HttpResponse:
    """What the body has said, newest first, as far as it fits what the address asks for."""
    asked, errors = _read_asked(request)
    page = request.GET.get("page", "1")
    number = int(page) if re.fullmatch("[1-9][0-9]{0,5}", page) else 1
    found = None if errors else search(request.public_ref, asked, page=number)
    given = {
        name: request.GET[name]
        for name in ("words", "account", "became", "from", "to")
        if request.GET.get(name)
    }
    return render(
        request,
        "records/register.html",
        {
            "found": found,
            "followed": queries.list_followed(found.entries) if found else {},
            "number": number,
            "pages": -(-found.count // PAGE) if found else 0,
            "given": given,
            "address": urlencode(given),
            "errors": errors,
            "accounts": found.accounts if found else list_accounts(request.public_ref),
        },
    )


def _read_asked(request: PublicRequest) -> tuple[Asked, dict[str, str]]:
    """What the address asks for, and what is wrong with it, by field."""
    errors: dict[str, str] = {}
    days: dict[str, date] = {}
    for name, label in (("from", "The first day"), ("to", "The last day")):
        text = " ".join(request.GET.get(name, "").split())
        if text:
            day = _find_day(text)
            if day is None:
                errors[name] = _NO_DAY.format(label)
            else:
                days[name] = day
    if not errors and len(days) == 2 and days["from"] > days["to"]:  # noqa: PLR2004 - both given
        errors["to"] = "The last day must not be before the first"
    became = request.GET.get("became", "")
    begins, ends = days.get("from"), days.get("to")
    zone = request.public_zone
    return Asked(
        words=request.GET.get("words", "")[:200],
        account=request.GET.get("account", "")[:200],
        became=became if became in BECAME else "",
        from_at=datetime.combine(begins, time(), zone) if begins else None,
        until_at=datetime.combine(ends + timedelta(days=1), time(), zone) if ends else None,
    ), errors


def _find_day(text: str) -> date | None:
    for form in _DAYS:
        try:
            day = datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
        # Further away a zone's offset leads out of the calendar.
        return day if 1900 <= day.year <= 9000 else None  # noqa: PLR2004
    return None


@login_not_required
def entry(request: PublicRequest, entry_id: str) -> HttpResponse:
    """One entry: what was said, when, under which guidance, who by role, and its proof."""
    try:
        found = queries.get_public(request.public_ref, entry_id)
    except queries.NoSuchEntry as missing:
        raise Http404(str(missing)) from missing
    try:
        proof_text, not_yet = queries.get_proof(entry_id), ""
    except (queries.NotYetSigned, queries.DamagedEntry) as without:
        proof_text, not_yet = "", str(without)
    return render(
        request,
        "records/entry.html",
        {
            "entry": found,
            "related": queries.list_related(found),
            "followed": queries.list_followed([found]).get(found.entry_id),
            "proof": proof_text,
            "not_yet": not_yet,
            "pictures": json.loads(found.fields.get("pictures", "[]")),
            "head": queries.head_size(),
            "keys": log_keys() if proof_text else (),
        },
    )


@login_not_required
def proof(request: PublicRequest, entry_id: str) -> HttpResponse:
    """The proof of an entry, as a file."""
    try:
        queries.get_public(request.public_ref, entry_id)
        text = queries.get_proof(entry_id)
    except queries.NoSuchEntry as missing:
        raise Http404(str(missing)) from missing
    except queries.NotYetSigned as soon:
        return HttpResponse(
            f"{soon}\n",
            status=503,
            content_type="text/plain; charset=utf-8",
            headers={"Retry-After": "2"},
        )
    except queries.DamagedEntry as damaged:
        return HttpResponse(f"{damaged}\n", status=500, content_type="text/plain; charset=utf-8")
    return HttpResponse(
        text,
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{entry_id}.tlog-proof"'},
    )


# What anyone may fetch from any page or program of theirs: it is public, and cookies are not sent.
_FOR_ALL = {"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"}
_FOR_EVER = "public, max-age=31536000, immutable"
_FOR_A_DAY = "public, max-age=86400"
_FOR_A_MOMENT = "public, max-age=2"
PLAIN = "text/plain; charset=utf-8"


@login_not_required
def checkpoint(_request: HttpRequest) -> HttpResponse:
    """The newest signed head of the log, with its cosignatures, in the C2SP form."""
    note = queries.find_checkpoint()
    if note is None:
        raise Http404("The log is empty.")
    return _answer(note, PLAIN, _FOR_A_MOMENT)


@login_not_required
def old_checkpoint(_request: HttpRequest, size: int) -> HttpResponse:
    """A head of the log as it was signed, without cosignatures: what time stamps are over."""
    note = serving.find_old_head(size)
    if note is None:
        raise Http404("No head of this size was published.")
    return _answer(note, PLAIN, _FOR_A_DAY)


@login_not_required
def tile(_request: HttpRequest, place: str) -> HttpResponse:
    """A tile or a bundle of entries (C2SP tlog-tiles)."""
    try:
        data, full = serving.read_tile(f"tile/{place}")
    except serving.NotServed as nothing:
        return _answer(f"{nothing}\n", PLAIN, _FOR_A_MOMENT, status=404)
    except LedgerError as damaged:
        return _say_damaged(damaged)
    return _answer(data, "application/octet-stream", _FOR_EVER if full else _FOR_A_DAY)


@login_not_required
def consistency(request: HttpRequest) -> HttpResponse:
    """The proof that a later head begins with an earlier one."""
    sizes = [request.GET.get(name, "") for name in ("from", "to")]
    if not all(re.fullmatch("[1-9][0-9]{0,15}", size) for size in sizes):
        text = "Give two sizes: ?from=10&to=20\n"
        return _answer(text, PLAIN, _FOR_A_MOMENT, status=400)
    try:
        text = serving.read_consistency(int(sizes[0]), int(sizes[1]))
    except serving.NotServed as nothing:
        return _answer(f"{nothing}\n", PLAIN, _FOR_A_MOMENT, status=404)
    except LedgerError as damaged:
        return _say_damaged(damaged)
    return _answer(text, PLAIN, _FOR_A_DAY)


@login_not_required
def stamp(_request: HttpRequest, size: int, number: int) -> HttpResponse:
    """A time stamp on a head, as the service gave it (RFC 3161 TimeStampResp)."""
    token = serving.find_stamp(size, number)
    if token is None:
        raise Http404("There is no such time stamp.")
    page = _answer(token, "application/timestamp-reply", _FOR_A_DAY)
    page["Content-Disposition"] = f'attachment; filename="{size}-{number}.tsr"'
    return page


def _answer(body: str | bytes, kind: str, cached: str, *, status: int = 200) -> HttpResponse:
    headers = {**_FOR_ALL, "Cache-Control": cached}
    return HttpResponse(body, content_type=kind, status=status, headers=headers)


def _say_damaged(damaged: LedgerError) -> HttpResponse:
    log.critical("Part of the record cannot be served: %s", damaged)
    text = "Part of the record is damaged here. Tell the body that keeps it.\n"
    return _answer(text, PLAIN, "no-store", status=500)


@login_not_required
def key(request: HttpRequest) -> HttpResponse:
    """The log's public keys, its witnesses and time stamps, and how to watch over it."""
    current = queries.log_key()
    former = log_keys()[1:] if current else ()
    return render(
        request,
        "records/key.html",
        {
            "key": current,
            "former": former,
            "head": queries.head_size(),
            "anchors": queries.list_anchors(),
            "stamps": serving.list_stamps(most=10),
            "address": settings.CONFIG.address + reverse("ledger_checkpoint").rpartition("/")[0],
        },
    )
