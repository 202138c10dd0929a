"""Whom notices go to, and what they say, is sealed under a key for each of them. What stood in
plain text is sealed here; plain text in older backups and write-ahead logs stays until these are
removed.
"""

from typing import Any

from django.db import migrations

from folkmoot.desk.records.columns import SealedTextField, seal_rows

SEALED: dict[str, dict[str, Any]] = {
    "Target": {
        "name": SealedTextField(default=""),
        "address": SealedTextField(blank=True, default=""),
        "trouble": SealedTextField(blank=True, default=""),
    },
    "Telling": {
        "what": SealedTextField(default=""),
        "do": SealedTextField(default=""),
        "trouble": SealedTextField(blank=True, default=""),
    },
}


def seal_all(apps: Any, _schema_editor: Any) -> None:
    def seal(name: str, subject_of: Any, *needed: str) -> None:
        plain = {column: f"plain_{column}" for column in SEALED[name]}
        seal_rows(apps.get_model("notices", name), plain, subject_of, *needed)

    seal("Target", lambda row: f"notice_target/{row['ref']}", "ref")
    seal("Telling", lambda row: f"notice_target/{row['target__ref']}", "target__ref")


class Migration(migrations.Migration):
    dependencies = [("notices", "0001_what_needs_a_person"), ("records", "0005_seat_belt")]

    operations = [
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
