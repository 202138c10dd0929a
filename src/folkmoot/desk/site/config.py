"""What an installation may set, read once from the environment.

:meth:`Config.from_env` is pure: it takes a mapping and answers a frozen value, or raises one
:class:`ConfigError` that names every setting that is wrong. ``settings.py`` only maps it to Django.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from folkmoot.desk.keyfile import read_or_make


class ConfigError(Exception):
    """One or more settings cannot be used; the message has a line for each."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """The mail server that notices go through. ``user`` is empty where nobody signs in."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of an installation.

    Every field is an environment variable ``FOLKMOOT_<NAME>``.
    """

    home: Path
    """``FOLKMOOT_HOME``: where keys, pictures and the SQLite database live. Default ``./var``."""
    address: str
    """``FOLKMOOT_ADDRESS``: the address people use, without a final slash. Default
    ``http://127.0.0.1:8000``. Links in the feed and the origin of the log are made from it."""
    listen: str
    """``FOLKMOOT_LISTEN``: host and port the web server binds. Default: the address's own."""
    database: str
    """``FOLKMOOT_DATABASE``: ``sqlite:///FILE`` or ``postgresql://USER:PASSWORD@HOST:PORT/NAME``.
    Default: ``folkmoot.sqlite3`` in the home folder."""
    internal_hosts: tuple[str, ...]
    """``FOLKMOOT_INTERNAL_HOSTS``: ``host:port`` pairs, separated by commas, that the outbound
    client may reach although they are not on the public internet. Default: none."""

    proxies: int
    """``FOLKMOOT_PROXIES``: how many proxies of your own stand before the desk, so that the address
    a sign-in comes from is read rightly. Default: 0."""
    smtp: MailServer | None = None
    """``FOLKMOOT_SMTP``: the mail server that notices of what needs a person go through, as
    ``smtp://USER:PASSWORD@HOST:PORT``; without ``USER:PASSWORD@`` where nobody signs in. The
    connection is always encrypted, from the start on port 465 and by STARTTLS on others, but to a
    relay of your own that ``FOLKMOOT_INTERNAL_HOSTS`` names. Default: none; nothing is mailed."""
    mail_from: str = ""
    """``FOLKMOOT_MAIL_FROM``: the address that notices come from, such as
    ``folkmoot@example.gov.uk``. Needed with ``FOLKMOOT_SMTP``."""

    separate_signer: bool = False
    """``FOLKMOOT_SIGNER``: ``separate`` where the record is signed by a process of its own
    (``folkmoot ledger sign``), which alone can read ``keys/ledger.key``. Default: the worker
    signs."""
    witnesses: tuple[tuple[str, str], ...] = ()
    """``FOLKMOOT_WITNESSES``: who cosigns the record's heads, as pairs of public key and address:
    ``KEY ADDRESS, KEY ADDRESS``. Default: nobody."""
    witness_asks: int = 24
    """``FOLKMOOT_WITNESS_ASKS``: how often in a day each witness is asked at most. Default: 24."""
    timestamps: str = ""
    """``FOLKMOOT_TIMESTAMPS``: the address of a time stamp service (RFC 3161) that is asked once
    a day. Default: none."""
    timestamps_root: Path | None = None
    """``FOLKMOOT_TIMESTAMPS_ROOT``: a file with the root certificate that the service's stamps are
    held against, in PEM. Needed with ``FOLKMOOT_TIMESTAMPS``."""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Config:
        """The configuration that ``env`` describes. Raises :class:`ConfigError`."""
        wrong = []
        home = Path(env.get("FOLKMOOT_HOME") or "var").absolute()
        address = (env.get("FOLKMOOT_ADDRESS") or "http://127.0.0.1:8000").rstrip("/")
        url = urlsplit(address)
        if url.scheme not in {"http", "https"} or not url.hostname or url.path or url.query:
            wrong.append(
                f"FOLKMOOT_ADDRESS is {address!r}; it must be like https://post.example.uk"
            )
        listen = env.get("FOLKMOOT_LISTEN") or f"127.0.0.1:{_port(address) or 8000}"
        if not listen.rpartition(":")[2].isdigit():
            wrong.append(f"FOLKMOOT_LISTEN is {listen!r}; it must be like 127.0.0.1:8000")
        database = env.get("FOLKMOOT_DATABASE") or f"sqlite:///{home / 'folkmoot.sqlite3'}"
        if urlsplit(database).scheme not in {"sqlite", "postgresql"}:
            wrong.append("FOLKMOOT_DATABASE must begin with sqlite:/// or postgresql://")
        hosts = tuple(
            h.strip() for h in env.get("FOLKMOOT_INTERNAL_HOSTS", "").split(",") if h.strip()
        )
        odd = [host for host in hosts if not re.fullmatch(r"[^\s/@]+:[0-9]{1,5}", host)]
        if odd:
            wrong.append(
                f"FOLKMOOT_INTERNAL_HOSTS has {', '.join(odd)}; each must be like pds.example:443"
            )
        proxies = env.get("FOLKMOOT_PROXIES") or "0"
        if not proxies.isdigit():
            wrong.append(f"FOLKMOOT_PROXIES is {proxies!r}; it must be a number such as 1")
        server = _read_smtp(env.get("FOLKMOOT_SMTP") or "", wrong)
        mail_from = (env.get("FOLKMOOT_MAIL_FROM") or "").strip()
        if (server or mail_from) and not re.fullmatch(r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+", mail_from):
            wrong.append(
                f"FOLKMOOT_MAIL_FROM is {mail_from!r}; it must be an address like "
                "folkmoot@example.gov.uk"
            )
        anchors = _read_anchors(env, wrong)
        if wrong:
            raise ConfigError("\n".join(wrong))
        return cls(
            home, address, listen, database, hosts, int(proxies), server, mail_from, *anchors
        )

    @property
    def host(self) -> str:
        """The host name of the address."""
        return urlsplit(self.address).hostname or ""

    @property
    def origin(self) -> str:
        """The log's name (C2SP: the address without its scheme, and a path)."""
        return f"{urlsplit(self.address).netloc}/ledger"

    def django_database(self) -> dict[str, object]:
        """The database as Django's ``DATABASES['default']``."""
        url = urlsplit(self.database)
        if url.scheme == "sqlite":
            # WAL with NORMAL lost acknowledged entries in simulated power cuts; FULL lost none.
            # IMMEDIATE, because busy_timeout does not apply to a read that turns into a write.
            return {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": unquote(url.path.removeprefix("/"))
                if "///" not in self.database
                else self.database.removeprefix("sqlite:///"),
                "OPTIONS": {
                    "transaction_mode": "IMMEDIATE",
                    "timeout": 20,
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                    "PRAGMA foreign_keys=ON; PRAGMA recursive_triggers=ON;",
                },
            }
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": url.path.removeprefix("/"),
            "USER": unquote(url.username or ""),
            "PASSWORD": unquote(url.password or ""),
            "HOST": url.hostname or "",
            "PORT": str(url.port or ""),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
        }

    def key_file(self, name: str) -> Path:
        """Where the key of this name lives: ``<home>/keys/<name>``."""
        return self.home / "keys" / name

    def read_or_make_key(self, name: str) -> str:
        """The secret in the key file of this name: 43 random characters, made on first use."""
        return read_or_make(self.key_file(name), lambda: secrets.token_urlsafe(32))


