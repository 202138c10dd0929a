"""The plain columns go; apart from 0002, since PostgreSQL does not alter a table that has changes
waiting in the same transaction.
"""

from importlib import import_module

from django.db import migrations

from folkmoot.desk.records.columns import SealedTextField

before = import_module("folkmoot.desk.stops.migrations.0002_sealed_columns")


class Migration(migrations.Migration):
    dependencies = [("stops", "0002_sealed_columns")]

    operations = [
        *(
            migrations.RemoveField(model, f"plain_{name}")
            for model, columns in before.SEALED.items()
            for name in columns
        ),
        migrations.AlterField("stop", "target", SealedTextField(blank=True)),
        migrations.AlterField("stop", "topic", SealedTextField(blank=True)),
        migrations.AlterField("stop", "reason", SealedTextField()),
        migrations.AlterField("stop", "lifted_reason", SealedTextField(blank=True)),
    ]
