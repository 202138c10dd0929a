"""The plain columns go; apart from 0003, since PostgreSQL does not alter a table that has changes
waiting in the same transaction.
"""

from importlib import import_module

from django.db import migrations, models

from folkmoot.desk.records.columns import SealedBytesField, SealedTextField

before = import_module("folkmoot.desk.accounts.migrations.0003_sealed_columns")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_sealed_columns")]

    operations = [
        *(
            migrations.RemoveField(model, f"plain_{name}")
            for model, columns in before.SEALED.items()
            for name in columns
        ),
        migrations.AlterField("account", "trouble", SealedTextField(blank=True)),
        migrations.AlterField("trouble", "sentence", SealedTextField()),
        migrations.AlterField("shelfitem", "record", SealedBytesField()),
        migrations.AlterField("shelfitem", "subject", models.CharField(max_length=128)),
    ]
