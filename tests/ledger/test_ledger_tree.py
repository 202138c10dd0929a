"""Hashing and proofs, against shared hostile vectors and against the definition written out."""

from __future__ import annotations

import json
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.ledger import (
    EMPTY_ROOT,
    MAX_SIZE,
    MemoryStore,
    Tree,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from folkmoot.ledger.tree import consistency_length

# Go's verifier takes two heads of one entry with equal 12-byte "roots" for the same head. A root is
# a SHA-256 hash, so we refuse what is not 32 bytes. It is the only vector we answer otherwise.
DEVIATION = "consistency/additional/sizes-are-equal-one-and-proof-is-empty.json"


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(naive_root(leaves[:k]), naive_root(leaves[k:]))


def naive_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962 section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_consistency(m: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 6962 section 2.1.2."""
    if m == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*naive_consistency(m, leaves[:k], whole), naive_root(leaves[k:])]
    return [*naive_consistency(m - k, leaves[k:], whole=False), naive_root(leaves[:k])]


def leaves_of(count: int) -> list[bytes]:
    return [leaf_hash(number.to_bytes(4, "big")) for number in range(count)]


def tree_of(leaves: list[bytes]) -> Tree:
    tree = Tree(MemoryStore())
    tree.append(leaves)
    return tree


def read_vectors(data: Path, kind: str) -> list[tuple[str, dict]]:
    folder = data / "merkle-vectors" / "testdata"
    files = sorted((folder / kind).rglob("*.json"))
    return [(file.relative_to(folder).as_posix(), json.loads(file.read_text())) for file in files]


def test_every_shared_inclusion_vector_is_answered_as_it_wants(data: Path) -> None:
    vectors = read_vectors(data, "inclusion")
    assert len(vectors) == 98
    wrong = []
    for name, one in vectors:
        proof = [b64decode(hash_) for hash_ in one["proof"] or []]
        leaf, root = b64decode(one["leafHash"] or ""), b64decode(one["root"] or "")
        answer = verify_inclusion(leaf, one["leafIdx"], one["treeSize"], proof, root)
        if answer.ok is one["wantErr"]:
            wrong.append(name)
    assert wrong == []


def test_every_shared_consistency_vector_but_the_one_named_is_answered_as_it_wants(
    data: Path,
) -> None:
    vectors = read_vectors(data, "consistency")
    assert len(vectors) == 98
    wrong = []
    for name, one in vectors:
        proof = [b64decode(hash_) for hash_ in one["proof"] or []]
        old, new = b64decode(one["root1"] or ""), b64decode(one["root2"] or "")
        answer = verify_consistency(one["size1"], one["size2"], old, new, proof)
        if answer.ok is one["wantErr"]:
            wrong.append(name)
    assert wrong == [DEVIATION]


def test_the_hash_of_an_empty_entry_and_of_no_entry_differ() -> None:
    assert leaf_hash(b"") == sha256(b"\0").digest()
    assert Tree(MemoryStore()).root() == EMPTY_ROOT == sha256(b"").digest()


def test_each_proof_of_each_small_log_is_that_of_the_definition_and_verifies() -> None:
    leaves = leaves_of(40)
    tree = tree_of(leaves)
    for size in range(1, 41):
        root = tree.root(size)
        assert root == naive_root(leaves[:size])
        for index in range(size):
            path = tree.inclusion_proof(index, size)
            assert path == naive_path(index, leaves[:size])
            assert verify_inclusion(leaves[index], index, size, path, root)
        for old in range(1, size + 1):
            proof = tree.consistency_proof(old, size)
            assert proof == naive_consistency(old, leaves[:size])
            assert old == size or len(proof) == consistency_length(old, size)
            assert verify_consistency(old, size, tree.root(old), root, proof)


def test_a_proof_fits_one_place_in_a_log_of_one_size_only() -> None:
    leaves = leaves_of(24)
    tree = tree_of(leaves)
    for size in range(1, 25):
        root = tree.root(size)
        for index in range(size):
            path = tree.inclusion_proof(index, size)
            fits = [i for i in range(30) if verify_inclusion(leaves[index], i, size, path, root)]
            assert fits == [index]


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 900))
def test_large_logs_agree_with_the_definition(data: st.DataObject, size: int) -> None:
    leaves = leaves_of(size + data.draw(st.integers(0, 70)))
    tree = tree_of(leaves)
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    assert tree.root(size) == naive_root(leaves[:size])
    assert tree.inclusion_proof(index, size) == naive_path(index, leaves[:size])
    assert tree.consistency_proof(old, size) == naive_consistency(old, leaves[:size])


@settings(max_examples=150, deadline=None)
@given(st.data(), st.integers(2, 300))
def test_one_changed_bit_anywhere_breaks_an_inclusion_proof(data: st.DataObject, size: int) -> None:
    leaves = leaves_of(size)
    tree = tree_of(leaves)
    index = data.draw(st.integers(0, size - 1))
    parts = [leaves[index], tree.root(), *tree.inclusion_proof(index)]
    which = data.draw(st.integers(0, len(parts) - 1))
    bit = data.draw(st.integers(0, 255))
    parts[which] = (int.from_bytes(parts[which], "big") ^ (1 << bit)).to_bytes(32, "big")
    leaf, root, *path = parts
    assert not verify_inclusion(leaf, index, size, path, root)


@settings(max_examples=150, deadline=None)
@given(st.data(), st.integers(2, 300))
def test_one_changed_bit_anywhere_breaks_a_consistency_proof(
    data: st.DataObject, size: int
) -> None:
    tree = tree_of(leaves_of(size))
    old = data.draw(st.integers(1, size))
    parts = [tree.root(old), tree.root(), *tree.consistency_proof(old)]
    which = data.draw(st.integers(0, len(parts) - 1))
    bit = data.draw(st.integers(0, 255))
    parts[which] = (int.from_bytes(parts[which], "big") ^ (1 << bit)).to_bytes(32, "big")
    old_root, new_root, *proof = parts
    assert not verify_consistency(old, size, old_root, new_root, proof)


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 200), st.integers(0, 199), st.integers(1, 200))
def test_a_log_that_changed_one_old_entry_is_not_consistent(
    size: int, changed: int, old: int
) -> None:
    changed, old = changed % size, min(old, size)
    changed = min(changed, old - 1)
    leaves = leaves_of(size)
    honest = tree_of(leaves)
    leaves[changed] = leaf_hash(b"rewritten")
    forged = tree_of(leaves)
    proof = forged.consistency_proof(old)
    assert not verify_consistency(old, size, honest.root(old), forged.root(), proof)


@pytest.mark.parametrize(
    ("leaf", "index", "size", "proof", "root"),
    [
        (b"", 0, 1, [], b""),
        (EMPTY_ROOT, True, 2, [EMPTY_ROOT], EMPTY_ROOT),
        (EMPTY_ROOT, 0, True, [], EMPTY_ROOT),
        (EMPTY_ROOT, 0.0, 1, [], EMPTY_ROOT),
        (EMPTY_ROOT, -1, 1, [], EMPTY_ROOT),
        (EMPTY_ROOT, 0, 0, [], EMPTY_ROOT),
        (EMPTY_ROOT, 1, 1, [], EMPTY_ROOT),
        (EMPTY_ROOT, 0, MAX_SIZE + 1, [EMPTY_ROOT] * 63, EMPTY_ROOT),
        (EMPTY_ROOT, 0, 1, [EMPTY_ROOT], EMPTY_ROOT),
        (EMPTY_ROOT, 0, 2, [], EMPTY_ROOT),
        (EMPTY_ROOT, 0, 2, [b"\0" * 31], EMPTY_ROOT),
        (EMPTY_ROOT, 0, 2, ["x" * 32], EMPTY_ROOT),
        (EMPTY_ROOT, 0, 2, [None], EMPTY_ROOT),
        ("x" * 32, 0, 1, [], "x" * 32),
    ],
)
def test_malformed_inclusion_is_refused_with_a_sentence(leaf, index, size, proof, root) -> None:
    answer = verify_inclusion(leaf, index, size, proof, root)
    assert answer.ok is False
    assert answer.reason.endswith(".")


@pytest.mark.parametrize(
    ("old_size", "new_size", "proof"),
    [
        (-1, 2, []),
        (False, 2, []),
        (1, MAX_SIZE + 1, [EMPTY_ROOT] * 63),
        (3, 2, []),
        (0, 2, []),
        (2, 2, [EMPTY_ROOT]),
        (1, 2, []),
        (1, 2, [EMPTY_ROOT] * 2),
        (1, 2, [b""]),
        (1, 2, [1]),
        (3, 7, [EMPTY_ROOT] * 3),
        (3, 7, [EMPTY_ROOT] * 10_000),
    ],
)
def test_malformed_consistency_is_refused_with_a_sentence(old_size, new_size, proof) -> None:
    answer = verify_consistency(old_size, new_size, EMPTY_ROOT, EMPTY_ROOT, proof)
    assert answer.ok is False
    assert answer.reason.endswith(".")


def test_an_empty_log_has_one_root_only() -> None:
    assert verify_consistency(0, 0, EMPTY_ROOT, EMPTY_ROOT, [])
    other = leaf_hash(b"")
    assert not verify_consistency(0, 0, other, other, [])


def test_the_largest_log_there_may_be_is_verified_in_63_steps() -> None:
    leaf = root = leaf_hash(b"one")
    for _ in range(63):
        root = node_hash(root, EMPTY_ROOT)
    assert verify_inclusion(leaf, 0, MAX_SIZE, [EMPTY_ROOT] * 63, root)
