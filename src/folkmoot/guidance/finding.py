"""Where packs are: the folder of a name, the folders of its versions, and what there is to choose.

A pack's current version stands in the folder of its name; an earlier one beside it in a folder
``<id>@<version>``, whole and in the same form.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

from .model import PackError

SHIPPED = Path(__file__).parent / "packs"
"""The folder of the packs that come with Folkmoot."""

PACK_TOML = "pack.toml"
PACK_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
VERSION = re.compile(r"[0-9]{4}\.(?:0[1-9]|1[0-2])(?:\.[0-9]{1,3})?")


def available_packs(search: Sequence[Path] = ()) -> tuple[str, ...]:
    """The names ``load_pack`` knows, sorted: those in ``search`` and those that are shipped.

    A pack is named for its folder. That it is listed does not say that it can be loaded. Earlier
    versions are not listed: :func:`folkmoot.guidance.list_versions` does that.

    Raises:
        PackError: A folder of ``search`` is not there.
    """
    return tuple(
        sorted(
            {
                file.parent.name
                for folder in (*searched(search), SHIPPED)
                for file in folder.glob(f"*/{PACK_TOML}")
                if PACK_ID.fullmatch(file.parent.name)
            }
        )
    )


def searched(search: Iterable[Path]) -> tuple[Path, ...]:
    """``search`` as a tuple.

    Raises:
        PackError: One of the folders is not there.
    """
    folders = tuple(search)
    for folder in folders:
        if not folder.is_dir():
            raise PackError(folder, "search", "There is no such folder to look for packs in.")
    return folders


def find_folder(name: str, folders: Iterable[Path]) -> Path | None:
    """The folder of the pack called ``name`` in the first of ``folders`` that has one."""
    if PACK_ID.fullmatch(name):
        for folder in folders:
            if (folder / name / PACK_TOML).is_file():
                return folder / name
    return None


def find_version_folder(name: str, version: str, folders: Iterable[Path]) -> Path | None:
    """The folder of that version of the pack in the first of ``folders`` that has it.

    In one folder, the current version wins over one that is kept.
    """
    if not (PACK_ID.fullmatch(name) and VERSION.fullmatch(version)):
        return None
    for folder in folders:
        if find_stated_version(folder / name) == version:
            return folder / name
        if (folder / f"{name}@{version}" / PACK_TOML).is_file():
            return folder / f"{name}@{version}"
    return None


def find_stated_version(folder: Path) -> str | None:
    """The version a folder's ``pack.toml`` names, or ``None`` where none can be made out.

    A file that cannot be read is told of in full when the pack is loaded; here it only has no
    version that anyone could have asked for.
    """
    try:
        version = tomllib.loads((folder / PACK_TOML).read_text(encoding="utf-8")).get("version")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        return None
    return version if isinstance(version, str) else None


def kept_versions(name: str, folder: Path) -> dict[str, Path]:
    """The versions of a pack in one folder of packs, with their folders, in no order.

    Raises:
        PackError: A version is kept although it is the current one too, so that it has two texts.
    """
    kept = {
        path.name.partition("@")[2]: path
        for path in folder.glob(f"{name}@*")
        if (path / PACK_TOML).is_file() and VERSION.fullmatch(path.name.partition("@")[2])
    }
    current = find_stated_version(folder / name)
    if current is not None:
        if current in kept:
            raise PackError(
                kept[current],
                "version",
                f"{name} {current} stands in {folder / name} too, and a version has one text. "
                f"Give the current pack a new version, or take one of the folders out.",
            )
        kept[current] = folder / name
    return kept


def version_key(version: str) -> tuple[int, ...]:
    """Sorts versions by age, the earliest first: ``2026.9`` does not occur, ``2026.11.2`` does."""
    return tuple(int(part) for part in version.split("."))
