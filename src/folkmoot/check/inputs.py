"""Posts from files: one post a file, or a row each of JSONL or CSV, read as they are needed."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

from .circumstances import NoSuchValue, read_context, read_post
from .front_matter import read_sheet
from .model import Context, Post
from .vocabulary import Vocabulary

KINDS = ("text", "jsonl", "csv")
_KIND_OF = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv"}
_OWN_KEYS = frozenset(("id", "text", "attachments"))
LONGEST_ROW = 16 * 1024 * 1024
"""The most bytes one row may have, so that a file without line breaks cannot fill the memory."""


class NoSuchFile(Exception):
    """A file is not there, or cannot be read: wrong usage rather than a bad row."""


class Raw(NamedTuple):
    """One post as it stands in a file, not yet read.

    ``line`` is the line its row begins on, or 0 for a file that is one post. ``data`` is the
    bytes of the file or row, or a row of CSV by the names of its columns.
    """

    file: str
    line: int
    data: bytes | dict[str, str]


class Item(NamedTuple):
    """One post, ready to be checked.

    ``id`` is the row's, or the file's name. ``begins`` is the place in ``whole``, the text of the
    file in code points, where the post begins: behind the front matter.
    """

    id: str | int
    file: str
    line: int
    post: Post
    context: Context
    begins: int = 0
    whole: str = ""
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """A post that could not be checked: where it stands, its id if known, and what is wrong.

    ``is_usage`` where the file itself is not of the kind it was given as.
    """

    file: str
    line: int
    id: str | int | None
    wrong: str
    is_usage: bool = False

    def __str__(self) -> str:
        where = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{where}: {self.wrong}"


class BadRow(Exception):
    """A row or file that cannot be read. The post in it has not been checked."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def read_raws(files: Iterable[str], kind: str | None) -> Iterator[Raw]:
    """The posts of ``files`` in order, ``-`` being standard input; no more is read than needed.

    ``kind`` is one of :data:`KINDS`, or ``None`` to go by the ending of each name.

    Raises:
        NoSuchFile: A file cannot be opened.
    """
    for name in files:
        wanted = kind or _KIND_OF.get(Path(name).suffix.lower(), "text")
        try:
            if name == "-":
                yield from _raws(name, sys.stdin.buffer, wanted)
            else:
                with Path(name).open("rb") as file:
                    yield from _raws(name, file, wanted)
        except OSError as wrong:
            raise NoSuchFile(f"{name} cannot be read: {wrong.strerror or wrong}.") from wrong


def _raws(name: str, file: IO[bytes], kind: str) -> Iterator[Raw]:
    if kind == "text":
        yield Raw(name, 0, file.read())
    elif kind == "jsonl":
        yield from _lines(name, file)
    else:
        yield from _rows(name, file)


def _lines(name: str, file: IO[bytes]) -> Iterator[Raw]:
    number = 0
    while line := file.readline(LONGEST_ROW):
        number += 1
        if len(line) >= LONGEST_ROW and not line.endswith(b"\n"):
            while (more := file.readline(LONGEST_ROW)) and not more.endswith(b"\n"):
                pass
            yield Raw(name, number, b"")
        elif line.strip():
            yield Raw(name, number, line)


def _rows(name: str, file: IO[bytes]) -> Iterator[Raw]:
    import csv

    # A byte that is not UTF-8 becomes a lone surrogate here, so that one row is at fault, not all.
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    before = csv.field_size_limit(LONGEST_ROW)
    try:
        reader = csv.DictReader(text, strict=True)
        while True:
            line = reader.line_num + 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as wrong:
                yield Raw(name, line, {"\0": f"This is not CSV: {wrong}."})
                return  # where the next row begins can no longer be known
            yield Raw(name, max(line, 2), row)
    finally:
        csv.field_size_limit(before)
        text.detach()


Contexts = dict[tuple[tuple[str, object], ...], tuple[Context, tuple[str, ...]]]
"""Contexts that rows have said before, so that a million rows with one context make it once."""
_CONTEXTS_KEPT = 1_000


