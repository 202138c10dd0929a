"""Bluesky as a kind of channel: what is asked of whoever connects an account."""

from __future__ import annotations

import re
from collections.abc import Mapping

from folkmoot.channels.bluesky.adapter import Bluesky
from folkmoot.channels.kinds import CannotConnect, Connected, Kind, Wanted

_DEFAULT_SERVER = "https://bsky.social"
# A domain name. An e-mail address would do to sign in, and would then stand on the register.
_HANDLE = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_SERVER = re.compile(r"https?://[A-Za-z0-9.-]{1,180}(:[0-9]{1,5})?")


def _name_of(typed: Mapping[str, str]) -> tuple[str, str]:
    handle = typed.get("handle", "").strip().lstrip("@").lower()
    server = (typed.get("server", "").strip() or _DEFAULT_SERVER).rstrip("/")
    if not _HANDLE.fullmatch(handle):
        raise CannotConnect("Enter the account's handle, such as council.example.uk.", "handle")
    if not typed.get("app_password", "").strip():
        raise CannotConnect("Enter an app password of the account.", "app_password")
    if not _SERVER.fullmatch(server):
        raise CannotConnect("Enter the server's address, such as https://bsky.social.", "server")
    return handle, server


def _build(account: Connected) -> Bluesky:
    return Bluesky(
        server=account.server or _DEFAULT_SERVER,
        handle=account.handle,
        app_password=account.secrets.get("app_password", "").strip(),
        outbound=account.outbound,
        tokens=account.tokens,
    )


KIND = Kind(
    channel="bluesky",
    title="Bluesky",
    about=(
        "Make an app password for this desk in Bluesky's settings (Privacy and security, App"
        " passwords), and enter that: never the account's main password."
    ),
    wanted=(
        Wanted("handle", "Handle", "Such as council.example.uk"),
        Wanted("app_password", "App password", secret=True),
        Wanted(
            "server",
            "Server",
            "Leave this as it is unless the account is on a server of your own.",
            default=_DEFAULT_SERVER,
        ),
    ),
    name_of=_name_of,
    build=_build,
)
