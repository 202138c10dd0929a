"""The erasure hunt: after an erasure no remnant anywhere holds a name, or opens with any key left.

A real desk in processes of its own, with files on a real disk. A copy of the whole of it is taken
before the erasure, as a backup would be; then everything is searched, byte by byte.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from retention_hunt import MARKERS, STAYS

from folkmoot.ledger import EpochKeys, KeyLost, SubjectKey, verify_proof

SCRIPT = Path(__file__).with_name("retention_hunt.py")
ON_POSTGRES = "postgresql" in os.environ.get("FOLKMOOT_DATABASE", "")
# Where a process is killed in the middle of an erasure and of the roll that ends it.
KILLS = [
    "before:_erase_some", "after:_erase_under", "after:_erase_some", "before:_empty",
    "after:_empty", "before:_begin_epoch", "before:write", "after:_sync_folder", "after:write",
    "after:_begin_epoch", "before:_wrap_batch", "after:_wrap_batch", "before:write2",
    "after:write2", "before:_finish_erasure", "after:_finish_erasure",
]  # fmt: skip


class Desk:
    """A home folder and a database, and processes that work in them."""

    def __init__(self, home, database=""):
        self.home, self.database = home, database
        self.printed = ""

    def call(self, stage, argument=""):
        env = {
            **os.environ,
            "FOLKMOOT_HOME": str(self.home),
            "FOLKMOOT_ADDRESS": "http://127.0.0.1:8000",
            "DJANGO_SETTINGS_MODULE": "folkmoot.desk.site.settings",
        }
        env.pop("FOLKMOOT_DATABASE", None)
        if self.database:
            env["FOLKMOOT_DATABASE"] = self.database
        return subprocess.run(
            [sys.executable, SCRIPT, stage, argument],
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, stage, argument="", *, dies=False):
        done = self.call(stage, argument)
        self.printed += done.stderr if stage == "tell" else done.stdout + done.stderr
        assert done.returncode == (-9 if dies else 0), done.stdout + done.stderr
        return done.stdout

    def tell(self):
        return json.loads(self.run("tell").splitlines()[-1])

    def epochs(self):
        return EpochKeys.from_text((self.home / "keys" / "epochs.key").read_text("ascii"))

    def copy_to(self, home):
        """The whole desk as a backup takes it: database, keys, pictures, and the log besides."""
        shutil.copytree(self.home, home)
        database = ""
        if self.database:
            database = make_database(Path(home).name, template=self.database.rpartition("/")[2])
        return Desk(home, database)

    def files(self):
        """Every file in which a byte of this desk may lie, whole."""
        found = {path: path.read_bytes() for path in self.home.rglob("*") if path.is_file()}
        if self.database:
            found |= postgres_files(self.database)
        return found


def ask_postgres(question, database="folkmoot"):
    import psycopg

    address = f"{os.environ['FOLKMOOT_DATABASE'].rpartition('/')[0]}/{database}"
    with psycopg.connect(address, autocommit=True) as server:
        answer = server.execute(question)
        return answer.fetchall() if answer.description else []


def make_database(name, template="template0"):
    name = re.sub("[^a-z0-9]", "_", f"hunt_{os.getpid()}_{name}".lower())
    ask_postgres(f"CREATE DATABASE {name} TEMPLATE {template}", "template1")
    return f"{os.environ['FOLKMOOT_DATABASE'].rpartition('/')[0]}/{name}"


def postgres_files(database):
    """The heap files of a database and the server's whole write-ahead log."""
    name = database.rpartition("/")[2]
    ask_postgres("CHECKPOINT")
    folder = Path(ask_postgres("SHOW data_directory")[0][0])
    number = ask_postgres(f"SELECT oid FROM pg_database WHERE datname = '{name}'")[0][0]
    paths = [*(folder / "base" / str(number)).rglob("*"), *(folder / "pg_wal").rglob("*")]
    return {path: path.read_bytes() for path in paths if path.is_file()}


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A desk with a marker by every route, nothing erased yet."""
    folder = tmp_path_factory.mktemp("hunt")
    desk = Desk(folder / "home", make_database("home") if ON_POSTGRES else "")
    desk.home.mkdir()
    desk.run("fill")
    return desk


@pytest.fixture(scope="module")
def agreed(filled, tmp_path_factory):
    """The same, with two people agreed."""
    desk = filled.copy_to(tmp_path_factory.mktemp("agreed") / "agreed")
    desk.run("agree")
    return desk


@pytest.fixture(scope="module")
def told(agreed):
    """What can be read of that."""
    return agreed.tell()


@pytest.fixture(scope="module")
def hunted(agreed, tmp_path_factory):
    """Before, the backup, and after."""
    desk = agreed.copy_to(tmp_path_factory.mktemp("erased") / "erased")
    before = desk.tell()
    backup = desk.copy_to(tmp_path_factory.mktemp("backup") / "backup")
    desk.run("work")
    return before, backup, desk, desk.tell()


def forms_of(marker):
    """A marker as it may lie in a file: plain, in wide characters, and inside base64."""
    plain = marker.encode()
    yield plain
    yield marker.encode("utf-16-le")
    yield plain.hex().encode()
    for lead in range(3):
        text = base64.b64encode(b"\0" * lead + plain)
        yield text[4 if lead else 0 : -4]


def where(files, marker):
    return [
        f"{path} has {form!r}"
        for path, data in files.items()
        for form in forms_of(marker)
        if form in data
    ]


def test_every_marker_was_kept_and_can_be_found_by_this_hunt(hunted):
    before, _backup, _desk, _after = hunted
    kept = "\n".join(before["everything"].values())
    assert [route for route, marker in MARKERS.items() if marker not in kept] == []


def test_no_marker_lies_in_the_plain_before_or_after(hunted):
    _before, backup, desk, _after = hunted
    for one in (backup, desk):
        files = one.files()
        assert files
        for marker in MARKERS.values():
            assert where(files, marker) == []


def test_nothing_was_said_of_a_marker_to_whoever_started_the_processes(hunted, agreed, filled):
    _before, _backup, desk, _after = hunted
    for one in (filled, agreed, desk):
        assert not [marker for marker in MARKERS.values() if marker in one.printed]


def test_no_marker_can_be_read_after(hunted):
    before, _backup, _desk, after = hunted
    assert after["erasures"] == ["done"]
    kept = "\n".join(after["everything"].values())
    assert [route for route, marker in MARKERS.items() if marker in kept] == []
    # All else reads as it did, but for what the case itself and later entries say.
    for place, text in before["everything"].items():
        if not any(marker in text for marker in MARKERS.values()):
            assert after["everything"][place] == text, place
    assert any(STAYS in text for text in after["everything"].values())


def test_every_proof_holds_as_it_did_but_for_what_was_erased(hunted):
    before, _backup, _desk, after = hunted
    for entry_id, proof in before["proofs"].items():
        assert verify_proof(proof.encode()).ok
        now = after["proofs"][entry_id]
        assert verify_proof(now.encode()).ok
        assert after["leaves"][entry_id] == before["leaves"][entry_id]
        had, has = disclosed(proof), disclosed(now)
        assert has.items() <= had.items()
        gone = {label: had[label] for label in had.keys() - has.keys()}
        assert all(
            any(marker in one["value"] for marker in MARKERS.values()) for one in gone.values()
        ), gone


def disclosed(proof):
    (extra,) = [line for line in proof.splitlines() if line.startswith("extra ")]
    return json.loads(base64.b64decode(extra.removeprefix("extra ")))["disclosed"]


def test_the_bag_that_lay_here_is_gone(hunted):
    _before, backup, desk, _after = hunted

    def bags(one):
        return [path for path in (one.home / "bags").rglob("*") if path.is_file()]

    assert bags(backup)
    assert not bags(desk)


def test_one_epoch_is_left_and_it_opens_no_key_of_the_backup(hunted):
    before, _backup, desk, after = hunted
    epochs = desk.epochs()
    assert sorted(epochs.keys) == after["open_epochs"] == [max(before["epochs"]) + 1]
    for row in before["keys"].values():
        with pytest.raises(KeyLost):
            epochs.unwrap(row["epoch"], decode(row["wrapped"]), row["subject"])
        for number in epochs.keys:  # whatever the row may say of itself
            with pytest.raises(KeyLost):
                epochs.unwrap(number, decode(row["wrapped"]), row["subject"])


def test_the_backup_reads_nothing_with_the_keys_of_after(hunted, tmp_path):
    _before, backup, desk, _after = hunted
    control = backup.tell()
    assert MARKERS["hold"] in "\n".join(control["everything"].values()), "with its own keys it does"
    shutil.copy(desk.home / "keys" / "epochs.key", backup.home / "keys" / "epochs.key")
    done = backup.call("tell")
    assert done.returncode != 0
    assert "is destroyed or not here" in done.stderr
    assert not [marker for marker in MARKERS.values() if marker in done.stdout + done.stderr]


def test_no_remnant_in_any_file_opens_with_any_key_that_is_left(hunted):
    before, backup, desk, after = hunted
    left = [SubjectKey(decode(row["raw"])) for row in after["keys"].values() if row["raw"]]
    assert len(left) > 10
    files = [*desk.files().values(), *backup.files().values()]
    # Values of entries: at each place where a key that is left sealed something.
    places = {
        (f"{entry}/{label}".encode(), len(decode(blob)))
        for entry, label, _, blob in before["sealed"]
        if blob
    }
    opened = 0
    for key in left:
        for data in files:
            for found in re.finditer(re.escape(key.fingerprint), data):
                for place, size in places:
                    text = open_with(key, place, data[found.start() : found.start() + size])
                    opened += text is not None
                    assert not has_marker(text), place
    assert opened, "this hunt opens what is there to be opened"
    # Columns: what was erased of them, at every place where one seems to begin.
    columns = {
        (name.encode(), len(raw.split(".", 2)[2]))
        for place, (name, raw) in before["columns"].items()
        if after["columns"].get(place, ("", ""))[1] != raw
    }
    assert len(columns) > len(MARKERS) / 2
    for data in files:
        for found in re.finditer(rb"f1\.[0-9]+\.", data):
            head = decode_any(data[found.end() : found.end() + 12])[:8]
            for key in left:
                if head == key.fingerprint:
                    for name, size in columns:
                        blob = decode_any(data[found.end() : found.end() + size])
                        assert not has_marker(open_with(key, name, blob))


def has_marker(text):
    return text is not None and any(marker.encode() in text for marker in MARKERS.values())


def open_with(key, place, blob):
    try:
        return key.open(place, blob[8:])
    except KeyLost:
        return None


def decode(text):
    return base64.b64decode(text)


def decode_any(text):
    try:
        return base64.urlsafe_b64decode(text)
    except ValueError:
        return b""


def test_keys_that_are_gone_lie_nowhere(hunted):
    before, _backup, desk, after = hunted
    files = desk.files()
    dead = [
        decode(row["raw"])
        for number, row in before["keys"].items()
        if row["raw"] and not after["keys"][number]["raw"]
    ]
    assert len(dead) >= len(MARKERS) - 4
    for raw in dead:
        for path, data in files.items():
            assert raw not in data, path
    old = (desk.home / "keys").iterdir()
    assert not [path for path in old if path.name.startswith(".epochs")]


@pytest.mark.skipif(ON_POSTGRES, reason="SQLite's own files")
def test_sqlite_keeps_no_write_ahead_log_and_no_slack(hunted):
    before, _backup, desk, after = hunted
    log = desk.home / "folkmoot.sqlite3-wal"
    assert not log.exists() or log.stat().st_size == 0
    data = (desk.home / "folkmoot.sqlite3").read_bytes()
    for number, row in before["keys"].items():
        if row["raw"] and not after["keys"][number]["raw"]:
            assert decode(row["wrapped"]) not in data
    with sqlite3.connect(desk.home / "folkmoot.sqlite3") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("kill", KILLS)
def test_killed_anywhere_it_goes_on_and_nothing_is_lost(agreed, told, tmp_path, kill):
    desk, before = agreed.copy_to(tmp_path / re.sub("[^a-z0-9]", "", kill)), told
    desk.run("work", kill, dies=True)
    between = desk.tell()  # what is half done reads: each value is whole or gone
    for place, text in before["everything"].items():
        assert between["everything"].get(place, text) == text
    if between["erasures"] != ["done"]:
        entries = {leaf for leaf in between["leaves"].values() if '"erasure.done"' in leaf}
        assert not entries, "nothing is called done before its keys are gone"
    desk.run("work")
    after = desk.tell()
    assert after["erasures"] == ["done"]
    kept = "\n".join(after["everything"].values())
    assert not [marker for marker in MARKERS.values() if marker in kept]
    for place, text in before["everything"].items():
        if not any(marker in text for marker in MARKERS.values()):
            assert after["everything"][place] == text, place
    assert sorted(desk.epochs().keys) == after["open_epochs"]
    assert len(after["open_epochs"]) == 1
    assert after["open_epochs"][0] > max(before["epochs"])
    for row in before["keys"].values():
        for number in desk.epochs().keys:
            with pytest.raises(KeyLost):
                desk.epochs().unwrap(number, decode(row["wrapped"]), row["subject"])
    assert sum('"erasure.done"' in leaf for leaf in after["leaves"].values()) == 1
    numbers = sorted(int(number) for number in after["keys"])
    assert all(first < second for first, second in pairwise(numbers))
