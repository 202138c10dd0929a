"""What is asked of whoever connects an account on Instagram."""

from __future__ import annotations

import re
from collections.abc import Mapping

from folkmoot.channels.graph import read_server, read_version
from folkmoot.channels.instagram.adapter import (
    FACEBOOK_SERVER,
    OWN_ACCOUNT,
    SERVER,
    VERSION,
    Instagram,
)
from folkmoot.channels.kinds import CannotConnect, Kind, Wanted

_HANDLE = re.compile(r"[a-z0-9._]{1,30}")
_USER_ID = re.compile(r"me|[0-9]{5,30}")


def _name_of(typed: Mapping[str, str]) -> tuple[str, str]:
    handle = typed.get("handle", "").strip().removeprefix("@").lower()
    if not _HANDLE.fullmatch(handle):
        raise CannotConnect(
            "Write the account's name as Instagram shows it, as in @council.", "handle"
        )
    if not typed.get("token", "").strip():
        raise CannotConnect("Paste the account's access token.", "token")
    server = read_server(typed, SERVER)
    user_id = typed.get("user_id", "").strip() or OWN_ACCOUNT
    if not _USER_ID.fullmatch(user_id) or (server == FACEBOOK_SERVER and user_id == OWN_ACCOUNT):
        raise CannotConnect(
            "Write the account's number, in digits: with a token from Facebook it is needed.",
            "user_id",
        )
    read_version(typed, VERSION)
    return handle, server


KIND = Kind(
    channel="instagram",
    title="Instagram",
    about=(
        "Posts to a professional account (business or creator) on Instagram. At"
        " developers.facebook.com make an app of your organisation's own with the use case of"
        " managing content on Instagram; under API setup with Instagram login, add the account and"
        " generate its access token with instagram_business_basic and"
        " instagram_business_content_publish. The token lives 60 days and is renewed here by"
        " itself. Posts can be taken down from here only with a token from Facebook"
        " (instagram_basic, instagram_content_publish, instagram_manage_contents,"
        " pages_read_engagement), the account's number and the server graph.facebook.com."
        " Instagram fetches pictures from this site, so it must be reachable from the internet."
    ),
    wanted=(
        Wanted("handle", "Account", "Its name, as in @council."),
        Wanted("token", "Access token", "A long-lived one.", secret=True),
        Wanted(
            "user_id",
            "Account number",
            "Needed with a token from Facebook; else leave it as it is.",
            OWN_ACCOUNT,
            optional=True,
        ),
        Wanted("version", "Version of the API", "Leave it as it is.", VERSION, optional=True),
        Wanted("server", "Server", "Leave it as it is.", SERVER, optional=True),
    ),
    name_of=_name_of,
    build=Instagram,
)
