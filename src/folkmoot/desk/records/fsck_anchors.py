"""Checking what stands around the entries: cosignatures, stamps, guards, the signer's memory."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from folkmoot.ledger import Checkpoint, LedgerError, Tree, Witness, cosignatures, open_note
from folkmoot.ledger.heads import check_older
from folkmoot.ledger.stamping import read_stamp

from . import heads, keys, models, seatbelt
from .fsck_report import Report
from .log import log_verifiers, memory, signs_here


def check_cosignatures(report: Report) -> None:
    """Hold each cosignature against the head it is kept for."""
    notes = dict(models.Checkpoint.objects.values_list("size", "note"))
    before, count = report.count(), 0
    for row in models.Cosignature.objects.order_by("size", "pk"):
        count += 1
        note = notes.get(row.size)
        text = None if note is None else note.rpartition("\n\n")[0] + "\n"
        who = row.witness.partition("+")[0]
        if text is None or not heads.is_cosignature(row.witness, row.line, text):
            report.wrong(
                f"The cosignature by {who} that is kept for {row.size} entries is not on the head "
                "of that size."
            )
        elif row.at != _when(row, text):
            report.wrong(
                f"The cosignature by {who} on the head of {row.size} entries is of another time "
                "than is kept beside it."
            )
    if count and before == report.count():
        report.checked.append(f"{count} cosignatures are on the heads they are kept for.")


def _when(row: models.Cosignature, text: str) -> datetime:
    note = open_note(f"{text}\n{row.line}\n", [Witness.from_text(row.witness)])
    return cosignatures(note)[0].at


def check_stamps(report: Report) -> None:
    """Hold each time stamp against the head it is kept for and the root certificate that is set."""
    rows = models.Stamp.objects.order_by("size", "pk")
    if not rows.exists():
        return
    file = settings.CONFIG.timestamps_root
    if file is None:
        report.unchecked.append(
            "Time stamps were not checked: FOLKMOOT_TIMESTAMPS_ROOT names no certificate."
        )
        return
    roots = file.read_bytes()
    notes = dict(models.Checkpoint.objects.values_list("size", "note"))
    before = report.count()
    for row in rows:
        try:
            stamp = read_stamp(bytes(row.token), notes.get(row.size, "").encode(), roots)
        except LedgerError as wrong:
            report.wrong(f"The time stamp on the head of {row.size} entries does not hold: {wrong}")
        else:
            if row.at != stamp.at:
                report.wrong(
                    f"The time stamp on the head of {row.size} entries is of another time than is "
                    "kept beside it."
                )
    if before == report.count():
        report.checked.append(f"{rows.count()} time stamps are on the heads they are kept for.")


def check_memory(report: Report, tree: Tree) -> None:
    """Hold what the signer remembers against the entries, whose tree this is."""
    kept = heads.newest()
    try:
        text = memory().read_text(encoding="utf-8")
        head = Checkpoint.from_text(open_note(text, log_verifiers()).text)
    except FileNotFoundError:
        if kept is not None and signs_here():
            report.wrong(
                f"The signer's memory, {memory().name}, is missing, though heads were signed. Put "
                "back the newest checkpoint that was published, as this file."
            )
        elif kept is not None:
            report.unchecked.append("The signer's memory is with the signer; it was not looked at.")
        return
    except (OSError, UnicodeDecodeError, LedgerError) as wrong:
        report.wrong(f"The signer's memory, {memory().name}, cannot be believed: {wrong}")
        return
    now = Checkpoint(head.origin, tree.size, tree.root())
    answer = check_older(head, now, tree.root)
    if not answer:
        report.wrong(f"What the signer remembers: {answer.reason}")
    elif kept is None or kept.size < head.size:
        report.wrong(
            f"The signer remembers a head of {head.size} entries that the database does not keep: "
            "the database is older than the signer's memory."
        )
    else:
        report.checked.append(
            f"The record begins with the {head.size} entries that the signer remembers."
        )


def check_keys(report: Report) -> None:
    """Hold the tables of keys against the file of epoch keys: what was destroyed must be gone, and
    what is not must be there.
    """
    for row in models.SubjectKey.objects.exclude(destroyed_at=None).only("wrapped").iterator():
        if bytes(row.wrapped):
            report.wrong(f"Key number {row.pk} is marked as destroyed, and is still here.")
    known = dict(models.Epoch.objects.values_list("number", "destroyed_at"))
    if not known or keys.is_rolling():
        return  # a roll ends what it began, or is told of on its own
    try:
        here = keys.epoch_file().read().keys.keys()
    except (OSError, LedgerError) as wrong:
        report.wrong(f"The file of epoch keys cannot be read: {wrong}")
        return
    for number in sorted(known.keys() | here):
        # One above all that are known is of a roll that died before it began.
        if number in here and known.get(number, number < max(known) or None):
            report.wrong(
                f"The file of epoch keys holds the key of epoch {number}, which is over: what was "
                "erased in it could be opened out of a copy. Roll the epoch again."
            )
        elif number not in here and known[number] is None:
            report.wrong(f"The file of epoch keys lacks the key of epoch {number}.")


def check_guards(report: Report) -> None:
    """Whether the database's triggers are on, and the signer signs."""
    if missing := seatbelt.find_missing():
        report.wrong(
            f"The database's own guards of the record are off ({', '.join(missing)}): whoever owns "
            "its tables took them off."
        )
    if refusal := heads.find_refusal():
        report.wrong(f"The head of the record is not being signed: {refusal}")
