"""Pages of the people room. Signing in itself is allauth's."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@login_not_required
def sign_in_help(request: HttpRequest) -> HttpResponse:
    """How to get a sign-in, or a new password."""
    return render(request, "people/sign_in_help.html")
