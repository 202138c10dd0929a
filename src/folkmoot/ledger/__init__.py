"""What was done, provably: a Merkle log in the open C2SP formats, and proofs anyone can check.

>>> from folkmoot.ledger import MemoryStore, Notary, Signer, Tree, leaf_hash, make_proof, seal
>>> entry, fields = seal(kind="draft.sent_back", fields={"reason": "..."}, salts=..., ...)
>>> tree = Tree(MemoryStore())
>>> tree.append([leaf_hash(entry.to_bytes())])
>>> checkpoint = Notary(signer, Path("memory")).sign(tree)
>>> text = make_proof(entry, fields, index=0, path=tree.inclusion_proof(0),
...                   checkpoint=checkpoint, vkey=signer.vkey)
>>> verify_proof(text, keys=[signer.vkey]).ok
True

An entry's header carries no personal data, only commitments to its fields. The fields are kept
elsewhere, and once they are destroyed every proof still holds.

Others keep the log honest: a :class:`Witness` that saw its heads (:func:`ask_witness`,
:class:`WitnessBook`), a :class:`Mirror` of all its files (:func:`audit_mirror`), and an authority
that stamps its heads (:mod:`folkmoot.ledger.stamping`, imported on its own for the package it
needs).
"""

from .auditing import Audit, audit_log, audit_mirror
from .cosigning import Cosignature, Cosigner, Witness, add_cosignatures, cosignatures
from .entries import MAX_ENTRY_BYTES, SALT_BYTES, Entry, Field, commit, seal
from .errors import (
    EntryError,
    ForkRefused,
    KeyLost,
    LedgerError,
    MemoryDamaged,
    MirrorError,
    NoteError,
    ProofError,
    StampError,
    StoreError,
    TileError,
    WitnessRefused,
)
from .heads import check_older, compare_heads
from .keyring import EpochFile, EpochKeys, SubjectKey
from .mirror import FileTiles, Mirror
from .notary import Notary
from .notes import Checkpoint, Note, Signer, Verifier, open_note
from .proofs import MAX_PROOF_BYTES, ProofResult, make_proof, verify_proof, visible
from .sqlitelog import SqliteLog
from .tilepaths import BundleName, TileName, parse_bundle, parse_tile_path, render_bundle
from .tiles import TILE_WIDTH, MemoryStore, TileStore, Tree
from .tree import (
    EMPTY_ROOT,
    HASH_BYTES,
    MAX_SIZE,
    Answer,
    leaf_hash,
    leaf_hashes,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from .witness_book import WitnessBook
from .witnessing import ask_witness

__all__ = [
    "EMPTY_ROOT",
    "HASH_BYTES",
    "MAX_ENTRY_BYTES",
    "MAX_PROOF_BYTES",
    "MAX_SIZE",
    "SALT_BYTES",
    "TILE_WIDTH",
    "Answer",
    "Audit",
    "BundleName",
    "Checkpoint",
    "Cosignature",
    "Cosigner",
    "Entry",
    "EntryError",
    "EpochFile",
    "EpochKeys",
    "Field",
    "FileTiles",
    "ForkRefused",
    "KeyLost",
    "LedgerError",
    "MemoryDamaged",
    "MemoryStore",
    "Mirror",
    "MirrorError",
    "Notary",
    "Note",
    "NoteError",
    "ProofError",
    "ProofResult",
    "Signer",
    "SqliteLog",
    "StampError",
    "StoreError",
    "SubjectKey",
    "TileError",
    "TileName",
    "TileStore",
    "Tree",
    "Verifier",
    "Witness",
    "WitnessBook",
    "WitnessRefused",
    "add_cosignatures",
    "ask_witness",
    "audit_log",
    "audit_mirror",
    "check_older",
    "commit",
    "compare_heads",
    "cosignatures",
    "leaf_hash",
    "leaf_hashes",
    "make_proof",
    "node_hash",
    "open_note",
    "parse_bundle",
    "parse_tile_path",
    "render_bundle",
    "seal",
    "verify_consistency",
    "verify_inclusion",
    "verify_proof",
    "visible",
]
