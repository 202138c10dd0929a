"""How an account on X is connected, and its adapter built."""

from __future__ import annotations

import re
from collections.abc import Mapping

from folkmoot.channels.api import Api, NoClearAnswer, SaidNo
from folkmoot.channels.kinds import CannotConnect, Connected, Kind, Wanted
from folkmoot.channels.oauth import OAuth, find_secrets
from folkmoot.channels.tokens import Grant
from folkmoot.channels.x.adapter import X
from folkmoot.channels.x.errors import TABLE, find_error, find_wait

SERVER = "https://api.x.com"
_PAGE = "https://x.com"
_HANDLE = re.compile(r"[A-Za-z0-9_]{1,15}")
_WEB_ADDRESS = re.compile(r"https?://[^\s/?#@]+")
_INVALID_TOKEN = re.compile(r"\b(?:token|authorization code)\b.*\binvalid\b", re.IGNORECASE)


def name_of(typed: Mapping[str, str]) -> tuple[str, str]:
    """The handle without its @, and the server. Raises :class:`CannotConnect`."""
    handle = typed.get("handle", "").strip().removeprefix("@")
    if not _HANDLE.fullmatch(handle):
        raise CannotConnect("Enter the account's name on X, such as @ExampleCouncil.", "handle")
    server = (typed.get("server", "").strip() or SERVER).rstrip("/")
    if not _WEB_ADDRESS.fullmatch(server):
        raise CannotConnect(f"Enter the server's address, such as {SERVER}.", "server")
    return handle, server


def _authorise_url(account: Connected) -> str:
    page = _PAGE if account.server == SERVER else account.server
    return f"{page}/i/oauth2/authorize"


def _find_code(error: str, said: str) -> str | None:
    # X says of a refresh token that is spent what RFC 6749 calls invalid_grant.
    is_spent = error == "invalid_request" and _INVALID_TOKEN.search(said) is not None
    return "invalid_grant" if is_spent else None


def _check(account: Connected, grant: Grant) -> None:
    api = Api(
        account.outbound,
        title="X",
        find_error=find_error,
        table=TABLE,
        secrets=lambda: [*find_secrets(account), grant.access, grant.refresh],
        find_wait=find_wait,
    )
    try:
        answer = api.ask("GET", f"{account.server}/2/users/me", token=grant.access)
    except (SaidNo, NoClearAnswer) as fault:
        raise CannotConnect(fault.reason) from fault
    data = answer.value.get("data") if isinstance(answer.value, dict) else None
    name = str(data.get("username")) if isinstance(data, dict) else ""
    if name.casefold() != account.handle.casefold():
        raise CannotConnect(
            f"The one signed in at X is @{name}, not @{account.handle}. Sign out at x.com, sign in"
            " as the right one, and try again."
        )
    if not grant.refresh:
        raise CannotConnect(
            "X gave no lasting sign-in. Allow the app the scope offline.access, and try again."
        )


OAUTH = OAuth(
    title="X",
    authorise_url=_authorise_url,
    token_url=lambda account: f"{account.server}/2/oauth2/token",
    scopes=("tweet.read", "tweet.write", "users.read", "media.write", "offline.access"),
    read_code=_find_code,
    check=_check,
)

KIND = Kind(
    channel="x",
    title="X",
    about=(
        "In X's developer portal, make an app with OAuth 2.0 and permission to read and write, and"
        " give it the callback address shown here. Its client ID, and its client secret if it is a"
        " confidential client, stand under Keys and tokens."
    ),
    wanted=(
        Wanted("handle", "Account name", "Such as @ExampleCouncil"),
        Wanted("client_id", "Client ID"),
        Wanted(
            "client_secret",
            "Client secret",
            "Leave empty if the app is a public client",
            secret=True,
            optional=True,
        ),
        Wanted("server", "Server", "Only changed to practise with a simulator", default=SERVER),
    ),
    name_of=name_of,
    build=lambda account: X(account, OAUTH),
    authorisation=OAUTH,
)
