"""What people write in this room is sealed under the key of its post, and pictures under their own.
What stood in plain text is sealed here; plain text in older backups and write-ahead logs stays
until these are removed.
"""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import migrations

from folkmoot.desk.records.columns import (
    SealedJSONField,
    SealedTextField,
    seal_file,
    seal_rows,
)

SEALED: dict[str, dict[str, Any]] = {
    "Version": {
        "text": SealedTextField(default=""),
        "topic": SealedTextField(blank=True, default=""),
        "pictures": SealedJSONField(default=list),
        "report": SealedJSONField(default=dict),
        "facts": SealedJSONField(default=dict),
    },
    "Signoff": {
        "reason": SealedTextField(blank=True, default=""),
        "accepted": SealedJSONField(default=list),
    },
    "Occurrence": {"note": SealedTextField(blank=True, default="")},
    "Picture": {"name": SealedTextField(default="")},
}
ENDINGS = {"image/jpeg": "jpg", "image/png": "png"}


def seal_all(apps: Any, _schema_editor: Any) -> None:
    def seal(name: str, subject_of: Any, *needed: str) -> None:
        plain = {column: f"plain_{column}" for column in SEALED[name]}
        seal_rows(apps.get_model("drafts", name), plain, subject_of, *needed)

    seal("Version", lambda row: f"post/{row['draft_id']}", "draft_id")
    seal("Signoff", lambda row: f"post/{row['draft_id']}", "draft_id")
    seal(
        "Occurrence",
        lambda row: f"post/{row['draft_id'] or row['series__source_id']}",
        "draft_id",
        "series__source_id",
    )
    Picture = apps.get_model("drafts", "Picture")
    Picture.objects.filter(plain_name="").update(plain_name="picture")
    seal("Picture", picture_subject, "organisation_id", "sha256")
    rows = Picture.objects.values("organisation_id", "sha256", "media_type")
    for row in rows.order_by("pk").iterator():
        old, new = paths(row)
        if old.exists():
            new.parent.mkdir(parents=True, exist_ok=True)
            new.write_bytes(
                seal_file(picture_subject(row), "drafts.picture.file", old.read_bytes())
            )


def picture_subject(row: dict[str, Any]) -> str:
    return f"picture/{row['organisation_id']}/{row['sha256'][:32]}"


def paths(row: dict[str, Any]) -> tuple[Path, Path]:
    """Where a picture's file was, in plain, and where it is, sealed."""
    store, sha256 = Path(settings.MEDIA_ROOT), row["sha256"]
    name = f"{sha256}.{ENDINGS[row['media_type']]}"
    return (
        store / sha256[:2] / name,
        store / str(row["organisation_id"]) / sha256[:2] / f"{name}.sealed",
    )


class Migration(migrations.Migration):
    dependencies = [("drafts", "0003_slots_and_series"), ("records", "0005_seat_belt")]

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
