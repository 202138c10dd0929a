"""Tables of the room retention. Only :mod:`.steps` writes a state."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from folkmoot.desk.records.columns import SealedJSONField, SealedTextField
from folkmoot.desk.refs import new_ref

from .lifecycle import BatchState, ErasureState, HoldState, RuleState


class Rule(models.Model):
    """A version of the schedule's line for one class of records. Never changed, but for its state.

    ``months`` run from ``trigger``; then ``action`` is due. ``mandate`` names what that rests on,
    ``address`` where it stands, ``evidence`` how well it is known to say so, and ``ours`` that the
    period is nobody's law but proposed by this program or decided by the body. ``shortens`` says
    that something may go sooner than under the version before: that needs a second person, and so
    does the first version, since without one everything is kept.
    """

    organisation = models.ForeignKey(
        "people.Organisation", on_delete=models.PROTECT, related_name="+"
    )
    record_class = models.CharField(max_length=20)
    version = models.PositiveIntegerField()
    state = models.CharField(max_length=12, default=RuleState.PROPOSED)
    trigger = models.CharField(max_length=24)
    months = models.PositiveIntegerField()
    action = models.CharField(max_length=10)
    mandate = models.TextField()
    address = models.CharField(max_length=500, blank=True)
    evidence = models.CharField(max_length=16)
    ours = models.BooleanField(default=True)
    why = models.TextField(blank=True)
    shortens = models.BooleanField()
    proposed_by = models.CharField(max_length=16)
    proposed_at = models.DateTimeField()
    confirmed_by = models.CharField(max_length=16, blank=True)
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "record_class", "version"], name="one_rule_per_version"
            ),
            models.UniqueConstraint(
                fields=["organisation", "record_class"],
                condition=Q(state=RuleState.IN_FORCE.value),
                name="one_rule_in_force_per_class",
            ),
            models.UniqueConstraint(
                fields=["organisation", "record_class"],
                condition=Q(state=RuleState.PROPOSED.value),
                name="one_rule_proposed_per_class",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by="") | ~Q(confirmed_by=F("proposed_by")),
                name="nobody_confirms_their_own_rule",
            ),
            models.CheckConstraint(
                condition=Q(shortens=False)
                | ~Q(state__in=[RuleState.IN_FORCE.value, RuleState.SUPERSEDED.value])
                | ~Q(confirmed_by=""),
                name="a_shorter_period_takes_two",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.record_class}, version {self.version}"


class Hold(models.Model):
    """What must not be destroyed, and why. It suspends destruction, never the clock.

    ``scope`` says which of the other columns it goes by: ``subjects`` as the record names them, an
    ``account``, a ``record_class`` between two days, a ``request``; and what was chosen one by one
    stands in :class:`HoldItem` beside any of these.
    """

    organisation = models.ForeignKey(
        "people.Organisation", on_delete=models.PROTECT, related_name="+"
    )
    ref = models.CharField(max_length=16, unique=True, default=new_ref, editable=False)
    state = models.CharField(max_length=16, default=HoldState.PLACED)
    scope = models.CharField(max_length=10)
    subjects = models.JSONField(default=list)
    account = models.PositiveBigIntegerField(null=True)
    record_class = models.CharField(max_length=20, blank=True)
    since_on = models.DateField(null=True)
    until_on = models.DateField(null=True)
    request = models.CharField(max_length=128, blank=True)
    reason = SealedTextField()
    reference = SealedTextField(blank=True)
    placed_by = models.CharField(max_length=16)
    placed_at = models.DateTimeField()
    release_reason = SealedTextField(blank=True)
    release_proposed_by = models.CharField(max_length=16, blank=True)
    release_proposed_at = models.DateTimeField(null=True)
    released_by = models.CharField(max_length=16, blank=True)
    released_at = models.DateTimeField(null=True)

    sealed_organisation: ClassVar = "organisation__ref"

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(released_by="") | ~Q(released_by=F("release_proposed_by")),
                name="nobody_releases_alone",
            ),
            models.CheckConstraint(
                condition=~Q(state=HoldState.RELEASED.value)
                | (~Q(released_by="") & ~Q(release_proposed_by="")),
                name="released_by_two",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["organisation", "state"], name="hold_by_state")]

    def __str__(self) -> str:
        return f"hold {self.pk}"

    @property
    def sealed_for(self) -> str:
        """Whom or what the sealed columns are about."""
        return f"hold/{self.ref}"


class HoldItem(models.Model):
    """An entry that was chosen to be held, or a place in another room: ``entry`` or ``place``."""

    hold = models.ForeignKey(Hold, on_delete=models.CASCADE, related_name="items")
    entry = models.CharField(max_length=32, blank=True, db_index=True)
    place = models.CharField(max_length=250, blank=True, db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["hold", "entry", "place"], name="held_once_per_hold"),
        ]


class ByTwo(models.Model):
    """What one proposes and another confirms, and what becomes of it. ``digest`` is the SHA-256 of
    what was agreed to.
    """

    organisation = models.ForeignKey(
        "people.Organisation", on_delete=models.PROTECT, related_name="+"
    )
    ref = models.CharField(max_length=16, unique=True, default=new_ref, editable=False)
    reason = SealedTextField(blank=True)
    digest = models.CharField(max_length=64, blank=True)
    proposed_by = models.CharField(max_length=16, blank=True)
    proposed_at = models.DateTimeField(null=True)
    confirmed_by = models.CharField(max_length=16, blank=True)
    confirmed_at = models.DateTimeField(null=True)
    held_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    values_gone = models.PositiveIntegerField(default=0)
    keys_gone = models.PositiveIntegerField(default=0)

    sealed_organisation: ClassVar = "organisation__ref"

    class Meta:
        abstract = True


class Batch(ByTwo):
    """A disposal: entries of one class whose period is over, and what becomes of them.

    ``rule`` is the version of the schedule that it is done under, ``manifest`` the SHA-256 of the
    bag they were transferred in, ``digest`` that of the chosen entries' ids.
    """

    rule = models.ForeignKey(Rule, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, default=BatchState.DRAWN_UP)
    manifest = models.CharField(max_length=64, blank=True)
    drawn_up_by = models.CharField(max_length=16)
    drawn_up_at = models.DateTimeField()
    kept_until = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(confirmed_by="") | ~Q(confirmed_by=F("proposed_by")),
                name="nobody_disposes_alone",
            ),
            models.CheckConstraint(
                condition=~Q(
                    state__in=[
                        BatchState.DESTROYING.value,
                        BatchState.ROLLING.value,
                        BatchState.DONE.value,
                    ]
                )
                | (~Q(confirmed_by="") & ~Q(proposed_by="")),
                name="disposed_of_by_two",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organisation", "state"], name="disposal_by_state")
        ]

    def __str__(self) -> str:
        return f"disposal {self.pk}"

    @property
    def sealed_for(self) -> str:
        """Whom or what the sealed columns are about."""
        return f"disposal/{self.ref}"


class BatchItem(models.Model):
    """An entry of a disposal. ``held_back`` where a hold was in the way when its turn came."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="items")
    entry = models.CharField(max_length=32)
    subject = models.CharField(max_length=128)
    kind = models.CharField(max_length=60)
    at = models.DateTimeField()
    left_out = models.BooleanField(default=False)
    held_back = models.BooleanField(default=False)
    gone_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["batch", "entry"], name="disposed_once_per_batch"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["batch", "gone_at"], name="disposal_item_by_gone"),
            models.Index(fields=["entry"], name="disposal_item_by_entry"),
        ]


