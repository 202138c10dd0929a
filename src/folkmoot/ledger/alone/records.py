"""What the bag says of each entry: one ActivityStreams 2.0 object a line.

https://www.w3.org/TR/activitystreams-core/ has no words for proofs, commitments and what is
withheld; those keys begin with ``folkmoot:``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .files import Files
from .keys import Wrong
from .proving import Proved, read_canonical

CONTEXT = ["https://www.w3.org/ns/activitystreams", {"folkmoot": "urn:x-folkmoot:"}]
EXTENSIONS = {
    "application/pdf": "pdf",
    "image/avif": "avif",
    "image/gif": "gif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "text/plain": "txt",
    "video/mp4": "mp4",
}
"""How a medium's file name ends. Others end in ``bin``: a browser is not to guess what they are."""

_TYPES = {
    "sent": "Create",
    "edited": "Update",
    "deleted": "Delete",
    "signed": "Accept",
    "sent_back": "Reject",
    "refused": "Reject",
}
_NAMED = ("actor", "organisation", "role", "subject")
_NAMED_HASH = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_MEDIA_TYPE = re.compile(r"[a-z]{1,20}/[a-z0-9][a-z0-9.+-]{0,80}")


def proof_name(entry_id: str) -> str:
    """The file of an entry's proof, below ``data/``."""
    return f"proofs/{entry_id}.tlog-proof"


def make_record(
    proved: Proved, withheld: list[dict[str, str]], names: dict[str, str]
) -> dict[str, Any]:
    """The object for one entry.

    ``withheld`` has ``field``, ``exemption`` and ``reason`` for every field the proof does not
    show; ``names`` has words for ids, of which those that the entry has are taken.
    """
    entry = proved.entry
    names = {entry[part]: names[entry[part]] for part in _NAMED if names.get(entry[part])}
    record: dict[str, Any] = {
        "@context": CONTEXT,
        "type": _TYPES.get(entry["kind"].rpartition(".")[2], "Activity"),
        "id": _urn(entry["id"]),
        "published": entry["at"],
        "object": _thing(entry["subject"], names),
        "folkmoot:entry": entry["id"],
        "folkmoot:number": proved.number,
        "folkmoot:kind": entry["kind"],
        "folkmoot:organisation": entry["organisation"],
        "folkmoot:role": entry["role"],
        "folkmoot:retention": entry["retention"],
        "folkmoot:links": [_urn(link) for link in entry["links"]],
        "folkmoot:names": names,
        "folkmoot:disclosed": proved.disclosed,
        "folkmoot:withheld": sorted(withheld, key=lambda one: one["field"]),
        "folkmoot:proof": proof_name(entry["id"]),
    }
    if entry["actor"]:
        record["actor"] = _thing(entry["actor"], names)
    if "text" in proved.disclosed:
        text = {"content": proved.disclosed["text"], "mediaType": "text/plain"}
        record["object"].update(text, type="Note")
    return record


def _urn(entry_id: str) -> str:
    parts = (entry_id[a:b] for a, b in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32)))
    return f"urn:uuid:{'-'.join(parts)}"


def _thing(opaque: str, names: dict[str, str]) -> dict[str, Any]:
    held: dict[str, Any] = {"type": "Object", "folkmoot:id": opaque}
    if opaque in names:
        held["name"] = names[opaque]
    return held


def make_medium(sha256: str, media_type: str, alt: str) -> dict[str, str]:
    """The object for one medium, a line of ``data/media.jsonl``."""
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise Wrong(f"{media_type!r} is not the name of a kind of file, such as image/png.")
    return {
        "type": "Image" if media_type.startswith("image/") else "Document",
        "mediaType": media_type,
        "name": alt,
        "url": f"media/{sha256}.{EXTENSIONS.get(media_type, 'bin')}",
        "folkmoot:sha256": sha256,
    }


def read_records(files: Files) -> Iterator[dict[str, Any]]:
    """The objects of ``data/records.jsonl`` in their order."""
    for line in files.lines("data/records.jsonl"):
        record = read_canonical(line)
        if not isinstance(record, dict):
            raise Wrong("A line of data/records.jsonl is not an object.")
        yield record


def read_media(files: Files) -> list[dict[str, str]]:
    """The objects of ``data/media.jsonl``, each of which must have its file and no file be left."""
    media = []
    for line in files.lines("data/media.jsonl"):
        held = read_canonical(line)
        if not isinstance(held, dict) or not all(isinstance(one, str) for one in held.values()):
            raise Wrong("A line of data/media.jsonl is not an object of texts.")
        try:
            made = make_medium(held["folkmoot:sha256"], held["mediaType"], held["name"])
        except KeyError as wrong:
            raise Wrong("A line of data/media.jsonl lacks a part.") from wrong
        if made != held:
            raise Wrong("A line of data/media.jsonl is not in its form; it was changed.")
        media.append(made)
    listed = sorted(f"data/{one['url']}" for one in media)
    if listed != sorted(name for name in files.sizes if name.startswith("data/media/")):
        raise Wrong("data/media.jsonl does not list exactly the files in data/media.")
    return media


class Summary:
    """What the records come to, gathered one at a time."""

    def __init__(self, media: list[dict[str, str]]) -> None:
        self.media = media
        self.entries = 0
        self.withheld = 0
        self.captures = 0
        self.exemptions: dict[str, int] = {}
        """How many fields are withheld under each."""
        self.named_in: dict[str, int] = {}
        """For a medium's SHA-256, the number of the first entry with a released text naming it."""
        self._hashes = {one["folkmoot:sha256"] for one in media}

    def add(self, record: dict[str, Any]) -> None:
        """Count one more record."""
        self.entries += 1
        for one in record["folkmoot:withheld"]:
            self.withheld += 1
            self.exemptions[one["exemption"]] = self.exemptions.get(one["exemption"], 0) + 1
        if self._hashes:
            for text in record["folkmoot:disclosed"].values():
                for found in _NAMED_HASH.findall(text):
                    if found in self._hashes:
                        self.named_in.setdefault(found, record["folkmoot:number"])
