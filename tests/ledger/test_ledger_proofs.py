"""Proof files: they hold as they are, and no change of a single byte anywhere leaves them true."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import folkmoot.ledger
from folkmoot.ledger import (
    MAX_PROOF_BYTES,
    Checkpoint,
    MemoryStore,
    NoteError,
    ProofError,
    Signer,
    Tree,
    Verifier,
    leaf_hash,
    make_proof,
    open_note,
    verify_proof,
    visible,
)
from folkmoot.ledger.entries import canonical_json
from folkmoot.ledger.keytexts import decode_base64, encode_base64

# What a changed byte is changed to: every other value of its eight bits, one at a time, and the
# characters with a meaning in the forms within the file.
MEANINGFUL = b'\n\r\t +/=-A0{}[]":,\\\x00\x7f\xc2\xe2\xff'


def changes(data: bytes) -> list[bytes]:
    found = set()
    for at in range(len(data)):
        rest = data[at + 1 :]
        for bit in range(8):
            found.add(data[:at] + bytes([data[at] ^ (1 << bit)]) + rest)
        for other in MEANINGFUL:
            found.add(data[:at] + bytes([other]) + rest)
        found.add(data[:at] + rest)
        found.add(data[:at])
        for extra in (data[at : at + 1], b"\n", b" ", b"=", b"A"):
            found.add(data[:at] + extra + data[at:])
    for extra in (b"\n", b" ", b"\0", b"=", b"junk", b"\r\n", data):
        found.add(data + extra)
    found.discard(data)
    return sorted(found)


def test_all_that_the_library_names_is_there() -> None:
    assert [name for name in folkmoot.ledger.__all__ if not hasattr(folkmoot.ledger, name)] == []


def test_no_change_of_a_single_byte_anywhere_leaves_a_proof_true(practice) -> None:
    text = practice.proof(5, "reason")
    assert verify_proof(text)
    survivors = [one for one in changes(text.encode()) if verify_proof(one)]
    assert survivors == []


def test_the_same_holds_for_a_reader_who_brings_a_key(practice) -> None:
    text = practice.proof(8)
    keys = [practice.signer.vkey]
    assert verify_proof(text, keys=keys)
    survivors = [one for one in changes(text.encode())[::5] if verify_proof(one, keys=keys)]
    assert survivors == []


def test_no_change_of_a_single_byte_within_what_is_disclosed_leaves_it_true(practice) -> None:
    """The same inside the extra line's JSON, encoded again as a forger would."""
    text = practice.proof(5, "reason")
    lines = text.split("\n")
    extra = decode_base64(lines[1].removeprefix("extra "))

    def rebuilt(inner: bytes) -> str:
        return "\n".join([lines[0], f"extra {encode_base64(inner)}", *lines[2:]])

    assert rebuilt(extra) == text
    survivors = [one for one in changes(extra) if verify_proof(rebuilt(one))]
    assert survivors == []


def test_a_key_the_reader_brought_is_trusted(practice) -> None:
    text = practice.proof(3, "reason", "text")
    result = verify_proof(text.encode(), keys=[practice.signer.vkey])
    assert result.ok
    assert result.key_trusted
    assert result.entry == practice.entries[3]
    assert (result.index, result.withheld) == (3, ())
    assert result.disclosed == {one.label: one.value for one in practice.fields[3]}
    assert result.checkpoint == Checkpoint(practice.signer.name, 9, practice.tree.root())
    assert "entry number 3 (counted from 0) of the 9" in result.reason
    assert "The key that signed it is one you gave." in result.reason


def test_without_a_key_the_file_vouches_for_itself_and_says_so(practice) -> None:
    result = verify_proof(practice.proof(8))
    assert result.ok
    assert not result.key_trusted
    assert "vouches for itself" in result.reason
    assert practice.signer.vkey in result.reason


def test_what_is_not_disclosed_is_named_and_not_in_the_file(practice) -> None:
    text = practice.proof(5, "text")
    result = verify_proof(text)
    assert result.withheld == ("reason",)
    reason = next(one for one in practice.fields[5] if one.label == "reason")
    extra = decode_base64(text.split("\n")[1].removeprefix("extra "))
    assert reason.value.encode() not in extra
    assert reason.salt.hex().encode() not in extra


def test_a_log_of_one_entry_has_a_proof_without_hashes(practice) -> None:
    tree = Tree(MemoryStore())
    tree.append([leaf_hash(practice.entries[0].to_bytes())])
    note = practice.signer.sign(Checkpoint(practice.signer.name, 1, tree.root()).to_text())
    text = practice.proof(0, path=[], checkpoint=note)
    assert "\nindex 0\n\n" in text
    assert verify_proof(text)


def test_a_key_from_elsewhere_makes_it_false(practice) -> None:
    other = Signer(practice.signer.name, b"\x09" * 32)
    result = verify_proof(practice.proof(3), keys=[other.vkey])
    assert not result.ok
    assert "not among those you gave" in result.reason
    assert verify_proof(practice.proof(3), keys=[other.vkey, practice.signer.vkey]).key_trusted


