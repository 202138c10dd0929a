"""The plain text and salts of fields go; apart from 0002, since PostgreSQL does not alter a table
that has changes waiting in the same transaction.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("records", "0002_sealed_fields")]

    operations = [
        migrations.RemoveField("fieldvalue", "value"),
        migrations.RemoveField("fieldvalue", "salt"),
        migrations.AlterField("intent", "subject", models.CharField(max_length=128)),
        migrations.AlterField("entry", "retention", models.CharField(max_length=64)),
        migrations.AlterField("fieldvalue", "sealed", models.BinaryField()),
        migrations.AlterField(
            "fieldvalue",
            "key",
            models.ForeignKey(
                "records.SubjectKey",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
            ),
        ),
    ]
