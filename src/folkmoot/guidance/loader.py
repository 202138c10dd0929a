"""Loading a pack: its folder, the packs it extends, and everything that may be wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .clause_file import read_clause
from .folder import digest_files, read_files
from .model import Clause, Pack, PackError, Source, UnknownPack
from .source_file import read_sources
from .table import Table, decode, parse

SHIPPED = Path(__file__).parent / "packs"
"""The folder of the packs that come with Folkmoot."""

DEPTH_LIMIT = 8
"""How many packs may stand in one line of inheritance, the pack itself included."""

_PACK_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_VERSION = re.compile(r"[0-9]{4}\.(?:0[1-9]|1[0-2])(?:\.[0-9]{1,3})?")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PACK_TOML = "pack.toml"
_CLAUSES = "clauses/"
# `check` belongs to the checker, which reads and refuses for itself.
_PACK_KEYS = ("id", "title", "version", "issuer", "nation", "summary", "extends", "check")
_EXTENDS_KEYS = ("pack", "version", "digest")


def load_pack(name_or_folder: str | Path, *, search: Sequence[Path] = ()) -> Pack:
    """The pack with this name, or in this folder, with all it inherits.

    A ``str`` without a slash is a name and is looked for in each folder of ``search``, in order,
    then among the packs that come with Folkmoot. A ``Path``, or a ``str`` with a slash, is the
    pack's own folder. A pack that is extended is looked for in ``search``, then beside the pack
    that extends it, then among those that come with Folkmoot.

    Clauses stand in the order of their ``order`` key, then id; those of a parent before those of
    its child; those of a grandparent reached by two ways once. Nothing is remembered between
    calls: the files are read each time.

    Raises:
        UnknownPack: No pack of this name is installed.
        PackError: A file of the pack, or of one it extends, cannot be used as it stands; or a
            folder of ``search`` is not there.
    """
    searched = _searched(search)
    if isinstance(name_or_folder, Path) or "/" in name_or_folder or "\\" in name_or_folder:
        return _load(Path(name_or_folder), _Loading(searched), (), None).pack
    folder = _find_folder(name_or_folder, (*searched, SHIPPED))
    if folder is None:
        raise UnknownPack(name_or_folder, available_packs(search))
    return _load(folder, _Loading(searched), (), name_or_folder).pack


def available_packs(search: Sequence[Path] = ()) -> tuple[str, ...]:
    """The names :func:`load_pack` knows, sorted: those in ``search`` and those that are shipped.

    A pack is named for its folder. That it is listed does not say that it can be loaded.

    Raises:
        PackError: A folder of ``search`` is not there.
    """
    return tuple(
        sorted(
            {
                file.parent.name
                for folder in (*_searched(search), SHIPPED)
                for file in folder.glob(f"*/{_PACK_TOML}")
                if _PACK_ID.fullmatch(file.parent.name)
            }
        )
    )


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A pack, and every pack it rests on by id (itself last), for joining lines that meet."""

    pack: Pack
    lineage: Mapping[str, Pack]
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


def _searched(search: Iterable[Path]) -> tuple[Path, ...]:
    folders = tuple(search)
    for folder in folders:
        if not folder.is_dir():
            raise PackError(folder, "search", "There is no such folder to look for packs in.")
    return folders


def _find_folder(name: str, folders: Iterable[Path]) -> Path | None:
    if _PACK_ID.fullmatch(name):
        for folder in folders:
            if (folder / name / _PACK_TOML).is_file():
                return folder / name
    return None


def _load(folder: Path, loading: _Loading, below: tuple[str, ...], expected: str | None) -> _Loaded:
    """Load ``folder``; ``below`` are the packs that led here, ``expected`` the id asked for."""
    files = read_files(folder)
    file = folder / _PACK_TOML
    if _PACK_TOML not in files:
        raise PackError(file, "", "The file is missing. Every pack has one.")
    table = Table(parse(decode(files[_PACK_TOML], file), file), file)
    table.allow_only(_PACK_KEYS)
    pack_id = _pack_id(table, "id")
    if expected is not None and pack_id != expected:
        raise table.refuse(
            "id", f"The folder is called {expected!r}, but the pack in it {pack_id!r}. Rename one."
        )
    version = _version(table, "version")
    line = (*below, pack_id)
    if pack_id in below:
        raise table.refuse("extends", f"These packs extend one another: {' -> '.join(line)}.")
    if len(line) > DEPTH_LIMIT:
        raise _too_many_in_a_row(table, line)

    parents = _parents(table, folder, loading, line)
    lineage = _join(table, parents)
    inherited = tuple(lineage.values())
    sources = read_sources(folder, files, inherited)
    clauses = _clauses(folder, files, pack_id, sources, inherited)
    own_folders = (folder,)
    pack = Pack(
        id=pack_id,
        title=table.get_text("title"),
        version=version,
        issuer=table.get_text("issuer"),
        nation=table.get_text("nation"),
        summary=table.get_text("summary"),
        extends=tuple(parent.pack.id for parent in parents),
        sources=tuple(sources.values()),
        clauses=clauses,
        folders=tuple(dict.fromkeys(path for parent in parents for path in parent.pack.folders))
        + own_folders,
        digest=digest_files(files, [(parent.pack.id, parent.pack.digest) for parent in parents]),
    )
    height = 1 + max((parent.height for parent in parents), default=0)
    loaded = _Loaded(pack, {**lineage, pack_id: pack}, height)
    loading.done[folder] = loaded
    return loaded


