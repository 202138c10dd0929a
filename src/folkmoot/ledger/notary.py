"""The notary: signs the log's head, and refuses to let the log tell two histories.

It remembers the last head it signed in a file outside the database. A database restored from a
backup is shorter than, or differs from, what was already signed for; carrying on from it would
fork the log, and whoever kept the later head could show that the record was rewritten.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .durable import locked, replace_durably
from .errors import ForkRefused, MemoryDamaged, NoteError
from .notes import Checkpoint, Signer, Verifier, open_note
from .tiles import Tree
from .tree import verify_consistency

_WHAT_TO_DO = (
    "Nothing was signed. The most likely cause is a database restored from a backup, or a program "
    "pointed at the wrong database. Do not delete the notary's memory. Stop the sequencer; bring "
    "back the newer database, or replay the missing entries from published tiles or from exports; "
    "if they are lost for good, begin a new log under a new name and say so in its first entry."
)


class Notary:
    """Signs checkpoints of one log with ``signer``; the origin is the signer's name.

    Args:
        signer: the log's key.
        memory: the file that remembers the last head signed, itself a signed checkpoint. Keep it
            on a disk of its own fate: outside the database and outside its backups.
        required: refuse to sign where the memory is missing, rather than take this for the first
            time. Pass True once the log is known to have had a head signed.
        former_keys: public keys that this log signed with before, so that a memory signed by one
            of them is still believed after a change of key.
    """

    def __init__(
        self,
        signer: Signer,
        memory: Path,
        *,
        required: bool = False,
        former_keys: Sequence[Verifier] = (),
    ) -> None:
        self.signer = signer
        self.memory = memory
        self.required = required
        self.former_keys = tuple(former_keys)

    def sign(self, tree: Tree) -> str:
        """A signed checkpoint (a note, ready to publish) of all entries of ``tree``.

        Call it after the entries are durably stored. The head is remembered, on disk, before it
        is given out: a crash in between at worst remembers a head nobody saw, of entries that
        are stored. The same head again gives the same note and writes nothing. Processes that
        share the memory wait for each other.

        Raises:
            ForkRefused: the log is shorter than, or does not begin with, what was signed before.
            MemoryDamaged: the memory is missing though required, or cannot be believed.
            TileError: the store lacks hashes of the tree.
            OSError: the memory cannot be read, locked or written.
        """
        with locked(self.memory):
            last = self.find_last()
            head = Checkpoint(self.signer.name, tree.size, tree.root())
            if last is None and self.required:
                raise MemoryDamaged(
                    f"The notary's memory {self.memory} is missing, though this log has been "
                    f"signed for before. Nothing was signed. Put back the newest checkpoint that "
                    f"was published, as this file."
                )
            if last is not None:
                self._refuse_fork(tree, last, head)
            note = self.signer.sign(head.to_text())
            if last != head:
                replace_durably(self.memory, note.encode())
            return note

    def find_last(self) -> Checkpoint | None:
        """The last head signed; None where nothing is remembered.

        Raises :class:`MemoryDamaged` where the file is there and cannot be believed, and OSError
        where it cannot be read.
        """
        try:
            text = self.memory.read_bytes()
        except FileNotFoundError:
            return None
        try:
            note = open_note(text, [self.signer.verifier, *self.former_keys])
            last = Checkpoint.from_text(note.text)
        except NoteError as wrong:
            raise MemoryDamaged(
                f"The notary's memory {self.memory} cannot be believed: {wrong} Nothing was "
                f"signed. Put back the newest checkpoint that was published, as this file; after a "
                f"change of key, name the former key."
            ) from wrong
        if last.origin != self.signer.name:
            raise MemoryDamaged(
                f"The notary's memory {self.memory} is that of the log {last.origin!r}, not of "
                f"{self.signer.name!r}. Nothing was signed."
            )
        return last

    def _refuse_fork(self, tree: Tree, last: Checkpoint, head: Checkpoint) -> None:
        if head.size < last.size:
            raise ForkRefused(
                f"The log has {head.size} entries, but a head of {last.size} was signed before: "
                f"{last.size - head.size} entries are gone. {_WHAT_TO_DO}"
            )
        if last.size == 0:
            return  # every log begins with the empty one
        answer = verify_consistency(
            last.size, head.size, last.root, head.root, tree.consistency_proof(last.size)
        )
        if not answer:
            raise ForkRefused(
                f"The log of {head.size} entries does not begin with the {last.size} that were "
                f"signed for before: an entry was changed or replaced. ({answer.reason}) "
                f"{_WHAT_TO_DO}"
            )
