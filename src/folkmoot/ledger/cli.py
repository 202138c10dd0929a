"""``folkmoot ledger``: the verbs that need no desk. Each has a module ``cli_...`` of its own."""

from __future__ import annotations

import argparse
import io
import sys

from . import cli_heads, cli_mirror, cli_verify, cli_witness


def run(argv: list[str]) -> int:
    """Run ``folkmoot`` with ``argv``, whose first word is ``ledger``.

    Returns 0 where all that was looked at is true, 1 where something is false, 2 where a file
    cannot be read or the command is not understood.
    """
    parser = argparse.ArgumentParser(
        prog="folkmoot ledger", description="Hold proofs against the log, without a network."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for module in (cli_verify, cli_heads, cli_mirror, cli_witness):
        module.add_verbs(verbs)
    try:
        args = parser.parse_args(argv[1:])
    except SystemExit as leaving:  # argparse has printed its help or its complaint
        return int(leaving.code or 0)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that knows fewer characters gets escapes, not a traceback.
        sys.stdout.reconfigure(errors="backslashreplace")
    status: int = args.act(args)
    return status
