"""``folkmoot ledger checkpoint`` and ``fsck``: signed heads, and the log that stands behind one."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from .auditing import audit_mirror
from .cli_reading import Verbs, add_keys, complain, read_head, read_keys, shown, unreadable
from .cosigning import Cosignature, Witness, cosignatures
from .errors import LedgerError
from .heads import check_older, compare_heads
from .keytexts import encode_base64
from .mirror import Mirror
from .notes import Checkpoint, NoteVerifier, open_note
from .proofs import visible
from .tree import Answer


def add_verbs(verbs: Verbs) -> None:
    """Add ``checkpoint`` and ``fsck``."""
    checkpoint = verbs.add_parser(
        "checkpoint",
        help="show signed heads, and hold them against each other",
        description="Say whether each head is signed by the log and cosigned by its witnesses, and "
        "whether several of them can all be true. Exit status: 0 they are, 1 one is false or they "
        "tell two histories, 2 one could not be read.",
    )
    checkpoint.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="a checkpoint, a .tlog-proof file, or the folder of a mirror; - for the input",
    )
    add_keys(checkpoint)
    checkpoint.add_argument("--json", action="store_true", help="one JSON object per head")
    checkpoint.set_defaults(act=_show)
    fsck = verbs.add_parser(
        "fsck",
        help="check a mirror whole: every entry, every tile, every head",
        description="Hash every entry anew and rebuild every tile up to the signed head, and hold "
        "that against earlier heads. Exit status: 0 nothing is wrong, 1 something is, 2 it could "
        "not be read.",
    )
    fsck.add_argument("folder", metavar="FOLDER", help="the mirror: tiles, entries and checkpoint")
    add_keys(fsck)
    fsck.add_argument(
        "--checkpoint",
        action="append",
        default=[],
        metavar="FILE",
        help="an earlier head, or a .tlog-proof file with one, that this log must begin with (may "
        "be given more than once)",
    )
    fsck.add_argument("--json", action="store_true", help="one JSON object")
    fsck.set_defaults(act=_fsck)


@dataclass(frozen=True, slots=True)
class _Head:
    """A head as it was read, and what is to be said of it; ``head`` is None where it is false."""

    name: str
    reason: str
    head: Checkpoint | None = None
    seen: tuple[Cosignature, ...] = ()
    unjudged: tuple[str, ...] = ()


def _judge(
    name: str, keys: Sequence[NoteVerifier], witnesses: Sequence[Witness], quorum: int
) -> _Head:
    """Whether the head in a file is the log's. Raises OSError where it cannot be read."""
    try:
        note = open_note(read_head(name), [*keys, *witnesses])
        head = Checkpoint.from_text(note.text)
    except LedgerError as wrong:
        return _Head(name, str(wrong))
    signers = [one.name for one in note.signed_by if one in keys]
    if head.origin not in signers:
        return _Head(
            name, f"None of the keys given signed for the log {head.origin!r}, whose head this is."
        )
    seen = cosignatures(note)
    if len(seen) < quorum:
        return _Head(
            name,
            f"The log signed this head of {head.size} entries, but of the {len(witnesses)} "
            f"witnesses given {len(seen)} cosigned it, and {quorum} must have.",
        )
    reason = f"The log {head.origin} signed this head of {head.size} entries."
    return _Head(name, reason, head, seen, note.unknown)


def _show(args: argparse.Namespace) -> int:
    read = read_keys(args)
    if read is None:
        return 2
    keys, witnesses = read
    quorum = len(witnesses) if args.quorum is None else args.quorum
    heads: list[_Head] = []
    unread = False
    for name in args.files:
        try:
            heads.append(_judge(name, keys, witnesses, quorum))
        except OSError as wrong:
            complain(unreadable(name, wrong))
            unread = True
    for one in heads:
        if args.json:
            print(json.dumps(_as_json(one)))
        else:
            print(shown(_lines(one)))
    false = any(one.head is None for one in heads)
    for answer in _compare(heads):
        false = false or not answer
        told = {"ok": answer.ok, "reason": answer.reason}
        print(json.dumps(told) if args.json else visible(answer.reason))
    if unread:
        return 2
    return 1 if false else 0


