"""What is settled about a request before any room sees it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from http import HTTPStatus
from urllib.parse import unquote

from django.http import Http404, HttpRequest, HttpResponse

from folkmoot.desk.people.queries import find_public_organisation

from . import views


def public_organisation(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Give every request ``public_ref``: the opaque id of the organisation its host shows, or an
    empty string where there is none; and ``public_zone``, that organisation's time zone.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        organisation = find_public_organisation(request.get_host())
        request.public_ref = organisation.ref if organisation else ""  # type: ignore[attr-defined]
        request.public_zone = organisation.timezone if organisation else UTC  # type: ignore[attr-defined]
        return get_response(request)

    return middleware


def readable_text(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Let no NUL reach a room: databases differ on it, and no reader ever sees one.

    An address with one is no page of ours. In what people type it becomes U+FFFD, the mark
    Unicode keeps for what could not be read, so that it is seen and nothing around it is lost.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if "\0" in unquote(request.get_full_path()):
            raise Http404("There is no such page.")
        if any("\0" in value for _, values in request.POST.lists() for value in values):
            readable = request.POST.copy()
            for name, values in request.POST.lists():
                readable.setlist(name, [value.replace("\0", "\ufffd") for value in values])
            request.POST = readable  # type: ignore[assignment]  # ours may be changed; nobody does
        return get_response(request)

    return middleware


def explained_buttons(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Give words to the empty answer 405, which a browser shows as a fault of its own."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED or response.content:
            return response
        page = views.button_only(request)
        page["Allow"] = response["Allow"]
        return page

    return middleware
