"""The plain columns go; apart from 0002, since PostgreSQL does not alter a table that has changes
waiting in the same transaction.
"""

from django.core.validators import MaxLengthValidator, validate_email
from django.db import migrations, models

from folkmoot.desk.records.columns import SealedTextField


class Migration(migrations.Migration):
    dependencies = [("people", "0002_sealed_columns")]

    operations = [
        migrations.RemoveField("member", "plain_email"),
        migrations.RemoveField("member", "plain_name"),
        migrations.AlterField(
            "member",
            "email",
            SealedTextField(validators=[validate_email, MaxLengthValidator(254)]),
        ),
        migrations.AlterField(
            "member", "name", SealedTextField(validators=[MaxLengthValidator(120)])
        ),
        migrations.AlterField(
            "member",
            "email_mark",
            models.CharField(
                max_length=64,
                unique=True,
                editable=False,
                error_messages={"unique": "A member with this e-mail address already exists."},
            ),
        ),
    ]
