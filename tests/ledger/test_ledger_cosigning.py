"""Cosignatures: as others write them, below a log's signature and in proof files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_ledger_proofs import changes

from folkmoot.ledger import (
    Checkpoint,
    Cosigner,
    NoteError,
    ProofError,
    Signer,
    Verifier,
    Witness,
    add_cosignatures,
    cosignatures,
    open_note,
    verify_proof,
)
from folkmoot.ledger.keytexts import decode_base64, encode_base64

# A head of a public Certificate Transparency staging log that the witnesses of that network
# cosigned, and the key that one of them publishes.
PUBLIC_HEAD = """\
arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIg\
cqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W\
3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTy\
nk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2\
TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
"""
PUBLIC_WITNESS = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
# The time in the example of C2SP tlog-cosignature, and the bytes that stand for it there.
SPEC_SECONDS, SPEC_TIME = 1679315147, bytes.fromhex("00000000641850cb")

LOG = Signer("log.example", b"\1" * 32)
ONE = Cosigner("one.example/w", b"\2" * 32)
TWO = Cosigner("two.example/w", b"\3" * 32)
NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
TEXT = Checkpoint("log.example", 5, b"\7" * 32).to_text()
HEAD = LOG.sign(TEXT)


def test_a_public_witness_cosignature_opens_and_no_change_to_head_or_line_does() -> None:
    witness = Witness.from_text(PUBLIC_WITNESS)
    note = open_note(PUBLIC_HEAD, [witness])
    assert Checkpoint.from_text(note.text).size == 1432088532
    (seen,) = cosignatures(note)
    assert (seen.witness, seen.at) == (witness, datetime(2026, 5, 23, 21, 50, 24, tzinfo=UTC))
    assert witness.vkey == PUBLIC_WITNESS
    assert len(note.unknown) == 3
    for changed in (
        PUBLIC_HEAD.replace("1432088532", "1432088533"),
        PUBLIC_HEAD.replace("2net5wAAAABqEiEg", "2net5wAAAABqEiEh"),
        PUBLIC_HEAD.replace("2net5wAAAABqEiEgPlfF", "2net5wAAAABqEiEgPlfG"),
    ):
        assert changed != PUBLIC_HEAD
        with pytest.raises(NoteError, match="does not fit the text"):
            open_note(changed, [witness])


def test_the_signed_message_is_that_of_the_format() -> None:
    one = ONE.cosign(TEXT, datetime.fromtimestamp(SPEC_SECONDS, UTC))
    signature = decode_base64(one.line.rpartition(" ")[2])
    assert signature[4:12] == SPEC_TIME
    as_note = Verifier(ONE.name, ONE.witness.public)
    message = f"cosignature/v1\ntime {SPEC_SECONDS}\n{TEXT}"
    assert as_note.verify(message, signature[12:])
    assert signature[:4] == ONE.witness.key_id != as_note.key_id


def test_a_cosigned_head_tells_who_saw_it_and_when() -> None:
    whole = add_cosignatures(
        HEAD, [LOG.verifier], [ONE.cosign(TEXT, NOW), TWO.cosign(TEXT, NOW + timedelta(seconds=9))]
    )
    note = open_note(whole, [LOG.verifier, ONE.witness, TWO.witness])
    assert note.to_text() == whole
    assert [(one.witness.name, one.at) for one in cosignatures(note)] == [
        ("one.example/w", NOW),
        ("two.example/w", NOW + timedelta(seconds=9)),
    ]
    assert cosignatures(open_note(whole, [LOG.verifier])) == ()
    assert open_note(whole, [LOG.verifier]).to_text() == HEAD


def test_a_later_cosignature_of_a_witness_takes_the_place_of_its_earlier_one() -> None:
    before = add_cosignatures(HEAD, [LOG.verifier], [ONE.cosign(TEXT, NOW), TWO.cosign(TEXT, NOW)])
    later = ONE.cosign(TEXT, NOW + timedelta(hours=1))
    after = add_cosignatures(before, [LOG.verifier], [later])
    note = open_note(after, [LOG.verifier, ONE.witness, TWO.witness])
    assert {one.witness: one.at for one in cosignatures(note)} == {
        TWO.witness: NOW,
        ONE.witness: NOW + timedelta(hours=1),
    }


def test_a_cosignature_on_another_head_or_a_head_the_log_did_not_sign_is_not_put_together() -> None:
    other = Checkpoint("log.example", 6, b"\7" * 32).to_text()
    with pytest.raises(NoteError, match="is not on this checkpoint"):
        add_cosignatures(HEAD, [LOG.verifier], [ONE.cosign(other, NOW)])
    with pytest.raises(NoteError, match="None of the keys"):
        add_cosignatures(HEAD, [Signer("log.example", b"\4" * 32).verifier], [])


def test_keys_of_logs_and_of_witnesses_are_not_taken_for_each_other() -> None:
    same = Signer(ONE.name, ONE.seed)
    with pytest.raises(NoteError, match="key of a log, not of a witness"):
        Witness.from_text(same.vkey)
    with pytest.raises(NoteError, match="key of a witness, not of a log"):
        Verifier.from_text(ONE.vkey)
    with pytest.raises(NoteError, match="key of a log, not of a witness"):
        Cosigner.from_text(same.to_text())
    with pytest.raises(NoteError, match="key of a witness, not of a log"):
        Signer.from_text(ONE.to_text())
    with pytest.raises(NoteError, match="None of the keys"):
        open_note(same.sign(TEXT), [ONE.witness])


def test_a_witness_key_survives_being_written_down_and_printing_it_shows_nothing() -> None:
    fresh = Cosigner.generate("w.example/w1")
    assert fresh != Cosigner.generate("w.example/w1")
    assert Cosigner.from_text(fresh.to_text()) == fresh
    assert Witness.from_text(fresh.vkey) == fresh.witness
    assert repr(ONE) == "Cosigner('one.example/w', ...)"


@pytest.mark.parametrize(
    "text",
    [
        "",
        PUBLIC_WITNESS + "\n",
        PUBLIC_WITNESS.replace("da77ade7", "DA77ADE7"),
        PUBLIC_WITNESS.replace("da77ade7", "da77ade8"),
        PUBLIC_WITNESS.replace("remora", "romera"),
        PUBLIC_WITNESS[:-4],
        PUBLIC_WITNESS + "AAAA",
    ],
)
def test_a_witness_key_that_was_miscopied_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        Witness.from_text(text)
    with pytest.raises(NoteError):
        Cosigner.from_text("PRIVATE+KEY+" + text)


def test_only_checkpoints_are_cosigned_and_only_at_a_time_that_is_known() -> None:
    with pytest.raises(NoteError):
        ONE.cosign("Pay the bearer.\n", NOW)
    with pytest.raises(NoteError, match="aware"):
        ONE.cosign(TEXT, NOW.replace(tzinfo=None))
    with pytest.raises(NoteError, match="1970"):
        ONE.cosign(TEXT, datetime(1969, 12, 31, tzinfo=UTC))
    abroad = NOW.astimezone(timezone(timedelta(hours=5)))
    assert ONE.cosign(TEXT, abroad) == ONE.cosign(TEXT, NOW)


def test_a_time_that_no_date_can_name_is_not_believed_even_where_it_was_signed() -> None:
    for seconds in (253402300799, 253402300800, 2**63, 2**64 - 1):
        message = f"cosignature/v1\ntime {seconds}\n{TEXT}"
        signed = decode_base64(
            Signer(ONE.name, ONE.seed).sign(message).rstrip("\n").rpartition(" ")[2]
        )
        line = encode_base64(ONE.witness.key_id + seconds.to_bytes(8, "big") + signed[4:])
        note = HEAD + f"— {ONE.name} {line}\n"
        if seconds == 253402300799:
            (seen,) = cosignatures(open_note(note, [LOG.verifier, ONE.witness]))
            assert seen.at.year == 9999
        else:
            with pytest.raises(NoteError, match="does not fit"):
                open_note(note, [LOG.verifier, ONE.witness])


@given(st.binary(max_size=100))
def test_no_bytes_whatever_are_a_cosignature_and_none_raise(junk: bytes) -> None:
    assert not ONE.witness.verify(TEXT, junk)


@pytest.fixture
def cosigned(practice) -> str:
    head = open_note(practice.checkpoint, [practice.signer.verifier]).text
    return add_cosignatures(
        practice.checkpoint,
        [practice.signer.verifier],
        [ONE.cosign(head, NOW), TWO.cosign(head, NOW)],
    )


@pytest.fixture
def witnessed(practice, cosigned) -> str:
    """A proof that both witnesses stand behind."""
    return practice.proof(5, "reason", checkpoint=cosigned, witnesses=[ONE.vkey, TWO.vkey])


def test_a_proof_with_cosignatures_serves_one_who_has_only_the_key_of_the_log(
    practice, witnessed
) -> None:
    result = verify_proof(witnessed, keys=[practice.signer.vkey])
    assert result.ok
    assert result.cosignatures == ()
    assert result.unjudged == ("one.example/w", "two.example/w")
    assert "signatures by one.example/w, two.example/w, for which you gave no key" in result.reason


def test_a_proof_says_in_words_which_witnesses_saw_its_head_and_when(practice, witnessed) -> None:
    keys = [practice.signer.vkey]
    result = verify_proof(witnessed, keys=keys, witnesses=[ONE.vkey, TWO.vkey])
    assert result.ok
    assert result.reason.endswith(
        "2 of the 2 witnesses you named cosigned this head: one.example/w, 2026-11-26 09:30:00 "
        "UTC; two.example/w, 2026-11-26 09:30:00 UTC."
    )
    result = verify_proof(witnessed, keys=keys, witnesses=[TWO.vkey])
    assert "The witness you named cosigned this head: two.example/w, 2026-11-26" in result.reason
    assert result.unjudged == ("one.example/w",)


def test_too_few_witnesses_make_it_false_and_fewer_may_be_asked_for(practice, witnessed) -> None:
    third = Cosigner("three.example", b"\4" * 32)
    asked = {"keys": [practice.signer.vkey], "witnesses": [ONE.vkey, TWO.vkey, third.vkey]}
    result = verify_proof(witnessed, **asked)
    assert not result.ok
    assert "2 of the 3 witnesses you named cosigned this head" in result.reason
    assert "You asked for 3." in result.reason
    assert not verify_proof(witnessed, quorum=3, **asked)
    assert verify_proof(witnessed, quorum=2, **asked)
    plain = practice.proof(5)
    result = verify_proof(plain, keys=asked["keys"], witnesses=[ONE.vkey])
    assert "there is no cosignature of the witness you named." in result.reason
    assert verify_proof(plain, quorum=0, **asked)


@pytest.mark.parametrize(("named", "quorum"), [(0, 1), (1, 2), (1, -1)])
def test_a_quorum_that_nobody_could_check_is_refused(practice, witnessed, named, quorum) -> None:
    result = verify_proof(witnessed, witnesses=[ONE.vkey][:named], quorum=quorum)
    assert not result.ok
    assert "no more than you can check" in result.reason


def test_naming_a_witness_twice_does_not_make_it_two(practice, witnessed) -> None:
    result = verify_proof(witnessed, witnesses=[ONE.vkey, ONE.vkey], quorum=2)
    assert not result.ok
    assert "of 2 witnesses and gave the keys of 1" in result.reason
    assert verify_proof(witnessed, witnesses=[ONE.vkey, ONE.vkey])


def test_a_witness_key_given_as_that_of_the_log_is_told_apart(practice, witnessed) -> None:
    result = verify_proof(witnessed, keys=[ONE.vkey])
    assert "key of a witness, not of a log" in result.reason
    result = verify_proof(witnessed, witnesses=[practice.signer.vkey])
    assert "key of a log, not of a witness" in result.reason


def test_no_change_of_a_byte_leaves_it_true_for_one_who_brings_every_key(
    practice, witnessed
) -> None:
    given_keys = {"keys": [practice.signer.vkey], "witnesses": [ONE.vkey, TWO.vkey]}
    assert verify_proof(witnessed, **given_keys)
    data = witnessed.encode()
    below = data.index(practice.signer.name.encode(), data.rindex(b"\n\n"))
    survivors = [
        one
        for one in changes(data)
        if one[:below] == data[:below] and verify_proof(one, **given_keys)
    ]
    assert survivors == []
    survivors = [one for one in changes(data)[::9] if verify_proof(one, **given_keys)]
    assert survivors == []


def test_for_one_without_their_keys_only_the_lines_of_witnesses_can_change(
    practice, witnessed
) -> None:
    data = witnessed.encode()
    end_of_log_line = data.index("— one.example".encode())
    for one in changes(data)[::7]:
        if verify_proof(one, keys=[practice.signer.vkey]):
            assert one[:end_of_log_line] == data[:end_of_log_line]


def test_a_proof_carries_the_cosignatures_asked_for_and_no_others(practice, cosigned) -> None:
    text = practice.proof(5, checkpoint=cosigned, witnesses=[TWO.vkey])
    assert text.endswith(cosigned.splitlines()[-1] + "\n")
    assert ONE.name not in text
    assert practice.proof(5, checkpoint=cosigned) == practice.proof(5)
    with pytest.raises(NoteError, match="key of a log"):
        practice.proof(5, witnesses=[practice.signer.vkey])


def test_a_head_that_only_a_witness_signed_makes_no_proof(practice, cosigned) -> None:
    head = open_note(practice.checkpoint, [practice.signer.verifier]).text
    made_up = f"{head}\n{ONE.cosign(head, NOW).line}\n"
    with pytest.raises(ProofError, match="did not sign this checkpoint"):
        practice.proof(5, checkpoint=made_up, witnesses=[ONE.vkey])
    text = practice.proof(5).replace(practice.checkpoint, made_up)
    result = verify_proof(text, keys=[practice.signer.vkey], witnesses=[ONE.vkey])
    assert result.reason == "The key named in the file did not sign the head of the log."


def test_names_on_unknown_signatures_cannot_act_on_a_screen_or_fill_it(practice) -> None:
    name = "\x7f\u202etrue" + "x" * 5000
    text = practice.proof(5) + "".join(f"— {name}{n} AAAAAAAA\n" for n in range(60))
    result = verify_proof(text, keys=[practice.signer.vkey])
    assert result.ok
    assert result.reason.isprintable()
    assert len(result.reason) < 1200
    assert "and others" in result.reason
