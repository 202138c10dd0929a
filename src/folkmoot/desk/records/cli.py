"""``folkmoot ledger`` on the desk's own record: ``fsck``, ``checkpoint``, ``sign``, ``recover`` and
``key``.
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from django.db import DatabaseError, close_old_connections

from folkmoot.ledger import LedgerError
from folkmoot.ledger.proofs import visible

from . import queries
from .fsck import check
from .log import log_keys, publish_key, signs_here
from .recovering import CannotRecover, recover
from .rekeying import change_key
from .signing import sign

GOOD, WRONG, UNDONE = 0, 1, 2
PAUSE_SECONDS = 0.25
TROUBLED_SECONDS = 2.0

log = logging.getLogger(__name__)


def run(argv: list[str]) -> int:
    """Run ``argv``, whose first word is the verb; the exit status: 0 all is well, 1 something is
    wrong with the record, 2 it could not be done.
    """
    parser = argparse.ArgumentParser(prog="folkmoot ledger")
    verbs = parser.add_subparsers(dest="verb", required=True)
    fsck = verbs.add_parser("fsck", help="check this desk's own record whole")
    fsck.add_argument("--without-values", action="store_true", help="do not open what is sealed")
    fsck.add_argument("--json", action="store_true", help="one JSON object")
    fsck.set_defaults(act=_fsck)
    checkpoint = verbs.add_parser("checkpoint", help="print the newest signed head")
    checkpoint.set_defaults(act=_checkpoint)
    signing = verbs.add_parser(
        "sign",
        help="sign the record's head whenever it grows, as a process of its own",
        description="The process that alone needs keys/ledger.key. Give it a home of its own, the "
        "desk's FOLKMOOT_DATABASE and FOLKMOOT_ADDRESS, and FOLKMOOT_SIGNER=separate, as the desk.",
    )
    signing.add_argument("--once", action="store_true", help="sign what is owed now, and end")
    signing.set_defaults(act=_sign)
    recovering = verbs.add_parser(
        "recover",
        help="bring entries that this database lost back from a mirror",
        description="For a database restored from a backup, which the signer refuses. Stop the "
        "desk first. The entries come back; what they were about is lost, and is shown as such.",
    )
    recovering.add_argument("--mirror", required=True, type=Path, metavar="FOLDER")
    recovering.set_defaults(act=_recover)
    key = verbs.add_parser("key", help="the record's public key")
    key.add_argument(
        "do",
        nargs="?",
        choices=["show", "change"],
        default="show",
        help="show it (the default), or begin to use a new one",
    )
    key.set_defaults(act=_key)
    try:
        args = parser.parse_args(argv)
    except SystemExit as leaving:  # argparse has printed its help or its complaint
        return int(leaving.code or 0)
    try:
        status: int = args.act(args)
    except (LedgerError, DatabaseError, OSError) as wrong:
        print(f"folkmoot ledger {args.verb}: {visible(str(wrong))}", file=sys.stderr)
        return UNDONE
    return status


def _now() -> datetime:
    return datetime.now(UTC)


def _fsck(args: argparse.Namespace) -> int:
    report = check(with_values=not args.without_values)
    if args.json:
        held = {
            "ok": not report.findings,
            "entries": report.entries,
            "findings": report.findings,
            "more": report.more,
            "checked": report.checked,
            "unchecked": report.unchecked,
        }
        print(json.dumps(held, ensure_ascii=False))
        return WRONG if report.findings else GOOD
    print("damaged" if report.findings else "good")
    for sentence in (*report.findings, *report.checked, *report.unchecked):
        print(sentence)
    if report.more:
        print(f"And {report.more} more that is wrong.")
    return WRONG if report.findings else GOOD


def _checkpoint(args: argparse.Namespace) -> int:  # noqa: ARG001 - as the others are called
    note = queries.find_checkpoint()
    if note is None:
        print("folkmoot ledger checkpoint: the record has no signed head yet.", file=sys.stderr)
        return UNDONE
    print(note, end="")
    return GOOD


def _key(args: argparse.Namespace) -> int:
    if args.do == "show":
        print("\n".join(log_keys()))
        return GOOD
    print(change_key(_now()))
    print(
        "The record is signed with this key from now on. Tell those who hold the former one: "
        "witnesses, and whoever keeps a mirror. It stays on the page of the key, and what it "
        "signed counts.",
        file=sys.stderr,
    )
    if not signs_here():
        print("Copy keys/ledger.pub to the home of the web and of the worker.", file=sys.stderr)
    return GOOD


def _recover(args: argparse.Namespace) -> int:
    try:
        done = recover(args.mirror, _now())
    except CannotRecover as reason:
        print(f"folkmoot ledger recover: {visible(str(reason))}", file=sys.stderr)
        return UNDONE
    print(f"The record has the {done.size} entries of the mirror again.")
    print(f"{done.brought_back} were lost and are back without what they were about.")
    print(f"{done.kept} were still here with their values, and are in their places.")
    print(f"{done.waiting} that were left since the restore wait to go behind them.")
    if done.short_of_memory:
        print(
            f"The signer remembers {done.short_of_memory} entries more than the mirror has. It "
            "will go on refusing. Find a newer mirror, and run this again."
        )
        return WRONG
    print("Start the desk again; the signer signs from here on.")
    return GOOD


def _sign(args: argparse.Namespace) -> int:
    if signs_here():
        print(
            "folkmoot ledger sign: this desk's worker signs by itself. To have a process of its "
            "own sign, set FOLKMOOT_SIGNER=separate for the web, the worker and this.",
            file=sys.stderr,
        )
        return UNDONE
    publish_key()
    if args.once:
        sign(_now())
        return WRONG if queries.find_refusal() else GOOD
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    while not stop.is_set():
        pause = PAUSE_SECONDS
        try:
            sign(_now())
        except DatabaseError as away:
            log.warning("The database cannot be used just now: %s", away)
            pause = TROUBLED_SECONDS
        close_old_connections()
        stop.wait(pause)
    return GOOD
