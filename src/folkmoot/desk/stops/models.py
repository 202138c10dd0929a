"""Tables of the stops room."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from folkmoot.desk.records.columns import SealedTextField

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
    target = SealedTextField(blank=True)
    topic = SealedTextField(blank=True)
    reason = SealedTextField()
    period = models.OneToOneField(
        "guidance.Period", on_delete=models.PROTECT, null=True, related_name="+"
    )
    pressed_by = models.CharField(max_length=16, blank=True)
    pressed_at = models.DateTimeField()
    in_force_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=16, blank=True)
    lifted_at = models.DateTimeField(null=True)
    lifted_reason = SealedTextField(blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["organisation", "state"], name="stop_by_state")]

    sealed_organisation = "organisation__ref"

    def __str__(self) -> str:
        return f"stop {self.pk}"

    @property
    def sealed_for(self) -> str:
        """What its sealed columns are kept under: the stops of the organisation."""
        return f"stops/{self.organisation_id}"
