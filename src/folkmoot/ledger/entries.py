"""What one entry of the record says, and the sealed fields that hold what it is about.

An entry's header holds no personal data: opaque ids, a kind, a time, and for each *field* one
commitment. The field's text and salt are kept elsewhere, encrypted; once they are destroyed, the
commitment that stays in the log says nothing, and every proof still holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, NoReturn

from .errors import EntryError

if TYPE_CHECKING:
    from hashlib import _Hash

VERSION = 1
SALT_BYTES = 32
MAX_ENTRY_BYTES = 65_535
"""The longest entry that a C2SP entry bundle can hold."""

_COMMITMENT = b"\x02"
_TIME_LENGTH = len("2026-11-20T09:30:00.000000")
_NO_TEXT = "A field must be text that UTF-8 can hold."
_ID_DIGITS, _HASH_DIGITS = 32, 64
_HEX_ID = re.compile(rf"[0-9a-f]{{{_ID_DIGITS}}}")
_HEX_HASH = re.compile(rf"[0-9a-f]{{{_HASH_DIGITS}}}")
_KIND = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+")
# No space and no @: an e-mail address or a person's name put here by mistake is refused.
_OPAQUE = re.compile(r"[A-Za-z0-9._:/#-]{0,128}")
_RETENTION = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LABEL = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Field:
    """One labelled text of an entry with the salt that hides it: the opening of a commitment."""

    label: str
    value: str
    salt: bytes


def commit(context: str, label: str, salt: bytes, value: str) -> bytes:
    """The 32-byte commitment to ``value``: what the log keeps of a field.

    SHA-256(0x02 || len(context) || context || len(label) || label || salt || len(value) || value),
    texts as UTF-8, lengths in bytes as 8 bytes big-endian, salt of exactly 32 bytes. The first
    byte keeps it apart from the tree's own hashes (0x00 and 0x01). For a field of an
    :class:`Entry` the context is the entry's id, so an opening fits one entry and one label only.

    Raises :class:`EntryError` for a salt of another length or text that UTF-8 cannot hold.
    """
    return _committer(context)(label, salt, value).digest()


def _committer(context: str) -> Callable[[str, bytes, str], _Hash]:
    """:func:`commit` for many fields of one context, whose hash is begun once."""
    try:
        begin = sha256(_COMMITMENT + _sized(context)).copy
    except UnicodeEncodeError as wrong:
        raise EntryError(_NO_TEXT) from wrong

    def commit_to(label: str, salt: bytes, value: str) -> _Hash:
        if len(salt) != SALT_BYTES:
            raise EntryError(f"A salt must be {SALT_BYTES} random bytes; this one has {len(salt)}.")
        hasher = begin()
        try:
            data = value.encode()
            hasher.update(_sized_label(label) + salt + len(data).to_bytes(8, "big") + data)
        except UnicodeEncodeError as wrong:
            raise EntryError(_NO_TEXT) from wrong
        return hasher

    return commit_to


def _sized(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(8, "big") + data


# Labels are few and come again with every entry.
_sized_label = lru_cache(maxsize=1024)(_sized)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done: the header that goes into the log, without personal data.

    ``organisation``, ``actor``, ``role`` and ``subject`` are opaque ids of letters, digits and
    ``. _ : / # -``, or empty. Raises :class:`EntryError` where any part breaks the form.
    """

    id: str
    """32 hexadecimal digits: 128 random bits."""
    kind: str
    """What happened, in the past tense: ``draft.sent_back``."""
    at: datetime
    """When, as aware UTC, to the microsecond."""
    organisation: str
    actor: str
    role: str
    subject: str
    retention: str
    """The name of the retention class, which says when the sealed fields are destroyed."""
    links: tuple[str, ...] = ()
    """Ids of entries this one follows from."""
    commitments: Mapping[str, str] = field(default_factory=dict, hash=False)
    """For each field's label its commitment, 64 hexadecimal digits."""
    version: int = VERSION

    def __post_init__(self) -> None:
        if type(self.version) is not int or self.version != VERSION:
            raise EntryError(f"An entry of version {self.version!r} cannot be read here.")
        header = (
            *(self.id, self.kind, self.organisation, self.actor),
            *(self.role, self.subject, self.retention),
        )
        if not _fit(header, _HEADER):
            self._refuse_header()
        at: object = self.at  # what was parsed may be anything
        if not isinstance(at, datetime) or at.utcoffset() is None:
            raise EntryError("An entry's time must be an aware datetime.")
        if self.at.tzinfo is not UTC:
            if self.at.utcoffset():
                raise EntryError("An entry's time must be given in UTC.")
            object.__setattr__(self, "at", self.at.replace(tzinfo=UTC))
        object.__setattr__(self, "links", tuple(self.links))
        object.__setattr__(self, "commitments", MappingProxyType(dict(self.commitments)))
        if not (
            _are_hex(self.links, _ID_DIGITS)
            and _fit(self.commitments, _LABELS)
            and _are_hex(self.commitments.values(), _HASH_DIGITS)
        ):
            self._refuse_references()

    def _refuse_header(self) -> NoReturn:
        for name, form in _FORMS.items():
            value = getattr(self, name)
            if not _fits(value, form):
                raise EntryError(f"The {name} {value!r} of an entry must match {form.pattern}.")
        raise EntryError("A part of the entry's header is not in its form.")

    def _refuse_references(self) -> NoReturn:
        for link in self.links:
            if not _fits(link, _HEX_ID):
                raise EntryError(f"The link {link!r} is not an entry's id.")
        for label, commitment in self.commitments.items():
            if not _fits(label, _LABEL):
                raise EntryError(f"The label {label!r} must match {_LABEL.pattern}.")
            if not _fits(commitment, _HEX_HASH):
                raise EntryError(f"The commitment of {label!r} must be 64 hexadecimal digits.")
        raise EntryError("A link or a commitment of the entry is not in its form.")

    def to_bytes(self) -> bytes:
        """The entry as canonical JSON: what is hashed into the log (``leaf_hash``).

        Keys sorted, no spaces, UTF-8. Raises :class:`EntryError` above 65,535 bytes.
        """
        # What canonical_json would write, in a fifth of the time: no part's form has a character
        # that JSON escapes, and the keys stand here in their order.
        data = "".join(
            (
                *('{"actor":"', self.actor, '","at":"', render_time(self.at)),
                *('","commitments":{', _join_pairs(self.commitments), '},"id":"', self.id),
                *('","kind":"', self.kind, '","links":[', _join_quoted(self.links)),
                *('],"organisation":"', self.organisation, '","retention":"', self.retention),
                *('","role":"', self.role, '","subject":"', self.subject),
                *('","version":', str(self.version), "}"),
            )
        ).encode("ascii")
        if len(data) > MAX_ENTRY_BYTES:
            raise EntryError(f"An entry may be {MAX_ENTRY_BYTES} bytes; this is {len(data)}.")
        return data

    @classmethod
    def from_bytes(cls, data: bytes) -> Entry:
        """The entry that :meth:`to_bytes` wrote.

        Raises :class:`EntryError` for anything that is not byte for byte what :meth:`to_bytes`
        would write: another order, a space, an unknown or repeated key, a missing one.
        """
        if len(data) > MAX_ENTRY_BYTES:
            raise EntryError(f"An entry may be {MAX_ENTRY_BYTES} bytes; this is {len(data)}.")
        held = _parse(data)
        if not isinstance(held, dict) or held.keys() != _KEYS:
            raise EntryError(f"An entry has exactly the keys {', '.join(sorted(_KEYS))}.")
        if not isinstance(held["links"], list) or not isinstance(held["commitments"], dict):
            raise EntryError("An entry's links must be a list, its commitments an object.")
        entry = cls(**{**held, "at": _parse_time(held["at"])})
        # The promise itself: whatever else was parsed, another text of it is not this entry.
        if entry.to_bytes() != data:
            raise EntryError("This entry is not in its canonical form; it was changed.")
        return entry

    def opens(self, one: Field) -> bool:
        """Whether ``one`` is the field that this entry committed to under its label."""
        commitment = self.commitments.get(one.label)
        return commitment == commit(self.id, one.label, one.salt, one.value).hex()


