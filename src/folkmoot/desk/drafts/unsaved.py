"""Words typed into the composer are not lost where the sign-in had ended when they were sent."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

KEPT = "unsaved_words"
LONGEST = 50_000
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
    ) -> None:
        """Look at a request whose view is known and whose sender may not be."""
        match = request.resolver_match
        if (
            request.method == "POST"
            and not request.user.is_authenticated
            and match is not None
            and match.url_name in COMPOSERS
            and (text := request.POST.get("text", "").strip())
        ):
            request.session[KEPT] = text[:LONGEST]
