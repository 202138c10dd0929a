"""A log is taken from its address by anybody, and nothing on the way is believed."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from folkmoot.cli import main
from folkmoot.ledger import Checkpoint, ForkRefused, MemoryStore, Signer, Tree, leaf_hashes
from folkmoot.ledger.errors import LedgerError, MirrorError, NoteError
from folkmoot.ledger.fetching import HttpLog, fetch_mirror
from folkmoot.ledger.mirror import Mirror
from folkmoot.ledger.tilepaths import BundleName, names_of, render_bundle

SIGNER = Signer("record.borsetshire.example/ledger", bytes([1]) * 32)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def served(tmp_path: Path):
    """A folder that is served, and its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def publish(folder: Path, size: int, mark: str = "") -> Tree:
    """The log of so many entries, as its keeper publishes it."""
    entries = [f"entry {n} {mark}".encode() for n in range(size)]
    tree = Tree(MemoryStore())
    tree.append(leaf_hashes(entries))
    note = SIGNER.sign(Checkpoint(SIGNER.name, size, tree.root()).to_text())
    Mirror(folder).update(tree, lambda a, b: entries[a:b], note, [SIGNER.verifier])
    return tree


@pytest.mark.parametrize("sizes", [(1,), (3, 255, 256, 257), (600, 70_000)])
def test_a_mirror_grows_with_the_log_and_is_whole(served, tmp_path, sizes, capsys) -> None:
    folder, address = served
    for size in sizes:
        publish(folder, size)
        head = fetch_mirror(address, tmp_path / "mine", [SIGNER.verifier])
        assert head.size == size
        assert main(["ledger", "fsck", str(tmp_path / "mine"), "--key", SIGNER.vkey]) == 0
    assert capsys.readouterr().out


def test_a_log_that_was_rewritten_or_went_back_is_told_and_the_mirror_stays(
    served, tmp_path, capsys
) -> None:
    folder, address = served
    publish(folder, 300)
    mine = tmp_path / "mine"
    command = ["ledger", "mirror", address, str(mine), "--key", SIGNER.vkey]
    assert main(command) == 0
    kept = (mine / "checkpoint").read_text()
    for size, mark in ((200, ""), (300, "other"), (400, "other")):
        (folder / "checkpoint").unlink()
        publish(folder, size, mark)
        with pytest.raises(ForkRefused):
            fetch_mirror(address, mine, [SIGNER.verifier])
        assert main(command) == 1
        assert "with its checkpoint it is the proof" in capsys.readouterr().out
        assert (mine / "checkpoint").read_text() == kept