def _fits(value: object, form: re.Pattern[str]) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def _fit(values: Collection[object], lines: re.Pattern[str]) -> bool:
    """Whether all are texts of their form, in a single match of ``lines``: no form has a newline,
    so as many newlines as values are those that were put between.
    """
    try:
        text = "\n".join((*values, ""))  # type: ignore[arg-type]
    except TypeError:  # one is no text
        return False
    return text.count("\n") == len(values) and lines.fullmatch(text) is not None


def _are_hex(values: Collection[object], digits: int) -> bool:
    """Whether all are texts of so many hexadecimal digits, in small letters."""
    try:
        text = "".join(values)  # type: ignore[arg-type]
        return bytes.fromhex(text).hex() == text and set(map(len, values)) <= {digits}  # type: ignore[arg-type]
    except (TypeError, ValueError):  # one is no text, or not of digits
        return False


def _join_pairs(commitments: Mapping[str, str]) -> str:
    return ",".join([f'"{label}":"{commitments[label]}"' for label in sorted(commitments)])


def _join_quoted(links: tuple[str, ...]) -> str:
    return '"' + '","'.join(links) + '"' if links else ""


_FORMS = {
    "id": _HEX_ID,
    "kind": _KIND,
    "organisation": _OPAQUE,
    "actor": _OPAQUE,
    "role": _OPAQUE,
    "subject": _OPAQUE,
    "retention": _RETENTION,
}
_KEYS = frozenset({*_FORMS, "version", "at", "links", "commitments"})
_HEADER = re.compile("".join(f"(?:{form.pattern})\n" for form in _FORMS.values()))
_LABELS = re.compile(rf"(?:(?:{_LABEL.pattern})\n)*")


