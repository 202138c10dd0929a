"""A PostgreSQL of our own for as long as the tests run: Debian's binaries, a free port, loopback.

Run as a program it starts one, runs the command given to it with ``FOLKMOOT_DATABASE`` set, and
stops it again::

    python tests/postgres_server.py -- pytest tests/desk
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path


def find_binaries() -> Path | None:
    """The folder with ``initdb`` and ``postgres``, or ``None`` where PostgreSQL is not here."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])
    )
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


@contextlib.contextmanager
def running_postgres() -> Iterator[str]:
    """A fresh server; yields its address in the form of ``FOLKMOOT_DATABASE``.

    Raises ``RuntimeError`` where PostgreSQL is not installed.
    """
    binaries = find_binaries()
    if binaries is None:
        raise RuntimeError("PostgreSQL is not installed. On Debian: apt install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="folkmoot-pg-"))
    as_user: list[str] = []
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        try:
            user = pwd.getpwnam("postgres")
        except KeyError as nobody:
            raise RuntimeError("There is no user postgres to run PostgreSQL as.") from nobody
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--init-groups"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    quiet = {
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.STDOUT,
        "check": True,
        "cwd": folder,
    }
    data = folder / "data"
    try:
        subprocess.run(
            [
                *as_user,
                binaries / "initdb",
                "-D",
                data,
                "-U",
                "folkmoot",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-sync",
            ],
            **quiet,
        )
        subprocess.run(
            [
                *as_user,
                binaries / "pg_ctl",
                "-D",
                data,
                "-w",
                "-l",
                folder / "log",
                "-o",
                (
                    f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
                    f"{folder} -c fsync=off"
                ),
                "start",
            ],
            **quiet,
        )
        subprocess.run(
            [
                *as_user,
                binaries / "createdb",
                "-h",
                "127.0.0.1",
                "-p",
                str(port),
                "-U",
                "folkmoot",
                "folkmoot",
            ],
            **quiet,
        )
        yield f"postgresql://folkmoot@127.0.0.1:{port}/folkmoot"
    finally:
        subprocess.run(
            [*as_user, binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop"],
            **{**quiet, "check": False},
        )
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    command = sys.argv[2:] if sys.argv[1:2] == ["--"] else sys.argv[1:]
    try:
        with running_postgres() as address:
            return subprocess.run(
                command, env={**os.environ, "FOLKMOOT_DATABASE": address}, check=False
            ).returncode
    except RuntimeError as missing:
        print(f"Skipped: {missing}", file=sys.stderr)
        return 77


if __name__ == "__main__":
    raise SystemExit(main())
