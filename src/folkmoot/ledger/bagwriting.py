"""Writing a bag: the payload, hashed as it is written; the texts made from it; the manifests.

The ``bagit`` library would make a bag in place, with the process's working directory changed while
it does, today's date, BagIt 0.97, and every file read again to be hashed. So the few lines that
BagIt asks for are written here, and that library judges them in the tests.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256, sha512
from pathlib import Path
from typing import BinaryIO

from .alone import verifier_source
from .alone.files import CHUNK, Files
from .alone.keys import LOG, Head, Key, Wrong, parse_key
from .alone.manifests import ALGORITHMS, PAYLOAD, is_listed, render_manifest
from .alone.page import render_page
from .alone.proving import Proved, write_canonical
from .alone.records import Summary, make_medium, make_record, proof_name, read_records
from .alone.spreadsheet import render_csv, render_redactions
from .alone.words import (
    BAGIT,
    FORMAT,
    check_about,
    render_info,
    render_policy,
    render_readme,
)
from .bagcaptures import write_captures
from .bagchecking import ENGINE
from .bagparts import BagWritten, Capture, Item, Medium, Redaction
from .cosigning import Witness
from .entries import render_time
from .errors import BagError, LedgerError
from .notes import NoteVerifier, Verifier, open_note
from .proofs import make_proof

# Packed already; packing them again would only take time.
_STORED = (".avif", ".gif", ".gz", ".jpg", ".mp4", ".png", ".webp")


def write_bag(
    folder: Path,
    *,
    title: str,
    about: str,
    made_at: datetime,
    checkpoint: str,
    policy: Sequence[str],
    items: Iterable[Item],
    redactions: Iterable[Redaction] = (),
    media: Iterable[Medium] = (),
    captures: Iterable[Capture] = (),
    info: Mapping[str, str] | None = None,
) -> BagWritten:
    """Write a bag into ``folder``, which must not exist or be empty. Nothing is left on failure.

    ``items``, ``media`` and ``captures`` are taken one at a time and may be generators. The same
    arguments give the same bytes.

    Args:
        folder: where the bag goes; its name is the bag's name.
        title: one line; the title of the readable page.
        about: what was asked for and how the entries were chosen; paragraphs apart by empty lines.
        made_at: aware UTC.
        checkpoint: the signed head that every item's path leads to. Signatures by keys not in
            ``policy`` are left out.
        policy: public keys: the log's, and those of witnesses, in any order. Exactly one is the
            log's. Of the witnesses, those that cosigned the checkpoint go into the bag.
        items: the entries in the order in which people should read them, each once.
        redactions: one for every field of every item that is not disclosed, and no others.
        media: files by their SHA-256. One given twice is written once.
        captures: answers of channels, in order.
        info: further lines of ``bag-info.txt`` (``Source-Organization``, ``Contact-Email``...).

    Raises :class:`BagError` where the parts do not fit: a field neither disclosed nor redacted, a
    redaction of a field that is disclosed or of an entry that is not in the bag, an entry twice, a
    medium with another hash, text that cannot stand in its place; :class:`LedgerError` where a
    proof does not hold; ``OSError`` where the disk refuses.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BagError(f"{folder} exists and is not an empty folder; nothing was written.")
    try:
        held = check_about(
            {
                "about": about,
                "format": FORMAT,
                "info": dict(info or {}),
                "made_at": _render_utc(made_at),
                "title": title,
            }
        )
        keys, head = _choose_keys(checkpoint, policy)
        there = folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        try:
            bag = _Bag(folder, held, head, redactions)
            return bag.write(keys, items, media, captures)
        except BaseException:
            shutil.rmtree(folder)
            if there:
                folder.mkdir()
            raise
    except Wrong as wrong:
        raise BagError(str(wrong)) from wrong


def zip_bag(folder: Path, target: Path) -> None:
    """Write the bag in ``folder`` to the zip file ``target``, below one folder of its name.

    The same bag gives the same bytes: names sorted, times fixed. Raises ``OSError``;
    ``FileExistsError`` where ``target`` exists.
    """
    top = folder.resolve().name
    made = False
    try:
        with target.open("xb") as file, zipfile.ZipFile(file, "w") as archive:
            made = True
            found = (one for one in folder.rglob("*") if one.is_file())
            for name, path in sorted((one.relative_to(folder).as_posix(), one) for one in found):
                entry = zipfile.ZipInfo(f"{top}/{name}", date_time=(1980, 1, 1, 0, 0, 0))
                entry.create_system = 3  # Unix on every machine, so that the bytes are the same
                entry.external_attr = 0o644 << 16
                packed = path.suffix not in _STORED
                entry.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
                entry.file_size = path.stat().st_size
                with path.open("rb") as source, archive.open(entry, "w") as sink:
                    shutil.copyfileobj(source, sink, CHUNK)
    except BaseException:
        if made:
            target.unlink()
        raise


