"""Take away the indexes that Django makes on PostgreSQL for looking a unique text up by its first
letters. Nobody looks ids and keys up so, and the sequencer would write them for every entry.
"""

from typing import Any

from django.db import migrations


def drop(_apps: Any, editor: Any) -> None:
    if editor.connection.vendor != "postgresql":
        return
    with editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname FROM pg_indexes WHERE schemaname = ANY (current_schemas(false))"
            " AND tablename IN ('records_entry', 'records_intent') AND indexname LIKE '%\\_like'"
        )
        names = [name for (name,) in cursor.fetchall()]
    for name in names:
        editor.execute(f"DROP INDEX {editor.quote_name(name)}")


class Migration(migrations.Migration):
    dependencies = [("records", "0005_seat_belt")]
    operations = [migrations.RunPython(drop, migrations.RunPython.noop)]
