"""What a pack and those it rests on say in ``house_rules.toml``, for any organisation.

``docs/packs.md`` describes the form. :mod:`.house_rules` makes an organisation's own texts of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from .folder import read_file
from .house_profile import Day
from .model import GuidanceError, Pack, PackError
from .table import Table, decode, did_you_mean, parse

HOUSE_RULES_TOML = "house_rules.toml"

# What an organisation says of itself, by the word that stands for it in a text.
PLACEHOLDERS = (
    "organisation",
    "hours",
    "zone",
    "promise",
    "channels",
    "appeal",
    "emergency",
    "review_months",
    "rules",
)
REQUIRED_SECTIONS = ("hours", "removed", "never_removed", "kept", "emergencies", "appeal")
CRITICISM = "criticism"
FILE_KEYS = (
    "languages",
    "short",
    "words",
    "section",
    "removed",
    "never_removed",
    "kept",
)

_ID = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_BRACES = re.compile(r"\{[^{}]*\}|[{}]")
_STATEMENT_TEXTS = ("title", "sentence", "why")
_SECTION_TEXTS = ("title", "text")


class ListName(StrEnum):
    """Which statements a section of the page holds."""

    REMOVED = "removed"
    NEVER_REMOVED = "never_removed"
    KEPT = "kept"


class HouseRulesError(GuidanceError):
    """House rules cannot be made of what the pack or the organisation says. Says why."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that is removed, never removed, or kept.

    ``texts`` gives for each language what it has of ``title``, ``sentence`` and ``why``;
    ``examples`` the same for examples. ``pack`` is the pack that states it.
    """

    id: str
    pack: str
    clauses: tuple[str, ...]
    texts: Mapping[str, Mapping[str, str]]
    examples: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class PageSection:
    """One section of the page: its ``title`` and ``text`` by language, and the list it holds."""

    id: str
    pack: str
    texts: Mapping[str, Mapping[str, str]]
    holds: ListName | None


@dataclass(frozen=True, slots=True)
class DayWords:
    """How a language writes days, Monday first, and joins them."""

    days: tuple[str, ...]
    to: str
    and_: str


@dataclass(frozen=True, slots=True)
class PackHouseRules:
    """The house rules of a pack with all it inherits, before any organisation filled them in.

    The first of ``languages`` is the one fallen back on. ``short`` gives for each language and for
    ``profile`` and ``pinned`` the wordings to try, in order. The statements are in the order of the
    files, parents' first; their ids are the reasons a moderator chooses from.
    """

    languages: tuple[str, ...]
    short: Mapping[str, Mapping[str, tuple[str, ...]]]
    words: Mapping[str, DayWords]
    sections: tuple[PageSection, ...]
    removed: tuple[Statement, ...]
    never_removed: tuple[Statement, ...]
    kept: tuple[Statement, ...]

    def statements(self, name: ListName) -> tuple[Statement, ...]:
        """The statements of one list."""
        lists = {
            ListName.REMOVED: self.removed,
            ListName.NEVER_REMOVED: self.never_removed,
            ListName.KEPT: self.kept,
        }
        return lists[name]


@dataclass(slots=True)
class _Gathered:
    """What has been read so far, parents first, with the layer and file that said it."""

    languages: tuple[str, ...] = ()
    short: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    words: dict[str, DayWords] = field(default_factory=dict)
    sections: dict[str, PageSection] = field(default_factory=dict)
    lists: dict[ListName, dict[str, Statement]] = field(
        default_factory=lambda: {name: {} for name in ListName}
    )
    said_in: dict[tuple[str, str], Path] = field(default_factory=dict)


def has_house_rules(pack: Pack) -> bool:
    """Whether the pack or one it rests on has a ``house_rules.toml``."""
    return any((folder / HOUSE_RULES_TOML).is_file() for folder in pack.folders)


def load_house_rules(pack: Pack) -> PackHouseRules:
    """The house rules of ``pack``: its own and those of the packs it rests on.

    Raises:
        HouseRulesError: Neither the pack nor one it rests on has any, or a required part is there
            in none of them.
        PackError: A file is not as ``docs/packs.md`` says, cites a clause the pack does not have,
            or two packs neither of which extends the other say different things.
    """
    gathered = _Gathered()
    ancestors: dict[str, frozenset[str]] = {}
    for layer in pack.provenance.layers:
        above = frozenset(layer.extends)
        ancestors[layer.pack] = above.union(*(ancestors[parent] for parent in layer.extends))
        file = layer.folder / HOUSE_RULES_TOML
        if file.is_file():
            table = Table(parse(decode(read_file(file), file), file), file)
            _Reader(pack, layer.pack, table, gathered, ancestors).read()
    if not gathered.languages:
        raise HouseRulesError(
            f"Neither the pack {pack.id} nor one it rests on has a {HOUSE_RULES_TOML}."
        )
    _refuse_incomplete(pack, gathered)
    return PackHouseRules(
        languages=gathered.languages,
        short=gathered.short,
        words=gathered.words,
        sections=tuple(gathered.sections.values()),
        removed=tuple(gathered.lists[ListName.REMOVED].values()),
        never_removed=tuple(gathered.lists[ListName.NEVER_REMOVED].values()),
        kept=tuple(gathered.lists[ListName.KEPT].values()),
    )


def _refuse_incomplete(pack: Pack, gathered: _Gathered) -> None:
    fallback = gathered.languages[0]
    short = gathered.short.get(fallback, {})
    missing = [f"short.{length}" for length in ("profile", "pinned") if not short.get(length)]
    missing += [] if fallback in gathered.words else ["words"]
    missing += [
        f"the section {name!r}" for name in REQUIRED_SECTIONS if name not in gathered.sections
    ]
    missing += [f"[[{name.value}]]" for name in ListName if not gathered.lists[name]]
    if CRITICISM not in gathered.lists[ListName.NEVER_REMOVED]:
        missing.append(f"{CRITICISM!r} among [[never_removed]]")
    if missing:
        raise HouseRulesError(
            f"The house rules of the pack {pack.id} lack {', '.join(missing)}. "
            f"Say it in {HOUSE_RULES_TOML} of the pack or of one it rests on."
        )


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the file of one layer on top of what its parents said."""

    pack: Pack
    layer: str
    table: Table
    gathered: _Gathered
    ancestors: Mapping[str, frozenset[str]]

    def read(self) -> None:
        self.table.allow_only(FILE_KEYS)
        if self.table.has("languages") or not self.gathered.languages:
            self._languages()
        self._short()
        self._words()
        for row in self._rows("section"):
            self._section(row)
        for name in ListName:
            for row in self._rows(name.value):
                self._statement(name, row)

    def _languages(self) -> None:
        languages = self.table.get_texts("languages")
        if not languages:
            raise self.table.refuse("languages", 'Name one language at least, such as ["en"].')
        for language in languages:
            if not _LANGUAGE.fullmatch(language):
                raise self.table.refuse(
                    "languages", f"{language!r} is no language tag. Say en or cy."
                )
        kept = (each for each in self.gathered.languages if each not in languages)
        self.gathered.languages = (*languages, *kept)

    def _short(self) -> None:
        whole = self.table.find_table("short")
        if whole is None:
            return
        for language, table in self._by_language(whole, ("profile", "pinned")):
            for length in ("profile", "pinned"):
                texts = table.get_texts(length)
                for text in texts:
                    _refuse_unknown_braces(table, length, text)
                if texts:
                    self._note(table, f"short.{length}", language)
                    self.gathered.short.setdefault(language, {})[length] = texts

    def _words(self) -> None:
        whole = self.table.find_table("words")
        if whole is None:
            return
        keys = ("days", "to", "and")
        for language, table in self._by_language(whole, keys):
            if not any(table.has(key) for key in keys):
                continue
            days = table.get_texts("days")
            if len(days) != len(Day):
                raise table.refuse("days", "Name the seven days, Monday first.")
            self._note(table, "words", language)
            self.gathered.words[language] = DayWords(
                days, table.get_text("to"), table.get_text("and")
            )

    def _section(self, row: Table) -> None:
        section_id = _id(row)
        holds = row.get_word("list", ListName) if row.has("list") else None
        tables = self._by_language(row, _SECTION_TEXTS, ("id", "list"))
        texts = self._texts(tables, _SECTION_TEXTS)
        self._note(row, "section", section_id)
        self.gathered.sections[section_id] = PageSection(section_id, self.layer, texts, holds)

    def _statement(self, name: ListName, row: Table) -> None:
        statement_id = _id(row)
        stated = self.gathered.lists[name]
        if name is ListName.NEVER_REMOVED and statement_id in stated:
            raise row.refuse(
                "id",
                f"{statement_id!r} is stated by the pack {stated[statement_id].pack}. What is "
                "never removed may be added to, and never replaced.",
            )
        clauses = row.get_texts("clauses")
        if not clauses and name is not ListName.KEPT:
            raise row.refuse("clauses", "Name the clauses it rests on, one at least.")
        for clause in clauses:
            if self.pack.find_clause(clause) is None:
                near = did_you_mean(clause, [each.id for each in self.pack.clauses])
                raise row.refuse(
                    "clauses", f"The pack {self.pack.id} has no clause {clause!r}.{near}"
                )
        keys = (*_STATEMENT_TEXTS, "examples")
        tables = tuple(self._by_language(row, keys, ("id", "clauses")))
        statement = Statement(
            id=statement_id,
            pack=self.layer,
            clauses=clauses,
            texts=self._texts(tables, _STATEMENT_TEXTS),
            examples={language: table.get_texts("examples") for language, table in tables},
        )
        self._note(row, name.value, statement_id)
        stated[statement_id] = statement

    def _texts(
        self, tables: Iterable[tuple[str, Table]], keys: Iterable[str]
    ) -> dict[str, dict[str, str]]:
        """What each language has; the one fallen back on has everything."""
        texts: dict[str, dict[str, str]] = {}
        for language, table in tables:
            needed = language == self.gathered.languages[0]
            texts[language] = {key: table.get_body(key) for key in keys if needed or table.has(key)}
            for key, text in texts[language].items():
                _refuse_unknown_braces(table, key, text)
        return texts

    def _by_language(
        self, table: Table, keys: Collection[str], others: Collection[str] = ()
    ) -> Iterator[tuple[str, Table]]:
        """The table for the language fallen back on, then those of the others that it holds."""
        fallback, *further = self.gathered.languages
        table.allow_only({*keys, *others, *further})
        yield fallback, table
        for language in further:
            inner = table.find_table(language)
            if inner is not None:
                inner.allow_only(keys)
                yield language, inner

    def _rows(self, key: str) -> Iterator[Table]:
        seen: set[str] = set()
        for at, data in enumerate(self.table.get_rows(key), 1):
            row = Table(data, self.table.file, f"{key}[{at}].")
            row_id = _id(row)
            if row_id in seen:
                raise row.refuse("id", f"There are two {row_id!r} in this list.")
            seen.add(row_id)
            yield row

    def _note(self, table: Table, key: str, name: str) -> None:
        """Remember which file said this, and refuse two that neither of them can have overruled."""
        before = self.gathered.said_in.get((key, name))
        if before is not None:
            other = next(
                layer.pack for layer in self.pack.provenance.layers if layer.folder == before.parent
            )
            if other not in self.ancestors[self.layer]:
                raise PackError(
                    self.table.file,
                    f"{key} {name!r}",
                    f"{before} says this too, and neither pack extends the other. Say it in one, "
                    "or in a pack that both extend.",
                )
        self.gathered.said_in[key, name] = table.file


def _id(row: Table) -> str:
    found = row.get_text("id")
    if not _ID.fullmatch(found):
        raise row.refuse(
            "id",
            f"{found!r} is no id. Use small letters and digits, in parts joined by a hyphen or _.",
        )
    return found


def _refuse_unknown_braces(table: Table, key: str, text: str) -> None:
    for braces in _BRACES.findall(text):
        word = braces.strip("{}")
        if braces != f"{{{word}}}" or word not in PLACEHOLDERS:
            raise table.refuse(
                key,
                f"{braces!r} stands for nothing.{did_you_mean(word, PLACEHOLDERS)} Allowed: "
                f"{', '.join('{' + each + '}' for each in PLACEHOLDERS)}.",
            )