def seal(
    *,
    id: str,  # noqa: A002 - the entry's own word
    kind: str,
    at: datetime,
    organisation: str,
    actor: str,
    role: str,
    subject: str,
    retention: str,
    fields: Mapping[str, str],
    salts: Callable[[], bytes],
    links: Iterable[str] = (),
) -> tuple[Entry, tuple[Field, ...]]:
    """An entry that commits to ``fields`` (label: text), and their openings in the same order.

    The entry goes into the log; each :class:`Field` is kept encrypted until it is disclosed or
    destroyed. ``salts`` gives 32 fresh random bytes a call, such as
    ``partial(secrets.token_bytes, 32)``; it is called once per field.

    Raises :class:`EntryError` where a part breaks the form, or two fields were given one salt.
    """
    sealed = tuple([Field(label, value, salts()) for label, value in fields.items()])
    if len({one.salt for one in sealed}) != len(sealed):
        raise EntryError("Two fields were given the same salt; salts must be fresh each time.")
    commit_to = _committer(id)
    entry = Entry(
        id=id,
        kind=kind,
        at=at,
        organisation=organisation,
        actor=actor,
        role=role,
        subject=subject,
        retention=retention,
        links=tuple(links),
        commitments={
            one.label: commit_to(one.label, one.salt, one.value).hexdigest() for one in sealed
        },
    )
    if _may_be_too_long(entry):
        entry.to_bytes()  # refuses here, not when the entry is already owed to the log
    return entry, sealed


def _may_be_too_long(entry: Entry) -> bool:
    # Generously: a commitment is 64 digits, a label at most 64 letters, and the other parts 128.
    parts = len(entry.kind) + 140 * len(entry.commitments) + 40 * len(entry.links)
    return parts > MAX_ENTRY_BYTES - 1_500


def canonical_json(value: object) -> bytes:
    """JSON of strings, integers, booleans, lists and objects in the one form that is signed.

    Keys must be ASCII and come out sorted; no spaces; UTF-8 unescaped except ``"``, the backslash
    and control characters. Raises :class:`EntryError` for anything else within ``value``.
    """
    _check_json(value)
    try:
        return _ENCODER.encode(value).encode()
    except (UnicodeEncodeError, RecursionError) as wrong:
        raise EntryError("This cannot be written as canonical JSON.") from wrong


def parse_canonical(data: bytes) -> object:
    """The value whose :func:`canonical_json` is exactly ``data``.

    Raises :class:`EntryError` for anything that is not canonical JSON.
    """
    value = _parse(data)
    if canonical_json(value) != data:
        raise EntryError("This JSON is not in its canonical form; it was changed on the way.")
    return value


def _parse(data: bytes) -> object:
    try:
        return _DECODER.decode(data.decode())
    except (ValueError, RecursionError) as wrong:
        raise EntryError("This is not JSON of text, whole numbers, lists and objects.") from wrong


def _refuse_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no whole number")


# Made once: making them anew takes longer than what they do.
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_DECODER = json.JSONDecoder(parse_float=_refuse_number, parse_constant=_refuse_number)


def _check_json(value: object) -> None:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if not all(isinstance(key, str) and key.isascii() for key in one):
                raise EntryError("Keys of canonical JSON must be ASCII text.")
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
        elif not isinstance(one, str | int):
            raise EntryError(f"Canonical JSON cannot hold {one!r}.")


def render_time(at: datetime) -> str:
    """A UTC datetime as RFC 3339 with microseconds and Z, the one form used in entries."""
    return at.isoformat(timespec="microseconds")[:_TIME_LENGTH] + "Z"


def _parse_time(text: object) -> datetime:
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        raise EntryError("An entry's time must read like 2026-11-20T09:30:00.000000Z.")
    try:
        return datetime.fromisoformat(text)
    except ValueError as wrong:
        raise EntryError(f"There is no such time as {text}.") from wrong
