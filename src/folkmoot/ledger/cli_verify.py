"""``folkmoot ledger verify``: hold proof files and bags against the log they claim to come from."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from .bagparts import BagResult
from .cli_reading import Verbs, add_keys, complain, read_input, read_keys, unreadable
from .cosigning import Witness
from .entries import render_time
from .keytexts import encode_base64
from .proofs import MAX_PROOF_BYTES, ProofResult, verify_proof, visible

_ZIP = b"PK\x03\x04"


def add_verbs(verbs: Verbs) -> None:
    """Add ``verify``."""
    parser = verbs.add_parser(
        "verify",
        help="say whether proof files and bags are true",
        description="Print true or false for each proof file and each bag, the reason, and what "
        "was said. Exit status: 0 all true, 1 one is false, 2 one could not be read.",
    )
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="a .tlog-proof file, or the folder or zip file of a bag; - for a proof on the input",
    )
    add_keys(parser, without="; without it a file vouches for itself")
    parser.add_argument("--json", action="store_true", help="one JSON object per file")
    parser.set_defaults(act=_verify)


def _verify(args: argparse.Namespace) -> int:
    keys = read_keys(args)
    if keys is None:
        return 2
    unread = false = False
    for name in args.files:
        try:
            result = _judge(name, args, keys[1])
        except OSError as wrong:
            complain(unreadable(name, wrong))
            unread = True
            continue
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


def _judge(
    name: str, args: argparse.Namespace, witnesses: list[Witness]
) -> ProofResult | BagResult:
    if name != "-" and (Path(name).is_dir() or _is_zip(name)):
        from .bags import check_bag

        if args.quorum not in (None, len(witnesses)):
            reason = "For a bag all witnesses must have cosigned: leave --quorum out."
            return BagResult(ok=False, reason=reason, problems=(reason,))
        return check_bag(Path(name), keys=args.key, witnesses=args.witness)
    return verify_proof(
        read_input(name, MAX_PROOF_BYTES),
        keys=args.key,
        witnesses=args.witness,
        quorum=args.quorum,
    )


def _is_zip(name: str) -> bool:
    if not Path(name).is_file():
        return False  # out of a pipe nothing can be read twice
    with Path(name).open("rb") as file:
        return file.read(len(_ZIP)) == _ZIP


def _lines(result: ProofResult | BagResult) -> list[str]:
    lines = ["true" if result.ok else "false", result.reason]
    if isinstance(result, BagResult):
        return lines + _bag_lines(result)
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


def _bag_lines(result: BagResult) -> list[str]:
    if not result.ok:
        return [f"  - {problem}" for problem in result.problems if problem != result.reason]
    lines = [f"  cosigned by {visible(key)}" for key in result.witnesses]
    lines += [
        f"  entries: {result.entries}",
        f"  fields withheld: {result.withheld}",
        f"  pictures and files: {result.media}",
        f"  answers of channels: {result.captures}",
        f"  seal (SHA-256 of tagmanifest-sha256.txt): {result.manifest_sha256}",
    ]
    if not result.verifier_is_ours:
        lines.append("  The verify.py in the bag is that of another version.")
    return lines


def _as_json(result: ProofResult | BagResult) -> dict[str, object]:
    head = result.checkpoint
    told: dict[str, object] = {
        "ok": result.ok,
        "reason": result.reason,
        "key_trusted": result.key_trusted,
        "vkey": result.vkey,
        "checkpoint": head
        and {"origin": head.origin, "size": head.size, "root": encode_base64(head.root)},
    }
    if isinstance(result, BagResult):
        return told | {
            "problems": list(result.problems),
            "entries": result.entries,
            "withheld": result.withheld,
            "media": result.media,
            "captures": result.captures,
            "witnesses": list(result.witnesses),
            "manifest_sha256": result.manifest_sha256,
            "verifier_is_ours": result.verifier_is_ours,
        }
    entry = result.entry
    return told | {
        "index": result.index,
        "entry": json.loads(entry.to_bytes()) if entry else None,
        "disclosed": dict(result.disclosed),
        "withheld": list(result.withheld),
        "cosignatures": [
            {"witness": one.witness.vkey, "at": one.at.isoformat()} for one in result.cosignatures
        ],
        "unjudged": list(result.unjudged),
    }
