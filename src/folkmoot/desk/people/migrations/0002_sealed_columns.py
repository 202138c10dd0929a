"""Members' names and e-mail addresses are sealed under a key for each of them, and an address is
looked up by its mark. What stood in plain text is sealed here; plain text in older backups and
write-ahead logs stays until these are removed.
"""

from typing import Any

from django.core.validators import MaxLengthValidator, validate_email
from django.db import migrations, models

from folkmoot.desk.people.marks import mark_of
from folkmoot.desk.records.columns import SealedTextField, seal_rows


def seal_all(apps: Any, _schema_editor: Any) -> None:
    Member = apps.get_model("people", "Member")
    plain = {"email": "plain_email", "name": "plain_name"}
    seal_rows(Member, plain, lambda row: f"member/{row['ref']}", "ref")
    for pk, email in Member.objects.values_list("pk", "plain_email").iterator():
        Member.objects.filter(pk=pk).update(email_mark=mark_of(email))


class Migration(migrations.Migration):
    dependencies = [("people", "0001_initial"), ("records", "0005_seat_belt")]

    operations = [
        migrations.RenameField("member", "email", "plain_email"),
        migrations.RenameField("member", "name", "plain_name"),
        migrations.AddField(
            "member",
            "email",
            SealedTextField(default="", validators=[validate_email, MaxLengthValidator(254)]),
        ),
        migrations.AddField(
            "member", "name", SealedTextField(default="", validators=[MaxLengthValidator(120)])
        ),
        migrations.AddField("member", "email_mark", models.CharField(max_length=64, default="")),
        migrations.RunPython(seal_all, elidable=False),
    ]
