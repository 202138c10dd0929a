"""Signing in. There is no signing up: an admin makes members."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter


class SignInAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    """What we tell allauth about our members."""

    def is_open_for_signup(self, request: Any) -> bool:  # noqa: ARG002  # allauth passes it
        """Never: a stranger does not become a member by filling in a form."""
        return False
