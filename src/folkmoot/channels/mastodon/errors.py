"""Mastodon's errors. It has no codes, only HTTP statuses and English sentences, so a code here is
the status, or the status and what its sentence is known by.

Sources: Mastodon documentation, "Error", "Rate limits", and the pages of each method; the wording
of sentences as Mastodon 4.5 has it. A sentence that is worded otherwise falls back to its status.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from folkmoot.channels.api import Meaning, Reason

_CONNECT_AGAIN = (
    "Make a new access token on Mastodon (Preferences, Development) and connect the account again."
)

ERRORS: Mapping[str, Reason] = {
    "400": Reason(
        Meaning.REFUSED,
        "Mastodon could not read the request ({said}). Nothing was published; tell whoever runs"
        " Folkmoot here.",
    ),
    "401": Reason(
        Meaning.SIGN_IN, f"Mastodon does not take this account's access token. {_CONNECT_AGAIN}"
    ),
    "401 revoked": Reason(
        Meaning.SIGN_IN, f"This account's access token was revoked on Mastodon. {_CONNECT_AGAIN}"
    ),
    "401 expired": Reason(
        Meaning.SIGN_IN, f"This account's access token is over on Mastodon. {_CONNECT_AGAIN}"
    ),
    "403": Reason(
        Meaning.REFUSED,
        "Mastodon does not let this account do this ({said}). Sign in there and look at the account"
        " and its notices; if all is well there, ask the server's moderators.",
    ),
    "403 scope": Reason(
        Meaning.SIGN_IN,
        "This account's access token may not do this on Mastodon. Under Preferences, Development,"
        " give the application the scopes read, write:statuses and write:media, make a new access"
        " token and connect the account again.",
    ),
    "403 suspended": Reason(
        Meaning.REFUSED,
        "This account is suspended on Mastodon. Sign in there to read why, and appeal or ask the"
        " server's moderators.",
    ),
    "403 disabled": Reason(
        Meaning.REFUSED,
        "The sign-in of this account is locked on Mastodon. Ask the server's moderators to unlock"
        " it.",
    ),
    "403 unconfirmed": Reason(
        Meaning.REFUSED,
        "The e-mail address of this account is not confirmed on Mastodon. Open the message that"
        " Mastodon sent to it and follow its link.",
    ),
    "403 pending": Reason(
        Meaning.REFUSED,
        "This account waits for approval by the moderators of its Mastodon server. Ask them, or"
        " wait.",
    ),
    "404": Reason(Meaning.MISSING, "This is not on Mastodon ({said})."),
    "404 reply": Reason(
        Meaning.MISSING,
        "The post that this one answers is not on Mastodon any more. Nothing was published.",
    ),
    "410": Reason(Meaning.MISSING, "This is not on Mastodon any more."),
    "413": Reason(
        Meaning.REFUSED, "This is larger than the Mastodon server takes. Make the picture smaller."
    ),
    "422": Reason(Meaning.REFUSED, "Mastodon refused it ({said}). Nothing was published."),
    "422 processing": Reason(
        Meaning.LATER,
        "Mastodon is still at work on a picture, so nothing was published. It is tried again by"
        " itself.",
    ),
    "422 picture": Reason(
        Meaning.REFUSED,
        "Mastodon could not make sense of a picture ({said}). Save it anew as JPEG or PNG, and add"
        " it again.",
    ),
    "422 pictures gone": Reason(
        Meaning.REFUSED,
        "Mastodon does not have a picture any more that was handed to it, so nothing was"
        " published. Prepare the post again.",
    ),
    "429": Reason(
        Meaning.LATER,
        "Mastodon takes no more requests from this account for now. It is tried again by itself.",
    ),
    "500": Reason(
        Meaning.UNCLEAR, "Mastodon had a fault of its own and did not say what became of it."
    ),
    "503": Reason(Meaning.LATER, "Mastodon is closed for now. It is tried again by itself."),
}

# What a sentence holds, in lower case, and what it is then known by.
_KNOWN_BY = (
    ("401", "revoked", "401 revoked"),
    ("401", "expired", "401 expired"),
    ("403", "authorized scopes", "403 scope"),
    ("403", "suspended", "403 suspended"),
    ("403", "disabled", "403 disabled"),
    ("403", "confirmed e-mail", "403 unconfirmed"),
    ("403", "pending approval", "403 pending"),
    ("404", "reply to", "404 reply"),
    ("422", "not finished processing", "422 processing"),
    ("422", "processing thumbnail", "422 picture"),
    ("422", "could not be verified", "422 picture"),
    ("422", "not found", "422 pictures gone"),
    ("422", "already attached", "422 pictures gone"),
)


def find_error(status: int, value: Any) -> tuple[tuple[str, ...], str] | None:
    """Our codes for an answer that is no yes, and what it said; ``None`` where it is not in
    Mastodon's form (a JSON object whose ``error`` is text).
    """
    said = value.get("error") if isinstance(value, dict) else None
    if not isinstance(said, str):
        return None
    found = [
        code
        for known, words, code in _KNOWN_BY
        if known == str(status) and words in said.casefold()
    ]
    return (*found, str(status)), said
