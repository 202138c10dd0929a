"""Earlier versions stand beside the current one, whole, and are found by their version."""

from __future__ import annotations

from pathlib import Path

import pytest
from guidance_small_pack import Writer, clause_text

from folkmoot.guidance import (
    PackError,
    UnknownPack,
    UnknownVersion,
    available_packs,
    list_versions,
    load_pack,
)


def keep(write_pack: Writer, tmp_path: Path, version: str, *, name: str = "mine") -> Path:
    """Write an earlier version of a pack into the folder it is kept in."""
    folder = write_pack(name, under=tmp_path / "elsewhere" / version)
    kept = tmp_path / f"{name}@{version}"
    folder.rename(kept)
    change_version(kept, version)
    return kept


def change_version(folder: Path, version: str) -> None:
    file = folder / "pack.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('"2026.11"', f'"{version}"', 1), encoding="utf-8")


def test_versions_are_listed_newest_first_with_their_digests(write_pack: Writer, tmp_path: Path):
    current = write_pack("mine")
    for version in ("2026.05.2", "2025.12", "2026.05", "2026.05.10"):
        keep(write_pack, tmp_path, version)
    versions = list_versions("mine", search=[tmp_path])
    assert [each.version for each in versions] == [
        "2026.11",
        "2026.05.10",
        "2026.05.2",
        "2026.05",
        "2025.12",
    ]
    assert [each.is_current for each in versions] == [True, False, False, False, False]
    assert versions[0].folder == current
    for each in versions:
        pack = load_pack(f"mine@{each.version}", search=[tmp_path])
        assert (each.digest, each.reference) == (pack.digest, pack.reference)
    assert len({each.digest for each in versions}) == len(versions)


def test_a_name_alone_means_the_current_version(write_pack: Writer, tmp_path: Path):
    write_pack("mine")
    keep(write_pack, tmp_path, "2026.05")
    assert load_pack("mine", search=[tmp_path]).version == "2026.11"
    assert load_pack("mine@2026.11", search=[tmp_path]).folders == (tmp_path / "mine",)
    assert load_pack("mine@2026.05", search=[tmp_path]).version == "2026.05"
    assert "mine@2026.05" not in available_packs([tmp_path])


def test_a_version_that_is_missing_is_answered_with_those_there_are(
    write_pack: Writer, tmp_path: Path
):
    write_pack("mine")
    keep(write_pack, tmp_path, "2026.05")
    with pytest.raises(
        UnknownVersion,
        match=r"^There is no version '2026.04' of the pack mine. There are: 2026.11, 2026.05.$",
    ):
        load_pack("mine@2026.04", search=[tmp_path])
    with pytest.raises(UnknownPack, match="There is no pack 'other'"):
        load_pack("other@2026.04", search=[tmp_path])
    with pytest.raises(UnknownPack):
        list_versions("other", search=[tmp_path])


@pytest.mark.parametrize("name", ["mine@", "mine@latest", "mine@2026.11@2026.11", "@2026.11"])
def test_what_is_no_version_leads_nowhere(write_pack: Writer, tmp_path: Path, name: str):
    write_pack("mine")
    with pytest.raises((UnknownVersion, UnknownPack)):
        load_pack(name, search=[tmp_path])


@pytest.mark.parametrize("name", ["../mine", "*", "..", "@"])
def test_a_name_cannot_lead_out_of_the_folders_searched(tmp_path: Path, name: str):
    with pytest.raises(UnknownPack):
        list_versions(name, search=[tmp_path])


def test_a_pack_kept_in_the_folder_of_another_version_is_refused(
    write_pack: Writer, tmp_path: Path
):
    kept = keep(write_pack, tmp_path, "2026.05")
    change_version(kept, "2026.05")
    kept.rename(tmp_path / "mine@2026.06")
    with pytest.raises(PackError, match=r"called 'mine@2026.06', but the pack in it says 2026\.05"):
        load_pack("mine@2026.06", search=[tmp_path])


def test_one_version_with_two_texts_is_refused(write_pack: Writer, tmp_path: Path):
    write_pack("mine")
    kept = keep(write_pack, tmp_path, "2026.11")
    with pytest.raises(PackError, match="a version has one text") as caught:
        list_versions("mine", search=[tmp_path])
    assert caught.value.file == kept


def test_a_child_gets_the_version_of_its_parent_that_it_asks_for(
    write_pack: Writer, tmp_path: Path
):
    write_pack("parent", clauses={"NEW": clause_text(pack="parent")})
    keep(write_pack, tmp_path, "2026.05", name="parent")
    for version, clause in (("2026.11", "NEW"), ("2026.05", "PARENT-1")):
        child = write_pack(
            f"child-{version.replace('.', '-')}",
            pack=f'extends = [{{ pack = "parent", version = "{version}" }}]\n',
            clauses={},
            sources="",
        )
        pack = load_pack(child)
        assert [each.id for each in pack.clauses] == [clause]
        assert [layer.version for layer in pack.provenance.layers] == [version, "2026.11"]


def test_a_kept_parent_whose_files_have_changed_is_refused(write_pack: Writer, tmp_path: Path):
    write_pack("parent")
    kept = keep(write_pack, tmp_path, "2026.05", name="parent")
    digest = load_pack(kept).digest
    child = write_pack(
        "child",
        pack=f'extends = [{{ pack = "parent", version = "2026.05", digest = "{digest}" }}]\n',
    )
    assert load_pack(child).id == "child"
    (kept / "edited.txt").write_text("x", encoding="utf-8")
    with pytest.raises(PackError, match="Its files are not those this pack was written for"):
        load_pack(child)


def test_two_versions_of_one_grandparent_cannot_be_joined(write_pack: Writer, tmp_path: Path):
    write_pack("grand")
    keep(write_pack, tmp_path, "2026.05", name="grand")
    for name, version in (("mother", "2026.11"), ("father", "2026.05")):
        write_pack(name, pack=f'extends = [{{ pack = "grand", version = "{version}" }}]\n')
    child = write_pack(
        "child",
        pack='extends = [{ pack = "mother", version = "2026.11" }, '
        '{ pack = "father", version = "2026.11" }]\n',
    )
    with pytest.raises(PackError, match="Two different packs 'grand' are inherited"):
        load_pack(child)


def test_every_shipped_version_can_be_loaded():
    for name in available_packs():
        versions = list_versions(name)
        assert [each.version for each in versions if each.is_current] == [load_pack(name).version]
