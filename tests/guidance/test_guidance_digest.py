"""The digest: one exact answer to "under which guidance", which anyone can work out again."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from guidance_small_pack import Writer

from folkmoot.guidance import load_pack

LEFTOVERS = (
    ".hidden",
    ".git/HEAD",
    "clauses/SMALL-1.md~",
    "clauses/.SMALL-1.md.swp",
    "pack.toml.bak",
    "pack.toml.orig",
    "pack.tmp",
    "#pack.toml#",
    "__pycache__/x.pyc",
    "rules/__pycache__/x.pyc",
)


def by_hand(folder: Path, parents: tuple[tuple[str, str], ...] = ()) -> str:
    """The formula of docs/packs.md, written a second time."""
    lines = []
    for file in folder.rglob("*"):
        if file.is_file():
            path = file.relative_to(folder).as_posix()
            lines.append((path.encode(), hashlib.sha256(file.read_bytes()).hexdigest()))
    text = b"".join(digest.encode() + b"  " + path + b"\n" for path, digest in sorted(lines))
    for pack_id, digest in parents:
        text += f"{digest}  extends:{pack_id}\n".encode()
    return hashlib.sha256(text).hexdigest()


def test_the_digest_follows_the_published_formula(write_pack: Writer):
    folder = write_pack()
    (folder / "rules").mkdir()
    (folder / "rules" / "Ünïcode name.toml").write_bytes(b"\x00\xff not even text")
    (folder / "clauses.txt").touch()  # sorts before clauses/ by its bytes, after it by its parts
    assert load_pack(folder).digest == by_hand(folder)


def test_the_digest_of_a_child_takes_in_its_parents_in_order(write_pack: Writer):
    for name in ("mother", "father"):
        write_pack(name)
    rows = ", ".join(f'{{ pack = "{name}", version = "2026.11" }}' for name in ("mother", "father"))
    child = write_pack("child", pack=f"extends = [{rows}]\n")
    parents = tuple((name, load_pack(child.parent / name).digest) for name in ("mother", "father"))
    assert load_pack(child).digest == by_hand(child, parents)


def test_a_change_in_a_grandparent_changes_the_digest(write_pack: Writer):
    grand = write_pack("grand")
    row = 'extends = [{{ pack = "{}", version = "2026.11" }}]\n'
    write_pack("parent", pack=row.format("grand"))
    child = write_pack("child", pack=row.format("parent"))
    before = load_pack(child).digest
    (grand / "notes.txt").touch()
    assert load_pack(child).digest != before


def test_the_same_files_elsewhere_have_the_same_digest(write_pack: Writer, tmp_path: Path):
    one = load_pack(write_pack(under=tmp_path / "one"))
    two = load_pack(write_pack(under=tmp_path / "two"))
    assert one.digest == two.digest
    assert one.reference == f"small@2026.11#{one.digest[:12]}"


@pytest.mark.parametrize("name", LEFTOVERS)
def test_what_editors_leave_behind_changes_nothing(write_pack: Writer, name: str):
    folder = write_pack()
    before = load_pack(folder)
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("left over", encoding="utf-8")
    assert load_pack(folder) == before


@pytest.mark.parametrize("name", ["README", "rules/a.toml", "questions.toml", "more/A.md"])
def test_any_other_file_changes_the_digest_and_nothing_else(write_pack: Writer, name: str):
    folder = write_pack()
    before = load_pack(folder)
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("x", encoding="utf-8")
    after = load_pack(folder)
    assert after.digest != before.digest
    assert (after.clauses, after.sources) == (before.clauses, before.sources)


def test_one_byte_makes_another_digest(write_pack: Writer):
    folder = write_pack()
    before = load_pack(folder).digest
    file = folder / "clauses" / "SMALL-1.md"
    file.write_bytes(file.read_bytes() + b"\n")
    assert load_pack(folder).digest != before