class Erasure(ByTwo):
    """The erasure of what is kept of a person or of a stranger's post.

    What is searched for, the request's own reference and the reasons are sealed under a subject of
    their own, which is erased with the rest.
    """

    state = models.CharField(max_length=12, default=ErasureState.SEARCHING)
    ground = models.CharField(max_length=24)
    phrases = SealedJSONField(default=list)
    reference = SealedTextField(blank=True)
    exemption = models.CharField(max_length=24, blank=True)
    asked_by = models.CharField(max_length=16)
    asked_at = models.DateTimeField()
    searched_at = models.DateTimeField(null=True)
    trouble = models.TextField(blank=True)
    by_platform = models.BooleanField(default=False)
    found_since = models.PositiveIntegerField(default=0)
    values_left = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(confirmed_by="") | ~Q(confirmed_by=F("proposed_by")),
                name="nobody_erases_alone",
            ),
            # What a platform deleted takes one person: the law asks for no second.
            models.CheckConstraint(
                condition=Q(by_platform=True)
                | ~Q(
                    state__in=[
                        ErasureState.ERASING.value,
                        ErasureState.ROLLING.value,
                        ErasureState.DONE.value,
                    ]
                )
                | (~Q(confirmed_by="") & ~Q(proposed_by="")),
                name="erased_by_two",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organisation", "state"], name="erasure_by_state")
        ]

    def __str__(self) -> str:
        return f"erasure {self.pk}"

    @property
    def sealed_for(self) -> str:
        """Whom or what the sealed columns are about."""
        return f"erasure_case/{self.ref}"


class Match(models.Model):
    """A place that an erasure found, without what it holds."""

    erasure = models.ForeignKey(Erasure, on_delete=models.CASCADE, related_name="matches")
    place = models.CharField(max_length=250)
    subject = models.CharField(max_length=128)
    kind = models.CharField(max_length=60)
    record_class = models.CharField(max_length=20, blank=True)
    at = models.DateTimeField(null=True)
    public = models.BooleanField()
    chosen = models.BooleanField()
    gone_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["erasure", "place"], name="found_once_per_erasure"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["erasure", "chosen", "gone_at"], name="match_by_chosen")
        ]


class Copy(models.Model):
    """A bag that left this desk: what is in it cannot be erased from here."""

    organisation = models.ForeignKey(
        "people.Organisation", on_delete=models.PROTECT, related_name="+"
    )
    bag = models.CharField(max_length=128)
    manifest = models.CharField(max_length=64)
    released_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation", "bag"], name="one_copy_per_bag"),
        ]


class CopyEntry(models.Model):
    """An entry whose words are in a bag that left."""

    copy = models.ForeignKey(Copy, on_delete=models.CASCADE, related_name="entries")
    entry = models.CharField(max_length=32, db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["copy", "entry"], name="one_entry_per_copy"),
        ]
