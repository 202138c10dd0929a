"""Reading a TOML table strictly: known keys, values of their kind, refusals that are sentences.

Internal to :mod:`folkmoot.guidance`. All methods raise :class:`PackError` and nothing else.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from datetime import date, datetime
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from .model import PackError
from .plain_toml import find_plain

Word = TypeVar("Word", bound=StrEnum)

_PLACE = re.compile(r"\s*\(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
_WEB_ADDRESS = re.compile(r"https?://[^\s/?#]+\.[^\s/?#]+(?:[/?#]\S*)?", re.IGNORECASE)
_BYTE_ORDER_MARK = "\ufeff"


def decode(raw: bytes, file: Path) -> str:
    """The text of a file, with its line endings made plain newlines.

    Raises:
        PackError: The bytes are not UTF-8, or begin with a byte-order mark.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as wrong:
        line = raw.count(b"\n", 0, wrong.start) + 1
        raise PackError(
            file, f"line {line}", "This line is not UTF-8. Save the file as UTF-8."
        ) from wrong
    if text.startswith(_BYTE_ORDER_MARK):
        raise PackError(
            file,
            "line 1",
            "The file begins with a byte-order mark. Save it as UTF-8 without one.",
        )
    return text.replace("\r\n", "\n")


def parse(text: str, file: Path, *, lines_before: int = 0) -> dict[str, Any]:
    """The TOML in ``text``; ``lines_before`` lines of the file stand above it.

    Raises:
        PackError: The text is not TOML. The key gives the line, counted in the file.
    """
    plain = find_plain(text)
    if plain is not None:
        return plain
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        message = str(wrong)
        place = _PLACE.search(message)
        reason = _PLACE.sub("", message).rstrip(".")
        line = text.count("\n") + 1
        column = ""
        if place is not None and place["line"]:
            line = int(place["line"])
            column = f", column {place['column']}"
        raise PackError(
            file, f"line {line + lines_before}{column}", f"This is not TOML: {reason}."
        ) from wrong
    except RecursionError as wrong:
        raise PackError(
            file, "", "This is not TOML we can read: it is nested too deeply."
        ) from wrong


