"""``folkmoot ledger verify``: hold proof files against the log they claim to come from, offline."""

from __future__ import annotations

import argparse
import io
import json
import sys
from pathlib import Path

from .entries import render_time
from .errors import LedgerError
from .keytexts import encode_base64
from .notes import Verifier
from .proofs import MAX_PROOF_BYTES, ProofResult, verify_proof, visible


def run(argv: list[str]) -> int:
    """Run ``folkmoot`` with ``argv``, whose first word is ``ledger``.

    Returns 0 where every file is true, 1 where one is false, 2 where a file cannot be read or
    the command is not understood.
    """
    parser = _parser()
    try:
        args = parser.parse_args(argv[1:])
    except SystemExit as leaving:  # argparse has printed its help or its complaint
        return int(leaving.code or 0)
    try:
        for key in args.key:
            Verifier.from_text(key)
    except LedgerError as wrong:
        print(f"folkmoot ledger: the key given cannot be read. {wrong}", file=sys.stderr)
        return 2
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that knows fewer characters gets escapes, not a traceback.
        sys.stdout.reconfigure(errors="backslashreplace")
    unread = false = False
    for name in args.files:
        try:
            data = _read(name)
        except OSError as wrong:
            reason = visible(wrong.strerror or str(wrong))
            print(f"folkmoot ledger: cannot read {visible(name)}: {reason}", file=sys.stderr)
            unread = True
            continue
        result = verify_proof(data, keys=args.key)
        false = false or not result.ok
        if args.json:
            print(json.dumps({"file": name, **_as_json(result)}))
        else:
            if len(args.files) > 1:
                print(f"{visible(name)}:")
            print("\n".join(_lines(result)))
    if unread:
        return 2
    return 1 if false else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="folkmoot ledger", description="Hold proofs against the log, without a network."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    verify = verbs.add_parser(
        "verify",
        help="say whether proof files are true",
        description="Print true or false for each proof file, the reason, and what was said. "
        "Exit status: 0 all true, 1 one is false, 2 one could not be read.",
    )
    verify.add_argument("files", nargs="+", metavar="FILE", help="a .tlog-proof file; - for input")
    verify.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="VKEY",
        help="the log's public key as the body publishes it (may be given more than once); "
        "without it a file vouches for itself",
    )
    verify.add_argument("--json", action="store_true", help="one JSON object per file")
    return parser


def _read(name: str) -> bytes:
    # One byte more than is allowed is enough to see that it is too much.
    if name == "-":
        return sys.stdin.buffer.read(MAX_PROOF_BYTES + 1)
    with Path(name).open("rb") as file:
        return file.read(MAX_PROOF_BYTES + 1)


def _lines(result: ProofResult) -> list[str]:
    lines = ["true" if result.ok else "false", result.reason]
    entry = result.entry
    if entry is None:
        return lines
    rows = [
        ("entry", entry.id),
        ("kind", entry.kind),
        ("time", render_time(entry.at)),
        ("organisation", entry.organisation),
        ("actor", entry.actor),
        ("role", entry.role),
        ("subject", entry.subject),
        ("follows from", ", ".join(entry.links)),
        ("kept as", entry.retention),
    ]
    lines += [f"  {label}: {visible(value)}" for label, value in rows if value]
    lines += [f"  says {label}: {visible(value)}" for label, value in result.disclosed.items()]
    if result.withheld:
        lines.append(f"  withheld: {', '.join(result.withheld)}")
    return lines


def _as_json(result: ProofResult) -> dict[str, object]:
    entry, head = result.entry, result.checkpoint
    return {
        "ok": result.ok,
        "reason": result.reason,
        "key_trusted": result.key_trusted,
        "vkey": result.vkey,
        "index": result.index,
        "entry": json.loads(entry.to_bytes()) if entry else None,
        "disclosed": dict(result.disclosed),
        "withheld": list(result.withheld),
        "checkpoint": head
        and {"origin": head.origin, "size": head.size, "root": encode_base64(head.root)},
    }
