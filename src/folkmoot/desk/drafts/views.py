"""Pages of the drafts room: the composer, the check as one types, and sign-off."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.people.queries import Member, Role, names_by_ref, signed_in

from . import actions, queries, walltime
from .assess import assess
from .composing import Errors, HandedIn, list_errors, list_troubles, read_composer, show_composer
from .content import Content, check_content, content_of, find_signers, list_holds
from .grounds import GROUNDS
from .nearby import list_near
from .repeating import find_occurrence


def new_draft(request: HttpRequest) -> HttpResponse:
    """The composer, empty but for what the address fills in; a first save makes the draft."""
    member, now = signed_in(request), _now()
    blank = Content("", (), language=member.organisation.language)
    if request.method != "POST":
        return show_composer(request, member, _filled_in(request, member, blank), None, now=now)
    came = read_composer(request, member, blank, None, now=now)
    try:
        draft = actions.start(member, came.content, now=now, in_slot=came.in_slot)
    except actions.DraftRefused as refused:
        errors = came.errors + list_errors(refused)
        return show_composer(
            request, member, came.content, None, now=now, errors=errors, form=came.form
        )
    return _after_save(request, member, draft, came)


def edit_draft(request: HttpRequest, draft_id: int) -> HttpResponse:
    """The composer on a draft that exists."""
    member, now = signed_in(request), _now()
    draft = _get_draft(member, draft_id)
    kept = content_of(queries.get_version(draft))
    if request.method != "POST":
        if draft.state != queries.DraftState.DRAFTING:
            return redirect("post", draft_id=draft.pk)
        return show_composer(request, member, kept, draft, now=now)
    came = read_composer(request, member, kept, draft, now=now)
    revision = came.form.cleaned_data.get("revision")
    try:
        draft = actions.save(
            member,
            draft_id,
            came.content,
            now=now,
            revision=-1 if revision is None else revision,
            in_slot=came.in_slot,
        )
    except actions.DraftRefused as refused:
        errors = came.errors + list_errors(refused)
        return show_composer(
            request, member, came.content, draft, now=now, errors=errors, form=came.form
        )
    return _after_save(request, member, draft, came)


@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """The check of what stands in the composer just now, as a fragment. Keeps nothing."""
    member, now = signed_in(request), _now()
    draft_id = request.POST.get("draft", "")
    kept, draft = Content("", ()), None
    if re.fullmatch("[1-9][0-9]{0,17}", draft_id):
        draft = _get_draft(member, int(draft_id))
        kept = content_of(queries.get_version(draft))
    content = read_composer(request, member, kept, draft, now=now, keep_picture=False).content
    report = check_content(content, member.organisation, role=Role.AUTHOR, now=now)
    return render(
        request,
        "drafts/_check.html",
        {
            "seen": assess(content, report, member.organisation),
            "near": list_near(member.organisation, content, draft, now=now),
            "troubles": list_troubles(content, member.organisation, now=now),
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
            errors = list_errors(refused)
            draft = _get_draft(member, draft_id)
    elif draft.state != queries.DraftState.AWAITING_SIGNOFF:
        return redirect("post", draft_id=draft_id)
    version = queries.get_version(draft)
    fresh = check_content(content_of(version), draft.organisation, role=Role.AUTHOR, now=_now())
    authors = {v.by for v in queries.list_versions(draft)}
    signers = find_signers(content_of(version), draft.organisation)
    return render(
        request,
        "drafts/signoff.html",
        {
            "draft": draft,
            "version": version,
            "errors": errors,
            "when": queries.tell_time(version),
            "near": list_near(draft.organisation, content_of(version), draft, now=_now()),
            "troubles": list_troubles(content_of(version), draft.organisation, now=_now()),
            "occurrence": find_occurrence(draft),
            "seen": assess(content_of(version), fresh, draft.organisation),
            "holds": list_holds(fresh, draft.organisation),
            "accepted": request.POST.getlist("accept"),
            "given": request.POST,
            "reason": request.POST.get("reason", ""),
            "author": names_by_ref([version.by]).get(version.by, "a former member"),
            "may_decide": draft.state == queries.DraftState.AWAITING_SIGNOFF,
            "is_author": member.ref in authors,
            "signers": signers,
            "is_approver": bool(signers & member.held),
            "about": draft.about,
            "about_cards": queries.show_cards(draft.about) if draft.about else (),
            "ground": GROUNDS.get(version.ground),
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


def picture(request: HttpRequest, sha256: str) -> HttpResponse:
    """A picture of the member's organisation, published or not."""
    found = queries.find_picture(signed_in(request), sha256)
    try:
        content = queries.open_picture(found) if found else None
    except queries.PictureErased as erased:
        return HttpResponse(str(erased), status=410, content_type="text/plain")
    if found is None or content is None:
        raise Http404("There is no such picture.")
    return HttpResponse(
        content,
        content_type=found.media_type,
        headers={"Cache-Control": "private, max-age=86400"},
    )


def _filled_in(request: HttpRequest, member: Member, blank: Content) -> Content:
    """What the calendar's links fill in: day, time and account; what is no such thing is let be."""
    day, clock = request.GET.get("day", ""), request.GET.get("clock", "") or "09:00"
    chosen = [
        account.pk
        for account in accounts.list_accounts(member.organisation)
        if str(account.pk) in request.GET.getlist("account")
    ]
    blank = replace(blank, accounts=tuple(chosen))
    zone = member.organisation.zone
    match walltime.resolve(f"{day}T{clock}", zone) if day else None:
        case walltime.Resolved(at, wall, _):
            return replace(blank, due_at=at, wall=wall, zone=zone)
        case walltime.Asked():
            return replace(blank, wall=f"{day}T{clock}", zone=zone)
    return blank


def _after_save(
    request: HttpRequest, member: Member, draft: queries.Draft, came: HandedIn
) -> HttpResponse:
    """Where to go from a save: on to sign-off if asked and nothing is against it."""
    now, errors = _now(), came.errors
    version = queries.get_version(draft)
    came = replace(came, content=content_of(version))  # with the slot it got
    if errors:
        return show_composer(
            request, member, came.content, draft, now=now, errors=errors, form=came.form
        )
    if request.POST.get("do") == "signoff":
        try:
            actions.send_for_signoff(member, draft.pk, now=now)
        except actions.DraftRefused as refused:
            seen = assess(came.content, version.report, member.organisation)
            errors = list_errors(refused, seen)
            # Its time is in order, and is shown as it was kept.
            return show_composer(
                request,
                member,
                came.content,
                draft,
                now=now,
                errors=errors,
                form=came.form,
                kept_time=True,
            )
    sent = request.POST.get("do") == "signoff"
    slot = f" Its slot is {queries.tell_time(version)}." if came.in_slot else ""
    messages.success(request, ("Sent for sign-off." if sent else "Saved.") + slot)
    return redirect("post" if sent else "edit_draft", draft_id=draft.pk)


def _get_draft(member: Member, draft_id: int) -> queries.Draft:
    try:
        return queries.get_draft(member, draft_id)
    except queries.NoSuchDraft as missing:
        raise Http404(str(missing)) from missing


def _now() -> datetime:
    return datetime.now(UTC)