def _too_many_in_a_row(table: Table, line: Iterable[str]) -> PackError:
    return table.refuse(
        "extends",
        f"More than {DEPTH_LIMIT} packs extend one another in a row: {' -> '.join(line)}.",
    )


def _pack_id(table: Table, key: str) -> str:
    pack_id = table.get_text(key)
    if not _PACK_ID.fullmatch(pack_id):
        raise table.refuse(
            key,
            f"{pack_id!r} is no pack id. Use small letters and digits, in parts joined by single "
            "hyphens: uk-civil-service.",
        )
    return pack_id


def _version(table: Table, key: str) -> str:
    version = table.get_text(key)
    if not _VERSION.fullmatch(version):
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
        found = _find_folder(name, looked_in)
        if found is None:
            places = ", ".join(str(place) for place in dict.fromkeys(looked_in))
            raise row.refuse("pack", f"There is no pack {name!r}. Looked in: {places}.")
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
                f"{parent.pack.version}.",
            )
        if digest is not None and parent.pack.digest != digest:
            raise row.refuse(
                "digest",
                f"This pack extends {name} with the digest {digest}, but the one in {found} has "
                f"{parent.pack.digest}. Its files are not those this pack was written for.",
            )
        parents.append(parent)
    return tuple(parents)


def _join(table: Table, parents: Iterable[_Loaded]) -> dict[str, Pack]:
    """Every pack the parents rest on, eldest first, each once."""
    lineage: dict[str, Pack] = {}
    for parent in parents:
        for pack_id, pack in parent.lineage.items():
            other = lineage.setdefault(pack_id, pack)
            if other.digest != pack.digest:
                raise table.refuse(
                    "extends",
                    f"Two different packs {pack_id!r} are inherited: {other.reference} from "
                    f"{other.folders[-1]} and {pack.reference} from {pack.folders[-1]}.",
                )
    return lineage


def _clauses(
    folder: Path,
    files: Mapping[str, bytes],
    pack_id: str,
    sources: Mapping[str, Source],
    inherited: Iterable[Pack],
) -> tuple[Clause, ...]:
    # A parent lists what it inherits, so the lineage tells of every clause once by its own pack.
    above = [clause for pack in inherited for clause in pack.clauses if clause.pack == pack.id]
    own: list[tuple[int, Clause]] = []
    for path, raw in files.items():
        if not path.startswith(_CLAUSES):
            continue
        file = folder / path
        name = path.removeprefix(_CLAUSES)
        if "/" in name or not name.endswith(".md"):
            raise PackError(
                file, "name", "The folder clauses holds files <ID>.md and nothing else. Move it."
            )
        own.append(read_clause(raw, file, pack=pack_id, sources=sources))
    if not own and not above:
        raise PackError(folder / _CLAUSES, "", "There are no clauses. A pack has one at least.")
    own.sort(key=lambda ordered: (ordered[0], ordered[1].id))
    clauses = (*above, *(clause for _, clause in own))
    _refuse_shared_names(folder, pack_id, clauses)
    return clauses


def _refuse_shared_names(folder: Path, pack_id: str, clauses: Iterable[Clause]) -> None:
    """Every id and every alias must lead to one clause, or citing it would not be citing."""
    named: dict[str, Clause] = {}
    for clause in clauses:
        for key, name in (("name", clause.id), *(("aliases", alias) for alias in clause.aliases)):
            other = named.setdefault(name, clause)
            if other is not clause:
                ours = clause.pack == pack_id
                raise PackError(
                    folder / (f"{_CLAUSES}{clause.id}.md" if ours else _PACK_TOML),
                    key if ours else "extends",
                    f"{name!r} already names the clause {other.id} of the pack {other.pack}. "
                    "Every id and alias must name one clause.",
                )
