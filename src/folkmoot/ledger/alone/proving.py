"""Entries, the commitments to their fields, and proofs that they are in the log.

Canonical JSON; RFC 6962 section 2.1 for the tree; C2SP tlog-proof for the file.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple, NoReturn

from .keys import MAX_SMALL, Head, Wrong, decode_base64, parse_number

_MAGIC = "c2sp.org/tlog-proof@v1"
_MAX_ENTRY = 65_535
_MAX_HASHES = 63
_OPAQUE = r"[A-Za-z0-9._:/#-]{0,128}"
_ID = r"[0-9a-f]{32}"
_HASH = r"[0-9a-f]{64}"
_LABEL = r"[a-z][a-z0-9_.-]{0,63}"
_FORMS = {
    "id": _ID,
    "kind": r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+",
    "organisation": _OPAQUE,
    "actor": _OPAQUE,
    "role": _OPAQUE,
    "subject": _OPAQUE,
    "retention": r"[A-Za-z0-9._-]{1,64}",
    "at": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z",
}


class Proved(NamedTuple):
    """What a proof file proves: the entry's header, its place, and the fields shown."""

    entry: dict[str, Any]
    number: int
    disclosed: dict[str, str]


def write_canonical(value: object) -> bytes:
    """``value`` as JSON in its one form: keys sorted, no spaces, UTF-8."""
    try:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return text.encode()
    except (UnicodeEncodeError, RecursionError) as wrong:
        raise Wrong("A part cannot be written as canonical JSON.") from wrong


def read_canonical(data: bytes) -> Any:
    """The value that ``data`` is the canonical JSON of."""
    try:
        value = json.loads(
            data.decode(),
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
            parse_int=parse_integer,
        )
    except (ValueError, RecursionError) as wrong:
        raise Wrong("A part is not JSON of text, whole numbers, lists and objects.") from wrong
    if write_canonical(value) != data:
        raise Wrong("A part in JSON is not in its canonical form; it was changed.")
    return value


def parse_integer(digits: str) -> int:
    """A whole number of JSON. None here is longer; some Pythons take minutes over a huge one."""
    if len(digits) > 20:  # noqa: PLR2004 - 2**64 and a sign
        _refuse_number(digits)
    return int(digits)


def _refuse_number(_text: str) -> NoReturn:
    raise ValueError("no whole number that could stand here")


def commitment(entry_id: str, label: str, salt: bytes, value: str) -> str:
    """What the log keeps of a field, as 64 hexadecimal digits."""
    parts = [b"\x02"]
    for text in (entry_id, label):
        parts += [len(text.encode()).to_bytes(8, "big"), text.encode()]
    data = value.encode()
    return sha256(b"".join([*parts, salt, len(data).to_bytes(8, "big"), data])).hexdigest()


def read_entry(data: bytes) -> dict[str, Any]:
    """An entry's header, every part of it in its form."""
    if len(data) > _MAX_ENTRY:
        raise Wrong("An entry is longer than 65,535 bytes.")
    entry = read_canonical(data)
    if not isinstance(entry, dict) or set(entry) != {*_FORMS, "version", "links", "commitments"}:
        raise Wrong("An entry does not have exactly the keys it must have.")
    if type(entry["version"]) is not int or entry["version"] != 1:
        raise Wrong("An entry is of a version that cannot be read here.")
    for name, form in _FORMS.items():
        if not _is(entry[name], form):
            raise Wrong(f"The {name} of an entry is not in its form.")
    try:
        datetime.strptime(entry["at"], "%Y-%m-%dT%H:%M:%S.%fZ")  # noqa: DTZ007 - only whether it is
    except ValueError as wrong:
        raise Wrong(f"There is no such time as {entry['at']}.") from wrong
    links, commitments = entry["links"], entry["commitments"]
    if not isinstance(links, list) or not all(_is(link, _ID) for link in links):
        raise Wrong("The links of an entry must be entries' ids.")
    if not isinstance(commitments, dict) or not all(
        _is(label, _LABEL) and _is(one, _HASH) for label, one in commitments.items()
    ):
        raise Wrong("The commitments of an entry must be hashes by label.")
    return entry


