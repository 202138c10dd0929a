"""What is asked of whoever connects a Mastodon account, and how its adapter is built."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from folkmoot.channels.kinds import CannotConnect, Connected, Kind, Wanted
from folkmoot.channels.mastodon.adapter import MAX_CHARACTERS, Mastodon
from folkmoot.channels.port import Adapter

_HANDLE = re.compile(
    r"@?(?P<user>[a-z0-9_]+(?:[.-]+[a-z0-9_]+)*)(?:@(?P<host>[^\s@/]+))?", re.IGNORECASE
)
_SERVER = re.compile(r"https?://[^\s/?#@\\]+")
_MOST = 100_000


def name_of(typed: Mapping[str, str]) -> tuple[str, str]:
    """The account's handle, as ``@user@server``, and its server's address. Raises
    :class:`CannotConnect`.
    """
    handle = _HANDLE.fullmatch(typed.get("handle", "").strip())
    if handle is None:
        raise CannotConnect("Type the account's name, like @council@mastodon.example.", "handle")
    server = (typed.get("server", "").strip() or handle["host"] or "").rstrip("/")
    if server and "://" not in server:
        server = f"https://{server}"
    if not _SERVER.fullmatch(server):
        raise CannotConnect(
            "Type the address of the Mastodon server, like https://mastodon.example.", "server"
        )
    read_max_characters(typed.get("max_characters", ""))
    host = handle["host"] or urlsplit(server).netloc
    return f"@{handle['user']}@{host}", server


def read_max_characters(typed: str) -> int:
    """The server's limit as it was typed; Mastodon's own where nothing was. Raises
    :class:`CannotConnect`.
    """
    typed = typed.strip()
    if not typed:
        return MAX_CHARACTERS
    if not (typed.isascii() and typed.isdigit() and 1 <= int(typed[:9]) <= _MOST):
        raise CannotConnect(
            f"Type a number of characters from 1 to {_MOST:,}, or leave it empty.",
            "max_characters",
        )
    return int(typed)


def build(account: Connected) -> Adapter:
    """The adapter of one account."""
    return Mastodon(
        server=account.server,
        username=account.handle.strip("@").partition("@")[0],
        access_token=account.secrets.get("access_token", ""),
        outbound=account.outbound,
        now=account.now,
        max_characters=read_max_characters(account.settings.get("max_characters", "")),
    )


KIND = Kind(
    channel="mastodon",
    title="Mastodon",
    about=(
        "Sign in to Mastodon as the account. Under Preferences, Development, make a new application"
        " with the scopes read, write:statuses and write:media, open it, and copy its access token."
    ),
    wanted=(
        Wanted("handle", "Account", "Its name, like @council@mastodon.example."),
        Wanted(
            "server",
            "Server",
            "The address of the web page where you sign in, where it is not the second half of the"
            " name.",
            optional=True,
        ),
        Wanted("access_token", "Access token", secret=True),
        Wanted(
            "max_characters",
            "Characters in a post",
            f"Leave it empty for {MAX_CHARACTERS}, unless your server takes another number.",
            optional=True,
        ),
    ),
    name_of=name_of,
    build=build,
)
