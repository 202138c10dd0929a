"""Tables of the mailing room."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from folkmoot.desk.records.columns import SealedBytesField, SealedTextField
from folkmoot.desk.refs import new_ref

from .lifecycle import MailState, SubscriberState


class MailingList(models.Model):
    """An account's list of subscribers. ``trouble`` is why nothing can be handed over just now, and
    ``next_try_at`` when that is tried again.
    """

    account = models.OneToOneField("accounts.Account", on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(
        "people.Organisation", on_delete=models.PROTECT, related_name="+"
    )
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    trouble = SealedTextField(blank=True)
    next_try_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation"],
                condition=Q(closed_at__isnull=True),
                name="one_open_list_per_body",
            ),
        ]

    sealed_organisation = "organisation__ref"

    def __str__(self) -> str:
        return f"list {self.pk}"

    @property
    def sealed_for(self) -> str:
        """What its trouble is kept under."""
        return f"list/{self.pk}"


class Subscriber(models.Model):
    """Somebody who asked for the posts. Only :mod:`.steps` writes ``state``.

    ``address`` is forgotten when they leave; ``mark`` is a keyed digest of it, so that a link in an
    old e-mail still ends what was asked for later. ``asked`` counts how often they asked, and each
    asking has a link of its own. ``bounces`` counts issues in a row that the address did not take.
    Nothing outside this table names a subscriber but by ``ref``.
    """

    mailing_list = models.ForeignKey(
        MailingList, on_delete=models.PROTECT, related_name="subscribers"
    )
    ref = models.CharField(max_length=16, unique=True, default=new_ref, editable=False)
    address = SealedTextField(blank=True, erased=str)
    mark = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=10, default=SubscriberState.ASKED)
    asked = models.PositiveIntegerField(default=1)
    asked_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)
    left_by = models.CharField(
        max_length=10,
        blank=True,
        choices=[
            ("link", "the link in an e-mail"),
            ("program", "their mail program"),
            ("silence", "not confirming"),
            ("staff", "asking us"),
        ],
    )
    bounces = models.PositiveIntegerField(default=0)
    note = SealedTextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["mailing_list", "mark"],
                condition=~Q(state=SubscriberState.LEFT.value),
                name="one_subscriber_per_address",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["mailing_list", "state"], name="subscriber_by_state"),
        ]

    sealed_organisation = "mailing_list__organisation__ref"

    def __str__(self) -> str:
        return f"subscriber {self.ref}"

    @property
    def sealed_for(self) -> str:
        """What is known of them is kept under a key of their own."""
        return f"subscriber/{self.ref}"


class Signing(models.Model):
    """What a stop looks at in the issue that is about to be put out under ``key``, and ``subject``,
    the post that it is, as the rooms above name it.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=128)
    subject = models.CharField(max_length=128)
    topic = SealedTextField(blank=True)
    signed_at = models.DateTimeField(null=True)
    by_duty = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "key"], name="one_signing_per_key"),
        ]

    sealed_organisation = "account__organisation__ref"

    @property
    def sealed_for(self) -> str:
        """What its topic is kept under: the post."""
        return self.subject


class Issue(models.Model):
    """A post that goes out by e-mail. ``record`` is its entry, as it stands on its web page; it is
    empty once it was erased. ``subject`` is the post, as the rooms above name it.

    After ``not_after`` no e-mail of it is handed over any more. ``topic``, ``signed_at`` and
    ``by_duty`` are those of its :class:`Signing`.
    """

    mailing_list = models.ForeignKey(MailingList, on_delete=models.PROTECT, related_name="issues")
    key = models.CharField(max_length=128)
    subject = models.CharField(max_length=128)
    record = SealedBytesField()
    at = models.DateTimeField()
    not_after = models.DateTimeField()
    recipients = models.PositiveIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)
    topic = SealedTextField(blank=True)
    signed_at = models.DateTimeField(null=True)
    by_duty = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["mailing_list", "key"], name="one_issue_per_key"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["mailing_list", "-at"], name="issues_newest_first"),
        ]

    sealed_organisation = "mailing_list__organisation__ref"

    def __str__(self) -> str:
        return f"issue {self.key}"

    @property
    def sealed_for(self) -> str:
        """What its sealed columns are kept under: the post."""
        return self.subject


class Mail(models.Model):
    """One e-mail to one subscriber: of an issue, or, without one, to ask whether they want them.

    Only :mod:`.steps` writes ``state`` and ``attempt``. ``reference`` names it for ever, and is in
    its Message-ID. ``begun_at`` is when it was last being handed over, ``remote_id`` what whoever
    took it calls it, and ``settled_by`` who decided about it where no machine could.
    """

    mailing_list = models.ForeignKey(MailingList, on_delete=models.PROTECT, related_name="mails")
    issue = models.ForeignKey(Issue, on_delete=models.PROTECT, null=True, related_name="mails")
    subscriber = models.ForeignKey(Subscriber, on_delete=models.PROTECT, related_name="mails")
    asked = models.PositiveIntegerField(default=0)
    reference = models.CharField(max_length=32, unique=True)
    state = models.CharField(max_length=10, default=MailState.QUEUED)
    attempt = models.PositiveIntegerField(default=0)
    not_after = models.DateTimeField()
    next_try_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    begun_at = models.DateTimeField(null=True)
    handed_at = models.DateTimeField(null=True)
    remote_id = models.CharField(max_length=60, blank=True)
    trouble = SealedTextField(blank=True)
    settled_by = models.CharField(max_length=16, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["issue", "subscriber"],
                condition=Q(issue__isnull=False),
                name="one_mail_per_recipient",
            ),
            models.UniqueConstraint(
                fields=["subscriber", "asked"],
                condition=Q(issue__isnull=True),
                name="one_mail_per_asking",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["mailing_list", "state", "next_try_at"], name="mail_owed"),
            models.Index(fields=["issue", "state"], name="mail_by_issue"),
            models.Index(
                fields=["mailing_list", "begun_at"],
                condition=Q(begun_at__isnull=False),
                name="mail_begun",
            ),
        ]

    sealed_organisation = "mailing_list__organisation__ref"

    def __str__(self) -> str:
        return f"mail {self.reference}"

    @property
    def sealed_for(self) -> str:
        """What its trouble is kept under: whom it is for, since servers quote addresses."""
        return self.subscriber.sealed_for
