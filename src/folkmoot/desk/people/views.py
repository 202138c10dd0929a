"""Pages of the people room. Signing in itself is allauth's."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@login_not_required
def sign_in_help(request: HttpRequest) -> HttpResponse:
    """How to get a sign-in, or a new password."""
    return render(request, "people/sign_in_help.html")


@login_not_required
def sign_in_closed(request: HttpRequest) -> HttpResponse:
    """Where a member comes who gave the right password and may no longer use it."""
    return render(request, "people/sign_in_closed.html")
