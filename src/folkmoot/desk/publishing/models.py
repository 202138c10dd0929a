"""Tables of the publishing room."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from folkmoot.desk.records.columns import SealedBytesField, SealedJSONField, SealedTextField
from folkmoot.desk.refs import new_ref

from .lifecycle import DeliveryState


class Delivery(models.Model):
    """One rendition to one account. Only :mod:`.steps` writes ``state`` and ``revision``.

    ``lease_until`` is how long the worker that claimed it may take; a ``sending`` row whose lease
    has run out belongs to a worker that died, and is looked up. ``request`` holds the frozen bytes,
    ``key`` the idempotency key: both are the same in every attempt. ``memo`` is what the adapter
    keeps of uploads. ``remote_ids`` names what is live, of a thread also while the rest is not.
    ``removes`` is the delivery that a removal takes down again.
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
    memo = SealedTextField(blank=True, erased=str)
    removes = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="removals"
    )
    request = SealedBytesField(null=True)
    trouble = SealedTextField(blank=True)
    remote_id = models.CharField(max_length=400, blank=True)
    remote_ids = models.JSONField(default=list)
    url = models.CharField(max_length=600, blank=True)
    sent_at = models.DateTimeField(null=True)
    read_back = models.CharField(max_length=12, blank=True)
    read_back_note = SealedTextField(blank=True)
    read_back_tries = models.PositiveIntegerField(default=0)
    removed_at = models.DateTimeField(null=True)
    # Who decided what became of a delivery that no machine could, and when it was last seen live.
    settled_by = models.CharField(max_length=16, blank=True)
    seen_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["draft", "version_number", "account"],
                condition=models.Q(removes__isnull=True),
                name="one_delivery_per_account",
            ),
            models.UniqueConstraint(
                fields=["draft", "version_number", "removes"],
                condition=models.Q(removes__isnull=False),
                name="one_removal_per_delivery",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "next_try_at"], name="delivery_owed"),
            models.Index(fields=["account", "remote_id"], name="delivery_by_remote_id"),
            models.Index(
                fields=["next_try_at"],
                condition=models.Q(state=DeliveryState.SENT, read_back=""),
                name="delivery_unread",
            ),
        ]

    sealed_organisation = "draft__organisation__ref"

    def __str__(self) -> str:
        return f"{self.draft} to {self.account}"

    @property
    def sealed_for(self) -> str:
        """What its sealed columns are kept under: the post."""
        return f"post/{self.draft_id}"


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
    detail = SealedTextField(blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["what", "-started_at"], name="attempt_newest")]

    sealed_organisation = "delivery__draft__organisation__ref"

    def __str__(self) -> str:
        return f"{self.what} {self.number} of {self.delivery}"

    @property
    def sealed_for(self) -> str:
        """What its detail is kept under: the post."""
        return self.delivery.sealed_for


class Capture(models.Model):
    """What a channel itself answered when we published, looked up or read back, as it may be kept:
    see ``folkmoot.channels.captures``. Kept here because the channel may not have it tomorrow.
    """

    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="captures")
    what = models.CharField(
        max_length=10,
        choices=[("send", "send"), ("look_up", "look up"), ("read_back", "read back")],
    )
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField()
    url = SealedTextField()
    headers = SealedJSONField(default=list)
    body = SealedBytesField()

    sealed_organisation = "delivery__draft__organisation__ref"

    def __str__(self) -> str:
        return f"answer to {self.delivery}"

    @property
    def sealed_for(self) -> str:
        """What it is kept under: the post."""
        return self.delivery.sealed_for


class Ahead(models.Model):
    """Pictures of a signed post being handed over before its time. Nobody outside can see them."""

    draft = models.ForeignKey("drafts.Draft", on_delete=models.PROTECT, related_name="+")
    version_number = models.PositiveIntegerField()
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+")
    memo = SealedTextField(blank=True, erased=str)
    ready = models.BooleanField(default=False)
    trouble = SealedTextField(blank=True)
    next_try_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["draft", "version_number", "account"], name="handed_over_once"
            ),
        ]

    sealed_organisation = "draft__organisation__ref"

    @property
    def sealed_for(self) -> str:
        """What its sealed columns are kept under: the post."""
        return f"post/{self.draft_id}"


class Watch(models.Model):
    """How an account's own timeline is watched. ``since_at`` is from when on a post that we did not
    sign is remarked on; ``known`` the ids of posts from before.
    """

    account = models.OneToOneField("accounts.Account", on_delete=models.PROTECT, related_name="+")
    since_at = models.DateTimeField()
    known = models.JSONField(default=list)
    next_look_at = models.DateTimeField()
    last_look_at = models.DateTimeField(null=True)
    trouble = SealedTextField(blank=True)

    sealed_organisation = "account__organisation__ref"

    @property
    def sealed_for(self) -> str:
        """What its trouble is kept under: the account."""
        return f"account/{self.account_id}"


class Alarm(models.Model):
    """Something on an account's timeline that nobody signed: a post of somebody else's, or one of
    ours that was changed or taken away. Open until a person has dealt with it.

    What it says of a stranger's post is kept under a key of its own, so that the stranger's words
    can be erased and nothing else.
    """

    ref = models.CharField(max_length=16, unique=True, default=new_ref, editable=False)

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(
        max_length=10,
        choices=[
            ("unsigned", "Nobody here signed this post"),
            ("changed", "This post was changed on the channel"),
            ("vanished", "This post was taken away on the channel"),
        ],
    )
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, null=True, related_name="+")
    remote_id = models.CharField(max_length=400)
    url = SealedTextField(blank=True, erased=str)
    text = SealedTextField(blank=True)
    seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=16, blank=True)
    note = SealedTextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "kind", "remote_id"],
                condition=models.Q(closed_at__isnull=True),
                name="one_open_alarm_per_post",
            ),
        ]

    sealed_organisation = "account__organisation__ref"

    @property
    def sealed_for(self) -> str:
        """What its sealed columns are kept under: our post, or the stranger's."""
        return self.delivery.sealed_for if self.delivery is not None else f"alarm/{self.ref}"


class Installation(models.Model):
    """Which installation this database belongs to, and why it may not publish, where it may not:
    it was brought back from a backup, or is a copy. There is one row.
    """

    ref = models.CharField(max_length=32)
    fenced_reason = models.TextField(blank=True)
    fenced_at = models.DateTimeField(null=True)
