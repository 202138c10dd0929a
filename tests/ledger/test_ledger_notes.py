"""Keys, signed notes and checkpoints, against published examples and hostile forms."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.ledger import Checkpoint, NoteError, Signer, Verifier, open_note

# The example of a verifier key and a note in C2SP signed-note.
SPEC_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZX"
    "sYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# The example in the documentation of golang.org/x/mod/sumdb/note. Ed25519 signatures are
# deterministic, so we must write it byte for byte.
GO_SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_NOTE = (
    GO_TEXT + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZ"
    "SNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# The text of the example in C2SP tlog-checkpoint.
SPEC_HEAD = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

GO = Signer.from_text(GO_SKEY)
ALICE = Signer("alice.example", b"\1" * 32)
BOB = Signer("bob.example", b"\2" * 32)


def both(text: str) -> str:
    """A note that Alice and Bob signed."""
    return ALICE.sign(text) + BOB.sign(text).rpartition("\n\n")[2]


def test_the_published_example_of_the_format_opens() -> None:
    note = open_note(SPEC_NOTE, [Verifier.from_text(SPEC_VKEY)])
    assert note.text == "This is an example message.\n"
    assert note.signed_by[0].vkey == SPEC_VKEY


def test_we_write_the_example_of_the_go_implementation_byte_for_byte() -> None:
    assert GO.vkey == GO_VKEY
    assert GO.to_text() == GO_SKEY
    assert GO.sign(GO_TEXT) == GO_NOTE
    assert open_note(GO_NOTE.encode(), [Verifier.from_text(GO_VKEY)]).text == GO_TEXT


def test_the_published_example_of_a_checkpoint_reads_and_writes_the_same() -> None:
    head = Checkpoint.from_text(SPEC_HEAD)
    assert (head.origin, head.size) == ("example.com/behind-the-sofa", 20852163)
    assert head.to_text() == SPEC_HEAD


def test_a_new_key_signs_and_survives_being_written_down() -> None:
    signer = Signer.generate("record.example/log")
    assert signer != Signer.generate("record.example/log")
    again = Signer.from_text(signer.to_text())
    assert open_note(again.sign("text\n"), [Verifier.from_text(signer.vkey)]).text == "text\n"


def test_printing_a_signer_does_not_print_its_key() -> None:
    assert repr(ALICE) == "Signer('alice.example', ...)"


@pytest.mark.parametrize(
    "name", ["", "two words", "a+b", "tab\t", "no\u00a0break", "line\n", "\ud800"]
)
def test_a_key_needs_a_name_without_spaces_or_plus(name: str) -> None:
    with pytest.raises(NoteError):
        Signer.generate(name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        GO_VKEY + "\n",
        " " + GO_VKEY,
        GO_VKEY.replace("c74f", "C74F"),
        GO_VKEY.replace("c74f20a3", "c74f20a4"),
        GO_VKEY.replace("c74f20a3", "c74f20a"),
        GO_VKEY.replace("c74f20a3", "c74f20ag"),
        GO_VKEY.replace("c74f20a3", " 74f20a3"),
        GO_VKEY.replace("Peter", "Pieter"),
        GO_VKEY.replace("+ARpc", "+BRpc"),
        GO_VKEY[:-4],
        GO_VKEY + "AAAA",
        GO_SKEY,
    ],
)
def test_a_public_key_that_was_miscopied_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        Verifier.from_text(text)


@pytest.mark.parametrize(
    "text", ["", GO_VKEY, GO_SKEY[:-1], GO_SKEY.replace("c74f20a3", "c74f20a4"), GO_SKEY.lower()]
)
def test_a_private_key_that_was_miscopied_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(NoteError) as refused:
        Signer.from_text(text)
    assert "AYEKFALVFGyN" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "no newline", "bell\a\n", "cr\r\n", "nul\0\n", "\ud800\n"])
def test_text_that_cannot_stand_in_a_note_is_not_signed(text: str) -> None:
    with pytest.raises(NoteError):
        ALICE.sign(text)


def test_text_may_hold_empty_lines_and_what_looks_like_a_signature() -> None:
    text = "one\n\n— alice.example AAAA\n\nthree\n"
    assert open_note(ALICE.sign(text), [ALICE.verifier]).text == text


def test_signatures_of_unknown_keys_are_passed_over_and_reported() -> None:
    note = open_note(both("text\n"), [ALICE.verifier])
    assert note.signed_by == (ALICE.verifier,)
    assert note.unknown == ("bob.example",)
    assert note.to_text() == ALICE.sign("text\n")


def test_all_known_signatures_are_verified() -> None:
    assert open_note(both("text\n"), [BOB.verifier, ALICE.verifier]).unknown == ()


def test_a_key_that_shares_the_name_but_not_the_id_is_unknown() -> None:
    namesake = Signer("alice.example", b"\3" * 32)
    with pytest.raises(NoteError, match="None of the keys"):
        open_note(namesake.sign("text\n"), [ALICE.verifier])


def test_a_bad_signature_of_a_known_key_is_an_error_beside_a_good_one() -> None:
    forged = both("text\n").replace(
        BOB.sign("text\n").rpartition("\n\n")[2], BOB.sign("tent\n").rpartition("\n\n")[2]
    )
    assert open_note(forged, [ALICE.verifier])
    with pytest.raises(NoteError, match="does not fit the text"):
        open_note(forged, [ALICE.verifier, BOB.verifier])


def test_a_note_signed_by_nobody_we_know_is_refused() -> None:
    with pytest.raises(NoteError, match="None of the keys"):
        open_note(ALICE.sign("text\n"), [])


def test_a_repeated_signature_is_refused() -> None:
    note = ALICE.sign("text\n")
    with pytest.raises(NoteError, match="twice"):
        open_note(note + note.rpartition("\n\n")[2], [ALICE.verifier])


def test_two_keys_that_cannot_be_told_apart_are_refused() -> None:
    class Twin(Verifier):
        @property
        def key_id(self) -> bytes:
            return ALICE.verifier.key_id

    with pytest.raises(NoteError, match="share the name"):
        open_note(ALICE.sign("text\n"), [ALICE.verifier, Twin("alice.example", b"\4" * 32)])


SIGNED = ALICE.sign("text\n")


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "text\n",
        "text\n\n",
        SIGNED[:-1],
        SIGNED + "\n",
        SIGNED + "junk\n",
        SIGNED + "— \n",
        SIGNED + "— name\n",
        SIGNED + "— name AAAA\n",
        SIGNED + "— na+me AAAAAAAA\n",
        SIGNED.replace("— ", "- "),
        SIGNED.replace("— ", "—  "),
        SIGNED.replace("\n", "\r\n"),
        SIGNED.replace("=\n", "\n"),
        SIGNED.replace("=\n", "=\n ", 1),
        SIGNED.encode() + b"\xff",
        b"\xef\xbb\xbf" + SIGNED.encode(),
        SIGNED + "— name AAAAAAAA\n" * 64,
        "x" * (1 << 20) + SIGNED,
        "\ud800" + SIGNED,
    ],
)
def test_malformed_notes_are_refused(note: str | bytes) -> None:
    with pytest.raises(NoteError):
        open_note(note, [ALICE.verifier])


def test_sixteen_signatures_are_read_as_the_format_requires() -> None:
    assert len(open_note(SIGNED + "— name AAAAAAAA\n" * 15, [ALICE.verifier]).unknown) == 15


def test_base64_with_stray_bits_is_refused_though_it_decodes_to_the_same() -> None:
    head, _, encoded = SIGNED.rstrip("\n").rpartition(" ")
    assert encoded.endswith("=")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    stray = encoded[:-2] + alphabet[alphabet.index(encoded[-2]) ^ 1] + "="
    assert base64.b64decode(stray) == base64.b64decode(encoded)
    with pytest.raises(NoteError, match="canonical"):
        open_note(f"{head} {stray}\n", [ALICE.verifier])


@given(st.binary(max_size=300))
def test_no_bytes_whatever_raise_anything_but_a_note_error(junk: bytes) -> None:
    for note in (junk, b"text\n\n\xe2\x80\x94 " + junk, SIGNED.encode() + junk):
        if note != SIGNED.encode():
            with pytest.raises(NoteError):
                open_note(note, [ALICE.verifier])


HASH = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "o\n1\n",
        f"o\n1\n{HASH}",
        f"\n1\n{HASH}\n",
        f"o\n01\n{HASH}\n",
        f"o\n+1\n{HASH}\n",
        f"o\n-1\n{HASH}\n",
        f"o\n 1\n{HASH}\n",
        f"o\n1_0\n{HASH}\n",
        f"o\n١\n{HASH}\n",
        f"o\n²\n{HASH}\n",
        f"o\n\n{HASH}\n",
        f"o\n9223372036854775808\n{HASH}\n",
        f"o\n{'9' * 100_000}\n{HASH}\n",
        f"o\n1\n{HASH[:-1]}\n",
        "o\n1\nAAAA\n",
        f"o\n1\n{HASH}\n\n",
        f"o\n1\n{HASH}\next\n\n",
    ],
)
def test_malformed_checkpoints_are_refused(text: str) -> None:
    with pytest.raises(NoteError):
        Checkpoint.from_text(text)


def test_extension_lines_of_others_are_kept() -> None:
    text = f"o\n9223372036854775807\n{HASH}\next 1\next 2\n"
    head = Checkpoint.from_text(text)
    assert head.extensions == ("ext 1", "ext 2")
    assert head.to_text() == text


@pytest.mark.parametrize(
    "head",
    [
        Checkpoint("", 1, b"\0" * 32),
        Checkpoint("a\nb", 1, b"\0" * 32),
        Checkpoint("o", -1, b"\0" * 32),
        Checkpoint("o", 1, b"\0" * 31),
        Checkpoint("o", 1, b"\0" * 32, ("",)),
        Checkpoint("o\t", 1, b"\0" * 32),
    ],
)
def test_a_checkpoint_that_could_not_be_read_back_is_not_written(head: Checkpoint) -> None:
    with pytest.raises(NoteError):
        head.to_text()
