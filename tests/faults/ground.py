"""What every run begins with: two databases to copy, with an organisation and its accounts in them.

Django is set up once, in the process that everything else is forked from.
"""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .channel_host import ChannelHost, Standing
from .shared_clock import SharedClock

BEGIN = datetime(2026, 10, 20, 9, 0, tzinfo=UTC)
"""When the organisation was founded, whatever the day is outside."""
PDS = "pds"
PASSWORD = "correct horse battery"


def set_up_django() -> Path:
    """Set Django up on a home of its own, with an empty database of the desk's tables; the home."""
    memory = Path("/dev/shm")
    home = Path(
        tempfile.mkdtemp(prefix="folkmoot-faults-", dir=memory if memory.is_dir() else None)
    )
    for name in [name for name in os.environ if name.startswith("FOLKMOOT_")]:
        del os.environ[name]
    os.environ.update(
        FOLKMOOT_HOME=str(home),
        FOLKMOOT_ADDRESS="https://testserver",
        FOLKMOOT_LISTEN="127.0.0.1:8000",
        FOLKMOOT_DATABASE=f"sqlite:///{home / 'empty.sqlite3'}",
        DJANGO_SETTINGS_MODULE="tests.faults.settings",
    )
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from django.db import connections

    connections.close_all()
    return home


@dataclass(frozen=True)
class Servers:
    """What stands outside the lanes. Each is empty where it is not installed. ``sqlite`` is whether
    runs are on SQLite too.
    """

    postgresql: str = ""
    pds: str = ""
    sqlite: bool = True


def use_database(url: str) -> None:
    """Let Django speak to this database, in the form of ``FOLKMOOT_DATABASE``, from now on."""
    from django.conf import settings
    from django.db import connections

    connections.close_all()
    config = replace(settings.CONFIG, database=url)
    with suppress(AttributeError):
        del connections["default"]
    chosen = connections.configure_settings({"default": config.django_database()})
    connections.settings["default"] = chosen["default"]
    settings.DATABASES = dict(chosen)


def use_home(home: Path) -> None:
    """Let the desk keep its keys and its memory here from now on."""
    from django.conf import settings

    settings.CONFIG = replace(settings.CONFIG, home=home)


def keep_time(clock: Callable[[], datetime]) -> None:
    """Let adapters go by ``clock`` in this process and those it forks."""
    from folkmoot.desk.accounts import adapters

    rooms: Any = adapters
    real = rooms._connected

    def connected(*args: Any) -> Any:
        return replace(real(*args), now=clock)

    rooms._connected = connected


@dataclass(frozen=True)
class Cast:
    """Who acts, by their ids, and the accounts' ids by the channel's name here."""

    organisation: int
    author: int
    approver: int
    admin: int
    duty: int
    second_duty: int
    accounts: dict[str, int]


