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
import signal
import socket
import subprocess
import sys
import tempfile
import time
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


class Server:
    """A server of its own data folder, which can be killed and started again.

    ``durable`` keeps what is committed through a power cut, as in production; without it the
    server is quicker, which is what most tests want. ``settings`` are further settings of the
    server. Raises ``RuntimeError`` where PostgreSQL is not installed.
    """

    def __init__(self, *, durable: bool = False, settings: tuple[str, ...] = ()) -> None:
        binaries = find_binaries()
        if binaries is None:
            raise RuntimeError("PostgreSQL is not installed. On Debian: apt install postgresql")
        self._binaries = binaries
        self._as_user: list[str] = []
        self.folder = Path(tempfile.mkdtemp(prefix="folkmoot-pg-"))
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            try:
                user = pwd.getpwnam("postgres")
            except KeyError as nobody:
                raise RuntimeError("There is no user postgres to run PostgreSQL as.") from nobody
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._as_user = [
                *("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--init-groups")
            ]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"postgresql://folkmoot@127.0.0.1:{self.port}/folkmoot"
        self._settings = [f"-c {one}" for one in (f"fsync={'on' if durable else 'off'}", *settings)]
        self._data = self.folder / "data"
        kept = [] if durable else ["--no-sync"]
        self._run("initdb", "-D", self._data, "-U", "folkmoot", "-A", "trust", "-E", "UTF8", *kept)

    def _run(self, program: str, *words: str | Path, check: bool = True) -> None:
        subprocess.run(
            [*self._as_user, self._binaries / program, *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            check=check,
            cwd=self.folder,
        )

    def start(self) -> None:
        """Start it, again after :meth:`kill`, and wait until it answers."""
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        )
        options = " ".join([options, *self._settings])
        self._run(
            "pg_ctl", "-D", self._data, "-w", "-l", self.folder / "log", "-o", options, "start"
        )

    def make_database(self) -> None:
        """Make the database that ``address`` names."""
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "folkmoot", "folkmoot")

    def kill(self) -> None:
        """Kill the server and its processes, all at once, with SIGKILL."""
        first = int((self._data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        os.kill(first, signal.SIGKILL)  # first: it would start the others again
        for child in map(int, children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        # Its memory is free for the next one once nobody is attached to it.
        while any(_is_running(pid) for pid in (first, *map(int, children))):
            time.sleep(0.01)
        # The name of one that nobody asked after yet would pass for a server that still runs.
        for lock in (self._data / "postmaster.pid", *self.folder.glob(".s.PGSQL.*.lock")):
            lock.unlink()

    def remove(self) -> None:
        """Stop it without ceremony and take its folder away."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "stop", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def _is_running(pid: int) -> bool:
    """Whether the process is there, and more than a name that nobody asked after yet."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in ("Z", "X")


@contextlib.contextmanager
def running_server(*, durable: bool = False, settings: tuple[str, ...] = ()) -> Iterator[Server]:
    """A fresh server with its database. Raises ``RuntimeError`` where PostgreSQL is not here."""
    server = Server(durable=durable, settings=settings)
    try:
        server.start()
        server.make_database()
        yield server
    finally:
        server.remove()


@contextlib.contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[str]:
    """A fresh server; yields its address in the form of ``FOLKMOOT_DATABASE``.

    Raises ``RuntimeError`` where PostgreSQL is not installed.
    """
    with running_server(durable=durable) as server:
        yield server.address


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
