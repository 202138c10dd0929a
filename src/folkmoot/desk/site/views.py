"""The pages that join rooms: the front page, today, the story of a post, settings, and errors."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.drafts import queries as drafts
from folkmoot.desk.drafts.grounds import GROUNDS
from folkmoot.desk.drafts.queries import DRAFT, DraftState
from folkmoot.desk.guidance import queries as guidance
from folkmoot.desk.notices import queries as notices
from folkmoot.desk.people.queries import (
    Role,
    find_public_organisation,
    list_members,
    names_by_ref,
    signed_in,
)
from folkmoot.desk.publishing import queries as publishing
from folkmoot.desk.records import queries as records
from folkmoot.desk.records.queries import NoEpochKey
from folkmoot.desk.stops import queries as stops
from folkmoot.ledger import KeyLost

from .story import OUTCOME_WORDS, tell_story

SAID = "delivery.sent"


@login_not_required
def front(request: HttpRequest) -> HttpResponse:
    """How this body talks with the public: where, and what it said last."""
    organisation = find_public_organisation(request.get_host())
    latest = records.list_public(organisation.ref, SAID, most=3) if organisation else []
    return render(
        request,
        "site/front.html",
        {
            "organisation": organisation,
            "latest": latest,
            "accounts": [a for a in accounts.list_accounts(organisation) if a.channel != "practice"]
            if organisation
            else [],
            "channels": accounts.CHANNELS,
        },
    )


def today(request: HttpRequest) -> HttpResponse:
    """What needs this member now."""
    member = signed_in(request)
    waiting, more = drafts.list_drafts(member, DraftState.AWAITING_SIGNOFF, order="changed_at")
    return render(
        request,
        "site/today.html",
        {
            "waiting": waiting if Role.APPROVER in member.held else [],
            "asked": waiting if Role.APPROVER not in member.held else [],
            "more": more,
            "mine": drafts.list_drafts(member, DraftState.DRAFTING, author=member.ref)[0],
            "sent_back": drafts.find_sent_back,
            "next": drafts.list_drafts(
                member, DraftState.SIGNED, DraftState.PUBLISHING, order="due_at"
            )[0],
            "troubled": publishing.list_troubled(member.organisation),
            # A post given up before it had deliveries is in no list of theirs.
            "lapsed": [
                d
                for d in drafts.list_drafts(member, DraftState.UNSENT)[0][:10]
                if not publishing.list_deliveries(d)
            ],
            "alarms": publishing.list_alarms(member.organisation),
            "stops": stops.list_standing(member.organisation),
            "fence": publishing.find_fence(datetime.now(UTC)),
            "unwell": accounts.list_unwell(member.organisation, datetime.now(UTC)),
            "refusal": records.find_refusal(),
            "firsts": drafts.first_words,
        },
    )


def posts(request: HttpRequest) -> HttpResponse:
    """Every post, by state."""
    member = signed_in(request)
    wanted = request.GET.get("state", "")
    states = [DraftState(wanted)] if wanted in set(DraftState) else list(DraftState)
    page = request.GET.get("page", "1")
    number = int(page) if re.fullmatch("[1-9][0-9]{0,4}", page) else 1
    found, more = drafts.list_drafts(member, *states, page=number)
    return render(
        request,
        "site/posts.html",
        {
            "drafts": found,
            "more": more,
            "number": number,
            "state": wanted,
            "states": list(DraftState),
            "firsts": drafts.first_words,
            "names": names_by_ref(draft.author for draft in found),
        },
    )


def post(request: HttpRequest, draft_id: int) -> HttpResponse:
    """The whole story of one post, and the next steps its state offers."""
    member = signed_in(request)
    try:
        draft = drafts.get_draft(member, draft_id)
    except drafts.NoSuchDraft as missing:
        raise Http404(str(missing)) from missing
    version = drafts.get_version(draft)
    return render(
        request,
        "site/post.html",
        {
            "draft": draft,
            "version": version,
            "when": drafts.tell_time(version),
            "deliveries": publishing.list_deliveries(draft),
            "followable": publishing.list_followable(draft),
            "followed": drafts.list_followed(draft),
            "grounds": GROUNDS,
            "OUTCOME_WORDS": OUTCOME_WORDS,
            "cards": drafts.show_cards(draft),
            "story": tell_story(draft),
            "offers": DRAFT.offers(DraftState(draft.state), roles=member.roles),
            "refusals_list": [
                {"text": reason, "href": "#main-content"}
                for reason in request.session.pop("refusals", [])
            ],
        },
    )


def settings_page(request: HttpRequest) -> HttpResponse:
    """People, roles, pack and calendar."""
    member = signed_in(request)
    return render(
        request,
        "site/settings.html",
        {
            "organisation": member.organisation,
            "members": list_members(member.organisation),
            "pack": guidance.find_pack(member.organisation.pack),
            "known_until": guidance.find_known_until(member.organisation),
            "key": records.log_key(),
        },
    )


@login_not_required
def healthy(_request: HttpRequest) -> HttpResponse:
    """For a monitor: whether anything waits that should not. 503 where the record is not signed, or
    no worker has been heard of for half a minute: it cannot tell of itself.
    """
    now = datetime.now(UTC)
    refusal = records.find_refusal() or records.find_silence(now)
    beat_at = notices.find_beat()
    goes = not notices.is_worker_still(now)
    oldest = publishing.find_oldest_due(now)
    body = {
        "record_signed": refusal is None,
        "worker_goes": goes,
        "worker_heard_of_at": beat_at.isoformat() if beat_at else None,
        "entries_waiting": records.count_waiting(),
        "unconfirmed": publishing.count_unconfirmed(),
        "overdue_since": oldest.isoformat() if oldest else None,
        "at": now.isoformat(),
    }
    return JsonResponse(body, status=200 if refusal is None and goes else 503)


@login_not_required
def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403, in words."""
    del exception
    return _error(
        request,
        403,
        "You cannot see this page",
        "It belongs to another organisation, or needs a role you do not have.",
    )


