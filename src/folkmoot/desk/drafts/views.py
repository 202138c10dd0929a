"""Pages of the drafts room: the composer, the check as one types, and sign-off."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.guidance import queries as guidance
from folkmoot.desk.people.queries import Member, Organisation, Role, names_by_ref, signed_in

from . import actions, queries
from .assess import Assessment, assess
from .content import (
    PICTURE_FACTS,
    Content,
    check_content,
    content_of,
    list_holds,
    list_problems,
)
from .forms import LANGUAGES, WINDOWS, ComposerForm, local_parts, next_half_hour
from .unsaved import KEPT

Errors = list[dict[str, str]]


def new_draft(request: HttpRequest) -> HttpResponse:
    """The composer, empty; a first save makes the draft."""
    member = signed_in(request)
    blank = Content("", (), language=member.organisation.language)
    if request.method != "POST":
        return _compose(request, member, blank, None)
    content, errors, form = _read(request, member, blank)
    try:
        draft = actions.start(member, content, now=_now())
    except actions.DraftRefused as refused:
        return _compose(request, member, content, None, errors=errors + _errors(refused), form=form)
    return _after_save(request, member, draft, content, errors=errors, form=form)


def edit_draft(request: HttpRequest, draft_id: int) -> HttpResponse:
    """The composer on a draft that exists."""
    member = signed_in(request)
    draft = _get_draft(member, draft_id)
    kept = content_of(queries.get_version(draft))
    if request.method != "POST":
        if draft.state != queries.DraftState.DRAFTING:
            return redirect("post", draft_id=draft.pk)
        return _compose(request, member, kept, draft)
    content, errors, form = _read(request, member, kept)
    revision = form.cleaned_data.get("revision")
    try:
        draft = actions.save(
            member, draft_id, content, now=_now(), revision=-1 if revision is None else revision
        )
    except actions.DraftRefused as refused:
        return _compose(
            request, member, content, draft, errors=errors + _errors(refused), form=form
        )
    return _after_save(request, member, draft, content, errors=errors, form=form)


@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """The check of what stands in the composer just now, as a fragment. Keeps nothing."""
    member = signed_in(request)
    draft_id = request.POST.get("draft", "")
    kept = Content("", ())
    if re.fullmatch("[1-9][0-9]{0,17}", draft_id):
        kept = content_of(queries.get_version(_get_draft(member, int(draft_id))))
    content, _, _ = _read(request, member, kept, keep_picture=False)
    report = check_content(content, member.organisation, role=Role.AUTHOR, now=_now())
    return render(
        request,
        "drafts/_check.html",
        {
            "seen": assess(content, report, member.organisation),
            "pack": member.organisation.pack,
            "organisation": member.organisation,
        },
    )


@require_POST
def take(request: HttpRequest, draft_id: int, verb: str) -> HttpResponse:
    """A step that needs no form of its own."""
    member = signed_in(request)
    steps = {
        "send_for_signoff": (actions.send_for_signoff, "Sent for sign-off."),
        "take_back": (actions.take_back, "Taken back. Any earlier sign-off no longer counts."),
        "withdraw": (actions.withdraw, "Withdrawn. It will not be published."),
        "copy": (actions.copy, "Copied into a new post. Choose its time and channels."),
    }
    if verb not in steps:
        raise Http404("There is no such step.")
    act, done = steps[verb]
    try:
        draft = act(member, draft_id, now=_now())
    except queries.NoSuchDraft as missing:
        raise Http404(str(missing)) from missing
    except actions.DraftRefused as refused:
        request.session["refusals"] = list(refused.reasons)
        return redirect("post", draft_id=draft_id)
    messages.success(request, done)
    return redirect("edit_draft" if verb in {"take_back", "copy"} else "post", draft_id=draft.pk)


def signoff(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Exactly what will go out, the findings and the answers; sign, or send back with a reason."""
    member = signed_in(request)
    draft = _get_draft(member, draft_id)
    errors: Errors = []
    if request.method == "POST":
        seen, now = request.POST.get("digest", ""), _now()
        try:
            if request.POST.get("decision") == "sign":
                _must_mean_it(request)
                actions.sign(
                    member,
                    draft_id,
                    digest_seen=seen,
                    now=now,
                    accepted={
                        mark: request.POST.get(f"why-{mark}", "")
                        for mark in request.POST.getlist("accept")
                    },
                )
                messages.success(request, "Signed. It goes out at its time, exactly as you saw it.")
            else:
                actions.send_back(
                    member,
                    draft_id,
                    digest_seen=seen,
                    now=now,
                    reason=request.POST.get("reason", ""),
                )
                messages.success(request, "Sent back to the author with your reason.")
            return redirect("post", draft_id=draft_id)
        except actions.DraftRefused as refused:
            errors = _errors(refused)
            draft = _get_draft(member, draft_id)
    elif draft.state != queries.DraftState.AWAITING_SIGNOFF:
        return redirect("post", draft_id=draft_id)
    version = queries.get_version(draft)
    fresh = check_content(content_of(version), draft.organisation, role=Role.AUTHOR, now=_now())
    authors = {v.by for v in queries.list_versions(draft)}
    return render(
        request,
        "drafts/signoff.html",
        {
            "draft": draft,
            "version": version,
            "errors": errors,
            "seen": assess(content_of(version), fresh, draft.organisation),
            "holds": list_holds(fresh, draft.organisation),
            "accepted": request.POST.getlist("accept"),
            "given": request.POST,
            "reason": request.POST.get("reason", ""),
            "author": names_by_ref([version.by]).get(version.by, "a former member"),
            "may_decide": draft.state == queries.DraftState.AWAITING_SIGNOFF,
            "is_author": member.ref in authors,
            "is_approver": Role.APPROVER in member.held,
            "pack": draft.organisation.pack,
        },
        status=422 if errors else 200,
    )


