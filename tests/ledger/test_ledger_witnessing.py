"""A witness cosigns what grew from what it cosigned before, and nothing else, whatever happens."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from folkmoot.ledger import (
    Checkpoint,
    Cosigner,
    MemoryDamaged,
    MemoryStore,
    NoteError,
    Signer,
    Tree,
    WitnessBook,
    WitnessRefused,
    add_cosignatures,
    ask_witness,
    cosignatures,
    leaf_hash,
    open_note,
)
from folkmoot.ledger.witness_book import open_book, origin_hash
from folkmoot.ledger.witness_server import WitnessServer
from folkmoot.ledger.witnessing import MAX_REQUEST_BYTES, SIZE_TYPE, Request, read_answer

LOG = Signer("log.example", b"\1" * 32)
OTHER = Signer("other.example", b"\5" * 32)
KEY = Cosigner("witness.example/w1", b"\2" * 32)
NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
URL = "https://witness.example/w1/"


def tree_of(*entries: str) -> Tree:
    tree = Tree(MemoryStore())
    tree.append([leaf_hash(entry.encode()) for entry in entries])
    return tree


def numbered(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def head_of(tree: Tree, size: int | None = None, *, signer: Signer = LOG, origin: str = "") -> str:
    size = tree.size if size is None else size
    return signer.sign(Checkpoint(origin or signer.name, size, tree.root(size)).to_text())


def request(tree: Tree, old: int = 0, size: int | None = None, **how) -> bytes:
    size = tree.size if size is None else size
    return Request(
        old, tuple(tree.consistency_proof(old, size)), head_of(tree, size, **how)
    ).to_bytes()


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(tmp_path: Path, clock: Clock) -> WitnessBook:
    fresh = WitnessBook(KEY, [LOG.verifier, OTHER.verifier], tmp_path / "state", clock=clock)
    fresh.begin()
    return fresh


def posting(book: WitnessBook, asked: list[bytes] | None = None):
    def post(url: str, body: bytes) -> tuple[int, str, bytes]:
        assert url == "https://witness.example/w1/add-checkpoint"
        if asked is not None:
            asked.append(body)
        reply = book.add_checkpoint(body)
        return reply.status, reply.content_type, reply.body.encode()

    return post


# The request and the answers


def test_a_request_is_written_as_the_format_has_it_and_read_back() -> None:
    tree = tree_of(*numbered(9))
    body = request(tree, 5)
    lines = body.decode().split("\n")
    assert lines[0] == "old 5"
    proof = len(tree.consistency_proof(5))
    assert [len(line) for line in lines[1 : 1 + proof]] == [44] * proof
    assert lines[1 + proof] == ""
    assert "\n".join(lines[2 + proof :]) == head_of(tree)
    assert Request.from_bytes(body).to_bytes() == body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0",
        b"old 0\n",
        b"old 0\n\n",
        b"\n\n",
        b"size 0\n\nx\n",
        b"old 00\n\nx\n",
        b"old -1\n\nx\n",
        b"old +1\n\nx\n",
        b"old 9223372036854775808\n\nx\n",
        b"old 0 \n\nx\n",
        b"old 1\nAAAA\n\nx\n",
        b"old 1\n" + b"A" * 43 + b"\n\nx\n",
        b"old 1\n" + (b"A" * 43 + b"=\n") * 64 + b"\nx\n",
        b"\xff\n\n",
        b"old 0\n\n" + b"x" * MAX_REQUEST_BYTES,
    ],
)
def test_what_is_no_request_is_answered_with_400_and_changes_nothing(book, body) -> None:
    reply = book.add_checkpoint(body)
    assert reply.status == 400
    assert reply.body.endswith(".\n")
    assert not list(book.state.glob("*.head"))


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(max_size=200), cut=st.integers(0, 400))
def test_no_bytes_whatever_get_more_than_a_refusal(book, junk: bytes, cut: int) -> None:
    good = request(tree_of(*numbered(9)))
    for body in (junk, good[:cut] + junk, good[:cut] + junk + good[cut:]):
        if body != good:
            assert book.add_checkpoint(body).status in {400, 403, 404, 409, 422}


# What a witness cosigns


def test_a_log_that_grows_is_cosigned_each_time_and_the_last_head_is_kept(book, clock) -> None:
    tree = tree_of(*numbered(700))
    last = 0
    for size in (1, 2, 256, 257, 700):
        clock.now += timedelta(minutes=1)
        reply = book.add_checkpoint(request(tree, last, size))
        assert reply.status == 200
        note = open_note(head_of(tree, size) + reply.body, [LOG.verifier, KEY.witness])
        (seen,) = cosignatures(note)
        assert seen.at == clock.now
        assert book.find_last(LOG.name) == note.to_text()
        last = size
    assert len(list(book.state.glob("*.head"))) == 1


def test_the_same_head_is_cosigned_again_with_a_later_time(book, clock) -> None:
    tree = tree_of("a", "b")
    assert book.add_checkpoint(request(tree)).status == 200
    clock.now += timedelta(hours=1)
    reply = book.add_checkpoint(request(tree, 2))
    note = open_note(head_of(tree) + reply.body, [KEY.witness])
    assert cosignatures(note)[0].at == clock.now


def test_each_log_has_a_head_of_its_own(book) -> None:
    assert book.add_checkpoint(request(tree_of("a", "b"))).status == 200
    assert book.add_checkpoint(request(tree_of("x"), signer=OTHER)).status == 200
    assert Checkpoint.from_text(book.find_last(OTHER.name).partition("\n\n")[0] + "\n").size == 1
    assert Checkpoint.from_text(book.find_last(LOG.name).partition("\n\n")[0] + "\n").size == 2


def test_a_witness_answers_with_the_size_it_holds_where_the_log_believes_another(book) -> None:
    tree = tree_of(*numbered(20))
    book.add_checkpoint(request(tree, 0, 10))
    for old in (0, 5, 11, 20):
        reply = book.add_checkpoint(request(tree, old, 20))
        assert (reply.status, reply.content_type, reply.body) == (409, SIZE_TYPE, "10\n")


def test_a_log_that_lost_entries_gets_no_cosignature(book) -> None:
    tree = tree_of(*numbered(20))
    book.add_checkpoint(request(tree))
    before = book.find_last(LOG.name)
    for old in (0, 10):
        assert book.add_checkpoint(request(tree, old, 10)).body == "20\n"
    assert book.add_checkpoint(Request(20, (), head_of(tree, 10)).to_bytes()).status == 400
    assert book.find_last(LOG.name) == before


@pytest.mark.parametrize("changed", [0, 9])
def test_a_log_with_another_past_gets_no_cosignature(book, changed: int) -> None:
    book.add_checkpoint(request(tree_of(*numbered(10))))
    entries = numbered(12)
    entries[changed] = "rewritten"
    reply = book.add_checkpoint(request(tree_of(*entries), 10))
    assert reply.status == 422
    assert "the past was changed" in reply.body
    assert book.add_checkpoint(request(tree_of(*numbered(12)), 10)).status == 200


def test_two_heads_of_one_size_are_never_both_cosigned_and_the_second_is_kept(book) -> None:
    book.add_checkpoint(request(tree_of("a", "b")))
    forked = tree_of("a", "x")
    reply = book.add_checkpoint(request(forked, 2))
    assert reply.status == 409
    assert "told two histories" in reply.body
    (kept,) = book.state.glob("*.fork-*")
    assert kept.read_text() == head_of(forked)
    for number in range(40):  # a log gone mad does not fill the disk
        book.add_checkpoint(request(tree_of("a", str(number)), 2))
    assert len(list(book.state.glob("*.fork-*"))) == 16


def test_an_empty_log_is_cosigned_only_with_the_root_of_nothing(book) -> None:
    empty = tree_of()
    wrong = LOG.sign(Checkpoint(LOG.name, 0, b"\0" * 32).to_text())
    reply = book.add_checkpoint(Request(0, (), wrong).to_bytes())
    assert (reply.status, "SHA-256 of nothing" in reply.body) == (422, True)
    assert book.add_checkpoint(Request(0, (b"\0" * 32,), head_of(empty)).to_bytes()).status == 422
    assert book.add_checkpoint(request(empty)).status == 200
    assert book.add_checkpoint(request(empty)).status == 200
    assert book.add_checkpoint(request(tree_of("a"))).status == 200


@pytest.mark.parametrize("proof", [(b"\0" * 32,), (b"\0" * 32,) * 63])
def test_a_first_head_needs_no_proof_and_gets_none(book, proof) -> None:
    body = Request(0, proof, head_of(tree_of("a", "b"))).to_bytes()
    assert book.add_checkpoint(body).status == 422


def test_strangers_and_unknown_logs_get_nothing(book) -> None:
    tree = tree_of("a")
    stranger = Signer(LOG.name, b"\6" * 32)
    assert book.add_checkpoint(request(tree, signer=stranger)).status == 403
    unknown = Signer("unknown.example", b"\6" * 32)
    assert book.add_checkpoint(request(tree, signer=unknown)).status == 404
    # A key of one known log does not sign for another.
    assert book.add_checkpoint(request(tree, signer=OTHER, origin=LOG.name)).status == 403
    forged = request(tree)[:-8] + b"AAAAAA=\n"
    assert book.add_checkpoint(forged).status in {400, 403}
    assert not list(book.state.iterdir()) or not list(book.state.glob("*.head"))


def test_signatures_of_others_on_the_head_are_neither_needed_nor_kept(book) -> None:
    tree = tree_of("a")
    text = open_note(head_of(tree), [LOG.verifier]).text
    another = Cosigner("another.example", b"\7" * 32)
    cosigned = add_cosignatures(head_of(tree), [LOG.verifier], [another.cosign(text, NOW)])
    assert book.add_checkpoint(Request(0, (), cosigned).to_bytes()).status == 200
    assert "another.example" not in book.find_last(LOG.name)


def test_a_log_may_change_its_key(book, clock) -> None:
    tree = tree_of("a", "b")
    book.add_checkpoint(request(tree, 0, 1))
    renewed = Signer(LOG.name, b"\x08" * 32)
    later = WitnessBook(KEY, [renewed.verifier], book.state, clock=clock)
    later.open()
    assert later.add_checkpoint(request(tree, 1)).status == 403
    assert later.add_checkpoint(request(tree, 1, signer=renewed)).status == 200


def test_a_witness_whose_clock_went_back_cosigns_nothing(book, clock) -> None:
    tree = tree_of("a", "b")
    book.add_checkpoint(request(tree, 0, 1))
    clock.now -= timedelta(seconds=1)
    reply = book.add_checkpoint(request(tree, 1))
    assert (reply.status, "clock" in reply.body) == (503, True)
    clock.now += timedelta(seconds=1)
    assert book.add_checkpoint(request(tree, 1)).status == 200


# The book on disk


def test_the_head_is_on_disk_before_the_cosignature_is_given(book, monkeypatch) -> None:
    done: list[str] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        done.append("fsync")
        real_fsync(descriptor)

    def replace(self: Path, target: Path) -> Path:
        done.append("rename")
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    book.add_checkpoint(request(tree_of("a")))
    # The head, and the first time that there is one.
    assert done == ["fsync", "rename", "fsync"] * 2


def test_where_the_disk_is_full_nothing_is_cosigned(book, monkeypatch) -> None:
    tree = tree_of("a", "b")
    book.add_checkpoint(request(tree, 0, 1))

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        book.add_checkpoint(request(tree, 1))
    monkeypatch.undo()
    assert book.add_checkpoint(request(tree, 0)).body == "1\n"
    assert book.add_checkpoint(request(tree, 1)).status == 200


def test_a_torn_or_foreign_head_is_never_taken_for_a_first_time(book) -> None:
    tree = tree_of("a", "b")
    book.add_checkpoint(request(tree, 0, 1))
    (file,) = book.state.glob("*.head")
    whole = file.read_bytes()
    log_only = head_of(tree, 1).encode()
    other_log = b""
    book.add_checkpoint(request(tree_of("x"), signer=OTHER))
    for other in book.state.glob("*.head"):
        if other != file:
            other_log = other.read_bytes()
    for damaged in (b"", whole[:-1], whole[:60], whole.replace(b"\n1\n", b"\n2\n"), log_only):
        file.write_bytes(damaged)
        with pytest.raises(MemoryDamaged):
            book.add_checkpoint(request(tree))
    file.write_bytes(other_log)
    with pytest.raises(MemoryDamaged, match="of that log"):
        book.add_checkpoint(request(tree))
    file.write_bytes(whole)
    assert book.add_checkpoint(request(tree, 1)).status == 200


@pytest.mark.parametrize("names", [["head"], ["head", "head.lock"]])
def test_a_head_that_is_gone_is_never_taken_for_a_first_time(book, names) -> None:
    assert book.add_checkpoint(request(tree_of("a", "b"))).status == 200
    for name in names:
        (book.state / f"{origin_hash(LOG.name)}.{name}").unlink()
    book.open()
    for old, entries in ((0, "xyz"), (2, "abc")):
        with pytest.raises(MemoryDamaged, match="is gone, though one was cosigned"):
            book.add_checkpoint(request(tree_of(*entries), old))
    assert book.add_checkpoint(request(tree_of("a"), signer=OTHER)).status == 200


def test_a_crash_while_writing_leaves_the_old_head_and_does_no_harm(book) -> None:
    tree = tree_of("a", "b")
    book.add_checkpoint(request(tree, 0, 1))
    (file,) = book.state.glob("*.head")
    file.with_name(file.name + ".new").write_bytes(b"half a che")
    assert book.add_checkpoint(request(tree, 1)).status == 200


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from folkmoot.ledger import Cosigner, Signer, WitnessBook
from folkmoot.ledger import witness_book

real = witness_book.replace_durably
def then_die(file, data, **how):
    if sys.argv[2] == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    real(file, data, **how)
    os.kill(os.getpid(), signal.SIGKILL)
witness_book.replace_durably = then_die
book = WitnessBook(
    Cosigner("witness.example/w1", bytes([2]) * 32),
    [Signer("log.example", bytes([1]) * 32).verifier],
    Path(sys.argv[1]),
    clock=lambda: datetime(2026, 11, 26, 9, 30, tzinfo=UTC),
)
print(book.add_checkpoint(sys.stdin.buffer.read()).status)
"""


