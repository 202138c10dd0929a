"""What Bluesky's refusals mean, in sentences for the person who must act.

Error names are those of the lexicons (``com.atproto.server.createSession``,
``com.atproto.repo.putRecord``) and of the reference server, @atproto/pds 0.4.217.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from folkmoot.channels.bluesky.xrpc import SaidNo

_NOT_LET_IN = (
    "{server} does not accept the handle or the app password. Make a new app password in the"
    " account's settings and enter it here."
)
_SIGN_IN = {
    "AuthenticationRequired": _NOT_LET_IN,
    "InvalidCredentials": _NOT_LET_IN,
    "AuthFactorTokenRequired": (
        "{server} asks for a code sent by e-mail, because this is the account's main password."
        " Make an app password in the account's settings and enter that here."
    ),
    "AccountTakedown": (
        "{server} has taken this account down. Ask its moderation team why; nothing can be posted."
    ),
    "XRPCNotSupported": (
        "{server} is a web server, but not one of Bluesky's. Check the server's address."
    ),
}
_STATUS = {
    "deactivated": (
        "This account has been deactivated. Sign in on Bluesky and reactivate it, then try again."
    ),
    "suspended": "Bluesky has suspended this account. Ask its moderation team why.",
    "takendown": "Bluesky has taken this account down. Ask its moderation team why.",
}
_POST = {
    "InvalidRequest": "Bluesky does not take this post as it is ({said}). Change it.",
    "BlobNotFound": "Bluesky no longer has a picture of this post. Prepare the post again.",
    "InvalidMimeType": "Bluesky holds a picture of this post to be of another kind. Add it again.",
    "InvalidSize": "Bluesky holds a picture of this post to be of another size. Add it again.",
    "PayloadTooLarge": "This post is larger than Bluesky takes. Use smaller pictures.",
    "AuthenticationRequired": "The account may not post there ({said}). Connect it again.",
    "AuthMissing": "The sign-in was not accepted. Connect the account again.",
    "InvalidToken": "The sign-in was not accepted. Connect the account again.",
    "ExpiredToken": "The sign-in has run out. Connect the account again.",
    "AccountDeactivated": _STATUS["deactivated"],
    "AccountSuspended": _STATUS["suspended"],
    "AccountTakedown": _STATUS["takendown"],
    "AccountNotFound": "Bluesky does not know this account any more. Connect it again.",
}


def explain_sign_in(fault: SaidNo, server: str) -> str:
    """Why ``server`` would not let the account in."""
    known = _SIGN_IN.get(fault.error)
    if known is not None:
        return known.format(server=server)
    return f"{server} did not let the account in ({_as_said(fault)}). Connect the account again."


def explain_status(answer: Mapping[str, Any]) -> str | None:
    """Why an account that is signed in may not post, or ``None`` where it may.

    ``answer`` is that of ``getSession``; a server that does not say is taken to mean it may.
    """
    if answer.get("active") is not False:
        return None
    status = str(answer.get("status"))
    return _STATUS.get(
        status, "Bluesky says that this account is not active. Sign in there to see."
    )


def explain_post(fault: SaidNo) -> str:
    """Why the server would not take the post."""
    known = _POST.get(fault.error)
    reason = (
        known.format(said=_as_said(fault)) if known else f"Bluesky refused it ({_as_said(fault)})."
    )
    return f"{reason} Nothing was published."


def explain_picture(fault: SaidNo) -> str:
    """Why the server would not take a picture."""
    return f"Bluesky did not take a picture ({_as_said(fault)}). Nothing was published."


def _as_said(fault: SaidNo) -> str:
    return (fault.said or fault.error).rstrip(".")
