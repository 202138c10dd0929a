"""Where each word of a clause comes from, and what a pack further down may still change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path

from .clause_file import AMENDABLE, CLAUSES
from .model import Audience, Clause, Level, Pack
from .provenance import Amendment, Layer, Provenance

MOST_CHAINS = 20
"""How many lines of parents are told. Packs that meet again and again have more than one reads."""

_FROM_SOURCE = frozenset({"version_on", "url", "url_history"})


class Origin(StrEnum):
    """What sort of place a key's value comes from."""

    CLAUSE = "clause"
    """The clause's own file."""
    AMENDMENT = "amendment"
    """A file of ``amend/`` of a pack that inherits the clause."""
    SOURCE = "source"
    """The source the clause cites, since the clause leaves the key out."""
    DEFAULT = "default"
    """Nobody says; this is what is meant where nothing is said."""


@dataclass(frozen=True, slots=True)
class KeyOrigin:
    """One key of a clause: its value in words, and which pack and file set it.

    ``pack`` and ``file`` are ``None`` for a default, and for what the source says.
    ``locked_by`` is the pack that locked the key, or ``None``.
    """

    key: str
    value: str
    origin: Origin
    pack: str | None
    file: Path | None
    locked_by: str | None


@dataclass(frozen=True, slots=True)
class ClauseExplanation:
    """Where a clause comes from.

    ``layer`` is the pack that states it, in ``file``. ``chains`` are the lines of packs that lead
    there, each from the pack asked about, and at most twenty (``has_more_chains`` beyond that).
    ``keys`` stand in the order of a clause's file, then its levels. ``may_change`` are the keys a
    pack further down may still change, in the words of ``amend/<ID>.toml``.
    """

    clause: Clause
    layer: Layer
    file: Path
    chains: tuple[tuple[str, ...], ...]
    has_more_chains: bool
    keys: tuple[KeyOrigin, ...]
    amendments: tuple[Amendment, ...]
    may_change: tuple[str, ...]


def explain_clause(pack: Pack, clause_id: str) -> ClauseExplanation:
    """Which pack states the clause with this id or alias, and which file set each of its keys.

    Raises:
        UnknownClause: The pack has no such clause.
        ValueError: The pack was not loaded from files, so nothing is known of where it comes from.
    """
    clause = pack.get_clause(clause_id)
    provenance = pack.provenance
    layer = provenance.find_layer(clause.pack)
    if layer is None:
        raise ValueError(f"The pack {pack.id} was not loaded from files.")
    file = layer.folder / f"{CLAUSES}{clause.id}.md"
    chains = tuple(islice(_chains(provenance, pack.id, clause.pack), MOST_CHAINS + 1))
    amendments = provenance.amendments_of(clause.id)
    # A clause holds every lock laid on it; those no amendment laid are its own pack's.
    locks = dict.fromkeys(sorted(clause.locked), clause.pack)
    for made in amendments:
        locks |= dict.fromkeys(made.locks, made.pack)
    return ClauseExplanation(
        clause=clause,
        layer=layer,
        file=file,
        chains=chains[:MOST_CHAINS],
        has_more_chains=len(chains) > MOST_CHAINS,
        keys=tuple(
            _origin((key, value), clause, provenance, file, locks)
            for key, value in _words(clause).items()
        ),
        amendments=amendments,
        may_change=tuple(key for key in _amendable_keys() if key not in locks),
    )


def _amendable_keys() -> Iterator[str]:
    for key in AMENDABLE:
        if key == "levels":
            yield from (f"levels.{level.value}" for level in Level)
        else:
            yield key


def _chains(provenance: Provenance, start: str, end: str) -> Iterator[tuple[str, ...]]:
    """Every line of parents from ``start`` to ``end``, following only packs that lead there."""
    layers = {layer.pack: layer for layer in provenance.layers}
    leading = {end}
    for layer in provenance.layers:  # parents stand before their children
        if leading.intersection(layer.extends):
            leading.add(layer.pack)

    def walk(at: str, line: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if at == end:
            yield line
            return
        for parent in layers[at].extends:
            if parent in leading:
                yield from walk(parent, (*line, parent))

    return walk(start, (start,))


def _origin(
    told: tuple[str, str],
    clause: Clause,
    provenance: Provenance,
    file: Path,
    locks: dict[str, str],
) -> KeyOrigin:
    key, value = told
    locked_by = locks.get("aliases_add" if key == "aliases" else key)
    made = provenance.prevailing.get((clause.id, key))
    if made is not None:
        return KeyOrigin(key, value, Origin.AMENDMENT, made.pack, made.file, locked_by)
    if key.startswith("levels.") or key in provenance.stated[clause.id]:
        return KeyOrigin(key, value, Origin.CLAUSE, clause.pack, file, locked_by)
    origin = Origin.SOURCE if key in _FROM_SOURCE and value else Origin.DEFAULT
    return KeyOrigin(key, value, origin, None, None, locked_by)


def _words(clause: Clause) -> dict[str, str]:
    words = {
        "source": clause.source,
        "kind": clause.kind.value,
        "title": clause.title,
        "group": clause.group,
        "official_ref": clause.official_ref or "",
        "aliases": ", ".join(clause.aliases),
        "version_on": "" if clause.version_on is None else clause.version_on.isoformat(),
        "checked_on": clause.checked_on.isoformat(),
        "status": clause.status.value,
        "evidence": clause.evidence.value,
        "url": clause.url,
        "url_history": ", ".join(clause.url_history),
        "audiences": ", ".join(each.value for each in Audience if each in clause.audiences),
        "note": clause.note,
        "in_overview": "true" if clause.in_overview else "false",
    }
    return words | {f"levels.{level.value}": clause.levels[level] for level in Level}
