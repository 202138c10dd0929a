"""Changing an inherited clause without copying it: ``amend/<ID>.toml``.

Internal to :mod:`folkmoot.guidance`. ``docs/packs.md`` describes the form and who wins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .clause_file import AMENDABLE, CLAUSE_ID, find_audiences, get_locks
from .model import Clause, Evidence, Level, PackError, Status
from .provenance import Amendment
from .table import Table, decode, did_you_mean, parse

AMEND = "amend/"
AMEND_KEYS = (*AMENDABLE, "locked_add")

_STRONGEST_FIRST = tuple(Evidence)


@dataclass(frozen=True, slots=True)
class Change:
    """One file of ``amend/`` as read: what it is, and the values it sets by key."""

    made: Amendment
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stated:
    """A clause as its own pack states it, with the file and the keys that file sets."""

    clause: Clause
    file: Path
    keys: frozenset[str]


def read_changes(folder: Path, files: Mapping[str, bytes], pack: str) -> tuple[Change, ...]:
    """Every change of an inherited clause in the pack's folder, in the order of the clauses' ids.

    Whether there is such a clause, and whether it may be changed so, is for :func:`amended`.

    Raises:
        PackError: A file is not as ``docs/packs.md`` says.
    """
    changes = []
    for path, raw in files.items():
        if not path.startswith(AMEND):
            continue
        file = folder / path
        name = path.removeprefix(AMEND)
        if "/" in name or not name.endswith(".toml") or not CLAUSE_ID.fullmatch(file.stem):
            raise PackError(
                file,
                "name",
                "The folder amend holds files <ID>.toml, named for the clauses they change, and "
                "nothing else.",
            )
        changes.append(_change(Table(parse(decode(raw, file), file), file), pack))
    return tuple(changes)


def amended(
    stated: Mapping[str, Stated],
    changes: Iterable[Change],
    ancestors: Mapping[str, frozenset[str]],
    loading: Path,
) -> tuple[dict[str, Clause], dict[tuple[str, str], Amendment]]:
    """The clauses with all changes made, and for each changed key the change that prevails.

    ``stated`` holds every clause of the pack and of those it rests on, by id; ``changes`` those of
    all these packs, eldest first; ``ancestors`` gives for each pack all it rests on; ``loading``
    is the ``pack.toml`` at which packs that disagree meet.

    Raises:
        PackError: A change is of a clause that is not there or not inherited, touches a locked key,
            claims stronger evidence, or two packs neither of which extends the other disagree.
    """
    by_clause: dict[str, list[Change]] = {}
    for change in changes:
        _refuse_not_inherited(change, stated, ancestors)
        by_clause.setdefault(change.made.clause, []).append(change)
    clauses = {clause_id: told.clause for clause_id, told in stated.items()}
    prevailing: dict[tuple[str, str], Amendment] = {}
    for clause_id, of_clause in by_clause.items():
        _refuse_locked(stated[clause_id], of_clause, ancestors, loading)
        standing = _standing(stated[clause_id].clause, of_clause, ancestors, loading)
        clauses[clause_id] = _made(stated[clause_id].clause, of_clause, standing)
        prevailing.update(((clause_id, key), change.made) for key, change in standing.items())
    return clauses, prevailing


def _change(table: Table, pack: str) -> Change:
    table.allow_only(AMEND_KEYS)
    readers: dict[str, Callable[[str], Any]] = {
        "title": table.get_text,
        "aliases_add": table.get_texts,
        "audiences": lambda _: find_audiences(table),
        "status": lambda key: table.get_word(key, Status),
        "evidence": lambda key: table.get_word(key, Evidence),
        "note": table.get_text,
        "in_overview": table.find_flag,
    }
    values = {key: read(key) for key, read in readers.items() if table.has(key)}
    for key in ("audiences", "aliases_add"):
        if key in values and not values[key]:
            raise table.refuse(key, "Name one at least, or leave the key out to change nothing.")
    levels = table.find_table("levels")
    if levels is not None:
        levels.allow_only([level.value for level in Level])
        values |= {f"levels.{key}": levels.get_body(key) for key in Level if levels.has(key)}
    locks = get_locks(table, "locked_add")
    if not values and not locks:
        raise PackError(table.file, "", "This changes nothing. Take the file out, or say what.")
    made = Amendment(
        clause=table.file.stem, pack=pack, file=table.file, keys=frozenset(values), locks=locks
    )
    return Change(made, MappingProxyType(values))


def _refuse_not_inherited(
    change: Change, stated: Mapping[str, Stated], ancestors: Mapping[str, frozenset[str]]
) -> None:
    made = change.made
    told = stated.get(made.clause)
    if told is not None and told.clause.pack in ancestors[made.pack]:
        return
    if told is not None and told.clause.pack == made.pack:
        raise PackError(
            made.file,
            "name",
            f"The pack {made.pack} states {made.clause} itself. Change {told.file} instead.",
        )
    inherited = [
        clause_id
        for clause_id, other in stated.items()
        if other.clause.pack in ancestors[made.pack]
    ]
    raise PackError(
        made.file,
        "name",
        f"The pack {made.pack} inherits no clause {made.clause!r}."
        f"{did_you_mean(made.clause, inherited)}",
    )


def _refuse_locked(
    told: Stated,
    changes: Iterable[Change],
    ancestors: Mapping[str, frozenset[str]],
    loading: Path,
) -> None:
    changes = tuple(changes)
    locks = [(key, told.clause.pack, told.file) for key in sorted(told.clause.locked)]
    locks += [
        (key, change.made.pack, change.made.file)
        for change in changes
        for key in sorted(change.made.locks)
    ]
    for change in changes:
        made = change.made
        for key, locker, file in locks:
            if key not in made.keys or locker == made.pack or made.pack in ancestors[locker]:
                continue
            if locker in ancestors[made.pack]:
                raise PackError(
                    made.file, key, f"The pack {locker} has locked this in {file}. Leave it out."
                )
            raise PackError(
                loading,
                "extends",
                f"Two of the packs extended contradict each other: {file} locks {key} of the "
                f"clause {made.clause}, and {made.file} changes it.",
            )


def _standing(
    clause: Clause,
    changes: Iterable[Change],
    ancestors: Mapping[str, frozenset[str]],
    loading: Path,
) -> dict[str, Change]:
    """For each changed key the change whose value stands."""
    by_key: dict[str, list[Change]] = {}
    for change in changes:
        for key in change.values:
            by_key.setdefault(key, []).append(change)
    standing: dict[str, Change] = {}
    for key, setters in by_key.items():
        if key == "evidence":
            standing[key] = _weakest(clause, setters, ancestors)
            continue
        nearest = [
            setter
            for setter in setters
            if not any(setter.made.pack in ancestors[other.made.pack] for other in setters)
        ]
        first, *others = nearest
        for other in others:
            # Further aliases never contradict each other: a clause keeps all of them.
            if key != "aliases_add" and other.values[key] != first.values[key]:
                raise PackError(
                    loading,
                    "extends",
                    f"Two of the packs extended change {key} of the clause {clause.id} to "
                    f"different ends: {first.made.file} and {other.made.file}. Settle it in "
                    f"{loading.parent / AMEND / clause.id}.toml.",
                )
        standing[key] = first
    return standing


def _weakest(
    clause: Clause, setters: Iterable[Change], ancestors: Mapping[str, frozenset[str]]
) -> Change:
    setters = tuple(setters)
    for setter in setters:
        met = [clause.evidence] + [
            other.values["evidence"]
            for other in setters
            if other.made.pack in ancestors[setter.made.pack]
        ]
        known = max(met, key=_STRONGEST_FIRST.index)
        if _STRONGEST_FIRST.index(setter.values["evidence"]) < _STRONGEST_FIRST.index(known):
            raise PackError(
                setter.made.file,
                "evidence",
                f"The clause is marked {known.value}. A pack that inherits it may mark it weaker, "
                f"never stronger; {setter.values['evidence'].value} is stronger.",
            )
    return max(setters, key=lambda setter: _STRONGEST_FIRST.index(setter.values["evidence"]))


def _made(clause: Clause, changes: Iterable[Change], standing: Mapping[str, Change]) -> Clause:
    changes = tuple(changes)
    new: dict[str, Any] = {key: change.values[key] for key, change in standing.items()}
    levels = dict(clause.levels)
    for level in Level:
        levels[level] = new.pop(f"levels.{level.value}", levels[level])
    new.pop("aliases_add", None)
    aliases = (*clause.aliases, *_aliases_added(changes))
    return replace(
        clause,
        **new,
        aliases=tuple(dict.fromkeys(aliases)),
        levels=MappingProxyType(levels),
        locked=clause.locked.union(*(change.made.locks for change in changes)),
        amended_by=tuple(dict.fromkeys(change.made.pack for change in changes)),
    )


def _aliases_added(changes: Iterable[Change]) -> Iterator[str]:
    for change in changes:
        yield from change.values.get("aliases_add", ())