@pytest.mark.parametrize(("when", "held"), [("before", "1\n"), ("after", "2\n")])
def test_killed_between_write_and_answer_it_holds_the_head_and_never_another(
    book, when: str, held: str
) -> None:
    tree = tree_of("a", "b")
    book.add_checkpoint(request(tree, 0, 1))
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(book.state), when],
        input=request(tree, 1),
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == -signal.SIGKILL
    assert done.stdout == b""
    assert book.add_checkpoint(request(tree, 0)).body == held
    if when == "after":
        assert book.add_checkpoint(request(tree_of("a", "x"), 2)).status == 409
    # The log asks again and is served; the restart is not held against it.
    assert ask_witness(posting(book), URL, KEY.witness, tree=tree, checkpoint=head_of(tree))


RACER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from folkmoot.ledger import (
    Checkpoint, Cosigner, MemoryStore, Signer, Tree, WitnessBook, leaf_hash,
)
from folkmoot.ledger.witnessing import Request

who, state = sys.argv[1], Path(sys.argv[2])
log = Signer("log.example", bytes([1]) * 32)
book = WitnessBook(
    Cosigner("witness.example/w1", bytes([2]) * 32), [log.verifier], state,
    clock=lambda: datetime(2026, 11, 26, 9, 30, tzinfo=UTC),
)
tree = Tree(MemoryStore())
tree.append([leaf_hash(b"shared")])
for number in range(40):
    tree.append([leaf_hash(f"{who} {number}".encode())])
    head = log.sign(Checkpoint(log.name, tree.size, tree.root()).to_text())
    old = 0 if number == 0 else tree.size - 1
    reply = book.add_checkpoint(
        Request(old, tuple(tree.consistency_proof(old)), head).to_bytes()
    )
    if reply.status == 200:
        print(tree.size, tree.root().hex())