def _lines(one: _Head) -> list[str]:
    lines = [f"{one.name}:", "false" if one.head is None else "true", one.reason]
    if one.head is not None:
        lines.append(f"  root: {encode_base64(one.head.root)}")
        lines += [f"  further line: {line}" for line in one.head.extensions]
    lines += [
        f"  cosigned by {seen.witness.name}: {seen.at:%Y-%m-%d %H:%M:%S} UTC" for seen in one.seen
    ]
    lines += [f"  not checked, no key was given: {name}" for name in dict.fromkeys(one.unjudged)]
    return lines


def _as_json(one: _Head) -> dict[str, object]:
    head = one.head
    return {
        "file": one.name,
        "ok": head is not None,
        "reason": one.reason,
        "checkpoint": head
        and {"origin": head.origin, "size": head.size, "root": encode_base64(head.root)},
        "cosignatures": [
            {"witness": seen.witness.vkey, "at": seen.at.isoformat()} for seen in one.seen
        ],
        "unjudged": list(one.unjudged),
    }


def _compare(heads: Sequence[_Head]) -> list[Answer]:
    """What the heads say of each other: by a mirror's tiles where there is one, else by sizes.

    They are taken in order of size, so that two of one size stand side by side.
    """
    true = [(one.head, one.name) for one in heads if one.head is not None]
    true.sort(key=lambda one: (one[0].origin, one[0].size))
    said = []
    for (older, older_name), (newer, newer_name) in pairwise(true):
        if older.origin != newer.origin:
            continue  # both can be true, and neither says anything of the other
        answer = compare_heads(older, newer)
        mirrors = [
            (head, name)
            for head, name in true
            if head.origin == newer.origin and head.size >= newer.size and Path(name).is_dir()
        ]
        if answer and older.size != newer.size and mirrors:
            answer = _compare_by_tiles(older, newer, *mirrors[0])
        said.append(Answer(answer.ok, f"{older_name} and {newer_name}: {answer.reason}"))
    return said


def _compare_by_tiles(
    older: Checkpoint, newer: Checkpoint, mirrored: Checkpoint, folder: str
) -> Answer:
    tree = Mirror(Path(folder)).tree(mirrored.size)
    try:
        if tree.root() != mirrored.root:
            return Answer(
                ok=False,
                reason=f"The tiles in {folder} do not lead to its own head; fsck tells which.",
            )
    except LedgerError as wrong:
        return Answer(ok=False, reason=str(wrong))
    for one in (newer, older):
        answer = check_older(one, mirrored, tree.root)
        if not answer:
            return answer
    return Answer(ok=True, reason="The later log begins with the whole of the earlier one.")


def _fsck(args: argparse.Namespace) -> int:
    read = read_keys(args)
    if read is None:
        return 2
    keys, witnesses = read
    quorum = len(witnesses) if args.quorum is None else args.quorum
    folder = Path(args.folder)
    if not folder.is_dir():
        complain(f"cannot read {visible(args.folder)}: there is no such folder")
        return 2
    older: list[Checkpoint] = []
    wrong: list[str] = []
    checked: tuple[str, ...]
    try:
        mine = _judge(args.folder, keys, witnesses, quorum)
        for name in args.checkpoint:
            one = _judge(name, keys, [], 0)
            if one.head is None:
                wrong.append(f"{name}: {one.reason}")
            else:
                older.append(one.head)
        findings, more, checked = [mine.reason, *wrong], 0, ()
        if mine.head is not None:
            audit = audit_mirror(folder, keys, older=older)
            findings, more, checked = [*wrong, *audit.findings], audit.more, audit.checked
    except OSError as unread:
        complain(unreadable(str(unread.filename or args.folder), unread))
        return 2
    except LedgerError as changed:  # the head was replaced while we looked
        complain(visible(str(changed)))
        return 2
    if args.json:
        told = {"ok": not findings, "head": _as_json(mine), "findings": findings, "more": more}
        print(json.dumps({"folder": args.folder, **told, "checked": list(checked)}))
    else:
        lines = ["false" if findings else "true", mine.reason if mine.head else ""]
        lines += [f"  {sentence}" for sentence in checked]
        lines += [f"  - {sentence}" for sentence in findings]
        lines += [f"  - and {more} further findings"] if more else []
        print(shown([line for line in lines if line]))
    return 1 if findings else 0
