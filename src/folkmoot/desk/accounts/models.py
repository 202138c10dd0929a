"""Tables of the accounts room."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Account(models.Model):
    """One presence of an organisation on one channel.

    ``handle`` is what the channel calls it; ``server`` the address it is reached at, where the
    channel has more than one. ``secret`` and ``session`` are sealed. ``trouble`` is a sentence
    about what is wrong, empty while nothing is known to be.
    """

    organisation = models.ForeignKey(
        "people.Organisation", on_delete=models.PROTECT, related_name="accounts"
    )
    channel = models.CharField(max_length=30)
    name = models.CharField(max_length=120)
    handle = models.CharField(max_length=253)
    server = models.URLField(blank=True)
    secret = models.TextField(blank=True)
    session = models.TextField(blank=True)
    connected_by = models.CharField(max_length=16)
    connected_at = models.DateTimeField()
    disconnected_at = models.DateTimeField(null=True)
    trouble = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "channel", "server", "handle"],
                condition=models.Q(disconnected_at__isnull=True),
                name="one_account_per_handle",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ShelfItem(models.Model):
    """A post on a channel that the desk itself serves: the Atom feed and the practice channel."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="shelf")
    key = models.CharField(max_length=200)
    record = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "key"], name="one_item_per_key"),
        ]
        indexes: ClassVar = [models.Index(fields=["account", "-at"], name="shelf_newest_first")]
