"""What is sent, and what channels answer, is sealed under the key of its post, and strangers' posts
under keys of their own. What stood in plain text is sealed here; plain text in older backups and
write-ahead logs stays until these are removed.
"""

import secrets
from typing import Any

from django.db import migrations, models

from folkmoot.desk.records.columns import SealedBytesField, SealedTextField, seal_rows

SEALED: dict[str, dict[str, Any]] = {
    "Delivery": {
        "memo": SealedTextField(blank=True, default=""),
        "request": SealedBytesField(null=True),
        "trouble": SealedTextField(blank=True, default=""),
        "read_back_note": SealedTextField(blank=True, default=""),
    },
    "Attempt": {
        "detail": SealedTextField(blank=True, default=""),
    },
    "Ahead": {
        "memo": SealedTextField(blank=True, default=""),
        "trouble": SealedTextField(blank=True, default=""),
    },
    "Watch": {
        "trouble": SealedTextField(blank=True, default=""),
    },
    "Alarm": {
        "url": SealedTextField(blank=True, default=""),
        "text": SealedTextField(blank=True, default=""),
        "note": SealedTextField(blank=True, default=""),
    },
}


def seal_all(apps: Any, _schema_editor: Any) -> None:
    def seal(name: str, subject_of: Any, *needed: str) -> None:
        plain = {column: f"plain_{column}" for column in SEALED[name]}
        seal_rows(apps.get_model("publishing", name), plain, subject_of, *needed)

    name_alarms(apps)
    seal("Delivery", lambda row: f"post/{row['draft_id']}", "draft_id")
    seal("Attempt", lambda row: f"post/{row['delivery__draft_id']}", "delivery__draft_id")
    seal("Ahead", lambda row: f"post/{row['draft_id']}", "draft_id")
    seal("Watch", lambda row: f"account/{row['account_id']}", "account_id")
    seal("Alarm", alarm_subject, "ref", "delivery__draft_id")


def alarm_subject(row: dict[str, Any]) -> str:
    post = row["delivery__draft_id"]
    return f"alarm/{row['ref']}" if post is None else f"post/{post}"


def name_alarms(apps: Any) -> None:
    Alarm = apps.get_model("publishing", "Alarm")
    for pk in Alarm.objects.values_list("pk", flat=True).iterator():
        Alarm.objects.filter(pk=pk).update(ref=secrets.token_hex(8))


class Migration(migrations.Migration):
    dependencies = [("publishing", "0002_watch_and_removals"), ("records", "0005_seat_belt")]

    operations = [
        migrations.AddField("alarm", "ref", models.CharField(max_length=16, default="")),
        *(
            operation
            for model, columns in SEALED.items()
            for name, column in columns.items()
            for operation in (
                migrations.RenameField(model, name, f"plain_{name}"),
                migrations.AddField(model, name, column),
            )
        ),
        migrations.RunPython(seal_all, elidable=False),
    ]
