"""Being a witness: the book of the last head cosigned of each log, and what may be cosigned next.

The checks and their order are those of C2SP tlog-witness v1.0.0. A witness is a promise about all
it ever cosigned, so the new head is on disk before its cosignature is given, and checking and
writing happen under one lock: two requests at once cannot get cosignatures on two histories.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

from .cosigning import Cosigner, add_cosignatures, cosignatures
from .durable import locked, replace_durably, sync_folder
from .errors import MemoryDamaged, NoteError
from .notes import Checkpoint, Note, Verifier, open_note, split_note
from .tree import EMPTY_ROOT, verify_consistency
from .witnessing import SIZE_TYPE, Request

PLAIN = "text/plain; charset=utf-8"
_MAX_EVIDENCE = 16
"""Heads of one log kept as proof that it told two histories; one would do."""
_MARKER = "witness.json"
_MARKER_FORM = 1


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer a request over HTTP."""

    status: int
    body: str
    content_type: str = PLAIN


class WitnessBook:
    """The heads a witness cosigned, one file per log, in the folder ``state``.

    Args:
        cosigner: the witness's key.
        logs: public keys of the logs to witness. A key's name is the log's origin; a log that
            changes keys may have two at once.
        state: the folder, made by :meth:`open`. It must never be brought back from a backup: what
            was cosigned since would be forgotten, and another history could be cosigned.
        clock: the time now, as an aware datetime.
    """

    def __init__(
        self,
        cosigner: Cosigner,
        logs: Sequence[Verifier],
        state: Path,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self.cosigner = cosigner
        self.logs = tuple(logs)
        self.state = state
        self.clock = clock

    def open(self) -> None:
        """Make sure that ``state`` is the book of this very witness.

        Raises :class:`MemoryDamaged` where there is none or it is another witness's: a witness
        without its book could be led to cosign a second history.
        """
        marker = self.state / _MARKER
        try:
            held = json.loads(marker.read_bytes())
        except FileNotFoundError as missing:
            raise MemoryDamaged(
                f"The folder {self.state} is not the book of a witness, though this witness has "
                f"its key. Nothing is cosigned without the heads cosigned before. Name the right "
                f"folder. If it is lost, begin anew as another witness: another name, another key."
            ) from missing
        except ValueError as wrong:
            raise MemoryDamaged(f"The file {marker} is damaged. Nothing is cosigned.") from wrong
        if held != self._mark():
            raise MemoryDamaged(
                f"The folder {self.state} is the book of another witness. Nothing is cosigned."
            )

    def begin(self) -> None:
        """Make ``state`` the empty book of this witness, on its very first start.

        Raises :class:`MemoryDamaged` where a head was cosigned there before.
        """
        self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        if has_heads(self.state):
            raise MemoryDamaged(
                f"The folder {self.state} holds heads that a witness cosigned, so it is not begun "
                f"anew. Start with the key of that witness, or name another folder."
            )
        replace_durably(self.state / _MARKER, json.dumps(self._mark()).encode())
        sync_folder(self.state.parent)

    def find_last(self, origin: str) -> str | None:
        """The last head cosigned of the log ``origin``, a note with the log's signatures and ours.

        None where there is none. Raises :class:`MemoryDamaged` where it cannot be believed.
        """
        held = self._read(self._file(origin))
        return None if held is None else held.to_text()

    def add_checkpoint(self, body: bytes) -> Reply:
        """The answer to a request: cosignature lines with 200, or why not (see the module).

        Raises :class:`MemoryDamaged` where the book cannot be believed, and OSError where it cannot
        be read or written. In both cases nothing was cosigned.
        """
        try:
            request = Request.from_bytes(body)
            text, _ = split_note(request.checkpoint)
            head = Checkpoint.from_text(text)
        except NoteError as wrong:
            return Reply(HTTPStatus.BAD_REQUEST, f"{wrong}\n")
        keys = [one for one in self.logs if one.name == head.origin]
        if not keys:
            return Reply(HTTPStatus.NOT_FOUND, "This witness does not watch that log.\n")
        try:
            note = open_note(request.checkpoint, keys)
        except NoteError as wrong:
            return Reply(HTTPStatus.FORBIDDEN, f"{wrong}\n")
        if request.old_size > head.size:
            return Reply(
                HTTPStatus.BAD_REQUEST,
                f"The old size {request.old_size} is above that of the head, {head.size}.\n",
            )
        file = self._file(head.origin)
        with locked(file):
            return self._cosign(file, request, note, head)

    def _cosign(self, file: Path, request: Request, note: Note, head: Checkpoint) -> Reply:
        held = self._read(file)
        last = Checkpoint(head.origin, 0, EMPTY_ROOT)
        if held is not None:
            last = Checkpoint.from_text(held.text)
        if request.old_size != last.size:
            return Reply(HTTPStatus.CONFLICT, f"{last.size}\n", SIZE_TYPE)
        refused = self._find_wrong(request, note, last, head)
        if refused is not None:
            return refused
        now = self.clock()
        if held is not None and now < cosignatures(held)[0].at:
            return Reply(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "The clock of this witness is behind its own last cosignature. It cosigns nothing "
                "until its clock is right.\n",
            )
        mine = self.cosigner.cosign(note.text, now)
        whole = add_cosignatures(note.to_text(), self.logs, [mine])
        replace_durably(file, whole.encode())
        if not _known(file).exists():
            replace_durably(_known(file), b"")
        return Reply(HTTPStatus.OK, f"{mine.line}\n")

    def _find_wrong(
        self, request: Request, note: Note, last: Checkpoint, head: Checkpoint
    ) -> Reply | None:
        if head.size == 0 and head.root != EMPTY_ROOT:
            return Reply(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "A log without entries has the root SHA-256 of nothing; this head has another.\n",
            )
        if last.size == 0 < head.size:  # every log begins with the empty one
            if request.proof:
                return Reply(
                    HTTPStatus.UNPROCESSABLE_ENTITY, "A proof from 0 entries must be empty.\n"
                )
            return None
        answer = verify_consistency(last.size, head.size, last.root, head.root, request.proof)
        if answer:
            return None
        if head.size == last.size and head.root != last.root:
            self._keep_evidence(note, head)
            return Reply(
                HTTPStatus.CONFLICT,
                f"This witness cosigned a head of {last.size} entries with another root. Two heads "
                f"of the same size: the log told two histories.\n",
            )
        return Reply(HTTPStatus.UNPROCESSABLE_ENTITY, f"{answer.reason}\n")

    def _keep_evidence(self, note: Note, head: Checkpoint) -> None:
        """Keep a head that the log signed beside the one we cosigned: together they are proof."""
        stem = f"{origin_hash(head.origin)}.fork"
        file = self.state / f"{stem}-{head.size}-{head.root.hex()[:16]}"
        if not file.exists() and len(list(self.state.glob(f"{stem}-*"))) < _MAX_EVIDENCE:
            replace_durably(file, note.to_text().encode())

    def _read(self, file: Path) -> Note | None:
        try:
            data = file.read_bytes()
        except FileNotFoundError:
            if not _known(file).exists():
                return None
            raise MemoryDamaged(
                f"The head in {file} is gone, though one was cosigned. Nothing was cosigned. Put "
                f"back the newest head of this log that bears this witness's cosignature."
            ) from None
        try:
            # By our own cosignature: a log may have changed keys since.
            held = open_note(data, [self.cosigner.witness, *self.logs])
            origin = Checkpoint.from_text(held.text).origin
        except NoteError as wrong:
            raise MemoryDamaged(
                f"The head in {file} cannot be believed: {wrong} Nothing was cosigned. Put back "
                f"the newest head of this log that bears this witness's cosignature."
            ) from wrong
        if not cosignatures(held) or self._file(origin) != file:
            raise MemoryDamaged(
                f"The head in {file} is not one that this witness cosigned of that log. Nothing "
                f"was cosigned."
            )
        return held

    def _file(self, origin: str) -> Path:
        return self.state / f"{origin_hash(origin)}.head"

    def _mark(self) -> dict[str, object]:
        return {"form": _MARKER_FORM, "witness": self.cosigner.vkey}


def open_book(
    key: Path,
    state: Path,
    logs: Sequence[Verifier],
    *,
    name: str | None = None,
    clock: Callable[[], datetime],
) -> WitnessBook:
    """The book of the witness whose private key is in the file ``key``.

    On the very first start, when there is neither key nor book, both are made; the witness is then
    called ``name``. Later ``name`` may be left out, and must fit if it is given.

    Raises:
        MemoryDamaged: the key is there and its book is not, or the other way about, or the book is
            another witness's.
        NoteError: the key cannot be read, or ``name`` is missing, malformed or another's.
        OSError: a file cannot be read or written.
    """
    key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(key):
        if not key.exists():
            if has_heads(state):
                raise MemoryDamaged(
                    f"The key {key} is missing, though a witness cosigned heads with the book "
                    f"{state}. No new key is made: put back the old one. If it is lost, begin anew "
                    f"as another witness: another name, another folder."
                )
            if name is None:
                raise NoteError(
                    "This witness has no key yet. Give it a name to make one, such as "
                    "--name witness.council.example/w1; logs will know it by that name for ever."
                )
            book = WitnessBook(Cosigner.generate(name), logs, state, clock=clock)
            book.begin()
            replace_durably(key, (book.cosigner.to_text() + "\n").encode(), private=True)
            return book
        cosigner = Cosigner.from_text(_read_key(key))
        if name not in (None, cosigner.name):
            raise NoteError(f"The key {key} is that of the witness {cosigner.name}, not {name}.")
        book = WitnessBook(cosigner, logs, state, clock=clock)
        book.open()
        return book


def _read_key(key: Path) -> str:
    try:
        return key.read_text(encoding="utf-8").removesuffix("\n")
    except UnicodeDecodeError as wrong:
        raise NoteError(f"The file {key} does not hold a key.") from wrong


def origin_hash(origin: str) -> str:
    """The hexadecimal SHA-256 of a log's origin: its place in the book and in addresses."""
    return sha256(origin.encode()).hexdigest()


def _known(file: Path) -> Path:
    """The empty file beside a head, by which it is known later that there was one."""
    return file.with_suffix(".known")


def has_heads(state: Path) -> bool:
    """Whether a witness cosigned a head of some log and kept it in the folder ``state``."""
    return any(state.glob("*.head")) or any(state.glob("*.known"))
