"""Bags: entries of the record with all that a stranger needs to check them, in one folder.

A bag is what an officer hands over for a request: the entries as ActivityStreams 2.0, as a CSV that
is safe to open, and as a page to read; pictures; the channels' own answers; a proof per entry, the
signed head they all lead to, what was withheld and why, and ``verify.py``, which checks all of it
with Python alone. It is a BagIt 1.0 bag (RFC 8493), so archives can take it in as it is.

>>> written = write_bag(folder, title="Request 2026/114", about="Posts about the flood.",
...     made_at=now, checkpoint=note, policy=[signer.vkey], items=items, redactions=redactions)
>>> check_bag(folder, keys=[signer.vkey]).ok
True
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from .entries import Entry, Field
from .errors import BagError
from .notes import Checkpoint

__all__ = [
    "BagError",
    "BagResult",
    "BagWritten",
    "Capture",
    "Item",
    "Medium",
    "Redaction",
    "check_bag",
    "write_bag",
    "zip_bag",
]


@dataclass(frozen=True, slots=True)
class Redaction:
    """One field of one entry that is withheld, and why."""

    entry_id: str
    label: str
    """The field's label; it stays readable, as the entry's header has it."""
    exemption: str
    """What it is withheld under, in the words the reader will see: ``FOIA s.40(2)``. Not empty."""
    reason: str = ""
    """A sentence for the reader, without what is withheld."""


@dataclass(frozen=True, slots=True)
class Item:
    """One entry going into the bag, with the fields that are released; all others are withheld."""

    entry: Entry
    index: int
    """The entry's number in the log, counted from 0."""
    path: tuple[bytes, ...]
    """``tree.inclusion_proof(index, size)`` for the size of the bag's checkpoint."""
    disclosed: tuple[Field, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Words for this entry's opaque ids (actor, role, subject, organisation): ``m-12`` is
    ``a press officer``. They are the body's own word, and no proof covers them: only ids that the
    entry has are taken, others are left out.
    """


@dataclass(frozen=True, slots=True)
class Medium:
    """A picture or other file that was posted."""

    sha256: str
    """64 hexadecimal digits; the bag refuses a medium whose bytes have another."""
    media_type: str
    """``image/png`` and the like."""
    alt: str
    """The description people saw or heard; may be empty."""
    data: bytes | Path


@dataclass(frozen=True, slots=True)
class Capture:
    """A channel's own answer to a request, kept as a WARC record."""

    url: str
    at: datetime
    """When it was fetched, as aware UTC."""
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    """The answer after any transfer and content coding was undone."""


@dataclass(frozen=True, slots=True)
class BagWritten:
    """What :func:`write_bag` wrote."""

    entries: int
    withheld: int
    """Fields withheld, over all entries."""
    media: int
    captures: int
    files: int
    """All files of the bag, manifests included."""
    payload_bytes: int
    """The size of everything below ``data/``."""
    manifest_sha256: str
    """SHA-256 of ``tagmanifest-sha256.txt``, 64 hexadecimal digits. That file names the hash of
    every other manifest, and those name the hash of every file, so this one number stands for the
    whole bag: record it, and publish it beside the download.
    """


@dataclass(frozen=True, slots=True)
class BagResult:
    """What :func:`check_bag` found. Where ``ok`` is False the bag proves nothing as it stands.

    True in a condition exactly where ``ok`` is. All texts are safe to print.
    """

    ok: bool
    reason: str
    """What is true, or how much is wrong, in a sentence or two."""
    problems: tuple[str, ...] = ()
    """A sentence for each thing that is wrong, at most 200 of them."""
    entries: int = 0
    withheld: int = 0
    media: int = 0
    captures: int = 0
    key_trusted: bool = False
    """Whether the key that signed is one the reader brought; otherwise the bag's own word."""
    vkey: str = ""
    """The log's public key that signed the head."""
    witnesses: tuple[str, ...] = ()
    """Public keys of the witnesses whose cosignatures hold."""
    checkpoint: Checkpoint | None = None
    manifest_sha256: str = ""
    """As :attr:`BagWritten.manifest_sha256`; given even for a bag that is damaged."""
    verifier_is_ours: bool = False
    """Whether the bag's ``verify.py`` is the one this version hands out. A bag made by another
    version has another; do not run one that came with a bag you do not trust.
    """

    def __bool__(self) -> bool:
        return self.ok


def write_bag(
    folder: Path,
    *,
    title: str,
    about: str,
    made_at: datetime,
    checkpoint: str,
    policy: Sequence[str],
    items: Iterable[Item],
    redactions: Iterable[Redaction] = (),
    media: Iterable[Medium] = (),
    captures: Iterable[Capture] = (),
    info: Mapping[str, str] | None = None,
) -> BagWritten:
    """Write a bag into ``folder``, which must not exist or be empty. Nothing is left on failure.

    ``items``, ``media`` and ``captures`` are taken one at a time and may be generators. The same
    arguments give the same bytes.

    Args:
        folder: where the bag goes; its name is the bag's name.
        title: one line; the title of the readable page.
        about: what was asked for and how the entries were chosen; paragraphs apart by empty lines.
        made_at: aware UTC.
        checkpoint: the signed head that every item's path leads to. Signatures by keys not in
            ``policy`` are left out.
        policy: public keys: the log's, and those of witnesses, in any order. Exactly one is the
            log's. Of the witnesses, those that cosigned the checkpoint go into the bag.
        items: the entries in the order in which people should read them, each once.
        redactions: one for every field of every item that is not disclosed, and no others.
        media: files by their SHA-256. One given twice is written once.
        captures: answers of channels, in order.
        info: further lines of ``bag-info.txt`` (``Source-Organization``, ``Contact-Email``...).

    Raises :class:`BagError` where the parts do not fit: a field neither disclosed nor redacted, a
    redaction of a field that is disclosed or of an entry that is not in the bag, an entry twice, a
    medium with another hash, text that cannot stand in its place; :class:`LedgerError` where a
    proof does not hold; ``OSError`` where the disk refuses.
    """
    raise NotImplementedError


def zip_bag(folder: Path, target: Path) -> None:
    """Write the bag in ``folder`` to the zip file ``target``, below one folder of its name.

    The same bag gives the same bytes: names sorted, times fixed. Raises ``OSError``;
    ``FileExistsError`` where ``target`` exists.
    """
    raise NotImplementedError


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
    raise NotImplementedError
