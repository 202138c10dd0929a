"""Loading a pack: its folder, the packs it extends, and everything that may be wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from .amending import AMEND, Change, Stated, amended, read_changes
from .clause_file import CLAUSES, read_clause
from .finding import (
    PACK_ID,
    PACK_TOML,
    SHIPPED,
    VERSION,
    available_packs,
    find_folder,
    find_stated_version,
    find_version_folder,
    kept_versions,
    searched,
    version_key,
)
from .folder import digest_files, read_files
from .model import Clause, Pack, PackError, Source, UnknownPack, UnknownVersion
from .provenance import Amendment, Layer, Provenance
from .source_file import read_sources
from .table import Table, decode, parse

DEPTH_LIMIT = 8
"""How many packs may stand in one line of inheritance, the pack itself included."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
# `check` belongs to the checker, which reads and refuses for itself.
_PACK_KEYS = ("id", "title", "version", "issuer", "nation", "summary", "extends", "check")
_EXTENDS_KEYS = ("pack", "version", "digest")


def load_pack(name_or_folder: str | Path, *, search: Sequence[Path] = ()) -> Pack:
    """The pack with this name, or in this folder, with all it inherits.

    A ``str`` without a slash is a name and is looked for in each folder of ``search``, in order,
    then among the packs that come with Folkmoot; ``id@version`` names one version, the current or
    an earlier one. A ``Path``, or a ``str`` with a slash, is the pack's own folder. A pack that is
    extended is looked for in ``search``, then beside the pack that extends it, then among those
    that come with Folkmoot, in the version that is asked for.

    Clauses stand in the order of their ``order`` key, then id; those of a parent before those of
    its child; those of a grandparent reached by two ways once. What a pack changes in clauses it
    inherits is changed already. Nothing is remembered between calls: the files are read each time.

    Raises:
        UnknownPack: No pack of this name is installed.
        UnknownVersion: There is such a pack, but not in the version asked for.
        PackError: A file of the pack, or of one it extends, cannot be used as it stands; or a
            folder of ``search`` is not there.
    """
    given = searched(search)
    if isinstance(name_or_folder, Path) or "/" in name_or_folder or "\\" in name_or_folder:
        return _load(Path(name_or_folder), _Loading(given), (), None).pack
    roots = (*given, SHIPPED)
    name, at, version = name_or_folder.partition("@")
    folder = find_version_folder(name, version, roots) if at else find_folder(name, roots)
    if folder is None:
        kept = {
            each for root in roots if PACK_ID.fullmatch(name) for each in kept_versions(name, root)
        }
        if at and kept:
            raise UnknownVersion(name, version, tuple(sorted(kept, key=version_key, reverse=True)))
        raise UnknownPack(name, available_packs(search))
    return _load(folder, _Loading(given), (), name, version or None).pack


