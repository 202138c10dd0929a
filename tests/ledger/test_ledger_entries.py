"""Entries: one form, no personal data in the header, commitments that hide and bind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.ledger import Entry, EntryError, Field, commit, seal
from folkmoot.ledger.entries import canonical_json, parse_canonical, render_time

AT = datetime(2026, 11, 20, 9, 30, 0, 250, tzinfo=UTC)
ID = "0123456789abcdef" * 2


def salts() -> Iterator[bytes]:
    return (number.to_bytes(32, "big") for number in count(1))


def sealed(**changed: object) -> tuple[Entry, tuple[Field, ...]]:
    drawn = salts()
    header: dict[str, object] = {
        "id": ID,
        "kind": "draft.sent_back",
        "at": AT,
        "organisation": "borsetshire",
        "actor": "person:17",
        "role": "signatory",
        "subject": "draft:4",
        "retention": "seven-years",
        "fields": {"reason": "Say “when”.", "text": "Rhybudd"},
        "salts": lambda: next(drawn),
    }
    return seal(**{**header, **changed})  # type: ignore[arg-type]


ENTRY, FIELDS = sealed()
CANONICAL = (
    '{"actor":"person:17","at":"2026-11-20T09:30:00.000250Z","commitments":{"reason":"'
    + ENTRY.commitments["reason"]
    + '","text":"'
    + ENTRY.commitments["text"]
    + f'"}},"id":"{ID}","kind":"draft.sent_back","links":[],"organisation":"borsetshire",'
    '"retention":"seven-years","role":"signatory","subject":"draft:4","version":1}'
)


def test_an_entry_is_written_as_one_known_line() -> None:
    assert ENTRY.to_bytes().decode() == CANONICAL
    assert Entry.from_bytes(CANONICAL.encode()) == ENTRY


def test_a_commitment_is_the_documented_hash_worked_out_by_hand() -> None:
    by_hand = sha256(
        b"\x02"
        + (3).to_bytes(8, "big") + b"ctx"
        + (5).to_bytes(8, "big") + b"label"
        + b"s" * 32
        + (3).to_bytes(8, "big") + "né".encode()
    ).digest()  # fmt: skip
    assert commit("ctx", "label", b"s" * 32, "né") == by_hand


def test_a_field_opens_its_own_entry_and_label_and_no_other() -> None:
    reason, text = FIELDS
    assert ENTRY.opens(reason)
    assert ENTRY.opens(text)
    assert not ENTRY.opens(replace(reason, label="text"))
    assert not ENTRY.opens(replace(reason, label="absent"))
    assert not ENTRY.opens(replace(reason, value=reason.value + " "))
    assert not ENTRY.opens(replace(reason, salt=text.salt))
    assert not replace(ENTRY, id="f" * 32).opens(reason)


@given(st.tuples(st.text(), st.text(), st.text()), st.tuples(st.text(), st.text(), st.text()))
def test_different_parts_never_share_a_commitment(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    def of(parts: tuple[str, str, str]) -> bytes:
        return commit(parts[0], parts[1], b"\0" * 32, parts[2])

    try:
        assert (of(one) == of(other)) == (one == other)
    except EntryError:
        assert any("\ud800" <= c <= "\udfff" for c in "".join((*one, *other)))


def test_the_same_text_is_committed_to_differently_each_time() -> None:
    entry, _ = sealed(fields={"one": "07700 900123", "two": "07700 900123"})
    assert len(set(entry.commitments.values())) == 2
    bare = {sha256(b"07700 900123").hexdigest(), sha256(b"\x0207700 900123").hexdigest()}
    assert not bare & set(entry.commitments.values())


def test_the_fields_come_back_in_order_and_their_text_is_not_in_the_entry() -> None:
    assert [one.label for one in FIELDS] == ["reason", "text"]
    for one in FIELDS:
        assert one.value.encode() not in ENTRY.to_bytes()
        assert one.salt.hex().encode() not in ENTRY.to_bytes()


def test_a_source_of_salts_that_repeats_itself_is_refused() -> None:
    with pytest.raises(EntryError, match="fresh"):
        sealed(salts=lambda: b"\0" * 32)


@pytest.mark.parametrize("salt", [b"", b"\0" * 31, b"\0" * 33])
def test_a_salt_of_another_length_is_refused(salt: bytes) -> None:
    with pytest.raises(EntryError, match="32"):
        commit("context", "label", salt, "value")


@pytest.mark.parametrize(
    "changed",
    [
        {"id": "0123"},
        {"id": ID.upper()},
        {"id": ID + "\n"},
        {"kind": "sent"},
        {"kind": "Draft.sent"},
        {"kind": "draft.sent back"},
        {"actor": "jo.bloggs@council.example"},
        {"actor": "Jo Bloggs"},
        {"subject": "línea"},
        {"role": "x" * 129},
        {"organisation": "a\n"},
        {"retention": ""},
        {"at": datetime(2026, 11, 20, 9, 30)},  # noqa: DTZ001 - naive on purpose
        {"at": AT.astimezone(timezone(timedelta(hours=1)))},
        {"at": "2026-11-20T09:30:00.000000Z"},
        {"links": ["short"]},
        {"fields": {"Reason": "x"}},
        {"fields": {"e-mail@": "x"}},
        {"fields": {"reason": "\ud800"}},
        {"links": [ID] * 2000},
    ],
)
def test_an_entry_that_breaks_the_form_is_not_sealed(changed: dict[str, object]) -> None:
    with pytest.raises(EntryError):
        sealed(**changed)


def test_ids_may_be_empty() -> None:
    entry, _ = sealed(organisation="", actor="", role="", subject="", fields={})
    assert Entry.from_bytes(entry.to_bytes()) == entry


def test_a_time_from_another_clock_at_utc_is_the_same_entry() -> None:
    winter = AT.astimezone(ZoneInfo("Europe/London"))
    assert sealed(at=winter)[0].to_bytes() == ENTRY.to_bytes()
    assert sealed(at=AT.replace(tzinfo=timezone(timedelta(0), "Z")))[0] == ENTRY


def test_an_entry_cannot_be_changed_through_what_it_was_made_from() -> None:
    commitments = {"reason": "0" * 64}
    entry = replace(ENTRY, commitments=commitments)
    commitments["reason"] = "f" * 64
    assert entry.commitments["reason"] == "0" * 64
    with pytest.raises(TypeError):
        entry.commitments["reason"] = "f" * 64  # type: ignore[index]
    assert len({entry, replace(entry), ENTRY}) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        CANONICAL + "\n",
        " " + CANONICAL,
        CANONICAL.replace(":", ": ", 1),
        CANONICAL.replace("person", "\\u0070erson"),
        CANONICAL.replace("2026-11-20T09:30:00.000250Z", "2026-11-20T09:30:00.00025Z"),
        CANONICAL.replace("2026-11-20T09:30:00.000250Z", "2026-11-20T09:30:00.000250+00:00"),
        CANONICAL.replace("2026-11-20", "2026-02-30"),
        CANONICAL.replace("2026-11-20", "２０２６-11-20"),
        CANONICAL.replace('"version":1', '"version":2'),
        CANONICAL.replace('"version":1', '"version":true'),
        CANONICAL.replace('"version":1', '"version":1.0'),
        CANONICAL.replace('"version":1', '"version":1e0'),
        CANONICAL.replace('"version":1', '"version":"1"'),
        CANONICAL.replace('"version":1', '"version":null'),
        CANONICAL.replace('"version":1', '"version":NaN'),
        CANONICAL.replace('"version":1', '"version":1,"email":"jo@council.example"'),
        CANONICAL.replace('"version":1', '"version":1,"version":1'),
        CANONICAL.replace(',"version":1', ""),
        "{" + CANONICAL.removeprefix('{"actor":"person:17",')[:-1] + ',"actor":"person:17"}',
        CANONICAL.replace('"links":[]', '"links":{}'),
        CANONICAL.replace('"links":[]', '"links":[1]'),
        CANONICAL.replace('"links":[]', '"links":"' + ID + '"'),
        CANONICAL.replace('"links":[]', f'"links":["{ID}"\u00a0]'),
        "[" * 60_000,
        '{"version":' + "1" * 60_000 + "}",
        "x" * 70_000,
    ],
)
def test_bytes_that_are_not_exactly_canonical_are_refused(text: str) -> None:
    with pytest.raises(EntryError):
        Entry.from_bytes(text.encode())


def test_bytes_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(EntryError):
        Entry.from_bytes(CANONICAL.encode() + b"\xff")
    with pytest.raises(EntryError):
        Entry.from_bytes(CANONICAL.replace("borsetshire", "\\ud800").encode())


OPAQUE = st.text("abcXYZ019._:/#-", max_size=20)
ENTRIES = st.builds(
    Entry,
    id=st.binary(min_size=16, max_size=16).map(bytes.hex),
    kind=st.from_regex(r"[a-z_]{1,8}x?\.[a-z][a-z_]{0,8}", fullmatch=True).map("k".__add__),
    at=st.datetimes(timezones=st.just(UTC)),
    organisation=OPAQUE,
    actor=OPAQUE,
    role=OPAQUE,
    subject=OPAQUE,
    retention=st.text("abc-09", min_size=1, max_size=9),
    links=st.lists(st.binary(min_size=16, max_size=16).map(bytes.hex), max_size=3).map(tuple),
    commitments=st.dictionaries(
        st.from_regex("[a-z][a-z0-9_]{0,9}", fullmatch=True),
        st.binary(min_size=32, max_size=32).map(bytes.hex),
        max_size=4,
    ),
)


@given(ENTRIES)
def test_every_entry_reads_back_as_itself(entry: Entry) -> None:
    data = entry.to_bytes()
    assert Entry.from_bytes(data) == entry
    assert json.loads(data)["kind"] == entry.kind


@given(ENTRIES, ENTRIES)
def test_two_entries_have_the_same_bytes_only_if_they_are_equal(one: Entry, other: Entry) -> None:
    assert (one.to_bytes() == other.to_bytes()) == (one == other)


JSON = st.recursive(
    st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('ab\n"é', max_size=3), inner)
    ),
    max_leaves=8,
)


@given(JSON)
def test_canonical_json_reads_back_as_itself_or_is_refused(value: object) -> None:
    try:
        data = canonical_json(value)
    except EntryError:
        return
    assert parse_canonical(data) == value


@pytest.mark.parametrize("value", [None, 1.0, b"x", {1: 2}, {"é": 1}, [None], {"a": {"b": 1.5}}])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(EntryError):
        canonical_json(value)


@pytest.mark.parametrize(
    "changed",
    [
        {"links": ("0" * 32 + "\n" + "1" * 32,)},
        {"links": ("0" * 31, "0" * 33)},
        {"links": ("0" * 30 + " 0",)},
        {"links": ("A" * 32,)},
        {"links": ("٠" * 32,)},
        {"links": (7,)},
        {"commitments": {"a\nb": "0" * 64}},
        {"commitments": {"a": "0" * 63, "b": "0" * 65}},
        {"commitments": {"a": "0" * 62 + "\n0"}},
        {"commitments": {"a": None}},
        {"commitments": {3: "0" * 64}},
        {"id": "0" * 32 + "\n", "kind": "post.sent"},
        {"kind": "post.sent\nx", "organisation": ""},
        {"actor": "a\nb"},
        {"role": None},
    ],
)
def test_parts_that_are_checked_together_are_refused_one_by_one(changed: dict[str, object]) -> None:
    good = {
        "id": "0" * 32,
        "kind": "post.sent",
        "at": datetime(2026, 11, 20, tzinfo=UTC),
        "organisation": "b",
        "actor": "a",
        "role": "",
        "subject": "",
        "retention": "standard",
        "commitments": {"a": "0" * 64, "b": "1" * 64},
    }
    Entry(**good)  # type: ignore[arg-type]
    with pytest.raises(EntryError, match=r"must match|not an entry's id|64 hexadecimal digits"):
        Entry(**{**good, **changed})  # type: ignore[arg-type]


@settings(max_examples=200)
@given(ENTRIES)
def test_an_entry_is_written_as_canonical_json_is(entry: Entry) -> None:
    as_object = {name: getattr(entry, name) for name in entry.__dataclass_fields__}
    as_object |= {
        "at": render_time(entry.at),
        "links": list(entry.links),
        "commitments": dict(entry.commitments),
    }
    assert entry.to_bytes() == canonical_json(as_object)


@pytest.mark.parametrize(("fields", "fits"), [(440, True), (470, True), (490, False)])
def test_an_entry_with_very_many_fields_is_refused_when_it_is_sealed(
    fields: int, *, fits: bool
) -> None:
    salts = iter(number.to_bytes(32, "big") for number in range(1_000))
    parts = {
        "id": "0" * 32,
        "kind": "post.sent",
        "at": datetime(2026, 11, 20, tzinfo=UTC),
        "organisation": "b",
        "actor": "a",
        "role": "",
        "subject": "",
        "retention": "standard",
        "fields": {f"field-{number:058d}": "" for number in range(fields)},
        "salts": lambda: next(salts),
    }
    if fits:
        entry, _ = seal(**parts)  # type: ignore[arg-type]
        assert Entry.from_bytes(entry.to_bytes()) == entry
    else:
        with pytest.raises(EntryError, match="may be 65535 bytes"):
            seal(**parts)  # type: ignore[arg-type]
