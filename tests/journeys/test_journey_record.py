"""The record from outside its desk: a stranger's mirror, a signer apart, and a restored backup."""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys

import pytest
from running_desk import RunningDesk, wait_for


def folkmoot(*words, env=None):
    """A command as somebody types it; its status and all that it says."""
    done = subprocess.run(
        [sys.executable, "-m", "folkmoot", *map(str, words)],
        env={**os.environ, **(env or {})},
        check=False,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def key_of(desk):
    page = desk.read("/ledger/key").decode()
    return re.search(r'desk-key"><code>([^<]+)</code>', page)[1].replace("&#43;", "+")


def size_of(desk):
    return int(desk.read("/ledger/checkpoint").decode().splitlines()[1])


def signed_size(desk):
    wait_for(lambda: b"record is empty" not in desk.read("/ledger/key"), seconds=20, what="a head")
    return size_of(desk)


def test_a_stranger_s_mirror_of_a_running_desk_is_whole(desk, tmp_path):
    size = signed_size(desk)
    key, mirror = key_of(desk), tmp_path / "mirror"
    address = f"{desk.address}/ledger"
    status, said = folkmoot("ledger", "mirror", address, mirror, "--key", key)
    assert status == 0, said
    assert f"all {size} entries" in said
    status, said = folkmoot("ledger", "fsck", mirror, "--key", key)
    assert status == 0, said
    status, said = folkmoot("ledger", "fsck", env=desk._environment)
    assert status == 0, said
    assert said.startswith("good\n")
    status, said = folkmoot("ledger", "checkpoint", env=desk._environment)
    assert status == 0
    assert said == desk.read("/ledger/checkpoint").decode()


@pytest.fixture
def parted(tmp_path):
    """A desk without the log's key, and what its signer runs with, in a home of its own."""
    desk = RunningDesk(tmp_path)
    desk._environment["FOLKMOOT_SIGNER"] = "separate"
    database = f"sqlite:///{desk.home / 'folkmoot.sqlite3'}"
    theirs = {
        **desk._environment,
        "FOLKMOOT_HOME": str(tmp_path / "signer"),
        "FOLKMOOT_DATABASE": database,
    }
    yield desk, theirs, tmp_path
    desk.stop()


def test_a_signer_apart_signs_and_a_restored_backup_is_refused_until_it_is_recovered(parted):
    desk, theirs, folder = parted
    desk.start()
    assert not (desk.home / "keys" / "ledger.key").exists()
    with (
        (folder / "signer.log").open("wb") as out,
        subprocess.Popen(
            [sys.executable, "-m", "folkmoot", "ledger", "sign"], env=theirs, stderr=out
        ) as signer,
    ):
        try:
            public = folder / "signer" / "keys" / "ledger.pub"
            wait_for(public.exists, seconds=20, what="the signer published its key")
            shutil.copy(public, desk.home / "keys" / "ledger.pub")
            first = signed_size(desk)
            assert not (desk.home / "keys" / "ledger.key").exists()
            assert not (desk.home / "ledger.checkpoint").exists()

            # A backup; more is done; the newest is mirrored; the backup comes back.
            desk.stop()
            database = desk.home / "folkmoot.sqlite3"
            with sqlite3.connect(database) as one, sqlite3.connect(folder / "backup") as other:
                one.backup(other)
            leave_something(desk)
            desk.start()
            wait_for(lambda: size_of(desk) > first, seconds=20, what="it grew")
            mirror = folder / "mirror"
            newest = size_of(desk)
            status, said = folkmoot(
                "ledger", "mirror", f"{desk.address}/ledger", mirror, "--key", key_of(desk)
            )
            assert status == 0, said
            desk.stop()
            for name in ("", "-wal", "-shm"):
                database.with_name(database.name + name).unlink(missing_ok=True)
            shutil.copy(folder / "backup", database)
            wait_for(
                lambda: b"entries are gone" in (folder / "signer.log").read_bytes(),
                seconds=20,
                what="the signer refuses",
                told=(folder / "signer.log").read_text,
            )
            status, said = folkmoot("ledger", "fsck", env=desk._environment)
            assert status == 1
            assert "is not being signed" in said

            status, said = folkmoot("ledger", "recover", "--mirror", mirror, env=desk._environment)
            assert status == 0, said
            assert f"has the {newest} entries of the mirror again" in said
            desk.start()
            wait_for(lambda: size_of(desk) > newest, seconds=20, what="it is signed again")
            status, said = folkmoot("ledger", "fsck", env=desk._environment)
            assert status == 0, said
            status, said = folkmoot(
                "ledger", "mirror", f"{desk.address}/ledger", mirror, "--key", key_of(desk)
            )
            assert status == 0, said
        finally:
            signer.send_signal(signal.SIGTERM)
            assert signer.wait(timeout=20) == 0
    assert "Traceback" not in (folder / "signer.log").read_text()


def leave_something(desk):
    """One more entry, by a command that anybody who looks after a desk has."""
    status, said = folkmoot("ledger", "key", "show", env=desk._environment)
    assert status == 0, said
    code = (
        "import django; django.setup()\n"
        "from datetime import UTC, datetime\n"
        "from django.db import transaction\n"
        "from folkmoot.desk.records import actions\n"
        "with transaction.atomic():\n"
        "    for number in range(3):\n"
        "        actions.record('draft.tried', at=datetime.now(UTC), organisation='o', actor='',\n"
        "            role='', subject='post/1', fields={'text': f'Later {number}.'})\n"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        env={
            **os.environ,
            **desk._environment,
            "DJANGO_SETTINGS_MODULE": "folkmoot.desk.site.settings",
        },
        check=True,
    )
