"""``folkmoot ledger witness``: be a witness of other bodies' logs."""

from __future__ import annotations

import argparse
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from .cli_reading import Verbs, complain, unreadable
from .errors import LedgerError
from .notes import Verifier
from .proofs import visible
from .witness_book import open_book


def add_verbs(verbs: Verbs) -> None:
    """Add ``witness``."""
    parser = verbs.add_parser(
        "witness",
        help="watch other bodies' logs: cosign what grows, refuse what was rewritten",
        description="Serve the witness protocol (C2SP tlog-witness) over plain HTTP; put a web "
        "server that speaks HTTPS before it. On its first start it makes its key and prints the "
        "public one, which the logs and their readers need. Key and state belong together and must "
        "never be brought back from a backup.",
    )
    parser.add_argument("--key", required=True, metavar="FILE", help="the witness's private key")
    parser.add_argument(
        "--log",
        action="append",
        required=True,
        metavar="VKEY",
        help="the public key of a log to watch (may be given more than once)",
    )
    parser.add_argument(
        "--state", required=True, metavar="FOLDER", help="where the heads cosigned are kept"
    )
    parser.add_argument(
        "--listen",
        default="127.0.0.1:8478",
        metavar="HOST:PORT",
        help="where to listen (%(default)s); port 0 is any free one",
    )
    parser.add_argument(
        "--name", help="what the witness is called, on its first start: witness.council.example/w1"
    )
    parser.set_defaults(act=_witness)


def _witness(args: argparse.Namespace) -> int:
    from .witness_server import WitnessServer  # the web server only where it is wanted

    host, _, port = args.listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not (port.isascii() and port.isdigit() and int(port) < 1 << 16):
        complain(f"--listen {visible(args.listen)} must read HOST:PORT, such as 127.0.0.1:8478.")
        return 2
    try:
        logs = list(dict.fromkeys(Verifier.from_text(log) for log in args.log))
        book = open_book(
            Path(args.key),
            Path(args.state),
            logs,
            name=args.name,
            clock=lambda: datetime.now(UTC),
        )
        server = WitnessServer(book, host, int(port), log=_log)
    except LedgerError as wrong:
        complain(visible(str(wrong)))
        return 2
    except OSError as wrong:
        complain(unreadable(str(wrong.filename or args.listen), wrong))
        return 2
    print(book.cosigner.vkey)
    for log in logs:
        print(f"watches {visible(log.name)}")
    shown = f"[{host}]" if ":" in host else host
    print(f"listens on http://{shown}:{server.server_address[1]}/", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        return 0
    finally:
        server.server_close()
    return 0


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
