"""What each parser promises, whatever it is given: it answers or refuses in its own words, and what
it takes has one form only. A promise that is broken is an exception that leaves :data:`TARGETS`.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from conftest import Practice, counted, make_practice
from folkmoot.ledger import (
    Checkpoint,
    Entry,
    EpochKeys,
    LedgerError,
    Signer,
    Verifier,
    Witness,
    WitnessRefused,
    add_cosignatures,
    cosignatures,
    open_note,
    verify_proof,
)
from folkmoot.ledger.bags import check_bag
from folkmoot.ledger.cosigning import Cosigner
from folkmoot.ledger.entries import canonical_json, parse_canonical
from folkmoot.ledger.stamping import make_stamp_request, read_stamp
from folkmoot.ledger.tilepaths import parse_bundle, parse_tile_path, render_bundle
from folkmoot.ledger.witnessing import Request, read_answer

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@cache
def practice() -> Practice:
    return make_practice()


@cache
def witness() -> Cosigner:
    return Cosigner.generate("witness.example/w1", random_bytes=counted("witness"))


@cache
def witnessed() -> str:
    """The practice log's head with a witness's cosignature."""
    note = open_note(practice().checkpoint, [practice().signer.verifier])
    seen = witness().cosign(note.text, AT)
    return add_cosignatures(practice().checkpoint, [practice().signer.verifier], [seen])


def as_text(data: bytes) -> str:
    return data.decode(errors="surrogateescape")


def try_note(data: bytes) -> None:
    for given in (data, as_text(data)):
        note = open_note(given, [practice().signer.verifier, witness().witness])
        again = open_note(note.to_text(), list(note.signed_by))
        assert (again.text, again.signatures) == (note.text, note.signatures)
        cosignatures(note)
        if note.signed_by[0] == practice().signer.verifier:
            # Nobody but the log signs for it, and it signed one head.
            assert note.text == Checkpoint.from_text(note.text).to_text()
            assert note.text in practice().checkpoint
        if not note.unknown:
            assert note.to_text().encode() == data


def try_checkpoint(data: bytes) -> None:
    text = as_text(data)
    assert Checkpoint.from_text(text).to_text() == text


def try_key(data: bytes) -> None:
    text = as_text(data)
    taken = 0
    for read, write in (
        (Verifier.from_text, lambda key: key.vkey),
        (Witness.from_text, lambda key: key.vkey),
        (Signer.from_text, lambda key: key.to_text()),
        (Cosigner.from_text, lambda key: key.to_text()),
    ):
        try:
            key = read(text)
        except LedgerError:
            continue
        taken += 1
        assert write(key) == text
    assert taken <= 1, "A key of one kind passes for another."


def try_proof(data: bytes) -> None:
    mine = {entry.id: entry for entry in practice().entries}
    keys = [practice().signer.vkey]
    for given in (data, as_text(data)):
        verify_proof(given)
        result = verify_proof(given, keys=keys)
        if result.ok:
            entry = result.entry
            assert entry is not None
            assert mine[entry.id] == entry, "It is of an entry that the log has not."
            at = practice().entries.index(entry)
            assert result.index == at, "It is at a place where it is not."
            told = {one.label: one.value for one in practice().fields[at]}
            assert result.disclosed.items() <= told.items(), "It discloses what was not said."


def try_entry(data: bytes) -> None:
    assert Entry.from_bytes(data).to_bytes() == data


def try_canonical(data: bytes) -> None:
    assert canonical_json(parse_canonical(data)) == data


def try_tile_path(data: bytes) -> None:
    text = as_text(data)
    assert parse_tile_path(text).path == text


def try_bundle(data: bytes) -> None:
    assert render_bundle(parse_bundle(data)) == data


def try_request(data: bytes) -> None:
    assert Request.from_bytes(data).to_bytes() == data


def try_answer(data: bytes) -> None:
    status = (200, 409, 404, 500)[data[0] % 4] if data else 200
    kind = "text/x.tlog.size" if data[1:2] < b"\x80" else "text/plain"
    request = Request(0, (), practice().checkpoint)
    given = read_answer((status, kind, data[2:]), request, [witness().witness])
    assert all(one.witness == witness().witness for one in given)


def try_planted(data: bytes) -> None:
    """A promise that is not kept, to see that it is found: spaces may stand around a key."""
    text = as_text(data)
    assert EpochKeys.from_text(text).to_text() == text


def try_epochs(data: bytes) -> None:
    keys = EpochKeys.from_text(as_text(data))
    assert EpochKeys.from_text(keys.to_text()).keys == keys.keys


@cache
def roots() -> bytes:
    """A certificate of our own: nothing that is drawn here is vouched for by it."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding

    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Nobody")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, AT, AT + timedelta(days=9))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def try_stamp(data: bytes) -> None:
    read_stamp(data, b"a head", roots(), nonce=7)
    raise AssertionError("A time stamp that nobody vouches for was believed.")


