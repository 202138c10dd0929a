"""Values of fields are sealed under the key of their subject. Those that stood in plain text are
sealed here; plain text in older backups and write-ahead logs stays until these are removed.
"""

import json
from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.migrations.exceptions import IrreversibleError
from django.utils import timezone


def seal_all(apps: Any, _schema_editor: Any) -> None:
    from folkmoot.desk.records import keys
    from folkmoot.ledger import SubjectKey

    FieldValue = apps.get_model("records", "FieldValue")
    Key = apps.get_model("records", "SubjectKey")
    Epoch = apps.get_model("records", "Epoch")
    subjects = {}
    for name in ("Entry", "Intent"):
        table = apps.get_model("records", name)
        for row in table.objects.iterator():
            leaf = json.loads(row.leaf)
            subjects[row.entry_id] = leaf["subject"]
            if name == "Intent":
                row.subject = leaf["subject"]
                row.save(update_fields=["subject"])
            else:
                row.retention = leaf["retention"]
                row.save(update_fields=["retention"])
    if not FieldValue.objects.exists():
        return
    now = timezone.now()
    epochs = keys.read_epochs()
    Epoch.objects.create(number=epochs.newest, begun_at=now)
    held = {}
    for value in FieldValue.objects.order_by("pk").iterator():
        subject = subjects.get(value.entry_id, "lost")
        if subject not in held:
            key = SubjectKey.generate()
            epoch, wrapped = epochs.wrap(key, subject)
            row = Key.objects.create(subject=subject, epoch=epoch, wrapped=wrapped, made_at=now)
            held[subject] = (row.pk, key)
        value.key_id, key = held[subject]
        value.sealed = keys.seal(
            key,
            f"{value.entry_id}/{value.label}",
            bytes.fromhex(value.salt) + value.value.encode(),
        )
        value.save(update_fields=["key_id", "sealed"])


def refuse_unless_empty(apps: Any, _schema_editor: Any) -> None:
    """Only a record without fields goes back: their plain text is nowhere any more."""
    if apps.get_model("records", "FieldValue").objects.exists():
        raise IrreversibleError("The fields of the record were sealed; this cannot be undone.")


class Migration(migrations.Migration):
    dependencies = [("records", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="SubjectKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("subject", models.CharField(max_length=128)),
                ("epoch", models.PositiveIntegerField()),
                ("wrapped", models.BinaryField()),
                ("made_at", models.DateTimeField()),
                ("destroyed_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Epoch",
            fields=[
                ("number", models.PositiveIntegerField(primary_key=True, serialize=False)),
                ("begun_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                ("destroyed_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddIndex(
            model_name="subjectkey",
            index=models.Index(fields=["epoch"], name="subject_key_by_epoch"),
        ),
        migrations.AddConstraint(
            model_name="subjectkey",
            constraint=models.UniqueConstraint(
                condition=models.Q(("destroyed_at", None)),
                fields=("subject",),
                name="one_live_key_per_subject",
            ),
        ),
        migrations.AddField("intent", "subject", models.CharField(max_length=128, default="")),
        migrations.AlterField("entry", "subject", models.CharField(max_length=128)),
        migrations.AddField("entry", "retention", models.CharField(max_length=64, default="")),
        migrations.AlterField("fieldvalue", "label", models.CharField(max_length=64)),
        migrations.AddField("fieldvalue", "erased_at", models.DateTimeField(null=True)),
        migrations.AddField("fieldvalue", "sealed", models.BinaryField(default=b"")),
        migrations.AddField(
            "fieldvalue",
            "key",
            models.ForeignKey(
                "records.SubjectKey",
                on_delete=django.db.models.deletion.PROTECT,
                null=True,
                related_name="+",
            ),
        ),
        migrations.RunPython(seal_all, refuse_unless_empty),
    ]
