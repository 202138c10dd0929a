"""The plain columns go; apart from 0002, since PostgreSQL does not alter a table that has changes
waiting in the same transaction.
"""

from importlib import import_module

from django.db import migrations, models

from folkmoot.desk.records.columns import SealedBytesField, SealedTextField

before = import_module("folkmoot.desk.mailing.migrations.0002_sealed_columns")


class Migration(migrations.Migration):
    dependencies = [("mailing", "0002_sealed_columns")]

    operations = [
        *(
            migrations.RemoveField(model, f"plain_{name}")
            for model, columns in before.SEALED.items()
            for name in columns
        ),
        migrations.AlterField("mailinglist", "trouble", SealedTextField(blank=True)),
        migrations.AlterField("subscriber", "address", SealedTextField(blank=True)),
        migrations.AlterField("subscriber", "note", SealedTextField(blank=True)),
        migrations.AlterField("signing", "topic", SealedTextField(blank=True)),
        migrations.AlterField("issue", "record", SealedBytesField()),
        migrations.AlterField("issue", "topic", SealedTextField(blank=True)),
        migrations.AlterField("mail", "trouble", SealedTextField(blank=True)),
        migrations.AlterField("signing", "subject", models.CharField(max_length=128)),
        migrations.AlterField("issue", "subject", models.CharField(max_length=128)),
    ]
