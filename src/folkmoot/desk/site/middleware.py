"""Whose public pages a request sees, told to rooms too low to know organisations."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from folkmoot.desk.people.queries import find_public_organisation


def public_organisation(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Give every request ``public_ref``: the opaque id of the organisation its host shows, or an
    empty string where there is none.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        organisation = find_public_organisation(request.get_host())
        request.public_ref = organisation.ref if organisation else ""  # type: ignore[attr-defined]
        return get_response(request)

    return middleware
