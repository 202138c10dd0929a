"""What a bag is written from, and what writing and checking one answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from .entries import Entry, Field
from .notes import Checkpoint


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
    """What :func:`~folkmoot.ledger.bags.write_bag` wrote."""

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
    """What :func:`~folkmoot.ledger.bags.check_bag` found. Where ``ok`` is False the bag proves
    nothing as it stands.

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
