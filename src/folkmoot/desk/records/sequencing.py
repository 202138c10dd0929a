"""Moving entries from the outbox into the log within the database, a thousand at a time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from folkmoot.ledger import Entry as Leaf
from folkmoot.ledger import EntryError, LedgerError

# What an entry says is in its text; these columns repeat it, for finding. The database takes them
# from there itself: carrying every row out and in again takes four times as long.
_MOVE = """
INSERT INTO records_entry ("index", entry_id, once, leaf, kind, organisation, subject, retention,
                           at, public)
SELECT %s + row_number() OVER (ORDER BY id) - 1, entry_id, once, leaf, {kind}, {organisation},
       subject, {retention}, made_at, public
FROM {intents} WHERE id IN ({ids}) ORDER BY id
"""
_CLEAR = "DELETE FROM records_intent WHERE id IN ({ids})"
_NAMES = ("kind", "organisation", "retention")
_WORDS = {
    "postgresql": {
        "intents": "records_intent, LATERAL (SELECT leaf::json AS held) AS parsed",
        "ids": "SELECT value::bigint FROM json_array_elements_text(%s)",
        **{name: f"held ->> '{name}'" for name in _NAMES},
    },
    "sqlite": {
        "intents": "records_intent",
        "ids": "SELECT value FROM json_each(%s)",
        **{name: f"json_extract(leaf, '$.{name}')" for name in _NAMES},
    },
}

Waiting = tuple[int, str, str, str, datetime]
"""Of a row of the outbox: its number, leaf, entry's id, subject, and time."""


def check_waiting(rows: Sequence[Waiting]) -> list[bytes]:
    """The entries of these rows, as they are hashed. Raises :class:`EntryError` where one is not
    what was left there: what the log holds can never be put right again.
    """
    entries = []
    for _number, leaf, entry_id, subject, made_at in rows:
        data = leaf.encode()
        held = Leaf.from_bytes(data)
        if (held.id, held.subject, held.at) != (entry_id, subject, made_at):
            raise EntryError(
                f"The entry {entry_id} that waits for the record is not the one that was left: "
                "somebody wrote in the database by other ways than this program. Nothing was put "
                "into the record. Bring back what was there."
            )
        entries.append(data)
    return entries


def move_into_log(numbers: Sequence[int], first: int) -> None:
    """Take the rows of these numbers out of the outbox and put them into the log, in the order of
    their numbers, from index ``first`` on. Part of the caller's transaction.
    """
    words, chosen = _WORDS[connection.vendor], json.dumps(list(numbers))
    with connection.cursor() as cursor:
        cursor.execute(_MOVE.format(**words), [first, chosen])
        moved = cursor.rowcount
        cursor.execute(_CLEAR.format(**words), [chosen])
        if not moved == cursor.rowcount == len(numbers):
            raise LedgerError(
                f"{len(numbers)} entries waited for the record, and {moved} could be put into it. "
                "Two programs may be doing it at once. Nothing was changed."
            )