def _is(value: object, form: str) -> bool:
    return isinstance(value, str) and re.fullmatch(form, value) is not None


def open_proof(data: bytes, head: Head) -> Proved:
    """What a proof file proves, given that it ends in the note of ``head``."""
    lines, extra = _split_proof(data)
    held = read_canonical(extra)
    if not isinstance(held, dict) or set(held) != {"disclosed", "entry", "vkey"}:
        raise Wrong("It must hold exactly an entry, what is disclosed and a key.")
    if held["vkey"] != head.log.text:
        raise Wrong("It names another key than the one that signed the checkpoint.")
    if not isinstance(held["entry"], str) or not isinstance(held["disclosed"], dict):
        raise Wrong("It must hold its entry as text, and what is disclosed by label.")
    leaf = held["entry"].encode()
    entry = read_entry(leaf)
    shown = {
        label: _open_field(entry, label, opening) for label, opening in held["disclosed"].items()
    }
    index = parse_number(lines[2][len("index ") :])
    path = [decode_base64(line) for line in lines[3:]]
    if _root(leaf, index, head.size, path) != head.root:
        raise Wrong("It leads to another root: this entry is not in the log at its head.")
    return Proved(entry, index, shown)


def _split_proof(data: bytes) -> tuple[list[str], bytes]:
    if len(data) > MAX_SMALL:
        raise Wrong("A proof of more than 1 MiB is not read.")
    try:
        lines = data.decode().partition("\n\n")[0].split("\n")
    except UnicodeError as wrong:
        raise Wrong("It is not UTF-8 text.") from wrong
    if lines[0] != _MAGIC:
        raise Wrong(f"It does not begin with the line {_MAGIC}.")
    if len(lines) < 3 or not lines[1].startswith("extra ") or not lines[2].startswith("index "):  # noqa: PLR2004
        raise Wrong("Its second and third line do not begin with 'extra ' and 'index '.")
    if len(lines) - 3 > _MAX_HASHES:
        raise Wrong("It has more hashes than any log needs.")
    return lines, decode_base64(lines[1][len("extra ") :])


def _open_field(entry: dict[str, Any], label: str, opening: object) -> str:
    if label not in entry["commitments"]:
        raise Wrong(f"It shows a field {label!r} that the entry does not have.")
    if not isinstance(opening, dict) or set(opening) != {"salt", "value"}:
        raise Wrong(f"The field {label!r} does not hold exactly a salt and a value.")
    salt, value = opening["salt"], opening["value"]
    if not _is(salt, _HASH) or not isinstance(value, str):
        raise Wrong(f"The field {label!r} needs 64 hexadecimal digits of salt, and text.")
    if commitment(entry["id"], label, bytes.fromhex(salt), value) != entry["commitments"][label]:
        raise Wrong(f"The field {label!r} is not what the entry was sealed with; it was changed.")
    return value


def _root(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that a path of hashes leads to (RFC 9162 section 2.1.3.2)."""
    if index >= size:
        raise Wrong(f"A log of {size} entries has no entry number {index}.")
    shared = (index ^ (size - 1)).bit_length()
    wanted = shared + bin(index >> shared).count("1")  # noqa: FURB161 - bit_count is of 3.10
    if len(path) != wanted or any(len(one) != 32 for one in path):  # noqa: PLR2004 - SHA-256
        raise Wrong(f"It must have {wanted} hashes of 32 bytes; it has {len(path)}.")
    node = sha256(b"\x00" + leaf).digest()
    for height, sibling in enumerate(path):
        on_the_right = height >= shared or index >> height & 1
        pair = sibling + node if on_the_right else node + sibling
        node = sha256(b"\x01" + pair).digest()
    return node
