"""Tables of the publishing room."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from .lifecycle import DeliveryState


class Delivery(models.Model):
    """One rendition to one account. Only :mod:`.steps` writes ``state`` and ``revision``.

    ``lease_until`` is how long the worker that claimed it may take; a ``sending`` row whose lease
    has run out belongs to a worker that died, and is looked up. ``request`` holds the frozen bytes,
    ``key`` the idempotency key: both are the same in every attempt.
    """

    draft = models.ForeignKey("drafts.Draft", on_delete=models.PROTECT, related_name="deliveries")
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+")
    version_number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=20, default=DeliveryState.WAITING)
    revision = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()
    not_after = models.DateTimeField()
    next_try_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    attempt = models.PositiveIntegerField(default=0)
    key = models.CharField(max_length=200)
    request = models.BinaryField(null=True)
    trouble = models.TextField(blank=True)
    remote_id = models.CharField(max_length=400, blank=True)
    remote_ids = models.JSONField(default=list)
    url = models.CharField(max_length=600, blank=True)
    sent_at = models.DateTimeField(null=True)
    read_back = models.CharField(max_length=12, blank=True)
    read_back_note = models.TextField(blank=True)
    read_back_tries = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["draft", "version_number", "account"], name="one_delivery_per_account"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "next_try_at"], name="delivery_owed"),
            models.Index(
                fields=["next_try_at"],
                condition=models.Q(state=DeliveryState.SENT, read_back=""),
                name="delivery_unread",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.draft} to {self.account}"


class Attempt(models.Model):
    """One try at a delivery, in words. Written before the request leaves."""

    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveIntegerField()
    what = models.CharField(
        max_length=12, choices=[("prepare", "prepare"), ("send", "send"), ("look_up", "look up")]
    )
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=20, blank=True)
    detail = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.what} {self.number} of {self.delivery}"
