"""Bags that were changed: every change is found and named, by both programs alike."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from practice_bag import both, files_of, parts_of, reseal, write

from folkmoot.ledger import Checkpoint, MemoryStore, Signer, Tree, leaf_hash
from folkmoot.ledger.alone.proving import write_canonical
from folkmoot.ledger.bags import check_bag


@pytest.fixture(scope="session")
def whole(tmp_path_factory, practice) -> Path:
    """A bag that nobody changes."""
    folder = tmp_path_factory.mktemp("whole") / "bag"
    write(folder, practice)
    return folder


@pytest.fixture
def bag(whole: Path, tmp_path: Path) -> Path:
    """A bag to be changed."""
    shutil.copytree(whole, tmp_path / "bag")
    return tmp_path / "bag"


NAMES = [
    "README.txt",
    "bag-info.txt",
    "bagit.txt",
    "data/about.json",
    "data/checkpoint",
    "data/index.html",
    "data/media.jsonl",
    "data/policy",
    "data/records.csv",
    "data/records.jsonl",
    "data/redactions.csv",
    "data/warc/answers.warc.gz",
    "manifest-sha256.txt",
    "manifest-sha512.txt",
    "tagmanifest-sha256.txt",
    "tagmanifest-sha512.txt",
    "verify.py",
    "a proof",
    "a picture",
]


def find(folder: Path, name: str) -> str:
    """The file that a name of NAMES stands for."""
    if name == "a proof":
        return next(one for one in files_of(folder) if one.startswith("data/proofs/"))
    if name == "a picture":
        return next(one for one in files_of(folder) if one.startswith("data/media/"))
    return name


def test_the_list_of_files_tried_is_all_there_are(whole: Path) -> None:
    found = {find(whole, name) for name in NAMES}
    found |= {one for one in files_of(whole) if one.startswith("data/proofs/")}
    assert found == set(files_of(whole))
    assert both(whole).ok


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_flipped_byte_anywhere_is_found_and_its_file_named(
    whole: Path, name: str, data: st.DataObject
) -> None:
    path = whole / find(whole, name)
    before = path.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    new = data.draw(st.integers(0, 255).filter(lambda value: value != before[at]))
    try:
        path.write_bytes(before[:at] + bytes([new]) + before[at + 1 :])
        result = both(whole)
    finally:
        path.write_bytes(before)
    assert not result.ok
    assert find(whole, name) in " ".join(result.problems)
    assert "manifest" in name or len(result.problems) == 1


@pytest.mark.parametrize(
    "name", [n for n in NAMES if n not in ("data/warc/answers.warc.gz", "verify.py")]
)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_who_changes_a_byte_and_makes_all_manifests_anew_is_found_out_too(
    whole: Path, name: str, data: st.DataObject
) -> None:
    """Manifests can be made by anyone: whatever people read must follow from the proofs."""
    if "manifest" in name:
        return  # made anew, they are what they were
    path = whole / find(whole, name)
    kept = {one: (whole / one).read_bytes() for one in files_of(whole)}
    before = path.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    new = data.draw(st.integers(0, 255).filter(lambda value: value != before[at]))
    try:
        path.write_bytes(before[:at] + bytes([new]) + before[at + 1 :])
        if name != "bag-info.txt":
            reseal(whole)
        result = both(whole)
    finally:
        for one, content in kept.items():
            (whole / one).write_bytes(content)
    assert not result.ok


def test_making_all_manifests_anew_without_a_change_changes_nothing(bag: Path, whole: Path) -> None:
    reseal(bag)
    assert all((bag / one).read_bytes() == (whole / one).read_bytes() for one in files_of(whole))
    assert both(bag).ok


def test_a_changed_file_is_named_with_the_manifest_that_tells(bag: Path) -> None:
    path = bag / "data/records.csv"
    path.write_bytes(path.read_bytes().replace(b"Rhybudd", b"rhybudd", 1))
    (problem,) = both(bag).problems
    assert problem == (
        "data/records.csv was changed after the bag was made: its SHA-256 is not the one in "
        "manifest-sha256.txt."
    )


def test_a_changed_manifest_is_told_by_the_manifest_of_manifests(bag: Path) -> None:
    path = bag / "manifest-sha512.txt"
    text = path.read_text()
    path.write_text(text.replace(text[:1], "1" if text[0] == "0" else "0", 1))
    assert (
        "manifest-sha512.txt was changed after the bag was made: its SHA-256 is not the one in "
        "tagmanifest-sha256.txt."
    ) in both(bag).problems


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_named(bag: Path, name: str) -> None:
    gone = find(bag, name)
    (bag / gone).unlink()
    result = both(bag)
    assert not result.ok
    assert any(one.startswith(f"{gone} is missing") for one in result.problems), result.problems


@pytest.mark.parametrize("name", NAMES)
def test_an_emptied_file_is_named(bag: Path, name: str) -> None:
    emptied = find(bag, name)
    (bag / emptied).write_bytes(b"")
    result = both(bag)
    assert not result.ok
    assert emptied in " ".join(result.problems)
    assert "manifest" in name or len(result.problems) == 1


@pytest.mark.parametrize(
    "name",
    [
        "extra.txt",
        "data/extra.txt",
        "data/media/" + "0" * 64 + ".png",
        "data/proofs/" + "0" * 32 + ".tlog-proof",
        "data/warc/more.warc.gz",
        "data/.hidden",
        "data/new\nline",
        "fetch.txt",
        "data/\u202egnp.exe",
    ],
)
def test_an_added_file_is_named(bag: Path, name: str) -> None:
    (bag / name).write_bytes(b"x")
    result = both(bag)
    assert not result.ok
    assert "was added" in result.reason
    assert all(one.isprintable() for one in result.problems)
    reseal(bag)
    assert not both(bag).ok


def test_a_name_that_is_no_text_is_an_added_file(bag: Path) -> None:
    (bag / os.fsdecode(b"data/\xff")).touch()
    assert "was added" in both(bag).reason


def change_records(bag: Path, change) -> None:
    path = bag / "data/records.jsonl"
    lines = [json.loads(line) for line in path.read_text().split("\n")[:-1]]
    lines = change(lines) or lines
    path.write_bytes(b"".join(write_canonical(line) + b"\n" for line in lines))
    reseal(bag)


def put(number: int, key: str, value: object):
    return lambda lines: lines[number].update({key: value})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (put(0, "folkmoot:disclosed", {"text": "Rhybudd"}), "not the text that its proof shows"),
        (
            put(0, "folkmoot:disclosed", {"text": "Rhybudd llifogydd ⚠️", "reason": "made up"}),
            "shows the field 'reason', which its proof does not show",
        ),
        (put(0, "folkmoot:disclosed", {}), "does not show the field 'text', which its proof shows"),
        (put(0, "folkmoot:disclosed", {"text": 1}), "not the text"),
        (put(0, "folkmoot:disclosed", []), "not in its form"),
        (put(0, "folkmoot:withheld", []), "not those that its proof does not show"),
        (put(0, "folkmoot:withheld", {}), "not in its form"),
        (put(0, "folkmoot:withheld", [{"field": "reason"}]), "not in its form"),
        (
            put(0, "folkmoot:withheld", [{"field": "reason", "exemption": "", "reason": ""}]),
            "without an exemption",
        ),
        (
            put(1, "folkmoot:withheld", [{"field": "text", "exemption": "x", "reason": ""}]),
            "not those that its proof does not show",
        ),
        (put(0, "folkmoot:number", 1), "not what its proof makes of it"),
        (put(1, "folkmoot:number", True), "not what its proof makes of it"),
        (put(0, "folkmoot:kind", "post.refused"), "not what its proof makes of it"),
        (put(0, "published", "2026-11-20T09:30:00.000001Z"), "not what its proof makes of it"),
        (put(0, "folkmoot:names", {"person:0": "x", "more": "y"}), "not what its proof makes of"),
        (put(0, "folkmoot:names", {"person:0": 1}), "not in its form"),
        (put(0, "more", "x"), "not what its proof makes of it"),
        (put(0, "folkmoot:entry", "../checkpoint"), "without a proof of its own"),
        (put(0, "folkmoot:entry", 1), "without a proof of its own"),
        (lambda lines: lines[1:], "not in data/records.jsonl"),
        (lambda lines: [*lines, lines[0]], "the entry stands there twice"),
        (lambda lines: [[], *lines], "not an object"),
    ],
)
def test_records_that_say_other_than_their_proofs_are_told_what(bag, change, sentence) -> None:
    change_records(bag, change)
    result = both(bag)
    assert sentence in result.reason, result.problems


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("data/index.html", b"Rhybudd", b"Rhagolwg"),
        ("data/index.html", b"</main>", b"<script>alert(1)</script></main>"),
        ("data/index.html", b"default-src &#x27;none&#x27;", b"default-src *"),
        ("data/index.html", b"Withheld", b"Destroyed"),
        ("data/records.csv", b"Rhybudd", b"=HYPERLINK()"),
        ("data/redactions.csv", b"s.40(2)", b"s.36"),
        ("README.txt", b"Do not trust", b"Trust"),
        ("bag-info.txt", b"Borsetshire", b"Felpersham"),
        ("bagit.txt", b"1.0", b"0.97"),
        ("data/about.json", b"flood", b"drought"),
        ("data/media.jsonl", b"blue", b"red"),
    ],
)
def test_a_text_that_does_not_follow_from_the_records_is_found_though_resealed(
    bag: Path, name: str, old: bytes, new: bytes
) -> None:
    path = bag / name
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new))
    reseal(bag)
    result = both(bag)
    assert not result.ok
    assert "does not say what data/records.jsonl and data/about.json say" in result.reason


def test_a_truncated_proof_is_named(bag: Path) -> None:
    name = find(bag, "a proof")
    path = bag / name
    whole = path.read_bytes()
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        reseal(bag)
        assert f"{name} proves nothing." in " ".join(both(bag).problems)


def test_the_proof_of_another_entry_does_not_pass_for_this_one(bag: Path) -> None:
    first, second, *_ = (one for one in files_of(bag) if one.startswith("data/proofs/"))
    (bag / first).write_bytes((bag / second).read_bytes())
    reseal(bag)
    assert f"{first} proves nothing. It is the proof of another entry" in both(bag).reason


def test_a_proof_for_another_tree_leads_to_another_head(bag: Path, practice) -> None:
    """The same key, a log of eight: each proof is true, and not of this checkpoint."""
    tree = Tree(MemoryStore())
    tree.append([leaf_hash(entry.to_bytes()) for entry in practice.entries[:8]])
    note = practice.signer.sign(Checkpoint(practice.signer.name, 8, tree.root()).to_text())
    entry = practice.entries[0]
    text = practice.proof(0, "text", path=tree.inclusion_proof(0), checkpoint=note)
    (bag / f"data/proofs/{entry.id}.tlog-proof").write_text(text)
    reseal(bag)
    assert "It leads to another head than data/checkpoint." in both(bag).reason


def test_two_heads_of_the_same_size_do_not_pass_for_one(bag: Path, practice) -> None:
    head = Checkpoint(practice.signer.name, 9, b"\7" * 32)
    (bag / "data/checkpoint").write_text(practice.signer.sign(head.to_text()))
    reseal(bag)
    result = both(bag, [practice.signer.vkey])
    assert len(result.problems) == 9
    assert "It leads to another head than data/checkpoint." in result.reason


def test_a_bag_made_up_whole_by_a_stranger_is_told_by_the_key(tmp_path: Path, practice) -> None:
    stranger = Signer(practice.signer.name, b"\7" * 32)
    note = stranger.sign(Checkpoint(stranger.name, 9, practice.tree.root()).to_text())
    write(tmp_path / "bag", practice, checkpoint=note, policy=[stranger.vkey])
    assert both(tmp_path / "bag").ok  # it vouches for itself
    assert both(tmp_path / "bag", [stranger.vkey]).ok
    result = both(tmp_path / "bag", [practice.signer.vkey])
    (problem,) = result.problems
    assert problem == (
        f"data/checkpoint is not as it should be. It is signed by a key that is not among those "
        f"you gave: {stranger.vkey}. It may come from another log, or from somebody who made the "
        f"log up."
    )


def test_a_checkpoint_signed_by_a_stranger_does_not_fit_the_policy(bag: Path, practice) -> None:
    stranger = Signer(practice.signer.name, b"\7" * 32)
    head = Checkpoint(practice.signer.name, 9, practice.tree.root())
    (bag / "data/checkpoint").write_text(stranger.sign(head.to_text()))
    reseal(bag)
    assert "data/checkpoint is not as it should be." in both(bag).reason


def test_a_policy_with_two_logs_or_none_is_refused(bag: Path, practice) -> None:
    path = bag / "data/policy"
    text = path.read_text()
    line = f"log {practice.signer.vkey}\n"
    for changed in (text.replace(line, ""), text.replace(line, line * 2), text + "#\n", ""):
        path.write_text(changed)
        reseal(bag)
        assert "data/policy" in both(bag).reason


def test_a_bag_of_a_later_form_is_left_to_a_later_program(bag: Path) -> None:
    path = bag / "data/about.json"
    path.write_bytes(path.read_bytes().replace(b'"format":1', b'"format":2'))
    reseal(bag)
    assert "of a form that this program does not know" in both(bag).reason


def test_an_answer_changed_within_its_file_is_found_though_resealed(bag: Path) -> None:
    path = bag / "data/warc/answers.warc.gz"
    inside = gzip.decompress(path.read_bytes())
    for old, new, sentence in (
        (b'{"id": 1}', b'{"id": 2}', "was changed"),
        (b"Block-Digest: sha1:", b"Block-Digest: md5:", "cannot be read"),
        (b"WARC/1.1", b"WARC/2.0", "does not begin as one"),
        (b"Content-Length: ", b"Content-Length: 99", "damaged"),
        (b"Content-Length: ", b"Content-Length: -", "cannot be read"),
        (b"WARC-Date: ", b"WARC-Date;", "not in its form"),
        (b"WARC-Block-Digest", b"WARC-Block-Hash", "damaged"),
    ):
        assert old in inside
        path.write_bytes(gzip.compress(inside.replace(old, new, 1)))
        reseal(bag)
        result = both(bag)
        assert sentence in result.reason, (old, result.problems)
        assert len(result.problems) == 1
    for data in (b"x", inside, gzip.compress(inside)[:-9], gzip.compress(inside) + b"junk"):
        path.write_bytes(data)
        reseal(bag)
        assert "damaged" in both(bag).reason


def test_links_and_special_files_are_refused(bag: Path, tmp_path: Path) -> None:
    target = bag / "data/records.csv"
    content = target.read_bytes()
    (tmp_path / "elsewhere").write_bytes(content)
    target.unlink()
    target.symlink_to(tmp_path / "elsewhere")
    assert "data/records.csv is a link to somewhere else" in both(bag).reason
    target.unlink()
    os.mkfifo(target)
    assert "is no plain file" in both(bag).reason
    target.unlink()
    target.mkdir()
    assert "data/records.csv is missing" in both(bag).reason


def test_a_path_where_nothing_is_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        check_bag(tmp_path / "absent")
    assert not both(tmp_path).ok  # an empty folder is no bag


def test_many_problems_are_cut_short(tmp_path: Path, practice) -> None:
    write(tmp_path / "bag", practice)
    for number in range(300):
        (tmp_path / f"bag/extra{number}").touch()
    result = both(tmp_path / "bag")
    assert len(result.problems) == 201
    assert result.problems[-1] == "There are more problems than these."


def test_a_record_cannot_borrow_the_proof_of_an_entry_with_a_field_less(tmp_path, practice) -> None:
    """One officer withholds a field, another bag of the same entries shows it: never mixed."""
    write(tmp_path / "one", practice)
    parts = parts_of(practice, withhold="text")
    write(tmp_path / "two", practice, items=parts["items"], redactions=parts["redactions"])
    for name in files_of(tmp_path / "two"):
        if name.startswith("data/proofs/"):
            shutil.copy(tmp_path / "two" / name, tmp_path / "one" / name)
    reseal(tmp_path / "one")
    result = both(tmp_path / "one")
    assert "it does not show the field 'reason', which its proof shows" in result.reason


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[" * 100_000,
        b"{" + b" " * (9 << 20) + b"}",
        b'{"a": 1}',
        b"\xff",
        b"1" * 100_000,
        b'"\\ud800"',
        b"NaN",
        b"null",
    ],
)
def test_junk_in_the_records_is_an_answer_in_words(bag: Path, line: bytes) -> None:
    path = bag / "data/records.jsonl"
    path.write_bytes(line + b"\n" + path.read_bytes())
    reseal(bag)
    result = both(bag)
    assert not result.ok
    assert result.reason.isprintable()
    assert len(result.reason) < 3000
