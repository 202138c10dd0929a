"""The words guidance is made of: packs, sources, clauses and their three levels of detail.

Everything here is a frozen value. Reading the files that hold a pack is :mod:`.loader`'s work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path

from .provenance import Provenance


class Level(StrEnum):
    """How much detail a reader wants, after the three levels of New Zealand's guide of 2007."""

    OVERVIEW = "overview"
    """One sentence anyone can hold in their head."""
    SNAPSHOT = "snapshot"
    """A short paragraph for those who manage the work."""
    FULL = "full"
    """The whole story, for those who do it."""


class Evidence(StrEnum):
    """How well we know that a source says what we report. Shown beside every clause and finding."""

    SEEN_IN_FULL = "seen_in_full"
    SEEN_IN_PART = "seen_in_part"
    REPORTED = "reported"
    """Others report that the source says it; we have not read the source's own words."""
    UNVERIFIED = "unverified"
    """General knowledge or inference. Check it against the source before relying on it."""


class Status(StrEnum):
    """Where a source or clause stands today."""

    IN_FORCE = "in_force"
    SUPERSEDED = "superseded"
    HISTORIC = "historic"
    UNVERIFIED = "unverified"


class ClauseKind(StrEnum):
    """What sort of statement a clause is, in the words of its source."""

    PRINCIPLE = "principle"
    VALUE = "value"
    STANDARD = "standard"
    LIMIT = "limit"
    TIP = "tip"


class Audience(StrEnum):
    """Whom a clause concerns. A clause for everyone concerns each of the others too."""

    EVERYONE = "everyone"
    COMMUNICATOR = "communicator"
    POLICY_OFFICIAL = "policy_official"
    LINE_MANAGER = "line_manager"
    IT_LEAD = "it_lead"

    @property
    def word(self) -> str:
        """The audience in plain words, in the plural: ``policy officials``."""
        return _AUDIENCE_WORDS[self]

    def is_concerned_by(self, clause: Clause) -> bool:
        """Whether ``clause`` names this audience, or everyone."""
        return self in clause.audiences or Audience.EVERYONE in clause.audiences


_AUDIENCE_WORDS = {
    Audience.EVERYONE: "everyone",
    Audience.COMMUNICATOR: "communicators",
    Audience.POLICY_OFFICIAL: "policy officials",
    Audience.LINE_MANAGER: "line managers",
    Audience.IT_LEAD: "IT leads",
}


@dataclass(frozen=True, slots=True)
class Source:
    """A publication that clauses come from.

    ``version_on`` is the date of the edition described (``None`` where no date is known);
    ``checked_on`` is the day somebody last held our words against it.
    """

    id: str
    title: str
    issuer: str
    version_on: date | None
    checked_on: date
    status: Status
    evidence: Evidence
    url: str
    url_history: tuple[str, ...]
    licence: str
    note: str


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing a body holds itself to, in our own words, with the place it comes from.

    ``official_ref`` is the reference as the source prints it, or ``None`` where it prints none;
    ``aliases`` are other references people use (an earlier edition's paragraph, say). ``levels``
    always holds all three levels. ``pack`` is the id of the pack that states the clause, which in
    a pack that extends another may be the parent.
    """

    id: str
    pack: str
    source: str
    kind: ClauseKind
    title: str
    official_ref: str | None
    aliases: tuple[str, ...]
    version_on: date | None
    checked_on: date
    status: Status
    evidence: Evidence
    url: str
    url_history: tuple[str, ...]
    group: str
    """The heading the clause stands under: ``Integrity``, ``The principles of 2012`` ..."""
    audiences: frozenset[Audience]
    levels: Mapping[Level, str]
    note: str = ""
    """What a reader should know before relying on the clause; empty where there is nothing."""
    in_overview: bool = False
    """Whether the clause belongs on the one page a reader can hold in their head."""
    locked: frozenset[str] = frozenset()
    """The keys that no pack further down may change, in the words of ``amend/<ID>.toml``."""
    amended_by: tuple[str, ...] = ()
    """The packs that changed a key of the clause, eldest first."""


@dataclass(frozen=True, slots=True)
class Pack:
    """Published guidance as data: what one body, or one profession, holds itself to.

    ``clauses`` and ``sources`` keep the order of the files, parents' first. ``folders`` are the
    folders the pack was read from, parents' first; other engines find their own files there (the
    checker reads ``rules/``). ``digest`` is the SHA-256, in lower-case hexadecimal, of every file
    of the pack and of its parents, so that "under which guidance" has one exact answer.
    ``provenance`` says which pack set what.
    """

    id: str
    title: str
    version: str
    issuer: str
    nation: str
    summary: str
    extends: tuple[str, ...]
    sources: tuple[Source, ...]
    clauses: tuple[Clause, ...]
    folders: tuple[Path, ...]
    digest: str
    provenance: Provenance = field(default_factory=Provenance, repr=False)

    @property
    def reference(self) -> str:
        """The pack as the record cites it: ``id@version#first-12-of-digest``."""
        return f"{self.id}@{self.version}#{self.digest[:12]}"

    def find_clause(self, clause_id: str) -> Clause | None:
        """The clause with this id or alias, or ``None``. Ids win over aliases."""
        by_alias = None
        for clause in self.clauses:
            if clause.id == clause_id:
                return clause
            if clause_id in clause.aliases:
                by_alias = by_alias or clause
        return by_alias

    def get_clause(self, clause_id: str) -> Clause:
        """The clause with this id or alias. Raises :class:`UnknownClause` where there is none."""
        clause = self.find_clause(clause_id)
        if clause is None:
            raise UnknownClause(self.id, clause_id)
        return clause

    def get_source(self, source_id: str) -> Source:
        """The source with this id. Raises :class:`UnknownSource` where there is none."""
        for source in self.sources:
            if source.id == source_id:
                return source
        raise UnknownSource(self.id, source_id)


class GuidanceError(Exception):
    """Root of everything this engine raises."""


class UnknownClause(GuidanceError):
    """No clause of the pack has this id or alias."""

    def __init__(self, pack: str, clause: str) -> None:
        super().__init__(
            f"The pack {pack} has no clause {clause!r}. "
            f"`folkmoot guidance show {pack}` lists those it has."
        )


class UnknownSource(GuidanceError):
    """No source of the pack has this id."""

    def __init__(self, pack: str, source: str) -> None:
        super().__init__(f"The pack {pack} has no source {source!r}.")


class UnknownPack(GuidanceError):
    """No pack of this name is installed."""

    def __init__(self, pack: str, known: tuple[str, ...]) -> None:
        super().__init__(f"There is no pack {pack!r}. Installed: {', '.join(known) or 'none'}.")


class UnknownVersion(GuidanceError):
    """There is a pack of this name, but not in this version."""

    def __init__(self, pack: str, version: str, known: tuple[str, ...]) -> None:
        super().__init__(
            f"There is no version {version!r} of the pack {pack}. There are: {', '.join(known)}."
        )


class PackError(GuidanceError):
    """A pack's file cannot be used as it stands. Says which file, which key, and what is wrong."""

    def __init__(self, file: Path, key: str, wrong: str) -> None:
        super().__init__(f"{file}: {key}: {wrong}" if key else f"{file}: {wrong}")
        self.file = file
        self.key = key
        self.wrong = wrong
