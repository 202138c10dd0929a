"""What channels answer is sealed under the key of its account, and what stands on the desk's own
channels under that of its post. What stood in plain text is sealed here; plain text in older
backups and write-ahead logs stays until these are removed.
"""

from typing import Any

from django.db import migrations, models

from folkmoot.desk.records.columns import SealedBytesField, SealedTextField, seal_rows

SEALED: dict[str, dict[str, Any]] = {
    "Account": {
        "trouble": SealedTextField(blank=True, default=""),
    },
    "Trouble": {
        "sentence": SealedTextField(default=""),
    },
    "ShelfItem": {
        "record": SealedBytesField(default=b""),
    },
}


def seal_all(apps: Any, _schema_editor: Any) -> None:
    def seal(name: str, subject_of: Any, *needed: str) -> None:
        plain = {column: f"plain_{column}" for column in SEALED[name]}
        seal_rows(apps.get_model("accounts", name), plain, subject_of, *needed)

    seal("Account", lambda row: f"account/{row['pk']}")
    seal("Trouble", lambda row: f"account/{row['account_id']}", "account_id")
    name_posts(apps)
    seal("ShelfItem", lambda row: row["subject"], "subject")


def name_posts(apps: Any) -> None:
    """Say of everything on a shelf which post it is; what takes one down is with what it took."""
    Delivery = apps.get_model("publishing", "Delivery")
    rows = Delivery.objects.filter(account__channel__in=["atom", "practice"], removes=None)
    posts = {(account, key): draft for account, key, draft in rows.values_list(*OF_POST)}
    ShelfItem = apps.get_model("accounts", "ShelfItem")
    for pk, account, key in ShelfItem.objects.values_list("pk", "account_id", "key").iterator():
        draft = posts.get((account, key.removesuffix("-removed")))
        subject = f"account/{account}" if draft is None else f"post/{draft}"
        ShelfItem.objects.filter(pk=pk).update(subject=subject)


OF_POST = ("account_id", "key", "draft_id")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_two_people"),
        ("publishing", "0002_watch_and_removals"),
        ("records", "0005_seat_belt"),
    ]

    operations = [
        migrations.AddField("shelfitem", "subject", models.CharField(max_length=128, default="")),
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
