"""Manifests: whether the bag holds every file that it was made with, unchanged, and no other.

BagIt 1.0, RFC 8493 sections 2.1.3 and 2.2.1, with SHA-256 and SHA-512.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator

from .files import Files
from .keys import Wrong

ALGORITHMS = ("sha256", "sha512")
PAYLOAD = "data/"
REQUIRED = (
    "README.txt",
    "bag-info.txt",
    "bagit.txt",
    "data/about.json",
    "data/checkpoint",
    "data/index.html",
    "data/media.jsonl",
    "data/policy",
    "data/records.csv",
    "data/records.jsonl",
    "data/redactions.csv",
    "manifest-sha256.txt",
    "manifest-sha512.txt",
    "tagmanifest-sha256.txt",
    "tagmanifest-sha512.txt",
    "verify.py",
)
_FURTHER = re.compile(
    r"data/(?:proofs/[0-9a-f]{32}\.tlog-proof|media/[0-9a-f]{64}\.[a-z0-9]{1,5}"
    r"|warc/[a-z0-9-]{1,40}\.warc\.gz)"
)


def belongs(name: str) -> bool:
    """Whether a bag of this form can hold a file of this name."""
    return name in REQUIRED or _FURTHER.fullmatch(name) is not None


def hash_pieces(pieces: Iterable[bytes]) -> tuple[str, ...]:
    """The hashes of a file, in the order of ``ALGORITHMS``, as hexadecimal digits."""
    hashes = [hashlib.new(algorithm) for algorithm in ALGORITHMS]
    for piece in pieces:
        for one in hashes:
            one.update(piece)
    return tuple(one.hexdigest() for one in hashes)


def is_listed(manifest: str, name: str) -> bool:
    """Whether the manifest of this name must list the file of that name."""
    if manifest.startswith("tagmanifest-"):
        return not name.startswith((PAYLOAD, "tagmanifest-"))
    return name.startswith(PAYLOAD)


def render_manifest(lines: dict[str, str]) -> str:
    """A manifest's text, from names and their hashes."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(lines.items()))


def find_damage(files: Files) -> Iterator[tuple[str, str]]:
    """Every file that is missing, added, changed or unreadable, with a sentence that says so."""
    hashes: dict[str, tuple[str, ...]] = {}
    yield from _hash_files(files, hashes)
    said: set[str] = set()
    for place, algorithm in enumerate(ALGORITHMS):
        for manifest in (f"tagmanifest-{algorithm}.txt", f"manifest-{algorithm}.txt"):
            if manifest not in hashes:
                continue
            held = {name: one[place] for name, one in hashes.items() if is_listed(manifest, name)}
            try:
                found = list(_compare(manifest, _read_manifest(files, manifest), held, files))
            except Wrong as wrong:
                found = [(manifest, str(wrong))]
            yield from ((name, sentence) for name, sentence in found if name not in said)
            said.update(name for name, _ in found)


def _hash_files(files: Files, hashes: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """Fill ``hashes`` with what can be read; say what cannot, is odd, or is not there."""
    for name in sorted(files.sizes):
        if not belongs(name):
            yield name, f"{name} does not belong in a bag of this form; it was added."
            continue
        try:
            hashes[name] = hash_pieces(files.chunks(name))
        except Wrong as wrong:
            yield name, str(wrong)
    for name in REQUIRED:
        if name not in files.sizes:
            yield name, f"{name} is missing; every bag of this form has it."


def _read_manifest(files: Files, manifest: str) -> dict[str, str]:
    listed: dict[str, str] = {}
    for line in files.lines(manifest):
        digest, gap, name = line.decode("utf-8", "replace").partition("  ")
        if not gap or not re.fullmatch(r"[0-9a-f]+", digest) or name in listed:
            raise Wrong(f"{manifest} was changed: a line of it is not a hash and one file's name.")
        if not belongs(name) or not is_listed(manifest, name):
            raise Wrong(f"{manifest} was changed: it lists {name!r}, which does not belong there.")
        listed[name] = digest
    if list(listed) != sorted(listed):
        raise Wrong(f"{manifest} was changed: its lines are not in the order of their names.")
    return listed


def _compare(
    manifest: str, listed: dict[str, str], held: dict[str, str], files: Files
) -> Iterator[tuple[str, str]]:
    algorithm = "SHA-" + manifest.partition("sha")[2][:3]
    for name in sorted({*listed, *held}):
        if name not in files.sizes:
            yield name, f"{name} is missing: {manifest} lists it and the bag does not hold it."
        elif name not in listed:
            yield name, f"{name} was added after the bag was made: {manifest} does not list it."
        elif name in held and held[name] != listed[name]:
            changed = f"{name} was changed after the bag was made: its {algorithm} is not the one"
            yield name, f"{changed} in {manifest}."