def did_you_mean(word: str, known: Collection[str]) -> str:
    """A sentence that suggests the nearest of ``known``, with a space before it, or nothing."""
    near = get_close_matches(word, known, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


class Table:
    """One TOML table with the file it stands in, so that every refusal can say where.

    ``where`` is put before each key in refusals (``source.the-code.``), and is empty at the top.
    """

    __slots__ = ("_data", "file", "where")

    def __init__(self, data: dict[str, Any], file: Path, where: str = "") -> None:
        self._data = data
        self.file = file
        self.where = where

    def refuse(self, key: str, wrong: str) -> PackError:
        """The error to raise for ``key``."""
        return PackError(self.file, f"{self.where}{key}", wrong)

    def allow_only(self, known: Collection[str]) -> None:
        """Refuse the first key that is not ``known``, suggesting the nearest that is."""
        for key in self._data:
            if key not in known:
                raise self.refuse(
                    key,
                    f"There is no such key.{did_you_mean(key, known)} "
                    f"Allowed: {', '.join(sorted(known))}.",
                )

    def has(self, key: str) -> bool:
        """Whether the file says anything at ``key``."""
        return key in self._data

    def holds_table(self, key: str) -> bool:
        """Whether there is a table at ``key``."""
        return isinstance(self._data.get(key), dict)

    def keys(self) -> frozenset[str]:
        """The keys the file has."""
        return frozenset(self._data)

    def find_text(self, key: str) -> str | None:
        """The one-line text at ``key``, or ``None`` where the key is absent."""
        if key not in self._data:
            return None
        return self._one_line(key, self._data[key])

    def get_text(self, key: str) -> str:
        """The one-line text at ``key``, which must be there and must not be blank."""
        return self._one_line(key, self._required(key))

    def get_texts(self, key: str) -> tuple[str, ...]:
        """The list of one-line texts at ``key``, none twice; empty where the key is absent."""
        value = self._data.get(key, [])
        if not isinstance(value, list):
            raise self.refuse(
                key, f'This must be a list of texts, such as ["a", "b"], not {value!r}.'
            )
        texts = tuple(self._one_line(f"{key}[{at}]", item) for at, item in enumerate(value, 1))
        for at, text in enumerate(texts):
            if text in texts[:at]:
                raise self.refuse(key, f"{text!r} stands in the list twice.")
        return texts

    def find_flag(self, key: str) -> bool | None:
        """``True`` or ``False`` as written at ``key``, or ``None`` where the key is absent."""
        value = self._data.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.refuse(key, f"This must be true or false, without quotes, not {value!r}.")
        return value

    def find_table(self, key: str) -> Table | None:
        """The table at ``key``, or ``None`` where the key is absent."""
        if key not in self._data:
            return None
        value = self._data[key]
        if not isinstance(value, dict):
            raise self.refuse(key, f"This must be a table, not {value!r}.")
        return Table(value, self.file, f"{self.where}{key}.")

    def get_body(self, key: str) -> str:
        """The text at ``key``, of one line or more, which must not be blank."""
        value = self._required(key)
        if not isinstance(value, str):
            raise self.refuse(key, f"This must be text in quotes, not {value!r}.")
        if not value.strip():
            raise self.refuse(key, "This must not be blank. Leave the key out if there is nothing.")
        return value.strip()

    def get_number(self, key: str) -> int:
        """The whole number, zero or more, at ``key``."""
        value = self._required(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.refuse(key, f"This must be a whole number, zero or more, not {value!r}.")
        return value

    def find_day(self, key: str) -> date | None:
        """The date at ``key``, or ``None`` where the key is absent."""
        return self.get_day(key) if key in self._data else None

    def get_day(self, key: str) -> date:
        """The date at ``key``."""
        value = self._required(key)
        if not isinstance(value, date) or isinstance(value, datetime):
            raise self.refuse(
                key, f"This must be a date without quotes, such as 2015-03-16, not {value!r}."
            )
        return value

    def get_word(self, key: str, words: type[Word]) -> Word:
        """The member of ``words`` named at ``key``."""
        value = self._required(key)
        try:
            return words(value)
        except ValueError:
            allowed = [word.value for word in words]
            meant = did_you_mean(value, allowed) if isinstance(value, str) else ""
            raise self.refuse(
                key,
                f"{value!r} is not one of the words allowed.{meant} Allowed: {', '.join(allowed)}.",
            ) from None

    def find_address(self, key: str) -> str | None:
        """The web address at ``key``, or ``None`` where the key is absent."""
        return self.get_address(key) if key in self._data else None

    def get_address(self, key: str) -> str:
        """The web address at ``key``."""
        return self._address(key, self.get_text(key))

    def get_addresses(self, key: str) -> tuple[str, ...]:
        """The list of web addresses at ``key``; empty where the key is absent."""
        texts = self.get_texts(key)
        return tuple(self._address(f"{key}[{at}]", text) for at, text in enumerate(texts, 1))

    def get_rows(self, key: str) -> list[dict[str, Any]]:
        """The list of tables at ``key``; empty where the key is absent."""
        value = self._data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            raise self.refuse(key, "This must be a list of tables.")
        return value

    def _required(self, key: str) -> Any:
        if key not in self._data:
            raise self.refuse(key, "This key is missing, and it is required.")
        return self._data[key]

    def _one_line(self, key: str, value: object) -> str:
        if not isinstance(value, str):
            raise self.refuse(key, f"This must be text in quotes, not {value!r}.")
        text = value.strip()
        if not text:
            raise self.refuse(key, "This must not be blank. Leave the key out if there is nothing.")
        if not text.isprintable():
            raise self.refuse(key, "This must be one line, without tabs or control characters.")
        return text

    def _address(self, key: str, text: str) -> str:
        if not _WEB_ADDRESS.fullmatch(text):
            raise self.refuse(
                key, f"{text!r} is not a web address. It must begin with https:// or http://."
            )
        return text