def test_a_key_that_cannot_be_read_makes_it_false(practice) -> None:
    result = verify_proof(practice.proof(3), keys=["junk"])
    assert not result
    assert "A key you gave cannot be read." in result.reason


def test_a_made_up_log_convinces_only_those_who_bring_no_key(practice) -> None:
    """What the sentence about the key is for: anybody can make a log of their own."""
    forger = Signer(practice.signer.name, b"\5" * 32)
    head = Checkpoint(forger.name, 9, practice.tree.root())
    text = practice.proof(3, checkpoint=forger.sign(head.to_text()), vkey=forger.vkey)
    assert verify_proof(text).ok
    assert not verify_proof(text).key_trusted
    assert not verify_proof(text, keys=[practice.signer.vkey])


def test_a_key_cannot_sign_for_a_log_of_another_name(practice) -> None:
    head = Checkpoint("another.example/log", 9, practice.tree.root())
    with pytest.raises(ProofError, match="signed for"):
        practice.proof(3, checkpoint=practice.signer.sign(head.to_text()))


def test_signatures_of_witnesses_are_left_out_of_the_file(practice) -> None:
    witness = Signer("witness.example", b"\6" * 32)
    head = open_note(practice.checkpoint, [practice.signer.verifier]).text
    note = practice.checkpoint + witness.sign(head).rpartition("\n\n")[2]
    assert practice.proof(3, checkpoint=note) == practice.proof(3)


def test_a_signature_nobody_can_check_is_passed_over_and_named(practice) -> None:
    other = Signer("other.example", b"\6" * 32)
    head = open_note(practice.checkpoint, [practice.signer.verifier]).text
    text = practice.proof(3) + other.sign(head).rpartition("\n\n")[2]
    result = verify_proof(text, keys=[practice.signer.vkey])
    assert result.ok
    assert result.unjudged == ("other.example",)
    assert "signatures by other.example, for which you gave no key" in result.reason
    result = verify_proof(text, keys=[practice.signer.vkey, other.vkey])
    assert result.ok
    assert result.unjudged == ()
    changed = text[:-8] + ("B" if text[-8] == "A" else "A") + text[-7:]
    assert verify_proof(changed, keys=[practice.signer.vkey])
    assert not verify_proof(changed, keys=[practice.signer.vkey, other.vkey])


def test_a_witness_whose_key_was_given_cannot_stand_in_for_the_log(practice) -> None:
    witness = Signer("witness.example", b"\6" * 32)
    head, _, _ = practice.proof(3).rpartition(practice.checkpoint)
    made_up = Checkpoint(practice.signer.name, 9, practice.tree.root()).to_text()
    text = head + witness.sign(made_up)
    result = verify_proof(text, keys=[practice.signer.vkey, witness.vkey])
    assert result.reason == "The key named in the file did not sign the head of the log."


def test_a_proof_that_would_fail_is_not_made(practice) -> None:
    path = practice.tree.inclusion_proof(3)
    with pytest.raises(ProofError, match="leads to another root"):
        practice.proof(3, path=practice.tree.inclusion_proof(2))
    with pytest.raises(ProofError, match="no entry number"):
        practice.proof(3, at=9)
    with pytest.raises(ProofError, match="hashes"):
        practice.proof(3, path=path[:-1])
    with pytest.raises(NoteError, match="None of the keys"):
        practice.proof(3, vkey=Signer("other", b"\1" * 32).vkey)
    wrong = replace(practice.fields[3][0], value="something else")
    with pytest.raises(ProofError, match="sealed with"):
        make_proof(
            practice.entries[3],
            [wrong],
            index=3,
            path=path,
            checkpoint=practice.checkpoint,
            vkey=practice.signer.vkey,
        )


def extra_of(practice, **changed: object) -> str:
    """A proof whose extra line says something else, in good form."""
    parts = {
        "entry": practice.entries[3].to_bytes().decode(),
        "disclosed": {},
        "vkey": practice.signer.vkey,
    }
    lines = practice.proof(3).split("\n")
    lines[1] = "extra " + encode_base64(canonical_json({**parts, **changed}))
    return "\n".join(lines)


GOOD_SALT = "00" * 32


