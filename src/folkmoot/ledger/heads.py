"""Two heads of one log, held against each other: what a fork looks like, in words."""

from __future__ import annotations

from collections.abc import Callable

from .errors import LedgerError
from .notes import Checkpoint
from .tree import EMPTY_ROOT, Answer

TWO_HISTORIES = (
    "the log told two histories; keep both files, they are the proof, and show them to the log's "
    "keeper, its witnesses and its supervisor"
)


def compare_heads(first: Checkpoint, second: Checkpoint) -> Answer:
    """Whether two heads can both be true, as far as they tell by themselves.

    Both must have been found to be signed by the log. Heads of different sizes need the tree to be
    held against each other; :func:`check_older` does that.
    """
    if first.origin != second.origin:
        return Answer(
            ok=False,
            reason=f"These are heads of two logs, {first.origin!r} and {second.origin!r}: nothing "
            f"can be said of one by the other.",
        )
    if first.size != second.size:
        small, large = sorted((first.size, second.size))
        return Answer(
            ok=True,
            reason=f"Heads of {small} and of {large} entries: they do not gainsay each other. "
            f"Whether the later log begins with the earlier is seen from its tiles.",
        )
    if first.root != second.root:
        return Answer(
            ok=False,
            reason=f"Two heads of the same size, {first.size}, with different roots: "
            f"{TWO_HISTORIES}.",
        )
    return Answer(ok=True, reason=f"Both are the same head, of {first.size} entries.")


def check_older(older: Checkpoint, newer: Checkpoint, root_at: Callable[[int], bytes]) -> Answer:
    """Whether the log of ``newer`` begins with the entries of ``older``, unchanged.

    Args:
        older: a head that the log signed at some time, from a file, a witness or a proof.
        newer: the head that is published now.
        root_at: the root of the first so many entries, out of the log's own tiles or entries. What
            of :class:`~folkmoot.ledger.LedgerError` it raises becomes the answer.
    """
    if older.origin != newer.origin or older.size == newer.size:
        return compare_heads(older, newer)
    if older.size > newer.size:
        return Answer(
            ok=False,
            reason=f"A head of {older.size} entries was signed, and the log has {newer.size}: "
            f"{older.size - newer.size} entries are gone. The log was rolled back; keep that head, "
            f"it is the proof.",
        )
    try:
        root = root_at(older.size) if older.size else EMPTY_ROOT
    except LedgerError as wrong:
        return Answer(ok=False, reason=str(wrong))
    if root != older.root:
        return Answer(
            ok=False,
            reason=f"The log does not begin with the {older.size} entries that were signed before: "
            f"one of them was changed, left out or put in. The log told two histories; keep both "
            f"heads, they are the proof.",
        )
    return Answer(
        ok=True,
        reason=f"The log begins with the {older.size} entries that were signed before, unchanged.",
    )
