"""Tables of the stops room."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from .lifecycle import StopKind, StopScope, StopState


class Stop(models.Model):
    """Publishing is stopped. Only :mod:`.actions` writes it; it is never deleted.

    ``target`` is the account's id, the channel or the topic that ``scope`` speaks of, empty for
    everything. ``topic`` is what an incident is about: posts on it still go out. ``pressed_by`` is
    empty where the calendar pressed it, for ``period``.
    """

    organisation = models.ForeignKey(
        "people.Organisation", on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(max_length=10, default=StopState.PRESSED)
    kind = models.CharField(max_length=12, default=StopKind.STOP)
    scope = models.CharField(max_length=10, default=StopScope.EVERYTHING)
    target = models.CharField(max_length=60, blank=True)
    topic = models.CharField(max_length=60, blank=True)
    reason = models.TextField()
    period = models.OneToOneField(
        "guidance.Period", on_delete=models.PROTECT, null=True, related_name="+"
    )
    pressed_by = models.CharField(max_length=16, blank=True)
    pressed_at = models.DateTimeField()
    in_force_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=16, blank=True)
    lifted_at = models.DateTimeField(null=True)
    lifted_reason = models.TextField(blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["organisation", "state"], name="stop_by_state")]

    def __str__(self) -> str:
        return f"stop {self.pk}"
