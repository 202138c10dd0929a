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
