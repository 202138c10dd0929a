"""A database from before fields were sealed keeps all it held, and keeps it sealed."""

from __future__ import annotations

import os
import secrets
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime

from folkmoot.ledger import seal

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
TIDY = "from django.db import connection; connection.cursor().execute('VACUUM')"
SHOW = """
from folkmoot.desk.records.models import FieldValue
from folkmoot.desk.records.values import open_values
for value, field in zip(rows := list(FieldValue.objects.order_by("pk")), open_values(rows)):
    print(value.entry_id, value.key.subject, field.salt.hex(), field.value)
"""


def manage(home, *words):
    done = subprocess.run(
        [sys.executable, "-m", "folkmoot.cli", "manage", *words],
        env={
            **{
                name: text
                for name, text in os.environ.items()
                if "FOLKMOOT" not in name and "DJANGO" not in name
            },
            "FOLKMOOT_HOME": str(home),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def insert(base, table, **row):
    marks = ", ".join("?" * len(row))
    columns = ", ".join(f'"{name}"' for name in row)
    base.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(row.values()))


def leave(base, subject, text, *, sequenced):
    entry, (field,) = seal(
        id=secrets.token_hex(16),
        kind="draft.started",
        at=AT,
        organisation="body",
        actor="somebody",
        role="author",
        subject=subject,
        retention="standard",
        fields={"text": text},
        salts=lambda: secrets.token_bytes(32),
    )
    row = {"entry_id": entry.id, "leaf": entry.to_bytes().decode(), "public": True}
    said = {"kind": entry.kind, "organisation": "body", "subject": subject, "at": AT.isoformat()}
    if sequenced:
        insert(base, "records_entry", **{"index": 0, **said, **row})
    else:
        insert(base, "records_intent", made_at=AT.isoformat(), **row)
    salt = field.salt.hex()
    insert(
        base,
        "records_fieldvalue",
        entry_id=entry.id,
        label="text",
        salt=salt,
        value=text,
        public=True,
    )
    return f"{entry.id} {subject} {salt} {text}"


def test_fields_in_plain_text_are_sealed_when_the_database_is_brought_up_to_date(tmp_path):
    manage(tmp_path, "migrate", "records", "0001", "--no-input")
    with sqlite3.connect(tmp_path / "folkmoot.sqlite3") as base:
        wanted = [
            leave(base, "post/1", "Words in the log.", sequenced=True),
            leave(base, "post/2", "Words in the outbox. Ŵ", sequenced=False),
        ]
    base.close()
    manage(tmp_path, "migrate", "--no-input")
    manage(
        tmp_path,
        "shell",
        "-c",
        "from django.db import connection as c; c.cursor().execute('VACUUM')",
    )
    assert manage(tmp_path, "shell", "-v0", "-c", SHOW).splitlines() == wanted
    for file in tmp_path.rglob("*"):
        assert file.is_dir() or b"Words in" not in file.read_bytes(), file
