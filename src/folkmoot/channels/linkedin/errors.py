"""What LinkedIn's refusals mean, in sentences for the person who must act.

An answer has ``status``, ``serviceErrorCode``, ``code`` and ``message``; for a post that is not
right the codes stand in ``errorDetails.inputErrors`` ("Error handling" and "Posts API" in
LinkedIn's documentation).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from folkmoot.channels.api import Meaning, Reason

_URN = re.compile(r"urn:li:(?:share|ugcPost|activity):[0-9]+")
_OVER = "LinkedIn does not take this sign-in any more. Connect the account again."
_VERSION = (
    "LinkedIn no longer speaks the version of its API that is set for this account ({said}). Enter"
    " a newer one, as year and month, such as 202605."
)
TABLE: Mapping[str, Reason] = {
    "DUPLICATE_POST": Reason(
        Meaning.REPEAT, "LinkedIn already has a post with these very words. Change them."
    ),
    "EXPIRED_ACCESS_TOKEN": Reason(Meaning.SIGN_IN, _OVER),
    "REVOKED_ACCESS_TOKEN": Reason(
        Meaning.SIGN_IN,
        "The sign-in was taken back at LinkedIn. Connect the account again.",
    ),
    "INVALID_ACCESS_TOKEN": Reason(Meaning.SIGN_IN, _OVER),
    "EMPTY_ACCESS_TOKEN": Reason(Meaning.SIGN_IN, _OVER),
    "UNAUTHORIZED": Reason(Meaning.SIGN_IN, _OVER),
    "NOT_ADMIN": Reason(
        Meaning.REFUSED,
        "The person who signed in may not post for this page. Make them an administrator or content"
        " administrator of the page on LinkedIn, or connect the account as somebody who is.",
    ),
    "ACCESS_DENIED": Reason(
        Meaning.REFUSED,
        "LinkedIn does not let the app do this ({said}). The app needs the product Community"
        " Management API, and the person who signed in must be an administrator of the page.",
    ),
    "TOO_MANY_REQUESTS": Reason(
        Meaning.LATER,
        "LinkedIn takes no more requests from here today. It counts anew at midnight UTC.",
    ),
    "NONEXISTENT_VERSION": Reason(Meaning.REFUSED, _VERSION),
    "VERSION_MISSING": Reason(Meaning.REFUSED, _VERSION),
    "FIELD_LENGTH_TOO_LONG": Reason(
        Meaning.REFUSED, "LinkedIn holds a text to be too long ({said}). Shorten it."
    ),
    "MEDIA_ASSET_PROCESSING_FAILED": Reason(
        Meaning.REFUSED,
        "LinkedIn could not make use of a picture. Save it again as JPEG or PNG, and add that.",
    ),
    "MEDIA_ASSET_WAITING_UPLOAD": Reason(
        Meaning.REFUSED, "LinkedIn does not have a picture of this post. Prepare the post again."
    ),
    "EXPIRED_UPLOAD_URL": Reason(
        Meaning.REFUSED, "LinkedIn waited too long for a picture. Prepare the post again."
    ),
    "INVALID_CONTENT_OWNERSHIP": Reason(
        Meaning.REFUSED, "A picture belongs to another page at LinkedIn. Prepare the post again."
    ),
    "INVALID_URN_ID": Reason(
        Meaning.REFUSED,
        "LinkedIn knows no page of this number. Compare it with the page's address.",
    ),
    "NOT_FOUND": Reason(Meaning.MISSING, "LinkedIn does not have this."),
}
_NUMBERS = {
    65600: "INVALID_ACCESS_TOKEN",
    65601: "REVOKED_ACCESS_TOKEN",
    65602: "EXPIRED_ACCESS_TOKEN",
    65604: "EMPTY_ACCESS_TOKEN",
    101: "TOO_MANY_REQUESTS",
    100: "ACCESS_DENIED",
}
_STATUSES = {
    401: "UNAUTHORIZED",
    403: "ACCESS_DENIED",
    404: "NOT_FOUND",
    426: "NONEXISTENT_VERSION",
    429: "TOO_MANY_REQUESTS",
}


def find_error(status: int, value: Any) -> tuple[Sequence[str], str] | None:
    """The codes of an answer, the most telling first, and what LinkedIn said; ``None`` where the
    answer is not in LinkedIn's form.
    """
    if not isinstance(value, dict) or not isinstance(value.get("status"), int):
        return None
    details = value.get("errorDetails")
    inputs = details.get("inputErrors") if isinstance(details, dict) else None
    found = [one for one in inputs if isinstance(one, dict)] if isinstance(inputs, list) else []
    said = str(value.get("message") or "")
    codes = [str(one["code"]) for one in found if isinstance(one.get("code"), str)]
    if re.search(r"is a duplicate of urn:", said):
        codes.append("DUPLICATE_POST")
    if re.search(r"organization permissions must be used|not an? admin", said, re.IGNORECASE):
        codes.append("NOT_ADMIN")
    codes += [str(value["code"])] if isinstance(value.get("code"), str) else []
    number = value.get("serviceErrorCode")
    codes += [_NUMBERS[number]] if number in _NUMBERS else []
    codes += [_STATUSES[status]] if status in _STATUSES else []
    return codes, said


def find_named_urn(value: Any) -> str | None:
    """The post that a refusal of a repeat names."""
    message = value.get("message") if isinstance(value, dict) else None
    found = _URN.search(message) if isinstance(message, str) else None
    return found[0] if found else None