"""


def test_two_processes_that_serve_one_book_never_cosign_two_histories(book) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, who, str(book.state)], stdout=subprocess.PIPE, text=True
        )
        for who in ("one", "two")
    ]
    cosigned = [racer.communicate(timeout=60)[0].splitlines() for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0]
    assert sorted(map(len, cosigned)) == [0, 40]


# Key and book belong together


def opened(folder: Path, **how) -> WitnessBook:
    how = {"name": None, "clock": lambda: NOW, **how}
    return open_book(folder / "witness.key", folder / "state", [LOG.verifier], **how)


def test_the_first_start_makes_key_and_book_and_the_next_uses_them(tmp_path: Path) -> None:
    with pytest.raises(NoteError, match="no key yet"):
        opened(tmp_path)
    first = opened(tmp_path, name="w.example")
    assert (tmp_path / "witness.key").stat().st_mode & 0o777 == 0o600
    again = opened(tmp_path)
    assert again.cosigner == first.cosigner
    assert opened(tmp_path, name="w.example").cosigner == first.cosigner
    with pytest.raises(NoteError, match=r"that of the witness w\.example, not x\.example"):
        opened(tmp_path, name="x.example")


def test_no_new_key_is_made_where_heads_were_cosigned(tmp_path: Path) -> None:
    opened(tmp_path, name="w.example").add_checkpoint(request(tree_of("a")))
    (tmp_path / "witness.key").unlink()
    with pytest.raises(MemoryDamaged, match="No new key is made"):
        opened(tmp_path, name="w.example")
    assert not (tmp_path / "witness.key").exists()


def test_a_crash_between_book_and_key_on_the_first_start_does_no_harm(tmp_path: Path) -> None:
    opened(tmp_path, name="w.example")
    (tmp_path / "witness.key").unlink()
    second = opened(tmp_path, name="w.example")
    assert second.add_checkpoint(request(tree_of("a"))).status == 200


def test_a_key_without_its_book_is_refused(tmp_path: Path) -> None:
    opened(tmp_path, name="w.example")
    state = tmp_path / "state"
    state.rename(tmp_path / "elsewhere")
    with pytest.raises(MemoryDamaged, match="is not the book of a witness"):
        opened(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    opened(other, name="w2.example")
    (other / "state").rename(state)
    with pytest.raises(MemoryDamaged, match="book of another witness"):
        opened(tmp_path)
    (state / "witness.json").write_bytes(b"{")
    with pytest.raises(MemoryDamaged, match="damaged"):
        opened(tmp_path)


@pytest.mark.parametrize("held", [b"", b"junk", b"\xff", LOG.to_text().encode()])
def test_a_key_file_that_holds_none_is_refused_and_left_alone(tmp_path: Path, held: bytes) -> None:
    (tmp_path / "witness.key").write_bytes(held)
    with pytest.raises(NoteError):
        opened(tmp_path, name="w.example")
    assert (tmp_path / "witness.key").read_bytes() == held


# The log's side


def test_the_log_gets_its_cosignature_and_puts_it_on_its_head(book) -> None:
    tree = tree_of(*numbered(9))
    asked: list[bytes] = []
    head = head_of(tree)
    seen = ask_witness(posting(book, asked), URL, KEY.witness, tree=tree, checkpoint=head)
    assert (seen.witness, seen.at, len(asked)) == (KEY.witness, NOW, 1)
    note = open_note(add_cosignatures(head, [LOG.verifier], [seen]), [LOG.verifier, KEY.witness])
    assert cosignatures(note) == (seen,)


@pytest.mark.parametrize(("known", "first"), [(0, 0), (3, 3), (19, 19), (25, 0)])
def test_a_log_that_does_not_know_what_the_witness_holds_asks_once_more_from_there(
    book, known: int, first: int
) -> None:
    tree = tree_of(*numbered(20))
    book.add_checkpoint(request(tree, 0, 7))
    asked: list[bytes] = []
    head = head_of(tree)
    assert ask_witness(
        posting(book, asked), URL, KEY.witness, tree=tree, checkpoint=head, old_size=known
    )
    assert [one.split(b"\n")[0] for one in asked] == [f"old {first}".encode(), b"old 7"]


def test_a_log_older_than_what_the_witness_holds_is_told_so(book) -> None:
    tree = tree_of(*numbered(20))
    book.add_checkpoint(request(tree))
    with pytest.raises(WitnessRefused, match="20 entries before, and this one has 12") as refused:
        ask_witness(posting(book), URL, KEY.witness, tree=tree, checkpoint=head_of(tree, 12))
    assert (refused.value.size, refused.value.disputed) == (20, True)
    assert "restored from a backup?" in str(refused.value)


def test_a_forked_log_is_told_so_with_what_to_keep(book) -> None:
    book.add_checkpoint(request(tree_of(*numbered(10))))
    same = tree_of(*numbered(9), "x")
    with pytest.raises(WitnessRefused, match=r"told two histories\. Keep this head") as refused:
        ask_witness(posting(book), URL, KEY.witness, tree=same, checkpoint=head_of(same))
    assert (refused.value.status, refused.value.disputed) == (409, True)
    longer = tree_of(*numbered(9), "x", "y")
    with pytest.raises(WitnessRefused, match="does not begin with the 10 entries") as refused:
        ask_witness(posting(book), URL, KEY.witness, tree=longer, checkpoint=head_of(longer))
    assert (refused.value.status, refused.value.disputed) == (422, True)


def test_a_witness_that_keeps_changing_its_mind_is_asked_twice_and_no_more() -> None:
    tree = tree_of(*numbered(20))
    sizes = iter((7, 8, 9))
    asked = []

    def post(url: str, body: bytes) -> tuple[int, str, bytes]:
        asked.append(body)
        return 409, SIZE_TYPE + "; charset=utf-8", f"{next(sizes)}\n".encode()

    with pytest.raises(WitnessRefused, match="last cosigned a head of 8 entries, not of 7"):
        ask_witness(post, URL, KEY.witness, tree=tree, checkpoint=head_of(tree))
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((404, "text/plain", b"no\n"), "was not told to watch the log 'log.example'"),
        ((403, "text/plain", b""), "another key for this log"),
        ((400, "text/plain", b""), "could not read the request"),
        ((500, "text/html", b"<p>\x00"), "gave no cosignature (it answered 500)."),
        ((302, "", b""), "gave no cosignature (it answered 302)."),
        ((409, SIZE_TYPE, b"007\n"), "gave no cosignature (it answered 409). It said: '007'"),
        ((409, SIZE_TYPE, b"\xff\n"), "gave no cosignature (it answered 409)"),
        ((409, SIZE_TYPE, b"5"), "last cosigned a head of 5 entries"),
        ((200, "text/plain", b""), "no cosignature on this head"),
        ((200, "text/plain", b"ok\n"), "no cosignature on this head"),
        ((200, "text/plain", "— witness.example/w1 AAAAAAAA\n".encode()), "None of the keys"),
        ((200, "text/plain", b"x" * (1 << 17)), "too long"),
    ],
)
def test_every_other_answer_is_a_refusal_in_words(answer, says: str) -> None:
    ask = Request(0, (), head_of(tree_of("a", "b", "c", "d", "e", "f")))
    with pytest.raises(WitnessRefused) as refused:
        read_answer(answer, ask, [KEY.witness])
    assert says in str(refused.value)
    assert str(refused.value).isprintable()
    assert not refused.value.disputed


def test_a_cosignature_on_another_head_or_by_another_key_is_refused() -> None:
    ask = Request(0, (), head_of(tree_of("a")))
    other = open_note(head_of(tree_of("b")), [LOG.verifier]).text
    wrong = f"{KEY.cosign(other, NOW).line}\n".encode()
    with pytest.raises(WitnessRefused, match="does not fit the text"):
        read_answer((200, "", wrong), ask, [KEY.witness])
    mine = open_note(ask.checkpoint, [LOG.verifier]).text
    stranger = f"{Cosigner('s.example', bytes(32)).cosign(mine, NOW).line}\n".encode()
    with pytest.raises(WitnessRefused, match=r"s\.example"):
        read_answer((200, "", stranger), ask, [KEY.witness])
    good = f"{KEY.cosign(mine, NOW).line}\n".encode()
    assert len(read_answer((200, "", stranger + good), ask, [KEY.witness])) == 1


@given(st.integers(100, 599), st.sampled_from(["", SIZE_TYPE]), st.binary(max_size=60))
def test_no_answer_whatever_raises_anything_but_a_refusal(status, kind, body) -> None:
    ask = Request(0, (), head_of(tree_of("a")))
    with pytest.raises(WitnessRefused):
        read_answer((status, kind, body), ask, [KEY.witness])


def test_what_posting_raises_passes_through() -> None:
    def post(url: str, body: bytes) -> tuple[int, str, bytes]:
        raise TimeoutError("the witness is silent")

    tree = tree_of("a")
    with pytest.raises(TimeoutError):
        ask_witness(post, URL, KEY.witness, tree=tree, checkpoint=head_of(tree))


# Over HTTP


class Served:
    def __init__(self, book: WitnessBook, **how) -> None:
        self.said: list[str] = []
        self.server = WitnessServer(book, "127.0.0.1", 0, log=self.said.append, **how)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=[0.05])
        self.thread.start()

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, answer.headers, data

    def post(self, url: str, body: bytes) -> tuple[int, str, bytes]:
        status, headers, data = self.ask("POST", "/" + url.rpartition("/")[2], body)
        return status, headers["Content-Type"], data

    def raw(self, data: bytes, seconds: float = 20) -> bytes:
        """What comes back until the server closes the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            connection.sendall(data)
            parts = []
            try:
                while part := connection.recv(65536):
                    parts.append(part)
            except ConnectionResetError:
                pass  # closed with something of ours unread
            return b"".join(parts)

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def served(book: WitnessBook) -> Iterator[Served]:
    running = Served(book)
    yield running
    running.close()


