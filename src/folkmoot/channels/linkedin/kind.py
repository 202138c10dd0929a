"""How a page on LinkedIn is connected, and its adapter built."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from folkmoot.channels.kinds import CannotConnect, Connected, Kind, Wanted
from folkmoot.channels.linkedin.adapter import VERSION, LinkedIn
from folkmoot.channels.oauth import OAuth
from folkmoot.channels.tokens import Grant, MemoryTokens

SERVER = "https://api.linkedin.com"
_PAGE = "https://www.linkedin.com"
_ORGANISATION = re.compile(r"(?:.*/company/|urn:li:organization:)?([0-9]{1,20})(?:/.*)?")
_WEB_ADDRESS = re.compile(r"https?://[^\s/?#@]+")
_VERSION = re.compile(r"20[0-9]{2}(?:0[1-9]|1[0-2])")


def name_of(typed: Mapping[str, str]) -> tuple[str, str]:
    """The page's number, and the server. Raises :class:`CannotConnect`."""
    found = _ORGANISATION.fullmatch(typed.get("handle", "").strip())
    if found is None:
        raise CannotConnect(
            "Enter the page's number: it stands in the address of its admin view, after /company/.",
            "handle",
        )
    server = (typed.get("server", "").strip() or SERVER).rstrip("/")
    if not _WEB_ADDRESS.fullmatch(server):
        raise CannotConnect(f"Enter the server's address, such as {SERVER}.", "server")
    if not _VERSION.fullmatch(typed.get("version", "").strip() or VERSION):
        raise CannotConnect(
            f"Enter the API's version as year and month, such as {VERSION}.", "version"
        )
    return found[1], server


def _sign_in_page(account: Connected) -> str:
    return _PAGE if account.server == SERVER else account.server


def _check(account: Connected, grant: Grant) -> None:
    fresh = replace(account, tokens=MemoryTokens(grant.to_tokens()))
    if wrong := LinkedIn(fresh, OAUTH).diagnose():
        raise CannotConnect(wrong)


OAUTH = OAuth(
    title="LinkedIn",
    authorise_url=lambda account: f"{_sign_in_page(account)}/oauth/v2/authorization",
    token_url=lambda account: f"{_sign_in_page(account)}/oauth/v2/accessToken",
    scopes=("r_organization_social", "w_organization_social"),
    basic=False,
    # LinkedIn has PKCE for apps on a person's own device alone, at another address.
    pkce=False,
    check=_check,
)

KIND = Kind(
    channel="linkedin",
    title="LinkedIn",
    about=(
        "In LinkedIn's developer portal, make an app for your page, ask for the product Community"
        " Management API, and add the address shown here under Auth. Whoever signs in must be an"
        " administrator or content administrator of the page."
    ),
    wanted=(
        Wanted("handle", "Page number", "From the address of the page's admin view"),
        Wanted("client_id", "Client ID"),
        Wanted("client_secret", "Client secret", secret=True),
        Wanted(
            "version",
            "API version",
            "Year and month; LinkedIn speaks each for a year",
            default=VERSION,
            optional=True,
        ),
        Wanted("server", "Server", "Only changed to practise with a simulator", default=SERVER),
    ),
    name_of=name_of,
    build=lambda account: LinkedIn(account, OAUTH),
    authorisation=OAUTH,
)
