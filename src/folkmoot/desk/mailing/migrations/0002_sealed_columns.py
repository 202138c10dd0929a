"""Who gets the posts by e-mail is sealed under a key for each of them, and what is sent to them
under that of its post. What stood in plain text is sealed here; plain text in older backups and
write-ahead logs stays until these are removed.
"""

from typing import Any

from django.db import migrations, models

from folkmoot.desk.records.columns import SealedBytesField, SealedTextField, seal_rows

SEALED: dict[str, dict[str, Any]] = {
    "MailingList": {
        "trouble": SealedTextField(blank=True, default=""),
    },
    "Subscriber": {
        "address": SealedTextField(blank=True, default=""),
        "note": SealedTextField(blank=True, default=""),
    },
    "Signing": {
        "topic": SealedTextField(blank=True, default=""),
    },
    "Issue": {
        "record": SealedBytesField(default=b""),
        "topic": SealedTextField(blank=True, default=""),
    },
    "Mail": {
        "trouble": SealedTextField(blank=True, default=""),
    },
}


def seal_all(apps: Any, _schema_editor: Any) -> None:
    def seal(name: str, subject_of: Any, *needed: str) -> None:
        plain = {column: f"plain_{column}" for column in SEALED[name]}
        seal_rows(apps.get_model("mailing", name), plain, subject_of, *needed)

    seal("MailingList", lambda row: f"list/{row['pk']}")
    seal("Subscriber", lambda row: f"subscriber/{row['ref']}", "ref")
    seal("Mail", lambda row: f"subscriber/{row['subscriber__ref']}", "subscriber__ref")
    name_posts(apps)
    seal("Signing", lambda row: row["subject"], "subject")
    seal("Issue", lambda row: row["subject"], "subject")


def name_posts(apps: Any) -> None:
    """Say of every issue which post it is."""
    Delivery = apps.get_model("publishing", "Delivery")
    rows = Delivery.objects.filter(account__channel="email")
    posts = {(account, key): draft for account, key, draft in rows.values_list(*OF_POST)}
    for name, account_id in (("Signing", "account_id"), ("Issue", "mailing_list__account_id")):
        table = apps.get_model("mailing", name)
        for pk, account, key in table.objects.values_list("pk", account_id, "key").iterator():
            draft = posts.get((account, key))
            subject = f"issue/{key}" if draft is None else f"post/{draft}"
            table.objects.filter(pk=pk).update(subject=subject)


OF_POST = ("account_id", "key", "draft_id")


class Migration(migrations.Migration):
    dependencies = [
        ("mailing", "0001_initial"),
        ("publishing", "0002_watch_and_removals"),
        ("records", "0005_seat_belt"),
    ]

    operations = [
        migrations.AddField("signing", "subject", models.CharField(max_length=128, default="")),
        migrations.AddField("issue", "subject", models.CharField(max_length=128, default="")),
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