def test_a_log_is_witnessed_over_http(served: Served, book) -> None:
    tree = tree_of(*numbered(20))
    for size in (5, 20):
        head = head_of(tree, size)
        ask_witness(served.post, "http://w", KEY.witness, tree=tree, checkpoint=head)
    status, headers, data = served.ask("GET", f"/{origin_hash(LOG.name)}/checkpoint")
    assert (status, headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert data.decode() == book.find_last(LOG.name)
    status, headers, data = served.ask("GET", "/")
    assert data.decode().splitlines()[0] == KEY.vkey
    assert f"log.example {origin_hash(LOG.name)}/checkpoint" in data.decode()
    head_answer = served.ask("HEAD", "/")
    assert (head_answer[0], head_answer[2]) == (200, b"")


def test_a_log_may_keep_its_connection(served: Served) -> None:
    tree = tree_of("a", "b")
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    for old, size in ((0, 1), (1, 2), (2, 2)):
        connection.request("POST", "/add-checkpoint", request(tree, old, size))
        answer = connection.getresponse()
        assert (answer.status, answer.read()[:3]) == (200, "—".encode())
        assert connection.sock is not None
    connection.close()


def test_addresses_that_are_not_there_are_404_and_other_methods_refused(served: Served) -> None:
    for path in (
        "/x",
        "/../witness.key",
        f"/{origin_hash(LOG.name)}/checkpoint",
        f"/{origin_hash('unknown.example')}/checkpoint",
        f"/{origin_hash(LOG.name).upper()}/checkpoint",
    ):
        assert served.ask("GET", path)[0] == 404, path
    assert served.ask("POST", "/", b"x")[0] == 404
    assert served.ask("PUT", "/add-checkpoint", b"x")[0] == 501
    assert served.ask("GET", "/add-checkpoint")[0] == 404


POST = b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (POST + b"Content-Length: 131073\r\n\r\n", b"413"),
        (POST + b"Content-Length: 99999999999999999999\r\n\r\n", b"400"),
        (POST + b"Content-Length: -1\r\n\r\n", b"400"),
        (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxy", b"411"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
        (POST + b"\r\n", b"411"),
        (b"POST /add-checkpoint HTTP/9\r\n\r\n", b"Bad request"),
        (b"junk\r\n\r\n", b"Bad request"),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", b"431"),
    ],
)
def test_requests_out_of_measure_are_refused_unread(served: Served, sent, status) -> None:
    answer = served.raw(sent)
    assert status in answer.split(b"\r\n")[0]
    assert served.ask("GET", "/")[0] == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nContent-Length: 19\r\n\r\n",
        b"HEAD / HTTP/1.1\r\nContent-Length: 19\r\n\r\n",
        b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding : x\r\n\r\na",
        b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 1\r\nFolk moot: x\r\n\r\na",
        b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding\r\n\r\na",
    ],
)
def test_no_request_is_hidden_in_another(served: Served, sent: bytes) -> None:
    answer = served.raw(sent + b"GET /x HTTP/1.1\r\n\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"Connection: close" in answer


def test_a_slow_sender_is_cut_off_and_others_are_served_meanwhile(book) -> None:
    served = Served(book, seconds=1.0)
    try:
        start = time.monotonic()
        with socket.create_connection(("127.0.0.1", served.port), timeout=20) as slow:
            slow.sendall(POST + b"Content-Length: 500\r\n\r\nold")
            assert served.ask("GET", "/")[0] == 200
            closed = False
            while not closed and time.monotonic() - start < 15:
                try:
                    slow.sendall(b" ")
                    time.sleep(0.2)
                except OSError:
                    closed = True
            assert closed
        assert 0.9 < time.monotonic() - start < 10
        assert "a request ended before its length" in served.said
    finally:
        served.close()


def test_more_connections_than_it_serves_are_closed_at_once(book) -> None:
    served = Served(book, connections=2, seconds=20.0)
    try:
        idle = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(2)]
        deadline = time.monotonic() + 10
        while served.server._free._value and time.monotonic() < deadline:
            time.sleep(0.01)
        assert served.raw(b"", seconds=5) == b""
        for one in idle:
            one.close()
        while not served.server._free._value and time.monotonic() < deadline:
            time.sleep(0.01)
        assert served.ask("GET", "/")[0] == 200
    finally:
        served.close()


