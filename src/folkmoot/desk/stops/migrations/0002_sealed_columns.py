"""Why publishing was stopped and resumed is sealed. What stood in plain text is sealed here; plain
text in older backups and write-ahead logs stays until these are removed.
"""

from typing import Any

from django.db import migrations

from folkmoot.desk.records.columns import SealedTextField, seal_rows

SEALED: dict[str, dict[str, Any]] = {
    "Stop": {
        "target": SealedTextField(blank=True, default=""),
        "topic": SealedTextField(blank=True, default=""),
        "reason": SealedTextField(default=""),
        "lifted_reason": SealedTextField(blank=True, default=""),
    },
}


def seal_all(apps: Any, _schema_editor: Any) -> None:
    def seal(name: str, subject_of: Any, *needed: str) -> None:
        plain = {column: f"plain_{column}" for column in SEALED[name]}
        seal_rows(apps.get_model("stops", name), plain, subject_of, *needed)

    seal("Stop", lambda row: f"stops/{row['organisation_id']}", "organisation_id")


class Migration(migrations.Migration):
    dependencies = [("stops", "0001_initial"), ("records", "0005_seat_belt")]

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
