"""What Bluesky's refusals mean, in sentences for the person who must act.

Error names are those of the lexicons (``com.atproto.server.createSession``,
``com.atproto.repo.putRecord``, ``com.atproto.repo.applyWrites``) and of the reference server,
@atproto/pds 0.4.217. ``{said}`` is what the server said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from folkmoot.channels.api import Meaning, Reason
from folkmoot.channels.bluesky.xrpc import ANY_OTHER

TOKEN_IS_OVER = frozenset({"ExpiredToken", "InvalidToken"})
NOT_FOUND = "RecordNotFound"
TAKEN = "InvalidSwap"
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
    ANY_OTHER: "{server} did not let the account in ({said}). Connect the account again.",
}
_STATUS = {
    "deactivated": (
        "This account has been deactivated. Sign in on Bluesky and reactivate it, then try again."
    ),
    "suspended": "Bluesky has suspended this account. Ask its moderation team why.",
    "takendown": "Bluesky has taken this account down. Ask its moderation team why.",
}
_ACCOUNT = {
    "AuthMissing": "The sign-in was not accepted. Connect the account again.",
    "InvalidToken": "The sign-in was not accepted. Connect the account again.",
    "ExpiredToken": "The sign-in has run out. Connect the account again.",
    "AccountDeactivated": _STATUS["deactivated"],
    "AccountSuspended": _STATUS["suspended"],
    "AccountTakedown": _STATUS["takendown"],
    "AccountNotFound": "Bluesky does not know this account any more. Connect it again.",
}
_NOTHING = " Nothing was published."
_WRITE = {
    "InvalidRequest": "Bluesky does not take this post as it is ({said}). Change it.",
    "BlobNotFound": "Bluesky no longer has a picture of this post. Prepare the post again.",
    "InvalidMimeType": "Bluesky holds a picture of this post to be of another kind. Add it again.",
    "InvalidSize": "Bluesky holds a picture of this post to be of another size. Add it again.",
    "PayloadTooLarge": "This post is larger than Bluesky takes. Use smaller pictures.",
    "AuthenticationRequired": "The account may not post there ({said}). Connect it again.",
    **_ACCOUNT,
    TAKEN: "Something else stands under this post's key. Look it up.",
    ANY_OTHER: "Bluesky refused it ({said}).",
}
_REMOVE = {**_ACCOUNT, ANY_OTHER: "Bluesky did not take it down ({said})."}


def _table(sentences: Mapping[str, str], ending: str) -> dict[str, Reason]:
    meanings = {
        "AuthMissing": Meaning.SIGN_IN,
        "InvalidToken": Meaning.SIGN_IN,
        "ExpiredToken": Meaning.SIGN_IN,
        TAKEN: Meaning.REPEAT,
    }
    return {
        name: Reason(meanings.get(name, Meaning.REFUSED), sentence + ending)
        for name, sentence in sentences.items()
    }


WRITE = _table(_WRITE, _NOTHING)
"""What the server says to a post."""

REMOVE = _table(_REMOVE, " The post is still there.")
"""What the server says to a removal."""

PICTURE = {
    ANY_OTHER: Reason(Meaning.REFUSED, f"Bluesky did not take a picture ({{said}}).{_NOTHING}")
}
"""What the server says to a picture."""

READ = {
    NOT_FOUND: Reason(Meaning.MISSING, "This post is not on Bluesky."),
    ANY_OTHER: Reason(Meaning.REFUSED, "Bluesky's answer about the post ({said}) decides nothing."),
}
"""What the server says when a record is asked for."""


def sign_in_table(server: str) -> dict[str, Reason]:
    """What ``server`` says to whoever signs in."""
    named = server.replace("{", "{{").replace("}", "}}")
    return {
        name: Reason(Meaning.SIGN_IN, sentence.replace("{server}", named))
        for name, sentence in _SIGN_IN.items()
    }


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
