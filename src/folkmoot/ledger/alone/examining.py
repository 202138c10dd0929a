"""The check: a bag is complete, unchanged, and true to its proofs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .captures import check_captures
from .files import Files, open_files
from .keys import MAX_SMALL, Head, Key, Wrong, open_checkpoint
from .manifests import find_damage, hash_pieces
from .page import render_page, say_number
from .proving import Proved, open_proof, write_canonical
from .records import Summary, make_record, proof_name, read_media, read_records
from .spreadsheet import render_csv, render_redactions
from .words import BAGIT, read_about, read_policy, render_info, render_readme

MAX_PROBLEMS = 200


class Engine(NamedTuple):
    """What judges signatures and proofs. Both raise :class:`Wrong`."""

    open_checkpoint: Callable[[bytes, Sequence[Key]], Head]
    open_proof: Callable[[bytes, Head], Proved]


ALONE = Engine(open_checkpoint, open_proof)
"""The judge that needs Python alone."""


class Findings:
    """What is known of a bag, and a sentence for each thing that is wrong with it."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.damaged: set[str] = set()
        self.head: Head | None = None
        self.key_trusted = False
        self.summary = Summary([])
        self.seal = ""
        """SHA-256 of tagmanifest-sha256.txt, which stands for every file of the bag."""
        self.verifier = ""
        """SHA-256 of the bag's verify.py."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def say(self, problem: str) -> None:
        """Keep one more sentence, made safe to print; at most ``MAX_PROBLEMS`` and that there are
        more.
        """
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(printable(problem))
        elif len(self.problems) == MAX_PROBLEMS:
            self.problems.append("There are more problems than these.")

    @property
    def reason(self) -> str:
        """What is true, or how much is wrong."""
        if self.problems or self.head is None:
            more = len(self.problems) - 1
            rest = f" And {more} more." if more > 0 else ""
            return f"This bag does not hold. {self.problems[0]}{rest}"
        head, counts = self.head, self.summary
        said = (
            f"This bag is complete, and unchanged since it was made. It holds "
            f"{say_number(counts.entries, 'entry', 'entries')} of the log {head.origin}, each "
            f"proved to be among its {head.size} and unchanged since the log's head was signed. "
            f"{say_number(counts.withheld, 'field is', 'fields are')} withheld. "
        )
        if self.key_trusted:
            return printable(said + "The key that signed it is one you gave.")
        return printable(
            said + "The bag vouches for itself: hold its key against the one the body publishes "
            f"before you rely on it: {head.log.text}"
        )


def printable(text: str) -> str:
    """``text`` with what a screen would act on written as an escape, and not without end."""
    shown = "".join(
        c if c.isprintable() and c != "\\" else c.encode("unicode_escape").decode("ascii")
        for c in text[:1000]
    )
    return shown + " ..." if len(text) > len(text[:1000]) else shown


def examine(
    path: Path, keys: Sequence[Key], witnesses: Sequence[Key], engine: Engine = ALONE
) -> Findings:
    """What is wrong with the bag at ``path``, a folder or a zip file.

    ``keys`` are the log's as the reader knows them, one of which must have signed; ``witnesses``
    must each have cosigned. Raises ``OSError`` where the path cannot be read.
    """
    found = Findings()
    try:
        with open_files(path) as files:
            _examine_files(files, found, keys, witnesses, engine)
    except Wrong as wrong:
        found.say(str(wrong))
    if found.head is None and not found.problems:
        found.say("There is no signed head of the log in this bag.")
    return found


def _examine_files(
    files: Files, found: Findings, keys: Sequence[Key], witnesses: Sequence[Key], engine: Engine
) -> None:
    for name, sentence in find_damage(files):
        found.damaged.add(name)
        found.say(sentence)
    sound = {name for name in files.sizes if name not in found.damaged}
    _examine_apart(files, found, sound)
    if {"data/checkpoint", "data/policy"} <= sound:
        try:
            found.head = _open_head(files, found, keys, witnesses, engine)
        except Wrong as wrong:
            found.say(f"data/checkpoint is not as it should be. {wrong}")
    if found.head is None or not {"data/records.jsonl", "data/media.jsonl"} <= sound:
        return
    before = len(found.problems)
    try:
        _examine_records(files, found, sound, engine)
    except Wrong as wrong:
        found.say(str(wrong))
    # What is made from the records can only be judged where they are right themselves.
    if len(found.problems) == before:
        for problem in _compare_texts(files, found, sound):
            found.say(problem)


def _examine_apart(files: Files, found: Findings, sound: set[str]) -> None:
    """What can be judged without the head of the log: the seal, and the answers of channels."""
    if "tagmanifest-sha256.txt" in files.sizes:
        found.seal = hash_pieces(files.chunks("tagmanifest-sha256.txt"))[0]
    if "verify.py" in sound:
        found.verifier = hash_pieces(files.chunks("verify.py"))[0]
    for name in sorted(sound):
        if name.startswith("data/warc/"):
            try:
                found.summary.captures += check_captures(files, name)
            except Wrong as wrong:
                found.damaged.add(name)
                found.say(str(wrong))


def _open_head(
    files: Files, found: Findings, keys: Sequence[Key], witnesses: Sequence[Key], engine: Engine
) -> Head:
    policy = read_policy(files)
    log = policy[0]
    if keys and log not in keys:
        raise Wrong(
            f"It is signed by a key that is not among those you gave: {log.text}. It may come from "
            f"another log, or from somebody who made the log up."
        )
    note = files.read("data/checkpoint", MAX_SMALL)
    head = engine.open_checkpoint(note, policy)
    for key in policy[1:]:
        if key not in head.witnesses:
            raise Wrong(f"data/policy names the witness {key.name}, who did not sign.")
    for key in witnesses:
        if key not in head.witnesses:
            found.say(f"The witness {key.name} that you asked for did not sign the checkpoint.")
    found.key_trusted = bool(keys)
    return head


def _examine_records(files: Files, found: Findings, sound: set[str], engine: Engine) -> None:
    captures = found.summary.captures
    summary = found.summary = Summary(_checked_media(files, found, sound))
    summary.captures = captures
    seen: set[str] = set()
    for record in read_records(files):
        entry_id = record.get("folkmoot:entry")
        name = f"data/{proof_name(entry_id)}" if isinstance(entry_id, str) else ""
        if name in found.damaged:
            continue  # said already
        if name not in sound or name in seen:
            found.say(
                f"data/records.jsonl has an entry {entry_id!r} without a proof of its own: there "
                f"is no such file, or the entry stands there twice."
            )
            continue
        seen.add(name)
        try:
            proved = _prove(files, found, name, engine)
        except Wrong as wrong:
            found.say(f"{name} proves nothing. {wrong}")
            continue
        problem = _find_difference(record, proved)
        if problem is not None:
            found.say(problem)
            continue
        summary.add(record)
    for name in sorted(sound - seen):
        if name.startswith("data/proofs/"):
            found.say(f"{name} proves an entry that is not in data/records.jsonl.")


def _prove(files: Files, found: Findings, name: str, engine: Engine) -> Proved:
    head = found.head
    assert head is not None
    data = files.read(name, MAX_SMALL)
    if data.partition(b"\n\n")[2] != head.note:
        raise Wrong("It leads to another head than data/checkpoint.")
    proved = engine.open_proof(data, head)
    if name != f"data/{proof_name(proved.entry['id'])}":
        raise Wrong(f"It is the proof of another entry: {proved.entry['id']}.")
    return proved


def _find_difference(record: dict[str, Any], proved: Proved) -> str | None:
    """What a record says that its proof does not."""
    problem = _find_other_words(record, proved)
    return problem and f"data/records.jsonl, entry {proved.entry['id']}: {problem}"


def _find_other_words(record: dict[str, Any], proved: Proved) -> str | None:  # noqa: PLR0911
    shown, withheld = record.get("folkmoot:disclosed"), record.get("folkmoot:withheld")
    names: Any = record.get("folkmoot:names")
    if not isinstance(shown, dict) or not isinstance(withheld, list) or not _are_texts(names):
        return "it is not in its form; it was changed."
    if not all(
        _are_texts(one) and set(one) == {"field", "exemption", "reason"} for one in withheld
    ):
        return "what it says is withheld is not in its form."
    for label in sorted({*shown, *proved.disclosed}):
        if label not in proved.disclosed:
            return f"it shows the field {label!r}, which its proof does not show."
        if label not in shown:
            return f"it does not show the field {label!r}, which its proof shows."
        if shown[label] != proved.disclosed[label]:
            return f"the field {label!r} is not the text that its proof shows."
    fields = [one["field"] for one in withheld]
    if sorted(fields) != sorted(set(proved.entry["commitments"]) - set(proved.disclosed)):
        return "the fields it says are withheld are not those that its proof does not show."
    if not all(one["exemption"] for one in withheld):
        return "a field is withheld without an exemption."
    if write_canonical(make_record(proved, withheld, names)) != write_canonical(record):
        return "it is not what its proof makes of it; it was changed."
    return None


def _are_texts(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())


def _checked_media(files: Files, found: Findings, sound: set[str]) -> list[dict[str, str]]:
    media = read_media(files)
    for one in media:
        name = f"data/{one['url']}"
        if name in sound and hash_pieces(files.chunks(name))[0] != one["folkmoot:sha256"]:
            found.say(f"{name} is not the file that its name says: its SHA-256 is another.")
    return media


def _compare_texts(files: Files, found: Findings, sound: set[str]) -> Iterator[str]:
    """Whatever can be worked out anew from the records, and does not stand in the bag so."""
    head = found.head
    assert head is not None
    if "data/about.json" not in sound:
        return
    try:
        about = read_about(files)
    except Wrong as wrong:
        yield f"data/about.json is not as it should be. {wrong}"
        return
    payload = [size for name, size in files.sizes.items() if name.startswith("data/")]
    for name, texts in (
        ("bagit.txt", [BAGIT]),
        ("bag-info.txt", [render_info(about, sum(payload), len(payload))]),
        ("README.txt", [render_readme(about)]),
        ("data/records.csv", render_csv(read_records(files))),
        ("data/redactions.csv", render_redactions(read_records(files))),
        ("data/index.html", render_page(about, head, found.summary, read_records(files))),
    ):
        # The page counts entries and answers, bag-info.txt bytes: not of what is damaged.
        counted = {"data/index.html": ("data/warc/", "data/proofs/"), "bag-info.txt": ("data/",)}
        if any(one.startswith(counted.get(name, ())) for one in found.damaged):
            continue
        if name in sound and not files.is_exactly(name, texts):
            yield f"{name} does not say what data/records.jsonl and data/about.json say."
