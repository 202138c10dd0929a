"""Reads of the people room."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest

from .models import Member, Organisation, Role

__all__ = [
    "Member",
    "Organisation",
    "Role",
    "find_organisation",
    "find_public_organisation",
    "list_holders",
    "list_members",
    "list_organisations",
    "names_by_ref",
    "signed_in",
]


def signed_in(request: HttpRequest) -> Member:
    """The member who makes this request. Only for pages that ask for signing in."""
    assert isinstance(request.user, Member)
    return request.user


def find_public_organisation(host: str) -> Organisation | None:
    """The organisation whose public pages this host shows; the first one where none claims it."""
    bare = host.partition(":")[0].lower()
    return (
        Organisation.objects.filter(host=bare).first() if bare else None
    ) or Organisation.objects.order_by("pk").first()


def list_organisations() -> list[Organisation]:
    """Every organisation here, the oldest first: for the worker."""
    return list(Organisation.objects.order_by("pk"))


def find_organisation(slug: str) -> Organisation | None:
    """The organisation of this short name."""
    return Organisation.objects.filter(slug=slug).first()


def list_members(organisation: Organisation) -> list[Member]:
    """The members of an organisation, by name."""
    members = list(organisation.members.order_by("pk"))
    return sorted(members, key=lambda member: member.name)


def names_by_ref(refs: Iterable[str]) -> dict[str, str]:
    """Names for opaque ids, for staff pages. Ids of nobody are left out."""
    return dict(Member.objects.filter(ref__in=set(refs)).values_list("ref", "name"))


def list_holders(organisation: Organisation, role: Role) -> frozenset[str]:
    """The opaque ids of the organisation's members who hold a role and may sign in."""
    active = organisation.members.filter(is_active=True)
    return frozenset(ref for ref, roles in active.values_list("ref", "roles") if role in roles)
