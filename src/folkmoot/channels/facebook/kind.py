"""What is asked of whoever connects a page."""

from __future__ import annotations

import re
from collections.abc import Mapping

from folkmoot.channels.facebook.adapter import SERVER, VERSION, Facebook
from folkmoot.channels.graph import read_server, read_version
from folkmoot.channels.kinds import CannotConnect, Kind, Wanted

_PAGE = re.compile(r"[0-9]{5,30}")


def _name_of(typed: Mapping[str, str]) -> tuple[str, str]:
    page = typed.get("page", "").strip()
    if not _PAGE.fullmatch(page):
        raise CannotConnect(
            "The page's number has digits alone. It stands on the page under About, Page"
            " transparency.",
            "page",
        )
    if not typed.get("token", "").strip():
        raise CannotConnect("Paste the page's access token.", "token")
    read_version(typed, VERSION)
    return page, read_server(typed, SERVER)


KIND = Kind(
    channel="facebook",
    title="Facebook",
    about=(
        "Posts to a Facebook page. You need the page's number and a page access token with the"
        " permissions pages_manage_posts, pages_read_engagement and pages_show_list. At"
        " developers.facebook.com make an app of your organisation's own; in the business settings"
        " at business.facebook.com make a system user, give it the page with the task of creating"
        " content, and generate a token for it that does not expire; then ask the Graph API"
        " Explorer, with that token, for PAGE-NUMBER?fields=access_token. What it answers is the"
        " page's own token."
    ),
    wanted=(
        Wanted("page", "Page number", "Digits alone, from About, Page transparency."),
        Wanted("token", "Page access token", "A page's own, not a person's.", secret=True),
        Wanted("version", "Version of the API", "Leave it as it is.", VERSION, optional=True),
        Wanted("server", "Server", "Leave it as it is.", SERVER, optional=True),
    ),
    name_of=_name_of,
    build=Facebook,
)
