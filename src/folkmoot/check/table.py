"""Reading a TOML table so that every key is looked at, and each fault names file, key and what."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from .model import CheckError


class RuleError(CheckError):
    """A file of rules or questions cannot be used as it stands: which file, which key, and why."""

    def __init__(self, file: Path, key: str, wrong: str) -> None:
        super().__init__(f"{file}: {key}: {wrong}." if key else f"{file}: {wrong}.")
        self.file = file
        self.key = key
        self.wrong = wrong


def read_toml(file: Path) -> dict[str, object]:
    """The file as plain values. Raises :class:`RuleError` where it cannot be read or parsed."""
    import tomllib  # not needed where the rules were kept compiled

    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise RuleError(file, "", f"cannot be read as TOML ({wrong})") from wrong


class Table:
    """One table of a file. Take each key with a method, then call :meth:`end`.

    Every method raises :class:`RuleError` where the value is not as asked for.
    """

    __slots__ = ("_left", "_values", "_where", "file")

    def __init__(self, file: Path, values: Mapping[str, object], where: str = "") -> None:
        self.file = file
        self._values = values
        self._left = set(values)
        self._where = where

    def names(self) -> tuple[str, ...]:
        """The keys written in this table, in order."""
        return tuple(self._values)

    def has(self, key: str) -> bool:
        """Whether ``key`` is written in this table."""
        return key in self._values

    def peek(self, key: str) -> object:
        """The value of ``key`` as it stands, not yet taken; ``None`` where it is absent."""
        return self._values.get(key)

    def refuse(self, key: str, wrong: str) -> NoReturn:
        """Raise the error of ``key``."""
        raise RuleError(self.file, f"{self._where}{key}".rstrip("."), wrong)

    def end(self) -> None:
        """Refuse keys nobody asked for: a misspelt key must not be passed over in silence."""
        if self._left:
            known = sorted(self._left)
            self.refuse(known[0], "this key is not known here; is it misspelt")

    def text(
        self, key: str, *, like: re.Pattern[str] | None = None, may_be_empty: bool = False
    ) -> str:
        """The words of ``key``, which must be there."""
        value = self._take(key)
        if not isinstance(value, str):
            self.refuse(key, "words are needed here, in quotation marks")
        if not may_be_empty and not value.strip():
            self.refuse(key, "this must not be empty")
        if like is not None and not like.fullmatch(value):
            self.refuse(key, f"{value!r} does not have the form of an id such as part/short-name")
        return value

    def texts(self, key: str, *, at_least: int = 0) -> tuple[str, ...]:
        """The list of words of ``key``; empty where the key is absent."""
        value = self._take(key, absent=[])
        if not isinstance(value, list) or not all(
            isinstance(each, str) and each.strip() for each in value
        ):
            self.refuse(key, "a list of words is needed here, none of them empty")
        if len(value) < at_least:
            self.refuse(key, "at least one is needed")
        if len(set(value)) < len(value):
            self.refuse(key, "the same words stand there twice")
        return tuple(value)

    def choice(self, key: str, choices: Sequence[str]) -> str:
        """The word of ``key``, which must be one of ``choices``."""
        value = self.text(key)
        if value not in choices:
            self.refuse(key, f"{value!r} is not one of {', '.join(choices)}")
        return value

    def choices(self, key: str, choices: Sequence[str]) -> tuple[str, ...]:
        """The words of ``key``, each one of ``choices``; empty where the key is absent."""
        values = self.texts(key)
        for value in values:
            if value not in choices:
                self.refuse(key, f"{value!r} is not one of {', '.join(choices)}")
        return values

    def number(self, key: str, *, low: float, high: float, default: float | None = None) -> float:
        """The number of ``key`` between ``low`` and ``high`` inclusive."""
        value = self._take(key, absent=default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.refuse(key, "a number is needed here")
        if not low <= value <= high:
            self.refuse(key, f"{value} is not between {low} and {high}")
        return float(value)

    def whole(self, key: str, *, low: int, high: int, default: int | None = None) -> int:
        """The whole number of ``key`` between ``low`` and ``high`` inclusive."""
        value = self._take(key, absent=default)
        if isinstance(value, bool) or not isinstance(value, int):
            self.refuse(key, "a whole number is needed here")
        if not low <= value <= high:
            self.refuse(key, f"{value} is not between {low} and {high}")
        return value

    def flag(self, key: str, *, default: bool | None = None) -> bool:
        """The ``true`` or ``false`` of ``key``."""
        value = self._take(key, absent=default)
        if not isinstance(value, bool):
            self.refuse(key, "say true or false")
        return value

    def table(self, key: str) -> Table:
        """The table of ``key``; an empty one where the key is absent."""
        return Table(self.file, self.anything(key), f"{self._where}{key}.")

    def anything(self, key: str) -> dict[str, object]:
        """The table of ``key`` as it stands, for others to check; empty where absent."""
        value = self._take(key, absent={})
        if not isinstance(value, dict):
            self.refuse(key, f"a table is needed here: [{key}]")
        return value

    def tables(self, key: str) -> list[Table]:
        """The rows of ``key`` (``[[key]]``); none where the key is absent."""
        value = self._take(key, absent=[])
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            self.refuse(key, f"a list of tables is needed here: [[{key}]]")
        return [
            Table(self.file, row, f"{self._where}{key}[{number}].")
            for number, row in enumerate(value, 1)
        ]

    def _take(self, key: str, *, absent: object = None) -> object:
        self._left.discard(key)
        if key in self._values:
            return self._values[key]
        if absent is None:
            self.refuse(key, "this key is missing")
        return absent
