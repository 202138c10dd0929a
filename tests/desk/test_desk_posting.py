"""The worker asks a real witness, a server of its own, through the one outbound client."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace

import desk_moves as moves
import pytest
from django.conf import settings

from folkmoot.desk.records import actions as records
from folkmoot.desk.records import log
from folkmoot.desk.records.anchoring import CannotAsk
from folkmoot.desk.records.models import Cosignature
from folkmoot.desk.site.posting import MOST_BYTES, post
from folkmoot.ledger import Cosigner, Witness, WitnessBook, open_note
from folkmoot.ledger.witness_server import WitnessServer


@contextmanager
def serving(book):
    server = WitnessServer(book, "127.0.0.1", 0, log=lambda _line: None)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def book(cast, tmp_path):
    for _ in range(3):
        moves.leave(cast)
    records.sequence(cast.clock())
    cosigner = Cosigner.generate("witness.other.example/w1")
    book = WitnessBook(cosigner, log.log_verifiers(), tmp_path / "book", clock=cast.clock)
    book.begin()
    return book


def ask(cast, monkeypatch, book, host):
    vkey = book.cosigner.vkey
    config = replace(settings.CONFIG, witnesses=((vkey, f"http://{host}"),), witness_asks=24)
    monkeypatch.setattr(settings, "CONFIG", config)
    return records.anchor(cast.clock, post)


def test_a_real_witness_that_is_named_as_internal_cosigns_the_head(cast, book, monkeypatch):
    with serving(book) as host:
        monkeypatch.setattr(settings, "INTERNAL_HOSTS", [host])
        assert ask(cast, monkeypatch, book, host) == 1
    served = cast.client().get("/ledger/checkpoint").content.decode()
    witness = Witness.from_text(book.cosigner.vkey)
    assert witness in open_note(served, [*log.log_verifiers(), witness]).signed_by


def test_a_witness_at_a_private_address_that_is_not_named_is_not_reached(cast, book, monkeypatch):
    with serving(book) as host:
        monkeypatch.setattr(settings, "INTERNAL_HOSTS", [])
        assert ask(cast, monkeypatch, book, host) == 0
    assert not Cosignature.objects.exists()
    assert book.find_last(log.log_verifiers()[0].name) is None


def test_a_witness_that_is_away_is_said_to_be(monkeypatch):
    monkeypatch.setattr(settings, "INTERNAL_HOSTS", ["127.0.0.1:9"])
    with pytest.raises(CannotAsk, match=r"[.]$"):
        post("http://127.0.0.1:9/add-checkpoint", b"", "text/plain")


def test_an_answer_without_end_is_not_read_to_its_end(monkeypatch):
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Endless(BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_response(200)
            self.end_headers()
            try:
                for _ in range(64):
                    self.wfile.write(b"x" * MOST_BYTES)
            except OSError:
                return

        def log_message(self, *_words):
            return

    server = HTTPServer(("127.0.0.1", 0), Endless)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"127.0.0.1:{server.server_address[1]}"
    monkeypatch.setattr(settings, "INTERNAL_HOSTS", [host])
    try:
        with pytest.raises(CannotAsk):
            post(f"http://{host}/add-checkpoint", b"", "text/plain")
    finally:
        server.shutdown()
        server.server_close()
