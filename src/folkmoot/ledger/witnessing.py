"""Asking a witness for its cosignature: C2SP tlog-witness v1.0.0, without a network of its own.

A request holds the number of entries at the last head the witness cosigned, a proof that the new
head begins with that one, and the new head. :func:`ask_witness` makes it and reads the answer,
through whatever way of posting it is given; :class:`~folkmoot.ledger.WitnessBook` is the other
side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from .cosigning import Cosignature, Witness, cosignatures
from .errors import NoteError, WitnessRefused
from .keytexts import decode_base64, encode_base64, parse_decimal
from .notes import Checkpoint, open_note, split_note
from .tiles import Tree
from .tree import HASH_BYTES

MAX_REQUEST_BYTES = 128 << 10
"""The longest request a witness here reads: 63 hashes and a note of 16 long signatures fit."""
MAX_ANSWER_BYTES = 64 << 10
"""The longest answer of a witness that is read."""
SIZE_TYPE = "text/x.tlog.size"
"""The content type of the answer that states which head the witness cosigned last."""

_MAX_HASHES = 63
_SHOWN = 200

Post = Callable[[str, bytes], tuple[int, str, bytes]]
"""Posts a body to an address; gives back status, content type and body of the answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a log asks of a witness: ``add-checkpoint`` of tlog-witness."""

    old_size: int
    """Entries at the last head the witness cosigned, as the log believes; 0 for none."""
    proof: tuple[bytes, ...]
    """The consistency proof from there to the checkpoint; empty from 0."""
    checkpoint: str
    """The new head: a note signed by the log."""

    def to_bytes(self) -> bytes:
        """The body to post.

        Raises :class:`NoteError` for a proof of more than 63 hashes or a request that is too long.
        """
        if len(self.proof) > _MAX_HASHES:
            raise NoteError(f"No log is so long that a proof has more than {_MAX_HASHES} hashes.")
        lines = [f"old {self.old_size}", *map(encode_base64, self.proof)]
        body = ("\n".join(lines) + "\n\n" + self.checkpoint).encode()
        if len(body) > MAX_REQUEST_BYTES:
            raise NoteError(f"A request to a witness may be {MAX_REQUEST_BYTES} bytes.")
        return body

    @classmethod
    def from_bytes(cls, body: bytes) -> Request:
        """The request that a body states. Nothing within it is verified.

        Raises :class:`NoteError` for anything that is not exactly a request.
        """
        if len(body) > MAX_REQUEST_BYTES:
            raise NoteError(f"A request to a witness may be {MAX_REQUEST_BYTES} bytes.")
        try:
            whole = body.decode()
        except UnicodeError as wrong:
            raise NoteError("A request to a witness must be UTF-8 text.") from wrong
        head, gap, checkpoint = whole.partition("\n\n")
        first, *hashes = head.split("\n")
        if not gap or not first.startswith("old "):
            raise NoteError("A request must begin with 'old', a size, and end with a checkpoint.")
        if len(hashes) > _MAX_HASHES:
            raise NoteError(f"No log is so long that a proof has more than {_MAX_HASHES} hashes.")
        proof = tuple(map(decode_base64, hashes))
        if any(len(one) != HASH_BYTES for one in proof):
            raise NoteError("Every hash of the proof must be 32 bytes.")
        return cls(parse_decimal(first.removeprefix("old ")), proof, checkpoint)


def read_answer(
    answer: tuple[int, str, bytes], request: Request, witnesses: Sequence[Witness]
) -> tuple[Cosignature, ...]:
    """The cosignatures in a witness's answer to ``request``, verified; at least one.

    Args:
        answer: status, content type and body as the witness gave them.
        request: what it was asked.
        witnesses: the keys that are looked for. Cosignatures by others are passed over.

    Raises :class:`WitnessRefused` for every answer but that, with a sentence that says what it
    means for the log, and :class:`NoteError` where the request itself holds no checkpoint.
    """
    status, _, body = answer
    text, _ = split_note(request.checkpoint)
    head = Checkpoint.from_text(text)
    who = " or ".join(one.name for one in witnesses)
    if len(body) > MAX_ANSWER_BYTES:
        raise WitnessRefused(
            f"The answer of the witness {who} is too long to be one and was not read.",
            status=status,
        )
    if status == HTTPStatus.OK:
        try:
            note = open_note(f"{text}\n".encode() + body, witnesses)
        except NoteError as wrong:
            raise WitnessRefused(
                f"The witness {who} answered what is no cosignature on this head: {wrong}",
                status=status,
            ) from wrong
        return cosignatures(note)
    raise _refusal(who, answer, request, head)


def ask_witness(
    post: Post, url: str, witness: Witness, *, tree: Tree, checkpoint: str, old_size: int = 0
) -> Cosignature:
    """The cosignature of ``witness`` on ``checkpoint``, of at least the entries it cosigned before.

    Where the witness answers that it holds another head than the log believes, it is asked once
    more, from that head on.

    Args:
        post: posts a body and gives back status, content type and body; what it raises passes
            through. It should read no more than :data:`MAX_ANSWER_BYTES` of the answer.
        url: the witness's submission prefix; ``/add-checkpoint`` is put after it.
        witness: its key.
        tree: the log, which has the entries of ``checkpoint`` and may have more.
        checkpoint: a note signed by the log.
        old_size: entries at the last head this witness cosigned, as far as known.

    Raises:
        WitnessRefused: it did not cosign; see there what ``size`` and ``disputed`` say.
        NoteError: ``checkpoint`` is none.
        TileError: the store lacks hashes of the tree.
    """
    head = Checkpoint.from_text(split_note(checkpoint)[0])
    url = url.rstrip("/") + "/add-checkpoint"

    def ask(known: int) -> Cosignature:
        request = Request(known, tuple(tree.consistency_proof(known, head.size)), checkpoint)
        return read_answer(post(url, request.to_bytes()), request, [witness])[0]

    known = old_size if old_size <= head.size else 0
    try:
        return ask(known)
    except WitnessRefused as refused:
        if refused.size is None or refused.size == known or refused.size > head.size:
            raise
        known = refused.size
    return ask(known)


def _find_size(content_type: str, body: bytes) -> int | None:
    if content_type.partition(";")[0].strip().lower() != SIZE_TYPE:
        return None
    try:
        return parse_decimal(body.decode("ascii").removesuffix("\n"))
    except (NoteError, UnicodeDecodeError):
        return None  # said to be a size and is none: an answer like any other that is none


def _refusal(
    who: str, answer: tuple[int, str, bytes], request: Request, head: Checkpoint
) -> WitnessRefused:
    status, content_type, body = answer
    size = _find_size(content_type, body)
    said = _quote(body)
    if status == HTTPStatus.CONFLICT and size is not None and size > head.size:
        sentence = (
            f"The witness {who} cosigned a head of {size} entries before, and this one has "
            f"{head.size}. Either a later head is being sent elsewhere at this moment, or the log "
            f"lost entries: was its database restored from a backup?"
        )
        return WitnessRefused(sentence, status=status, size=size, disputed=True)
    if status == HTTPStatus.CONFLICT and size is not None and size != request.old_size:
        sentence = (
            f"The witness {who} last cosigned a head of {size} entries, not of "
            f"{request.old_size}. Ask again from there."
        )
        return WitnessRefused(sentence, status=status, size=size)
    if status == HTTPStatus.CONFLICT and request.old_size == head.size:
        sentence = (
            f"The witness {who} holds a head of as many entries as this one, {head.size}, with "
            f"another root. Two heads of the same size mean that the log told two histories. Keep "
            f"this head and fetch the witness's: together they are the proof. {said}"
        )
        return WitnessRefused(sentence.rstrip(), status=status, size=size, disputed=True)
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        sentence = (
            f"The witness {who} finds that this head does not begin with the {request.old_size} "
            f"entries it cosigned before: an entry was changed or replaced since, or the witness "
            f"was shown another log. {said}"
        )
        return WitnessRefused(sentence.rstrip(), status=status, disputed=True)
    reasons: dict[int, str] = {
        HTTPStatus.BAD_REQUEST: "could not read the request",
        HTTPStatus.FORBIDDEN: "was told another key for this log than the one that signed",
        HTTPStatus.NOT_FOUND: f"was not told to watch the log {head.origin!r}",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "found the request too long",
        HTTPStatus.TOO_MANY_REQUESTS: "was asked too often",
    }
    reason = reasons.get(status, "gave no cosignature")
    return WitnessRefused(
        f"The witness {who} {reason} (it answered {status}). {said}".rstrip(), status=status
    )


def _quote(body: bytes) -> str:
    """The witness's own words, if they are short and plain enough to be shown."""
    words = body.decode("utf-8", "replace").strip()
    if not words or not words.isprintable():
        return ""
    return f"It said: {words[:_SHOWN]!r}"
