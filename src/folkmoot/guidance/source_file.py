"""The sources a pack rests on: ``sources.toml``, and those it inherits.

Internal to :mod:`folkmoot.guidance`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from .clause_file import refuse_checked_too_early
from .model import Evidence, Pack, PackError, Source, Status
from .table import Table, decode, parse

_SOURCES_TOML = "sources.toml"
_SOURCE_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_SOURCE_KEYS = (
    "id",
    "title",
    "issuer",
    "version_on",
    "checked_on",
    "status",
    "evidence",
    "url",
    "url_history",
    "licence",
    "note",
)


def read_sources(
    folder: Path, files: Mapping[str, bytes], inherited: Iterable[Pack]
) -> dict[str, Source]:
    """The sources of the pack in ``folder`` by id: those of ``inherited`` first, then its own.

    Only a pack that inherits sources may leave the file out.

    Raises:
        PackError: The file is missing or not as ``docs/packs.md`` says, or two packs state
            different sources under one id.
    """
    sources: dict[str, Source] = {}
    stated_by: dict[str, str] = {}
    for parent in inherited:
        for source in parent.sources:
            if sources.setdefault(source.id, source) != source:
                raise PackError(
                    folder / "pack.toml",
                    "extends",
                    f"Two of the packs extended state different sources {source.id!r}: "
                    f"{stated_by[source.id]} and {parent.id}.",
                )
            stated_by.setdefault(source.id, parent.id)
    file = folder / _SOURCES_TOML
    if _SOURCES_TOML not in files:
        if not sources:
            raise PackError(file, "", "The file is missing. A pack names the sources it rests on.")
        return sources
    table = Table(parse(decode(files[_SOURCES_TOML], file), file), file)
    table.allow_only(("source",))
    for at, data in enumerate(table.get_rows("source"), 1):
        unnamed = Table(data, file, f"source[{at}].")
        source_id = unnamed.get_text("id")
        if not _SOURCE_ID.fullmatch(source_id):
            raise unnamed.refuse(
                "id",
                f"{source_id!r} is no source id. Use small letters and digits, in parts joined by "
                "single hyphens.",
            )
        if source_id in stated_by:
            raise unnamed.refuse(
                "id", f"The pack {stated_by[source_id]}, which this one extends, has {source_id!r}."
            )
        if source_id in sources:
            raise unnamed.refuse("id", f"There are two sources {source_id!r}.")
        sources[source_id] = _source(source_id, Table(data, file, f"source.{source_id}."))
    return sources


def _source(source_id: str, row: Table) -> Source:
    row.allow_only(_SOURCE_KEYS)
    source = Source(
        id=source_id,
        title=row.get_text("title"),
        issuer=row.get_text("issuer"),
        version_on=row.find_day("version_on"),
        checked_on=row.get_day("checked_on"),
        status=row.get_word("status", Status),
        evidence=row.get_word("evidence", Evidence),
        url=row.get_address("url"),
        url_history=row.get_addresses("url_history"),
        licence=row.find_text("licence") or "",
        note=row.find_text("note") or "",
    )
    refuse_checked_too_early(row, source.version_on, source.checked_on)
    return source
