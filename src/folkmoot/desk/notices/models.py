"""Tables of the notices room."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from django.db import models

from folkmoot.desk.records.columns import SealedTextField


class TargetKind(StrEnum):
    """How somebody is told."""

    EMAIL = "email"
    CHAT = "chat"


class TellingState(StrEnum):
    """Where a telling stands."""

    WAITING = "waiting"
    TOLD = "told"
    FAILED = "failed"


class Heartbeat(models.Model):
    """When something that must not stand still was last known to go."""

    name = models.CharField(max_length=30, primary_key=True)
    at = models.DateTimeField()


class Target(models.Model):
    """Whom an organisation tells of what needs a person. Kept when it is removed, for the record;
    its address is not.

    ``name`` is what pages show; ``address`` an e-mail address, or a sealed chat address, sealed for
    ``notices/target/<ref>``. ``urgencies`` are those it wants to hear of; from ``quiet_from`` to
    ``quiet_until``, in the organisation's zone, it hears only of what is needed now. ``trouble``
    says why the last message did not get there, empty where it did.
    """

    organisation = models.ForeignKey(
        "people.Organisation", on_delete=models.PROTECT, related_name="+"
    )
    ref = models.CharField(max_length=32, unique=True)
    kind = models.CharField(max_length=5)
    name = SealedTextField()
    address = SealedTextField(blank=True, erased=str)
    urgencies = models.JSONField(default=list)
    quiet_from = models.TimeField(null=True)
    quiet_until = models.TimeField(null=True)
    made_by = models.CharField(max_length=16)
    made_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)
    trouble = SealedTextField(blank=True)
    troubled_at = models.DateTimeField(null=True)

    sealed_organisation = "organisation__ref"

    def __str__(self) -> str:
        return f"notice target {self.pk}"

    @property
    def sealed_for(self) -> str:
        """What is known of them is kept under a key of their own."""
        return f"notice_target/{self.ref}"


class Standing(models.Model):
    """A need that is known to stand. ``round`` counts how often it is to be told: once when it
    begins, again when it becomes more urgent, and as a reminder at ``remind_at``.
    """

    organisation = models.ForeignKey(
        "people.Organisation", on_delete=models.PROTECT, related_name="+"
    )
    key = models.CharField(max_length=200)
    urgency = models.CharField(max_length=5)
    round = models.PositiveIntegerField(default=1)
    reminders = models.PositiveIntegerField(default=0)
    since_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    remind_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation", "key"], name="one_standing_per_need"),
        ]


class Telling(models.Model):
    """One need, told to one target; without ``standing`` once that is over, or for a test.

    Tellings that are claimed together, by ``claim``, go out in one message. ``lease_until`` is how
    long the worker that claimed it may take.
    """

    target = models.ForeignKey(Target, on_delete=models.PROTECT, related_name="tellings")
    standing = models.ForeignKey(
        Standing, on_delete=models.SET_NULL, null=True, related_name="tellings"
    )
    round = models.PositiveIntegerField(default=0)
    kind = models.CharField(max_length=8)
    urgency = models.CharField(max_length=5)
    what = SealedTextField()
    do = SealedTextField()
    address = models.CharField(max_length=300)
    state = models.CharField(max_length=7, default=TellingState.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    claim = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField()
    made_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    trouble = SealedTextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["target", "standing", "round"],
                condition=models.Q(standing__isnull=False),
                name="told_once_a_round",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "next_try_at"], name="telling_owed"),
            models.Index(fields=["target", "-made_at"], name="telling_newest"),
        ]

    sealed_organisation = "target__organisation__ref"

    @property
    def sealed_for(self) -> str:
        """What it says is kept under: whom it is told to, since it may quote what others wrote."""
        return self.target.sealed_for
