"""Every parser keeps its promises for a few seconds of hostile input. Longer, on one:
``python -m tests.ledger.fuzz proof 3600``.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fuzz.targets import TARGETS, bag

ROOT = Path(__file__).parents[2]
SECONDS = 2
HAS_ATHERIS = importlib.util.find_spec("atheris") is not None


HOSTILE = [b"", b"\x00", b"\xff" * 40, b"\n\n\n", b"[" * 4000, b"9" * 4000]


@pytest.fixture(scope="module", autouse=True)
def no_bag_left() -> Iterator[None]:
    yield
    if bag.cache_info().currsize:
        shutil.rmtree(bag()[0].parent)


def fuzz(name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    if not HAS_ATHERIS:
        pytest.skip("atheris is not installed here: parsers are not fuzzed")
    command = [sys.executable, "-m", "tests.ledger.fuzz", name, str(SECONDS)]
    env = {**os.environ, "TMPDIR": str(folder)}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_answers_or_refuses_whatever_it_is_given(name: str, tmp_path: Path) -> None:
    done = fuzz(name, tmp_path)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "Done" in done.stderr


def test_the_fuzzer_finds_a_promise_that_is_not_kept(tmp_path: Path) -> None:
    done = fuzz("planted", tmp_path)
    assert done.returncode != 0
    assert "AssertionError" in done.stdout + done.stderr


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_parser_refuses_what_is_none_of_its_own(name: str, hostile: bytes) -> None:
    TARGETS[name](hostile)


@pytest.mark.parametrize("name", [name for name in TARGETS if name != "bag"])
def test_a_parser_keeps_its_promise_for_each_byte_that_is_changed(name: str) -> None:
    """What needs no fuzzer: each seed with a byte changed, put in, or left out."""
    target = TARGETS[name]
    for seed in target.seeds():
        target(seed)
        for at in range(0, len(seed), max(1, len(seed) // 120)):
            target(seed[:at] + bytes([seed[at] ^ 1]) + seed[at + 1 :])
            target(seed[:at] + b" " + seed[at:])
            target(seed[:at] + seed[at + 1 :])
            target(seed[:at])
