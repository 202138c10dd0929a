"""What the pages of this room have alike: who may see them, refusals, and pages of lists."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from folkmoot.desk.people.queries import Member, Role, list_holders, names_by_ref, signed_in

from .actions import RetentionRefused

V = TypeVar("V", bound=Callable[..., HttpResponse])


def only_for(may: Callable[[Member], bool]) -> Callable[[V], V]:
    """A page for those alone of whom ``may`` is true; others are told whom to ask."""

    def decorate(view: V) -> V:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            member = signed_in(request)
            if may(member):
                return view(request, *args, **kwargs)
            officers = names_by_ref(list_holders(member.organisation, Role.RECORDS))
            shown = {"officers": sorted(officers.values())}
            return render(request, "retention/closed.html", shown, status=403)

        return cast("V", guarded)

    return decorate


def attempt(
    request: HttpRequest, act: Callable[[], object], done: str, to: str, **given: int
) -> HttpResponse:
    """Call ``act`` and go to the page ``to``, which says that it is done or why it is not."""
    try:
        act()
        messages.success(request, done)
    except RetentionRefused as refused:
        # Our own sentences: nothing that somebody typed is kept in a session.
        request.session["refusals"] = [str(refused)]
    return redirect(reverse(to, kwargs=given or None))


def take_refusals(request: HttpRequest) -> list[dict[str, str]]:
    """The refusals that the page before left, once."""
    return [
        {"text": reason, "href": "#main-content"} for reason in request.session.pop("refusals", [])
    ]


def error_of(refused: RetentionRefused) -> dict[str, str]:
    """A refusal as the error summary shows it."""
    return {"text": str(refused), "href": f"#{refused.field or 'main-content'}"}


def page_of(request: HttpRequest) -> int:
    """Which page of a list is asked for."""
    page = request.GET.get("page", "1")
    return int(page) if re.fullmatch("[1-9][0-9]{0,5}", page) else 1


def number_of(text: str | None) -> int | None:
    """A whole number that somebody handed in, or ``None``."""
    return int(text) if text and re.fullmatch("[0-9]{1,9}", text) else None


def now() -> datetime:
    """The time of a request."""
    return datetime.now(UTC)