def _port(address: str) -> int | None:
    try:
        return urlsplit(address).port
    except ValueError:
        return None


def _read_anchors(
    env: Mapping[str, str], wrong: list[str]
) -> tuple[bool, tuple[tuple[str, str], ...], int, str, Path | None]:
    """What is set about the record's signer, its witnesses and its time stamps."""
    who = env.get("FOLKMOOT_SIGNER") or ""
    if who not in {"", "separate"}:
        wrong.append(f"FOLKMOOT_SIGNER is {who!r}; it must be separate, or left out")
    witnesses = []
    for pair in filter(None, map(str.strip, (env.get("FOLKMOOT_WITNESSES") or "").split(","))):
        key, _, url = pair.partition(" ")
        if key.count("+") < 2 or not re.fullmatch(r"https?://[^\s]+", url.strip()):  # noqa: PLR2004 - name+id+key
            wrong.append(
                f"FOLKMOOT_WITNESSES has {pair!r}; each must be a witness's public key, a space "
                "and its address"
            )
        witnesses.append((key, url.strip()))
    asks = env.get("FOLKMOOT_WITNESS_ASKS") or "24"
    if not asks.isdigit() or not 1 <= int(asks) <= 24 * 60:
        wrong.append(f"FOLKMOOT_WITNESS_ASKS is {asks!r}; it must be a number from 1 to 1440")
        asks = "24"
    stamps = (env.get("FOLKMOOT_TIMESTAMPS") or "").strip()
    root = env.get("FOLKMOOT_TIMESTAMPS_ROOT") or ""
    if stamps and not re.fullmatch(r"https?://[^\s]+", stamps):
        wrong.append(f"FOLKMOOT_TIMESTAMPS is {stamps!r}; it must be an address")
    if stamps and not Path(root).is_file():
        wrong.append(
            f"FOLKMOOT_TIMESTAMPS_ROOT is {root!r}; it must be a file with the root certificate of "
            "the time stamp service"
        )
    return (
        who == "separate",
        tuple(witnesses),
        int(asks),
        stamps,
        Path(root).absolute() if root else None,
    )


def _read_smtp(text: str, wrong: list[str]) -> MailServer | None:
    """The mail server that ``text`` names. What is wrong with it is told without the password."""
    if not text:
        return None
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port or 587
    except ValueError:
        host, port, url = None, 0, urlsplit("")
    query = parse_qsl(url.query, keep_blank_values=True)
    # Many programs want to be told to encrypt; ours does anyway.
    if url.scheme != "smtp" or not host or url.path not in {"", "/"} or url.fragment:
        wrong.append("FOLKMOOT_SMTP must be like smtp://user:password@mail.example.gov.uk:587")
        return None
    if query not in ([], [("tls", "starttls")]):
        wrong.append("FOLKMOOT_SMTP may end in ?tls=starttls, which is the default, and no other")
        return None
    return MailServer(host, port, unquote(url.username or ""), unquote(url.password or ""))
