"""Tables of the drafts room."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from folkmoot.desk.records.columns import SealedJSONField, SealedTextField

from .lifecycle import DraftKind, DraftState


class Draft(models.Model):
    """A post on its way to being signed. Only :mod:`.steps` writes ``state`` and ``revision``.

    A correction and a removal are posts too: ``kind`` says which this is, and ``about`` names the
    post they are about.
    """

    organisation = models.ForeignKey(
        "people.Organisation", on_delete=models.PROTECT, related_name="+"
    )
    author = models.CharField(max_length=16)
    kind = models.CharField(max_length=12, default=DraftKind.POST)
    about = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="followed")
    state = models.CharField(max_length=20, default=DraftState.DRAFTING)
    revision = models.PositiveIntegerField(default=0)
    version_number = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["state", "due_at"], name="draft_by_due")]

    def __str__(self) -> str:
        return f"post {self.pk}"

    @property
    def subject(self) -> str:
        """The post as the record names it."""
        return f"post/{self.pk}"


def _erased_report() -> dict[str, str]:
    return {"failed": "What the check found was erased, so this post cannot be sent."}


class Version(models.Model):
    """The post as it stood after one save. Never changed; an edit makes the next one.

    ``pictures`` is a list of ``{sha256, media_type, size_bytes, width, height, alt}`` in order;
    ``accounts`` a list of account ids; ``due_at`` is ``None`` for *as soon as it is signed*, else
    the instant that ``wall`` (``2026-11-20T17:55``, as a clock on the wall of ``zone`` shows it)
    was resolved to when it was saved.
    ``urgent`` posts may use the part of a channel's rate that is kept in reserve; ``topic`` is what
    a stop may be about; ``through_stop`` asks to go out although publishing is stopped; ``ground``
    is why a correction or a removal is made.
    ``report`` is the checker's report as JSON, or ``{"failed": sentence}``; ``answers`` maps a
    question's id to ``yes`` or ``no``,
    ``facts`` a fact's name to what the author said of it. ``digest`` is what a sign-off signs.
    """

    draft = models.ForeignKey(Draft, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    by = models.CharField(max_length=16)
    at = models.DateTimeField()
    text = SealedTextField()
    language = models.CharField(max_length=10)
    capacity = models.CharField(max_length=20)
    accounts = models.JSONField()
    pictures = SealedJSONField(default=list)
    due_at = models.DateTimeField(null=True)
    wall = models.CharField(max_length=16, blank=True)
    zone = models.CharField(max_length=60, blank=True)
    window_minutes = models.PositiveIntegerField()
    urgent = models.BooleanField(default=False)
    topic = SealedTextField(blank=True, erased=str)
    through_stop = models.BooleanField(default=False)
    ground = models.CharField(max_length=20, blank=True)
    pack = models.CharField(max_length=120)
    report = SealedJSONField(erased=_erased_report)
    answers = models.JSONField()
    facts = SealedJSONField(default=dict)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["draft", "number"], name="one_version_per_number"),
        ]
        indexes: ClassVar = [models.Index(fields=["due_at"], name="version_by_due")]

    sealed_organisation = "draft__organisation__ref"

    def __str__(self) -> str:
        return f"version {self.number} of {self.draft}"

    @property
    def sealed_for(self) -> str:
        """What its sealed columns are kept under: the post."""
        return f"post/{self.draft_id}"


class Picture(models.Model):
    """A picture somebody added, in the form in which it will go out. The bytes are in a file named
    by their SHA-256, sealed under the same key as its name: whoever erases the one erases both.
    """

    organisation = models.ForeignKey(
        "people.Organisation", on_delete=models.PROTECT, related_name="+"
    )
    sha256 = models.CharField(max_length=64)
    media_type = models.CharField(max_length=30)
    size_bytes = models.PositiveIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    name = SealedTextField()
    added_by = models.CharField(max_length=16)
    added_at = models.DateTimeField()
    # Set when a post with it is about to leave: from then on anyone may see it.
    public = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "sha256"], name="one_picture_per_digest"
            ),
        ]

    sealed_organisation = "organisation__ref"

    def __str__(self) -> str:
        return f"picture {self.sha256}"

    @property
    def sealed_for(self) -> str:
        """What its name and its file are kept under."""
        return picture_subject(self.organisation_id, self.sha256)


def picture_subject(organisation_id: int, sha256: str) -> str:
    """What a picture of an organisation is kept under. Each organisation has its own copy."""
    return f"picture/{organisation_id}/{sha256[:32]}"


class Signoff(models.Model):
    """An approver's decision on one digest. Never changed and never deleted.

    The database itself refuses a sign-off by the one who wrote the version.
    """

    draft = models.ForeignKey(Draft, on_delete=models.PROTECT, related_name="signoffs")
    version_number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    decision = models.CharField(
        max_length=10, choices=[("signed", "signed"), ("sent_back", "sent back")]
    )
    reason = SealedTextField(blank=True)
    accepted = SealedJSONField(default=list)
    author = models.CharField(max_length=16)
    by = models.CharField(max_length=16)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(decision="signed") | ~models.Q(by=models.F("author")),
                name="nobody_signs_their_own_post",
            ),
            models.UniqueConstraint(
                fields=["draft", "version_number"],
                condition=models.Q(decision="signed"),
                name="signed_once_per_version",
            ),
        ]

    sealed_organisation = "draft__organisation__ref"

    def __str__(self) -> str:
        return f"{self.decision} by {self.by}"

    @property
    def sealed_for(self) -> str:
        """What its sealed columns are kept under: the post."""
        return f"post/{self.draft_id}"


class Slot(models.Model):
    """A time of the week at which the organisation likes to post, by the clock of its own zone.

    ``weekday`` counts from Monday, 0; ``clock`` is ``09:00``; without an account it is for all.
    """

    organisation = models.ForeignKey(
        "people.Organisation", on_delete=models.PROTECT, related_name="+"
    )
    weekday = models.PositiveSmallIntegerField()
    clock = models.CharField(max_length=5)
    account = models.ForeignKey(
        "accounts.Account", on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "weekday", "clock", "account"], name="one_slot_per_time"
            ),
            models.UniqueConstraint(
                fields=["organisation", "weekday", "clock"],
                condition=models.Q(account__isnull=True),
                name="one_slot_for_all_per_time",
            ),
        ]

    def __str__(self) -> str:
        return f"slot {self.pk}"


class Series(models.Model):
    """A post that repeats. Its content is that of one version, which never changes.

    The rule is a :class:`~.recurring.Rule`. ``next_on`` is the first of its days that nothing has
    been done about, ``None`` once there is none left; at ``make_at``, ``lead_days`` before, the
    worker makes that day's post.
    """

    organisation = models.ForeignKey(
        "people.Organisation", on_delete=models.PROTECT, related_name="+"
    )
    author = models.CharField(max_length=16)
    source = models.ForeignKey(Draft, on_delete=models.PROTECT, related_name="+")
    version_number = models.PositiveIntegerField()
    every = models.CharField(max_length=20)
    weeks = models.PositiveSmallIntegerField(default=1)
    weekdays = models.JSONField(default=list)
    nth = models.SmallIntegerField(default=1)
    clock = models.CharField(max_length=5)
    zone = models.CharField(max_length=60)
    from_on = models.DateField()
    until_on = models.DateField(null=True)
    count = models.PositiveIntegerField(null=True)
    lead_days = models.PositiveSmallIntegerField(default=3)
    next_on = models.DateField(null=True)
    make_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["make_at"], name="series_by_make_at")]

    def __str__(self) -> str:
        return f"series {self.pk}"


class Occurrence(models.Model):
    """What was done about one day of a series: its post, or why there is none. ``wall`` is the time
    as the clock of the series' zone shows it; there is never a second row for it, so that there is
    never a second post. ``note`` says why the post was not sent for sign-off, or was not made.
    """

    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="occurrences")
    wall = models.CharField(max_length=16)
    draft = models.OneToOneField(
        Draft, on_delete=models.PROTECT, null=True, related_name="occurrence"
    )
    note = SealedTextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["series", "wall"], name="one_post_per_occurrence"),
        ]

    sealed_organisation = "series__organisation__ref"

    def __str__(self) -> str:
        return f"{self.series} at {self.wall}"

    @property
    def sealed_for(self) -> str:
        """What its note is kept under: its post, or, where none was made, the one it repeats."""
        return f"post/{self.draft_id or self.series.source_id}"
