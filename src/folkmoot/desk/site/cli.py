"""``folkmoot up``, ``work``, ``found``, ``channels``, ``manage`` ...: the desk's own commands."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from importlib import import_module
from types import FrameType
from urllib.parse import urlsplit

import django

from folkmoot.cli import LEDGER_DESK

from .config import Config, ConfigError

log = logging.getLogger("folkmoot.up")

RESTART_SECONDS = 1.0
# These change no table: they may run as a user who owns none.
_READ_ONLY = {"fsck", "checkpoint", "sign"}


def run(argv: list[str]) -> int:
    """Run ``up``, ``work``, ``found``, ``channels``, ``stop``, ``manage``, or a verb of ``ledger``
    that needs the desk; the exit status.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "folkmoot.desk.site.settings")
    try:
        config = Config.from_env(os.environ)
        os.umask(0o077)  # drafts, salts and sessions are nobody else's to read
        config.home.mkdir(parents=True, exist_ok=True)
    except (ConfigError, OSError) as wrong:
        print(f"folkmoot: {wrong}", file=sys.stderr)
        return 2
    if argv[0] == "manage":
        from django.core.management import execute_from_command_line

        execute_from_command_line(["folkmoot manage", *argv[1:]])
        return 0
    django.setup()
    act = {
        "found": _found,
        "channels": _channels,
        "stop": _stop,
        "work": _work,
        "ledger": _ledger,
    }.get(argv[0])
    return act(argv, config) if act is not None else _up(argv[1:], config)


def _found(argv: list[str], config: Config) -> int:
    from .founding import found

    _bring_up_to_date()
    return found(argv[1:], config)


def _channels(argv: list[str], config: Config) -> int:  # noqa: ARG001 - as the others are called
    from folkmoot.desk.accounts import cli

    _bring_up_to_date()
    return cli.run(argv)


def _stop(argv: list[str], config: Config) -> int:  # noqa: ARG001 - as the others are called
    from folkmoot.desk.publishing import cli

    _bring_up_to_date()
    return cli.run(argv)


def _ledger(argv: list[str], config: Config) -> int:  # noqa: ARG001 - as the others are called
    verb = argv[1]
    if verb not in _READ_ONLY:
        _bring_up_to_date()
    elif not _is_up_to_date():
        print(
            f"folkmoot ledger {verb}: the database is not that of this version. Start the desk "
            "once, or run `folkmoot manage migrate`.",
            file=sys.stderr,
        )
        return 2
    status: int = import_module(LEDGER_DESK[verb][0]).run(argv[1:])
    return status


def _work(argv: list[str], config: Config) -> int:  # noqa: ARG001 - as the others are called
    parser = argparse.ArgumentParser(
        prog="folkmoot work",
        description="Do what is owed, over and "
        "over: put entries into the record, deliver, look up.",
    )
    parser.add_argument("--once", action="store_true", help="do what is owed now, and end")
    parser.add_argument(
        "--while-open",
        action="store_true",
        help="end when standard input closes, as it does when the program that started this dies",
    )
    args = parser.parse_args(argv[1:])
    from .worker import run as work
    from .worker import work_once

    if args.once:
        work_once()
        return 0
    return work(while_open=sys.stdin.fileno() if args.while_open else None)


def _up(argv: list[str], config: Config) -> int:
    parser = argparse.ArgumentParser(
        prog="folkmoot up", description="Start the desk: web and worker together, on one machine."
    )
    parser.add_argument(
        "--practice",
        action="store_true",
        help="with a practice organisation and four people who can sign in",
    )
    args = parser.parse_args(argv)
    _bring_up_to_date()
    if args.practice:
        from .practice import load_practice

        load_practice(config)
    (config.home / "static").mkdir(exist_ok=True)  # WhiteNoise wants it, used or not
    from waitress.server import create_server

    from .wsgi import application

    try:
        server = create_server(
            application,
            listen=config.listen,
            threads=8,
            ident=None,
            max_request_body_size=40_000_000,
            url_scheme=urlsplit(config.address).scheme,
        )
    except OSError as taken:
        print(
            f"folkmoot: {config.listen} cannot be used: {taken.strerror}. Is the desk running "
            "already? Set FOLKMOOT_ADDRESS=http://127.0.0.1:8001 to use another port.",
            file=sys.stderr,
        )
        return 2
    worker = _Worker()
    worker.start()

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    _greet(config)
    try:
        server.run()
    except KeyboardInterrupt:
        log.info("Ending; the worker finishes what it is doing.")
    finally:
        server.close()
        worker.end()
    return 0


def _bring_up_to_date() -> None:
    """Make the tables, or change them to this version's, where they are not so already."""
    from django.core.management import call_command

    if not _is_up_to_date():
        call_command("migrate", verbosity=0, interactive=False)
    from folkmoot.desk.people.actions import keep_marks

    if made := keep_marks():
        log.warning("The key of members' addresses was lost or changed; %d marks were made", made)


def _is_up_to_date() -> bool:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


class _Worker:
    """The worker as a process of its own, started again whenever it dies.

    It holds one end of a pipe whose other end is ours alone: however this process ends, by
    ``kill -9`` too, the worker finishes what it is doing and ends, and no second one works beside
    it after the next start.
    """

    def __init__(self) -> None:
        self._ending = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._watch = threading.Thread(target=self._keep, name="worker-watch", daemon=True)

    def start(self) -> None:
        """Start it, and keep it running."""
        self._watch.start()

    def end(self) -> None:
        """Let it finish what it is doing, and end."""
        self._ending.set()
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=40)
            except subprocess.TimeoutExpired:
                self._process.kill()

    def _keep(self) -> None:
        while not self._ending.is_set():
            self._process = subprocess.Popen(
                [sys.executable, "-m", "folkmoot", "work", "--while-open"], stdin=subprocess.PIPE
            )
            status = self._process.wait()
            if not self._ending.is_set():
                log.error("The worker ended with status %s; it is started again.", status)
                time.sleep(RESTART_SECONDS)


def _greet(config: Config) -> None:
    from folkmoot.desk.people.queries import find_public_organisation

    from .practice import signins_file

    organisation = find_public_organisation("")
    print(f"\nFolkmoot is up for {organisation or 'nobody yet'}: {config.address}")
    if organisation is None:
        print(
            "There is no organisation yet. Found one with `folkmoot found --help`, or start with "
            "--practice to rehearse."
        )
    if signins_file(config).exists():
        print("Sign in as these, each in a browser of their own. The approver is admin, duty and")
        print("records officer too, and the duty officer admin: what needs two can be rehearsed.")
        for line in signins_file(config).read_text(encoding="utf-8").splitlines():
            print(f"  {line}")
    print("Ctrl-C ends it.\n", flush=True)
