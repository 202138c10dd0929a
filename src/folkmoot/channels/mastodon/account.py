"""Whether an account can post, in words: whose token it is, what was done to the account, and what
its token may do.
"""

from __future__ import annotations

from folkmoot.channels.api import NoClearAnswer, SaidNo
from folkmoot.channels.mastodon.server import Server
from folkmoot.channels.mastodon.statuses import Owner

# What we need, and the scopes that include it (Mastodon documentation, "OAuth scopes").
_NEEDED = {
    "read:accounts": {"read", "read:accounts"},
    "read:statuses": {"read", "read:statuses"},
    "write:statuses": {"write", "write:statuses"},
    "write:media": {"write", "write:media"},
}


def explain_owner(owner: Owner, username: str) -> str | None:
    """Why the owner of the token cannot post as ``username``; ``None`` where nothing stands against
    it.
    """
    if owner.username.casefold() != username.casefold():
        return (
            f"The access token is that of the account {owner.username}, not of {username}. Sign in"
            f" to Mastodon as {username}, make an access token there and connect the account again."
        )
    if "suspended" in owner.flags:
        return (
            "This account is suspended on Mastodon. Sign in there to read why, and appeal or ask"
            " the server's moderators."
        )
    if "memorial" in owner.flags:
        return "This account is kept as a memorial on Mastodon. Ask the server's moderators."
    if "moved" in owner.flags:
        return (
            "This account has moved to another one on Mastodon. Connect that one, or undo the move"
            " on Mastodon."
        )
    return None


def diagnose(server: Server, username: str, most_characters: int) -> str | None:
    """See :meth:`~folkmoot.channels.port.Adapter.diagnose`."""
    try:
        owner = server.get_owner()
        scopes = server.find_scopes()
        most = server.find_max_characters()
    except SaidNo as no:
        return no.reason
    except NoClearAnswer as fault:
        return (
            f"{server.url} could not be used. {fault.reason} If this lasts, check the server's"
            " address."
        )
    return (
        explain_owner(owner, username)
        or _explain_scopes(scopes)
        or _explain_length(most, most_characters)
        or _explain_limited(owner)
    )


def _explain_scopes(scopes: frozenset[str] | None) -> str | None:
    missing = [
        name for name, enough in _NEEDED.items() if scopes is not None and not scopes & enough
    ]
    if not missing:
        return None
    names = ", ".join(missing)
    return (
        f"The access token may not do all that is needed. On Mastodon, under Preferences,"
        f" Development, add {names} to the application's scopes, make a new access token and"
        " connect the account again."
    )


def _explain_length(most: int | None, ours: int) -> str | None:
    if most is None or most >= ours:
        return None
    return (
        f"This Mastodon server takes {most:,} characters, and the account is set to {ours:,}. Set"
        f" it to {most:,}."
    )


def _explain_limited(owner: Owner) -> str | None:
    if "limited" not in owner.flags:
        return None
    return (
        "The moderators of this Mastodon server have limited this account: it can post, but only"
        " its followers will see it. Sign in there to read why, and ask them."
    )
