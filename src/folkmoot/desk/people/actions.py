"""Writes of the people room."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from folkmoot.desk.records import actions as records
from folkmoot.desk.records.columns import is_erased
from folkmoot.guidance import available_packs

from .marks import mark_of
from .models import Member, Organisation, Role


class PeopleRefused(Exception):
    """Somebody could not be added or changed; the message is a sentence that says why."""


@transaction.atomic
def found_organisation(
    *, slug: str, name: str, introduction: str, zone: str, nation: str, pack: str, now: datetime
) -> Organisation:
    """Make an organisation. Raises :class:`PeopleRefused` where a value cannot be used."""
    organisation = Organisation(
        slug=slug, name=name, introduction=introduction, zone=zone, nation=nation, pack=pack
    )
    if pack not in available_packs():
        raise PeopleRefused(
            f"There is no pack {pack!r} here. There are {', '.join(sorted(available_packs()))}."
        )
    _clean(organisation)
    organisation.save()
    records.record(
        "organisation.founded",
        at=now,
        organisation=organisation.ref,
        actor="",
        role="system",
        subject=f"organisation/{organisation.ref}",
        fields={"name": name, "guidance": pack},
    )
    return organisation


@transaction.atomic
def add_member(
    organisation: Organisation,
    *,
    email: str,
    name: str,
    roles: Iterable[Role],
    password: str,
    now: datetime,
    actor: Member | None = None,
) -> Member:
    """Add a member. Raises :class:`PeopleRefused`: the address is taken, or a value wrong."""
    member = Member(
        organisation=organisation,
        email=email.lower(),
        email_mark=mark_of(email),
        name=name,
        roles=[str(role) for role in roles],
    )
    member.set_password(password)
    _clean(member)
    member.save()
    records.record(
        "member.added",
        at=now,
        organisation=organisation.ref,
        actor=actor.ref if actor else "",
        role="admin" if actor else "system",
        subject=f"member/{member.ref}",
        fields={"name": name, "roles": ", ".join(sorted(member.roles))},
    )
    return member


@transaction.atomic
def keep_marks() -> int:
    """Make the marks of members' addresses anew where they are not those of the key that is here,
    as after the file of that key was lost; how many were. It says nothing new of anybody, and
    leaves no entry.

    Raises ``folkmoot.ledger.KeyLost`` where an address cannot be opened.
    """
    wrong = [
        (member.pk, mark_of(member.email))
        for member in Member.objects.exclude(email_mark="")
        if not is_erased(member.email) and member.email_mark != mark_of(member.email)
    ]
    for pk, mark in wrong:
        Member.objects.filter(pk=pk).update(email_mark=mark)
    return len(wrong)


def _clean(row: Member | Organisation) -> None:
    try:
        row.full_clean()
    except ValidationError as wrong:
        raise PeopleRefused(" ".join(wrong.messages)) from wrong
