"""Tables of the guidance room. The guidance itself is in packs, not here."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Calendar(models.Model):
    """How far ahead an organisation has said which special periods apply to it.

    Up to ``known_until`` a moment outside every period is *known* to be ordinary; after it, nobody
    has said, and rules that ask are not evaluated.
    """

    organisation = models.OneToOneField(
        "people.Organisation", on_delete=models.PROTECT, related_name="+"
    )
    known_until = models.DateTimeField()


class Period(models.Model):
    """A special period, as a notice sets it. Never computed."""

    organisation = models.ForeignKey(
        "people.Organisation", on_delete=models.PROTECT, related_name="+"
    )
    kind = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    source = models.CharField(max_length=300)
    # Whether publishing is stopped by itself when it begins, until a person lifts that.
    stops = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")),
                name="period_ends_after_it_starts",
            ),
        ]


class HouseProfile(models.Model):
    """What an organisation says of itself in its house rules. The rules are the pack's."""

    organisation = models.OneToOneField(
        "people.Organisation", on_delete=models.PROTECT, related_name="+"
    )
    days = models.JSONField()
    hours = models.CharField(max_length=11)
    response_promise = models.CharField(max_length=100)
    appeal_route = models.CharField(max_length=200)
    emergency_route = models.CharField(max_length=200)
    block_review_months = models.PositiveIntegerField()
