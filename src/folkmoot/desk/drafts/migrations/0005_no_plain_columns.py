"""The plain columns and the plain files of pictures go; apart from 0004, since PostgreSQL does not
alter a table that has changes waiting in the same transaction, and no file may go before what
replaces it is kept for good.
"""

from importlib import import_module
from typing import Any

from django.db import migrations

from folkmoot.desk.records.columns import SealedJSONField, SealedTextField

before = import_module("folkmoot.desk.drafts.migrations.0004_sealed_columns")


def remove_plain_files(apps: Any, _schema_editor: Any) -> None:
    rows = apps.get_model("drafts", "Picture").objects.values(
        "organisation_id", "sha256", "media_type"
    )
    for row in rows.iterator():
        old, new = before.paths(row)
        if new.exists():
            old.unlink(missing_ok=True)


class Migration(migrations.Migration):
    dependencies = [("drafts", "0004_sealed_columns")]

    operations = [
        *(
            migrations.RemoveField(model, f"plain_{name}")
            for model, columns in before.SEALED.items()
            for name in columns
        ),
        migrations.AlterField("version", "text", SealedTextField()),
        migrations.AlterField("version", "topic", SealedTextField(blank=True)),
        migrations.AlterField("version", "report", SealedJSONField()),
        migrations.AlterField("signoff", "reason", SealedTextField(blank=True)),
        migrations.AlterField("occurrence", "note", SealedTextField(blank=True)),
        migrations.AlterField("picture", "name", SealedTextField()),
        migrations.RunPython(remove_plain_files, elidable=False),
    ]
