"""``folkmoot ledger checkpoint``, ``fsck``, ``verify --witness`` and ``witness``, as they run."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from folkmoot.cli import main
from folkmoot.ledger import (
    Checkpoint,
    Cosigner,
    MemoryStore,
    Signer,
    Tree,
    Witness,
    add_cosignatures,
    ask_witness,
    leaf_hashes,
    open_note,
)
from folkmoot.ledger.bags import Item, Redaction, write_bag, zip_bag
from folkmoot.ledger.mirror import Mirror

LOG = Signer("log.example", b"\1" * 32)
STRANGER = Signer("stranger.example", b"\2" * 32)
WITNESS = Cosigner("w.example", b"\3" * 32)
OTHER = Cosigner("v.example", b"\4" * 32)
NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)


def entries(begin: int, end: int) -> list[bytes]:
    return [str(number).encode() for number in range(begin, end)]


TREE = Tree(MemoryStore())
TREE.append(leaf_hashes(entries(0, 600)))
FORKED = Tree(MemoryStore())
FORKED.append(leaf_hashes([b"rewritten", *entries(1, 600)]))


def head(size: int, tree: Tree = TREE, signer: Signer = LOG, *seen_by: Cosigner) -> str:
    text = Checkpoint(signer.name, size, tree.root(size)).to_text()
    seen = [one.cosign(text, NOW) for one in seen_by]
    return add_cosignatures(signer.sign(text), [signer.verifier], seen)


@pytest.fixture
def at(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "h300").write_text(head(300))
    (tmp_path / "h500").write_text(head(500, TREE, LOG, WITNESS))
    (tmp_path / "fork300").write_text(head(300, FORKED))
    (tmp_path / "fork500").write_text(head(500, FORKED))
    (tmp_path / "stranger").write_text(head(300, TREE, STRANGER))
    Mirror(tmp_path / "log").update(TREE, entries, head(500), [LOG.verifier])
    return tmp_path


def ask(capsys, *words: str) -> tuple[int, list[str], str]:
    status = main(["ledger", *words])
    out, err = capsys.readouterr()
    return status, out.splitlines(), err


KEY = ("--key", LOG.vkey)


# checkpoint


def test_a_head_is_shown_with_who_signed_and_who_saw_it(at: Path, capsys) -> None:
    status, out, _ = ask(capsys, "checkpoint", "h500", *KEY, "--witness", WITNESS.vkey)
    assert status == 0
    assert out[:3] == ["h500:", "true", "The log log.example signed this head of 500 entries."]
    assert out[3].startswith("  root: ")
    assert out[4:] == ["  cosigned by w.example: 2026-11-26 09:30:00 UTC"]
    status, out, _ = ask(capsys, "checkpoint", "h500", *KEY)
    assert (status, out[4:]) == (0, ["  not checked, no key was given: w.example"])


def test_a_head_by_a_stranger_is_false_and_names_who_signed(at: Path, capsys) -> None:
    status, out, _ = ask(capsys, "checkpoint", "stranger", *KEY)
    assert status == 1
    assert out == [
        "stranger:",
        "false",
        "None of the keys given signed this note. It bears the name of 'stranger.example'.",
    ]


def test_a_head_that_another_known_log_signed_is_false(at: Path, capsys) -> None:
    text = Checkpoint(LOG.name, 300, TREE.root(300)).to_text()
    (at / "borrowed").write_text(STRANGER.sign(text))
    status, out, _ = ask(capsys, "checkpoint", "borrowed", *KEY, "--key", STRANGER.vkey)
    assert (status, out[1]) == (1, "false")
    assert "signed for the log 'log.example'" in out[2]


def test_too_few_witnesses_are_told_and_fewer_may_be_asked_for(at: Path, capsys) -> None:
    both = ("--witness", WITNESS.vkey, "--witness", OTHER.vkey)
    status, out, _ = ask(capsys, "checkpoint", "h500", *KEY, *both)
    assert status == 1
    assert "of the 2 witnesses given 1 cosigned it, and 2 must have" in out[2]
    assert ask(capsys, "checkpoint", "h500", *KEY, *both, "--quorum", "1")[0] == 0


def test_two_heads_of_the_same_size_are_told_to_be_kept(at: Path, capsys) -> None:
    status, out, _ = ask(capsys, "checkpoint", "h300", "h500", "fork300", *KEY)
    assert status == 1
    assert out[-2] == (
        "h300 and fork300: Two heads of the same size, 300, with different roots: the log told two "
        "histories; keep both files, they are the proof, and show them to the log's keeper, its "
        "witnesses and its supervisor."
    )


def test_heads_of_two_sizes_alone_do_not_gainsay_each_other(at: Path, capsys) -> None:
    status, out, _ = ask(capsys, "checkpoint", "h500", "fork300", *KEY)
    assert status == 0
    assert "they do not gainsay each other" in out[-1]


def test_with_a_mirror_heads_of_two_sizes_are_held_against_its_tiles(at: Path, capsys) -> None:
    status, out, _ = ask(capsys, "checkpoint", "log", "h300", *KEY)
    assert status == 0
    assert out[-1] == "h300 and log: The later log begins with the whole of the earlier one."
    status, out, _ = ask(capsys, "checkpoint", "log", "fork300", *KEY)
    assert status == 1
    assert "The log does not begin with the 300 entries that were signed before" in out[-1]
    (at / "log/tile/1/000.p/1").write_bytes(b"\0" * 32)
    status, out, _ = ask(capsys, "checkpoint", "log", "h300", *KEY)
    assert (status, "do not lead to its own head; fsck" in out[-1]) == (1, True)
    (at / "log/tile/1/000.p/1").unlink()
    status, out, _ = ask(capsys, "checkpoint", "log", "h300", *KEY)
    assert (status, "should hold 1 hashes and holds 0" in out[-1]) == (1, True)


def test_heads_of_two_logs_say_nothing_of_each_other(at: Path, capsys) -> None:
    status, out, _ = ask(capsys, "checkpoint", "h300", "stranger", *KEY, "--key", STRANGER.vkey)
    assert (status, len(out)) == (0, 8)


def test_the_head_within_a_proof_is_read(at: Path, practice, capsys) -> None:
    (at / "one.tlog-proof").write_text(practice.proof(3))
    words = ("checkpoint", "one.tlog-proof", "--key", practice.signer.vkey)
    status, out, _ = ask(capsys, *words)
    assert status == 0
    assert "signed this head of 9 entries" in out[2]


@pytest.mark.parametrize("held", [b"", b"junk\n", b"\xff", b"c2sp.org/tlog-proof@v1\nx\n\n"])
def test_what_is_no_head_is_false_with_a_reason(at: Path, capsys, held: bytes) -> None:
    (at / "junk").write_bytes(held)
    status, out, _ = ask(capsys, "checkpoint", "junk", *KEY)
    assert (status, out[1]) == (1, "false")
    assert out[2].endswith(".")


def test_heads_that_cannot_be_read_are_status_2(at: Path, capsys) -> None:
    status, out, err = ask(capsys, "checkpoint", "absent\n", "h300", *KEY)
    assert status == 2
    assert "absent\\n: No such file" in err
    assert out[:2] == ["h300:", "true"]
    (at / "empty").mkdir()
    status, out, _ = ask(capsys, "checkpoint", "empty", *KEY)
    assert (status, "no file named checkpoint" in out[2]) == (1, True)


@pytest.mark.parametrize(
    "words",
    [
        ("checkpoint", "h300"),
        ("checkpoint", "h300", "--key", "junk"),
        ("checkpoint", "h300", *KEY, "--witness", LOG.vkey),
        ("checkpoint", "h300", "--key", WITNESS.vkey),
        ("checkpoint", "h300", *KEY, "--quorum", "1"),
        ("checkpoint", "h300", *KEY, "--quorum", "x"),
        ("fsck", "log"),
        ("fsck", "log", "--key", "junk"),
        ("fsck", "absent", *KEY),
        ("fsck", "h300", *KEY),
        ("fsck", "log", *KEY, "--checkpoint", "absent"),
    ],
)
def test_a_command_that_is_not_understood_is_status_2(at: Path, capsys, words) -> None:
    status, out, err = ask(capsys, *words)
    assert (status, out) == (2, [])
    assert "folkmoot ledger" in err


def test_heads_as_json_are_one_object_a_line(at: Path, capsys) -> None:
    status, out, _ = ask(
        capsys, "checkpoint", "h500", "fork500", *KEY, "--witness", WITNESS.vkey, "--quorum", "0",
        "--json",
    )  # fmt: skip
    assert status == 1
    one, two, compared = map(json.loads, out)
    assert (one["ok"], one["checkpoint"]["size"], two["cosignatures"]) == (True, 500, [])
    assert one["cosignatures"] == [{"witness": WITNESS.vkey, "at": "2026-11-26T09:30:00+00:00"}]
    assert (compared["ok"], "two histories" in compared["reason"]) == (False, True)


# fsck


def test_a_mirror_without_a_fault_is_true(at: Path, capsys) -> None:
    status, out, _ = ask(capsys, "fsck", "log", *KEY, "--checkpoint", "h300")
    assert status == 0
    assert out == [
        "true",
        "The log log.example signed this head of 500 entries.",
        "  The 500 entries and their tiles lead to the signed root.",
        "  The log begins with the 300 entries that were signed before, unchanged.",
    ]


def test_what_is_wrong_with_a_mirror_is_told_in_words(at: Path, capsys) -> None:
    tile = at / "log/tile/0/000"
    data = bytearray(tile.read_bytes())
    data[17 * 32] ^= 1
    tile.write_bytes(data)
    words = ("fsck", "log", *KEY, "--checkpoint", "fork300", "--checkpoint", "stranger")
    status, out, _ = ask(capsys, *words)
    assert status == 1
    assert out[0] == "false"
    stranger, entry, forked = out[2:]
    assert stranger.startswith("  - stranger: None of the keys given signed this note. It bears")
    assert entry == (
        "  - Entry 17 does not hash to what tile 0 of level 0 holds: the tile was changed, for the "
        "entries lead to the signed root."
    )
    assert forked == (
        "  - The log does not begin with the 300 entries that were signed before: one of them was "
        "changed, left out or put in. The log told two histories; keep both heads, they are the "
        "proof."
    )
    status, out, _ = ask(capsys, *words, "--json")
    told = json.loads(out[0])
    assert (status, told["ok"], len(told["findings"]), told["more"]) == (1, False, 3, 0)


def test_a_log_that_was_rolled_back_is_found_by_a_later_head(at: Path, capsys) -> None:
    (at / "h600").write_text(head(600))
    status, out, _ = ask(capsys, "fsck", "log", *KEY, "--checkpoint", "h600")
    assert status == 1
    assert "100 entries are gone. The log was rolled back" in out[-1]


def test_a_mirror_of_a_stranger_is_false_before_anything_is_read(at: Path, capsys) -> None:
    status, out, _ = ask(capsys, "fsck", "log", "--key", STRANGER.vkey)
    assert status == 1
    assert out == [
        "false",
        "  - None of the keys given signed this note. It bears the name of 'log.example'.",
    ]


def test_a_mirror_must_bear_the_cosignatures_asked_for(at: Path, capsys) -> None:
    words = ("fsck", "log", *KEY, "--witness", WITNESS.vkey)
    assert ask(capsys, *words)[0] == 1
    Mirror(at / "log").update(TREE, entries, (at / "h500").read_text(), [LOG.verifier])
    assert ask(capsys, *words)[0] == 0


# verify with witnesses


def test_verify_says_which_witnesses_saw_the_head(at: Path, practice, capsys) -> None:
    text = open_note(practice.checkpoint, [practice.signer.verifier]).text
    cosigned = add_cosignatures(
        practice.checkpoint, [practice.signer.verifier], [WITNESS.cosign(text, NOW)]
    )
    (at / "p").write_text(practice.proof(3, checkpoint=cosigned, witnesses=[WITNESS.vkey]))
    words = ("verify", "p", "--key", practice.signer.vkey, "--witness", WITNESS.vkey)
    status, out, _ = ask(capsys, *words)
    assert (status, out[0]) == (0, "true")
    assert out[1].endswith("cosigned this head: w.example, 2026-11-26 09:30:00 UTC.")
    status, out, _ = ask(capsys, *words, "--witness", OTHER.vkey)
    assert (status, out[0]) == (1, "false")
    status, out, _ = ask(capsys, *words, "--witness", OTHER.vkey, "--quorum", "1", "--json")
    told = json.loads(out[0])
    assert (status, told["cosignatures"][0]["witness"]) == (0, WITNESS.vkey)
    status, out, _ = ask(capsys, *words[:4], "--json")
    assert json.loads(out[0])["unjudged"] == ["w.example"]


def test_verify_tells_each_kind_of_bad_file_exactly(at: Path, practice, capsys) -> None:
    whole = practice.proof(5, "reason")
    lines = whole.split("\n")
    other_tree = practice.signer.sign(Checkpoint(practice.signer.name, 9, TREE.root(9)).to_text())
    for text, says in (
        (whole[:200], "cut short"),
        ("\n".join(lines[:5]), "cut short"),
        (
            whole.replace(practice.checkpoint, other_tree),
            "leads to another root: this entry is not",
        ),
        (whole.replace("index 5", "index 4"), "leads to another root"),
    ):
        assert text != whole
        (at / "p").write_text(text)
        status, out, _ = ask(capsys, "verify", "p", "--key", practice.signer.vkey)
        assert (status, out[0]) == (1, "false")
        assert says in out[1], out
    (at / "p").write_text(whole)
    status, out, _ = ask(capsys, "verify", "p", "--key", LOG.vkey)
    assert (status, "signed by a key that is not among those you gave" in out[1]) == (1, True)


def test_verify_reads_a_proof_out_of_a_pipe(at: Path, practice) -> None:
    (at / "p").write_text(practice.proof(5))
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m folkmoot ledger verify <(cat p)"],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "true"), done.stderr


def test_verify_reads_bags_as_folders_and_as_zip_files(at: Path, practice, capsys) -> None:
    item = Item(practice.entries[5], 5, tuple(practice.tree.inclusion_proof(5)))
    write_bag(
        at / "bag",
        title="Request 2026/114",
        about="Posts about the flood.",
        made_at=NOW,
        checkpoint=practice.checkpoint,
        policy=[practice.signer.vkey],
        items=[item],
        redactions=[
            Redaction(practice.entries[5].id, one.label, "FOIA s.40(2)")
            for one in practice.fields[5]
        ],
    )
    zip_bag(at / "bag", at / "bag.zip")
    key = ("--key", practice.signer.vkey)
    status, out, _ = ask(capsys, "verify", "bag", "bag.zip", *key)
    assert status == 0, out
    assert [line for line in out if line in {"bag:", "bag.zip:", "true", "false"}] == [
        "bag:", "true", "bag.zip:", "true",
    ]  # fmt: skip
    assert "  fields withheld: 2" in out
    assert ask(capsys, "verify", "bag", *key, "--witness", WITNESS.vkey)[0] == 1
    status, out, _ = ask(capsys, "verify", "bag", "--key", LOG.vkey)
    assert (status, out[0]) == (1, "false")
    status, out, _ = ask(capsys, "verify", "bag", "--witness", WITNESS.vkey, "--quorum", "0")
    assert (status, "leave --quorum out" in out[1]) == (1, True)
    page = at / "bag/data/index.html"
    page.write_bytes(page.read_bytes().replace(b"flood", b"blood"))
    status, out, _ = ask(capsys, "verify", "bag", "--json")
    told = json.loads(out[0])
    assert (status, told["ok"]) == (1, False)
    assert any("data/index.html was changed" in one for one in told["problems"])


# witness


class Running:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        self.vkey = process.stdout.readline().strip()
        self.watches = process.stdout.readline().strip()
        line = process.stdout.readline().strip()
        assert line.startswith("listens on http://"), line
        self.netloc = urlsplit(line.removeprefix("listens on ")).netloc

    def post(self, url: str, body: bytes) -> tuple[int, str, bytes]:
        connection = http.client.HTTPConnection(self.netloc, timeout=20)
        connection.request("POST", urlsplit(url).path, body)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, answer.headers["Content-Type"], data


@contextmanager
def witness(folder: Path, *words: str) -> Iterator[Running]:
    process = subprocess.Popen(
        [
            sys.executable, "-m", "folkmoot", "ledger", "witness", "--key", "w.key",
            "--state", "state", "--log", LOG.vkey, "--listen", "127.0.0.1:0", *words,
        ],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        yield Running(process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def test_a_witness_makes_its_key_once_and_goes_on_where_it_was_after_a_kill(
    tmp_path: Path,
) -> None:
    with witness(tmp_path, "--name", "w.example/w1") as first:
        key = Witness.from_text(first.vkey)
        assert (key.name, first.watches) == ("w.example/w1", "watches log.example")
        assert ask_witness(first.post, "http://w", key, tree=TREE, checkpoint=head(300))
        first.process.kill()
    with witness(tmp_path) as again:
        assert again.vkey == first.vkey
        assert ask_witness(again.post, "http://w", key, tree=TREE, checkpoint=head(500))
        status, _, data = again.post("http://w/add-checkpoint", b"old 0\n\n" + head(300).encode())
        assert (status, data) == (409, b"500\n")
    assert again.process.returncode == 0


def test_a_witness_that_cannot_start_says_why(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["witness", "--key", "w.key", "--state", "state", "--log", LOG.vkey]
    status, out, err = ask(capsys, *words)
    assert (status, out) == (2, [])
    assert "This witness has no key yet. Give it a name" in err
    for listen in ("here", ":80", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:x"):
        status, _, err = ask(capsys, *words, "--name", "w", "--listen", listen)
        assert (status, "must read HOST:PORT" in err) == (2, True)
    status, _, err = ask(capsys, *words, "--name", "two words")
    assert (status, "neither spaces" in err) == (2, True)
    status, _, err = ask(capsys, *words[:-1], "junk", "--name", "w")
    assert (status, "part of it is missing" in err) == (2, True)
    assert not (tmp_path / "w.key").exists()
    with witness(tmp_path, "--name", "w") as running:
        port = running.netloc.rpartition(":")[2]
        status, _, err = ask(capsys, *words, "--listen", f"127.0.0.1:{port}")
        assert (status, "Address already in use" in err) == (2, True)
    (tmp_path / "state" / "witness.json").unlink()
    status, _, err = ask(capsys, *words)
    assert (status, "is not the book of a witness" in err) == (2, True)
