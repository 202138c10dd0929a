"""Triggers that let the log only grow, and one that counts what is withheld or erased.

They are a seat belt against our own mistakes: whoever owns the tables can take them off. What finds
that out is the signed heads that others hold. A later migration that alters one of these tables on
SQLite makes it anew and loses its triggers; it has to run these functions again.
"""

from typing import Any

from django.db import migrations

ENTRY = '"index", entry_id, leaf, kind, organisation, subject, retention, at'
AT_THE_END = "an entry goes to the end of the record, with the next number"
UNCHANGED = "an entry of the record is neither changed nor removed"
GROWS = "a tile of the record only grows"
KEPT = "a signed head of the record is kept as it was"

SQLITE = {
    "records_entry_next": f"""BEFORE INSERT ON records_entry
        WHEN NEW."index" <> (SELECT COALESCE(MAX("index"), -1) + 1 FROM records_entry)
        BEGIN SELECT RAISE(ABORT, '{AT_THE_END}'); END""",
    "records_entry_unchanged": f"""BEFORE UPDATE OF {ENTRY} ON records_entry
        BEGIN SELECT RAISE(ABORT, '{UNCHANGED}'); END""",
    "records_entry_kept": f"""BEFORE DELETE ON records_entry
        BEGIN SELECT RAISE(ABORT, '{UNCHANGED}'); END""",
    "records_tile_grows": f"""BEFORE UPDATE ON records_tile
        WHEN NEW.level <> OLD.level OR NEW."index" <> OLD."index"
            OR SUBSTR(NEW.hashes, 1, LENGTH(OLD.hashes)) <> OLD.hashes
        BEGIN SELECT RAISE(ABORT, '{GROWS}'); END""",
    "records_tile_kept": f"""BEFORE DELETE ON records_tile
        BEGIN SELECT RAISE(ABORT, '{GROWS}'); END""",
    "records_checkpoint_unchanged": f"""BEFORE UPDATE OF size ON records_checkpoint
        WHEN NEW.size <> OLD.size
        BEGIN SELECT RAISE(ABORT, '{KEPT}'); END""",
    "records_checkpoint_kept": f"""BEFORE DELETE ON records_checkpoint
        BEGIN SELECT RAISE(ABORT, '{KEPT}'); END""",
}
# Writers of SQLite come one after the other, so one row is enough.
COUNT = """BEGIN INSERT INTO records_withdrawal (id, number) VALUES (1, 1)
            ON CONFLICT (id) DO UPDATE SET number = number + 1; END"""
SQLITE |= {
    "records_value_withdrawn": f"""AFTER UPDATE OF public, sealed, erased_at ON records_fieldvalue
        {COUNT}""",
    "records_value_gone": f"AFTER DELETE ON records_fieldvalue {COUNT}",
    "records_key_destroyed": f"AFTER UPDATE OF destroyed_at ON records_subjectkey {COUNT}",
}

# Once a statement: asked for every row, it would be what takes the sequencer longest.
FUNCTIONS = {
    "records_entry_next": f"""DECLARE low bigint; high bigint; many bigint;
        BEGIN
        SELECT MIN("index"), MAX("index"), COUNT(*) INTO low, high, many FROM added;
        IF many > 0 AND (
            high - low + 1 <> many
            OR low <> (SELECT COALESCE(MAX("index"), -1) + 1 FROM records_entry WHERE "index" < low)
            OR EXISTS (SELECT 1 FROM records_entry WHERE "index" > high)
        ) THEN
            RAISE EXCEPTION '{AT_THE_END}';
        END IF;
        RETURN NULL; END""",
    "records_entry_unchanged": f"BEGIN RAISE EXCEPTION '{UNCHANGED}'; END",
    "records_tile_grows": f"""BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF NEW.level = OLD.level AND NEW."index" = OLD."index"
                AND SUBSTRING(NEW.hashes FROM 1 FOR LENGTH(OLD.hashes)) = OLD.hashes THEN
                RETURN NEW;
            END IF;
        END IF;
        RAISE EXCEPTION '{GROWS}'; END""",
    "records_checkpoint_kept": f"""BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF NEW.size = OLD.size THEN
                RETURN NEW;
            END IF;
        END IF;
        RAISE EXCEPTION '{KEPT}'; END""",
    "records_count_withdrawal": """BEGIN
        INSERT INTO records_withdrawal (number) VALUES (1); RETURN NULL; END""",
}
POSTGRESQL = {
    "records_entry_next": (
        "AFTER INSERT",
        "records_entry REFERENCING NEW TABLE AS added",
        "STATEMENT",
        "records_entry_next",
    ),
    "records_entry_unchanged": (
        f"BEFORE UPDATE OF {ENTRY} OR DELETE",
        "records_entry",
        "ROW",
        "records_entry_unchanged",
    ),
    "records_entry_kept": (
        "BEFORE TRUNCATE",
        "records_entry",
        "STATEMENT",
        "records_entry_unchanged",
    ),
    "records_tile_grows": ("BEFORE UPDATE OR DELETE", "records_tile", "ROW", "records_tile_grows"),
    "records_tile_kept": ("BEFORE TRUNCATE", "records_tile", "STATEMENT", "records_tile_grows"),
    "records_checkpoint_unchanged": (
        "BEFORE UPDATE OR DELETE",
        "records_checkpoint",
        "ROW",
        "records_checkpoint_kept",
    ),
    "records_checkpoint_kept": (
        "BEFORE TRUNCATE",
        "records_checkpoint",
        "STATEMENT",
        "records_checkpoint_kept",
    ),
    # A row for each statement, and no row that two would have to wait for.
    "records_value_withdrawn": (
        "AFTER UPDATE OF public, sealed, erased_at OR DELETE OR TRUNCATE",
        "records_fieldvalue",
        "STATEMENT",
        "records_count_withdrawal",
    ),
    "records_key_destroyed": (
        "AFTER UPDATE OF destroyed_at",
        "records_subjectkey",
        "STATEMENT",
        "records_count_withdrawal",
    ),
}


def put_on(_apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        for name, trigger in SQLITE.items():
            schema_editor.execute(f"CREATE TRIGGER {name} {trigger}", params=None)
        return
    for name, body in FUNCTIONS.items():
        schema_editor.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body${body};$body$",
            params=None,
        )
    for name, (when, table, each, function) in POSTGRESQL.items():
        schema_editor.execute(
            f"CREATE TRIGGER {name} {when} ON {table} FOR EACH {each} EXECUTE FUNCTION {function}()",
            params=None,
        )


def take_off(_apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        for name in SQLITE:
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}", params=None)
        return
    for name, (_when, table, _each, _function) in POSTGRESQL.items():
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table.split()[0]}", params=None)
    for name in FUNCTIONS:
        schema_editor.execute(f"DROP FUNCTION IF EXISTS {name}()", params=None)


class Migration(migrations.Migration):
    dependencies = [("records", "0004_anchors")]

    operations = [migrations.RunPython(put_on, take_off)]