def test_heads_that_race_over_http_get_one_cosignature_for_each_size(served: Served, book) -> None:
    forks = [tree_of("shared", f"fork {number}") for number in range(8)]
    assert served.post("add-checkpoint", request(forks[0], 0, 1))[0] == 200
    together = threading.Barrier(len(forks))
    answers: list[tuple[int, str, bytes]] = []

    def race(tree: Tree) -> None:
        together.wait()
        answers.append(served.post("add-checkpoint", request(tree, 1)))

    racers = [threading.Thread(target=race, args=[tree]) for tree in forks]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert sorted(status for status, _, _ in answers) == [200] + [409] * 7
    assert {data for status, _, data in answers if status == 409} == {b"2\n"}


def test_a_damaged_book_is_500_without_its_secrets_and_its_keeper_is_told(served, book) -> None:
    served.post("add-checkpoint", request(tree_of("a")))
    (file,) = book.state.glob("*.head")
    file.write_bytes(b"")
    status, _, data = served.post("add-checkpoint", request(tree_of("a", "b"), 1))
    assert status == 500
    assert str(file).encode() not in data
    assert any("cannot be believed" in line for line in served.said)
    assert served.ask("GET", f"/{origin_hash(LOG.name)}/checkpoint")[0] == 500


def test_what_is_logged_names_no_caller_and_cannot_act_on_a_screen(served: Served) -> None:
    served.raw(b"GET /\x1b[2J\xff HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert served.said
    assert all(line.isprintable() and "127.0.0.1" not in line for line in served.said)
    assert json.dumps(served.said).isascii()
