"""Tables of the people room."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, validate_email
from django.db import models

from folkmoot.desk.records.columns import SealedTextField
from folkmoot.desk.refs import new_ref

from .marks import mark_of


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

    def find_by_email(self, email: str) -> Member | None:
        """The member with this e-mail address, without regard to case; ``None`` for nobody, and
        once the address was erased.
        """
        found = self.filter(email_mark=mark_of(email)).first()
        fits = found is not None and found.email.casefold() == email.strip().casefold()
        return found if fits else None


class Member(AbstractBaseUser):
    """A person of one organisation, and the roles they hold in it. ``email_mark`` is what the
    address is looked up by: see :mod:`.marks`.
    """

    ref = models.CharField(max_length=16, unique=True, default=new_ref, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="members")
    email = SealedTextField(validators=[validate_email, MaxLengthValidator(254)], erased=str)
    email_mark = models.CharField(
        max_length=64,
        unique=True,
        editable=False,
        error_messages={"unique": "A member with this e-mail address already exists."},
    )
    name = SealedTextField(validators=[MaxLengthValidator(120)])
    roles = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)

    objects: ClassVar[MemberManager] = MemberManager()
    USERNAME_FIELD = "ref"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email", "name"]
    sealed_organisation = "organisation__ref"

    def __str__(self) -> str:
        return f"{self.name}"

    def clean(self) -> None:
        """Refuse a role that does not exist."""
        super().clean()
        unknown = set(self.roles) - set(Role)
        if unknown:
            raise ValidationError({"roles": f"There is no role {', '.join(sorted(unknown))}."})

    @property
    def sealed_for(self) -> str:
        """What is known of them is kept under a key of their own."""
        return f"member/{self.ref}"

    @property
    def held(self) -> frozenset[Role]:
        """The roles this member holds. One that nobody knows gives nothing."""
        return frozenset(role for role in Role if role in self.roles)
