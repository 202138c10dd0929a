"""``folkmoot ledger mirror``: take a log from where it is published, and watch it grow."""

from __future__ import annotations

import argparse
from pathlib import Path

from .cli_reading import Verbs, complain
from .errors import ForkRefused, LedgerError
from .fetching import fetch_mirror
from .notes import Verifier
from .proofs import visible


def add_verbs(verbs: Verbs) -> None:
    """Add ``mirror``."""
    parser = verbs.add_parser(
        "mirror",
        help="take a log from its address into a folder, or bring that up to date",
        description="Fetch what is new of a log, and hold it against its signed head and against "
        "what is in the folder already. Run it every day, and you find out whether the log was "
        "rewritten. Exit status: 0 the folder is up to date, 1 the log told two histories, 2 it "
        "could not be had, or what came does not fit the head.",
    )
    parser.add_argument("url", metavar="ADDRESS", help="as the body publishes it with its key")
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    parser.add_argument(
        "--key",
        action="append",
        required=True,
        metavar="VKEY",
        help="the log's public key as the body publishes it (may be given more than once)",
    )
    parser.set_defaults(act=_mirror)


def _mirror(args: argparse.Namespace) -> int:
    try:
        keys = [Verifier.from_text(key) for key in args.key]
    except LedgerError as wrong:
        complain(f"the key given cannot be read. {wrong}")
        return 2
    try:
        head = fetch_mirror(args.url, args.folder, keys)
    except ForkRefused as fork:
        print(
            f"false\n{visible(str(fork))} Keep the folder as it is: with its checkpoint it is the "
            "proof."
        )
        return 1
    except (LedgerError, OSError) as wrong:
        complain(visible(str(wrong)))
        return 2
    print(
        f"true\nThe folder {visible(str(args.folder))} has all {head.size} entries of the log "
        f"{visible(head.origin)}, up to its head of now. They begin with all that was there before."
    )
    return 0