def _render_utc(at: datetime) -> str:
    if at.utcoffset() != timedelta(0):
        raise BagError("The time at which a bag is made must be given in UTC.")
    return render_time(at)


def _choose_keys(checkpoint: str, policy: Sequence[str]) -> tuple[list[Key], Head]:
    """The keys that signed, log first, and the head with their signatures alone."""
    keys = [parse_key(text) for text in policy]
    logs = [key for key in keys if key.kind == LOG]
    if len(logs) != 1:
        raise BagError("The policy must have the key of exactly one log.")
    verifiers: dict[NoteVerifier, Key] = {Verifier(logs[0].name, logs[0].public): logs[0]}
    for key in keys:
        if key.kind != LOG:
            verifiers[Witness(key.name, key.public)] = key
    note = open_note(checkpoint, verifiers)
    signed = [verifiers[one] for one in note.signed_by]
    head = ENGINE.open_checkpoint(note.to_text().encode(), signed)
    return [head.log, *head.witnesses], head


class _Sink:
    """A file being written, with its size and hashes."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.size = 0
        self.hashes = (sha256(), sha512())

    def write(self, data: bytes) -> int:
        self.size += len(data)
        for one in self.hashes:
            one.update(data)
        return self.file.write(data)

    def flush(self) -> None:
        self.file.flush()

    @property
    def digests(self) -> tuple[str, ...]:
        return tuple(one.hexdigest() for one in self.hashes)


class _Bag:
    """A bag being written."""

    def __init__(
        self, folder: Path, about: dict[str, object], head: Head, redactions: Iterable[Redaction]
    ) -> None:
        self.folder = folder
        self.about = about
        self.head = head
        self.witnesses = [key.text for key in head.witnesses]
        self.summary = Summary([])
        self.sizes: dict[str, int] = {}
        self.digests: dict[str, tuple[str, ...]] = {}
        self.redactions: dict[tuple[str, str], Redaction] = {}
        for one in redactions:
            if (one.entry_id, one.label) in self.redactions:
                raise BagError(f"The field {one.label!r} of {one.entry_id} is redacted twice.")
            if not one.exemption.strip():
                raise BagError(
                    f"The field {one.label!r} of {one.entry_id} is withheld without an exemption; "
                    f"name what it is withheld under."
                )
            self.redactions[one.entry_id, one.label] = one

    def write(
        self,
        keys: list[Key],
        items: Iterable[Item],
        media: Iterable[Medium],
        captures: Iterable[Capture],
    ) -> BagWritten:
        for folder in ("data/media", "data/proofs", "data/warc"):
            (self.folder / folder).mkdir(parents=True)
        self._write("data/checkpoint", [self.head.note])
        self._write_text("data/policy", [render_policy(keys)])
        self._write("data/about.json", [write_canonical(self.about)])
        self.summary = Summary(self._write_media(media))
        self._write(
            "data/media.jsonl", (write_canonical(one) + b"\n" for one in self.summary.media)
        )
        self.summary.captures = write_captures(
            captures, lambda: self._open("data/warc/answers.warc.gz")
        )
        self._write_records(items)
        self._write_texts()
        self._write_manifests()
        payload = [size for name, size in self.sizes.items() if name.startswith(PAYLOAD)]
        return BagWritten(
            entries=self.summary.entries,
            withheld=self.summary.withheld,
            media=len(self.summary.media),
            captures=self.summary.captures,
            files=len(self.sizes),
            payload_bytes=sum(payload),
            manifest_sha256=self.digests["tagmanifest-sha256.txt"][0],
        )

    @contextmanager
    def _open(self, name: str) -> Iterator[_Sink]:
        with (self.folder / name).open("xb") as file:
            sink = _Sink(file)
            yield sink
        self.sizes[name] = sink.size
        self.digests[name] = sink.digests

    def _write(self, name: str, pieces: Iterable[bytes]) -> None:
        with self._open(name) as sink:
            for piece in pieces:
                sink.write(piece)

    def _write_text(self, name: str, texts: Iterable[str]) -> None:
        self._write(name, (text.encode() for text in texts))

    def _write_media(self, media: Iterable[Medium]) -> list[dict[str, str]]:
        listed: dict[str, dict[str, str]] = {}
        for medium in media:
            if medium.sha256 in listed:
                continue
            made = make_medium(medium.sha256, medium.media_type, medium.alt)
            name = f"data/{made['url']}"
            if len(medium.sha256) != 64 or not set(medium.sha256) <= set("0123456789abcdef"):  # noqa: PLR2004
                raise BagError("A medium's SHA-256 must be 64 hexadecimal digits.")
            self._write(name, _pieces(medium.data))
            if self.digests[name][0] != medium.sha256:
                raise BagError(f"The medium {medium.sha256} was changed: its SHA-256 is another.")
            listed[medium.sha256] = made
        return list(listed.values())

    def _write_records(self, items: Iterable[Item]) -> None:
        with self._open("data/records.jsonl") as sink:
            for item in items:
                record = self._write_item(item)
                sink.write(write_canonical(record) + b"\n")
                self.summary.add(record)
        if self.redactions:
            entry_id, label = next(iter(self.redactions))
            raise BagError(
                f"The field {label!r} of {entry_id} is redacted, and no entry of the bag withholds "
                f"it: it is disclosed, the entry lacks it, or is not in the bag."
            )

    def _write_item(self, item: Item) -> dict[str, object]:
        entry = item.entry
        name = f"{PAYLOAD}{proof_name(entry.id)}"
        if name in self.sizes:
            raise BagError(f"The entry {entry.id} is given twice.")
        disclosed = {one.label: one.value for one in item.disclosed}
        if len(disclosed) != len(item.disclosed):
            raise BagError(f"The entry {entry.id} discloses a field twice.")
        withheld = [
            self._take_redaction(entry.id, label)
            for label in entry.commitments
            if label not in disclosed
        ]
        try:
            proof = make_proof(
                entry,
                item.disclosed,
                index=item.index,
                path=item.path,
                checkpoint=self.head.note.decode(),
                vkey=self.head.log.text,
                witnesses=self.witnesses,
            )
        except LedgerError as wrong:
            raise BagError(f"The entry {entry.id} has no proof. {wrong}") from wrong
        self._write_text(name, [proof])
        proved = Proved(json.loads(entry.to_bytes()), item.index, disclosed)
        return make_record(proved, withheld, dict(item.names))

    def _take_redaction(self, entry_id: str, label: str) -> dict[str, str]:
        one = self.redactions.pop((entry_id, label), None)
        if one is None:
            raise BagError(
                f"The field {label!r} of {entry_id} is neither disclosed nor redacted: say under "
                f"which exemption it is withheld."
            )
        return {"field": label, "exemption": one.exemption, "reason": one.reason}

    def _write_texts(self) -> None:
        """The files that are worked out from the records, as the check works them out again."""
        records = Files(self.sizes, lambda name: (self.folder / name).open("rb"))
        self._write_text("data/records.csv", render_csv(read_records(records)))
        self._write_text("data/redactions.csv", render_redactions(read_records(records)))
        page = render_page(self.about, self.head, self.summary, read_records(records))
        self._write_text("data/index.html", page)

    def _write_manifests(self) -> None:
        payload = [size for name, size in self.sizes.items() if name.startswith(PAYLOAD)]
        self._write_text("bagit.txt", [BAGIT])
        self._write_text("bag-info.txt", [render_info(self.about, sum(payload), len(payload))])
        self._write_text("README.txt", [render_readme(self.about)])
        self._write_text("verify.py", [verifier_source()])
        for kind in ("manifest", "tagmanifest"):
            for place, algorithm in enumerate(ALGORITHMS):
                name = f"{kind}-{algorithm}.txt"
                lines = {
                    held: digests[place]
                    for held, digests in self.digests.items()
                    if is_listed(name, held)
                }
                self._write_text(name, [render_manifest(lines)])


def _pieces(data: bytes | Path) -> Iterator[bytes]:
    if isinstance(data, bytes):
        yield data
        return
    with data.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece
