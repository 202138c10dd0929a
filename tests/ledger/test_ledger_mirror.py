"""A log as files: the paths and forms of C2SP tlog-tiles, written in steps and read back."""

from __future__ import annotations

import contextlib
import os
import threading
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.ledger import (
    Checkpoint,
    Cosigner,
    ForkRefused,
    MemoryStore,
    NoteError,
    Signer,
    TileError,
    Tree,
    add_cosignatures,
    leaf_hash,
    leaf_hashes,
    open_note,
    verify_inclusion,
)
from folkmoot.ledger.errors import MirrorError
from folkmoot.ledger.mirror import FileTiles, Mirror
from folkmoot.ledger.tilepaths import (
    BundleName,
    TileName,
    names_of,
    parse_bundle,
    parse_tile_path,
    render_bundle,
)

LOG = Signer("log.example", b"\1" * 32)
KEYS = [LOG.verifier]


def entry(number: int) -> bytes:
    return f"entry {number} ".encode() + b"x" * (number % 7)


def entries(begin: int, end: int) -> list[bytes]:
    return [entry(number) for number in range(begin, end)]


@pytest.fixture(scope="module")
def tree() -> Tree:
    grown = Tree(MemoryStore())
    grown.append(leaf_hashes(entries(0, 70_000)))
    return grown


def head_of(tree: Tree, size: int, signer: Signer = LOG) -> str:
    return signer.sign(Checkpoint(signer.name, size, tree.root(size)).to_text())


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and file.suffix != ".lock"
    }


# Paths and bundles


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("tile/0/x001/x234/067", TileName(0, 1234067)),  # the example of the format
        ("tile/0/000", TileName(0, 0)),
        ("tile/7/000.p/127", TileName(7, 0, 127)),
        ("tile/2/x001/000.p/255", TileName(2, 1000, 255)),
        ("tile/entries/999", BundleName(999)),
        ("tile/entries/x001/x234/067.p/17", BundleName(1234067, 17)),
    ],
)
def test_a_path_names_a_tile_or_a_bundle_and_back(path: str, name: TileName | BundleName) -> None:
    assert parse_tile_path(path) == name
    assert name.path == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "checkpoint",
        "tile",
        "tile/0",
        "tile/0/0",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/000/000",
        "tile/0/x000/000",
        "tile/0/x000/x001/000",
        "tile/0/x1/000",
        "tile/0/x001/x000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/1/2",
        "tile/data/000",
        "tile/entries/000 ",
        "tile/entries/000\n",
        "/tile/0/000",
        "tile/0/../../checkpoint",
        "tile/0/٠٠٠",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/7/000.p/128",  # no log has so many entries, nor of the two that follow
        "tile/9/000",
        "tile/63/000.p/1",
    ],
)
def test_nothing_else_is_a_path(path: str) -> None:
    with pytest.raises(MirrorError):
        parse_tile_path(path)


@given(st.integers(0, 6), st.integers(0, 10**9), st.integers(1, 256), st.booleans())
def test_every_name_has_one_path_and_every_path_one_name(level, index, width, bundle) -> None:
    name = BundleName(index, width) if bundle else TileName(level, index, width)
    if bundle or index * 256 + width <= (2**63 - 1) >> 8 * level:
        assert parse_tile_path(name.path) == name


@given(st.text(alphabet="tile/entrs0123x.p9", max_size=24))
def test_whatever_is_read_as_a_path_is_the_path_of_what_was_read(path: str) -> None:
    try:
        name = parse_tile_path(path)
    except MirrorError:
        return
    assert name.path == path


def test_what_a_log_of_a_size_serves() -> None:
    names = list(names_of(70_000))
    assert len(names) == 274 + 2 + 1
    assert TileName(0, 273, 112) in names
    assert TileName(1, 1, 17) in names
    assert TileName(2, 0, 1) in names
    assert all(name.is_within(70_000) for name in names)
    assert not TileName(0, 273, 113).is_within(70_000)
    assert not TileName(1, 1, 18).is_within(70_000)
    assert BundleName(273, 112).is_within(70_000)
    assert not BundleName(273).is_within(70_000)
    assert list(names_of(0)) == []


@settings(max_examples=60)
@given(st.integers(0, 200_000), st.integers(0, 70_000))
def test_what_is_new_since_an_earlier_size_is_all_that_was_not_there(more, since) -> None:
    size = since + more
    new = [name for name in names_of(size, since) if not name.is_within(since)]
    assert new == [name for name in names_of(size) if not name.is_within(since)]


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_a_bundle_is_read_back_as_it_was_written(held: list[bytes]) -> None:
    data = render_bundle(held)
    assert parse_bundle(data) == held
    assert len(data) == sum(2 + len(one) for one in held)


