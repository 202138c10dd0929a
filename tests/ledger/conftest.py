"""A small practice log: nine entries, the head signed, and one proof with one of two fields."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from folkmoot.ledger import (
    Checkpoint,
    Entry,
    Field,
    MemoryStore,
    Signer,
    Tree,
    leaf_hash,
    make_proof,
    seal,
)


@pytest.fixture(scope="session")
def data() -> Path:
    folder = Path(
        os.environ.get("FOLKMOOT_DATA") or Path(__file__).parents[2].parent / "shared" / "data"
    )
    if not folder.is_dir():
        pytest.skip("the open test data is absent; set FOLKMOOT_DATA to its folder")
    return folder


def counted(seed: str) -> Callable[[int], bytes]:
    """Bytes that look random and are the same in every run."""
    calls = iter(range(1 << 30))

    def draw(size: int) -> bytes:
        return sha256(f"{seed}/{next(calls)}".encode()).digest()[:size]

    return draw


@dataclass(frozen=True)
class Practice:
    signer: Signer
    tree: Tree
    entries: tuple[Entry, ...]
    fields: tuple[tuple[Field, ...], ...]
    checkpoint: str

    def proof(self, number: int, *labels: str, at: int | None = None, **changed: object) -> str:
        parts: dict[str, object] = {
            "index": number if at is None else at,
            "path": self.tree.inclusion_proof(number),
            "checkpoint": self.checkpoint,
            "vkey": self.signer.vkey,
        }
        shown = [one for one in self.fields[number] if one.label in labels]
        return make_proof(self.entries[number], shown, **{**parts, **changed})  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def practice() -> Practice:
    return make_practice()


def make_practice() -> Practice:
    draw = counted("practice")
    signer = Signer.generate("record.borsetshire.example/log", random_bytes=draw)
    tree = Tree(MemoryStore())
    entries: list[Entry] = []
    fields: list[tuple[Field, ...]] = []
    for number in range(9):
        entry, opened = seal(
            id=draw(16).hex(),
            kind="draft.sent_back" if number % 2 else "post.sent",
            at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC) + timedelta(minutes=number),
            organisation="borsetshire",
            actor=f"person:{number}",
            role="signatory",
            subject=f"draft:{number // 2}",
            retention="seven-years",
            links=[entries[-1].id] if entries else [],
            fields={
                "reason": f"Númber {number}: say “when”, not “soon”.",
                "text": "Rhybudd llifogydd ⚠️",
            },
            salts=lambda: draw(32),
        )
        entries.append(entry)
        fields.append(opened)
    tree.append([leaf_hash(entry.to_bytes()) for entry in entries])
    head = Checkpoint(signer.name, tree.size, tree.root())
    return Practice(signer, tree, tuple(entries), tuple(fields), signer.sign(head.to_text()))
