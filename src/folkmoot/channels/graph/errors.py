"""What an answer of Meta's that is no yes means.

Meta answers nearly everything with 400, so the status says little and the code all. Codes and what
to do about them: "Handling Errors" and "Rate Limits" of the Graph API, and "Error Codes" of the
Instagram Platform (the subcodes 2207xxx). A code may mean different things with different
subcodes, so a row is ``code/subcode`` where the subcode tells, else ``code``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from folkmoot.channels.api import Meaning, Reason, find_wait_seconds
from folkmoot.channels.outbound import Response

_SERVER_FAULT = 500
_LONGEST_WAIT_SECONDS = 24 * 3600.0
_RANGES = ((200, 299), (80000, 80014))
_USAGE = ("x-business-use-case-usage", "x-app-usage", "x-page-usage")
_AGAIN = "Make a new access token and connect the account again."


def find_error(status: int, value: Any) -> tuple[Sequence[str], str] | None:
    """The codes of an error, the most telling first, and what was said; see
    :class:`~folkmoot.channels.api.Api`.

    What Meta itself calls passing (``is_transient``), and whatever comes with a 5xx, is never a
    clear no.
    """
    error = value.get("error") if isinstance(value, dict) else None
    if not isinstance(error, dict) or not isinstance(error.get("code"), int):
        return None
    code, subcode = error["code"], error.get("error_subcode")
    codes = [f"{code}/{subcode}"] if isinstance(subcode, int) else []
    codes.append(str(code))
    codes += [f"{first}-{last}" for first, last in _RANGES if first <= code <= last]
    if error.get("is_transient") is True or status >= _SERVER_FAULT:
        codes.insert(0, "passing")
    said = error.get("error_user_msg") or error.get("message") or ""
    return codes, str(said).rstrip(".")


def find_wait(response: Response) -> float | None:
    """How many seconds Meta asked us to wait, by ``Retry-After`` or, in minutes, by
    ``estimated_time_to_regain_access`` ("Rate Limits", headers). ``None`` where it did not say;
    never longer than a day.
    """
    waits = [_find_minutes(response.headers.get(name, "")) * 60.0 for name in _USAGE]
    longest = min(max(waits), _LONGEST_WAIT_SECONDS)
    return find_wait_seconds(response) or longest or None


def _find_minutes(header: str) -> float:
    try:
        value = json.loads(header or "{}")
    except ValueError:
        return 0.0
    found = [value]
    minutes = 0.0
    while found:
        one = found.pop()
        if isinstance(one, list):
            found += one
        elif isinstance(one, dict):
            found += one.values()
            said = one.get("estimated_time_to_regain_access")
            if isinstance(said, int | float) and not isinstance(said, bool):
                minutes = max(minutes, float(said))
    return minutes


def make_table(title: str, permissions: str) -> Mapping[str, Reason]:
    """The error table for a channel. ``permissions`` names those that its token must have."""

    def token(why: str) -> Reason:
        return Reason(Meaning.SIGN_IN, f"{title} does not take the access token: {why}. {_AGAIN}")

    def refused(sentence: str) -> Reason:
        return Reason(Meaning.REFUSED, sentence)

    def unclear(sentence: str) -> Reason:
        return Reason(Meaning.UNCLEAR, sentence)

    no_permission = refused(
        f"{title} says that the access token may not do this ({{said}}). Make one that has"
        f" {permissions}, and connect the account again."
    )
    later = Reason(
        Meaning.LATER,
        f"{title} takes no more requests for now ({{said}}). It is tried again by itself.",
    )
    gone = unclear(f"{title} does not find what was handed over to it ({{said}}).")
    not_fetched = unclear(
        f"{title} could not fetch a picture from here ({{said}}). If this lasts, see whether this"
        " site's pictures can be reached from the internet over https."
    )
    return {
        "passing": unclear(f"{title} has trouble of its own ({{said}})."),
        "1": unclear(f"{title} has trouble of its own ({{said}})."),
        "2": unclear(f"{title} has trouble of its own ({{said}})."),
        "-1": unclear(f"{title} has trouble of its own ({{said}})."),
        "-2": not_fetched,
        "3": no_permission,
        "4": later,
        "4/2207051": refused(
            f"{title} takes this for spam and has stopped it ({{said}}). Sign in there, and tell"
            " them if they are wrong."
        ),
        "9": later,
        "9/2207042": Reason(
            Meaning.LATER,
            f"{title} takes no more posts from this account today ({{said}}).",
        ),
        "10": no_permission,
        "17": later,
        "24": gone,
        "25": refused(
            f"{title} has restricted this account ({{said}}). Sign in to its app and do what it"
            " asks."
        ),
        "32": later,
        "100": refused(f"{title} does not take this as it is ({{said}})."),
        "100/33": Reason(Meaning.MISSING, f"{title} does not have this, or does not show it."),
        "102": token("the sign-in is over"),
        "190": token("{said}"),
        "190/458": token("somebody removed the app from the account's settings"),
        "190/459": token("it wants the person who made it to sign in there and answer something"),
        "190/460": token("the password of the person who made it has changed"),
        "190/463": token("it has run out"),
        "190/464": token("the person who made it has not confirmed their own account"),
        "190/467": token("it was revoked, or the person who made it has signed out"),
        "190/492": token("the person who made it has no task on the page any more"),
        "200-299": no_permission,
        "341": later,
        "368": refused(
            f"{title} has blocked this account from posting for going against its policies"
            " ({said}). Sign in there and see what it says."
        ),
        "506": Reason(Meaning.REPEAT, f"{title} takes no post twice in a row with the same words."),
        "613": later,
        "803": Reason(Meaning.MISSING, f"{title} does not have this."),
        "9004": not_fetched,
        "9007": Reason(Meaning.LATER, f"{title} is still at work on what was handed over."),
        "36000": refused(f"{title} finds a picture too large ({{said}}). Use a smaller one."),
        "36001": refused(f"{title} does not take pictures of this kind ({{said}})."),
        "36003": refused(
            f"{title} does not take a picture of this shape ({{said}}). Cut it to between 4:5"
            " (upright) and 1.91:1 (wide)."
        ),
        "36004": refused(f"{title} finds the text too long ({{said}}). Shorten it."),
        "80000-80014": later,
    }