@dataclass(frozen=True, slots=True)
class _Part:
    """What one pack contributes by itself, before anything below it has changed a word."""

    layer: Layer
    stated: tuple[Stated, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A pack, and every pack it rests on by id (itself last), for joining lines that meet."""

    pack: Pack
    lineage: Mapping[str, Pack]
    parts: Mapping[str, _Part]
    height: int
    """How many packs stand in its longest line of parents, itself included."""


@dataclass(frozen=True, slots=True)
class _Loading:
    """One call of :func:`load_pack`.

    ``done`` keeps each folder's pack, so that many lines meeting in a few parents cost no more
    than the parents do: a pack from somebody else must not be able to hang us.
    """

    search: tuple[Path, ...]
    done: dict[Path, _Loaded] = field(default_factory=dict)


def _load(
    folder: Path,
    loading: _Loading,
    below: tuple[str, ...],
    expected: str | None,
    expected_version: str | None = None,
) -> _Loaded:
    """Load ``folder``; ``below`` are the packs that led here, ``expected`` the id asked for."""
    files = read_files(folder)
    file = folder / PACK_TOML
    if PACK_TOML not in files:
        raise PackError(file, "", "The file is missing. Every pack has one.")
    table = Table(parse(decode(files[PACK_TOML], file), file), file)
    table.allow_only(_PACK_KEYS)
    pack_id = _pack_id(table, "id")
    if expected is not None and pack_id != expected:
        raise table.refuse(
            "id", f"The folder is called {expected!r}, but the pack in it {pack_id!r}. Rename one."
        )
    version = _version(table, "version")
    if expected_version is not None and version != expected_version:
        raise table.refuse(
            "version",
            f"The folder is called {folder.name!r}, but the pack in it says {version}. Rename one.",
        )
    line = (*below, pack_id)
    if pack_id in below:
        raise table.refuse("extends", f"These packs extend one another: {' -> '.join(line)}.")
    if len(line) > DEPTH_LIMIT:
        raise _too_many_in_a_row(table, line)

    parents = _parents(table, folder, loading, line)
    lineage, above = _join(table, parents)
    sources = read_sources(folder, files, tuple(lineage.values()))
    layer = Layer(
        pack=pack_id,
        version=version,
        digest=digest_files(files, [(parent.pack.id, parent.pack.digest) for parent in parents]),
        folder=folder,
        extends=tuple(parent.pack.id for parent in parents),
    )
    stated = _stated(folder, files, pack_id, sources)
    parts = {**above, pack_id: _Part(layer, stated, read_changes(folder, files, pack_id))}
    clauses, provenance = _clauses(folder, pack_id, parts)
    pack = Pack(
        id=pack_id,
        title=table.get_text("title"),
        version=version,
        issuer=table.get_text("issuer"),
        nation=table.get_text("nation"),
        summary=table.get_text("summary"),
        extends=layer.extends,
        sources=tuple(sources.values()),
        clauses=clauses,
        folders=tuple(part.layer.folder for part in parts.values()),
        digest=layer.digest,
        provenance=provenance,
    )
    height = 1 + max((parent.height for parent in parents), default=0)
    loaded = _Loaded(pack, {**lineage, pack_id: pack}, parts, height)
    loading.done[folder] = loaded
    return loaded


def _too_many_in_a_row(table: Table, line: Iterable[str]) -> PackError:
    return table.refuse(
        "extends",
        f"More than {DEPTH_LIMIT} packs extend one another in a row: {' -> '.join(line)}.",
    )


def _pack_id(table: Table, key: str) -> str:
    pack_id = table.get_text(key)
    if not PACK_ID.fullmatch(pack_id):
        raise table.refuse(
            key,
            f"{pack_id!r} is no pack id. Use small letters and digits, in parts joined by single "
            "hyphens: uk-civil-service.",
        )
    return pack_id


def _version(table: Table, key: str) -> str:
    version = table.get_text(key)
    if not VERSION.fullmatch(version):
        raise table.refuse(
            key,
            f"{version!r} is no version. Use year and month, and a number if there are several in "
            "a month: 2026.11 or 2026.11.2.",
        )
    return version


def _parents(
    table: Table, folder: Path, loading: _Loading, line: tuple[str, ...]
) -> tuple[_Loaded, ...]:
    parents: list[_Loaded] = []
    for at, data in enumerate(table.get_rows("extends"), 1):
        row = Table(data, table.file, f"extends[{at}].")
        row.allow_only(_EXTENDS_KEYS)
        name = _pack_id(row, "pack")
        version = _version(row, "version")
        digest = row.find_text("digest")
        if digest is not None and not _DIGEST.fullmatch(digest):
            raise row.refuse("digest", "A digest is 64 characters, 0 to 9 and a to f.")
        if any(parent.pack.id == name for parent in parents):
            raise row.refuse("pack", f"{name!r} is extended twice.")
        looked_in = (*loading.search, folder.resolve().parent, SHIPPED)
        found = _parent_folder(row, name, version, looked_in)
        parent = loading.done.get(found) or _load(found, loading, line, name)
        # _load has looked for this; a parent loaded by another line has looked along that one.
        if again := next((pack_id for pack_id in line if pack_id in parent.lineage), None):
            ring = " -> ".join((*line, name, "...", again))
            raise row.refuse("pack", f"These packs extend one another: {ring}.")
        if len(line) + parent.height > DEPTH_LIMIT:
            raise _too_many_in_a_row(table, (*line, name, "..."))
        if parent.pack.version != version:
            raise row.refuse(
                "version",
                f"This pack extends {name} {version}, but the one in {found} is "
                f"{parent.pack.version}, and no folder {name}@{version} is kept beside it.",
            )
        if digest is not None and parent.pack.digest != digest:
            raise row.refuse(
                "digest",
                f"This pack extends {name} with the digest {digest}, but the one in {found} has "
                f"{parent.pack.digest}. Its files are not those this pack was written for.",
            )
        parents.append(parent)
    return tuple(parents)


def _parent_folder(row: Table, name: str, version: str, looked_in: tuple[Path, ...]) -> Path:
    """The parent's folder: the current one where it is of that version, else a version kept."""
    found = find_folder(name, looked_in)
    if found is None or find_stated_version(found) != version:
        found = find_version_folder(name, version, looked_in) or found
    if found is None:
        places = ", ".join(str(place) for place in dict.fromkeys(looked_in))
        raise row.refuse("pack", f"There is no pack {name!r}. Looked in: {places}.")
    return found


def _join(table: Table, parents: Iterable[_Loaded]) -> tuple[dict[str, Pack], dict[str, _Part]]:
    """Every pack the parents rest on, eldest first, each once, and what each contributes."""
    lineage: dict[str, Pack] = {}
    parts: dict[str, _Part] = {}
    for parent in parents:
        for pack_id, pack in parent.lineage.items():
            other = lineage.setdefault(pack_id, pack)
            if other.digest != pack.digest:
                raise table.refuse(
                    "extends",
                    f"Two different packs {pack_id!r} are inherited: {other.reference} from "
                    f"{other.folders[-1]} and {pack.reference} from {pack.folders[-1]}.",
                )
        parts.update(parent.parts)
    return lineage, parts


def _stated(
    folder: Path, files: Mapping[str, bytes], pack_id: str, sources: Mapping[str, Source]
) -> tuple[Stated, ...]:
    """The clauses the pack states itself, in their order."""
    own: list[tuple[int, Stated]] = []
    for path, raw in files.items():
        if not path.startswith(CLAUSES):
            continue
        file = folder / path
        name = path.removeprefix(CLAUSES)
        if "/" in name or not name.endswith(".md"):
            raise PackError(
                file, "name", "The folder clauses holds files <ID>.md and nothing else. Move it."
            )
        order, clause, keys = read_clause(raw, file, pack=pack_id, sources=sources)
        own.append((order, Stated(clause, file, keys)))
    own.sort(key=lambda ordered: (ordered[0], ordered[1].clause.id))
    return tuple(told for _, told in own)


def _clauses(
    folder: Path, pack_id: str, parts: Mapping[str, _Part]
) -> tuple[tuple[Clause, ...], Provenance]:
    """All clauses, parents' first, with every change made, and where each word comes from."""
    stated = tuple(told for part in parts.values() for told in part.stated)
    if not stated:
        raise PackError(folder / CLAUSES, "", "There are no clauses. A pack has one at least.")
    clauses = tuple(told.clause for told in stated)
    _refuse_shared_names(folder, pack_id, clauses)
    changes = tuple(change for part in parts.values() for change in part.changes)
    prevailing: dict[tuple[str, str], Amendment] = {}
    if changes:
        by_id = {told.clause.id: told for told in stated}
        made, prevailing = amended(by_id, changes, _ancestors(parts), folder / PACK_TOML)
        clauses = tuple(made[clause.id] for clause in clauses)
        _refuse_shared_names(folder, pack_id, clauses)
    return clauses, Provenance(
        layers=tuple(part.layer for part in parts.values()),
        stated=MappingProxyType({told.clause.id: told.keys for told in stated}),
        amendments=tuple(change.made for change in changes),
        prevailing=MappingProxyType(prevailing),
    )


def _ancestors(parts: Mapping[str, _Part]) -> dict[str, frozenset[str]]:
    """For each pack, all it rests on. Parents stand before their children."""
    ancestors: dict[str, frozenset[str]] = {}
    for pack_id, part in parts.items():
        above = part.layer.extends
        ancestors[pack_id] = frozenset(above).union(*(ancestors[parent] for parent in above))
    return ancestors


def _refuse_shared_names(folder: Path, pack_id: str, clauses: Iterable[Clause]) -> None:
    """Every id and every alias must lead to one clause, or citing it would not be citing."""
    named: dict[str, Clause] = {}
    for clause in clauses:
        for key, name in (("name", clause.id), *(("aliases", alias) for alias in clause.aliases)):
            other = named.setdefault(name, clause)
            if other is not clause:
                if clause.pack == pack_id:
                    file, at = folder / f"{CLAUSES}{clause.id}.md", key
                elif pack_id in clause.amended_by:
                    file, at = folder / f"{AMEND}{clause.id}.toml", "aliases_add"
                else:
                    file, at = folder / PACK_TOML, "extends"
                raise PackError(
                    file,
                    at,
                    f"{name!r} already names the clause {other.id} of the pack {other.pack}. "
                    "Every id and alias must name one clause.",
                )
