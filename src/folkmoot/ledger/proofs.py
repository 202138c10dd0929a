"""Proof files: one entry, what is disclosed of it, and why it must be in the log. Checked offline.

The file is a C2SP ``.tlog-proof``. Its ``extra`` line is base64 of canonical JSON with the entry's
own bytes as text, the salt and text of each disclosed field, and the log's public key::

    {"disclosed": {label: {"salt": hex, "value": text}}, "entry": text, "vkey": text}

Reading is stricter than the format asks: every byte of the file counts, so that no change to it,
however small, leaves the proof standing. One part is out of its reach. Below the log's signature
the file may carry those of witnesses, and whoever holds no key for one of them can neither confirm
nor refute it. Such lines are passed over, as C2SP signed-note demands, and the answer names them:
the proof serves one who has only the log's key, and promises him no more than that key can. Whoever
brings the witnesses' keys gets the strict reading back: a line of theirs that was changed is a bad
signature, or that of nobody known, and then the witness it belonged to is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from .cosigning import Cosignature, Witness, cosignatures
from .entries import Entry, Field, canonical_json, parse_canonical
from .errors import LedgerError, ProofError
from .keytexts import decode_base64, encode_base64, parse_decimal
from .notes import Checkpoint, Note, NoteVerifier, Verifier, open_note
from .tree import HASH_BYTES, leaf_hash, verify_inclusion

MAX_PROOF_BYTES = 1 << 20
"""A proof file above 1 MiB is refused unread."""
PROOF_MAGIC = "c2sp.org/tlog-proof@v1"
"""The first line of a proof file."""


_MAX_HASHES = 63
_MAX_REASON = 600
_NAMES_SHOWN = 3
_NAME_SHOWN = 100
_CUT = "It was cut short on the way: ask for it again, and copy it as a file, not as text."
_SALT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ProofResult:
    """What a proof file proves. Where ``ok`` is False it proves nothing, and nothing is shown.

    ``reason`` is a sentence: what is true, or exactly what is wrong. It is safe to print.
    """

    ok: bool
    reason: str
    key_trusted: bool = False
    """Whether the key that signed is one the reader brought; otherwise the file's own word."""
    entry: Entry | None = None
    index: int | None = None
    """The entry's number in the log, counted from 0."""
    disclosed: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Label and text of the fields shown, proved to be those the entry was made with."""
    withheld: tuple[str, ...] = ()
    """Labels of the fields the entry has and the file does not show."""
    checkpoint: Checkpoint | None = None
    vkey: str = ""
    """The public key that signed the log's head."""
    cosignatures: tuple[Cosignature, ...] = ()
    """Those of the witnesses the reader named, verified, in the order of the file."""
    unjudged: tuple[str, ...] = ()
    """Names on signatures for which the reader gave no key. They prove nothing, either way."""

    def __bool__(self) -> bool:
        return self.ok


def make_proof(
    entry: Entry,
    disclosed: Iterable[Field] = (),
    *,
    index: int,
    path: Sequence[bytes],
    checkpoint: str,
    vkey: str,
    witnesses: Sequence[str] = (),
) -> str:
    """The text of a ``.tlog-proof`` file for ``entry``, disclosing the fields given and no others.

    Args:
        entry: the entry as it went into the log.
        disclosed: openings of the fields to show.
        index: the entry's number in the log, counted from 0.
        path: ``tree.inclusion_proof(index, size)`` for the size in ``checkpoint``.
        checkpoint: a note signed by the log (``Notary.sign``). Signatures other than those of
            ``vkey`` and of ``witnesses`` are left out: nobody has seen whether they are good.
        vkey: the log's public key.
        witnesses: public keys of the witnesses whose cosignatures the file shall carry, where the
            checkpoint has them.

    Raises :class:`ProofError` where the parts do not fit each other, so that a proof which fails
    is never handed out, and :class:`LedgerError` where one of them is malformed.
    """
    opened: dict[str, object] = {}
    for one in disclosed:
        if not entry.opens(one):
            raise ProofError(
                f"The field {one.label!r} is not what the entry was sealed with; it was changed, "
                f"or belongs to another entry."
            )
        opened[one.label] = {"salt": one.salt.hex(), "value": one.value}
    extra = canonical_json({"disclosed": opened, "entry": entry.to_bytes().decode(), "vkey": vkey})
    log = Verifier.from_text(vkey)
    note = open_note(checkpoint, [log, *(Witness.from_text(key) for key in witnesses)])
    if log not in note.signed_by:
        raise ProofError(f"The log's key {log.name} did not sign this checkpoint.")
    lines = [
        PROOF_MAGIC,
        f"extra {encode_base64(extra)}",
        f"index {index}",
        *map(encode_base64, path),
    ]
    text = "\n".join(lines) + "\n\n" + note.to_text()
    result = verify_proof(text, keys=[vkey])
    if not result:
        raise ProofError(f"These parts make no proof. {result.reason}")
    return text


