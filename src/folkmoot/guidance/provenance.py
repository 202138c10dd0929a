"""Which pack said what: the layers a pack is made of, and who changed which key of a clause.

Values only. They are made while a pack is loaded and reached as ``pack.provenance``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Layer:
    """One pack of those a pack is made of: itself, or one it rests on."""

    pack: str
    version: str
    digest: str
    folder: Path
    extends: tuple[str, ...]

    @property
    def reference(self) -> str:
        """The layer as the record cites it: ``id@version#first-12-of-digest``."""
        return f"{self.pack}@{self.version}#{self.digest[:12]}"


@dataclass(frozen=True, slots=True)
class Amendment:
    """What one file of ``amend/`` changes in one clause.

    ``keys`` are those it sets and ``locks`` those it locks, both in the words of the file, each
    level by itself (``levels.overview``).
    """

    clause: str
    pack: str
    file: Path
    keys: frozenset[str]
    locks: frozenset[str]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where each word of a pack comes from.

    ``layers`` are the packs it is made of, parents first, the pack itself last. ``stated`` gives
    for each clause the keys its own file sets. ``amendments`` are all changes of inherited clauses,
    eldest layer first. ``prevailing`` gives, for a clause and a key that was changed, the amendment
    whose value stands.
    """

    layers: tuple[Layer, ...] = ()
    stated: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    amendments: tuple[Amendment, ...] = ()
    prevailing: Mapping[tuple[str, str], Amendment] = field(
        default_factory=lambda: MappingProxyType({})
    )

    def find_layer(self, pack: str) -> Layer | None:
        """The layer of the pack with this id, or ``None`` where this pack does not rest on it."""
        return next((layer for layer in self.layers if layer.pack == pack), None)

    def amendments_of(self, clause_id: str) -> tuple[Amendment, ...]:
        """The changes of the clause with this id, eldest layer first."""
        return tuple(made for made in self.amendments if made.clause == clause_id)