def stamp_seeds() -> list[bytes]:
    query = make_stamp_request(b"a head").body
    if shutil.which("openssl") is None:
        return [query]
    from test_ledger_stamping import Authority

    with tempfile.TemporaryDirectory() as folder:
        return [query, Authority(Path(folder)).answer(query)]


@cache
def bag() -> tuple[Path, tuple[str, ...]]:
    from practice_bag import files_of, write

    folder = Path(tempfile.mkdtemp(prefix="folkmoot-fuzz-")) / "bag"
    write(folder, practice())
    return folder, tuple(files_of(folder))


def try_bag(data: bytes) -> None:
    """One file of a bag is another one: the first byte says which."""
    folder, files = bag()
    file = folder / files[(data[0] if data else 0) % len(files)]
    was = file.read_bytes()
    try:
        file.write_bytes(data[1:])
        result = check_bag(folder, keys=[practice().signer.vkey])
        assert result.ok == (data[1:] == was), f"{file.name} was changed and nobody minds."
    finally:
        file.write_bytes(was)


def bag_seeds() -> list[bytes]:
    folder, files = bag()
    return [bytes([at]) + (folder / name).read_bytes()[:4000] for at, name in enumerate(files)]


@dataclass(frozen=True)
class Target:
    """A promise to hold a parser to, and texts that it takes, to begin with."""

    hold: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]
    refuses: tuple[type[Exception], ...] = (LedgerError,)
    longest: int = 4096

    def __call__(self, data: bytes) -> None:
        with contextlib.suppress(self.refuses):
            self.hold(data)


def note_seeds() -> list[bytes]:
    return [practice().checkpoint.encode(), witnessed().encode()]


def proof_seeds() -> list[bytes]:
    one = practice()
    return [
        one.proof(number, *labels).encode()
        for number, labels in ((0, ()), (3, ("reason",)), (8, ("reason", "text")))
    ] + [one.proof(5, "text", checkpoint=witnessed()).encode()]


def key_seeds() -> list[bytes]:
    signer, cosigner = practice().signer, witness()
    keys = (signer.vkey, signer.to_text(), cosigner.vkey, cosigner.to_text())
    return [key.encode() for key in keys]


def checkpoint_seeds() -> list[bytes]:
    head = Checkpoint("log.example", 9, bytes(range(32)))
    return [head.to_text().encode(), replace(head, extensions=("more",)).to_text().encode()]


def json_seeds() -> list[bytes]:
    return [b'{"a":[1,-2,true,"\\u0007\xc3\xa9"],"b":{}}', *entry_seeds()]


def entry_seeds() -> list[bytes]:
    return [entry.to_bytes() for entry in practice().entries[:3]]


def request_seeds() -> list[bytes]:
    path = tuple(practice().tree.consistency_proof(5))
    return [Request(5, path, practice().checkpoint).to_bytes()]


def answer_seeds() -> list[bytes]:
    line = witnessed().removeprefix(practice().checkpoint).encode()
    return [b"\x00\x00" + line, b"\x01\x00" + b"5\n", b"\x03\xffno"]


def epoch_seeds() -> list[bytes]:
    first = EpochKeys.generate(counted("epochs"))
    return [first.to_text().encode(), first.begin(counted("more")).to_text().encode()]


PATHS = [
    b"tile/0/000",
    b"tile/1/x001/x234/067.p/8",
    b"tile/entries/x001/067",
    b"tile/entries/000.p/255",
]
TARGETS: dict[str, Target] = {
    "note": Target(try_note, note_seeds),
    "checkpoint": Target(try_checkpoint, checkpoint_seeds),
    "key": Target(try_key, key_seeds, longest=300),
    "proof": Target(try_proof, proof_seeds, refuses=(), longest=8192),
    "entry": Target(try_entry, entry_seeds),
    "canonical": Target(try_canonical, json_seeds),
    "tile-path": Target(try_tile_path, lambda: PATHS, longest=80),
    "bundle": Target(try_bundle, lambda: [render_bundle([b"a", b"", b"c" * 300])]),
    "request": Target(try_request, request_seeds),
    "answer": Target(try_answer, answer_seeds, refuses=(WitnessRefused,)),
    "epochs": Target(try_epochs, epoch_seeds),
    "stamp": Target(try_stamp, stamp_seeds),
    "bag": Target(try_bag, bag_seeds, refuses=()),
}
PLANTED = Target(try_planted, epoch_seeds)
