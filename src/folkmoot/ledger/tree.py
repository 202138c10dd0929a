"""Merkle tree hashing and the two proofs, as RFC 6962 section 2.1 defines them. Pure functions.

A proof that does not hold is an :class:`Answer`, not an exception, whatever is put in: a wrong
length, a wrong type, a negative size. Verification follows RFC 9162 sections 2.1.3.2 and 2.1.4.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from struct import Struct

HASH_BYTES = 32
MAX_SIZE = 2**63 - 1
"""The most entries a log may have: what a checkpoint's reader in any language can hold."""

EMPTY_ROOT = sha256().digest()
"""The root of a log without entries."""

_LEAF = b"\x00"
_NODE = b"\x01"
# Hashers that have taken the first byte already: a copy of one is made in less time than a new one.
_begin_leaf = sha256(_LEAF).copy
_begin_node = sha256(_NODE).copy
_pairs = Struct("64s").iter_unpack


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether something was proved, and a sentence that says what, or what is wrong.

    True in a condition exactly where ``ok`` is.
    """

    ok: bool
    reason: str

    def __bool__(self) -> bool:
        return self.ok


_INCLUDED = Answer(ok=True, reason="The entry is in the log at this place.")
_CONSISTENT = Answer(ok=True, reason="The later log begins with the whole of the earlier one.")
_SAME = Answer(ok=True, reason="The two heads are the same.")


def leaf_hash(entry: bytes) -> bytes:
    """The 32-byte hash of an entry's bytes: SHA-256(0x00 || entry)."""
    return sha256(_LEAF + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """The leaf hashes of many entries, in their order."""
    hashes = []
    for entry in entries:
        hasher = _begin_leaf()
        hasher.update(entry)
        hashes.append(hasher.digest())
    return hashes


def node_hash(left: bytes, right: bytes) -> bytes:
    """The 32-byte hash of two subtrees: SHA-256(0x01 || left || right)."""
    hasher = _begin_node()
    hasher.update(left)
    hasher.update(right)
    return hasher.digest()


def parent_layer(layer: bytes) -> bytes:
    """The hashes of each pair in ``layer``, a row of 32-byte hashes; an odd last one is left out.

    Two neighbours already stand side by side in ``layer``, so a pair is one slice.
    """
    hashes = []
    for (pair,) in _pairs(layer[: len(layer) & ~63]):
        hasher = _begin_node()
        hasher.update(pair)
        hashes.append(hasher.digest())
    return b"".join(hashes)


def _refuse(reason: str) -> Answer:
    return Answer(ok=False, reason=reason)


def _is_size(number: object) -> bool:
    # bool is an int to Python; as the size of a log it is a mistake.
    return type(number) is int and 0 <= number <= MAX_SIZE


def _are_hashes(hashes: Sequence[object]) -> bool:
    # Sets rather than a loop: this runs for every hash of every proof.
    return set(map(type, hashes)) <= {bytes} and set(map(len, hashes)) <= {HASH_BYTES}  # type: ignore[arg-type]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> Answer:
    """Whether ``proof`` shows that ``leaf`` is the entry at ``index`` of the log with this head.

    Args:
        leaf: the entry's leaf hash, 32 bytes (:func:`leaf_hash`).
        index: the entry's place, counted from 0.
        size: the number of entries in the log at the head.
        proof: 32-byte hashes from the leaf's sibling up to the root's child.
        root: the head's root hash, 32 bytes.

    Raises nothing: whatever is malformed is refused with the reason.
    """
    wrong = _find_malformed_inclusion(leaf, index, size, proof, root)
    if wrong is not None:
        return _refuse(wrong)
    inner = _shared_height(index, size)
    node = leaf
    way = index
    for sibling in proof[:inner]:
        hasher = _begin_node()
        hasher.update(sibling + node if way & 1 else node + sibling)
        node = hasher.digest()
        way >>= 1
    for sibling in proof[inner:]:
        node = node_hash(sibling, node)
    if node != root:
        return _refuse("The proof leads to another root: this entry is not in the log at its head.")
    return _INCLUDED


def _shared_height(index: int, size: int) -> int:
    """The levels below which the paths of this leaf and of the last one differ.

    Each of them has a sibling; above, only those levels where this leaf stands on the right.
    """
    return (index ^ (size - 1)).bit_length()


def _find_malformed_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> str | None:
    if not _is_size(index) or not _is_size(size):
        return "The entry's place and the log's size must be whole numbers from 0."
    if index >= size:
        return f"A log of {size} entries has no entry number {index}."
    if not _are_hashes((leaf, root)):
        return "The entry's hash and the root must be 32 bytes each."
    inner = _shared_height(index, size)
    wanted = inner + (index >> inner).bit_count()
    if len(proof) != wanted:
        return f"A proof for entry {index} of {size} has {wanted} hashes; this has {len(proof)}."
    if not _are_hashes(proof):
        return "Every hash of the proof must be 32 bytes."
    return None


def verify_consistency(
    old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> Answer:
    """Whether ``proof`` shows that the log only grew between two heads: nothing changed or went.

    Args:
        old_size: entries at the earlier head.
        new_size: entries at the later head.
        old_root: 32-byte root at the earlier head.
        new_root: 32-byte root at the later head.
        proof: 32-byte hashes as RFC 6962 section 2.1.2 orders them; empty for equal sizes.

    A log of size 0 is consistent with every log, which says nothing; growth from 0 is therefore
    refused, and a caller who means it does not ask. Raises nothing.
    """
    if not _is_size(old_size) or not _is_size(new_size):
        return _refuse("The sizes of the log must be whole numbers from 0.")
    if not _are_hashes((old_root, new_root)):
        return _refuse("Both roots must be 32 bytes.")
    if old_size > new_size:
        return _refuse(f"The log cannot shrink: it had {old_size} entries and has {new_size}.")
    if old_size == new_size:
        return _compare(old_size, old_root, new_root, proof)
    if old_size == 0:
        return _refuse("Growth from an empty log proves nothing about what was in it.")
    return _climb(old_size, new_size, old_root, new_root, proof)


def _compare(size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> Answer:
    if len(proof):
        return _refuse("Two heads of the same size need no proof; this one has hashes.")
    if old_root != new_root:
        return _refuse(f"Two different logs of {size} entries: the roots are not equal.")
    if size == 0 and old_root != EMPTY_ROOT:
        return _refuse("A log without entries has the root SHA-256 of nothing; this has not.")
    return _SAME


def consistency_length(old_size: int, new_size: int) -> int:
    """The number of hashes in a consistency proof, for ``0 < old_size < new_size``."""
    last = old_size - 1
    # The largest perfect subtree that ends where the old log ends is where the proof starts.
    start = (last ^ old_size).bit_length() - 1
    inner = (last ^ (new_size - 1)).bit_length() - start
    border = (last >> (start + inner)).bit_count()
    return inner + border + (0 if old_size == 1 << start else 1)


def _climb(
    old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> Answer:
    wanted = consistency_length(old_size, new_size)
    if len(proof) != wanted:
        return _refuse(
            f"A proof from {old_size} to {new_size} entries has {wanted} hashes; this one has "
            f"{len(proof)}."
        )
    if not _are_hashes(proof):
        return _refuse("Every hash of the proof must be 32 bytes.")
    at, end = old_size - 1, new_size - 1
    while at & 1:
        at >>= 1
        end >>= 1
    # A perfect old log is its own first hash; the proof leaves it out.
    rest: Sequence[bytes] = proof
    old = new = old_root
    if old_size & (old_size - 1):
        old = new = proof[0]
        rest = proof[1:]
    for sibling in rest:
        if at & 1 or at == end:
            old = node_hash(sibling, old)
            new = node_hash(sibling, new)
            while at and not at & 1:
                at >>= 1
                end >>= 1
        else:
            new = node_hash(new, sibling)
        at >>= 1
        end >>= 1
    if old != old_root:
        return _refuse("The proof does not lead to the earlier root: the past was changed.")
    if new != new_root:
        return _refuse("The proof does not lead to the later root: this is another log.")
    return _CONSISTENT
