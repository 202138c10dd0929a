"""What X's refusals mean, in sentences for the person who must act.

X answers with a problem (RFC 9457) whose ``type`` ends in its name, or, in older parts, with
numbered ``errors``; some differ by their wording alone ("Response codes and errors" in X's
documentation). How long to wait stands in ``x-rate-limit-reset``, in seconds since 1970.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

from folkmoot.channels.api import Meaning, Reason, find_wait_seconds
from folkmoot.channels.outbound import Response

_TOO_MANY = 429
_DAY_SECONDS = 24 * 3600.0
_LIMITS = ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour")
# Where only the words, or a number of the older API, tell what it is.
_WORDS = (
    (r"duplicate content|status is a duplicate", "duplicate-content"),
    (r"\bsuspended\b", "account-suspended"),
    (r"temporarily locked|unlock your account", "account-locked"),
    (r"deleted or not visible to you|attempted to reply", "reply-gone"),
    (r"reply to this conversation is not allowed|restricted who can reply", "reply-not-allowed"),
    (r"text is too long|over 140 characters|needs to be a bit shorter", "text-too-long"),
    (r"media ids? (?:are|is) invalid|invalid media", "media-invalid"),
    (r"daily status update limit|daily limit", "too-many-posts"),
    (r"might be automated", "looks-automated"),
    (r"not permitted to perform this action", "not-permitted"),
)
_NUMBERS = {
    64: "account-suspended",
    185: "too-many-posts",
    186: "text-too-long",
    187: "duplicate-content",
    226: "looks-automated",
    324: "media-invalid",
    326: "account-locked",
    385: "reply-gone",
    433: "reply-not-allowed",
}

TABLE: Mapping[str, Reason] = {
    "duplicate-content": Reason(
        Meaning.REPEAT, "X already has a post with these very words. Change them."
    ),
    "account-suspended": Reason(
        Meaning.REFUSED,
        "X has suspended this account. Sign in at x.com to see why; nothing can be posted until X"
        " lifts it.",
    ),
    "account-locked": Reason(
        Meaning.REFUSED, "X has locked this account. Sign in at x.com and unlock it there."
    ),
    "reply-gone": Reason(
        Meaning.REFUSED,
        "The post that this one answers is gone from X, or cannot be seen. Make it a post of its"
        " own.",
    ),
    "reply-not-allowed": Reason(
        Meaning.REFUSED, "X does not let this account answer that post. Make it a post of its own."
    ),
    "text-too-long": Reason(Meaning.REFUSED, "X holds this text to be too long. Shorten it."),
    "media-invalid": Reason(
        Meaning.REFUSED, "X no longer has a picture of this post. Prepare the post again."
    ),
    "too-many-posts": Reason(
        Meaning.LATER, "X takes no more posts of this account today. It is tried again later."
    ),
    "looks-automated": Reason(
        Meaning.REFUSED,
        "X holds this request to be automated abuse. Sign in at x.com, do what it asks there, and"
        " send the post again.",
    ),
    "not-permitted": Reason(
        Meaning.REFUSED,
        "X does not permit this account to do this. Sign in at x.com to see whether it is"
        " restricted, and check that the app may read and write.",
    ),
    "oauth1-permissions": Reason(
        Meaning.REFUSED,
        "The app may only read. In X's developer portal, set its permissions to read and write, and"
        " connect the account again.",
    ),
    "client-not-enrolled": Reason(
        Meaning.REFUSED,
        "The app stands in no project of X's developer portal that may use this API. Put it in one,"
        " and connect the account again.",
    ),
    "client-forbidden": Reason(
        Meaning.REFUSED,
        "X does not let this app do this ({said}). Look at the app's access in X's developer"
        " portal.",
    ),
    "usage-capped": Reason(
        Meaning.REFUSED,
        "This month's quota of the app at X is used up ({said}). Raise it in X's developer portal,"
        " or wait until the month is over.",
    ),
    "credits": Reason(
        Meaning.REFUSED, "The app has no credit left at X. Buy some in X's developer portal."
    ),
    "unsupported-authentication": Reason(
        Meaning.SIGN_IN, "X does not take this kind of sign-in here. Connect the account again."
    ),
    "unauthorized": Reason(
        Meaning.SIGN_IN,
        "X does not take this account's sign-in any more. Connect the account again.",
    ),
    "not-authorized-for-resource": Reason(
        Meaning.UNCLEAR, "X does not show this account what was asked for ({said})."
    ),
    "resource-not-found": Reason(Meaning.MISSING, "X does not have this."),
    "invalid-request": Reason(
        Meaning.REFUSED, "X does not take this as it is ({said}). Change it."
    ),
}


def find_error(status: int, value: Any) -> tuple[Sequence[str], str] | None:
    """The codes of an answer, the most telling first, and what X said; ``None`` where the answer
    is not in X's form.
    """
    if not isinstance(value, dict):
        return None
    errors = [one for one in _list(value.get("errors")) if isinstance(one, dict)]
    if not errors and not any(isinstance(value.get(name), str) for name in ("title", "detail")):
        return None
    first = errors[0] if errors else {}
    said = str(value.get("detail") or first.get("detail") or first.get("message") or "")
    said = said or str(value.get("title") or "")
    words = " ".join([said, *(str(one.get("message", "")) for one in errors)])
    codes = [code for words_of, code in _WORDS if re.search(words_of, words, re.IGNORECASE)]
    codes += [_NUMBERS[one["code"]] for one in errors if one.get("code") in _NUMBERS]
    for one in (value, first):
        codes += [str(one["reason"])] if isinstance(one.get("reason"), str) else []
        codes += [str(one["type"]).rpartition("/")[2]] if isinstance(one.get("type"), str) else []
    by_status = {401: "unauthorized", 404: "resource-not-found"}
    codes += [by_status[status]] if status in by_status else []
    return [code for code in codes if code != "about:blank"], said


def find_wait(response: Response) -> float | None:
    """How many seconds X asked us to wait: by ``Retry-After``, or until the limit that is used up
    is fresh again, held against X's own clock; never longer than a day.
    """
    wait = find_wait_seconds(response)
    if wait is not None or response.status != _TOO_MANY:
        return wait
    resets = {
        name: int(reset)
        for name in _LIMITS
        if (reset := response.headers.get(f"{name}-reset", "")).isdecimal()
    }
    spent = [
        reset for name, reset in resets.items() if response.headers.get(f"{name}-remaining") == "0"
    ]
    try:
        there = parsedate_to_datetime(response.headers.get("date", "")).timestamp()
    except (ValueError, TypeError):
        return None
    until = max(spent or resets.values(), default=None)
    return None if until is None else min(max(until - there, 0.0), _DAY_SECONDS)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
