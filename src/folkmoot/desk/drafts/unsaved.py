"""Words typed into the composer are not lost where the sign-in had ended when they were sent."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

KEPT = "unsaved_words"
LONGEST = 50_000
CHECK = "check_words"
SIGNED_OUT = (
    '<p class="govuk-body" role="status">Your sign-in has ended, so nothing is checked. Choose '
    "<strong>Save and check</strong>: you will be asked to sign in, and your words are kept.</p>"
)
COMPOSERS = frozenset({"new_draft", "edit_draft"})


class UnsavedWords:
    """Keep the text of a composer's page in the session while its author signs in again.

    Stands before the middleware that asks for signing in. The composer shows the words on its next
    page, once.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, _view: object, _args: object, _kwargs: object
    ) -> HttpResponse | None:
        """Look at a request whose view is known and whose sender may not be."""
        match = request.resolver_match
        asked_by_page = "HX-Request" in request.headers and not request.user.is_authenticated
        if asked_by_page and match is not None and match.url_name == CHECK:
            return HttpResponse(SIGNED_OUT)
        if (
            request.method == "POST"
            and not request.user.is_authenticated
            # A browser that was signed in brings its old cookie; a stranger has none to fill.
            and settings.SESSION_COOKIE_NAME in request.COOKIES
            and match is not None
            and match.url_name in COMPOSERS
            and (text := request.POST.get("text", "").strip())
        ):
            request.session[KEPT] = text[:LONGEST]
        return None