@login_not_required
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404, in words."""
    del exception
    return _error(
        request,
        404,
        "Page not found",
        "If you typed the address, check it. If you followed a link here, tell us.",
    )


@login_not_required
def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form whose token does not fit, in words. ``reason`` is for the log alone."""
    del reason
    return _error(
        request,
        403,
        "This form could not be taken",
        "The page was open since before you last signed in, or your browser keeps no cookies for "
        "this site, so nothing was saved. Go back, copy what you typed, load the page again and "
        "put your words back in.",
    )


@login_not_required
def button_only(request: HttpRequest) -> HttpResponse:
    """405, in words: where somebody comes out who pressed a button after their sign-in had ended,
    and signed in again.
    """
    return _error(
        request,
        405,
        "Nothing was done",
        "This address does something only when its button is pressed. If you had been signed out "
        "when you pressed it, go back to the post or the account, and press it again.",
    )


@login_not_required
def too_often(request: HttpRequest) -> HttpResponse:
    """429, in words."""
    return _error(
        request,
        429,
        "Too many tries",
        "This was tried too often from where you are. Wait five minutes, then try again.",
    )


@login_not_required
def unreadable(_request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400, in words. The request may be too broken to say whose page it was."""
    del exception
    return _bare(
        400,
        "Sorry, this could not be read",
        "What was sent is more than this desk takes at once, or not in a form it reads. Nothing "
        "was saved. Go back: what you typed is still there. Make it shorter and try again.",
    )


@login_not_required
def broken(_request: HttpRequest) -> HttpResponse:
    """500, in words. Nothing here may need the database, the pack, or the request."""
    if isinstance(sys.exception(), KeyLost | NoEpochKey):
        return _bare(
            500,
            "What is kept here cannot be opened",
            "It does not fit its key: somebody changed it, or the key is not the one it was sealed "
            "with. Nothing of it is shown, and nothing was changed just now. Tell whoever looks "
            'after this system: "folkmoot ledger fsck" says what it is, and the log of this '
            "program where.",
        )
    return _bare(
        500,
        "Sorry, there is a problem",
        "Something went wrong in this program, and it is in its log. What you had saved is safe. "
        "Go back, and if it happens again tell whoever looks after this system.",
    )


def _bare(status: int, title: str, words: str) -> HttpResponse:
    # Without the request no context processor runs: they read the database and the pack.
    return render(None, "site/broken.html", {"title": title, "words": words}, status=status)


def _error(request: HttpRequest, status: int, title: str, words: str) -> HttpResponse:
    return render(request, "site/error.html", {"title": title, "words": words}, status=status)
