"""What every page knows: whose site it is, the way round it, and the clauses one step away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from folkmoot.desk.accounts import queries as accounts
from folkmoot.desk.guidance import queries as guidance
from folkmoot.desk.mailing.queries import find_list
from folkmoot.desk.people.queries import Member, Organisation, Role, find_public_organisation
from folkmoot.guidance import Clause


@dataclass(frozen=True, slots=True)
class Page:
    """The frame of a page."""

    name: str
    language: str
    organisation: Organisation | None
    member: Member | None
    navigation: list[dict[str, Any]]
    pack: str
    clauses: dict[str, list[Clause]]
    feed: str
    mailing: str


def every_page(request: HttpRequest) -> dict[str, Any]:
    """The frame for this request: the member's organisation, or the one the host shows."""
    user = getattr(request, "user", None)
    member = user if isinstance(user, Member) else None
    organisation = member.organisation if member else find_public_organisation(request.get_host())
    return {
        "page": Page(
            name=organisation.name if organisation else "Folkmoot",
            language=organisation.language if organisation else "en",
            organisation=organisation,
            member=member,
            navigation=_navigation(request.path, member),
            pack=organisation.pack if organisation else "",
            clauses=_clauses(organisation),
            feed=reverse("feed") if organisation and accounts.find_feed(organisation) else "",
            mailing=reverse("subscribe") if organisation and find_list(organisation) else "",
        )
    }


def _clauses(organisation: Organisation | None) -> dict[str, list[Clause]]:
    """The pack's clauses; none where it cannot be read, for the pages that say so need a frame."""
    pack = guidance.find_pack(organisation.pack) if organisation else None
    return guidance.clauses_by_group(pack.clauses) if pack else {}


def _navigation(path: str, member: Member | None) -> list[dict[str, Any]]:
    if member is None:
        items = [
            ("register", "What we have said"),
            ("guidance", "Guidance"),
            ("account_login", "Sign in"),
        ]
    else:
        items = [
            ("today", "Today"),
            ("duty", "Duty"),
            ("new_draft", "New post"),
            ("posts", "Posts"),
            ("post_calendar", "Calendar"),
            ("stop", "Stop"),
            ("practice", "Practice channel"),
            ("accounts", "Accounts"),
            *([("records", "Record")] if Role.RECORDS in member.held else []),
            ("settings", "Settings"),
            ("register", "Register"),
            ("guidance", "Guidance"),
            ("account_logout", "Sign out"),
        ]
    return [
        {"text": text, "href": reverse(name), "current": reverse(name) == path}
        for name, text in items
    ]
