"""Bags of the practice log, and what a forger can do to one."""

from __future__ import annotations

import importlib.util
import struct
import sys
import zlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from random import Random
from types import ModuleType
from typing import TYPE_CHECKING, Any

from folkmoot.ledger import Checkpoint, MemoryStore, Signer, Tree, leaf_hash, seal
from folkmoot.ledger.alone import verifier_source
from folkmoot.ledger.alone.manifests import ALGORITHMS, hash_pieces, is_listed, render_manifest
from folkmoot.ledger.bags import (
    BagResult,
    BagWritten,
    Capture,
    Item,
    Medium,
    Redaction,
    check_bag,
    write_bag,
)

if TYPE_CHECKING:
    from conftest import Practice

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def picture(width: int = 8) -> bytes:
    """A small PNG that browsers show."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = (b"\0" + bytes([20, 80, 160]) * width) * width
    head = struct.pack(">IIBBBBB", width, width, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def medium(
    data: bytes | None = None, alt: str = "A blue square", kind: str = "image/png"
) -> Medium:
    held = picture() if data is None else data
    return Medium(sha256(held).hexdigest(), kind, alt, held)


def capture(body: bytes = b'{"id": 1}', **changed: Any) -> Capture:
    made = Capture(
        "https://social.example/api/v1/statuses/1",
        NOW - timedelta(days=1),
        200,
        (("Content-Type", "application/json"), ("Date", "Thu, 19 Nov 2026 12:00:00 GMT")),
        body,
    )
    return replace(made, **changed)


def parts_of(practice: Practice, *, withhold: str = "reason") -> dict[str, Any]:
    """What ``write_bag`` needs for all nine entries, one field of each second one withheld."""
    items = [
        Item(
            entry,
            number,
            tuple(practice.tree.inclusion_proof(number)),
            tuple(one for one in practice.fields[number] if number % 2 or one.label != withhold),
            {f"person:{number}": "a press officer", "nobody": "left out"},
        )
        for number, entry in enumerate(practice.entries)
    ]
    return {
        "title": "Request 2026/114: the flood",
        "about": "Posts about the flood.\n\nChosen by subject.",
        "made_at": NOW,
        "checkpoint": practice.checkpoint,
        "policy": [practice.signer.vkey],
        "items": items,
        "redactions": [
            Redaction(entry.id, withhold, "FOIA s.40(2)", "Names a member of staff.")
            for number, entry in enumerate(practice.entries)
            if not number % 2
        ],
        "media": [medium()],
        "captures": [capture(), capture(bytes(range(256)) * 3, status=404)],
        "info": {"Source-Organization": "Borsetshire Council"},
    }


def write(folder: Path, practice: Practice, **changed: Any) -> BagWritten:
    return write_bag(folder, **{**parts_of(practice), **changed})


def write_texts(folder: Path, texts: list[Mapping[str, str]], **changed: Any) -> Signer:
    """A bag of entries with these fields, all disclosed; the log's key."""
    draw = Random("texts").randbytes
    signer = Signer.generate("record.borsetshire.example/log", random_bytes=draw)
    sealed = [
        seal(
            id=draw(16).hex(),
            kind="post.sent",
            at=NOW,
            organisation="borsetshire",
            actor="m-12",
            role="press",
            subject="draft:1",
            retention="standard",
            fields=fields,
            salts=lambda: draw(32),
        )
        for fields in texts
    ]
    tree = Tree(MemoryStore())
    tree.append([leaf_hash(entry.to_bytes()) for entry, _ in sealed])
    note = signer.sign(Checkpoint(signer.name, tree.size, tree.root()).to_text())
    items = [
        Item(entry, number, tuple(tree.inclusion_proof(number)), fields)
        for number, (entry, fields) in enumerate(sealed)
    ]
    parts = {
        "title": "Texts",
        "about": "",
        "made_at": NOW,
        "checkpoint": note,
        "policy": [signer.vkey],
        "items": items,
    }
    write_bag(folder, **{**parts, **changed})
    return signer


@cache
def alone() -> ModuleType:
    """The one file that goes into each bag, loaded as a program of its own."""
    name = "verify_from_a_bag"
    spec = importlib.util.spec_from_loader(name, loader=None)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    exec(compile(verifier_source(), "verify.py", "exec"), module.__dict__)
    return module


def both(
    path: Path, keys: list[str] | None = None, witnesses: list[str] | None = None
) -> BagResult:
    """The verdict of the library, after seeing that the stand-alone program gives the same."""
    verify = alone()
    result = check_bag(path, keys=keys or [], witnesses=witnesses or [])
    found = verify.examine(
        path,
        [verify.parse_key(key) for key in keys or []],
        [verify.parse_key(key) for key in witnesses or []],
    )
    assert found.ok == result.ok, (result.problems, found.problems)
    assert len(found.problems) == len(result.problems), (result.problems, found.problems)
    assert found.summary.entries == result.entries
    assert found.seal == result.manifest_sha256
    return result


def files_of(folder: Path) -> list[str]:
    return sorted(one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file())


def reseal(folder: Path) -> None:
    """Make ``bag-info.txt``'s sum and all manifests anew, as anyone can who changes a bag."""
    for name in ("manifest", "tagmanifest"):
        for algorithm in ALGORITHMS:
            (folder / f"{name}-{algorithm}.txt").unlink(missing_ok=True)
    info = (folder / "bag-info.txt").read_text()
    payload = [one for one in (folder / "data").rglob("*") if one.is_file()]
    total = sum(one.stat().st_size for one in payload)
    lines = [
        f"Payload-Oxum: {total}.{len(payload)}" if line.startswith("Payload-Oxum") else line
        for line in info.split("\n")
    ]
    (folder / "bag-info.txt").write_text("\n".join(lines))
    for name in ("manifest", "tagmanifest"):
        for place, algorithm in enumerate(ALGORITHMS):
            manifest = f"{name}-{algorithm}.txt"
            held = {
                one: hash_pieces([(folder / one).read_bytes()])[place]
                for one in files_of(folder)
                if is_listed(manifest, one)
            }
            (folder / manifest).write_text(render_manifest(held))
