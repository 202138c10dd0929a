"""``folkmoot ledger verify`` of proofs: what it prints, and with which status it ends."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from folkmoot.cli import main
from folkmoot.ledger import (
    MAX_PROOF_BYTES,
    Checkpoint,
    MemoryStore,
    Signer,
    Tree,
    leaf_hash,
    make_proof,
    seal,
)
from folkmoot.ledger.cli import run


@pytest.fixture
def proof(practice, tmp_path: Path) -> Path:
    path = tmp_path / "sent-back.tlog-proof"
    path.write_text(practice.proof(5, "reason"))
    return path


@pytest.fixture
def forged(proof: Path) -> Path:
    path = proof.with_name("forged.tlog-proof")
    path.write_text(proof.read_text().replace("index 5", "index 4"))
    return path


def test_a_true_proof_says_so_first_and_then_what_was_said(practice, proof: Path, capsys) -> None:
    assert main(["ledger", "verify", str(proof), "--key", practice.signer.vkey]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "true"
    assert "The key that signed it is one you gave." in lines[1]
    assert lines[2:] == [
        f"  entry: {practice.entries[5].id}",
        "  kind: draft.sent_back",
        "  time: 2026-11-20T09:35:00.000000Z",
        "  organisation: borsetshire",
        "  actor: person:5",
        "  role: signatory",
        "  subject: draft:2",
        f"  follows from: {practice.entries[4].id}",
        "  kept as: seven-years",
        "  says reason: Númber 5: say “when”, not “soon”.",
        "  withheld: text",
    ]


def test_a_forged_proof_is_false_and_shows_nothing_of_it(forged: Path, capsys) -> None:
    assert run(["ledger", "verify", str(forged)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "false"
    assert len(lines) == 2


def test_several_files_are_told_apart_and_one_false_is_status_1(proof, forged, capsys) -> None:
    assert run(["ledger", "verify", str(proof), str(forged)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [f"{proof}:", "true"]
    assert lines[lines.index(f"{forged}:") + 1] == "false"


def test_a_file_that_cannot_be_read_is_status_2_and_the_others_are_still_judged(
    proof: Path, capsys
) -> None:
    assert (
        run(["ledger", "verify", str(proof.parent / "absent\n"), str(proof), str(proof.parent)])
        == 2
    )
    out, err = capsys.readouterr()
    assert [line for line in out.splitlines() if line in {"true", "false"}] == ["true", "false"]
    assert "absent\\n: No such file" in err


def test_json_has_one_object_per_file(practice, proof: Path, forged: Path, capsys) -> None:
    assert run(["ledger", "verify", "--json", str(proof), str(forged)]) == 1
    true, false = map(json.loads, capsys.readouterr().out.splitlines())
    assert (true["ok"], true["key_trusted"], true["index"]) == (True, False, 5)
    assert true["disclosed"] == {"reason": "Númber 5: say “when”, not “soon”."}
    assert true["withheld"] == ["text"]
    assert true["entry"]["kind"] == "draft.sent_back"
    assert (true["checkpoint"]["origin"], true["checkpoint"]["size"]) == (practice.signer.name, 9)
    assert (false["ok"], false["entry"], false["checkpoint"]) == (False, None, None)
    assert false["file"] == str(forged)


@pytest.mark.parametrize("argv", [[], ["verify"], ["sign"], ["verify", "--wrong", "x"]])
def test_a_command_that_is_not_understood_is_status_2(argv: list[str], capsys) -> None:
    assert run(["ledger", *argv]) == 2
    assert "usage" in capsys.readouterr().err


def test_help_is_status_0(capsys) -> None:
    assert run(["ledger", "verify", "--help"]) == 0
    assert "exit status: 0 all true" in " ".join(capsys.readouterr().out.lower().split())


def test_a_key_that_cannot_be_read_is_status_2_before_any_file(proof: Path, capsys) -> None:
    assert run(["ledger", "verify", str(proof), "--key", "junk"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "the key given cannot be read" in err


def test_a_dash_reads_the_input_and_all_of_it_counts(proof: Path) -> None:
    def ask(data: bytes) -> tuple[int, bytes]:
        done = subprocess.run(
            [sys.executable, "-m", "folkmoot", "ledger", "verify", "-"],
            input=data,
            capture_output=True,
            check=False,
            env={"PYTHONIOENCODING": "ascii", "PATH": ""},
        )
        assert done.stderr == b""
        return done.returncode, done.stdout.splitlines()[0]

    # With a terminal that knows only ASCII, to see that Welsh does not end in a traceback.
    assert ask(proof.read_bytes()) == (0, b"true")
    assert ask(proof.read_bytes() + b"\n") == (1, b"false")


def test_a_file_too_large_is_read_no_further_than_needed(
    tmp_path: Path, capsys, monkeypatch
) -> None:
    asked: list[int] = []

    class Endless(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            asked.append(size if size is not None else -1)
            return b"x" * (size or 0)

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Endless()))
    assert run(["ledger", "verify", "-"]) == 1
    assert "more than 1 MiB" in capsys.readouterr().out
    assert asked == [MAX_PROOF_BYTES + 1]


def test_hostile_text_in_a_true_proof_cannot_act_on_the_screen(practice, tmp_path, capsys) -> None:
    hostile = "fine\nfalse\x1b[2J\x9b1m\u202egnp.exe\u2066\x00\\n"
    signer = Signer("log\u202e.example", b"\1" * 32)
    salts = iter([b"\2" * 32])
    entry, fields = seal(
        id="0" * 32,
        kind="post.sent",
        at=practice.entries[0].at,
        organisation="",
        actor="",
        role="",
        subject="",
        retention="short",
        fields={"text": hostile},
        salts=lambda: next(salts),
    )
    tree = Tree(MemoryStore())
    tree.append([leaf_hash(entry.to_bytes())])
    head = signer.sign(Checkpoint(signer.name, 1, tree.root()).to_text())
    path = tmp_path / "hostile.tlog-proof"
    path.write_text(make_proof(entry, fields, index=0, path=[], checkpoint=head, vkey=signer.vkey))
    assert run(["ledger", "verify", str(path)]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == (
        "  says text: fine\\nfalse\\x1b[2J\\x9b1m\\u202egnp.exe\\u2066\\x00\\\\n"
    )
    assert all(line.isprintable() for line in out.splitlines())
    assert run(["ledger", "verify", "--json", str(path)]) == 0
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out)["disclosed"]["text"] == hostile