def verify_proof(
    text: str | bytes,
    *,
    keys: Sequence[str] = (),
    witnesses: Sequence[str] = (),
    quorum: int | None = None,
) -> ProofResult:
    """Whether a proof file holds, with what it proves and a sentence that says so.

    Args:
        text: the whole file.
        keys: public keys of the log as the body publishes them, if the reader has them. The file
            must then be signed by one of these. Without them the key inside the file is used: the
            file vouches for itself, and the sentence says so and prints the key to compare.
        witnesses: public keys of witnesses the reader believes. The sentence says which of them
            cosigned and when.
        quorum: how many of ``witnesses`` must have cosigned; all of them by default. Only with all
            of them does every byte of their signatures count.

    Raises nothing, whatever ``text``, ``keys`` or ``witnesses`` hold; work is bounded by 1 MiB of
    text.
    """
    try:
        trusted = [Verifier.from_text(key) for key in keys]
        known = list(dict.fromkeys(Witness.from_text(key) for key in witnesses))
    except LedgerError as wrong:
        return _false(f"A key you gave cannot be read. {wrong}")
    wanted = len(known) if quorum is None else quorum
    if not 0 <= wanted <= len(known):
        return _false(
            f"You asked for the cosignatures of {wanted} witnesses and gave the keys of "
            f"{len(known)}. Ask for no more than you can check."
        )
    try:
        return _verify(text, trusted, known, wanted)
    except LedgerError as wrong:
        return _false(str(wrong))


def visible(text: str) -> str:
    """``text`` with everything a screen would act on rather than show written as an escape.

    Control characters, line breaks, bidirectional and invisible marks, and the backslash itself,
    so that a text from outside can neither move the cursor nor pretend to be ours.
    """
    return "".join(
        c if c.isprintable() and c != "\\" else c.encode("unicode_escape").decode("ascii")
        for c in text
    )


def _verify(
    text: str | bytes, trusted: Sequence[Verifier], witnesses: Sequence[Witness], quorum: int
) -> ProofResult:
    head, checkpoint_text = _split_file(text)
    index, path, extra = _parse_head(head)
    entry_bytes, fields, vkey = _parse_extra(extra)
    entry = Entry.from_bytes(entry_bytes)
    for one in fields:
        if one.label not in entry.commitments:
            raise ProofError(f"The entry has no field {one.label!r}; the file shows one.")
        if not entry.opens(one):
            raise ProofError(
                f"The field {one.label!r} is not what the entry was sealed with; its text or salt "
                f"was changed."
            )
    verifier = Verifier.from_text(vkey)
    if trusted and verifier not in trusted:
        raise ProofError(
            f"This file is signed by a key that is not among those you gave: {vkey}. It may come "
            f"from another log, or from somebody who made the log up."
        )
    note, checkpoint = _open_head(checkpoint_text, verifier, [*trusted, *witnesses])
    answer = verify_inclusion(leaf_hash(entry_bytes), index, checkpoint.size, path, checkpoint.root)
    if not answer:
        raise ProofError(answer.reason)
    seen = cosignatures(note)
    if len(seen) < quorum:
        raise ProofError(
            f"The entry is in the log, but {_say_cosigned(seen, len(witnesses))} You asked for "
            f"{quorum}. Without them the log could have shown others another history. Ask the body "
            f"for a proof with the witnesses' cosignatures, or ask for fewer witnesses."
        )
    said = [_say_included(index, checkpoint, vkey, key_trusted=bool(trusted))]
    if witnesses:
        said.append(_say_cosigned(seen, len(witnesses)))
    if note.unknown:
        said.append(_say_unjudged(note.unknown))
    return ProofResult(
        ok=True,
        reason=visible(" ".join(said)),
        key_trusted=bool(trusted),
        entry=entry,
        index=index,
        disclosed=MappingProxyType({one.label: one.value for one in fields}),
        withheld=tuple(sorted(entry.commitments.keys() - {one.label for one in fields})),
        checkpoint=checkpoint,
        vkey=vkey,
        cosignatures=seen,
        unjudged=note.unknown,
    )


def _open_head(text: str, log: Verifier, others: Sequence[NoteVerifier]) -> tuple[Note, Checkpoint]:
    note = open_note(text, [log, *(key for key in others if key != log)])
    if log not in note.signed_by:
        raise ProofError("The key named in the file did not sign the head of the log.")
    checkpoint = Checkpoint.from_text(note.text)
    if checkpoint.origin != log.name:
        raise ProofError(f"The key of {log.name} signed for {checkpoint.origin!r} instead.")
    return note, checkpoint


