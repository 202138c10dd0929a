"""A log is taken from its address by anybody, and nothing on the way is believed."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from folkmoot.cli import main
from folkmoot.ledger import Checkpoint, ForkRefused, MemoryStore, Signer, Tree, leaf_hashes
from folkmoot.ledger.errors import LedgerError, MirrorError, NoteError
from folkmoot.ledger.fetching import HttpLog, fetch_mirror
from folkmoot.ledger.mirror import Mirror

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
