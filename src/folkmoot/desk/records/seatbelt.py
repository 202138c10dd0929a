"""The triggers that let the record only grow: whether they are on, and taking them off for once.

They guard against mistakes of ours and no more: whoever owns the tables may do what this does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

TABLES = ("records_entry", "records_tile", "records_checkpoint")
TRIGGERS = (
    "records_entry_next",
    "records_entry_unchanged",
    "records_entry_kept",
    "records_tile_grows",
    "records_tile_kept",
    "records_checkpoint_unchanged",
    "records_checkpoint_kept",
)


def find_missing() -> tuple[str, ...]:
    """The triggers that are not there, or switched off."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute(
                "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
            )
        there = {name for (name,) in cursor.fetchall()}
    return tuple(name for name in TRIGGERS if name not in there)


@contextmanager
def lifted() -> Iterator[None]:
    """One transaction in which the triggers are off; they are on again when it ends, either way.

    For bringing back what was lost, and nothing else of the program. Needs the rights of the
    tables' owner.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN "
                "(%s, %s, %s)",
                TABLES,
            )
            taken = cursor.fetchall()
            off = [f'DROP TRIGGER "{name}"' for name, _made in taken]
            on = [made for _name, made in taken]
        else:
            off = [f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in TABLES]
            on = [f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in TABLES]
        for statement in off:
            cursor.execute(statement)
        yield
        for statement in on:
            cursor.execute(statement)
