"""Checking a bag: the walk that ``verify.py`` takes, judged by the ledger's own engine.

:mod:`~folkmoot.ledger.alone` reads the bag; signatures and proofs are judged here by
:func:`~folkmoot.ledger.open_note` and :func:`~folkmoot.ledger.verify_proof`, so that two separate
implementations stand behind the two programs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from .alone import verifier_source
from .alone.examining import Engine, Findings, examine, printable
from .alone.keys import LOG, WITNESS, Head, Key, Wrong, parse_key
from .alone.proving import Proved
from .bagparts import BagResult
from .cosigning import Witness
from .errors import LedgerError
from .notes import Checkpoint, NoteVerifier, Verifier, open_note
from .proofs import verify_proof


def check_bag(path: Path, *, keys: Sequence[str] = (), witnesses: Sequence[str] = ()) -> BagResult:
    """Whether a bag holds: complete, unchanged, and true to its proofs.

    Args:
        path: the bag's folder, or a zip file of it. A zip is read in place, never unpacked.
        keys: public keys of the log as the body publishes them, if the reader has them. The
            checkpoint must then be signed by one of these. Without them the bag vouches for itself,
            and the reason says so and gives the key to compare.
        witnesses: public keys of witnesses who must each have cosigned the checkpoint.

    Raises nothing for a bag that is wrong in any way: that is a result, with a sentence per
    problem. ``OSError`` where ``path`` cannot be read at all.
    """
    try:
        brought = _read_keys(keys, LOG), _read_keys(witnesses, WITNESS)
    except Wrong as wrong:
        reason = f"A key you gave cannot be used. {printable(str(wrong))}"
        return BagResult(ok=False, reason=reason, problems=(reason,))
    return _answer(examine(Path(path), *brought, ENGINE))


def _read_keys(texts: Sequence[str], kind: int) -> list[Key]:
    keys = [parse_key(text) for text in texts]
    if any(key.kind != kind for key in keys):
        raise Wrong("One is a witness's where a log's belongs, or the other way round.")
    return keys


def _answer(found: Findings) -> BagResult:
    head = found.head
    checkpoint = None
    if head is not None:
        text, _, _ = head.note.decode().rpartition("\n\n")
        checkpoint = Checkpoint.from_text(text + "\n")
    return BagResult(
        ok=found.ok,
        reason=found.reason,
        problems=tuple(found.problems),
        entries=found.summary.entries,
        withheld=found.summary.withheld,
        media=len(found.summary.media),
        captures=found.summary.captures,
        key_trusted=found.key_trusted,
        vkey=head.log.text if head else "",
        witnesses=tuple(key.text for key in head.witnesses) if head else (),
        checkpoint=checkpoint,
        manifest_sha256=found.seal,
        verifier_is_ours=found.verifier == sha256(verifier_source().encode()).hexdigest(),
    )


def _open_checkpoint(data: bytes, keys: Sequence[Key]) -> Head:
    made: dict[NoteVerifier, Key] = {_as_verifier(key): key for key in keys}
    try:
        note = open_note(data, made)
        checkpoint = Checkpoint.from_text(note.text)
    except LedgerError as wrong:
        raise Wrong(str(wrong)) from wrong
    if note.unknown:
        raise Wrong(f"It bears a signature by {note.unknown[0]!r} whose key is not in data/policy.")
    signed = [made[verifier] for verifier in note.signed_by]
    logs = [key for key in signed if key.kind == LOG]
    if len(logs) != 1 or logs[0].name != checkpoint.origin:
        raise Wrong(f"It must be signed by the key of the log {checkpoint.origin!r}; it is not.")
    return Head(
        checkpoint.origin,
        checkpoint.size,
        checkpoint.root,
        logs[0],
        tuple(key for key in signed if key.kind == WITNESS),
        data,
    )


def _as_verifier(key: Key) -> NoteVerifier:
    return Verifier(key.name, key.public) if key.kind == LOG else Witness(key.name, key.public)


def _open_proof(data: bytes, head: Head) -> Proved:
    result = verify_proof(data, keys=[head.log.text])
    if result.entry is None or result.index is None:
        raise Wrong(result.reason)
    return Proved(json.loads(result.entry.to_bytes()), result.index, dict(result.disclosed))


ENGINE = Engine(_open_checkpoint, _open_proof)
"""The ledger's own engine as the judge of a walk through a bag."""