def read_item(
    raw: Raw, vocabulary: Vocabulary, known: Context, contexts: Contexts | None = None
) -> Item:
    """The post and its context in ``raw``; what the row does not say is taken from ``known``.

    ``contexts`` keeps contexts from one row to the next; give one for each ``known``.

    Raises:
        BadRow: The row cannot be read, has no text, or says something that cannot be.
    """
    row_id: str | int | None = None
    try:
        if not raw.line and isinstance(raw.data, bytes):
            return _file(raw, raw.data, vocabulary, known)
        values = _json(raw.data) if isinstance(raw.data, bytes) else _cells(raw.data)
        found = values.get("id")
        row_id = found if isinstance(found, str | int) and not isinstance(found, bool) else None
        post = read_post(values)
        context, unknown = _circumstances(values, vocabulary, known, contexts)
    except NoSuchValue as wrong:
        is_usage = not raw.line
        raise BadRow(Problem(raw.file, raw.line, row_id, str(wrong), is_usage)) from wrong
    return Item(
        raw.line if row_id is None else row_id, raw.file, raw.line, post, context, unknown=unknown
    )


def _circumstances(
    values: dict[str, Any], vocabulary: Vocabulary, known: Context, contexts: Contexts | None
) -> tuple[Context, tuple[str, ...]]:
    said = tuple([pair for pair in values.items() if pair[0] not in _OWN_KEYS])
    if not said:
        return known, ()
    if contexts is None:
        return read_context(dict(said), vocabulary, known)
    try:
        kept = contexts.get(said)
    except TypeError:  # a list or an object among them, which no table can be asked for
        return read_context(dict(said), vocabulary, known)
    # True is 1 to a table but not to us, so what was kept must have said the very same.
    if kept is None or len(contexts) > _CONTEXTS_KEPT:
        kept = read_context(dict(said), vocabulary, known)
        if not any(isinstance(value, bool | int | float) for _, value in said):
            if len(contexts) > _CONTEXTS_KEPT:
                contexts.clear()
            contexts[said] = kept
    return kept


def _file(raw: Raw, data: bytes, vocabulary: Vocabulary, known: Context) -> Item:
    """A file that is one post, without the line break that ends the file."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise NoSuchValue(f"This is not text in UTF-8 ({wrong.reason}).") from wrong
    sheet = read_sheet(text)
    context, unknown = read_context(sheet.values, vocabulary, known)
    body = text[sheet.begins :].removesuffix("\n").removesuffix("\r")
    if not body.strip():
        raise NoSuchValue("There is no text.")
    return Item(raw.file, raw.file, 0, Post(body), context, sheet.begins, text, unknown)


def _json(line: bytes) -> dict[str, Any]:
    if not line:
        raise NoSuchValue(f"This row is longer than {LONGEST_ROW} bytes.")
    try:
        # Told its encoding, the reader need not guess it for each line.
        values = json.loads(line.decode("utf-8-sig" if line[:1] == b"\xef" else "utf-8"))
    except UnicodeDecodeError as wrong:
        raise NoSuchValue(f"This is not text in UTF-8 ({wrong.reason}).") from wrong
    except (ValueError, RecursionError) as wrong:
        raise NoSuchValue(f"This is not JSON ({wrong}).") from wrong
    if not isinstance(values, dict):
        raise NoSuchValue("A row must be an object with id and text.")
    return values


def _cells(row: dict[str, Any]) -> dict[str, Any]:
    if "\0" in row:
        raise NoSuchValue(row["\0"])
    if None in row:
        raise NoSuchValue("There are more cells than columns.")
    if "text" not in row:
        raise NoSuchValue("There is no column text.")
    for key, value in row.items():
        if value is None:
            raise NoSuchValue("There are fewer cells than columns.")
        if any("\udc80" <= character <= "\udcff" for character in value):
            raise NoSuchValue(f"{key} is not text in UTF-8.")
    return row
