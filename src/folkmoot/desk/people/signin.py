"""Signing in. There is no signing up: an admin makes members."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend

from .models import Member


class SignInAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    """What we tell allauth about our members."""

    def is_open_for_signup(self, request: Any) -> bool:  # noqa: ARG002  # allauth passes it
        """Never: a stranger does not become a member by filling in a form."""
        return False


class ByMark(AuthenticationBackend):  # type: ignore[misc]  # allauth carries no types
    """Finds who signs in by the mark of their e-mail address: the address itself is sealed."""

    def _authenticate_by_email(self, email: str, password: str) -> Member | None:
        found = Member.objects.find_by_email(email) if email else None
        checked: Member | None = self._check_password(found, password)
        return checked