def _must_mean_it(request: HttpRequest) -> None:
    """Refuse to sign where an objection was typed: it would be thrown away unread."""
    if request.POST.get("reason", "").strip():
        raise actions.DraftRefused(
            "You wrote what should be changed and then pressed Sign, so nothing was done. "
            "Send it back, or take your words out and sign."
        )


def picture(request: HttpRequest, sha256: str) -> HttpResponseBase:
    """A picture of the member's organisation, published or not."""
    found = queries.find_picture(signed_in(request), sha256)
    file = queries.open_picture(found) if found else None
    if found is None or file is None:
        raise Http404("There is no such picture.")
    return FileResponse(
        file,
        content_type=found.media_type,
        headers={"Cache-Control": "private, max-age=86400"},
    )


def _read(
    request: HttpRequest, member: Member, kept: Content, *, keep_picture: bool = True
) -> tuple[Content, Errors, ComposerForm]:
    """What the composer handed in, laid over what is kept. A value that cannot be used leaves the
    kept one in place and comes back as an error; nothing else is lost by it.
    """
    organisation = member.organisation
    form = ComposerForm(
        request.POST,
        request.FILES,
        organisation=organisation,
        account_ids=[a.pk for a in accounts.list_accounts(organisation)],
    )
    form.is_valid()
    data = form.cleaned_data
    errors = [
        {"text": str(sentence), "href": f"#{name}"}
        for name, found in form.errors.items()
        for sentence in found
    ]
    pictures = []
    for row in kept.pictures:
        mark = row["sha256"]
        if f"remove-{mark}" not in request.POST:
            alt = request.POST.get(f"alt-{mark}", str(row["alt"])).strip()
            pictures.append({**row, "alt": alt, **_picture_facts(request, mark)})
    pictures += _carried(request, member, kept)
    upload = data.get("picture")
    if upload is not None and keep_picture:
        try:
            row = actions.add_picture(
                member,
                upload,
                size_bytes=upload.size,
                name=upload.name,
                now=_now(),
                alt=data.get("picture_alt", ""),
            )
            pictures = [p for p in pictures if p["sha256"] != row["sha256"]] + [row]
        except (actions.PictureRefused, actions.DraftRefused) as refused:
            errors.append({"text": str(refused), "href": "#picture"})
    answers = {
        name.removeprefix("answer-"): value
        for name, value in request.POST.items()
        if name.startswith("answer-") and value in {"yes", "no"}
    }
    return (
        replace(
            kept,
            text=data.get("text", ""),
            accounts=tuple(data.get("accounts", kept.accounts)),
            pictures=tuple(pictures),
            language=data.get("language") or kept.language,
            due_at=kept.due_at if "day" in form.errors else data.get("due_at"),
            window_minutes=data.get("window") or kept.window_minutes,
            answers=answers,
            facts=_facts(request, organisation, kept),
        ),
        errors,
        form,
    )


def _carried(request: HttpRequest, member: Member, kept: Content) -> list[dict[str, Any]]:
    """Pictures the page showed that no version holds yet: their save was refused."""
    known = {row["sha256"] for row in kept.pictures}
    carried = []
    for mark in request.POST.getlist("have")[:10]:
        found = queries.find_picture(member, mark)
        if found is None or mark in known or f"remove-{mark}" in request.POST:
            continue
        known.add(mark)
        row = queries.picture_row(found, alt=request.POST.get(f"alt-{mark}", "").strip())
        carried.append({**row, **_picture_facts(request, mark)})
    return carried


