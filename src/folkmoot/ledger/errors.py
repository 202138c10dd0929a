"""What can go wrong in the ledger. Each message is a sentence that says what to do or look at."""

from __future__ import annotations


class LedgerError(Exception):
    """The root of every exception this engine raises on purpose."""


class TileError(LedgerError):
    """The store does not hold the hashes that a tree of this size must have."""


class NoteError(LedgerError):
    """A key, a signed note or a checkpoint that is malformed, or not signed as it must be."""


class EntryError(LedgerError):
    """An entry or field that breaks the form of the record."""


class ProofError(LedgerError):
    """The parts given do not make a proof that holds."""


class ForkRefused(LedgerError):
    """Signing this head would let the log tell two histories. Nothing was signed."""


class MemoryDamaged(LedgerError):
    """The notary's memory of what it signed is missing or cannot be trusted. Nothing was signed."""


class KeyLost(LedgerError):
    """What is sealed does not open: its key is destroyed or missing, or it was changed."""


class BagError(LedgerError):
    """The parts given do not make a bag that holds. Nothing was left behind."""


class WitnessRefused(LedgerError):
    """A witness did not cosign, or answered what is no answer.

    ``status`` is the HTTP status it gave. ``size`` is the number of entries of the last head it
    cosigned, where it said so. ``disputed`` is True where its answer means that it holds another
    history of this log than the one sent: then somebody has to look, and asking again is no use.
    """

    def __init__(
        self, sentence: str, *, status: int, size: int | None = None, disputed: bool = False
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.size = size
        self.disputed = disputed


class StoreError(LedgerError):
    """The file that keeps a log could not be read or written, is damaged, or is no log."""


class MirrorError(LedgerError):
    """The address of a tile, an entry bundle, or a mirror that is not as the format has it."""


class StampError(LedgerError):
    """A time stamp that is malformed, over other bytes, or of no authority that was vouched for."""
