"""The versions of a pack that are at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .finding import (
    PACK_ID,
    SHIPPED,
    available_packs,
    find_folder,
    kept_versions,
    searched,
    version_key,
)
from .loader import load_pack
from .model import UnknownPack


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a pack: its digest, where it is, and whether it is the current one."""

    pack: str
    version: str
    digest: str
    folder: Path
    is_current: bool

    @property
    def reference(self) -> str:
        """The version as the record cites it: ``id@version#first-12-of-digest``."""
        return f"{self.pack}@{self.version}#{self.digest[:12]}"


def list_versions(pack_id: str, *, search: Sequence[Path] = ()) -> tuple[Version, ...]:
    """Every version of the pack that can be found, newest first, each with its digest.

    Looked for in each folder of ``search``, in order, then among the packs that come with Folkmoot;
    where two of these hold one version, the first is meant. Each version is loaded.

    Raises:
        UnknownPack: There is no pack of this name.
        PackError: A version cannot be loaded, or one folder holds the same version twice.
    """
    roots = (*searched(search), SHIPPED)
    folders: dict[str, Path] = {}
    if PACK_ID.fullmatch(pack_id):
        for root in roots:
            folders = {**kept_versions(pack_id, root), **folders}
    if not folders:
        raise UnknownPack(pack_id, available_packs(search))
    current = find_folder(pack_id, roots)
    found = []
    for version in sorted(folders, key=version_key, reverse=True):
        pack = load_pack(f"{pack_id}@{version}", search=search)
        folder = pack.folders[-1]
        found.append(Version(pack.id, pack.version, pack.digest, folder, folder == current))
    return tuple(found)