def test_a_bundle_is_length_and_entry_by_turns_and_takes_the_longest_entry() -> None:
    assert render_bundle([b"abc", b"", b"x" * 300]) == b"\0\3abc\0\0\x01\x2c" + b"x" * 300
    assert parse_bundle(render_bundle([b"x" * 65_535])) == [b"x" * 65_535]
    for wrong in ([], [b"x" * 65_536], [b""] * 257):
        with pytest.raises(MirrorError):
            render_bundle(wrong)


@given(st.binary(max_size=2000), st.integers(1, 40))
def test_a_bundle_cut_short_or_of_junk_is_refused_or_means_what_it_says(junk, cut) -> None:
    with contextlib.suppress(MirrorError):
        assert render_bundle(parse_bundle(junk)) == junk
    whole = render_bundle([b"x" * 38])
    with pytest.raises(MirrorError, match=r"cut short|holds 1 to"):
        parse_bundle(whole[: len(whole) - cut])


def test_more_entries_than_a_bundle_holds_are_refused() -> None:
    with pytest.raises(MirrorError, match="1 to 256"):
        parse_bundle(b"\0\0" * 257)


# Writing


def test_a_mirror_has_the_files_the_format_gives_as_its_example(tree: Tree, tmp_path: Path) -> None:
    mirror = Mirror(tmp_path / "log")
    head = head_of(tree, 70_000)
    mirror.update(tree, entries, head, KEYS)
    held = files_of(mirror.folder)
    assert held.pop("checkpoint").decode() == head
    assert len([path for path in held if path.startswith("tile/entries/")]) == 274
    assert len(held.pop("tile/0/273.p/112")) == 112 * 32
    assert len(held.pop("tile/1/001.p/17")) == 17 * 32
    assert held.pop("tile/2/000.p/1") == tree.root(65_536)
    assert len([path for path in held if path.startswith("tile/0/")]) == 273
    assert held["tile/0/000"][:32] == sha256(b"\0" + entry(0)).digest()
    assert parse_bundle(held["tile/entries/000"])[255] == entry(255)


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(0, 1500), min_size=1, max_size=5))
def test_a_mirror_brought_up_to_date_in_steps_is_the_one_written_at_once(
    tree: Tree, tmp_path_factory, sizes: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("mirror")
    steps, once = Mirror(folder / "steps"), Mirror(folder / "once")
    for size in sorted(sizes):
        steps.update(tree, entries, head_of(tree, size), KEYS)
    once.update(tree, entries, head_of(tree, max(sizes)), KEYS)
    in_steps, at_once = files_of(steps.folder), files_of(once.folder)
    assert {path: in_steps[path] for path in at_once} == at_once
    # What is left besides are parts that heads published before still need.
    for path in in_steps.keys() - at_once.keys():
        assert ".p/" in path
        assert path.partition(".p/")[0] not in in_steps


def test_an_update_asks_only_for_the_entries_that_are_new(tree: Tree, tmp_path: Path) -> None:
    mirror = Mirror(tmp_path)
    mirror.update(tree, entries, head_of(tree, 600), KEYS)
    asked: list[tuple[int, int]] = []

    def asking(begin: int, end: int) -> list[bytes]:
        asked.append((begin, end))
        return entries(begin, end)

    mirror.update(tree, asking, head_of(tree, 600), KEYS)
    assert asked == []
    mirror.update(tree, asking, head_of(tree, 800), KEYS)
    assert asked == [(512, 768), (768, 800)]
    assert not (tmp_path / "tile/0/002.p").exists()
    assert not (tmp_path / "tile/entries/002.p").exists()


def test_the_head_is_replaced_last_and_after_all_is_on_disk(
    tree: Tree, tmp_path: Path, monkeypatch
) -> None:
    done: list[str] = []
    real_replace, real_fsync = Path.replace, os.fsync

    def replace(self: Path, target: Path) -> Path:
        done.append(Path(target).name)
        return real_replace(self, target)

    def fsync(descriptor: int) -> None:
        done.append("fsync")
        real_fsync(descriptor)

    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(os, "fsync", fsync)
    Mirror(tmp_path).update(tree, entries, head_of(tree, 3), KEYS)
    assert done[:2] == ["3", "3"]
    at = done.index("checkpoint")
    # Two files, the folders above them, and the head's own new file before it gets its name.
    assert done[2:at].count("fsync") == at - 2 >= 2 + 4 + 1
    done.clear()
    monkeypatch.setattr(os, "sync", lambda: done.append("sync"))
    Mirror(tmp_path / "large").update(tree, entries, head_of(tree, 20_000), KEYS)
    assert done.index("sync") < done.index("checkpoint")
    assert "fsync" not in done[: done.index("sync")]


def test_an_update_that_was_cut_off_anywhere_is_done_again_and_meanwhile_the_old_head_holds(
    tree: Tree, tmp_path: Path, monkeypatch
) -> None:
    mirror = Mirror(tmp_path)
    mirror.update(tree, entries, head_of(tree, 300), KEYS)
    real = Path.replace
    for cut in range(20):
        left = [cut]

        def replace(self: Path, target: Path, left=left) -> Path:
            if left[0] == 0:
                raise OSError(28, "No space left on device")
            left[0] -= 1
            return real(self, target)

        monkeypatch.setattr(Path, "replace", replace)
        try:
            mirror.update(tree, entries, head_of(tree, 700), KEYS)
            finished = True
        except OSError:
            finished = False
        monkeypatch.setattr(Path, "replace", real)
        if finished:
            break
        assert mirror.find_checkpoint() == head_of(tree, 300)
        assert mirror.tree(300).root() == tree.root(300)
        assert mirror.read_bundle(256, 300) == entries(256, 300)
    assert finished
    assert cut > 4
    assert mirror.tree(700).root() == tree.root(700)


def test_two_updates_at_once_wait_for_each_other(tree: Tree, tmp_path: Path) -> None:
    mirror = Mirror(tmp_path)
    failed: list[BaseException] = []

    def update(size: int) -> None:
        try:
            mirror.update(tree, entries, head_of(tree, size), KEYS)
        except ForkRefused:
            pass  # the longer one was first
        except BaseException as wrong:  # noqa: BLE001 - shown below
            failed.append(wrong)

    workers = [threading.Thread(target=update, args=[size]) for size in range(100, 1300, 150)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failed == []
    assert mirror.find_checkpoint() == head_of(tree, 1150)
    assert mirror.tree(1150).root() == tree.root(1150)


def test_a_head_with_more_cosignatures_takes_the_place_of_the_same_head(tree, tmp_path) -> None:
    mirror = Mirror(tmp_path)
    head = head_of(tree, 5)
    mirror.update(tree, entries, head, KEYS)
    text = open_note(head, KEYS).text
    seen = Cosigner("w.example", b"\2" * 32).cosign(text, datetime(2026, 11, 26, tzinfo=UTC))
    cosigned = add_cosignatures(head, KEYS, [seen])
    mirror.update(tree, entries, cosigned, KEYS)
    assert mirror.find_checkpoint() == cosigned
    mirror.update(tree, entries, head_of(tree, 6), KEYS)


def test_what_the_log_did_not_sign_or_does_not_hold_is_not_published(tree, tmp_path) -> None:
    mirror = Mirror(tmp_path / "log")
    with pytest.raises(NoteError, match="None of the keys"):
        mirror.update(tree, entries, head_of(tree, 5, Signer(LOG.name, b"\2" * 32)), KEYS)
    wrong = LOG.sign(Checkpoint(LOG.name, 5, b"\0" * 32).to_text())
    with pytest.raises(MirrorError, match="is not that of this log"):
        mirror.update(tree, entries, wrong, KEYS)
    beyond = LOG.sign(Checkpoint(LOG.name, 70_001, b"\0" * 32).to_text())
    with pytest.raises(MirrorError, match="is not that of this log"):
        mirror.update(tree, entries, beyond, KEYS)
    with pytest.raises(MirrorError, match="Entry 3 does not hash"):
        mirror.update(
            tree,
            lambda begin, end: [b"forged" if n == 3 else entry(n) for n in range(begin, end)],
            head_of(tree, 5),
            KEYS,
        )
    with pytest.raises(MirrorError, match="entries 0 to 4 the log gave 4"):
        mirror.update(tree, lambda begin, end: entries(begin, end - 1), head_of(tree, 5), KEYS)
    assert mirror.find_checkpoint() is None


def test_a_log_that_went_back_or_another_past_is_not_published_over(tree, tmp_path) -> None:
    mirror = Mirror(tmp_path)
    mirror.update(tree, entries, head_of(tree, 300), KEYS)
    with pytest.raises(ForkRefused, match="head of 300 entries, and this one has 299"):
        mirror.update(tree, entries, head_of(tree, 299), KEYS)
    other = Tree(MemoryStore())
    other.append(leaf_hashes([b"rewritten", *entries(1, 400)]))
    with pytest.raises(ForkRefused, match="does not begin with the 300 entries"):
        mirror.update(other, entries, head_of(other, 400), KEYS)
    with pytest.raises(ForkRefused, match="does not begin with the 300 entries"):
        mirror.update(other, entries, head_of(other, 300), KEYS)
    stranger = Signer("other.example", b"\1" * 32)
    both = [LOG.verifier, stranger.verifier]
    with pytest.raises(ForkRefused, match=r"is the mirror of the log 'log\.example'"):
        mirror.update(tree, entries, head_of(tree, 400, stranger), both)
    assert mirror.find_checkpoint() == head_of(tree, 300)


# Reading


def test_proofs_come_out_of_a_mirror_alone(tree: Tree, tmp_path: Path) -> None:
    mirror = Mirror(tmp_path)
    mirror.update(tree, entries, head_of(tree, 700), KEYS)
    head = Checkpoint.from_text(open_note(mirror.find_checkpoint(), KEYS).text)
    read = mirror.tree(head.size)
    for index in (0, 255, 256, 699):
        (held,) = mirror.read_bundle(index // 256 * 256, index + 1)[-1:]
        path = read.inclusion_proof(index)
        assert verify_inclusion(leaf_hash(held), index, head.size, path, head.root)
    assert read.root(300) == tree.root(300)
    with pytest.raises(TileError):
        mirror.tree(1000).root()


def test_an_earlier_head_is_read_from_full_tiles_once_its_parts_are_gone(tree, tmp_path) -> None:
    mirror = Mirror(tmp_path)
    mirror.update(tree, entries, head_of(tree, 300), KEYS)
    mirror.update(tree, entries, head_of(tree, 600), KEYS)
    assert mirror.tree(300).root() == tree.root(300)
    assert mirror.read_bundle(256, 300) == entries(256, 300)


def test_files_of_a_wrong_length_kind_or_content_are_refused_in_words(tree, tmp_path) -> None:
    mirror = Mirror(tmp_path)
    mirror.update(tree, entries, head_of(tree, 300), KEYS)
    bundle = tmp_path / "tile/entries/001.p/44"
    whole = bundle.read_bytes()
    for data, says in (
        (whole[:-1], "cut short"),
        (b"", "1 to 256"),
        (render_bundle(entries(256, 299)), "holds 43 entries; it must hold 44"),
    ):
        bundle.write_bytes(data)
        with pytest.raises(MirrorError, match=says):
            mirror.read_bundle(256, 300)
    bundle.unlink()
    with pytest.raises(MirrorError, match=r"001\.p/44 is missing: entries 256 to 299"):
        mirror.read_bundle(256, 300)
    bundle.mkdir()
    with pytest.raises(MirrorError, match="is not a file"):
        mirror.read_bundle(256, 300)
    tile = tmp_path / "tile/0/000"
    for length in (0, 31, 8191):
        tile.write_bytes(b"x" * length)
        with pytest.raises(TileError, match=f"holds {length} bytes"):
            mirror.tree(300).inclusion_proof(0)
    tile.write_bytes(b"x" * 8193)
    with pytest.raises(MirrorError, match="longer than"):
        mirror.tree(300).inclusion_proof(0)
    tile.unlink()
    with pytest.raises(TileError, match="should hold 256 hashes and holds 0"):
        mirror.tree(300).inclusion_proof(0)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_in_the_place_of_a_file_does_not_make_the_reader_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "checkpoint")
    with pytest.raises(MirrorError, match="is not a file"):
        Mirror(tmp_path).find_checkpoint()
    (tmp_path / "checkpoint").unlink()
    (tmp_path / "checkpoint").write_bytes(b"\xff")
    with pytest.raises(MirrorError, match="not UTF-8"):
        Mirror(tmp_path).find_checkpoint()
    assert Mirror(tmp_path / "absent").find_checkpoint() is None


def test_a_tree_can_be_kept_in_files_and_grown_there(tmp_path: Path) -> None:
    grown = Tree(FileTiles(tmp_path))
    expected = Tree(MemoryStore())
    for begin, end in ((0, 3), (3, 256), (256, 257), (257, 900)):
        leaves = leaf_hashes(entries(begin, end))
        Tree(FileTiles(tmp_path), begin).append(leaves)
        expected.append(leaves)
        grown = Tree(FileTiles(tmp_path), end)
        assert grown.root() == expected.root()
    (tmp_path / "tile/0/003.p/junk").write_bytes(b"")
    assert Tree(FileTiles(tmp_path), 900).root() == expected.root()


def test_what_is_asked_of_a_tree_beyond_its_size_is_refused(tree: Tree) -> None:
    assert tree.read_tile(0, 273, 112) == b"".join(leaf_hashes(entries(69_888, 70_000)))
    for level, index, width in ((0, 273, 113), (1, 1, 18), (2, 1, 1), (-1, 0, 1), (0, -1, 1)):
        with pytest.raises(ValueError, match="no"):
            tree.read_tile(level, index, width)
    for width in (0, 257):
        with pytest.raises(ValueError, match="no tile"):
            tree.read_tile(0, 0, width)
