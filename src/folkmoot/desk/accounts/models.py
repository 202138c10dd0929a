"""Tables of the accounts room."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from folkmoot.desk.records.columns import SealedBytesField, SealedTextField

from .lifecycle import OWN_CHANNELS, AccountState


class Account(models.Model):
    """One presence of an organisation on one channel. Only :mod:`.steps` changes its state.

    ``handle`` is what the channel calls it; ``server`` the address it is reached at, where the
    channel has more than one; ``settings`` is what else was typed and is no secret. ``secret`` (all
    that was typed and is secret), ``tokens`` (of its sign-in) and ``grant`` (a code that the worker
    has yet to exchange for tokens) are sealed. ``connected_by`` proposed it and ``confirmed_by``
    agreed. A proposal to connect an account again ``replaces`` what that account holds.

    ``trouble`` is a sentence about what is wrong, empty while nothing is known to be;
    ``diagnosed_at`` is when the channel was last asked, ``sign_in_ends_at`` when, as far as is
    known, the sign-in ends, and ``watched_at`` when that was last looked at.
    """

    organisation = models.ForeignKey(
        "people.Organisation", on_delete=models.PROTECT, related_name="accounts"
    )
    state = models.CharField(max_length=12, default=AccountState.PROPOSED)
    channel = models.CharField(max_length=30)
    name = models.CharField(max_length=120)
    handle = models.CharField(max_length=253)
    server = models.CharField(max_length=300, blank=True)
    settings = models.JSONField(default=dict)
    secret = models.TextField(blank=True)
    tokens = models.TextField(blank=True)
    grant = models.TextField(blank=True)
    replaces = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="proposals"
    )
    connected_by = models.CharField(max_length=16, blank=True)
    connected_at = models.DateTimeField()
    confirmed_by = models.CharField(max_length=16, blank=True)
    confirmed_at = models.DateTimeField(null=True)
    disconnected_at = models.DateTimeField(null=True)
    trouble = SealedTextField(blank=True)
    diagnose_asked_at = models.DateTimeField(null=True)
    diagnosed_at = models.DateTimeField(null=True)
    sign_in_ends_at = models.DateTimeField(null=True)
    watched_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "channel", "server", "handle"],
                condition=Q(state=AccountState.CONNECTED.value),
                name="one_account_per_handle",
            ),
            models.UniqueConstraint(
                fields=["organisation", "channel", "server", "handle"],
                condition=Q(state=AccountState.PROPOSED.value),
                name="one_proposal_per_handle",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by="") | ~Q(confirmed_by=F("connected_by")),
                name="nobody_confirms_their_own",
            ),
            models.CheckConstraint(
                condition=~Q(state=AccountState.CONNECTED.value)
                | Q(channel__in=OWN_CHANNELS)
                | ~Q(confirmed_by=""),
                name="connected_by_two",
            ),
        ]

    sealed_organisation = "organisation__ref"

    def __str__(self) -> str:
        return self.name

    @property
    def sealed_for(self) -> str:
        """What its trouble is kept under: the account."""
        return f"account/{self.pk}"


class Trouble(models.Model):
    """Something that went wrong with an account, as it was told; kept to see what recurs."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="troubles")
    at = models.DateTimeField()
    sentence = SealedTextField()

    sealed_organisation = "account__organisation__ref"

    @property
    def sealed_for(self) -> str:
        """What its sentence is kept under: the account."""
        return f"account/{self.account_id}"


class ShelfItem(models.Model):
    """A post on a channel that the desk itself serves: the Atom feed and the practice channel.

    ``subject`` is what its record is kept under: the post, as the rooms above name it.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="shelf")
    key = models.CharField(max_length=200)
    subject = models.CharField(max_length=128)
    record = SealedBytesField()
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "key"], name="one_item_per_key"),
        ]
        indexes: ClassVar = [models.Index(fields=["account", "-at"], name="shelf_newest_first")]

    sealed_organisation = "account__organisation__ref"

    @property
    def sealed_for(self) -> str:
        """What its record is kept under."""
        return self.subject