@pytest.mark.parametrize(
    "changed",
    [
        {"entry": ""},
        {"entry": "{}"},
        {"entry": 1},
        {"vkey": ""},
        {"vkey": 1},
        {"more": 1},
        {"disclosed": []},
        {"disclosed": {"reason": "text"}},
        {"disclosed": {"reason": {"salt": GOOD_SALT}}},
        {"disclosed": {"reason": {"salt": GOOD_SALT, "value": 1}}},
        {"disclosed": {"reason": {"salt": GOOD_SALT[:-2], "value": "x"}}},
        {"disclosed": {"reason": {"salt": "G" * 64, "value": "x"}}},
        {"disclosed": {"reason": {"salt": 1, "value": "x"}}},
        {"disclosed": {"reason": {"salt": GOOD_SALT, "value": "x"}}},
        {"disclosed": {"absent": {"salt": GOOD_SALT, "value": "x"}}},
        {"disclosed": {"reason": {"salt": GOOD_SALT, "value": "x", "more": 1}}},
    ],
)
def test_an_extra_line_that_says_something_else_is_false_with_a_reason(practice, changed) -> None:
    assert verify_proof(extra_of(practice))
    result = verify_proof(extra_of(practice, **changed))
    assert not result.ok
    assert result.reason.endswith(".")
    assert (result.entry, result.disclosed, result.checkpoint) == (None, {}, None)


def test_another_entry_of_the_same_log_does_not_fit_the_place(practice) -> None:
    moved = extra_of(practice, entry=practice.entries[4].to_bytes().decode())
    assert "leads to another root" in verify_proof(moved).reason


@pytest.mark.parametrize(
    "junk",
    [
        "",
        "\n",
        "c2sp.org/tlog-proof@v1",
        "c2sp.org/tlog-proof@v1\n\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n\n",
        "c2sp.org/tlog-proof@v1\nextra \nindex 0\n\nx",
        "c2sp.org/tlog-proof@v1\nextra AAAA\nindex 0\n" + "A\n" * 64 + "\nx",
        "\ud800",
        b"\xff\xfe",
        b"c2sp.org/tlog-proof@v1\n\xff",
        "é" * MAX_PROOF_BYTES,
        b"\n" * (MAX_PROOF_BYTES + 1),
        "(" * 100_000,
    ],
)
def test_junk_is_false_with_a_reason(junk: str | bytes) -> None:
    result = verify_proof(junk)
    assert not result.ok
    assert result.reason.endswith(".")


@pytest.mark.parametrize(
    "inner", [b"[" * 700_000, b'{"a":' * 100_000, b"1" * 700_000, b'"' + b"\\" * 700_000]
)
def test_huge_hostile_files_are_false_quickly(inner: bytes) -> None:
    text = f"c2sp.org/tlog-proof@v1\nextra {encode_base64(inner)}\nindex 0\n\n"
    start = time.process_time()
    assert not verify_proof(text + "x" * (MAX_PROOF_BYTES - len(text)))
    assert time.process_time() - start < 5


def test_a_proof_cut_short_anywhere_is_false_and_says_so(practice) -> None:
    text = practice.proof(5, "reason")
    for length in range(len("c2sp.org/tlog-proof@v1\n"), len(text)):
        result = verify_proof(text[:length])
        assert not result.ok
        assert "cut short" in result.reason, (length, result.reason)


@settings(max_examples=300)
@given(st.data())
def test_nothing_made_of_the_pieces_of_a_proof_ever_raises(practice, data: st.DataObject) -> None:
    lines = practice.proof(3, "reason").split("\n")
    line = st.sampled_from(lines) | st.text(max_size=20)
    result = verify_proof("\n".join(data.draw(st.lists(line, max_size=14))))
    assert isinstance(result.ok, bool)
    assert not result.ok or result.entry == practice.entries[3]


def test_a_reason_never_carries_anything_a_screen_would_act_on(practice) -> None:
    hostile = extra_of(practice, disclosed={"\x1b[2Jtrue\n": {"salt": GOOD_SALT, "value": "x"}})
    assert verify_proof(hostile).reason.isprintable()
    signer = Signer("log\u202e.example", b"\1" * 32)
    head = Checkpoint(signer.name, 9, practice.tree.root())
    text = practice.proof(3, checkpoint=signer.sign(head.to_text()), vkey=signer.vkey)
    assert verify_proof(text).ok
    assert verify_proof(text).reason.isprintable()
    refused = verify_proof(text, keys=[practice.signer.vkey])
    assert "log\\u202e.example" in refused.reason
    assert refused.reason.isprintable()
    assert len(verify_proof(extra_of(practice, vkey="a" * 9000 + "+1+2")).reason) < 1000


def test_text_is_made_visible_without_ambiguity() -> None:
    assert visible("Ŵyth “ok” 🙂") == "Ŵyth “ok” 🙂"
    assert visible("a\nb\x1b[0m\u202e\u2028\u200b\x9b\\n") == (
        "a\\nb\\x1b[0m\\u202e\\u2028\\u200b\\x9b\\\\n"
    )


def test_the_file_follows_the_published_format(practice) -> None:
    lines = practice.proof(3, "reason").split("\n")
    path = practice.tree.inclusion_proof(3)
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[2] == "index 3"
    assert lines[3 : 3 + len(path)] == [encode_base64(one) for one in path]
    assert "\n".join(lines[4 + len(path) :]) == practice.checkpoint
    assert Verifier.from_text(practice.signer.vkey) == practice.signer.verifier
