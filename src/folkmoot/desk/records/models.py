"""Tables of the record. Nobody outside this room reads or writes them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Intent(models.Model):
    """The outbox: an entry left in the transaction of the change it tells of, not yet in the log.

    The sequencer takes all of them, gives each the next index and removes it. ``once`` is a key
    that lets a step which may run twice leave its entry once.
    """

    entry_id = models.CharField(max_length=32, unique=True)
    once = models.CharField(max_length=200, unique=True, null=True)
    leaf = models.TextField()
    subject = models.CharField(max_length=128)
    public = models.BooleanField(default=False)
    made_at = models.DateTimeField()


class Entry(models.Model):
    """A leaf of the log. ``leaf`` is the canonical text that was hashed; the other columns repeat
    what it says, for finding. Triggers in the database let rows be added at the end alone.

    ``recovered_at`` is set where the row was lost and brought back from a mirror, which holds no
    values of fields.
    """

    index = models.BigIntegerField(primary_key=True)
    entry_id = models.CharField(max_length=32, unique=True)
    once = models.CharField(max_length=200, unique=True, null=True)
    leaf = models.TextField()
    kind = models.CharField(max_length=60)
    organisation = models.CharField(max_length=40)
    subject = models.CharField(max_length=128)
    retention = models.CharField(max_length=64)
    at = models.DateTimeField()
    public = models.BooleanField(default=False)
    recovered_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["organisation", "kind", "-index"], name="entry_by_kind"),
            models.Index(fields=["subject", "index"], name="entry_by_subject"),
        ]


class SubjectKey(models.Model):
    """The key of a subject, wrapped by its epoch's key, which is in a file outside the database.

    What is kept of the subject, here and in other rooms, is sealed under its live key. Destroying
    it empties ``wrapped`` and leaves the row, so that its number never comes back.
    """

    subject = models.CharField(max_length=128)
    epoch = models.PositiveIntegerField()
    wrapped = models.BinaryField()
    made_at = models.DateTimeField()
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subject"],
                condition=models.Q(destroyed_at=None),
                name="one_live_key_per_subject",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["epoch"], name="subject_key_by_epoch")]


class Epoch(models.Model):
    """An epoch of keys. ``closed_at`` is set when a roll begins: no key is wrapped in it from then
    on; ``destroyed_at`` once its key is gone from the file.
    """

    number = models.PositiveIntegerField(primary_key=True)
    begun_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    destroyed_at = models.DateTimeField(null=True)


class FieldValue(models.Model):
    """What a commitment in an entry stands for, and the salt that opens it, sealed under the key of
    whom it is about. Empty once erased: then nobody can open the commitment any more.

    ``public`` values are disclosed on the register; the others only by those who may.
    """

    entry_id = models.CharField(max_length=32)
    label = models.CharField(max_length=64)
    key = models.ForeignKey(SubjectKey, on_delete=models.PROTECT, related_name="+")
    sealed = models.BinaryField()
    public = models.BooleanField()
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["entry_id", "label"], name="one_value_per_field"),
        ]


class Withdrawal(models.Model):
    """Counts how often values were withheld or erased, so that whoever keeps texts in memory knows
    to drop them. Written by triggers alone; what counts is the sum of all rows.
    """

    number = models.BigIntegerField(default=1)


class Tile(models.Model):
    """A tile of the tree, as C2SP tlog-tiles has it: up to 256 hashes of 32 bytes."""

    level = models.PositiveSmallIntegerField()
    index = models.BigIntegerField()
    hashes = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["level", "index"], name="one_tile_per_place"),
        ]


class Checkpoint(models.Model):
    """A signed head of the log, with the log's own signature alone."""

    size = models.BigIntegerField(primary_key=True)
    note = models.TextField()
    made_at = models.DateTimeField()


class Cosignature(models.Model):
    """A witness's signature on the head of this ``size``; ``witness`` is its public key."""

    size = models.BigIntegerField()
    witness = models.CharField(max_length=400)
    line = models.TextField()
    at = models.DateTimeField()
    """By the witness's clock."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["size", "witness"], name="one_cosignature_per_head"),
        ]


class Stamp(models.Model):
    """A time stamp (RFC 3161) on the head of this ``size``, by the service at ``authority``."""

    size = models.BigIntegerField()
    authority = models.CharField(max_length=400)
    token = models.BinaryField()
    at = models.DateTimeField()
    """By the authority's clock."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["size", "authority"], name="one_stamp_per_head"),
        ]


class Anchor(models.Model):
    """How asking a witness or a time stamp service goes. ``name`` is its public key or address.

    ``size`` is the last head it is known to have answered for, at ``done_at``. ``trouble`` is why
    it did not answer since ``troubled_at``; ``disputed`` where it says that it holds another
    history of this log.
    """

    name = models.CharField(max_length=400, primary_key=True)
    size = models.BigIntegerField(default=0)
    asked_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    trouble = models.TextField(default="")
    troubled_at = models.DateTimeField(null=True)
    disputed = models.BooleanField(default=False)


class Refusal(models.Model):
    """The signer would not sign the head. Shown to staff until a person has dealt with it."""

    reason = models.TextField()
    made_at = models.DateTimeField()
