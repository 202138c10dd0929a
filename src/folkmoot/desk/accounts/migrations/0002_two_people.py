"""Accounts are connected by two people, and sealed so that only the worker can open what they hold."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q
from django.utils import timezone

OWN = ("atom", "practice")


def state_where_each_stands(apps: Any, schema_editor: Any) -> None:
    """The desk's own channels are connected. Others were connected by one person, under a sealing
    that nothing opens any more: they are connected anew, by two."""
    account = apps.get_model("accounts", "Account")
    open_ = account.objects.filter(disconnected_at=None)
    open_.filter(channel__in=OWN).update(state="connected")
    open_.exclude(channel__in=OWN).update(disconnected_at=timezone.now())
    gone = account.objects.exclude(disconnected_at=None)
    gone.update(state="disconnected", secret="", tokens="")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.RemoveConstraint("account", "one_account_per_handle"),
        migrations.RenameField("account", "session", "tokens"),
        migrations.AlterField("account", "server", models.CharField(blank=True, max_length=300)),
        migrations.AlterField(
            "account", "connected_by", models.CharField(blank=True, max_length=16)
        ),
        migrations.AddField(
            "account", "state", models.CharField(default="proposed", max_length=12)
        ),
        migrations.AddField("account", "settings", models.JSONField(default=dict)),
        migrations.AddField("account", "grant", models.TextField(blank=True, default=""), False),
        migrations.AddField(
            "account",
            "replaces",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="proposals",
                to="accounts.account",
            ),
        ),
        migrations.AddField(
            "account",
            "confirmed_by",
            models.CharField(blank=True, default="", max_length=16),
            False,
        ),
        migrations.AddField("account", "confirmed_at", models.DateTimeField(null=True)),
        migrations.AddField("account", "diagnose_asked_at", models.DateTimeField(null=True)),
        migrations.AddField("account", "diagnosed_at", models.DateTimeField(null=True)),
        migrations.AddField("account", "sign_in_ends_at", models.DateTimeField(null=True)),
        migrations.AddField("account", "watched_at", models.DateTimeField(null=True)),
        migrations.CreateModel(
            name="Trouble",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("sentence", models.TextField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="troubles",
                        to="accounts.account",
                    ),
                ),
            ],
        ),
        migrations.RunPython(state_where_each_stands, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            "account",
            models.UniqueConstraint(
                condition=Q(state="connected"),
                fields=("organisation", "channel", "server", "handle"),
                name="one_account_per_handle",
            ),
        ),
        migrations.AddConstraint(
            "account",
            models.UniqueConstraint(
                condition=Q(state="proposed"),
                fields=("organisation", "channel", "server", "handle"),
                name="one_proposal_per_handle",
            ),
        ),
        migrations.AddConstraint(
            "account",
            models.CheckConstraint(
                condition=Q(
                    ("confirmed_by", ""), ~Q(confirmed_by=F("connected_by")), _connector="OR"
                ),
                name="nobody_confirms_their_own",
            ),
        ),
        migrations.AddConstraint(
            "account",
            models.CheckConstraint(
                condition=Q(
                    ~Q(state="connected"),
                    ("channel__in", OWN),
                    ~Q(confirmed_by=""),
                    _connector="OR",
                ),
                name="connected_by_two",
            ),
        ),
    ]
