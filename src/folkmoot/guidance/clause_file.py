"""One clause from one file: TOML front matter between ``+++`` lines, then three levels of Markdown.

Internal to :mod:`folkmoot.guidance`. ``docs/packs.md`` describes the form with an example.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType

from .model import Audience, Clause, ClauseKind, Evidence, Level, PackError, Source, Status
from .table import Table, decode, did_you_mean, parse

CLAUSE_ID = re.compile(r"[A-Z0-9]+(?:-[A-Z0-9]+)*")
CLAUSES = "clauses/"
EVERYONE = frozenset({Audience.EVERYONE})

# What an ``amend/<ID>.toml`` may change, in the words ``locked`` uses for it.
AMENDABLE = (
    "title",
    "aliases_add",
    "audiences",
    "status",
    "evidence",
    "note",
    "in_overview",
    "levels",
)
LOCKABLE = (*AMENDABLE, *(f"levels.{level.value}" for level in Level))

_AUDIENCES = {
    **{audience.value: audience for audience in Audience},
    # The plural words of the first packs. Old versions hold them and are never edited.
    "communicators": Audience.COMMUNICATOR,
    "policy_officials": Audience.POLICY_OFFICIAL,
    "line_managers": Audience.LINE_MANAGER,
    "it_leads": Audience.IT_LEAD,
}

_FENCE = "+++"
_KEYS = (
    "source",
    "kind",
    "title",
    "group",
    "order",
    "official_ref",
    "aliases",
    "version_on",
    "checked_on",
    "status",
    "evidence",
    "url",
    "url_history",
    "audiences",
    "note",
    "in_overview",
    "locked",
)
_HEADING = re.compile(r"##(?:[ \t]+(?P<name>.*?))?[ \t]*")
_CODE_FENCE = re.compile(r" {0,3}(?P<mark>`{3,}|~{3,})(?P<info>.*)")
_LEVELS = ", ".join(f"## {level.value}" for level in Level)


def read_clause(
    raw: bytes, file: Path, *, pack: str, sources: Mapping[str, Source]
) -> tuple[int, Clause, frozenset[str]]:
    """The clause in ``raw``: its place among its fellows (lower first), it, and the keys it sets.

    ``file`` gives the clause its id and stands in every refusal; ``sources`` are those the clause
    may cite, by id. What the front matter leaves out is taken from the source: address, earlier
    addresses, and the date of the edition.

    Raises:
        PackError: The name, the front matter or a level is not as ``docs/packs.md`` says.
    """
    if not CLAUSE_ID.fullmatch(file.stem):
        raise PackError(
            file,
            "name",
            f"{file.stem!r} is no clause id. Use capital letters and digits, in parts joined by "
            "single hyphens: HON-M1.",
        )
    front, body, lines_before_body = _split(decode(raw, file), file)
    table = Table(parse(front, file, lines_before=1), file)
    table.allow_only(_KEYS)
    source_id = table.get_text("source")
    source = sources.get(source_id)
    if source is None:
        raise table.refuse(
            "source",
            f"There is no source {source_id!r}. Allowed: {', '.join(sources) or 'none yet'}.",
        )
    url = table.find_address("url")
    url_history = table.get_addresses("url_history")
    clause = Clause(
        id=file.stem,
        pack=pack,
        source=source_id,
        kind=table.get_word("kind", ClauseKind),
        title=table.get_text("title"),
        official_ref=table.find_text("official_ref"),
        aliases=table.get_texts("aliases"),
        version_on=table.find_day("version_on") or source.version_on,
        checked_on=table.get_day("checked_on"),
        status=table.get_word("status", Status),
        evidence=table.get_word("evidence", Evidence),
        url=url or source.url,
        url_history=url_history or (() if url else source.url_history),
        group=table.get_text("group"),
        audiences=find_audiences(table) or EVERYONE,
        levels=MappingProxyType(_levels(body, file, lines_before_body)),
        note=table.find_text("note") or "",
        in_overview=table.find_flag("in_overview") or False,
        locked=get_locks(table, "locked"),
    )
    refuse_checked_too_early(table, clause.version_on, clause.checked_on)
    return table.get_number("order"), clause, table.keys()


def find_audiences(table: Table) -> frozenset[Audience]:
    """The audiences named in a clause's file or in a change of it; empty where none are.

    Raises:
        PackError: A word is no audience. The refusal suggests the nearest that is.
    """
    named: set[Audience] = set()
    for word in table.get_texts("audiences"):
        if word in _AUDIENCES:
            named.add(_AUDIENCES[word])
            continue
        near = did_you_mean(word, [audience.value for audience in Audience])
        raise table.refuse(
            "audiences",
            f"{word!r} is none of the audiences.{near} Allowed: {', '.join(Audience)}.",
        )
    return frozenset(named)


def get_locks(table: Table, key: str) -> frozenset[str]:
    """The keys locked at ``key``, ``levels`` written out as the three levels; empty where absent.

    Raises:
        PackError: A word names nothing that a pack further down could change.
    """
    locks: set[str] = set()
    for word in table.get_texts(key):
        if word not in LOCKABLE:
            raise table.refuse(
                key,
                f"{word!r} is nothing another pack could change.{did_you_mean(word, LOCKABLE)} "
                f"Allowed: {', '.join(LOCKABLE)}.",
            )
        if word == "levels":
            locks.update(f"levels.{level.value}" for level in Level)
        else:
            locks.add(word)
    return frozenset(locks)


def refuse_checked_too_early(table: Table, version_on: date | None, checked_on: date) -> None:
    """Refuse words said to have been checked before the edition they were held against existed.

    Raises:
        PackError: ``checked_on`` lies before ``version_on``.
    """
    if version_on is not None and checked_on < version_on:
        raise table.refuse(
            "checked_on",
            f"{checked_on} is before the edition of {version_on} it was checked against.",
        )


def _split(text: str, file: Path) -> tuple[str, str, int]:
    """Front matter, body, and how many lines of the file stand above the body."""
    lines = text.split("\n")
    if lines[0].rstrip() != _FENCE:
        raise PackError(
            file, "line 1", f"The first line must be {_FENCE}, which opens the front matter."
        )
    for at, line in enumerate(lines[1:], 1):
        if line.rstrip() == _FENCE:
            return "\n".join(lines[1:at]), "\n".join(lines[at + 1 :]), at + 1
    raise PackError(file, "front matter", f"It is not closed. End it with a line {_FENCE}.")


def _levels(body: str, file: Path, lines_before: int) -> dict[Level, str]:
    parts: dict[Level, list[str]] = {}
    current: list[str] | None = None
    code_fence = ""
    for number, line in enumerate(body.split("\n"), lines_before + 1):
        # Nearly every line can be neither a fence nor a heading; telling so by its first letter
        # saves a fifth of the time a pack takes to load.
        if current is not None and (not line or line[0] not in "#`~ "):
            current.append(line)
            continue
        code_fence = _code_fence_after(line, code_fence)
        heading = None if code_fence else _HEADING.fullmatch(line)
        if heading is not None:
            level = _level(heading["name"] or "", file, number)
            if level in parts:
                raise PackError(file, f"line {number}", f"## {level.value} stands there twice.")
            current = parts[level] = []
        elif current is not None:
            current.append(line)
        elif line.strip():
            raise PackError(
                file, f"line {number}", f"Text must stand under one of the levels: {_LEVELS}."
            )
    levels = {level: "\n".join(parts.get(level, ())).strip() for level in Level}
    for level, text in levels.items():
        if not text:
            state = "is empty" if level in parts else "is missing"
            raise PackError(
                file, f"## {level.value}", f"This level {state}. All three are required: {_LEVELS}."
            )
    return levels


def _code_fence_after(line: str, code_fence: str) -> str:
    """The fence of the code block that is open after ``line``, empty where none is."""
    fence = _CODE_FENCE.match(line)
    if fence is None:
        return code_fence
    if not code_fence:
        return fence["mark"]
    # As in CommonMark, a closing fence is as long as the opening one and has nothing after it.
    closes = fence["mark"].startswith(code_fence) and not fence["info"].strip()
    return "" if closes else code_fence


def _level(name: str, file: Path, number: int) -> Level:
    for level in Level:
        if name == level.value:
            return level
    raise PackError(
        file,
        f"line {number}",
        f"'## {name}' is not a level. Allowed: {_LEVELS}. Within a level, use ### for headings.",
    )