class Ground:
    """What the runs of one lane begin with. ``databases`` are those that can be had."""

    def __init__(self, home: Path, number: int, servers: Servers) -> None:
        self.home = home / f"lane{number}"
        self.number = number
        self.servers = servers
        self.clock = SharedClock(BEGIN)
        self.host = ChannelHost(self.clock)
        there = {"sqlite": servers.sqlite, "postgresql": bool(servers.postgresql)}
        self.databases = tuple(name for name, is_there in there.items() if is_there)
        self.casts: dict[str, Cast] = {}
        keep_time(self.clock)
        self._prepare(home)

    def _prepare(self, home: Path) -> None:
        from django.conf import settings

        (self.home / "keys").mkdir(parents=True)
        allowed = list(self.host.servers.values())
        if self.servers.pds:
            allowed.append(urlsplit(self.servers.pds).netloc)
        settings.INTERNAL_HOSTS = tuple(allowed)
        for database in self.databases:
            use_home(self.home)
            self._use_pictures(database)
            if database == "sqlite":
                shutil.copy(home / "empty.sqlite3", self.home / "template.sqlite3")
                use_database(f"sqlite:///{self.home / 'template.sqlite3'}")
            else:
                _tell_postgresql(self.servers, f"CREATE DATABASE lane{self.number}")
                use_database(_name_database(self.servers, f"lane{self.number}"))
                from django.core.management import call_command

                call_command("migrate", verbosity=0)
            self.casts[database] = self._found()
            from django.db import connections

            connections.close_all()
            if database == "sqlite":
                with sqlite3.connect(self.home / "template.sqlite3") as line:
                    line.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                line.close()
        self.host.remember()

    def _use_pictures(self, database: str) -> None:
        """Each database has its own: they are sealed under keys that are in it."""
        from django.conf import settings

        settings.MEDIA_ROOT = self.home / f"pictures-{database}"

    def _found(self) -> Cast:
        from folkmoot.desk.drafts import actions as drafts
        from folkmoot.desk.guidance import actions as guidance
        from folkmoot.desk.people import actions as people
        from folkmoot.desk.people.queries import Role

        body = people.found_organisation(
            slug="moot",
            name="Mootshire Council",
            introduction="",
            zone="Europe/London",
            nation="UK",
            pack="uk-civil-service",
            now=BEGIN,
        )
        members = {
            name: people.add_member(
                body,
                email=f"{name}@moot.example",
                name=name.capitalize(),
                roles=roles,
                password=PASSWORD,
                now=BEGIN,
            )
            for name, roles in {
                "author": (Role.AUTHOR,),
                "approver": (Role.APPROVER,),
                "admin": (Role.ADMIN,),
                "duty": (Role.DUTY, Role.AUTHOR),
                "second_duty": (Role.DUTY, Role.APPROVER),
            }.items()
        }
        guidance.state_calendar(
            body, known_until=BEGIN + timedelta(days=700), actor=None, now=BEGIN
        )
        accounts = _open_own(body)
        for name, typed in self._list_typed().items():
            accounts[name] = _connect(name, typed, members, self.clock)
        picture = make_picture()
        drafts.add_picture(
            members["author"],
            picture,
            size_bytes=len(picture.getvalue()),
            name="library.jpg",
            alt="",
            now=BEGIN,
        )
        ids = {name: member.pk for name, member in members.items()}
        return Cast(organisation=body.pk, accounts=accounts, **ids)

    def _list_typed(self) -> dict[str, dict[str, str]]:
        typed = dict(self.host.typed)
        if self.servers.pds:
            handle = f"lane{self.number}.test"
            with suppress(Exception):  # it is there already: made for the other database
                _pds(self.servers).create_account(handle, PASSWORD)
            typed[PDS] = {"handle": handle, "app_password": PASSWORD, "server": self.servers.pds}
        return typed

    @contextmanager
    def fresh(self, database: str, run: int) -> Iterator[str]:
        """A copy of a database, and a home, for one run; then both are gone again."""
        home = self.home / f"run{run}"
        shutil.copytree(self.home / "keys", home / "keys")
        use_home(home)
        self._use_pictures(database)
        name = f"lane{self.number}_run"
        if database == "sqlite":
            shutil.copy(self.home / "template.sqlite3", home / "run.sqlite3")
            url = f"sqlite:///{home / 'run.sqlite3'}"
        else:
            _tell_postgresql(
                self.servers,
                f"DROP DATABASE IF EXISTS {name} WITH (FORCE)",
                f"CREATE DATABASE {name} TEMPLATE lane{self.number}",
            )
            url = _name_database(self.servers, name)
        use_database(url)
        try:
            yield url
        finally:
            from django.db import connections

            connections.close_all()
            shutil.rmtree(home, ignore_errors=True)

    def save(self, url: str) -> None:
        """Put the run's database by, as a backup does."""
        self._between(url, "saved")

    def put_back(self, url: str) -> None:
        """Bring back what :meth:`save` put by."""
        self._between(url, "back")

    def _between(self, url: str, which: str) -> None:
        from django.db import connections

        connections.close_all()
        if url.startswith("sqlite"):
            file = Path(url.removeprefix("sqlite:///"))
            saved = file.with_suffix(".saved")
            # Through SQLite, so that what stands in its journal is in the copy too.
            source, target = (file, saved) if which == "saved" else (saved, file)
            if which == "back":
                for old in file.parent.glob(f"{file.name}*"):
                    old.unlink()
            with sqlite3.connect(source) as one, sqlite3.connect(target) as other:
                one.backup(other)
            one.close()
            other.close()
        else:
            name = urlsplit(url).path.lstrip("/")
            saved_name = f"{name}_saved"
            made, template = (saved_name, name) if which == "saved" else (name, saved_name)
            _tell_postgresql(
                self.servers,
                f"DROP DATABASE IF EXISTS {made} WITH (FORCE)",
                f"CREATE DATABASE {made} TEMPLATE {template}",
            )


