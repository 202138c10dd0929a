"""``folkmoot simulate``: what it says, what it serves, and what it does with wrong words."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from folkmoot.channels.kinds import CHANNELS, get_kind
from folkmoot.channels.simulator import cli, make_simulated
from folkmoot.channels.simulator.faults import Fault, Occasion, Strike

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def run(capsys, *words):
    status = cli.run(["simulate", *words])
    said = capsys.readouterr()
    return status, said.out, said.err


@pytest.mark.parametrize("words", [["fax"], ["../x"], [""], ["bluesky.server"]])
def test_a_channel_that_is_not_there_is_told_with_those_that_are(capsys, words):
    status, _, said = run(capsys, *words)
    assert status == 2
    assert f"There is no simulated channel {words[0]!r}." in said
    assert "bluesky, mastodon, x" in said


WRONG_FAULTS = [
    "publish",
    "publish:",
    ":drop",
    "publish:vanish",
    "party:drop",
    "publish:slow:soon",
    "publish:slow:1:often",
    "publish:slow:1:2:3",
]


@pytest.mark.parametrize("fault", WRONG_FAULTS)
def test_a_fault_that_cannot_be_read_is_told_with_how_to_write_one(capsys, fault):
    status, _, said = run(capsys, "mastodon", "--fault", fault)
    assert status == 2
    assert f"not {fault!r}" in said
    assert "lose_answer" in said


def test_faults_are_read_with_their_size_and_number():
    assert cli._read_fault("publish:drop") == (Occasion.PUBLISH, Strike(Fault.DROP), 1)
    slow = Strike(Fault.SLOW_MEDIA, 600.0)
    assert cli._read_fault("upload:slow_media:600:3") == (Occasion.UPLOAD, slow, 3)
    assert cli._read_fault("read:slow:0.5")[1].seconds == 0.5


def test_a_port_that_is_taken_is_told_in_a_sentence(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        status, _, said = run(capsys, "mastodon", "--port", port)
    assert status == 2
    assert f"Port {port} cannot be used" in said
    assert run(capsys, "mastodon", "--port", "99999")[0] == 2


def test_it_says_where_it_stands_and_what_to_type_and_ends_with_ctrl_c():
    with subprocess.Popen(
        [sys.executable, "-m", "folkmoot", "simulate", "mastodon", "--fault", "publish:drop"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        lines = []
        while "Ctrl-C" not in "".join(lines):
            lines.append(process.stdout.readline())
        said = "".join(lines)
        (url,) = re.findall(r"stands at (http://127\.0\.0\.1:\d+)", said)
        assert f"FOLKMOOT_INTERNAL_HOSTS={url.removeprefix('http://')}" in said
        for wanted in get_kind("mastodon").wanted:
            if not wanted.optional:
                assert wanted.label in said
        assert "What goes wrong: publish:drop" in said
        with DIRECT.open(f"{url}/", timeout=10) as page:
            assert b"Simulated mastodon" in page.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


@pytest.mark.parametrize("channel", cli.list_simulated())
def test_what_it_says_to_type_is_what_the_form_asks_for(channel):
    asked = {wanted.name for wanted in get_kind(channel).wanted}
    needed = {w.name for w in get_kind(channel).wanted if not w.optional and not w.default}
    told = set(make_simulated(channel).to_type("http://127.0.0.1:9"))
    assert needed <= told <= asked
    assert channel in CHANNELS
