"""Public pages of the record: what was said, and its proof."""

from __future__ import annotations

import json
import re

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from . import queries

SAID = "delivery.sent"


class PublicRequest(HttpRequest):
    """A request as the site's middleware hands it down."""

    public_ref: str


@login_not_required
def register(request: PublicRequest) -> HttpResponse:
    """What the body has said, newest first."""
    words = request.GET.get("words", "").strip()[:100]
    page = request.GET.get("page", "1")
    number = int(page) if re.fullmatch("[1-9][0-9]{0,5}", page) else 1
    entries, more = queries.list_public(request.public_ref, SAID, page=number, words=words)
    return render(
        request,
        "records/register.html",
        {
            "entries": entries,
            "followed": queries.list_followed(entries),
            "more": more,
            "number": number,
            "words": words,
        },
    )


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


@login_not_required
def checkpoint(_request: HttpRequest) -> HttpResponse:
    """The newest signed head of the log, in the C2SP form."""
    note = queries.find_checkpoint()
    if note is None:
        raise Http404("The log is empty.")
    return HttpResponse(
        note, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-cache"}
    )


@login_not_required
def key(request: HttpRequest) -> HttpResponse:
    """The log's public key, and how to use it."""
    return render(
        request, "records/key.html", {"key": queries.log_key(), "head": queries.head_size()}
    )
