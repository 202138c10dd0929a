"""Tables of the people room."""

from __future__ import annotations

import secrets
from enum import StrEnum
from typing import ClassVar
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.db import models


class Role(StrEnum):
    """What a member may do. A member may hold several; nobody signs a post they wrote."""

    AUTHOR = "author"
    APPROVER = "approver"
    ADMIN = "admin"
    DUTY = "duty"
    """A duty officer: with another, may post while publishing is stopped."""
    RECORDS = "records"
    """A records officer: finds, holds, releases, disposes of and erases what is recorded, each
    with a second."""


def new_ref() -> str:
    """An opaque id, as the record names people and bodies: 16 random hexadecimal characters."""
    return secrets.token_hex(8)


def known_zone(name: str) -> None:
    """Validate an IANA time zone. Raises ``ValidationError``."""
    if name not in available_timezones():
        raise ValidationError(f"There is no time zone {name!r}. Europe/London is one.")


class Organisation(models.Model):
    """A public body. ``pack`` names the guidance it holds itself to."""

    ref = models.CharField(max_length=16, unique=True, default=new_ref, editable=False)
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=120)
    introduction = models.TextField(blank=True)
    zone = models.CharField(max_length=60, default="Europe/London", validators=[known_zone])
    nation = models.CharField(max_length=10, default="UK")
    language = models.CharField(max_length=10, default="en")
    pack = models.CharField(max_length=80, default="uk-civil-service")
    # The public pages of a host show the organisation that has it; the first one serves the rest.
    host = models.CharField(max_length=253, blank=True)

    def __str__(self) -> str:
        return self.name

    @property
    def timezone(self) -> ZoneInfo:
        """The organisation's own time zone."""
        return ZoneInfo(self.zone)


class MemberManager(BaseUserManager["Member"]):
    """Finds members; the actions make them."""


class Member(AbstractBaseUser):
    """A person of one organisation, and the roles they hold in it."""

    ref = models.CharField(max_length=16, unique=True, default=new_ref, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="members")
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    roles = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)

    objects: ClassVar[MemberManager] = MemberManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a role that does not exist."""
        super().clean()
        unknown = set(self.roles) - set(Role)
        if unknown:
            raise ValidationError({"roles": f"There is no role {', '.join(sorted(unknown))}."})

    @property
    def held(self) -> frozenset[Role]:
        """The roles this member holds. One that nobody knows gives nothing."""
        return frozenset(role for role in Role if role in self.roles)
