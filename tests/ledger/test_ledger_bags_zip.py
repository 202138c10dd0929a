"""Bags as zip files: the same each time, read in place, and no trap."""

from __future__ import annotations

import stat
import struct
import time
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from practice_bag import both, files_of, write

from folkmoot.ledger.bags import check_bag, zip_bag


@pytest.fixture(scope="module")
def bag(tmp_path_factory, practice) -> Path:
    folder = tmp_path_factory.mktemp("zips") / "request-114"
    write(folder, practice)
    return folder


@pytest.fixture
def packed(bag: Path, tmp_path: Path) -> Path:
    zip_bag(bag, tmp_path / "bag.zip")
    return tmp_path / "bag.zip"


def repacked(packed: Path, **changed: bytes) -> Path:
    """The zip made anew by another hand, some files changed or added."""
    target = packed.with_name("repacked.zip")
    with zipfile.ZipFile(packed) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, changed.pop(name, old.read(name)))
        for name, data in changed.items():
            new.writestr(name, data)
    return target


def test_a_zip_gives_the_verdict_of_its_folder(bag: Path, packed: Path, practice) -> None:
    keys = [practice.signer.vkey]
    assert both(packed, keys) == both(bag, keys)
    assert both(packed).ok


def test_the_same_bag_gives_the_same_zip_below_one_folder(bag: Path, tmp_path: Path) -> None:
    zip_bag(bag, tmp_path / "one.zip")
    time.sleep(0.01)
    (bag / "README.txt").touch()
    zip_bag(bag, tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.namelist() == [f"request-114/{name}" for name in files_of(bag)]
        assert archive.testzip() is None


def test_a_zip_is_not_written_over_another_file(bag: Path, packed: Path) -> None:
    before = packed.read_bytes()
    with pytest.raises(FileExistsError):
        zip_bag(bag, packed)
    assert packed.read_bytes() == before


def test_a_zip_that_cannot_be_finished_leaves_nothing(
    bag: Path, tmp_path: Path, monkeypatch
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("folkmoot.ledger.bagwriting.shutil.copyfileobj", full)
    with pytest.raises(OSError, match="No space left"):
        zip_bag(bag, tmp_path / "bag.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_bag_at_the_top_of_a_zip_is_read_too(bag: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "flat.zip", "w") as archive:
        for name in files_of(bag):
            archive.write(bag / name, name)
    assert both(tmp_path / "flat.zip").ok


def test_folders_within_a_zip_are_nothing(bag: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bag.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in [bag, *sorted(bag.rglob("*"))]:
            archive.write(path, path.relative_to(bag.parent))
    assert both(tmp_path / "bag.zip").ok


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "request-114/../../evil",
        "/etc/passwd",
        "request-114/data//x",
        "request-114/./x",
        "request-114/data\\..\\..\\evil",
        "C:/evil",
        "C:evil",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused_and_nothing_is_read(packed: Path, name) -> None:
    result = both(repacked(packed, **{name: b"x"}))
    assert not result.ok
    assert "which no bag has; nothing was read" in result.reason


def test_a_second_folder_is_refused(packed: Path) -> None:
    assert "more than one folder" in both(repacked(packed, **{"other/file": b"x"})).reason


def test_a_link_in_a_zip_is_refused(packed: Path) -> None:
    link = zipfile.ZipInfo("request-114/data/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "request-114/data/link in the zip file is a link" in both(packed).reason


def test_a_file_that_stands_twice_is_refused(packed: Path) -> None:
    with zipfile.ZipFile(packed, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("request-114/README.txt", "Trust me.")
    assert "holds request-114/README.txt twice" in both(packed).reason


HIDDEN = "The zip file holds more than its list of files says"


def test_what_only_some_programs_would_find_is_refused(packed: Path, tmp_path: Path) -> None:
    good = packed.read_bytes()
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("request-114/README.txt", "Trust me.")
    other = (tmp_path / "other.zip").read_bytes()
    local = other[: other.index(b"PK\x01\x02")]
    listed = good.index(b"PK\x01\x02")
    end = bytearray(good)
    end[-2:] = struct.pack("<H", len(other))  # a comment as long
    between = bytearray(good[:listed] + local + good[listed:])
    between[-6:-2] = struct.pack("<I", listed + len(local))
    for forged in (other + good, b"x" + good, local + good, bytes(end) + other, bytes(between)):
        packed.write_bytes(forged)
        result = both(packed)
        assert not result.ok
        assert HIDDEN in result.reason or "more than one folder" in result.reason, result.reason


def test_a_file_with_a_second_name_is_refused(packed: Path) -> None:
    target = packed.with_name("named.zip")
    with zipfile.ZipFile(packed) as old, zipfile.ZipFile(target, "w") as new:
        for one in old.infolist():
            if one.filename.endswith("index.html"):
                name = b"request-114/data/other.html"
                head = struct.pack("<BI", 1, zlib.crc32(one.filename.encode()))
                one.extra = struct.pack("<HH", 0x7075, len(head + name)) + head + name
            new.writestr(one, old.read(one.filename))
    assert not both(target).ok


def test_a_zip_written_into_a_pipe_is_read_too(bag: Path, tmp_path: Path) -> None:
    class Pipe:
        def __init__(self) -> None:
            self.held = bytearray()

        def write(self, data: bytes) -> int:
            self.held += data
            return len(data)

        def flush(self) -> None:
            pass

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        for name in files_of(bag):
            archive.write(bag / name, name)
    (tmp_path / "piped.zip").write_bytes(pipe.held)
    assert both(tmp_path / "piped.zip").ok


def test_an_encrypted_or_oddly_packed_file_is_refused(packed: Path, tmp_path: Path) -> None:
    data = bytearray(packed.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 8] |= 1
    packed.write_bytes(data)
    assert "is encrypted, or packed in a way" in both(packed).reason
    with zipfile.ZipFile(tmp_path / "lzma.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("bag/bagit.txt", "x")
    assert "is encrypted, or packed in a way" in both(tmp_path / "lzma.zip").reason


def test_a_bomb_is_refused_in_no_time(packed: Path, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("bag/data/records.jsonl", "w") as file,
    ):
        for _ in range(300):
            file.write(b" " * (1 << 20))
    started = time.process_time()
    assert "over a hundred times its size" in both(bomb).reason
    assert time.process_time() - started < 1


def test_a_size_that_lies_is_no_way_round(packed: Path) -> None:
    """The sizes in a zip are its own word: too small and too large are both damage."""
    data = packed.read_bytes()
    at = data.rindex(b"PK\x01\x02")
    for size in (1, 1 << 31):
        lying = bytearray(data)
        lying[at + 24 : at + 28] = struct.pack("<I", size)
        packed.write_bytes(lying)
        assert not both(packed).ok


def test_too_many_bytes_are_refused_unread(packed: Path, tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(17 << 30)  # a hole: no disk is used
    (tmp_path / "bag").mkdir()
    (tmp_path / "big").rename(tmp_path / "bag/data")
    started = time.process_time()
    assert "more files or bytes than a bag may" in both(tmp_path / "bag").reason
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "junk", [b"", b"PK\x05\x06" + bytes(18), b"x" * 1000, b"\x1f\x8b" + bytes(50)]
)
def test_a_file_that_is_no_bag_is_an_answer_in_words(tmp_path: Path, junk: bytes) -> None:
    (tmp_path / "junk").write_bytes(junk)
    result = both(tmp_path / "junk")
    assert not result.ok
    assert result.reason.endswith(".")


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_damaged_zip_never_raises_and_is_true_only_with_the_same_files(
    bag: Path, packed: Path, data: st.DataObject
) -> None:
    whole = bytearray(packed.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(len(whole) // 2, len(whole)) | st.just(len(whole)))
    path = packed.with_name("damaged.zip")
    path.write_bytes(whole[:cut])
    if both(path).ok:
        with zipfile.ZipFile(path) as archive:
            for name in files_of(bag):
                (found,) = [one for one in archive.namelist() if one.endswith(f"4/{name}")]
                assert archive.read(found) == (bag / name).read_bytes()


def test_a_zip_cut_anywhere_is_false(packed: Path) -> None:
    whole = packed.read_bytes()
    for length in range(0, len(whole), len(whole) // 40):
        packed.write_bytes(whole[:length])
        assert not check_bag(packed).ok
