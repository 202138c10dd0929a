"""What the verbs of ``folkmoot ledger`` read alike: keys, files and signed heads."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from .cosigning import Witness
from .errors import LedgerError, MirrorError
from .mirror import Mirror
from .notes import MAX_NOTE_BYTES, Verifier
from .proofs import PROOF_MAGIC, visible

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - its type


def complain(sentence: str) -> None:
    """Say on the error output what was wrong with the command or a file."""
    print(f"folkmoot ledger: {sentence}", file=sys.stderr)


def add_keys(parser: argparse.ArgumentParser, *, without: str = "") -> None:
    """The options ``--key`` and ``--witness``; ``without`` says what it means to leave keys out."""
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        required=not without,
        metavar="VKEY",
        help=f"the log's public key as the body publishes it, once or more often{without}",
    )
    parser.add_argument(
        "--witness",
        action="append",
        default=[],
        metavar="VKEY",
        help="the public key of a witness that must have cosigned, once or more often",
    )
    parser.add_argument(
        "--quorum",
        type=int,
        metavar="N",
        help="so many of the witnesses given are enough; all by default",
    )


def read_keys(args: argparse.Namespace) -> tuple[list[Verifier], list[Witness]] | None:
    """The keys given; None where one cannot be read or too many are asked for, which was said."""
    try:
        keys = [Verifier.from_text(key) for key in args.key]
        witnesses = list(dict.fromkeys(Witness.from_text(key) for key in args.witness))
    except LedgerError as wrong:
        complain(f"the key given cannot be read. {wrong}")
        return None
    if args.quorum is not None and not 0 <= args.quorum <= len(witnesses):
        complain(
            f"--quorum {args.quorum} asks for more witnesses than the {len(witnesses)} whose keys "
            f"you gave."
        )
        return None
    return keys, witnesses


def read_input(name: str, most: int) -> bytes:
    """The file ``name``, or the input for ``-``: one byte more than ``most`` shows it is too much.

    Raises OSError where it cannot be read.
    """
    if name == "-":
        return sys.stdin.buffer.read(most + 1)
    with Path(name).open("rb") as file:
        return file.read(most + 1)


def read_head(name: str) -> str | bytes:
    """The note of a signed head out of a file, a proof file or the folder of a mirror.

    Raises OSError where it cannot be read, and :class:`MirrorError` for a folder that is no mirror.
    """
    if name != "-" and Path(name).is_dir():
        note = Mirror(Path(name)).find_checkpoint()
        if note is None:
            raise MirrorError(f"{name} is no mirror of a log: it has no file named checkpoint.")
        return note
    data = read_input(name, MAX_NOTE_BYTES)
    if data.startswith(PROOF_MAGIC.encode() + b"\n"):
        return data.partition(b"\n\n")[2]
    return data


def unreadable(name: str, wrong: OSError) -> str:
    """Why a file cannot be read, safe to print."""
    return f"cannot read {visible(name)}: {visible(wrong.strerror or str(wrong))}"


def shown(lines: Sequence[str]) -> str:
    """Lines to print, each made safe for a screen."""
    return "\n".join(visible(line) for line in lines)