YES_NO = {"yes": True, "no": False}


def _picture_facts(request: HttpRequest, mark: str) -> dict[str, Any]:
    """What the author said of one picture; what they left open is left out."""
    told: dict[str, Any] = {}
    for name in PICTURE_FACTS:
        told[name] = YES_NO.get(request.POST.get(f"{name}-{mark}", ""))
    told["licence"] = request.POST.get(f"licence-{mark}", "").strip()[:200] or None
    return told


def _facts(request: HttpRequest, organisation: Organisation, kept: Content) -> dict[str, Any]:
    """The facts the composer handed in, over those kept; one that is not a value is left out."""
    known = guidance.find_facts(organisation)
    told = dict(kept.facts)
    for name, fact in known.items():
        said = request.POST.get(f"fact-{name}")
        if said is None:
            continue
        told.pop(name, None)
        if fact.values and said in fact.values:
            told[name] = said
        elif not fact.values and said in YES_NO:
            told[name] = YES_NO[said]
    return told


def _after_save(
    request: HttpRequest,
    member: Member,
    draft: queries.Draft,
    content: Content,
    *,
    errors: Errors,
    form: ComposerForm,
) -> HttpResponse:
    """Where to go from a save: on to sign-off if asked and nothing is against it."""
    if request.POST.get("do") != "signoff" or errors:
        if errors:
            return _compose(request, member, content, draft, errors=errors, form=form)
        messages.success(request, "Saved.")
        return redirect("edit_draft", draft_id=draft.pk)
    try:
        actions.send_for_signoff(member, draft.pk, now=_now())
    except actions.DraftRefused as refused:
        report = queries.get_version(draft).report
        seen = assess(content, report, member.organisation)
        return _compose(request, member, content, draft, errors=_errors(refused, seen), form=form)
    messages.success(request, "Sent for sign-off.")
    return redirect("post", draft_id=draft.pk)


def _compose(
    request: HttpRequest,
    member: Member,
    content: Content,
    draft: queries.Draft | None,
    *,
    errors: Errors | None = None,
    form: ComposerForm | None = None,
) -> HttpResponse:
    """The composer; with ``form``, as it was handed in, and with what is against it."""
    organisation = member.organisation
    report = check_content(content, organisation, role=Role.AUTHOR, now=_now())
    day, clock = local_parts(content.due_at, organisation)
    when = "at" if content.due_at else "signed"
    if form is not None:
        day, clock = form.data.get("day", day), form.data.get("clock", clock)
        when = form.data.get("when", when)
    example = local_parts(next_half_hour(_now()), organisation)
    # A picture that was taken in has its description beside it; the field is for the next one.
    kept_picture = "picture" in request.FILES and not any(
        error["href"] == "#picture" for error in errors or []
    )
    context: dict[str, Any] = {
        "draft": draft,
        "content": content,
        "errors": errors or [],
        "accounts": accounts.list_accounts(organisation),
        "seen": assess(content, report, organisation),
        "pack": organisation.pack,
        "organisation": organisation,
        "languages": LANGUAGES,
        "windows": WINDOWS,
        "when": when,
        "day": day,
        "clock": clock,
        "example": example,
        "problems": list_problems(content, organisation) if draft else [],
        "sent_back": _last_sent_back(draft),
        "unsaved": request.session.pop(KEPT, "") if request.method == "GET" else "",
        "picture_alt": "" if form is None or kept_picture else form.data.get("picture_alt", ""),
    }
    return render(request, "drafts/compose.html", context, status=422 if errors else 200)


def _last_sent_back(draft: queries.Draft | None) -> queries.Signoff | None:
    """The reason the post was last sent back for, while nobody has signed it since."""
    decisions = queries.list_signoffs(draft) if draft else []
    return decisions[-1] if decisions and decisions[-1].decision == "sent_back" else None


def _get_draft(member: Member, draft_id: int) -> queries.Draft:
    try:
        return queries.get_draft(member, draft_id)
    except queries.NoSuchDraft as missing:
        raise Http404(str(missing)) from missing


def _errors(refused: actions.DraftRefused, seen: Assessment | None = None) -> Errors:
    """Refusals for the error summary, each leading to the part of the page it is about."""
    places = (
        {question.text: f"#answer-{question.id}" for question, _, _ in seen.questions}
        if seen
        else {}
    )
    return [
        {
            "text": reason,
            "href": next(
                (place for text, place in places.items() if text in reason),
                "#text" if seen else "#main-content",
            ),
        }
        for reason in refused.reasons
    ]


def _now() -> datetime:
    return datetime.now(UTC)