@pytest.mark.parametrize("place", ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"])
@pytest.mark.parametrize("touch", ["change", "cut", "remove", "lengthen"])
def test_what_does_not_fit_the_head_is_not_kept(served, tmp_path, place, touch) -> None:
    folder, address = served
    publish(folder, 300)
    file = folder / place
    data = bytearray(file.read_bytes())
    if touch == "remove":
        file.unlink()
    else:
        data[-1] ^= 1
        file.write_bytes({"cut": data[:-3], "lengthen": bytes(data) * 200}.get(touch, bytes(data)))
    with pytest.raises(LedgerError):
        fetch_mirror(address, tmp_path / "mine", [SIGNER.verifier])
    assert not (tmp_path / "mine" / "checkpoint").exists()


@pytest.mark.parametrize("size", [256, 300, 700, 70_000])
def test_an_entry_that_is_forged_with_its_tile_is_not_kept(served, tmp_path, size) -> None:
    """The tile that holds its hash is no witness for an entry: both came from whoever answered."""
    folder, address = served
    publish(folder, size)
    forged = [b"forged", *(f"entry {n} ".encode() for n in range(1, 256))]
    (folder / "tile/entries/000").write_bytes(render_bundle(forged))
    (folder / "tile/0/000").write_bytes(b"".join(leaf_hashes(forged)))
    with pytest.raises(MirrorError, match="does not hold what tile 0 of level 0 hashes to"):
        fetch_mirror(address, tmp_path / "mine", [SIGNER.verifier])
    assert not (tmp_path / "mine" / "checkpoint").exists()


def test_entries_that_are_forged_with_all_tiles_below_the_last_are_not_kept(
    served, tmp_path
) -> None:
    folder, address = served
    publish(folder, 70_000)
    true = {one: (folder / one).read_bytes() for one in ("checkpoint", "tile/2/000.p/1")}
    (folder / "checkpoint").unlink()
    publish(folder, 70_000, "forged")
    for one, data in true.items():
        (folder / one).write_bytes(data)
    # What follows the first 65,536 entries hangs below other tiles; those stay true.
    entries = [f"entry {n} ".encode() for n in range(70_000)]
    tree = Tree(MemoryStore())
    tree.append(leaf_hashes(entries))
    for name in names_of(70_000):
        if name.level < 2 and name.index >= (256 if name.level == 0 else 1):
            data = tree.read_tile(name.level, name.index, name.width)
            (folder / name.path).write_bytes(data)
            if name.level == 0:
                bundle = BundleName(name.index, name.width)
                held = render_bundle(entries[bundle.begin : bundle.end])
                (folder / bundle.path).write_bytes(held)
    with pytest.raises(MirrorError, match="Tile 0 of level 2 does not hold"):
        fetch_mirror(address, tmp_path / "mine", [SIGNER.verifier])


class Fickle(HttpLog):
    """Another tile at each asking, as whoever answers can give."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.asked: Counter[tuple[int, int]] = Counter()

    def read_tile(self, level: int, index: int) -> bytes:
        self.asked[level, index] += 1
        held = super().read_tile(level, index)
        return held if self.asked[level, index] == 1 else bytes(len(held))


def test_what_was_written_is_held_against_the_head(served, tmp_path) -> None:
    folder, address = served
    tree = publish(folder, 300)
    log = Fickle(address)
    log.size = 300
    note = (folder / "checkpoint").read_text()
    with pytest.raises(LedgerError):
        Mirror(tmp_path / "mine").update(Tree(log, 300), log.read_entries, note, [SIGNER.verifier])
    assert not (tmp_path / "mine" / "checkpoint").exists()
    assert tree.size == 300


class Answers(BaseHTTPRequestHandler):
    """Answers as the function ``reply`` of the server does, and notes what it was asked."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.reply(self)

    def log_message(self, *_):
        pass


@pytest.fixture
def hostile():
    """A server and its address; what it does is its ``reply``."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
    thread.start()
    yield server, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("where", ["{}/inside", "file:///etc/passwd", "ftp://127.0.0.1:1/x"])
def test_nobody_is_sent_elsewhere(hostile, tmp_path, where) -> None:
    server, address = hostile

    def reply(asked) -> None:
        asked.send_response(302)
        asked.send_header("Location", where.format(address))
        asked.send_header("Content-Length", "0")
        asked.end_headers()

    server.reply = reply
    with pytest.raises(MirrorError, match="sends you to another address"):
        fetch_mirror(address, tmp_path / "mine", [SIGNER.verifier])
    assert server.asked == ["/checkpoint"]


def test_what_a_log_says_cannot_act_on_a_screen(hostile, tmp_path, capsys) -> None:
    server, address = hostile
    note = SIGNER.sign(Checkpoint(SIGNER.name, 1, bytes(32)).to_text())

    def reply(asked) -> None:
        asked.send_response(200)
        asked.end_headers()
        asked.wfile.write(note.replace(SIGNER.name, "a\x9b2J\u202ec").encode())

    server.reply = reply
    command = ["ledger", "mirror", address, str(tmp_path / "mine"), "--key", SIGNER.vkey]
    assert main(command) == 2
    assert capsys.readouterr().err.isascii()


def test_an_answer_that_comes_drop_by_drop_is_left(hostile) -> None:
    server, address = hostile

    def reply(asked) -> None:
        asked.send_response(200)
        asked.end_headers()
        with suppress(OSError):
            while True:
                asked.wfile.write(b"a")
                time.sleep(0.02)

    server.reply = reply
    with pytest.raises(MirrorError, match="took longer than"):
        HttpLog(address, longest=0.3).fetch_checkpoint()


def test_a_head_of_more_entries_than_can_be_had_takes_neither_time_nor_memory(
    hostile, tmp_path
) -> None:
    server, address = hostile
    tree = Tree(MemoryStore())
    tree.append([bytes([7]) * 32] * 64)
    head = Checkpoint(SIGNER.name, 2**62, tree.root())

    def reply(asked) -> None:
        answers = {
            "/checkpoint": SIGNER.sign(head.to_text()).encode(),
            "/tile/7/000.p/64": tree.read_tile(0, 0, 64),
        }
        data = answers.get(asked.path)
        asked.send_response(404 if data is None else 200)
        asked.end_headers()
        asked.wfile.write(data or b"")

    server.reply = reply
    with pytest.raises(LedgerError, match="Tile 0 of level 0 should hold 256 hashes"):
        fetch_mirror(address, tmp_path / "mine", [SIGNER.verifier])
    assert len(server.asked) < 10


def test_a_stranger_s_head_and_no_head_and_no_server_are_told(served, tmp_path, capsys) -> None:
    folder, address = served
    with pytest.raises(MirrorError, match="no checkpoint"):
        fetch_mirror(address, tmp_path / "mine", [SIGNER.verifier])
    publish(folder, 3)
    with pytest.raises(NoteError):
        fetch_mirror(address, tmp_path / "mine", [Signer.generate(SIGNER.name).verifier])
    with pytest.raises(MirrorError, match="cannot be had"):
        fetch_mirror("http://127.0.0.1:1", tmp_path / "mine", [SIGNER.verifier])
    for odd in ("file:///etc/passwd", "ftp://x.example", "nothing", "https://"):
        with pytest.raises(MirrorError, match="not an address"):
            HttpLog(odd)
    assert main(["ledger", "mirror", address, str(tmp_path / "m"), "--key", "junk"]) == 2
    assert "the key given cannot be read" in capsys.readouterr().err
