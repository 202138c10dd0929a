"""The plain columns go; apart from 0003, since PostgreSQL does not alter a table that has changes
waiting in the same transaction.
"""

from importlib import import_module

from django.db import migrations, models

from folkmoot.desk.refs import new_ref
from folkmoot.desk.records.columns import SealedBytesField, SealedTextField

before = import_module("folkmoot.desk.publishing.migrations.0003_sealed_columns")


class Migration(migrations.Migration):
    dependencies = [("publishing", "0003_sealed_columns")]

    operations = [
        *(
            migrations.RemoveField(model, f"plain_{name}")
            for model, columns in before.SEALED.items()
            for name in columns
        ),
        migrations.AlterField("delivery", "memo", SealedTextField(blank=True)),
        migrations.AlterField("delivery", "trouble", SealedTextField(blank=True)),
        migrations.AlterField("delivery", "read_back_note", SealedTextField(blank=True)),
        migrations.AlterField("attempt", "detail", SealedTextField(blank=True)),
        migrations.AlterField("ahead", "memo", SealedTextField(blank=True)),
        migrations.AlterField("ahead", "trouble", SealedTextField(blank=True)),
        migrations.AlterField("watch", "trouble", SealedTextField(blank=True)),
        migrations.AlterField("alarm", "url", SealedTextField(blank=True)),
        migrations.AlterField("alarm", "text", SealedTextField(blank=True)),
        migrations.AlterField("alarm", "note", SealedTextField(blank=True)),
        migrations.AlterField(
            "alarm",
            "ref",
            models.CharField(default=new_ref, editable=False, max_length=16, unique=True),
        ),
    ]