def _say_included(index: int, checkpoint: Checkpoint, vkey: str, *, key_trusted: bool) -> str:
    said = (
        f"This is entry number {index} (counted from 0) of the {checkpoint.size} in the log "
        f"{checkpoint.origin}, unchanged since the log's head was signed. "
    )
    if key_trusted:
        return said + "The key that signed it is one you gave."
    return (
        said + "The file vouches for itself: hold its key against the one the body publishes "
        f"before you rely on it: {vkey}"
    )


def _say_cosigned(seen: Sequence[Cosignature], named: int) -> str:
    of = f"of the {named} witnesses you named" if named > 1 else "of the witness you named"
    if not seen:
        return f"there is no cosignature {of}."
    when = "; ".join(f"{one.witness.name}, {one.at:%Y-%m-%d %H:%M:%S} UTC" for one in seen)
    if named == 1:
        return f"The witness you named cosigned this head: {when}."
    return f"{len(seen)} {of} cosigned this head: {when}."


def _say_unjudged(names: Sequence[str]) -> str:
    different = list(dict.fromkeys(names))
    shown = ", ".join(name[:_NAME_SHOWN] for name in different[:_NAMES_SHOWN])
    more = " and others" if len(different) > _NAMES_SHOWN else ""
    return (
        f"The head also bears signatures by {shown}{more}, for which you gave no key: they were "
        f"not checked and prove nothing to you."
    )


def _false(reason: str) -> ProofResult:
    reason = visible(reason)
    if len(reason) > _MAX_REASON:
        reason = reason[:_MAX_REASON] + " ..."
    return ProofResult(ok=False, reason=reason)


def _split_file(text: str | bytes) -> tuple[list[str], str]:
    try:
        # A str is never shorter in UTF-8 than in characters, so a huge one is not even encoded.
        if len(text) > MAX_PROOF_BYTES:
            raise ProofError("A proof file of more than 1 MiB is not read.")
        data = text.encode() if isinstance(text, str) else bytes(text)
        if len(data) > MAX_PROOF_BYTES:
            raise ProofError("A proof file of more than 1 MiB is not read.")
        whole = data.decode()
    except UnicodeError as wrong:
        raise ProofError("A proof file must be UTF-8 text; this is not.") from wrong
    head, gap, checkpoint = whole.partition("\n\n")
    lines = head.split("\n")
    if lines[0] != PROOF_MAGIC:
        raise ProofError(f"A proof file must begin with the line {PROOF_MAGIC}.")
    if not gap or not checkpoint:
        raise ProofError(f"The file ends before the signed head of the log. {_CUT}")
    if not checkpoint.endswith("\n"):
        raise ProofError(f"The file ends in the middle of its last line. {_CUT}")
    return lines, checkpoint


def _parse_head(lines: list[str]) -> tuple[int, list[bytes], bytes]:
    if len(lines) < 3 or not lines[1].startswith("extra ") or not lines[2].startswith("index "):  # noqa: PLR2004
        raise ProofError("The second and third line must begin with 'extra ' and 'index '.")
    if len(lines) - 3 > _MAX_HASHES:
        raise ProofError(f"No log is so long that a proof has more than {_MAX_HASHES} hashes.")
    path = [decode_base64(line) for line in lines[3:]]
    if any(len(one) != HASH_BYTES for one in path):
        raise ProofError("Every hash of the proof must be 32 bytes.")
    index = parse_decimal(lines[2].removeprefix("index "))
    return index, path, decode_base64(lines[1].removeprefix("extra "))


def _parse_extra(extra: bytes) -> tuple[bytes, list[Field], str]:
    held = parse_canonical(extra)
    if not isinstance(held, dict) or held.keys() != {"disclosed", "entry", "vkey"}:
        raise ProofError("The extra line must hold exactly an entry, what is disclosed and a key.")
    entry, disclosed, vkey = held["entry"], held["disclosed"], held["vkey"]
    if not (isinstance(entry, str) and isinstance(disclosed, dict) and isinstance(vkey, str)):
        raise ProofError("The entry and the key must be text, what is disclosed an object.")
    fields = []
    for label, opening in disclosed.items():
        if not isinstance(opening, dict) or opening.keys() != {"salt", "value"}:
            raise ProofError(f"The field {label!r} must hold exactly a salt and a value.")
        salt, value = opening["salt"], opening["value"]
        if not isinstance(salt, str) or not _SALT.fullmatch(salt) or not isinstance(value, str):
            raise ProofError(f"The field {label!r} needs 64 hexadecimal digits of salt and text.")
        fields.append(Field(label, value, bytes.fromhex(salt)))
    return entry.encode(), fields, vkey
