"""``python3 verify.py [BAG] [--key VKEY]... [--witness VKEY]...``"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .examining import Findings, examine, printable
from .keys import LOG, WITNESS, Key, Wrong, parse_key
from .manifests import hash_pieces


def main(arguments: Sequence[str], own_file: str) -> int:
    """Run the program; 0 where the bag holds, 1 where it does not, 2 where it cannot be read."""
    parser = argparse.ArgumentParser(
        prog="verify.py",
        description="Say whether a bag from a public body's record is complete, unchanged and true "
        "to its proofs. Needs Python alone, and no network.",
        epilog="Exit status: 0 the bag holds, 1 it does not, 2 it cannot be read.",
    )
    parser.add_argument(
        "bag", nargs="?", help="the bag's folder or zip file; without it, where this program lies"
    )
    for option, words in (
        ("--key", "the public key of the log, as the body publishes it"),
        ("--witness", "the public key of a witness who must have signed too"),
    ):
        parser.add_argument(option, action="append", default=[], metavar="VKEY", help=words)
    given = parser.parse_args(arguments)
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    try:
        keys = _read_keys(given.key, LOG)
        witnesses = _read_keys(given.witness, WITNESS)
        found = examine(Path(given.bag or Path(own_file).parent), keys, witnesses)
    except Wrong as wrong:
        print(f"verify.py: a key you gave cannot be used. {printable(str(wrong))}", file=sys.stderr)
        return 2
    except OSError as wrong:
        print(f"verify.py: the bag cannot be read: {printable(str(wrong))}", file=sys.stderr)
        return 2
    print("\n".join(_lines(found, own_file)))
    return 0 if found.ok else 1


def _read_keys(texts: Sequence[str], kind: int) -> list[Key]:
    keys = [parse_key(text) for text in texts]
    if any(key.kind != kind for key in keys):
        raise Wrong("One is a witness's where a log's belongs, or the other way round.")
    return keys


def _lines(found: Findings, own_file: str) -> list[str]:
    lines = ["true" if found.ok else "false", found.reason]
    if not found.ok:
        return [*lines, *(f"  - {problem}" for problem in found.problems)]
    if found.head is not None:
        lines += [f"  cosigned by {printable(key.text)}" for key in found.head.witnesses]
    lines.append(f"  pictures and files: {len(found.summary.media)}")
    lines.append(f"  answers of channels: {found.summary.captures}")
    lines.append(f"  seal (SHA-256 of tagmanifest-sha256.txt): {found.seal}")
    if hash_pieces([Path(own_file).read_bytes()])[0] != found.verifier:
        lines.append("  The verify.py in the bag is another version than this program.")
    return lines
