"""Tables of the room releases. Only :mod:`.steps` writes a state."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from folkmoot.desk.records.columns import SealedJSONField, SealedTextField
from folkmoot.desk.refs import new_ref

from .lifecycle import BagState, RequestState
from .regimes import PauseKind, Regime
from .workdays import Nation


class Request(models.Model):
    """Somebody asks for information. Who they are and what they wrote is sealed under the request's
    own key.

    ``scope`` is what is looked for, as :mod:`.scope` reads it. ``prepared_by`` sent the release to
    its second reader and ``read_by`` agreed: the database refuses a release that one person alone
    saw to. ``hold`` names the hold that keeps what was asked for from being destroyed.
    """

    ref = models.CharField(max_length=16, unique=True, default=new_ref, editable=False)
    organisation = models.ForeignKey(
        "people.Organisation", on_delete=models.PROTECT, related_name="+"
    )
    regime = models.CharField(max_length=8, choices=[(str(one), str(one)) for one in Regime])
    nation = models.CharField(max_length=10, default=Nation.ENGLAND)
    channel = models.CharField(max_length=12)
    received_on = models.DateField()
    asked_for_on = models.DateField(null=True)
    requester = SealedTextField(blank=True)
    words = SealedTextField()
    scope = SealedJSONField(default=dict)
    state = models.CharField(max_length=16, default=RequestState.RECEIVED)
    revision = models.PositiveIntegerField(default=0)
    extended_at = models.DateTimeField(null=True)
    extended_reason = SealedTextField(blank=True)
    prepared_by = models.CharField(max_length=16, blank=True)
    read_by = models.CharField(max_length=16, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    hold = models.CharField(max_length=40, blank=True)
    made_by = models.CharField(max_length=16)
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    closed_on = models.DateField(null=True)
    outcome = SealedTextField(blank=True)

    sealed_organisation = "organisation__ref"

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(state__in=[RequestState.AGREED, RequestState.RELEASED])
                | (~models.Q(read_by="") & ~models.Q(read_by=models.F("prepared_by"))),
                name="request_answered_by_two",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organisation", "state"], name="request_by_state")
        ]

    def __str__(self) -> str:
        return f"request {self.pk}"

    @property
    def subject(self) -> str:
        """The request as the record names it."""
        return f"request/{self.ref}"

    @property
    def sealed_for(self) -> str:
        """Whom its sealed columns are kept under."""
        return self.subject


class Waiting(models.Model):
    """We asked whoever asked for something, and wait or waited for it."""

    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="waits")
    kind = models.CharField(max_length=14, choices=[(str(one), str(one)) for one in PauseKind])
    from_on = models.DateField()
    until_on = models.DateField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["request"],
                condition=models.Q(until_on=None),
                name="one_thing_asked_at_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(until_on=None) | models.Q(until_on__gte=models.F("from_on")),
                name="answered_after_it_was_asked",
            ),
        ]


class Ground(models.Model):
    """An exemption as it is used in one release, with its reason."""

    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="grounds")
    exemption = models.CharField(max_length=40)
    reason = SealedTextField(blank=True)

    sealed_organisation = "request__organisation__ref"

    @property
    def sealed_for(self) -> str:
        """Whom its sealed column is kept under."""
        return self.request.subject


class Decision(models.Model):
    """One field of one chosen entry, and what is decided about it. There is a row for each field
    that could be read when its entry was chosen; none is released but by a decision.

    ``suggested`` is what the program makes of it: a word of :mod:`.suggesting`, never any text.
    """

    UNDECIDED, RELEASED, WITHHELD = "undecided", "released", "withheld"

    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="decisions")
    entry_id = models.CharField(max_length=32)
    kind = models.CharField(max_length=60)
    label = models.CharField(max_length=64)
    verdict = models.CharField(max_length=10, default=UNDECIDED)
    ground = models.ForeignKey(Ground, on_delete=models.PROTECT, null=True, related_name="+")
    suggested = models.CharField(max_length=16, blank=True)
    by = models.CharField(max_length=16, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["request", "entry_id", "label"], name="one_decision_per_field"
            ),
            models.CheckConstraint(
                condition=(models.Q(verdict="withheld") & models.Q(ground__isnull=False))
                | (models.Q(verdict__in=["undecided", "released"]) & models.Q(ground=None)),
                name="withheld_on_a_ground",
            ),
            models.CheckConstraint(
                condition=models.Q(verdict="undecided") | ~models.Q(by=""),
                name="decided_by_somebody",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["request", "kind", "label"], name="decision_by_label")
        ]


class Chosen(models.Model):
    """An entry that belongs to what was asked for."""

    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="chosen")
    entry_id = models.CharField(max_length=32)
    by = models.CharField(max_length=16)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["request", "entry_id"], name="chosen_once"),
        ]


class Reading(models.Model):
    """What a second reader made of a release. Never changed and never deleted; the database itself
    refuses an agreement by the one who prepared it.
    """

    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="readings")
    digest = models.CharField(max_length=64)
    decision = models.CharField(
        max_length=10, choices=[("agreed", "agreed"), ("sent_back", "sent back")]
    )
    reason = SealedTextField(blank=True)
    prepared_by = models.CharField(max_length=16)
    by = models.CharField(max_length=16)
    at = models.DateTimeField()

    sealed_organisation = "request__organisation__ref"

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(decision="agreed") | ~models.Q(by=models.F("prepared_by")),
                name="nobody_reads_their_own_release",
            ),
        ]

    @property
    def sealed_for(self) -> str:
        """Whom its sealed column is kept under."""
        return self.request.subject


class Bag(models.Model):
    """Entries to be handed out, or handed out, as a file. The file is kept sealed under a key of
    its own, so that destroying the key destroys the copy.

    ``purpose`` says what goes in: ``release`` what a request's decisions release, ``transfer`` all
    of it (to an archive, or to keep), ``public`` what is on the register already. But for the last,
    two people must agree: the database refuses one that one person alone saw to.
    """

    ref = models.CharField(max_length=16, unique=True, default=new_ref, editable=False)
    organisation = models.ForeignKey(
        "people.Organisation", on_delete=models.PROTECT, related_name="+"
    )
    request = models.ForeignKey(Request, on_delete=models.PROTECT, null=True, related_name="bags")
    purpose = models.CharField(
        max_length=8,
        choices=[("release", "release"), ("transfer", "transfer"), ("public", "public")],
    )
    title = SealedTextField()
    about = SealedTextField(blank=True)
    scope = SealedJSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=10, default=BagState.PROPOSED)
    revision = models.PositiveIntegerField(default=0)
    proposed_by = models.CharField(max_length=16)
    proposed_at = models.DateTimeField()
    agreed_by = models.CharField(max_length=16, blank=True)
    agreed_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True)
    trouble = models.TextField(blank=True)
    entries = models.PositiveIntegerField(default=0)
    withheld = models.PositiveIntegerField(default=0)
    media = models.PositiveIntegerField(default=0)
    captures = models.PositiveIntegerField(default=0)
    size_bytes = models.PositiveBigIntegerField(default=0)
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    key_number = models.PositiveBigIntegerField(null=True)
    # When what is in it was read: something that was erased since may stand in it.
    taken_at = models.DateTimeField(null=True)
    ready_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    sealed_organisation = "organisation__ref"

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(purpose="public")
                | models.Q(state__in=[BagState.PROPOSED, BagState.REMOVED])
                | (~models.Q(agreed_by="") & ~models.Q(agreed_by=models.F("proposed_by"))),
                name="bag_by_two",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "next_try_at"], name="bag_owed"),
        ]

    def __str__(self) -> str:
        return f"bag {self.pk}"

    @property
    def subject(self) -> str:
        """The bag as the record names it."""
        return f"bag/{self.ref}"

    @property
    def sealed_for(self) -> str:
        """Whom its sealed columns are kept under."""
        return self.subject


class BagEntry(models.Model):
    """That a bag holds an entry: how copies are found when something must be erased."""

    bag = models.ForeignKey(Bag, on_delete=models.PROTECT, related_name="held")
    entry_id = models.CharField(max_length=32, db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bag", "entry_id"], name="in_a_bag_once"),
        ]
