"""What is asked of whoever connects a profile on Threads."""

from __future__ import annotations

import re
from collections.abc import Mapping

from folkmoot.channels.graph import read_server, read_version
from folkmoot.channels.kinds import CannotConnect, Kind, Wanted
from folkmoot.channels.threads.adapter import SERVER, VERSION, Threads

_HANDLE = re.compile(r"[a-z0-9._]{1,30}")


def _name_of(typed: Mapping[str, str]) -> tuple[str, str]:
    handle = typed.get("handle", "").strip().removeprefix("@").lower()
    if not _HANDLE.fullmatch(handle):
        raise CannotConnect(
            "Write the profile's name as Threads shows it, as in @council.", "handle"
        )
    if not typed.get("token", "").strip():
        raise CannotConnect("Paste the profile's access token.", "token")
    read_version(typed, VERSION)
    return handle, read_server(typed, SERVER)


KIND = Kind(
    channel="threads",
    title="Threads",
    about=(
        "Posts to a profile on Threads. At developers.facebook.com make an app of your"
        " organisation's own with the use case of the Threads API, add the profile as a tester and"
        " accept that in the profile's settings; the User Token Generator in the app's Threads"
        " settings then gives a long-lived access token. It needs threads_basic,"
        " threads_content_publish, threads_manage_replies, threads_read_replies and"
        " threads_delete. It lives 60 days and is renewed here by itself. Threads fetches pictures"
        " from this site, so it must be reachable from the internet."
    ),
    wanted=(
        Wanted("handle", "Profile", "Its name, as in @council."),
        Wanted("token", "Access token", "A long-lived one.", secret=True),
        Wanted("version", "Version of the API", "Leave it as it is.", VERSION, optional=True),
        Wanted("server", "Server", "Leave it as it is.", SERVER, optional=True),
    ),
    name_of=_name_of,
    build=Threads,
)