def make_picture() -> io.BytesIO:
    """A small picture, the same each time."""
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(out, "JPEG")
    out.seek(0)
    return out


def _open_own(body: Any) -> dict[str, int]:
    from folkmoot.desk.accounts import actions

    own = {"atom": ("Our feed", "testserver"), "practice": ("Practice channel", "practice")}
    return {
        channel: actions.open_own_channel(
            body, channel=channel, name=name, handle=handle, now=BEGIN
        ).pk
        for channel, (name, handle) in own.items()
    }


def _connect(name: str, typed: dict[str, str], members: Any, clock: SharedClock) -> int:
    """Connect an account by two people, over the channel's own sign-in page where it has one."""
    from folkmoot.desk.accounts import actions

    channel = {PDS: "bluesky"}.get(name, name.removesuffix("-plain"))
    made = actions.propose(members["admin"], channel=channel, name=name, typed=typed, now=BEGIN)
    if isinstance(made, actions.SigningIn):
        answer = parse_qs(urlsplit(_find_redirect(made.url)).query)
        shown = {key: values[0] for key, values in answer.items()}
        made = actions.propose_signed_in(
            members["admin"], made.to_session(), answer=shown, now=BEGIN
        )
        actions.work(clock)
    return int(actions.confirm(members["approver"], made.pk, now=BEGIN).pk)


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def _find_redirect(url: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)
    try:
        opener.open(url, timeout=10)
    except urllib.error.HTTPError as answer:
        return str(answer.headers["Location"])
    raise AssertionError(f"{url} did not send anybody on.")


def list_pds(ground: Ground) -> list[Standing]:
    """What stands on the lane's account on the real Bluesky server."""
    pds = _pds(ground.servers)
    return [_read_pds(one) for one in pds.list_posts(f"lane{ground.number}.test")]


def clear_pds(ground: Ground) -> None:
    """Take away all that stands on the lane's account on the real Bluesky server."""
    if not ground.servers.pds:
        return
    pds, handle = _pds(ground.servers), f"lane{ground.number}.test"
    keys = [one["uri"].rpartition("/")[2] for one in pds.list_posts(handle)]
    if not keys:
        return
    kind = "com.atproto.repo.applyWrites#delete"
    writes = [{"$type": kind, "collection": "app.bsky.feed.post", "rkey": key} for key in keys]
    token = pds.sign_in(handle, PASSWORD)
    pds.call("com.atproto.repo.applyWrites", {"repo": handle, "writes": writes}, token=token)


def _read_pds(record: dict[str, Any]) -> Standing:
    value, uri = record["value"], str(record["uri"])
    images = value.get("embed", {}).get("images", [])
    return Standing(
        uri,
        uri.rpartition("/")[2],
        value["text"],
        None,
        value.get("reply", {}).get("parent", {}).get("uri", ""),
        tuple(("", one.get("alt", "")) for one in images),
        removed=False,
        edited=False,
    )


def _pds(servers: Servers) -> Any:
    from tests.pds.bluesky_server import RunningPds

    pds = RunningPds(urlsplit(servers.pds).port or 0, [])
    pds.url = servers.pds
    return pds


def _name_database(servers: Servers, name: str) -> str:
    return urlsplit(servers.postgresql)._replace(path=f"/{name}").geturl()


def _tell_postgresql(servers: Servers, *statements: str) -> None:
    import psycopg

    with psycopg.connect(servers.postgresql, autocommit=True) as line:
        for statement in statements:
            line.execute(statement)
